import type { BarSeries, Panel, SessionDate, Ticker } from "@pf/market";
import { alignPanel } from "@pf/market";
import type { DateRange } from "./dates.js";
import { EmptyCacheError, NoSessionsError } from "./errors.js";

/** What one symbol brought to a result. */
export interface SeriesFacts {
  /** Content hash of the bars that were seen. */
  readonly hash: string;
  readonly source: string;
  readonly rows: number;
  readonly first: SessionDate | null;
  readonly last: SessionDate | null;
}

/** The bars of a universe on one axis, cut to a range, with what a manifest says about them. */
export interface MarketData {
  readonly panel: Panel;
  /** By symbol, universe order. */
  readonly facts: Readonly<Record<Ticker, SeriesFacts>>;
  /** Symbols of which the cache holds no prices as traded. */
  readonly withoutTrades: readonly Ticker[];
}

/**
 * Reads the cached bars of a universe and cuts them to a range, so that every indicator starts inside it.
 *
 * @throws EmptyCacheError when there is not one of them, MissingBarsError naming those without bars otherwise
 * @throws CacheFileError when a file is damaged or not ours
 * @throws NoSessionsError when there is no bar in the range
 */
export async function loadMarket(
  dataFolder: string,
  universe: readonly Ticker[],
  range: DateRange,
): Promise<MarketData> {
  const { barsBetween, contentHash, loadSeries, MissingBarsError, openBarCache } = await import("@pf/bars");
  const cache = openBarCache(dataFolder);
  const {
    series: whole,
    hashes,
    sources,
  } = await loadSeries(cache, universe).catch((error: unknown) => {
    const isFirstRun = error instanceof MissingBarsError && error.symbols.length === universe.length;
    throw isFirstRun ? new EmptyCacheError(universe, dataFolder, { cause: error }) : error;
  });
  const cut = whole.map((series) => {
    const [first, last] = [series.sessions[0], series.sessions.at(-1)];
    return first === undefined || last === undefined
      ? series
      : barsBetween(series, range.start ?? first, range.end ?? last);
  });
  if (cut.every(({ sessions }) => sessions.length === 0)) throw nothingThere(whole, range);
  const facts = cut.map((series, at): [Ticker, SeriesFacts] => [
    series.ticker,
    {
      hash: series === whole[at] ? hashes[series.ticker]! : contentHash(series),
      source: sources[series.ticker]!,
      rows: series.sessions.length,
      first: series.sessions[0] ?? null,
      last: series.sessions.at(-1) ?? null,
    },
  ]);
  const traded = new Set(cache.tickers("trades"));
  return {
    panel: alignPanel(cut),
    facts: Object.fromEntries(facts),
    withoutTrades: universe.filter((ticker) => !traded.has(ticker)),
  };
}

/** The cached bars as traded, of the symbols that have any. */
export async function loadTrades(
  dataFolder: string,
  universe: readonly Ticker[],
): Promise<ReadonlyMap<Ticker, BarSeries>> {
  const { openBarCache } = await import("@pf/bars");
  const cache = openBarCache(dataFolder);
  const stored = await Promise.all(universe.map((ticker) => cache.read(ticker, "trades")));
  return new Map(stored.flatMap((bars) => (bars ? [[bars.series.ticker, bars.series] as const] : [])));
}

function nothingThere(series: readonly BarSeries[], { start, end }: DateRange): NoSessionsError {
  const firsts = series.flatMap(({ sessions }) => sessions.slice(0, 1)).sort();
  const lasts = series.flatMap(({ sessions }) => sessions.slice(-1)).sort();
  const asked = start && end ? `from ${start} to ${end}` : start ? `from ${start} on` : `up to ${end}`;
  return new NoSessionsError(asked, firsts[0] ?? "nothing", lasts.at(-1) ?? "nothing");
}
