import type { BacktestResult, BenchmarkKey, Metrics } from "@pf/backtest";
import { drawdownChart, drawdownSize } from "./charts/drawdown.js";
import { equityChart, equitySize } from "./charts/equity.js";
import { heatmapSize, monthlyHeatmap } from "./charts/heatmap.js";
import type { ChartInput } from "./charts/input.js";
import { renderPng } from "./charts/png.js";
import { ReportInputError } from "./errors.js";
import { type JsonObject, jsonText, metricsJson } from "./json.js";
import { returnsCsv, weightsCsv } from "./tables.js";
import type { PlannedFile } from "./write.js";

/** Benchmarks in the order in which files and charts list them. */
const benchmarkKeys = ["SPY", "equal_weight", "60_40"] as const satisfies readonly BenchmarkKey[];

/** Everything a backtest report says. */
export interface BacktestReportInput extends ChartInput {
  /** What made the run: version, configuration, data. Written as it is; nothing in it may differ between equal runs. */
  readonly manifest: JsonObject;
  readonly result: BacktestResult;
  readonly metrics: Metrics;
  readonly benchmarks: readonly BenchmarkReport[];
  /** The literal rule on the same data; its turnover stands beside the chosen rule's. */
  readonly literal?: { readonly metrics: Metrics };
  /** Whether to draw the pictures. */
  readonly plots: boolean;
}

export interface BenchmarkReport {
  readonly key: BenchmarkKey;
  readonly label: string;
  readonly result: BacktestResult;
  readonly metrics: Metrics;
}

/**
 * The files of a backtest report, complete in memory: `metrics.json`, `returns.csv`, `weights.csv` and, with plots,
 * `equity.png`, `drawdown.png`, `heatmap.png`. Nothing is written. The same input gives the same bytes.
 *
 * @throws ReportInputError when a result has no session, columns of unequal length, or a value that is no number
 */
export async function planBacktestReport(input: BacktestReportInput): Promise<readonly PlannedFile[]> {
  assertReportable(input.result, "result");
  for (const { key, result } of input.benchmarks) assertReportable(result, `benchmarks.${key}`);
  const benchmarks = benchmarkKeys.flatMap((key) => input.benchmarks.filter((one) => one.key === key));
  const files = [
    textFile("metrics.json", jsonText(metricsDocument({ ...input, benchmarks }))),
    textFile("returns.csv", returnsCsv(input.result)),
    textFile("weights.csv", weightsCsv(input.result)),
  ];
  return input.plots ? [...files, ...(await pictures({ ...input, benchmarks }))] : files;
}

async function pictures(input: ChartInput): Promise<readonly PlannedFile[]> {
  return Promise.all([
    picture("equity.png", renderPng(equityChart(input), equitySize)),
    picture("drawdown.png", renderPng(drawdownChart(input), drawdownSize)),
    picture("heatmap.png", renderPng(monthlyHeatmap(input), heatmapSize(input))),
  ]);
}

async function picture(name: string, drawing: Promise<Uint8Array>): Promise<PlannedFile> {
  return { name, bytes: await drawing };
}

function metricsDocument({ metrics, benchmarks, literal, manifest }: BacktestReportInput): object {
  return {
    metrics: metricsJson(metrics),
    benchmarks: Object.fromEntries(benchmarks.map((one) => [one.key, metricsJson(one.metrics)])),
    ...(literal ? { literal: metricsJson(literal.metrics) } : {}),
    manifest,
  };
}

function textFile(name: string, text: string): PlannedFile {
  return { name, bytes: new TextEncoder().encode(text) };
}

const columns = ["net", "gross", "turnover", "commission", "slippage", "equity"] as const;

function assertReportable(result: BacktestResult, part: string): void {
  const rows = result.sessions.length;
  if (rows === 0) throw new ReportInputError(part, "there is no session in it");
  for (const name of columns) {
    const column = result[name];
    if (column.length !== rows) {
      throw new ReportInputError(part, `${name} has ${column.length} values for ${rows} sessions`);
    }
    const bad = column.findIndex((value) => !Number.isFinite(value));
    if (bad >= 0) throw new ReportInputError(part, `${name} is ${column[bad]} on ${result.sessions[bad]}`);
  }
}
