import type { BacktestResult, BenchmarkKey, Metrics } from "@pf/backtest";
import { type MetricsJson, metricsJson } from "./json.js";

export interface BenchmarkReport {
  readonly key: BenchmarkKey;
  readonly label: string;
  readonly result: BacktestResult;
  readonly metrics: Metrics;
}

const keys = ["SPY", "equal_weight", "60_40"] as const satisfies readonly BenchmarkKey[];

/** Benchmarks in the order in which files and charts list them. */
export function inBenchmarkOrder(benchmarks: readonly BenchmarkReport[]): readonly BenchmarkReport[] {
  return keys.flatMap((key) => benchmarks.filter((one) => one.key === key));
}

export function benchmarksJson(
  benchmarks: readonly BenchmarkReport[],
): Readonly<Partial<Record<BenchmarkKey, MetricsJson>>> {
  return Object.fromEntries(inBenchmarkOrder(benchmarks).map((one) => [one.key, metricsJson(one.metrics)]));
}
