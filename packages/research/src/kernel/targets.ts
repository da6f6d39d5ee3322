import type { BookRoom } from "./book.js";
import type { Memory } from "./memory.js";
import type { RowTask } from "./rowTask.js";
import type { Sets } from "./sets.js";

/** The distinct selections of a row, of lanes that move and of positions weighed afresh, and their weights. */
export interface Targets {
  /** Places for targets: of one row, and of it and the row before. */
  readonly aRow: number;
  readonly room: number;
  /** Symbols a target has places for. */
  readonly width: number;
  readonly picked: Int32Array;
  /** The picked ones with a weight above 0: the same but for weights lost to rounding. */
  readonly held: Int32Array;
  readonly size: Int32Array;
  readonly names: Int32Array;
  readonly weights: Float64Array;
  /** Policy rank: the lanes that select it, a word each. */
  readonly lanes: Int32Array;
  /** The position made of it on this row, -1 before. */
  readonly slot: Int32Array;
  /** Whose step to it is known on this row; -1 for nobody's. */
  readonly stepFrom: Int32Array;
  /** Whether the cost of moving to it from its own names is known. */
  readonly stayKnown: Uint8Array;
  open(task: RowTask): void;
  /** A new row, whose targets start at `first`. */
  begin(row: number, first: number): void;
  /** Where the row's targets start, and how many there are. */
  first(): number;
  count(): number;
  /** The row's target with these names, made when it is the first to ask. */
  of(set: number): number;
  /** The row's target with these names, -1 when there is none. */
  known(set: number): number;
  /** Lets lanes of a word select a set. */
  assign(set: number, word: number, group: number): void;
  /** Makes sure that a target's names and weights are there. */
  weigh(target: number): void;
}

export function createTargets(memory: Memory, room: BookRoom, sets: Sets, slots: number): Targets {
  const { steadiness } = memory;
  const { list, of: setOf } = sets;
  const aRow = 2 * slots;
  const targetRoom = 2 * aRow;
  const width = Math.max(room.places, 3);
  const picked = new Int32Array(targetRoom);
  const held = new Int32Array(targetRoom);
  const size = new Int32Array(targetRoom);
  const weighed = new Uint8Array(targetRoom);
  const slot = new Int32Array(targetRoom);
  const names = new Int32Array(targetRoom * width);
  const weights = new Float64Array(targetRoom * width);
  const lanes = new Int32Array(targetRoom * room.words);
  const stepFrom = new Int32Array(targetRoom);
  const stayKnown = new Uint8Array(targetRoom);
  const left = new Int32Array(width);

  let hashBits = 6;
  while (1 << hashBits < 4 * aRow) hashBits++;
  const hashShift = 32 - hashBits;
  const hashMask = (1 << hashBits) - 1;
  const hashTarget = new Int32Array(1 << hashBits);
  const hashStamp = new Int32Array(1 << hashBits);
  let stamp = 0; // one a row, over all runs
  let first = 0;
  let targets = 0;

  let decision = 0;
  let stride = 0;
  let words = 0;
  let equalWeights = false;
  let twoAtMostCapped = false;
  const limits = new Float64Array(2);
  const budget = 0;
  const maxWeight = 1;

  function open(task: RowTask): void {
    stride = task.stride;
    words = task.block.words;
    equalWeights = task.equalWeights;
    limits[budget] = task.block.budget;
    limits[maxWeight] = task.block.maxWeight;
    twoAtMostCapped = task.block.budget <= 2 * task.block.maxWeight;
    first = 0;
    targets = 0;
  }

  function begin(row: number, from: number): void {
    if (stamp === 0x3fffffff) {
      hashStamp.fill(0);
      stamp = 0;
    }
    stamp++;
    decision = row;
    first = from;
    targets = 0;
  }

  function of(set: number): number {
    let at = Math.imul(set, 0x9e3779b1) >>> hashShift;
    while (hashStamp[at] === stamp) {
      const target = hashTarget[at]!;
      if (picked[target] === set) return target;
      at = (at + 1) & hashMask;
    }
    const target = first + targets++;
    hashStamp[at] = stamp;
    hashTarget[at] = target;
    picked[target] = set;
    weighed[target] = 0;
    slot[target] = set === 0 ? 0 : -1;
    stepFrom[target] = -1;
    stayKnown[target] = 0;
    for (let word = 0; word < words; word++) lanes[target * words + word] = 0;
    return target;
  }

  function known(set: number): number {
    for (
      let at = Math.imul(set, 0x9e3779b1) >>> hashShift;
      hashStamp[at] === stamp;
      at = (at + 1) & hashMask
    ) {
      const target = hashTarget[at]!;
      if (picked[target] === set) return target;
    }
    return -1;
  }

  function assign(set: number, word: number, group: number): void {
    lanes[of(set) * words + word]! |= group;
  }

  function weigh(target: number): void {
    if (weighed[target] === 1) return;
    weighed[target] = 1;
    const at = target * width;
    const set = picked[target]!;
    const count = list(set, names, at);
    size[target] = count;
    held[target] = set;
    const whole = limits[budget]!;
    const cap = limits[maxWeight]!;
    if (count === 1) {
      weights[at] = Math.min(whole, cap);
    } else if (count <= 3 && twoAtMostCapped && !equalWeights) {
      // At most one of them can exceed the cap, and what it leaves fits under the cap.
      const a = steadiness[names[at]! * stride + decision]!;
      const b = steadiness[names[at + 1]! * stride + decision]!;
      const c = count === 3 ? steadiness[names[at + 2]! * stride + decision]! : 0;
      const share = whole / (a + b + c);
      let x = a * share;
      let y = b * share;
      let z = c * share;
      const rest = whole - cap;
      if (x > cap) {
        const part = rest / (b + c);
        x = cap;
        y = b * part;
        z = c * part;
      } else if (y > cap) {
        const part = rest / (a + c);
        x = a * part;
        y = cap;
        z = c * part;
      } else if (z > cap) {
        const part = rest / (a + b);
        x = a * part;
        y = b * part;
        z = cap;
      }
      weights[at] = x;
      weights[at + 1] = y;
      if (count === 3) weights[at + 2] = z;
    } else if (count > 0) shareOut(target, count);
  }

  /** What is above the cap is shared out among the rest, until nothing is: the plain path's loop, number by number. */
  function shareOut(target: number, count: number): void {
    const at = target * width;
    const cap = limits[maxWeight]!;
    for (let k = 0; k < count; k++) {
      weights[at + k] = equalWeights ? 1 / count : steadiness[names[at + k]! * stride + decision]!;
    }
    let rest = limits[budget]!;
    for (;;) {
      let sum = 0;
      for (let k = 0; k < count; k++) {
        const weight = weights[at + k]!;
        if (weight > 0) sum += weight;
      }
      if (sum === 0) break;
      let above = 0;
      for (let k = 0; k < count; k++) {
        const weight = weights[at + k]!;
        if (weight > 0 && (rest * weight) / sum > cap) {
          weights[at + k] = -1; // capped
          above++;
        }
      }
      if (above === 0) {
        for (let k = 0; k < count; k++) {
          const weight = weights[at + k]!;
          if (weight > 0) weights[at + k] = (rest * weight) / sum;
        }
        break;
      }
      // Rounding must not leave less than nothing: a negative weight would pass for a capped one.
      for (let k = 0; k < above; k++) rest = Math.max(0, rest - cap);
    }
    let kept = 0;
    for (let k = 0; k < count; k++) {
      if (weights[at + k]! < 0) weights[at + k] = cap;
      if (weights[at + k]! > 0) left[kept++] = names[at + k]!;
    }
    if (kept < count) held[target] = setOf(left, 0, kept);
  }

  return {
    aRow,
    room: targetRoom,
    width,
    picked,
    held,
    size,
    names,
    weights,
    lanes,
    slot,
    stepFrom,
    stayKnown,
    open,
    begin,
    first: () => first,
    count: () => targets,
    of,
    known,
    assign,
    weigh,
  };
}
