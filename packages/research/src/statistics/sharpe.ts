import { StatisticsInputError } from "../errors.js";
import { normalCdf, normalQuantile } from "./normal.js";

/** A Sharpe ratio and what its precision depends on. Everything per period, nothing annualised. */
export interface SharpeSample {
  /** Mean over sample standard deviation (divisor n-1), per period. */
  readonly sharpe: number;
  /** Number of returns. */
  readonly periods: number;
  /** Third standardised population moment; 0 for a symmetric distribution. */
  readonly skewness: number;
  /** Fourth standardised population moment, raw: 3 for a normal distribution. */
  readonly kurtosis: number;
}

/**
 * The Sharpe ratio of a column of returns, with the moments that decide how far it can be trusted.
 *
 * @param returns - one a period, as fractions, no risk-free rate
 * @returns `NaN` for the ratio and the moments when there are fewer than two returns or all are equal, whatever
 *   rounding leaves of the variance
 */
export function sharpeSample(returns: ArrayLike<number>): SharpeSample {
  const periods = returns.length;
  let sum = 0;
  let varies = false;
  for (let t = 0; t < periods; t++) {
    sum += returns[t]!;
    if (returns[t] !== returns[0]) varies = true;
  }
  if (!varies) return { sharpe: Number.NaN, periods, skewness: Number.NaN, kurtosis: Number.NaN };
  const mean = sum / periods;
  let second = 0;
  let third = 0;
  let fourth = 0;
  for (let t = 0; t < periods; t++) {
    const deviation = returns[t]! - mean;
    const square = deviation * deviation;
    second += square;
    third += square * deviation;
    fourth += square * square;
  }
  const variance = second / periods;
  return {
    sharpe: mean / Math.sqrt(second / (periods - 1)),
    periods,
    skewness: third / periods / (variance * Math.sqrt(variance)),
    kurtosis: fourth / periods / (variance * variance),
  };
}

/**
 * Standard error of an estimated Sharpe ratio under skewed, fat-tailed returns.
 *
 * Mertens, _Comments on variance of the IID estimator in Lo_ (2002); Bailey and Lopez de Prado, _The Sharpe Ratio
 * Efficient Frontier_ (2012), with divisor `T - 1`.
 *
 * @returns `NaN` when the ratio is undefined, when the record is a single period or less, or when the moments are no moments
 */
export function sharpeStandardError(sample: SharpeSample): number {
  return sample.periods > 1 ? Math.sqrt(sharpeVariance(sample) / (sample.periods - 1)) : Number.NaN;
}

/** Variance of the ratio times the number of periods. */
function sharpeVariance({ sharpe, skewness, kurtosis }: SharpeSample): number {
  const variance = 1 - skewness * sharpe + ((kurtosis - 1) / 4) * sharpe * sharpe;
  return variance > 0 ? variance : Number.NaN;
}

/**
 * Probability that the true Sharpe ratio is above a benchmark, given the one observed (Bailey and Lopez de Prado 2012).
 *
 * @param benchmark - Sharpe ratio per period to beat; 0 asks whether there is anything at all
 * @returns `NaN` when the ratio is undefined
 */
export function probabilisticSharpe(sample: SharpeSample, benchmark = 0): number {
  return normalCdf((sample.sharpe - benchmark) / sharpeStandardError(sample));
}

/**
 * Periods a track record needs before its Sharpe ratio is above a benchmark with a given confidence (Bailey and Lopez
 * de Prado 2012), if it goes on as observed.
 *
 * @param confidence - probability wanted, 0.95 usually
 * @returns `Infinity` when the ratio is not above the benchmark: no length would do; `NaN` when it is undefined
 */
export function minimumTrackRecord(sample: SharpeSample, benchmark = 0, confidence = 0.95): number {
  if (Number.isNaN(sample.sharpe)) return Number.NaN;
  if (sample.sharpe <= benchmark) return Number.POSITIVE_INFINITY;
  const needed = normalQuantile(confidence) / (sample.sharpe - benchmark);
  return 1 + sharpeVariance(sample) * needed * needed;
}

const eulerGamma = 0.5772156649015329;

/**
 * Expected largest of `trials` independent standard normal numbers: how well the best of so many worthless strategies
 * looks, in standard deviations (Bailey, Borwein, Lopez de Prado and Zhu, _Pseudo-Mathematics and Financial
 * Charlatanism_, 2014).
 *
 * @param trials - a whole number of at least 1; one trial selects nothing, and its expectation is 0
 * @throws StatisticsInputError for any other number
 */
export function expectedMaximum(trials: number): number {
  if (!(Number.isInteger(trials) && trials >= 1)) {
    throw new StatisticsInputError(
      `the number of trials must be a whole number of at least 1, not ${trials}`,
    );
  }
  if (trials === 1) return 0;
  // The upper quantiles of 1 - 1/N, taken from the lower tail, where no digit is lost.
  return -(1 - eulerGamma) * normalQuantile(1 / trials) - eulerGamma * normalQuantile(1 / (trials * Math.E));
}

export interface DeflatedSharpe {
  /** Probability that the true ratio is above what the best of the trials would show by luck alone. */
  readonly probability: number;
  /** That ratio, per period: the hurdle. */
  readonly benchmark: number;
  readonly trials: number;
}

/**
 * Deflated Sharpe ratio: the probabilistic one against the best that luck would have produced in as many trials (Bailey
 * and Lopez de Prado, _The Deflated Sharpe Ratio_, 2014).
 *
 * @param sample - the chosen strategy's
 * @param trials - how many different strategies were tried on the same data, this one included; the caller keeps count
 * @param trialVariance - variance of the trials' Sharpe ratios, per period; with several trials and an undefined
 *   variance the result is undefined too
 * @throws StatisticsInputError for a number of trials below 1 or a negative variance
 */
export function deflatedSharpe(sample: SharpeSample, trials: number, trialVariance: number): DeflatedSharpe {
  if (trialVariance < 0) {
    throw new StatisticsInputError(`the variance of the trials cannot be negative, and is ${trialVariance}`);
  }
  const lift = expectedMaximum(trials);
  const benchmark = lift === 0 ? 0 : Math.sqrt(trialVariance) * lift;
  return { probability: probabilisticSharpe(sample, benchmark), benchmark, trials };
}

/**
 * Years of backtest below which the best of as many worthless trials reaches a Sharpe ratio by luck (Bailey, Borwein,
 * Lopez de Prado and Zhu 2014).
 *
 * @param sharpeAnnual - annualised ratio
 * @returns `Infinity` for a ratio that is not positive
 */
export function minimumBacktestYears(trials: number, sharpeAnnual: number): number {
  if (Number.isNaN(sharpeAnnual)) return Number.NaN;
  if (sharpeAnnual <= 0) return Number.POSITIVE_INFINITY;
  const ratio = expectedMaximum(trials) / sharpeAnnual;
  return ratio * ratio;
}

/**
 * Sample variance (divisor n-1) of the trials' Sharpe ratios; undefined ones are left out.
 *
 * @returns `NaN` with fewer than two defined ratios
 */
export function trialVariance(sharpes: ArrayLike<number>): number {
  const defined = Array.from(sharpes).filter((value) => !Number.isNaN(value));
  if (defined.length < 2) return Number.NaN;
  const mean = defined.reduce((sum, value) => sum + value, 0) / defined.length;
  return defined.reduce((sum, value) => sum + (value - mean) * (value - mean), 0) / (defined.length - 1);
}
