import {
  type BacktestResult,
  type Benchmark,
  type Metrics,
  measure,
  runBacktest,
  runBenchmarks,
  runTargets,
  sparseTargets,
  type TargetSeries,
} from "@pf/backtest";
import type { Panel, Ticker } from "@pf/market";
import {
  createStrategy,
  type Decision,
  type Extensions,
  type Features,
  type PreparedStrategy,
  windowFeatures,
} from "@pf/selection";
import { MergeError } from "./errors.js";
import type { Fold } from "./folds.js";
import type { GridPlan } from "./grid.js";
import { bestPosition, merit, orNull, type PlainMetrics, plainMetrics } from "./objective.js";
import type { GridEvaluator } from "./plainEvaluator.js";
import { type GridKey, type GridPoint, periodsPerYearOf, type Study } from "./study.js";

/** What one fold chose and what it means to hold after it. Plain data: it survives JSON and another thread. */
export interface FoldResult {
  readonly fold: number;
  /** The train objective of every point in grid order; null where undefined. */
  readonly objectives: readonly (number | null)[];
  /** Position in grid order of the point chosen. */
  readonly chosen: number;
  readonly params: GridPoint;
  /** Its train objective; null where no point had one, and the first that can trade stands in. */
  readonly objective: number | null;
  /** How the chosen point did on the train rows. */
  readonly train: PlainMetrics;
  /** Its targets of the out-of-sample rows, sparse: row `t` owns the entries `rowStart[t]` to `rowStart[t + 1]`. */
  readonly targets: {
    readonly rowStart: readonly number[];
    readonly symbol: readonly number[];
    readonly weight: readonly number[];
    /** What it meant to hold on the last train row, from which its first out-of-sample decision goes on. */
    readonly before: { readonly symbol: readonly number[]; readonly weight: readonly number[] };
  };
}

/** Universes up to this size keep the columns of the whole panel; a larger one computes each window's anew. */
const rememberedUniverse = 100;

/** Rules made ready for a fold's rows; kept by whoever asks the same again, to explain what it decided. */
export type FoldRules = Map<string, FoldRule>;

export interface FoldRule {
  readonly rows: Panel;
  readonly prepared: PreparedStrategy;
}

/** A point's rule on the rows of a fold, cold from the first. */
function ruleOn(
  features: Features,
  fold: Fold,
  point: number,
  plan: Strategies,
  known?: FoldRules,
): FoldRule {
  const key = `${fold.index}/${point}`;
  const found = known?.get(key);
  if (found) return found;
  const own =
    features.panel.tickers.length > rememberedUniverse
      ? undefined
      : windowFeatures(features, fold.trainFrom, fold.oosTo);
  const rows = own?.panel ?? features.panel.between(fold.trainFrom, fold.oosTo);
  const rule = { rows, prepared: plan.strategies[point]!.prepare(rows, own) };
  known?.set(key, rule);
  return rule;
}

type Strategies = Pick<GridPlan, "strategies">;

/**
 * Chooses the best point on a fold's train rows and applies it to the rows that follow.
 *
 * The choice sees the train rows alone, cold from the first. The targets come from one complete backtest over train and
 * out-of-sample rows, so that incumbents and the no-trade band run on across the border. A window in which no point has
 * an objective decides nothing: ties go to the first point in grid order, which is used and marked by a null objective.
 *
 * @param features - of the panel that the fold's rows are of; folds that overlap share them
 * @param evaluator - scores the grid on the fold's train rows
 * @param rules - receives the chosen point's rule, for {@link explainFold}
 */
export function runFold(
  features: Features,
  fold: Fold,
  study: Study,
  plan: GridPlan,
  evaluator: GridEvaluator,
  rules?: FoldRules,
): FoldResult {
  const objectives = evaluator.evaluate();
  let chosen = bestPosition(study.objective, objectives);
  const objective = orNull(objectives[chosen]!);
  // The first in grid order may be an impossible combination; the tie goes to the first that can trade.
  if (objective === null) chosen = plan.strategies.findIndex((strategy) => strategy !== undefined);
  const kept = Array.from(objectives, orNull);
  const strategy = plan.strategies[chosen]!;
  const { rows, prepared } = ruleOn(features, fold, chosen, plan, rules);
  const run = runBacktest(rows, { ...strategy, prepare: () => prepared }, study.costs, { lag: study.lag });
  const trained = fold.oosFrom - fold.trainFrom;
  return {
    fold: fold.index,
    objectives: kept,
    chosen,
    params: plan.points[chosen]!,
    objective,
    // The engine is causal: the first rows of the longer run are the train run.
    train: plainMetrics(
      measure(
        { net: run.net.subarray(0, trained), turnover: run.turnover.subarray(0, trained) },
        periodsPerYearOf(study),
      ),
    ),
    targets: sliceTargets(run.targets, trained),
  };
}

/** The targets from a row on, plain. */
function sliceTargets({ rowStart, symbol, weight }: TargetSeries, from: number): FoldResult["targets"] {
  const before = rowStart[from - 1]!;
  const start = rowStart[from]!;
  return {
    rowStart: Array.from(rowStart.subarray(from), (at) => at - start),
    symbol: Array.from(symbol.subarray(start)),
    weight: Array.from(weight.subarray(start)),
    before: {
      symbol: Array.from(symbol.subarray(before, start)),
      weight: Array.from(weight.subarray(before, start)),
    },
  };
}

/**
 * Explains what a fold decided out of sample: the chosen point's rule, asked again with what it held before.
 *
 * @param features - of the panel that the fold's rows are of
 * @param rows - out-of-sample rows to explain, counted from the fold's first
 * @param rules - where {@link runFold} left the rule, if it ran in this thread
 */
export function explainFold(
  features: Features,
  fold: Fold,
  { chosen, targets }: Pick<FoldResult, "chosen" | "targets">,
  plan: Strategies,
  rows: readonly number[],
  rules?: FoldRules,
): readonly Decision[] {
  if (rows.length === 0) return [];
  const { prepared } = ruleOn(features, fold, chosen, plan, rules);
  const { tickers } = features.panel;
  const { rowStart, symbol, weight, before } = targets;
  return rows.map((row) => {
    const held: Record<Ticker, number> = {};
    if (row === 0) for (const [k, i] of before.symbol.entries()) held[tickers[i]!] = before.weight[k]!;
    else for (let k = rowStart[row - 1]!; k < rowStart[row]!; k++) held[tickers[symbol[k]!]!] = weight[k]!;
    return prepared.decide(fold.oosFrom - fold.trainFrom + row, held);
  });
}

/**
 * Puts the out-of-sample targets of consecutive folds end to end and runs them once through the engine, from cash. A new
 * fold's targets may differ a little from the last ones of the fold before; that is traded and paid for.
 *
 * @throws MergeError when a fold's result is missing, comes twice, or the folds leave rows out
 */
export function stitch(
  panel: Panel,
  folds: readonly Fold[],
  results: readonly FoldResult[],
  study: Pick<Study, "costs" | "lag">,
): BacktestResult {
  const ordered = inFoldOrder(folds, results);
  const from = folds[0]!.oosFrom;
  const to = folds.at(-1)!.oosTo;
  const rowStart = new Int32Array(to - from + 1);
  const symbol: number[] = [];
  const weight: number[] = [];
  let rows = 0;
  for (const [at, { targets }] of ordered.entries()) {
    const fold = folds[at]!;
    if (fold.oosFrom - from !== rows || targets.rowStart.length !== fold.oosTo - fold.oosFrom + 1) {
      throw new MergeError(`fold ${fold.index} does not continue where the fold before it ends`);
    }
    const before = symbol.length;
    for (const end of targets.rowStart.slice(1)) rowStart[++rows] = before + end;
    symbol.push(...targets.symbol);
    weight.push(...targets.weight);
  }
  const span = panel.between(from, to);
  const targets = sparseTargets({
    sessions: span.sessions,
    tickers: span.tickers,
    rowStart,
    symbol: Int32Array.from(symbol),
    weight: Float64Array.from(weight),
  });
  return runTargets(span, targets, study.costs, { lag: study.lag });
}

function inFoldOrder(folds: readonly Fold[], results: readonly FoldResult[]): readonly FoldResult[] {
  if (folds.length === 0) throw new MergeError("there is no fold to stitch");
  const byFold = new Map(results.map((result) => [result.fold, result]));
  if (byFold.size !== results.length) throw new MergeError("a fold came twice");
  if (byFold.size !== folds.length) {
    throw new MergeError(`${folds.length} folds were planned and ${byFold.size} results came`);
  }
  return folds.map((fold) => {
    const result = byFold.get(fold.index);
    if (!result) throw new MergeError(`the result of fold ${fold.index} is missing`);
    return result;
  });
}

/** A walk-forward put together: the folds, the stitched run, and what to hold it against. */
export interface WalkForward {
  readonly folds: readonly WalkForwardFold[];
  /** The stitched out-of-sample run, from cash. */
  readonly result: BacktestResult;
  readonly metrics: Metrics;
  readonly stability: Stability;
  readonly comparison: Comparison;
  /** The runs behind the comparison, on the same sessions: the configured parameters, and every benchmark. */
  readonly fixed: BacktestResult;
  readonly benchmarks: readonly Benchmark[];
  /** Folds in which no point had an objective, so that nothing was decided. */
  readonly undecided: readonly number[];
}

export interface WalkForwardFold extends Fold, Omit<FoldResult, "fold" | "targets"> {
  /** How the fold's own rows of the stitched run did. */
  readonly oos: PlainMetrics;
}

/** How much the chosen parameters move from fold to fold. */
export interface Stability {
  /** Folds whose point differs from the fold before. */
  readonly changes: number;
  /** `changes` over the number of borders between folds; null for a single fold. */
  readonly changeRate: number | null;
  readonly keys: readonly {
    readonly key: GridKey;
    readonly changes: number;
    /** How often each value was chosen, in the grid's order; shares sum to 1. */
    readonly values: readonly { readonly value: number; readonly folds: number; readonly share: number }[];
  }[];
}

/** The stitched run beside what needed no re-optimisation, all on the same sessions, from cash, at the same costs. */
export interface Comparison {
  readonly walkForward: PlainMetrics;
  /** The configured parameters, never re-optimised; their backtest runs over the whole panel before. */
  readonly fixed: PlainMetrics;
  /** SPY held; null if the panel does not hold it. */
  readonly spy: PlainMetrics | null;
  /** What re-optimising brought: the objective of the walk-forward less that of the other; positive is better. */
  readonly gainOverFixed: number | null;
  readonly gainOverSpy: number | null;
  /**
   * Walk-forward efficiency (Pardo 2008): growth a year out of sample over the mean growth a year of the chosen points
   * in their train windows. 1 keeps everything that training promised; null where training promised no growth.
   */
  readonly efficiency: number | null;
  /** Mean train objective of the chosen points, over the folds that have one. */
  readonly meanTrainObjective: number | null;
  /** Share of folds whose own out-of-sample rows gained. */
  readonly gainingFolds: number;
}

/**
 * Puts fold results together in plan order, whatever order they come in.
 *
 * @throws MergeError when the results are not those of the folds
 */
export function mergeWalkForward(
  panel: Panel,
  folds: readonly Fold[],
  results: readonly FoldResult[],
  study: Study,
  plan: Pick<GridPlan, "keys">,
  extensions: Extensions = {},
): WalkForward {
  const ordered = inFoldOrder(folds, results);
  const result = stitch(panel, folds, ordered, study);
  const year = periodsPerYearOf(study);
  const from = folds[0]!.oosFrom;
  const told = ordered.map(({ fold: _, targets: __, ...choice }, at): WalkForwardFold => {
    const fold = folds[at]!;
    const cut = (column: Float64Array) => column.subarray(fold.oosFrom - from, fold.oosTo - from);
    return {
      ...fold,
      ...choice,
      oos: plainMetrics(measure({ net: cut(result.net), turnover: cut(result.turnover) }, year)),
    };
  });
  const metrics = measure(result, year);
  return {
    folds: told,
    result,
    metrics,
    stability: stabilityOf(told, study, plan.keys),
    ...compare(panel, told, metrics, study, extensions),
    undecided: told.filter((fold) => fold.objective === null).map((fold) => fold.index),
  };
}

function stabilityOf(folds: readonly WalkForwardFold[], study: Study, keys: readonly GridKey[]): Stability {
  const borders = folds.length - 1;
  const changesOf = (differs: (a: WalkForwardFold, b: WalkForwardFold) => boolean) =>
    folds.reduce((count, fold, at) => count + (at > 0 && differs(folds[at - 1]!, fold) ? 1 : 0), 0);
  const changes = changesOf((a, b) => a.chosen !== b.chosen);
  return {
    changes,
    changeRate: borders > 0 ? changes / borders : null,
    keys: keys.map((key) => ({
      key,
      changes: changesOf((a, b) => a.params[key] !== b.params[key]),
      values: study.grid[key]!.map((value) => {
        const chosen = folds.filter((fold) => fold.params[key] === value).length;
        return { value, folds: chosen, share: chosen / folds.length };
      }),
    })),
  };
}

function compare(
  panel: Panel,
  folds: readonly WalkForwardFold[],
  metrics: Metrics,
  study: Study,
  extensions: Extensions,
): Pick<WalkForward, "comparison" | "fixed" | "benchmarks"> {
  const from = folds[0]!.oosFrom;
  const to = folds.at(-1)!.oosTo;
  const span = panel.between(from, to);
  const options = { lag: study.lag };
  const whole = runBacktest(
    panel.between(folds[0]!.trainFrom, to),
    createStrategy(study.options, extensions),
    study.costs,
    options,
  );
  const skipped = from - folds[0]!.trainFrom;
  const fixedRun = runTargets(span, targetsFrom(whole.targets, skipped, span), study.costs, options);
  const year = periodsPerYearOf(study);
  const fixed = measure(fixedRun, year);
  const benchmarks = runBenchmarks(span, study.costs, options);
  const held = benchmarks.find((one) => one.key === "SPY");
  const spy = held && measure(held.result, year);
  const gain = (other: Metrics | undefined) =>
    other === undefined
      ? null
      : orNull(
          merit(study.objective, metrics[study.objective]) - merit(study.objective, other[study.objective]),
        );
  const promised = mean(folds.map((fold) => fold.train.CAGR));
  const comparison: Comparison = {
    walkForward: plainMetrics(metrics),
    fixed: plainMetrics(fixed),
    spy: spy ? plainMetrics(spy) : null,
    gainOverFixed: gain(fixed),
    gainOverSpy: gain(spy),
    efficiency: promised !== null && promised > 0 ? orNull(metrics.CAGR / promised) : null,
    meanTrainObjective: mean(folds.map((fold) => fold.objective)),
    gainingFolds: folds.filter((fold) => (fold.oos.FinalEquity ?? 1) > 1).length / folds.length,
  };
  return { comparison, fixed: fixedRun, benchmarks };
}

/** The targets from a row on, as those of the panel of these rows. */
function targetsFrom(
  { rowStart, symbol, weight }: TargetSeries,
  from: number,
  { sessions, tickers }: Panel,
): TargetSeries {
  const start = rowStart[from]!;
  return sparseTargets({
    sessions,
    tickers,
    rowStart: rowStart.subarray(from).map((at) => at - start),
    symbol: symbol.subarray(start),
    weight: weight.subarray(start),
  });
}

/** The mean of what is defined; null where nothing is. */
function mean(values: readonly (number | null)[]): number | null {
  const defined = values.filter((value) => value !== null);
  return defined.length === 0 ? null : defined.reduce((sum, value) => sum + value, 0) / defined.length;
}

/** The out-of-sample value of a metric after a walk-forward that reports nothing else. */
export function stitchedObjective(
  panel: Panel,
  folds: readonly Fold[],
  results: readonly FoldResult[],
  study: Study,
): number {
  return measure(stitch(panel, folds, results, study), periodsPerYearOf(study))[study.objective];
}
