// What a configuration says of a session: the same with a broker and without one.

import type { CostModel } from "@pf/backtest";
import { costModelOf, type LoadedConfig, lagOf, strategyOptionsOf } from "@pf/config";
import type { Ticker, TradingCalendar } from "@pf/market";
import { createStrategy, type Extensions, type Strategy } from "@pf/selection";
import { type TradingRules, tradingRulesOf } from "../account/rules.js";
import { decidingConfig, hashOf } from "../manifest.js";

/** What a session is decided, planned and reviewed by. */
export interface SessionRules extends TradingRules {
  readonly universe: readonly Ticker[];
  readonly quantity: LoadedConfig["config"]["execution"]["quantity"];
  /** Of everything that decides. */
  readonly configHash: string;
  readonly strategy: Strategy;
  readonly costs: CostModel;
  /** Sessions from the bar that decides to the fill. */
  readonly lag: 1 | 2;
}

export function rulesOf(
  loaded: LoadedConfig,
  { calendar, extensions }: { readonly calendar: TradingCalendar; readonly extensions: Extensions },
): SessionRules {
  const { config } = loaded;
  return {
    ...tradingRulesOf(loaded, calendar),
    universe: config.universe,
    quantity: config.execution.quantity,
    configHash: hashOf(decidingConfig(loaded, true)),
    strategy: createStrategy(strategyOptionsOf(config), extensions),
    costs: costModelOf(config),
    lag: lagOf(config),
  };
}
