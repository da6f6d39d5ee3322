import { requireBars, requireLength, requireStretch, resultColumn } from "./parameters.js";

/**
 * Simple returns from close to close: `close[t] / close[t - 1] - 1`.
 *
 * @param close - prices, oldest first, any currency; the result has the same length, as fractions (0.01 is one percent)
 * @param out - receives the result and is returned; must not overlap `close`
 * @returns `NaN` on the first bar; a `NaN` price makes its own return and the next one `NaN`
 * @throws IndicatorParameterError when `out` does not fit
 * @example
 * simpleReturns(Float64Array.of(80, 100, 75)); // => Float64Array [NaN, 0.25, -0.25]
 */
export function simpleReturns(close: Float64Array, out?: Float64Array): Float64Array {
  const bars = close.length;
  const result = resultColumn("simpleReturns", out, bars, close);
  let previous = Number.NaN;
  for (let bar = 0; bar < bars; bar++) {
    const price = close[bar]!;
    result[bar] = price / previous - 1;
    previous = price;
  }
  return result;
}

/**
 * Rolling sample standard deviation (divisor `window - 1`) of the last `window` values, each window computed afresh in
 * two passes: nothing drifts, and a window of equal values has exactly zero.
 *
 * @param values - one column, oldest first, usually of returns; the result has the same length and unit
 * @param window - in bars, a whole number of at least 2
 * @param out - receives the result and is returned; must not overlap `values`
 * @returns `NaN` for the first `window - 1` bars (warm-up) and wherever the window holds a `NaN`: of a column of
 *   returns, whose first is `NaN`, the first `window` bars
 * @throws IndicatorParameterError when `window` is no whole number of at least 2 or `out` does not fit
 * @example
 * stdev(Float64Array.of(1, 3, 3, 3), 2); // => Float64Array [NaN, 1.4142135623730951, 0, 0]
 */
export function stdev(values: Float64Array, window: number, out?: Float64Array): Float64Array {
  requireBars("stdev", "window", window, 2);
  const bars = values.length;
  const result = resultColumn("stdev", out, bars, values);
  const warmUp = Math.min(window - 1, bars);
  for (let bar = 0; bar < warmUp; bar++) result[bar] = Number.NaN;
  let bar = warmUp;
  for (; bar + 4 <= bars; bar += 4) stdevOfFour(values, bar - window + 1, bar, result);
  for (; bar < bars; bar++) result[bar] = stdevOf(values, bar - window + 1, bar + 1);
  settleEqualWindows(values, window, result);
  return result;
}

/**
 * The four windows that end at `last` and the three bars after it, side by side: each keeps its own sums in its own order,
 * so the numbers are those of one window alone, but the processor has four additions under way instead of waiting for one.
 */
function stdevOfFour(values: Float64Array, from: number, last: number, result: Float64Array): void {
  const window = last - from + 1;
  let sum0 = 0;
  let sum1 = 0;
  let sum2 = 0;
  let sum3 = 0;
  for (let at = from; at <= last; at++) {
    sum0 += values[at]!;
    sum1 += values[at + 1]!;
    sum2 += values[at + 2]!;
    sum3 += values[at + 3]!;
  }
  const mean0 = sum0 / window;
  const mean1 = sum1 / window;
  const mean2 = sum2 / window;
  const mean3 = sum3 / window;
  let squares0 = 0;
  let squares1 = 0;
  let squares2 = 0;
  let squares3 = 0;
  for (let at = from; at <= last; at++) {
    const deviation0 = values[at]! - mean0;
    const deviation1 = values[at + 1]! - mean1;
    const deviation2 = values[at + 2]! - mean2;
    const deviation3 = values[at + 3]! - mean3;
    squares0 += deviation0 * deviation0;
    squares1 += deviation1 * deviation1;
    squares2 += deviation2 * deviation2;
    squares3 += deviation3 * deviation3;
  }
  result[last] = Math.sqrt(squares0 / (window - 1));
  result[last + 1] = Math.sqrt(squares1 / (window - 1));
  result[last + 2] = Math.sqrt(squares2 / (window - 1));
  result[last + 3] = Math.sqrt(squares3 / (window - 1));
}

/**
 * Sample standard deviation (divisor n - 1) of `values[from..to)`, in two passes: the same number that {@link stdev}
 * has at `to - 1` for the window `to - from`.
 *
 * @param values - one column in any unit; the result has the same unit
 * @param from - index of the first value
 * @param to - index after the last value
 * @returns exactly 0 when all values are equal; `NaN` for fewer than two values or when one is `NaN` or infinite
 * @throws IndicatorParameterError when the stretch does not lie within the column
 * @example
 * sampleStdev(Float64Array.of(9, 1, 3), 1, 3); // => 1.4142135623730951
 */
export function sampleStdev(values: Float64Array, from: number, to: number): number {
  requireStretch("sampleStdev", from, to, values.length);
  return to - from < 2 ? Number.NaN : stdevOf(values, from, to);
}

/**
 * Pearson correlation of two columns of returns over the last `window` rows, each window computed afresh in two passes.
 *
 * @param a - one column of returns, oldest first
 * @param b - the other, row by row beside it
 * @param window - in rows, a whole number of at least 2
 * @param out - receives the result and is returned; must not overlap an input
 * @returns within [-1, 1], identical windows exactly 1; `NaN` for the first `window - 1` rows (warm-up), wherever
 *   either window holds a `NaN`, and wherever one of them does not vary
 * @throws IndicatorParameterError when `window` is no whole number of at least 2 or the columns differ in length
 * @example
 * rollingCorrelation(Float64Array.of(1, 2, 3, 3), Float64Array.of(2, 4, 1, 1), 2); // => Float64Array [NaN, 1, -1, NaN]
 */
export function rollingCorrelation(
  a: Float64Array,
  b: Float64Array,
  window: number,
  out?: Float64Array,
): Float64Array {
  requireBars("rollingCorrelation", "window", window, 2);
  const rows = a.length;
  requireLength("rollingCorrelation", "b", b, rows);
  const result = resultColumn("rollingCorrelation", out, rows, a, b);
  const warmUp = Math.min(window - 1, rows);
  for (let row = 0; row < warmUp; row++) result[row] = Number.NaN;
  for (let row = warmUp; row < rows; row++) result[row] = correlationOf(a, b, row - window + 1, row + 1);
  return result;
}

/**
 * Pearson correlation of `a[from..to)` and `b[from..to)`, in two passes: the same number that
 * {@link rollingCorrelation} has at `to - 1` for the window `to - from`.
 *
 * @param a - one column
 * @param b - the other, row by row beside it
 * @param from - index of the first row
 * @param to - index after the last row
 * @returns within [-1, 1], identical stretches exactly 1; `NaN` for fewer than two rows, when a value is `NaN` or
 *   infinite, and when one of the stretches does not vary
 * @throws IndicatorParameterError when the columns differ in length or the stretch does not lie within them
 * @example
 * correlation(Float64Array.of(1, 2, 3), Float64Array.of(-2, -4, -6), 0, 3); // => -1
 */
export function correlation(a: Float64Array, b: Float64Array, from: number, to: number): number {
  requireLength("correlation", "b", b, a.length);
  requireStretch("correlation", from, to, a.length);
  return to - from < 2 ? Number.NaN : correlationOf(a, b, from, to);
}

/** Writes the exact zero of every window whose values are all equal, where a mean that rounds may have left a residue. */
function settleEqualWindows(values: Float64Array, window: number, result: Float64Array): void {
  const bars = values.length;
  let run = 0;
  let previous = Number.NaN;
  for (let bar = 0; bar < bars; bar++) {
    const value = values[bar]!;
    run = value === previous ? run + 1 : 1;
    previous = value;
    if (run >= window && Number.isFinite(value)) result[bar] = 0;
  }
}

function stdevOf(values: Float64Array, from: number, to: number): number {
  const first = values[from]!;
  let sum = 0;
  let varies = false;
  for (let at = from; at < to; at++) {
    const value = values[at]!;
    sum += value;
    if (value !== first) varies = true;
  }
  // The mean of equal values may round away from them and would leave a residue where there is no variance.
  if (!varies && Number.isFinite(first)) return 0;
  const count = to - from;
  const mean = sum / count;
  let squares = 0;
  for (let at = from; at < to; at++) {
    const deviation = values[at]! - mean;
    squares += deviation * deviation;
  }
  return Math.sqrt(squares / (count - 1));
}

function correlationOf(a: Float64Array, b: Float64Array, from: number, to: number): number {
  const firstA = a[from]!;
  const firstB = b[from]!;
  let sumA = 0;
  let sumB = 0;
  let variesA = false;
  let variesB = false;
  for (let at = from; at < to; at++) {
    const valueA = a[at]!;
    const valueB = b[at]!;
    sumA += valueA;
    sumB += valueB;
    if (valueA !== firstA) variesA = true;
    if (valueB !== firstB) variesB = true;
  }
  // A NaN in a window leaves its sum NaN, and with it the result.
  if (!variesA || !variesB) return Number.NaN;
  const count = to - from;
  const meanA = sumA / count;
  const meanB = sumB / count;
  let squaresA = 0;
  let squaresB = 0;
  let products = 0;
  for (let at = from; at < to; at++) {
    const deviationA = a[at]! - meanA;
    const deviationB = b[at]! - meanB;
    squaresA += deviationA * deviationA;
    squaresB += deviationB * deviationB;
    products += deviationA * deviationB;
  }
  return clippedRatio(products, squaresA, squaresB);
}

function clippedRatio(products: number, squaresA: number, squaresB: number): number {
  if (!(squaresA > 0 && squaresB > 0)) return Number.NaN;
  // One square root of the product: the root of x * x is exactly x, so identical columns give exactly 1, and so do
  // columns that differ by a power of two. Where the product leaves the range of a double, two roots must do.
  const product = squaresA * squaresB;
  const scale =
    product > 1e-290 && product < 1e290 ? Math.sqrt(product) : Math.sqrt(squaresA) * Math.sqrt(squaresB);
  const ratio = products / scale;
  return Math.min(1, Math.max(-1, ratio));
}
