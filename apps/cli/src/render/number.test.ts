import { describe, expect, it } from "vitest";
import { count, decimal, percent, plural } from "./number.js";

describe("numbers", () => {
  it("shows fractions as percentages, and what is undefined as a dash", () => {
    expect([
      percent(0.0924),
      percent(-0.15299),
      percent(0.0924, 2),
      percent(null),
      percent(Number.NaN),
    ]).toEqual(["9.2%", "-15.3%", "9.24%", "–", "–"]);
  });
  it("has no minus zero", () => expect([percent(-0.0001), decimal(-0.001)]).toEqual(["0.0%", "0.00"]));
  it("sets thousands apart", () =>
    expect([count(0), count(999), count(2849), count(1234567)]).toEqual(["0", "999", "2,849", "1,234,567"]));
  it("knows one from many", () =>
    expect([plural(1, "bar"), plural(0, "bar"), plural(2849, "bar")]).toEqual([
      "1 bar",
      "0 bars",
      "2,849 bars",
    ]));
});
