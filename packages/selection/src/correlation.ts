/**
 * Return windows of a few symbols at one row, and the correlations among them. A whole correlation matrix is never
 * built: a decision asks for a handful of pairs a row, and in a universe of thousands the matrix would take hours.
 */
export class ReturnWindows {
  private readonly slots: Float64Array[] = [];
  private readonly squares: number[] = [];

  constructor(
    private readonly closes: readonly Float64Array[],
    private readonly window: number,
  ) {}

  /**
   * Loads the centred returns of symbol `i` on the last `window` rows up to `row` into a slot. Every one of these rows
   * must have a bar, and some bar must lie before them: what "correlation window complete" means.
   */
  load(slot: number, i: number, row: number): void {
    const { window } = this;
    const close = this.closes[i]!;
    let centred = this.slots[slot];
    if (!centred) {
      centred = new Float64Array(window);
      this.slots[slot] = centred;
    }
    let sum = 0;
    const first = row - window + 1;
    let previous = lastCloseBefore(close, first);
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
    this.squares[slot] = squares;
  }

  /** Pearson correlation of two loaded slots, within [-1, 1]; identical windows have exactly 1. */
  between(a: number, b: number): number {
    const x = this.slots[a]!;
    const y = this.slots[b]!;
    let products = 0;
    for (let k = 0; k < this.window; k++) products += x[k]! * y[k]!;
    const rho = products / Math.sqrt(this.squares[a]! * this.squares[b]!);
    return Math.min(1, Math.max(-1, rho));
  }
}

/** The newest own close on a row before `row`; `NaN` when there is none. */
export function lastCloseBefore(close: Float64Array, row: number): number {
  let at = row - 1;
  while (at >= 0 && Number.isNaN(close[at]!)) at--;
  return at < 0 ? Number.NaN : close[at]!;
}
