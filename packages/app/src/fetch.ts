import type { BarSource, SymbolOutcome } from "@pf/bars";
import type { LoadedConfig } from "@pf/config";
import type { SessionDate, Ticker, TradingCalendar } from "@pf/market";
import type { SessionSetting } from "./broker.js";
import { earlierOf, lastCompleteSession, readRange } from "./dates.js";
import { FetchIncompleteError, NothingFinishedError, RequestError } from "./errors.js";
import { describeFailure, type ErrorFields, errorFields } from "./failures.js";
import type { Clock, ProgressListener } from "./ports.js";

export const sourceNames = ["ibkr", "csv", "synthetic"] as const;
export type SourceName = (typeof sourceNames)[number];

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
  readonly warnings: readonly string[];
  readonly error: ErrorFields | null;
}

export interface FetchOutcome {
  /** The name under which the bars stand in the cache. */
  readonly source: string;
  readonly start: SessionDate;
  readonly end: SessionDate;
  /** In the order asked for. */
  readonly symbols: readonly FetchedSymbol[];
  /** Present when a symbol failed. */
  readonly error?: ErrorFields;
}

export interface FetchSetting extends SessionSetting {
  readonly dataFolder: string;
  readonly calendar: TradingCalendar;
  readonly clock: Clock;
  readonly onProgress: ProgressListener;
  /** Lets signals in, and throws when one asked to stop. */
  readonly checkpoint: () => Promise<void>;
}

/**
 * Brings the cache up to date with a source: what is missing is asked for, and some of what is there, to notice a
 * rewritten history. A symbol that fails costs no other.
 *
 * @throws what keeps all symbols from being fetched: usage, an unreachable source, a cache that cannot be written
 */
export async function fetchMarket(
  request: FetchRequest,
  loaded: LoadedConfig,
  setting: FetchSetting,
): Promise<FetchOutcome> {
  const { universe, ibkr } = loaded.config;
  const { calendar } = setting;
  const symbols = request.symbols ?? universe;
  if (symbols.length === 0)
    throw new RequestError("no symbol to fetch", "name some, as in --symbols SPY,QQQ");
  // What is mistyped is told before anybody connects to anything.
  readRange({ start: request.start ?? ibkr.start, end: request.end ?? ibkr.end ?? undefined }, calendar);
  const { openBarCache } = await import("@pf/bars");
  const cache = openBarCache(setting.dataFolder);
  for (const symbol of symbols) cache.file(symbol);
  const opened = await openSource(request, loaded, setting);
  try {
    return await fetchFrom(opened, symbols, request, loaded, setting);
  } finally {
    await opened.close?.();
  }
}

async function fetchFrom(
  { source, clock }: OpenSource,
  symbols: readonly Ticker[],
  request: FetchRequest,
  { config }: LoadedConfig,
  { dataFolder, calendar, onProgress, checkpoint, signal }: FetchSetting,
): Promise<FetchOutcome> {
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
    { symbols: [...new Set(symbols)], from: start, to, completeThrough: complete },
    {
      replace: request.replace ?? false,
      ...(signal ? { signal } : {}),
      onProgress: ({ symbol, index, count, outcome }) => {
        if (!outcome) onProgress({ step: `fetching ${symbol}`, at: index + 1, total: count });
      },
    },
  );
  const fetched = outcomes.map(fetchedSymbol);
  const failed = outcomes.filter(({ status }) => status === "failed");
  return {
    source: source.name,
    start,
    end: to,
    symbols: fetched,
    ...(failed.length > 0
      ? { error: errorFields(describeFailure(incomplete(failed, outcomes.length))) }
      : {}),
  };
}

/** A start in the future shall be told apart from a range in the wrong order: the end is then not the reader's. */
function latest(complete: SessionDate, { start }: FetchRequest): string {
  return start !== undefined && start > complete ? start : complete;
}

interface OpenSource {
  readonly source: BarSource;
  /** Says which sessions are over. */
  readonly clock: Clock;
  close?(): Promise<void>;
}

async function openSource(
  { source, csvDir }: FetchRequest,
  { config }: LoadedConfig,
  setting: FetchSetting,
): Promise<OpenSource> {
  const { calendar, clock, onProgress } = setting;
  // Naming a folder of files says which source is meant.
  const name = source ?? (csvDir === undefined ? config.data.source : "csv");
  switch (name) {
    case "ibkr": {
      const { host, port } = config.ibkr;
      onProgress({ step: `connecting to TWS at ${host}:${port}` });
      const { openSessionForBars } = await import("./broker.js");
      const { barSourceOf, simulatedMarketOf } = await import("@pf/ibkr");
      const session = await openSessionForBars(config, setting);
      // In a simulator it is what time it says; the broker's clock only guards against a machine that is ahead.
      const simulated = simulatedMarketOf(session.greeting) !== undefined;
      return {
        source: barSourceOf(session, calendar, {
          onPause: (ms, { code }) =>
            onProgress({ step: `waiting ${Math.round(ms / 1000)} s, as the broker asks (${code})` }),
        }),
        clock: {
          nowUtcMs: () =>
            simulated ? session.clock.nowUtcMs() : Math.min(session.clock.nowUtcMs(), clock.nowUtcMs()),
        },
        close: () => session.close(),
      };
    }
    case "synthetic": {
      const { syntheticSource } = await import("@pf/bars");
      return { source: syntheticSource({ seed: config.data.synthetic.seed, calendar }), clock };
    }
    case "csv": {
      const folder = csvDir ?? config.data.csvDir;
      if (!folder) {
        throw new RequestError(
          "the csv source needs a folder",
          "name it with --csv-dir DIR, or set data.csv_dir",
        );
      }
      const { csvSource } = await import("@pf/bars");
      return { source: csvSource(folder, calendar), clock };
    }
  }
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

function fetchedSymbol(outcome: SymbolOutcome): FetchedSymbol {
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
