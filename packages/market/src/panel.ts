import type { BarSeries, Field, Ticker } from "./bars.js";
import { assertAscending, assertParallel } from "./bars.js";
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
  /**
   * One value per row, `NaN` where the symbol has no bar. Do not write into it: it is the memory of the bars themselves.
   *
   * @throws PanelLookupError when the panel does not hold the ticker, or bars have no such column
   */
  column(field: Field, ticker: Ticker): Float64Array;
  /**
   * The rows `0..row`, the row included: a view that cannot see what comes after.
   *
   * @throws PanelLookupError when there is no such row
   */
  upTo(row: number): Panel;
  /**
   * The rows `from..to`, `to` excluded: a train window, or a date range.
   *
   * @throws PanelLookupError when they do not lie within the panel
   */
  between(from: number, to: number): Panel;
}

type Columns = Readonly<Record<Field, Float64Array>>;

/**
 * Puts the bars of several symbols on one axis. A symbol that has all of its rows keeps its columns as they are; only
 * one with holes is copied.
 *
 * @param series - one series a symbol; their order is the universe order
 * @param options - `join: "sessions"` (the default) keeps every session on which any symbol has a bar;
 *   `"intersection"` only those on which all have one
 * @throws InvalidBarsError when a series is out of order, a symbol comes twice, daily and hourly bars are mixed, or two
 *   symbols disagree about the session of an hourly bar
 */
export function alignPanel(
  series: readonly BarSeries[],
  options: { readonly join?: "sessions" | "intersection" } = {},
): Panel {
  const seen = new Set<Ticker>();
  for (const one of series) {
    assertParallel(one);
    if (seen.has(one.ticker)) throw new InvalidBarsError(one.ticker, "given twice");
    seen.add(one.ticker);
    if ((one.endsUtcMs === undefined) !== (series[0]!.endsUtcMs === undefined)) {
      throw new InvalidBarsError(one.ticker, "daily and hourly bars cannot share a panel");
    }
  }
  // The longest series is nearly always the whole axis, so that the others need only be found on it.
  const longest = series.reduce<BarSeries | undefined>(
    (best, one) => (best && best.sessions.length >= one.sessions.length ? best : one),
    undefined,
  );
  if (!longest) return panelOf([], undefined, [], new Map());
  assertAscending(longest);
  let axis: Axis = longest;
  const found = new Map<BarSeries, { readonly on: Axis; readonly rows: Int32Array }>();
  for (const one of series) {
    if (hasSameRows(one, longest)) continue;
    const rows = rowsOn(axis, one);
    found.set(one, { on: axis, rows });
    // Bars that are all found on an axis in order are in order themselves.
    if (rows.includes(-1)) assertAscending(one);
    axis = options.join === "intersection" ? intersection(axis, rows) : union(axis, one, rows);
  }
  const columns = new Map<Ticker, Columns>();
  for (const one of series) {
    const known = found.get(one);
    if (!known && axis === longest) columns.set(one.ticker, one);
    else columns.set(one.ticker, scatter(one, known?.on === axis ? known.rows : rowsOn(axis, one), axis));
  }
  return panelOf(
    axis.sessions,
    axis.endsUtcMs,
    series.map(({ ticker }) => ticker),
    columns,
  );
}

/**
 * Applies a function to a symbol's own bars and puts the results back where they came from, so that no indicator
 * needs a policy for missing data: a hole in the input stays a hole, and a window spans it.
 *
 * @param columns - parallel columns; a row is a hole where the first of them is `NaN`
 * @param compute - receives the columns without the holes, and writes one value per own bar into `target`; it must not
 *   write into the columns, which are the panel's own memory where there is no hole to leave out
 * @param out - receives the result and is returned; one value a row; default: a new column
 * @throws PanelLookupError when the columns differ in length
 */
export function mapOwnBars(
  columns: readonly Float64Array[],
  compute: (own: readonly Float64Array[], target: Float64Array) => void,
  out?: Float64Array,
): Float64Array {
  const [mask] = columns;
  if (!mask) throw new PanelLookupError("mapOwnBars needs at least one column");
  const rows = mask.length;
  for (const column of out ? [...columns, out] : columns) {
    if (column.length === rows) continue;
    throw new PanelLookupError(`mapOwnBars was given columns of ${rows} and of ${column.length} rows`);
  }
  let [from, to, own] = [0, 0, 0];
  for (let row = 0; row < rows; row++) {
    if (Number.isNaN(mask[row]!)) continue;
    if (own === 0) from = row;
    to = row + 1;
    own++;
  }
  const result = out ?? new Float64Array(rows);
  result.fill(Number.NaN, 0, from);
  result.fill(Number.NaN, to);
  // A late starter has all its holes outside the first and the last bar and needs no copy of what is between them.
  if (own === to - from) {
    compute(
      columns.map((column) => column.subarray(from, to)),
      result.subarray(from, to),
    );
    return result;
  }
  const target = new Float64Array(own);
  compute(
    columns.map((column) => withoutHoles(column, mask, own)),
    target,
  );
  for (let row = from, at = 0; row < to; row++) {
    result[row] = Number.isNaN(mask[row]!) ? Number.NaN : target[at++]!;
  }
  return result;
}

function withoutHoles(column: Float64Array, mask: Float64Array, own: number): Float64Array {
  const packed = new Float64Array(own);
  for (let row = 0, at = 0; at < own; row++) if (!Number.isNaN(mask[row]!)) packed[at++] = column[row]!;
  return packed;
}

/** The rows of a panel or of a series. They are ordered by end instant where there is one, else by session. */
type Axis = Pick<BarSeries, "sessions" | "endsUtcMs">;

function keysOf(axis: Axis): ArrayLike<string | number> {
  return axis.endsUtcMs ?? axis.sessions;
}

function hasSameRows(a: Axis, b: Axis): boolean {
  if (a.sessions.length !== b.sessions.length) return false;
  if (!sameValues(a.sessions, b.sessions)) return false;
  return a.endsUtcMs === undefined || sameValues(a.endsUtcMs, b.endsUtcMs!);
}

function sameValues<T>(a: ArrayLike<T>, b: ArrayLike<T>): boolean {
  if (a === b) return true;
  for (let row = 0; row < a.length; row++) if (a[row] !== b[row]) return false;
  return true;
}

/**
 * The row of the axis on which each bar falls, -1 where the axis does not have it: one walk along both. A bar that is not
 * in order is never found.
 */
function rowsOn(axis: Axis, series: BarSeries): Int32Array {
  const [wanted, keys] = [keysOf(series), keysOf(axis)];
  const rows = new Int32Array(wanted.length).fill(-1);
  for (let own = 0, row = 0; own < wanted.length && row < keys.length; own++) {
    const key = wanted[own]!;
    while (row < keys.length && keys[row] !== key && keys[row]! < key) row++;
    if (row === keys.length || keys[row] !== key) continue;
    if (axis.sessions[row] !== series.sessions[own]) {
      const problem = `the bar that ends at ${new Date(key).toISOString()} belongs to ${series.sessions[own]} here, to ${axis.sessions[row]} elsewhere`;
      throw new InvalidBarsError(series.ticker, problem);
    }
    rows[own] = row++;
  }
  return rows;
}

function union(axis: Axis, series: BarSeries, rows: Int32Array): Axis {
  if (!rows.includes(-1)) return axis;
  const [keys, ownKeys] = [keysOf(axis), keysOf(series)];
  const sessions: SessionDate[] = [];
  const ends: number[] = [];
  for (let row = 0, own = 0; row < keys.length || own < ownKeys.length; ) {
    const isNew = own < ownKeys.length && rows[own] === -1;
    const takesOwn = isNew && (row === keys.length || ownKeys[own]! < keys[row]!);
    sessions.push(takesOwn ? series.sessions[own]! : axis.sessions[row]!);
    if (axis.endsUtcMs) ends.push(takesOwn ? series.endsUtcMs![own]! : axis.endsUtcMs[row]!);
    if (takesOwn || rows[own] === row) own++;
    if (!takesOwn) row++;
  }
  return axis.endsUtcMs
    ? orderedSessions({ sessions, endsUtcMs: Float64Array.from(ends) }, series.ticker)
    : { sessions };
}

/** Hourly bars of different symbols, each in order, may still disagree about which session comes first. */
function orderedSessions(axis: Axis, ticker: Ticker): Axis {
  const { sessions } = axis;
  const row = sessions.findIndex((session, at) => at > 0 && session < sessions[at - 1]!);
  if (row < 0) return axis;
  const problem = `a bar of ${sessions[row]} ends after one that belongs to ${sessions[row - 1]} elsewhere`;
  throw new InvalidBarsError(ticker, problem);
}

function intersection(axis: Axis, rows: Int32Array): Axis {
  const shared = rows.filter((row) => row >= 0);
  if (shared.length === axis.sessions.length) return axis;
  const sessions = Array.from(shared, (row) => axis.sessions[row]!);
  const ends = axis.endsUtcMs;
  return ends ? { sessions, endsUtcMs: Float64Array.from(shared, (row) => ends[row]!) } : { sessions };
}

/** A series' columns on the axis, each made when it is first asked for: most strategies never look at a volume. */
function scatter(series: BarSeries, rows: Int32Array, axis: Axis): Columns {
  if (rows.length === axis.sessions.length && !rows.includes(-1)) return series;
  const onAxis = (column: Float64Array): Float64Array => {
    const out = new Float64Array(axis.sessions.length).fill(Number.NaN);
    for (let own = 0; own < rows.length; own++) if (rows[own]! >= 0) out[rows[own]!] = column[own]!;
    return out;
  };
  const made: { [name in Field]?: Float64Array } = {};
  const lazily = (field: Field): Float64Array => {
    const known = made[field] ?? onAxis(series[field]);
    made[field] = known;
    return known;
  };
  return {
    get open() {
      return lazily("open");
    },
    get high() {
      return lazily("high");
    },
    get low() {
      return lazily("low");
    },
    get close() {
      return lazily("close");
    },
    get volume() {
      return lazily("volume");
    },
  };
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
      if (!own) throw new PanelLookupError(`no ticker ${ticker} in this panel; it holds ${listed(tickers)}`);
      const column = own[field];
      if (!column) {
        throw new PanelLookupError(
          `no column ${field} in this panel; bars have open, high, low, close, volume`,
        );
      }
      return column.length === rows ? column : column.subarray(start, start + rows);
    },
    upTo(row) {
      if (!(Number.isInteger(row) && row >= 0 && row < rows)) {
        throw new PanelLookupError(`there is no row ${row} in a panel of ${rows} rows`);
      }
      return between(0, row + 1);
    },
    between,
  };
}

function listed(tickers: readonly Ticker[]): string {
  if (tickers.length === 0) return "none";
  const shown = tickers.slice(0, 20).join(", ");
  return tickers.length > 20 ? `${shown} and ${tickers.length - 20} more` : shown;
}
