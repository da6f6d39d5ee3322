export type { Benchmark, BenchmarkKey } from "./benchmarks.js";
export { runBenchmarks } from "./benchmarks.js";
export type { BacktestOptions } from "./engine.js";
export { runBacktest, runTargets } from "./engine.js";
export { BacktestOptionsError } from "./errors.js";
export { measure, measureReturns, rowsPerYear, sessionsPerYear } from "./metrics.js";
export type { BacktestResult, CostModel, Metrics, TargetSeries } from "./result.js";
export { sparseTargets, targetSeries } from "./targets.js";
