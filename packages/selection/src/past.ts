/**
 * Columns that are lent to somebody else's function: copies that hold nothing after the row being decided, neither in
 * their length nor in their memory, and that change nothing of ours when they are written into.
 */
export interface PastColumns {
  /**
   * A column up to a row. Going on adds a value, so that a walk copies every value once; going back takes values away.
   *
   * @param name - what the column is called in errors; the same name means the same column
   */
  upTo(row: number, name: string, column: () => Float64Array): Float64Array;
  /** The first value that is not what was lent. */
  changed(): { readonly name: string; readonly row: number } | undefined;
  /** Empties what was lent: whoever kept it has nothing. */
  takeBack(): void;
}

interface Lent {
  readonly column: Float64Array;
  readonly copy: Float64Array;
  rows: number;
}

export function pastColumns(): PastColumns {
  const lent = new Map<string, Lent>();
  return {
    upTo(row, name, column) {
      let one = lent.get(name);
      if (!one) {
        const whole = column();
        one = { column: whole, copy: new Float64Array(whole.length).fill(Number.NaN), rows: 0 };
        lent.set(name, one);
      }
      for (let at = one.rows; at <= row; at++) one.copy[at] = one.column[at]!;
      if (one.rows > row + 1) one.copy.fill(Number.NaN, row + 1, one.rows);
      one.rows = row + 1;
      return one.copy.subarray(0, one.rows);
    },
    changed() {
      for (const [name, { column, copy, rows }] of lent) {
        for (let row = 0; row < rows; row++) if (!Object.is(copy[row], column[row])) return { name, row };
      }
      return undefined;
    },
    takeBack() {
      for (const { copy } of lent.values()) copy.fill(Number.NaN);
      lent.clear();
    },
  };
}
