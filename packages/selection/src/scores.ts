import type { Field, SessionDate, Ticker } from "@pf/market";
import type { Features } from "./features.js";
import type { StrategyOptions } from "./options.js";
import { type Registry, registry } from "./registry.js";

/**
 * What a score may look at: one symbol's history that ends at the row being decided. Every column has one value per
 * panel row up to and including that row (`NaN` where the symbol has no bar) and is causal. It is a copy, whose memory
 * holds nothing later; it is there to be read (writing into it stops the run) and is emptied after the last row.
 */
export interface ScoreView {
  readonly ticker: Ticker;
  readonly session: SessionDate;
  column(field: Field): Float64Array;
  returns(): Float64Array;
  ema(span: number): Float64Array;
  atr(window: number): Float64Array;
  volatility(window: number): Float64Array;
  macdLine(fast: number, slow: number): Float64Array;
}

/**
 * Higher is better; `NaN` while undefined, and then the symbol cannot be held. It should depend on its view alone: a
 * decision is computed several times and must be the same each time. Up to a hundred symbols, all of a session are asked
 * before the next session, in universe order; above that, symbol after symbol.
 */
export type ScoreFunction = (view: ScoreView) => number;

/**
 * A score computed for all rows of a symbol at once, for speed. It must write every row of `out`, which
 * still holds another symbol's values, and must be causal by itself: `out[t]` may use rows up to `t` only. Prefer a {@link ScoreFunction}, which cannot look ahead.
 */
export interface ColumnScore {
  readonly intoColumn: (features: Features, ticker: Ticker, out: Float64Array) => void;
}

export type ScoreFactory = (options: StrategyOptions) => ScoreFunction | ColumnScore;

/**
 * The specification's score: how far the close stands above its fast average, in units of the average true range,
 * `(close / EMA_fast - 1) / max(ATR / close, 1e-6)`.
 */
const trend: ScoreFactory = ({ features: { emaFast, atrWindow } }) => ({
  intoColumn(features, ticker, out) {
    const close = features.column("close", ticker);
    fillTrend(close, features.ema(ticker, emaFast), features.atr(ticker, atrWindow), out);
  },
});

function fillTrend(close: Float64Array, average: Float64Array, range: Float64Array, out: Float64Array): void {
  for (let row = 0; row < out.length; row++) {
    const price = close[row]!;
    out[row] = (price / average[row]! - 1) / Math.max(range[row]! / price, 1e-6);
  }
}

/** The scores a configuration can name; add one with `builtinScores.with("my_score", () => myScore)`. */
export const builtinScores: Registry<ScoreFactory> = registry("score", { trend });
