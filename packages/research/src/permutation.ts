import type { SessionDate } from "@pf/market";
import { LivenessError, MergeError } from "./errors.js";
import type { Fold } from "./folds.js";
import { isMinimised } from "./objective.js";
import { pValue } from "./pValue.js";
import type { Objective } from "./study.js";
import type { PermutationPart, RunScores } from "./units.js";

/** A real score among the scores of shuffled markets. */
export interface PermutationOutcome {
  /** Null where undefined. */
  readonly real: number | null;
  /** Share of runs at least as good; null where the real score is undefined or the runs do not vary. */
  readonly p: number | null;
  /** (count + 1) / (runs + 1) */
  readonly pPlusOne: number | null;
  /** One score a run, in the order of the runs; null where undefined. */
  readonly permuted: readonly (number | null)[];
  /** Runs without a score: they rank below everything and never count as at least as good. */
  readonly undefinedRuns: number;
}

export interface PermutationWindow extends PermutationOutcome {
  /** Index of the fold. */
  readonly window: number;
  readonly trainStart: SessionDate;
  readonly trainEnd: SessionDate;
  /** Whether the runs vary, as far as their number can tell; a window that is not alive has no p-value. */
  readonly alive: boolean;
}

export interface PermutationTest {
  readonly objective: Objective;
  readonly runs: number;
  readonly windows: readonly PermutationWindow[];
  /**
   * The mean over windows of the best objective, run by run. Windows whose real score is undefined, or whose runs do not
   * vary, are left out of every mean; a run without a score in any of the others has none. Where that leaves no runs that vary,
   * there is no p-value.
   */
  readonly overall: PermutationOutcome & { readonly windows: number };
}

/**
 * Puts the parts of a permutation test together, whatever their order and size.
 *
 * @param folds - the windows that were planned, in order
 * @throws MergeError when parts are missing, overlap, or belong to another plan
 * @throws LivenessError when in no window the permuted scores vary: then nothing was tested
 */
export function mergePermutation(
  objective: Objective,
  folds: readonly Fold[],
  runs: number,
  parts: readonly PermutationPart[],
): PermutationTest {
  const stray = parts.find((part) => !folds.some((fold) => fold.index === part.window));
  if (stray) throw new MergeError(`window ${stray.window} was not planned`);
  const windows = folds.map((fold): PermutationWindow => {
    const { real, permuted } = joinRuns(
      `window ${fold.index}`,
      runs,
      parts.filter((part) => part.window === fold.index),
    );
    const alive = varies(permuted);
    return {
      window: fold.index,
      trainStart: fold.trainStart,
      trainEnd: fold.trainEnd,
      ...outcome(objective, real, permuted, alive),
      alive,
    };
  });
  requireLife(windows, runs);

  const counted = windows.filter((window) => window.alive && window.real !== null);
  const permuted = Array.from({ length: runs }, (_, run) =>
    meanOf(counted.map((window) => window.permuted[run]!)),
  );
  return {
    objective,
    runs,
    windows,
    overall: {
      ...outcome(objective, meanOf(counted.map((window) => window.real)), permuted, varies(permuted)),
      windows: counted.length,
    },
  };
}

/**
 * Puts the parts of a walk-forward permutation together: the p-value of the whole procedure, choosing included.
 *
 * @throws MergeError when parts are missing or overlap
 * @throws LivenessError when the permuted scores do not vary
 */
export function mergeProcedure(
  objective: Objective,
  runs: number,
  parts: readonly RunScores[],
): PermutationOutcome & { readonly objective: Objective; readonly runs: number } {
  const { real, permuted } = joinRuns("the walk-forward permutation", runs, parts);
  requireLife([{ alive: varies(permuted), permuted }], runs);
  return { objective, runs, ...outcome(objective, real, permuted, true) };
}

function joinRuns(
  what: string,
  runs: number,
  parts: readonly RunScores[],
): { real: number | null; permuted: readonly (number | null)[] } {
  const ordered = [...parts].sort((a, b) => a.firstRun - b.firstRun);
  const permuted: (number | null)[] = [];
  for (const part of ordered) {
    if (part.firstRun !== permuted.length) {
      throw new MergeError(
        part.firstRun < permuted.length
          ? `${what}: run ${part.firstRun} came twice`
          : `${what}: runs ${permuted.length} to ${part.firstRun - 1} are missing`,
      );
    }
    permuted.push(...part.permuted);
  }
  if (permuted.length !== runs) {
    throw new MergeError(`${what}: ${runs} runs were planned and ${permuted.length} came`);
  }
  const real = ordered[0]?.real;
  if (real === undefined) throw new MergeError(`${what}: the real score is missing`);
  return { real, permuted };
}

function outcome(
  objective: Objective,
  real: number | null,
  permuted: readonly (number | null)[],
  alive: boolean,
): PermutationOutcome {
  const value = alive ? pValue(objective, real, permuted) : null;
  return {
    real,
    p: value?.p ?? null,
    pPlusOne: value?.pPlusOne ?? null,
    permuted,
    undefinedRuns: permuted.filter((score) => score === null).length,
  };
}

/** Scores closer than this, relative to their size, differ by rounding alone. */
const sameWithin = 1e-9;

/** Whether shuffling does anything, as far as the runs can tell: a single score cannot be seen to stand still. */
function varies(permuted: readonly (number | null)[]): boolean {
  const defined = permuted.filter((score) => score !== null);
  if (defined.length === 0) return false;
  if (defined.length < permuted.length || defined.length === 1) return true;
  let low = defined[0]!;
  let high = low;
  for (const score of defined) {
    if (score < low) low = score;
    if (score > high) high = score;
  }
  return high - low > sameWithin * Math.max(Math.abs(low), Math.abs(high));
}

function requireLife(
  windows: readonly { readonly alive: boolean; readonly permuted: readonly (number | null)[] }[],
  runs: number,
): void {
  if (windows.some((window) => window.alive)) return;
  throw new LivenessError(windows.length, runs, windows[0]?.permuted[0] ?? undefined);
}

/** Null as soon as one value is: a mean over other windows would not be comparable. */
function meanOf(values: readonly (number | null)[]): number | null {
  if (values.length === 0) return null;
  let sum = 0;
  for (const value of values) {
    if (value === null) return null;
    sum += value;
  }
  return sum / values.length;
}

/** A permutation test's null distribution in a few numbers, for tables and pictures. */
export interface NullSummary {
  readonly mean: number | null;
  readonly median: number | null;
  /** The score that one run in twenty reaches by luck. */
  readonly top5Percent: number | null;
}

export function summariseNull(objective: Objective, permuted: readonly (number | null)[]): NullSummary {
  const best = permuted
    .filter((score) => score !== null)
    .sort((a, b) => (isMinimised(objective) ? a - b : b - a));
  if (best.length === 0) return { mean: null, median: null, top5Percent: null };
  const half = best.length >> 1;
  return {
    mean: best.reduce((sum, score) => sum + score, 0) / best.length,
    median: best.length % 2 === 1 ? best[half]! : (best[half - 1]! + best[half]!) / 2,
    top5Percent: best[Math.max(0, Math.ceil(best.length / 20) - 1)]!,
  };
}
