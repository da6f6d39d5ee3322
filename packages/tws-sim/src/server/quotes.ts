import type { Quote } from "../venue/venue.js";
import {
  marketDataType,
  type Reply,
  tickPrice,
  tickReqParams,
  tickSize,
  tickSnapshotEnd,
  tickString,
} from "../wire/replies.js";
import type { Request } from "../wire/requests.js";
import { since } from "../wire/versions.js";
import type { Connection, Stream } from "./connection.js";
import type { Context } from "./context.js";
import { resolveContract } from "./contracts.js";

/** How often quotes that changed are sent, simulated milliseconds. */
export const tickPeriodMs = 1000;

/** The numbers of the ticks. */
interface TickTypes {
  readonly bid: number;
  readonly ask: number;
  readonly last: number;
  readonly bidSize: number;
  readonly askSize: number;
  readonly lastSize: number;
  readonly high: number;
  readonly low: number;
  readonly volume: number;
  readonly close: number;
  readonly open: number;
  readonly lastTime: number;
}

const liveTicks: TickTypes = {
  ...{ bid: 1, ask: 2, last: 4, bidSize: 0, askSize: 3, lastSize: 5 },
  ...{ high: 6, low: 7, volume: 8, close: 9, open: 14, lastTime: 45 },
};
const delayedTicks: TickTypes = {
  ...{ bid: 66, ask: 67, last: 68, bidSize: 69, askSize: 70, lastSize: 71 },
  ...{ high: 72, low: 73, volume: 74, close: 75, open: 76, lastTime: 88 },
};

export function answerMarketData(
  context: Context,
  connection: Connection,
  request: Extract<Request, { name: "reqMktData" }>,
): void {
  const { id } = request;
  if (connection.streams.has(id)) {
    context.sendError(connection, id, 322, "Error processing request.-'bD' : cause - Duplicate ticker id");
    return;
  }
  const contract = resolveContract(context, connection, id, request.contract);
  if (!contract) return;
  const feed = chooseFeed(context, connection, id, contract.symbol);
  if (!feed) return;
  if (connection.streams.size >= 100) {
    context.sendError(connection, id, 101, "Max number of tickers has been reached");
    return;
  }

  const { symbol, conId, minTick } = contract;
  context.send(connection, marketDataType(id, shownType(connection, feed)));
  context.send(connection, tickReqParams(id, minTick));
  const isFlowing = context.state.isLinked && context.state.farms.market;
  const quote = context.venue.quote(conId, feed);
  const stream: Stream = { conId, symbol, feed, last: isFlowing ? quote : emptyAt(quote) };
  if (isFlowing)
    for (const tick of ticks(connection, id, symbol, feed, quote)) context.send(connection, tick);
  if (request.snapshot || request.regulatorySnapshot) {
    // Without quotes a snapshot gathers for eleven seconds before it gives up.
    if (isFlowing) context.send(connection, tickSnapshotEnd(id));
    else context.timeline.add(context.now() + 11_000, () => context.send(connection, tickSnapshotEnd(id)));
    return;
  }
  connection.streams.set(id, stream);
}

export function cancelMarketData(context: Context, connection: Connection, id: number): void {
  if (!connection.streams.delete(id))
    context.sendError(connection, id, 300, `Can't find EId with tickerId:${id}`);
}

/** Sends what changed since the last time, to everybody. */
export function streamQuotes(context: Context): void {
  if (!context.state.isLinked || !context.state.farms.market) return;
  const quotes = new Map<string, Quote>();
  for (const connection of context.started()) {
    if (!connection.isComfortable) continue;
    for (const [id, stream] of connection.streams) {
      const { conId, feed, symbol, last } = stream;
      const key = `${feed} ${conId}`;
      const quote = quotes.get(key) ?? context.venue.quote(conId, feed);
      quotes.set(key, quote);
      if (isSameQuote(quote, last)) continue;
      for (const tick of ticks(connection, id, symbol, feed, quote, last)) context.send(connection, tick);
      stream.last = quote;
    }
  }
}

// Of what is in a quote, its time alone is no news.
const quoteParts = [
  "bid",
  "ask",
  "last",
  "bidSize",
  "askSize",
  "lastSize",
  "open",
  "high",
  "low",
  "close",
  "volume",
] as const;

function isSameQuote(a: Quote, b: Quote): boolean {
  return quoteParts.every((part) => a[part] === b[part]);
}

/** Which quotes the client gets; undefined after telling it that it gets none. */
function chooseFeed(
  context: Context,
  connection: Connection,
  id: number,
  symbol: string,
): "live" | "delayed" | undefined {
  const { marketData } = context.state;
  if (marketData === "live") return "live";
  const takesDelayed = connection.marketDataType >= 3;
  if (!takesDelayed) {
    const more =
      marketData === "delayed"
        ? "Delayed market data is available."
        : "Delayed market data is not available.";
    context.sendError(
      connection,
      id,
      354,
      `Requested market data is not subscribed. ${more} ${symbol} NYSE/TOP/ALL`,
    );
    return undefined;
  }
  if (marketData === "none") {
    context.sendError(
      connection,
      id,
      10168,
      "Requested market data is not subscribed. Delayed market data is not enabled.",
    );
    return undefined;
  }
  context.sendError(
    connection,
    id,
    10167,
    "Requested market data is not subscribed. Displaying delayed market data.",
  );
  return "delayed";
}

/** Who asks for frozen quotes gets live ones as long as there are any. */
function shownType(connection: Connection, feed: "live" | "delayed"): number {
  if (feed === "live") return 1;
  return connection.marketDataType === 4 ? 4 : 3;
}

function* ticks(
  connection: Connection,
  id: number,
  symbol: string,
  feed: "live" | "delayed",
  quote: Quote,
  before?: Quote,
): Generator<Reply> {
  const types = feed === "live" ? liveTicks : delayedTicks;
  const inLots = connection.version < since.marketDataInShares;
  const size = (shares: number) => (inLots ? Math.floor(shares / 100) : shares);

  for (const side of ["bid", "ask", "last"] as const) {
    const [price, shares] = [quote[side], quote[`${side}Size`]];
    const isSame = before && before[side] === price && before[`${side}Size`] === shares;
    if (isSame) continue;
    if (price === undefined) {
      // No bid and no ask are told, a trade that never was is not.
      if (side !== "last") yield tickPrice(id, symbol, types[side], -1, 0);
      continue;
    }
    yield tickPrice(id, symbol, types[side], price, size(shares));
    yield tickSize(id, symbol, types[`${side}Size`], size(shares));
    if (side === "last")
      yield tickString(id, symbol, types.lastTime, String(Math.floor(quote.atUtcMs / 1000)));
  }
  if (quote.volume > 0 && before?.volume !== quote.volume)
    yield tickSize(id, symbol, types.volume, size(quote.volume));
  for (const level of ["high", "low", "close", "open"] as const) {
    const price = quote[level];
    if (price !== undefined && before?.[level] !== price) yield tickPrice(id, symbol, types[level], price, 0);
  }
}

function emptyAt(quote: Quote): Quote {
  return {
    ...{
      atUtcMs: quote.atUtcMs,
      bid: undefined,
      ask: undefined,
      last: undefined,
      bidSize: 0,
      askSize: 0,
      lastSize: 0,
    },
    ...{ open: undefined, high: undefined, low: undefined, close: undefined, volume: 0 },
  };
}
