import type { Panel } from "@pf/market";

/** What a row is to a symbol. */
const moves = 0; // a bar here and on the row before: its move can come from another row
export const resumes = 1; // a bar after a hole: keeps its own price, the return spans the hole
export const missing = 2; // no bar, after the first

/**
 * The facts of a train window that no order of its rows changes, or from which a move can be carried to another row.
 *
 * Rows are exchanged whole, so a permuted path needs no logarithm, division, open, high or low: with `t` taking its
 * move from row `s`, close = close before x `growth[s]`, return = `growth[s]` - 1, true range = close before x `span[s]`.
 * All columns are symbol-major, `rows` values each.
 */
export interface WindowFacts {
  readonly rows: number;
  readonly names: number;
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

export function windowFacts(window: Panel): WindowFacts {
  const rows = window.sessions.length;
  const names = window.tickers.length;
  const column = () => new Float64Array(rows * names);
  const facts = {
    rows,
    names,
    first: new Int32Array(names),
    kind: new Uint8Array(rows * names),
    holes: new Uint8Array(names),
    high: column(),
    low: column(),
    close: column(),
    growth: column(),
    span: column(),
    mostEqual: new Int32Array(names),
    exact: new Uint8Array(names),
    ratios: undefined as Ratios | undefined,
  };
  for (const [i, ticker] of window.tickers.entries()) {
    const base = i * rows;
    const close = window.column("close", ticker);
    facts.close.set(close, base);
    facts.high.set(window.column("high", ticker), base);
    facts.low.set(window.column("low", ticker), base);
    let first = 0;
    while (first < rows && Number.isNaN(close[first]!)) first++;
    facts.first[i] = first;
    let resumed = 0;
    for (let row = first + 1; row < rows; row++) {
      const at = base + row;
      if (Number.isNaN(close[row]!)) {
        facts.kind[at] = missing;
        facts.holes[i] = 1;
        continue;
      }
      const before = close[row - 1]!;
      if (Number.isNaN(before)) {
        facts.kind[at] = resumes;
        resumed++;
        continue;
      }
      facts.growth[at] = close[row]! / before;
      facts.span[at] = (Math.max(facts.high[at]!, before) - Math.min(facts.low[at]!, before)) / before;
    }
    facts.mostEqual[i] = mostEqual(facts, base, first) + resumed;
  }
  facts.exact.set(facts.holes);
  markAlike(facts);
  // Set, not spread into a second object: the engine knows the fields of the first better, and the passes read them often.
  if (facts.exact.includes(1)) facts.ratios = ratiosOf(window, facts);
  return facts;
}

/** Marks symbols that make the same moves on all rows on which both move: share classes, or one symbol twice. */
function markAlike({
  rows,
  names,
  kind,
  growth,
  exact,
}: Pick<WindowFacts, "rows" | "names" | "kind" | "growth" | "exact">): void {
  for (let i = 0; i < names; i++) {
    for (let j = i + 1; j < names; j++) {
      let shared = 0;
      let row = 1;
      for (; row < rows; row++) {
        const a = i * rows + row;
        const b = j * rows + row;
        if (growth[a] === 0 || growth[b] === 0 || kind[a] !== moves || kind[b] !== moves) continue;
        if (Math.abs(growth[a]! - growth[b]!) > alike) break;
        shared++;
      }
      if (row === rows && shared > 0) {
        exact[i] = 1;
        exact[j] = 1;
      }
    }
  }
}

function ratiosOf(
  window: Panel,
  { rows, names, kind, exact }: Pick<WindowFacts, "rows" | "names" | "kind" | "exact">,
): Ratios {
  const column = () => new Float64Array(rows * names);
  const ratios = { open: column(), high: column(), low: column(), close: column() };
  for (const [i, ticker] of window.tickers.entries()) {
    if (exact[i] === 0) continue;
    const open = window.column("open", ticker);
    const high = window.column("high", ticker);
    const low = window.column("low", ticker);
    const close = window.column("close", ticker);
    for (let row = 1; row < rows; row++) {
      const at = i * rows + row;
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

/** Slots for the moves of a window: more than twice as many as rows of the usual three years. */
const fewestSlots = 2048;

function mostEqual(
  { rows, kind, growth }: Pick<WindowFacts, "rows" | "kind" | "growth">,
  base: number,
  first: number,
): number {
  // Counted in a table by the bits of the number: sorting the moves took longer than all else that is learned of them.
  let slots = fewestSlots;
  while (slots < 2 * rows) slots *= 2;
  const values = new Float64Array(slots);
  const counts = new Int32Array(slots);
  let most = 0;
  for (let row = first + 1; row < rows; row++) {
    if (kind[base + row] !== moves) continue;
    const value = growth[base + row]! - 1;
    bitsOf.value[0] = value;
    let slot = Math.imul(bitsOf.words[0]! ^ Math.imul(bitsOf.words[1]!, 0x85eb_ca6b), 0x9e37_79b1) >>> 8;
    slot &= slots - 1;
    while (counts[slot] !== 0 && values[slot] !== value) slot = (slot + 1) & (slots - 1);
    values[slot] = value;
    const count = counts[slot]! + 1;
    counts[slot] = count;
    if (count > most) most = count;
  }
  return most;
}

const bitsOf = viewsOf(new Float64Array(1));

function viewsOf(value: Float64Array) {
  return { value, words: new Int32Array(value.buffer) };
}
