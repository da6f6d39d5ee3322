import type { CovarianceEstimator } from "./covariance.js";

/** What a year has where nothing else is said: daily bars. */
export const sessionsPerYear = 252;

/** How a strategy decides; the shape of the configuration file's sections, in camelCase. */
export interface StrategyOptions {
  readonly features: FeatureOptions;
  readonly selection: SelectionOptions;
  readonly weights: WeightOptions;
  readonly rebalance: RebalanceOptions;
  /** Overlays in the order in which they are applied, by registered name. None by default. */
  readonly overlays?: readonly OverlayOptions[];
  /** Bars in a year, for what is stated per year: the volatility target and the overlay `volatility`. Default 252. */
  readonly periodsPerYear?: number;
}

export interface FeatureOptions {
  /** Bars of Wilder's average true range. */
  readonly atrWindow: number;
  /** Span in bars of the fast exponential average; smaller than `emaSlow`. */
  readonly emaFast: number;
  readonly emaSlow: number;
  readonly macd: {
    /** Whether a symbol must have its MACD line above 0. */
    readonly enabled: boolean;
    readonly fast: number;
    readonly slow: number;
    readonly signal: number;
  };
}

export interface SelectionOptions {
  /** Registered name of the score that ranks the symbols. Default `"trend"`. */
  readonly score?: string;
  /** How many symbols to hold at most. */
  readonly topN: number;
  /** Rows of the rolling return correlation. */
  readonly corrWindow: number;
  /** Largest |correlation| allowed between two holdings, 0 to 1. */
  readonly corrCap: number;
  /** Smallest score that may be held. */
  readonly minScore: number;
  /** `rank` ranks afresh on every row; `keep` lets a name stay while it is eligible and within the cap. */
  readonly incumbents: "rank" | "keep";
}

export interface WeightOptions {
  /** Registered name of the weighting: `inv_vol`, `equal`, `erc`, `hrp` and `min_var` are built in. */
  readonly method: string;
  /** Returns of the volatility. */
  readonly volWindow: number;
  /** Largest weight of one symbol, a fraction of equity. */
  readonly maxWeightPerAsset: number;
  /** Fraction of equity that is never invested. */
  readonly cashBuffer: number;
  /**
   * Estimator of the covariances that `erc`, `hrp`, `min_var` and the volatility target look at, from the returns on the
   * last `corrWindow` rows: `sample` (divisor n - 1) or `ledoit_wolf`. Default `sample`.
   */
  readonly covariance?: CovarianceEstimator;
  /**
   * Volatility a year above which all weights are scaled down, as a fraction: what the weights after the cap would have
   * had at these covariances, times the root of `periodsPerYear`. They are never scaled up. Default `null`: no target.
   */
  readonly volTarget?: number | null;
}

export interface RebalanceOptions {
  /** A target moves only if some weight moves by more than this fraction of equity, or the names change. */
  readonly minWeightChange: number;
}

export interface OverlayOptions {
  readonly name: string;
  readonly [parameter: string]: unknown;
}

/** What `pf` decides by where nothing is configured: a start to spread and change. Frozen, every key is there. */
export const defaultOptions: StrategyOptions = Object.freeze({
  features: Object.freeze({
    atrWindow: 20,
    emaFast: 20,
    emaSlow: 50,
    macd: Object.freeze({ enabled: false, fast: 12, slow: 26, signal: 9 }),
  }),
  selection: Object.freeze({
    score: "trend",
    topN: 2,
    corrWindow: 90,
    corrCap: 0.7,
    minScore: 0,
    incumbents: "keep",
  }),
  weights: Object.freeze({
    method: "inv_vol",
    volWindow: 20,
    covariance: "sample",
    volTarget: null,
    maxWeightPerAsset: 0.5,
    cashBuffer: 0.05,
  }),
  rebalance: Object.freeze({ minWeightChange: 0.05 }),
  overlays: Object.freeze([]),
});
