import { InvalidSessionDateError } from "./errors.js";

declare const sessionDateBrand: unique symbol;

/** A trading date as a label, `"2024-12-31"`: a day in New York, never an instant. Sorts as text. */
export type SessionDate = string & { readonly [sessionDateBrand]: "SessionDate" };

const daysInMonth = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] as const;

/**
 * Reads `YYYY-MM-DD` as a session date. Whether the exchange is open that day is the calendar's business.
 *
 * @throws InvalidSessionDateError when the text is no date of the Gregorian calendar
 * @example
 * sessionDate("2024-02-29"); // => "2024-02-29"
 */
export function sessionDate(text: string): SessionDate {
  if (!isCivilDate(text)) throw new InvalidSessionDateError(text);
  return text as SessionDate;
}

/** Whether the text is a civil date of the form `YYYY-MM-DD` (and so 2023-02-29 is not). */
export function isCivilDate(text: string): boolean {
  const match = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text);
  if (!match) return false;
  const [year, month, day] = [Number(match[1]), Number(match[2]), Number(match[3])];
  if (month < 1 || month > 12 || day < 1) return false;
  return day <= daysInMonth[month - 1]! + (month === 2 && isLeapYear(year) ? 1 : 0);
}

/** Days since 1970-01-01, so that civil dates can be counted without any clock or time zone. */
export function dayNumber(date: SessionDate): number {
  const year = Number(date.slice(0, 4));
  const month = Number(date.slice(5, 7));
  const day = Number(date.slice(8, 10));
  return Date.UTC(year, month - 1, day) / 86_400_000;
}

/** The civil date that many days after 1970-01-01; the inverse of {@link dayNumber}. */
export function dateOfDayNumber(days: number): SessionDate {
  return new Date(days * 86_400_000).toISOString().slice(0, 10) as SessionDate;
}

/**
 * Adds calendar months; a day the target month lacks becomes its last (2024-01-31 plus one month is 2024-02-29).
 */
export function addMonths(date: SessionDate, months: number): SessionDate {
  const index = Number(date.slice(0, 4)) * 12 + Number(date.slice(5, 7)) - 1 + months;
  const year = Math.floor(index / 12);
  const month = index - year * 12;
  const last = daysInMonth[month]! + (month === 1 && isLeapYear(year) ? 1 : 0);
  const day = Math.min(Number(date.slice(8, 10)), last);
  return `${String(year).padStart(4, "0")}-${String(month + 1).padStart(2, "0")}-${String(day).padStart(2, "0")}` as SessionDate;
}

function isLeapYear(year: number): boolean {
  return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
}
