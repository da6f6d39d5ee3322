/**
 * Sets of symbols as whole numbers: equal numbers are equal sets, 0 is the empty one. What the numbers mean is known here
 * and to the walks that choose symbols; everything else passes them on.
 */
export interface Sets {
  /** Writes a set's symbols into `into` from `at` on, ascending. Returns how many. */
  list(set: number, into: Int32Array, at: number): number;
  /** The set of `count` symbols at `names[at]`, ascending. */
  of(names: Int32Array, at: number, count: number): number;
  /** Whether there may be no room for the sets of another row: then `clear`, and number anew the sets still in use. */
  full(): boolean;
  clear(): void;
}

/** Symbols that fit the bits of a word, whose sign stays clear. */
export const mostBits = 31;

/** Up to 31 symbols: a set is its own bits. */
export function createBitSets(): Sets {
  function list(set: number, into: Int32Array, at: number): number {
    let count = 0;
    for (let left = set; left !== 0; left &= left - 1) into[at + count++] = 31 - Math.clz32(left & -left);
    return count;
  }

  function of(names: Int32Array, at: number, count: number): number {
    let set = 0;
    for (let k = 0; k < count; k++) set |= 1 << names[at + k]!;
    return set;
  }

  return { list, of, full: () => false, clear: () => undefined };
}

/**
 * Any number of symbols: a set is the number of its list in a table of lists. The table does not grow: when it is full,
 * it is emptied, and the few sets that are still held are entered again.
 *
 * @param rowSets - how many sets a row can bring, and how many can be held from one row to the next
 * @param places - symbols of a set, at most
 */
export function createListSets(rowSets: number, places: number): Sets {
  const capacity = 8 * rowSets + 1;
  const lists = new Int32Array(capacity * places);
  const sizes = new Int32Array(capacity);
  let hashBits = 6;
  while (1 << hashBits < 2 * capacity) hashBits++;
  const shift = 32 - hashBits;
  const mask = (1 << hashBits) - 1;
  const table = new Int32Array(1 << hashBits); // 0 is an empty place: the empty set is never looked up
  let used = 1;

  function list(set: number, into: Int32Array, at: number): number {
    const from = set * places;
    const count = sizes[set]!;
    for (let k = 0; k < count; k++) into[at + k] = lists[from + k]!;
    return count;
  }

  function of(names: Int32Array, at: number, count: number): number {
    if (count === 0) return 0;
    let hash = count;
    for (let k = 0; k < count; k++) hash = Math.imul(hash ^ names[at + k]!, 0x9e3779b1) ^ (hash >>> 15);
    let place = Math.imul(hash, 0x85ebca6b) >>> shift;
    for (; table[place] !== 0; place = (place + 1) & mask) {
      const known = table[place]!;
      if (sizes[known] !== count) continue;
      let k = 0;
      while (k < count && lists[known * places + k] === names[at + k]) k++;
      if (k === count) return known;
    }
    const set = used++;
    table[place] = set;
    sizes[set] = count;
    for (let k = 0; k < count; k++) lists[set * places + k] = names[at + k]!;
    return set;
  }

  function clear(): void {
    table.fill(0);
    sizes.fill(0); // a number of before is an empty set, so that using it is no accident that goes well
    used = 1;
  }

  return { list, of, full: () => used + 2 * rowSets > capacity, clear };
}
