import type { ComplianceRules } from "@pf/compliance";
import {
  dateOfDayNumber,
  dayNumber,
  newYorkDateOf,
  newYorkToUtcMs,
  type SessionDate,
  type TradingCalendar,
} from "@pf/market";

/**
 * What is done for a session, in this order:
 *
 * - `lookAhead` on the last Sunday before it, or the evening before it where a holiday comes first: the broker wants a
 *   person to log in once a week, and there is still time to
 * - `morning` a minute after the open, when the nightly restart is long over
 * - `early`, `late` an hour and ten minutes before orders are sent
 * - `trade` when the window opens
 * - `afterClose` when the day's orders have come to their end
 */
export type PhaseName = "lookAhead" | "morning" | "early" | "late" | "trade" | "afterClose";

export interface Phase {
  readonly phase: PhaseName;
  readonly atUtcMs: number;
}

/** When what is done for a session. */
export interface SessionTimes {
  readonly session: SessionDate;
  /** The window in which orders are sent. */
  readonly opensUtcMs: number;
  readonly closesUtcMs: number;
  /** The close of the market. */
  readonly closeUtcMs: number;
  readonly isEarlyClose: boolean;
  /** In order of time. */
  readonly phases: readonly Phase[];
}

const minuteMs = 60_000;
const earlyMs = 60 * minuteMs;
const lateMs = 10 * minuteMs;
const afterOpenMs = minuteMs;
const afterCloseMs = 3 * minuteMs;
/** When people are still awake in New York, and hours after the broker's sessions of the week have ended. */
const lookAheadTime = "18:00";

/** When what is done for a session, by the calendar and the window of the configuration. */
export function sessionTimes(
  calendar: TradingCalendar,
  session: SessionDate,
  { opensBeforeCloseMs, closesBeforeCloseMs }: ComplianceRules["window"],
): SessionTimes {
  const closeUtcMs = calendar.closeUtcMs(session);
  const opensUtcMs = closeUtcMs - opensBeforeCloseMs;
  const morning = calendar.openUtcMs(session) + afterOpenMs;
  const rest = lastEvening(calendar, session);
  const phases: Phase[] = [
    ...(rest === undefined ? [] : [{ phase: "lookAhead" as const, atUtcMs: rest }]),
    ...(morning < opensUtcMs - earlyMs ? [{ phase: "morning" as const, atUtcMs: morning }] : []),
    { phase: "early", atUtcMs: opensUtcMs - earlyMs },
    { phase: "late", atUtcMs: opensUtcMs - lateMs },
    { phase: "trade", atUtcMs: opensUtcMs },
    { phase: "afterClose", atUtcMs: closeUtcMs + afterCloseMs },
  ];
  return {
    session,
    opensUtcMs,
    closesUtcMs: closeUtcMs - closesBeforeCloseMs,
    closeUtcMs,
    isEarlyClose: calendar.isEarlyClose(session),
    phases,
  };
}

/** 18:00 of the last Sunday since the session before, or of the day before where no Sunday lies between. */
function lastEvening(calendar: TradingCalendar, session: SessionDate): number | undefined {
  const [before, own] = [dayNumber(calendar.previous(session)), dayNumber(session)];
  if (own - before === 1) return undefined;
  let day = own - 1;
  while (day > before && new Date(day * 86_400_000).getUTCDay() !== 0) day--;
  return newYorkToUtcMs(dateOfDayNumber(day > before ? day : own - 1), lookAheadTime);
}

/** A phase with the session that it is for. */
export interface DuePhase extends Phase {
  readonly times: SessionTimes;
}

/**
 * The first phase after an instant, of whichever session.
 *
 * @returns `undefined` where the calendar ends
 */
export function phaseAfter(
  utcMs: number,
  calendar: TradingCalendar,
  window: ComplianceRules["window"],
): DuePhase | undefined {
  // A session's first phase may lie days before it, so two are looked at.
  let session = calendar.onOrBefore(newYorkDateOf(utcMs));
  let found: DuePhase | undefined;
  for (let looked = 0; looked < 3; looked++) {
    const times = sessionTimes(calendar, session, window);
    for (const phase of times.phases) {
      if (phase.atUtcMs > utcMs && (!found || phase.atUtcMs < found.atUtcMs)) found = { ...phase, times };
    }
    if (session >= calendar.last || calendar.previous(calendar.last) <= session) break;
    session = calendar.next(session);
  }
  return found;
}

/** The first session whose window is not over at an instant; `undefined` where the calendar ends. */
export function sessionAfter(
  utcMs: number,
  calendar: TradingCalendar,
  window: ComplianceRules["window"],
): SessionTimes | undefined {
  let session = calendar.onOrBefore(newYorkDateOf(utcMs));
  for (;;) {
    const times = sessionTimes(calendar, session, window);
    if (times.closesUtcMs > utcMs) return times;
    if (calendar.previous(calendar.last) <= session) return undefined;
    session = calendar.next(session);
  }
}
