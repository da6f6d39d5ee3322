import type { Block } from "./blocks.js";

/** How large the tables of a pass over the rows must be. */
export interface BookRoom {
  /** Words of a block. */
  readonly words: number;
  readonly names: number;
  /** Symbols of a portfolio, at most. */
  readonly places: number;
  /** Whether sets of symbols are lists, for more of them than a word has bits; there are then no tables of pairs. */
  readonly lists: boolean;
  /** Cap levels of a block: its caps and one more. */
  readonly levels: number;
  readonly fasts: number;
}

// Where the pass over the rows is, in Book.now.
export const decision = 0; // row whose gates, scores and volatilities decide
export const traded = 1; // row at whose close is traded, and whose return was just earned
export const openCount = 2; // symbols with an open gate
export const cashTouched = 3; // 1 when lanes have moved to cash on the row

/** A block's tables and the symbols at hand, copied to where the passes find them without looking through objects. */
export interface Book {
  readonly room: BookRoom;
  readonly wordTop: Int32Array;
  readonly wordRepeat: Int32Array;
  readonly capLanes: Int32Array;
  readonly laneColumn: Int32Array;
  readonly laneCap: Int32Array;
  readonly columnFast: Int32Array;
  readonly fastColumns: Int32Array;
  /** Symbols that may be held at some time, ascending. */
  readonly active: Int32Array;
  /** Squares of the caps, each with a margin on both sides (see {@link capBounds}). */
  readonly capBounds: Float64Array;
  readonly caps: Float64Array;
  /** Start of a pair's column of products, at `a * names + b`; not with lists, as the levels. */
  readonly pairColumn: Int32Array;
  /**
   * How many of the caps, ascending, refuse a pair on the row at hand, at `a * names + b`; 0 for a symbol with itself.
   * Defined where some column may hold both.
   */
  readonly levels: Uint8Array;
  /** Symbols with an open gate on the row at hand, ascending, and their gates. */
  readonly openNames: Int32Array;
  readonly openGates: Int32Array;
  /**
   * The row at hand, see {@link decision} and its neighbours: written in one place and read by all, because telling each
   * of them in a call of its own is felt on every row.
   */
  readonly now: Int32Array;
  /** Weights of the position whose lanes are moving, by symbol; 0 elsewhere. */
  readonly leaving: Float64Array;
}

export function createBook(room: BookRoom): Book {
  const pairs = room.lists ? 0 : room.names * room.names;
  return {
    room,
    wordTop: new Int32Array(room.words),
    wordRepeat: new Int32Array(room.words),
    capLanes: new Int32Array(room.words * room.levels),
    laneColumn: new Int32Array(room.words * 32),
    laneCap: new Int32Array(room.words * 32),
    columnFast: new Int32Array(32),
    fastColumns: new Int32Array(room.fasts),
    active: new Int32Array(room.names),
    capBounds: new Float64Array(2 * room.levels),
    caps: new Float64Array(room.levels),
    levels: new Uint8Array(pairs),
    pairColumn: new Int32Array(pairs),
    openNames: new Int32Array(room.names + 1),
    openGates: new Int32Array(room.names + 1),
    now: new Int32Array(4),
    leaving: new Float64Array(room.names),
  };
}

export function fillBook(
  book: Book,
  block: Block,
  active: Int32Array,
  activeCount: number,
  names: number,
  stride: number,
): void {
  book.wordTop.set(block.wordTop);
  book.wordRepeat.set(block.wordRepeat);
  book.capLanes.set(block.capLanes);
  book.laneColumn.set(block.laneColumn);
  book.laneCap.set(block.laneCap);
  book.columnFast.set(block.columnFast);
  book.fastColumns.set(block.fastColumns);
  book.active.set(active.subarray(0, activeCount));
  book.caps.set(block.caps);
  book.capBounds.set(capBounds(block.caps));
  if (book.room.lists) return;
  book.levels.fill(0);
  let column = 0;
  for (let i = 0; i < names; i++) {
    for (let j = i + 1; j < names; j++, column += stride) {
      book.pairColumn[i * names + j] = column;
      book.pairColumn[j * names + i] = column;
    }
  }
}

/** On either side of a squared cap the running sums might round to the wrong one: far more than they ever lose. */
const doubt = 1e-8;

/** Squared caps with a margin of doubt on both sides. A correlation is never beyond 1, so a cap of 1 admits all. */
function capBounds(caps: Float64Array): Float64Array {
  const bounds = new Float64Array(caps.length * 2);
  for (let k = 0; k < caps.length; k++) {
    const cap = caps[k]!;
    bounds[2 * k] = cap >= 1 ? Number.POSITIVE_INFINITY : cap * cap - doubt;
    bounds[2 * k + 1] = cap >= 1 ? Number.POSITIVE_INFINITY : cap * cap + doubt;
  }
  return bounds;
}
