import { rowsPerYear } from "@pf/backtest";
import type { BarSeries, Panel, SessionDate, Ticker } from "@pf/market";
import { alignPanel } from "@pf/market";
import { type RealPrices, realPrices } from "./account/prices.js";
import type { DateRange } from "./dates.js";
import { EmptyCacheError, NoSessionsError } from "./errors.js";

/** What one symbol brought to a result. */
export interface SeriesFacts {
  /** Content hash of the bars that were seen. */
  readonly hash: string;
  /** Of its bars as traded; `null` where adjusted ones stand in for them, absent where nobody looked at them. */
  readonly tradesHash?: string | null;
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
  /** Symbols of which the cache holds no prices as traded; hourly bars have none and need none. */
  readonly withoutTrades: readonly Ticker[];
  readonly kind: "daily" | "hourly";
}

/**
 * What a strategy has to know of hourly bars: how many of them make a year. Daily bars need no word, so that whatever is
 * made from the options stays what it was.
 */
export function yearOf({ kind, panel }: MarketData): { readonly periodsPerYear?: number } {
  return kind === "hourly" ? { periodsPerYear: rowsPerYear(panel.sessions) } : {};
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
  kind: "daily" | "hourly" = "daily",
): Promise<MarketData> {
  const { barsBetween, contentHash, loadSeries, MissingBarsError, openBarCache } = await import("@pf/bars");
  const cache = openBarCache(dataFolder);
  const {
    series: whole,
    hashes,
    sources,
  } = await loadSeries(cache, universe, kind).catch((error: unknown) => {
    const isFirstRun = error instanceof MissingBarsError && error.symbols.length === universe.length;
    throw isFirstRun ? new EmptyCacheError(universe, dataFolder, { cause: error, kind }) : error;
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
  const traded = new Set(kind === "hourly" ? universe : cache.tickers("trades"));
  return {
    panel: alignPanel(cut),
    facts: Object.fromEntries(facts),
    withoutTrades: universe.filter((ticker) => !traded.has(ticker)),
    kind,
  };
}

/** A market beside the prices at which it could be traded. */
export interface TradedMarket extends MarketData {
  readonly prices: RealPrices;
}

/** Adds the cached prices as traded to a market, and to its facts what was seen of them. */
export async function loadTraded(dataFolder: string, market: MarketData): Promise<TradedMarket> {
  const { barsBetween, contentHash, openBarCache } = await import("@pf/bars");
  const { panel } = market;
  const cache = openBarCache(dataFolder);
  const stored = await Promise.all(panel.tickers.map((ticker) => cache.read(ticker, "trades")));
  const [first, last] = [panel.sessions[0]!, panel.sessions.at(-1)!];
  const seen = stored.flatMap((bars) => (bars ? [barsBetween(bars.series, first, last)] : []));
  const prices = realPrices(panel, new Map(seen.map((series) => [series.ticker, series])));
  const { withoutTrades } = prices;
  const facts = { ...market.facts };
  for (const ticker of panel.tickers) facts[ticker] = { ...facts[ticker]!, tradesHash: null };
  for (const series of seen) {
    const { ticker } = series;
    if (withoutTrades.includes(ticker)) continue;
    facts[ticker] = { ...facts[ticker]!, tradesHash: contentHash(series) };
  }
  return { ...market, facts, prices, withoutTrades };
}

function nothingThere(series: readonly BarSeries[], { start, end }: DateRange): NoSessionsError {
  const firsts = series.flatMap(({ sessions }) => sessions.slice(0, 1)).sort();
  const lasts = series.flatMap(({ sessions }) => sessions.slice(-1)).sort();
  const asked = start && end ? `from ${start} to ${end}` : start ? `from ${start} on` : `up to ${end}`;
  return new NoSessionsError(asked, firsts[0] ?? "nothing", lasts.at(-1) ?? "nothing");
}
