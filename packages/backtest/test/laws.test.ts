import type { Panel, Weights } from "@pf/market";
import { createStrategy } from "@pf/selection";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { generator, panelOf, scrambledAfter, type World, worlds } from "../../market/test/worlds.js";
import { anyOptions, smallOptions } from "../../selection/test/options.js";
import {
  BacktestOptionsError,
  type BacktestResult,
  type CostModel,
  measure,
  measureReturns,
  runBacktest,
  runBenchmarks,
  runSharedTargets,
  runTargets,
  type SharedTargets,
  sparseTargets,
  targetSeries,
} from "../src/index.js";

const markets = worlds({ minRows: 2 });
const costs: CostModel = { commissionPerShare: 0.0035, slippageBps: 1 };
const lags = fc.constantFrom(1 as const, 2 as const);
const columns = ["net", "gross", "turnover", "commission", "slippage", "equity"] as const;

/** Random targets of any names, long only, unrelated to the market. */
function randomTargets(panel: Panel, seed: number): Weights[] {
  const draw = generator(seed);
  let weights: Weights = {};
  return panel.sessions.map(() => {
    if (draw() < 0.4) {
      weights = Object.fromEntries(
        panel.tickers.filter(() => draw() < 0.4).map((ticker) => [ticker, draw() / 3]),
      );
    }
    return weights;
  });
}

/** Random holdings, unrelated to the market, and runs that keep one for some rows and then take another. */
function randomShared(panel: Panel, seed: number, runs: number): SharedTargets {
  const draw = generator(seed);
  const { sessions, tickers } = panel;
  const start = [0, 0];
  const symbol: number[] = [];
  const weight: number[] = [];
  for (let holding = 0; holding < 6; holding++) {
    for (const i of tickers.keys()) {
      if (draw() < 0.5) continue;
      symbol.push(i);
      // Few different weights, so that some symbols keep theirs from one holding to the next.
      weight.push([0.1, 0.25, 0.3][Math.floor(draw() * 3)]!);
    }
    start.push(symbol.length);
  }
  const held = Array.from({ length: runs }, () => {
    let holding = 0;
    return Int32Array.from(sessions, () => {
      if (draw() < 0.4) holding = Math.floor(draw() * 7);
      return holding;
    });
  });
  return {
    sessions,
    tickers,
    start: Int32Array.from(start),
    symbol: Int32Array.from(symbol),
    weight: Float64Array.from(weight),
    held,
  };
}

/** A run's targets by themselves. */
function ownTargets({ sessions, tickers, start, symbol, weight }: SharedTargets, held: Int32Array) {
  const entries = [...held].flatMap((holding) =>
    Array.from({ length: start[holding + 1]! - start[holding]! }, (_, k) => start[holding]! + k),
  );
  let used = 0;
  return sparseTargets({
    sessions,
    tickers,
    rowStart: Int32Array.from([
      0,
      ...Array.from(held, (holding) => (used += start[holding + 1]! - start[holding]!)),
    ]),
    symbol: Int32Array.from(entries, (at) => symbol[at]!),
    weight: Float64Array.from(entries, (at) => weight[at]!),
  });
}

describe("runs that share holdings", () => {
  it("have each the returns and the turnover of a run by itself, to the last bit", () => {
    fc.assert(
      fc.property(markets, lags, fc.nat(), fc.integer({ min: 0, max: 20 }), (world, lag, seed, runs) => {
        const panel = panelOf(world);
        const shared = randomShared(panel, seed, runs);
        const together = runSharedTargets(panel, shared, costs, { lag });
        expect(together).toHaveLength(runs);
        for (const [run, held] of shared.held.entries()) {
          const { net, turnover } = runTargets(panel, ownTargets(shared, held), costs, { lag });
          expect(together[run]).toEqual({ net, turnover });
        }
      }),
    );
  });

  it("are refused for negative costs, another lag and targets of another panel, as one run is", () => {
    const panel = panelOf({ seed: 1, rows: 9, shapes: [{ kind: "walk", start: 0, holes: [] }] });
    const shared = randomShared(panel, 1, 2);
    expect(() => runSharedTargets(panel, shared, { ...costs, slippageBps: -1 })).toThrow(
      BacktestOptionsError,
    );
    expect(() => runSharedTargets(panel, shared, costs, { lag: 3 as 2 })).toThrow(BacktestOptionsError);
    expect(() => runSharedTargets(panel.between(0, 8), shared, costs)).toThrow(BacktestOptionsError);
  });
});

describe("the engine", () => {
  it("is the pseudocode of the specification, row by row", () => {
    fc.assert(
      fc.property(markets, lags, fc.nat(), (world, lag, seed) => {
        const panel = panelOf(world);
        const targets = randomTargets(panel, seed);
        const result = runTargets(
          panel,
          targetSeries(panel, (row) => targets[row]!),
          costs,
          { lag },
        );
        const traded = targets.map((_, row) => targets[row + 1 - lag] ?? {});
        for (const row of targets.keys()) {
          const held = traded[row - 1] ?? {};
          let gross = 0;
          let turnover = 0;
          let commission = 0;
          for (const ticker of panel.tickers) {
            const own = Array.from(panel.column("close", ticker).subarray(0, row + 1));
            const known = own.filter((price) => !Number.isNaN(price));
            const change = Math.abs((traded[row]![ticker] ?? 0) - (held[ticker] ?? 0));
            turnover += change;
            if (change > 0 && known.length > 0)
              commission += (change * costs.commissionPerShare) / known.at(-1)!;
            const hasReturn = !Number.isNaN(own[row]!) && known.length > 1;
            if (hasReturn) gross += (held[ticker] ?? 0) * (known.at(-1)! / known.at(-2)! - 1);
          }
          expect(result.gross[row]).toBeCloseTo(gross, 12);
          expect(result.turnover[row]).toBeCloseTo(turnover, 12);
          expect(result.commission[row]).toBeCloseTo(commission, 12);
          expect(result.slippage[row]).toBeCloseTo(turnover / 10_000, 12);
          expect(result.net[row]).toBeCloseTo(gross - commission - turnover / 10_000, 12);
          const before = row > 0 ? result.equity[row - 1]! : 1;
          expect(result.equity[row]).toBeCloseTo(before * (1 + result.net[row]!), 12);
        }
      }),
    );
  });

  it("earns nothing from a row that the decision saw: rows up to t do not change when later ones do", () => {
    fc.assert(
      fc.property(markets, anyOptions, lags, fc.nat(), (world, options, lag, pick) => {
        const panel = panelOf(world);
        const rows = panel.sessions.length;
        if (rows === 0) return;
        const row = pick % rows;
        const run = (market: Panel) => runBacktest(market, createStrategy(options), costs, { lag });
        const [real, scrambled] = [run(panel), run(scrambledAfter(panel, row, world.seed))];
        for (const column of columns) {
          expect(scrambled[column].slice(0, row + 1)).toEqual(real[column].slice(0, row + 1));
        }
      }),
    );
  });

  it("gives identical bytes twice", () => {
    fc.assert(
      fc.property(markets, anyOptions, (world, options) => {
        const run = (): BacktestResult => runBacktest(panelOf(world), createStrategy(options), costs);
        const [first, second] = [run(), run()];
        for (const column of columns)
          expect(Buffer.from(first[column].buffer)).toEqual(Buffer.from(second[column].buffer));
        expect(first.targets.weight).toEqual(second.targets.weight);
        expect(measure(first)).toEqual(measure(second));
      }),
    );
  });

  it("with lag 2 trades what lag 1 traded a row earlier", () => {
    fc.assert(
      fc.property(markets, fc.nat(), (world, seed) => {
        const panel = panelOf(world);
        const targets = randomTargets(panel, seed);
        const late = runTargets(
          panel,
          targetSeries(panel, (row) => targets[row]!),
          costs,
          { lag: 2 },
        );
        const shifted = runTargets(
          panel,
          targetSeries(panel, (row) => targets[row - 1] ?? {}),
          costs,
          { lag: 1 },
        );
        for (const column of columns) expect(late[column]).toEqual(shifted[column]);
      }),
    );
  });

  it("charges costs in proportion to their rates, and none at rate zero", () => {
    fc.assert(
      fc.property(markets, anyOptions, (world, options) => {
        const panel = panelOf(world);
        const run = (model: CostModel) => runBacktest(panel, createStrategy(options), model);
        const free = run({ commissionPerShare: 0, slippageBps: 0 });
        const dear = run({ commissionPerShare: 0.007, slippageBps: 2 });
        const usual = run(costs);
        expect(free.net).toEqual(free.gross);
        for (const row of usual.net.keys()) {
          expect(dear.commission[row]).toBeCloseTo(2 * usual.commission[row]!, 14);
          expect(dear.slippage[row]).toBeCloseTo(2 * usual.slippage[row]!, 14);
          expect(dear.gross[row]).toBe(usual.gross[row]);
        }
      }),
    );
  });

  it("refuses costs, lags and targets that mean nothing", () => {
    const panel = panelOf({ seed: 3, rows: 5, shapes: [{ kind: "walk", start: 0, holes: [] }] });
    const cash = targetSeries(panel, () => ({}));
    expect(() => runTargets(panel, cash, { commissionPerShare: -1, slippageBps: 1 })).toThrow(
      BacktestOptionsError,
    );
    expect(() => runTargets(panel, cash, { commissionPerShare: 0, slippageBps: Number.NaN })).toThrow(
      /slippageBps/,
    );
    expect(() => runTargets(panel, cash, costs, { lag: 3 as 2 })).toThrow(/lag must be 1 or 2/);
    expect(() => runTargets(panel.upTo(2), cash, costs)).toThrow(/another panel/);
    expect(() => targetSeries(panel, () => ({ XYZ: 1 }))).toThrow(/XYZ/);
    expect(() => targetSeries(panel, () => ({ S0: Number.NaN }))).toThrow(/NaN/);
  });
});

describe("the benchmarks", () => {
  const walk = { kind: "walk" as const, start: 0, holes: [] };
  const world: World = {
    seed: 5,
    rows: 80,
    shapes: [walk, { ...walk, start: 30 }, { ...walk, holes: [10, 11] }],
  };
  const named = (names: readonly string[]): Panel => {
    const panel = panelOf(world);
    const own = new Map(names.map((name, k) => [name, panel.tickers[k]!]));
    return { ...panel, tickers: names, column: (field, ticker) => panel.column(field, own.get(ticker)!) };
  };

  it("are those whose symbols are there", () => {
    const keys = (names: readonly string[]) => runBenchmarks(named(names), costs).map((one) => one.key);
    expect(keys(["SPY", "GLD", "IEF"])).toEqual(["SPY", "equal_weight", "60_40"]);
    expect(keys(["SPY", "GLD", "TLT"])).toEqual(["SPY", "equal_weight"]);
    expect(keys(["QQQ", "GLD", "IEF"])).toEqual(["equal_weight"]);
  });

  it("hold SPY from the first close on, at the cost of one purchase", () => {
    const panel = named(["SPY", "GLD", "IEF"]);
    const [spy] = runBenchmarks(panel, costs);
    const close = panel.column("close", "SPY");
    const paid = 0.0001 + costs.commissionPerShare / close[0]!;
    expect(spy!.result.equity.at(-1)).toBeCloseTo((1 - paid) * (close.at(-1)! / close[0]!), 12);
    expect(measure(spy!.result).Turnover).toBe(1);
  });

  it("divide the universe among the symbols that trade, through holes, and make room for a late starter once", () => {
    const { targets } = runBenchmarks(named(["SPY", "GLD", "IEF"]), costs)[1]!.result;
    expect(targets.at(10)).toEqual({ SPY: 1 / 2, IEF: 1 / 2 });
    expect(targets.at(29)).toEqual({ SPY: 1 / 2, IEF: 1 / 2 });
    expect(targets.at(30)).toEqual({ SPY: 1 / 3, GLD: 1 / 3, IEF: 1 / 3 });
  });
});

describe("measure", () => {
  it("finds the deepest fall and the growth that a plain walk over the equity finds", () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: -0.05, max: 0.05, noNaN: true }), { minLength: 1, maxLength: 60 }),
        (returns) => {
          const metrics = measureReturns(Float64Array.from(returns));
          const equity = returns.map((_, row) =>
            returns.slice(0, row + 1).reduce((grown, value) => grown * (1 + value), 1),
          );
          const falls = equity.map((value, row) => 1 - value / Math.max(1, ...equity.slice(0, row + 1)));
          expect(metrics.MaxDD).toBeCloseTo(Math.max(...falls), 12);
          expect(metrics.FinalEquity).toBeCloseTo(equity.at(-1)!, 12);
          const growth = equity.at(-1)! ** (252 / returns.length);
          expect(Math.abs((1 + metrics.CAGR) / growth - 1)).toBeLessThan(1e-9);
          if (metrics.MaxDD > 0) expect(metrics.Calmar).toBeCloseTo(metrics.CAGR / metrics.MaxDD, 9);
        },
      ),
    );
  });

  it("leaves undefined what has no meaning", () => {
    const none = measure({ net: new Float64Array(0), turnover: new Float64Array(0) });
    for (const [name, value] of Object.entries(none)) {
      if (!["Bars", "Turnover", "RebalanceDays"].includes(name)) expect(value, name).toBeNaN();
    }
    const steady = measureReturns(new Float64Array(30).fill(0.1));
    expect(steady.Sharpe).toBeNaN();
    expect(steady.AnnualVol).toBe(0);
    expect(steady.Calmar).toBeNaN();
    expect(steady.PF).toBeNaN();
    expect(measureReturns(Float64Array.of(0.1)).Sharpe).toBeNaN();
    expect(measureReturns(Float64Array.of(0.1, -1, 0.5)).CAGR).toBe(-1);
  });

  it("knows nothing of a run in which a return is not a number, rather than calling it ruin or calm", () => {
    for (const [name, value] of Object.entries(measureReturns(Float64Array.of(0.1, Number.NaN, -0.1)))) {
      expect(value, name).toBeNaN();
    }
  });

  it("counts a rebalance on every row with a trade and none for rounding", () => {
    const metrics = measure({
      net: new Float64Array(42),
      turnover: Float64Array.from({ length: 42 }, (_, row) => (row % 7 === 0 ? 0.5 : 1e-12)),
    });
    expect(metrics.RebalanceDays).toBe(6);
    expect(metrics.RebalancesPerMonth).toBe(3);
    expect(metrics.TurnoverAnnual).toBeCloseTo(18, 9);
  });
});

describe("targets", () => {
  const panel = panelOf({ seed: 5, rows: 12, shapes: [{ kind: "walk", start: 0, holes: [] }] });
  const targets = targetSeries(panel, () => ({ [panel.tickers[0]!]: 0.5 }));

  it("have no row outside the panel", () => {
    expect(targets.at(11)).toEqual({ [panel.tickers[0]!]: 0.5 });
    for (const row of [-1, 12, 0.5]) expect(() => targets.at(row)).toThrow(BacktestOptionsError);
  });

  it("run only on the rows and symbols they were made for, of which the number alone is no proof", () => {
    const renamed: Panel = {
      ...panel,
      tickers: ["OTHER"],
      column: (field) => panel.column(field, panel.tickers[0]!),
    };
    const later: Panel = { ...panel, sessions: [...panel.sessions.slice(1), panel.sessions[0]!] };
    for (const other of [renamed, later]) {
      expect(() => runTargets(other, targets, costs)).toThrow(/made for another panel/);
    }
    expect(runTargets({ ...panel, sessions: [...panel.sessions] }, targets, costs).turnover[0]).toBe(0.5);
  });
});

it("a strategy's options and the engine's lag are separate: the targets do not know the lag", () => {
  const panel = panelOf({
    seed: 8,
    rows: 60,
    shapes: Array.from({ length: 4 }, () => ({ kind: "walk" as const, start: 0, holes: [] })),
  });
  const [one, two] = [1 as const, 2 as const].map((lag) =>
    runBacktest(panel, createStrategy(smallOptions), costs, { lag }),
  );
  expect(two!.targets.weight).toEqual(one!.targets.weight);
  expect(two!.targets.weight.length).toBeGreaterThan(10);
  expect(two!.net).not.toEqual(one!.net);
});
