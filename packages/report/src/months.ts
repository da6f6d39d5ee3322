import type { BacktestResult } from "@pf/backtest";
import { dateOfDayNumber, dayNumber, type SessionDate } from "@pf/market";

/** What calendar returns are read from; any {@link BacktestResult} fits. */
export type ReturnPath = Pick<BacktestResult, "sessions" | "net">;

export interface MonthReturn {
  readonly year: number;
  /** 1 for January. */
  readonly month: number;
  /** Compound net return of the sessions of the month, a fraction. */
  readonly value: number;
  readonly sessions: number;
  /**
   * `false` for a first or last month of which the run saw only a part: more than one weekday of it lies outside. One
   * is allowed, because a month can open or close with a holiday.
   */
  readonly complete: boolean;
}

export interface YearReturn {
  readonly year: number;
  /** Compound of the year's months, a fraction. */
  readonly value: number;
  readonly sessions: number;
  /** Whether all twelve months are there and complete. */
  readonly complete: boolean;
}

export interface CalendarReturns {
  readonly months: readonly MonthReturn[];
  readonly years: readonly YearReturn[];
}

/**
 * Compound net returns by calendar month and year, oldest first; months without a session are absent.
 *
 * @param path - net returns, fractions of equity, one a bar
 */
export function monthlyReturns(path: ReturnPath): CalendarReturns {
  const months = collectMonths(path);
  const years: YearReturn[] = [];
  for (let at = 0; at < months.length; ) {
    const year = months[at]!.year;
    let [growth, sessions, complete, count] = [1, 0, true, 0];
    for (; at < months.length && months[at]!.year === year; at++, count++) {
      growth *= 1 + months[at]!.value;
      sessions += months[at]!.sessions;
      complete &&= months[at]!.complete;
    }
    years.push({ year, value: growth - 1, sessions, complete: complete && count === 12 });
  }
  return { months, years };
}

function collectMonths({ sessions, net }: ReturnPath): readonly MonthReturn[] {
  const months: MonthReturn[] = [];
  for (let row = 0; row < sessions.length; ) {
    const label = sessions[row]!.slice(0, 7);
    const firstRow = row;
    let growth = 1;
    let count = 0;
    for (; row < sessions.length && sessions[row]!.startsWith(label); row++) {
      growth *= 1 + net[row]!;
      // Hours of one session are one session.
      if (sessions[row] !== sessions[row - 1]) count++;
    }
    const startsLate = firstRow === 0 && weekdaysBefore(sessions[0]!) > 1;
    const endsEarly = row === sessions.length && weekdaysAfter(sessions[row - 1]!) > 1;
    months.push({
      year: Number(label.slice(0, 4)),
      month: Number(label.slice(5, 7)),
      value: growth - 1,
      sessions: count,
      complete: !startsLate && !endsEarly,
    });
  }
  return months;
}

function weekdaysBefore(session: SessionDate): number {
  return weekdaysTowards(session, -1);
}

function weekdaysAfter(session: SessionDate): number {
  return weekdaysTowards(session, 1);
}

/** Weekdays of the session's month that lie beyond it in one direction. */
function weekdaysTowards(session: SessionDate, step: 1 | -1): number {
  const month = session.slice(0, 7);
  let count = 0;
  for (let day = dayNumber(session) + step; dateOfDayNumber(day).startsWith(month); day += step) {
    // Day 0, 1970-01-01, was a Thursday.
    const weekday = (((day + 4) % 7) + 7) % 7;
    if (weekday !== 0 && weekday !== 6) count++;
  }
  return count;
}
