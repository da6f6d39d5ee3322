import { InvalidInstantError, InvalidTimeOfDayError } from "./errors.js";
import { dateOfDayNumber, dayNumber, type SessionDate } from "./session.js";

const msPerMinute = 60_000;
const msPerDay = 86_400_000;

/**
 * The instant at which clocks in New York show a time on a date. Daylight saving is right in every year that the
 * runtime's time zone data knows.
 *
 * A time that the clocks skip (02:30 on the Sunday in March) means the instant as far after midnight, which they show as
 * 03:30; one that they show twice (01:30 on the Sunday in November) means the first.
 *
 * @param date - a day in New York
 * @param time - `"HH:MM"`, 00:00 to 23:59
 * @returns milliseconds since 1970 UTC
 * @throws InvalidTimeOfDayError when `time` is no time of that form
 * @throws InvalidInstantError when the instant lies outside the years 1900 to 9999 (UTC)
 * @example
 * newYorkToUtcMs(sessionDate("2026-11-27"), "13:00"); // => 1795802400000
 */
export function newYorkToUtcMs(date: SessionDate, time: string): number {
  const match = /^([01]\d|2[0-3]):([0-5]\d)$/.exec(time);
  if (!match) throw new InvalidTimeOfDayError(time);
  return newYorkMinuteToUtcMs(dayNumber(date), Number(match[1]) * 60 + Number(match[2]));
}

/**
 * The date on which an instant falls in New York.
 *
 * @param utcMs - milliseconds since 1970 UTC
 * @throws InvalidInstantError when it is no number within the years 1900 to 9999 (UTC)
 * @example
 * newYorkDateOf(Date.UTC(2026, 10, 26, 3)); // => "2026-11-25"
 */
export function newYorkDateOf(utcMs: number): SessionDate {
  return dateOfDayNumber(Math.floor((utcMs + offsetAt(utcMs)) / msPerDay));
}

/**
 * The time of day that clocks in New York show at an instant, seconds dropped.
 *
 * @param utcMs - milliseconds since 1970 UTC
 * @returns `"HH:MM"`, 00:00 to 23:59
 * @throws InvalidInstantError when it is no number within the years 1900 to 9999 (UTC)
 * @example
 * newYorkTimeOf(Date.UTC(2026, 10, 27, 17, 55, 59)); // => "12:55"
 */
export function newYorkTimeOf(utcMs: number): string {
  const local = utcMs + offsetAt(utcMs);
  const minutes = Math.floor((local - Math.floor(local / msPerDay) * msPerDay) / msPerMinute);
  return `${String(Math.floor(minutes / 60)).padStart(2, "0")}:${String(minutes % 60).padStart(2, "0")}`;
}

/** {@link newYorkToUtcMs} for a day number and minutes after midnight. */
export function newYorkMinuteToUtcMs(day: number, minutes: number): number {
  const wall = day * msPerDay + minutes * msPerMinute;
  // New York is behind UTC, so its offset at the same figures in UTC is that of some hours earlier.
  const before = offsetAt(wall);
  const after = offsetAt(wall - before);
  // Where neither offset holds, the clocks skip this time.
  return offsetAt(wall - after) === after ? wall - after : wall - before;
}

/** The offsets of one UTC year: what to add to UTC up to each border, the last one without end. */
interface YearOfOffsets {
  readonly until: readonly number[];
  readonly offsets: readonly number[];
}

// Asking Intl takes microseconds, and New York changes its offset twice a year: a year is asked once.
const years = new Map<number, YearOfOffsets>();

function offsetAt(utcMs: number): number {
  const year = new Date(utcMs).getUTCFullYear();
  if (!(year >= 1900 && year <= 9999)) throw new InvalidInstantError(utcMs);
  let known = years.get(year);
  if (!known) {
    known = offsetsOfYear(year);
    years.set(year, known);
  }
  let at = 0;
  while (utcMs >= known.until[at]!) at++;
  return known.offsets[at]!;
}

/** Compares the offsets at the ends of each month and halves the months in which they differ down to the minute. */
function offsetsOfYear(year: number): YearOfOffsets {
  const until: number[] = [];
  const offsets = [askOffset(Date.UTC(year, 0))];
  for (let month = 1; month <= 12; month++) {
    let [low, high] = [Date.UTC(year, month - 1), Date.UTC(year, month)];
    const offset = askOffset(high);
    if (offset === offsets.at(-1)) continue;
    while (high - low > msPerMinute) {
      const middle = Math.floor((low + high) / 2 / msPerMinute) * msPerMinute;
      if (askOffset(middle) === offset) high = middle;
      else low = middle;
    }
    until.push(high);
    offsets.push(offset);
  }
  until.push(Number.POSITIVE_INFINITY);
  return { until, offsets };
}

let clock: Intl.DateTimeFormat | undefined;

function askOffset(utcMs: number): number {
  clock ??= new Intl.DateTimeFormat("en-US", {
    timeZone: "America/New_York",
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
  const shown: Partial<Record<Intl.DateTimeFormatPartTypes, number>> = {};
  for (const { type, value } of clock.formatToParts(utcMs)) shown[type] = Number(value);
  const { year, month, day, hour, minute, second } = shown;
  return Date.UTC(year!, month! - 1, day!, hour!, minute!, second!) - utcMs;
}
