import { centsOfDollars, commissionPlan, limitPrice, notionalCents, quantityOfShares } from "@pf/orders";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import type { VenueInstrument, VenueOptions } from "../src/venue/options.js";
import type { Execution, NewOrder, VenueError } from "../src/venue/venue.js";
import { account, at, bars, calendar, day, errorOf, instrumentOf, told, world } from "./venue-world.js";

let spy: VenueInstrument;
let bnd: VenueInstrument;
let all: readonly VenueInstrument[];
beforeAll(async () => {
  spy = await instrumentOf("SPY");
  bnd = await instrumentOf("BND");
  all = [spy, bnd];
});

const tuesday = "2026-02-24";
const open = (options: Partial<VenueOptions> = {}, time = "11:00", date = tuesday) =>
  world({ instruments: all, startUtcMs: at(date, time), ...options });
const seconds = 1_000;
const anyContract = { conId: 0, secType: "STK", exchange: "SMART", primaryExchange: "", currency: "USD" };

describe("a market order", () => {
  it("is acknowledged, executed at the other side's price, filled, and charged, in this order within about a second", () => {
    const { venue, events, send, contract, forward } = open();
    const placed = venue.nowUtcMs;
    send("SPY", "BUY", 10);
    forward(5 * seconds);
    const [execution] = venue.executions({});
    const { price } = execution!;
    expect(told(events)).toEqual(["PreSubmitted 0", `10 @ ${price}`, "Filled 10", "commission 0.35"]);
    const times = events.map(({ atUtcMs }) => atUtcMs - placed);
    expect(times).toEqual([100, 800, 800, 850]);
    const { bid, ask } = world({ instruments: all, startUtcMs: placed + 800 }).venue.quote(
      contract("SPY").conId,
      "live",
    );
    expect(price).toBe(ask);
    send("SPY", "SELL", 4);
    forward(700);
    expect(venue.executions({}).length).toBe(1);
    forward(5 * seconds);
    expect(venue.executions({})[1]).toMatchObject({ side: "SLD", shares: "4", exchange: "ARCA" });
    expect(venue.executions({})[1]!.price).toBeGreaterThan(bid! - 1);
  });
  it("never fills outside the day's bar", () => {
    fc.assert(
      fc.property(fc.integer({ min: 200, max: 560 }), fc.integer({ min: 1, max: 180 }), (row, minute) => {
        const session = spy.adjusted.sessions[row]!;
        const { venue, send, forward } = world({
          instruments: all,
          startUtcMs: calendar.openUtcMs(session) + minute * 60_000,
          accounts: [
            { id: account, cash: 100_000, positions: [{ symbol: "BND", quantity: 9, averageCost: 50 }] },
          ],
        });
        send("SPY", "BUY", 1);
        send("BND", "SELL", 1);
        forward(2 * seconds);
        const [bought, sold] = venue.executions({});
        for (const [{ price }, { low, high }] of [
          [bought!, spy.trades!],
          [sold!, bnd.trades!],
        ] as const) {
          expect(price).toBeGreaterThanOrEqual(low[row]!);
          expect(price).toBeLessThanOrEqual(high[row]!);
        }
      }),
    );
  });
  it("out of hours is held with a notice until the next open, and executes then", () => {
    const { venue, events, send } = open({}, "17:00", "2026-02-27");
    send("SPY", "BUY", 2);
    venue.advanceTo(at("2026-03-02", "09:30") - 1);
    expect(told(events)).toEqual(["PreSubmitted 0", "error 399"]);
    expect(events[1]).toMatchObject({
      message: expect.stringMatching(/until 20260302 09:30:00 US\/Eastern/),
    });
    expect(venue.openOrders().length).toBe(1);
    venue.advanceTo(at("2026-03-02", "09:31"));
    expect(events[2]!.atUtcMs).toBe(at("2026-03-02", "09:30") + 700);
    expect(told(events).slice(-2)).toEqual(["Filled 2", "commission 0.35"]);
  });
  it("out of hours is refused where the exchange is said to refuse it", () => {
    const { venue, events, send, forward } = open({ closedMarket: "reject" }, "17:00");
    send("SPY", "BUY", 2);
    forward(seconds);
    expect(told(events)).toEqual(["Inactive 0", "error 201"]);
    expect(events[1]).toMatchObject({ message: "Order rejected - reason:Exchange is closed." });
    // A limit is held all the same.
    send("SPY", "BUY", 2, { limit: 30 });
    forward(seconds);
    expect(told(events).slice(2)).toEqual(["PreSubmitted 0", "error 399"]);
    expect(venue.openOrders().length).toBe(1);
  });
});

describe("a limit order", () => {
  it("that can trade at once does, at the market's price", () => {
    const { venue, events, send, contract, forward } = open();
    const { ask } = venue.quote(contract("SPY").conId, "live");
    send("SPY", "BUY", 5, { limit: Math.round((ask! + 1) * 100) / 100 });
    forward(2 * seconds);
    const [{ price }] = venue.executions({}) as [Execution];
    expect(price).toBeLessThan(ask! + 0.5);
    expect(told(events)).toEqual([
      "PreSubmitted 0",
      "Submitted 0",
      `5 @ ${price}`,
      "Filled 5",
      "commission 0.35",
    ]);
  });
  it.each(["BUY", "SELL"] as const)(
    "to %s rests and fills at its limit when the price comes, and not a moment before",
    (action) => {
      const row = spy.adjusted.sessions.indexOf(day(tuesday));
      let filled = 0;
      for (let later = 0; later < 40; later++) {
        const session = spy.adjusted.sessions[row + later]!;
        const { venue, send, contract } = world({
          instruments: all,
          startUtcMs: calendar.openUtcMs(session) + 1000,
          accounts: [
            { id: account, cash: 1_000, positions: [{ symbol: "SPY", quantity: 1, averageCost: 10 }] },
          ],
        });
        const { conId } = contract("SPY");
        const { last } = venue.quote(conId, "live");
        const limit = Math.round(last! * (action === "BUY" ? 99.7 : 100.3)) / 100;
        send("SPY", action, 1, { limit });
        while (venue.nowUtcMs < calendar.closeUtcMs(session) - 15_000 && venue.executions({}).length === 0) {
          venue.advanceTo(venue.nowUtcMs + 15_000);
          const { ask, bid } = venue.quote(conId, "live");
          // One waits exactly as long as nobody asks for less, or bids more.
          const isThere = action === "BUY" ? ask! <= limit : bid! >= limit;
          expect(venue.executions({}).length).toBe(isThere ? 1 : 0);
        }
        for (const { price } of venue.executions({})) {
          filled++;
          expect(price).toBe(limit);
        }
      }
      expect(filled).toBeGreaterThan(5);
      expect(filled).toBeLessThan(40);
    },
  );
  it("at the middle of the quote, a few basis points to the safe side, always meets the price of the last five minutes", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 300, max: 90_000 }),
        fc.integer({ min: 0, max: 4 * 60_000 }),
        (ticks, later) => {
          const close = ticks / 100;
          const { venue, events, send, contract, forward } = world({
            instruments: [{ adjusted: bars("XYZ", tuesday, [[close, close * 1.01, close * 0.99, close]]) }],
            startUtcMs: at(tuesday, "15:55") + later,
            intraday: "close",
            accounts: [
              { id: account, cash: 2_000, positions: [{ symbol: "XYZ", quantity: 5, averageCost: 10 }] },
            ],
          });
          const { bid, ask } = venue.quote(contract("XYZ").conId, "live");
          const limitFor = (side: "buy" | "sell") => limitPrice({ bid: bid!, ask: ask! }, side, 2, 0.01);
          send("XYZ", "BUY", 1, { limit: limitFor("buy") });
          send("XYZ", "SELL", 1, { limit: limitFor("sell") });
          forward(2 * seconds);
          for (const id of [1, 2]) expect(told(events, id)).toContain(`1 @ ${close}`);
        },
      ),
    );
  });
  it("is never filled worse than its limit, even where a vendor's close is a hair off the tick", () => {
    const noisy = bars("XYZ", tuesday, [[720.1, 722, 719, 720.650024]]);
    const { venue, send, forward } = world({
      instruments: [{ adjusted: noisy }],
      startUtcMs: at(tuesday, "15:56"),
      intraday: "close",
    });
    send("XYZ", "BUY", 1, { limit: 720.65 });
    send("XYZ", "BUY", 1, { limit: 720.66 });
    send("XYZ", "BUY", 1, { limit: 720.64 });
    forward(2 * seconds);
    expect(venue.executions({}).map(({ price }) => price)).toEqual([720.65, 720.650024]);
  });
  it("for the day that does not fill is cancelled at the close, half days too, and never fills again", () => {
    for (const [date, time] of [
      [tuesday, "16:00"],
      ["2025-11-28", "13:00"],
    ] as const) {
      const { venue, events, send } = open({}, "11:00", date);
      const funds = venue.summary(account).availableFunds;
      send("SPY", "BUY", 5, { limit: 30 });
      venue.advanceTo(at(date, time) - 1);
      expect(told(events)).toEqual(["PreSubmitted 0", "Submitted 0"]);
      expect(venue.summary(account).availableFunds).not.toBe(funds);
      venue.advanceTo(at(date, time));
      expect(told(events).slice(2)).toEqual(["Cancelled 0", "error 202"]);
      expect(venue.openOrders()).toEqual([]);
      expect(venue.completedOrders()[0]).toMatchObject({
        status: "Cancelled",
        completedUtcMs: at(date, time),
      });
      expect(venue.summary(account).availableFunds).toBe(funds);
      venue.advanceTo(venue.nowUtcMs + 5 * 86_400_000);
      expect(events.length).toBe(4);
    }
  });
  it("good till cancelled lives on, keeps its cash, and fills on a later day at the opening price if that is better", () => {
    const falling = bars("XYZ", tuesday, [
      [100, 101, 99, 100],
      [90, 91, 89, 90],
    ]);
    const { venue, events, send, forward } = world({
      instruments: [{ adjusted: falling }],
      startUtcMs: at(tuesday, "15:00"),
    });
    send("XYZ", "BUY", 10, { limit: 95, tif: "GTC" });
    forward(seconds);
    const { availableFunds } = venue.summary(account);
    venue.advanceTo(at("2026-02-25", "09:29"));
    expect(told(events)).toEqual(["PreSubmitted 0", "Submitted 0"]);
    expect(venue.summary(account).availableFunds).toBe(availableFunds);
    venue.advanceTo(at("2026-02-25", "09:31"));
    const [{ price }] = venue.executions({}) as [Execution];
    expect(price).toBeLessThan(90.5);
    expect(price).toBeGreaterThan(89.5);
  });
  it("immediate or cancel that cannot trade is cancelled without an error", () => {
    const { venue, events, send, forward } = open();
    send("SPY", "BUY", 1, { limit: 30, tif: "IOC" });
    forward(seconds);
    expect(told(events)).toEqual(["PreSubmitted 0", "Submitted 0", "PendingCancel 0", "Cancelled 0"]);
    expect(venue.openOrders()).toEqual([]);
  });
  it("far through the market is cancelled by the price check; a little through is not", () => {
    const { venue, events, send, contract, forward } = open({
      accounts: [
        { id: account, cash: 100_000, positions: [{ symbol: "BND", quantity: 50, averageCost: 50 }] },
      ],
    });
    const price = (symbol: string, factor: number) =>
      Math.round(venue.quote(contract(symbol).conId, "live").last! * factor * 100) / 100;
    send("SPY", "BUY", 1, { limit: price("SPY", 1.2) });
    send("BND", "SELL", 1, { limit: price("BND", 0.8) });
    send("SPY", "BUY", 1, { limit: price("SPY", 1.03) });
    forward(2 * seconds);
    for (const id of [1, 2]) {
      expect(told(events, id)).toEqual(["PreSubmitted 0", "Submitted 0", "Cancelled 0", "error 202"]);
    }
    expect(told(events, 3)).toContain("Filled 1");
    expect(events.find((event) => event.kind === "error")).toMatchObject({
      message: expect.stringMatching(/closer to the current market price/),
    });
  });
});

describe("the terminal refuses, with nothing left behind,", () => {
  it.each<[string, Partial<NewOrder>, number, RegExp, Partial<VenueOptions>?]>([
    ["parts of a share", { quantity: "1.5" }, 10243, /Fractional-sized order cannot be placed via API/],
    ["parts of a part", { quantity: "1.00005" }, 10250, /minimum variation/, { fractional: "accept" }],
    ["more shares than can be counted in cents", { quantity: "1000000000" }, 383, /size/],
    ["a limit beyond all measure", { orderType: "LMT", limit: Number.POSITIVE_INFINITY }, 383, /size/],
    ["a limit that is no number", { orderType: "LMT", limit: Number.NaN }, 321, /limit price/],
    ["a cash quantity", { cashQuantity: "500" }, 10244, /Cash quantity/],
    ["nothing", { quantity: "0" }, 434, /zero/],
    ["less than nothing", { quantity: "-3" }, 321, /quantity/],
    ["no number", { quantity: "ten" }, 321, /quantity/],
    ["a limit off the tick", { limit: 400.005 }, 110, /minimum price variation/],
    ["a limit of nothing", { limit: 0 }, 321, /limit price/],
    ["a limit order without a limit", { orderType: "LMT" }, 321, /limit price/],
    ["an order type that is none", { orderType: "BEST" }, 321, /order type BEST/],
    ["an order type that is not here", { orderType: "MOC" }, 387, /Unsupported order type/],
    ["a time in force that is not here", { tif: "FOK" }, 321, /time in force/],
    ["a contract that is none", { conId: 1 }, 200, /No security definition/],
    ["somebody else's account", { account: "DU1" }, 321, /account code 'DU1'/],
    [
      "no account where there are several",
      { account: "" },
      435,
      /account/,
      {
        accounts: [
          { id: account, cash: 1 },
          { id: "DU2", cash: 1 },
        ],
      },
    ],
  ])("%s", (_, more, code, words, options = {}) => {
    const { venue, events, send, order, forward } = open(options);
    const wrong = order("SPY", "BUY", 1, more);
    expect(errorOf(venue.whatIf(wrong))).toMatchObject({ code });
    send("SPY", "BUY", 1, more);
    forward(5 * seconds);
    expect(told(events)[0]).toBe(`error ${code}`);
    expect(events[0]).toMatchObject({ message: expect.stringMatching(words) });
    expect(events.filter(({ kind }) => kind === "execution")).toEqual([]);
    expect(told(events).slice(1)).toEqual(code === 10243 ? ["Inactive 0"] : []);
    expect([venue.openOrders(), venue.completedOrders()]).toEqual([[], []]);
    expect(venue.summary(account).availableFunds).toBe(venue.summary(account).totalCashValue);
  });
  it("an id that was used before", () => {
    const { venue, events, send, forward } = open();
    send("SPY", "BUY", 1, { orderId: 7 });
    forward(5 * seconds);
    expect(venue.nextOrderId(1)).toBe(8);
    const before = events.length;
    send("SPY", "BUY", 1, { orderId: 7 });
    send("SPY", "BUY", 1, { orderId: 3 });
    forward(5 * seconds);
    expect(told(events).slice(before)).toEqual(["error 103", "error 103"]);
    expect(venue.executions({}).length).toBe(1);
    // Ids are each client's own.
    expect(venue.nextOrderId(2)).toBe(1);
    send("SPY", "BUY", 1, { clientId: 2, orderId: 7 });
    forward(5 * seconds);
    expect(venue.executions({}).length).toBe(2);
    expect(new Set(venue.executions({}).map(({ order }) => order.permId)).size).toBe(2);
  });
});

describe("the broker refuses, Inactive first and error 201 after it,", () => {
  const refused = (run: ReturnType<typeof open>, words: RegExp, id: number) => {
    const events = run.events.filter((event) => "state" in event && event.state.order.orderId === id);
    expect(told(events)).toEqual(["Inactive 0", "error 201"]);
    expect(events.map(({ atUtcMs }) => atUtcMs)[1]! - events[0]!.atUtcMs).toBe(50);
    expect(events[1]).toMatchObject({ message: expect.stringMatching(words) });
    expect(run.venue.completedOrders().map(({ order, status }) => [order.orderId, status])).toContainEqual([
      id,
      "Inactive",
    ]);
  };
  it("more than the funds allow, the commission included, to the cent", () => {
    const row = spy.adjusted.sessions.indexOf(day(tuesday));
    const price = spy.trades!.close[row]!;
    // At the close the price is known: 10 shares and 0.35.
    const needed = Math.round(price * 1000 + 35) / 100;
    for (const [cash, isEnough] of [
      [needed, true],
      [Math.round(needed * 100 - 1) / 100, false],
    ] as const) {
      const run = open({ intraday: "close", accounts: [{ id: account, cash }] }, "15:56");
      const id = run.send("SPY", "BUY", 10);
      run.forward(2 * seconds);
      if (isEnough) {
        expect(told(run.events, id)).toContain("Filled 10");
        expect(run.venue.summary(account)).toMatchObject({ totalCashValue: "0.00", settledCash: "0.00" });
      } else {
        refused(run, /Available Funds \[\d+\.\d\d USD\] are not sufficient/, id);
        expect(run.venue.summary(account).totalCashValue).toBe(cash.toFixed(2));
      }
    }
  });
  it("what open orders have spoken for", () => {
    const run = open({ accounts: [{ id: account, cash: 10_000 }] });
    run.send("SPY", "BUY", 60, { limit: 30 });
    run.forward(seconds);
    expect(run.venue.summary(account).availableFunds).toBe("8199.65");
    const second = run.send("SPY", "BUY", 300, { limit: 30 });
    run.forward(seconds);
    refused(run, /8199\.65/, second);
    run.venue.cancel(1, 1);
    run.forward(seconds);
    const third = run.send("SPY", "BUY", 300, { limit: 30 });
    run.forward(seconds);
    expect(told(run.events, third)).toEqual(["PreSubmitted 0", "Submitted 0"]);
  });
  it("a market order without its cushion, where one is asked for", () => {
    const cash = 5_000;
    for (const [marketOrderCushion, isTaken] of [
      [1, true],
      [1.05, false],
    ] as const) {
      const run = open({ accounts: [{ id: account, cash }], marketOrderCushion });
      const { last } = run.venue.quote(run.contract("BND").conId, "live");
      const id = run.send("BND", "BUY", Math.floor((cash * 0.98) / last!));
      run.forward(2 * seconds);
      if (isTaken) expect(told(run.events, id).at(-1)).toMatch(/commission/);
      else refused(run, /Available Funds/, id);
    }
  });
  it("sales of what is not held, or is being sold already", () => {
    const run = open({
      accounts: [{ id: account, cash: 0, positions: [{ symbol: "SPY", quantity: 10, averageCost: 400 }] }],
    });
    const short = run.send("SPY", "SELL", 11);
    run.send("SPY", "SELL", 6, { limit: 9_000 });
    run.forward(seconds);
    refused(run, /sell short/, short);
    const again = run.send("SPY", "SELL", 5);
    const rest = run.send("SPY", "SELL", 4);
    run.forward(2 * seconds);
    refused(run, /sell short/, again);
    expect(told(run.events, rest)).toContain("Filled 4");
  });
  it("what it was arranged to refuse, once, for the symbol", () => {
    const run = open();
    run.venue.arrange({
      kind: "reject",
      symbol: "BND",
      code: 201,
      message: "Order rejected - reason:no KID",
    });
    const first = run.send("SPY", "BUY", 1);
    const second = run.send("BND", "BUY", 1);
    const third = run.send("BND", "BUY", 1);
    run.forward(2 * seconds);
    refused(run, /no KID/, second);
    for (const id of [first, third]) expect(told(run.events, id)).toContain("Filled 1");
  });
  it("to spend proceeds before they settle, unless it lends them", () => {
    for (const [unsettledProceeds, isTaken] of [
      ["refuse", false],
      ["spend", true],
    ] as const) {
      const run = open({
        unsettledProceeds,
        accounts: [{ id: account, cash: 0, positions: [{ symbol: "SPY", quantity: 10, averageCost: 400 }] }],
      });
      run.send("SPY", "SELL", 10);
      run.forward(2 * seconds);
      expect(run.venue.summary(account)).toMatchObject({ settledCash: "0.00" });
      expect(Number(run.venue.summary(account).totalCashValue)).toBeGreaterThan(300);
      const id = run.send("BND", "BUY", 5);
      run.forward(2 * seconds);
      if (isTaken) expect(told(run.events, id)).toContain("Filled 5");
      else refused(run, /Available Funds \[0\.00 USD\]/, id);
    }
  });
});

describe("an account that trades with unsettled money", () => {
  it("is held to settled cash for 90 days once it sells what it had not paid for", () => {
    const { venue, events, send, forward } = open(
      {
        unsettledProceeds: "spend",
        accounts: [{ id: account, cash: 0, positions: [{ symbol: "SPY", quantity: 10, averageCost: 40 }] }],
      },
      "10:00",
    );
    const { conId } = venue.contracts({ ...anyContract, symbol: "SPY" })[0]!;
    expect(venue.positions(account)).toEqual([{ conId, quantity: "10", averageCost: 40 }]);
    send("SPY", "SELL", 10);
    forward(2 * seconds);
    send("BND", "BUY", 5);
    forward(2 * seconds);
    expect(told(events, 2)).toContain("Filled 5");
    send("BND", "SELL", 5);
    forward(2 * seconds);
    expect(told(events, 3)).toContain("Filled 5");
    const refused = send("BND", "BUY", 1);
    forward(2 * seconds);
    expect(told(events, refused)).toEqual(["Inactive 0", "error 201"]);
    venue.advanceTo(at("2026-02-26", "10:00"));
    const settled = send("BND", "BUY", 1);
    forward(2 * seconds);
    expect(told(events, settled)).toContain("Filled 1");
  });
});

describe("settlement", () => {
  it("takes one clearing day: a sale before Columbus Day is there on Tuesday, not on Monday", () => {
    const { venue, send, forward } = open(
      { accounts: [{ id: account, cash: 0, positions: [{ symbol: "BND", quantity: 10, averageCost: 50 }] }] },
      "15:00",
      "2025-10-10",
    );
    send("BND", "SELL", 10);
    forward(2 * seconds);
    const total = venue.summary(account).totalCashValue;
    const settledAt = (instant: number) => {
      venue.advanceTo(instant);
      expect(venue.summary(account).totalCashValue).toBe(total);
      return venue.summary(account).settledCash;
    };
    expect(settledAt(at("2025-10-13", "15:00"))).toBe("0.00");
    expect(settledAt(at("2025-10-14", "00:00") - 1)).toBe("0.00");
    expect(settledAt(at("2025-10-14", "00:00"))).toBe(total);
  });
});

describe("an order without a time in force", () => {
  it("gets a notice, looks cancelled, and fills all the same seconds later", () => {
    const { events, send, forward } = open();
    send("SPY", "BUY", 1, { tif: "" });
    forward(700);
    expect(told(events)).toEqual(["error 10349", "Cancelled 0"]);
    forward(10 * seconds);
    expect(told(events).slice(2)).toEqual([
      "PreSubmitted 0",
      expect.stringMatching(/^1 @/),
      "Filled 1",
      "commission 0.35",
    ]);
    expect(events.every((event) => "execution" in event || event.state.order.tif === "DAY")).toBe(true);
  });
});

describe("a cancel", () => {
  it("is pending, then done, and confirmed by error 202", () => {
    const { venue, events, send, forward } = open();
    const id = send("SPY", "BUY", 5, { limit: 30 });
    forward(seconds);
    expect(venue.cancel(1, id)).toBeUndefined();
    forward(100);
    expect(told(events).slice(2)).toEqual(["PendingCancel 0"]);
    expect(errorOf(venue.cancel(1, id)).code).toBe(161);
    forward(seconds);
    expect(told(events).slice(3)).toEqual(["Cancelled 0", "error 202"]);
    expect(venue.openOrders()).toEqual([]);
    expect(errorOf(venue.cancel(1, id))).toMatchObject({
      code: 10148,
      message: expect.stringMatching(/Cancelled/),
    });
  });
  it("of an unknown order, of somebody else's, or of one that is filled says so", () => {
    const { venue, send, forward } = open();
    const id = send("SPY", "BUY", 1);
    expect(errorOf(venue.cancel(2, id))).toEqual({
      code: 10147,
      message: `OrderId ${id} that needs to be cancelled is not found.`,
    } satisfies VenueError);
    forward(2 * seconds);
    expect(errorOf(venue.cancel(1, id))).toMatchObject({
      code: 10148,
      message: expect.stringMatching(/Filled/),
    });
  });
  it("that comes in time keeps a market order from filling", () => {
    const { venue, events, send, forward } = open();
    const id = send("SPY", "BUY", 1);
    forward(150);
    venue.cancel(1, id);
    forward(5 * seconds);
    expect(told(events)).toEqual(["PreSubmitted 0", "PendingCancel 0", "Cancelled 0", "error 202"]);
    expect(venue.positions(account)).toEqual([]);
  });
});

describe("a changed order", () => {
  it("takes its new limit and quantity, and what is kept back for it", () => {
    const { venue, events, send, contract, forward } = open({ accounts: [{ id: account, cash: 10_000 }] });
    const id = send("BND", "BUY", 10, { limit: 10 });
    forward(seconds);
    expect(venue.summary(account).availableFunds).toBe("9899.65");
    send("BND", "BUY", 20, { orderId: id, limit: 20 });
    forward(seconds);
    expect(venue.summary(account).availableFunds).toBe("9599.65");
    const { ask } = venue.quote(contract("BND").conId, "live");
    send("BND", "BUY", 20, { orderId: id, limit: Math.round((ask! + 0.5) * 100) / 100 });
    forward(2 * seconds);
    expect(told(events).at(-2)).toBe("Filled 20");
    expect(venue.executions({}).length).toBe(1);
  });
  it("stays as it was when the change is refused", () => {
    const { venue, events, send, forward } = open({ accounts: [{ id: account, cash: 10_000 }] });
    const id = send("BND", "BUY", 10, { limit: 10 });
    forward(seconds);
    send("BND", "BUY", 10_000, { orderId: id, limit: 10 });
    send("SPY", "BUY", 10, { orderId: id, limit: 10 });
    forward(seconds);
    expect(told(events).slice(2).sort()).toEqual(["error 105", "error 201"]);
    expect(venue.openOrders()[0]!.order).toMatchObject({ quantity: "10", limit: 10 });
    expect(venue.summary(account).availableFunds).toBe("9899.65");
  });
});

describe("fills in parts", () => {
  it("come one after the other, and cost what one fill would have cost", () => {
    const { venue, events, send, forward } = open({ intraday: "close" }, "15:56");
    venue.arrange({ kind: "partialFills", symbol: "BND", parts: 3, everyMs: 400 });
    send("BND", "BUY", 10);
    forward(10 * seconds);
    const executions = venue.executions({});
    expect(executions.map(({ shares, cumulative }) => [shares, cumulative])).toEqual([
      ["3", "3"],
      ["3", "6"],
      ["4", "10"],
    ]);
    expect(executions.map(({ commission }) => commission)).toEqual([0.35, 0, 0]);
    expect(told(events).filter((text) => /^(Sub|Fil|Pre)/.test(text))).toEqual([
      "PreSubmitted 0",
      "Submitted 3",
      "Submitted 6",
      "Filled 10",
    ]);
    expect(executions[1]!.utcMs - executions[0]!.utcMs).toBe(400);
    expect(new Set(executions.map(({ execId }) => execId)).size).toBe(3);
    for (const { execId } of executions) expect(execId).toMatch(/^[0-9a-f]{8}\.[0-9a-f]{8}\.\d\d\.01$/);
    expect(executions[2]!.averagePrice).toBeCloseTo(executions[0]!.price, 10);
  });
  it("may stop before the end; the rest is cancelled at the close", () => {
    const { venue, events, send } = open();
    venue.arrange({ kind: "partialFills", parts: 4, everyMs: 100, stopAfter: 2 });
    send("BND", "BUY", 100);
    venue.arrange({ kind: "partialFills", parts: 2, everyMs: 100, stopAfter: 1 });
    send("SPY", "BUY", 10, { tif: "GTC" });
    venue.advanceTo(at(tuesday, "16:01"));
    expect(told(events, 1).slice(-2)).toEqual(["Cancelled 50", "error 202"]);
    expect(venue.positions(account)[0]!.quantity).toBe("50");
    // Good till cancelled it stays, and still nothing more fills.
    venue.advanceTo(at("2026-02-26", "12:00"));
    expect(venue.openOrders().map(({ filled, remaining }) => [filled, remaining])).toEqual([["5", "5"]]);
    venue.cancel(1, 2);
    venue.advanceTo(venue.nowUtcMs + seconds);
    expect(venue.openOrders()).toEqual([]);
    expect(venue.summary(account).availableFunds).toBe(venue.summary(account).totalCashValue);
  });
});

describe("an order whose time comes at the close", () => {
  it("comes too late: the day is over first", () => {
    const closes = at(tuesday, "16:00");
    const { venue, events, send } = world({ instruments: all, startUtcMs: closes - 800 });
    send("SPY", "BUY", 1);
    venue.advanceTo(closes + 5 * seconds);
    expect(told(events)).toEqual(["PreSubmitted 0", "Cancelled 0", "error 202"]);
    const inTime = world({ instruments: all, startUtcMs: closes - 801 });
    inTime.send("SPY", "BUY", 1);
    inTime.venue.advanceTo(closes + 5 * seconds);
    expect(told(inTime.events)).toContain("Filled 1");
  });
  it("and one that arrives then waits for the next open", () => {
    const closes = at(tuesday, "16:00");
    for (const before of [50, 100]) {
      const { venue, events, send } = world({ instruments: all, startUtcMs: closes - before });
      send("SPY", "BUY", 1);
      venue.advanceTo(closes + 5 * seconds);
      expect(told(events)).toEqual(["PreSubmitted 0", "error 399"]);
    }
  });
});

describe("a broken link to the exchange", () => {
  it("keeps orders waiting and fills nothing; afterwards they go on", () => {
    const { venue, events, send, forward } = open();
    send("SPY", "BUY", 1);
    forward(300);
    venue.setMarketLink(false);
    send("BND", "BUY", 1);
    forward(60 * seconds);
    expect(told(events)).toEqual(["PreSubmitted 0"]);
    expect(venue.openOrders().map(({ status }) => status)).toEqual(["PreSubmitted", "PendingSubmit"]);
    venue.setMarketLink(true);
    forward(2 * seconds);
    expect(told(events, 1)).toContain("Filled 1");
    expect(told(events, 2)).toContain("Filled 1");
  });
  it("does not fill what expired meanwhile", () => {
    const { venue, events, send, forward } = open({}, "15:59");
    send("SPY", "BUY", 1);
    forward(300);
    venue.setMarketLink(false);
    venue.advanceTo(at(tuesday, "18:00"));
    expect(told(events)).toEqual(["PreSubmitted 0"]);
    venue.setMarketLink(true);
    expect(told(events)).toEqual(["PreSubmitted 0", "Cancelled 0", "error 202"]);
    expect(venue.positions(account)).toEqual([]);
  });
});

describe("a what-if", () => {
  it("tells cost and margin and leaves no trace", () => {
    const { venue, events, order, forward, contract } = open();
    const answer = venue.whatIf(order("SPY", "BUY", 10));
    if ("code" in answer) throw new Error(answer.message);
    const { ask } = venue.quote(contract("SPY").conId, "live");
    expect(answer.commission).toBe(0.35);
    expect(answer.initMarginAfter - answer.initMarginBefore).toBeCloseTo(10 * ask!, 2);
    expect(answer.equityWithLoanBefore - answer.equityWithLoanAfter).toBeCloseTo(0.35, 9);
    forward(5 * seconds);
    expect(events).toEqual([]);
    expect(venue.nextOrderId(1)).toBe(1);
    expect(errorOf(venue.whatIf(order("SPY", "BUY", 10_000))).code).toBe(201);
    expect(errorOf(venue.whatIf(order("SPY", "BUY", 1, { tif: "" }))).code).toBe(10349);
    expect(errorOf(venue.whatIf(order("SPY", "BUY", 0.5))).code).toBe(10243);
    const accepting = open({ fractional: "accept" });
    expect(accepting.venue.whatIf(accepting.order("SPY", "BUY", 0.5))).toHaveProperty("commission");
  });
});

describe("what is remembered", () => {
  it("executions and ended orders until midnight in New York; positions for ever", () => {
    const { venue, send, forward } = open({}, "15:00", "2026-02-27");
    send("SPY", "BUY", 1);
    send("BND", "BUY", 2, { clientId: 5, orderId: 1 });
    forward(2 * seconds);
    const ids = (filter: Parameters<typeof venue.executions>[0]) =>
      venue.executions(filter).map(({ order }) => order.order.clientId);
    expect(ids({})).toEqual([1, 5]);
    expect(ids({ clientId: 5 })).toEqual([5]);
    expect(ids({ symbol: "SPY" })).toEqual([1]);
    expect(ids({ side: "SELL" })).toEqual([]);
    expect(ids({ account: "DU9" })).toEqual([]);
    expect(ids({ sinceUtcMs: venue.nowUtcMs })).toEqual([]);
    venue.advanceTo(at("2026-02-28", "00:00") - 1);
    expect([ids({}).length, venue.completedOrders().length]).toEqual([2, 2]);
    venue.advanceTo(at("2026-02-28", "00:00"));
    expect([ids({}).length, venue.completedOrders().length]).toEqual([0, 0]);
    expect(venue.positions(account).map(({ quantity }) => quantity)).toEqual(["1", "2"]);
    // Ids are not given twice, tomorrow neither.
    expect(venue.nextOrderId(5)).toBe(2);
  });
});

describe("an order that is not transmitted", () => {
  it("stays in the terminal, unseen, until it is sent again to be transmitted", () => {
    const { venue, events, send, forward } = open();
    const id = send("SPY", "BUY", 1, { transmit: false });
    forward(5 * seconds);
    expect([events, venue.openOrders()]).toEqual([[], []]);
    send("SPY", "BUY", 1, { orderId: id });
    forward(5 * seconds);
    expect(told(events)).toContain("Filled 1");
  });
});

describe("whatever arrives", () => {
  const anyNumber = fc.oneof(
    fc.double(),
    fc.integer(),
    fc.constantFrom(0, -1, Number.NaN, Number.POSITIVE_INFINITY, Number.MAX_VALUE, 1e-9, 57.25),
  );
  const anyText = fc.oneof(
    fc.string(),
    fc.constantFrom("", "DAY", "MKT", "LMT", "1", "0.0001", "1e5", "99999999", "9".repeat(40)),
  );
  const anything = fc.record({
    clientId: fc.integer({ min: 0, max: 3 }),
    orderId: fc.integer({ min: -5, max: 50 }),
    account: fc.oneof(fc.constant(account), anyText),
    isKnown: fc.boolean(),
    action: fc.constantFrom("BUY", "SELL", "SSHORT", "") as fc.Arbitrary<"BUY" | "SELL">,
    // Often enough as it should be, so that some orders come through.
    quantity: fc.oneof(anyText, fc.constantFrom("1", "5")),
    orderType: fc.oneof(anyText, fc.constantFrom("MKT", "LMT")),
    limit: fc.option(anyNumber, { nil: undefined }),
    auxPrice: fc.option(anyNumber, { nil: undefined }),
    tif: fc.oneof(anyText, fc.constantFrom("DAY", "GTC", "IOC")),
    outsideRth: fc.boolean(),
    orderRef: anyText,
    transmit: fc.boolean(),
    cashQuantity: fc.oneof({ weight: 3, arbitrary: fc.constant("") }, anyText),
  });
  it("as an order, a what-if or a cancel is answered and breaks nothing", () => {
    fc.assert(
      fc.property(fc.array(anything, { minLength: 1, maxLength: 10 }), fc.boolean(), (orders, accepts) => {
        const { venue, events, contract, forward } = open({ fractional: accepts ? "accept" : "reject" });
        for (const { isKnown, ...order } of orders) {
          const placed = { ...order, conId: isKnown ? contract("BND").conId : 5 };
          venue.whatIf(placed);
          venue.place(placed);
          venue.cancel(order.clientId, order.orderId + 1);
          forward(700);
        }
        forward(86_400_000);
        // What is not transmitted may stay in the terminal, unseen.
        for (const { clientId, orderId } of orders.filter(({ transmit }) => transmit))
          expect(
            events.map((event) => ("state" in event ? event.state.order : event.execution.order.order)),
          ).toContainEqual(expect.objectContaining({ clientId, orderId }));
        expect(Number(venue.summary(account).totalCashValue)).toBeGreaterThanOrEqual(0);
      }),
      { numRuns: 300 },
    );
  });
  it("as a limit at any price and size is answered with an error, or rests, or fills within the funds", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 10 ** 9 }),
        fc.integer({ min: 1, max: 10 ** 10 }),
        (quantity, ticks) => {
          const { venue, events, send, forward } = open();
          send("BND", "BUY", quantity, { limit: ticks / 100 });
          forward(3 * seconds);
          expect(events.length).toBeGreaterThan(0);
          expect(Number(venue.summary(account).availableFunds)).toBeGreaterThanOrEqual(0);
        },
      ),
    );
  });
});

describe("whatever is ordered", () => {
  const anyOrder = fc.record({
    symbol: fc.constantFrom("SPY", "BND"),
    action: fc.constantFrom("BUY" as const, "SELL" as const),
    quantity: fc.oneof(
      fc.integer({ min: 1, max: 80 }),
      fc.integer({ min: 1, max: 200_000 }).map((n) => n / 10_000),
    ),
    offset: fc.option(fc.integer({ min: -300, max: 300 }), { nil: undefined }),
    tif: fc.constantFrom("DAY", "DAY", "GTC", "IOC", ""),
    wait: fc.oneof(fc.integer({ min: 0, max: 3_000 }), fc.integer({ min: 0, max: 30 * 3_600_000 })),
    cancels: fc.boolean(),
    parts: fc.option(fc.integer({ min: 1, max: 4 }), { nil: undefined }),
    link: fc.constantFrom(true, true, true, false),
  });
  const runs = fc.record({
    orders: fc.array(anyOrder, { minLength: 1, maxLength: 25 }),
    unsettledProceeds: fc.constantFrom("refuse" as const, "spend" as const),
    intraday: fc.constantFrom("path" as const, "close" as const),
    plan: fc.constantFrom("per_share" as const, "ibkr_tiered" as const, "ibkr_fixed" as const),
    row: fc.integer({ min: 250, max: 400 }),
  });
  type Run = typeof runs extends fc.Arbitrary<infer T> ? T : never;

  const play = ({ orders, unsettledProceeds, intraday, plan, row }: Run, instruments = all) => {
    const start = spy.adjusted.sessions[row]!;
    const made = world({
      instruments,
      startUtcMs: at(start, "10:00"),
      accounts: [
        { id: account, cash: 20_000, positions: [{ symbol: "BND", quantity: 40, averageCost: 50.01 }] },
      ],
      unsettledProceeds,
      intraday,
      fractional: "accept",
      commission: commissionPlan(plan),
    });
    const { venue, send, contract, forward } = made;
    const checkpoints: unknown[] = [];
    for (const { symbol, action, quantity, offset, tif, wait, cancels, parts, link } of orders) {
      venue.setMarketLink(link);
      if (parts) venue.arrange({ kind: "partialFills", symbol, parts, everyMs: 250 });
      const { last } = venue.quote(contract(symbol).conId, "live");
      const limit = offset === undefined ? undefined : Math.round(last! * (1 + offset / 10_000) * 100) / 100;
      const id = send(symbol, action, quantity, { tif, ...(limit === undefined ? {} : { limit }) });
      forward(wait);
      if (cancels) venue.cancel(1, id);
      const figures = venue.summary(account);
      checkpoints.push(figures);
      expect(Number(figures.settledCash)).toBeGreaterThanOrEqual(0);
      expect(Number(figures.totalCashValue)).toBeGreaterThanOrEqual(Number(figures.settledCash));
      expect(Number(figures.availableFunds)).toBeLessThanOrEqual(Number(figures.totalCashValue));
    }
    venue.setMarketLink(true);
    forward(4 * 86_400_000);
    return { ...made, checkpoints };
  };

  it("cash and shares are conserved to the cent, nothing is sold short, nothing is borrowed", () => {
    let executions = 0;
    fc.assert(
      fc.property(runs, (run) => {
        // One history for both views: no dividends, so that fills and commissions are all that moves cash.
        const { venue, events } = play(run, [{ adjusted: spy.trades! }, { adjusted: bnd.trades! }]);
        let cash = 2_000_000;
        const shares: Record<string, number> = { SPY: 0, BND: 400_000 };
        const nameOf = (conId: number) => (conId === spyId(venue) ? "SPY" : "BND");
        for (const event of events) {
          if (event.kind !== "execution") continue;
          executions++;
          const { order, price, side, commission, shares: text } = event.execution;
          const quantity = quantityOfShares(text);
          const signed = side === "BOT" ? -1 : 1;
          cash += signed * notionalCents(quantity, price) - centsOfDollars(commission);
          shares[nameOf(order.order.conId)]! -= signed * quantity;
          expect(Math.min(...Object.values(shares))).toBeGreaterThanOrEqual(0);
          expect(cash).toBeGreaterThanOrEqual(0);
        }
        const held = venue
          .positions(account)
          .map(({ conId, quantity }) => [nameOf(conId), quantityOfShares(quantity)]);
        expect({ SPY: 0, BND: 0, ...Object.fromEntries(held) }).toEqual(shares);
        expect(centsOfDollars(venue.summary(account).totalCashValue)).toBe(cash);
      }),
      { numRuns: 150 },
    );
    expect(executions).toBeGreaterThan(300);
  });
  it("the same calls give the same events, ids and figures", () => {
    fc.assert(
      fc.property(runs, (run) => {
        const [one, other] = [play(run), play(run)];
        expect(other.events).toEqual(one.events);
        expect(other.checkpoints).toEqual(one.checkpoints);
      }),
      { numRuns: 40 },
    );
  });
  it("every order ends once, its executions add up, and each has one commission", () => {
    fc.assert(
      fc.property(runs, (run) => {
        const { events } = play(run);
        const filled = new Map<string, number>();
        const charged: string[] = [];
        const executed: string[] = [];
        const ended = new Map<string, number>();
        for (const event of events) {
          if (event.kind === "execution") {
            const { execution } = event;
            executed.push(execution.execId);
            const sum =
              (filled.get(execution.order.permId) ?? 0) + Math.round(Number(execution.shares) * 10_000);
            filled.set(execution.order.permId, sum);
            expect(Math.round(Number(execution.cumulative) * 10_000)).toBe(sum);
            expect(ended.has(execution.order.permId)).toBe(false);
          }
          if (event.kind === "commission") charged.push(event.execution.execId);
          if (event.kind === "status" && event.state.completedUtcMs !== undefined) {
            const { permId, filled: text } = event.state;
            ended.set(permId, (ended.get(permId) ?? 0) + 1);
            expect(Math.round(Number(text) * 10_000)).toBe(filled.get(permId) ?? 0);
            if (event.state.status === "Filled") expect(event.state.remaining).toBe("0");
          }
        }
        expect(charged).toEqual(executed);
        expect(new Set(executed).size).toBe(executed.length);
        expect([...ended.values()].every((times) => times === 1)).toBe(true);
      }),
      { numRuns: 60 },
    );
  });
  it("profit and loss explain the account: equity is what came in, plus realized, plus unrealized", () => {
    const { venue, send, forward } = open({ accounts: [{ id: account, cash: 50_000 }] });
    send("SPY", "BUY", 20);
    forward(3_600_000);
    send("SPY", "BUY", 10);
    forward(3_600_000);
    send("SPY", "SELL", 25);
    forward(2 * seconds);
    const figures = venue.summary(account);
    const sum = 50_000 + Number(figures.realizedPnl) + Number(figures.unrealizedPnl);
    expect(Number(figures.netLiquidation)).toBeCloseTo(sum, 2);
    expect(Number(figures.realizedPnl)).not.toBe(0);
    const pnl = venue.executions({}).map(({ realizedPnl }) => realizedPnl);
    expect(pnl.slice(0, 2)).toEqual([undefined, undefined]);
    expect(pnl[2]).toBeCloseTo(Number(figures.realizedPnl), 9);
    venue.advanceTo(at("2026-02-25", "00:00"));
    expect(venue.summary(account).realizedPnl).toBe("0.00");
  });
});

function spyId(venue: ReturnType<typeof world>["venue"]): number {
  return venue.contracts({ ...anyContract, symbol: "SPY" })[0]!.conId;
}
