import { leastVolatility } from "./weighting.js";

/**
 * Takes a covariance matrix apart: correlations, within [-1, 1] and exactly 1 on the diagonal, and volatilities of at
 * least 1e-9. A name that does not vary correlates with none.
 *
 * @param covariance - n x n, row by row
 * @param correlations - receives n x n
 * @param volatilities - receives n
 */
export function standardise(
  covariance: Float64Array,
  n: number,
  correlations: Float64Array,
  volatilities: Float64Array,
): void {
  for (let i = 0; i < n; i++) {
    const own = covariance[i * n + i]!;
    volatilities[i] = Math.max(Math.sqrt(own), leastVolatility);
    correlations[i * n + i] = 1;
    for (let k = 0; k < i; k++) {
      const scale = Math.sqrt(own * covariance[k * n + k]!);
      const rho = scale > 0 ? Math.min(1, Math.max(-1, covariance[i * n + k]! / scale)) : 0;
      correlations[i * n + k] = rho;
      correlations[k * n + i] = rho;
    }
  }
}

/**
 * Cholesky: makes the lower triangle L of a symmetric matrix out of the matrix itself, in place, so that L L' is it.
 *
 * @param matrix - n x n, row by row; only its lower triangle is read and written
 * @returns whether the matrix is positive definite; if not, what is in it is of no use
 */
export function factorise(matrix: Float64Array, n: number): boolean {
  for (let i = 0; i < n; i++) {
    for (let k = 0; k <= i; k++) {
      let sum = matrix[i * n + k]!;
      for (let m = 0; m < k; m++) sum -= matrix[i * n + m]! * matrix[k * n + m]!;
      if (k < i) matrix[i * n + k] = sum / matrix[k * n + k]!;
      else if (sum > 0) matrix[i * n + i] = Math.sqrt(sum);
      else return false;
    }
  }
  return true;
}

/**
 * Solves L L' x = b.
 *
 * @param factor - what {@link factorise} made, n x n
 * @param b - the right side; receives x
 */
export function solve(factor: Float64Array, n: number, b: Float64Array): void {
  for (let i = 0; i < n; i++) {
    let sum = b[i]!;
    for (let m = 0; m < i; m++) sum -= factor[i * n + m]! * b[m]!;
    b[i] = sum / factor[i * n + i]!;
  }
  for (let i = n - 1; i >= 0; i--) {
    let sum = b[i]!;
    for (let m = i + 1; m < n; m++) sum -= factor[m * n + i]! * b[m]!;
    b[i] = sum / factor[i * n + i]!;
  }
}

/** A workspace that is made again only when more names than ever before are to be weighed. */
export function roomFor<Workspace>(make: (n: number) => Workspace): (n: number) => Workspace {
  let size = -1;
  let workspace: Workspace | undefined;
  return (n) => {
    if (workspace === undefined || n > size) {
      size = n;
      workspace = make(n);
    }
    return workspace;
  };
}
