import type { SessionDate, Ticker } from "@pf/market";
import type { StrategyOptions } from "../options.js";

/**
 * The names to weigh, in universe order, with what was known when the session closed. Every name has a bar on each of
 * the last `corrWindow` rows and returns that vary: a hole or a price that stands still keeps a symbol out before it is
 * weighed. It is one object for all rows: copy what should outlast the call.
 */
export interface WeightingInput {
  readonly session: SessionDate;
  readonly tickers: readonly Ticker[];
  /** Standard deviation of the last `volWindow` returns of the k-th name, per bar. */
  volatility(k: number): number;
  /** The simple returns of the k-th name on the last `corrWindow` rows, oldest first. */
  returns(k: number): Float64Array;
  /**
   * Covariance of the names' simple returns on the last `corrWindow` rows, per bar, estimated as `weights.covariance`
   * says. Row by row: that of the names i and k is at `i * tickers.length + k`. The buffer may be longer and is filled
   * anew by every call, so that it can be worked in.
   */
  covariance(): Float64Array;
}

/**
 * Raw weights into `raw[0..tickers.length)`, a buffer that may be longer: finite, not negative, in any unit, not all 0.
 * The cap and the cash buffer are applied afterwards, the same for every method.
 */
export type WeightingMethod = (input: WeightingInput, raw: Float64Array) => void;

export type WeightingFactory = (options: StrategyOptions) => WeightingMethod;

/** A volatility below this counts as this, per bar, so that a price that hardly moves has a weight all the same. */
export const leastVolatility = 1e-9;
