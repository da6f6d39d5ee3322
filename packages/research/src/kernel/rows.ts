import type { Block } from "./blocks.js";
import { type BookRoom, createBook, fillBook } from "./book.js";
import { createLevels } from "./correlations.js";
import type { Memory } from "./memory.js";
import { createWalks } from "./walks.js";

/** What the pass over the rows needs to know beside the columns in {@link Memory}. */
export interface RowTask {
  readonly block: Block;
  readonly rows: number;
  readonly names: number;
  readonly stride: number;
  /** Symbols that may be held at some time, ascending. */
  readonly active: Int32Array;
  readonly activeCount: number;
  /** First row on which anything may be held. */
  readonly firstDecision: number;
  readonly lag: 1 | 2;
  readonly keep: boolean;
  readonly equalWeights: boolean;
  /** Whether sums for other metrics than final equity and drawdown are wanted. */
  readonly wide: boolean;
}

/** The sums behind the other metrics. */
export const sumFields = {
  net: 0,
  squares: 1,
  gains: 2,
  losses: 3,
  downside: 4,
  turnover: 5,
  days: 6,
} as const;
export const sumSize = 8;

export interface Rows {
  run(task: RowTask): void;
  /** What a lane ends with: its highest equity, the last equity over that, and the lowest that this ever was. */
  readonly peaks: Float64Array;
  readonly ratios: Float64Array;
  readonly lowest: Float64Array;
  /** `sumSize` numbers a lane, see {@link sumFields}; only of a wide task. */
  readonly sums: Float64Array;
}

/** Receives what every lane holds, row by row. A kernel without one does not look for it. */
export interface RowTrace {
  /**
   * @param row - the row that decided
   * @param names - the symbols selected, in no particular order; only valid during the call, as the weights are
   * @param weights - their targets, 0 for one that rounding has lost
   */
  lane(row: number, lane: number, names: Int32Array, weights: Float64Array): void;
}

/** The change from 0.50/0.45 to 0.45/0.50 is 0.05 only up to rounding; the tolerance decides that it stays inside. */
const bandTolerance = 1e-9;
/** Turnover of rounding alone is no rebalance. */
const tradedAtLeast = 1e-9;

/**
 * Walks the rows once for all portfolios of a block.
 *
 * Portfolios (*lanes*) that hold the same names since the same row are one *position*: from then on they earn and trade
 * alike, and decide alike where their parameters do. A position knows its lanes as bits, so who has to move is a few
 * operations on integers; and it carries the growth since it was taken, so that a lane is touched only when it moves.
 * With y = equity / peak, a row of growth m maps y to min(1, y m); a stretch of rows therefore maps it to min(c, y g),
 * and the lowest point on the way is min(lowest c, y x lowest g): four numbers are exact for all lanes of a position.
 *
 * No function here takes or returns a fraction where it might not be inlined, because that allocates: they pass through
 * `step`.
 */
export function createRows(memory: Memory, room: BookRoom, trace?: RowTrace): Rows {
  const { change, unitCost, gates, steadiness } = memory;
  const book = createBook(room);
  const { wordTop, wordRepeat, capLanes, laneCap, active, openNames, openGates, levels } = book;
  const walks = createWalks(memory, book, assign);
  const { walk, walked } = walks;
  const correlations = createLevels(memory, book);

  const slots = room.words * 31 + 3;
  const width = Math.max(room.names, 3);
  const peaks = new Float64Array(room.words * 32);
  const ratios = new Float64Array(room.words * 32);
  const lowest = new Float64Array(room.words * 32);
  const sums = new Float64Array(room.words * 32 * sumSize);

  // Positions. Slot 0 is cash: always there, earns nothing, first in the list.
  const live = new Int32Array(slots);
  const free = new Int32Array(slots);
  // A position's whole numbers are one record, so that they lie together.
  const held = 0; // symbols with a weight above 0, as bits
  const picked = 1; // symbols selected, as bits: the same but for weights lost to rounding
  const size = 2; // how many are selected
  const name0 = 3; // the first three of them, padded by repeating the first
  const column0 = 6; // the same as starts of columns
  const pair0 = 9; // places of levels: first and second, first and third, second and third
  const allColumns = 12; // columns of all lanes
  const roomyColumns = 13; // columns of the lanes with a free place
  const tightest = 14; // tightest cap of the lanes
  const loosest = 15; // loosest cap of the lanes with a free place
  const lanes0 = 16; // lanes, a word each
  const record = lanes0 + room.words;
  const slotInts = new Int32Array(slots * record);
  const slotNames = new Int32Array(slots * width);
  const slotWeights = new Float64Array(slots * width); // padded with 0 like the first three names
  const slotGrowth = new Float64Array(slots * 4); // g, c, lowest g, lowest c
  const slotSums = new Float64Array(slots * sumSize);

  // Targets: the distinct selections of a row, of lanes that move and of positions weighed afresh.
  const targetsARow = 2 * slots;
  const targetRoom = 2 * targetsARow; // of this row and of the one before
  const targetPicked = new Int32Array(targetRoom);
  const targetHeld = new Int32Array(targetRoom);
  const targetSize = new Int32Array(targetRoom);
  const targetWeighed = new Uint8Array(targetRoom);
  const targetSlot = new Int32Array(targetRoom); // the position made of it on this row, -1 before
  const targetNames = new Int32Array(targetRoom * width);
  const targetWeights = new Float64Array(targetRoom * width);
  const targetLanes = new Int32Array(targetRoom * room.words); // rank: the lanes that select it
  // The step from a position to a target, remembered while that position is looked at.
  const stepFrom = new Int32Array(targetRoom);
  const stepGrowth = new Float64Array(targetRoom * 4);
  const stepNet = new Float64Array(targetRoom * 2);
  // Without a band all positions with the same names move to the new weights alike.
  const stayKnown = new Uint8Array(targetRoom);
  const stayCost = new Float64Array(targetRoom * 2);

  let hashBits = 6;
  while (1 << hashBits < 4 * targetsARow) hashBits++;
  const hashShift = 32 - hashBits;
  const hashMask = (1 << hashBits) - 1;
  const hashTarget = new Int32Array(1 << hashBits);
  const hashStamp = new Int32Array(1 << hashBits);

  const fillableAt = new Int32Array(room.levels);
  const wanders = new Uint8Array(width + 1);
  /** Weights of the position whose lanes are moving, by symbol; 0 elsewhere. */
  const leaving = new Float64Array(room.names);
  // Numbers on their way from one function to another.
  const step = new Float64Array(8);
  const earned = 0; // by the position at hand on the row
  const cost = 1; // of a change of weights
  const turnover = 2;
  const sellCost = 3; // of selling all of the position at hand
  const sellTurnover = 4;

  let stamp = 0; // one a row, over all runs
  let liveCount = 0;
  let freeCount = 0;
  let targets = 0;
  let firstTarget = 0;
  let cashTouched = false;

  let names = 0;
  let stride = 0;
  let words = 0;
  let columns = 0;
  let capCount = 0;
  let activeCount = 0;
  let equalWeights = false;
  let wide = false;
  let twoAtMostCapped = false;
  let largestTop = 0;
  let openSymbols = 0;
  let decision = 0; // row whose gates, scores and volatilities decide
  let traded = 0; // row at whose close is traded, and whose return was just earned
  const limits = new Float64Array(3);
  const budget = 0;
  const maxWeight = 1;
  const band = 2; // with its tolerance; 0 without a band

  function run(task: RowTask): void {
    open(task);
    const shift = task.lag - 1;
    const { keep, rows } = task;
    const afresh = !keep && limits[band]! <= 0;
    if (afresh) startAfresh();
    for (let row = task.firstDecision + shift; row < rows; row++) {
      traded = row;
      decision = row - shift;
      nextRow();
      if (keep) keepRow();
      else if (afresh) rankRowAfresh();
      else rankRow();
      if (trace) {
        if (afresh) reportTargets(trace);
        else reportPositions(trace);
      }
    }
    if (!afresh) for (let x = 0; x < liveCount; x++) close(live[x]!);
  }

  function open(task: RowTask): void {
    const { block } = task;
    fillBook(book, block, task.active, task.activeCount, task.names, task.stride);
    walks.open(block, task.names, task.stride);
    correlations.open(task.names, task.stride, block.corrWindow, block.caps.length);
    largestTop = block.wordTop[block.words - 1]!;
    words = block.words;
    columns = block.columns;
    capCount = block.caps.length;
    names = task.names;
    stride = task.stride;
    activeCount = task.activeCount;
    equalWeights = task.equalWeights;
    wide = task.wide;
    limits[budget] = block.budget;
    limits[maxWeight] = block.maxWeight;
    limits[band] = block.band > 0 ? block.band + bandTolerance : 0;
    twoAtMostCapped = block.budget <= 2 * block.maxWeight;
    // Weights of so few names that they cannot move beyond the band need no test; equal weights never move.
    for (let count = 0; count <= width; count++) {
      const most = Math.min(block.maxWeight, block.budget);
      const least = Math.max(0, block.budget - (count - 1) * block.maxWeight);
      const moves = least < 1e-12 || most - least > limits[band]!;
      wanders[count] = count > 1 && moves && !equalWeights ? 1 : 0;
    }
    firstTarget = 0;
    liveCount = 1;
    live[0] = 0;
    freeCount = 0;
    for (let slot = slots - 1; slot > 0; slot--) free[freeCount++] = slot;
    slotInts.fill(0, 0, record);
    slotWeights.fill(0, 0, 3); // cash earns through the same sum as everything else
    slotGrowth.fill(1, 0, 4);
    slotSums.fill(0, 0, sumSize);
    for (let word = 0; word < words; word++) slotInts[lanes0 + word] = capLanes[word * (capCount + 1)]!;
    refold(0);
    peaks.fill(1, 0, words * 32);
    ratios.fill(1, 0, words * 32);
    lowest.fill(1, 0, words * 32);
    if (wide) sums.fill(0, 0, words * 32 * sumSize);
  }

  function nextRow(): void {
    if (stamp === 0x3fffffff) {
      hashStamp.fill(0);
      stamp = 0;
    }
    stamp++;
    cashTouched = false;
    const row = decision * names;
    let openCount = 0;
    for (let x = 0; x < activeCount; x++) {
      const name = active[x]!;
      const gate = gates[row + name]!;
      openNames[openCount] = name;
      openGates[openCount] = gate;
      openCount += -gate >>> 31;
    }
    openSymbols = openCount;
    walks.begin(decision, openCount);
    if (largestTop > 1) correlations.run(decision, openCount);
  }

  /** Policy keep: a lane moves when a name it holds must go, or when a free place can be filled. */
  function keepRow(): void {
    targets = 0;
    const row = decision * names;
    const before = liveCount;
    const loosestLevel = capCount;
    let kept = 0;
    for (let x = 0; x < before; x++) {
      const slot = live[x]!;
      const at = slot * record;
      const count = slotInts[at + size]!;
      let gate = -1; // columns in which every name held is eligible still
      let level = 0; // worst level among the pairs held
      earn(slot, at, count);
      if (slot !== 0) {
        gate =
          gates[row + slotInts[at + name0]!]! &
          gates[row + slotInts[at + name0 + 1]!]! &
          gates[row + slotInts[at + name0 + 2]!]!;
        level = levels[slotInts[at + pair0]!]!;
        const second = levels[slotInts[at + pair0 + 1]!]!;
        const third = levels[slotInts[at + pair0 + 2]!]!;
        if (second > level) level = second;
        if (third > level) level = third;
        if (count > 3) {
          for (let k = 3; k < count; k++) {
            const name = slotNames[slot * width + k]!;
            gate &= gates[row + name]!;
            for (let j = 0; j < k; j++) {
              const pair = levels[name * names + slotNames[slot * width + j]!]!;
              if (pair > level) level = pair;
            }
          }
        }
        // Levels are defined on rows on which some column may hold both.
        if (gate === 0) level = 0;
      }
      const symbols = slotInts[at + held]!;
      let moving =
        (slotInts[at + allColumns]! & ~gate) !== 0 ||
        level > slotInts[at + tightest]! ||
        symbols !== slotInts[at + picked];
      let fillable = 0; // columns with a candidate that every cap admits
      let someCaps = loosestLevel; // best level at which only some caps do
      const searching = slotInts[at + roomyColumns]! & gate;
      if (searching !== 0) {
        const loose = slotInts[at + loosest]!;
        for (let y = 0; y < openSymbols; y++) {
          const candidate = openGates[y]! & searching;
          const name = openNames[y]!;
          if (candidate === 0 || ((symbols >>> name) & 1) !== 0) continue;
          let refusing = 0;
          for (let k = 0; k < count; k++) {
            const pair = levels[name * names + slotNames[slot * width + k]!]!;
            if (pair > refusing) refusing = pair;
          }
          if (refusing === 0) fillable |= candidate;
          else if (refusing <= loose) {
            if (refusing < someCaps) someCaps = refusing;
            fillableAt[refusing]! |= candidate;
          }
        }
        if (fillable !== 0 || someCaps !== loosestLevel) moving = true;
      }
      if (moving) {
        moveKept(slot, gate, level, fillable, someCaps);
        if (slot !== 0 && slotInts[at + allColumns] === 0) {
          free[freeCount++] = slot;
          continue;
        }
      }
      live[kept++] = slot;
      if (slot !== 0) settle(slot, at, count);
    }
    finishRow(before, kept);
  }

  function moveKept(slot: number, gate: number, level: number, fillable: number, someCaps: number): void {
    const levelCount = capCount + 1;
    const at = slot * record;
    const symbols = slotInts[at + held]!;
    const odd = symbols !== slotInts[at + picked];
    const count = slotInts[at + size]!;
    scatter(slot);
    for (let word = 0; word < words; word++) {
      const members = slotInts[at + lanes0 + word]!;
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
        if (staysInBand(slot, target)) staying |= group;
        else moveLanes(slot, target, word, group);
      }
      slotInts[at + lanes0 + word] = staying;
    }
    unscatter(slot);
    for (let refusing = someCaps; refusing < capCount; refusing++) fillableAt[refusing] = 0;
    refold(slot);
  }

  /** Policy rank: everything is selected anew, and lanes move where their position is not what they select. */
  function rankRow(): void {
    targets = 0;
    walks.selectAll();
    const before = liveCount;
    let kept = 0;
    for (let x = 0; x < before; x++) {
      const slot = live[x]!;
      const at = slot * record;
      const count = slotInts[at + size]!;
      earn(slot, at, count);
      const own = slotInts[at + held] === slotInts[at + picked] ? knownTarget(slotInts[at + picked]!) : -1;
      let leaves = 0;
      let stays = 0;
      for (let word = 0; word < words; word++) {
        const members = slotInts[at + lanes0 + word]!;
        const staying = own < 0 ? 0 : members & targetLanes[own * words + word]!;
        stays |= staying;
        leaves |= members ^ staying;
      }
      if (leaves !== 0) stays |= moveRanked(slot, own);
      if (slot !== 0 && stays === 0) {
        free[freeCount++] = slot;
        continue;
      }
      live[kept++] = slot;
      if (slot !== 0) settle(slot, at, count);
    }
    finishRow(before, kept);
  }

  function assign(set: number, word: number, group: number): void {
    targetLanes[targetOf(set) * words + word]! |= group;
  }

  function moveRanked(slot: number, own: number): number {
    const at = slot * record;
    let stays = 0;
    scatter(slot);
    for (let word = 0; word < words; word++) {
      const members = slotInts[at + lanes0 + word]!;
      if (members === 0) continue;
      let staying = own < 0 ? 0 : members & targetLanes[own * words + word]!;
      let left = members ^ staying;
      for (let target = 0; left !== 0; target++) {
        const group = left & targetLanes[target * words + word]!;
        if (group === 0) continue;
        left ^= group;
        if (staysInBand(slot, target)) staying |= group;
        else moveLanes(slot, target, word, group);
      }
      slotInts[at + lanes0 + word] = staying;
      stays |= staying;
    }
    unscatter(slot);
    return stays;
  }

  /**
   * Policy rank without a band: what a lane holds depends on the row alone, so nothing is remembered but the targets of
   * the row before. Lanes with the same two targets in a row have the same return, and there are few such pairs.
   */
  function rankRowAfresh(): void {
    const before = firstTarget;
    const beforeEnd = before + targets;
    firstTarget = before === 0 ? targetsARow : 0;
    targets = 0;
    walks.selectAll();
    const end = firstTarget + targets;
    for (let target = firstTarget; target < end; target++) weigh(target);
    for (let from = before; from < beforeEnd; from++) {
      const list = from * width;
      const count = targetSize[from]!;
      let sum = 0;
      let sell = 0;
      let invested = 0;
      for (let k = 0; k < count; k++) {
        const name = targetNames[list + k]!;
        const column = name * stride + traded;
        const weight = targetWeights[list + k]!;
        leaving[name] = weight;
        sum += weight * change[column]!;
        sell += weight * unitCost[column]!;
        invested += weight;
      }
      step[earned] = sum;
      step[sellCost] = sell;
      step[sellTurnover] = invested;
      // Most lanes select what they selected before.
      const same = knownTarget(targetPicked[from]!);
      for (let word = 0; word < words; word++) {
        let left = targetLanes[from * words + word]!;
        if (left === 0) continue;
        if (same >= 0) {
          const group = left & targetLanes[same * words + word]!;
          if (group !== 0) growLanes(from, same, word, group);
          left ^= group;
        }
        for (let target = firstTarget; left !== 0; target++) {
          const group = left & targetLanes[target * words + word]!;
          if (group === 0) continue;
          left ^= group;
          growLanes(from, target, word, group);
        }
      }
      for (let k = 0; k < count; k++) leaving[targetNames[list + k]!] = 0;
    }
  }

  function startAfresh(): void {
    firstTarget = 0;
    targets = 0;
    stamp++;
    const cash = targetOf(0);
    weigh(cash);
    for (let word = 0; word < words; word++) targetLanes[cash * words + word] = slotInts[lanes0 + word]!;
  }

  /** One row of the lanes that go from a target of the row before to one of this row. */
  function growLanes(from: number, target: number, word: number, group: number): void {
    if (stepFrom[target] !== from) {
      stepFrom[target] = from;
      let price = step[sellCost]!;
      let moved = step[sellTurnover]!;
      const to = target * width;
      for (let k = 0; k < targetSize[target]!; k++) {
        const name = targetNames[to + k]!;
        const before = leaving[name]!;
        const difference = Math.abs(targetWeights[to + k]! - before) - before;
        price += difference * unitCost[name * stride + traded]!;
        moved += difference;
      }
      stepNet[2 * target] = step[earned]! - price;
      stepNet[2 * target + 1] = moved;
    }
    const growth = 1 + stepNet[2 * target]!;
    for (let left = group; left !== 0; ) {
      const bit = 31 - Math.clz32(left);
      left ^= 1 << bit;
      const lane = word * 32 + bit;
      const y = ratios[lane]! * growth;
      if (y > 1) {
        peaks[lane]! *= y;
        ratios[lane] = 1;
        continue;
      }
      ratios[lane] = y;
      if (y < lowest[lane]!) lowest[lane] = y;
    }
    if (wide) {
      for (let left = group; left !== 0; left &= left - 1) {
        const lane = word * 32 + 31 - Math.clz32(left & -left);
        addNet(sums, lane * sumSize, stepNet[2 * target]!, stepNet[2 * target + 1]!);
      }
    }
  }

  function finishRow(before: number, keptBefore: number): void {
    let kept = keptBefore;
    for (let x = before; x < liveCount; x++) {
      const slot = live[x]!;
      live[kept++] = slot;
      refold(slot);
    }
    liveCount = kept;
    if (cashTouched) refold(0);
  }

  function earn(slot: number, at: number, count: number): void {
    const weights = slot * width;
    let sum =
      slotWeights[weights]! * change[slotInts[at + column0]! + traded]! +
      slotWeights[weights + 1]! * change[slotInts[at + column0 + 1]! + traded]! +
      slotWeights[weights + 2]! * change[slotInts[at + column0 + 2]! + traded]!;
    for (let k = 3; k < count; k++) {
      sum += slotWeights[weights + k]! * change[slotNames[weights + k]! * stride + traded]!;
    }
    step[earned] = sum;
  }

  /** What the lanes of a position have in common, to see at a glance that none of them moves. */
  function refold(slot: number): void {
    const at = slot * record;
    const count = slotInts[at + size]!;
    let all = 0;
    let roomy = 0;
    let tight = capCount;
    let loose = -1;
    for (let word = 0; word < words; word++) {
      const members = slotInts[at + lanes0 + word]!;
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
    slotInts[at + allColumns] = all & mask;
    slotInts[at + roomyColumns] = roomy & mask;
    slotInts[at + tightest] = tight;
    slotInts[at + loosest] = loose;
  }

  /** The row's target with these names, made when it is the first to ask. */
  function targetOf(set: number): number {
    let at = Math.imul(set, 0x9e3779b1) >>> hashShift;
    while (hashStamp[at] === stamp) {
      const known = hashTarget[at]!;
      if (targetPicked[known] === set) return known;
      at = (at + 1) & hashMask;
    }
    const target = firstTarget + targets++;
    hashStamp[at] = stamp;
    hashTarget[at] = target;
    targetPicked[target] = set;
    targetWeighed[target] = 0;
    targetSlot[target] = set === 0 ? 0 : -1;
    stepFrom[target] = -1;
    stayKnown[target] = 0;
    for (let word = 0; word < words; word++) targetLanes[target * words + word] = 0;
    return target;
  }

  function knownTarget(set: number): number {
    for (
      let at = Math.imul(set, 0x9e3779b1) >>> hashShift;
      hashStamp[at] === stamp;
      at = (at + 1) & hashMask
    ) {
      const known = hashTarget[at]!;
      if (targetPicked[known] === set) return known;
    }
    return -1;
  }

  function weigh(target: number): void {
    if (targetWeighed[target] === 1) return;
    targetWeighed[target] = 1;
    const at = target * width;
    const set = targetPicked[target]!;
    let count = 0;
    for (let left = set; left !== 0; left &= left - 1) {
      targetNames[at + count++] = 31 - Math.clz32(left & -left);
    }
    targetSize[target] = count;
    targetHeld[target] = set;
    const whole = limits[budget]!;
    const cap = limits[maxWeight]!;
    if (count === 1) {
      targetWeights[at] = Math.min(whole, cap);
    } else if (count <= 3 && twoAtMostCapped && !equalWeights) {
      // At most one of them can exceed the cap, and what it leaves fits under the cap.
      const a = steadiness[targetNames[at]! * stride + decision]!;
      const b = steadiness[targetNames[at + 1]! * stride + decision]!;
      const c = count === 3 ? steadiness[targetNames[at + 2]! * stride + decision]! : 0;
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
      targetWeights[at] = x;
      targetWeights[at + 1] = y;
      if (count === 3) targetWeights[at + 2] = z;
    } else if (count > 0) shareOut(target, count);
  }

  /** What is above the cap is shared out among the rest, until nothing is: the plain path's loop, number by number. */
  function shareOut(target: number, count: number): void {
    const at = target * width;
    const cap = limits[maxWeight]!;
    for (let k = 0; k < count; k++) {
      targetWeights[at + k] = equalWeights
        ? 1 / count
        : steadiness[targetNames[at + k]! * stride + decision]!;
    }
    let left = limits[budget]!;
    for (;;) {
      let open = 0;
      for (let k = 0; k < count; k++) {
        const weight = targetWeights[at + k]!;
        if (weight > 0) open += weight;
      }
      if (open === 0) break;
      let above = 0;
      for (let k = 0; k < count; k++) {
        const weight = targetWeights[at + k]!;
        if (weight > 0 && (left * weight) / open > cap) {
          targetWeights[at + k] = -1; // capped
          above++;
        }
      }
      if (above === 0) {
        for (let k = 0; k < count; k++) {
          const weight = targetWeights[at + k]!;
          if (weight > 0) targetWeights[at + k] = (left * weight) / open;
        }
        break;
      }
      for (let k = 0; k < above; k++) left -= cap;
    }
    let symbols = 0;
    for (let k = 0; k < count; k++) {
      if (targetWeights[at + k]! < 0) targetWeights[at + k] = cap;
      if (targetWeights[at + k]! > 0) symbols |= 1 << targetNames[at + k]!;
    }
    targetHeld[target] = symbols;
  }

  /** Puts a position's weights where a change of weights finds them by symbol. */
  function scatter(slot: number): void {
    const at = slot * width;
    let all = 0;
    let weight = 0;
    for (let k = 0; k < slotInts[slot * record + size]!; k++) {
      const name = slotNames[at + k]!;
      const value = slotWeights[at + k]!;
      leaving[name] = value;
      all += value * unitCost[name * stride + traded]!;
      weight += value;
    }
    step[sellCost] = all;
    step[sellTurnover] = weight;
  }

  function unscatter(slot: number): void {
    for (let k = 0; k < slotInts[slot * record + size]!; k++) leaving[slotNames[slot * width + k]!] = 0;
  }

  /** Whether the names held would be the same and no weight would move further than the band. */
  function staysInBand(slot: number, target: number): boolean {
    // Targets of other names: the usual case, told without weighing unless a weight can be lost to rounding.
    if (limits[band]! <= 0) return false;
    weigh(target);
    if (targetHeld[target] !== slotInts[slot * record + held]) return false;
    for (let k = 0; k < targetSize[target]!; k++) {
      const difference = targetWeights[target * width + k]! - leaving[targetNames[target * width + k]!]!;
      if (difference > limits[band]! || -difference > limits[band]!) return false;
    }
    return true;
  }

  /** Takes lanes from the scattered position to the one that is made of the target on this row. */
  function moveLanes(slot: number, target: number, word: number, group: number): void {
    if (stepFrom[target] !== slot) prepareStep(slot, target);
    let to = targetSlot[target]!;
    if (to < 0) to = openSlot(target);
    else if (to === 0) cashTouched = true;
    slotInts[to * record + lanes0 + word]! |= group;
    const at = target * 4;
    const g = stepGrowth[at]!;
    const c = stepGrowth[at + 1]!;
    const lowestG = stepGrowth[at + 2]!;
    const lowestC = stepGrowth[at + 3]!;
    for (let left = group; left !== 0; ) {
      const bit = 31 - Math.clz32(left);
      left ^= 1 << bit;
      const lane = word * 32 + bit;
      const y = ratios[lane]!;
      const under = y * lowestG;
      const after = y * g;
      const least = Math.min(under, lowestC);
      if (after > c) {
        // Equity was highest somewhere on the way, by as much as the ratio was cut.
        peaks[lane]! *= after / c;
        ratios[lane] = c;
      } else ratios[lane] = after;
      if (least < lowest[lane]!) lowest[lane] = least;
    }
    if (wide) {
      for (let left = group; left !== 0; left &= left - 1) {
        const lane = (word * 32 + 31 - Math.clz32(left & -left)) * sumSize;
        for (let k = 0; k < sumSize; k++) sums[lane + k]! += slotSums[slot * sumSize + k]!;
        addNet(sums, lane, stepNet[2 * target]!, stepNet[2 * target + 1]!);
      }
    }
  }

  /** The growth of a position up to and including the row on which lanes leave it for a target. */
  function prepareStep(slot: number, target: number): void {
    stepFrom[target] = slot;
    weigh(target);
    let price = step[sellCost]!;
    let moved = step[sellTurnover]!;
    for (let k = 0; k < targetSize[target]!; k++) {
      const name = targetNames[target * width + k]!;
      const before = leaving[name]!;
      const difference = Math.abs(targetWeights[target * width + k]! - before) - before;
      price += difference * unitCost[name * stride + traded]!;
      moved += difference;
    }
    const net = step[earned]! - price;
    const growth = 1 + net;
    const from = slot * 4;
    const at = target * 4;
    const g = slotGrowth[from]! * growth;
    let c = slotGrowth[from + 1]! * growth;
    if (c > 1) c = 1;
    stepGrowth[at] = g;
    stepGrowth[at + 1] = c;
    stepGrowth[at + 2] = Math.min(g, slotGrowth[from + 2]!);
    stepGrowth[at + 3] = Math.min(c, slotGrowth[from + 3]!);
    stepNet[2 * target] = net;
    stepNet[2 * target + 1] = moved;
  }

  function openSlot(target: number): number {
    const slot = free[--freeCount]!;
    live[liveCount++] = slot;
    targetSlot[target] = slot;
    const growth = slot * 4;
    slotGrowth[growth] = 1;
    slotGrowth[growth + 1] = 1;
    slotGrowth[growth + 2] = 1;
    slotGrowth[growth + 3] = 1;
    const at = slot * record;
    for (let word = 0; word < words; word++) slotInts[at + lanes0 + word] = 0;
    if (wide) slotSums.fill(0, slot * sumSize, (slot + 1) * sumSize);

    const count = targetSize[target]!;
    const list = slot * width;
    const from = target * width;
    slotInts[at + size] = count;
    for (let k = 0; k < count; k++) slotNames[list + k] = targetNames[from + k]!;
    const first = slotNames[list]!;
    const second = count > 1 ? slotNames[list + 1]! : first;
    const third = count > 2 ? slotNames[list + 2]! : first;
    slotInts[at + name0] = first;
    slotInts[at + name0 + 1] = second;
    slotInts[at + name0 + 2] = third;
    slotInts[at + column0] = first * stride;
    slotInts[at + column0 + 1] = second * stride;
    slotInts[at + column0 + 2] = third * stride;
    slotInts[at + pair0] = first * names + second;
    slotInts[at + pair0 + 1] = first * names + third;
    slotInts[at + pair0 + 2] = second * names + third;
    slotInts[at + picked] = targetPicked[target]!;
    slotWeights[list + 1] = 0;
    slotWeights[list + 2] = 0;
    takeWeights(slot, target);
    return slot;
  }

  function takeWeights(slot: number, target: number): void {
    slotInts[slot * record + held] = targetHeld[target]!;
    for (let k = 0; k < targetSize[target]!; k++) {
      slotWeights[slot * width + k] = targetWeights[target * width + k]!;
    }
  }

  /** The row of the lanes that stay: what was earned, and what moving to new weights costs where they move. */
  function settle(slot: number, at: number, count: number): void {
    let net = step[earned]!;
    let moved = 0;
    if (wanders[count] === 1 && (limits[band]! <= 0 || mayLeaveBand(slot, at, count))) {
      weighAfresh(slot);
      net -= step[cost]!;
      moved = step[turnover]!;
    }
    const growth = 1 + net;
    const from = slot * 4;
    const g = slotGrowth[from]! * growth;
    let c = slotGrowth[from + 1]! * growth;
    if (c > 1) c = 1;
    slotGrowth[from] = g;
    slotGrowth[from + 1] = c;
    if (g < slotGrowth[from + 2]!) slotGrowth[from + 2] = g;
    if (c < slotGrowth[from + 3]!) slotGrowth[from + 3] = c;
    if (wide) addNet(slotSums, slot * sumSize, net, moved);
  }

  /** A test without a division: whether a weight, if none is capped, is beyond the band. Sure only when it says no. */
  function mayLeaveBand(slot: number, at: number, count: number): boolean {
    if (slotInts[at + held] !== slotInts[at + picked]) return false; // compared when its lanes walked
    let sum = 0;
    let most = 0;
    for (let k = 0; k < count; k++) {
      const raw = steadiness[slotNames[slot * width + k]! * stride + decision]!;
      sum += raw;
      if (raw > most) most = raw;
    }
    const whole = limits[budget]!;
    if (!(whole * most <= limits[maxWeight]! * sum)) return true;
    const limit = limits[band]! * sum;
    for (let k = 0; k < count; k++) {
      const raw = steadiness[slotNames[slot * width + k]! * stride + decision]!;
      const difference = whole * raw - slotWeights[slot * width + k]! * sum;
      if (difference > limit || -difference > limit) return true;
    }
    return false;
  }

  /** Moves a position to the row's weights for its names, unless they are within the band. */
  function weighAfresh(slot: number): void {
    const at = slot * width;
    step[cost] = 0;
    step[turnover] = 0;
    if (slotInts[slot * record + held] !== slotInts[slot * record + picked]) return;
    const target = targetOf(slotInts[slot * record + picked]!);
    weigh(target);
    if (limits[band]! <= 0 && stayKnown[target] === 1) {
      step[cost] = stayCost[2 * target]!;
      step[turnover] = stayCost[2 * target + 1]!;
      takeWeights(slot, target);
      return;
    }
    let price = 0;
    let moved = 0;
    let most = 0;
    for (let k = 0; k < targetSize[target]!; k++) {
      const difference = Math.abs(targetWeights[target * width + k]! - slotWeights[at + k]!);
      price += difference * unitCost[slotNames[at + k]! * stride + traded]!;
      moved += difference;
      if (difference > most) most = difference;
    }
    if (most <= limits[band]! && targetHeld[target] === slotInts[slot * record + held]) return;
    step[cost] = price;
    step[turnover] = moved;
    stayKnown[target] = 1;
    stayCost[2 * target] = price;
    stayCost[2 * target + 1] = moved;
    takeWeights(slot, target);
  }

  function addNet(into: Float64Array, at: number, net: number, moved: number): void {
    into[at]! += net;
    into[at + 1]! += net * net;
    if (net > 0) into[at + 2]! += net;
    else if (net < 0) {
      into[at + 3]! -= net;
      into[at + 4]! += net * net;
    }
    into[at + 5]! += moved;
    if (moved > tradedAtLeast) into[at + 6]! += 1;
  }

  /** Passes a position's growth on to the lanes that are in it at the end. */
  function close(slot: number): void {
    const at = slot * 4;
    for (let word = 0; word < words; word++) {
      for (let left = slotInts[slot * record + lanes0 + word]!; left !== 0; left &= left - 1) {
        const lane = word * 32 + 31 - Math.clz32(left & -left);
        const y = ratios[lane]!;
        const after = y * slotGrowth[at]!;
        const c = slotGrowth[at + 1]!;
        if (after > c) {
          peaks[lane]! *= after / c;
          ratios[lane] = c;
        } else ratios[lane] = after;
        lowest[lane] = Math.min(lowest[lane]!, slotGrowth[at + 3]!, y * slotGrowth[at + 2]!);
        if (wide)
          for (let k = 0; k < sumSize; k++) sums[lane * sumSize + k]! += slotSums[slot * sumSize + k]!;
      }
    }
  }

  function reportPositions(to: RowTrace): void {
    for (let x = 0; x < liveCount; x++) {
      const slot = live[x]!;
      const from = slot * width;
      const end = from + slotInts[slot * record + size]!;
      for (let word = 0; word < words; word++) {
        const lanes = slotInts[slot * record + lanes0 + word]!;
        reportLanes(to, word, lanes, slotNames.subarray(from, end), slotWeights.subarray(from, end));
      }
    }
  }

  function reportTargets(to: RowTrace): void {
    for (let target = firstTarget; target < firstTarget + targets; target++) {
      const from = target * width;
      const end = from + targetSize[target]!;
      for (let word = 0; word < words; word++) {
        const lanes = targetLanes[target * words + word]!;
        reportLanes(to, word, lanes, targetNames.subarray(from, end), targetWeights.subarray(from, end));
      }
    }
  }

  function reportLanes(
    to: RowTrace,
    word: number,
    lanes: number,
    members: Int32Array,
    weights: Float64Array,
  ): void {
    for (let left = lanes; left !== 0; left &= left - 1) {
      to.lane(decision, word * 32 + 31 - Math.clz32(left & -left), members, weights);
    }
  }

  return { run, peaks, ratios, lowest, sums };
}
