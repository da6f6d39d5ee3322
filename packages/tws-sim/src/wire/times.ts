import {
  newYorkDateOf,
  newYorkTimeOf,
  newYorkToUtcMs,
  type SessionDate,
  sessionDate,
  type TradingCalendar,
} from "@pf/market";
import type { Hours } from "./replies.js";
import { since } from "./versions.js";

/** `20260413 15:27:04 US/Eastern`; two blanks and no zone below 174. */
export function instantText(version: number, utcMs: number): string {
  const date = compact(newYorkDateOf(utcMs));
  const seconds = String(Math.floor(utcMs / 1000) % 60).padStart(2, "0");
  const time = `${newYorkTimeOf(utcMs)}:${seconds}`;
  return version >= since.instrumentTimeZone ? `${date} ${time} US/Eastern` : `${date}  ${time}`;
}

export function compact(date: SessionDate): string {
  return date.replaceAll("-", "");
}

/**
 * What clients write for an end of history or a start of executions: `yyyymmdd hh:mm:ss` with a zone or without (New
 * York then), or `yyyymmdd-hh:mm:ss` in UTC.
 *
 * @returns undefined where the text is none of these
 */
export function parseInstant(text: string): number | undefined {
  const match = /^(\d{4})(\d\d)(\d\d)(?:( {1,2}|-)(\d\d):(\d\d)(?::(\d\d))?)?(?: (.+))?$/.exec(text.trim());
  if (!match) return undefined;
  const [, year, month, day, separator = " ", hour = "00", minute = "00", second = "00", zone] = match;
  const date = new Date(Date.UTC(Number(year), Number(month) - 1, Number(day)));
  if (date.toISOString().slice(0, 10) !== `${year}-${month}-${day}`) return undefined;
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return undefined;
  const isUtc = separator === "-" || zone === "UTC" || zone === "GMT";
  if (isUtc) return date.getTime() + ((Number(hour) * 60 + Number(minute)) * 60 + Number(second)) * 1000;
  if (zone !== undefined && !newYorkZones.has(zone)) return undefined;
  if (Number(year) < 1901 || Number(year) > 9998) return undefined;
  return newYorkToUtcMs(sessionDate(`${year}-${month}-${day}`), `${hour}:${minute}`) + Number(second) * 1000;
}

const newYorkZones = new Set(["US/Eastern", "America/New_York", "EST", "EDT", "EST5EDT", "ET"]);

/** The hours of the next sessions as contract details state them, closed days included. */
export function hoursText(calendar: TradingCalendar, fromUtcMs: number, days = 6): Hours {
  const trading: string[] = [];
  const liquid: string[] = [];
  let day = newYorkDateOf(fromUtcMs);
  for (let n = 0; n < days && day <= calendar.last; n++) {
    const date = compact(day);
    if (calendar.isSession(day)) {
      const span = (from: string, to: string) => `${date}:${from}-${date}:${to}`;
      const close = newYorkTimeOf(calendar.closeUtcMs(day)).replace(":", "");
      const open = newYorkTimeOf(calendar.openUtcMs(day)).replace(":", "");
      liquid.push(span(open, close));
      trading.push(span("0400", calendar.isEarlyClose(day) ? "1700" : "2000"));
    } else {
      liquid.push(`${date}:CLOSED`);
      trading.push(`${date}:CLOSED`);
    }
    day = newYorkDateOf(newYorkToUtcMs(day, "12:00") + 86_400_000);
  }
  return { trading: trading.join(";"), liquid: liquid.join(";") };
}
