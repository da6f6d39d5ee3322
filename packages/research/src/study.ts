import { type CostModel, type Metrics, sessionsPerYear } from "@pf/backtest";
import type { StrategyOptions } from "@pf/selection";

/** The strategy's keys that a grid may vary, by their names in the configuration file, in grid order. */
export const gridKeys = [
  "ema_fast",
  "ema_slow",
  "top_n",
  "corr_cap",
  "atr_window",
  "corr_window",
  "min_score",
  "vol_window",
  "max_weight_per_asset",
  "cash_buffer",
  "min_weight_change",
] as const;
export type GridKey = (typeof gridKeys)[number];

/** Values to try a key; the keys left out keep the study's options. */
export type Grid = Readonly<Partial<Record<GridKey, readonly number[]>>>;

/** One combination of a grid. */
export type GridPoint = Readonly<Partial<Record<GridKey, number>>>;

/** A metric to choose by. Risk and trading (MaxDD, Turnover and their like) are minimised, the others maximised. */
export type Objective = keyof Metrics;

/** What is optimised, as plain data: a unit of work carries it to another thread or machine. */
export interface Study {
  /** The strategy; its `periodsPerYear` also says by how many rows everything is annualised. */
  readonly options: StrategyOptions;
  readonly costs: CostModel;
  readonly lag: 1 | 2;
  readonly grid: Grid;
  readonly objective: Objective;
}

/** The rows of a year, by which a study's numbers are annualised. */
export function periodsPerYearOf({ options }: Pick<Study, "options">): number {
  return options.periodsPerYear ?? sessionsPerYear;
}
