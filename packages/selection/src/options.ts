/** How a strategy decides; the shape of the configuration file's sections, in camelCase. */
export interface StrategyOptions {
  readonly features: FeatureOptions;
  readonly selection: SelectionOptions;
  readonly weights: WeightOptions;
  readonly rebalance: RebalanceOptions;
  /** Overlays in the order in which they are applied, by registered name. None by default. */
  readonly overlays?: readonly OverlayOptions[];
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
  /** Registered name of the weighting: `inv_vol` or `equal` are built in. */
  readonly method: string;
  /** Returns of the volatility. */
  readonly volWindow: number;
  /** Largest weight of one symbol, a fraction of equity. */
  readonly maxWeightPerAsset: number;
  /** Fraction of equity that is never invested. */
  readonly cashBuffer: number;
}

export interface RebalanceOptions {
  /** A target moves only if some weight moves by more than this fraction of equity, or the names change. */
  readonly minWeightChange: number;
}

export interface OverlayOptions {
  readonly name: string;
  readonly [parameter: string]: unknown;
}
