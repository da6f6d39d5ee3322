import type { Field, SessionDate, Ticker, Weights } from "@pf/market";
import type { OverlayOptions, StrategyOptions } from "./options.js";
import { type Registry, registry } from "./registry.js";

/** What an overlay sees: the proposed targets and the panel up to the row being decided, as every rule does. */
export interface OverlayView {
  readonly session: SessionDate;
  readonly tickers: readonly Ticker[];
  /** The targets as the strategy and the overlays before this one propose them. */
  readonly targets: Weights;
  column(field: Field, ticker: Ticker): Float64Array;
  returns(ticker: Ticker): Float64Array;
  ema(ticker: Ticker, span: number): Float64Array;
  volatility(ticker: Ticker, window: number): Float64Array;
}

/**
 * Lowers the exposure of the whole portfolio: every target is multiplied by `exposure`, from 0 (all cash) to 1 (no
 * objection). By this shape an overlay cannot raise a weight or add a name.
 */
export type RegimeOverlay = (view: OverlayView) => { readonly exposure: number; readonly reason: string };

export type OverlayFactory = (parameters: OverlayOptions, options: StrategyOptions) => RegimeOverlay;

/** The overlays a configuration can name. None is built in; add one with `builtinOverlays.with("mine", factory)`. */
export const builtinOverlays: Registry<OverlayFactory> = registry("overlay", {});
