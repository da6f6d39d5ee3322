import { newYorkToUtcMs } from "./newYork.js";
import type { Panel } from "./panel.js";
import type { SessionDate } from "./session.js";

/**
 * The days and hours on which an exchange trades.
 *
 * Every method that takes a day throws `InvalidSessionDateError` for a text that is no civil date and
 * `CalendarRangeError` outside `first..last`, also when the answer would lie outside; those that need a session throw
 * `NotASessionError`, which says why the exchange is closed.
 */
export interface TradingCalendar {
  readonly name: string;
  /** First civil day the calendar can answer for. */
  readonly first: SessionDate;
  /** Last civil day the calendar can answer for. */
  readonly last: SessionDate;
  isSession(day: string): boolean;
  /** Why there is no trading that day (`"Good Friday"`, `"Saturday"`, `"Hurricane Sandy"`); `undefined` for a session. */
  whyClosed(day: string): string | undefined;
  /** Whether the session closes before 16:00. */
  isEarlyClose(session: SessionDate): boolean;
  /** The first session after the day, which itself need not be one. */
  next(day: SessionDate): SessionDate;
  /** The last session before the day, which itself need not be one. */
  previous(day: SessionDate): SessionDate;
  /** The last session on or before the day. */
  onOrBefore(day: SessionDate): SessionDate;
  openUtcMs(session: SessionDate): number;
  closeUtcMs(session: SessionDate): number;
  /** Every session of the closed interval, ascending; none when `from` comes after `to`. */
  sessionsBetween(from: SessionDate, to: SessionDate): readonly SessionDate[];
}

/**
 * When the bar of each row of a panel ends: what the panel says, or else the close of the row's session. A row of daily
 * bars on which the exchange was closed (another market's data) ends at 16:00 in New York.
 *
 * @returns milliseconds since 1970 UTC, one a row; do not write into it
 * @throws CalendarRangeError when a row of daily bars lies outside the calendar
 */
export function barEndsUtcMs(panel: Panel, calendar: TradingCalendar): Float64Array {
  if (panel.endsUtcMs) return panel.endsUtcMs;
  return Float64Array.from(panel.sessions, (day) =>
    calendar.isSession(day) ? calendar.closeUtcMs(day) : newYorkToUtcMs(day, "16:00"),
  );
}
