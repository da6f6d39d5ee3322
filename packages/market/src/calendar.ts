import type { SessionDate } from "./session.js";

/** The days and hours on which an exchange trades. Every method throws CalendarRangeError outside the stated range. */
export interface TradingCalendar {
  readonly name: string;
  /** First and last civil day the calendar can answer for. */
  readonly first: SessionDate;
  readonly last: SessionDate;
  isSession(day: string): boolean;
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
  /** Every session of the closed interval, ascending. */
  sessionsBetween(from: SessionDate, to: SessionDate): readonly SessionDate[];
}
