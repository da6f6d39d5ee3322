import { type Positions, slotLanes, slotSize } from "./positions.js";
import type { RowTrace } from "./rowTrace.js";
import type { Targets } from "./targets.js";

/** What every lane holds, where it is in positions. */
export function tracePositions(
  trace: RowTrace,
  row: number,
  words: number,
  positions: Positions,
  width: number,
): void {
  const { live, ints, record, names, weights } = positions;
  const count = positions.count();
  for (let x = 0; x < count; x++) {
    const slot = live[x]!;
    const from = slot * width;
    trace.holding(row, slot, names, weights, from, from + ints[slot * record + slotSize]!);
    for (let word = 0; word < words; word++) {
      const members = ints[slot * record + slotLanes + word]!;
      if (members !== 0) trace.lanes(word, members);
    }
  }
}

/** What every lane holds, where it is the row's target. */
export function traceTargets(trace: RowTrace, row: number, words: number, targets: Targets): void {
  const { width, size, names, weights, lanes } = targets;
  const end = targets.first() + targets.count();
  for (let target = targets.first(); target < end; target++) {
    const from = target * width;
    trace.holding(row, target, names, weights, from, from + size[target]!);
    for (let word = 0; word < words; word++) {
      const members = lanes[target * words + word]!;
      if (members !== 0) trace.lanes(word, members);
    }
  }
}

/** The lowest lane of a group of one word. */
export function firstLane(word: number, group: number): number {
  return word * 32 + 31 - Math.clz32(group & -group);
}
