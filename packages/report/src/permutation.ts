import type { OverfittingReport, PermutationOutcome, PermutationTest, Verdict } from "@pf/research";
import type { JsonObject } from "./json.js";

/** Everything a permutation report says. */
export interface PermutationReportInput {
  /** Name of the portfolio in titles. Default `"Permutation test"`. */
  readonly title?: string;
  /** What made the run: version, configuration, data, seed. Written as it is; nothing in it may differ between equal runs. */
  readonly manifest: JsonObject;
  readonly test: PermutationTest;
  /** The walk-forward permutation, where one was made: what `mergeProcedure` returns. */
  readonly procedure?: PermutationOutcome;
  /** Statistics of the grid's own backtests. */
  readonly statistics?: OverfittingReport;
  readonly verdict?: Verdict;
  /** Whether to draw the pictures. */
  readonly plots: boolean;
}
