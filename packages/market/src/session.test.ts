import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { InvalidSessionDateError } from "./errors.js";
import { addMonths, dateOfDayNumber, dayNumber, isCivilDate, sessionDate } from "./session.js";

const firstDay = -719_528;
const lastDay = 2_932_896;
const anyDate = fc.integer({ min: firstDay, max: lastDay }).map(dateOfDayNumber);
const anyMonths = fc.integer({ min: -600, max: 600 });
const centuryDates = fc
  .integer({ min: dayNumber(sessionDate("1900-01-01")), max: dayNumber(sessionDate("2099-12-31")) })
  .map(dateOfDayNumber);

describe("sessionDate", () => {
  it.each(["2024-02-29", "2000-02-29", "1990-01-01", "0000-01-01", "9999-12-31"])("reads %s", (text) => {
    expect(sessionDate(text)).toBe(text);
    expect(isCivilDate(text)).toBe(true);
  });
  it.each([
    ...["2023-02-29", "1900-02-29", "2024-04-31", "2024-00-10", "2024-13-01", "2024-01-00", "2024-01-32"],
    ...[
      "2024-1-02",
      "24-01-02",
      "20240102",
      "2024/01/02",
      "2024-01-02 ",
      "2024-01-02\n",
      "",
      "2024-01-02T00:00:00Z",
    ],
    ...["-2024-01-02", "today", "२०२४-०१-०२"],
  ])("refuses %j", (text) => {
    expect(isCivilDate(text)).toBe(false);
    expect(() => sessionDate(text)).toThrow(new InvalidSessionDateError(text));
  });
});

describe("day numbers", () => {
  it("count from 1970-01-01", () => {
    expect(dayNumber(sessionDate("1970-01-01"))).toBe(0);
    expect(dayNumber(sessionDate("1969-12-31"))).toBe(-1);
    expect(dayNumber(sessionDate("2000-03-01"))).toBe(11_017);
    expect(dateOfDayNumber(11_017)).toBe("2000-03-01");
  });
  it("reach from the year 0 to the year 9999, the years below 100 included", () => {
    expect(dateOfDayNumber(firstDay)).toBe("0000-01-01");
    expect(dateOfDayNumber(lastDay)).toBe("9999-12-31");
    expect(dayNumber(sessionDate("0000-01-01"))).toBe(firstDay);
    expect(dayNumber(sessionDate("0099-12-31")) + 1).toBe(dayNumber(sessionDate("0100-01-01")));
    expect(dayNumber(sessionDate("9999-12-31"))).toBe(lastDay);
  });
  it("and dates undo each other, and order alike", () => {
    fc.assert(
      fc.property(anyDate, anyDate, (one, other) => {
        expect(dateOfDayNumber(dayNumber(one))).toBe(one);
        expect(isCivilDate(one)).toBe(true);
        expect(Math.sign(dayNumber(one) - dayNumber(other))).toBe(one < other ? -1 : one > other ? 1 : 0);
      }),
    );
  });
  it("that are not whole or leave four-digit years are refused", () => {
    for (const wrong of [firstDay - 1, lastDay + 1, 0.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => dateOfDayNumber(wrong)).toThrow(InvalidSessionDateError);
    }
  });
});

describe("addMonths", () => {
  it.each([
    ["2024-01-31", 1, "2024-02-29"],
    ["2023-01-31", 1, "2023-02-28"],
    ["2024-02-29", 12, "2025-02-28"],
    ["2024-02-29", 48, "2028-02-29"],
    ["2024-03-31", -1, "2024-02-29"],
    ["2024-12-15", 1, "2025-01-15"],
    ["2024-01-15", -1, "2023-12-15"],
    ["2015-01-02", 36, "2018-01-02"],
    ["2024-05-31", 0, "2024-05-31"],
  ])("%s and %i months make %s", (date, months, expected) =>
    expect(addMonths(sessionDate(date), months)).toBe(expected),
  );

  it("keeps the day unless the month is too short for it, then takes the last", () => {
    fc.assert(
      fc.property(centuryDates, anyMonths, (date, months) => {
        const later = addMonths(date, months);
        expect(isCivilDate(later)).toBe(true);
        const monthOf = (one: string) => Number(one.slice(0, 4)) * 12 + Number(one.slice(5, 7));
        expect(monthOf(later) - monthOf(date)).toBe(months);
        if (later.slice(8) === date.slice(8)) return;
        expect(later < `${later.slice(0, 8)}${date.slice(8)}`).toBe(true);
        expect(dateOfDayNumber(dayNumber(later) + 1).slice(8)).toBe("01");
      }),
    );
  });
  it("never turns the order of two dates", () => {
    fc.assert(
      fc.property(centuryDates, centuryDates, anyMonths, (one, other, months) => {
        const [early, late] = one < other ? [one, other] : [other, one];
        expect(addMonths(early, months) <= addMonths(late, months)).toBe(true);
      }),
    );
  });
  it("refuses parts of months and years without four digits", () => {
    const date = sessionDate("2024-01-31");
    for (const wrong of [0.5, Number.NaN, Number.POSITIVE_INFINITY, 12 * 8000, -12 * 3000]) {
      expect(() => addMonths(date, wrong)).toThrow(InvalidSessionDateError);
    }
  });
});
