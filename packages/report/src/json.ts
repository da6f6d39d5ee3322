import type { Metrics } from "@pf/backtest";

/** Any value that JSON can hold. */
export type JsonValue = string | number | boolean | null | readonly JsonValue[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: JsonValue;
}

// A record, so that a metric added to the engine cannot be forgotten here.
const order: Readonly<Record<keyof Metrics, true>> = {
  CAGR: true,
  Sharpe: true,
  MaxDD: true,
  AnnualVol: true,
  Sortino: true,
  Calmar: true,
  PF: true,
  Turnover: true,
  TurnoverAnnual: true,
  RebalanceDays: true,
  RebalancesPerMonth: true,
  FinalEquity: true,
  Bars: true,
};

/** The metrics in the order in which files and tables show them. */
export const metricNames = Object.keys(order) as readonly (keyof Metrics)[];

/** Metrics as JSON shows them: what is undefined is `null`. */
export type MetricsJson = { readonly [Name in keyof Metrics]: number | null };

/**
 * Metrics for a JSON document: always the same keys in the same order, and `null` where a metric is undefined (`NaN`)
 * or unbounded, because JSON has no word for either.
 */
export function metricsJson(metrics: Metrics): MetricsJson {
  const entries = metricNames.map((name) => [name, Number.isFinite(metrics[name]) ? metrics[name] : null]);
  return Object.fromEntries(entries) as MetricsJson;
}

/** The text of a JSON file: two spaces of indent, keys in the order of the object, a newline at the end. */
export function jsonText(value: JsonValue | object): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
