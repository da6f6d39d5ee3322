import type { Band } from "./band.js";
import { type Book, cashTouched, decision, openCount } from "./book.js";
import type { KeepMoves } from "./keepMoves.js";
import type { Memory } from "./memory.js";
import {
  type Positions,
  slotColumns,
  slotHeld,
  slotLoosest,
  slotName0,
  slotPair0,
  slotPicked,
  slotRoomy,
  slotSize,
  slotTightest,
} from "./positions.js";
import type { RowTask } from "./rowTask.js";
import type { Targets } from "./targets.js";

/** A row of one policy. */
export interface Policy {
  open(task: RowTask): void;
  run(): void;
}

/**
 * Policy keep: a lane moves when a name it holds must go, or when a free place can be filled. For symbols as bits, with
 * the levels of all open pairs in a table.
 *
 * The test whether a position stays as it is runs for every position on every row, so it is one piece: with the pairs
 * held and the search for candidates in functions of their own, a permutation test takes 3 to 4 % longer.
 */
export function createKeep(
  memory: Memory,
  book: Book,
  positions: Positions,
  targets: Targets,
  band: Band,
  keepMoves: KeepMoves,
): Policy {
  const { gates } = memory;
  const { levels, openNames, openGates, now } = book;
  const { record, live, ints, names, earn, refold, free, count: liveCount, finish } = positions;
  const { width } = targets;
  const { settle } = band;
  const { moveKept, fillableAt } = keepMoves;
  let capCount = 0;
  let nameCount = 0;

  function open(task: RowTask): void {
    capCount = task.block.caps.length;
    nameCount = task.names;
    keepMoves.open(task);
  }

  function run(): void {
    const row = now[decision]! * nameCount;
    const openSymbols = now[openCount]!;
    const before = liveCount();
    let kept = 0;
    for (let x = 0; x < before; x++) {
      const slot = live[x]!;
      const at = slot * record;
      const count = ints[at + slotSize]!;
      let gate = -1; // columns in which every name held is eligible still
      let level = 0; // worst level among the pairs held
      earn(slot, at, count);
      if (slot !== 0) {
        gate =
          gates[row + ints[at + slotName0]!]! &
          gates[row + ints[at + slotName0 + 1]!]! &
          gates[row + ints[at + slotName0 + 2]!]!;
        level = levels[ints[at + slotPair0]!]!;
        const second = levels[ints[at + slotPair0 + 1]!]!;
        const third = levels[ints[at + slotPair0 + 2]!]!;
        if (second > level) level = second;
        if (third > level) level = third;
        if (count > 3) {
          for (let k = 3; k < count; k++) {
            const name = names[slot * width + k]!;
            gate &= gates[row + name]!;
            for (let j = 0; j < k; j++) {
              const pair = levels[name * nameCount + names[slot * width + j]!]!;
              if (pair > level) level = pair;
            }
          }
        }
        // Levels are defined on rows on which some column may hold both.
        if (gate === 0) level = 0;
      }
      const symbols = ints[at + slotHeld]!;
      let moving =
        (ints[at + slotColumns]! & ~gate) !== 0 ||
        level > ints[at + slotTightest]! ||
        symbols !== ints[at + slotPicked];
      let fillable = 0; // columns with a candidate that every cap admits
      let someCaps = capCount; // best level at which only some caps do
      const searching = ints[at + slotRoomy]! & gate;
      if (searching !== 0) {
        const loose = ints[at + slotLoosest]!;
        for (let y = 0; y < openSymbols; y++) {
          const candidate = openGates[y]! & searching;
          const name = openNames[y]!;
          if (candidate === 0 || ((symbols >>> name) & 1) !== 0) continue;
          let refusing = 0;
          for (let k = 0; k < count; k++) {
            const pair = levels[name * nameCount + names[slot * width + k]!]!;
            if (pair > refusing) refusing = pair;
          }
          if (refusing === 0) fillable |= candidate;
          else if (refusing <= loose) {
            if (refusing < someCaps) someCaps = refusing;
            fillableAt[refusing]! |= candidate;
          }
        }
        if (fillable !== 0 || someCaps !== capCount) moving = true;
      }
      if (moving) {
        moveKept(slot, gate, level, fillable, someCaps);
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

  return { open, run };
}
