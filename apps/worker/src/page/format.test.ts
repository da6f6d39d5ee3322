import { describe, expect, it } from "vitest";
import {
  change,
  countdown,
  decimal,
  dollars,
  newYorkInstant,
  newYorkTime,
  percent,
  sessionText,
  shares,
  utcTime,
  words,
} from "./format.js";

describe("numbers", () => {
  it("read with thousands apart, a real minus sign, and never as 0 where they are not known", () => {
    expect(dollars(1234.5)).toBe("$1,234.50");
    expect(dollars(-1234.5, 0)).toBe("−$1,235");
    expect(dollars(-0.001)).toBe("$0.00");
    expect(percent(0.0921)).toBe("9.2%");
    expect(change(0.0921)).toBe("+9.2%");
    expect(change(-0.0921)).toBe("−9.2%");
    expect(change(0.0001)).toBe("0.0%");
    expect(shares(12)).toBe("12");
    expect(shares(1234.56789)).toBe("1,234.5679");
    for (const unknown of [null, undefined, Number.NaN, Number.POSITIVE_INFINITY])
      expect([decimal(unknown), dollars(unknown), percent(unknown), change(unknown)]).toEqual(
        Array(4).fill("n/a"),
      );
  });
});

describe("times", () => {
  it("are New York's, on both sides of its clock changes", () => {
    expect(newYorkTime(Date.UTC(2026, 9, 30, 19, 55))).toBe("15:55");
    expect(newYorkTime(Date.UTC(2026, 10, 2, 20, 55))).toBe("15:55");
    expect(newYorkTime(Date.UTC(2026, 10, 2, 5, 0))).toBe("00:00");
    expect(utcTime(Date.UTC(2026, 10, 2, 20, 55))).toBe("Mon 20:55");
    expect(newYorkInstant(Date.UTC(2026, 10, 23, 20, 55))).toBe("23 Nov 2026, 15:55");
  });

  it("of sessions are the label they are, in no time zone", () => {
    expect(sessionText("2026-11-23")).toBe("Mon 23 Nov 2026");
    expect(sessionText("soon")).toBe("soon");
  });

  it("count down in the two largest units that matter", () => {
    expect(countdown(-1)).toBe("now");
    expect(countdown(249_000)).toBe("4:09");
    expect(countdown(2 * 3_600_000 + 5 * 60_000)).toBe("2 h 05 min");
    expect(countdown(27 * 3_600_000)).toBe("1 d 3 h");
  });
});

it("words are codes for people", () => {
  expect(words("settled_cash")).toBe("Settled cash");
});
