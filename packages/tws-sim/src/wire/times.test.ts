import { newYorkToUtcMs, sessionDate, xnys } from "@pf/market";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { encodedText, priceText } from "./numbers.js";
import { hoursText, instantText, parseInstant } from "./times.js";

const second = fc
  .integer({ min: Date.UTC(2000, 0, 1) / 1000, max: Date.UTC(2030, 0, 1) / 1000 })
  .map((seconds) => seconds * 1000);

describe("instantText", () => {
  it("is New York's time with its zone from 174 on, with two blanks and none before", () => {
    const instant = newYorkToUtcMs(sessionDate("2026-04-13"), "15:27") + 4000;
    expect(instantText(174, instant)).toBe("20260413 15:27:04 US/Eastern");
    expect(instantText(173, instant)).toBe("20260413  15:27:04");
  });
  it("is read back by parseInstant, but for the hour that clocks show twice", () => {
    fc.assert(
      fc.property(second, fc.constantFrom(173, 174), (instant, version) => {
        const read = parseInstant(instantText(version, instant));
        expect([instant, instant - 3_600_000]).toContain(read);
      }),
    );
  });
});

describe("parseInstant", () => {
  it.each([
    ["20251229-20:30:00", Date.UTC(2025, 11, 29, 20, 30)],
    ["20251229 15:30:00", Date.UTC(2025, 11, 29, 20, 30)],
    ["20250630 15:30:00 US/Eastern", Date.UTC(2025, 5, 30, 19, 30)],
    ["20251229 20:30:00 UTC", Date.UTC(2025, 11, 29, 20, 30)],
    ["20251229", Date.UTC(2025, 11, 29, 5)],
    ["20251229-20:30", Date.UTC(2025, 11, 29, 20, 30)],
  ])("reads %s", (text, expected) => expect(parseInstant(text)).toBe(expected));
  it.each([
    "",
    "yesterday",
    "20250230 10:00:00",
    "20251229 25:00:00",
    "20251229 10:00:00 Mars/Olympus",
    "2025-12-29",
  ])("reads nothing into %j", (text) => expect(parseInstant(text)).toBeUndefined());
});

describe("hoursText", () => {
  it("has sessions, half days and days without", () => {
    const from = newYorkToUtcMs(sessionDate("2025-11-26"), "10:00");
    expect(hoursText(xnys, from, 4)).toEqual({
      liquid: "20251126:0930-20251126:1600;20251127:CLOSED;20251128:0930-20251128:1300;20251129:CLOSED",
      trading: "20251126:0400-20251126:2000;20251127:CLOSED;20251128:0400-20251128:1700;20251129:CLOSED",
    });
  });
});

describe("numbers and text", () => {
  it("are written without exponents, and read back the same", () => {
    fc.assert(
      fc.property(fc.double({ min: 1e-6, max: 1e15, noNaN: true }), (value) => {
        expect(priceText(value)).toMatch(/^\d+(\.\d+)?$/);
        expect(Math.abs(Number(priceText(value)) - value)).toBeLessThanOrEqual(1e-12);
      }),
    );
  });
  it("beyond ASCII are escaped", () => {
    expect(encodedText("Zürich 😀")).toBe("Z\\u00fcrich \\ud83d\\ude00");
  });
});
