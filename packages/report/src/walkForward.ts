import type { BacktestResult } from "@pf/backtest";
import {
  type GridKey,
  gridPoints,
  type OverfittingReport,
  type Study,
  type Verdict,
  type WalkForward,
} from "@pf/research";
import { assertReportable, assertSameSessions } from "./assertReportable.js";
import { type BenchmarkReport, benchmarksJson } from "./benchmarks.js";
import { parameterMapChart, parameterMapSize } from "./charts/parameterMap.js";
import { walkForwardChart, walkForwardSize } from "./charts/walkForward.js";
import { picture, textFile } from "./files.js";
import { type JsonObject, jsonText, metricsJson, plainObject } from "./json.js";
import { configuredPoint, overfittingJson } from "./researchJson.js";
import { returnsCsv, weightsCsv } from "./tables.js";
import type { PlannedFile } from "./write.js";

/** Everything a walk-forward report says. */
export interface WalkForwardReportInput {
  /** Name of the portfolio in titles. Default `"Walk-forward"`. */
  readonly title?: string;
  /** What made the run: version, configuration, data. Written as it is; nothing in it may differ between equal runs. */
  readonly manifest: JsonObject;
  /** What was optimised: its objective and grid name the numbers, its options are the fixed parameters. */
  readonly study: Study;
  readonly walkForward: WalkForward;
  /** The configured parameters, never re-optimised, on the sessions of the stitched run and from cash. */
  readonly fixed?: BacktestResult;
  /** On the sessions of the stitched run. All are written, and SPY is drawn. */
  readonly benchmarks?: readonly BenchmarkReport[];
  /** Statistics of the grid's own backtests; the parameter map is drawn from them. */
  readonly overfitting?: OverfittingReport;
  readonly verdict?: Verdict;
  /** Whether to draw the pictures. */
  readonly plots: boolean;
}

/**
 * The files of a walk-forward report, complete in memory: `walkforward.json`, `walkforward-returns.csv`,
 * `walkforward-weights.csv` of the stitched run and, with plots, `walkforward.png` and, where the grid's statistics are
 * given, `parameter-map.png`. Nothing is written. The same input gives the same bytes.
 *
 * @throws ReportInputError when a run has no session, columns of unequal length, a value that is no number, or lies on
 *   other sessions than the stitched run
 */
export async function planWalkForwardReport(input: WalkForwardReportInput): Promise<readonly PlannedFile[]> {
  const { result } = input.walkForward;
  assertReportable(result, "walkForward.result");
  const compared = (input.benchmarks ?? []).map((one) => [`benchmarks.${one.key}`, one.result] as const);
  for (const [part, other] of [...compared, ...(input.fixed ? [["fixed", input.fixed] as const] : [])]) {
    assertReportable(other, part);
    assertSameSessions(other, result.sessions, part);
  }
  const files = [
    textFile("walkforward.json", jsonText(walkForwardJson(input))),
    textFile("walkforward-returns.csv", returnsCsv(result)),
    textFile("walkforward-weights.csv", weightsCsv(result)),
  ];
  return input.plots ? [...files, ...(await pictures(input))] : files;
}

async function pictures(input: WalkForwardReportInput): Promise<readonly PlannedFile[]> {
  const { overfitting } = input;
  return Promise.all([
    picture("walkforward.png", walkForwardChart(input), walkForwardSize(input)),
    ...(overfitting
      ? [
          picture(
            "parameter-map.png",
            parameterMapChart({ ...input, overfitting }),
            parameterMapSize({ ...input, overfitting }),
          ),
        ]
      : []),
  ]);
}

/**
 * What `walkforward.json` holds. `grid.points` are in grid order, and so are the `objectives` of each fold; what is
 * undefined is `null`.
 */
export function walkForwardJson(input: Omit<WalkForwardReportInput, "plots">): JsonObject {
  const { study, walkForward, benchmarks = [], overfitting, verdict, manifest } = input;
  return plainObject({
    objective: study.objective,
    folds: foldsJson(walkForward, study),
    metrics: metricsJson(walkForward.metrics),
    benchmarks: benchmarks.length > 0 ? benchmarksJson(benchmarks) : undefined,
    comparison: walkForward.comparison,
    stability: walkForward.stability,
    undecided: walkForward.undecided,
    grid: { values: study.grid, points: gridPoints(study.grid) },
    overfitting: overfitting && overfittingJson(overfitting),
    verdict,
    manifest,
  });
}

/** Parameters that every fold names, whether the grid varies them or not. */
const alwaysNamed: readonly GridKey[] = ["ema_fast", "ema_slow", "top_n", "corr_cap"];

function foldsJson({ folds }: WalkForward, { options }: Study): readonly object[] {
  const configured = configuredPoint(options);
  const usual = Object.fromEntries(alwaysNamed.map((key) => [key, configured[key]]));
  return folds.map((fold) => ({
    index: fold.index,
    trainStart: fold.trainStart,
    trainEnd: fold.trainEnd,
    oosStart: fold.oosStart,
    oosEnd: fold.oosEnd,
    params: { ...usual, ...fold.params },
    objective: fold.objective,
    train: fold.train,
    oos: fold.oos,
    chosen: fold.chosen,
    objectives: fold.objectives,
  }));
}
