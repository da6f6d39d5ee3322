import type { TradingCalendar } from "./calendar.js";
import { NotASessionError } from "./errors.js";
import { newYorkToUtcMs } from "./newYork.js";
import type { SessionDate } from "./session.js";

/** A day on which an exchange keeps other hours than its calendar says. */
export interface CalendarAmendment {
  readonly day: SessionDate;
  /** `HH:MM` in New York, earlier than the calendar has it; `null` closes the day. */
  readonly closes: string | null;
  /** As `whyClosed` shall say it. */
  readonly reason: string;
}

/**
 * A calendar with one-off closures and early closes that were announced after it was written. It only ever takes trading
 * time away: a day that the calendar closes stays closed, and a later close than the calendar's is left alone.
 */
export function amendCalendar(
  calendar: TradingCalendar,
  amendments: readonly CalendarAmendment[],
): TradingCalendar {
  const closed = new Map<string, string>();
  const closes = new Map<string, number>();
  for (const { day, closes: time, reason } of amendments) {
    if (!calendar.isSession(day)) continue;
    if (time === null) closed.set(day, reason);
    else {
      const closeUtcMs = newYorkToUtcMs(day, time);
      if (closeUtcMs < calendar.closeUtcMs(day)) closes.set(day, closeUtcMs);
    }
  }
  if (closed.size === 0 && closes.size === 0) return calendar;
  const opened = (session: SessionDate): SessionDate => {
    const why = closed.get(session);
    if (why !== undefined) throw new NotASessionError(session, why);
    return session;
  };
  const forward = (session: SessionDate): SessionDate =>
    closed.has(session) ? forward(calendar.next(session)) : session;
  const back = (session: SessionDate): SessionDate =>
    closed.has(session) ? back(calendar.previous(session)) : session;
  return {
    name: calendar.name,
    first: calendar.first,
    last: calendar.last,
    isSession: (day) => calendar.isSession(day) && !closed.has(day),
    whyClosed: (day) => closed.get(day) ?? calendar.whyClosed(day),
    isEarlyClose: (session) => calendar.isEarlyClose(opened(session)) || closes.has(session),
    next: (day) => forward(calendar.next(day)),
    previous: (day) => back(calendar.previous(day)),
    onOrBefore: (day) => back(calendar.onOrBefore(day)),
    openUtcMs: (session) => calendar.openUtcMs(opened(session)),
    closeUtcMs: (session) => closes.get(opened(session)) ?? calendar.closeUtcMs(session),
    sessionsBetween: (from, to) =>
      calendar.sessionsBetween(from, to).filter((session) => !closed.has(session)),
  };
}
