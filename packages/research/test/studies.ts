import type { Panel } from "@pf/market";
import type { StrategyOptions } from "@pf/selection";
import { panelOf, type SymbolShape, type World } from "../../market/test/worlds.js";
import type { Study } from "../src/index.js";

/** A strategy with windows so short that a year of bars holds many decisions. */
export const quickOptions: StrategyOptions = {
  features: { atrWindow: 4, emaFast: 3, emaSlow: 8, macd: { enabled: false, fast: 4, slow: 9, signal: 3 } },
  selection: { topN: 2, corrWindow: 12, corrCap: 0.7, minScore: 0, incumbents: "keep" },
  weights: { method: "inv_vol", volWindow: 5, maxWeightPerAsset: 0.5, cashBuffer: 0.05 },
  rebalance: { minWeightChange: 0.05 },
};

export const quickStudy: Study = {
  options: quickOptions,
  costs: { commissionPerShare: 0.0035, slippageBps: 1 },
  lag: 1,
  grid: { ema_fast: [2, 4], ema_slow: [8, 15], top_n: [1, 2] },
  objective: "Calmar",
};

const usual: SymbolShape = { kind: "walk", start: 0, holes: [] };

/** Walks on consecutive days, one of them late, one with holes: long enough for a few folds of 1 year and 2 months. */
export function quickPanel(seed: number, rows = 520, shapes?: readonly SymbolShape[]): Panel {
  const world: World = {
    seed,
    rows,
    shapes: shapes ?? [usual, usual, { ...usual, start: 90 }, { ...usual, holes: [100, 101, 380] }],
  };
  return panelOf(world);
}

export const quickSpans = { trainYears: 1, oosMonths: 2 };
