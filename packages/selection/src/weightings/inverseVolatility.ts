import { leastVolatility, type WeightingFactory } from "./weighting.js";

/** In proportion to 1 / volatility of the last `volWindow` returns; one below 1e-9 counts as 1e-9. */
export const inverseVolatility: WeightingFactory = () => (input, raw) => {
  for (let k = 0; k < input.tickers.length; k++) raw[k] = 1 / Math.max(input.volatility(k), leastVolatility);
};
