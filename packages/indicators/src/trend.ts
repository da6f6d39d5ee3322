import { IndicatorParameterError } from "./errors.js";
import { requireBars, requireLength, resultColumn } from "./parameters.js";

/** The spans of a MACD in bars; `fast` is shorter than `slow`. */
export interface MacdSpans {
  readonly fast: number;
  readonly slow: number;
  readonly signal: number;
}

/** The three columns of a MACD, all in the unit of the input. */
export interface Macd {
  /** Fast EMA minus slow EMA. */
  readonly line: Float64Array;
  /** EMA of the line. */
  readonly signal: Float64Array;
  /** Line minus signal. */
  readonly histogram: Float64Array;
}

/**
 * Simple moving average: the mean of the last `window` values, each window added up afresh, so that nothing drifts and a
 * value depends on its window alone.
 *
 * @param values - one column, oldest first, in any unit; the result has the same length and unit
 * @param window - in bars, a whole number of at least 1
 * @param out - receives the result and is returned; must not overlap `values`
 * @returns `NaN` for the first `window - 1` bars (warm-up) and wherever the window holds a `NaN`
 * @throws IndicatorParameterError when `window` is no positive whole number or `out` does not fit
 * @example
 * sma(Float64Array.of(10, 11, 12, 16), 3); // => Float64Array [NaN, NaN, 11, 13]
 */
export function sma(values: Float64Array, window: number, out?: Float64Array): Float64Array {
  requireBars("sma", "window", window, 1);
  const bars = values.length;
  const result = resultColumn("sma", out, bars, values);
  const warmUp = Math.min(window - 1, bars);
  for (let bar = 0; bar < warmUp; bar++) result[bar] = Number.NaN;
  for (let bar = warmUp; bar < bars; bar++) {
    let sum = 0;
    for (let at = bar - window + 1; at <= bar; at++) sum += values[at]!;
    result[bar] = sum / window;
  }
  return result;
}

/**
 * Exponential moving average: each value moves a fraction `2 / (span + 1)` of the way to the newest input, starting
 * from the first one.
 *
 * @param values - one column, oldest first, in any unit; the result has the same length and unit
 * @param span - smoothing span in bars, a whole number of at least 1
 * @param out - receives the result and is returned; must not overlap `values`
 * @returns `NaN` for the first `span - 1` bars (warm-up); a `NaN` input propagates to every later bar
 * @throws IndicatorParameterError when `span` is no positive whole number or `out` does not fit
 * @example
 * ema(Float64Array.of(10, 11, 12, 13), 3); // => Float64Array [NaN, NaN, 11.25, 12.125]
 */
export function ema(values: Float64Array, span: number, out?: Float64Array): Float64Array {
  requireBars("ema", "span", span, 1);
  const bars = values.length;
  const result = resultColumn("ema", out, bars, values);
  if (bars === 0) return result;
  const alpha = 2 / (span + 1);
  const warmUp = Math.min(span - 1, bars);
  let level = values[0]!;
  let bar = 0;
  for (; bar < warmUp; bar++) {
    level += alpha * (values[bar]! - level);
    result[bar] = Number.NaN;
  }
  for (; bar < bars; bar++) {
    level += alpha * (values[bar]! - level);
    result[bar] = level;
  }
  return result;
}

/**
 * Moving average convergence/divergence (Appel): the fast EMA minus the slow one, the EMA of that difference, and what
 * is between the two. All averages start at the first bar, so the signal has seen the line's own warm-up.
 *
 * @param values - one column, oldest first, in any unit; all results have the same length and unit
 * @param spans - in bars, whole numbers of at least 1, `fast` below `slow`
 * @param out - three columns that receive the results and are returned; must overlap neither `values` nor each other
 * @returns `line` is `NaN` for the first `slow - 1` bars, `signal` and `histogram` for the first `slow + signal - 2`
 *   (warm-up); a `NaN` input propagates to every later bar
 * @throws IndicatorParameterError when a span is no positive whole number, `fast >= slow`, or `out` does not fit
 * @example
 * macd(Float64Array.of(10, 12, 16, 12), { fast: 1, slow: 3, signal: 1 }).line; // => Float64Array [NaN, NaN, 2.5, -0.75]
 */
export function macd(values: Float64Array, spans: MacdSpans, out?: Macd): Macd {
  const { fast, slow, signal } = spans;
  requireBars("macd", "fast", fast, 1);
  requireBars("macd", "slow", slow, 1);
  requireBars("macd", "signal", signal, 1);
  if (fast >= slow)
    throw new IndicatorParameterError("macd", "fast", `must be below slow, not ${fast} with ${slow}`);
  const bars = values.length;
  const lineOut = resultColumn("macd", out?.line, bars, values);
  const signalOut = resultColumn("macd", out?.signal, bars, values, lineOut);
  const histogramOut = resultColumn("macd", out?.histogram, bars, values, lineOut, signalOut);
  const result = out ?? { line: lineOut, signal: signalOut, histogram: histogramOut };
  if (bars === 0) return result;
  const fastAlpha = 2 / (fast + 1);
  const slowAlpha = 2 / (slow + 1);
  const signalAlpha = 2 / (signal + 1);
  const firstLine = slow - 1;
  const firstSignal = slow + signal - 2;
  let fastLevel = values[0]!;
  let slowLevel = fastLevel;
  // Zero on the first bar, where both averages start, but NaN where the first value is.
  let signalLevel = fastLevel - slowLevel;
  for (let bar = 0; bar < bars; bar++) {
    const value = values[bar]!;
    fastLevel += fastAlpha * (value - fastLevel);
    slowLevel += slowAlpha * (value - slowLevel);
    const line = fastLevel - slowLevel;
    signalLevel += signalAlpha * (line - signalLevel);
    lineOut[bar] = bar < firstLine ? Number.NaN : line;
    signalOut[bar] = bar < firstSignal ? Number.NaN : signalLevel;
    histogramOut[bar] = bar < firstSignal ? Number.NaN : line - signalLevel;
  }
  return result;
}

/**
 * Average true range (Wilder): the mean of the first `window` true ranges, then a moving average that gives each new
 * one the weight `1 / window`. The true range of a bar spans its own range and the close before it, so the first bar
 * has none.
 *
 * @param high - highest prices, oldest first; all three columns and the result have the same length and unit
 * @param low - lowest prices
 * @param close - closing prices
 * @param window - in bars, a whole number of at least 1
 * @param out - receives the result and is returned; must not overlap an input
 * @returns `NaN` for the first `window` bars (warm-up); a `NaN` in any input propagates to every later bar, but the
 *   high and low of the first bar are never read
 * @throws IndicatorParameterError when `window` is no positive whole number or the columns differ in length
 * @example
 * atr(Float64Array.of(11, 13, 12), Float64Array.of(9, 11, 11), Float64Array.of(10, 12, 11), 1);
 * // => Float64Array [NaN, 3, 1]
 */
export function atr(
  high: Float64Array,
  low: Float64Array,
  close: Float64Array,
  window: number,
  out?: Float64Array,
): Float64Array {
  requireBars("atr", "window", window, 1);
  const bars = close.length;
  requireLength("atr", "high", high, bars);
  requireLength("atr", "low", low, bars);
  const result = resultColumn("atr", out, bars, high, low, close);
  if (bars <= window) return result.fill(Number.NaN);
  let previousClose = close[0]!;
  let sum = 0;
  result[0] = Number.NaN;
  for (let bar = 1; bar <= window; bar++) {
    const top = high[bar]!;
    const bottom = low[bar]!;
    sum += Math.max(top - bottom, Math.abs(top - previousClose), Math.abs(bottom - previousClose));
    previousClose = close[bar]!;
    result[bar] = Number.NaN;
  }
  let level = sum / window;
  result[window] = level;
  for (let bar = window + 1; bar < bars; bar++) {
    const top = high[bar]!;
    const bottom = low[bar]!;
    const range = Math.max(top - bottom, Math.abs(top - previousClose), Math.abs(bottom - previousClose));
    level = (level * (window - 1) + range) / window;
    result[bar] = level;
    previousClose = close[bar]!;
  }
  return result;
}
