/** How much room an evaluation needs. */
export interface Room {
  /** Rows of a column, with what lies between two columns. */
  readonly stride: number;
  readonly names: number;
  readonly fasts: number;
  /** Whether pairs of symbols have columns. */
  readonly pairs: boolean;
}

/**
 * The columns and tables of an evaluation, allocated once and written over by the next one: nothing is allocated while
 * windows are evaluated, and what is read again is still in the cache. Columns are symbol-major, row `t` of symbol `i`
 * at `i * stride + t`, where nothing else is said.
 */
export interface Memory {
  /** Source row of each row. */
  readonly order: Int32Array;
  // Of the window as it was: what a row's move is made of (see WindowFacts).
  readonly growth: Float64Array;
  readonly span: Float64Array;
  // Of the path being evaluated.
  readonly close: Float64Array;
  readonly change: Float64Array;
  /** Average true range. */
  readonly range: Float64Array;
  /** Cost of trading a weight of 1 at a row's close: commission by the price, and slippage. */
  readonly unitCost: Float64Array;
  /** Columns that may hold the symbol as far as bars, warm-up and MACD go; {@link noBar} where it has no bar. */
  readonly allowed: Int32Array;
  /** Columns that may hold the symbol, row-major: symbol `i` on row `t` at `t * names + i`. */
  readonly gates: Int32Array;
  /** `names * stride` values a fast span; defined where a gate of that span is open. */
  readonly scores: Float64Array;
  /** 1 / volatility; defined where any gate is open, as the next two are. */
  readonly steadiness: Float64Array;
  /** Sum of the correlation window's returns over the root of its length. */
  readonly drift: Float64Array;
  /** Sum of squared deviations in the correlation window; `NaN` where running sums might not tell it well enough. */
  readonly spread: Float64Array;
  /** A column a pair: running sums of the products of their returns. Empty for a universe of lists. */
  readonly products: Float64Array;
}

/** In {@link Memory.allowed}: no bar on this row, so that no indicator moves. */
export const noBar = -1;

/**
 * Columns for a window and for somewhat larger ones: calendar windows differ by a few rows, and memory that has to grow
 * costs more than its allocation (see the workbench).
 */
export function allocate(needed: Room): Memory {
  const stride = Math.ceil(needed.stride * 1.25);
  const names = Math.max(needed.names, 12);
  const fasts = Math.max(needed.fasts, 4);
  const floats = () => new Float64Array(names * stride);
  return {
    order: new Int32Array(stride),
    growth: floats(),
    span: floats(),
    close: floats(),
    change: floats(),
    range: floats(),
    unitCost: floats(),
    allowed: new Int32Array(names * stride),
    gates: new Int32Array(names * stride),
    scores: new Float64Array(names * stride * fasts),
    steadiness: floats(),
    drift: floats(),
    spread: floats(),
    products: new Float64Array(needed.pairs ? pairsOf(names) * stride : 0),
  };
}

export function fits(memory: Memory, { stride, names, fasts, pairs }: Room): boolean {
  return (
    memory.order.length >= stride &&
    memory.close.length >= names * stride &&
    memory.scores.length >= names * stride * fasts &&
    (!pairs || memory.products.length >= pairsOf(names) * stride)
  );
}

function pairsOf(names: number): number {
  return (names * (names - 1)) / 2;
}
