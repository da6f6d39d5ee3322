import type { Block } from "./blocks.js";
import type { Book } from "./book.js";
import type { Memory } from "./memory.js";

/** Receives symbols as bits, and lanes of a word that select them. */
export type Assign = (set: number, word: number, lanes: number) => void;

/** Selections of names: best score first, each within the cap of all taken before it. */
export interface Walks {
  open(block: Block, names: number, stride: number): void;
  /** A new row, of which the open names are known; what was looked up for the row before is void. */
  begin(row: number, openCount: number): void;
  /**
   * Selects for one lane: first among the names its position holds, then among the others. The result, in
   * {@link Walks.walked}, also holds for the columns of the same fast span with the same gates, and for caps that
   * are tighter, down to the worst level taken: what this cap refuses they refuse too. Looser caps may take another walk.
   *
   * @param held - symbols held, as bits
   */
  walk(word: number, bit: number, held: number): void;
  /** Symbols taken, columns, tightest cap. */
  readonly walked: Int32Array;
  /** Selects for every lane without incumbents, each class of equal lanes once. */
  selectAll(): void;
}

export function createWalks(memory: Memory, book: Book, assign: Assign): Walks {
  const { scores } = memory;
  const { wordTop, wordRepeat, capLanes, laneColumn, laneCap, columnFast, fastColumns, levels } = book;
  const { openNames, openGates, room } = book;
  const assignLanes = assign;
  const columnStamp = new Int32Array(32);
  const columnEligible = new Int32Array(32);
  const columnSame = new Int32Array(32);
  const taken = new Int32Array(room.names + 1);
  const walked = new Int32Array(3);
  const orderNames = new Int32Array(room.names + 1);
  const orderGates = new Int32Array(room.names + 1);
  const orderScores = new Float64Array(room.names + 1);
  const pickable = new Int32Array(room.names + 1);
  const setAfter = new Int32Array(room.names + 2); // symbols taken, by how many

  let names = 0;
  let stride = 0;
  let scoreStride = 0;
  let capCount = 0;
  let levelCount = 0;
  let words = 0;
  let fasts = 0;
  let largestTop = 0;
  let decision = 0;
  let openCount = 0;
  let stamp = 0;

  function open(block: Block, nameCount: number, columnStride: number): void {
    names = nameCount;
    stride = columnStride;
    scoreStride = names * stride;
    capCount = block.caps.length;
    levelCount = capCount + 1;
    words = block.words;
    fasts = block.fasts.length;
    largestTop = Math.min(block.wordTop[words - 1]!, names);
    columnStamp.fill(0);
    stamp = 0;
  }

  function begin(row: number, count: number): void {
    decision = row;
    openCount = count;
    stamp++;
  }

  function walk(word: number, bit: number, held: number): void {
    const lane = word * 32 + bit;
    const column = laneColumn[lane]!;
    const cap = laneCap[lane]!;
    const top = wordTop[word]!;
    const fast = columnFast[column]!;
    if (columnStamp[column] !== stamp) lookUpColumn(column, fast);
    const eligible = columnEligible[column]!;
    let from = 0;
    let set = 0;
    let count = 0;

    let waiting = eligible & held;
    let others = eligible & ~held;
    if (waiting !== 0) {
      // All incumbents together, if they are within the cap of each other: then their order does not matter.
      let worst = 0;
      for (let left = waiting; left !== 0; ) {
        const name = 31 - Math.clz32(left);
        left ^= 1 << name;
        for (let k = 0; k < count; k++) {
          const level = levels[name * names + taken[k]!]!;
          if (level > worst) worst = level;
        }
        taken[count++] = name;
      }
      if (worst <= cap) {
        set = waiting;
        from = worst;
        waiting = 0;
      } else count = 0;
    }
    while (count < top) {
      if (waiting === 0) {
        if (others === 0) break;
        waiting = others;
        others = 0;
      }
      const best = (waiting & (waiting - 1)) === 0 ? 31 - Math.clz32(waiting) : bestOf(waiting, fast);
      waiting ^= 1 << best;
      let level = 0;
      for (let k = 0; k < count; k++) {
        const pair = levels[best * names + taken[k]!]!;
        if (pair > level) level = pair;
      }
      if (level <= cap) {
        if (level > from) from = level;
        set |= 1 << best;
        taken[count++] = best;
      }
    }
    walked[0] = set;
    walked[1] = columnSame[column]!;
    walked[2] = from;
  }

  /** The highest score among at least one symbol, ties to the first in universe order. */
  function bestOf(waiting: number, fast: number): number {
    const column = fast * scoreStride + decision;
    let best = 31 - Math.clz32(waiting);
    let bestScore = scores[column + best * stride]!;
    for (let left = waiting ^ (1 << best); left !== 0; ) {
      const name = 31 - Math.clz32(left);
      left ^= 1 << name;
      const score = scores[column + name * stride]!;
      if (score >= bestScore) {
        bestScore = score;
        best = name;
      }
    }
    return best;
  }

  /** Who is eligible in a column, and which columns of the same fast span agree with it. */
  function lookUpColumn(column: number, fast: number): void {
    let eligible = 0;
    let differing = 0;
    for (let x = 0; x < openCount; x++) {
      const gate = openGates[x]!;
      const bit = (gate >>> column) & 1;
      eligible |= bit << openNames[x]!;
      differing |= gate ^ -bit;
    }
    columnStamp[column] = stamp;
    columnEligible[column] = eligible;
    columnSame[column] = fastColumns[fast]! & ~differing;
  }

  function selectAll(): void {
    for (let fast = 0; fast < fasts; fast++) {
      const all = fastColumns[fast]!;
      const scoreColumn = fast * scoreStride + decision;
      let candidates = 0;
      let remaining = 0;
      for (let x = 0; x < openCount; x++) {
        const gate = openGates[x]! & all;
        if (gate === 0) continue;
        remaining |= gate;
        const name = openNames[x]!;
        const score = scores[scoreColumn + name * stride]!;
        let at = candidates++;
        for (; at > 0 && score > orderScores[at - 1]!; at--) {
          orderScores[at] = orderScores[at - 1]!;
          orderNames[at] = orderNames[at - 1]!;
          orderGates[at] = orderGates[at - 1]!;
        }
        orderScores[at] = score;
        orderNames[at] = name;
        orderGates[at] = gate;
      }
      const empty = all & ~remaining;
      if (empty !== 0) {
        for (let word = 0; word < words; word++) {
          assignLanes(0, word, Math.imul(empty, wordRepeat[word]!));
        }
      }
      while (remaining !== 0) {
        const column = 31 - Math.clz32(remaining);
        let differing = 0;
        let count = 0;
        for (let x = 0; x < candidates; x++) {
          const gate = orderGates[x]!;
          const bit = (gate >>> column) & 1;
          pickable[count] = orderNames[x]!;
          count += bit;
          differing |= gate ^ -bit;
        }
        const same = all & ~differing;
        remaining &= ~same;
        // One walk to the largest top_n serves the smaller ones on its way, and a range of caps.
        const first = pickable[0]!;
        for (let cap = 0; cap < capCount; ) {
          let to = capCount;
          let taken1 = 1;
          taken[0] = first;
          let set = 1 << first;
          setAfter[1] = set;
          for (let x = 1; x < count && taken1 < largestTop; x++) {
            const name = pickable[x]!;
            let level = 0;
            for (let k = 0; k < taken1; k++) {
              const pair = levels[name * names + taken[k]!]!;
              if (pair > level) level = pair;
            }
            if (level <= cap) {
              set |= 1 << name;
              taken[taken1++] = name;
              setAfter[taken1] = set;
            } else if (level < to) to = level;
          }
          for (let word = 0; word < words; word++) {
            const top = wordTop[word]!;
            const columnLanes = Math.imul(same, wordRepeat[word]!);
            if (top === 1) {
              if (cap === 0) assignLanes(setAfter[1]!, word, columnLanes);
              continue;
            }
            const capped =
              columnLanes & capLanes[word * levelCount + cap]! & ~capLanes[word * levelCount + to]!;
            if (capped !== 0) assignLanes(setAfter[Math.min(top, taken1)]!, word, capped);
          }
          cap = to;
        }
      }
    }
  }

  return { open, begin, walk, walked, selectAll };
}
