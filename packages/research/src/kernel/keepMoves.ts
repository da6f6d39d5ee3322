import type { Band } from "./band.js";
import type { Book } from "./book.js";
import type { Moves } from "./moves.js";
import { type Positions, slotHeld, slotLanes, slotPicked, slotSize } from "./positions.js";
import type { RowTask } from "./rowTask.js";
import type { Targets } from "./targets.js";
import type { Walks } from "./walks.js";

/** Policy keep, for the positions of which some lanes may have to move. */
export interface KeepMoves {
  open(task: RowTask): void;
  /**
   * Walks for the lanes that must let a name go or can fill a place, and moves them.
   *
   * @param gate - columns in which every name held is eligible still
   * @param level - worst level among the pairs held
   * @param fillable - columns with a candidate that every cap admits
   * @param someCaps - best level at which only some caps admit one; as many caps as there are when there is none
   */
  moveKept(slot: number, gate: number, level: number, fillable: number, someCaps: number): void;
  /** Columns with a candidate that as many caps refuse, by level; read from `someCaps` on, and cleared. */
  readonly fillableAt: Int32Array;
}

export function createKeepMoves(
  book: Book,
  positions: Positions,
  targets: Targets,
  moves: Moves,
  band: Band,
  walks: Walks,
): KeepMoves {
  const { wordTop, wordRepeat, capLanes } = book;
  const { record, ints, refold } = positions;
  const { of: targetOf } = targets;
  const { scatter, takeBack, move } = moves;
  const { keeps } = band;
  const { walk, walked } = walks;
  const fillableAt = new Int32Array(book.room.levels);
  let words = 0;
  let capCount = 0;

  function open(task: RowTask): void {
    words = task.block.words;
    capCount = task.block.caps.length;
  }

  function moveKept(slot: number, gate: number, level: number, fillable: number, someCaps: number): void {
    const levelCount = capCount + 1;
    const at = slot * record;
    const symbols = ints[at + slotHeld]!;
    const odd = symbols !== ints[at + slotPicked];
    const count = ints[at + slotSize]!;
    scatter(slot);
    for (let word = 0; word < words; word++) {
      const members = ints[at + slotLanes + word]!;
      if (members === 0) continue;
      const repeat = wordRepeat[word]!;
      let moving = odd
        ? members
        : slot === 0
          ? 0
          : members & ~(Math.imul(gate, repeat) & capLanes[word * levelCount + level]!);
      if (wordTop[word]! > count) {
        moving |= members & Math.imul(fillable, repeat);
        for (let refusing = someCaps; refusing < capCount; refusing++) {
          moving |=
            members & Math.imul(fillableAt[refusing]!, repeat) & capLanes[word * levelCount + refusing]!;
        }
      }
      let staying = members & ~moving;
      while (moving !== 0) {
        // The highest bit has the loosest cap, whose walk serves tighter ones.
        walk(word, 31 - Math.clz32(moving), symbols);
        const group = moving & Math.imul(walked[1]!, repeat) & capLanes[word * levelCount + walked[2]!]!;
        moving &= ~group;
        const target = targetOf(walked[0]!);
        if (keeps(slot, target)) staying |= group;
        else move(slot, target, word, group);
      }
      ints[at + slotLanes + word] = staying;
    }
    takeBack(slot);
    for (let refusing = someCaps; refusing < capCount; refusing++) fillableAt[refusing] = 0;
    refold(slot);
  }

  return { open, moveKept, fillableAt };
}
