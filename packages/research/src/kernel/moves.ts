import { type Book, cashTouched, traded } from "./book.js";
import type { Lanes } from "./lanes.js";
import type { Memory } from "./memory.js";
import { earned, type Positions, sellCost, sellTurnover, slotLanes, slotSize } from "./positions.js";
import type { RowTask } from "./rowTask.js";
import { addRow, addSums, sumSize } from "./sums.js";
import type { Targets } from "./targets.js";

/** Lanes on their way from one position to another, and what it costs. */
export interface Moves {
  open(task: RowTask): void;
  /** Puts a position's weights where a change of weights finds them by symbol; until they are taken back. */
  scatter(slot: number): void;
  takeBack(slot: number): void;
  /** Takes lanes from the scattered position to the one that is made of the target on this row. */
  move(slot: number, target: number, word: number, group: number): void;
}

export function createMoves(
  memory: Memory,
  book: Book,
  positions: Positions,
  targets: Targets,
  lanes: Lanes,
): Moves {
  const { unitCost } = memory;
  const { now, leaving } = book;
  const { record, ints, names, weights, growth, sums, step, take } = positions;
  const {
    width,
    size,
    names: targetNames,
    weights: targetWeights,
    slot: targetSlot,
    stepFrom,
    weigh,
  } = targets;
  const { stretches, advance, sums: laneSums } = lanes;
  const stepNet = new Float64Array(2 * targets.room);
  let stride = 0;
  let withSums = false;

  function open(task: RowTask): void {
    stride = task.stride;
    withSums = task.withSums;
  }

  function scatter(slot: number): void {
    const row = now[traded]!;
    const at = slot * width;
    let all = 0;
    let weight = 0;
    for (let k = 0; k < ints[slot * record + slotSize]!; k++) {
      const name = names[at + k]!;
      const value = weights[at + k]!;
      leaving[name] = value;
      all += value * unitCost[name * stride + row]!;
      weight += value;
    }
    step[sellCost] = all;
    step[sellTurnover] = weight;
  }

  function takeBack(slot: number): void {
    for (let k = 0; k < ints[slot * record + slotSize]!; k++) leaving[names[slot * width + k]!] = 0;
  }

  function move(slot: number, target: number, word: number, group: number): void {
    if (stepFrom[target] !== slot) prepare(slot, target);
    let to = targetSlot[target]!;
    if (to < 0) {
      to = take(target);
      targetSlot[target] = to;
    } else if (to === 0) now[cashTouched] = 1;
    ints[to * record + slotLanes + word]! |= group;
    advance(word, group, target);
    if (withSums) {
      for (let left = group; left !== 0; left &= left - 1) {
        const lane = (word * 32 + 31 - Math.clz32(left & -left)) * sumSize;
        addSums(laneSums, lane, sums, slot * sumSize);
        addRow(laneSums, lane, stepNet[2 * target]!, stepNet[2 * target + 1]!);
      }
    }
  }

  /** The growth of a position up to and including the row on which lanes leave it for a target. */
  function prepare(slot: number, target: number): void {
    stepFrom[target] = slot;
    weigh(target);
    const row = now[traded]!;
    let price = step[sellCost]!;
    let moved = step[sellTurnover]!;
    for (let k = 0; k < size[target]!; k++) {
      const name = targetNames[target * width + k]!;
      const before = leaving[name]!;
      const difference = Math.abs(targetWeights[target * width + k]! - before) - before;
      price += difference * unitCost[name * stride + row]!;
      moved += difference;
    }
    const net = step[earned]! - price;
    const grown = 1 + net;
    const from = slot * 4;
    const at = target * 4;
    const g = growth[from]! * grown;
    let c = growth[from + 1]! * grown;
    if (c > 1) c = 1;
    stretches[at] = g;
    stretches[at + 1] = c;
    stretches[at + 2] = Math.min(g, growth[from + 2]!);
    stretches[at + 3] = Math.min(c, growth[from + 3]!);
    stepNet[2 * target] = net;
    stepNet[2 * target + 1] = moved;
  }

  return { open, scatter, takeBack, move };
}
