/** How covariances are estimated, by the names that `weights.covariance` knows. */
export const covarianceEstimators = ["sample", "ledoit_wolf"] as const;
export type CovarianceEstimator = (typeof covarianceEstimators)[number];

/**
 * Covariances from centred returns: `columns[k]` holds the k-th name's returns less their mean.
 *
 * @param columns - at least `n` columns of `window` values
 * @param out - receives n x n, row by row, per bar
 */
export function estimateCovariance(
  estimator: CovarianceEstimator,
  columns: readonly Float64Array[],
  n: number,
  window: number,
  out: Float64Array,
): void {
  for (let i = 0; i < n; i++) {
    const x = columns[i]!;
    for (let k = 0; k <= i; k++) {
      const y = columns[k]!;
      let products = 0;
      for (let t = 0; t < window; t++) products += x[t]! * y[t]!;
      out[i * n + k] = products / (window - 1);
      out[k * n + i] = out[i * n + k]!;
    }
  }
  if (estimator === "sample") return;
  // Of two names the target is the sample itself.
  if (n < 3) return;
  const shrinkage = constantCorrelationShrinkage(columns, n, window);
  const rho = meanCorrelation(out, n);
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < i; k++) {
      const target = rho * Math.sqrt(out[i * n + i]! * out[k * n + k]!);
      const shrunk = shrinkage * target + (1 - shrinkage) * out[i * n + k]!;
      out[i * n + k] = shrunk;
      out[k * n + i] = shrunk;
    }
  }
}

/**
 * How much of the sample covariance to replace by the target of constant correlation, which keeps the variances and
 * gives every pair the mean correlation (Ledoit and Wolf 2004, "Honey, I Shrunk the Sample Covariance Matrix", appendix
 * B, with moments divided by the number of returns as there). Variances are not shrunk: bonds and bitcoin differ too
 * much for a common one.
 *
 * @returns from 0, the sample, to 1, the target
 */
export function constantCorrelationShrinkage(
  columns: readonly Float64Array[],
  n: number,
  window: number,
): number {
  const moment = (i: number, k: number) => {
    let sum = 0;
    for (let t = 0; t < window; t++) sum += columns[i]![t]! * columns[k]![t]!;
    return sum / window;
  };
  let correlations = 0;
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < i; k++) correlations += ratio(moment(i, k), Math.sqrt(moment(i, i) * moment(k, k)));
  }
  const rho = correlations / ((n * (n - 1)) / 2);

  // pi - rho of the paper, and gamma. The diagonal cancels in the first and is 0 in the second.
  let noise = 0;
  let misfit = 0;
  for (let i = 0; i < n; i++) {
    const x = columns[i]!;
    const ownX = moment(i, i);
    for (let k = 0; k < i; k++) {
      const y = columns[k]!;
      const ownY = moment(k, k);
      const both = moment(i, k);
      let pi = 0;
      let thetaX = 0;
      let thetaY = 0;
      for (let t = 0; t < window; t++) {
        const deviation = x[t]! * y[t]! - both;
        pi += deviation * deviation;
        thetaX += (x[t]! * x[t]! - ownX) * deviation;
        thetaY += (y[t]! * y[t]! - ownY) * deviation;
      }
      const covariances = Math.sqrt(ratio(ownY, ownX)) * thetaX + Math.sqrt(ratio(ownX, ownY)) * thetaY;
      noise += (2 * (pi - (rho / 2) * covariances)) / window;
      const apart = rho * Math.sqrt(ownX * ownY) - both;
      misfit += 2 * apart * apart;
    }
  }
  return misfit > 0 ? Math.min(1, Math.max(0, noise / misfit / window)) : 0;
}

/** Variance of a portfolio, per bar; what rounding leaves below nothing is nothing. */
export function portfolioVariance(covariance: Float64Array, n: number, weights: Float64Array): number {
  let variance = 0;
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < n; k++) variance += weights[i]! * weights[k]! * covariance[i * n + k]!;
  }
  return Math.max(0, variance);
}

function meanCorrelation(covariance: Float64Array, n: number): number {
  let sum = 0;
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < i; k++) {
      sum += ratio(covariance[i * n + k]!, Math.sqrt(covariance[i * n + i]! * covariance[k * n + k]!));
    }
  }
  return sum / ((n * (n - 1)) / 2);
}

/** A name that does not vary correlates with none. */
function ratio(value: number, by: number): number {
  return by > 0 ? value / by : 0;
}
