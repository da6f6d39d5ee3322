import type { CostModel, SharedTargets } from "@pf/backtest";
import type { Panel } from "@pf/market";
import { type GridPlan, planGrid } from "../grid.js";
import { type GridEvaluator, plainEvaluator } from "../plainEvaluator.js";
import { type Objective, periodsPerYearOf, type Study } from "../study.js";
import { type Block, type BlockPlan, planBlocks } from "./blocks.js";
import type { BookRoom } from "./book.js";
import { createProducts, type Products } from "./correlations.js";
import { createGates, type Gates, type MacdSpans } from "./gates.js";
import { createHoldingsRecorder } from "./holdings.js";
import { allocate, fits, type Memory, type Room } from "./memory.js";
import { createMoments, type Moments } from "./moments.js";
import { objectiveOf } from "./objectives.js";
import { createPaths, type Paths } from "./paths.js";
import { createRows, type Rows } from "./rows.js";
import type { RowTask } from "./rowTask.js";
import type { RowTrace } from "./rowTrace.js";
import { mostBits } from "./sets.js";
import { firstLane } from "./trace.js";
import { type PanelMoves, panelMoves, type WindowFacts, windowFacts } from "./window.js";

/** Evaluates a whole grid on one train window in one pass over its rows. */
export interface GridKernel {
  /**
   * The objective of every grid point on the window, or on the window with its rows in another order.
   *
   * @param order - source row of each row, `order[0] = 0`, rows exchanged within the groups of {@link rowPatterns};
   *   the window as it was without
   * @returns one value a point in grid order, `NaN` where undefined; the next call writes into the same array
   */
  evaluate(order?: Int32Array): Float64Array;
}

/** For tests, which compare a kernel with the plain path, decision by decision. */
export interface KernelTrace {
  /** Treat the symbols as lists although they are few. */
  readonly lists?: boolean;
  /**
   * @param row - the row that decided; rows are reported from the first on which anything may be held
   * @param names - positions of the symbols selected, in no particular order; only valid during the call, as the weights
   * @param weights - their targets, 0 for one that rounding has lost
   */
  decided(point: number, row: number, names: Int32Array, weights: Float64Array): void;
}

/**
 * The fused kernel for a study on a train window.
 *
 * It gives the numbers of the general path: the same selections, objectives equal to rounding. It serves any grid, both
 * policies, any `top_n`, caps, bands and lag, the MACD gate and any number of symbols. It does not serve another score
 * than `trend`, other weightings than `inv_vol` and `equal`, a volatility target, overlays, and registered extensions.
 *
 * @param window - the rows to train on; every indicator starts on its first
 * @param plan - the study's grid, where the caller has made it already
 * @returns `undefined` when the study is outside what it serves: the general path is then used
 */
export function createGridKernel(
  window: Panel,
  study: Study,
  plan: GridPlan = planGrid(study),
): GridKernel | undefined {
  return kernelOf(window, study, plan);
}

/** What the windows of a panel have in common. */
export interface Stretch {
  readonly of: Panel;
  /** The panel's row that is the window's first. */
  readonly from: number;
}

/** {@link createGridKernel} for a window that is one of many of the same panel. */
export function createWindowKernel(
  window: Panel,
  study: Study,
  plan: GridPlan,
  stretch: Stretch,
): GridKernel | undefined {
  return kernelOf(window, study, plan, stretch);
}

/** {@link createGridKernel} that tells every decision. */
export function traceGridKernel(
  window: Panel,
  study: Study,
  plan: GridPlan,
  trace: KernelTrace,
): GridKernel | undefined {
  const { pointBlock, pointLane } = blocksOf(plan);
  let running = 0; // block that is being run
  let told: { row: number; names: Int32Array; weights: Float64Array };
  return kernelOf(window, study, plan, undefined, {
    lists: trace.lists ?? false,
    begin(block) {
      running = block;
    },
    holding(row, _, names, weights, from, end) {
      told = { row, names: names.subarray(from, end), weights: weights.subarray(from, end) };
    },
    lanes(word, members) {
      for (let left = members; left !== 0; left &= left - 1) {
        const lane = firstLane(word, left);
        for (let point = 0; point < plan.strategies.length; point++) {
          if (pointBlock[point] === running && pointLane[point] === lane) {
            trace.decided(point, told.row, told.names, told.weights);
          }
        }
      }
    },
  });
}

/** The targets of a grid's points. */
export interface GridTargets {
  /** Points that cannot differ share a run. */
  readonly targets: SharedTargets;
  /** The run of each point in grid order, -1 for an impossible combination. */
  readonly runOf: Int32Array;
}

/**
 * The targets of every grid point on every row of a window, as the kernel decides them: what {@link createGridKernel}
 * keeps to itself. With lag 2 the last row, whose decision nobody trades, is empty.
 *
 * @returns `undefined` when the study is outside what the kernel serves
 */
export function gridTargets(
  window: Panel,
  study: Study,
  plan: GridPlan = planGrid(study),
): GridTargets | undefined {
  const recorder = createHoldingsRecorder(window, blocksOf(plan));
  const kernel = kernelOf(window, study, plan, undefined, recorder);
  if (!kernel) return undefined;
  kernel.evaluate();
  return { targets: recorder.targets(), runOf: recorder.runOf };
}

/** What is told of every lane of every block. */
interface LaneTrace extends RowTrace {
  readonly lists?: boolean;
  begin(block: number): void;
}

/** Of many windows' grids there is one plan, and one split of it. */
const knownBlocks = new WeakMap<GridPlan["strategies"], BlockPlan>();

function blocksOf({ strategies }: GridPlan): BlockPlan {
  const known = knownBlocks.get(strategies) ?? planBlocks(strategies);
  knownBlocks.set(strategies, known);
  return known;
}

const knownMoves = new WeakMap<Panel, PanelMoves>();

function movesOf(panel: Panel): PanelMoves {
  const known = knownMoves.get(panel) ?? panelMoves(panel);
  knownMoves.set(panel, known);
  return known;
}

function kernelOf(
  window: Panel,
  study: Study,
  plan: GridPlan,
  { of, from }: Stretch = { of: window, from: 0 },
  trace?: LaneTrace,
): GridKernel | undefined {
  const { options } = study;
  const served =
    (options.selection.score ?? "trend") === "trend" &&
    (options.weights.method === "inv_vol" || options.weights.method === "equal") &&
    (options.weights.volTarget ?? null) === null &&
    (options.overlays ?? []).length === 0;
  if (!served) return undefined;
  const { macd } = options.features;
  const { blocks, pointBlock, pointLane } = blocksOf(plan);

  const facts = windowFacts(window, movesOf(of), from);
  const year = periodsPerYearOf(study);
  const objectives = new Float64Array(plan.strategies.length).fill(Number.NaN);
  const job: Job = {
    facts,
    stride: strideOf(facts.rows),
    longest: strideOf(of.sessions.length),
    trace,
    macd: macd.enabled ? macd : undefined,
    costs: study.costs,
    lag: study.lag,
    keep: options.selection.incumbents === "keep",
    equalWeights: options.weights.method === "equal",
    objective: study.objective,
  };
  let plain: GridEvaluator | undefined;
  return {
    evaluate(order) {
      const bench = workbenchFor(job, blocks, trace?.lists);
      bench.load(job, order);
      let isRuined = false;
      for (let at = 0; at < blocks.length; at++) {
        trace?.begin(at);
        bench.run(job, blocks[at]!, order !== undefined);
        for (let point = 0; point < objectives.length; point++) {
          if (pointBlock[point] === at) {
            const lane = pointLane[point]!;
            objectives[point] = objectiveOf(study.objective, bench.rows.lanes, lane, facts.rows, year);
            isRuined ||= !(bench.rows.lanes.lowest[lane]! > 0);
          }
        }
      }
      // Costs beyond all equity, as a commission a share brings about at prices near 0: lanes count on equity above 0.
      if (!isRuined || trace) return objectives;
      plain ??= plainEvaluator(window, study, {}, plan);
      return plain.evaluate(order);
    },
  };
}

/** Neighbouring columns must not start at the same place of the cache's sets, where they would push each other out. */
function strideOf(rows: number): number {
  return (Math.ceil(rows / 8) | 1) * 8;
}

/** What all blocks of a kernel share. */
interface Job {
  readonly facts: WindowFacts;
  readonly stride: number;
  /** The stride of all rows of the panel: the whole of it may be evaluated too, and should find room. */
  readonly longest: number;
  readonly trace: RowTrace | undefined;
  readonly macd: MacdSpans | undefined;
  readonly costs: CostModel;
  readonly lag: 1 | 2;
  readonly keep: boolean;
  readonly equalWeights: boolean;
  readonly objective: Objective;
}

/** The passes with their memory. A thread has one and evaluates one window at a time in it. */
interface Workbench {
  readonly memory: Memory;
  readonly rows: Rows;
  readonly books: BookRoom;
  load(job: Job, order: Int32Array | undefined): void;
  run(job: Job, block: Block, permuted: boolean): void;
}

const workbenches: { bits?: Workbench; lists?: Workbench } = {};

/**
 * The thread's workbench, of which there is one for symbols as bits and one for symbols as lists. One with more room
 * replaces it when a window or a grid is larger than any before; that is right but slower, because the engine compiles
 * the passes for fixed arrays only as long as they are made once.
 */
function workbenchFor({ facts, longest }: Job, blocks: readonly Block[], asLists = false): Workbench {
  const lists = facts.names > mostBits || asLists;
  const fasts = Math.max(...blocks.map((block) => block.fasts.length));
  const room: Room = { stride: longest, names: facts.names, fasts, pairs: !lists };
  const books: BookRoom = {
    words: Math.max(...blocks.map((block) => block.words)),
    names: facts.names,
    places: lists ? Math.min(facts.names, Math.max(...blocks.map(largestTop))) : facts.names,
    lists,
    levels: Math.max(...blocks.map((block) => block.caps.length + 1)),
    fasts,
  };
  const kind = lists ? "lists" : "bits";
  let workbench = workbenches[kind];
  if (!workbench || !fits(workbench.memory, room) || !holds(workbench.books, books)) {
    workbench = createWorkbench(allocate(room), withSlack(books));
    workbenches[kind] = workbench;
  }
  return workbench;
}

function largestTop({ words, wordTop }: Block): number {
  return wordTop[words - 1]!;
}

function holds(room: BookRoom, needed: BookRoom): boolean {
  return (
    room.words >= needed.words &&
    room.names >= needed.names &&
    room.places >= needed.places &&
    room.levels >= needed.levels &&
    room.fasts >= needed.fasts
  );
}

/** So much that the usual studies follow each other in one workbench. */
function withSlack(needed: BookRoom): BookRoom {
  return {
    words: Math.max(needed.words, 6),
    names: Math.max(needed.names, 12),
    places: Math.max(needed.places, 12),
    lists: needed.lists,
    levels: Math.max(needed.levels, 8),
    fasts: Math.max(needed.fasts, 4),
  };
}

function createWorkbench(memory: Memory, books: BookRoom): Workbench {
  const paths: Paths = createPaths(memory);
  const gates: Gates = createGates(memory);
  const moments: Moments = createMoments(memory);
  const products: Products = createProducts(memory);
  const rows: Rows = createRows(memory, books);
  const active = new Int32Array(books.names);
  const ready = new Int32Array(books.names);
  const dynamic = new Uint8Array(books.names);
  const others = new Int32Array(3);
  const columns = new Int32Array(3);
  let loadedFacts: WindowFacts | undefined;
  let loadedBlock: Block | undefined;
  let activeCount = 0;

  function load({ facts, stride }: Job, order: Int32Array | undefined): void {
    if (order) memory.order.set(order);
    if (loadedFacts === facts) return;
    loadedFacts = facts;
    loadedBlock = undefined;
    for (let i = 0; i < facts.names; i++) {
      const from = i * facts.stride;
      const to = from + facts.rows;
      memory.growth.set(facts.growth.subarray(from, to), i * stride);
      memory.span.set(facts.span.subarray(from, to), i * stride);
    }
  }

  /** What the order of the rows does not change: who can be held at all, and from when on. */
  function loadBlock({ facts, stride, macd }: Job, block: Block): void {
    if (loadedBlock === block) return;
    loadedBlock = block;
    activeCount = 0;
    for (let i = 0; i < facts.names; i++) {
      const base = i * stride;
      ready[i] = gates.allowStatic(facts, block, i, base);
      if (ready[i] === facts.rows) continue;
      active[activeCount++] = i;
      dynamic[i] = macd !== undefined || facts.mostEqual[i]! >= block.corrWindow ? 1 : 0;
      memory.change.fill(0, base, base + facts.first[i]!);
    }
  }

  function run(job: Job, block: Block, permuted: boolean): void {
    const { facts, stride, macd, costs, lag } = job;
    loadBlock(job, block);
    const end = facts.rows - (lag - 1);
    let firstDecision = facts.rows;
    for (let x = 0; x < activeCount; x++) firstDecision = Math.min(firstDecision, ready[active[x]!]!);
    const from = firstDecision - block.corrWindow + 1;
    for (let x = 0; x < activeCount; x++) {
      const i = active[x]!;
      const base = i * stride;
      if (permuted) paths.permuted(facts, i, base, block.atrWindow);
      else paths.real(facts, i, base, block.atrWindow);
      paths.costs(base, ready[i]!, facts.rows, costs.commissionPerShare, costs.slippageBps / 10_000);
      if (dynamic[i] === 1) {
        gates.allowStatic(facts, block, i, base);
        gates.allowOnPath(facts, block, i, base, macd, facts.mostEqual[i]! >= block.corrWindow);
      }
      gates.run(facts, block, i, base, stride, ready[i]!);
      moments.run(facts, i, base, from, ready[i]!, end, block.corrWindow, block.volWindow);
    }
    if (!books.lists && largestTop(block) > 1) multiply(job, from, end);
    const task: RowTask = {
      block,
      rows: facts.rows,
      names: facts.names,
      stride,
      active,
      activeCount,
      firstDecision,
      lag,
      keep: job.keep,
      equalWeights: job.equalWeights,
      withSums: needsSums(job.objective),
      trace: job.trace,
    };
    rows.run(task);
  }

  /** Products of all pairs of symbols that may be held at some time. */
  function multiply({ facts, stride }: Job, from: number, end: number): void {
    for (let x = 0; x < activeCount; x++) {
      const i = active[x]!;
      let count = 0;
      for (let y = x + 1; y < activeCount; y++) {
        const j = active[y]!;
        others[count] = j * stride;
        columns[count++] = stride * (i * facts.names - (i * (i + 1)) / 2 + j - i - 1);
        if (count < 3 && y + 1 < activeCount) continue;
        products.run(i * stride, others, columns, count, from, end);
        count = 0;
      }
    }
  }

  return { memory, rows, books, load, run };
}

/** Final equity and drawdown come by themselves; the other metrics need sums along the way. */
function needsSums(objective: Objective): boolean {
  return (
    objective !== "Calmar" &&
    objective !== "CAGR" &&
    objective !== "MaxDD" &&
    objective !== "FinalEquity" &&
    objective !== "Bars"
  );
}
