import type { CostModel } from "@pf/backtest";
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
  return costs;
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
