import type { Strategy, StrategyOptions } from "@pf/selection";

/**
 * Part of a grid that one pass over the rows can serve: all combinations of `ema_fast`, `ema_slow`, `top_n` and
 * `corr_cap` under equal values of every other key.
 *
 * Its portfolios are bits of words, so that a question about all of them is a few operations on integers. A *column* is
 * a pair (ema_fast, ema_slow): whether a symbol passes its gates is one bit a column. A word belongs to one `top_n`; it
 * repeats the columns once for each correlation cap, as many caps as fit. `top_n` 1 never looks at a correlation, so
 * its portfolios of all caps are one.
 */
export interface Block {
  readonly atrWindow: number;
  readonly corrWindow: number;
  readonly volWindow: number;
  readonly minScore: number;
  readonly maxWeight: number;
  readonly budget: number;
  readonly band: number;
  /** Distinct spans, in grid order. */
  readonly fasts: readonly number[];
  readonly slows: readonly number[];
  /** Bit of the column (fast f, slow s) at `f * slows.length + s`, 0 where the combination is impossible. */
  readonly columnBit: Int32Array;
  readonly columns: number;
  /** Index into `fasts` of a column, and all columns of a fast span as bits. */
  readonly columnFast: Int32Array;
  readonly fastColumns: Int32Array;
  /** Own bars a symbol needs before a column may hold it. */
  readonly columnWarmUp: Int32Array;
  /** Ascending. */
  readonly caps: Float64Array;
  readonly words: number;
  /** `top_n` of a word; words are in ascending order of it. */
  readonly wordTop: Int32Array;
  /** Multiplying bits of columns by this repeats them for each cap of the word. */
  readonly wordRepeat: Int32Array;
  /** At `word * (caps + 1) + level`: the lanes whose cap admits a pair that `level` of the caps refuse. */
  readonly capLanes: Int32Array;
  /** At `word * 32 + bit`: the column and the cap of a lane. */
  readonly laneColumn: Int32Array;
  readonly laneCap: Int32Array;
  /** First word whose `top_n` exceeds a number of names, for 0 to the largest `top_n`. */
  readonly firstRoomy: Int32Array;
}

/** Where the grid's points ended up: block and lane (`word * 32 + bit`) of each, -1 where the point is impossible. */
export interface BlockPlan {
  readonly blocks: readonly Block[];
  readonly pointBlock: Int32Array;
  readonly pointLane: Int32Array;
}

/** Caps of a block: how many of them refuse a pair is a byte. */
const mostCaps = 255;

/** Bits of a word that are used: the sign stays clear, so that words compare and multiply as plain integers. */
const wordBits = 31;

/**
 * Splits a grid into blocks.
 *
 * @param points - the strategy of each point in grid order; `undefined` where the combination is impossible
 */
export function planBlocks(points: readonly (Strategy | undefined)[]): BlockPlan {
  const groups = new Map<string, number[]>();
  for (const [at, strategy] of points.entries()) {
    if (!strategy) continue;
    const key = outerKey(strategy.options);
    const group = groups.get(key);
    if (group) group.push(at);
    else groups.set(key, [at]);
  }
  const blocks: Block[] = [];
  const pointBlock = new Int32Array(points.length).fill(-1);
  const pointLane = new Int32Array(points.length).fill(-1);
  const optionsAt = (at: number) => points[at]!.options;
  for (const group of groups.values()) {
    // A word must hold every column of its block at least once.
    const pairs = slices(distinct(group.map((at) => pairKey(optionsAt(at)))), wordBits);
    const caps = slices(distinct(group.map((at) => optionsAt(at).selection.corrCap)), mostCaps);
    for (const [ofPairs, ofCaps] of pairs.flatMap((one) => caps.map((other) => [one, other] as const))) {
      const members = group.filter(
        (at) => ofPairs.has(pairKey(optionsAt(at))) && ofCaps.has(optionsAt(at).selection.corrCap),
      );
      if (members.length === 0) continue;
      const { block, laneOf } = blockOf(members.map((at) => points[at]!));
      for (const at of members) {
        pointBlock[at] = blocks.length;
        pointLane[at] = laneOf(optionsAt(at));
      }
      blocks.push(block);
    }
  }
  return { blocks, pointBlock, pointLane };
}

function outerKey({ features, selection, weights, rebalance }: StrategyOptions): string {
  return [
    features.atrWindow,
    selection.corrWindow,
    selection.minScore,
    weights.volWindow,
    weights.maxWeightPerAsset,
    weights.cashBuffer,
    rebalance.minWeightChange,
  ].join("/");
}

function pairKey({ features }: StrategyOptions): string {
  return `${features.emaFast}/${features.emaSlow}`;
}

function blockOf(strategies: readonly Strategy[]): {
  readonly block: Block;
  readonly laneOf: (options: StrategyOptions) => number;
} {
  const points = strategies.map((strategy) => strategy.options);
  const { features, selection, weights, rebalance } = points[0]!;
  const fasts = distinct(points.map((one) => one.features.emaFast));
  const slows = distinct(points.map((one) => one.features.emaSlow));
  const tops = distinct(points.map((one) => one.selection.topN)).sort((a, b) => a - b);
  const caps = Float64Array.from(distinct(points.map((one) => one.selection.corrCap))).sort();
  const warmUps = new Map(strategies.map(({ options, warmUp }) => [pairKey(options), warmUp]));

  const columnBit = new Int32Array(fasts.length * slows.length);
  const columnOf = new Map<string, number>();
  const columnFast = new Int32Array(warmUps.size);
  const fastColumns = new Int32Array(fasts.length);
  const columnWarmUp = new Int32Array(warmUps.size);
  for (const [f, fast] of fasts.entries()) {
    for (const [s, slow] of slows.entries()) {
      const key = `${fast}/${slow}`;
      const warmUp = warmUps.get(key);
      if (warmUp === undefined) continue;
      const column = columnOf.size;
      columnOf.set(key, column);
      columnBit[f * slows.length + s] = 1 << column;
      columnFast[column] = f;
      fastColumns[f]! |= 1 << column;
      columnWarmUp[column] = warmUp;
    }
  }

  const columns = columnOf.size;
  const capsAWord = Math.floor(wordBits / columns);
  const layout = tops.flatMap((top) => {
    if (top === 1) return [{ top, firstCap: 0, count: 1 }];
    return Array.from({ length: Math.ceil(caps.length / capsAWord) }, (_, k) => ({
      top,
      firstCap: k * capsAWord,
      count: Math.min(capsAWord, caps.length - k * capsAWord),
    }));
  });
  const levels = caps.length + 1;
  const capLanes = new Int32Array(layout.length * levels);
  const laneColumn = new Int32Array(layout.length * 32);
  const laneCap = new Int32Array(layout.length * 32);
  for (const [word, { top, firstCap, count }] of layout.entries()) {
    for (let k = 0; k < count; k++) {
      for (let column = 0; column < columns; column++) {
        const bit = k * columns + column;
        laneColumn[word * 32 + bit] = column;
        laneCap[word * 32 + bit] = firstCap + k;
        for (let level = 0; level < levels; level++) {
          const admitted = top === 1 ? level < caps.length : firstCap + k >= level;
          if (admitted) capLanes[word * levels + level]! |= 1 << bit;
        }
      }
    }
  }
  const largest = tops.at(-1)!;
  const block: Block = {
    atrWindow: features.atrWindow,
    corrWindow: selection.corrWindow,
    volWindow: weights.volWindow,
    minScore: selection.minScore,
    maxWeight: weights.maxWeightPerAsset,
    budget: 1 - weights.cashBuffer,
    band: rebalance.minWeightChange,
    fasts,
    slows,
    columnBit,
    columns,
    columnFast,
    fastColumns,
    columnWarmUp,
    caps,
    words: layout.length,
    wordTop: Int32Array.from(layout, (word) => word.top),
    wordRepeat: Int32Array.from(layout, ({ count }) => {
      let repeat = 0;
      for (let k = 0; k < count; k++) repeat |= 1 << (k * columns);
      return repeat;
    }),
    capLanes,
    laneColumn,
    laneCap,
    firstRoomy: Int32Array.from({ length: largest + 1 }, (_, names) => {
      const first = layout.findIndex((word) => word.top > names);
      return first < 0 ? layout.length : first;
    }),
  };
  const laneOf = (options: StrategyOptions) => {
    const { topN, corrCap } = options.selection;
    const cap = topN === 1 ? 0 : caps.indexOf(corrCap);
    const word = layout.findIndex(
      ({ top, firstCap, count }) => top === topN && cap >= firstCap && cap < firstCap + count,
    );
    return word * 32 + (cap - layout[word]!.firstCap) * columns + columnOf.get(pairKey(options))!;
  };
  return { block, laneOf };
}

function slices<T>(values: readonly T[], size: number): ReadonlySet<T>[] {
  return Array.from(
    { length: Math.ceil(values.length / size) },
    (_, at) => new Set(values.slice(at * size, (at + 1) * size)),
  );
}

function distinct<T>(values: readonly T[]): T[] {
  return [...new Set(values)];
}
