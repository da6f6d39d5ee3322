import { IndicatorParameterError } from "./errors.js";

/** Refuses a count of bars that is no whole number of at least `least`. */
export function requireBars(indicator: string, parameter: string, bars: number, least: number): void {
  if (!Number.isInteger(bars) || bars < least) {
    throw new IndicatorParameterError(
      indicator,
      parameter,
      `must be a whole number of at least ${least}, not ${bars}`,
    );
  }
}

/** Refuses a column that does not run parallel to the first one. */
export function requireLength(
  indicator: string,
  parameter: string,
  column: Float64Array,
  length: number,
): void {
  if (column.length !== length) {
    throw new IndicatorParameterError(
      indicator,
      parameter,
      `has ${column.length} values beside a column of ${length}`,
    );
  }
}

/** Refuses a stretch `from..to` (`to` excluded) that does not lie within a column. */
export function requireStretch(indicator: string, from: number, to: number, length: number): void {
  if (!(Number.isInteger(from) && Number.isInteger(to) && from >= 0 && from <= to && to <= length)) {
    throw new IndicatorParameterError(
      indicator,
      "from and to",
      `must lie within a column of ${length}, not be ${from} and ${to}`,
    );
  }
}

/**
 * The column that receives a result: the caller's, or a new one. It may lie in the same buffer as an input, never over
 * it: a window would read what was just written.
 */
export function resultColumn(
  indicator: string,
  out: Float64Array | undefined,
  length: number,
  ...inputs: readonly Float64Array[]
): Float64Array {
  if (!out) return new Float64Array(length);
  requireLength(indicator, "out", out, length);
  for (const input of inputs) {
    if (
      out.buffer === input.buffer &&
      out.byteOffset < input.byteOffset + input.byteLength &&
      input.byteOffset < out.byteOffset + out.byteLength
    ) {
      throw new IndicatorParameterError(indicator, "out", "overlaps an input; it needs memory of its own");
    }
  }
  return out;
}
