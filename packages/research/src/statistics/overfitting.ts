import { StatisticsInputError } from "../errors.js";

/** What rounding tells apart is a tie: points that traded alike in half of the blocks are found by several paths. */
const tieTolerance = 1e-12;

export interface OverfittingOptions {
  /**
   * Into how many equal blocks of consecutive periods the returns are cut: even, 2 to 20.
   *
   * @defaultValue 16
   */
  readonly blocks?: number;
  /**
   * What a trial is judged by: mean return, or mean over standard deviation.
   *
   * @defaultValue "sharpe"
   */
  readonly metric?: "mean" | "sharpe";
}

/** One way of taking half of the blocks as sample. */
export interface OverfittingSplit {
  /** Counted from 0. */
  readonly inSampleBlocks: readonly number[];
  /** The trial that looked best in sample, counted from 0. */
  readonly best: number;
  /** Its rank out of sample among all trials: 1 is worst, ties share their mean. */
  readonly outOfSampleRank: number;
  /** `ln(w / (1 - w))` with `w = rank / (trials + 1)`; 0 is the middle of the field. */
  readonly logit: number;
  readonly inSample: number;
  /** `NaN` where undefined. */
  readonly outOfSample: number;
}

export interface Overfitting {
  /** Probability of backtest overfitting: share of splits in which the best in sample is at most median out of sample. */
  readonly probability: number;
  /** Share of splits in which the best in sample loses out of sample. */
  readonly probabilityOfLoss: number;
  /** Least squares of the chosen ones' out-of-sample on their in-sample metric; `NaN` if the latter does not vary. */
  readonly degradation: { readonly slope: number; readonly intercept: number };
  readonly splits: readonly OverfittingSplit[];
  /** Oldest periods left out so that the blocks are equal. */
  readonly periodsLeftOut: number;
  /** Splits in which no trial had a metric in sample; they count nowhere. */
  readonly undecided: number;
}

/**
 * Probability of backtest overfitting by combinatorially symmetric cross-validation: every half of the blocks is once
 * the sample in which the best trial is chosen, and the other half shows what the choice was worth (Bailey, Borwein,
 * Lopez de Prado and Zhu, _The Probability of Backtest Overfitting_, 2017).
 *
 * An undefined metric (a series without variance has no Sharpe) ranks below every defined one.
 *
 * @param trials - one column of returns a trial, all of the same periods
 * @throws StatisticsInputError for fewer than two trials, columns of unequal length, or blocks that cannot be cut
 */
export function probabilityOfOverfitting(
  trials: readonly ArrayLike<number>[],
  { blocks = 16, metric = "sharpe" }: OverfittingOptions = {},
): Overfitting {
  const periods = trials[0]?.length ?? 0;
  requireShape(trials, periods, blocks, metric);
  const length = Math.floor(periods / blocks);
  const periodsLeftOut = periods - blocks * length;
  // Grids hold points that trade alike; what is one column is judged once.
  const columns = [...new Set(trials)];
  const place = new Map(columns.map((column, at) => [column, at]));
  const columnOf = Int32Array.from(trials, (column) => place.get(column)!);
  const moments = blockMoments(columns, periodsLeftOut, blocks, length);

  // In lexicographic order the k-th half from the end is the complement of the k-th: each pair is judged once.
  const halves = [...combinations(blocks, blocks / 2)];
  const found = new Array<OverfittingSplit | undefined>(halves.length);
  const metrics = [new Float64Array(columns.length), new Float64Array(columns.length)] as const;
  const [inside, outside] = [new Float64Array(trials.length), new Float64Array(trials.length)];
  for (let at = 0; at < halves.length / 2; at++) {
    const twin = halves.length - 1 - at;
    metricsOf(moments, halves[at]!, length, metric, metrics[0]);
    metricsOf(moments, halves[twin]!, length, metric, metrics[1]);
    for (let trial = 0; trial < trials.length; trial++) {
      inside[trial] = metrics[0][columnOf[trial]!]!;
      outside[trial] = metrics[1][columnOf[trial]!]!;
    }
    found[at] = splitOf(halves[at]!, inside, outside);
    found[twin] = splitOf(halves[twin]!, outside, inside);
  }
  const splits = found.filter((split) => split !== undefined);
  const shareOf = (holds: (split: OverfittingSplit) => boolean) =>
    splits.length === 0 ? Number.NaN : splits.filter(holds).length / splits.length;
  return {
    // At the median the two logarithms cancel exactly, but a rank of n/2 + 1/2 over n + 1 may round to just above a half.
    probability: shareOf((split) => 2 * split.outOfSampleRank <= trials.length + 1),
    probabilityOfLoss: shareOf((split) => split.outOfSample < 0),
    degradation: leastSquares(splits.filter((split) => !Number.isNaN(split.outOfSample))),
    splits,
    periodsLeftOut,
    undecided: halves.length - splits.length,
  };
}

function requireShape(
  trials: readonly ArrayLike<number>[],
  periods: number,
  blocks: number,
  metric: "mean" | "sharpe",
): void {
  if (trials.length < 2) {
    throw new StatisticsInputError(`choosing needs at least 2 trials, and there are ${trials.length}`);
  }
  if (trials.some((returns) => returns.length !== periods)) {
    throw new StatisticsInputError("all trials must cover the same periods");
  }
  if (!(Number.isInteger(blocks) && blocks >= 2 && blocks <= 20 && blocks % 2 === 0)) {
    throw new StatisticsInputError(`the number of blocks must be even, 2 to 20, not ${blocks}`);
  }
  const least = blocks * (metric === "sharpe" ? 2 : 1);
  if (periods < least) {
    throw new StatisticsInputError(
      `${blocks} blocks need at least ${least} periods, and there are ${periods}`,
    );
  }
}

/**
 * What is needed of each block to judge any union of blocks: sums of equal lengths merge exactly enough (Chan 1979).
 * Block-major, column `c` of block `b` at `b * columns + c`, because a union adds up all columns of a block after another.
 */
interface BlockMoments {
  readonly columns: number;
  readonly mean: Float64Array;
  /** Sum of squared deviations from the block's own mean. */
  readonly squares: Float64Array;
  /** The block's value if it has only one, else `NaN`. */
  readonly constant: Float64Array;
}

function blockMoments(
  trials: readonly ArrayLike<number>[],
  from: number,
  blocks: number,
  length: number,
): BlockMoments {
  const columns = trials.length;
  const mean = new Float64Array(blocks * columns);
  const squares = new Float64Array(blocks * columns);
  const constant = new Float64Array(blocks * columns);
  for (let column = 0; column < columns; column++) {
    const returns = trials[column]!;
    for (let block = 0; block < blocks; block++) {
      const at = block * columns + column;
      const start = from + block * length;
      const first = returns[start]!;
      let sum = 0;
      let same = true;
      for (let t = start; t < start + length; t++) {
        const value = returns[t]!;
        sum += value;
        if (value !== first) same = false;
      }
      const average = sum / length;
      let total = 0;
      for (let t = start; t < start + length; t++) {
        const deviation = returns[t]! - average;
        total += deviation * deviation;
      }
      mean[at] = average;
      squares[at] = total;
      constant[at] = same ? first : Number.NaN;
    }
  }
  return { columns, mean, squares, constant };
}

/** The metric of every column on a union of blocks; `NaN` where it does not vary. */
function metricsOf(
  { columns, mean, squares, constant }: BlockMoments,
  half: readonly number[],
  length: number,
  metric: "mean" | "sharpe",
  out: Float64Array,
): void {
  const count = half.length;
  for (let column = 0; column < columns; column++) {
    let sum = 0;
    for (let k = 0; k < count; k++) sum += mean[half[k]! * columns + column]!;
    const overall = sum / count;
    if (metric === "mean") {
      out[column] = overall;
      continue;
    }
    const only = constant[half[0]! * columns + column]!;
    let varies = false;
    let total = 0;
    for (let k = 0; k < count; k++) {
      const at = half[k]! * columns + column;
      const apart = mean[at]! - overall;
      total += squares[at]! + length * apart * apart;
      // A block that varies has no value of its own: NaN, which is unlike everything.
      if (constant[at] !== only) varies = true;
    }
    out[column] = varies ? overall / Math.sqrt(total / (count * length - 1)) : Number.NaN;
  }
}

/** What choosing the best inside was worth outside; nothing if no trial has a metric inside. */
function splitOf(
  inSampleBlocks: readonly number[],
  inside: Float64Array,
  outside: Float64Array,
): OverfittingSplit | undefined {
  let best = -1;
  let inSample = Number.NEGATIVE_INFINITY;
  for (let trial = 0; trial < inside.length; trial++) {
    if (inside[trial]! > inSample + tieTolerance) {
      best = trial;
      inSample = inside[trial]!;
    }
  }
  if (best < 0) return undefined;
  const outOfSampleRank = rankOf(outside, best);
  const share = outOfSampleRank / (inside.length + 1);
  return {
    inSampleBlocks,
    best,
    outOfSampleRank,
    logit: Math.log(share / (1 - share)),
    inSample,
    outOfSample: outside[best]!,
  };
}

/** Rank of one value among all, 1 the lowest, ties averaged; undefined values are the lowest. */
function rankOf(values: Float64Array, at: number): number {
  const own = Number.isNaN(values[at]!) ? Number.NEGATIVE_INFINITY : values[at]!;
  let lower = 0;
  let equal = 0;
  for (let k = 0; k < values.length; k++) {
    const value = values[k]!;
    const other = Number.isNaN(value) ? Number.NEGATIVE_INFINITY : value;
    if (other < own - tieTolerance) lower++;
    else if (!(other > own + tieTolerance)) equal++;
  }
  return lower + (equal + 1) / 2;
}

function leastSquares(splits: readonly OverfittingSplit[]): { slope: number; intercept: number } {
  const n = splits.length;
  const x = splits.reduce((sum, split) => sum + split.inSample, 0) / n;
  const y = splits.reduce((sum, split) => sum + split.outOfSample, 0) / n;
  let xx = 0;
  let xy = 0;
  for (const split of splits) {
    xx += (split.inSample - x) * (split.inSample - x);
    xy += (split.inSample - x) * (split.outOfSample - y);
  }
  if (!(xx > 0)) return { slope: Number.NaN, intercept: Number.NaN };
  return { slope: xy / xx, intercept: y - (xy / xx) * x };
}

/** Every choice of `size` out of `0..count - 1`, in lexicographic order. */
function* combinations(count: number, size: number): Generator<readonly number[]> {
  const chosen = Array.from({ length: size }, (_, k) => k);
  for (;;) {
    yield chosen.slice();
    let at = size - 1;
    while (at >= 0 && chosen[at] === count - size + at) at--;
    if (at < 0) return;
    chosen[at]!++;
    for (let k = at + 1; k < size; k++) chosen[k] = chosen[k - 1]! + 1;
  }
}

/**
 * Sizes of combinatorial purged cross-validation: splits of `folds` into `test` test folds, and the backtest paths their
 * test folds make up (Lopez de Prado, _Advances in Financial Machine Learning_, 2018, chapter 12).
 *
 * @throws StatisticsInputError unless `0 < test < folds`, both whole
 */
export function purgedValidationCounts(
  folds: number,
  test: number,
): { readonly splits: number; readonly paths: number } {
  if (!(Number.isInteger(folds) && Number.isInteger(test) && test > 0 && test < folds)) {
    throw new StatisticsInputError(`${test} test folds out of ${folds} is no split`);
  }
  let splits = 1;
  for (let k = 1; k <= test; k++) splits = (splits * (folds - test + k)) / k;
  return { splits, paths: (splits * test) / folds };
}
