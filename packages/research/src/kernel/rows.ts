import { createAfresh } from "./afresh.js";
import { createBand } from "./band.js";
import { type BookRoom, cashTouched, createBook, decision, fillBook, openCount, traded } from "./book.js";
import { createLevels } from "./correlations.js";
import { createKeep, type Policy } from "./keep.js";
import { createKeepMoves } from "./keepMoves.js";
import { createLanes, type Lanes } from "./lanes.js";
import { createLazyLevels } from "./lazyLevels.js";
import { createListKeep } from "./listKeep.js";
import { createListWalks } from "./listWalks.js";
import type { Memory } from "./memory.js";
import { createMoves } from "./moves.js";
import { createPositions } from "./positions.js";
import { createRank } from "./rank.js";
import type { RowTask } from "./rowTask.js";
import { createBitSets, createListSets } from "./sets.js";
import { createTargets } from "./targets.js";
import { tracePositions, traceTargets } from "./trace.js";
import { createWalks } from "./walks.js";

export interface Rows {
  run(task: RowTask): void;
  /** What the portfolios end with. */
  readonly lanes: Lanes;
}

/**
 * Walks the rows once for all portfolios of a block: what they hold is in positions and targets, what they earn in lanes,
 * and a policy says who moves.
 *
 * All parts are closures over arrays that are made once, so that the engine compiles their addresses into the code. No
 * function takes or returns a fraction where it might not be inlined, because that allocates.
 */
export function createRows(memory: Memory, room: BookRoom): Rows {
  const { gates } = memory;
  const book = createBook(room);
  const { active, openNames, openGates, now } = book;
  const slots = room.words * 31 + 3;
  const sets = room.lists ? createListSets(4 * slots, room.places) : createBitSets();
  const targets = createTargets(memory, room, sets, slots);
  const lanes = createLanes(room.words, targets.room + 1);
  const positions = createPositions(memory, book, room, sets, targets, lanes, slots);
  const moves = createMoves(memory, book, positions, targets, lanes);
  const band = createBand(memory, book, positions, targets);
  const { levels, walks, keep } = room.lists ? withLists() : withBits();
  const rank = createRank(book, positions, targets, moves, band, walks);
  const afresh = createAfresh(memory, book, targets, lanes, walks);

  let names = 0;
  let activeCount = 0;
  let largestTop = 0;

  /** Few symbols: a set is its bits, and all pairs that are open have their levels in a table. */
  function withBits() {
    const table = createLevels(memory, book);
    const bits = createWalks(memory, book, targets.assign);
    const keepMoves = createKeepMoves(book, positions, targets, moves, band, bits);
    return {
      levels: table,
      walks: bits,
      keep: createKeep(memory, book, positions, targets, band, keepMoves),
    };
  }

  /** Any number of symbols: a set is a list, and levels are computed for the pairs that are asked for. */
  function withLists() {
    const lazy = createLazyLevels(memory, book);
    const lists = createListWalks(memory, book, sets, lazy, targets.assign);
    const keepMoves = createKeepMoves(book, positions, targets, moves, band, lists);
    return {
      levels: lazy,
      walks: lists,
      keep: createListKeep(memory, book, positions, targets, band, keepMoves, lazy),
    };
  }

  function run(task: RowTask): void {
    open(task);
    const { trace } = task;
    const shift = task.lag - 1;
    const policy: Policy = task.keep ? keep : task.block.band > 0 ? rank : afresh;
    if (policy === afresh) {
      targets.begin(0, 0);
      afresh.start();
    }
    for (let row = task.firstDecision + shift; row < task.rows; row++) {
      begin(row - shift, row, policy);
      policy.run();
      if (trace) {
        if (policy === afresh) traceTargets(trace, row - shift, task.block.words, targets);
        else tracePositions(trace, row - shift, task.block.words, positions, targets.width);
      }
    }
    if (policy !== afresh) positions.close();
  }

  function open(task: RowTask): void {
    const { block } = task;
    names = task.names;
    activeCount = task.activeCount;
    largestTop = block.wordTop[block.words - 1]!;
    fillBook(book, block, task.active, task.activeCount, task.names, task.stride);
    walks.open(block, task.names, task.stride);
    levels.open(task);
    lanes.open(block.words);
    targets.open(task);
    positions.open(task);
    moves.open(task);
    band.open(task);
    keep.open(task);
    rank.open(task);
    afresh.open(task);
  }

  function begin(deciding: number, trading: number, policy: Policy): void {
    const first = policy === afresh ? afresh.next() : 0;
    if (sets.full()) {
      sets.clear();
      positions.renumber();
    }
    const row = deciding * names;
    let count = 0;
    for (let x = 0; x < activeCount; x++) {
      const name = active[x]!;
      const gate = gates[row + name]!;
      openNames[count] = name;
      openGates[count] = gate;
      count += -gate >>> 31;
    }
    now[decision] = deciding;
    now[traded] = trading;
    now[openCount] = count;
    now[cashTouched] = 0;
    targets.begin(deciding, first);
    walks.begin(deciding, count);
    if (largestTop > 1) levels.begin(deciding, count);
  }

  return { run, lanes };
}
