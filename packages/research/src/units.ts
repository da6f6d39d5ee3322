import type { Panel } from "@pf/market";
import { createFeatures, type Extensions, type Features } from "@pf/selection";
import { RunsError, UnitError } from "./errors.js";
import { windowEvaluator } from "./evaluator.js";
import type { Fold } from "./folds.js";
import { type GridPlan, planGrid } from "./grid.js";
import { bestPosition, orNull } from "./objective.js";
import { rowOrder } from "./orders.js";
import { permutePanel, rowPatterns } from "./permutePanel.js";
import type { GridEvaluator } from "./plainEvaluator.js";
import type { Study } from "./study.js";
import { type FoldResult, type FoldRules, runFold, stitchedObjective } from "./walkForward.js";

/** One fold of a walk-forward. */
export interface FoldUnit {
  readonly kind: "fold";
  readonly fold: Fold;
}

/** Some permutation runs of one train window. The part that starts with run 0 scores the real window as well. */
export interface PermutationUnit {
  readonly kind: "permutation";
  readonly fold: Fold;
  readonly seed: number;
  readonly firstRun: number;
  readonly runs: number;
}

/** Some runs of the walk-forward permutation: each shuffles what follows the first train window and walks forward. */
export interface ProcedureUnit {
  readonly kind: "procedure";
  readonly folds: readonly Fold[];
  readonly seed: number;
  readonly firstRun: number;
  readonly runs: number;
}

/** A piece of work as plain data, complete but for the panel and the study: it can go to any thread or machine. */
export type ResearchUnit = FoldUnit | PermutationUnit | ProcedureUnit;

/** Scores of consecutive runs; null where undefined. Plain data. */
export interface RunScores {
  readonly firstRun: number;
  readonly permuted: readonly (number | null)[];
  /** The unpermuted score; only in the part that starts with run 0. */
  readonly real?: number | null;
}

export interface PermutationPart extends RunScores {
  /** Index of the fold whose train window was shuffled. */
  readonly window: number;
}

export type ResultOf<U extends ResearchUnit> = U extends FoldUnit
  ? FoldResult
  : U extends PermutationUnit
    ? PermutationPart
    : RunScores;

export interface RunOptions {
  /** Runs, at least 1. */
  readonly runs: number;
  /** A whole number from 0 to 4294967295; the same seed gives the same bytes. */
  readonly seed: number;
  /**
   * Runs a unit. Any number gives the same results.
   *
   * @defaultValue 25
   */
  readonly runsPerUnit?: number;
}

export function planFolds(folds: readonly Fold[]): readonly FoldUnit[] {
  return folds.map((fold) => ({ kind: "fold", fold }));
}

/**
 * The runs of a permutation test, window by window.
 *
 * @param folds - whose train windows to shuffle; a subset gives the same numbers as it has in the whole
 * @throws RunsError for less than one run or a seed outside 32 bits
 */
export function planPermutation(folds: readonly Fold[], options: RunOptions): readonly PermutationUnit[] {
  const parts = chunks(options, 25);
  return folds.flatMap((fold) =>
    parts.map((chunk) => ({
      kind: "permutation" as const,
      fold,
      seed: options.seed,
      ...chunk,
    })),
  );
}

/**
 * The runs of a walk-forward permutation.
 *
 * @param folds - all folds of the walk-forward
 * @throws RunsError for less than one run or a seed outside 32 bits
 */
export function planProcedure(folds: readonly Fold[], options: RunOptions): readonly ProcedureUnit[] {
  return chunks(options, 1).map((chunk) => ({
    kind: "procedure" as const,
    folds,
    seed: options.seed,
    ...chunk,
  }));
}

function chunks(
  { runs, seed, runsPerUnit }: RunOptions,
  usual: number,
): { firstRun: number; runs: number }[] {
  const size = runsPerUnit ?? usual;
  if (!(Number.isInteger(runs) && runs >= 1))
    throw new RunsError("the number of runs", runs, "a whole number of at least 1");
  if (!(Number.isInteger(size) && size >= 1))
    throw new RunsError("runsPerUnit", size, "a whole number of at least 1");
  // The generator has 32 bits of seed: a larger one would be another seed's twin.
  if (!(Number.isInteger(seed) && seed >= 0 && seed <= 0xffff_ffff)) {
    throw new RunsError("the seed", seed, "a whole number from 0 to 4294967295");
  }
  return Array.from({ length: Math.ceil(runs / size) }, (_, at) => ({
    firstRun: at * size,
    runs: Math.min(size, runs - at * size),
  }));
}

/** A unit's name, unique within a plan and the same whenever it is planned again: what a run is continued by. */
export function unitName(unit: ResearchUnit): string {
  if (unit.kind === "fold") return `fold ${unit.fold.index}`;
  const runs = `runs ${unit.firstRun} to ${unit.firstRun + unit.runs - 1}`;
  return unit.kind === "permutation"
    ? `window ${unit.fold.index}, ${runs}`
    : `walk-forward permutation, ${runs}`;
}

/** What units are run on. It remembers the last window, so that units of one window are best run in a row. */
export interface Research {
  readonly panel: Panel;
  readonly study: Study;
  readonly extensions: Extensions;
  readonly plan: GridPlan;
  /** Columns of the panel, computed as they are asked for: what windows that overlap have in common. */
  readonly features: Features;
  /** Rules of the folds that ran here: explaining their decisions asks them again. */
  readonly rules: FoldRules;
  /** Scores the grid on the rows `from..to`, `to` excluded. */
  window(from: number, to: number): WindowEvaluator;
}

export interface WindowEvaluator extends GridEvaluator {
  /** The groups in which the window's rows may be exchanged. */
  readonly patterns: Int32Array;
}

/**
 * A panel and a study, made ready for units of work.
 *
 * @param extensions - scores, weightings and overlays the study's options name beside the built-in ones
 * @throws GridError when the grid cannot be searched
 */
export function prepareResearch(panel: Panel, study: Study, extensions: Extensions = {}): Research {
  const plan = planGrid(study, extensions);
  let last: { from: number; to: number; evaluator: WindowEvaluator } | undefined;
  return {
    panel,
    study,
    extensions,
    plan,
    features: createFeatures(panel),
    rules: new Map(),
    window(from, to) {
      if (last?.from === from && last.to === to) return last.evaluator;
      const { evaluate } = windowEvaluator({ of: panel, from }, to, study, extensions, plan);
      let patterns: Int32Array | undefined;
      const evaluator: WindowEvaluator = {
        evaluate,
        get patterns() {
          patterns ??= rowPatterns(panel.between(from, to));
          return patterns;
        },
      };
      last = { from, to, evaluator };
      return evaluator;
    },
  };
}

/**
 * Runs one unit. The result depends on the unit, the panel and the study alone, never on what was run before, beside it
 * or where.
 *
 * @throws UnitError naming the unit, with what went wrong as its cause
 */
export function runUnit<U extends ResearchUnit>(unit: U, research: Research): ResultOf<U> {
  try {
    return dispatch(unit, research) as ResultOf<U>;
  } catch (cause) {
    throw new UnitError(unitName(unit), { cause });
  }
}

function dispatch(unit: ResearchUnit, research: Research): ResultOf<ResearchUnit> {
  switch (unit.kind) {
    case "fold":
      return chooseAndApply(unit.fold, research, research.rules);
    case "permutation":
      return permuteWindow(unit, research);
    case "procedure":
      return permuteProcedure(unit, research);
  }
}

function chooseAndApply(fold: Fold, research: Research, rules?: FoldRules): FoldResult {
  const evaluator = research.window(fold.trainFrom, fold.oosFrom);
  return runFold(research.features, fold, research.study, research.plan, evaluator, rules);
}

function permuteWindow({ fold, seed, firstRun, runs }: PermutationUnit, research: Research): PermutationPart {
  const { objective } = research.study;
  const window = research.window(fold.trainFrom, fold.oosFrom);
  const best = (order?: Int32Array) => {
    const objectives = window.evaluate(order);
    return orNull(objectives[bestPosition(objective, objectives)]!);
  };
  const order = new Int32Array(fold.oosFrom - fold.trainFrom);
  return {
    window: fold.index,
    firstRun,
    permuted: Array.from({ length: runs }, (_, at) =>
      best(rowOrder(window.patterns, seed, fold.index, firstRun + at, order)),
    ),
    ...(firstRun === 0 ? { real: best() } : {}),
  };
}

/** The stream of the walk-forward permutation, where window permutations have their fold: no fold has this number. */
const procedureStream = 0xffff_ffff;

function permuteProcedure({ folds, seed, firstRun, runs }: ProcedureUnit, research: Research): RunScores {
  const { panel, study, extensions } = research;
  // Everything up to the first train window's end is known when the procedure starts, and stays.
  const patterns = rowPatterns(panel, folds[0]!.oosFrom);
  const walk = (on: Research) =>
    orNull(
      stitchedObjective(
        on.panel,
        folds,
        folds.map((fold) => chooseAndApply(fold, on)),
        study,
      ),
    );
  return {
    firstRun,
    permuted: Array.from({ length: runs }, (_, at) => {
      const order = rowOrder(patterns, seed, procedureStream, firstRun + at);
      return walk(prepareResearch(permutePanel(panel, order), study, extensions));
    }),
    ...(firstRun === 0 ? { real: walk(research) } : {}),
  };
}
