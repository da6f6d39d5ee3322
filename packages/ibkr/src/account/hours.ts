import { newYorkToUtcMs, type SessionDate } from "@pf/market";
import { ProtocolError } from "../errors.js";
import { dayOf } from "../session/instants.js";

/** Regular trading hours of one day. */
export type LiquidHours =
  | { readonly session: SessionDate; readonly open: false }
  | {
      readonly session: SessionDate;
      readonly open: true;
      /** Milliseconds since 1970 UTC. */
      readonly opensUtcMs: number;
      readonly closesUtcMs: number;
    };

const newYorkNames = new Set(["US/Eastern", "America/New_York", "EST", "EDT", "EST5EDT", ""]);

/**
 * Reads `20260406:0930-20260406:1600;20260703:CLOSED` (the second date may be missing, as older TWS have it). A day with
 * several spans counts from its first opening to its last close.
 *
 * @throws ProtocolError when it is written otherwise, or in another zone than New York's
 */
export function parseLiquidHours(text: string, timeZone: string): readonly LiquidHours[] {
  if (text.trim() === "") return [];
  if (!newYorkNames.has(timeZone)) throw new ProtocolError(`trading hours in the zone ${timeZone}`);
  const days = new Map<SessionDate, LiquidHours>();
  for (const part of text.split(";").flatMap(splitSpans)) {
    const hours = parseDay(part);
    const known = days.get(hours.session);
    days.set(hours.session, known ? joined(known, hours) : hours);
  }
  return [...days.values()].sort((a, b) => (a.session < b.session ? -1 : 1));
}

/** The hours that an instant lies in, closing moment excluded; undefined when trading is not open then. */
export function openAt(
  hours: readonly LiquidHours[],
  utcMs: number,
): (LiquidHours & { open: true }) | undefined {
  for (const day of hours) if (day.open && day.opensUtcMs <= utcMs && utcMs < day.closesUtcMs) return day;
  return undefined;
}

/** A day's spans may stand behind its date, separated by commas. */
function splitSpans(part: string): string[] {
  const [first, ...more] = part.trim().split(",");
  if (!first) return [];
  const day = first.slice(0, 9);
  return [first, ...more.map((span) => (/^\d{8}:/.test(span) ? span : day + span))];
}

function parseDay(part: string): LiquidHours {
  const closed = /^(\d{8}):CLOSED$/.exec(part);
  if (closed) return { session: dateOf(closed[1]!, part), open: false };
  const match = /^(\d{8}):(\d{4})-(?:(\d{8}):)?(\d{4})$/.exec(part);
  if (!match) throw new ProtocolError(`trading hours ${JSON.stringify(part.slice(0, 60))}`);
  const from = dateOf(match[1]!, part);
  const to = match[3] ? dateOf(match[3], part) : from;
  const opensUtcMs = newYorkToUtcMs(from, clock(match[2]!, part));
  const closesUtcMs = newYorkToUtcMs(to, clock(match[4]!, part));
  if (closesUtcMs <= opensUtcMs) throw new ProtocolError(`trading hours ${part} end before they begin`);
  return { session: to, open: true, opensUtcMs, closesUtcMs };
}

function dateOf(digits: string, part: string): SessionDate {
  const day = dayOf(digits);
  if (!day) throw new ProtocolError(`trading hours ${part.slice(0, 60)}`);
  return day;
}

function clock(digits: string, part: string): string {
  if (!/^([01]\d|2[0-3])[0-5]\d$/.test(digits)) throw new ProtocolError(`trading hours ${part.slice(0, 60)}`);
  return `${digits.slice(0, 2)}:${digits.slice(2)}`;
}

function joined(a: LiquidHours, b: LiquidHours): LiquidHours {
  if (!a.open) return b;
  if (!b.open) return a;
  return {
    ...a,
    opensUtcMs: Math.min(a.opensUtcMs, b.opensUtcMs),
    closesUtcMs: Math.max(a.closesUtcMs, b.closesUtcMs),
  };
}
