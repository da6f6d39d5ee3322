import { type Book, traded } from "./book.js";
import type { Policy } from "./keep.js";
import type { Lanes } from "./lanes.js";
import type { Memory } from "./memory.js";
import type { RowTask } from "./rowTask.js";
import { addRow, sumSize } from "./sums.js";
import type { Targets } from "./targets.js";
import type { Walks } from "./walks.js";

/** {@link Policy} with what it needs beside its rows: targets of two rows, one after the other in their table. */
export interface Afresh extends Policy {
  /** Everybody starts in cash. */
  start(): void;
  /** Where the targets of the next row begin. */
  next(): number;
}

/**
 * Policy rank without a band: what a lane holds depends on the row alone, so nothing is remembered but the targets of
 * the row before. Lanes with the same two targets in a row have the same return, and there are few such pairs.
 */
export function createAfresh(
  memory: Memory,
  book: Book,
  targets: Targets,
  lanes: Lanes,
  walks: Walks,
): Afresh {
  const { change, unitCost } = memory;
  const { now, leaving, capLanes } = book;
  const { width, picked, size, names, weights, lanes: targetLanes, stepFrom } = targets;
  const { of: targetOf, known, weigh, count: targetCount, aRow } = targets;
  const { stretches, advanceRow, sums: laneSums } = lanes;
  const { selectAll } = walks;
  const stepNet = new Float64Array(2 * targets.room);
  const step = new Float64Array(3);
  const earned = 0; // by the target at hand
  const sellCost = 1; // of selling all of it
  const sellTurnover = 2;
  let stride = 0;
  let words = 0;
  let levelCount = 0;
  let withSums = false;
  let first = 0; // targets of the row at hand
  let before = 0; // of the row before
  let beforeEnd = 0;

  function open(task: RowTask): void {
    stride = task.stride;
    words = task.block.words;
    levelCount = task.block.caps.length + 1;
    withSums = task.withSums;
  }

  function start(): void {
    first = 0;
    const cash = targetOf(0);
    weigh(cash);
    for (let word = 0; word < words; word++) targetLanes[cash * words + word] = capLanes[word * levelCount]!;
  }

  function next(): number {
    before = first;
    beforeEnd = first + targetCount();
    first = first === 0 ? aRow : 0;
    return first;
  }

  function run(): void {
    selectAll();
    const row = now[traded]!;
    const end = first + targetCount();
    for (let target = first; target < end; target++) weigh(target);
    for (let from = before; from < beforeEnd; from++) {
      const list = from * width;
      const count = size[from]!;
      let sum = 0;
      let sell = 0;
      let invested = 0;
      for (let k = 0; k < count; k++) {
        const name = names[list + k]!;
        const column = name * stride + row;
        const weight = weights[list + k]!;
        leaving[name] = weight;
        sum += weight * change[column]!;
        sell += weight * unitCost[column]!;
        invested += weight;
      }
      step[earned] = sum;
      step[sellCost] = sell;
      step[sellTurnover] = invested;
      // Most lanes select what they selected before: asked first, to save the search (and only that).
      const same = known(picked[from]!);
      for (let word = 0; word < words; word++) {
        let left = targetLanes[from * words + word]!;
        if (left === 0) continue;
        if (same >= 0) {
          const group = left & targetLanes[same * words + word]!;
          if (group !== 0) grow(from, same, word, group);
          left ^= group;
        }
        for (let target = first; left !== 0; target++) {
          const group = left & targetLanes[target * words + word]!;
          if (group === 0) continue;
          left ^= group;
          grow(from, target, word, group);
        }
      }
      for (let k = 0; k < count; k++) leaving[names[list + k]!] = 0;
    }
  }

  /** One row of the lanes that go from a target of the row before to one of this row. */
  function grow(from: number, target: number, word: number, group: number): void {
    if (stepFrom[target] !== from) {
      stepFrom[target] = from;
      const row = now[traded]!;
      let price = step[sellCost]!;
      let moved = step[sellTurnover]!;
      const to = target * width;
      for (let k = 0; k < size[target]!; k++) {
        const name = names[to + k]!;
        const weight = leaving[name]!;
        const difference = Math.abs(weights[to + k]! - weight) - weight;
        price += difference * unitCost[name * stride + row]!;
        moved += difference;
      }
      const net = step[earned]! - price;
      stretches[4 * target] = 1 + net;
      stepNet[2 * target] = net;
      stepNet[2 * target + 1] = moved;
    }
    advanceRow(word, group, target);
    if (withSums) {
      for (let left = group; left !== 0; left &= left - 1) {
        const lane = word * 32 + 31 - Math.clz32(left & -left);
        addRow(laneSums, lane * sumSize, stepNet[2 * target]!, stepNet[2 * target + 1]!);
      }
    }
  }

  return { open, start, next, run };
}
