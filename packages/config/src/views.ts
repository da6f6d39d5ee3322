import type { CostModel } from "@pf/backtest";
import type { ComplianceRules } from "@pf/compliance";
import type { Cents, CommissionPlanName, OrderRules } from "@pf/orders";
import type { Grid } from "@pf/research";
import type { StrategyOptions } from "@pf/selection";
import type { Config } from "./camel.js";
import type { EffectiveConfig } from "./schema.js";

/** What a strategy is made of: the sections that decide what to hold. */
export function strategyOptionsOf({
  features,
  selection,
  weights,
  rebalance,
  overlays,
}: Config): StrategyOptions {
  return {
    features,
    selection,
    weights,
    rebalance: { minWeightChange: rebalance.minWeightChange },
    overlays,
  };
}

/** What trading costs in the bar-return engine. */
export function costModelOf({ costs }: Config): CostModel {
  return { commissionPerShare: costs.commissionPerShare, slippageBps: costs.slippageBps };
}

/** What an order costs in an account: the name of a plan, and the rate that the plan `per_share` takes. */
export function commissionOf({ costs }: Config): {
  readonly name: CommissionPlanName;
  readonly perShare: number;
} {
  return { name: costs.commissionPlan, perShare: costs.commissionPerShare };
}

/**
 * What orders are planned by. The commission is made of {@link commissionOf}, the step by whoever knows what the broker
 * takes.
 */
export function orderRulesOf({
  universe,
  execution,
  weights,
}: Config): Omit<OrderRules, "commission" | "quantityStep"> {
  return {
    universe,
    orderType: execution.orderType,
    limitOffsetBps: execution.limitOffsetBps,
    maxOrders: execution.maxOrdersPerDay,
    minNotional: Math.round(execution.minNotional * 100) as Cents,
    cashBuffer: weights.cashBuffer,
  };
}

/**
 * What a plan is reviewed by, as far as it is configured; `{ ...usualRules, ...complianceRulesOf(config), commission }`
 * is all of it. The schedule is kept as its distance to a close at 16:00, so that half days have the same.
 */
export function complianceRulesOf({
  compliance,
  risk,
  execution,
  weights,
  rebalance,
}: Config): Omit<ComplianceRules, "commission" | "maxQuoteAgeMs"> {
  const [hours, minutes] = rebalance.scheduleEt.split(":").map(Number);
  return {
    settledCash: compliance.settledCash,
    brokerEndOfDay: compliance.brokerEndOfDay,
    cashBuffer: weights.cashBuffer,
    maxWeight: weights.maxWeightPerAsset,
    maxOrders: execution.maxOrdersPerDay,
    window: {
      opensBeforeCloseMs: (16 * 60 - (hours! * 60 + minutes!)) * 60_000,
      closesBeforeCloseMs: 30_000,
    },
    decisionBar: rebalance.decisionBar,
    maxPriceMove: risk.maxPriceMove,
    dayTrades: compliance.dayTrades,
    maxDrawdown: risk.maxDrawdown,
    maxDailyLoss: risk.maxDailyLoss,
    onBrake: risk.onBrake,
  };
}

/**
 * Bars between the decision and the return it earns: 1 where today's unfinished bar decides, 2 where the last complete
 * one does. Research and live trading both take it from here, so that they cannot disagree.
 */
export function lagOf({ rebalance }: Config): 1 | 2 {
  return rebalance.decisionBar === "last_complete" ? 2 : 1;
}

/** The grid of a walk-forward: the keys that have values to try, by the names the files give them. */
export function gridOf({ walkforward: { reoptimize } }: EffectiveConfig): Grid {
  return Object.fromEntries(Object.entries(reoptimize).filter(([, values]) => values !== null)) as Grid;
}
