import { InvalidSessionDateError } from "./errors.js";

declare const sessionDateBrand: unique symbol;

/** A trading date as a label, `"2024-12-31"`: a day in New York, never an instant. Sorts as text. */
export type SessionDate = string & { readonly [sessionDateBrand]: "SessionDate" };

const daysInMonth = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] as const;
const msPerDay = 86_400_000;

/**
 * Reads `YYYY-MM-DD` as a session date. Whether the exchange is open that day is the calendar's business.
 *
 * @throws InvalidSessionDateError when the text is no date of the Gregorian calendar
 * @example
 * sessionDate("2024-02-29"); // => "2024-02-29"
 */
export function sessionDate(text: string): SessionDate {
  if (!isCivilDate(text)) throw new InvalidSessionDateError(text);
  return text;
}

/** Whether the text is a civil date of the form `YYYY-MM-DD` (and so 2023-02-29 is not). */
export function isCivilDate(text: string): text is SessionDate {
  const match = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text);
  if (!match) return false;
  const [year, month, day] = [Number(match[1]), Number(match[2]), Number(match[3])];
  if (month < 1 || month > 12 || day < 1) return false;
  return day <= daysOf(year, month - 1);
}

/**
 * Days since 1970-01-01, so that civil dates can be counted without any clock or time zone.
 *
 * @example
 * dayNumber(sessionDate("1970-02-01")); // => 31
 */
export function dayNumber(date: SessionDate): number {
  const year = Number(date.slice(0, 4));
  const month = Number(date.slice(5, 7));
  const day = Number(date.slice(8, 10));
  // Date.UTC takes the years 0 to 99 for 1900 to 1999. The Gregorian calendar repeats after 400 years of 146,097 days.
  return Date.UTC(year + 400, month - 1, day) / msPerDay - 146_097;
}

/**
 * The civil date that many days after 1970-01-01; the inverse of {@link dayNumber}.
 *
 * @throws InvalidSessionDateError when the number is not whole or its year does not have four digits
 * @example
 * dateOfDayNumber(31); // => "1970-02-01"
 */
export function dateOfDayNumber(days: number): SessionDate {
  // From 0000-01-01 to 9999-12-31.
  if (!(Number.isInteger(days) && days >= -719_528 && days <= 2_932_896)) {
    throw new InvalidSessionDateError(`day number ${days}`);
  }
  return new Date(days * msPerDay).toISOString().slice(0, 10) as SessionDate;
}

/**
 * Adds calendar months; a day the target month lacks becomes its last.
 *
 * @param months - a whole number, negative to go back
 * @throws InvalidSessionDateError when `months` is not whole or the year would not have four digits
 * @example
 * addMonths(sessionDate("2024-01-31"), 1); // => "2024-02-29"
 */
export function addMonths(date: SessionDate, months: number): SessionDate {
  const index = Number(date.slice(0, 4)) * 12 + Number(date.slice(5, 7)) - 1 + months;
  const year = Math.floor(index / 12);
  if (!(Number.isInteger(months) && year >= 0 && year <= 9999)) {
    throw new InvalidSessionDateError(`${date} plus ${months} months`);
  }
  const month = index - year * 12;
  const day = Math.min(Number(date.slice(8, 10)), daysOf(year, month));
  return `${digits(year, 4)}-${digits(month + 1, 2)}-${digits(day, 2)}` as SessionDate;
}

function daysOf(year: number, month: number): number {
  return daysInMonth[month]! + (month === 1 && isLeapYear(year) ? 1 : 0);
}

function isLeapYear(year: number): boolean {
  return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
}

function digits(value: number, count: number): string {
  return String(value).padStart(count, "0");
}
