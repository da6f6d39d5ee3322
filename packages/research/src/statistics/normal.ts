import { StatisticsInputError } from "../errors.js";

const rootTwoPi = Math.sqrt(2 * Math.PI);
/** Beyond it the tail wants its own expansion: as the difference of a half and a sum it would lose digits. */
const tailFrom = 1.5;
/** Enough for double precision at 1.5, more than enough further out. */
const tailTerms = 200;

/**
 * Standard normal distribution function, to about 1e-15 relative, the lower tail included.
 *
 * The series of Marsaglia, _Evaluating the Normal Distribution_ (2004) near the centre, Laplace's continued fraction of
 * the Mills ratio in the tails; only `exp` is called, which agrees between engines.
 *
 * @example
 * normalCdf(0); // => 0.5
 */
export function normalCdf(x: number): number {
  if (Number.isNaN(x)) return Number.NaN;
  if (x < -tailFrom) return upperTail(-x);
  if (x > tailFrom) return 1 - upperTail(x);
  let term = x;
  let sum = x;
  for (let odd = 3; Math.abs(term) > Math.abs(sum) * 1e-18; odd += 2) {
    term *= (x * x) / odd;
    sum += term;
  }
  return 0.5 + sum * normalDensity(x);
}

function normalDensity(x: number): number {
  return Math.exp((-x * x) / 2) / rootTwoPi;
}

/** P(Z > x) for a positive x: density over x + 1/(x + 2/(x + 3/(x + ...))), evaluated from the far end. */
function upperTail(x: number): number {
  if (x === Number.POSITIVE_INFINITY) return 0;
  let fraction = x;
  for (let k = tailTerms; k >= 1; k--) fraction = x + k / fraction;
  return normalDensity(x) / fraction;
}

// Acklam's rational approximation of the quantile (relative error 1.2e-9), refined below.
const centreOver = [
  -39.69683028665376, 220.9460984245205, -275.9285104469687, 138.357751867269, -30.66479806614716,
  2.506628277459239,
] as const;
const centreUnder = [
  -54.47609879822406, 161.5858368580409, -155.6989798598866, 66.80131188771972, -13.28068155288572, 1,
] as const;
const tailOver = [
  -0.007784894002430293, -0.3223964580411365, -2.400758277161838, -2.549732539343734, 4.374664141464968,
  2.938163982698783,
] as const;
const tailUnder = [
  0.007784695709041462, 0.3224671290700398, 2.445134137142996, 3.754408661907416, 1,
] as const;
const tailBelow = 0.02425;

/**
 * Standard normal quantile: the `z` with `normalCdf(z) = p`, to about 1e-15 relative.
 *
 * P. J. Acklam's approximation with two steps of Halley's method against {@link normalCdf}.
 *
 * @param p - a probability; 0 and 1 give minus and plus infinity
 * @throws StatisticsInputError when `p` lies outside 0 to 1
 */
export function normalQuantile(p: number): number {
  if (!(p >= 0 && p <= 1))
    throw new StatisticsInputError(`a probability lies between 0 and 1, ${p} does not`);
  if (p === 0) return Number.NEGATIVE_INFINITY;
  // The lower half keeps its digits; 1 - p is exact for a double of at least a half.
  if (p > 0.5) return -normalQuantile(1 - p);
  let z: number;
  if (p < tailBelow) {
    const q = Math.sqrt(-2 * Math.log(p));
    z = polynomial(tailOver, q) / polynomial(tailUnder, q);
  } else {
    const q = p - 0.5;
    z = (q * polynomial(centreOver, q * q)) / polynomial(centreUnder, q * q);
  }
  for (let step = 0; step < 2; step++) {
    const error = (normalCdf(z) - p) / normalDensity(z);
    z -= error / (1 + (z * error) / 2);
  }
  return z;
}

/** Highest power first. */
function polynomial(coefficients: readonly number[], x: number): number {
  let value = 0;
  for (const coefficient of coefficients) value = value * x + coefficient;
  return value;
}
