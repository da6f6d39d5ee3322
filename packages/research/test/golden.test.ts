import { measure, runBacktest } from "@pf/backtest";
import { createStrategy } from "@pf/selection";
import { describe, expect, it } from "vitest";
import {
  costsOf,
  type GoldenConfig,
  golden,
  overridden,
  realPanel,
  sharedIsThere,
  strategyOptions,
  whyNot,
} from "../../backtest/test/shared.js";
import {
  bestPosition,
  collect,
  type Grid,
  type GridPoint,
  gridEvaluator,
  gridPoints,
  inlineExecutor,
  mergeWalkForward,
  type Objective,
  permutePanel,
  plainEvaluator,
  planFolds,
  planWalkForward,
  prepareResearch,
  rowPatterns,
  type Study,
} from "../src/index.js";

type Row = Readonly<Record<string, number>>;
interface Config extends GoldenConfig {
  readonly walkforward: {
    readonly train_years: number;
    readonly oos_months: number;
    readonly reoptimize: Grid;
  };
  readonly permutation: { readonly objective: Objective };
}
interface Best {
  readonly params: GridPoint;
  readonly objective: number;
}

const studyOf = (config: Config, objective: Objective): Study => ({
  options: strategyOptions(config),
  costs: costsOf(config),
  lag: config.rebalance.lag ?? 1,
  grid: config.walkforward.reoptimize,
  objective,
});

describe.runIf(sharedIsThere)(`research against an independent implementation${whyNot}`, () => {
  it.each(["walkforward_calmar.json", "walkforward_keep.json"])(
    "walks forward as %s: every objective of every fold, choices, weights, returns and metrics",
    async (name) => {
      const file = golden<{
        config: Config;
        objective: Objective;
        grid_order: GridPoint[];
        oos_metrics: Record<string, number>;
        oos_dates: string[];
        oos_net: number[];
        oos_turnover: number[];
        oos_weights: { date: string; fold: number; weights: Row }[];
        folds: {
          fold: number;
          train_bars: number;
          oos_bars: number;
          oos_first: string;
          oos_last: string;
          params: GridPoint;
          train_objective: number;
          grid_objectives: (number | null)[];
        }[];
      }>(name);
      const panel = realPanel();
      const study = studyOf(file.config, file.objective);
      expect(gridPoints(study.grid)).toEqual(file.grid_order);
      const folds = planWalkForward(panel.sessions, {
        trainYears: file.config.walkforward.train_years,
        oosMonths: file.config.walkforward.oos_months,
      });
      const research = prepareResearch(panel, study);
      const results = await collect(inlineExecutor(research), planFolds(folds));
      const walked = mergeWalkForward(panel, folds, results, study, research.plan);

      expect(walked.folds.length).toBe(file.folds.length);
      for (const at of [0, 20, 33]) {
        const { trainFrom, oosFrom } = folds[at]!;
        const plain = plainEvaluator(panel.between(trainFrom, oosFrom), study).evaluate();
        expectColumn(plain, file.folds[at]!.grid_objectives, `plain path, fold ${at}`);
      }
      for (const [at, expected] of file.folds.entries()) {
        const fold = walked.folds[at]!;
        expect([fold.index, fold.oosFrom - fold.trainFrom, fold.oosTo - fold.oosFrom]).toEqual([
          expected.fold,
          expected.train_bars,
          expected.oos_bars,
        ]);
        expect([fold.oosStart, fold.oosEnd]).toEqual([expected.oos_first, expected.oos_last]);
        expectColumn(fold.objectives, expected.grid_objectives, `fold ${at}`);
        expect(fold.params).toEqual(expected.params);
        expectClose(fold.objective, expected.train_objective, `train objective of fold ${at}`);
        expectClose(fold.train[file.objective], expected.train_objective, `train metrics of fold ${at}`);
      }
      expect(walked.result.sessions).toEqual(file.oos_dates);
      expectColumn(walked.result.net, file.oos_net, "net");
      expectColumn(walked.result.turnover, file.oos_turnover, "turnover");
      for (const [row, { weights }] of file.oos_weights.entries()) {
        expectWeights(walked.result.targets.at(row), weights);
      }
      for (const [metric, value] of Object.entries(file.oos_metrics)) {
        expectClose(walked.metrics[metric as Objective], value, metric);
      }
    },
    30_000,
  );

  it("rebuilds the bars of a given row order and scores the grid on them, under the literal rule", () => {
    const file = golden<{ config: Config; cases: PermutationCase[] }>("permutation.json");
    for (const one of file.cases) {
      const window = trainWindow(file.config, one);
      expect([window.sessions[0], window.sessions.at(-1)]).toEqual([one.first, one.last]);
      const patterns = rowPatterns(window).subarray(1);
      const sizes = [...new Set(patterns)].map((id) => patterns.filter((own) => own === id).length);
      expect(sizes.sort((a, b) => a - b)).toEqual([...one.group_sizes].sort((a, b) => a - b));
      const permuted = permutePanel(window, one.order);
      for (const { row, date, ...bar } of one.bars) {
        expect(permuted.sessions[row]).toBe(date);
        for (const field of ["open", "high", "low", "close"] as const) {
          for (const [ticker, price] of Object.entries(bar[field])) {
            expectClose(permuted.column(field, ticker)[row]!, price, `${field} of ${ticker} on ${date}`);
          }
        }
      }
      const study = studyOf(file.config, "Calmar");
      const evaluator = gridEvaluator(window, study);
      expectBest(study, evaluator.evaluate().slice(), one.real_best);
      const order = Int32Array.from(one.order);
      const objectives = evaluator.evaluate(order);
      expectColumn(objectives, one.permuted_grid_objectives, "objectives");
      expectBest(study, objectives, one.permuted_best);
      expectDefaults(study, permuted, one.permuted_default_metrics);
    }
    expect(file.cases.length).toBe(4);
  });

  it("scores the same orders with incumbents kept, by Sharpe, and on another grid", () => {
    const { cases } = golden<{ cases: PermutationCase[] }>("permutation.json");
    const file = golden<{
      config: Config;
      cases: {
        case: number;
        override: Record<string, unknown>;
        objective: Objective;
        real_best: Best;
        real_grid_objectives: number[];
        permuted_best: Best;
        permuted_grid_objectives: number[];
        permuted_default_metrics: Record<string, number>;
      }[];
    }>("permutation_keep.json");
    for (const one of file.cases) {
      const config = overridden(file.config, one.override) as Config;
      const study = studyOf(config, one.objective);
      const source = cases[one.case]!;
      const window = trainWindow(config, source);
      for (const make of [plainEvaluator, gridEvaluator]) {
        const evaluator = make(window, study);
        const real = evaluator.evaluate();
        expectColumn(real, one.real_grid_objectives, "real objectives");
        expectBest(study, real, one.real_best);
        const objectives = evaluator.evaluate(Int32Array.from(source.order));
        expectColumn(objectives, one.permuted_grid_objectives, "permuted objectives");
        expectBest(study, objectives, one.permuted_best);
      }
      expectDefaults(study, permutePanel(window, source.order), one.permuted_default_metrics);
    }
    expect(file.cases.length).toBe(6);
  });
});

interface PermutationCase {
  readonly fold: number;
  readonly first: string;
  readonly last: string;
  readonly group_sizes: readonly number[];
  readonly order: readonly number[];
  readonly real_best: Best;
  readonly permuted_best: Best;
  readonly permuted_grid_objectives: readonly number[];
  readonly permuted_default_metrics: Readonly<Record<string, number>>;
  readonly bars: readonly {
    readonly row: number;
    readonly date: string;
    readonly open: Record<string, number | null>;
    readonly high: Record<string, number | null>;
    readonly low: Record<string, number | null>;
    readonly close: Record<string, number | null>;
  }[];
}

function trainWindow(config: Config, { fold }: PermutationCase) {
  const panel = realPanel();
  const { train_years: trainYears, oos_months: oosMonths } = config.walkforward;
  const { trainFrom, oosFrom } = planWalkForward(panel.sessions, { trainYears, oosMonths })[fold]!;
  return panel.between(trainFrom, oosFrom);
}

function expectBest(study: Study, objectives: Float64Array, best: Best): void {
  const at = bestPosition(study.objective, objectives);
  expect(gridPoints(study.grid)[at]).toEqual(best.params);
  expectClose(objectives[at]!, best.objective, "best objective");
}

function expectDefaults(
  study: Study,
  panel: ReturnType<typeof permutePanel>,
  expected: Readonly<Record<string, number>>,
): void {
  const metrics = measure(runBacktest(panel, createStrategy(study.options), study.costs, { lag: study.lag }));
  for (const [name, value] of Object.entries(expected)) expectClose(metrics[name as Objective], value, name);
}

function expectColumn(
  actual: ArrayLike<number | null>,
  expected: readonly (number | null)[],
  what: string,
): void {
  expect(actual.length).toBe(expected.length);
  for (const [at, value] of expected.entries()) expectClose(actual[at]!, value, `${what}, ${at}`);
}

function expectWeights(actual: Row, expected: Row): void {
  expect(new Set(Object.keys(actual))).toEqual(new Set(Object.keys(expected)));
  for (const [ticker, weight] of Object.entries(expected)) expectClose(actual[ticker]!, weight, ticker);
}

/** Within 1e-9, relative or absolute, whichever is larger; null is undefined. */
function expectClose(actual: number | null, expected: number | null, what: string): void {
  const off =
    expected === null
      ? !(actual === null || Number.isNaN(actual))
      : actual === null || !(Math.abs(actual - expected) <= 1e-9 * Math.max(1, Math.abs(expected)));
  if (off) expect.fail(`${what}: ${actual}, expected ${expected}`);
}
