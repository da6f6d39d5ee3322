import type { Panel } from "@pf/market";
import { createFeatures, type Strategy } from "@pf/selection";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { panelOf, type SymbolShape, worlds } from "../../../market/test/worlds.js";
import { anyOptions, optionsWith } from "../../../selection/test/options.js";
import { planGrid } from "../grid.js";
import { rowOrder } from "../orders.js";
import { permutePanel, rowPatterns } from "../permutePanel.js";
import type { Grid, Study } from "../study.js";
import { traceGridKernel } from "./kernel.js";

/** Few values a key, so that every point can be decided row by row and explained. */
const anyGrid: fc.Arbitrary<Grid> = fc.record(
  {
    ema_fast: fc.uniqueArray(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 2 }),
    ema_slow: fc.uniqueArray(fc.integer({ min: 5, max: 12 }), { minLength: 1, maxLength: 2 }),
    top_n: fc.uniqueArray(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 3 }),
    corr_cap: fc.uniqueArray(fc.constantFrom(0, 0.2, 0.35, 0.5, 0.7, 0.9, 1), {
      minLength: 1,
      maxLength: 3,
    }),
    min_weight_change: fc.uniqueArray(fc.constantFrom(0, 0.01, 0.05, 0.3), { minLength: 1, maxLength: 2 }),
  },
  { requiredKeys: ["top_n", "corr_cap"] },
);

const anyStudy: fc.Arbitrary<Study> = fc.record({
  options: anyOptions,
  costs: fc.constant({ commissionPerShare: 0.0035, slippageBps: 1 }),
  lag: fc.constantFrom(1 as const, 2 as const),
  grid: anyGrid,
  objective: fc.constantFrom("Calmar" as const, "Sharpe" as const),
});

/** More symbols than a word has bits: some worlds' shapes, over and over, so that there are many ties too. */
const crowds = fc
  .tuple(worlds({ minRows: 10, maxRows: 60, maxSymbols: 7 }), fc.integer({ min: 32, max: 70 }))
  .map(([world, symbols]) => {
    const known: readonly SymbolShape[] =
      world.shapes.length > 0 ? world.shapes : [{ kind: "walk", start: 0, holes: [] }];
    return { ...world, shapes: Array.from({ length: symbols }, (_, k) => known[k % known.length]!) };
  });

describe("every decision of the grid kernel", () => {
  describe.each([
    { symbols: "symbols as bits", markets: worlds({ minRows: 10, maxSymbols: 7 }), lists: false, runs: 200 },
    { symbols: "symbols as lists", markets: worlds({ minRows: 10, maxSymbols: 7 }), lists: true, runs: 200 },
    { symbols: "more symbols than a word has bits", markets: crowds, lists: false, runs: 40 },
  ])("with $symbols", ({ markets, lists, runs }) => {
    it("is the plain path's: names, weights and whether anything is traded, row by row and point by point", () => {
      fc.assert(
        fc.property(markets, anyStudy, (world, study) => {
          expectSameDecisions(panelOf(world), study, lists);
        }),
        { numRuns: runs },
      );
    }, 120_000);

    it("is the plain path's on rows in another order", () => {
      fc.assert(
        fc.property(markets, anyStudy, fc.nat(), (world, study, seed) => {
          const panel = panelOf(world);
          expectSameDecisions(panel, study, lists, rowOrder(rowPatterns(panel), seed, 1, 2));
        }),
        { numRuns: runs },
      );
    }, 120_000);
  });

  it.each([
    { incumbents: "keep" as const, band: 0.05 },
    { incumbents: "rank" as const, band: 0.05 },
    { incumbents: "rank" as const, band: 0 },
  ])(
    "is the plain path's when lists of symbols outgrow their table: $incumbents, band $band",
    ({ incumbents, band }) => {
      const shapes = Array.from({ length: 40 }, (): SymbolShape => ({ kind: "walk", start: 0, holes: [] }));
      const study: Study = {
        options: optionsWith({ selection: { incumbents }, rebalance: { minWeightChange: band } }),
        costs: { commissionPerShare: 0.0035, slippageBps: 1 },
        lag: 1,
        grid: { ema_fast: [2, 3, 4], ema_slow: [6, 9], top_n: [6], corr_cap: [0.3, 0.45, 0.6, 0.7, 0.8] },
        objective: "Calmar",
      };
      expectSameDecisions(panelOf({ seed: 3, rows: 450, shapes }), study, true);
    },
    120_000,
  );
});

/** What a portfolio aims at after each row that is still traded: one column a symbol, row-major. */
type Targets = Float64Array;

function expectSameDecisions(panel: Panel, study: Study, lists: boolean, order?: Int32Array): void {
  const plan = planGrid(study);
  const rows = panel.sessions.length;
  const names = panel.tickers.length;
  // What is decided on the last rows is not traded any more.
  const decided = Math.max(0, rows - (study.lag - 1));
  const actual = plan.points.map(() => new Float64Array(decided * names));
  const kernel = traceGridKernel(panel, study, plan, {
    lists,
    decided(point, row, members, weights) {
      for (const [k, name] of members.entries()) actual[point]![row * names + name] = weights[k]!;
    },
  });
  kernel!.evaluate(order);

  const market = order ? permutePanel(panel, order) : panel;
  const features = createFeatures(market);
  for (const [point, strategy] of plan.strategies.entries()) {
    if (!strategy) continue;
    const expected = plainTargets(strategy, market, features, decided);
    expectSameTargets(actual[point]!, expected, names, `point ${point}`);
  }
}

function plainTargets(
  strategy: Strategy,
  panel: Panel,
  features: ReturnType<typeof createFeatures>,
  decided: number,
): Targets {
  const names = panel.tickers.length;
  const prepared = strategy.prepare(panel, features);
  const targets = new Float64Array(decided * names);
  let held = {};
  for (let row = 0; row < decided; row++) {
    const { weights } = prepared.decide(row, held);
    for (const [k, ticker] of panel.tickers.entries()) targets[row * names + k] = weights[ticker] ?? 0;
    held = weights;
  }
  return targets;
}

function expectSameTargets(actual: Targets, expected: Targets, names: number, what: string): void {
  for (let from = 0; from < expected.length; from += names) {
    const row = from / names;
    const got = actual.subarray(from, from + names);
    const wanted = expected.subarray(from, from + names);
    const same =
      heldOf(got) === heldOf(wanted) &&
      traded(actual, from, names) === traded(expected, from, names) &&
      wanted.every((weight, k) => Math.abs(weight - got[k]!) <= 1e-12);
    if (!same) {
      expect.fail(
        `${what}, row ${row}: holds ${[...got]}${traded(actual, from, names) ? ", traded" : ""}; ` +
          `the plain path holds ${[...wanted]}${traded(expected, from, names) ? ", traded" : ""}`,
      );
    }
  }
}

function heldOf(weights: Float64Array): string {
  return [...weights.keys()].filter((k) => weights[k]! > 0).join(" ");
}

/** Turnover of rounding alone is no trade, here as in the metrics. */
function traded(targets: Targets, from: number, names: number): boolean {
  let turnover = 0;
  for (let k = from; k < from + names; k++) {
    turnover += Math.abs(targets[k]! - (from === 0 ? 0 : targets[k - names]!));
  }
  return turnover > 1e-9;
}
