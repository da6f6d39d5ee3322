import type { BacktestResult, Metrics } from "@pf/backtest";
import { assertReportable } from "./assertReportable.js";
import { type BenchmarkReport, benchmarksJson, inBenchmarkOrder } from "./benchmarks.js";
import { drawdownChart, drawdownSize } from "./charts/drawdown.js";
import { equityChart, equitySize } from "./charts/equity.js";
import { heatmapSize, monthlyHeatmap } from "./charts/heatmap.js";
import type { ChartInput } from "./charts/input.js";
import { picture, textFile } from "./files.js";
import { type JsonObject, jsonText, metricsJson } from "./json.js";
import { returnsCsv, weightsCsv } from "./tables.js";
import type { PlannedFile } from "./write.js";

/** Everything a backtest report says. */
export interface BacktestReportInput extends ChartInput {
  /** What made the run: version, configuration, data. Written as it is; nothing in it may differ between equal runs. */
  readonly manifest: JsonObject;
  readonly result: BacktestResult;
  readonly metrics: Metrics;
  readonly benchmarks: readonly BenchmarkReport[];
  /** The literal rule on the same data; its turnover stands beside the chosen rule's. */
  readonly literal?: { readonly metrics: Metrics };
  /**
   * What the portfolio was worth in dollars, one value a session, where an account was traded: what `returns.csv` says
   * instead of the growth of 1. Pictures show growth either way, because that is what compares.
   */
  readonly dollars?: Float64Array;
  /** Whether to draw the pictures. */
  readonly plots: boolean;
}

/**
 * The files of a backtest report, complete in memory: `metrics.json`, `returns.csv`, `weights.csv` and, with plots,
 * `equity.png`, `drawdown.png`, `heatmap.png`. Nothing is written. The same input gives the same bytes.
 *
 * @throws ReportInputError when a result has no session, columns of unequal length, or a value that is no number
 */
export async function planBacktestReport(input: BacktestReportInput): Promise<readonly PlannedFile[]> {
  assertReportable(input.result, "result");
  if (input.dollars) assertReportable({ ...input.result, equity: input.dollars }, "dollars");
  for (const { key, result } of input.benchmarks) assertReportable(result, `benchmarks.${key}`);
  const benchmarks = inBenchmarkOrder(input.benchmarks);
  const files = [
    textFile("metrics.json", jsonText(metricsDocument({ ...input, benchmarks }))),
    textFile("returns.csv", returnsCsv(input.result, input.dollars)),
    textFile("weights.csv", weightsCsv(input.result)),
  ];
  return input.plots ? [...files, ...(await pictures({ ...input, benchmarks }))] : files;
}

async function pictures(input: ChartInput): Promise<readonly PlannedFile[]> {
  return Promise.all([
    picture("equity.png", equityChart(input), equitySize),
    picture("drawdown.png", drawdownChart(input), drawdownSize),
    picture("heatmap.png", monthlyHeatmap(input), heatmapSize(input)),
  ]);
}

function metricsDocument({ metrics, benchmarks, literal, manifest }: BacktestReportInput): object {
  return {
    metrics: metricsJson(metrics),
    benchmarks: benchmarksJson(benchmarks),
    ...(literal ? { literal: metricsJson(literal.metrics) } : {}),
    manifest,
  };
}
