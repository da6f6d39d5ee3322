import type { CostModel } from "@pf/backtest";
import type { GridKey } from "@pf/research";
import type { StrategyOptions } from "@pf/selection";
import { describe, expect, expectTypeOf, it } from "vitest";
import type { Config } from "./camel.js";
import { resolveConfig } from "./resolve.js";
import type { EffectiveConfig } from "./schema.js";
import {
  commissionOf,
  complianceRulesOf,
  costModelOf,
  gridOf,
  lagOf,
  orderRulesOf,
  strategyOptionsOf,
} from "./views.js";

const configOf = (...overrides: string[]) => resolveConfig({ overrides }).config;

describe("the configuration as others take it", () => {
  it("fits the strategy and the cost model by shape, without any conversion", () => {
    expectTypeOf<Config>().toExtend<StrategyOptions>();
    expectTypeOf<Config["costs"]>().toExtend<CostModel>();
    expectTypeOf<Config["weights"]>().toEqualTypeOf<Required<StrategyOptions["weights"]>>();
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

  it("gives accounts the name of their commission plan", () => {
    expect(commissionOf(configOf())).toEqual({ name: "per_share", perShare: 0.0035 });
    expect(
      commissionOf(configOf("costs={commission_plan: ibkr_tiered, commission_per_share: 0.01}")),
    ).toEqual({
      name: "ibkr_tiered",
      perShare: 0.01,
    });
  });

  it("gives planning its rules, money in cents", () => {
    expect(
      orderRulesOf(
        configOf(
          "execution={order_type: LMT, min_notional: 10.29}",
          "weights.cash_buffer=0.1",
          "universe=[SPY]",
        ),
      ),
    ).toEqual({
      universe: ["SPY"],
      orderType: "LMT",
      limitOffsetBps: 2,
      maxOrders: 5,
      minNotional: 1029,
      cashBuffer: 0.1,
    });
  });

  it("gives the review its rules, the schedule as a distance to the close", () => {
    expect(complianceRulesOf(configOf())).toEqual({
      settledCash: "strict",
      brokerEndOfDay: true,
      cashBuffer: 0.05,
      maxWeight: 0.5,
      maxOrders: 5,
      window: { opensBeforeCloseMs: 300_000, closesBeforeCloseMs: 30_000 },
      decisionBar: "provisional",
      maxPriceMove: 0.2,
      dayTrades: "warn",
      maxDrawdown: null,
      maxDailyLoss: null,
      onBrake: "halt",
    });
    const changed = configOf(
      "compliance={settled_cash: permissive, broker_end_of_day: false, day_trades: block}",
      "risk={max_drawdown: 0.2, max_daily_loss: 0.05, on_brake: reduce_only, max_price_move: 0.1}",
      "rebalance={schedule_et: '15:30', decision_bar: last_complete}",
      "weights={max_weight_per_asset: 0.4, cash_buffer: 0.2}",
      "execution.max_orders_per_day=3",
    );
    expect(complianceRulesOf(changed)).toEqual({
      settledCash: "permissive",
      brokerEndOfDay: false,
      cashBuffer: 0.2,
      maxWeight: 0.4,
      maxOrders: 3,
      window: { opensBeforeCloseMs: 1_800_000, closesBeforeCloseMs: 30_000 },
      decisionBar: "last_complete",
      maxPriceMove: 0.1,
      dayTrades: "block",
      maxDrawdown: 0.2,
      maxDailyLoss: 0.05,
      onBrake: "reduce_only",
    });
  });
});
