import type { Field, SessionDate, Ticker, Weights } from "@pf/market";
import type { OverlayOptions, StrategyOptions } from "../options.js";

/**
 * What an overlay sees: the proposed targets and the panel up to the row being decided, as every rule does. Columns have
 * one value a row up to and including that row, `NaN` where the symbol has no bar or the window is not full. They
 * are copies whose memory holds nothing later, there to be read: writing into one stops the run. It is one object for
 * all rows.
 */
export interface OverlayView {
  readonly session: SessionDate;
  readonly tickers: readonly Ticker[];
  /** The targets as the strategy and the overlays before this one propose them. */
  readonly targets: Weights;
  column(field: Field, ticker: Ticker): Float64Array;
  returns(ticker: Ticker): Float64Array;
  ema(ticker: Ticker, span: number): Float64Array;
  /** Mean of the last `window` own closes. */
  sma(ticker: Ticker, window: number): Float64Array;
  /** Standard deviation of the last `window` own returns, per bar. */
  volatility(ticker: Ticker, window: number): Float64Array;
}

/** What an overlay says about a row. */
export interface OverlayVerdict {
  /** Every target is multiplied by it: from 0 (all cash) to 1 (no objection). */
  readonly exposure: number;
  /** Why, with the numbers; a function is asked only where somebody reads the answer, which backtests do not. */
  readonly reason: string | (() => string);
}

/**
 * Lowers the exposure of the whole portfolio. By this shape an overlay cannot raise a weight or add a name; an exposure
 * outside 0 to 1 stops the run with the overlay and the session named.
 */
export type RegimeOverlay = (view: OverlayView) => OverlayVerdict;

/** A parameter that an overlay cannot use. */
export interface OverlayProblem {
  readonly parameter: string;
  /** Goes on from the parameter's name: "must be …", "is missing: …", "is no parameter …". */
  readonly problem: string;
}

/** Makes an overlay from its parameters in the configuration. */
export interface OverlayFactory {
  (parameters: OverlayOptions, options: StrategyOptions): RegimeOverlay;
  /**
   * What is wrong with parameters, told when they are loaded and by `createStrategy`, which does not know the universe.
   * Without it the factory has to throw by itself.
   */
  readonly problems?: (parameters: OverlayOptions, universe?: readonly Ticker[]) => readonly OverlayProblem[];
  /**
   * Whether its verdicts depend on the panel, its parameters and `periodsPerYear` alone, and not on targets or any other
   * option: strategies on the same features then share them, which makes searching a grid many times faster.
   */
  readonly ofMarketAlone?: boolean;
}
