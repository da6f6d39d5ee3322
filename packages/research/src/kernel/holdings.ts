import type { SharedTargets } from "@pf/backtest";
import type { Panel } from "@pf/market";
import type { BlockPlan } from "./blocks.js";
import type { RowTrace } from "./rowTrace.js";
import { firstLane } from "./trace.js";

/** Collects what the points of a grid hold. */
export interface HoldingsRecorder extends RowTrace {
  /** A block's rows follow. */
  begin(block: number): void;
  /** One run a lane. */
  targets(): SharedTargets;
  /** The run of each point, -1 where it is impossible. */
  readonly runOf: Int32Array;
}

/** A holding is written down when it is new: lanes keep theirs for days, and most have the same as some others. */
export function createHoldingsRecorder(
  { sessions, tickers }: Panel,
  { pointBlock, pointLane }: BlockPlan,
): HoldingsRecorder {
  // Holding 0 is nothing.
  let start = new Int32Array(1024);
  let symbol = new Int32Array(2048);
  let weight = new Float64Array(2048);
  let holdings = 1;
  let used = 0;
  let lastAt = new Int32Array(64); // the holding told last of a place
  const names = new Int32Array(tickers.length);
  const weights = new Float64Array(tickers.length);
  const held: Int32Array[] = [];
  const runOf = new Int32Array(pointBlock.length).fill(-1);
  let lanesHeld: Int32Array[] = []; // of the block, by lane
  let told = 0;
  let decided = 0;

  function begin(block: number): void {
    const runs = new Map<number, number>();
    lanesHeld = [];
    for (let point = 0; point < runOf.length; point++) {
      if (pointBlock[point] !== block) continue;
      const lane = pointLane[point]!;
      const run = runs.get(lane) ?? held.length;
      if (run === held.length) held.push(new Int32Array(sessions.length));
      runs.set(lane, run);
      runOf[point] = run;
      lanesHeld[lane] = held[run]!;
    }
    lastAt.fill(0);
  }

  function holding(
    row: number,
    place: number,
    from: Int32Array,
    ofWeights: Float64Array,
    first: number,
    end: number,
  ): void {
    decided = row;
    let count = 0;
    for (let k = first; k < end; k++) {
      const value = ofWeights[k]!;
      if (value === 0) continue;
      const name = from[k]!;
      // In universe order, as targets are.
      let at = count++;
      while (at > 0 && names[at - 1]! > name) {
        names[at] = names[at - 1]!;
        weights[at] = weights[at - 1]!;
        at--;
      }
      names[at] = name;
      weights[at] = value;
    }
    if (place >= lastAt.length) lastAt = grown(lastAt, place);
    told = count === 0 ? 0 : isAsBefore(lastAt[place]!, count) ? lastAt[place]! : add(count);
    lastAt[place] = told;
  }

  function isAsBefore(known: number, count: number): boolean {
    const from = start[known]!;
    if (start[known + 1]! - from !== count) return false;
    for (let k = 0; k < count; k++) {
      if (symbol[from + k] !== names[k] || weight[from + k] !== weights[k]) return false;
    }
    return true;
  }

  function add(count: number): number {
    if (holdings + 2 > start.length) start = grown(start, holdings + 2);
    if (used + count > symbol.length) {
      symbol = grown(symbol, used + count);
      const longer = new Float64Array(symbol.length);
      longer.set(weight);
      weight = longer;
    }
    for (let k = 0; k < count; k++) {
      symbol[used + k] = names[k]!;
      weight[used + k] = weights[k]!;
    }
    used += count;
    start[holdings + 1] = used;
    return holdings++;
  }

  function lanes(word: number, members: number): void {
    for (let left = members; left !== 0; left &= left - 1) {
      const column = lanesHeld[firstLane(word, left)];
      if (column) column[decided] = told;
    }
  }

  return {
    begin,
    holding,
    lanes,
    targets: () => ({ sessions, tickers, start: start.subarray(0, holdings + 1), symbol, weight, held }),
    runOf,
  };
}

/** A longer table with the same beginning. */
function grown(table: Int32Array, least: number): Int32Array<ArrayBuffer> {
  const longer = new Int32Array(Math.max(2 * table.length, least + 1));
  longer.set(table);
  return longer;
}
