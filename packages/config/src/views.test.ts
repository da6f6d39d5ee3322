import type { CostModel } from "@pf/backtest";
import type { GridKey } from "@pf/research";
import type { StrategyOptions } from "@pf/selection";
import { describe, expect, expectTypeOf, it } from "vitest";
import type { Config } from "./camel.js";
import { resolveConfig } from "./resolve.js";
import type { EffectiveConfig } from "./schema.js";
import { costModelOf, gridOf, lagOf, strategyOptionsOf } from "./views.js";

const configOf = (...overrides: string[]) => resolveConfig({ overrides }).config;

describe("the configuration as others take it", () => {
  it("fits the strategy and the cost model by shape, without any conversion", () => {
    expectTypeOf<Config>().toExtend<StrategyOptions>();
    expectTypeOf<Config["costs"]>().toEqualTypeOf<CostModel>();
    expectTypeOf<Config["weights"]>().toEqualTypeOf<StrategyOptions["weights"]>();
    expectTypeOf<Config["features"]>().toEqualTypeOf<StrategyOptions["features"]>();
    expectTypeOf<Config["walkforward"]["reoptimize"]["corrCap"]>().toEqualTypeOf<readonly number[]>();
    expectTypeOf<keyof EffectiveConfig["walkforward"]["reoptimize"]>().toEqualTypeOf<GridKey>();
    expectTypeOf<Config["overlays"][number]["name"]>().toEqualTypeOf<string>();
  });

  it("gives a strategy what decides, and nothing else", () => {
    const config = configOf("selection.top_n=3", "rebalance.min_weight_change=0.1");
    expect(strategyOptionsOf(config)).toEqual({
      features: config.features,
      selection: config.selection,
      weights: config.weights,
      rebalance: { minWeightChange: 0.1 },
      overlays: [],
    });
  });

  it("gives the engine its costs", () => {
    expect(costModelOf(configOf("costs={commission_per_share: 0, slippage_bps: 3}"))).toEqual({
      commissionPerShare: 0,
      slippageBps: 3,
    });
  });

  it("gives research its grid, under the names of the file and without the keys that are not tried", () => {
    const grid = (...overrides: string[]) => gridOf(resolveConfig({ overrides }).written);
    const usual = {
      ema_fast: [10, 20, 30],
      ema_slow: [40, 50, 80],
      top_n: [1, 2, 3],
      corr_cap: [0.6, 0.7, 0.8],
    };
    expect(grid()).toEqual(usual);
    expect(
      grid("walkforward.reoptimize.min_weight_change=[0, 0.05]", "walkforward.reoptimize.top_n=[2]"),
    ).toEqual({
      ...usual,
      top_n: [2],
      min_weight_change: [0, 0.05],
    });
  });

  it("lags one bar where the unfinished bar decides and two where the last complete one does", () => {
    expect(lagOf(configOf())).toBe(1);
    expect(lagOf(configOf("rebalance.decision_bar=provisional"))).toBe(1);
    expect(lagOf(configOf("rebalance.decision_bar=last_complete"))).toBe(2);
  });
});
