import { describe, expect, it } from "vitest";
import {
  decimal,
  distinct,
  fitted,
  growthTick,
  percent,
  percentTick,
  shortened,
  signedPercent,
} from "./formatters.js";

describe("numbers in charts", () => {
  it("carry a real minus sign, thousands apart, and never a minus zero", () => {
    expect([percent(-0.1234), percent(0), percent(-0.0001), percent(12.5)]).toEqual([
      "\u221212.3%",
      "0.0%",
      "0.0%",
      "1,250.0%",
    ]);
    expect([decimal(2.7), decimal(1234567.891, 1), decimal(-0.5)]).toEqual([
      "2.70",
      "1,234,567.9",
      "\u22120.50",
    ]);
    expect([signedPercent(0.012), signedPercent(-0.012), signedPercent(0.0001), signedPercent(12.3)]).toEqual(
      ["+1.2", "\u22121.2", "0.0", "+1,230"],
    );
  });

  it("read n/a where there is none", () => {
    expect([percent(Number.NaN), decimal(Number.POSITIVE_INFINITY), signedPercent(Number.NaN)]).toEqual([
      "n/a",
      "n/a",
      "n/a",
    ]);
  });

  it("have no more digits on an axis than they need", () => {
    expect([1, 1.5, 0.1 + 0.2, 10_000, 0.001, 0.0001].map(growthTick)).toEqual([
      "1",
      "1.5",
      "0.3",
      "10,000",
      "\u2264 0.001",
      "\u2264 0.001",
    ]);
    expect([0, -0.05, -0.0025].map(percentTick)).toEqual(["0%", "\u22125%", "\u22120.25%"]);
  });
});

describe("texts in charts", () => {
  it("are cut to a length with an ellipsis, whole characters only", () => {
    expect(shortened("Equal weight", 12)).toBe("Equal weight");
    expect(shortened("Equal weight of all", 12)).toBe("Equal weigh\u2026");
    expect(shortened("\u{1f4c8}\u{1f4c8}\u{1f4c8}", 2)).toBe("\u{1f4c8}\u2026");
  });

  it("share a line: short ones leave their room to long ones", () => {
    expect(fitted(["SPY", "a label of twenty char"], 40)).toEqual(["SPY", "a label of twenty char"]);
    expect(fitted(["SPY", "x".repeat(50), "y".repeat(50)], 43).map((text) => text.length)).toEqual([
      3, 20, 20,
    ]);
  });

  it("are told apart where one comes twice", () => {
    expect(distinct(["a", "b", "a", "a"])).toEqual(["a", "b", "a (2)", "a (3)"]);
  });
});
