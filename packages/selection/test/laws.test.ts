import { alignPanel, type Panel, type Weights } from "@pf/market";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  generator,
  panelOf,
  remade,
  scrambledAfter,
  seriesOf,
  type World,
  worlds,
} from "../../market/test/worlds.js";
import {
  createFeatures,
  createStrategy,
  type Decision,
  reasons,
  type StrategyOptions,
  windowFeatures,
} from "../src/index.js";
import { anyRules, optionsWith } from "./options.js";

const markets = worlds({ minRows: 10 });

/** All decisions of a market, each from the targets of the one before. */
function path(panel: Panel, options: StrategyOptions): Decision[] {
  const prepared = createStrategy(options).prepare(panel);
  const decisions: Decision[] = [];
  let held: Weights = {};
  for (let row = 0; row < panel.sessions.length; row++) {
    const decision = prepared.decide(row, held);
    decisions.push(decision);
    held = decision.weights;
  }
  return decisions;
}

describe("a decision", () => {
  it("does not change when any later bar changes", () => {
    fc.assert(
      fc.property(markets, anyRules, fc.nat(), (world, options, pick) => {
        const panel = panelOf(world);
        const rows = panel.sessions.length;
        if (rows === 0) return;
        const row = pick % rows;
        const scrambled = scrambledAfter(panel, row, world.seed);
        expect(path(scrambled, options).slice(0, row + 1)).toEqual(path(panel, options).slice(0, row + 1));
      }),
    );
  });

  it("is the same on a panel cut at its row, to the last bit", () => {
    fc.assert(
      fc.property(markets, anyRules, fc.nat(), (world, options, pick) => {
        const panel = panelOf(world);
        const rows = panel.sessions.length;
        if (rows === 0) return;
        const row = pick % rows;
        const held = row > 0 ? path(panel, options)[row - 1]!.weights : {};
        const strategy = createStrategy(options);
        expect(strategy.prepare(panel.upTo(row)).decide(row, held)).toEqual(
          strategy.prepare(panel).decide(row, held),
        );
      }),
    );
  });

  it("holds what the engine's path holds, to the last bit", () => {
    fc.assert(
      fc.property(markets, anyRules, (world, options) => {
        const panel = panelOf(world);
        const prepared = createStrategy(options).prepare(panel);
        let held = new Float64Array(panel.tickers.length);
        for (const decision of path(panel, options)) {
          const out = new Float64Array(panel.tickers.length);
          prepared.weightsInto(panel.sessions.indexOf(decision.asOf), held, out);
          expect(Array.from(out)).toEqual(panel.tickers.map((ticker) => decision.weights[ticker] ?? 0));
          held = out;
        }
      }),
    );
  });

  it("stays within the cap of a name, the budget and the places, and never goes short", () => {
    fc.assert(
      fc.property(markets, anyRules, (world, options) => {
        const { maxWeightPerAsset, cashBuffer } = options.weights;
        for (const { weights, selected, cash, overlays } of path(panelOf(world), options)) {
          const held = Object.values(weights);
          for (const weight of held) {
            expect(weight).toBeGreaterThan(0);
            expect(weight).toBeLessThanOrEqual(maxWeightPerAsset);
          }
          const invested = held.reduce((sum, weight) => sum + weight, 0);
          expect(invested).toBeLessThanOrEqual(1 - cashBuffer + 1e-12);
          expect(cash).toBeCloseTo(1 - invested, 12);
          expect(selected.length).toBeLessThanOrEqual(options.selection.topN);
          for (const name of Object.keys(weights)) expect(selected).toContain(name);
          // Least variance wants nothing of some names, two halves that cancel leave nothing to others, and an overlay
          // may want none at all; the rest leave a weight to every name.
          const everyName = ["inv_vol", "equal", "erc"].includes(options.weights.method);
          if (everyName && overlays.every(({ exposure }) => exposure > 0))
            expect(Object.keys(weights).length).toBe(selected.length);
        }
      }),
    );
  });

  it("leaves no name out that could have been taken, and takes none it must not", () => {
    fc.assert(
      fc.property(markets, anyRules, (world, options) => {
        for (const { candidates, selected, correlations } of path(panelOf(world), options)) {
          for (const { rho } of correlations)
            expect(Math.abs(rho)).toBeLessThanOrEqual(options.selection.corrCap);
          for (const { eligible, selected: isIn, reason, symbol, score } of candidates) {
            expect(isIn).toBe(selected.includes(symbol));
            expect(isIn).toBe(reason === "kept" || reason === "selected");
            if (isIn) expect(eligible).toBe(true);
            if (eligible) expect(score).toBeGreaterThanOrEqual(options.selection.minScore);
            if (eligible && !isIn) expect(["correlation_cap", "places_taken"]).toContain(reason);
            if (reason === "places_taken") expect(selected.length).toBe(options.selection.topN);
          }
        }
      }),
    );
  });

  it("gives reasons that its own numbers bear out", () => {
    const seen = new Set<string>();
    fc.assert(
      fc.property(markets, anyRules, (world, options) => {
        const macdGate = options.features.macd.enabled;
        for (const { candidates, selected } of path(panelOf(world), options)) {
          for (const { symbol, reason, eligible, score, values, detail } of candidates) {
            seen.add(reason);
            const { close, emaFast, emaSlow, macd } = values;
            expect(detail).not.toMatch(/NaN|undefined/);
            if (eligible) {
              expect(emaFast).toBeGreaterThan(emaSlow);
              expect(close).toBeGreaterThanOrEqual(emaFast);
              if (macdGate) expect(macd).toBeGreaterThan(0);
            }
            if (reason === "no_bar") expect(close).toBeNaN();
            else expect(close).toBeGreaterThan(0);
            if (reason === "trend_gate") expect(emaFast).toBeLessThanOrEqual(emaSlow);
            if (reason === "macd_gate") expect(macd).toBeLessThanOrEqual(0);
            if (reason === "below_ema_fast") expect(close).toBeLessThan(emaFast);
            if (reason === "below_min_score") expect(score).toBeLessThan(options.selection.minScore);
            if (reason === "correlation_cap") expect(selected).not.toContain(symbol);
          }
        }
      }),
      // One seed: that every reason comes up is a matter of the sample.
      { seed: 1, numRuns: 200 },
    );
    expect([...seen].sort()).toEqual([...reasons].filter((one) => one !== "score_undefined").sort());
  });

  it("changes nothing when a price is scaled by a power of two", () => {
    fc.assert(
      fc.property(markets, anyRules, fc.integer({ min: -3, max: 3 }), (world, options, power) => {
        const factor = 2 ** power;
        const panel = panelOf(world);
        const scaled = remade(panel, (series) =>
          series.ticker === "S0"
            ? {
                ...series,
                open: series.open.map((price) => price * factor),
                high: series.high.map((price) => price * factor),
                low: series.low.map((price) => price * factor),
                close: series.close.map((price) => price * factor),
              }
            : series,
        );
        const decided = (market: Panel) =>
          path(market, options).map(({ weights, selected }) => ({ weights, selected }));
        expect(decided(scaled)).toEqual(decided(panel));
      }),
    );
  });

  it("chooses the same names from a reordered universe, unless scores tie", () => {
    fc.assert(
      fc.property(markets, anyRules, (world, options) => {
        const series = seriesOf(world);
        const forward = path(alignPanel(series), options);
        const backward = path(alignPanel([...series].reverse()), options);
        for (const [row, decision] of forward.entries()) {
          const scores = decision.candidates.filter((one) => one.eligible).map((one) => one.score);
          // After a tie the paths may differ for good, since what is held differs.
          if (new Set(scores).size < scores.length) return;
          expect(backward[row]!.selected).toEqual(decision.selected);
        }
      }),
    );
  });

  it("takes twins in universe order and never both under a cap below 1", () => {
    const shape = { kind: "twin" as const, start: 0, holes: [] };
    const world: World = { seed: 7, rows: 60, shapes: [{ ...shape, kind: "walk" }, shape, shape] };
    const decisions = path(panelOf(world), optionsWith({ selection: { incumbents: "rank", topN: 3 } }));
    const holding = decisions.filter((one) => one.selected.length > 0);
    expect(holding.length).toBeGreaterThan(5);
    for (const { selected } of holding) expect(selected).toEqual(["S0"]);
    const open = path(
      panelOf(world),
      optionsWith({ selection: { incumbents: "rank", topN: 3, corrCap: 1 } }),
    );
    for (const { selected, correlations } of open.filter((one) => one.selected.length > 0)) {
      expect(selected).toEqual(["S0", "S1", "S2"]);
      for (const { rho } of correlations) expect(rho).toBe(1);
    }
  });

  it("keeps a name that the literal rule would drop for a better one", () => {
    const differ = fc
      .sample(worlds({ minRows: 60, maxSymbols: 6 }), { numRuns: 60, seed: 3 })
      .some((world) => {
        const kept = path(panelOf(world), optionsWith({ selection: { incumbents: "keep", topN: 1 } }));
        return kept.some(({ candidates, selected }) => {
          const [name] = selected;
          const held = candidates.find((one) => one.symbol === name);
          return held?.reason === "kept" && candidates.some((one) => one.eligible && one.score > held.score);
        });
      });
    expect(differ).toBe(true);
  });

  it("moves a target only beyond the band or with its names", () => {
    fc.assert(
      fc.property(markets, anyRules, (world, options) => {
        const band = options.rebalance.minWeightChange;
        let before: Decision | undefined;
        for (const decision of path(panelOf(world), options)) {
          const previous = before?.weights ?? {};
          const names = Object.keys(decision.weights);
          const same =
            names.length === Object.keys(previous).length && names.every((name) => name in previous);
          const moves = names.map((name) => Math.abs(decision.weights[name]! - (previous[name] ?? 0)));
          if (same && band > 0 && moves.some((move) => move > 0))
            expect(Math.max(...moves)).toBeGreaterThan(band);
          if (decision.heldByBand) expect(decision.weights).toEqual(previous);
          before = decision;
        }
      }),
    );
  });

  it("holds cash and says why when there is no asset, or one that never moves", () => {
    expect(path(panelOf({ seed: 1, rows: 20, shapes: [] }), optionsWith({}))).toEqual([]);
    const flat = path(
      panelOf({ seed: 1, rows: 30, shapes: [{ kind: "constant", start: 0, holes: [] }] }),
      optionsWith({}),
    );
    expect(flat.every((one) => one.cash === 1 && one.selected.length === 0)).toBe(true);
    expect(flat[0]!.candidates[0]!.reason).toBe("warm_up");
    expect(flat.at(-1)!.candidates[0]!.reason).toBe("correlation_undefined");
  });

  it("finds candidates beyond the first sixteen when the correlation cap turns all of these away", () => {
    // Twenty twins of one walk lead; an unrelated one with a smaller score must still be found.
    const leader = { kind: "walk" as const, start: 0, holes: [] };
    const twins = Array.from({ length: 20 }, () => ({ ...leader, kind: "twin" as const }));
    const found = Array.from({ length: 40 }, (_, seed) =>
      path(
        panelOf({ seed: seed + 1, rows: 40, shapes: [leader, ...twins, leader, leader] }),
        optionsWith({ selection: { incumbents: "rank" } }),
      ),
    ).flat();
    const rescued = found.filter(({ candidates, selected }) => {
      const last = candidates.find((one) => one.symbol === selected[1]);
      return (
        last !== undefined && candidates.filter((one) => one.eligible && one.score > last.score).length > 16
      );
    });
    expect(rescued.length).toBeGreaterThan(0);
  });
});

describe("prepare", () => {
  it("gives the same decisions with shared and with streamed features", () => {
    const shapes = Array.from({ length: 120 }, (_, k) => ({
      kind: (["walk", "walk", "stepwise", "constant"] as const)[k % 4]!,
      start: k % 7 === 0 ? 11 : 0,
      holes: k % 11 === 0 ? [20, 31] : [],
    }));
    const panel = panelOf({ seed: 11, rows: 70, shapes });
    const strategy = createStrategy(optionsWith({ selection: { topN: 4 } }));
    const streamed = strategy.prepare(panel);
    const shared = strategy.prepare(panel, createFeatures(panel));
    let held: Weights = {};
    let busy = 0;
    for (let row = 0; row < panel.sessions.length; row++) {
      const decision = streamed.decide(row, held);
      expect(shared.decide(row, held)).toEqual(decision);
      busy += decision.selected.length;
      held = decision.weights;
    }
    expect(busy).toBeGreaterThan(50);
  });

  it("gives strategies that share features what each would decide alone", () => {
    fc.assert(
      fc.property(markets, fc.array(anyRules, { minLength: 2, maxLength: 6 }), (world, many) => {
        const panel = panelOf(world);
        const features = createFeatures(panel);
        const row = panel.sessions.length - 1;
        if (row < 0) return;
        for (const options of [...many, ...many]) {
          const strategy = createStrategy(options);
          expect(strategy.prepare(panel, features).decide(row, {})).toEqual(
            strategy.prepare(panel).decide(row, {}),
          );
        }
      }),
    );
  });

  it("decides on a window of shared features what it decides on the cut panel, to the last bit", () => {
    fc.assert(
      fc.property(
        markets,
        fc.array(anyRules, { minLength: 1, maxLength: 3 }),
        fc.nat(),
        fc.nat(),
        (world, many, a, b) => {
          const panel = panelOf(world);
          const rows = panel.sessions.length;
          if (rows === 0) return;
          const from = a % rows;
          const to = from + 1 + (b % (rows - from));
          const whole = createFeatures(panel);
          for (const options of many) {
            const features = windowFeatures(whole, from, to);
            const strategy = createStrategy(options);
            const [shared, alone] = [
              strategy.prepare(features.panel, features),
              strategy.prepare(panel.between(from, to)),
            ];
            let held: Weights = {};
            for (let row = 0; row < to - from; row++) {
              const decision = alone.decide(row, held);
              expect(shared.decide(row, held)).toEqual(decision);
              held = decision.weights;
            }
          }
        },
      ),
    );
  });

  it("computes for a window what the cut panel's own features are", () => {
    fc.assert(
      fc.property(markets, fc.integer({ min: 2, max: 12 }), fc.nat(), fc.nat(), (world, window, a, b) => {
        const panel = panelOf(world);
        const rows = panel.sessions.length;
        if (rows === 0) return;
        const from = a % rows;
        const to = from + 1 + (b % (rows - from));
        const shared = windowFeatures(createFeatures(panel), from, to);
        const alone = createFeatures(panel.between(from, to));
        for (const ticker of panel.tickers) {
          expect(shared.volatility(ticker, window)).toEqual(alone.volatility(ticker, window));
          expect(shared.returns(ticker)).toEqual(alone.returns(ticker));
          expect(shared.ema(ticker, window)).toEqual(alone.ema(ticker, window));
          expect(shared.atr(ticker, window)).toEqual(alone.atr(ticker, window));
        }
      }),
    );
  });

  it("answers rows in any order alike", () => {
    const panel = panelOf({
      seed: 5,
      rows: 60,
      shapes: Array.from({ length: 5 }, () => ({ kind: "walk" as const, start: 0, holes: [] })),
    });
    const prepared = createStrategy(optionsWith({})).prepare(panel);
    const held = { S1: 0.4, S3: 0.5 };
    const ascending = Array.from({ length: 60 }, (_, row) => prepared.decide(row, held));
    const draw = generator(9);
    for (let k = 0; k < 60; k++) {
      const row = Math.floor(draw() * 60);
      expect(prepared.decide(row, held)).toEqual(ascending[row]);
    }
  });
});
