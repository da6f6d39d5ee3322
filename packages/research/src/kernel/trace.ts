import { type Positions, slotLanes, slotSize } from "./positions.js";
import type { Targets } from "./targets.js";

/** Receives what every lane holds, row by row. A kernel without one does not look for it. */
export interface RowTrace {
  /**
   * @param row - the row that decided
   * @param names - the symbols selected, in no particular order; only valid during the call, as the weights are
   * @param weights - their targets, 0 for one that rounding has lost
   */
  lane(row: number, lane: number, names: Int32Array, weights: Float64Array): void;
}

/** What every lane holds, where it is in positions. */
export function tracePositions(
  trace: RowTrace,
  row: number,
  words: number,
  positions: Positions,
  width: number,
): void {
  const { live, ints, record, names, weights } = positions;
  for (const slot of live.subarray(0, positions.count())) {
    const from = slot * width;
    const end = from + ints[slot * record + slotSize]!;
    for (let word = 0; word < words; word++) {
      const members = ints[slot * record + slotLanes + word]!;
      traceLanes(trace, row, word, members, names.subarray(from, end), weights.subarray(from, end));
    }
  }
}

/** What every lane holds, where it is the row's target. */
export function traceTargets(trace: RowTrace, row: number, words: number, targets: Targets): void {
  const { width, size, names, weights, lanes } = targets;
  for (let target = targets.first(); target < targets.first() + targets.count(); target++) {
    const from = target * width;
    const end = from + size[target]!;
    for (let word = 0; word < words; word++) {
      const members = lanes[target * words + word]!;
      traceLanes(trace, row, word, members, names.subarray(from, end), weights.subarray(from, end));
    }
  }
}

function traceLanes(
  trace: RowTrace,
  row: number,
  word: number,
  members: number,
  names: Int32Array,
  weights: Float64Array,
): void {
  for (let left = members; left !== 0; left &= left - 1) {
    trace.lane(row, word * 32 + 31 - Math.clz32(left & -left), names, weights);
  }
}
