import type { OverfittingReport, Study } from "@pf/research";
import { type GridKey, type GridPoint, gridKeys } from "@pf/research";
import { type JsonObject, plainObject } from "./json.js";

/**
 * Statistics of a grid's own backtests for a JSON document. The cross-validation's thousands of splits are counted and
 * not listed; what is undefined or endless is `null`.
 */
export function overfittingJson({ overfitting, ...report }: OverfittingReport): JsonObject {
  const { splits, ...chances } = overfitting ?? { splits: [] };
  return plainObject({
    ...report,
    crossValidation: overfitting ? { ...chances, splits: splits.length } : null,
  });
}

/** The values that options give to the keys a grid may vary: the point that is run when nothing is optimised. */
export function configuredPoint({ features, selection, weights, rebalance }: Study["options"]): GridPoint {
  const values: Readonly<Record<GridKey, number>> = {
    ema_fast: features.emaFast,
    ema_slow: features.emaSlow,
    top_n: selection.topN,
    corr_cap: selection.corrCap,
    atr_window: features.atrWindow,
    corr_window: selection.corrWindow,
    min_score: selection.minScore,
    vol_window: weights.volWindow,
    max_weight_per_asset: weights.maxWeightPerAsset,
    cash_buffer: weights.cashBuffer,
    min_weight_change: rebalance.minWeightChange,
  };
  return Object.fromEntries(gridKeys.map((key) => [key, values[key]]));
}
