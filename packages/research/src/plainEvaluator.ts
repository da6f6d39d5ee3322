import { measure, runBacktest } from "@pf/backtest";
import type { Panel } from "@pf/market";
import { createFeatures, type Extensions } from "@pf/selection";
import { type GridPlan, planGrid } from "./grid.js";
import { permutePanel } from "./permutePanel.js";
import { periodsPerYearOf, type Study } from "./study.js";

/** Scores the whole grid on one window, as it was or with its rows in another order. */
export interface GridEvaluator {
  /**
   * @param order - source row of every row, as {@link permutePanel} takes it; the real window without
   * @returns one objective a point in grid order, `NaN` where undefined; the next call may write into the same array
   */
  evaluate(order?: Int32Array): Float64Array;
}

/**
 * The reference path: one complete backtest a point, features shared among them. Serves every study.
 *
 * @param window - the rows to score on; everything starts cold on the first
 */
export function plainEvaluator(
  window: Panel,
  study: Study,
  extensions: Extensions = {},
  plan: GridPlan = planGrid(study, extensions),
): GridEvaluator {
  const objectives = new Float64Array(plan.points.length);
  return {
    evaluate(order) {
      const panel = order ? permutePanel(window, order) : window;
      const features = createFeatures(panel);
      for (const [at, strategy] of plan.strategies.entries()) {
        if (!strategy) {
          objectives[at] = Number.NaN;
          continue;
        }
        const shared = { ...strategy, prepare: (of: Panel) => strategy.prepare(of, features) };
        const run = runBacktest(panel, shared, study.costs, { lag: study.lag });
        objectives[at] = measure(run, periodsPerYearOf(study))[study.objective];
      }
      return objectives;
    },
  };
}
