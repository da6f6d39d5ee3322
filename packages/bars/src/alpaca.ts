import { type BarSeries, newYorkDateOf, newYorkTimeOf, type SessionDate, type Ticker } from "@pf/market";
import { SourceAnswerError } from "./errors.js";
import type { BarSource, SourceNote } from "./source.js";
import { checkedTicker } from "./ticker.js";
import { answerFaults, inWords, isRow, lateStart, openVendor, type VendorOptions } from "./vendor.js";

/** The environment variables that hold the two halves of the key. */
export const alpacaVariables = ["APCA_API_KEY_ID", "APCA_API_SECRET_KEY"] as const;

export interface AlpacaOptions extends VendorOptions {
  readonly keyId: string;
  readonly secretKey: string;
}

/**
 * Daily bars of Alpaca's market data (`/v2/stocks/bars`), of all US exchanges (`feed=sip`): adjusted ones with
 * `adjustment=all`, those as traded with `adjustment=split`, page after page. Share classes are written with a dot
 * there: `BRK-B` is asked for as `BRK.B`. Its history begins in 2016.
 *
 * A daily bar goes on counting trades until 20:00 in New York: who caches them should not count a session as over
 * before.
 *
 * @throws SourceKeyError for a key that can be none
 * @throws SourceUnavailableError for an address that is not HTTPS
 */
export function alpacaSource({ keyId, secretKey, ...options }: AlpacaOptions): BarSource {
  const vendor = openVendor(
    {
      name: sourceName,
      baseUrl: "https://data.alpaca.markets",
      keys: { [alpacaVariables[0]]: keyId, [alpacaVariables[1]]: secretKey },
      headers: { "APCA-API-KEY-ID": keyId, "APCA-API-SECRET-KEY": secretKey },
      // A plan that lacks something is told with the same status as a wrong key, and with words about it.
      isKeyRefused: (status, said) =>
        status === 401 || (status === 403 && !/subscription|permit|plan/i.test(said)),
      isSymbolUnknown: (status, said) => status === 400 && /invalid symbol/i.test(said),
      isAllowanceSpent: () => false,
    },
    options,
  );

  const ask = async (ticker: Ticker, span: Span, adjustment: "all" | "split", signal?: AbortSignal) => {
    const symbol = ticker.replaceAll("-", ".");
    const bars: unknown[] = [];
    const tokens = new Set<string>();
    for (let token: string | undefined; ; ) {
      const answer = await vendor.ask({
        ticker,
        path: "/v2/stocks/bars",
        query: {
          symbols: symbol,
          timeframe: "1Day",
          start: `${span.from}T00:00:00Z`,
          // Bars carry midnight in New York. Noon is after that of the last day and before its trading ends, so that it
          // is never within the last minutes, which smaller plans may not ask for.
          end: `${span.to}T12:00:00Z`,
          limit: "10000",
          adjustment,
          feed: "sip",
          ...(token === undefined ? {} : { page_token: token }),
        },
        ...(signal ? { signal } : {}),
      });
      const page = pageIn(ticker, symbol, answer);
      bars.push(...page.bars);
      if (page.next === undefined) return seriesOf(ticker, bars);
      if (tokens.has(page.next))
        throw new SourceAnswerError(sourceName, ticker, ["its pages go in a circle"]);
      tokens.add(page.next);
      token = page.next;
    }
  };

  return {
    name: sourceName,
    async fetch(ticker, from, to, { signal } = {}) {
      checkedTicker(ticker);
      const adjusted = await ask(ticker, { from, to }, "all", signal);
      const trades = await ask(ticker, { from, to }, "split", signal);
      return {
        adjusted,
        trades,
        notes: [...lateStart(sourceName, adjusted, from), ...unshared(adjusted, trades)],
      };
    },
  };
}

const sourceName = "alpaca";

interface Span {
  readonly from: SessionDate;
  readonly to: SessionDate;
}

function pageIn(ticker: Ticker, symbol: string, answer: unknown) {
  const unusable = (fault: string) => new SourceAnswerError(sourceName, ticker, [fault]);
  if (answer === undefined) return { bars: [], next: undefined };
  if (!isRow(answer)) throw unusable(`it is ${inWords(answer)}, not an object with bars`);
  const { bars = undefined, next_page_token: next } = answer;
  // Without any bar the field is null or holds no symbol.
  if (bars !== null && !isRow(bars)) throw unusable(`bars is ${inWords(bars)}, not an object of symbols`);
  const stranger = Object.keys(bars ?? {}).find((name) => name !== symbol);
  if (stranger !== undefined) throw unusable(`it has bars of ${inWords(stranger)}, who was not asked for`);
  const own = bars?.[symbol] ?? [];
  if (!Array.isArray(own)) throw unusable(`bars of ${symbol} is ${inWords(own)}, not a list`);
  if (next !== null && next !== undefined && typeof next !== "string") {
    throw unusable(`next_page_token is ${inWords(next)}, not a text or null`);
  }
  return { bars: own as readonly unknown[], next: next === null || next === "" ? undefined : next };
}

function seriesOf(ticker: Ticker, rows: readonly unknown[]): BarSeries {
  const faults = answerFaults(sourceName, ticker);
  const sessions: SessionDate[] = [];
  const columns = {
    o: [] as number[],
    h: [] as number[],
    l: [] as number[],
    c: [] as number[],
    v: [] as number[],
  };
  rows.forEach((row, at) => {
    if (!isRow(row)) {
      faults.add(`bar ${at + 1} is ${inWords(row)}`);
      return;
    }
    const session = sessionIn(row.t);
    if (session === undefined) {
      faults.add(`t of bar ${at + 1} is ${inWords(row.t)}, not midnight in New York`);
      return;
    }
    sessions.push(session);
    for (const [name, column] of Object.entries(columns)) column.push(faults.number(row, name, session));
  });
  faults.check();
  const { o, h, l, c, v } = columns;
  return {
    ticker,
    sessions,
    open: Float64Array.from(o),
    high: Float64Array.from(h),
    low: Float64Array.from(l),
    close: Float64Array.from(c),
    volume: Float64Array.from(v),
  };
}

function sessionIn(t: unknown): SessionDate | undefined {
  if (typeof t !== "string" || !/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})$/.test(t))
    return undefined;
  const utcMs = Date.parse(t);
  if (Number.isNaN(utcMs) || newYorkTimeOf(utcMs) !== "00:00") return undefined;
  return newYorkDateOf(utcMs);
}

/** The two histories are asked for one after the other, and should be of the same days. */
function unshared({ sessions: a }: BarSeries, { sessions: b }: BarSeries): readonly SourceNote[] {
  const [inA, inB] = [new Set(a), new Set(b)];
  const odd = [
    ...a.filter((session) => !inB.has(session)),
    ...b.filter((session) => !inA.has(session)),
  ].sort();
  const session = odd.at(-1);
  return session === undefined
    ? []
    : [{ session, text: "only one of the adjusted and the traded bars of Alpaca has that day" }];
}
