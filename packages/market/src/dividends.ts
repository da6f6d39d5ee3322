/**
 * What a share must have paid for its two price histories to part as they do: on the ex-date the ratio of adjusted to
 * traded close rises by the payment as a fraction of the traded close before, which is how vendors and brokers adjust.
 *
 * What the columns' own rounding explains is no payment: the decimals they are rounded to are read off them (2, 4, or
 * else 6), and less than a thousandth of a percent of the price is rounding wherever it comes from. A ratio that falls
 * is no payment either.
 *
 * @param adjusted - closes adjusted for splits and dividends, oldest first, `NaN` where there is no bar
 * @param traded - closes adjusted for splits alone, same rows
 * @returns dollars a share (of the traded column's shares) on each ex-date, for whoever held over the night before; 0 on
 *   all other rows
 * @example
 * impliedDividends(Float64Array.of(98, 99), Float64Array.of(100, 99)); // => Float64Array [0, 2]
 */
export function impliedDividends(adjusted: Float64Array, traded: Float64Array): Float64Array {
  const paid = new Float64Array(traded.length);
  if (adjusted === traded) return paid;
  const [stepAdjusted, stepTraded] = [roundedTo(adjusted), roundedTo(traded)];
  let before = -1;
  for (let row = 0; row < traded.length; row++) {
    if (Number.isNaN(adjusted[row]!) || Number.isNaN(traded[row]!)) continue;
    if (before >= 0) {
      const ratio = traded[row]! / adjusted[row]!;
      const dollars = traded[before]! - adjusted[before]! * ratio;
      // Each close is off by half a step at most; this is how far that moves the difference.
      const steps = (stepTraded + stepAdjusted * ratio) * (1 + adjusted[before]! / adjusted[row]!);
      const rounding = Math.max(steps / 2, traded[before]! * 1e-5);
      if (dollars > rounding) paid[row] = dollars;
    }
    before = row;
  }
  return paid;
}

/** The step that every value of a column is a multiple of. */
function roundedTo(column: Float64Array): number {
  for (const parts of [100, 10_000]) {
    if (column.every((value) => !(Math.abs(value * parts - Math.round(value * parts)) > 1e-6)))
      return 1 / parts;
  }
  return 1e-6;
}
