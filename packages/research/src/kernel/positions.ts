import { type Book, type BookRoom, traded } from "./book.js";
import type { Lanes } from "./lanes.js";
import type { Memory } from "./memory.js";
import type { RowTask } from "./rowTask.js";
import type { Sets } from "./sets.js";
import { addSums, sumSize } from "./sums.js";
import type { Targets } from "./targets.js";

// A position's whole numbers are one record, so that they lie together.
export const slotHeld = 0; // symbols with a weight above 0, as a set
export const slotPicked = 1; // symbols selected: the same but for weights lost to rounding
export const slotSize = 2; // how many are selected
export const slotName0 = 3; // the first three of them, padded by repeating the first
const slotColumn0 = 6; // the same as starts of columns
export const slotPair0 = 9; // places of levels: first and second, first and third, second and third
export const slotColumns = 12; // columns of all lanes
export const slotRoomy = 13; // columns of the lanes with a free place
export const slotTightest = 14; // tightest cap of the lanes
export const slotLoosest = 15; // loosest cap of the lanes with a free place
export const slotLanes = 16; // lanes, a word each

// Numbers on their way from one function to another: a fraction that is passed or returned may be allocated.
export const earned = 0; // by the position at hand on the row
export const moveCost = 1; // of a change of weights
export const moveTurnover = 2;
export const sellCost = 3; // of selling all of the position at hand
export const sellTurnover = 4;

/**
 * Portfolios that hold the same names since the same row are one *position*: from then on they earn and trade alike, and
 * decide alike where their parameters do. A position knows its lanes as bits, so who has to move is a few operations on
 * integers; and it carries the growth since it was taken, so that a lane is touched only when it moves.
 *
 * Slot 0 is cash: always there, earns nothing, first in the list.
 */
export interface Positions {
  readonly record: number;
  readonly live: Int32Array;
  /** Records, see {@link slotHeld} and its neighbours. */
  readonly ints: Int32Array;
  /** As many a slot as a target has. */
  readonly names: Int32Array;
  /** Padded with 0 like the first three names. */
  readonly weights: Float64Array;
  /** The stretch since the position was taken: g, c, lowest g, lowest c. */
  readonly growth: Float64Array;
  readonly sums: Float64Array;
  readonly step: Float64Array;
  open(task: RowTask): void;
  count(): number;
  /** A position of a target's names and weights, without lanes. */
  take(target: number): number;
  takeWeights(slot: number, target: number): void;
  /** A position that no lane holds any more. */
  free(slot: number): void;
  /** What a position earns on the row, before costs, into {@link earned}. */
  earn(slot: number, at: number, count: number): void;
  /** What the lanes of a position have in common, to see at a glance that none of them moves. */
  refold(slot: number): void;
  /** Ends a row on which `kept` of the first `before` positions in the list stayed. */
  finish(before: number, kept: number): void;
  /** Passes the growth of every position on to the lanes that are in it at the end. */
  close(): void;
  /** Gives the sets of all positions numbers of an emptied table. */
  renumber(): void;
}

export function createPositions(
  memory: Memory,
  book: Book,
  room: BookRoom,
  sets: Sets,
  targets: Targets,
  lanes: Lanes,
  slots: number,
): Positions {
  const { change } = memory;
  const { now, wordTop, capLanes, laneCap } = book;
  const { width } = targets;
  const { names: targetNames, weights: targetWeights, size: targetSize, picked, held } = targets;
  const { stretches, advance, sums: laneSums } = lanes;
  const lastStretch = targets.room;
  const record = slotLanes + room.words;
  const live = new Int32Array(2 * slots); // those of before, until the row ends, and behind them the new ones
  const freed = new Int32Array(slots);
  const ints = new Int32Array(slots * record);
  const names = new Int32Array(slots * width);
  const weights = new Float64Array(slots * width);
  const growth = new Float64Array(slots * 4);
  const sums = new Float64Array(slots * sumSize);
  const step = new Float64Array(8);
  let liveCount = 0;
  let freeCount = 0;
  let nameCount = 0;
  let stride = 0;
  let words = 0;
  let columns = 0;
  let capCount = 0;
  let withSums = false;

  function open(task: RowTask): void {
    const { block } = task;
    nameCount = task.names;
    stride = task.stride;
    words = block.words;
    columns = block.columns;
    capCount = block.caps.length;
    withSums = task.withSums;
    liveCount = 1;
    live[0] = 0;
    freeCount = 0;
    for (let slot = slots - 1; slot > 0; slot--) freed[freeCount++] = slot;
    ints.fill(0, 0, record);
    weights.fill(0, 0, 3); // cash earns through the same sum as everything else
    growth.fill(1, 0, 4);
    sums.fill(0, 0, sumSize);
    for (let word = 0; word < words; word++) ints[slotLanes + word] = capLanes[word * (capCount + 1)]!;
    refold(0);
  }

  function take(target: number): number {
    const slot = freed[--freeCount]!;
    live[liveCount++] = slot;
    growth[slot * 4] = 1;
    growth[slot * 4 + 1] = 1;
    growth[slot * 4 + 2] = 1;
    growth[slot * 4 + 3] = 1;
    const at = slot * record;
    for (let word = 0; word < words; word++) ints[at + slotLanes + word] = 0;
    if (withSums) sums.fill(0, slot * sumSize, (slot + 1) * sumSize);

    const count = targetSize[target]!;
    const list = slot * width;
    const from = target * width;
    ints[at + slotSize] = count;
    for (let k = 0; k < count; k++) names[list + k] = targetNames[from + k]!;
    const first = names[list]!;
    const second = count > 1 ? names[list + 1]! : first;
    const third = count > 2 ? names[list + 2]! : first;
    ints[at + slotName0] = first;
    ints[at + slotName0 + 1] = second;
    ints[at + slotName0 + 2] = third;
    ints[at + slotColumn0] = first * stride;
    ints[at + slotColumn0 + 1] = second * stride;
    ints[at + slotColumn0 + 2] = third * stride;
    ints[at + slotPair0] = first * nameCount + second;
    ints[at + slotPair0 + 1] = first * nameCount + third;
    ints[at + slotPair0 + 2] = second * nameCount + third;
    ints[at + slotPicked] = picked[target]!;
    weights[list + 1] = 0;
    weights[list + 2] = 0;
    takeWeights(slot, target);
    return slot;
  }

  function takeWeights(slot: number, target: number): void {
    ints[slot * record + slotHeld] = held[target]!;
    for (let k = 0; k < targetSize[target]!; k++) {
      weights[slot * width + k] = targetWeights[target * width + k]!;
    }
  }

  function free(slot: number): void {
    freed[freeCount++] = slot;
  }

  function earn(slot: number, at: number, count: number): void {
    const list = slot * width;
    const row = now[traded]!;
    let sum =
      weights[list]! * change[ints[at + slotColumn0]! + row]! +
      weights[list + 1]! * change[ints[at + slotColumn0 + 1]! + row]! +
      weights[list + 2]! * change[ints[at + slotColumn0 + 2]! + row]!;
    for (let k = 3; k < count; k++) {
      sum += weights[list + k]! * change[names[list + k]! * stride + row]!;
    }
    step[earned] = sum;
  }

  function refold(slot: number): void {
    const at = slot * record;
    const count = ints[at + slotSize]!;
    let all = 0;
    let roomy = 0;
    let tight = capCount;
    let loose = -1;
    for (let word = 0; word < words; word++) {
      const members = ints[at + slotLanes + word]!;
      if (members === 0) continue;
      const top = wordTop[word]!;
      let folded = members;
      for (let shift = columns; shift < 31; shift += columns) folded |= members >>> shift;
      all |= folded;
      if (top > count) {
        roomy |= folded;
        const cap = laneCap[word * 32 + 31 - Math.clz32(members)]!;
        if (cap > loose) loose = cap;
      }
      // Lanes of a word are in the order of their caps.
      const cap = top === 1 ? capCount : laneCap[word * 32 + 31 - Math.clz32(members & -members)]!;
      if (cap < tight) tight = cap;
    }
    const mask = (1 << columns) - 1;
    ints[at + slotColumns] = all & mask;
    ints[at + slotRoomy] = roomy & mask;
    ints[at + slotTightest] = tight;
    ints[at + slotLoosest] = loose;
  }

  function finish(before: number, keptBefore: number): void {
    let kept = keptBefore;
    for (let x = before; x < liveCount; x++) {
      const slot = live[x]!;
      live[kept++] = slot;
      refold(slot);
    }
    liveCount = kept;
  }

  function close(): void {
    for (let x = 0; x < liveCount; x++) {
      const slot = live[x]!;
      for (let k = 0; k < 4; k++) stretches[lastStretch * 4 + k] = growth[slot * 4 + k]!;
      for (let word = 0; word < words; word++) {
        const members = ints[slot * record + slotLanes + word]!;
        advance(word, members, lastStretch);
        if (!withSums) continue;
        for (let left = members; left !== 0; left &= left - 1) {
          const lane = word * 32 + 31 - Math.clz32(left & -left);
          addSums(laneSums, lane * sumSize, sums, slot * sumSize);
        }
      }
    }
  }

  function renumber(): void {
    const holding = new Int32Array(width);
    for (let x = 0; x < liveCount; x++) {
      const slot = live[x]!;
      const at = slot * record;
      const count = ints[at + slotSize]!;
      let some = 0;
      for (let k = 0; k < count; k++) {
        if (weights[slot * width + k]! > 0) holding[some++] = names[slot * width + k]!;
      }
      ints[at + slotPicked] = sets.of(names, slot * width, count);
      ints[at + slotHeld] = sets.of(holding, 0, some);
    }
  }

  return {
    record,
    live,
    ints,
    names,
    weights,
    growth,
    sums,
    step,
    open,
    count: () => liveCount,
    take,
    takeWeights,
    free,
    earn,
    refold,
    finish,
    close,
    renumber,
  };
}
