import type { Panel, Weights } from "@pf/market";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { panelOf, remade, scrambledAfter, worlds } from "../../market/test/worlds.js";
import {
  builtinOverlays,
  createFeatures,
  createStrategy,
  type Decision,
  ExtensionError,
  type OverlayOptions,
  overlayProblems,
  type StrategyOptions,
  StrategyOptionsError,
} from "../src/index.js";
import { anyOverlays, anyRules, optionsWith } from "./options.js";

const markets = worlds({ minRows: 20, maxSymbols: 5 });
const walk = { kind: "walk" as const, start: 0, holes: [] };

/** Every row's decision from the same targets, so that rules can be compared row by row. */
function decisions(panel: Panel, options: StrategyOptions, held: Weights = {}): Decision[] {
  const prepared = createStrategy(options).prepare(panel);
  return panel.sessions.map((_, row) => prepared.decide(row, held));
}

const without = (options: StrategyOptions): StrategyOptions => ({
  ...options,
  weights: { ...options.weights, volTarget: null },
  rebalance: { minWeightChange: 0 },
  overlays: [],
});

it("every overlay that is built in is held to the laws below", () => {
  expect(Object.keys(anyOverlays).sort()).toEqual([...builtinOverlays.names].sort());
});

describe.each(builtinOverlays.names)("overlay %s", (name) => {
  it("only lowers: no weight is above what it is without it, no name is added, and cash is what is left", () => {
    let lowered = 0;
    fc.assert(
      fc.property(markets, anyRules, anyOverlays[name]!, (world, rules, overlay) => {
        const panel = panelOf(world);
        const plain = decisions(panel, without(rules));
        const scaled = decisions(panel, { ...without(rules), overlays: [overlay] });
        for (const [row, { weights, selected, cash, overlays }] of scaled.entries()) {
          const before = plain[row]!;
          expect(selected).toEqual(before.selected);
          expect(overlays).toHaveLength(1);
          const { exposure, reason } = overlays[0]!;
          expect([1, overlay.exposure]).toContain(exposure);
          expect(reason).not.toMatch(/NaN|undefined/);
          for (const [symbol, weight] of Object.entries(weights)) {
            expect(weight).toBe(before.weights[symbol]! * exposure);
            expect(weight).toBeLessThanOrEqual(before.weights[symbol]!);
            if (weight < before.weights[symbol]!) lowered++;
          }
          expect(cash).toBeGreaterThanOrEqual(before.cash);
        }
      }),
      { seed: 1, numRuns: 60 },
    );
    expect(lowered).toBeGreaterThan(20);
  });

  it("says the same whatever comes after the row, on a panel that is cut there, and with shared features", () => {
    fc.assert(
      fc.property(markets, anyOverlays[name]!, fc.nat(), (world, overlay, pick) => {
        const panel = panelOf(world);
        if (panel.sessions.length === 0) return;
        const options = optionsWith({ overlays: [overlay] });
        const row = pick % panel.sessions.length;
        const said = decisions(panel, options)[row]!.overlays;
        expect(decisions(panel.upTo(row), options)[row]!.overlays).toEqual(said);
        expect(decisions(scrambledAfter(panel, row, world.seed), options)[row]!.overlays).toEqual(said);
        const shared = createStrategy(options).prepare(panel, createFeatures(panel));
        expect(shared.decide(row, {}).overlays).toEqual(said);
      }),
      { numRuns: 60 },
    );
  });

  it("fails safe: while its window is not full, the exposure is the lowered one", () => {
    const [overlay] = fc.sample(anyOverlays[name]!, { numRuns: 1, seed: 1 });
    const window = 12;
    const panel = panelOf({ seed: 4, rows: 60, shapes: [walk, walk, walk] });
    const options = optionsWith({
      overlays: [
        // Thresholds that any market keeps, so that only the window can be the reason.
        {
          ...overlay!,
          window,
          exposure: 0.25,
          ...("threshold" in overlay! ? { threshold: name === "breadth" ? 1e-9 : 1e9 } : {}),
        },
      ],
    });
    const exposures = decisions(panel, options).map((one) => one.overlays[0]!.exposure);
    expect(exposures.slice(0, window - 1)).toEqual(new Array(window - 1).fill(0.25));
    expect(exposures.slice(window)).toContain(1);
  });
});

describe("the reasons", () => {
  const rising = panelOf({ seed: 21, rows: 60, shapes: [walk, walk, walk] });
  const saying = (overlay: OverlayOptions, panel: Panel = rising) =>
    decisions(panel, optionsWith({ overlays: [overlay] })).map((one) => one.overlays[0]!);

  it("of sma_filter are borne out by the prices", () => {
    const close = rising.column("close", "S0");
    const met = new Set<number>();
    for (const [row, { exposure, reason }] of saying({
      name: "sma_filter",
      symbol: "S0",
      window: 5,
      exposure: 0.5,
    }).entries()) {
      if (row < 4) {
        expect(reason).toBe("S0 has fewer than 5 bars, which counts as below its average of 5 bars");
        continue;
      }
      const average = close.subarray(row - 4, row + 1).reduce((sum, price) => sum + price, 0) / 5;
      expect(exposure).toBe(close[row]! < average ? 0.5 : 1);
      expect(reason).toContain(
        `S0 closed at ${close[row]!.toFixed(2)}, ${exposure === 1 ? "not below" : "below"}`,
      );
      expect(reason).toContain(average.toFixed(2));
      met.add(exposure);
    }
    expect(met.size).toBe(2);
  });

  it("of volatility tell what a year's would be, of a symbol or of the mean of all", () => {
    const returns = rising.tickers.map((ticker) => {
      const close = rising.column("close", ticker);
      return close.map((price, row) => price / (close[row - 1] ?? Number.NaN) - 1);
    });
    const mean = returns[0]!.map((_, row) => (returns[0]![row]! + returns[1]![row]! + returns[2]![row]!) / 3);
    for (const [symbol, column] of [
      ["S0", returns[0]!],
      ["universe", mean],
    ] as const) {
      const said = saying({ name: "volatility", symbol, window: 10, threshold: 0.1, exposure: 0 });
      const met = new Set<number>();
      for (const [row, { exposure, reason }] of said.entries()) {
        if (row < 10) continue;
        const window = [...column.subarray(row - 9, row + 1)];
        const average = window.reduce((sum, value) => sum + value, 0) / 10;
        const annual = Math.sqrt((window.reduce((sum, value) => sum + (value - average) ** 2, 0) / 9) * 252);
        expect(exposure).toBe(annual > 0.1 ? 0 : 1);
        expect(reason).toContain(
          `${(annual * 100).toFixed(1)} % a year over 10 bars, ${exposure === 1 ? "not above" : "above"} 10.0 %`,
        );
        met.add(exposure);
      }
      expect(met.size, symbol).toBe(2);
    }
  });

  it("of breadth count the symbols, and say when too few of them have a history", () => {
    const late = { ...walk, start: 30 };
    const panel = panelOf({ seed: 8, rows: 60, shapes: [walk, late, late] });
    const said = saying({ name: "breadth", window: 5, threshold: 0.5, exposure: 0.5 }, panel);
    expect(said[20]).toEqual({
      name: "breadth",
      exposure: 0.5,
      reason: "only 1 of 3 symbols have 5 bars, which counts as too few above average",
    });
    const met = new Set<number>();
    for (let row = 40; row < 60; row++) {
      const above = panel.tickers.filter((ticker) => {
        const own = panel.column("close", ticker).subarray(row - 4, row + 1);
        return own[4]! > own.reduce((sum, price) => sum + price, 0) / 5;
      }).length;
      expect(said[row]!.exposure).toBe(above >= 1.5 ? 1 : 0.5);
      expect(said[row]!.reason).toContain(`${above} of 3 symbols are above their average of 5 bars`);
      met.add(above);
    }
    expect(met.size).toBeGreaterThan(2);
  });

  it("say when the symbol has no bar, which never counts as calm or above", () => {
    const holed = remade(rising, (series) => {
      if (series.ticker !== "S0") return series;
      const keep = (column: Float64Array) => Float64Array.from([...column].filter((_, bar) => bar !== 50));
      return {
        ...series,
        sessions: series.sessions.filter((_, bar) => bar !== 50),
        open: keep(series.open),
        high: keep(series.high),
        low: keep(series.low),
        close: keep(series.close),
        volume: keep(series.volume),
      };
    });
    const [sma, volatility] = [
      { name: "sma_filter", symbol: "S0", window: 5, exposure: 0.5 },
      { name: "volatility", symbol: "S0", window: 5, threshold: 100, exposure: 0.5 },
    ].map((overlay) => saying(overlay, holed)[50]!);
    expect(sma).toMatchObject({
      exposure: 0.5,
      reason: "S0 has no bar, which counts as below its average of 5 bars",
    });
    expect(volatility).toMatchObject({
      exposure: 0.5,
      reason: "S0 has no bar or fewer than 5 returns, which counts as volatile",
    });
  });
});

describe("parameters of overlays", () => {
  const good = { name: "sma_filter", symbol: "SPY", window: 200, exposure: 0.5 };
  it("that are missing, unknown or out of range are told all at once", () => {
    expect(overlayProblems({ name: "sma_filter", widow: 200, exposure: 1.5 }, ["SPY"])).toEqual([
      { parameter: "widow", problem: "is no parameter of sma_filter, which has symbol, window, exposure" },
      { parameter: "symbol", problem: "is missing: it must be a symbol of the universe, such as SPY" },
      {
        parameter: "window",
        problem: "is missing: it must be a whole number of bars from 2 to 5000, such as 200",
      },
      { parameter: "exposure", problem: "must be a factor from 0, all cash, to 1, such as 0.5" },
    ]);
    expect(overlayProblems(good, ["SPY", "TLT"])).toEqual([]);
  });
  it.each([
    [{ ...good, window: "200" }, "window"],
    [{ ...good, window: 1 }, "window"],
    [{ ...good, window: 5001 }, "window"],
    [{ ...good, exposure: -0.1 }, "exposure"],
    [{ ...good, exposure: null }, "exposure"],
    [{ ...good, symbol: "universe" }, "symbol"],
    [{ name: "volatility", symbol: "universe", window: 20, threshold: 0, exposure: 0.5 }, "threshold"],
    [{ name: "volatility", symbol: 7, window: 20, threshold: 0.2, exposure: 0.5 }, "symbol"],
    [{ name: "breadth", window: 200, threshold: 1.01, exposure: 0.5 }, "threshold"],
  ])("%j are refused", (overlay, parameter) => {
    expect(overlayProblems(overlay).map((one) => one.parameter)).toEqual([parameter]);
  });
  it("that name a symbol outside the universe are refused where the universe is known", () => {
    expect(overlayProblems(good, ["TLT"])).toEqual([
      { parameter: "symbol", problem: "must be a symbol of the universe, for others have no bars" },
    ]);
    expect(
      overlayProblems({ name: "volatility", symbol: "universe", window: 20, threshold: 0.2, exposure: 0 }, [
        "TLT",
      ]),
    ).toEqual([]);
    expect(overlayProblems(good)).toEqual([]);
    const prepared = createStrategy(optionsWith({ overlays: [good] })).prepare(
      panelOf({ seed: 1, rows: 20, shapes: [walk] }),
    );
    expect(() => prepared.decide(0, {})).toThrow(ExtensionError);
    expect(() => prepared.decide(0, {})).toThrow(/overlay "sma_filter" on .*SPY/);
  });
  it("stop a strategy before it sees any bar", () => {
    expect(() =>
      createStrategy(optionsWith({ overlays: [{ name: "breadth", window: 0, threshold: 0.5 }] })),
    ).toThrow(
      new StrategyOptionsError([
        "overlays[0].window must be a whole number of bars from 2 to 5000, such as 200",
        "overlays[0].exposure is missing: it must be a factor from 0, all cash, to 1, such as 0.5",
      ]),
    );
  });
});

describe("the volatility target", () => {
  it("scales all weights by one factor, down to the target and never up", () => {
    const met = { scaled: 0, left: 0 };
    fc.assert(
      fc.property(markets, anyRules, fc.constantFrom(0.02, 0.1, 0.4), (world, rules, volTarget) => {
        const panel = panelOf(world);
        const plain = without(rules);
        const before = decisions(panel, plain);
        const after = decisions(panel, { ...plain, weights: { ...plain.weights, volTarget } });
        for (const [row, { weights, overlays }] of after.entries()) {
          const untouched = before[row]!.weights;
          if (before[row]!.selected.length === 0) {
            expect(overlays).toEqual([]);
            continue;
          }
          const { exposure } = overlays[0]!;
          expect(overlays[0]!.name).toBe("vol_target");
          for (const [symbol, weight] of Object.entries(untouched)) {
            expect(weights[symbol]).toBe(weight * exposure);
          }
          // With sample covariances that is the volatility these weights would have had on the last rows.
          if (plain.weights.covariance === "ledoit_wolf") continue;
          const realised = realisedVolatility(panel, row, plain.selection.corrWindow, weights);
          expect(realised).toBeLessThanOrEqual(volTarget * (1 + 1e-9));
          if (exposure < 1) expect(realised).toBeCloseTo(volTarget, 9);
          met[exposure < 1 ? "scaled" : "left"]++;
        }
      }),
      { seed: 3, numRuns: 100 },
    );
    expect(met.scaled).toBeGreaterThan(20);
    expect(met.left).toBeGreaterThan(20);
  });

  it("is told with its numbers, before the overlays", () => {
    const panel = panelOf({ seed: 21, rows: 60, shapes: [walk, walk, walk] });
    const options = optionsWith({
      weights: { volTarget: 0.03 },
      overlays: [{ name: "breadth", window: 5, threshold: 0.5, exposure: 0.5 }],
    });
    const [told] = decisions(panel, options).filter(({ selected }) => selected.length > 0);
    expect(told!.overlays.map((one) => one.name)).toEqual(["vol_target", "breadth"]);
    expect(told!.overlays[0]!.reason).toMatch(/^the weights' volatility is \d+\.\d % a year, above 3\.0 %$/);
  });

  it("counts as many bars a year as it is told", () => {
    const panel = panelOf({ seed: 21, rows: 60, shapes: [walk, walk, walk] });
    const exposures = (periodsPerYear?: number) =>
      decisions(panel, {
        ...optionsWith({ weights: { volTarget: 0.03 } }),
        ...(periodsPerYear === undefined ? {} : { periodsPerYear }),
      })
        .filter(({ selected }) => selected.length > 0)
        .map(({ overlays }) => overlays[0]!.exposure);
    const [daily, fourfold] = [exposures(), exposures(4 * 252)];
    expect(daily.length).toBeGreaterThan(10);
    for (const [k, exposure] of daily.entries()) expect(fourfold[k]).toBeCloseTo(exposure / 2, 9);
  });

  it.each([0, -0.1, Number.NaN, Number.POSITIVE_INFINITY])("of %d is refused", (volTarget) => {
    expect(() => createStrategy(optionsWith({ weights: { volTarget } }))).toThrow(
      /weights.volTarget must be above 0/,
    );
  });

  it("and the estimator are refused when they are none", () => {
    expect(() => createStrategy(optionsWith({ weights: { covariance: "oracle" as never } }))).toThrow(
      /weights.covariance must be sample or ledoit_wolf, not "oracle"/,
    );
    expect(() => createStrategy({ ...optionsWith({}), periodsPerYear: 0 })).toThrow(
      /periodsPerYear must be above 0/,
    );
  });
});

it("what shrinks covariances changes the weights of three names under erc, hrp and min_var, and of nobody else", () => {
  const panel = panelOf({ seed: 12, rows: 60, shapes: [walk, walk, walk, walk] });
  for (const method of ["inv_vol", "equal", "erc", "hrp", "min_var"]) {
    const weights = (covariance: "sample" | "ledoit_wolf") =>
      decisions(
        panel,
        optionsWith({
          selection: { topN: 4, corrCap: 1, minScore: -1e6 },
          weights: { method, covariance, maxWeightPerAsset: 1 },
          rebalance: { minWeightChange: 0 },
        }),
      ).map((one) => (one.selected.length > 2 ? one.weights : {}));
    const looks = method !== "inv_vol" && method !== "equal";
    expect(JSON.stringify(weights("sample")) !== JSON.stringify(weights("ledoit_wolf")), method).toBe(looks);
  }
});

/** Annual volatility of fixed weights over the last rows up to `row`. */
function realisedVolatility(panel: Panel, row: number, window: number, weights: Weights): number {
  const portfolio = new Float64Array(window);
  for (const [ticker, weight] of Object.entries(weights)) {
    const close = panel.column("close", ticker);
    for (let at = 0; at < window; at++) {
      const today = row - window + 1 + at;
      let before = today - 1;
      while (Number.isNaN(close[before]!)) before--;
      portfolio[at]! += weight * (close[today]! / close[before]! - 1);
    }
  }
  const mean = portfolio.reduce((sum, value) => sum + value, 0) / window;
  return Math.sqrt((portfolio.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (window - 1)) * 252);
}
