/**
 * A random order of rows for one permutation run: within each group of exchangeable rows a Fisher-Yates shuffle, groups
 * in the order of their first row, all from one stream that depends on (seed, fold, run) alone. So a run has the same
 * order on whichever thread or machine it happens, and whatever was run before it.
 *
 * The stream is xoshiro128** (Blackman and Vigna 2018), seeded by a 32-bit splitmix.
 *
 * @param patterns - a number a row; rows with equal numbers may be exchanged, row 0 stays whatever its number
 * @param seed - a whole number, of which the lowest 32 bits count
 * @param fold - which window, a whole number
 * @param run - which run in the window, a whole number
 * @param out - receives the source row of every row and is returned; as long as `patterns`
 */
export function rowOrder(
  patterns: Int32Array | Uint32Array,
  seed: number,
  fold: number,
  run: number,
  out: Int32Array = new Int32Array(patterns.length),
): Int32Array {
  const rows = patterns.length;
  const groups = groupRows(patterns);
  seedStream(seed, fold, run);
  if (rows > 0) out[0] = 0;
  for (let group = 0; group < groups; group++) {
    const from = groupStart[group]!;
    const to = groupStart[group + 1]!;
    shuffled.set(members.subarray(from, to), from);
    for (let k = to - from - 1; k > 0; k--) {
      const j = below(k + 1);
      const swapped = shuffled[from + k]!;
      shuffled[from + k] = shuffled[from + j]!;
      shuffled[from + j] = swapped;
    }
    for (let k = from; k < to; k++) out[members[k]!] = shuffled[k]!;
  }
  return out;
}

// Room that grows with the longest window seen; a run leaves nothing behind in it that the next one reads.
let table = new Int32Array(0); // hash of a pattern -> group + 1
let groupOf = new Int32Array(0);
let groupStart = new Int32Array(0);
let groupPattern = new Int32Array(0);
let members = new Int32Array(0); // rows by group, ascending within a group
let shuffled = new Int32Array(0);
let grouped = new Int32Array(0); // the patterns whose groups these are
let groupCount = 0;

/** Sorts the rows from 1 on by group, groups numbered in the order of their first row; returns how many there are. */
function groupRows(patterns: Int32Array | Uint32Array): number {
  const rows = patterns.length;
  if (sameAsBefore(patterns)) return groupCount;
  if (groupOf.length < rows) {
    groupOf = new Int32Array(rows);
    groupStart = new Int32Array(rows + 2);
    groupPattern = new Int32Array(rows);
    members = new Int32Array(rows);
    shuffled = new Int32Array(rows);
  }
  let slots = 16;
  while (slots < 2 * rows) slots *= 2;
  if (table.length < slots) table = new Int32Array(slots);
  table.fill(0, 0, slots);
  let groups = 0;
  groupStart.fill(0, 0, rows + 2);
  for (let row = 1; row < rows; row++) {
    const pattern = patterns[row]! | 0;
    let slot = (Math.imul(pattern, 0x9e3779b1) >>> 7) & (slots - 1);
    let group = table[slot]! - 1;
    while (group >= 0 && groupPattern[group] !== pattern) {
      slot = (slot + 1) & (slots - 1);
      group = table[slot]! - 1;
    }
    if (group < 0) {
      group = groups++;
      groupPattern[group] = pattern;
      table[slot] = group + 1;
    }
    groupOf[row] = group;
    groupStart[group + 2]!++;
  }
  // Shifted by two, so that filling the groups moves each start to where it belongs.
  for (let group = 1; group < groups; group++) groupStart[group + 1]! += groupStart[group]!;
  for (let row = 1; row < rows; row++) members[groupStart[groupOf[row]! + 1]!++] = row;
  groupCount = groups;
  grouped = Int32Array.from(patterns);
  return groups;
}

/** Runs of one window come in a row: its groups are still there. Compared by value, for nobody promised not to change it. */
function sameAsBefore(patterns: Int32Array | Uint32Array): boolean {
  if (patterns.length !== grouped.length) return false;
  for (let row = 1; row < patterns.length; row++) if ((patterns[row]! | 0) !== grouped[row]) return false;
  return true;
}

let s0 = 0;
let s1 = 0;
let s2 = 0;
let s3 = 0;
let seeding = 0;

function seedStream(seed: number, fold: number, run: number): void {
  seeding = seed | 0;
  seeding = nextSeed() ^ Math.imul(fold, 0x85ebca6b);
  seeding = nextSeed() ^ Math.imul(run, 0xc2b2ae35);
  s0 = nextSeed();
  s1 = nextSeed();
  s2 = nextSeed();
  s3 = nextSeed();
}

/** splitmix with 32 bits of state. */
function nextSeed(): number {
  seeding = (seeding + 0x9e3779b9) | 0;
  let mixed = seeding;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x21f0aaad);
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
  return mixed ^ (mixed >>> 15);
}

/** A whole number from 0 to `limit - 1`: the upper 32 bits of (32 random bits x limit). */
function below(limit: number): number {
  const scaled = Math.imul(s1, 5);
  const random = Math.imul((scaled << 7) | (scaled >>> 25), 9) >>> 0;
  const shifted = s1 << 9;
  s2 ^= s0;
  s3 ^= s1;
  s1 ^= s2;
  s0 ^= s3;
  s2 ^= shifted;
  s3 = (s3 << 11) | (s3 >>> 21);
  // Exact: limit is far below 2^21, so the product is below 2^53.
  return Math.floor((random * limit) / 4_294_967_296);
}
