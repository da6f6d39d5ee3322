import type { Ticker } from "@pf/market";
import { stockContract } from "../account/contracts.js";
import { MarketDataError } from "../errors.js";
import type { Clock } from "../session/clock.js";
import type { LinkRequest } from "../session/link.js";

/** Which prices TWS gave, whatever was asked for. */
export type Feed = "live" | "frozen" | "delayed" | "delayedFrozen";

/** What is wrong with a quote for somebody who wants to trade on it. */
export type QuoteDoubt =
  /** Prices of 15 to 20 minutes ago. */
  | "delayed"
  /** Prices of the last close. */
  | "frozen"
  | "noBid"
  | "noAsk"
  | "noLast"
  /** The bid is above the ask. */
  | "crossed"
  /** The last trade is older than asked for. */
  | "stale";

/** A picture of the prices of one symbol. A price that is not known is undefined, never 0. */
export interface Quote {
  readonly symbol: Ticker;
  readonly feed: Feed;
  /** Dollars a share. */
  readonly bid: number | undefined;
  readonly ask: number | undefined;
  readonly last: number | undefined;
  readonly open: number | undefined;
  readonly high: number | undefined;
  readonly low: number | undefined;
  /** Of the session before, adjusted for splits and dividends since. */
  readonly close: number | undefined;
  /** Shares. */
  readonly bidSize: number | undefined;
  readonly askSize: number | undefined;
  readonly lastSize: number | undefined;
  readonly volume: number | undefined;
  /** When the picture was complete, by the broker's clock. */
  readonly atUtcMs: number;
  /** When the last trade was, if TWS says so. */
  readonly lastTradeUtcMs: number | undefined;
  /** How old the prices are at least: 15 minutes where delayed, and not less than the last trade where it is all there is. */
  readonly ageMs: number;
  readonly doubts: readonly QuoteDoubt[];
}

export interface QuoteRules {
  /** A last trade older than this makes a quote stale. @default 900000 */
  readonly staleAfterMs?: number;
  /** @default 15000: TWS collects for up to 11 s */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal | undefined;
}

/** Quotes asked for together; each symbol has one or the other. */
export interface QuoteSheet {
  readonly quotes: ReadonlyMap<Ticker, Quote>;
  readonly missing: ReadonlyMap<Ticker, Error>;
}

const delayMs = 15 * 60_000;
const feeds: Readonly<Record<number, Feed>> = { 1: "live", 2: "frozen", 3: "delayed", 4: "delayedFrozen" };

type PriceName = "bid" | "ask" | "last" | "open" | "high" | "low" | "close";
type SizeName = "bidSize" | "askSize" | "lastSize" | "volume";

// Live types, and the delayed ones that stand for the same.
const prices: Readonly<Record<number, PriceName>> = {
  1: "bid",
  2: "ask",
  4: "last",
  6: "high",
  7: "low",
  9: "close",
  14: "open",
  66: "bid",
  67: "ask",
  68: "last",
  72: "high",
  73: "low",
  75: "close",
  76: "open",
};
const sizes: Readonly<Record<number, SizeName>> = {
  0: "bidSize",
  3: "askSize",
  5: "lastSize",
  8: "volume",
  69: "bidSize",
  70: "askSize",
  71: "lastSize",
  74: "volume",
};
const lastTradeTypes = new Set([45, 88]);
const noPrices = new Set([354, 420, 10089, 10168, 10186, 10197]);

/**
 * One picture of a symbol's prices.
 *
 * @throws MarketDataError when the account may not see any
 */
export function quoteRequest(symbol: Ticker, clock: Clock, rules: QuoteRules = {}): LinkRequest<Quote> {
  const { staleAfterMs = delayMs, timeoutMs = 15_000, signal } = rules;
  return {
    what: `quote of ${symbol}`,
    lane: { name: "quotes", limit: 40 },
    timeoutMs,
    signal,
    // Never a regulatory snapshot (the last argument): each costs money, even on paper.
    send: (api, reqId) => api.reqMktData(reqId, stockContract(symbol), "", true, false),
    cancel: (api, reqId) => api.cancelMktData(reqId),
    receive(answer, wire) {
      const found: { [K in PriceName | SizeName]?: number } = {};
      let feed: Feed = "live";
      let lastTradeUtcMs: number | undefined;
      return {
        marketDataType: (_, type) => {
          feed = feeds[type] ?? feed;
        },
        tickPrice: (_, type, price) => {
          const name = prices[type];
          if (type >= 66 && feed === "live") feed = "delayed";
          // -1 and 0 mean that there is none, also where there was one before.
          if (!name) return;
          found[name] = price !== undefined && price > 0 && Number.isFinite(price) ? price : Number.NaN;
          // The library loses the size that comes with a live bid.
          const size = Number(wire.fields[5] || "NaN");
          if ((name === "bid" || name === "ask" || name === "last") && size >= 0) found[`${name}Size`] = size;
        },
        tickSize: (_, type, size) => {
          const name = type === undefined ? undefined : sizes[type];
          if (name && size !== undefined && size >= 0) found[name] = size;
        },
        tickString: (_, type, value) => {
          const seconds = Number(value);
          if (lastTradeTypes.has(type) && seconds > 0) lastTradeUtcMs = seconds * 1000;
        },
        tickSnapshotEnd: () =>
          answer.resolve(quoteOf(symbol, feed, found, lastTradeUtcMs, clock.nowUtcMs(), staleAfterMs)),
      };
    },
    refused({ code, message }, answer) {
      // A part of the prices is missing, or delayed ones are shown: the picture itself says which.
      if (code === 10090 || code === 10167) return "handled";
      if (!noPrices.has(code)) return undefined;
      answer.reject(new MarketDataError(symbol, code, message));
      return "handled";
    },
  };
}

function quoteOf(
  symbol: Ticker,
  feed: Feed,
  found: { readonly [K in PriceName | SizeName]?: number },
  lastTradeUtcMs: number | undefined,
  atUtcMs: number,
  staleAfterMs: number,
): Quote {
  const known = (value: number | undefined) =>
    value === undefined || Number.isNaN(value) ? undefined : value;
  const [bid, ask, last] = [known(found.bid), known(found.ask), known(found.last)];
  const isDelayed = feed === "delayed" || feed === "delayedFrozen";
  const sinceTradeMs = lastTradeUtcMs === undefined ? 0 : Math.max(atUtcMs - lastTradeUtcMs, 0);
  const ageMs = Math.max(isDelayed ? delayMs : 0, bid === undefined || ask === undefined ? sinceTradeMs : 0);
  const doubts: QuoteDoubt[] = [];
  if (isDelayed) doubts.push("delayed");
  if (feed === "frozen" || feed === "delayedFrozen") doubts.push("frozen");
  if (bid === undefined) doubts.push("noBid");
  if (ask === undefined) doubts.push("noAsk");
  if (last === undefined) doubts.push("noLast");
  if (bid !== undefined && ask !== undefined && bid > ask) doubts.push("crossed");
  if (sinceTradeMs > staleAfterMs + (isDelayed ? delayMs : 0)) doubts.push("stale");
  return {
    symbol,
    feed,
    bid,
    ask,
    last,
    open: known(found.open),
    high: known(found.high),
    low: known(found.low),
    close: known(found.close),
    bidSize: found.bidSize,
    askSize: found.askSize,
    lastSize: found.lastSize,
    volume: found.volume,
    atUtcMs,
    lastTradeUtcMs,
    ageMs,
    doubts,
  };
}
