import type { LoadedConfig } from "@pf/config";
import type { TradingCalendar } from "@pf/market";
import {
  assessTrials,
  type Fold,
  type OverfittingReport,
  planWalkForward,
  prepareResearch,
  type Research,
  runTrials,
  type Study,
} from "@pf/research";
import type { Extensions } from "@pf/selection";
import { barKindOf } from "../bar-kind.js";
import { readRange } from "../dates.js";
import { type Manifest, manifestOf } from "../manifest.js";
import { loadMarket, type MarketData, yearOf } from "../market-data.js";
import type { Clock, ProgressListener } from "../ports.js";
import { dataHashOf, enterTrials, ledgerName, type TrialCount } from "./ledger.js";
import { studyOf, trialsOf } from "./study.js";
import { type UnitRunner, unitRunner } from "./unit-runner.js";

/** What a search is asked for, whatever it searches. */
export interface SearchRequest {
  /** First and last day, `YYYY-MM-DD`, inclusive; rows outside do not exist for the indicators either. */
  readonly start?: string;
  readonly end?: string;
  /** The metric to choose by. Default `permutation.objective`. */
  readonly objective?: string;
  /** Threads to use, 0 for none. Default: as the work needs. The results are the same for every number. */
  readonly workers?: number;
  /** Whether to draw the pictures. Default true. */
  readonly plots?: boolean;
}

export interface SearchSetting {
  readonly dataFolder: string;
  readonly outFolder: string;
  /** Where the ledger of trials lives. */
  readonly stateFolder: string;
  readonly version: string;
  readonly calendar: TradingCalendar;
  readonly clock: Clock;
  readonly extensions: Extensions;
  readonly onProgress: ProgressListener;
  /** Lets signals in, and throws when one asked to stop. */
  readonly checkpoint: () => Promise<void>;
  readonly signal?: AbortSignal;
  /** The module that threads run, where it is not beside the built package. */
  readonly workerEntry?: URL | undefined;
}

/** Bars, a grid and windows, ready to be searched. */
export interface Search {
  readonly market: MarketData;
  readonly research: Research;
  readonly study: Study;
  readonly spans: { readonly trainYears: number; readonly oosMonths: number };
  readonly folds: readonly Fold[];
  /** The most bars any combination of the grid needs before it can decide. */
  readonly warmUp: number;
}

/**
 * Loads the bars, the study and the windows of a search.
 *
 * @throws GridError, WindowError and all that {@link loadMarket} throws
 */
export async function openSearch(
  request: SearchRequest,
  loaded: LoadedConfig,
  { dataFolder, calendar, extensions, onProgress, checkpoint }: SearchSetting,
): Promise<Search> {
  const range = readRange(request, calendar);
  const described = studyOf(loaded, request.objective);
  const { trainYears, oosMonths } = loaded.config.walkforward;
  onProgress({ step: "reading bars" });
  const market = await loadMarket(dataFolder, loaded.config.universe, range, barKindOf(loaded));
  const study = { ...described, options: { ...described.options, ...yearOf(market) } };
  const folds = planWalkForward(market.panel.sessions, { trainYears, oosMonths });
  const research = prepareResearch(market.panel, study, extensions);
  await checkpoint();
  const warmUp = Math.max(...research.plan.strategies.map((strategy) => strategy?.warmUp ?? 0));
  return { market, research, study, spans: { trainYears, oosMonths }, folds, warmUp };
}

/**
 * Where the units of a search run: on the cores of this machine, in this thread, or on the workers of a queue.
 *
 * @param label - what is searched, for whoever looks at the queue
 */
export async function openRunner(
  label: string,
  { research }: Search,
  { workers }: SearchRequest,
  loaded: LoadedConfig,
  setting: SearchSetting,
): Promise<UnitRunner> {
  const { executor } = loaded.config.research;
  const hasExtensions = Object.values(setting.extensions).some((registry) => registry !== undefined);
  if (executor === "bullmq") {
    const { queueRunner } = await import("./queue.js");
    const { version: program, onProgress } = setting;
    return queueRunner(research, loaded, { label, program, workers, hasExtensions, onProgress });
  }
  return unitRunner(research, {
    workers,
    isInline: executor === "inline",
    hasExtensions,
    pause: () => new Promise((resolve) => setImmediate(resolve)),
    entry: setting.workerEntry,
  });
}

/** How far the best of the grid can be trusted, and how many trials that was held against. */
export interface TrialAssessment {
  readonly overfitting: OverfittingReport;
  readonly trials: TrialCount;
  /** What a person should know about the ledger. */
  readonly notes: readonly string[];
}

/** 924 ways of halving the history: enough for a probability of two digits, in a tenth of the time that 16 blocks take. */
const crossValidationBlocks = 12;

/** Enters the search into the ledger and measures its grid against everything that was ever tried on the same bars. */
export async function assessSearch(
  command: string,
  { market, research, study }: Search,
  { stateFolder, clock, extensions, onProgress, checkpoint }: SearchSetting,
): Promise<TrialAssessment> {
  onProgress({ step: "measuring how far the best of the grid can be trusted" });
  await checkpoint();
  const tried = runTrials(market.panel, study, extensions, research.plan, research.features);
  await checkpoint();
  const entry = { command, data: dataHashOf(market), trials: trialsOf(study, research.plan) };
  const trials = await enterTrials(stateFolder, entry, clock);
  const overfitting = assessTrials(tried, study, {
    trials: trials.count,
    blocks: crossValidationBlocks,
    ...yearOf(market),
  });
  await checkpoint();
  const { unreadable } = trials;
  return {
    overfitting,
    trials,
    notes:
      unreadable === 0
        ? []
        : [
            `${unreadable} ${unreadable === 1 ? "line" : "lines"} of ${ledgerName} cannot be read: more was tried than is counted`,
          ],
  };
}

/** A manifest that says what was searched beside what it was searched on. */
export type SearchManifest<Facts> = Manifest & { readonly study: Facts };

export function searchManifest<Facts>(
  command: string,
  version: string,
  loaded: LoadedConfig,
  { market, study, warmUp }: Search,
  facts: Facts,
): SearchManifest<Facts> {
  return { ...manifestOf(command, version, loaded, market, { lag: study.lag, warmUp }), study: facts };
}
