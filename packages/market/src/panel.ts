import type { BarSeries, Field, Ticker } from "./bars.js";
import { assertBarSeries } from "./bars.js";
import { InvalidBarsError, PanelLookupError } from "./errors.js";
import type { SessionDate } from "./session.js";

/**
 * Bars of many symbols on one time axis: rows are sessions (or hourly bars), columns are symbols. A symbol without a
 * bar on a row holds `NaN` there; nothing is ever filled. Views share memory with the panel they were cut from.
 */
export interface Panel {
  /** The session of each row, ascending; unique for daily bars. */
  readonly sessions: readonly SessionDate[];
  /** When each bar ends, strictly ascending; absent for daily bars, which end with their session's close. */
  readonly endsUtcMs?: Float64Array;
  /** Universe order, the tie-breaker everywhere. */
  readonly tickers: readonly Ticker[];
  /** One value per row, `NaN` where the symbol has no bar. Do not write into it. */
  column(field: Field, ticker: Ticker): Float64Array;
  /** The rows `0..row`, the row included: a view that cannot see what comes after. */
  upTo(row: number): Panel;
  /** The rows `from..to`, `to` excluded: a train window, or a date range. */
  between(from: number, to: number): Panel;
}

const fields = ["open", "high", "low", "close", "volume"] as const;
type Columns = Readonly<Record<Field, Float64Array>>;

/**
 * Puts the bars of several symbols on one axis.
 *
 * @param series - one series a symbol; their order is the universe order
 * @param options - `join: "sessions"` (the default) keeps every session on which any symbol has a bar;
 *   `"intersection"` only those on which all have one
 * @throws InvalidBarsError when a series is out of order, a symbol comes twice, or daily and hourly bars are mixed
 */
export function alignPanel(
  series: readonly BarSeries[],
  options: { readonly join?: "sessions" | "intersection" } = {},
): Panel {
  const seen = new Set<Ticker>();
  for (const one of series) {
    assertBarSeries(one);
    if (seen.has(one.ticker)) throw new InvalidBarsError(one.ticker, "given twice");
    seen.add(one.ticker);
    if ((one.endsUtcMs === undefined) !== (series[0]!.endsUtcMs === undefined)) {
      throw new InvalidBarsError(one.ticker, "daily and hourly bars cannot share a panel");
    }
  }
  const axis = mergeAxes(series, options.join ?? "sessions");
  const columns = new Map<Ticker, Columns>();
  for (const one of series) columns.set(one.ticker, scatter(one, axis.keys));
  return panelOf(
    axis.sessions,
    axis.endsUtcMs,
    series.map((one) => one.ticker),
    columns,
  );
}

/**
 * Applies a function to a symbol's own bars and puts the results back where they came from, so that no indicator
 * needs a policy for missing data: a hole in the input stays a hole, and a window spans it.
 *
 * @param columns - parallel columns; a row is a hole where the first of them is `NaN`
 * @param compute - receives the columns without the holes and returns one value per own bar
 */
export function mapOwnBars(
  columns: readonly Float64Array[],
  compute: (...own: readonly Float64Array[]) => Float64Array,
): Float64Array {
  const [first] = columns;
  if (!first) throw new PanelLookupError("mapOwnBars needs at least one column");
  let own = 0;
  for (let row = 0; row < first.length; row++) if (!Number.isNaN(first[row]!)) own++;
  if (own === first.length) return compute(...columns);
  const packed = columns.map((column) => {
    const dense = new Float64Array(own);
    for (let row = 0, at = 0; row < first.length; row++) if (!Number.isNaN(first[row]!)) dense[at++] = column[row]!;
    return dense;
  });
  const values = compute(...packed);
  const out = new Float64Array(first.length).fill(Number.NaN);
  for (let row = 0, at = 0; row < first.length; row++) if (!Number.isNaN(first[row]!)) out[row] = values[at++]!;
  return out;
}

interface Axis {
  /** What orders the rows: session dates of daily bars, end instants of hourly ones. */
  readonly keys: readonly (string | number)[];
  readonly sessions: readonly SessionDate[];
  readonly endsUtcMs: Float64Array | undefined;
}

function keysOf(series: BarSeries): ArrayLike<string | number> {
  return series.endsUtcMs ?? series.sessions;
}

function mergeAxes(series: readonly BarSeries[], join: "sessions" | "intersection"): Axis {
  const [first] = series;
  // The common case, every symbol on the same sessions, needs no counting.
  if (first && series.every((one) => sameKeys(keysOf(one), keysOf(first)))) {
    return { keys: Array.from(keysOf(first)), sessions: first.sessions, endsUtcMs: first.endsUtcMs };
  }
  const counts = new Map<string | number, { count: number; session: SessionDate }>();
  for (const one of series) {
    const keys = keysOf(one);
    for (let row = 0; row < keys.length; row++) {
      const known = counts.get(keys[row]!);
      if (known) known.count++;
      else counts.set(keys[row]!, { count: 1, session: one.sessions[row]! });
    }
  }
  const kept = [...counts]
    .filter(([, { count }]) => join === "sessions" || count === series.length)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    keys: kept.map(([key]) => key),
    sessions: kept.map(([, { session }]) => session),
    endsUtcMs: first?.endsUtcMs ? Float64Array.from(kept, ([key]) => key as number) : undefined,
  };
}

function sameKeys(a: ArrayLike<string | number>, b: ArrayLike<string | number>): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let row = 0; row < a.length; row++) if (a[row] !== b[row]) return false;
  return true;
}

function scatter(series: BarSeries, axis: readonly (string | number)[]): Columns {
  const keys = keysOf(series);
  if (sameKeys(keys, axis)) return series;
  const out = Object.fromEntries(
    fields.map((field) => [field, new Float64Array(axis.length).fill(Number.NaN)]),
  ) as Record<Field, Float64Array>;
  for (let row = 0, own = 0; row < axis.length; row++) {
    // Both are ascending; own bars that the intersection dropped are stepped over.
    while (own < keys.length && keys[own]! < axis[row]!) own++;
    if (own === keys.length || keys[own] !== axis[row]) continue;
    for (const field of fields) out[field][row] = series[field][own]!;
  }
  return out;
}

function panelOf(
  sessions: readonly SessionDate[],
  endsUtcMs: Float64Array | undefined,
  tickers: readonly Ticker[],
  columns: ReadonlyMap<Ticker, Columns>,
  start = 0,
): Panel {
  const rows = sessions.length;
  const between = (from: number, to: number): Panel => {
    if (!(Number.isInteger(from) && Number.isInteger(to) && from >= 0 && from <= to && to <= rows)) {
      throw new PanelLookupError(`rows ${from} to ${to} do not lie within a panel of ${rows} rows`);
    }
    return panelOf(sessions.slice(from, to), endsUtcMs?.subarray(from, to), tickers, columns, start + from);
  };
  return {
    sessions,
    ...(endsUtcMs ? { endsUtcMs } : {}),
    tickers,
    column(field, ticker) {
      const own = columns.get(ticker);
      if (!own) throw new PanelLookupError(`no ticker ${ticker} in this panel; it holds ${tickers.join(", ")}`);
      return own[field].subarray(start, start + rows);
    },
    upTo: (row) => between(0, row + 1),
    between,
  };
}
