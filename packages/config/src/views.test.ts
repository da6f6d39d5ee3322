import type { CostModel } from "@pf/backtest";
import type { StrategyOptions } from "@pf/selection";
import { describe, expect, expectTypeOf, it } from "vitest";
import type { Config } from "./camel.js";
import { resolveConfig } from "./resolve.js";
import { costModelOf, lagOf, strategyOptionsOf } from "./views.js";

const configOf = (...overrides: string[]) => resolveConfig({ overrides }).config;

describe("the configuration as others take it", () => {
  it("fits the strategy and the cost model by shape, without any conversion", () => {
    expectTypeOf<Config>().toExtend<StrategyOptions>();
    expectTypeOf<Config["costs"]>().toEqualTypeOf<CostModel>();
    expectTypeOf<Config["weights"]>().toEqualTypeOf<StrategyOptions["weights"]>();
    expectTypeOf<Config["features"]>().toEqualTypeOf<StrategyOptions["features"]>();
    expectTypeOf<Config["walkforward"]["reoptimize"]["corrCap"]>().toEqualTypeOf<readonly number[]>();
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

  it("lags one bar where the unfinished bar decides and two where the last complete one does", () => {
    expect(lagOf(configOf())).toBe(1);
    expect(lagOf(configOf("rebalance.decision_bar=provisional"))).toBe(1);
    expect(lagOf(configOf("rebalance.decision_bar=last_complete"))).toBe(2);
  });
});
