import type { TradingCalendar } from "./calendar.js";
import { CalendarRangeError, InvalidSessionDateError, NotASessionError } from "./errors.js";
import { newYorkMinuteToUtcMs } from "./newYork.js";
import { dateOfDayNumber, dayNumber, isCivilDate, type SessionDate } from "./session.js";

const first = "1990-01-01" as SessionDate;
const last = "2028-12-31" as SessionDate;

/**
 * The New York Stock Exchange, 1990 to 2028: core sessions 09:30 to 16:00, Monday to Friday.
 *
 * Closed on New Year's Day (a Saturday is not observed), Martin Luther King Jr. Day (from 1998), Washington's Birthday,
 * Good Friday, Memorial Day, Juneteenth (from 2022), Independence Day, Labor Day, Thanksgiving and Christmas; a holiday
 * on a Saturday closes the Friday before, one on a Sunday the Monday after. One-off closures and half days are in the
 * tables below. One-off closures announced after August 2026 are not known here: the broker's hours are the judge on the
 * day. Sources: the exchange's releases of 2021, 2024 and 2025, and its own history of holidays (2011).
 */
export const xnys: TradingCalendar = {
  name: "XNYS",
  first,
  last,
  isSession(day) {
    // A session is found by its text; only what is none needs to be read as a date.
    if (tables().rows.has(day as SessionDate)) return true;
    dayWithin(day);
    return false;
  },
  whyClosed(day) {
    if (tables().rows.has(day as SessionDate)) return undefined;
    return whyNoSession(dayWithin(day));
  },
  isEarlyClose: (session) => tables().closes[rowOf(session)]! < regularClose,
  next: (day) => sessionAt(rowsUpTo(dayWithin(day)), day),
  previous: (day) => sessionAt(rowsUpTo(dayWithin(day) - 1) - 1, day),
  onOrBefore: (day) => sessionAt(rowsUpTo(dayWithin(day)) - 1, day),
  openUtcMs: (session) => instantOf(rowOf(session), regularOpen),
  closeUtcMs(session) {
    const row = rowOf(session);
    return instantOf(row, tables().closes[row]!);
  },
  sessionsBetween(from, to) {
    const [start, end] = [rowsUpTo(dayWithin(from) - 1), rowsUpTo(dayWithin(to))];
    return tables().sessions.slice(start, Math.max(start, end));
  },
};

const regularOpen = 9 * 60 + 30;
const regularClose = 16 * 60;

const oneOffClosures: Readonly<Record<string, string>> = {
  "1994-04-27": "National Day of Mourning (Richard Nixon)",
  "2001-09-11": "Attacks of September 11",
  "2001-09-12": "Attacks of September 11",
  "2001-09-13": "Attacks of September 11",
  "2001-09-14": "Attacks of September 11",
  "2004-06-11": "National Day of Mourning (Ronald Reagan)",
  "2007-01-02": "National Day of Mourning (Gerald Ford)",
  "2012-10-29": "Hurricane Sandy",
  "2012-10-30": "Hurricane Sandy",
  "2018-12-05": "National Day of Mourning (George H. W. Bush)",
  "2025-01-09": "National Day of Mourning (Jimmy Carter)",
};

const oneOffHalfDays: readonly string[] = ["1997-12-26", "1999-12-31", "2003-12-26"];

const sunday = 0;
const monday = 1;
const wednesday = 3;
const thursday = 4;
const saturday = 6;

/** The full-day holidays of a year as day numbers with their names, before any weekday is looked at. */
function holidaysOf(year: number): readonly (readonly [day: number, name: string])[] {
  const newYear = dayOf(year, 1, 1);
  return [
    // The Saturday rule stops at the end of a year: December 31 is traded.
    ...(weekdayOf(newYear) === saturday ? [] : [observed(newYear, "New Year's Day")]),
    ...(year >= 1998 ? [[nthOf(year, 1, monday, 3), "Martin Luther King Jr. Day"] as const] : []),
    [nthOf(year, 2, monday, 3), "Washington's Birthday"],
    [easterOf(year) - 2, "Good Friday"],
    [nthOf(year, 6, monday, 1) - 7, "Memorial Day"],
    ...(year >= 2022 ? [observed(dayOf(year, 6, 19), "Juneteenth")] : []),
    observed(dayOf(year, 7, 4), "Independence Day"),
    [nthOf(year, 9, monday, 1), "Labor Day"],
    [thanksgivingOf(year), "Thanksgiving Day"],
    observed(dayOf(year, 12, 25), "Christmas Day"),
  ];
}

/** The scheduled half days of a year with their closes in minutes after midnight. */
function halfDaysOf(year: number): readonly (readonly [day: number, close: number])[] {
  const close = (year < 1993 ? 14 : 13) * 60;
  const days: number[] = [];
  const julyThird = dayOf(year, 7, 3);
  const christmasEve = dayOf(year, 12, 24);
  if (year >= 1995 && isMondayToThursday(julyThird)) {
    // Until 2012 Independence Day on a Thursday made a half day of the Friday after, not of the Wednesday before.
    days.push(year < 2013 && weekdayOf(julyThird) === wednesday ? julyThird + 2 : julyThird);
  }
  if (year >= 1992) days.push(thanksgivingOf(year) + 1);
  if (isMondayToThursday(christmasEve)) days.push(christmasEve);
  return days.map((day) => [day, close]);
}

interface Tables {
  readonly firstDay: number;
  readonly sessions: readonly SessionDate[];
  /** The day number of each session. */
  readonly days: Int32Array;
  /** The close of each session in minutes after midnight. */
  readonly closes: Int16Array;
  readonly rows: ReadonlyMap<SessionDate, number>;
  /** How many sessions there are up to each day of the range, the day included. */
  readonly upTo: Int32Array;
  readonly holidays: ReadonlyMap<number, string>;
}

let built: Tables | undefined;

/** Everything is looked up in tables of one entry a day, built at the first question, so that importing costs nothing. */
function tables(): Tables {
  built ??= buildTables();
  return built;
}

function buildTables(): Tables {
  const [firstDay, lastDay] = [dayNumber(first), dayNumber(last)];
  const holidays = new Map<number, string>();
  const halfDays = new Map<number, number>();
  for (let year = Number(first.slice(0, 4)); year <= Number(last.slice(0, 4)); year++) {
    for (const [day, name] of holidaysOf(year)) holidays.set(day, name);
    for (const [day, close] of halfDaysOf(year)) halfDays.set(day, close);
  }
  for (const [date, reason] of Object.entries(oneOffClosures))
    holidays.set(dayNumber(date as SessionDate), reason);
  for (const date of oneOffHalfDays) halfDays.set(dayNumber(date as SessionDate), 13 * 60);
  const sessions: SessionDate[] = [];
  const days: number[] = [];
  const closes: number[] = [];
  const rows = new Map<SessionDate, number>();
  const upTo = new Int32Array(lastDay - firstDay + 1);
  for (let day = firstDay; day <= lastDay; day++) {
    const weekday = weekdayOf(day);
    if (weekday !== saturday && weekday !== sunday && !holidays.has(day)) {
      const date = dateOfDayNumber(day);
      rows.set(date, sessions.length);
      sessions.push(date);
      days.push(day);
      closes.push(halfDays.get(day) ?? regularClose);
    }
    upTo[day - firstDay] = sessions.length;
  }
  return {
    firstDay,
    sessions,
    days: Int32Array.from(days),
    closes: Int16Array.from(closes),
    rows,
    upTo,
    holidays,
  };
}

/** The day number of a day within the calendar's range. */
function dayWithin(day: string): number {
  if (!isCivilDate(day)) throw new InvalidSessionDateError(day);
  if (day < first || day > last) throw new CalendarRangeError(day, first, last);
  return dayNumber(day);
}

function rowOf(session: SessionDate): number {
  const row = tables().rows.get(session);
  if (row === undefined) throw new NotASessionError(session, whyNoSession(dayWithin(session)));
  return row;
}

function rowsUpTo(day: number): number {
  const { firstDay, upTo } = tables();
  return day < firstDay ? 0 : upTo[day - firstDay]!;
}

function sessionAt(row: number, asked: string): SessionDate {
  const session = tables().sessions[row];
  if (session === undefined) throw new CalendarRangeError(asked, first, last, row < 0 ? "before" : "after");
  return session;
}

function instantOf(row: number, minutes: number): number {
  return newYorkMinuteToUtcMs(tables().days[row]!, minutes);
}

function whyNoSession(day: number): string {
  const weekday = weekdayOf(day);
  if (weekday === saturday) return "Saturday";
  if (weekday === sunday) return "Sunday";
  return tables().holidays.get(day)!;
}

/** A fixed date that falls on a weekend closes the nearest weekday instead. */
function observed(day: number, name: string): readonly [day: number, name: string] {
  const weekday = weekdayOf(day);
  if (weekday === saturday) return [day - 1, `${name} (observed)`];
  if (weekday === sunday) return [day + 1, `${name} (observed)`];
  return [day, name];
}

function dayOf(year: number, month: number, day: number): number {
  return Date.UTC(year, month - 1, day) / 86_400_000;
}

/** 0 is Sunday; 1970-01-01 was a Thursday. */
function weekdayOf(day: number): number {
  return (day + thursday) % 7;
}

function isMondayToThursday(day: number): boolean {
  const weekday = weekdayOf(day);
  return weekday >= monday && weekday <= thursday;
}

function nthOf(year: number, month: number, weekday: number, n: number): number {
  const start = dayOf(year, month, 1);
  return start + ((weekday - weekdayOf(start) + 7) % 7) + 7 * (n - 1);
}

function thanksgivingOf(year: number): number {
  return nthOf(year, 11, thursday, 4);
}

/** Easter Sunday of the Western churches (Gregorian computus in the form of Meeus, Astronomical Algorithms, ch. 8). */
function easterOf(year: number): number {
  const a = year % 19;
  const b = Math.floor(year / 100);
  const c = year % 100;
  const d = Math.floor(b / 4);
  const e = b % 4;
  const f = Math.floor((b + 8) / 25);
  const g = Math.floor((b - f + 1) / 3);
  const h = (19 * a + b - d - g + 15) % 30;
  const i = Math.floor(c / 4);
  const k = c % 4;
  const l = (32 + 2 * e + 2 * i - h - k) % 7;
  const m = Math.floor((a + 11 * h + 22 * l) / 451);
  const month = Math.floor((h + l - 7 * m + 114) / 31);
  return dayOf(year, month, ((h + l - 7 * m + 114) % 31) + 1);
}
