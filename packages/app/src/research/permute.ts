import type { LoadedConfig } from "@pf/config";
import type { SessionDate } from "@pf/market";
import {
  type CollectOptions,
  collect,
  type Fold,
  judge,
  LivenessError,
  mergePermutation,
  mergeProcedure,
  type NullSummary,
  type PermutationOutcome,
  type PermutationTest,
  type PermutationUnit,
  type ProcedureUnit,
  planPermutation,
  planProcedure,
  type ResultOf,
  StoppedError,
  summariseNull,
  type Verdict,
} from "@pf/research";
import { runName } from "../audit.js";
import { InterruptedError, RequestError } from "../errors.js";
import { hashOf, manifestJson } from "../manifest.js";
import { publishReport } from "../publish.js";
import { searchLog } from "./audit.js";
import { dataHashOf } from "./ledger.js";
import { pace } from "./pace.js";
import {
  assessSearch,
  openRunner,
  openSearch,
  type Search,
  type SearchManifest,
  type SearchRequest,
  type SearchSetting,
  searchManifest,
} from "./search.js";
import { type OverfittingFacts, overfittingFacts, type StudyFacts, studyFacts } from "./study.js";
import { openUnfinished, type UnfinishedRun } from "./unfinished.js";
import type { UnitRunner } from "./unit-runner.js";

export interface PermuteRequest extends SearchRequest {
  /** Permuted markets for each train window. Default `permutation.runs`. */
  readonly runs?: number;
  /** Default `backtest.seed`. */
  readonly seed?: number;
  /** Which train windows: `"all"` (default), `"last"`, or how many of the last. */
  readonly windows?: string | number;
  /** Runs of the walk-forward permutation, the test of the whole procedure. Default 0, none. */
  readonly walkforwardRuns?: number;
  /** Continues an interrupted run of the same settings, data and seed. */
  readonly resume?: boolean;
}

/** One train window: its best real score among the best of shuffled markets. */
export interface WindowDocument extends PermutationOutcome {
  /** Index of the walk-forward's fold. */
  readonly window: number;
  readonly trainStart: SessionDate;
  readonly trainEnd: SessionDate;
  /** Whether the runs vary; a window that is not alive has no p-value. */
  readonly alive: boolean;
}

/** What `pf permute --json` prints. */
export interface PermuteDocument {
  readonly windows: readonly WindowDocument[];
  /** The mean over windows of the best objective; windows without a score are left out. */
  readonly overall: PermutationOutcome & { readonly windows: number };
  /** The walk-forward permutation, where one was made. */
  readonly procedure?: PermutationOutcome;
  readonly overfitting: OverfittingFacts;
  readonly verdict: Verdict;
  /** Relative to the output folder. */
  readonly files: readonly string[];
  readonly manifest: SearchManifest<PermutationFacts>;
  /** The audit log, relative to the output folder. */
  readonly log: string;
}

export interface PermutationFacts extends StudyFacts {
  /** Indices of the windows that were shuffled. */
  readonly shuffled: readonly number[];
  readonly runs: number;
  readonly walkforwardRuns: number;
  readonly seed: number;
}

export interface PermuteOutcome {
  readonly document: PermuteDocument;
  /** The null distributions in a few numbers, one a window. */
  readonly nulls: readonly NullSummary[];
  readonly overallNull: NullSummary;
  /** What a person should know and no result depends on. */
  readonly notes: readonly string[];
}

/** From the cache to a report of how good the best of the grid looks on markets whose days were shuffled. */
export async function permuteMarket(
  request: PermuteRequest,
  loaded: LoadedConfig,
  setting: SearchSetting,
): Promise<PermuteOutcome> {
  const amounts = amountsOf(request, loaded);
  const search = await openSearch(request, loaded, setting);
  const { study, research, spans, folds } = search;
  const chosen = amounts.last === undefined ? folds : folds.slice(-amounts.last);
  const { runs, walkforwardRuns, seed } = amounts;
  const units = planPermutation(chosen, {
    runs,
    seed,
    runsPerUnit: runsPerUnit(runs, research.plan.points.length),
  });
  const procedureUnits = walkforwardRuns > 0 ? planProcedure(folds, { runs: walkforwardRuns, seed }) : [];

  const key = hashOf({
    version: setting.version,
    data: dataHashOf(search.market),
    study,
    spans,
    seed,
  });
  const unfinished = await openUnfinished(setting.outFolder, key, request.resume ?? false);
  try {
    const plan = { amounts, chosen, units, procedureUnits };
    return await testAndReport(plan, unfinished, search, request, loaded, setting);
  } finally {
    unfinished.release();
  }
}

interface PermutationPlan {
  readonly amounts: Amounts;
  /** The windows to shuffle. */
  readonly chosen: readonly Fold[];
  readonly units: readonly PermutationUnit[];
  readonly procedureUnits: readonly ProcedureUnit[];
}

async function testAndReport(
  { amounts, chosen, units, procedureUnits }: PermutationPlan,
  unfinished: UnfinishedRun,
  search: Search,
  request: PermuteRequest,
  loaded: LoadedConfig,
  setting: SearchSetting,
): Promise<PermuteOutcome> {
  const { version, clock, onProgress, checkpoint, signal } = setting;
  const { study, research, spans, folds } = search;
  const { runs, walkforwardRuns, seed } = amounts;
  const runner = await openRunner("permute", search, request, loaded, setting);
  const making = { runner, unfinished, setting };
  let parts: readonly ResultOf<PermutationUnit>[];
  let procedureParts: readonly ResultOf<ProcedureUnit>[];
  try {
    parts = await make(units, stepOf(chosen), making);
    procedureParts = await make(procedureUnits, "walking forward on shuffled markets", making);
  } catch (error) {
    if (!(error instanceof StoppedError)) throw error;
    throw new InterruptedError({ cause: error }, "run the same command with --resume to go on from here");
  } finally {
    await runner.close();
    await unfinished.close();
  }
  let test: PermutationTest;
  let procedure: PermutationOutcome | undefined;
  try {
    test = mergePermutation(study.objective, chosen, runs, parts);
    if (walkforwardRuns > 0) procedure = mergeProcedure(study.objective, walkforwardRuns, procedureParts);
  } catch (error) {
    // A dead test is finished: going on from it would only find it dead again.
    if (error instanceof LivenessError) await unfinished.discard();
    throw error;
  }
  await checkpoint();

  const { overfitting, trials, notes } = await assessSearch("permute", search, setting);
  const facts = overfittingFacts(overfitting);
  const verdict = judge({
    objective: study.objective,
    windows: { ...evidence(test.overall, runs), windows: test.overall.windows },
    ...(procedure ? { procedure: evidence(procedure, walkforwardRuns) } : {}),
    deflatedSharpe: { probability: facts.deflatedSharpe, trials: facts.trials },
    ...(overfitting.overfitting ? { overfitting: facts.probabilityOfOverfitting } : {}),
  });
  const described: PermutationFacts = {
    ...studyFacts(study, research.plan, spans, folds, trials),
    shuffled: chosen.map(({ index }) => index),
    runs,
    walkforwardRuns,
    seed,
  };
  const manifest = { ...searchManifest("permute", version, loaded, search, described), seed };

  const plots = request.plots ?? true;
  onProgress({ step: plots ? "drawing and writing the report" : "writing the report" });
  const { planPermutationReport } = await import("@pf/report");
  const files = await planPermutationReport({
    manifest: manifestJson(manifest),
    test,
    ...(procedure ? { procedure } : {}),
    statistics: overfitting,
    verdict,
    plots,
  });
  await checkpoint();
  const run = runName("permute", clock);
  const windowRecords = test.windows.map(({ permuted: _, ...window }) => ({
    event: "window" as const,
    ...window,
  }));
  const text = searchLog([...windowRecords, { event: "verdict", verdict }], run, manifest, clock);
  const log = await publishReport(files, { name: `${run}.jsonl`, text }, setting.outFolder, signal);
  await unfinished.discard();

  const { objective } = study;
  return {
    document: {
      windows: test.windows,
      overall: test.overall,
      ...(procedure ? { procedure } : {}),
      overfitting: facts,
      verdict,
      files: files.map(({ name }) => name),
      manifest,
      log,
    },
    nulls: test.windows.map(({ permuted }) => summariseNull(objective, permuted)),
    overallNull: summariseNull(objective, test.overall.permuted),
    notes: [...amounts.notes(folds.length), ...runner.notes, ...notes],
  };
}

const mostRuns = 100_000;

interface Amounts {
  readonly runs: number;
  readonly seed: number;
  readonly walkforwardRuns: number;
  /** How many of the last windows; all of them where absent. */
  readonly last?: number;
  notes(windows: number): readonly string[];
}

/** Reads how much is asked for, before any work is done. What is no number of runs is refused where runs are planned. */
function amountsOf(request: PermuteRequest, { config }: LoadedConfig): Amounts {
  const runs = request.runs ?? config.permutation.runs;
  const walkforwardRuns = request.walkforwardRuns ?? 0;
  for (const [flag, number] of [
    ["--runs", runs],
    ["--walkforward-runs", walkforwardRuns],
  ] as const) {
    if (number > mostRuns) {
      throw new RequestError(
        `${flag} ${number} is more than the ${mostRuns} runs a test may have`,
        "a few hundred runs tell what a p-value can tell",
      );
    }
  }
  if (!(Number.isInteger(walkforwardRuns) && walkforwardRuns >= 0)) {
    throw new RequestError(
      `--walkforward-runs must be a whole number, not ${walkforwardRuns}`,
      "leave it out, or ask for 200 runs",
    );
  }
  const last = lastOf(request.windows ?? "all");
  return {
    runs,
    seed: request.seed ?? config.backtest.seed,
    walkforwardRuns,
    ...(last === undefined ? {} : { last }),
    notes: (windows) =>
      last !== undefined && last > windows
        ? [`there are ${windows} windows, all of which were shuffled, although ${last} were asked for`]
        : [],
  };
}

function lastOf(windows: string | number): number | undefined {
  if (windows === "all") return undefined;
  const count = windows === "last" ? 1 : Number(windows);
  if (Number.isInteger(count) && count >= 1 && String(windows).trim() !== "") return count;
  throw new RequestError(
    `--windows cannot be "${windows}"`,
    "write all, last, or how many of the last windows to shuffle",
  );
}

/** Backtests a unit should come to: long enough beside a message, short enough to stop after. */
const backtestsPerUnit = 250;
const mostUnitsPerWindow = 500;

function runsPerUnit(runs: number, points: number): number {
  const short = Math.max(1, Math.min(25, Math.round(backtestsPerUnit / points)));
  return Math.max(short, Math.ceil(runs / mostUnitsPerWindow));
}

interface Making {
  readonly runner: UnitRunner;
  readonly unfinished: UnfinishedRun;
  readonly setting: SearchSetting;
}

/** Makes the scores that are not known yet, and keeps each as it comes. */
async function make<U extends PermutationUnit | ProcedureUnit>(
  units: readonly U[],
  step: string,
  { runner, unfinished, setting: { clock, onProgress, signal } }: Making,
): Promise<readonly ResultOf<U>[]> {
  if (units.length === 0) return [];
  const known = new Map<number, ResultOf<U>>();
  for (const [at, unit] of units.entries()) {
    const scores = unfinished.known(unit);
    if (scores) known.set(at, scores as ResultOf<U>);
  }
  const runsOf = (places: Iterable<number>) => [...places].reduce((sum, at) => sum + units[at]!.runs, 0);
  let made = runsOf(known.keys());
  const tell = pace(step, runsOf(units.keys()), made, clock, onProgress);
  const options: CollectOptions<U> = {
    ...(signal ? { signal } : {}),
    known,
    async onResult({ at, result }) {
      await unfinished.add(units[at]!, result as ResultOf<PermutationUnit>);
      made += units[at]!.runs;
      tell(made);
    },
  };
  return collect(runner, units, options);
}

function stepOf(folds: readonly Fold[]): string {
  return folds.length === 1 ? "shuffling 1 train window" : `shuffling ${folds.length} train windows`;
}

function evidence({ pPlusOne, undefinedRuns }: PermutationOutcome, runs: number) {
  return { pPlusOne, undefinedRuns, runs };
}
