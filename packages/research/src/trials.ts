import { type BacktestResult, measure, runBacktest, runSharedTargets } from "@pf/backtest";
import type { Panel } from "@pf/market";
import { createFeatures, type Extensions, type Features, type StrategyOptions } from "@pf/selection";
import { isBuiltIn } from "./evaluator.js";
import { type GridPlan, planGrid } from "./grid.js";
import { gridTargets } from "./kernel/kernel.js";
import { bestPosition, orNull } from "./objective.js";
import {
  type Overfitting,
  type OverfittingOptions,
  probabilityOfOverfitting,
} from "./statistics/overfitting.js";
import { type ParameterMap, parameterMap } from "./statistics/plateau.js";
import {
  type DeflatedSharpe,
  deflatedSharpe,
  expectedMaximum,
  minimumBacktestYears,
  minimumTrackRecord,
  probabilisticSharpe,
  type SharpeSample,
  sharpeSample,
  sharpeStandardError,
  trialVariance,
} from "./statistics/sharpe.js";
import { type GridPoint, periodsPerYearOf, type Study } from "./study.js";

/** Every grid point run over the same rows: what overfitting statistics are computed from. */
export interface Trials {
  readonly points: readonly GridPoint[];
  /** Net returns a row, one column a point; undefined for an impossible combination. */
  readonly returns: readonly (Float64Array | undefined)[];
  /** The study's objective of each point; `NaN` where undefined. */
  readonly objectives: Float64Array;
}

/**
 * Backtests every point of the grid over the whole panel: decided in one pass where the fused kernel serves the study,
 * point by point where it does not. The numbers are equal to rounding.
 *
 * @param features - columns of the panel that somebody has computed already
 * @throws GridError when the grid cannot be searched
 */
export function runTrials(
  panel: Panel,
  study: Study,
  extensions: Extensions = {},
  plan: GridPlan = planGrid(study, extensions),
  features: Features = createFeatures(panel),
): Trials {
  const objectives = new Float64Array(plan.points.length).fill(Number.NaN);
  const { costs, lag } = study;
  const decided = isBuiltIn(extensions) ? gridTargets(panel, study, plan) : undefined;
  const shared = decided && runSharedTargets(panel, decided.targets, costs, { lag });
  const measured = ({ net, turnover }: Pick<BacktestResult, "net" | "turnover">) => ({
    net,
    objective: measure({ net, turnover }, periodsPerYearOf(study))[study.objective],
  });
  // Points that cannot differ share a run, or are the same text.
  const known = new Map<unknown, ReturnType<typeof measured>>();
  const returns = plan.strategies.map((strategy, at) => {
    if (!strategy) return undefined;
    const key = decided ? decided.runOf[at] : behaviour(strategy.options);
    let trial = known.get(key);
    if (!trial) {
      const rule = { ...strategy, prepare: (of: Panel) => strategy.prepare(of, features) };
      trial = measured(shared ? shared[decided!.runOf[at]!]! : runBacktest(panel, rule, costs, { lag }));
      known.set(key, trial);
    }
    objectives[at] = trial.objective;
    return trial.net;
  });
  return { points: plan.points, returns, objectives };
}

/** Options that cannot lead to different portfolios have the same text: a single name meets no correlation cap. */
function behaviour({ selection, ...others }: StrategyOptions): string {
  return JSON.stringify([others, selection.topN === 1 ? { ...selection, corrCap: null } : selection]);
}

/** How far the best of a grid can be trusted, from the grid's own backtests. */
export interface OverfittingReport {
  /** The point with the best objective over all rows. */
  readonly best: { readonly point: GridPoint; readonly objective: number | null };
  /** Its Sharpe ratio, per period. */
  readonly sample: SharpeSample;
  readonly standardError: number;
  /** Probability that its true ratio is above 0, as if it had been the only trial. */
  readonly probabilisticSharpe: number;
  /** The same above what luck gives the best of all trials. */
  readonly deflatedSharpe: DeflatedSharpe;
  /** Periods for 95 % confidence in a ratio above 0; `Infinity` if none would do. */
  readonly minimumTrackRecord: number;
  /** Years of data below which luck alone reaches its annualised ratio. */
  readonly minimumBacktestYears: number;
  /** Standard deviations by which luck lifts the best of the trials. */
  readonly expectedMaximum: number;
  /** Undefined for a grid of a single point, where nothing is chosen. */
  readonly overfitting: Overfitting | undefined;
  readonly map: ParameterMap;
}

export interface OverfittingReportOptions extends OverfittingOptions {
  /**
   * Different strategies ever tried on this data, the grid included; whoever keeps the ledger knows. Never counted as
   * fewer than the grid's own. Their ratios are taken to spread as the grid's do.
   *
   * @defaultValue the points of the grid that are possible
   */
  readonly trials?: number;
  /**
   * Rows of a year.
   *
   * @defaultValue 252
   */
  readonly periodsPerYear?: number;
}

/**
 * Overfitting statistics of a grid's trials: {@link deflatedSharpe} of the best, {@link probabilityOfOverfitting} of
 * choosing, and how lonely the best stands in its neighbourhood.
 *
 * @throws StatisticsInputError when there are too few rows for the blocks, or the number of trials is no whole number
 */
export function assessTrials(
  { points, returns, objectives }: Trials,
  study: Pick<Study, "objective">,
  { trials, periodsPerYear = 252, ...options }: OverfittingReportOptions = {},
): OverfittingReport {
  const possible = returns.filter((column) => column !== undefined);
  const first = bestPosition(study.objective, objectives);
  // Where nothing has an objective, the first in grid order stands for the grid, if it is possible at all.
  const at = returns[first] ? first : returns.findIndex((column) => column !== undefined);
  const sample = sharpeSample(returns[at]!);
  const counted = Math.max(trials ?? 0, possible.length);
  const variance = trialVariance(possible.map((column) => sharpeSample(column).sharpe));
  return {
    best: { point: points[at]!, objective: orNull(objectives[at]!) },
    sample,
    standardError: sharpeStandardError(sample),
    probabilisticSharpe: probabilisticSharpe(sample),
    deflatedSharpe: deflatedSharpe(sample, counted, variance),
    minimumTrackRecord: minimumTrackRecord(sample),
    minimumBacktestYears: minimumBacktestYears(counted, sample.sharpe * Math.sqrt(periodsPerYear)),
    expectedMaximum: expectedMaximum(counted),
    overfitting: possible.length > 1 ? probabilityOfOverfitting(possible, options) : undefined,
    map: parameterMap(points, objectives, study.objective),
  };
}
