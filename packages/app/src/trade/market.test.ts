import type { Quote as BrokerQuote } from "@pf/ibkr";
import { describe, expect, it } from "vitest";
import { pricedNow } from "./market.js";

const now = Date.UTC(2026, 10, 23, 20, 55);
const minutes = 60_000;
const quote = (more: Partial<BrokerQuote>): BrokerQuote => ({
  symbol: "SPY",
  feed: "live",
  bid: 660,
  ask: 660.1,
  last: 660.05,
  open: undefined,
  high: undefined,
  low: undefined,
  close: undefined,
  bidSize: undefined,
  askSize: undefined,
  lastSize: undefined,
  volume: undefined,
  atUtcMs: now,
  lastTradeUtcMs: now - 1_000,
  ageMs: 0,
  doubts: [],
  ...more,
});

describe("the price that orders are sized with", () => {
  it("is the last trade while that is recent", () => {
    expect(pricedNow(quote({}))).toEqual({ price: 660.05, atUtcMs: now });
    expect(pricedNow(quote({ lastTradeUtcMs: undefined }))).toEqual({ price: 660.05, atUtcMs: now });
  });

  it("is the middle of bid and ask where the last trade is old, whatever it was", () => {
    const old = quote({ last: 600, lastTradeUtcMs: now - 3 * 24 * 60 * minutes, doubts: ["stale"] });
    expect(pricedNow(old)?.price).toBeCloseTo(660.05, 10);
    expect(pricedNow(quote({ last: undefined }))?.price).toBeCloseTo(660.05, 10);
  });

  it("is an old trade at its own time where there is nothing else, or bid and ask are crossed", () => {
    const traded = now - 30 * minutes;
    const alone = { last: 600, lastTradeUtcMs: traded, doubts: ["stale" as const] };
    expect(pricedNow(quote({ ...alone, bid: undefined }))).toEqual({ price: 600, atUtcMs: traded });
    expect(pricedNow(quote({ ...alone, bid: 661 }))).toEqual({ price: 600, atUtcMs: traded });
  });

  it("is as old as delayed prices are, and of nobody knows when where it is frozen", () => {
    const delayed = quote({
      feed: "delayed",
      ageMs: 15 * minutes,
      lastTradeUtcMs: now - 15 * minutes,
      doubts: ["delayed"],
    });
    expect(pricedNow(delayed)).toEqual({ price: 660.05, atUtcMs: now - 15 * minutes });
    expect(pricedNow(quote({ feed: "frozen", doubts: ["frozen"] }))?.atUtcMs).toBeNull();
  });

  it("is none where nothing is known", () => {
    expect(pricedNow(quote({ last: undefined, bid: undefined }))).toBeUndefined();
    expect(pricedNow(quote({ last: undefined, bid: 661 }))).toBeUndefined();
  });
});
