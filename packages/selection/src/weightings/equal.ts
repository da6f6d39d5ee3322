import type { WeightingFactory } from "./weighting.js";

/** The same for every name. */
export const equal: WeightingFactory = () => (input, raw) => {
  raw.fill(1 / input.tickers.length, 0, input.tickers.length);
};
