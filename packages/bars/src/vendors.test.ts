import { inspect } from "node:util";
import { impliedDividends } from "@pf/market";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  alpacaBars,
  answering,
  histories,
  keys,
  plainHistory,
  type Trick,
  tiingoRows,
  type VendorServer,
  vendorServer,
} from "../test/vendors.js";
import { bits, calendar, day, temporaryFolder } from "../test/world.js";
import { alpacaSource } from "./alpaca.js";
import { type BarCache, openBarCache } from "./cache.js";
import { fetchBars, type IngestOptions } from "./ingest.js";
import type { PlanOptions } from "./plan.js";
import type { BarSource } from "./source.js";
import { tiingoSource } from "./tiingo.js";
import type { VendorOptions } from "./vendor.js";

let server: VendorServer;
let pauses: { ms: number; reason: string }[];
beforeEach(async () => {
  pauses = [];
  server = await vendorServer({
    SPY: plainHistory("2024-01-02", 40),
    TLT: plainHistory("2024-01-02", 40, 50),
    GLD: plainHistory("2024-01-02", 40, 70),
  });
});
afterEach(() => server.close());

const quick = (options: VendorOptions = {}): VendorOptions => ({
  baseUrl: server.url,
  firstPauseMs: 1,
  onPause: (ms, reason) => pauses.push({ ms, reason }),
  ...options,
});
const vendors = {
  tiingo: (options?: VendorOptions) => tiingoSource({ key: keys.tiingo, ...quick(options) }),
  alpaca: (options?: VendorOptions) =>
    alpacaSource({ keyId: keys.alpacaId, secretKey: keys.alpacaSecret, ...quick(options) }),
};
type Name = keyof typeof vendors;
const names = Object.keys(vendors) as Name[];

const january = { from: day("2024-01-02"), to: day("2024-02-01") };
const ingest = (
  source: BarSource,
  symbols: readonly string[],
  cache: BarCache = openBarCache(temporaryFolder()),
  options: IngestOptions & PlanOptions = {},
) => fetchBars(cache, source, calendar, { symbols, ...january }, options);
/** The error of a fetch of SPY, as the source throws it. */
const failing = (source: BarSource, ticker = "SPY") =>
  source.fetch(ticker, january.from, january.to).then(
    () => expect.unreachable("it was answered"),
    (error: Error & { code?: string; next?: string; wholeSource?: boolean }) => error,
  );
const stored = async (cache: BarCache) => {
  const [daily, trades] = [await cache.read("SPY"), await cache.read("SPY", "trades")];
  return { daily: daily!, trades: trades! };
};

describe("what is asked", () => {
  it("of Tiingo is its daily prices from the first day on, with the key in a header alone", async () => {
    await vendors.tiingo().fetch("SPY", january.from, january.to);
    expect(server.asked).toHaveLength(1);
    const { path, query, headers } = server.asked[0]!;
    expect(path).toBe("/tiingo/daily/SPY/prices");
    expect(query).toEqual({ startDate: "2024-01-02", format: "json" });
    expect(headers.authorization).toBe(`Token ${keys.tiingo}`);
  });

  it("of Alpaca is both adjustments of daily bars of all exchanges, with the key in headers alone", async () => {
    await vendors.alpaca().fetch("SPY", january.from, january.to);
    const shared = {
      symbols: "SPY",
      timeframe: "1Day",
      start: "2024-01-02T00:00:00Z",
      end: "2024-02-01T12:00:00Z",
      limit: "10000",
      feed: "sip",
    };
    expect(server.asked.map(({ path, query }) => [path, query])).toEqual([
      ["/v2/stocks/bars", { ...shared, adjustment: "all" }],
      ["/v2/stocks/bars", { ...shared, adjustment: "split" }],
    ]);
    for (const { headers } of server.asked) {
      expect(headers["apca-api-key-id"]).toBe(keys.alpacaId);
      expect(headers["apca-api-secret-key"]).toBe(keys.alpacaSecret);
    }
  });

  it("names share classes as each of them does", async () => {
    server.histories["BRK-B"] = plainHistory("2024-01-02", 3);
    server.histories["BRK.B"] = plainHistory("2024-01-02", 4);
    for (const own of ["BRK.B", "BRK-B"]) {
      const { adjusted } = await vendors.tiingo().fetch(own, january.from, january.to);
      expect([adjusted.ticker, adjusted.sessions.length]).toEqual([own, 3]);
      const bars = await vendors.alpaca().fetch(own, january.from, january.to);
      expect([bars.trades!.ticker, bars.trades!.sessions.length]).toEqual([own, 4]);
    }
  });
});

describe.each(names)("the bars of %s", (name) => {
  it("are adjusted ones and those as traded, whose returns differ on ex-days by the dividend and else not", () =>
    fc.assert(
      fc.asyncProperty(histories(), async (history) => {
        server.histories.X = history;
        const { sessions, dividends, splits } = history;
        const { adjusted, trades } = await vendors[name]().fetch("X", sessions[0]!, sessions.at(-1)!);
        expect(adjusted.sessions).toEqual(sessions);
        expect(trades!.sessions).toEqual(sessions);
        const paid = impliedDividends(adjusted.close, trades!.close);
        for (let row = 1; row < sessions.length; row++) {
          const later = splits.slice(row + 1).reduce((product, split) => product * split, 1);
          const dividend = dividends[row]! / later;
          const before = trades!.close[row - 1]!;
          const gain = adjusted.close[row]! / adjusted.close[row - 1]! - trades!.close[row]! / before;
          expect(gain).toBeCloseTo(dividend / before, 9);
          // In dollars it is what the account engine books, which takes vendors to divide by the price before.
          expect(paid[row]!).toBeLessThan(dividend * 1.05 + 1e-9);
          if (dividend === 0) expect(paid[row]).toBe(0);
        }
        // Every price of a day is adjusted alike, and shares only ever for splits.
        for (const field of ["open", "high", "low"] as const) {
          const apart = adjusted.close.map((close, row) => close / trades!.close[row]!);
          adjusted[field].forEach((price, row) => {
            expect(price / trades![field][row]!).toBeCloseTo(apart[row]!, 9);
          });
        }
        const held = splits.map((_, row) =>
          splits.slice(row + 1).reduceRight((product, split) => product * split, 1),
        );
        expect([...trades!.volume]).toEqual(held.map((shares, row) => (1000 + row) * shares));
        expect([...adjusted.volume]).toEqual([...trades!.volume]);
        // On the last day nothing is adjusted yet.
        expect(trades!.close.at(-1)).toBe(history.close.at(-1));
        expect(adjusted.close.at(-1)).toBe(history.close.at(-1));
      }),
      { numRuns: 25 },
    ));

  it("come to the same files however many fetches they came in", () =>
    fc.assert(
      fc.asyncProperty(
        histories("2024-01-02", { min: 20, max: 50 }),
        fc.array(fc.record({ from: fc.nat(49), length: fc.nat(49), later: fc.nat(5) }), { maxLength: 6 }),
        async (history, steps) => {
          server.histories.X = history;
          const last = history.sessions.length - 1;
          const at = (row: number) => history.sessions[Math.min(row, last)]!;
          const grown = openBarCache(temporaryFolder());
          let now = 0;
          for (const { from, length, later } of steps) {
            now = Math.max(now, Math.min(from + length + later, last));
            server.asOf = at(now);
            const span = {
              symbols: ["X"],
              from: at(Math.min(from, now)),
              to: at(Math.min(from + length, now)),
            };
            const [outcome] = await fetchBars(grown, vendors[name](), calendar, span);
            expect(outcome!.error).toBeUndefined();
          }
          server.asOf = at(last);
          const everything = { symbols: ["X"], from: at(0), to: at(last) };
          await fetchBars(grown, vendors[name](), calendar, everything);
          const whole = openBarCache(temporaryFolder());
          await fetchBars(whole, vendors[name](), calendar, everything);
          for (const kind of ["daily", "trades"] as const) {
            const [ours, theirs] = [(await grown.read("X", kind))!, (await whole.read("X", kind))!];
            expect(ours.series.sessions).toEqual(theirs.series.sessions);
            expect(bits(ours.series)).toEqual(bits(theirs.series));
            expect(ours.source).toBe(name);
          }
        },
      ),
      { numRuns: 25 },
    ));

  it("are asked for once, then only for what is missing and the overlap", async () => {
    const cache = openBarCache(temporaryFolder());
    const [first] = await ingest(vendors[name](), ["SPY"], cache);
    expect(first).toMatchObject({ status: "ok", added: 22, first: "2024-01-02", last: "2024-02-01" });
    const before = await stored(cache);
    server.asked.length = 0;
    const [second] = await ingest(vendors[name](), ["SPY"], cache);
    expect(second).toMatchObject({ status: "ok", added: 0, refetched: false, requests: 1 });
    for (const { query } of server.asked) expect(query.startDate ?? query.start).toMatch(/^2024-01-26/);
    expect(bits((await stored(cache)).trades.series)).toEqual(bits(before.trades.series));
    expect((await stored(cache)).daily.hash).toBe(before.daily.hash);
  });

  it("end with the span, whatever of an unfinished day the service adds", async () => {
    const { adjusted, trades } = await vendors[name]().fetch("SPY", day("2024-01-02"), day("2024-01-10"));
    expect([adjusted.sessions.at(-1), trades!.sessions.at(-1)]).toEqual(["2024-01-10", "2024-01-10"]);
  });

  it("say where the history begins, if that is later than asked for", async () => {
    const { notes } = await vendors[name]().fetch("SPY", day("2023-06-01"), january.to);
    expect(notes).toEqual([
      { text: `${name}'s history begins on 2024-01-02; bars were asked for from 2023-06-01 on` },
    ]);
    expect((await vendors[name]().fetch("SPY", day("2024-01-01"), january.to)).notes).toEqual([]);
  });

  it("of a day twice, out of order, or without a session are refused by the checks, and cost no other symbol", async () => {
    const plain = plainHistory("2024-01-02", 40);
    const [first, second, ...rest] = plain.sessions;
    Object.assign(server.histories, {
      SPY: { ...plain, sessions: [second!, first!, ...rest] },
      TLT: { ...plain, sessions: [first!, first!, ...rest] },
      // Closed in memory of Martin Luther King.
      HOL: {
        ...plain,
        sessions: plain.sessions.map((one) => (one === "2024-01-16" ? day("2024-01-15") : one)),
      },
    });
    const wanted = { symbols: ["SPY", "TLT", "HOL", "GLD"], from: day("2024-01-01"), to: january.to };
    const outcomes = await fetchBars(openBarCache(temporaryFolder()), vendors[name](), calendar, wanted);
    const found = outcomes.map(
      ({ error }) => error?.message.match(/comes twice|stands after|was closed/)?.[0],
    );
    expect(found).toEqual(["stands after", "comes twice", "was closed", undefined]);
    expect(outcomes[3]).toMatchObject({ status: "ok", rows: 22 });
  });
});

describe("pages of Alpaca", () => {
  it("are read to the last, and make the same bars", async () => {
    const whole = await vendors.alpaca().fetch("SPY", january.from, january.to);
    for (const pageSize of [1, 7, 21, 22]) {
      server.pageSize = pageSize;
      server.asked.length = 0;
      const paged = await vendors.alpaca().fetch("SPY", january.from, january.to);
      expect(paged.adjusted.sessions).toEqual(whole.adjusted.sessions);
      expect(bits(paged.trades!)).toEqual(bits(whole.trades!));
      expect(server.asked).toHaveLength(2 * Math.ceil(22 / pageSize));
      expect(server.asked.at(-1)!.query.page_token === undefined).toBe(pageSize === 22);
    }
  });

  it("that go in a circle are an error, and no endless loop", async () => {
    server.trick = answering(200, { bars: {}, next_page_token: "again" });
    expect((await failing(vendors.alpaca())).message).toContain("its pages go in a circle");
    expect(server.asked).toHaveLength(2);
  });

  it("without bars are those of a symbol nobody knows", async () => {
    for (const bars of [{}, null]) {
      server.tricks.push(answering(200, { bars, next_page_token: null }), answering(200, { bars }));
      const [outcome] = await ingest(vendors.alpaca(), ["SPY"]);
      expect(outcome!.error).toMatchObject({ code: "PF_NO_BARS" });
    }
  });
});

describe("limits", () => {
  it.each(names)("of %s are waited for as long as it says, and then it is asked again", async (name) => {
    server.tricks.push(
      answering(429, { message: "too many requests." }, { "Retry-After": "0" }),
      answering(429, { message: "too many requests." }, { "Retry-After": "1" }),
    );
    const [outcome] = await ingest(vendors[name]({ longestPauseMs: 2_000 }), ["SPY"]);
    expect(outcome).toMatchObject({ status: "ok", rows: 22 });
    expect(pauses.map(({ ms }) => ms)).toEqual([0, 1000]);
    expect(pauses[1]!.reason).toBe(`${name}: too many requests.`);
  });

  it("without a word on their length are waited for longer and longer, four times", async () => {
    server.trick = answering(429, "");
    const error = await failing(vendors.alpaca({ firstPauseMs: 2 }));
    expect(error).toMatchObject({ code: "PF_SOURCE_LIMIT", wholeSource: true });
    expect(pauses.map(({ ms }) => ms)).toEqual([2, 4, 8]);
    expect(error.next).toBe(
      "run the same command again when the limit is over; what was fetched is not asked for twice",
    );
  });

  it("that last longer than anybody waits are told with their end", async () => {
    const later = new Date(Date.now() + 41 * 60_000).toUTCString();
    const spent = { detail: "Error: You have run over your hourly request allocation. Please upgrade." };
    server.trick = answering(429, spent, { "Retry-After": later });
    const error = await failing(vendors.tiingo());
    expect(error.message).toBe(
      "tiingo has been asked as often as it allows for now: You have run over your hourly request allocation. Please upgrade.",
    );
    expect(error.next).toMatch(/again in 4[12] minutes; what was fetched is not asked for twice$/);
    expect([server.asked.length, pauses]).toEqual([1, []]);
  });

  it.each([
    [429, { detail: "Error: You have run over your hourly request allocation." }],
    [200, "You have run over your 500 symbol look up for this month. Please upgrade."],
    [200, { detail: "You have run over your 50 unique symbols." }],
  ])("of Tiingo's allowances are seen behind status %i too, and not asked again", async (status, body) => {
    server.trick = answering(status, body);
    const error = await failing(vendors.tiingo());
    expect(error).toMatchObject({ code: "PF_SOURCE_LIMIT" });
    expect(error.message).toContain("You have run over your");
    expect(server.asked).toHaveLength(1);
  });

  it("of Alpaca's minute are kept before they are met", async () => {
    let now = Date.UTC(2024, 5, 3, 12);
    const reset = String(now / 1000 + 1);
    server.tricks.push((response) => {
      response.setHeader("X-RateLimit-Remaining", "0");
      response.setHeader("X-RateLimit-Reset", reset);
      return false;
    });
    const source = vendors.alpaca({
      nowUtcMs: () => now,
      onPause: (ms) => {
        pauses.push({ ms, reason: "" });
        now += ms;
      },
    });
    await source.fetch("SPY", january.from, january.to);
    expect(pauses).toEqual([{ ms: 1000, reason: "" }]);
  });

  it("end the run, keep what came before them, and name the way on", async () => {
    const cache = openBarCache(temporaryFolder());
    server.tricks.push(
      () => false,
      answering(429, { detail: "You have run over your hourly request allocation." }),
    );
    await expect(ingest(vendors.tiingo(), ["SPY", "TLT", "GLD"], cache)).rejects.toMatchObject({
      code: "PF_SOURCE_LIMIT",
    });
    expect(cache.tickers()).toEqual(["SPY"]);
    expect(server.asked).toHaveLength(2);
  });
});

describe("refusals", () => {
  it.each<[Name, number, unknown]>([
    ["tiingo", 401, { detail: "Invalid token." }],
    ["tiingo", 403, { detail: "Please supply a token" }],
    ["alpaca", 401, { message: "unauthorized." }],
    ["alpaca", 403, { message: "forbidden." }],
    ["alpaca", 403, ""],
  ])("of the key by %s (%i) end the run and name its variable", async (name, status, body) => {
    server.trick = answering(status, body);
    const error = await failing(vendors[name]());
    expect(error).toMatchObject({ code: "PF_SOURCE_KEY", wholeSource: true });
    for (const variable of name === "tiingo"
      ? ["TIINGO_API_KEY"]
      : ["APCA_API_KEY_ID", "APCA_API_SECRET_KEY"]) {
      expect(error.message).toContain(variable);
      expect(error.next).toContain(variable);
    }
    expect(server.asked).toHaveLength(1);
  });

  it.each<[Name, number, unknown, string]>([
    [
      "alpaca",
      403,
      { message: "subscription does not permit querying recent SIP data" },
      "PF_SOURCE_REFUSED",
    ],
    ["alpaca", 400, { message: "invalid symbol: SPY" }, "PF_NO_BARS"],
    ["alpaca", 422, { message: "end is before start" }, "PF_SOURCE_REFUSED"],
    ["alpaca", 404, { message: "Not Found" }, "PF_SOURCE_REFUSED"],
    ["tiingo", 403, { detail: "Your plan does not include this ticker" }, "PF_SOURCE_REFUSED"],
    ["tiingo", 404, { detail: "Not found." }, "PF_NO_BARS"],
    ["tiingo", 404, "<html>not here</html>", "PF_NO_BARS"],
    ["tiingo", 200, { detail: "Error: Ticker 'SPY' not found" }, "PF_NO_BARS"],
    ["tiingo", 302, "", "PF_SOURCE_REFUSED"],
  ])("of one symbol by %s (%i %j) cost no other", async (name, status, body, code) => {
    server.tricks.push(answering(status, body, status === 302 ? { Location: "http://127.0.0.1:1/" } : {}));
    const outcomes = await ingest(vendors[name](), ["SPY", "TLT"]);
    expect(outcomes[0]!.error).toMatchObject({ code });
    const said = Object.values(Object(body))[0];
    if (typeof said === "string" && code === "PF_SOURCE_REFUSED")
      expect(outcomes[0]!.error!.message).toContain(said);
    expect(outcomes[1]).toMatchObject({ status: "ok", rows: 22 });
  });
});

describe("answers that are no bars", () => {
  const row = tiingoRows(plainHistory("2024-01-02", 1))[0]!;
  const bar = alpacaBars(plainHistory("2024-01-02", 1))[0]!;
  const { adjClose: _, ...incomplete } = row;
  const bars = (value: unknown) => ({ bars: { SPY: value }, next_page_token: null });

  it.each<[Name, unknown, string]>([
    ["tiingo", "[{", 'it is not JSON, it begins with "[{"'],
    ["tiingo", "", "it is empty"],
    ["tiingo", "<html>welcome</html>", 'it is not JSON, it begins with "<html>welcome</html>"'],
    ["tiingo", { detail: "hello" }, 'it is the message the text "hello", not a list of prices'],
    ["tiingo", "null", "it is null, not a list of prices"],
    ["tiingo", [1], "row 1 is 1"],
    ["tiingo", [incomplete], "adjClose of 2024-01-02 is missing, not a number"],
    ["tiingo", [{ ...row, volume: "1000" }], 'volume of 2024-01-02 is the text "1000", not a number'],
    [
      "tiingo",
      [{ ...row, close: null, open: true }],
      "open of 2024-01-02 is true, not a number; close of 2024-01-02 is null",
    ],
    ["tiingo", [{ ...row, splitFactor: 0 }], "splitFactor of 2024-01-02 is 0, not a positive number"],
    ["tiingo", [{ ...row, date: "2024-02-30" }], 'date of row 1 is the text "2024-02-30"'],
    ["tiingo", [{ ...row, date: 1704153600 }], "date of row 1 is 1704153600"],
    ["tiingo", JSON.stringify([row]).replace('"adjOpen":99.9', '"adjOpen":NaN'), "it is not JSON"],
    [
      "tiingo",
      JSON.stringify([row]).replace('"adjOpen":99.9', '"adjOpen":1e999'),
      "adjOpen of 2024-01-02 is Infinity",
    ],
    ["alpaca", "{", 'it is not JSON, it begins with "{"'],
    ["alpaca", [], "it is a list, not an object with bars"],
    ["alpaca", {}, "bars is missing, not an object of symbols"],
    ["alpaca", { bars: [] }, "bars is a list, not an object of symbols"],
    ["alpaca", { bars: { QQQ: [bar] } }, 'it has bars of the text "QQQ", who was not asked for'],
    ["alpaca", bars({}), "bars of SPY is an object, not a list"],
    ["alpaca", { ...bars([bar]), next_page_token: 3 }, "next_page_token is 3, not a text or null"],
    ["alpaca", bars([null]), "bar 1 is null"],
    ["alpaca", bars([{ ...bar, c: "9" }]), 'c of 2024-01-02 is the text "9", not a number'],
    ["alpaca", bars([{ ...bar, v: undefined }]), "v of 2024-01-02 is missing, not a number"],
    [
      "alpaca",
      bars([{ ...bar, t: "2024-01-02T14:30:00Z" }]),
      't of bar 1 is the text "2024-01-02T14:30:00Z", not midnight in New York',
    ],
    ["alpaca", bars([{ ...bar, t: "yesterday" }]), 't of bar 1 is the text "yesterday"'],
  ])("from %s, %j", async (name, body, words) => {
    const cache = openBarCache(temporaryFolder());
    server.tricks.push(answering(200, body));
    const outcomes = await ingest(vendors[name](), ["SPY", "TLT"], cache);
    expect(outcomes[0]!.error).toMatchObject({ code: "PF_SOURCE_ANSWER" });
    expect(outcomes[0]!.error!.message).toContain(words);
    expect(outcomes[1]).toMatchObject({ status: "ok" });
    expect(cache.tickers()).toEqual(["TLT"]);
  });

  it("may be odd after the span, where only splits count", async () => {
    const rows = tiingoRows(plainHistory("2024-01-02", 3));
    server.trick = answering(200, [
      ...rows.slice(0, 2),
      { date: rows[2]!.date, close: null, splitFactor: 2 },
    ]);
    const { adjusted, trades } = await vendors.tiingo().fetch("SPY", january.from, day("2024-01-03"));
    expect(adjusted.sessions).toEqual(["2024-01-02", "2024-01-03"]);
    expect([...trades!.close]).toEqual(rows.slice(0, 2).map(({ close }) => close / 2));
  });
});

describe("faults of the service", () => {
  const cut: Trick = (response) => {
    response.writeHead(200, { "Content-Length": "1000" });
    response.write("[");
    setTimeout(() => response.destroy(), 5);
  };
  const silent: Trick = () => {};
  const slow: Trick = (response) => {
    response.writeHead(200);
    response.write("[");
  };

  it.each<[string, Trick, RegExp]>([
    ["errors of its own", answering(503, "<html>busy</html>"), /503 Service Unavailable/],
    [
      "errors with words",
      answering(500, { message: "internal server error" }),
      /500 .*: internal server error/,
    ],
    ["cut connections", cut, /the connection broke/],
    ["silence", silent, /no answer within 0.1 s/],
    ["answers that never end", slow, /no answer within 0.1 s/],
  ])("such as %s are asked again, and told after four times", async (_, trick, words) => {
    server.tricks.push(trick, trick);
    const [recovered] = await ingest(vendors.tiingo({ timeoutMs: 100 }), ["SPY"]);
    expect(recovered).toMatchObject({ status: "ok", rows: 22 });
    expect(pauses.map(({ ms }) => ms)).toEqual([1, 2]);
    server.asked.length = 0;
    server.tricks.push(trick, trick, trick, trick);
    const outcomes = await ingest(vendors.tiingo({ timeoutMs: 100 }), ["SPY", "TLT"]);
    expect(outcomes[0]!.error).toMatchObject({ code: "PF_SOURCE_FAULT" });
    expect(outcomes[0]!.error!.message).toMatch(words);
    expect(outcomes[1]).toMatchObject({ status: "ok" });
    expect(server.asked).toHaveLength(5);
  });

  it("for three symbols in a row mean that the service is down, and the others are not asked for", async () => {
    server.trick = answering(502, "");
    const error = await ingest(vendors.alpaca(), ["SPY", "TLT", "GLD", "QQQ"]).catch(
      (caught: Error) => caught,
    );
    expect(error).toMatchObject({ code: "PF_SOURCE_UNAVAILABLE" });
    expect((error as Error).message).toContain("failed for 3 symbols in a row: 502 Bad Gateway");
    expect(server.asked).toHaveLength(12);
  });

  it("that nobody listens at the address is told at once", async () => {
    await server.close();
    const error = await failing(vendors.tiingo());
    expect(error).toMatchObject({ code: "PF_SOURCE_UNAVAILABLE", wholeSource: true });
    expect(error.message).toContain("refuses the connection (ECONNREFUSED)");
    expect(pauses).toEqual([]);
  });
});

describe("a person who wants to stop", () => {
  it.each<[string, Trick]>([
    ["during a question", () => {}],
    ["during a wait", answering(429, "", { "Retry-After": "60" })],
  ])("%s is obeyed at once", async (_, trick) => {
    server.tricks.push(trick);
    const stop = new AbortController();
    const asking = ingest(vendors.alpaca(), ["SPY"], undefined, { signal: stop.signal });
    setTimeout(() => stop.abort(), 30);
    const began = performance.now();
    await expect(asking).rejects.toMatchObject({ code: "PF_INTERRUPTED" });
    expect(performance.now() - began).toBeLessThan(5_000);
  });
});

describe("an address", () => {
  it.each(["http://data.example.org", "ftp://127.0.0.1", "http://127.0.0.1.example.org", "nowhere"])(
    "such as %s is refused before any key is sent",
    (baseUrl) => {
      expect(() => vendors.tiingo({ baseUrl })).toThrow(
        expect.objectContaining({ code: "PF_SOURCE_UNAVAILABLE" }) as Error,
      );
    },
  );

  it("may be HTTPS anywhere, or this machine", () => {
    for (const baseUrl of ["https://data.example.org/base", "http://localhost:1", "http://[::1]:1"])
      expect(vendors.alpaca({ baseUrl }).name).toBe("alpaca");
  });
});

describe("keys", () => {
  it("that can be none are refused without being shown", () => {
    for (const key of ["", " ", `${keys.tiingo}\n`, "schlüssel"]) {
      let told = "";
      try {
        tiingoSource({ key, baseUrl: server.url });
      } catch (error) {
        told = inspect(error, { depth: 9 });
        expect(error).toMatchObject({ code: "PF_SOURCE_KEY", variables: ["TIINGO_API_KEY"] });
      }
      expect(told).toContain("TIINGO_API_KEY is empty or holds characters that no key has");
      if (key.trim() !== "") expect(told).not.toContain(key.trim());
    }
    expect(() => alpacaSource({ keyId: "a", secretKey: "", baseUrl: server.url })).toThrow(
      "APCA_API_SECRET_KEY",
    );
  });

  it("stand in no error, outcome, wait or source, also where the service repeats them", async () => {
    let told = "";
    for (const name of names) {
      const own = name === "tiingo" ? [keys.tiingo] : [keys.alpacaId, keys.alpacaSecret];
      const echo = own.join(" ");
      const tricks: Trick[] = [
        ...[400, 401, 403, 404, 422, 429, 500].flatMap((status) => [
          answering(status, { detail: echo, message: `key ${echo} is wrong` }),
          answering(status, echo),
          answering(status, `${"x".repeat(190)} ${echo}`),
        ]),
        answering(200, echo),
        answering(200, { detail: echo }),
        answering(200, { message: echo }),
        answering(200, [{ date: echo, close: echo }]),
        answering(200, { bars: { SPY: [{ t: echo }] }, next_page_token: echo }),
        answering(200, { bars: { [echo]: [] } }),
        (response) => {
          response.writeHead(400, echo);
          response.end();
        },
        (response) => {
          response.destroy();
        },
      ];
      for (const trick of tricks) {
        server.trick = trick;
        const source = vendors[name]({ firstPauseMs: 0 });
        const outcome = await ingest(source, ["SPY"]).catch((error: Error) => error);
        told += inspect([source, outcome], { depth: 12, showHidden: true });
        told += JSON.stringify([outcome, pauses.splice(0)]);
      }
    }
    expect(server.asked.length).toBeGreaterThan(40);
    expect(told).toContain("…");
    // Not even a part of one, cut off by a shortened text.
    expect(told.match(/(tk-|PKID|as-a).{0,12}/g) ?? []).toEqual([]);
    for (const { path, query } of server.asked) expect(path + JSON.stringify(query)).not.toMatch(/SECRET/);
  });
});
