import type { Book } from "./book.js";
import { createExactLevel } from "./correlations.js";
import type { Memory } from "./memory.js";
import type { RowTask } from "./rowTask.js";

/** Levels of the pairs that are asked for, see {@link Book.levels}. */
export interface LazyLevels {
  open(task: RowTask): void;
  /** A new row. */
  begin(row: number): void;
  /** How many of the caps, ascending, refuse two different symbols that some column may hold together. */
  at(a: number, b: number): number;
}

/** Pairs that are remembered: far more than a row usually asks for; a pair that was pushed out is computed again. */
const remembered = 12;

/**
 * Correlations of a universe too large to test every pair on every row: a decision asks for a handful, and each is a sum
 * over its window. What a row has computed is remembered in a table that does not grow with the universe.
 */
export function createLazyLevels(memory: Memory, book: Book): LazyLevels {
  const { change, drift, spread } = memory;
  const { capBounds: bounds } = book;
  const exact = createExactLevel(memory, book);
  const { level: exactLevel } = exact;
  const firsts = new Int32Array(1 << remembered);
  const seconds = new Int32Array(1 << remembered);
  const stamps = new Int32Array(1 << remembered);
  const known = new Uint8Array(1 << remembered);
  let stamp = 0;
  let decision = 0;
  let stride = 0;
  let window = 0;
  let capCount = 0;

  function open(task: RowTask): void {
    stride = task.stride;
    window = task.block.corrWindow;
    capCount = task.block.caps.length;
    exact.open(window, capCount);
  }

  function begin(row: number): void {
    decision = row;
    if (stamp === 0x3fffffff) {
      stamps.fill(0);
      stamp = 0;
    }
    stamp++;
  }

  function at(a: number, b: number): number {
    const low = Math.min(a, b);
    const high = Math.max(a, b);
    const place = Math.imul(Math.imul(low, 0x85ebca6b) ^ high, 0x9e3779b1) >>> (32 - remembered);
    if (stamps[place] === stamp && firsts[place] === low && seconds[place] === high) return known[place]!;
    const level = compute(low * stride + decision, high * stride + decision);
    stamps[place] = stamp;
    firsts[place] = low;
    seconds[place] = high;
    known[place] = level;
    return level;
  }

  function compute(a: number, b: number): number {
    let even = 0;
    let odd = 0; // two sums side by side: each has to wait for its own last addition
    let k = 1 - window;
    for (; k < 0; k += 2) {
      even += change[a + k]! * change[b + k]!;
      odd += change[a + k + 1]! * change[b + k + 1]!;
    }
    if (k === 0) even += change[a]! * change[b]!;
    const covariance = even + odd - drift[a]! * drift[b]!;
    const squared = covariance * covariance;
    const scale = spread[a]! * spread[b]!;
    for (let level = 0; level < capCount; level++) {
      if (squared <= scale * bounds[2 * level]!) return level;
      if (!(squared >= scale * bounds[2 * level + 1]!)) return exactLevel(a, b, level);
    }
    return capCount;
  }

  return { open, begin, at };
}
