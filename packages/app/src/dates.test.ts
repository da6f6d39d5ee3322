import { CalendarRangeError, InvalidSessionDateError, xnys } from "@pf/market";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { lastCompleteSession, readRange } from "./dates.js";
import { RangeOrderError } from "./errors.js";

const at = (iso: string) => ({ nowUtcMs: () => Date.parse(iso) });

describe("lastCompleteSession", () => {
  it.each([
    ["2024-12-31T20:59:59Z", "2024-12-30"], // a second before the close
    ["2024-12-31T21:00:00Z", "2024-12-31"], // at the close
    ["2025-01-02T14:00:00Z", "2024-12-31"], // before the open after New Year
    ["2024-11-29T17:59:00Z", "2024-11-27"], // a half day after Thanksgiving
    ["2024-11-29T18:00:00Z", "2024-11-29"],
    ["2024-07-01T02:00:00Z", "2024-06-28"], // Sunday evening in New York, Monday in Greenwich
    ["2024-07-02T03:00:00Z", "2024-07-01"], // Monday evening in New York, Tuesday in Greenwich
  ])("at %s is %s", (now, expected) => expect(lastCompleteSession(xnys, at(now))).toBe(expected));

  it("has closed, and the next one has not", () => {
    const instants = fc.integer({ min: Date.UTC(1990, 1, 1), max: Date.UTC(2028, 10, 1) });
    fc.assert(
      fc.property(instants, (nowUtcMs) => {
        const session = lastCompleteSession(xnys, { nowUtcMs: () => nowUtcMs });
        expect(xnys.closeUtcMs(session)).toBeLessThanOrEqual(nowUtcMs);
        expect(xnys.closeUtcMs(xnys.next(session))).toBeGreaterThan(nowUtcMs);
      }),
      { numRuns: 300 },
    );
  });

  it("is the calendar's last session when the clock has passed it", () => {
    expect(lastCompleteSession(xnys, at("2040-01-01T00:00:00Z"))).toBe(xnys.onOrBefore(xnys.last));
  });
});

describe("readRange", () => {
  it("leaves an open end open", () => {
    expect(readRange({}, xnys)).toEqual({});
    expect(readRange({ start: "2020-01-01" }, xnys)).toEqual({ start: "2020-01-01" });
    expect(readRange({ start: "2020-01-01", end: "2020-01-01" }, xnys)).toEqual({
      start: "2020-01-01",
      end: "2020-01-01",
    });
  });
  it("refuses what is no date, no known day, or no range", () => {
    expect(() => readRange({ start: "2020-02-30" }, xnys)).toThrow(InvalidSessionDateError);
    expect(() => readRange({ end: "1980-01-02" }, xnys)).toThrow(CalendarRangeError);
    expect(() => readRange({ start: "2020-01-02", end: "2020-01-01" }, xnys)).toThrow(RangeOrderError);
  });
});
