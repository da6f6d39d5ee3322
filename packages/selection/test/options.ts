import fc from "fast-check";
import type { OverlayOptions, StrategyOptions } from "../src/index.js";

/** The default configuration with windows small enough for short markets. */
export const smallOptions: StrategyOptions = {
  features: { atrWindow: 3, emaFast: 3, emaSlow: 6, macd: { enabled: false, fast: 3, slow: 6, signal: 3 } },
  selection: { topN: 2, corrWindow: 8, corrCap: 0.7, minScore: 0, incumbents: "keep" },
  weights: { method: "inv_vol", volWindow: 5, maxWeightPerAsset: 0.5, cashBuffer: 0.05 },
  rebalance: { minWeightChange: 0.05 },
};

type Sections = { readonly [Section in keyof StrategyOptions]?: Partial<StrategyOptions[Section]> };

/** Options that differ from {@link smallOptions} in some keys. */
export function optionsWith(change: Sections): StrategyOptions {
  return {
    features: { ...smallOptions.features, ...change.features },
    selection: { ...smallOptions.selection, ...change.selection },
    weights: { ...smallOptions.weights, ...change.weights },
    rebalance: { ...smallOptions.rebalance, ...change.rebalance },
    ...(change.overlays ? { overlays: change.overlays as NonNullable<StrategyOptions["overlays"]> } : {}),
  };
}

/** Every gate, policy and limit on and off, tight and loose; what the fused kernel of research serves. */
export const anyOptions: fc.Arbitrary<StrategyOptions> = fc
  .record({
    topN: fc.integer({ min: 1, max: 5 }),
    corrCap: fc.constantFrom(0, 0.3, 0.7, 1),
    minScore: fc.constantFrom(-1e6, 0, 0.25),
    incumbents: fc.constantFrom("rank" as const, "keep" as const),
    macd: fc.boolean(),
    method: fc.constantFrom("inv_vol", "equal"),
    volWindow: fc.constantFrom(2, 5, 12),
    cap: fc.constantFrom(0.1, 0.35, 0.5, 1),
    cashBuffer: fc.constantFrom(0, 0.05, 0.6),
    band: fc.constantFrom(0, 0.05, 0.3),
  })
  .map(({ topN, corrCap, minScore, incumbents, macd, method, volWindow, cap, cashBuffer, band }) =>
    optionsWith({
      features: { macd: { enabled: macd, fast: 2, slow: 12, signal: 3 } },
      selection: { topN, corrCap, minScore, incumbents },
      weights: { method, volWindow, maxWeightPerAsset: cap, cashBuffer },
      rebalance: { minWeightChange: band },
    }),
  );

/** Parameters of every overlay that is built in, for markets of {@link worlds}; a law holds the list to be complete. */
export const anyOverlays: Readonly<Record<string, fc.Arbitrary<OverlayOptions>>> = {
  sma_filter: fc.record({
    name: fc.constant("sma_filter"),
    symbol: fc.constant("S0"),
    window: fc.integer({ min: 2, max: 12 }),
    exposure: fc.constantFrom(0, 0.5, 1),
  }),
  volatility: fc.record({
    name: fc.constant("volatility"),
    symbol: fc.constantFrom("S0", "universe"),
    window: fc.integer({ min: 2, max: 12 }),
    threshold: fc.constantFrom(0.05, 0.1, 0.2),
    exposure: fc.constantFrom(0, 0.3, 1),
  }),
  breadth: fc.record({
    name: fc.constant("breadth"),
    window: fc.integer({ min: 2, max: 12 }),
    threshold: fc.constantFrom(0.2, 0.5, 1),
    exposure: fc.constantFrom(0, 0.7, 1),
  }),
};

export const anyOverlay: fc.Arbitrary<OverlayOptions> = fc.oneof(...Object.values(anyOverlays));

/** Beyond that: every weighting, both estimators of covariances, volatility targets and overlays. */
export const anyRules: fc.Arbitrary<StrategyOptions> = fc
  .record({
    options: anyOptions,
    method: fc.constantFrom("inv_vol", "equal", "erc", "hrp", "min_var"),
    covariance: fc.constantFrom("sample" as const, "ledoit_wolf" as const),
    volTarget: fc.constantFrom(null, null, 0.05, 0.2),
    overlays: fc.oneof(fc.constant([]), fc.array(anyOverlay, { maxLength: 2 })),
  })
  .map(({ options, method, covariance, volTarget, overlays }) => ({
    ...options,
    weights: { ...options.weights, method, covariance, volTarget },
    overlays,
  }));
