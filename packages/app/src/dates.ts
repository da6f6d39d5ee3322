import {
  CalendarRangeError,
  dateOfDayNumber,
  type SessionDate,
  sessionDate,
  type TradingCalendar,
} from "@pf/market";
import { RangeOrderError } from "./errors.js";
import type { Clock } from "./ports.js";

/** A closed interval of days; an end that is absent is open. */
export interface DateRange {
  readonly start?: SessionDate;
  readonly end?: SessionDate;
}

/**
 * Reads the two ends of a range as a person typed them.
 *
 * @throws InvalidSessionDateError for what is no date
 * @throws CalendarRangeError for a day the calendar knows nothing about
 * @throws RangeOrderError when the range starts after it ends
 */
export function readRange(
  { start, end }: { readonly start?: string | undefined; readonly end?: string | undefined },
  calendar: TradingCalendar,
): DateRange {
  const from = start === undefined ? undefined : knownDay(start, calendar);
  const to = end === undefined ? undefined : knownDay(end, calendar);
  if (from !== undefined && to !== undefined && from > to) throw new RangeOrderError(from, to);
  return { ...(from === undefined ? {} : { start: from }), ...(to === undefined ? {} : { end: to }) };
}

/** A day that is a date and that the calendar can answer for; it need not be a session. */
export function knownDay(text: string, calendar: TradingCalendar): SessionDate {
  const day = sessionDate(text);
  if (day < calendar.first || day > calendar.last)
    throw new CalendarRangeError(day, calendar.first, calendar.last);
  return day;
}

/**
 * The last session whose close has passed: its bar is finished, today's may still be growing.
 *
 * @throws CalendarRangeError when the clock stands before the calendar begins
 */
export function lastCompleteSession(calendar: TradingCalendar, clock: Clock): SessionDate {
  const now = clock.nowUtcMs();
  // The civil date in Greenwich is New York's or the day after it: never too early, and the close decides.
  const today = dateOfDayNumber(Math.floor(now / 86_400_000));
  let session = calendar.onOrBefore(earlierOf(today, calendar.last));
  while (calendar.closeUtcMs(session) > now) session = calendar.previous(session);
  return session;
}

/** Dates sort as text. */
export function earlierOf(a: SessionDate, b: SessionDate): SessionDate {
  if (a < b) return a;
  return b;
}
