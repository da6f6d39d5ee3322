import type { Block } from "./blocks.js";
import type { Memory } from "./memory.js";

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

/** Numbers a lane ends with: growth of 1, the deepest point under the peak, and the sums behind the other metrics. */
export const laneFields = { equity: 0, level: 1, lowest: 2 } as const;
export const laneSize = 4;
export const sumFields = { net: 0, squares: 1, gains: 2, losses: 3, downside: 4, turnover: 5, days: 6 } as const;
export const sumSize = 8;

export interface Rows {
  run(task: RowTask): void;
  /** `laneSize` numbers a lane, see {@link laneFields}. */
  readonly lanes: Float64Array;
  /** `sumSize` numbers a lane, see {@link sumFields}; only of a wide task. */
  readonly sums: Float64Array;
}

/** Room of the tables: words of a block and names held at once. */
export interface BookRoom {
  readonly words: number;
  readonly names: number;
}

/** The change from 0.50/0.45 to 0.45/0.50 is 0.05 only up to rounding; the tolerance decides that it stays inside. */
const bandTolerance = 1e-9;
/** Turnover of rounding alone is no rebalance. */
const tradedAtLeast = 1e-9;

/**
 * Walks the rows once for all portfolios of a block.
 *
 * Portfolios (*lanes*) that hold the same names since the same row are one *position*: from then on they decide alike
 * where their parameters do, earn the same and trade the same. A position knows its lanes as bits, so who has to move is
 * a few operations on integers; and it carries the growth since it was taken, so that a lane is touched only when it
 * moves. With y = equity / peak, a row with growth m maps y to min(1, y m); a stretch of rows therefore maps it to
 * min(c, y g), and the lowest point on the way is min(lowest c, y x lowest g): four numbers a position are exact for
 * all its lanes.
 */
export function createRows(
  { change, unitCost, gates, scores, steadiness, levels }: Memory,
  room: BookRoom,
): Rows {
  const laneRoom = room.words * 31;
  const slots = laneRoom + 3;
  const width = Math.max(room.names, 3);

  const lanes = new Float64Array(room.words * 32 * laneSize);
  const sums = new Float64Array(room.words * 32 * sumSize);

  // Positions. Slot 0 is cash: always there, earns nothing.
  const live = new Int32Array(slots);
  const free = new Int32Array(slots);
  const slotHeld = new Int32Array(slots); // symbols with a weight above 0, as bits
  const slotPicked = new Int32Array(slots); // symbols selected, as bits: the same but for weights lost to rounding
  const slotCount = new Int32Array(slots);
  const slotNames = new Int32Array(slots * width); // padded to three by repeating the first
  const slotColumns = new Int32Array(slots * width); // the same as starts of columns
  const slotPairs = new Int32Array(slots * 3); // columns of levels: first and second, first and third, second and third
  const slotWeights = new Float64Array(slots * width); // in the order of slotNames, padded with 0
  const slotDense = new Float64Array(slots * room.names);
  const slotLanes = new Int32Array(slots * room.words);
  const slotGrowth = new Float64Array(slots * 4); // g, c, lowest g, lowest c
  const slotSums = new Float64Array(slots * sumSize);

  // Targets: the distinct selections of a row, some of positions that stay and some of lanes that move.
  const targetRoom = 2 * slots;
  const targetPicked = new Int32Array(targetRoom);
  const targetHeld = new Int32Array(targetRoom);
  const targetCount = new Int32Array(targetRoom);
  const targetWeighed = new Uint8Array(targetRoom);
  const targetSlot = new Int32Array(targetRoom); // the position made of it on this row, -1 before
  const targetNames = new Int32Array(targetRoom * width);
  const targetWeights = new Float64Array(targetRoom * width);
  const targetDense = new Float64Array(targetRoom * room.names);
  const targetLanes = new Int32Array(targetRoom * room.words);
  // The step from one position to a target, remembered while the position is looked at.
  const stepFrom = new Int32Array(targetRoom);
  const stepGrowth = new Float64Array(targetRoom * 4);
  const stepNet = new Float64Array(targetRoom * 2);
  // Staying in a set that is weighed afresh costs all its positions the same.
  const stayCost = new Float64Array(targetRoom * 2);
  const stayKnown = new Uint8Array(targetRoom);

  let hashBits = 6;
  while (1 << hashBits < 4 * targetRoom) hashBits++;
  const hashSize = 1 << hashBits;
  const hashTarget = new Int32Array(hashSize);
  const hashStamp = new Int32Array(hashSize);

  const columnStamp = new Int32Array(32);
  const columnEligible = new Int32Array(32);
  const columnSame = new Int32Array(32);
  const pairColumn = new Int32Array(room.names * room.names);
  const takenNames = new Int32Array(width);
  const orderNames = new Int32Array(room.names);
  const orderGates = new Int32Array(room.names);
  const orderScores = new Float64Array(room.names);
  const pickable = new Int32Array(room.names);
  const wanders = new Uint8Array(width + 1);

  let stamp = 0; // one a row, over all runs
  let liveCount = 0;
  let freeCount = 0;
  let targets = 0;

  // Of the task and row at hand, for the functions below.
  let names = 0;
  let stride = 0;
  let words = 0;
  let active = new Int32Array(0);
  let activeCount = 0;
  let block: Block;
  let equalWeights = false;
  let wide = false;
  let decision = 0; // row whose gates, scores and volatilities decide
  let traded = 0; // row at whose close is traded, and whose return was just earned
  let walkSet = 0;
  let walkFrom = 0;
  let walkTo = 0;
  let walkColumns = 0;
  let costOfChange = 0;
  let turnoverOfChange = 0;

  function run(task: RowTask): void {
    open(task);
    const shift = task.lag - 1;
    const { keep } = task;
    const { band } = block;
    for (let row = task.firstDecision + shift; row < task.rows; row++) {
      traded = row;
      decision = row - shift;
      if (stamp === 0x3fffffff) {
        hashStamp.fill(0);
        columnStamp.fill(0);
        stamp = 0;
      }
      stamp++;
      targets = 0;
      if (!keep) rankRow();
      const before = liveCount;
      let kept = 0;
      for (let x = 0; x < before; x++) {
        const slot = live[x]!;
        const earned = slot === 0 ? 0 : earnedBy(slot);
        const stays = keep ? moveKept(slot, earned, band) : moveRanked(slot, earned, band);
        if (slot === 0) {
          live[kept++] = 0;
          continue;
        }
        if (!stays) {
          free[freeCount++] = slot;
          continue;
        }
        live[kept++] = slot;
        settle(slot, earned, band);
      }
      for (let x = before; x < liveCount; x++) live[kept++] = live[x]!;
      liveCount = kept;
    }
    for (let x = 0; x < liveCount; x++) close(live[x]!);
  }

  function open(task: RowTask): void {
    block = task.block;
    words = block.words;
    names = task.names;
    stride = task.stride;
    active = task.active as Int32Array<ArrayBuffer>;
    activeCount = task.activeCount;
    equalWeights = task.equalWeights;
    wide = task.wide;
    let column = stride; // after the column of a symbol with itself
    for (let i = 0; i < names; i++) {
      pairColumn[i * names + i] = 0;
      for (let j = i + 1; j < names; j++) {
        pairColumn[i * names + j] = column;
        pairColumn[j * names + i] = column;
        column += stride;
      }
    }
    // Weights of so few names that they cannot move beyond the band need no test.
    const { maxWeight, budget, band } = block;
    for (let count = 0; count <= width; count++) {
      const most = Math.min(maxWeight, budget);
      const least = Math.max(0, budget - (count - 1) * maxWeight);
      wanders[count] =
        count > 1 && (least < 1e-12 || most - least > (band > 0 ? band + bandTolerance : 0)) ? 1 : 0;
    }
    liveCount = 1;
    live[0] = 0;
    freeCount = 0;
    for (let slot = slots - 1; slot > 0; slot--) free[freeCount++] = slot;
    slotHeld[0] = 0;
    slotPicked[0] = 0;
    slotCount[0] = 0;
    slotDense.fill(0, 0, names);
    slotGrowth.fill(1, 0, 4);
    slotSums.fill(0, 0, sumSize);
    for (let word = 0; word < words; word++) {
      slotLanes[word] = block.capLanes[word * (block.caps.length + 1)]!;
      for (let lane = word * 32; lane < word * 32 + 32; lane++) lanes.fill(1, lane * laneSize, (lane + 1) * laneSize);
    }
    if (wide) sums.fill(0, 0, words * 32 * sumSize);
  }

  function earnedBy(slot: number): number {
    const at = slot * width;
    let earned =
      slotWeights[at]! * change[slotColumns[at]! + traded]! +
      slotWeights[at + 1]! * change[slotColumns[at + 1]! + traded]! +
      slotWeights[at + 2]! * change[slotColumns[at + 2]! + traded]!;
    for (let k = 3; k < slotCount[slot]!; k++) {
      earned += slotWeights[at + k]! * change[slotColumns[at + k]! + traded]!;
    }
    return earned;
  }

  /**
   * Moves the lanes that cannot keep a position, or can fill a place: the others need neither scores nor a walk.
   *
   * @returns whether any lane stays
   */
  function moveKept(slot: number, earned: number, band: number): boolean {
    const { wordTop, wordRepeat, capLanes, columns, caps } = block;
    const levelCount = caps.length + 1;
    const row = decision * names;
    const count = slotCount[slot]!;
    const held = slotHeld[slot]!;
    const odd = held !== slotPicked[slot]!;
    const lanesAt = slot * words;
    const namesAt = slot * width;

    // Columns in which every name held is eligible still, and the worst level among the pairs.
    let gate = -1;
    let level = 0;
    if (count > 0) {
      gate =
        gates[row + slotNames[namesAt]!]! &
        gates[row + slotNames[namesAt + 1]!]! &
        gates[row + slotNames[namesAt + 2]!]!;
      // Levels are defined on rows on which some column may hold both.
      if (count > 1 && gate !== 0) {
        const pairs = slot * 3;
        level = levels[slotPairs[pairs]! + decision]!;
        if (count > 2) {
          level = Math.max(level, levels[slotPairs[pairs + 1]! + decision]!, levels[slotPairs[pairs + 2]! + decision]!);
          for (let k = 3; k < count; k++) {
            const name = slotNames[namesAt + k]!;
            gate &= gates[row + name]!;
            for (let j = 0; j < k; j++) {
              level = Math.max(level, levels[pairColumn[name * names + slotNames[namesAt + j]!]! + decision]!);
            }
          }
        }
      }
    }

    // Columns of lanes with a free place, and in them who could fill it.
    const roomy = count < block.firstRoomy.length ? block.firstRoomy[count]! : words;
    let searching = 0;
    for (let word = roomy; word < words; word++) {
      const members = slotLanes[lanesAt + word]!;
      searching |= members;
      if (members !== 0) for (let at = columns; at < 31; at += columns) searching |= members >>> at;
    }
    searching &= (1 << columns) - 1;
    let fillable = 0; // columns with a candidate that the tightest cap admits
    let anyLevel = levelCount - 1;
    if (searching !== 0) {
      for (let x = 0; x < activeCount; x++) {
        const name = active[x]!;
        const candidate = gates[row + name]! & searching & gate;
        if (candidate === 0 || (held >>> name) & 1) continue;
        let refusing = 0;
        for (let k = 0; k < count; k++) {
          const pair = levels[pairColumn[name * names + slotNames[namesAt + k]!]! + decision]!;
          if (pair > refusing) refusing = pair;
        }
        if (refusing === 0) fillable |= candidate;
        else if (refusing < levelCount - 1) {
          // Rare enough to be told apart by level below, lane by lane.
          if (refusing < anyLevel) anyLevel = refusing;
          fillableAt[refusing]! |= candidate;
        }
      }
    }

    let stays = 0;
    for (let word = 0; word < words; word++) {
      const members = slotLanes[lanesAt + word]!;
      if (members === 0) continue;
      let moving = odd
        ? members
        : count === 0
          ? 0
          : members & ~(Math.imul(gate, wordRepeat[word]!) & capLanes[word * levelCount + level]!);
      if (word >= roomy) {
        moving |= members & Math.imul(fillable, wordRepeat[word]!);
        for (let refusing = anyLevel; refusing < levelCount - 1; refusing++) {
          moving |=
            members &
            Math.imul(fillableAt[refusing]!, wordRepeat[word]!) &
            capLanes[word * levelCount + refusing]!;
        }
      }
      let staying = members & ~moving;
      while (moving !== 0) {
        walk(word, 31 - Math.clz32(moving), held, wordTop[word]!);
        const group =
          moving &
          Math.imul(walkColumns, wordRepeat[word]!) &
          capLanes[word * levelCount + walkFrom]! &
          ~capLanes[word * levelCount + walkTo]!;
        moving &= ~group;
        const target = targetOf(walkSet);
        if (!odd && walkSet === held) staying |= group;
        else if (staysInBand(slot, target, band)) staying |= group;
        else moveLanes(slot, target, word, group, earned);
      }
      slotLanes[lanesAt + word] = staying;
      stays |= staying;
    }
    for (let refusing = anyLevel; refusing < levelCount - 1; refusing++) fillableAt[refusing] = 0;
    return stays !== 0;
  }

  const fillableAt = new Int32Array(256);

  /** Selects for one lane from what its position holds; the result also serves the columns and caps it names. */
  function walk(word: number, bit: number, held: number, top: number): void {
    const column = block.laneColumn[word * 32 + bit]!;
    const cap = block.laneCap[word * 32 + bit]!;
    const fast = block.columnFast[column]!;
    const scoreColumn = fast * names * stride + decision;
    if (columnStamp[column] !== stamp) lookUpColumn(column, fast);
    const eligible = columnEligible[column]!;
    walkColumns = columnSame[column]!;
    let from = 0;
    let to = block.caps.length;
    let set = 0;
    let count = 0;
    for (let pass = 0; pass < 2; pass++) {
      let waiting = pass === 0 ? eligible & held : eligible & ~held;
      while (waiting !== 0 && count < top) {
        let best = 31 - Math.clz32(waiting & -waiting);
        let others = waiting & (waiting - 1);
        if (others !== 0) {
          let bestScore = scores[scoreColumn + best * stride]!;
          while (others !== 0) {
            const name = 31 - Math.clz32(others & -others);
            others &= others - 1;
            const score = scores[scoreColumn + name * stride]!;
            if (score > bestScore) {
              bestScore = score;
              best = name;
            }
          }
        }
        waiting &= ~(1 << best);
        let level = 0;
        for (let k = 0; k < count; k++) {
          const pair = levels[pairColumn[best * names + takenNames[k]!]! + decision]!;
          if (pair > level) level = pair;
        }
        if (level <= cap) {
          if (level > from) from = level;
          set |= 1 << best;
          takenNames[count++] = best;
        } else if (level < to) to = level;
      }
    }
    walkSet = set;
    walkFrom = from;
    walkTo = to;
  }

  /** Who is eligible in a column, and which columns of the same fast span agree with it. */
  function lookUpColumn(column: number, fast: number): void {
    const row = decision * names;
    let eligible = 0;
    let differing = 0;
    for (let x = 0; x < activeCount; x++) {
      const name = active[x]!;
      const gate = gates[row + name]!;
      if ((gate >>> column) & 1) {
        eligible |= 1 << name;
        differing |= ~gate;
      } else differing |= gate;
    }
    columnStamp[column] = stamp;
    columnEligible[column] = eligible;
    columnSame[column] = block.fastColumns[fast]! & ~differing;
  }

  /** Selects for every lane, each class of equal lanes once. */
  function rankRow(): void {
    const { fasts, fastColumns, wordTop, wordRepeat, capLanes, laneCap, caps } = block;
    const row = decision * names;
    const levelCount = caps.length + 1;
    for (let fast = 0; fast < fasts.length; fast++) {
      const all = fastColumns[fast]!;
      const scoreColumn = fast * names * stride + decision;
      let candidates = 0;
      let remaining = 0;
      for (let x = 0; x < activeCount; x++) {
        const name = active[x]!;
        const gate = gates[row + name]! & all;
        if (gate === 0) continue;
        remaining |= gate;
        const score = scores[scoreColumn + name * stride]!;
        let at = candidates++;
        for (; at > 0 && score > orderScores[at - 1]!; at--) {
          orderScores[at] = orderScores[at - 1]!;
          orderNames[at] = orderNames[at - 1]!;
          orderGates[at] = orderGates[at - 1]!;
        }
        orderScores[at] = score;
        orderNames[at] = name;
        orderGates[at] = gate;
      }
      const empty = all & ~remaining;
      if (empty !== 0) {
        const target = targetOf(0);
        for (let word = 0; word < words; word++) {
          targetLanes[target * words + word]! |=
            Math.imul(empty, wordRepeat[word]!) & capLanes[word * levelCount]!;
        }
      }
      while (remaining !== 0) {
        const column = 31 - Math.clz32(remaining);
        let differing = 0;
        let count = 0;
        for (let x = 0; x < candidates; x++) {
          const gate = orderGates[x]!;
          if ((gate >>> column) & 1) {
            pickable[count++] = orderNames[x]!;
            differing |= ~gate;
          } else differing |= gate;
        }
        const same = all & ~differing;
        remaining &= ~same;
        for (let word = 0; word < words; word++) {
          const top = wordTop[word]!;
          const columnLanes = Math.imul(same, wordRepeat[word]!);
          const lanesOfWord = capLanes[word * levelCount]! & columnLanes;
          let open = lanesOfWord;
          while (open !== 0) {
            // The lowest bit has the tightest cap of those left.
            const cap = laneCap[word * 32 + 31 - Math.clz32(open & -open)]!;
            let to = caps.length;
            let first = pickable[0]!;
            takenNames[0] = first;
            let set = 1 << first;
            let taken = 1;
            for (let x = 1; x < count && taken < top; x++) {
              first = pickable[x]!;
              let level = 0;
              for (let k = 0; k < taken; k++) {
                const pair = levels[pairColumn[first * names + takenNames[k]!]! + decision]!;
                if (pair > level) level = pair;
              }
              if (level <= cap) {
                set |= 1 << first;
                takenNames[taken++] = first;
              } else if (level < to) to = level;
            }
            const group = open & ~capLanes[word * levelCount + to]!;
            open &= ~group;
            targetLanes[targetOf(set) * words + word]! |= group;
          }
        }
      }
    }
  }

  function moveRanked(slot: number, earned: number, band: number): boolean {
    const lanesAt = slot * words;
    const odd = slotHeld[slot] !== slotPicked[slot];
    let stays = 0;
    for (let word = 0; word < words; word++) {
      const members = slotLanes[lanesAt + word]!;
      if (members === 0) continue;
      let staying = 0;
      for (let target = 0, left = members; left !== 0; target++) {
        const group = left & targetLanes[target * words + word]!;
        if (group === 0) continue;
        left &= ~group;
        if (!odd && targetPicked[target] === slotPicked[slot]) staying |= group;
        else if (staysInBand(slot, target, band)) staying |= group;
        else moveLanes(slot, target, word, group, earned);
      }
      slotLanes[lanesAt + word] = staying;
      stays |= staying;
    }
    return stays !== 0;
  }

  /** The row's target with these names, made when it is the first to ask. */
  function targetOf(set: number): number {
    let at = (Math.imul(set, 0x9e3779b1) >>> 0) >>> (32 - hashBits);
    while (hashStamp[at] === stamp) {
      const known = hashTarget[at]!;
      if (targetPicked[known] === set) return known;
      at = (at + 1) & (hashSize - 1);
    }
    const target = targets++;
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

  /** Inverse volatility or equal weights, cap and cash buffer: what is above the cap is shared out among the rest. */
  function weigh(target: number): void {
    if (targetWeighed[target] === 1) return;
    targetWeighed[target] = 1;
    const at = target * width;
    const dense = target * names;
    for (let x = 0; x < activeCount; x++) targetDense[dense + active[x]!] = 0;
    let count = 0;
    for (let left = targetPicked[target]!; left !== 0; left &= left - 1) {
      targetNames[at + count++] = 31 - Math.clz32(left & -left);
    }
    targetCount[target] = count;
    const { maxWeight } = block;
    for (let k = 0; k < count; k++) {
      targetWeights[at + k] = equalWeights ? 1 / count : steadiness[targetNames[at + k]! * stride + decision]!;
    }
    let left = block.budget;
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
        if (weight > 0 && (left * weight) / open > maxWeight) {
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
      for (let k = 0; k < above; k++) left -= maxWeight;
    }
    let held = 0;
    for (let k = 0; k < count; k++) {
      let weight = targetWeights[at + k]!;
      if (weight < 0) weight = maxWeight;
      targetWeights[at + k] = weight;
      const name = targetNames[at + k]!;
      targetDense[dense + name] = weight;
      if (weight > 0) held |= 1 << name;
    }
    targetHeld[target] = held;
  }

  /** Whether the names held are the same and no weight moves further than the band. */
  function staysInBand(slot: number, target: number, band: number): boolean {
    if (band <= 0) return false;
    weigh(target);
    return targetHeld[target] === slotHeld[slot] && !beyondBand(slot, target, band);
  }

  function beyondBand(slot: number, target: number, band: number): boolean {
    const from = slot * names;
    const to = target * names;
    for (let x = 0; x < activeCount; x++) {
      const name = active[x]!;
      const difference = targetDense[to + name]! - slotDense[from + name]!;
      if (difference > band + bandTolerance || -difference > band + bandTolerance) return true;
    }
    return false;
  }

  function priceChange(slot: number, target: number): void {
    const from = slot * names;
    const to = target * names;
    let cost = 0;
    let turnover = 0;
    for (let x = 0; x < activeCount; x++) {
      const name = active[x]!;
      const difference = Math.abs(targetDense[to + name]! - slotDense[from + name]!);
      cost += difference * unitCost[name * stride + traded]!;
      turnover += difference;
    }
    costOfChange = cost;
    turnoverOfChange = turnover;
  }

  /** Takes lanes from a position to the one that is made of the target on this row. */
  function moveLanes(slot: number, target: number, word: number, group: number, earned: number): void {
    const at = target * 4;
    if (stepFrom[target] !== slot) {
      stepFrom[target] = slot;
      weigh(target);
      priceChange(slot, target);
      const net = earned - costOfChange;
      const growth = 1 + net;
      const from = slot * 4;
      const g = slotGrowth[from]! * growth;
      let c = slotGrowth[from + 1]! * growth;
      if (c > 1) c = 1;
      stepGrowth[at] = g;
      stepGrowth[at + 1] = c;
      stepGrowth[at + 2] = g < slotGrowth[from + 2]! ? g : slotGrowth[from + 2]!;
      stepGrowth[at + 3] = c < slotGrowth[from + 3]! ? c : slotGrowth[from + 3]!;
      stepNet[2 * target] = net;
      stepNet[2 * target + 1] = turnoverOfChange;
    }
    let to = targetSlot[target]!;
    if (to < 0) to = openSlot(target);
    slotLanes[to * words + word]! |= group;
    const g = stepGrowth[at]!;
    const c = stepGrowth[at + 1]!;
    const lowestG = stepGrowth[at + 2]!;
    const lowestC = stepGrowth[at + 3]!;
    for (let left = group; left !== 0; left &= left - 1) {
      const lane = (word * 32 + 31 - Math.clz32(left & -left)) * laneSize;
      passOn(lane, g, c, lowestG, lowestC);
    }
    if (wide) {
      for (let left = group; left !== 0; left &= left - 1) {
        const lane = (word * 32 + 31 - Math.clz32(left & -left)) * sumSize;
        for (let k = 0; k < sumSize; k++) sums[lane + k]! += slotSums[slot * sumSize + k]!;
        addNet(sums, lane, stepNet[2 * target]!, stepNet[2 * target + 1]!);
      }
    }
  }

  function passOn(lane: number, g: number, c: number, lowestG: number, lowestC: number): void {
    const y = lanes[lane + 1]!;
    let lowest = lanes[lane + 2]!;
    const under = y * lowestG;
    if (lowestC < lowest) lowest = lowestC;
    if (under < lowest) lowest = under;
    const after = y * g;
    lanes[lane]! *= g;
    lanes[lane + 1] = after < c ? after : c;
    lanes[lane + 2] = lowest;
  }

  function openSlot(target: number): number {
    const slot = free[--freeCount]!;
    live[liveCount++] = slot;
    targetSlot[target] = slot;
    slotGrowth[slot * 4] = 1;
    slotGrowth[slot * 4 + 1] = 1;
    slotGrowth[slot * 4 + 2] = 1;
    slotGrowth[slot * 4 + 3] = 1;
    for (let word = 0; word < words; word++) slotLanes[slot * words + word] = 0;
    if (wide) slotSums.fill(0, slot * sumSize, (slot + 1) * sumSize);
    hold(slot, target);
    return slot;
  }

  /** A position takes over a target's names and weights. */
  function hold(slot: number, target: number): void {
    const count = targetCount[target]!;
    slotHeld[slot] = targetHeld[target]!;
    slotPicked[slot] = targetPicked[target]!;
    slotCount[slot] = count;
    const at = slot * width;
    const from = target * width;
    for (let k = 0; k < count; k++) {
      const name = targetNames[from + k]!;
      slotNames[at + k] = name;
      slotColumns[at + k] = name * stride;
      slotWeights[at + k] = targetWeights[from + k]!;
    }
    for (let k = count; k < 3; k++) {
      slotNames[at + k] = slotNames[at]!;
      slotColumns[at + k] = slotColumns[at]!;
      slotWeights[at + k] = 0;
    }
    slotPairs[slot * 3] = pairColumn[slotNames[at]! * names + slotNames[at + 1]!]!;
    slotPairs[slot * 3 + 1] = pairColumn[slotNames[at]! * names + slotNames[at + 2]!]!;
    slotPairs[slot * 3 + 2] = pairColumn[slotNames[at + 1]! * names + slotNames[at + 2]!]!;
    for (let x = 0; x < activeCount; x++) {
      const name = active[x]!;
      slotDense[slot * names + name] = targetDense[target * names + name]!;
    }
  }

  /** The row of the lanes that stay: what was earned, and what moving to new weights costs if the band lets them. */
  function settle(slot: number, earned: number, band: number): void {
    let net = earned;
    let turnover = 0;
    if (wanders[slotCount[slot]!] === 1 && slotHeld[slot] === slotPicked[slot]) {
      const target = targetOf(slotPicked[slot]!);
      weigh(target);
      if (band <= 0) {
        // All positions with these names hold the weights of the row before.
        if (stayKnown[target] === 0) {
          priceChange(slot, target);
          stayKnown[target] = 1;
          stayCost[2 * target] = costOfChange;
          stayCost[2 * target + 1] = turnoverOfChange;
        }
        net -= stayCost[2 * target]!;
        turnover = stayCost[2 * target + 1]!;
        hold(slot, target);
      } else if (targetHeld[target] !== slotHeld[slot] || beyondBand(slot, target, band)) {
        priceChange(slot, target);
        net -= costOfChange;
        turnover = turnoverOfChange;
        hold(slot, target);
      }
    }
    const growth = 1 + net;
    const at = slot * 4;
    const g = slotGrowth[at]! * growth;
    let c = slotGrowth[at + 1]! * growth;
    if (c > 1) c = 1;
    slotGrowth[at] = g;
    slotGrowth[at + 1] = c;
    if (g < slotGrowth[at + 2]!) slotGrowth[at + 2] = g;
    if (c < slotGrowth[at + 3]!) slotGrowth[at + 3] = c;
    if (wide) addNet(slotSums, slot * sumSize, net, turnover);
  }

  function addNet(into: Float64Array, at: number, net: number, turnover: number): void {
    into[at]! += net;
    into[at + 1]! += net * net;
    if (net > 0) into[at + 2]! += net;
    else if (net < 0) {
      into[at + 3]! -= net;
      into[at + 4]! += net * net;
    }
    into[at + 5]! += turnover;
    if (turnover > tradedAtLeast) into[at + 6]! += 1;
  }

  /** Passes a position's growth on to the lanes that are still in it at the end. */
  function close(slot: number): void {
    const at = slot * 4;
    for (let word = 0; word < words; word++) {
      for (let left = slotLanes[slot * words + word]!; left !== 0; left &= left - 1) {
        const lane = word * 32 + 31 - Math.clz32(left & -left);
        passOn(
          lane * laneSize,
          slotGrowth[at]!,
          slotGrowth[at + 1]!,
          slotGrowth[at + 2]!,
          slotGrowth[at + 3]!,
        );
        if (wide) for (let k = 0; k < sumSize; k++) sums[lane * sumSize + k]! += slotSums[slot * sumSize + k]!;
      }
    }
  }

  return { run, lanes, sums };
}
