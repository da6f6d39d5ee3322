import type { SessionDate, Ticker, Weights } from "@pf/market";

/** Why a symbol is in or out. The list is part of the public contract: reasons are added, never renamed. */
export const reasons = [
  "kept", // held before, still eligible and within the correlation cap
  "selected", // ranked into a free place
  "no_bar", // no bar on this session
  "warm_up", // too few bars for the indicators
  "correlation_undefined", // a hole in the correlation window, or a price that never moved in it
  "trend_gate", // EMA fast not above EMA slow
  "macd_gate", // MACD line not above 0
  "below_ema_fast", // the exit rule: close below EMA fast
  "score_undefined", // the score is not a number
  "below_min_score",
  "correlation_cap", // too close to a symbol taken before it
  "places_taken", // eligible, but the places were filled by symbols that came first
] as const;
export type Reason = (typeof reasons)[number];

/** What one symbol looked like on the session, and what became of it. */
export interface Candidate {
  readonly symbol: Ticker;
  /** `NaN` while undefined. */
  readonly score: number;
  /** Whether it passed every gate, so that it could be held. */
  readonly eligible: boolean;
  readonly selected: boolean;
  readonly reason: Reason;
  /** The reason in words, with its numbers. */
  readonly detail: string;
  /** The numbers the rules looked at; `NaN` while undefined. */
  readonly values: {
    readonly close: number;
    readonly emaFast: number;
    readonly emaSlow: number;
    readonly atr: number;
    /** Standard deviation of the last `volWindow` returns, per bar. */
    readonly volatility: number;
    /** MACD line, in dollars. */
    readonly macd: number;
  };
}

/** What to hold from one session on, and why: the single decision of research and live trading. */
export interface Decision {
  readonly asOf: SessionDate;
  /** Targets after caps, overlays and the no-trade band; non-zero ones only, universe order. */
  readonly weights: Weights;
  /** Fraction of equity that stays cash. */
  readonly cash: number;
  /** The symbols chosen, in the order in which they were taken. */
  readonly selected: readonly Ticker[];
  /** Every symbol of the universe, in universe order. */
  readonly candidates: readonly Candidate[];
  /** Return correlations among the selected symbols, one entry a pair. */
  readonly correlations: readonly { readonly a: Ticker; readonly b: Ticker; readonly rho: number }[];
  /** What each overlay did: the factor it applied to every weight, 0 to 1, and its reason. */
  readonly overlays: readonly { readonly name: string; readonly exposure: number; readonly reason: string }[];
  /** Whether the no-trade band kept the previous targets although the rule would have moved them. */
  readonly heldByBand: boolean;
}
