import type { Metrics } from "@pf/backtest";
import type { Objective } from "./study.js";

/** A later point must be better by more than this: what rounding tells apart is a tie, and ties go to the first. */
const tieTolerance = 1e-12;

const minimised: ReadonlySet<Objective> = new Set<Objective>([
  "MaxDD",
  "AnnualVol",
  "Turnover",
  "TurnoverAnnual",
  "RebalanceDays",
  "RebalancesPerMonth",
]);

/** Whether less of a metric is better: risk and trading are made small, everything else large. */
export function isMinimised(objective: Objective): boolean {
  return minimised.has(objective);
}

/** A metric's value turned so that more is better; below everything where undefined. */
export function merit(objective: Objective, value: number | null): number {
  if (value === null || Number.isNaN(value)) return Number.NEGATIVE_INFINITY;
  return minimised.has(objective) ? -value : value;
}

/**
 * The position of the best value: undefined values rank last, ties go to the first. Where all are undefined that is
 * position 0, by the same rule.
 *
 * @param values - objectives in grid order, `NaN` undefined
 */
export function bestPosition(objective: Objective, values: ArrayLike<number>): number {
  const sign = minimised.has(objective) ? -1 : 1;
  let at = 0;
  for (let k = 1; k < values.length; k++) {
    if (Number.isNaN(values[k]!)) continue;
    if (Number.isNaN(values[at]!) || sign * (values[k]! - values[at]!) > tieTolerance) at = k;
  }
  return at;
}

/** Metrics as plain data: undefined is null, because JSON has no NaN. */
export type PlainMetrics = { readonly [name in keyof Metrics]: number | null };

export function plainMetrics(metrics: Metrics): PlainMetrics {
  return Object.fromEntries(
    Object.entries(metrics).map(([name, value]) => [name, orNull(value)]),
  ) as unknown as PlainMetrics;
}

/** A number as plain data. */
export function orNull(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}
