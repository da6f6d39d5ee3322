import type { SessionDate, Ticker } from "@pf/market";
import type { StrategyOptions } from "./options.js";
import { type Registry, registry } from "./registry.js";

/**
 * The names to weigh, in universe order, with what was known when the session closed. It is one object for all rows:
 * copy what should outlast the call.
 */
export interface WeightingInput {
  readonly session: SessionDate;
  readonly tickers: readonly Ticker[];
  /** Standard deviation of the last `volWindow` returns of the k-th name, per bar. */
  volatility(k: number): number;
  /** The simple returns of the k-th name on the last `corrWindow` rows, oldest first. */
  returns(k: number): Float64Array;
}

/**
 * Raw weights into `raw[0..tickers.length)`, a buffer that may be longer: finite, not negative, in any unit. The cap and
 * the cash buffer are applied afterwards, the same for every method.
 */
export type WeightingMethod = (input: WeightingInput, raw: Float64Array) => void;

export type WeightingFactory = (options: StrategyOptions) => WeightingMethod;

/** In proportion to 1 / volatility; a volatility below 1e-9 counts as 1e-9. */
const inverseVolatility: WeightingFactory = () => (input, raw) => {
  for (let k = 0; k < input.tickers.length; k++) raw[k] = 1 / Math.max(input.volatility(k), 1e-9);
};

const equal: WeightingFactory = () => (input, raw) => {
  raw.fill(1 / input.tickers.length, 0, input.tickers.length);
};

/** The weightings a configuration can name; add one with `builtinWeightings.with("mine", () => myMethod)`. */
export const builtinWeightings: Registry<WeightingFactory> = registry("weighting", {
  inv_vol: inverseVolatility,
  equal,
});
