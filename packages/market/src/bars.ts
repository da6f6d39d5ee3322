import { InvalidBarsError } from "./errors.js";
import type { SessionDate } from "./session.js";

/** A symbol as the exchange writes it, `"SPY"`. */
export type Ticker = string;

/** Fractions of equity by symbol; a symbol that is absent weighs 0, what is left of 1 is cash. */
export type Weights = Readonly<Record<Ticker, number>>;

/** The columns of a bar. Prices in dollars, volume in shares. */
export type Field = "open" | "high" | "low" | "close" | "volume";

/**
 * The bars of one symbol, oldest first: parallel columns of equal length with nothing missing. Prices in dollars,
 * volume in shares. Adjusted or not is the matter of who made them.
 */
export interface BarSeries {
  readonly ticker: Ticker;
  /** The session of each bar, ascending; unique for daily bars. */
  readonly sessions: readonly SessionDate[];
  /** When each bar ends, strictly ascending. Absent for daily bars, which end with their session. */
  readonly endsUtcMs?: Float64Array;
  readonly open: Float64Array;
  readonly high: Float64Array;
  readonly low: Float64Array;
  readonly close: Float64Array;
  readonly volume: Float64Array;
}

/**
 * Checks the shape of a series: equal lengths, rows strictly ascending. The values are the data checks' business.
 *
 * @throws InvalidBarsError naming the symbol and the first row out of order
 */
export function assertBarSeries(series: BarSeries): void {
  assertParallel(series);
  assertAscending(series);
}

/** Half of {@link assertBarSeries}: every column has a value for every row. */
export function assertParallel(series: BarSeries): void {
  const rows = series.sessions.length;
  for (const field of ["open", "high", "low", "close", "volume", "endsUtcMs"] as const) {
    const column = series[field];
    if (column === undefined && field === "endsUtcMs") continue;
    // Plain JavaScript can leave a column out or give an array, whose views would not share memory.
    if (!(column instanceof Float64Array)) {
      throw new InvalidBarsError(series.ticker, `column ${field} must be a Float64Array`);
    }
    if (column.length !== rows) {
      throw new InvalidBarsError(
        series.ticker,
        `column ${field} has ${column.length} values for ${rows} sessions`,
      );
    }
  }
}

/** The other half: each row comes after the one before it. */
export function assertAscending(series: BarSeries): void {
  const { sessions, endsUtcMs: ends } = series;
  if (ends && ends.length > 0 && !Number.isFinite(ends[0])) throw outOfOrder(series, 0);
  for (let row = 1; row < sessions.length; row++) {
    const ascending = ends
      ? ends[row]! > ends[row - 1]! && sessions[row]! >= sessions[row - 1]!
      : sessions[row]! > sessions[row - 1]!;
    if (!ascending) throw outOfOrder(series, row);
  }
  // After a finite start, ascending values are finite but for an infinite last one.
  if (ends && ends.length > 0 && !Number.isFinite(ends.at(-1))) throw outOfOrder(series, ends.length - 1);
}

function outOfOrder({ ticker, sessions, endsUtcMs: ends }: BarSeries, row: number): InvalidBarsError {
  const name = (at: number) => `${sessions[at]}${ends ? ` that ends at ${instantText(ends[at]!)}` : ""}`;
  if (ends && !Number.isFinite(ends[row]))
    return new InvalidBarsError(ticker, `the bar of ${name(row)} has no end`);
  return new InvalidBarsError(ticker, `the bar of ${name(row)} does not come after that of ${name(row - 1)}`);
}

function instantText(utcMs: number): string {
  return Math.abs(utcMs) <= 8.64e15 ? new Date(utcMs).toISOString() : String(utcMs);
}
