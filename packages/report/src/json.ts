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

/**
 * A value as JSON shows it: `null` for a number that JSON has no word for (`NaN`, endless), typed columns as arrays, and
 * nothing for a property that is undefined.
 *
 * @throws TypeError for what is no data: a function, a symbol, a big integer
 */
export function plainJson(value: unknown): JsonValue {
  if (typeof value === "number") return Number.isFinite(value) ? value : null;
  if (value === null || typeof value === "string" || typeof value === "boolean") return value;
  if (Array.isArray(value)) return value.map(plainJson);
  if (value instanceof Float64Array || value instanceof Int32Array) return Array.from(value, plainJson);
  if (typeof value !== "object") throw new TypeError(`${typeof value} is nothing that JSON can hold`);
  return plainObject(value);
}

/** {@link plainJson} of an object with named properties. */
export function plainObject(value: object): JsonObject {
  const entries = Object.entries(value).filter(([, one]) => one !== undefined);
  return Object.fromEntries(entries.map(([name, one]) => [name, plainJson(one)]));
}

/**
 * The text of a JSON file: two spaces of indent, keys in the order of the object, a newline at the end. A list of nothing
 * but numbers stays on one line, because a thousand of them would hide everything else.
 */
export function jsonText(value: JsonValue | object): string {
  // No string can match: its quotes are none of these characters, and a line break inside it is escaped.
  const text = JSON.stringify(value, null, 2).replace(/\[\n[\s\d.,eE+\-nul]+\]/g, (list) =>
    list.replace(/\s+/g, " ").replace("[ ", "[").replace(" ]", "]"),
  );
  return `${text}\n`;
}
