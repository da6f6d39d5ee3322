/** Pairs of universes up to this size are worth a table when many strategies share features. */
const tabledUniverse = 16;

/**
 * A table for the correlations of every pair on every row, filled as they are asked for; undefined for a universe so
 * large that the table would outweigh the bars.
 */
export function pairTable(rows: number, names: number): Float64Array | undefined {
  if (names > tabledUniverse) return undefined;
  return new Float64Array((rows * names * (names - 1)) / 2).fill(Number.NaN);
}

/**
 * Return correlations of the pairs that are asked for. A whole correlation matrix is never built: a decision asks for a
 * handful of pairs a row, and in a universe of thousands the matrix would take hours.
 */
export class PairCorrelations {
  private readonly columns: (Float64Array | undefined)[] = [];
  private readonly squares: Float64Array;
  /** The row whose window a symbol's centred returns are; -1 before the first. */
  private readonly loaded: Int32Array;

  /**
   * @param closes - one column a symbol
   * @param window - rows of the correlation
   * @param table - remembers what was computed, for others with the same closes and window too
   */
  constructor(
    private readonly closes: readonly Float64Array[],
    private readonly window: number,
    private readonly table?: Float64Array | undefined,
  ) {
    this.squares = new Float64Array(closes.length);
    this.loaded = new Int32Array(closes.length).fill(-1);
  }

  /**
   * Pearson correlation of two symbols' returns on the last `window` rows up to `row`, within [-1, 1]; identical windows
   * have exactly 1. For both, every one of these rows must have a bar, and some bar must lie before them: what
   * "correlation window complete" means.
   */
  at(row: number, a: number, b: number): number {
    const { table, closes } = this;
    if (!table) return this.compute(row, a, b);
    const names = closes.length;
    const [low, high] = a < b ? [a, b] : [b, a];
    const cell = (row * names * (names - 1)) / 2 + (high * (high - 1)) / 2 + low;
    let rho = table[cell]!;
    if (Number.isNaN(rho)) {
      rho = this.compute(row, low, high);
      table[cell] = rho;
    }
    return rho;
  }

  private compute(row: number, a: number, b: number): number {
    const x = this.centred(row, a);
    const y = this.centred(row, b);
    let products = 0;
    for (let k = 0; k < this.window; k++) products += x[k]! * y[k]!;
    const rho = products / Math.sqrt(this.squares[a]! * this.squares[b]!);
    return Math.min(1, Math.max(-1, rho));
  }

  /**
   * A symbol's returns on the last `window` rows up to `row`, less their mean: computed in two passes once a row, into a
   * buffer that the next row uses again.
   */
  centred(row: number, symbol: number): Float64Array {
    const { window } = this;
    let centred = this.columns[symbol];
    if (!centred) {
      centred = new Float64Array(window);
      this.columns[symbol] = centred;
    }
    if (this.loaded[symbol] === row) return centred;
    this.loaded[symbol] = row;
    const close = this.closes[symbol]!;
    const first = row - window + 1;
    let previous = lastCloseBefore(close, first);
    let sum = 0;
    for (let k = 0; k < window; k++) {
      const price = close[first + k]!;
      const value = price / previous - 1;
      centred[k] = value;
      sum += value;
      previous = price;
    }
    const mean = sum / window;
    let squares = 0;
    for (let k = 0; k < window; k++) {
      const deviation = centred[k]! - mean;
      centred[k] = deviation;
      squares += deviation * deviation;
    }
    this.squares[symbol] = squares;
    return centred;
  }
}

/** The newest own close on a row before `row`; `NaN` when there is none. */
export function lastCloseBefore(close: Float64Array, row: number): number {
  let at = row - 1;
  while (at >= 0 && Number.isNaN(close[at]!)) at--;
  return at < 0 ? Number.NaN : close[at]!;
}
