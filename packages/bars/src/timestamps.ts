import { type BarSeries, dateOfDayNumber, dayNumber, type SessionDate } from "@pf/market";

const dayMs = 86_400_000;

/**
 * The `ts` column of a series: UTC midnight of the session date for daily bars, the end of the bar for hourly ones.
 *
 * @returns milliseconds since 1970, one a bar
 */
export function timestampsOf(series: BarSeries): Float64Array {
  return series.endsUtcMs ?? Float64Array.from(series.sessions, midnightOf);
}

/** The session of a daily bar, from its timestamp; undefined for an instant that is not UTC midnight. */
export function sessionOfMidnight(utcMs: number): SessionDate | undefined {
  const day = utcMs / dayMs;
  return Number.isInteger(day) ? dateOf(day) : undefined;
}

/**
 * The session of an hourly bar, from the instant it ends. New York is four or five hours behind UTC, and no bar of a
 * US session, extended hours included, ends between midnight and one in the morning there, so that taking off five
 * hours all year gives the right date without a time zone database.
 */
export function sessionOfBarEnd(utcMs: number): SessionDate {
  return dateOf(Math.floor((utcMs - 5 * 3_600_000) / dayMs));
}

// A cache that is brought up to date every session converts the same dates all the time.
const midnights = new Map<SessionDate, number>();

function midnightOf(session: SessionDate): number {
  let utcMs = midnights.get(session);
  if (utcMs === undefined) {
    utcMs = dayNumber(session) * dayMs;
    midnights.set(session, utcMs);
  }
  return utcMs;
}

// Nine symbols share 2,849 dates: written out once, and compared by pointer afterwards.
const known = new Map<number, SessionDate>();

function dateOf(day: number): SessionDate {
  let date = known.get(day);
  if (date === undefined) {
    date = dateOfDayNumber(day);
    known.set(day, date);
  }
  return date;
}
