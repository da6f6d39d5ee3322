export {
  GridError,
  LivenessError,
  MergeError,
  RowOrderError,
  RunsError,
  StatisticsInputError,
  StoppedError,
  UnitError,
  WindowError,
  WindowOptionsError,
} from "./errors.js";
export { gridEvaluator } from "./evaluator.js";
export type { CollectOptions, Executor, StopSignal, UnitOutcome } from "./executor.js";
export { collect, inlineExecutor } from "./executor.js";
export type { Fold, WalkForwardOptions } from "./folds.js";
export { planWalkForward } from "./folds.js";
export type { GridPlan } from "./grid.js";
export { applyPoint, gridPoints, planGrid } from "./grid.js";
export type { GridKernel } from "./kernel/kernel.js";
export { createGridKernel } from "./kernel/kernel.js";
export type { PlainMetrics } from "./objective.js";
export { bestPosition, isMinimised, plainMetrics } from "./objective.js";
export { rowOrder } from "./orders.js";
export type { NullSummary, PermutationOutcome, PermutationTest, PermutationWindow } from "./permutation.js";
export { mergePermutation, mergeProcedure, summariseNull } from "./permutation.js";
export { permutePanel, rowPatterns } from "./permutePanel.js";
export { type GridEvaluator, plainEvaluator } from "./plainEvaluator.js";
export type { PValue } from "./pValue.js";
export { permutationP, pValue } from "./pValue.js";
export { normalCdf, normalQuantile } from "./statistics/normal.js";
export type { Overfitting, OverfittingOptions, OverfittingSplit } from "./statistics/overfitting.js";
export { probabilityOfOverfitting, purgedValidationCounts } from "./statistics/overfitting.js";
export type { MapPoint, ParameterMap } from "./statistics/plateau.js";
export { parameterMap } from "./statistics/plateau.js";
export type { DeflatedSharpe, SharpeSample } from "./statistics/sharpe.js";
export {
  deflatedSharpe,
  expectedMaximum,
  minimumBacktestYears,
  minimumTrackRecord,
  probabilisticSharpe,
  sharpeSample,
  sharpeStandardError,
  trialVariance,
} from "./statistics/sharpe.js";
export type { Grid, GridKey, GridPoint, Objective, Study } from "./study.js";
export { gridKeys } from "./study.js";
export type { OverfittingReport, OverfittingReportOptions, Trials } from "./trials.js";
export { assessTrials, runTrials } from "./trials.js";
export type {
  FoldUnit,
  PermutationPart,
  PermutationUnit,
  ProcedureUnit,
  Research,
  ResearchUnit,
  ResultOf,
  RunOptions,
  RunScores,
  WindowEvaluator,
} from "./units.js";
export { planFolds, planPermutation, planProcedure, prepareResearch, runUnit, unitName } from "./units.js";
export type { Evidence, Finding, PermutationEvidence, Verdict, VerdictCode } from "./verdict.js";
export { judge } from "./verdict.js";
export type {
  Comparison,
  FoldResult,
  FoldRule,
  FoldRules,
  Stability,
  WalkForward,
  WalkForwardFold,
} from "./walkForward.js";
export { explainFold, mergeWalkForward, runFold, stitch } from "./walkForward.js";
