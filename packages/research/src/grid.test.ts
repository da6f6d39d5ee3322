import { describe, expect, it } from "vitest";
import { quickOptions, quickStudy } from "../test/studies.js";
import { applyPoint, gridPoints, planGrid } from "./grid.js";
import { type Grid, gridKeys } from "./study.js";

const planned = (grid: Grid) => planGrid({ options: quickOptions, grid });

describe("gridPoints", () => {
  it("runs through the last key fastest, in the order of the keys and not of the writing", () => {
    expect(gridPoints({ top_n: [2, 1], ema_fast: [5, 3] })).toEqual([
      { ema_fast: 5, top_n: 2 },
      { ema_fast: 5, top_n: 1 },
      { ema_fast: 3, top_n: 2 },
      { ema_fast: 3, top_n: 1 },
    ]);
  });

  it("takes any number of values for any of its keys", () => {
    const grid = Object.fromEntries(gridKeys.map((key, at) => [key, at % 2 === 0 ? [1, 2] : [3]]));
    const points = gridPoints(grid);
    expect(points.length).toBe(2 ** 6);
    expect(new Set(points.map((point) => JSON.stringify(point))).size).toBe(2 ** 6);
    for (const point of points) expect(Object.keys(point)).toEqual([...gridKeys]);
  });

  it.each<[string, Grid, RegExp]>([
    ["an empty grid", {}, /names no key/],
    ["a key without values", { ema_fast: [], top_n: [1] }, /ema_fast has no value/],
    ["a value given twice", { top_n: [1, 2, 1] }, /top_n tries 1 twice/],
    ["a key it does not know", { ema_medium: [3] } as Grid, /ema_medium is no key/],
  ])("refuses %s", (_, grid, why) => {
    expect(() => gridPoints(grid)).toThrow(why);
  });

  it("lists all that is wrong at once", () => {
    expect(() => gridPoints({ ema_fast: [], top_n: [1, 1] })).toThrow(
      expect.objectContaining({
        code: "PF_GRID",
        problems: ["ema_fast has no value to try", "top_n tries 1 twice"],
      }),
    );
  });
});

describe("applyPoint", () => {
  it("puts every key where the strategy reads it, and leaves the rest", () => {
    const values = Object.fromEntries(gridKeys.map((key, at) => [key, 101 + at]));
    const { features, selection, weights, rebalance } = applyPoint(quickOptions, values);
    const { macd } = quickOptions.features;
    expect(features).toEqual({ emaFast: 101, emaSlow: 102, atrWindow: 105, macd });
    expect(selection).toEqual({
      topN: 103,
      corrCap: 104,
      corrWindow: 106,
      minScore: 107,
      incumbents: "keep",
    });
    expect(weights).toEqual({ method: "inv_vol", volWindow: 108, maxWeightPerAsset: 109, cashBuffer: 110 });
    expect(rebalance).toEqual({ minWeightChange: 111 });
    expect(applyPoint(quickOptions, {})).toEqual(quickOptions);
  });
});

describe("planGrid", () => {
  it("gives each point its strategy", () => {
    const { points, strategies, impossible, keys } = planGrid(quickStudy);
    expect(keys).toEqual(["ema_fast", "ema_slow", "top_n"]);
    expect(impossible).toEqual([]);
    for (const [at, point] of points.entries()) {
      expect(strategies[at]!.options).toEqual(applyPoint(quickOptions, point));
    }
  });

  it("keeps combinations that contradict themselves as points without a strategy, and names them", () => {
    const { points, strategies, impossible } = planned({ ema_fast: [3, 10], ema_slow: [8, 20] });
    expect(points.length).toBe(4);
    expect(strategies.map((strategy) => strategy !== undefined)).toEqual([true, true, false, true]);
    expect(impossible).toEqual([
      {
        point: { ema_fast: 10, ema_slow: 8 },
        problems: ["features.emaFast (10) must be smaller than features.emaSlow (8)"],
      },
    ]);
  });

  it.each<[string, Grid, RegExp]>([
    [
      "no combination can use",
      { ema_fast: [3, 30], ema_slow: [8, 20] },
      /ema_fast 30 fits no combination \(ema_fast 30, ema_slow 8: /,
    ],
    [
      "the strategy always refuses",
      { top_n: [0, 1] },
      /top_n 0 fits no combination: selection.topN must be a whole number/,
    ],
    ["is no number", { corr_cap: [Number.NaN] }, /corr_cap NaN fits no combination/],
  ])("refuses a value that %s", (_, grid, why) => {
    expect(() => planned(grid)).toThrow(why);
  });

  it("names a weighting that nobody registered as what it is", () => {
    const options = { ...quickOptions, weights: { ...quickOptions.weights, method: "magic" } };
    expect(() => planGrid({ options, grid: { top_n: [1] } })).toThrow(/no weighting is called "magic"/);
  });
});
