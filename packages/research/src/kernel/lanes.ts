import { sumSize } from "./sums.js";

/**
 * The equity of every portfolio of a block. A portfolio is a *lane*: a bit of a word, `word * 32 + bit`.
 *
 * With y = equity / peak, a row of growth m maps y to min(1, y m); a stretch of rows therefore maps it to min(c, y g), and
 * the lowest point on the way is min(lowest c, y x lowest g): four numbers, g, c, lowest g and lowest c, are exact for
 * all lanes that go through the same stretch, as long as equity is above 0.
 */
export interface Lanes {
  /** Highest equity so far. */
  readonly peaks: Float64Array;
  /** Equity over that. */
  readonly ratios: Float64Array;
  /** The lowest that the ratio ever was. */
  readonly lowest: Float64Array;
  /** `sumSize` numbers a lane. */
  readonly sums: Float64Array;
  /** The four numbers of stretches; who advances lanes fills in his own before. */
  readonly stretches: Float64Array;
  open(words: number): void;
  /** Takes the lanes of a group through the stretch at `stretches[4 * stretch]`. */
  advance(word: number, group: number, stretch: number): void;
  /** Takes the lanes of a group through one row, whose growth is `stretches[4 * stretch]`. */
  advanceRow(word: number, group: number, stretch: number): void;
}

/**
 * @param words - of a block, at most
 * @param stretchCount - how many stretches there are places for
 */
export function createLanes(words: number, stretchCount: number): Lanes {
  const peaks = new Float64Array(words * 32);
  const ratios = new Float64Array(words * 32);
  const lowest = new Float64Array(words * 32);
  const sums = new Float64Array(words * 32 * sumSize);
  const stretches = new Float64Array(4 * stretchCount);

  function open(used: number): void {
    peaks.fill(1, 0, used * 32);
    ratios.fill(1, 0, used * 32);
    lowest.fill(1, 0, used * 32);
    sums.fill(0, 0, used * 32 * sumSize);
  }

  function advance(word: number, group: number, stretch: number): void {
    const at = stretch * 4;
    const g = stretches[at]!;
    const c = stretches[at + 1]!;
    const lowestG = stretches[at + 2]!;
    const lowestC = stretches[at + 3]!;
    for (let left = group; left !== 0; ) {
      const bit = 31 - Math.clz32(left);
      left ^= 1 << bit;
      const lane = word * 32 + bit;
      const y = ratios[lane]!;
      const under = y * lowestG;
      const after = y * g;
      const least = Math.min(under, lowestC);
      if (after > c) {
        // Equity was highest somewhere on the way, by as much as the ratio was cut.
        peaks[lane]! *= after / c;
        ratios[lane] = c;
      } else ratios[lane] = after;
      if (least < lowest[lane]!) lowest[lane] = least;
    }
  }

  function advanceRow(word: number, group: number, stretch: number): void {
    const growth = stretches[stretch * 4]!;
    for (let left = group; left !== 0; ) {
      const bit = 31 - Math.clz32(left);
      left ^= 1 << bit;
      const lane = word * 32 + bit;
      const y = ratios[lane]! * growth;
      if (y > 1) {
        peaks[lane]! *= y;
        ratios[lane] = 1;
        continue;
      }
      ratios[lane] = y;
      if (y < lowest[lane]!) lowest[lane] = y;
    }
  }

  return { peaks, ratios, lowest, sums, stretches, open, advance, advanceRow };
}
