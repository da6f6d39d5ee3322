import {
  type Objective,
  type OverfittingReport,
  type PermutationOutcome,
  type PermutationTest,
  summariseNull,
  type Verdict,
} from "@pf/research";
import { permutationChart, permutationSize } from "./charts/permutation.js";
import { picture, textFile } from "./files.js";
import { type JsonObject, jsonText, plainObject } from "./json.js";
import { overfittingJson } from "./researchJson.js";
import type { PlannedFile } from "./write.js";

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

/**
 * The files of a permutation report, complete in memory: `permutation.json` and, with plots, `permutation.png`. Nothing
 * is written. The same input gives the same bytes.
 */
export async function planPermutationReport(input: PermutationReportInput): Promise<readonly PlannedFile[]> {
  const files = [textFile("permutation.json", jsonText(permutationJson(input)))];
  if (!input.plots) return files;
  return [...files, await picture("permutation.png", permutationChart(input), permutationSize(input))];
}

/** What `permutation.json` holds; what is undefined is `null`. */
export function permutationJson(input: Omit<PermutationReportInput, "plots">): JsonObject {
  const { test, procedure, statistics, verdict, manifest } = input;
  return plainObject({
    objective: test.objective,
    runs: test.runs,
    windows: test.windows.map(({ window, trainStart, trainEnd, alive, ...outcome }) => ({
      window,
      trainStart,
      trainEnd,
      alive,
      ...outcomeJson(test.objective, outcome),
    })),
    overall: { windows: test.overall.windows, ...outcomeJson(test.objective, test.overall) },
    procedure: procedure && { runs: procedure.permuted.length, ...outcomeJson(test.objective, procedure) },
    statistics: statistics && overfittingJson(statistics),
    verdict,
    manifest,
  });
}

function outcomeJson(objective: Objective, outcome: PermutationOutcome): object {
  const { real, p, pPlusOne, undefinedRuns, permuted } = outcome;
  return { real, p, pPlusOne, undefinedRuns, distribution: summariseNull(objective, permuted), permuted };
}
