import { dateOfDayNumber, sessionDate } from "@pf/market";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { equityFloor } from "./formatters.js";
import { growthTicks, timeTicks, utcMs } from "./ticks.js";

describe("growthTicks", () => {
  it.each([
    [0.86, 5.2, [1, 1.5, 2, 3, 4, 5]],
    [0.9, 1.5, [0.9, 1, 1.1, 1.2, 1.3, 1.4, 1.5]],
    [0.9, 320, [1, 2, 5, 10, 20, 50, 100, 200]],
    [1, 1, [0.98, 0.99, 1, 1.01, 1.02]],
    [0, 1.4, [0.001, 0.01, 0.1, 1]],
    [1, 1e12, [1, 1e2, 1e4, 1e6, 1e8, 1e10, 1e12]],
  ])("between %d and %d are %j", (low, high, expected) => {
    expect(growthTicks(low, high).ticks).toEqual(expected);
  });

  it("are few, ascending and within an axis that holds all values", () => {
    const sizes = fc.double({ min: -6, max: 9, noNaN: true }).map((power) => 10 ** power);
    fc.assert(
      fc.property(sizes, sizes, (a, b) => {
        const [low, high] = [Math.min(a, b), Math.max(a, b)];
        const { min, max, ticks } = growthTicks(low, high);
        expect(ticks.length).toBeGreaterThanOrEqual(2);
        expect(ticks.length).toBeLessThanOrEqual(10);
        expect(
          ticks.every((tick, index) => tick >= min && tick <= max && tick > (ticks[index - 1] ?? 0)),
        ).toBe(true);
        expect(min).toBeLessThanOrEqual(Math.max(low, equityFloor));
        expect(min).toBeGreaterThanOrEqual(equityFloor);
        expect(max).toBeGreaterThan(high);
      }),
    );
  });
});

describe("timeTicks", () => {
  const between = (from: string, to: string) => timeTicks([[sessionDate(from), sessionDate(to)]]);
  const labels = (from: string, to: string) => {
    const { ticks, label } = between(from, to);
    return ticks.map(label);
  };

  it("name years, months or days, as the span asks for", () => {
    expect(labels("2015-01-02", "2019-04-30")).toEqual(["2015", "2016", "2017", "2018", "2019"]);
    expect(labels("1994-05-20", "2024-04-11").slice(0, 3)).toEqual(["1996", "1998", "2000"]);
    expect(labels("2020-01-02", "2020-12-30").slice(0, 2)).toEqual(["Jan 2020", "Feb 2020"]);
    expect(labels("2019-12-15", "2022-01-04").slice(0, 3)).toEqual(["Jan 2020", "Apr 2020", "Jul 2020"]);
    expect(labels("2024-03-01", "2024-03-29")).toEqual(["1 Mar", "8 Mar", "15 Mar", "22 Mar", "29 Mar"]);
    expect(labels("2024-03-05", "2024-03-05")).toEqual(["5 Mar"]);
  });

  it("are few, and within an axis that holds every session of every line", () => {
    const day = fc.integer({ min: 0, max: 40_000 }).map(dateOfDayNumber);
    fc.assert(
      fc.property(fc.array(fc.tuple(day, day), { minLength: 1, maxLength: 4 }), (pairs) => {
        const spans = pairs.map((pair) => [...pair].sort());
        const { min, max, ticks } = timeTicks(spans);
        const all = spans.flat().map(utcMs);
        expect(min).toBeLessThanOrEqual(Math.min(...all));
        expect(max).toBeGreaterThan(Math.max(...all));
        expect(ticks.length).toBeGreaterThanOrEqual(1);
        expect(ticks.length).toBeLessThanOrEqual(17);
        expect(ticks.every((tick) => tick >= min && tick <= max)).toBe(true);
      }),
    );
  });
});
