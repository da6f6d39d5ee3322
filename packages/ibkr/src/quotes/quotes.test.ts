import { afterEach, describe, expect, it } from "vitest";
import { halfTws, rawServer } from "../../test/rawServer.js";
import { systemTimers } from "../session/clock.js";
import { type Link, openLink } from "../session/link.js";
import { type Quote, type QuoteRules, quoteRequest } from "./quotes.js";

const links: Link[] = [];
afterEach(() => {
  for (const link of links.splice(0)) link.close(new Error("the test is over"));
});

const nowUtcMs = Date.UTC(2026, 10, 23, 20, 55);
type Message = readonly (string | number)[];
const price = (type: number, value: number | string): Message => [1, 6, "ID", type, value, 100, 0];
const size = (type: number, value: number | string): Message => [2, 6, "ID", type, value];
const feed = (type: number): Message => [58, 1, "ID", type];
const error = (code: number): Message => [4, 2, "ID", code, "words of the broker", ""];
const end: Message = [57, 1, "ID"];

/** What becomes of these messages as an answer to one request for a snapshot. */
async function quoted(messages: readonly Message[], rules: QuoteRules = {}): Promise<Quote> {
  await using server = await rawServer(
    halfTws({
      answer(fields, send) {
        if (fields[0] !== "1") return;
        expect(fields.slice(-4)).toEqual(["", "1", "0", ""]);
        for (const message of messages)
          send(...message.map((field) => (field === "ID" ? fields[2]! : field)));
      },
    }),
  );
  const link = await openLink({
    host: server.host,
    port: server.port,
    clientId: 1,
    timers: systemTimers,
    onMessage: () => {},
  });
  links.push(link);
  return await link.request(quoteRequest("SPY", { nowUtcMs: () => nowUtcMs }, { timeoutMs: 300, ...rules }));
}

const good = [price(1, 500.1), price(2, 500.2), price(4, 500.15)];

describe("a quote", () => {
  it("is what the live ticks say", async () => {
    const quote = await quoted([feed(1), ...good, price(9, 498), size(8, 12_345), end]);
    expect(quote).toMatchObject({
      feed: "live",
      bid: 500.1,
      ask: 500.2,
      last: 500.15,
      close: 498,
      bidSize: 100,
      volume: 12_345,
      ageMs: 0,
      doubts: [],
    });
  });

  it("is what the delayed ticks say, and at least a quarter of an hour old", async () => {
    const messages = [
      error(10167),
      feed(3),
      price(66, 500.1),
      price(67, 500.2),
      price(68, 500.15),
      size(74, 9),
      end,
    ];
    const quote = await quoted(messages);
    expect(quote).toMatchObject({ feed: "delayed", bid: 500.1, ask: 500.2, last: 500.15, volume: 9 });
    expect(quote.ageMs).toBe(900_000);
    expect(quote.doubts).toEqual(["delayed"]);
  });

  it("is known to be delayed by its ticks when TWS does not say so", async () => {
    expect(await quoted([price(66, 1), price(67, 2), price(68, 1.5), end])).toMatchObject({
      feed: "delayed",
    });
  });

  it.each([-1, 0, "NaN", "1.7976931348623157E308", ""])(
    "has no price where TWS writes %j, and never a zero",
    async (nothing) => {
      const quote = await quoted([feed(1), price(1, nothing), price(2, nothing), price(4, nothing), end]);
      expect([quote.bid, quote.ask, quote.last]).toEqual([undefined, undefined, undefined]);
      expect(quote.doubts).toEqual(["noBid", "noAsk", "noLast"]);
    },
  );

  it("has none where one was withdrawn again", async () => {
    expect((await quoted([...good, price(1, -1), end])).bid).toBeUndefined();
  });

  it("that is empty says so", async () => {
    expect((await quoted([end])).doubts).toEqual(["noBid", "noAsk", "noLast"]);
  });

  it("is crossed when the bid is above the ask", async () => {
    expect((await quoted([price(1, 501), price(2, 500), price(4, 500), end])).doubts).toEqual(["crossed"]);
  });

  it("is stale when the last trade is long ago", async () => {
    const traded = (secondsAgo: number): Message => [46, 6, "ID", 45, nowUtcMs / 1000 - secondsAgo];
    expect((await quoted([...good, traded(30), end])).doubts).toEqual([]);
    const old = await quoted([...good, traded(3600), end]);
    expect(old.doubts).toEqual(["stale"]);
    expect(old.lastTradeUtcMs).toBe(nowUtcMs - 3_600_000);
    const onlyLast = await quoted([price(4, 500), traded(3600), end]);
    expect(onlyLast.ageMs).toBe(3_600_000);
  });

  it("is of the last close when TWS says frozen", async () => {
    expect((await quoted([feed(2), ...good, end])).doubts).toEqual(["frozen"]);
    expect((await quoted([feed(4), price(66, 1), price(67, 2), price(68, 1), end])).doubts).toEqual([
      "delayed",
      "frozen",
    ]);
  });

  it("goes on when a part of the prices is not subscribed (10090)", async () => {
    expect((await quoted([error(10090), ...good, end])).bid).toBe(500.1);
  });

  it.each([
    [354, "no subscription for live data"],
    [10089, "no subscription for live data"],
    [10168, "delayed data is not enabled"],
    [10186, "delayed data is not enabled"],
    [10197, "logged in elsewhere"],
  ])("is refused in words with %i", async (code, words) => {
    await expect(quoted([error(code)])).rejects.toMatchObject({
      code: "PF_IBKR_MARKET_DATA",
      brokerCode: code,
      symbol: "SPY",
      message: expect.stringContaining(words),
      next: expect.any(String),
    });
  });

  it("that never ends is a timeout, and not the ticks that came", async () => {
    await expect(quoted(good)).rejects.toMatchObject({ code: "PF_IBKR_TIMEOUT" });
  });
});
