import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bestPosition, isMinimised, plainMetrics } from "./objective.js";
import type { Objective } from "./study.js";

const nan = Number.NaN;

describe("bestPosition", () => {
  it.each<[string, Objective, number[], number]>([
    ["the largest", "Calmar", [1, 3, 2], 1],
    ["the smallest drawdown", "MaxDD", [0.3, 0.1, 0.2], 1],
    ["the smallest turnover", "Turnover", [30, 10, 20], 1],
    ["the first of equals", "Sharpe", [1, 2, 2, 2], 1],
    ["the first of what only rounding tells apart", "Sharpe", [1, 2, 2 + 9e-13], 1],
    ["a later one that is truly better", "Sharpe", [1, 2, 2 + 2e-12], 2],
    ["a negative value before none", "Calmar", [nan, -5, nan], 1],
    ["a large drawdown before none", "MaxDD", [nan, 0.9, nan], 1],
    ["the first where none has a value", "Calmar", [nan, nan], 0],
  ])("is %s", (_, objective, values, at) => {
    expect(bestPosition(objective, Float64Array.from(values))).toBe(at);
  });

  it("is beaten by no other value", () => {
    const value = fc.oneof(fc.double({ min: -9, max: 9, noNaN: true }), fc.constant(nan));
    fc.assert(
      fc.property(
        fc.array(value, { minLength: 1 }),
        fc.constantFrom("Calmar" as const, "MaxDD" as const),
        (values, objective) => {
          const best = values[bestPosition(objective, values)]!;
          for (const other of values) {
            if (Number.isNaN(other)) continue;
            expect(objective === "MaxDD" ? other - best : best - other).toBeGreaterThanOrEqual(
              -1e-12 * values.length,
            );
          }
        },
      ),
    );
  });
});

describe("isMinimised", () => {
  it("makes risk and trading small and everything else large", () => {
    const all = [
      "CAGR",
      "Sharpe",
      "MaxDD",
      "AnnualVol",
      "Sortino",
      "Calmar",
      "PF",
      "Turnover",
      "TurnoverAnnual",
      "RebalanceDays",
      "RebalancesPerMonth",
      "FinalEquity",
      "Bars",
    ] as const;
    expect(all.filter(isMinimised)).toEqual([
      "MaxDD",
      "AnnualVol",
      "Turnover",
      "TurnoverAnnual",
      "RebalanceDays",
      "RebalancesPerMonth",
    ]);
  });
});

describe("plainMetrics", () => {
  it("writes what is undefined as null, so that it survives JSON", () => {
    const metrics = { CAGR: 0.1, Calmar: nan } as never;
    expect(JSON.parse(JSON.stringify(plainMetrics(metrics)))).toEqual({ CAGR: 0.1, Calmar: null });
  });
});
