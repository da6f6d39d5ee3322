import { type BacktestResult, measure } from "@pf/backtest";
import type { LoadedConfig } from "@pf/config";
import type { SessionDate } from "@pf/market";
import type { MetricsJson } from "@pf/report";
import {
  type Comparison,
  collect,
  explainFold,
  type FoldResult,
  type GridPoint,
  judge,
  mergeWalkForward,
  type PlainMetrics,
  planFolds,
  type Research,
  type Stability,
  type Verdict,
  type WalkForward,
} from "@pf/research";
import { decisionRecord, rebalanceRows, runName, timed } from "../audit.js";
import { NothingTradedError } from "../errors.js";
import { manifestJson } from "../manifest.js";
import { publishReport } from "../publish.js";
import { searchLog } from "./audit.js";
import { pace } from "./pace.js";
import {
  assessSearch,
  openRunner,
  openSearch,
  type SearchManifest,
  type SearchRequest,
  type SearchSetting,
  searchManifest,
} from "./search.js";
import { type OverfittingFacts, overfittingFacts, type StudyFacts, studyFacts } from "./study.js";

export type WalkForwardRequest = SearchRequest;

/** One step: what was chosen on the train sessions, and how it did on those that followed. */
export interface FoldDocument {
  /** Counted from 0. */
  readonly index: number;
  /** First and last session inside each span. */
  readonly trainStart: SessionDate;
  readonly trainEnd: SessionDate;
  readonly oosStart: SessionDate;
  readonly oosEnd: SessionDate;
  readonly params: GridPoint;
  /** The train value of the chosen point; null where no point had one, and the first in grid order stands in. */
  readonly objective: number | null;
  readonly train: PlainMetrics;
  readonly oos: PlainMetrics;
}

/** What `pf walkforward --json` prints. */
export interface WalkForwardDocument {
  readonly folds: readonly FoldDocument[];
  /** Of the stitched out-of-sample run, from cash. */
  readonly metrics: MetricsJson;
  /** Beside the configured parameters and SPY, on the same sessions at the same costs. */
  readonly comparison: Comparison;
  readonly stability: Stability;
  /** Folds in which no point had an objective. */
  readonly undecided: readonly number[];
  readonly overfitting: OverfittingFacts;
  readonly verdict: Verdict;
  /** Relative to the output folder. */
  readonly files: readonly string[];
  readonly manifest: SearchManifest<StudyFacts>;
  /** The audit log, relative to the output folder. */
  readonly log: string;
}

/** The document, and the curves behind it for whoever draws them. */
export interface WalkForwardOutcome {
  readonly document: WalkForwardDocument;
  readonly result: BacktestResult;
  /** What a person should know and no result depends on. */
  readonly notes: readonly string[];
}

/** From the cache to a report of what choosing on the past would have come to. */
export async function walkPortfolioForward(
  request: WalkForwardRequest,
  loaded: LoadedConfig,
  setting: SearchSetting,
): Promise<WalkForwardOutcome> {
  const { version, clock, extensions, onProgress, checkpoint, signal } = setting;
  const search = await openSearch(request, loaded, setting);
  const { market, research, study, spans, folds } = search;

  const runner = await openRunner("walkforward", search, request, loaded, setting);
  let walked: WalkForward;
  let results: readonly FoldResult[];
  try {
    const tell = pace(`walking forward through ${folds.length} windows`, folds.length, 0, clock, onProgress);
    results = await collect(runner, planFolds(folds), {
      ...(signal ? { signal } : {}),
      onResult: (_, done) => tell(done),
    });
    walked = mergeWalkForward(market.panel, folds, results, study, research.plan, extensions);
  } finally {
    await runner.close();
  }
  if (walked.undecided.length === folds.length) throw new NothingTradedError(folds.length, study.objective);
  await checkpoint();

  const { overfitting, trials, notes } = await assessSearch("walkforward", search, setting);
  const facts = overfittingFacts(overfitting);
  const verdict = judge({
    objective: study.objective,
    deflatedSharpe: { probability: facts.deflatedSharpe, trials: facts.trials },
    ...(overfitting.overfitting ? { overfitting: facts.probabilityOfOverfitting } : {}),
    efficiency: walked.comparison.efficiency,
    gainOverFixed: walked.comparison.gainOverFixed,
  });
  const described = studyFacts(study, research.plan, spans, folds, trials);
  const manifest = searchManifest("walkforward", version, loaded, search, described);

  const plots = request.plots ?? true;
  onProgress({ step: plots ? "drawing and writing the report" : "writing the report" });
  const { metricsJson, planWalkForwardReport } = await import("@pf/report");
  const files = await planWalkForwardReport({
    manifest: manifestJson(manifest),
    study,
    walkForward: walked,
    fixed: walked.fixed,
    benchmarks: walked.benchmarks.map((one) => ({
      ...one,
      metrics: measure(one.result, study.options.periodsPerYear),
    })),
    overfitting,
    verdict,
    plots,
  });
  await checkpoint();
  const run = runName("walkforward", clock);
  const text = searchLog(
    [...choices(walked), ...rebalances(walked, results, research), { event: "verdict", verdict }],
    run,
    manifest,
    clock,
  );
  const log = await publishReport(files, { name: `${run}.jsonl`, text }, setting.outFolder, signal);

  return {
    document: {
      folds: walked.folds.map(
        ({ index, trainStart, trainEnd, oosStart, oosEnd, params, objective, train, oos }) => ({
          index,
          trainStart,
          trainEnd,
          oosStart,
          oosEnd,
          params,
          objective,
          train,
          oos,
        }),
      ),
      metrics: metricsJson(walked.metrics),
      comparison: walked.comparison,
      stability: walked.stability,
      undecided: walked.undecided,
      overfitting: facts,
      verdict,
      files: files.map(({ name }) => name),
      manifest,
      log,
    },
    result: walked.result,
    notes: [...runner.notes, ...notes],
  };
}

/** What each window chose, and among what. */
function choices({ folds }: WalkForward) {
  return folds.map(({ index, trainStart, trainEnd, oosStart, oosEnd, params, objective, objectives }) => ({
    event: "choice",
    fold: index,
    trainStart,
    trainEnd,
    oosStart,
    oosEnd,
    params,
    objective,
    objectives,
  }));
}

/** Every change of the stitched run's targets, explained by the rule of the window that decided it. */
function rebalances({ folds, result }: WalkForward, results: readonly FoldResult[], research: Research) {
  const rows = rebalanceRows(result);
  const first = folds[0]!.oosFrom;
  return folds.flatMap((fold, at) => {
    const own = rows.flatMap((row) =>
      row + first >= fold.oosFrom && row + first < fold.oosTo ? [row + first - fold.oosFrom] : [],
    );
    const { features, plan, rules } = research;
    return explainFold(features, fold, results[at]!, plan, own, rules).map((decision, of) => ({
      event: "rebalance" as const,
      fold: fold.index,
      ...decisionRecord(timed(decision, research.panel, fold.oosFrom + own[of]!)),
    }));
  });
}
