import { costModelOf, gridOf, type LoadedConfig, lagOf, strategyOptionsOf } from "@pf/config";
import {
  applyPoint,
  type Fold,
  type Grid,
  type GridPlan,
  type Objective,
  type OverfittingReport,
  type Study,
} from "@pf/research";
import { RequestError } from "../errors.js";
import type { Trial, TrialCount } from "./ledger.js";
import { objectives } from "./objectives.js";

/** What a search went through, for manifests: equal studies on equal data give equal results. */
export interface StudyFacts {
  readonly objective: Objective;
  readonly grid: Grid;
  /** Combinations of the grid, the impossible ones included. */
  readonly points: number;
  readonly trainYears: number;
  readonly oosMonths: number;
  readonly windows: number;
  /** Different strategies ever tried on this data, this search included: an input of the deflated Sharpe ratio. */
  readonly trials: number;
}

/**
 * The study that a configuration describes; of hourly bars, `options.periodsPerYear` is still to be added.
 *
 * @param objective - instead of `permutation.objective`
 * @throws RequestError for an objective that is no metric
 */
export function studyOf({ config, written }: LoadedConfig, objective: string | undefined): Study {
  const chosen = objectives.find((name) => name === (objective ?? config.permutation.objective));
  if (!chosen) {
    throw new RequestError(`there is no objective "${objective}"`, `choose one of ${objectives.join(", ")}`);
  }
  return {
    options: strategyOptionsOf(config),
    costs: costModelOf(config),
    lag: lagOf(config),
    grid: gridOf(written),
    objective: chosen,
  };
}

/** Every strategy a search tries: the possible combinations of its grid and the configured one. */
export function trialsOf(study: Study, plan: Pick<GridPlan, "points" | "strategies">): Trial[] {
  const { options, costs, lag } = study;
  const tried = plan.points.filter((_, at) => plan.strategies[at]);
  return [options, ...tried.map((point) => applyPoint(options, point))].map((one) => ({
    options: one,
    costs,
    lag,
  }));
}

export function studyFacts(
  study: Study,
  plan: Pick<GridPlan, "points">,
  spans: { readonly trainYears: number; readonly oosMonths: number },
  folds: readonly Fold[],
  { count }: TrialCount,
): StudyFacts {
  return {
    objective: study.objective,
    grid: study.grid,
    points: plan.points.length,
    trainYears: spans.trainYears,
    oosMonths: spans.oosMonths,
    windows: folds.length,
    trials: count,
  };
}

/** Overfitting statistics as documents show them: undefined and unbounded are null. */
export interface OverfittingFacts {
  readonly best: { readonly params: Readonly<Record<string, number>>; readonly objective: number | null };
  readonly sharpe: number | null;
  readonly probabilisticSharpe: number | null;
  readonly deflatedSharpe: number | null;
  readonly trials: number;
  /** Bars for 95 % confidence in a Sharpe ratio above 0: sessions, or hours. */
  readonly minimumTrackRecord: number | null;
  readonly minimumBacktestYears: number | null;
  /** Probability of backtest overfitting; null for a grid of one point. */
  readonly probabilityOfOverfitting: number | null;
  /** How much of the best point's lead its neighbours share: 1 a plateau, 0 a spike. */
  readonly plateau: number | null;
}

export function overfittingFacts(report: OverfittingReport): OverfittingFacts {
  const at = report.map.points.findIndex(({ point }) => point === report.best.point);
  return {
    best: { params: report.best.point, objective: report.best.objective },
    sharpe: orNull(report.sample.sharpe),
    probabilisticSharpe: orNull(report.probabilisticSharpe),
    deflatedSharpe: orNull(report.deflatedSharpe.probability),
    trials: report.deflatedSharpe.trials,
    minimumTrackRecord: orNull(report.minimumTrackRecord),
    minimumBacktestYears: orNull(report.minimumBacktestYears),
    probabilityOfOverfitting: report.overfitting ? orNull(report.overfitting.probability) : null,
    plateau: report.map.points[at]?.plateau ?? null,
  };
}

function orNull(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}
