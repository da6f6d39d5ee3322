import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { InvalidInstantError, InvalidTimeOfDayError } from "./errors.js";
import { newYorkDateOf, newYorkTimeOf, newYorkToUtcMs } from "./newYork.js";
import { dateOfDayNumber, dayNumber, sessionDate } from "./session.js";

const utc = (date: string, time: string) =>
  new Date(newYorkToUtcMs(sessionDate(date), time)).toISOString().slice(0, 16);
const anyDate = fc
  .integer({ min: dayNumber(sessionDate("1900-01-02")), max: dayNumber(sessionDate("2100-12-31")) })
  .map(dateOfDayNumber);
const anyTime = fc
  .tuple(fc.nat(23), fc.nat(59))
  .map(([hour, minute]) => `${String(hour).padStart(2, "0")}:${String(minute).padStart(2, "0")}`);

describe("newYorkToUtcMs", () => {
  it.each([
    ["2026-11-27", "13:00", "2026-11-27T18:00"],
    ["2026-07-02", "16:00", "2026-07-02T20:00"],
    // The last hour of a day in New York is the next day in UTC.
    ["2026-01-05", "20:30", "2026-01-06T01:30"],
    ["2026-07-02", "23:59", "2026-07-03T03:59"],
    ["2026-07-02", "00:00", "2026-07-02T04:00"],
    // Before 2007 daylight saving began in April, in 1974 in January, and in 1942 it lasted all year.
    ["2006-03-15", "12:00", "2006-03-15T17:00"],
    ["2007-03-15", "12:00", "2007-03-15T16:00"],
    ["1974-01-10", "12:00", "1974-01-10T16:00"],
    ["1943-01-10", "12:00", "1943-01-10T16:00"],
  ])("reads %s %s as %s UTC", (date, time, expected) => expect(utc(date, time)).toBe(expected));

  it("moves the clocks at 02:00 on the second Sunday in March and the first in November", () => {
    expect(utc("2026-03-08", "01:59")).toBe("2026-03-08T06:59");
    expect(utc("2026-03-08", "03:00")).toBe("2026-03-08T07:00");
    expect(utc("2026-11-01", "00:59")).toBe("2026-11-01T04:59");
    expect(utc("2026-11-01", "02:00")).toBe("2026-11-01T07:00");
  });
  it("reads a time that the clocks skip as far after midnight, one that they show twice as the first", () => {
    expect(utc("2026-03-08", "02:30")).toBe("2026-03-08T07:30");
    expect(utc("2026-11-01", "01:30")).toBe("2026-11-01T05:30");
  });
  it("is undone by the date and the time of the instant, for every time that clocks show", () => {
    fc.assert(
      fc.property(anyDate, anyTime, (date, time) => {
        const instant = newYorkToUtcMs(date, time);
        expect(newYorkDateOf(instant)).toBe(date);
        const shown = newYorkTimeOf(instant);
        const [skippedFrom, skippedTo] = ["02:00", "03:00"];
        if (time >= skippedFrom && time < skippedTo && shown !== time) {
          expect(shown.slice(3)).toBe(time.slice(3));
          expect(shown.slice(0, 2)).toBe("03");
        } else expect(shown).toBe(time);
      }),
    );
  });
  it("agrees with the runtime's own formatter at any instant", () => {
    const clock = new Intl.DateTimeFormat("sv-SE", {
      timeZone: "America/New_York",
      dateStyle: "short",
      timeStyle: "short",
    });
    const instants = fc.integer({ min: Date.UTC(1900, 0, 2), max: Date.UTC(2100, 11, 31) });
    fc.assert(
      fc.property(instants, (instant) => {
        expect(`${newYorkDateOf(instant)} ${newYorkTimeOf(instant)}`).toBe(clock.format(instant));
      }),
      { numRuns: 500 },
    );
  });
  it.each(["24:00", "9:30", "09:60", "0930", "", "09:30:00", " 09:30", "-1:00"])(
    "refuses the time %j",
    (time) => {
      expect(() => newYorkToUtcMs(sessionDate("2026-01-05"), time)).toThrow(new InvalidTimeOfDayError(time));
    },
  );
});

describe("an instant", () => {
  it("belongs to the evening before in New York until 04:00 or 05:00 UTC", () => {
    expect(newYorkDateOf(Date.UTC(2026, 10, 26, 4, 59))).toBe("2026-11-25");
    expect(newYorkDateOf(Date.UTC(2026, 10, 26, 5))).toBe("2026-11-26");
    expect(newYorkDateOf(Date.UTC(2026, 6, 2, 3, 59))).toBe("2026-07-01");
    expect(newYorkDateOf(Date.UTC(2026, 6, 2, 4))).toBe("2026-07-02");
  });
  it("before 1970 has a date and a time as well", () => {
    expect(newYorkDateOf(Date.UTC(1929, 9, 29, 14))).toBe("1929-10-29");
    expect(newYorkTimeOf(Date.UTC(1929, 9, 29, 14, 59, 59))).toBe("09:59");
  });
  it("that is no number, or of a year without New York time here, is refused", () => {
    for (const wrong of [Number.NaN, Number.POSITIVE_INFINITY, Date.UTC(1899, 11, 31), 8.64e15, 9e15]) {
      expect(() => newYorkDateOf(wrong)).toThrow(new InvalidInstantError(wrong));
      expect(() => newYorkTimeOf(wrong)).toThrow(InvalidInstantError);
    }
    expect(() => newYorkToUtcMs(sessionDate("1850-06-01"), "12:00")).toThrow(InvalidInstantError);
  });
});
