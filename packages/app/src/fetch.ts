import type { BarSource, SymbolOutcome } from "@pf/bars";
import type { LoadedConfig } from "@pf/config";
import type { SessionDate, Ticker } from "@pf/market";
import { barKindOf } from "./bar-kind.js";
import { earlierOf, lastCompleteSession, readRange } from "./dates.js";
import { FetchIncompleteError, NothingFinishedError, RequestError } from "./errors.js";
import { describeFailure, type ErrorFields, errorFields } from "./failures.js";
import {
  type OpenSource,
  openSource,
  requireBarsOf,
  type SourceName,
  type SourceSetting,
  sourceKeys,
} from "./sources.js";

export interface FetchRequest {
  /** Default: `data.source` of the configuration. */
  readonly source?: SourceName;
  /** Folder of `SYMBOL.csv`; default: `data.csv_dir`. */
  readonly csvDir?: string;
  /** Default: the universe. */
  readonly symbols?: readonly Ticker[];
  /** First and last day, `YYYY-MM-DD`; default: `ibkr.start` and `ibkr.end`, else the last complete session. */
  readonly start?: string;
  readonly end?: string;
  /** Fetch everything anew, also over bars of another source and over damaged files. */
  readonly replace?: boolean;
}

/** What became of one symbol; what is unknown is `null`. */
export interface FetchedSymbol {
  readonly symbol: Ticker;
  readonly status: "ok" | "failed";
  readonly added: number;
  readonly refetched: boolean;
  readonly first: SessionDate | null;
  readonly last: SessionDate | null;
  readonly rows: number;
  readonly hash: string | null;
  readonly requests: number;
  /** The source of the bars that the cache holds now. */
  readonly source: string | null;
  readonly warnings: readonly string[];
  readonly error: ErrorFields | null;
}

export interface FetchOutcome {
  /** The name under which the bars of the main source stand in the cache. */
  readonly source: string;
  /** Of hourly bars. */
  readonly timeframe?: "1 hour";
  readonly start: SessionDate;
  readonly end: SessionDate;
  /** In the order asked for. */
  readonly symbols: readonly FetchedSymbol[];
  /** Present when a symbol failed. */
  readonly error?: ErrorFields;
}

export interface FetchSetting extends SourceSetting {
  readonly dataFolder: string;
  /** Lets signals in, and throws when one asked to stop. */
  readonly checkpoint: () => Promise<void>;
}

/**
 * Brings the cache up to date with a source: what is missing is asked for, and some of what is there, to notice a
 * rewritten history. A symbol that fails costs no other.
 *
 * A symbol that the source does not have, and that the cache has from nowhere, is asked of the sources in
 * `data.fallback`, one after the other; the one that gave it serves it from then on, because bars of two sources never
 * share a file.
 *
 * @throws what keeps all symbols from being fetched: usage, a missing key, an unreachable source, a cache that cannot be
 *   written
 */
export async function fetchMarket(
  request: FetchRequest,
  loaded: LoadedConfig,
  setting: FetchSetting,
): Promise<FetchOutcome> {
  const { universe, ibkr, data } = loaded.config;
  const { calendar } = setting;
  const symbols = [...new Set(request.symbols ?? universe)];
  if (symbols.length === 0)
    throw new RequestError("no symbol to fetch", "name some, as in --symbols SPY,QQQ");
  // What is mistyped or missing is told before anybody connects to anything.
  readRange({ start: request.start ?? ibkr.start, end: request.end ?? ibkr.end ?? undefined }, calendar);
  const { openBarCache } = await import("@pf/bars");
  const cache = openBarCache(setting.dataFolder);
  for (const symbol of symbols) cache.file(symbol);
  // Naming a folder of files says which source is meant.
  const main = request.source ?? (request.csvDir === undefined ? data.source : "csv");
  const fallbacks = data.fallback.filter((name) => name !== main);
  for (const name of [main, ...fallbacks]) requireBarsOf(name, loaded, name !== main);
  for (const name of [main, ...fallbacks]) await sourceKeys(name, setting, name !== main);

  const kind = barKindOf(loaded);
  const cached =
    fallbacks.length === 0 ? new Map<Ticker, string>() : await cachedSources(symbols, kind, setting);
  const isFrom = (name: string, symbol: Ticker) => cached.get(symbol) === name;
  const ofMain = symbols.filter(
    (symbol) => request.replace || !fallbacks.some((name) => isFrom(name, symbol)),
  );
  const whole = await fetchFrom(main, ofMain, request, loaded, setting);

  const results = new Map(whole.results.map((result) => [result.outcome.symbol, result]));
  for (const name of fallbacks) {
    const ofThis = symbols.filter((symbol) => {
      const outcome = results.get(symbol)?.outcome;
      if (outcome === undefined) return isFrom(name, symbol);
      const isFree = !cached.has(symbol) || isFrom(name, symbol);
      return isFree && outcome.status === "failed" && doesNotHave(outcome.error);
    });
    if (ofThis.length === 0) continue;
    const found = await fetchInstead(name, ofThis, request, loaded, setting);
    for (const symbol of ofThis) results.set(symbol, later(results.get(symbol), found.get(symbol)!, name));
  }

  const fetched = symbols.map((symbol) => results.get(symbol)!);
  const failed = fetched.map(({ outcome }) => outcome).filter(({ status }) => status === "failed");
  return {
    source: whole.source,
    ...(kind === "hourly" ? { timeframe: "1 hour" as const } : {}),
    start: whole.start,
    end: whole.end,
    symbols: fetched.map(fetchedSymbol),
    ...(failed.length > 0 ? { error: errorFields(describeFailure(incomplete(failed, fetched.length))) } : {}),
  };
}

/** What became of a symbol, and at whose hands. */
interface Result {
  readonly outcome: SymbolOutcome;
  readonly source: string;
}

interface WholeFetch {
  readonly source: string;
  readonly start: SessionDate;
  readonly end: SessionDate;
  readonly results: readonly Result[];
}

async function fetchFrom(
  name: SourceName,
  symbols: readonly Ticker[],
  request: FetchRequest,
  loaded: LoadedConfig,
  setting: FetchSetting,
  /** Told of a source that stands in for another. */
  onResult?: (result: Result) => void,
): Promise<WholeFetch> {
  const opened = await openSource(name, request.csvDir, loaded, setting);
  try {
    return await fetchThrough(opened, symbols, request, loaded, setting, onResult);
  } finally {
    await opened.close?.();
  }
}

async function fetchThrough(
  { source, clock }: OpenSource,
  symbols: readonly Ticker[],
  request: FetchRequest,
  { config }: LoadedConfig,
  { dataFolder, calendar, onProgress, checkpoint, signal }: FetchSetting,
  onResult: ((result: Result) => void) | undefined,
): Promise<WholeFetch> {
  const complete = lastCompleteSession(calendar, clock);
  const { start, end } = readRange(
    {
      start: request.start ?? config.ibkr.start,
      end: request.end ?? config.ibkr.end ?? latest(complete, request),
    },
    calendar,
  ) as { start: SessionDate; end: SessionDate };
  const to = earlierOf(end, complete);
  if (start > to) throw new NothingFinishedError(start, end, complete);

  const { fetchBars, openBarCache } = await import("@pf/bars");
  const outcomes = await fetchBars(
    openBarCache(dataFolder),
    interruptible(source, checkpoint),
    calendar,
    { symbols, from: start, to, completeThrough: complete },
    {
      replace: request.replace ?? false,
      ...(signal ? { signal } : {}),
      onProgress: ({ symbol, index, count, outcome }) => {
        if (outcome) onResult?.({ outcome, source: source.name });
        else {
          const step = onResult ? `fetching ${symbol} from ${source.name}` : `fetching ${symbol}`;
          onProgress({ step, at: index + 1, total: count });
        }
      },
    },
  );
  const results = outcomes.map((outcome) => ({ outcome, source: source.name }));
  return { source: source.name, start, end: to, results };
}

/**
 * Asks a source that stands in for another. What makes it unusable as a whole costs only the symbols that it has not
 * served by then; an interruption, and a cache that cannot be written, concern everything.
 */
async function fetchInstead(
  name: SourceName,
  symbols: readonly Ticker[],
  request: FetchRequest,
  loaded: LoadedConfig,
  setting: FetchSetting,
): Promise<ReadonlyMap<Ticker, Result>> {
  const found = new Map<Ticker, Result>();
  try {
    await fetchFrom(name, symbols, request, loaded, setting, (result) => {
      found.set(result.outcome.symbol, result);
    });
  } catch (error) {
    const { code, exit } = describeFailure(error);
    if (!(error instanceof Error) || exit === 1 || exit === 7 || code === "PF_INTERRUPTED") throw error;
    const { openBarCache, readCoverage } = await import("@pf/bars");
    const rest = symbols.filter((symbol) => !found.has(symbol));
    const coverage = await readCoverage(openBarCache(setting.dataFolder), rest, barKindOf(loaded));
    const nothing = { added: 0, refetched: false, rows: 0, requests: 0, findings: [], warnings: [] };
    for (const symbol of rest) {
      const held = coverage.get(symbol);
      const { first, last, rows, hash } = held && "rows" in held ? held : {};
      const kept = first && last && hash ? { first, last, hash, rows: rows ?? 0 } : {};
      found.set(symbol, { source: name, outcome: { ...nothing, ...kept, symbol, status: "failed", error } });
    }
  }
  return found;
}

/** What is told of a symbol that a second source was asked for. */
function later(before: Result | undefined, after: Result, name: SourceName): Result {
  if (before === undefined) return after;
  const requests = before.outcome.requests + after.outcome.requests;
  const why = (error: Error | undefined) => describeFailure(error).message;
  if (after.outcome.status === "failed") {
    // The main source's word is what somebody expects who thinks of no other.
    const warnings = [...before.outcome.warnings, `nor does ${name} give it: ${why(after.outcome.error)}`];
    return { ...before, outcome: { ...before.outcome, requests, warnings } };
  }
  const warnings = [
    `taken from ${after.source}, because ${why(before.outcome.error)}`,
    ...after.outcome.warnings,
  ];
  return { ...after, outcome: { ...after.outcome, requests, warnings } };
}

/** Failures that say that a source has no usable bars of a symbol. Of others, a line that broke, one cannot know. */
const lacking: ReadonlySet<string> = new Set([
  "PF_NO_BARS",
  "PF_BARS_REFUSED",
  "PF_SOURCE_REFUSED",
  "PF_IBKR_UNKNOWN_SYMBOL",
  "PF_IBKR_NO_HISTORY",
  "PF_IBKR_HISTORY_PERMISSION",
]);

function doesNotHave(error: Error | undefined): boolean {
  return lacking.has(describeFailure(error).code);
}

/** Where cached bars come from; a symbol without usable ones is absent. */
async function cachedSources(
  symbols: readonly Ticker[],
  kind: "daily" | "hourly",
  { dataFolder }: FetchSetting,
): Promise<ReadonlyMap<Ticker, string>> {
  const { openBarCache, readCoverage } = await import("@pf/bars");
  const sources = new Map<Ticker, string>();
  for (const [symbol, coverage] of await readCoverage(openBarCache(dataFolder), symbols, kind)) {
    if ("source" in coverage) sources.set(symbol, coverage.source);
  }
  return sources;
}

/** A start in the future shall be told apart from a range in the wrong order: the end is then not the reader's. */
function latest(complete: SessionDate, { start }: FetchRequest): string {
  return start !== undefined && start > complete ? start : complete;
}

/** Sources that need not wait for anything would keep signals out until the last symbol. */
function interruptible(source: BarSource, checkpoint: () => Promise<void>): BarSource {
  return {
    ...source,
    async fetch(ticker, from, to, options) {
      await checkpoint();
      return source.fetch(ticker, from, to, options);
    },
  };
}

function fetchedSymbol({ outcome, source }: Result): FetchedSymbol {
  const { symbol, status, added, refetched, first, last, rows, hash, requests, warnings, error } = outcome;
  return {
    symbol,
    status,
    added,
    refetched,
    first: first ?? null,
    last: last ?? null,
    rows,
    hash: hash ?? null,
    requests,
    source: error && "cached" in error ? String(error.cached) : rows === 0 ? null : source,
    warnings,
    error: error ? errorFields(describeFailure(error)) : null,
  };
}

/** One failure speaks for itself; of several each is named, with what to do if that is the same for all. */
function incomplete(failed: readonly SymbolOutcome[], asked: number): Error {
  const [only] = failed;
  if (asked === 1 && only?.error) return only.error;
  const told = failed.map(({ symbol, error }) => ({ symbol, ...describeFailure(error) }));
  const ways = new Set(told.map(({ next }) => next));
  return new FetchIncompleteError(
    told.map(({ symbol, code, message }) => ({ symbol, code, message })),
    asked,
    ...(ways.size === 1 ? [told[0]!.next] : []),
  );
}
