/**
 * Inverse variance: a name twice as volatile gets a quarter of the weight. The cap and the cash buffer come afterwards,
 * the same for every weighting.
 *
 * @type {import("@pf/selection").WeightingMethod}
 */
export function inverseVariance(input, raw) {
  for (let k = 0; k < input.tickers.length; k++) raw[k] = 1 / input.volatility(k) ** 2;
}
