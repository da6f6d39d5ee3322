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
  const rows = series.sessions.length;
  for (const field of ["open", "high", "low", "close", "volume"] as const) {
    if (series[field].length !== rows) {
      throw new InvalidBarsError(series.ticker, `column ${field} has ${series[field].length} values for ${rows} sessions`);
    }
  }
  const ends = series.endsUtcMs;
  if (ends && ends.length !== rows) {
    throw new InvalidBarsError(series.ticker, `column endsUtcMs has ${ends.length} values for ${rows} sessions`);
  }
  for (let row = 1; row < rows; row++) {
    const ascending = ends ? ends[row]! > ends[row - 1]! : series.sessions[row]! > series.sessions[row - 1]!;
    if (!ascending) {
      throw new InvalidBarsError(series.ticker, `the bar of ${series.sessions[row]} does not come after ${series.sessions[row - 1]}`);
    }
  }
}
