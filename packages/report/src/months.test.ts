import { sessionDate } from "@pf/market";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { runOf, walk, weekdays } from "../test/worlds.js";
import { monthlyReturns } from "./months.js";

const runs = fc
  .tuple(
    fc.integer({ min: 1, max: 900 }),
    fc.integer({ min: 0, max: 1500 }),
    fc.integer({ min: 1, max: 1e6 }),
  )
  .map(([count, skip, seed]) =>
    runOf(weekdays("2016-01-01", count + skip).slice(skip), walk(seed, count, 0, 0.02)),
  );

describe("monthlyReturns", () => {
  it("compounds the net returns of each calendar month and each year", () => {
    const sessions = ["2023-12-28", "2023-12-29", "2024-01-02", "2024-01-03", "2024-03-01"].map(sessionDate);
    const { months, years } = monthlyReturns({ sessions, net: Float64Array.of(0.5, -0.5, 0.25, 1, -0.25) });
    expect(months).toEqual([
      { year: 2023, month: 12, value: -0.25, sessions: 2, complete: false },
      { year: 2024, month: 1, value: 1.5, sessions: 2, complete: true },
      { year: 2024, month: 3, value: -0.25, sessions: 1, complete: false },
    ]);
    expect(years).toEqual([
      { year: 2023, value: -0.25, sessions: 2, complete: false },
      { year: 2024, value: 0.875, sessions: 3, complete: false },
    ]);
  });

  it("gives years that are the compound of their months, and months that compound to the whole run", () => {
    fc.assert(
      fc.property(runs, (run) => {
        const { months, years } = monthlyReturns(run);
        for (const { year, value } of years) {
          const own = months.filter((one) => one.year === year);
          expect(value).toBe(own.reduce((growth, one) => growth * (1 + one.value), 1) - 1);
        }
        const whole = months.reduce((growth, one) => growth * (1 + one.value), 1);
        const final = run.equity[run.equity.length - 1]!;
        expect(Math.abs(whole / final - 1)).toBeLessThan(1e-12);
      }),
    );
  });

  it("counts every session once, and lists months in order", () => {
    fc.assert(
      fc.property(runs, (run) => {
        const { months, years } = monthlyReturns(run);
        const total = (parts: readonly { sessions: number }[]) =>
          parts.reduce((sum, one) => sum + one.sessions, 0);
        expect([total(months), total(years)]).toEqual([run.sessions.length, run.sessions.length]);
        const order = months.map(({ year, month }) => year * 12 + month);
        expect(order).toEqual([...new Set(order)].sort((a, b) => a - b));
      }),
    );
  });

  it.each([
    ["2015-01-02", "2015-12-31", true, true, "a month may open with New Year's Day"],
    ["2015-01-05", "2015-12-31", false, true, "two weekdays are gone"],
    ["2018-09-04", "2021-05-28", true, true, "Labor Day opens a month, Memorial Day closes one"],
    ["2024-11-04", "2025-08-29", true, true, "a Friday is gone, and weekends that nobody trades"],
    ["2018-09-03", "2024-03-14", true, false, "the last month is half over"],
    ["2024-03-14", "2024-05-31", false, true, "the first month is half over"],
  ])("of %s to %s: the first month whole: %s, the last: %s (%s)", (from, to, first, last) => {
    const sessions = weekdays(from, 4000).filter((day) => day <= to);
    const { months } = monthlyReturns({ sessions, net: new Float64Array(sessions.length) });
    expect([months[0]!.complete, months[months.length - 1]!.complete]).toEqual([first, last]);
    expect(months.slice(1, -1).every(({ complete }) => complete)).toBe(true);
  });

  it("calls a year whole when it has twelve whole months", () => {
    const sessions = weekdays("2019-06-03", 600);
    const { years } = monthlyReturns({ sessions, net: new Float64Array(600) });
    expect(years.map(({ year, complete }) => [year, complete])).toEqual([
      [2019, false],
      [2020, true],
      [2021, false],
    ]);
  });
});
