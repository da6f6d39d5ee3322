import { type Book, decision, traded } from "./book.js";
import type { Memory } from "./memory.js";
import { earned, moveCost, moveTurnover, type Positions, slotHeld, slotPicked } from "./positions.js";
import type { RowTask } from "./rowTask.js";
import { addRow, sumSize } from "./sums.js";
import type { Targets } from "./targets.js";

/** The change from 0.50/0.45 to 0.45/0.50 is 0.05 only up to rounding; the tolerance decides that it stays inside. */
const bandTolerance = 1e-9;

/** The no-trade band: positions keep their weights while the names stay and no weight would move further. */
export interface Band {
  open(task: RowTask): void;
  /** Whether the names held would be the same and no weight of the scattered position would move beyond the band. */
  keeps(slot: number, target: number): boolean;
  /** The row of the lanes that stay: what was earned, and what moving to new weights costs where they move. */
  settle(slot: number, at: number, count: number): void;
}

export function createBand(memory: Memory, book: Book, positions: Positions, targets: Targets): Band {
  const { unitCost, steadiness } = memory;
  const { now, leaving } = book;
  const { record, ints, names, weights, growth, sums, step, takeWeights } = positions;
  const { width, size, held, names: targetNames, weights: targetWeights, stayKnown, of, weigh } = targets;
  const stayCost = new Float64Array(2 * targets.room);
  const wanders = new Uint8Array(width + 1);
  const limits = new Float64Array(3);
  const budget = 0;
  const maxWeight = 1;
  const band = 2; // with its tolerance; 0 without a band
  let stride = 0;
  let withSums = false;

  function open(task: RowTask): void {
    const { block } = task;
    stride = task.stride;
    withSums = task.withSums;
    limits[budget] = block.budget;
    limits[maxWeight] = block.maxWeight;
    limits[band] = block.band > 0 ? block.band + bandTolerance : 0;
    // Weights of so few names that they cannot move beyond the band need no test; equal weights never move.
    for (let count = 0; count <= width; count++) {
      const most = Math.min(block.maxWeight, block.budget);
      const least = Math.max(0, block.budget - (count - 1) * block.maxWeight);
      const moves = least < 1e-12 || most - least > limits[band]!;
      wanders[count] = count > 1 && moves && !task.equalWeights ? 1 : 0;
    }
  }

  function keeps(slot: number, target: number): boolean {
    if (limits[band]! <= 0) return false;
    weigh(target);
    if (held[target] !== ints[slot * record + slotHeld]) return false;
    for (let k = 0; k < size[target]!; k++) {
      const difference = targetWeights[target * width + k]! - leaving[targetNames[target * width + k]!]!;
      if (difference > limits[band]! || -difference > limits[band]!) return false;
    }
    return true;
  }

  function settle(slot: number, at: number, count: number): void {
    let net = step[earned]!;
    let moved = 0;
    if (wanders[count] === 1 && (limits[band]! <= 0 || mayLeave(slot, at, count))) {
      weighAfresh(slot);
      net -= step[moveCost]!;
      moved = step[moveTurnover]!;
    }
    const grown = 1 + net;
    const from = slot * 4;
    const g = growth[from]! * grown;
    let c = growth[from + 1]! * grown;
    if (c > 1) c = 1;
    growth[from] = g;
    growth[from + 1] = c;
    if (g < growth[from + 2]!) growth[from + 2] = g;
    if (c < growth[from + 3]!) growth[from + 3] = c;
    if (withSums) addRow(sums, slot * sumSize, net, moved);
  }

  /** A test without a division: whether a weight, if none is capped, is beyond the band. Sure only when it says no. */
  function mayLeave(slot: number, at: number, count: number): boolean {
    if (ints[at + slotHeld] !== ints[at + slotPicked]) return false; // compared when its lanes walked
    const row = now[decision]!;
    let sum = 0;
    let most = 0;
    for (let k = 0; k < count; k++) {
      const raw = steadiness[names[slot * width + k]! * stride + row]!;
      sum += raw;
      if (raw > most) most = raw;
    }
    const whole = limits[budget]!;
    if (!(whole * most <= limits[maxWeight]! * sum)) return true;
    const limit = limits[band]! * sum;
    for (let k = 0; k < count; k++) {
      const raw = steadiness[names[slot * width + k]! * stride + row]!;
      const difference = whole * raw - weights[slot * width + k]! * sum;
      if (difference > limit || -difference > limit) return true;
    }
    return false;
  }

  /** Moves a position to the row's weights for its names, unless they are within the band. */
  function weighAfresh(slot: number): void {
    const at = slot * width;
    step[moveCost] = 0;
    step[moveTurnover] = 0;
    if (ints[slot * record + slotHeld] !== ints[slot * record + slotPicked]) return;
    const target = of(ints[slot * record + slotPicked]!);
    weigh(target);
    // Without a band all positions with the same names move to the new weights alike.
    if (limits[band]! <= 0 && stayKnown[target] === 1) {
      step[moveCost] = stayCost[2 * target]!;
      step[moveTurnover] = stayCost[2 * target + 1]!;
      takeWeights(slot, target);
      return;
    }
    const row = now[traded]!;
    let price = 0;
    let moved = 0;
    let most = 0;
    for (let k = 0; k < size[target]!; k++) {
      const difference = Math.abs(targetWeights[target * width + k]! - weights[at + k]!);
      price += difference * unitCost[names[at + k]! * stride + row]!;
      moved += difference;
      if (difference > most) most = difference;
    }
    if (most <= limits[band]! && held[target] === ints[slot * record + slotHeld]) return;
    step[moveCost] = price;
    step[moveTurnover] = moved;
    stayKnown[target] = 1;
    stayCost[2 * target] = price;
    stayCost[2 * target + 1] = moved;
    takeWeights(slot, target);
  }

  return { open, keeps, settle };
}
