import { isCivilDate, type SessionDate } from "@pf/market";

/** The day that `yyyymmdd` names, if it names one. */
export function dayOf(text: string): SessionDate | undefined {
  const match = /^(\d{4})(\d{2})(\d{2})$/.exec(text.trim());
  const date = match ? `${match[1]}-${match[2]}-${match[3]}` : "";
  return isCivilDate(date) ? date : undefined;
}

/**
 * An instant in any of the forms that servers write: seconds since 1970 (what we ask for), `yyyymmdd-hh:mm:ss` in UTC,
 * or `yyyymmdd hh:mm:ss Zone/Name`. A time without a zone means the clock of whoever installed TWS and is refused.
 *
 * @returns milliseconds since 1970 UTC
 */
export function instantOf(text: string): number | undefined {
  const trimmed = text.trim();
  if (/^\d{9,11}$/.test(trimmed)) return Number(trimmed) * 1000;
  const match = /^(\d{4})(\d{2})(\d{2})(-|\s+)(\d{2}):(\d{2}):(\d{2})(?:\s+(\S+))?$/.exec(trimmed);
  if (!match || !dayOf(trimmed.slice(0, 8))) return undefined;
  const [year, month, day, hour, minute, second] = [1, 2, 3, 5, 6, 7].map((group) =>
    Number(match[group]),
  ) as [number, number, number, number, number, number];
  if (hour > 23 || minute > 59 || second > 59) return undefined;
  const wall = Date.UTC(year, month - 1, day, hour, minute, second);
  const zone = match[8] ?? (match[4] === "-" ? "UTC" : undefined);
  if (zone === undefined) return undefined;
  if (zone === "UTC" || zone === "GMT") return wall;
  const offset = offsetIn(zone);
  if (!offset) return undefined;
  // The offset at the wall's figures is at most one change away from the right one.
  const guess = wall - offset(wall);
  return wall - offset(guess);
}

const zones = new Map<string, Intl.DateTimeFormat | undefined>();

/** What to add to UTC in a zone, at an instant; undefined for a zone that the runtime does not know. */
function offsetIn(zone: string): ((utcMs: number) => number) | undefined {
  if (!zones.has(zone)) zones.set(zone, formatterFor(zone));
  const format = zones.get(zone);
  if (!format) return undefined;
  return (utcMs) => {
    const shown: Partial<Record<Intl.DateTimeFormatPartTypes, number>> = {};
    for (const { type, value } of format.formatToParts(utcMs)) shown[type] = Number(value);
    const { year, month, day, hour, minute, second } = shown;
    return Date.UTC(year!, month! - 1, day!, hour!, minute!, second!) - Math.floor(utcMs / 1000) * 1000;
  };
}

function formatterFor(timeZone: string): Intl.DateTimeFormat | undefined {
  try {
    return new Intl.DateTimeFormat("en-US", {
      timeZone,
      calendar: "gregory",
      numberingSystem: "latn",
      hourCycle: "h23",
      year: "numeric",
      month: "numeric",
      day: "numeric",
      hour: "numeric",
      minute: "numeric",
      second: "numeric",
    });
  } catch {
    // The runtime says of an unknown zone only that it is unknown.
    return undefined;
  }
}
