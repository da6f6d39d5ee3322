import { type BacktestResult, measure, runBacktest, runTargets, targetSeries } from "@pf/backtest";
import {
  assessTrials,
  collect,
  inlineExecutor,
  judge,
  mergePermutation,
  mergeProcedure,
  mergeWalkForward,
  type PermutationOutcome,
  type PermutationTest,
  planFolds,
  planGrid,
  planPermutation,
  planProcedure,
  planWalkForward,
  prepareResearch,
  runTrials,
  type Study,
} from "@pf/research";
import { quickPanel, quickSpans, quickStudy } from "../../research/test/studies.js";
import type { PermutationReportInput, WalkForwardReportInput } from "../src/index.js";
import { runOf, walk } from "./worlds.js";

const manifest = { version: "0.0.0", command: "walkforward", data: { SPY: "ab12" } };

/** A walk-forward really made, over a few folds of a random market, with everything that its report can say. */
export async function madeWalkForward(study: Study = quickStudy): Promise<Required<WalkForwardReportInput>> {
  const panel = quickPanel(3);
  const folds = planWalkForward(panel.sessions, quickSpans);
  const research = prepareResearch(panel, study);
  const results = await collect(inlineExecutor(research), planFolds(folds));
  const walkForward = mergeWalkForward(panel, folds, results, study, research.plan);
  const overfitting = assessTrials(runTrials(panel, study), study, { blocks: 6 });
  const spy = runOf(walkForward.result.sessions, walk(5, walkForward.result.sessions.length));
  const { efficiency, gainOverFixed } = walkForward.comparison;
  return {
    title: "Rotation",
    manifest,
    study,
    walkForward,
    fixed: fixedRun(study),
    benchmarks: [{ key: "SPY", label: "SPY held", result: spy, metrics: measure(spy) }],
    overfitting,
    verdict: judge({ objective: study.objective, efficiency, gainOverFixed }),
    plots: false,
  };
}

function fixedRun(study: Study): BacktestResult {
  const panel = quickPanel(3);
  const { oosFrom } = planWalkForward(panel.sessions, quickSpans)[0]!;
  const whole = runBacktest(
    panel,
    planGrid({ ...study, grid: { top_n: [study.options.selection.topN] } }).strategies[0]!,
    study.costs,
    { lag: study.lag },
  );
  const span = panel.between(oosFrom, panel.sessions.length);
  return runTargets(
    span,
    targetSeries(span, (row) => whole.targets.at(row + oosFrom)),
    study.costs,
    { lag: study.lag },
  );
}

/** A permutation test really made, with the walk-forward permutation and statistics. */
export async function madePermutation(runs = 12): Promise<Required<PermutationReportInput>> {
  const panel = quickPanel(3);
  const folds = planWalkForward(panel.sessions, quickSpans);
  const research = prepareResearch(panel, quickStudy);
  const { objective } = quickStudy;
  const options = { runs, seed: 7 };
  const parts = await collect(inlineExecutor(research), planPermutation(folds, options));
  const runsOfProcedure = await collect(
    inlineExecutor(research),
    planProcedure(folds, { ...options, runs: 3 }),
  );
  const test = mergePermutation(objective, folds, runs, parts);
  return {
    title: "Rotation",
    manifest: { ...manifest, command: "permute", seed: 7 },
    test,
    procedure: mergeProcedure(objective, 3, runsOfProcedure),
    statistics: assessTrials(runTrials(panel, quickStudy), quickStudy, { blocks: 6 }),
    verdict: judge({ objective, windows: { ...test.overall, runs } }),
    plots: false,
  };
}

/** Scores of one window, its p-values by counting. */
export function outcomeOf(real: number | null, permuted: readonly (number | null)[]): PermutationOutcome {
  const defined = permuted.filter((score) => score !== null);
  const counts = real !== null && defined.length > 0;
  const atLeast = defined.filter((score) => counts && score >= real).length;
  return {
    real,
    p: counts ? atLeast / permuted.length : null,
    pPlusOne: counts ? (atLeast + 1) / (permuted.length + 1) : null,
    permuted,
    undefinedRuns: permuted.length - defined.length,
  };
}

/** A permutation test with these windows, a quarter apart; the overall is that of the first. */
export function testOf(...outcomes: readonly PermutationOutcome[]): PermutationTest {
  const first = outcomes[0]!;
  return {
    objective: "Calmar",
    runs: first.permuted.length,
    windows: outcomes.map((outcome, window) => ({
      window,
      trainStart:
        `${2015 + (window >> 2)}-0${1 + 3 * (window % 4)}-02` as PermutationTest["windows"][number]["trainStart"],
      trainEnd:
        `${2018 + (window >> 2)}-0${1 + 3 * (window % 3)}-01` as PermutationTest["windows"][number]["trainEnd"],
      alive: outcome.p !== null,
      ...outcome,
    })),
    overall: { ...first, windows: outcomes.length },
  };
}
