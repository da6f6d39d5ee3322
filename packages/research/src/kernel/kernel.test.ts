import type { Metrics } from "@pf/backtest";
import type { Panel } from "@pf/market";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { panelOf, type SymbolShape, type World, worlds } from "../../../market/test/worlds.js";
import { anyOptions, optionsWith, smallOptions } from "../../../selection/test/options.js";
import { planGrid } from "../grid.js";
import { rowOrder } from "../orders.js";
import { rowPatterns } from "../permutePanel.js";
import { plainEvaluator } from "../plainEvaluator.js";
import type { Grid, Objective, Study } from "../study.js";
import { createGridKernel, createWindowKernel } from "./kernel.js";

const costs = { commissionPerShare: 0.0035, slippageBps: 1 };

/** Values that multiply: spans below, between and above each other, caps at the ends, weights that all hit the cap. */
const anyGrid: fc.Arbitrary<Grid> = fc
  .record(
    {
      ema_fast: fc.uniqueArray(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 4 }),
      ema_slow: fc.uniqueArray(fc.integer({ min: 3, max: 14 }), { minLength: 1, maxLength: 5 }),
      top_n: fc.uniqueArray(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 4 }),
      corr_cap: fc.uniqueArray(fc.constantFrom(0, 0.2, 0.35, 0.5, 0.6, 0.7, 0.9, 1), {
        minLength: 1,
        maxLength: 5,
      }),
      atr_window: fc.uniqueArray(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 2 }),
      corr_window: fc.uniqueArray(fc.integer({ min: 3, max: 9 }), { minLength: 1, maxLength: 2 }),
      min_score: fc.uniqueArray(fc.constantFrom(-1e6, 0, 0.25, 0.6), { minLength: 1, maxLength: 2 }),
      vol_window: fc.uniqueArray(fc.integer({ min: 2, max: 12 }), { minLength: 1, maxLength: 2 }),
      max_weight_per_asset: fc.uniqueArray(fc.constantFrom(0.1, 0.3, 0.5, 1), { minLength: 1, maxLength: 2 }),
      cash_buffer: fc.uniqueArray(fc.constantFrom(0, 0.05, 0.6), { minLength: 1, maxLength: 2 }),
      min_weight_change: fc.uniqueArray(fc.constantFrom(0, 0.01, 0.05, 0.3), { minLength: 1, maxLength: 2 }),
    },
    { requiredKeys: ["ema_fast", "ema_slow"] },
  )
  .filter(({ ema_fast, ema_slow }) => usable(ema_fast, ema_slow));

/** Each span fits some other one: a grid with a value that fits none is refused before it comes to a kernel. */
function usable(fasts: readonly number[], slows: readonly number[]): boolean {
  return fasts.every((fast) => fast < Math.max(...slows)) && slows.every((slow) => slow > Math.min(...fasts));
}

const objectives: readonly Objective[] = [
  "Calmar",
  "CAGR",
  "Sharpe",
  "Sortino",
  "AnnualVol",
  "MaxDD",
  "PF",
  "Turnover",
  "TurnoverAnnual",
  "RebalanceDays",
  "RebalancesPerMonth",
  "FinalEquity",
  "Bars",
] satisfies readonly (keyof Metrics)[];

const anyStudy: fc.Arbitrary<Study> = fc.record({
  options: anyOptions,
  costs: fc.constantFrom(
    costs,
    { commissionPerShare: 0, slippageBps: 0 },
    { commissionPerShare: 0.02, slippageBps: 25 },
  ),
  lag: fc.constantFrom(1 as const, 2 as const),
  grid: anyGrid,
  objective: fc.constantFrom(...objectives),
});

describe("the grid kernel", () => {
  it("has the plain path's objective of every grid point, whatever the market and the study", () => {
    fc.assert(
      fc.property(worlds({ minRows: 10, maxSymbols: 7 }), anyStudy, (world, study) => {
        expectSame(panelOf(world), study);
      }),
      { numRuns: 250 },
    );
  }, 120_000);

  it("has the plain path's objective of every grid point on rows in another order", () => {
    fc.assert(
      fc.property(worlds({ minRows: 10, maxSymbols: 7 }), anyStudy, fc.nat(), (world, study, seed) => {
        const panel = panelOf(world);
        expectSame(panel, study, rowOrder(rowPatterns(panel), seed, 1, 2));
      }),
      { numRuns: 250 },
    );
  }, 120_000);

  it.each(["Calmar", "CAGR", "MaxDD", "FinalEquity"] as const)(
    "has the plain path's %s also of a portfolio whose costs eat more than there is",
    (objective) => {
      const world: World = { seed: 11, rows: 90, shapes: Array.from({ length: 3 }, () => walk) };
      const panel = panelOf(world);
      const order = rowOrder(rowPatterns(panel), 1, 0, 0);
      const grid: Grid = { ema_fast: [2], ema_slow: [6], top_n: [1, 2] };
      const study: Study = {
        options: smallOptions,
        costs: { commissionPerShare: 250, slippageBps: 0 },
        lag: 1,
        grid,
        objective,
      };
      expectSame(panel, study);
      expectSame(panel, study, order);
      const ruined = createGridKernel(panel, { ...study, objective: "MaxDD" })!.evaluate();
      expect(Math.min(...ruined)).toBeGreaterThan(1);
    },
  );

  it("shares a walk among caps only as far as they take the same names", () => {
    const grid: Grid = {
      ema_fast: [2, 4],
      ema_slow: [6, 9],
      top_n: [2, 3, 4],
      corr_cap: [0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8],
    };
    const shapes = Array.from({ length: 7 }, () => walk);
    fc.assert(
      fc.property(
        fc.nat(),
        fc.constantFrom("rank" as const, "keep" as const),
        fc.constantFrom(0, 0.05),
        (seed, incumbents, band) => {
          const options = {
            ...smallOptions,
            selection: { ...smallOptions.selection, incumbents },
            rebalance: { minWeightChange: band },
          };
          expectSame(panelOf({ seed, rows: 90, shapes }), {
            options,
            costs,
            lag: 1,
            grid,
            objective: "FinalEquity",
          });
        },
      ),
      { numRuns: 25 },
    );
  }, 120_000);

  it("serves a grid of more columns than a word has bits, and more caps than fit beside them", () => {
    const grid: Grid = {
      ema_fast: [2, 3, 4, 5, 6, 7, 8],
      ema_slow: [4, 6, 9, 10, 12, 14],
      top_n: [1, 2, 4],
      corr_cap: [0.9, 0.2, 0.4, 0.3, 0.5, 0.6, 0.7, 0.8, 0.1],
    };
    for (const incumbents of ["rank", "keep"] as const) {
      const options = { ...smallOptions, selection: { ...smallOptions.selection, incumbents } };
      const world: World = { seed: 5, rows: 90, shapes: Array.from({ length: 7 }, () => walk) };
      expectSame(panelOf(world), { options, costs, lag: 1, grid, objective: "Calmar" });
    }
  }, 120_000);

  it("gives the same bits again, whatever it or another kernel evaluated in between", () => {
    fc.assert(
      fc.property(
        worlds({ minRows: 10 }),
        worlds({ minRows: 10 }),
        anyStudy,
        anyStudy,
        (world, other, study, next) => {
          const panel = panelOf(world);
          const order = rowOrder(rowPatterns(panel), 3, 0, 0);
          const kernel = createGridKernel(panel, study)!;
          const real = kernel.evaluate().slice();
          const permuted = kernel.evaluate(order).slice();
          createGridKernel(panelOf(other), next)!.evaluate();
          expect(kernel.evaluate(order)).toEqual(permuted);
          expect(kernel.evaluate()).toEqual(real);
        },
      ),
    );
  }, 120_000);

  it("gives a window of a panel the bits that it has as a panel of its own, in any order of its rows", () => {
    fc.assert(
      fc.property(worlds({ minRows: 12 }), anyStudy, fc.nat(), fc.nat(), (world, study, a, b) => {
        const panel = panelOf(world);
        const rows = panel.sessions.length;
        fc.pre(rows > 0);
        const [from, to] = [Math.min(a % rows, b % rows), Math.max(a % rows, b % rows) + 1] as const;
        const window = panel.between(from, to);
        const order = rowOrder(rowPatterns(window), 5, 0, 0);
        const within = createWindowKernel(window, study, planGrid(study), { of: panel, from })!;
        const [real, permuted] = [within.evaluate().slice(), within.evaluate(order).slice()];
        const own = createGridKernel(window, study)!;
        expect(real).toEqual(own.evaluate());
        expect(permuted).toEqual(own.evaluate(order));
      }),
    );
  }, 120_000);

  it("has the plain path's objective of every grid point of more symbols than a word has bits", () => {
    const grid: Grid = {
      ema_fast: [2, 4],
      ema_slow: [6, 9],
      top_n: [1, 3, 12],
      corr_cap: [0.2, 0.5, 0.8],
      min_weight_change: [0, 0.05],
    };
    fc.assert(
      fc.property(
        fc.nat(),
        fc.integer({ min: 32, max: 80 }),
        fc.constantFrom("rank" as const, "keep" as const),
        fc.constantFrom(...objectives),
        (seed, symbols, incumbents, objective) => {
          const options = { ...smallOptions, selection: { ...smallOptions.selection, incumbents } };
          const panel = panelOf({ seed, rows: 90, shapes: Array.from({ length: symbols }, () => walk) });
          const study: Study = { options, costs, lag: 1, grid, objective };
          expectSame(panel, study);
          expectSame(panel, study, rowOrder(rowPatterns(panel), seed, 1, 2));
        },
      ),
      { numRuns: 12 },
    );
  }, 120_000);

  it("serves more caps than a level can count", () => {
    const corr_cap = Array.from({ length: 300 }, (_, k) => (k + 1) / 300);
    const panel = panelOf({ seed: 9, rows: 60, shapes: Array.from({ length: 5 }, () => walk) });
    for (const incumbents of ["rank", "keep"] as const) {
      const options = { ...smallOptions, selection: { ...smallOptions.selection, incumbents } };
      expectSame(panel, { options, costs, lag: 1, grid: { corr_cap, top_n: [1, 3] }, objective: "Calmar" });
    }
  }, 120_000);

  it.each([
    ["another score", optionsWith({ selection: { score: "momentum" } })],
    ["another weighting", optionsWith({ weights: { method: "risk_parity" } })],
    ["a volatility target", optionsWith({ weights: { volTarget: 0.1 } })],
    ["an overlay", optionsWith({ overlays: [{ name: "regime" }] })],
  ])("leaves %s to the general path", (_, options) => {
    const panel = panelOf({ seed: 1, rows: 20, shapes: [walk] });
    const study: Study = { options, costs, lag: 1, grid: { top_n: [1, 2] }, objective: "Calmar" };
    const plan = planGrid({ ...study, options: smallOptions });
    const strategies = plan.strategies.map((strategy) => strategy && { ...strategy, options });
    expect(createGridKernel(panel, study, { ...plan, strategies })).toBeUndefined();
    expect(createGridKernel(panel, { ...study, options: smallOptions }, plan)?.evaluate()).toHaveLength(2);
  });
});

const walk: SymbolShape = { kind: "walk", start: 0, holes: [] };

function expectSame(panel: Panel, study: Study, order?: Int32Array): void {
  const plain = plainEvaluator(panel, study).evaluate(order);
  const fused = createGridKernel(panel, study)!.evaluate(order);
  expect(fused.length).toBe(plain.length);
  const drawdowns =
    study.objective === "Calmar"
      ? plainEvaluator(panel, { ...study, objective: "MaxDD" }).evaluate(order)
      : undefined;
  for (let at = 0; at < plain.length; at++) {
    const expected = plain[at]!;
    const actual = fused[at]!;
    if (Number.isNaN(expected) && Number.isNaN(actual)) continue;
    // Calmar divides by the drawdown, and either path knows equity over peak to some 1e-15 only.
    const tolerance = 1e-12 + (drawdowns ? 4e-15 / drawdowns[at]! : 0);
    if (!(Math.abs(actual - expected) <= tolerance * Math.max(1, Math.abs(expected)))) {
      expect.fail(`point ${at}: ${actual}, expected ${expected} (drawdown ${drawdowns?.[at]})`);
    }
  }
}
