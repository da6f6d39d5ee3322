import type { Panel } from "@pf/market";

/** What a row is to a symbol. */
const moves = 0; // a bar here and on the row before: its move can come from another row
export const resumes = 1; // a bar after a hole: keeps its own price, the return spans the hole
export const missing = 2; // no bar, after the first

/**
 * The moves of a whole panel: what its windows have in common. A move is between two rows and does not depend on where a
 * window begins. All columns are symbol-major, `rows` values each.
 */
export interface PanelMoves {
  readonly rows: number;
  readonly names: number;
  readonly kind: Uint8Array;
  readonly high: Float64Array;
  readonly low: Float64Array;
  readonly close: Float64Array;
  /** Of rows with kind `moves`, else 0. */
  readonly growth: Float64Array;
  readonly span: Float64Array;
  /** Equal moves of a symbol have equal numbers, counted from 0. */
  readonly twin: Int32Array;
}

/**
 * The facts of a train window that no order of its rows changes, or from which a move can be carried to another row.
 *
 * Rows are exchanged whole, so a permuted path needs no logarithm, division, open, high or low: with `t` taking its
 * move from row `s`, close = close before x `growth[s]`, return = `growth[s]` - 1, true range = close before x `span[s]`.
 * Columns are symbol-major, row `t` of symbol `i` at `i * stride + t`; they are the panel's own, seen from the window's
 * first row, and tell of moves only after a symbol's first bar in the window.
 */
export interface WindowFacts {
  readonly rows: number;
  readonly names: number;
  readonly stride: number;
  /** First row with a bar, `rows` when there is none. */
  readonly first: Int32Array;
  readonly kind: Uint8Array;
  readonly holes: Uint8Array;
  readonly high: Float64Array;
  readonly low: Float64Array;
  readonly close: Float64Array;
  readonly growth: Float64Array;
  readonly span: Float64Array;
  /**
   * Symbols whose permuted path must be the plain path's, operation by operation: those that move alike, because their
   * scores can be equal but for the last bits, and who comes first then hangs on the arithmetic; and those with holes,
   * whose moves are not all of one kind. For the others `growth` and `span` tell enough.
   */
  readonly exact: Uint8Array;
  /** The four ratios a bar moves by, of the exact symbols; `undefined` when there are none. */
  readonly ratios: Ratios | undefined;
  /** Most rows that share one return, an upper bound of the longest stretch of equal returns in any order. */
  readonly mostEqual: Int32Array;
}

/** Open over the close before, and high, low and close over the open. */
export interface Ratios {
  readonly open: Float64Array;
  readonly high: Float64Array;
  readonly low: Float64Array;
  readonly close: Float64Array;
}

/** Moves closer than this are the same move: far more than rounding makes of one, far less than a price's tick. */
const alike = 1e-12;

export function panelMoves(panel: Panel): PanelMoves {
  const rows = panel.sessions.length;
  const names = panel.tickers.length;
  const column = () => new Float64Array(rows * names);
  const moves: PanelMoves = {
    rows,
    names,
    kind: new Uint8Array(rows * names),
    high: column(),
    low: column(),
    close: column(),
    growth: column(),
    span: column(),
    twin: new Int32Array(rows * names),
  };
  for (const [i, ticker] of panel.tickers.entries()) {
    const base = i * rows;
    moves.close.set(panel.column("close", ticker), base);
    moves.high.set(panel.column("high", ticker), base);
    moves.low.set(panel.column("low", ticker), base);
    fillMoves(moves, base);
    findTwins(moves, base);
  }
  return moves;
}

function fillMoves({ rows, kind, high, low, close, growth, span }: PanelMoves, base: number): void {
  for (let at = base + 1; at < base + rows; at++) {
    const price = close[at]!;
    const before = close[at - 1]!;
    if (Number.isNaN(price)) kind[at] = missing;
    else if (Number.isNaN(before)) kind[at] = resumes;
    else {
      growth[at] = price / before;
      span[at] = (Math.max(high[at]!, before) - Math.min(low[at]!, before)) / before;
    }
  }
}

/**
 * @param of - the moves of the panel that the window is of
 * @param from - the panel's row that is the window's first
 */
export function windowFacts(window: Panel, of: PanelMoves = panelMoves(window), from = 0): WindowFacts {
  const rows = window.sessions.length;
  const { names } = of;
  const facts = {
    rows,
    names,
    stride: of.rows,
    first: new Int32Array(names),
    kind: of.kind.subarray(from),
    holes: new Uint8Array(names),
    high: of.high.subarray(from),
    low: of.low.subarray(from),
    close: of.close.subarray(from),
    growth: of.growth.subarray(from),
    span: of.span.subarray(from),
    mostEqual: new Int32Array(names),
    exact: new Uint8Array(names),
    ratios: undefined as Ratios | undefined,
  };
  const { kind, close, first, holes } = facts;
  const twin = of.twin.subarray(from);
  const counts = new Int32Array(of.rows);
  for (let i = 0; i < names; i++) {
    const base = i * of.rows;
    let row = 0;
    while (row < rows && Number.isNaN(close[base + row]!)) row++;
    first[i] = row;
    counts.fill(0);
    let most = 0;
    let resumed = 0;
    for (row++; row < rows; row++) {
      const what = kind[base + row]!;
      if (what === missing) holes[i] = 1;
      else if (what === resumes) resumed++;
      else {
        const count = counts[twin[base + row]!]! + 1;
        counts[twin[base + row]!] = count;
        if (count > most) most = count;
      }
    }
    facts.mostEqual[i] = most + resumed;
  }
  facts.exact.set(holes);
  markAlike(facts);
  // Set, not spread into a second object: the engine knows the fields of the first better, and the passes read them often.
  if (facts.exact.includes(1)) facts.ratios = ratiosOf(window, facts);
  return facts;
}

/** Marks symbols that make the same moves on all rows on which both move: share classes, or one symbol twice. */
function markAlike({ rows, names, stride, first, kind, growth, exact }: WindowFacts): void {
  for (let i = 0; i < names; i++) {
    for (let j = i + 1; j < names; j++) {
      let shared = 0;
      let row = Math.max(first[i]!, first[j]!) + 1;
      for (; row < rows; row++) {
        const a = i * stride + row;
        const b = j * stride + row;
        if (growth[a] === 0 || growth[b] === 0 || kind[a] !== moves || kind[b] !== moves) continue;
        if (Math.abs(growth[a]! - growth[b]!) > alike) break;
        shared++;
      }
      if (row >= rows && shared > 0) {
        exact[i] = 1;
        exact[j] = 1;
      }
    }
  }
}

function ratiosOf(window: Panel, { rows, names, stride, kind, exact }: WindowFacts): Ratios {
  const column = () => new Float64Array(names * stride);
  const ratios = { open: column(), high: column(), low: column(), close: column() };
  for (const [i, ticker] of window.tickers.entries()) {
    if (exact[i] === 0) continue;
    const open = window.column("open", ticker);
    const high = window.column("high", ticker);
    const low = window.column("low", ticker);
    const close = window.column("close", ticker);
    for (let row = 1; row < rows; row++) {
      const at = i * stride + row;
      if (kind[at] !== moves || Number.isNaN(close[row - 1]!)) continue;
      const opened = open[row]!;
      ratios.open[at] = opened / close[row - 1]!;
      ratios.high[at] = high[row]! / opened;
      ratios.low[at] = low[row]! / opened;
      ratios.close[at] = close[row]! / opened;
    }
  }
  return ratios;
}

/** Slots for the moves of a panel: more than twice as many as rows of the usual three years. */
const fewestSlots = 2048;

function findTwins({ rows, kind, growth, twin }: PanelMoves, base: number): void {
  // Found in a table by the bits of the number: sorting the moves took longer than all else that is learned of them.
  let slots = fewestSlots;
  while (slots < 2 * rows) slots *= 2;
  const values = new Float64Array(slots);
  const numbers = new Int32Array(slots).fill(-1);
  let different = 0;
  for (let at = base + 1; at < base + rows; at++) {
    if (kind[at] !== moves) continue;
    const value = growth[at]! - 1;
    bitsOf.value[0] = value;
    let slot = Math.imul(bitsOf.words[0]! ^ Math.imul(bitsOf.words[1]!, 0x85eb_ca6b), 0x9e37_79b1) >>> 8;
    slot &= slots - 1;
    while (numbers[slot]! >= 0 && values[slot] !== value) slot = (slot + 1) & (slots - 1);
    if (numbers[slot]! < 0) {
      values[slot] = value;
      numbers[slot] = different++;
    }
    twin[at] = numbers[slot]!;
  }
}

const bitsOf = viewsOf(new Float64Array(1));

function viewsOf(value: Float64Array) {
  return { value, words: new Int32Array(value.buffer) };
}
