import type { Band } from "./band.js";
import { type Book, cashTouched } from "./book.js";
import type { Policy } from "./keep.js";
import type { Moves } from "./moves.js";
import { type Positions, slotHeld, slotLanes, slotPicked, slotSize } from "./positions.js";
import type { RowTask } from "./rowTask.js";
import type { Targets } from "./targets.js";
import type { Walks } from "./walks.js";

/** Policy rank with a band: everything is selected anew, and lanes move where their position is not what they select. */
export function createRank(
  book: Book,
  positions: Positions,
  targets: Targets,
  moves: Moves,
  band: Band,
  walks: Walks,
): Policy {
  const { record, live, ints, earn, refold, free, count: liveCount, finish } = positions;
  const { known, lanes: targetLanes } = targets;
  const { now } = book;
  const { scatter, takeBack, move } = moves;
  const { keeps, settle } = band;
  const { selectAll } = walks;
  let words = 0;

  function open(task: RowTask): void {
    words = task.block.words;
  }

  function run(): void {
    selectAll();
    const before = liveCount();
    let kept = 0;
    for (let x = 0; x < before; x++) {
      const slot = live[x]!;
      const at = slot * record;
      const count = ints[at + slotSize]!;
      earn(slot, at, count);
      const own = ints[at + slotHeld] === ints[at + slotPicked] ? known(ints[at + slotPicked]!) : -1;
      let leaves = 0;
      let stays = 0;
      for (let word = 0; word < words; word++) {
        const members = ints[at + slotLanes + word]!;
        const staying = own < 0 ? 0 : members & targetLanes[own * words + word]!;
        stays |= staying;
        leaves |= members ^ staying;
      }
      if (leaves !== 0) stays |= moveRanked(slot, own);
      if (slot !== 0 && stays === 0) {
        free(slot);
        continue;
      }
      live[kept++] = slot;
      if (slot !== 0) settle(slot, at, count);
    }
    finish(before, kept);
    if (now[cashTouched] === 1) refold(0);
  }

  function moveRanked(slot: number, own: number): number {
    const at = slot * record;
    let stays = 0;
    scatter(slot);
    for (let word = 0; word < words; word++) {
      const members = ints[at + slotLanes + word]!;
      if (members === 0) continue;
      let staying = own < 0 ? 0 : members & targetLanes[own * words + word]!;
      let left = members ^ staying;
      for (let target = 0; left !== 0; target++) {
        const group = left & targetLanes[target * words + word]!;
        if (group === 0) continue;
        left ^= group;
        if (keeps(slot, target)) staying |= group;
        else move(slot, target, word, group);
      }
      ints[at + slotLanes + word] = staying;
      stays |= staying;
    }
    takeBack(slot);
    return stays;
  }

  return { open, run };
}
