import type { Block } from "./blocks.js";
import type { Book } from "./book.js";
import type { LazyLevels } from "./lazyLevels.js";
import type { Memory } from "./memory.js";
import type { Sets } from "./sets.js";
import type { Assign, Walks } from "./walks.js";

/** Candidates that are put in order at first; more, twice as many each time, when the caps turn these away. */
const firstBatch = 16;

/**
 * {@link createWalks} for any number of symbols. Who can be taken is a list, best first, of which only the head is ever
 * put in order; and a walk serves all columns that agree on the symbols it looked at, since those behind cannot matter.
 */
export function createListWalks(
  memory: Memory,
  book: Book,
  sets: Sets,
  levels: LazyLevels,
  assign: Assign,
): Walks {
  const { scores, gates } = memory;
  const { wordTop, wordRepeat, capLanes, laneColumn, laneCap, columnFast, fastColumns } = book;
  const { openNames, openGates, leaving, room } = book;
  const { list, of: setOf } = sets;
  const { at: levelOf } = levels;
  const assignLanes = assign;
  const ordered = new Int32Array(room.fasts * room.names); // candidates of a fast span, best first, as far as needed
  const orderedCount = new Int32Array(room.fasts);
  const complete = new Uint8Array(room.fasts);
  const orderedStamp = new Int32Array(room.fasts);
  const batch = new Int32Array(room.names);
  const waiting = new Int32Array(room.places);
  const taken = new Int32Array(room.places);
  const sorted = new Int32Array(room.places);
  const served = new Int32Array(room.levels); // columns that are done, by cap
  const walked = new Int32Array(3);

  let names = 0;
  let stride = 0;
  let scoreStride = 0;
  let capCount = 0;
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
    words = block.words;
    fasts = block.fasts.length;
    largestTop = Math.min(block.wordTop[words - 1]!, names);
    orderedStamp.fill(0);
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
    const row = decision * names;
    let differing = 0; // columns in which somebody looked at is eligible and is not in this one, or the reverse
    let from = 0;
    let count = 0;

    let incumbents = list(held, taken, 0);
    let eligible = 0;
    for (let k = 0; k < incumbents; k++) {
      const name = taken[k]!;
      const gate = gates[row + name]!;
      const open = (gate >>> column) & 1;
      differing |= gate ^ -open;
      waiting[eligible] = name;
      eligible += open;
    }
    incumbents = eligible;
    // All incumbents together, if they are within the cap of each other: then their order does not matter.
    let worst = 0;
    for (let k = 0; k < incumbents && worst <= cap; k++) {
      taken[k] = waiting[k]!;
      for (let j = 0; j < k; j++) {
        const level = levelOf(taken[k]!, taken[j]!);
        if (level > worst) worst = level;
      }
    }
    if (worst <= cap) {
      count = incumbents;
      from = worst;
    } else {
      sortByScore(waiting, incumbents, fast);
      for (let k = 0; k < incumbents && count < top; k++) {
        const level = worstWith(waiting[k]!, count, cap);
        if (level > cap) continue;
        if (level > from) from = level;
        taken[count++] = waiting[k]!;
      }
    }
    for (let x = 0; count < top; x++) {
      if (!hasCandidate(fast, x)) break;
      const name = ordered[fast * names + x]!;
      if (leaving[name]! > 0) continue;
      const gate = gates[row + name]!;
      const open = (gate >>> column) & 1;
      differing |= gate ^ -open;
      if (open === 0) continue;
      const level = worstWith(name, count, cap);
      if (level > cap) continue;
      if (level > from) from = level;
      taken[count++] = name;
    }
    walked[0] = setOfTaken(count);
    walked[1] = fastColumns[fast]! & ~differing;
    walked[2] = from;
  }

  /** The worst level of a symbol with those taken, or one beyond the cap. */
  function worstWith(name: number, count: number, cap: number): number {
    let worst = 0;
    for (let k = 0; k < count && worst <= cap; k++) {
      const level = levelOf(name, taken[k]!);
      if (level > worst) worst = level;
    }
    return worst;
  }

  /** The first `count` symbols taken as a set. */
  function setOfTaken(count: number): number {
    for (let k = 0; k < count; k++) {
      const name = taken[k]!;
      let at = k;
      for (; at > 0 && sorted[at - 1]! > name; at--) sorted[at] = sorted[at - 1]!;
      sorted[at] = name;
    }
    return setOf(sorted, 0, count);
  }

  /** Whether there is an x-th candidate of a fast span; puts more of them in order when the head is used up. */
  function hasCandidate(fast: number, x: number): boolean {
    if (orderedStamp[fast] !== stamp) {
      orderedStamp[fast] = stamp;
      orderedCount[fast] = 0;
      complete[fast] = 0;
    }
    while (x >= orderedCount[fast]! && complete[fast] === 0) orderMore(fast);
    return x < orderedCount[fast]!;
  }

  /** Finds the best of the candidates that come after those in order: as many again, at least a batch. */
  function orderMore(fast: number): void {
    const column = fast * scoreStride + decision;
    const columns = fastColumns[fast]!;
    const known = orderedCount[fast]!;
    const room = Math.max(firstBatch, known);
    const last = known > 0 ? ordered[fast * names + known - 1]! : -1;
    const lastScore = known > 0 ? scores[column + last * stride]! : 0;
    let found = 0;
    for (let x = 0; x < openCount; x++) {
      if ((openGates[x]! & columns) === 0) continue;
      const name = openNames[x]!;
      const score = scores[column + name * stride]!;
      if (known > 0 && !(score < lastScore || (score === lastScore && name > last))) continue;
      // Symbols come in universe order, so an equal score never goes before one that is there.
      if (found === room && !(score > scores[column + batch[room - 1]! * stride]!)) continue;
      let at = found < room ? found++ : room - 1;
      for (; at > 0 && score > scores[column + batch[at - 1]! * stride]!; at--) batch[at] = batch[at - 1]!;
      batch[at] = name;
    }
    for (let k = 0; k < found; k++) ordered[fast * names + known + k] = batch[k]!;
    orderedCount[fast] = known + found;
    if (found < room) complete[fast] = 1;
  }

  /** Best first, ties in universe order, in which they come. */
  function sortByScore(symbols: Int32Array, count: number, fast: number): void {
    const column = fast * scoreStride + decision;
    for (let k = 1; k < count; k++) {
      const name = symbols[k]!;
      const score = scores[column + name * stride]!;
      let at = k;
      for (; at > 0 && score > scores[column + symbols[at - 1]! * stride]!; at--)
        symbols[at] = symbols[at - 1]!;
      symbols[at] = name;
    }
  }

  function selectAll(): void {
    for (let fast = 0; fast < fasts; fast++) {
      const all = fastColumns[fast]!;
      served.fill(0, 0, capCount);
      for (let cap = 0; cap < capCount; cap++) {
        for (let remaining = all & ~served[cap]!; remaining !== 0; remaining = all & ~served[cap]!) {
          selectFrom(fast, 31 - Math.clz32(remaining), cap);
        }
      }
    }
  }

  /** One walk to the largest top_n serves the smaller ones on its way, columns that agree, and a range of caps. */
  function selectFrom(fast: number, column: number, cap: number): void {
    const row = decision * names;
    let differing = 0;
    let count = 0;
    let to = capCount;
    for (let x = 0; count < largestTop && hasCandidate(fast, x); x++) {
      const name = ordered[fast * names + x]!;
      const gate = gates[row + name]!;
      const open = (gate >>> column) & 1;
      differing |= gate ^ -open;
      if (open === 0) continue;
      let level = 0;
      for (let k = 0; k < count; k++) {
        const pair = levelOf(name, taken[k]!);
        if (pair > level) level = pair;
      }
      if (level <= cap) taken[count++] = name;
      else if (level < to) to = level;
    }
    const same = fastColumns[fast]! & ~differing;
    for (let c = cap; c < to; c++) served[c]! |= same;
    for (let word = 0; word < words; word++) {
      const top = wordTop[word]!;
      const columns = Math.imul(same, wordRepeat[word]!);
      if (top === 1) {
        // Its caps are one, and served with the tightest.
        if (cap === 0) assignLanes(setOfTaken(Math.min(1, count)), word, columns);
        continue;
      }
      const level = word * (capCount + 1);
      const group = columns & capLanes[level + cap]! & ~capLanes[level + to]!;
      if (group !== 0) assignLanes(setOfTaken(Math.min(top, count)), word, group);
    }
  }

  return { open, begin, walk, walked, selectAll };
}
