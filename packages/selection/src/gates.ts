import type { Ticker } from "@pf/market";
import type { Reason } from "./decision.js";
import type { Features } from "./features.js";
import type { StrategyOptions } from "./options.js";

/** Own bars a symbol needs before any rule can speak about it. */
export function warmUpBars({ features, selection, weights }: StrategyOptions): number {
  const needed = [
    features.emaFast,
    features.emaSlow,
    features.atrWindow + 1,
    weights.volWindow + 1,
    selection.corrWindow + 1,
  ];
  if (features.macd.enabled) needed.push(features.macd.slow);
  return Math.max(...needed);
}

/** What a gate code stands for: 0 is eligible, any other the index of the first rule that keeps the symbol out. */
export const gateReasons = [
  undefined,
  "no_bar",
  "warm_up",
  "correlation_undefined",
  "trend_gate",
  "macd_gate",
  "below_ema_fast",
  "score_undefined",
  "below_min_score",
] as const satisfies readonly (Reason | undefined)[];

/** From this code on the indicators are defined: a closed gate is about their values. */
export const firstDefinedGate = 3;

/**
 * Which rule, if any, keeps a symbol out on each row, before its score is looked at.
 *
 * @param codes - receives one index into {@link gateReasons} a row
 */
export function gateCodes(
  features: Features,
  ticker: Ticker,
  options: StrategyOptions,
  codes: Uint8Array,
): void {
  const { emaFast, emaSlow, macd } = options.features;
  const { corrWindow } = options.selection;
  const bars = warmUpBars(options);
  const close = features.column("close", ticker);
  const fast = features.ema(ticker, emaFast);
  const slow = features.ema(ticker, emaSlow);
  const line = macd.enabled ? features.macdLine(ticker, macd.fast, macd.slow) : undefined;
  fillCodes(close, fast, slow, line, bars, corrWindow, codes);
}

/** Columns and numbers alone: one piece of code for all windows, whatever their features are objects of. */
function fillCodes(
  close: Float64Array,
  fast: Float64Array,
  slow: Float64Array,
  line: Float64Array | undefined,
  bars: number,
  corrWindow: number,
  codes: Uint8Array,
): void {
  let own = 0;
  let previous = Number.NaN; // last own close
  let defined = 0; // rows in a row, up to this one, on which the return is defined
  let lastReturn = Number.NaN;
  let equal = 0; // of these, how many at the end have the same return: a window of equal returns has no variance
  for (let row = 0; row < close.length; row++) {
    const price = close[row]!;
    if (Number.isNaN(price)) {
      defined = 0;
      equal = 0;
      codes[row] = 1;
      continue;
    }
    own++;
    if (own > 1) {
      const change = price / previous - 1;
      equal = defined > 0 && change === lastReturn ? equal + 1 : 1;
      defined++;
      lastReturn = change;
    }
    previous = price;
    if (own < bars) codes[row] = 2;
    else if (defined < corrWindow || equal >= corrWindow) codes[row] = 3;
    else if (!(fast[row]! > slow[row]!)) codes[row] = 4;
    else if (line && !(line[row]! > 0)) codes[row] = 5;
    else if (price < fast[row]!) codes[row] = 6;
    else codes[row] = 0;
  }
}

/** Closes the gates that are still open where the score is not a number or too small. */
export function scoreGate(scores: Float64Array, minScore: number, codes: Uint8Array): void {
  for (let row = 0; row < codes.length; row++) {
    if (codes[row] !== 0) continue;
    const score = scores[row]!;
    if (Number.isNaN(score)) codes[row] = 7;
    else if (score < minScore) codes[row] = 8;
  }
}
