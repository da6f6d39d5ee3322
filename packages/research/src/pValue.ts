import { merit } from "./objective.js";
import type { Objective } from "./study.js";

/** How often chance did at least as well. */
export interface PValue {
  /** Share of runs at least as good as the real one: count / runs, the specification's number. */
  readonly p: number;
  /** (count + 1) / (runs + 1): the real market is one of the arrangements too (Phipson and Smyth 2010), never 0. */
  readonly pPlusOne: number;
}

/**
 * Both conventions of a permutation p-value from a count.
 *
 * @param count - runs at least as good as the real one
 * @param runs - at least 1
 */
export function permutationP(count: number, runs: number): PValue {
  return { p: count / runs, pPlusOne: (count + 1) / (runs + 1) };
}

/**
 * The p-value of a real score among permuted ones. An undefined permuted score ranks below every real one and so never
 * counts as at least as good; say how many there were beside the p-value.
 *
 * @param real - `NaN` or null is undefined, and then there is no p-value
 * @param permuted - one a run, at least one
 */
export function pValue(
  objective: Objective,
  real: number | null,
  permuted: readonly (number | null)[],
): PValue | null {
  const bar = merit(objective, real);
  if (bar === Number.NEGATIVE_INFINITY || permuted.length === 0) return null;
  return permutationP(permuted.filter((score) => merit(objective, score) >= bar).length, permuted.length);
}
