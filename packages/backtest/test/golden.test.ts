import type { SessionDate } from "@pf/market";
import { createStrategy } from "@pf/selection";
import { describe, expect, it } from "vitest";
import { type BacktestResult, type Metrics, measure, measureReturns, runBacktest } from "../src/index.js";
import {
  costsOf,
  type GoldenBar,
  type GoldenConfig,
  golden,
  overridden,
  panelOfBars,
  realPanel,
  sharedIsThere,
  strategyOptions,
  whyNot,
} from "./shared.js";

type Weights = Readonly<Record<string, number>>;
type GoldenMetrics = Readonly<Record<keyof Metrics, number | null>>;

interface Expected {
  readonly override?: Readonly<Record<string, unknown>>;
  readonly metrics: GoldenMetrics;
  readonly net: readonly number[];
  readonly gross?: readonly number[];
  readonly turnover?: readonly number[];
  readonly commission?: readonly number[];
  readonly slippage?: readonly number[];
  readonly held?: readonly (readonly string[])[];
  readonly selected?: readonly (readonly string[])[];
}

describe.runIf(sharedIsThere)(`the strategy against an independent implementation${whyNot}`, () => {
  it("gives the literal rule's backtest: every column, target, score and gate", () => {
    const file = golden<
      Expected & {
        config: GoldenConfig;
        dates: string[];
        weights: { date: string; selected: string[]; weights: Weights }[];
        detail: {
          date: string;
          score: Record<string, number | null>;
          eligible: string[];
          vol: Record<string, number | null>;
        }[];
      }
    >("backtest_default.json");
    const strategy = createStrategy(strategyOptions(file.config));
    const result = runBacktest(realPanel(), strategy, costsOf(file.config));
    expect(result.sessions).toEqual(file.dates);
    expectRun(result, file);
    const prepared = strategy.prepare(realPanel());
    let held: Weights = {};
    const detail = new Map(file.detail.map((one) => [one.date, one]));
    for (const [row, { selected, weights }] of file.weights.entries()) {
      const decision = prepared.decide(row, held);
      expect(decision.selected).toEqual(selected);
      expectWeights(decision.weights, weights);
      expect(result.targets.at(row)).toEqual(decision.weights);
      held = decision.weights;
      const seen = detail.get(decision.asOf);
      if (!seen) continue;
      expect(decision.candidates.filter((one) => one.eligible).map((one) => one.symbol)).toEqual(
        seen.eligible,
      );
      for (const { symbol, score, values } of decision.candidates) {
        // A score counts once the indicators are warm; before, the file says null where ours may already be a number.
        if (seen.score[symbol] != null) expectClose(score, seen.score[symbol]!);
        if (seen.vol[symbol] != null) expectClose(values.volatility, seen.vol[symbol]!);
        else expect(values.volatility).toBeNaN();
      }
    }
  });

  it("gives the default configuration's backtest: incumbents kept, band 0.05, every row", () => {
    const file = golden<{
      config: GoldenConfig;
      variants: (Expected & { rows?: { date: string; selected: string[]; weights: Weights }[] })[];
    }>("incumbents_keep.json");
    for (const variant of file.variants) {
      const config = overridden(file.config, variant.override!);
      const strategy = createStrategy(strategyOptions(config));
      const result = runBacktest(realPanel(), strategy, costsOf(config));
      expectRun(result, variant);
      if (!variant.rows) continue;
      const prepared = strategy.prepare(realPanel());
      let held: Weights = {};
      for (const [row, { selected, weights }] of variant.rows.entries()) {
        const decision = prepared.decide(row, held);
        expect(decision.selected).toEqual(selected);
        expectWeights(decision.weights, weights);
        expectWeights(result.targets.at(row), weights);
        held = decision.weights;
      }
    }
    expect(file.variants.some((one) => one.rows)).toBe(true);
  });

  it.each(["variants.json", "lag2.json"])("gives every run of %s", (name) => {
    const file = golden<{ config?: GoldenConfig; variants: Expected[] }>(name);
    const config = file.config ?? golden<{ config: GoldenConfig }>("backtest_default.json").config;
    expect(file.variants.length).toBeGreaterThan(0);
    for (const variant of file.variants) expectRun(run(overridden(config, variant.override!)), variant);
  });

  it("weighs equally, by equal risk contribution and by hierarchical risk parity like the reference", () => {
    const { backtests } = golden<{
      backtests: {
        config: GoldenConfig;
        dates: string[];
        variants: (Expected & { last_rows: { date: string; selected: string[]; weights: Weights }[] })[];
      };
    }>("weightings.json");
    const methods = backtests.variants.map((one) => one.override!["weights.method"]);
    expect(new Set(methods)).toEqual(new Set(["equal", "erc", "hrp"]));
    for (const variant of backtests.variants) {
      const config = overridden(backtests.config, variant.override!);
      const result = run(config);
      expect(result.sessions).toEqual(backtests.dates);
      expectRun(result, variant);
      const prepared = createStrategy(strategyOptions(config)).prepare(realPanel());
      expect(variant.last_rows.length).toBeGreaterThan(50);
      for (const { date, selected, weights } of variant.last_rows) {
        const row = result.sessions.indexOf(date as SessionDate);
        const decision = prepared.decide(row, result.targets.at(row - 1));
        expect(decision.selected).toEqual(selected);
        expectWeights(decision.weights, weights);
        expectWeights(result.targets.at(row), weights);
      }
    }
  });

  it("gives every run on the awkward market: twins, late starter, missing bars, frozen price", () => {
    const market = golden<{
      config: GoldenConfig;
      bars: Record<string, GoldenBar[]>;
      runs: (Expected & { weights: Weights[] })[];
    }>("synthetic.json");
    const more = golden<{ config: GoldenConfig; runs: (Expected & { weights: Weights[] })[] }>(
      "synthetic_more.json",
    );
    const panel = panelOfBars(market.config.universe, market.bars);
    let checked = 0;
    for (const { config, runs } of [market, more]) {
      for (const expected of runs) {
        const own = overridden(config, expected.override!);
        const strategy = createStrategy(strategyOptions(own));
        const result = runBacktest(panel, strategy, costsOf(own), { lag: own.rebalance.lag ?? 1 });
        expectRun(result, expected);
        const prepared = strategy.prepare(panel);
        let held: Weights = {};
        for (const [row, weights] of expected.weights.entries()) {
          const decision = prepared.decide(row, held);
          expectWeights(decision.weights, weights);
          if (expected.selected) expect(decision.selected).toEqual(expected.selected[row]);
          held = decision.weights;
        }
        checked++;
      }
    }
    expect(checked).toBe(23);
  });

  it("measures the published return series as printed", () => {
    const { cases } = golden<{
      cases: { kind: string; name: string; input: never; expected: Record<string, number | null> }[];
    }>("statistics.json");
    const series = cases.filter((one) => one.kind === "performance");
    expect(series.length).toBeGreaterThan(3);
    for (const { input, expected } of series) {
      const { returns, periods_per_year } = input as { returns: number[]; periods_per_year: number };
      const metrics: Record<string, number> = {
        ...measureReturns(Float64Array.from(returns), periods_per_year),
      };
      for (const [name, value] of Object.entries(expected)) expectClose(metrics[name]!, value, name);
    }
  });
});

function run(config: GoldenConfig): BacktestResult {
  return runBacktest(realPanel(), createStrategy(strategyOptions(config)), costsOf(config), {
    lag: config.rebalance.lag ?? 1,
  });
}

function expectRun(result: BacktestResult, expected: Expected): void {
  const metrics = measure(result);
  for (const [name, value] of Object.entries(expected.metrics)) {
    expectClose(metrics[name as keyof Metrics], value, name);
  }
  for (const name of ["net", "gross", "turnover", "commission", "slippage"] as const) {
    const column = expected[name];
    if (!column) continue;
    expect(result[name].length).toBe(column.length);
    for (const [row, value] of column.entries())
      expectClose(result[name][row]!, value, `${name} of row ${row}`);
  }
  if (expected.held) {
    const names = Array.from(result.sessions, (_, row) => Object.keys(result.targets.at(row)));
    expect(names).toEqual(expected.held);
  }
}

function expectWeights(actual: Weights, expected: Weights): void {
  expect(new Set(Object.keys(actual))).toEqual(new Set(Object.keys(expected)));
  for (const [ticker, weight] of Object.entries(expected)) expectClose(actual[ticker]!, weight, ticker);
}

/** Within 1e-9, relative or absolute, whichever is larger; null is undefined. */
function expectClose(actual: number, expected: number | null, what = "value"): void {
  const off =
    expected === null
      ? !Number.isNaN(actual)
      : !(Math.abs(actual - expected) <= 1e-9 * Math.max(1, Math.abs(expected)));
  if (off) expect.fail(`${what}: ${actual}, expected ${expected}`);
}
