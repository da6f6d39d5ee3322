import type { Panel } from "@pf/market";
import type { Extensions } from "@pf/selection";
import { type GridPlan, planGrid } from "./grid.js";
import { createGridKernel, createWindowKernel, type Stretch } from "./kernel/kernel.js";
import { type GridEvaluator, plainEvaluator } from "./plainEvaluator.js";
import type { Study } from "./study.js";

/**
 * The fastest evaluator that serves a study on a window: the fused kernel where it can, the plain path where it cannot.
 * Both give the same selections, and objectives equal to rounding.
 *
 * @param window - the rows to score on; everything starts cold on the first
 * @param extensions - what only the plain path can call
 */
export function gridEvaluator(
  window: Panel,
  study: Study,
  extensions: Extensions = {},
  plan: GridPlan = planGrid(study, extensions),
): GridEvaluator {
  const kernel = isBuiltIn(extensions) ? createGridKernel(window, study, plan) : undefined;
  return kernel ?? plainEvaluator(window, study, extensions, plan);
}

/** {@link gridEvaluator} for some rows of a panel whose other rows are evaluated too. */
export function windowEvaluator(
  { of, from }: Stretch,
  to: number,
  study: Study,
  extensions: Extensions,
  plan: GridPlan,
): GridEvaluator {
  const window = of.between(from, to);
  const kernel = isBuiltIn(extensions) ? createWindowKernel(window, study, plan, { of, from }) : undefined;
  return kernel ?? plainEvaluator(window, study, extensions, plan);
}

/** Whether nobody has registered anything, which only the plain path could call. */
export function isBuiltIn(extensions: Extensions): boolean {
  return Object.values(extensions).every((registry) => registry === undefined);
}
