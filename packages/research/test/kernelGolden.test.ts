import type { Panel, SessionDate } from "@pf/market";
import { describe, expect, it } from "vitest";
import {
  costsOf,
  type GoldenConfig,
  golden,
  realPanel,
  sharedIsThere,
  strategyOptions,
  whyNot,
} from "../../backtest/test/shared.js";
import { createGridKernel } from "../src/kernel/kernel.js";
import type { Grid, Objective, Study } from "../src/study.js";

type Config = GoldenConfig & { readonly walkforward: { readonly reoptimize: Grid } };
type Values = readonly (number | null)[];

describe.runIf(sharedIsThere)(`the grid kernel against an independent implementation${whyNot}`, () => {
  it.each(["walkforward_calmar.json", "walkforward_keep.json"])(
    "has all train objectives of every fold of %s",
    (name) => {
      const { config, folds } = golden<{
        config: Config;
        folds: { train_start: SessionDate; train_end: SessionDate; grid_objectives: Values }[];
      }>(name);
      expect(folds.length).toBe(34);
      for (const fold of folds) {
        const kernel = createGridKernel(train(fold), studyOf(config))!;
        expectClose(kernel.evaluate(), fold.grid_objectives, fold.train_start);
      }
    },
  );

  it("has all objectives of the literal rule on the permuted windows", () => {
    const { config, cases } = golden<{
      config: Config;
      cases: {
        train_start: SessionDate;
        train_end: SessionDate;
        order: number[];
        permuted_grid_objectives: Values;
      }[];
    }>("permutation.json");
    expect(cases.length).toBeGreaterThan(0);
    for (const one of cases) {
      const kernel = createGridKernel(train(one), studyOf(config))!;
      expectClose(kernel.evaluate(Int32Array.from(one.order)), one.permuted_grid_objectives, one.train_start);
    }
  });

  it("has all objectives of the default policy on the permuted windows, also of Sharpe and of another grid", () => {
    const orders = golden<{ cases: { order: number[] }[] }>("permutation.json").cases;
    const { config, cases } = golden<{
      config: Config;
      cases: {
        case: number;
        override: Readonly<Record<string, unknown>>;
        train_start: SessionDate;
        train_end: SessionDate;
        objective: Objective;
        real_grid_objectives: Values;
        permuted_grid_objectives: Values;
      }[];
    }>("permutation_keep.json");
    expect(cases.map((one) => one.real_grid_objectives.length)).toContain(72);
    expect(cases.map((one) => one.objective)).toContain("Sharpe");
    for (const one of cases) {
      const reoptimize = { ...config.walkforward.reoptimize } as Record<string, readonly number[]>;
      for (const [path, value] of Object.entries(one.override)) {
        const [section, , key] = path.split(".");
        if (section === "walkforward") reoptimize[key!] = value as number[];
      }
      const study = { ...studyOf({ ...config, walkforward: { reoptimize } }), objective: one.objective };
      const kernel = createGridKernel(train(one), study)!;
      expectClose(kernel.evaluate(), one.real_grid_objectives, "as it was");
      const order = Int32Array.from(orders[one.case]!.order);
      expectClose(kernel.evaluate(order), one.permuted_grid_objectives, "permuted");
    }
  });
});

function studyOf(config: Config): Study {
  return {
    options: strategyOptions(config),
    costs: costsOf(config),
    lag: 1,
    grid: config.walkforward.reoptimize,
    objective: "Calmar",
  };
}

/** The rows in [start, end). */
function train({ train_start, train_end }: { train_start: SessionDate; train_end: SessionDate }): Panel {
  const panel = realPanel();
  const rowOf = (date: SessionDate) => {
    const row = panel.sessions.findIndex((session) => session >= date);
    return row < 0 ? panel.sessions.length : row;
  };
  return panel.between(rowOf(train_start), rowOf(train_end));
}

function expectClose(actual: Float64Array, expected: Values, what: string): void {
  expect(actual.length).toBe(expected.length);
  for (const [at, value] of expected.entries()) {
    const off =
      value === null
        ? !Number.isNaN(actual[at]!)
        : !(Math.abs(actual[at]! - value) <= 1e-9 * Math.max(1, Math.abs(value)));
    if (off) expect.fail(`${what}, point ${at}: ${actual[at]}, expected ${value}`);
  }
}
