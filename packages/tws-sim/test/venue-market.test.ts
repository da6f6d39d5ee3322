import type { SessionDate } from "@pf/market";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { createVenue } from "../src/venue/create.js";
import { VenueLookupError, VenueOptionsError, VenueTimeError } from "../src/venue/errors.js";
import type { VenueInstrument } from "../src/venue/options.js";
import type { HistoryRequest } from "../src/venue/venue.js";
import {
  account,
  at,
  bars,
  barsOf,
  calendar,
  day,
  errorOf,
  instrumentOf,
  request,
  scrambledAfter,
  world,
} from "./venue-world.js";

let spy: VenueInstrument;
let bnd: VenueInstrument;
let all: readonly VenueInstrument[];
let sessions: readonly SessionDate[];
beforeAll(async () => {
  spy = await instrumentOf("SPY");
  bnd = await instrumentOf("BND");
  all = [spy, bnd];
  sessions = spy.adjusted.sessions;
});

/** A session well inside the data and an instant of its day, open or not. */
const moments = fc.record({
  row: fc.integer({ min: 300, max: 560 }),
  minute: fc.integer({ min: 0, max: 24 * 60 - 1 }),
});
const instantOf = ({ row, minute }: { row: number; minute: number }) =>
  at(sessions[row]!, "00:00") + minute * 60_000;

describe("no future", () => {
  it("changes no answer: bars after today may be anything", () => {
    fc.assert(
      fc.property(moments, fc.double({ min: 0.2, max: 5, noNaN: true }), (moment, factor) => {
        const startUtcMs = instantOf(moment);
        const today = sessions[moment.row]!;
        const ask = (instruments: readonly VenueInstrument[]) => {
          const { venue, contract, send, events, forward } = world({ instruments, startUtcMs });
          const answers: unknown[] = [];
          const look = () => {
            for (const { adjusted } of instruments) {
              const { conId } = contract(adjusted.ticker);
              const base = { duration: { count: 1, unit: "M" } } as const;
              answers.push(venue.history(request(conId, { ...base, whatToShow: "ADJUSTED_LAST" })));
              answers.push(venue.history(request(conId, base)));
              answers.push(
                venue.history(request(conId, { duration: { count: 2, unit: "D" }, barSize: "1 hour" })),
              );
              answers.push(venue.quote(conId, "live"), venue.quote(conId, "delayed"));
            }
            answers.push(venue.summary(account), venue.positions(account), venue.nextDueUtcMs());
          };
          look();
          send("SPY", "BUY", 10);
          send("BND", "BUY", 20, {
            limit: Math.floor((venue.quote(contract("BND").conId, "live").last ?? 50) * 99.9) / 100,
          });
          forward(5_000);
          look();
          venue.advanceTo(Math.max(venue.nowUtcMs, at(today, "23:59")));
          look();
          return { answers, events };
        };
        expect(ask(all.map((one) => scrambledAfter(one, today, factor)))).toEqual(ask(all));
      }),
      { numRuns: 40 },
    );
  });
  it("is in a bar of today until it has happened: each price of it was a quote before", () => {
    const { venue, contract, forward } = world({ instruments: all, startUtcMs: at("2025-09-10", "09:29") });
    const { conId } = contract("SPY");
    let [high, low, before] = [0, Number.POSITIVE_INFINITY, 0];
    for (let minute = 0; minute < 400; minute++) {
      forward(15_000);
      if (venue.nowUtcMs < at("2025-09-10", "09:30")) continue;
      const { last, high: quotedHigh, low: quotedLow, volume } = venue.quote(conId, "live");
      high = Math.max(high, last!);
      low = Math.min(low, last!);
      const bar = barsOf(venue, request(conId, { duration: { count: 1, unit: "D" } }))[0]!;
      expect([bar.high, bar.low, bar.close]).toEqual([high, low, last]);
      expect([quotedHigh, quotedLow]).toEqual([high, low]);
      expect(volume).toBeGreaterThanOrEqual(before);
      before = volume;
    }
    const row = sessions.indexOf(day("2025-09-10"));
    expect(before).toBeLessThan(spy.trades!.volume[row]!);
  });
});

describe("history", () => {
  const startUtcMs = () => at("2026-03-02", "19:00");

  it("gives the bars as they were given, up to the last session, in both views where no dividend follows", () => {
    const plain = bars("XYZ", "2026-02-23", [
      [10, 12, 9, 11],
      [11, 11.5, 10.5, 11.25],
      [11.25, 13, 11, 12.875],
    ]);
    const { venue, contract } = world({ instruments: [{ adjusted: plain }], startUtcMs: startUtcMs() });
    for (const whatToShow of ["TRADES", "ADJUSTED_LAST"]) {
      const found = barsOf(venue, request(contract("XYZ").conId, { whatToShow }));
      expect(
        found.map(({ session, open, high, low, close, volume }) => [session, open, high, low, close, volume]),
      ).toEqual([
        ["2026-02-23", 10, 12, 9, 11, 1_000_000],
        ["2026-02-24", 11, 11.5, 10.5, 11.25, 1_000_000],
        ["2026-02-25", 11.25, 13, 11, 12.875, 1_000_000],
      ]);
      expect(found[0]!.beginsUtcMs).toBe(at("2026-02-23", "09:30"));
    }
  });
  it("of ADJUSTED_LAST has the adjusted returns, and ends where TRADES ends, as of any day", () => {
    fc.assert(
      fc.property(moments, (moment) => {
        const { venue, contract } = world({ instruments: all, startUtcMs: instantOf(moment) });
        for (const { adjusted, trades } of all) {
          const { conId } = contract(adjusted.ticker);
          const seen = barsOf(venue, request(conId, { whatToShow: "ADJUSTED_LAST" }));
          const raw = barsOf(venue, request(conId, { whatToShow: "TRADES" }));
          const complete = seen.filter(({ session }) => calendar.closeUtcMs(session) <= venue.nowUtcMs);
          expect(complete.length).toBeGreaterThan(280);
          complete.forEach((bar, row) => {
            expect(bar.session).toBe(adjusted.sessions[row]);
            expect(raw[row]!.close).toBe(trades!.close[row]);
            if (row === 0) return;
            const wanted = adjusted.close[row]! / adjusted.close[row - 1]!;
            expect(bar.close / complete[row - 1]!.close).toBeCloseTo(wanted, 12);
            expect(bar.high / bar.close).toBeCloseTo(adjusted.high[row]! / adjusted.close[row]!, 12);
          });
          // The made-up bars are rounded to six decimals.
          expect(Math.abs(seen.at(-1)!.close / raw.at(-1)!.close - 1)).toBeLessThan(1e-6);
        }
      }),
      { numRuns: 15 },
    );
  });
  it("of ADJUSTED_LAST is rewritten whole by the open of an ex-date, and by nothing else", () => {
    const { adjusted, trades } = bnd;
    const factor = (row: number) => adjusted.close[row]! / trades!.close[row]!;
    const exDates = adjusted.sessions.filter((_, row) => row > 0 && factor(row) / factor(row - 1) > 1.0005);
    expect(exDates.length).toBeGreaterThan(25);
    const row = 400;
    const { venue, contract } = world({ instruments: all, startUtcMs: at(sessions[row]!, "09:00") });
    const { conId } = contract("BND");
    const first = () => barsOf(venue, request(conId, { whatToShow: "ADJUSTED_LAST" }))[0]!.close;
    let before = first();
    let rewritten = 0;
    for (let next = row; next < row + 60; next++) {
      const session = sessions[next]!;
      venue.advanceTo(calendar.openUtcMs(session) - 1);
      expect(first()).toBe(before);
      venue.advanceTo(calendar.openUtcMs(session));
      if (exDates.includes(session)) {
        expect(first() / before).toBeCloseTo(factor(next - 1) / factor(next), 5);
        rewritten++;
      } else expect(first()).toBe(before);
      before = first();
    }
    expect(rewritten).toBeGreaterThanOrEqual(2);
  });
  it("has today's unfinished bar while the session runs, and the whole bar from the close on", () => {
    const row = sessions.indexOf(day("2025-11-28"));
    const ask = (time: string, whatToShow: string) => {
      const { venue, contract } = world({ instruments: all, startUtcMs: at("2025-11-28", time) });
      return barsOf(venue, request(contract("SPY").conId, { whatToShow })).at(-1)!;
    };
    expect(ask("09:29", "TRADES").session).toBe("2025-11-26");
    const partial = ask("12:59", "TRADES");
    expect(partial.session).toBe("2025-11-28");
    expect(partial.volume).toBeLessThan(spy.trades!.volume[row]!);
    // A half day: all is over at 13:00.
    const whole = ask("13:00", "TRADES");
    const { open, high, low, close, volume } = spy.trades!;
    expect([whole.open, whole.high, whole.low, whole.close, whole.volume]).toEqual([
      open[row],
      high[row],
      low[row],
      close[row],
      volume[row],
    ]);
  });
  it("of hours begins at the open and then on the hour, and makes up the day", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 560 }), (row) => {
        const session = sessions[row]!;
        const { venue, contract } = world({ instruments: all, startUtcMs: at(session, "18:00") });
        const { conId } = contract("SPY");
        const hours = barsOf(venue, request(conId, { duration: { count: 1, unit: "D" }, barSize: "1 hour" }));
        const [whole] = barsOf(venue, request(conId, { duration: { count: 1, unit: "D" } }));
        expect(hours.length).toBe(calendar.isEarlyClose(session) ? 4 : 7);
        expect(hours[0]!.beginsUtcMs).toBe(at(session, "09:30"));
        expect(hours[1]!.beginsUtcMs).toBe(at(session, "10:00"));
        expect(hours[0]!.open).toBe(whole!.open);
        expect(hours.at(-1)!.close).toBe(whole!.close);
        expect(Math.max(...hours.map(({ high }) => high))).toBe(whole!.high);
        expect(Math.min(...hours.map(({ low }) => low))).toBe(whole!.low);
        expect(hours.reduce((sum, { volume }) => sum + volume, 0)).toBe(whole!.volume);
        for (const bar of [...hours, whole!]) {
          expect(bar.wap).toBeLessThanOrEqual(bar.high);
          expect(bar.wap).toBeGreaterThanOrEqual(bar.low);
        }
      }),
      { numRuns: 40 },
    );
  });
  it("of hours has the unfinished bar as it stands", () => {
    const { venue, contract, forward } = world({ instruments: all, startUtcMs: at("2026-02-27", "10:00") });
    const { conId } = contract("SPY");
    let [high, low] = [0, Number.POSITIVE_INFINITY];
    for (let step = 0; step < 4 * 45; step++) {
      const last = venue.quote(conId, "live").last!;
      high = Math.max(high, last);
      low = Math.min(low, last);
      const found = barsOf(venue, request(conId, { duration: { count: 1, unit: "D" }, barSize: "1 hour" }));
      expect(found.length).toBe(2);
      expect([found[1]!.high, found[1]!.low, found[1]!.close]).toEqual([high, low, last]);
      forward(15_000);
    }
    expect(high).toBeGreaterThan(low);
  });
  it.each([
    [{ count: 1, unit: "D" }, "2026-03-02", 1],
    [{ count: 5, unit: "D" }, "2026-02-24", 5],
    [{ count: 1, unit: "W" }, "2026-02-24", 5],
    [{ count: 1, unit: "M" }, "2026-02-03", 19],
    [{ count: 1, unit: "Y" }, "2025-03-03", 251],
    [{ count: 365, unit: "D" }, undefined, 365],
    [{ count: 86_400, unit: "S" }, "2026-03-02", 1],
    [{ count: 68, unit: "Y" }, "2024-01-02", undefined],
  ] as const)("reaches back %j", (duration, first, count) => {
    const { venue, contract } = world({ instruments: all, startUtcMs: startUtcMs() });
    const found = barsOf(venue, request(contract("SPY").conId, { duration }));
    expect(found.at(-1)!.session).toBe("2026-03-02");
    if (first) expect(found[0]!.session).toBe(first);
    if (count) expect(found.length).toBe(count);
  });
  it("counts days back from Friday at a weekend, and seconds back from now within a session", () => {
    const weekend = world({ instruments: all, startUtcMs: at("2026-02-28", "12:00") });
    const { conId } = weekend.contract("SPY");
    const days = barsOf(weekend.venue, request(conId, { duration: { count: 2, unit: "D" } }));
    expect(days.map(({ session }) => session)).toEqual(["2026-02-26", "2026-02-27"]);
    const noon = world({ instruments: all, startUtcMs: at("2026-02-27", "12:00") });
    const minutes = barsOf(
      noon.venue,
      request(conId, { duration: { count: 1800, unit: "S" }, barSize: "5 mins" }),
    );
    expect(minutes.map(({ beginsUtcMs }) => (beginsUtcMs - at("2026-02-27", "12:00")) / 60_000)).toEqual([
      -30, -25, -20, -15, -10, -5, 0,
    ]);
  });
  it("ends where it is told to: past bars, an unfinished one of the past, and never the future", () => {
    const { venue, contract } = world({ instruments: all, startUtcMs: startUtcMs() });
    const { conId } = contract("SPY");
    const last = (endUtcMs: number) =>
      barsOf(venue, request(conId, { endUtcMs, duration: { count: 1, unit: "W" } })).at(-1)!;
    const whole = last(at("2026-01-15", "16:00"));
    const part = last(at("2026-01-15", "11:00"));
    expect([whole.session, part.session]).toEqual(["2026-01-15", "2026-01-15"]);
    expect(part.volume).toBeLessThan(whole.volume);
    expect(last(at("2026-01-15", "09:00")).session).toBe("2026-01-14");
    expect(last(at("2026-06-01", "09:00"))).toEqual(last(startUtcMs()));
  });
  it.each<[string, Partial<HistoryRequest>, number, RegExp]>([
    [
      "an end for ADJUSTED_LAST",
      { whatToShow: "ADJUSTED_LAST", endUtcMs: 1 },
      321,
      /End date not supported with adjusted last/,
    ],
    [
      "more than 365 days",
      { duration: { count: 366, unit: "D" } },
      321,
      /longer than 365 days must be made in years/,
    ],
    ["more than 52 weeks", { duration: { count: 53, unit: "W" } }, 321, /must be made in years/],
    ["more than 12 months", { duration: { count: 13, unit: "M" } }, 321, /must be made in years/],
    ["more than 86400 seconds", { duration: { count: 86_401, unit: "S" } }, 321, /must be made in days/],
    ["more than 68 years", { duration: { count: 69, unit: "Y" } }, 321, /68 years/],
    ["no time at all", { duration: { count: 0, unit: "D" } }, 321, /duration/],
    ["a bar size that is none", { barSize: "7 mins" }, 321, /bar size setting is invalid/],
    ["a view that is none", { whatToShow: "TRADE" }, 321, /TRADE/],
    [
      "a view that is not here",
      { whatToShow: "MIDPOINT" },
      162,
      /Historical Market Data Service error message:/,
    ],
    ["a time before the first bar", { endUtcMs: Date.UTC(2020, 0, 2) }, 162, /HMDS query returned no data/],
    ["too many bars", { barSize: "30 secs" }, 162, /Time length exceed max/],
  ])("refuses %s", (_, more, code, words) => {
    const { venue, contract } = world({ instruments: all, startUtcMs: startUtcMs() });
    const error = errorOf(venue.history(request(contract("SPY").conId, more)));
    expect(error.code).toBe(code);
    expect(error.message).toMatch(words);
  });
  it("answers any request with bars in order, up to the end asked for, or with an error", () => {
    const instants = fc.oneof(
      { arbitrary: fc.constant(undefined), weight: 3 },
      fc.integer({ min: at("2023-12-01", "00:00"), max: at("2026-12-01", "00:00") }),
      fc.integer({ min: -(10 ** 12), max: 4 * 10 ** 12 }),
      fc.constantFrom(Number.NaN, 0, Number.MAX_VALUE, -Number.MAX_VALUE),
    );
    const requests = fc.record({
      endUtcMs: instants,
      duration: fc.record({
        count: fc.oneof(
          { arbitrary: fc.integer({ min: 1, max: 12 }), weight: 3 },
          fc.constantFrom(0, 365, 366, 86_400, 1.5, Number.NaN),
        ),
        unit: fc.constantFrom("S", "D", "W", "M", "Y"),
      }),
      barSize: fc.constantFrom("1 day", "1 day", "1 hour", "4 hours", "1 week"),
      whatToShow: fc.constantFrom("TRADES", "TRADES", "ADJUSTED_LAST", "BID"),
      regularHoursOnly: fc.boolean(),
    });
    let answered = 0;
    fc.assert(
      fc.property(requests, moments, (asked, moment) => {
        const { venue, contract } = world({ instruments: all, startUtcMs: instantOf(moment) });
        const answer = venue.history({ ...asked, conId: contract("BND").conId });
        if ("code" in answer) {
          expect([162, 321]).toContain(answer.code);
          expect(answer.message.length).toBeGreaterThan(20);
          return;
        }
        answered++;
        let before = Number.NEGATIVE_INFINITY;
        for (const { beginsUtcMs, open, high, low, close, volume } of answer.bars) {
          expect(beginsUtcMs).toBeGreaterThan(before);
          before = beginsUtcMs;
          expect(Math.min(open, close)).toBeGreaterThanOrEqual(low);
          expect(Math.max(open, close)).toBeLessThanOrEqual(high);
          expect(volume).toBeGreaterThanOrEqual(0);
        }
        expect(before).toBeLessThanOrEqual(Math.min(asked.endUtcMs ?? venue.nowUtcMs, venue.nowUtcMs));
      }),
      { numRuns: 300 },
    );
    expect(answered).toBeGreaterThan(30);
  });
  it("of more sessions than there are paths in memory is the same when asked again", () => {
    const { venue, contract } = world({ instruments: all, startUtcMs: startUtcMs() });
    const asked = request(contract("SPY").conId, { duration: { count: 2, unit: "Y" }, barSize: "1 hour" });
    const once = barsOf(venue, asked);
    expect(once.length).toBeGreaterThan(3_000);
    expect(barsOf(venue, asked)).toEqual(once);
  });
});

describe("quotes", () => {
  it("have a bid and an ask on the tick, a tick or more apart, around the last price, while the exchange is open", () => {
    fc.assert(
      fc.property(moments, (moment) => {
        const { venue, contract } = world({ instruments: all, startUtcMs: instantOf(moment) });
        const { bid, ask, last, bidSize, askSize, low, high } = venue.quote(contract("SPY").conId, "live");
        const isOpen =
          venue.nowUtcMs >= calendar.openUtcMs(sessions[moment.row]!) &&
          venue.nowUtcMs < calendar.closeUtcMs(sessions[moment.row]!);
        expect(bid !== undefined).toBe(isOpen);
        expect(ask !== undefined).toBe(isOpen);
        expect(last).toBeGreaterThanOrEqual(low!);
        expect(last).toBeLessThanOrEqual(high!);
        if (!isOpen) {
          expect([bidSize, askSize]).toEqual([0, 0]);
          return;
        }
        for (const price of [bid!, ask!]) expect(Math.round(price * 100) / 100).toBe(price);
        expect(ask! - bid!).toBeGreaterThan(0.009);
        expect(last).toBeLessThan(ask! + 0.01);
        expect(last).toBeGreaterThan(bid! - 0.01);
        expect(Math.min(bidSize, askSize)).toBeGreaterThan(0);
      }),
    );
  });
  it("that are delayed are the live ones of a quarter of an hour ago", () => {
    fc.assert(
      fc.property(moments, (moment) => {
        const { venue, contract, forward } = world({ instruments: [spy], startUtcMs: instantOf(moment) });
        const { conId } = contract("SPY");
        const then = venue.quote(conId, "live");
        forward(15 * 60_000);
        expect(venue.quote(conId, "delayed")).toEqual(then);
      }),
    );
  });
  it("name the close of the session before, from one open to the next", () => {
    const row = sessions.indexOf(day("2026-02-27"));
    const { close } = spy.trades!;
    const closeAt = (date: string, time: string) => {
      const { venue, contract } = world({ instruments: all, startUtcMs: at(date, time) });
      return venue.quote(contract("SPY").conId, "live").close;
    };
    expect(closeAt("2026-02-27", "09:30")).toBe(close[row - 1]);
    expect(closeAt("2026-03-01", "12:00")).toBe(close[row - 1]);
    expect(closeAt("2026-03-02", "09:30")).toBe(close[row]);
  });
  it("are empty before the first bar, and keep the last trade where a session has no bar", () => {
    const hole = bars("XYZ", "2026-02-23", [
      [10, 12, 9, 11],
      [11, 11.5, 10.5, 11.25],
    ]);
    const before = world({ instruments: [{ adjusted: hole }], startUtcMs: at("2026-02-20", "12:00") });
    const { conId } = before.contract("XYZ");
    expect(before.venue.quote(conId, "live")).toMatchObject({
      bid: undefined,
      last: undefined,
      close: undefined,
    });
    const after = world({ instruments: [{ adjusted: hole }], startUtcMs: at("2026-02-26", "12:00") });
    expect(after.venue.quote(conId, "live")).toMatchObject({ bid: undefined, ask: undefined, last: 11.25 });
  });
});

describe("with the close as the price of the last five minutes", () => {
  it("today's bar is the whole bar at five minutes to the close, and a fill is at the close to the last digit", () => {
    fc.assert(
      fc.property(fc.integer({ min: 300, max: 560 }), fc.boolean(), (row, isLimit) => {
        const session = sessions[row]!;
        const closes = calendar.closeUtcMs(session);
        const { venue, contract, send, forward } = world({
          instruments: all,
          startUtcMs: closes - 5 * 60_000,
          intraday: "close",
        });
        const { conId } = contract("SPY");
        for (const [whatToShow, given] of [
          ["TRADES", spy.trades!],
          ["ADJUSTED_LAST", spy.adjusted],
        ] as const) {
          const found = barsOf(venue, request(conId, { whatToShow, duration: { count: 2, unit: "D" } }));
          const bar = found.at(-1)!;
          expect(bar.session).toBe(session);
          const ratio = bar.close / given.close[row]!;
          expect(bar.high / given.high[row]!).toBeCloseTo(ratio, 13);
          expect(bar.low / given.low[row]!).toBeCloseTo(ratio, 13);
          expect(bar.volume).toBe(given.volume[row]);
        }
        const { ask } = venue.quote(conId, "live");
        send("SPY", "BUY", 3, isLimit ? { limit: Math.round((ask! + 0.02) * 100) / 100 } : {});
        forward(4_000);
        expect(venue.executions({}).map(({ price }) => price)).toEqual([spy.trades!.close[row]]);
      }),
      { numRuns: 40 },
    );
  });
});

describe("splits and dividends", () => {
  const halved = () =>
    bars("XYZ", "2026-02-23", [
      [50, 52, 49, 51],
      [51, 53, 50, 52],
      [52, 54, 51, 53],
    ]);

  it("known in advance make earlier prices larger, until their session rewrites everything", () => {
    const { venue, contract, send, forward } = world({
      instruments: [{ adjusted: halved() }],
      splits: [{ symbol: "XYZ", session: day("2026-02-25"), ratio: 2 }],
      startUtcMs: at("2026-02-24", "10:00"),
    });
    const { conId } = contract("XYZ");
    expect(barsOf(venue, request(conId))[0]).toMatchObject({
      open: 100,
      high: 104,
      low: 98,
      close: 102,
      volume: 500_000,
    });
    send("XYZ", "BUY", 100);
    forward(5_000);
    const [position] = venue.positions(account);
    const paid = position!.averageCost;
    expect(paid).toBeGreaterThan(100);
    const before = venue.quote(conId, "live").last!;
    expect(before).toBeGreaterThan(99);
    venue.advanceTo(at("2026-02-25", "09:29"));
    expect(venue.positions(account)).toEqual([position]);
    const worth = Number(venue.summary(account).netLiquidation);
    venue.advanceTo(at("2026-02-25", "09:30"));
    expect(venue.positions(account)).toEqual([{ conId, quantity: "200", averageCost: paid / 2 }]);
    expect(barsOf(venue, request(conId))[0]).toMatchObject({
      open: 50,
      high: 52,
      low: 49,
      close: 51,
      volume: 1_000_000,
    });
    expect(venue.quote(conId, "live")).toMatchObject({ last: 52, close: 52 });
    expect(Number(venue.summary(account).netLiquidation)).toBeCloseTo(worth, 2);
  });
  it("that somebody arranges divide prices from then on, resting orders too", () => {
    const { venue, contract, send, forward } = world({
      instruments: [{ adjusted: halved() }],
      startUtcMs: at("2026-02-23", "15:00"),
    });
    const { conId } = contract("XYZ");
    send("XYZ", "BUY", 10);
    const resting = send("XYZ", "BUY", 7, { limit: 40.02, tif: "GTC" });
    forward(5_000);
    const before = venue.quote(conId, "live").last!;
    const worth = venue.summary(account);
    venue.arrange({ kind: "split", symbol: "XYZ", ratio: 2 });
    expect(venue.quote(conId, "live").last).toBeCloseTo(before / 2, 10);
    expect(venue.positions(account)[0]!.quantity).toBe("20");
    const [open] = venue.openOrders();
    expect(open!.order).toMatchObject({ orderId: resting, quantity: "14", limit: 20.01 });
    expect(Number(venue.summary(account).netLiquidation)).toBeCloseTo(Number(worth.netLiquidation), 1);
    expect(venue.summary(account).availableFunds).toBe(worth.availableFunds);
    venue.advanceTo(at("2026-02-24", "12:00"));
    expect(barsOf(venue, request(conId))[0]!.close).toBe(25.5);
    expect(venue.quote(conId, "live").open).toBe(25.5);
    expect(() => venue.arrange({ kind: "split", symbol: "ABC", ratio: 2 })).toThrow(VenueLookupError);
    expect(() => venue.arrange({ kind: "split", symbol: "XYZ", ratio: 0 })).toThrow(VenueOptionsError);
  });
  it("pay whoever held over night, at the open, what the adjusted history was adjusted by", () => {
    const trades = bars("XYZ", "2026-02-23", [
      [100, 101, 99, 100],
      [99, 99.5, 98, 99.2],
      [99, 101, 98, 100.5],
    ]);
    const factor = Float64Array.of(1 - 0.75 / 100, 1, 1);
    const adjusted = {
      ...trades,
      open: trades.open.map((value, row) => value * factor[row]!),
      high: trades.high.map((value, row) => value * factor[row]!),
      low: trades.low.map((value, row) => value * factor[row]!),
      close: trades.close.map((value, row) => value * factor[row]!),
    };
    const { venue, send, forward } = world({
      instruments: [{ adjusted, trades }],
      accounts: [{ id: account, cash: 1_000, positions: [{ symbol: "XYZ", quantity: 33, averageCost: 90 }] }],
      startUtcMs: at("2026-02-23", "15:00"),
    });
    expect(venue.summary(account).totalCashValue).toBe("1000.00");
    venue.advanceTo(at("2026-02-24", "09:29"));
    expect(venue.summary(account).totalCashValue).toBe("1000.00");
    venue.advanceTo(at("2026-02-24", "09:30"));
    expect(venue.summary(account)).toMatchObject({ totalCashValue: "1024.75", settledCash: "1024.75" });
    // Bought on the ex-date: nothing.
    send("XYZ", "BUY", 1);
    forward(5_000);
    const cash = venue.summary(account).totalCashValue;
    venue.advanceTo(at("2026-02-25", "16:00"));
    expect(venue.summary(account).totalCashValue).toBe(cash);
  });
});

describe("time", () => {
  it("may go in leaps or in steps: the same happens at the same instants", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 3_600_000 * 5 }), { minLength: 1, maxLength: 12 }),
        fc.integer({ min: 1, max: 30 }),
        (stretches, pieces) => {
          const run = (parts: number) => {
            const { venue, events, send, contract } = world({
              instruments: all,
              startUtcMs: at("2025-10-09", "15:30"),
              accounts: [{ id: account, cash: 1_000_000 }],
            });
            stretches.forEach((stretch, at) => {
              const last = venue.quote(contract("SPY").conId, "live").last!;
              send("SPY", "BUY", 5 + at);
              send("BND", "BUY", 3);
              send("SPY", "SELL", 2, { limit: Math.round(last * 100 + at * 10) / 100 });
              const target = venue.nowUtcMs + stretch;
              for (let part = 1; part <= parts; part++) {
                venue.advanceTo(
                  Math.max(venue.nowUtcMs, Math.floor(target - stretch + (stretch * part) / parts)),
                );
              }
              venue.advanceTo(target);
            });
            return { events, summary: venue.summary(account), positions: venue.positions(account) };
          };
          expect(run(pieces)).toEqual(run(1));
        },
      ),
      { numRuns: 25 },
    );
  });
  it("tells when something happens next, and nothing happens before", () => {
    const { venue, events, send } = world({ instruments: all, startUtcMs: at("2025-10-09", "15:30") });
    send("SPY", "BUY", 5);
    send("SPY", "BUY", 5, { limit: 100 });
    const seen: number[] = [];
    while (venue.nowUtcMs < at("2025-10-13", "00:00")) {
      const next = venue.nextDueUtcMs()!;
      const count = events.length;
      if (next > venue.nowUtcMs + 1) venue.advanceTo(next - 1);
      expect(events.length).toBe(count);
      venue.advanceTo(next);
      seen.push(next);
    }
    // Two midnights of the weekend, the open and the close of Friday among them.
    expect(seen).toEqual(
      expect.arrayContaining([
        at("2025-10-09", "16:00"),
        at("2025-10-10", "09:30"),
        at("2025-10-11", "00:00"),
      ]),
    );
    expect(seen.length).toBeLessThan(25);
  });
  it("does not go back", () => {
    const { venue } = world({ instruments: all, startUtcMs: at("2025-10-09", "15:30") });
    expect(() => venue.advanceTo(venue.nowUtcMs - 1)).toThrow(VenueTimeError);
    expect(() => venue.advanceTo(Number.NaN)).toThrow(VenueTimeError);
  });
});

describe("contracts", () => {
  const query = {
    conId: 0,
    symbol: "",
    secType: "STK",
    exchange: "SMART",
    primaryExchange: "",
    currency: "USD",
  };
  it("are found by symbol or id, with ids that depend on the symbol alone", () => {
    const one = world({ instruments: [spy], startUtcMs: at("2026-02-24", "10:00") });
    const other = world({ instruments: all, startUtcMs: at("2025-02-24", "10:00"), seed: "another" });
    expect(one.contract("SPY")).toEqual(other.contract("SPY"));
    const { conId } = other.contract("BND");
    expect(other.venue.contracts({ ...query, conId, symbol: "SPY" })[0]!.symbol).toBe("BND");
    expect(other.contract("BND").primaryExchange).toBe("NASDAQ");
    expect(other.contract("SPY").primaryExchange).toBe("ARCA");
  });
  it.each([
    { symbol: "NOPE" },
    { symbol: "SPY", secType: "OPT" },
    { symbol: "SPY", currency: "EUR" },
    { symbol: "SPY", primaryExchange: "NASDAQ" },
    { symbol: "SPY", exchange: "LSE" },
    { conId: 1 },
  ])("are not found by %j", (more) => {
    const { venue } = world({ instruments: all, startUtcMs: at("2026-02-24", "10:00") });
    expect(venue.contracts({ ...query, ...more })).toEqual([]);
  });
});

describe("options that make no market", () => {
  const good = () => ({
    instruments: [{ adjusted: bars("XYZ", "2026-02-23", [[10, 12, 9, 11]]) }],
    accounts: [{ id: account, cash: 100 }],
    startUtcMs: at("2026-02-24", "10:00"),
  });
  it("are refused with the reason", () => {
    const refused = (change: object, words: RegExp) =>
      expect(() => createVenue({ ...good(), ...change })).toThrow(words);
    expect(() => createVenue(good())).not.toThrow();
    const xyz = good().instruments[0]!.adjusted;
    refused({ instruments: [{ adjusted: xyz }, { adjusted: xyz }] }, /XYZ is given twice/);
    refused(
      { instruments: [{ adjusted: bars("XYZ", "2026-02-23", [[10, 9, 12, 11]]) }] },
      /2026-02-23 is no bar/,
    );
    refused(
      { instruments: [{ adjusted: xyz, trades: bars("XYZ", "2026-02-24", [[10, 12, 9, 11]]) }] },
      /part at 2026-02-24/,
    );
    refused({ instruments: [{ adjusted: { ...xyz, sessions: [day("2026-02-22")] } }] }, /2026-02-22/);
    refused({ accounts: [] }, /no account/);
    refused({ accounts: [{ id: account, cash: -1 }] }, /cash/);
    refused({ accounts: [{ id: account, cash: 0.001 }] }, /cash/);
    refused(
      { accounts: [{ id: account, cash: 1, positions: [{ symbol: "ABC", quantity: 1, averageCost: 1 }] }] },
      /ABC/,
    );
    refused({ splits: [{ symbol: "ABC", session: day("2026-02-24"), ratio: 2 }] }, /ABC/);
    refused({ splits: [{ symbol: "XYZ", session: day("2026-02-24"), ratio: -2 }] }, /ratio/);
    refused({ marketOrderCushion: 0.9 }, /marketOrderCushion/);
    refused({ latency: { fill: -1 } }, /latency.fill/);
    refused({ startUtcMs: Number.NaN }, /startUtcMs/);
    refused({ startUtcMs: Date.UTC(1994, 5, 1) }, /settled on 1994-05-31/);
  });
});
