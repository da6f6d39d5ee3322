import type { Hours, LastBar } from "@pf/compliance";
import type { LoadedConfig } from "@pf/config";
import type { Quote as BrokerQuote, ContractInfo, IbkrSession } from "@pf/ibkr";
import {
  alignPanel,
  type BarSeries,
  type Panel,
  type SessionDate,
  type Ticker,
  type TradingCalendar,
} from "@pf/market";
import type { Quote, Quotes } from "@pf/orders";
import { hashOf } from "../manifest.js";
import { loadMarket } from "../market-data.js";
import { dataHashOf } from "../research/ledger.js";
import { TradeDataError } from "./errors.js";

/** The bars a decision is made on. */
export interface DecisionBars {
  readonly panel: Panel;
  /** Hash of everything in it. */
  readonly fingerprint: string;
  /** The last finished bar of each symbol, at the price that was paid then. */
  readonly lastBars: Readonly<Record<Ticker, LastBar>>;
}

export interface GatherSetting {
  readonly dataFolder: string;
  readonly calendar: TradingCalendar;
  readonly onProgress: (progress: { step: string }) => void;
  readonly signal?: AbortSignal;
}

/**
 * Brings the cache up to date through a session and adds today's unfinished bar where that decides.
 *
 * @throws TradeDataError when a symbol could not be brought up to date: half a market decides nothing
 */
export async function gatherBars(
  session: IbkrSession,
  today: SessionDate,
  { config }: LoadedConfig,
  { dataFolder, calendar, onProgress, signal }: GatherSetting,
): Promise<DecisionBars> {
  const { barSourceOf, historyOf } = await import("@pf/ibkr");
  const { barsBetween, fetchBars, openBarCache } = await import("@pf/bars");
  const before = calendar.previous(today);
  const cache = openBarCache(dataFolder);
  onProgress({ step: `fetching bars up to ${before}` });
  const stop = signal ? { signal } : {};
  const outcomes = await fetchBars(
    cache,
    barSourceOf(session, calendar),
    calendar,
    {
      symbols: config.universe,
      from: config.ibkr.start as SessionDate,
      to: before,
      completeThrough: before,
    },
    stop,
  );
  const failed = outcomes.filter(({ error }) => error !== undefined);
  if (failed.length > 0) {
    throw new TradeDataError(
      failed.map(({ symbol, error }) => `${symbol}: ${error!.message}`),
      { cause: failed[0]!.error },
    );
  }
  // Only what is complete up to yesterday: a cache that reaches further was filled at another time of day.
  const market = await loadMarket(dataFolder, config.universe, { end: before });
  const stale = Object.entries(market.facts).filter(([, { last }]) => last !== null && last < before);
  if (stale.length > 0) {
    throw new TradeDataError(
      stale.map(([symbol, { last }]) => `${symbol}: its last bar is of ${last}, not of ${before}`),
    );
  }
  const lastBars = await lastBarsOf(dataFolder, config.universe, before);
  const complete = dataHashOf(market);
  if (config.rebalance.decisionBar === "last_complete") {
    return { panel: market.panel, fingerprint: complete, lastBars };
  }

  onProgress({ step: `asking for today's unfinished bars` });
  const history = historyOf(session, calendar);
  const asked = await Promise.all(
    config.universe.map(async (ticker) => {
      const wanted = { whatToShow: "ADJUSTED_LAST", barSize: "1 day", from: today, to: today } as const;
      const { series } = await history.bars(ticker, wanted, signal);
      return series;
    }),
  );
  const missing = asked.filter(({ sessions }) => sessions.at(-1) !== today);
  if (missing.length > 0) {
    throw new TradeDataError(missing.map(({ ticker }) => `${ticker}: no bar of today yet`));
  }
  const cached = await Promise.all(config.universe.map((ticker) => cache.read(ticker)));
  const start = config.ibkr.start as SessionDate;
  const series = cached.map((stored, at) =>
    joined(barsBetween(stored!.series, stored!.series.sessions[0] ?? start, before), asked[at]!, today),
  );
  const bars = asked.map(({ ticker, open, high, low, close }) => [
    ticker,
    open.at(-1),
    high.at(-1),
    low.at(-1),
    close.at(-1),
  ]);
  return { panel: alignPanel(series), fingerprint: hashOf([complete, today, bars]), lastBars };
}

/** The last cached bar of each symbol up to a day, at prices as traded where the cache has them. */
export async function lastBarsOf(
  dataFolder: string,
  universe: readonly Ticker[],
  day: SessionDate,
): Promise<Readonly<Record<Ticker, LastBar>>> {
  const { openBarCache } = await import("@pf/bars");
  const cache = openBarCache(dataFolder);
  const bars: Record<Ticker, LastBar> = {};
  for (const ticker of universe) {
    const stored = (await cache.read(ticker, "trades")) ?? (await cache.read(ticker));
    if (!stored) continue;
    const { sessions, close } = stored.series;
    let at = sessions.length - 1;
    while (at >= 0 && sessions[at]! > day) at--;
    if (at >= 0) bars[ticker] = { session: sessions[at]!, close: close[at]! };
  }
  return bars;
}

function joined(series: BarSeries, today: BarSeries, session: SessionDate): BarSeries {
  const at = today.sessions.lastIndexOf(session);
  const add = (column: Float64Array, from: Float64Array) => Float64Array.from([...column, from[at]!]);
  return {
    ticker: series.ticker,
    sessions: [...series.sessions, session],
    open: add(series.open, today.open),
    high: add(series.high, today.high),
    low: add(series.low, today.low),
    close: add(series.close, today.close),
    volume: add(series.volume, today.volume),
  };
}

/** Prices and rules of the market at this moment. */
export interface MarketNow {
  readonly quotes: Quotes;
  readonly liquidHours: Readonly<Record<Ticker, Hours | null>>;
  readonly contracts: ReadonlyMap<Ticker, ContractInfo>;
  /** Symbols without a price, with why. */
  readonly missing: ReadonlyMap<Ticker, string>;
}

/** Asks for quotes and contracts of some symbols. One that fails is reported and has no price. */
export async function askMarket(
  session: IbkrSession,
  symbols: readonly Ticker[],
  today: SessionDate,
  signal?: AbortSignal,
): Promise<MarketNow> {
  const [sheet, infos] = await Promise.all([
    session.quotes(symbols, signal ? { signal } : {}),
    Promise.allSettled(symbols.map((symbol) => session.contract(symbol, signal))),
  ]);
  signal?.throwIfAborted();
  const quotes: Record<Ticker, Quote> = {};
  const liquidHours: Record<Ticker, Hours | null> = {};
  const contracts = new Map<Ticker, ContractInfo>();
  const missing = new Map<Ticker, string>();
  symbols.forEach((symbol, at) => {
    const answer = infos[at]!;
    const quote = sheet.quotes.get(symbol);
    if (answer.status === "rejected") {
      missing.set(symbol, String((answer.reason as Error).message));
      return;
    }
    contracts.set(symbol, answer.value);
    const day = answer.value.liquidHours.find(({ session: of }) => of === today);
    liquidHours[symbol] = day?.open ? { openUtcMs: day.opensUtcMs, closeUtcMs: day.closesUtcMs } : null;
    const priced = quote === undefined ? undefined : pricedNow(quote);
    if (quote === undefined || priced === undefined) {
      missing.set(symbol, sheet.missing.get(symbol)?.message ?? "the quote holds no price");
      return;
    }
    quotes[symbol] = {
      ...priced,
      bid: quote.bid ?? null,
      ask: quote.ask ?? null,
      tick: answer.value.minTick,
      feed: quote.feed === "live" ? "live" : "delayed",
    };
  });
  return { quotes, liquidHours, contracts, missing };
}

/** A last trade may be so much older than the quote it came with before bid and ask tell the price better. */
const recentTradeMs = 120_000;

/**
 * The price of a quote and when it was made: the last trade while it is recent, else the middle of bid and ask, else the
 * last trade at its own time. A frozen quote is of another session, whatever its prices are.
 */
export function pricedNow(quote: BrokerQuote): Pick<Quote, "price" | "atUtcMs"> | undefined {
  const { last, bid, ask, atUtcMs, ageMs, lastTradeUtcMs, doubts } = quote;
  const asOf = doubts.includes("frozen") ? null : atUtcMs - ageMs;
  const isRecent = lastTradeUtcMs === undefined || atUtcMs - lastTradeUtcMs <= ageMs + recentTradeMs;
  if (last !== undefined && isRecent && !doubts.includes("stale")) return { price: last, atUtcMs: asOf };
  if (bid !== undefined && ask !== undefined && bid <= ask) return { price: (bid + ask) / 2, atUtcMs: asOf };
  if (last === undefined) return undefined;
  const own = asOf === null || lastTradeUtcMs === undefined ? null : Math.min(asOf, lastTradeUtcMs);
  return { price: last, atUtcMs: own };
}
