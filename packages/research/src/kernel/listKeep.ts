import type { Band } from "./band.js";
import { type Book, cashTouched, decision, openCount } from "./book.js";
import type { Policy } from "./keep.js";
import type { KeepMoves } from "./keepMoves.js";
import type { LazyLevels } from "./lazyLevels.js";
import type { Memory } from "./memory.js";
import {
  type Positions,
  slotColumns,
  slotHeld,
  slotLoosest,
  slotPicked,
  slotRoomy,
  slotSize,
  slotTightest,
} from "./positions.js";
import type { RowTask } from "./rowTask.js";
import type { Targets } from "./targets.js";

/** {@link createKeep} for any number of symbols: levels are computed where they are asked for, and no further than needed. */
export function createListKeep(
  memory: Memory,
  book: Book,
  positions: Positions,
  targets: Targets,
  band: Band,
  keepMoves: KeepMoves,
  levels: LazyLevels,
): Policy {
  const { gates } = memory;
  const { openNames, openGates, now } = book;
  const { record, live, ints, names, earn, refold, free, count: liveCount, finish } = positions;
  const { width } = targets;
  const { settle } = band;
  const { moveKept, fillableAt } = keepMoves;
  const { at: levelOf } = levels;
  const found = new Int32Array(2);
  let capCount = 0;
  let nameCount = 0;

  function open(task: RowTask): void {
    capCount = task.block.caps.length;
    nameCount = task.names;
    keepMoves.open(task);
  }

  function run(): void {
    const row = now[decision]! * nameCount;
    const before = liveCount();
    let kept = 0;
    for (let x = 0; x < before; x++) {
      const slot = live[x]!;
      const at = slot * record;
      const count = ints[at + slotSize]!;
      earn(slot, at, count);
      let gate = -1; // columns in which every name held is eligible still
      for (let k = 0; k < count; k++) gate &= gates[row + names[slot * width + k]!]!;
      // Who must go whatever the correlations are needs no levels; they are looked at by the walk that follows.
      const tightest = ints[at + slotTightest]!;
      const level = gate === 0 ? 0 : worst(slot, count);
      let moving =
        (ints[at + slotColumns]! & ~gate) !== 0 ||
        level > tightest ||
        ints[at + slotHeld] !== ints[at + slotPicked];
      const searching = ints[at + slotRoomy]! & gate;
      found[0] = 0;
      found[1] = capCount;
      if (searching !== 0) {
        search(slot, count, searching, ints[at + slotLoosest]!);
        if (found[0] !== 0 || found[1] !== capCount) moving = true;
      }
      if (moving) {
        moveKept(slot, gate, level, found[0]!, found[1]!);
        if (slot !== 0 && ints[at + slotColumns] === 0) {
          free(slot);
          continue;
        }
      }
      live[kept++] = slot;
      if (slot !== 0) settle(slot, at, count);
    }
    finish(before, kept);
    if (now[cashTouched] === 1) refold(0);
  }

  /** The worst level among the pairs held. */
  function worst(slot: number, count: number): number {
    const list = slot * width;
    let level = 0;
    for (let k = 1; k < count; k++) {
      for (let j = 0; j < k; j++) {
        const pair = levelOf(names[list + k]!, names[list + j]!);
        if (pair > level) level = pair;
      }
    }
    return level;
  }

  /** Symbols that a free place could take: columns with one that every cap admits, and the best level of the others. */
  function search(slot: number, count: number, searching: number, loosest: number): void {
    const list = slot * width;
    const openSymbols = now[openCount]!;
    let fillable = 0;
    let someCaps = capCount;
    for (let y = 0; y < openSymbols; y++) {
      // A column in which any cap can fill its place is moved already.
      const candidate = openGates[y]! & searching & ~fillable;
      if (candidate === 0) continue;
      const name = openNames[y]!;
      let refusing = 0;
      for (let k = 0; k < count && refusing <= loosest; k++) {
        const other = names[list + k]!;
        const pair = other === name ? capCount : levelOf(name, other);
        if (pair > refusing) refusing = pair;
      }
      if (refusing === 0) {
        fillable |= candidate;
        if (fillable === searching) break;
      } else if (refusing <= loosest) {
        if (refusing < someCaps) someCaps = refusing;
        fillableAt[refusing]! |= candidate;
      }
    }
    found[0] = fillable;
    found[1] = someCaps;
  }

  return { open, run };
}
