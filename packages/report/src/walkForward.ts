import type { BacktestResult } from "@pf/backtest";
import type { OverfittingReport, Study, Verdict, WalkForward } from "@pf/research";
import type { BenchmarkReport } from "./benchmarks.js";
import type { JsonObject } from "./json.js";

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
