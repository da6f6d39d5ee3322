import { sessionDate } from "@pf/market";
import { cents, quantityOfShares } from "@pf/orders";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { after, cash, day, dollars, fill, followedBy, holding } from "../test/accounts.js";
import { type Account, emptyAccount, heldOf, positionsOf, sellableOn, totalCash } from "./account.js";
import { foldEvents } from "./events.js";
import { type BrokerFigures, reconcile } from "./reconcile.js";
import { usSettlement } from "./settlement.js";

const session = sessionDate("2026-11-16");
const compare = (account: Account, broker: BrokerFigures, isAccepted = false) =>
  reconcile(account, broker, { session, isAccepted }, usSettlement);
const booked = (account: Account, found: ReturnType<typeof compare>) =>
  foldEvents(found.events, usSettlement, account);
const position = (shares: number, averageCost = 100) => ({
  quantity: Math.round(shares * 10_000),
  averageCost,
});

/** 10,000 settled, 2,000 on its way, 10 SPY. */
const ours = after(
  cash("2026-11-12", 10_000),
  holding("2026-11-12", "SPY", 30, 3000),
  fill("2026-11-16", "sell", "SPY", 20, 100),
);
const theirs = (change: Partial<BrokerFigures> = {}): BrokerFigures => ({
  settledCash: dollars(10_000),
  totalCash: dollars(12_000),
  positions: { SPY: position(10) },
  ...change,
});

describe("reconcile", () => {
  it("finds nothing where book and broker agree", () => {
    expect(compare(ours, theirs())).toEqual({
      events: [],
      notices: [],
      buysStopped: null,
      settled: dollars(10_000),
    });
  });

  it("books more cash as an external movement, with a notice", () => {
    const found = compare(ours, theirs({ settledCash: dollars(10_500), totalCash: dollars(12_500) }));
    expect(found.notices.map(({ code }) => code)).toEqual(["external_cash"]);
    expect(found.buysStopped).toBeNull();
    expect(found.settled).toBe(dollars(10_500));
    expect(booked(ours, found).settled).toBe(dollars(10_500));
  });

  it("uses no cash that has not settled at the broker", () => {
    const found = compare(ours, theirs({ totalCash: dollars(12_500) }));
    expect(found.notices.map(({ code }) => code)).toEqual(["external_cash_unsettled"]);
    expect([found.events, found.settled]).toEqual([[], dollars(10_000)]);
  });

  it("does not count proceeds twice where the broker takes them for settled at once", () => {
    const found = compare(ours, theirs({ settledCash: dollars(12_000) }));
    expect(found.notices.map(({ code }) => code)).toEqual(["lenient_settlement"]);
    expect([found.events, found.settled, found.buysStopped]).toEqual([[], dollars(10_000), null]);
    const more = compare(ours, theirs({ settledCash: dollars(12_700), totalCash: dollars(12_700) }));
    expect(totalCash(booked(ours, more))).toBe(dollars(12_700));
    expect(booked(ours, more).settled).toBe(dollars(10_700));
  });

  it("stops buys where cash is missing, until somebody accepts it", () => {
    const less = theirs({ settledCash: dollars(9990), totalCash: dollars(11_990) });
    const found = compare(ours, less);
    expect(found.notices).toMatchObject([{ code: "cash_missing", stopsBuys: true }]);
    expect(found.buysStopped).toBe("the broker has 10.00 less cash than the book");
    expect(found.events).toEqual([]);
    const accepted = compare(ours, less, true);
    expect(accepted.buysStopped).toBeNull();
    expect(booked(ours, accepted).settled).toBe(dollars(9990));
  });

  it("stops buys where the broker takes less for settled", () => {
    const found = compare(ours, theirs({ settledCash: dollars(9000) }));
    expect(found.notices).toMatchObject([{ code: "settled_cash_missing", stopsBuys: true }]);
    expect(found.settled).toBe(dollars(9000));
    // Accepted, it does not stop them for ever; what the broker does not take for settled is still not used.
    const accepted = compare(ours, theirs({ settledCash: dollars(9000) }), true);
    expect([accepted.buysStopped, accepted.settled]).toEqual([null, dollars(9000)]);
    expect(accepted.notices[0]!.detail).toContain("1,000.00 less for settled than the book: accepted");
  });

  it("takes a few cents for rounding and books them, so that they never add up", () => {
    for (const off of [-5, -1, 1, 5]) {
      const figures = theirs({ settledCash: cents(1_000_000 + off), totalCash: cents(1_200_000 + off) });
      const found = compare(ours, figures);
      expect(found.notices).toEqual([]);
      expect(booked(ours, found).settled).toBe(1_000_000 + off);
    }
    expect(
      compare(ours, theirs({ settledCash: cents(1_000_000 - 6), totalCash: cents(1_200_000 - 6) }))
        .buysStopped,
    ).toMatch("0.06 less");
  });

  it("takes shares in the ratio of a split, cash unmoved, for a split", () => {
    for (const [shares, numerator, denominator] of [
      [20, 2, 1],
      [15, 3, 2],
      [1, 1, 10],
    ] as const) {
      const found = compare(ours, theirs({ positions: { SPY: position(shares, 1000 / shares) } }));
      expect(found.events).toEqual([{ kind: "split", session, symbol: "SPY", numerator, denominator }]);
      expect(found.buysStopped).toBeNull();
      expect(heldOf(booked(ours, found), "SPY")).toBe(quantityOfShares(shares));
    }
  });

  it("takes no transfer for a split: shares that went with what they had cost stop buys, as others do", () => {
    for (const averageCost of [100, 85, 120, 0]) {
      const gone = compare(ours, theirs({ positions: { SPY: position(5, averageCost) } }));
      expect(gone.notices).toMatchObject([{ code: "shares_missing", stopsBuys: true }]);
      const come = compare(ours, theirs({ positions: { SPY: position(20, averageCost) } }));
      expect(come.notices).toMatchObject([{ code: "shares_found" }]);
      const { quantity } = sellableOn(booked(ours, come), "SPY", session, { brokerEndOfDay: true });
      expect(quantity).toBe(quantityOfShares(10));
    }
    // Methods of counting cost differ by a little.
    for (const averageCost of [42, 50, 60]) {
      const split = compare(ours, theirs({ positions: { SPY: position(20, averageCost) } }));
      expect(split.notices).toMatchObject([{ code: "split" }]);
    }
  });

  it("books shares that somebody else bought as bought today, and stops buys for their cash", () => {
    const found = compare(
      ours,
      theirs({
        settledCash: dollars(9000),
        totalCash: dollars(11_000),
        positions: { SPY: position(20), TLT: position(5) },
      }),
    );
    expect(found.notices.map(({ code }) => code)).toEqual(["cash_missing", "shares_found", "shares_found"]);
    const account = booked(ours, found);
    expect(positionsOf(account)).toEqual({ SPY: quantityOfShares(20), TLT: quantityOfShares(5) });
    expect(sellableOn(account, "TLT", session, { brokerEndOfDay: true })).toEqual({
      quantity: 0,
      next: "2026-11-17",
    });
    expect(found.buysStopped).toMatch("1,000.00 less cash");
  });

  it("books missing shares out, since what is not there cannot be sold, and stops buys", () => {
    const found = compare(ours, theirs({ positions: { SPY: position(7) } }));
    expect(found.notices).toMatchObject([{ code: "shares_missing", stopsBuys: true }]);
    expect(heldOf(booked(ours, found), "SPY")).toBe(quantityOfShares(7));
    const gone = compare(ours, theirs({ positions: {} }));
    expect(booked(ours, gone).lots).toEqual({});
    expect(compare(ours, theirs({ positions: {} }), true).buysStopped).toBeNull();
  });

  it("stops buys for a short position and does not book it", () => {
    const found = compare(ours, theirs({ positions: { SPY: position(10), QQQ: position(-3) } }));
    expect(found.buysStopped).toBe("the broker is short of 3 QQQ, which a cash account cannot be");
    expect(found.events).toEqual([]);
  });
});

describe("the first comparison", () => {
  const figures: BrokerFigures = {
    settledCash: dollars(5000),
    totalCash: dollars(5000),
    positions: { SPY: position(12.5, 580.123), AAPL: position(3) },
  };
  it("adopts cash and holdings, settled if all cash is", () => {
    const found = compare(emptyAccount, figures);
    const account = booked(emptyAccount, found);
    expect(account).toMatchObject({ session, settled: dollars(5000), pending: [] });
    expect(sellableOn(account, "SPY", session, { brokerEndOfDay: true }).quantity).toBe(
      quantityOfShares(12.5),
    );
    expect(account.lots.SPY![0]).toMatchObject({ traded: null, cost: 725_154 });
    expect(found.notices.map(({ detail }) => detail)).toEqual([
      "12.5 SPY adopted, bought nobody knows when, taken for settled, because all cash is",
      "3 AAPL adopted, bought nobody knows when, taken for settled, because all cash is",
      "5,000.00 of cash adopted",
    ]);
    expect(compare(account, figures)).toMatchObject({ events: [], notices: [] });
  });
  it("trusts no date where some cash has not settled", () => {
    const account = booked(emptyAccount, compare(emptyAccount, { ...figures, totalCash: dollars(7000) }));
    expect(account.settled).toBe(dollars(5000));
    expect(account.pending).toMatchObject([{ amount: dollars(2000), settles: "2026-11-17" }]);
    expect(sellableOn(account, "SPY", session, { brokerEndOfDay: true }).quantity).toBe(0);
    expect(followedBy(account, day("2026-11-17")).settled).toBe(dollars(7000));
  });
});

describe("reconcile on random differences", () => {
  it("never takes more for settled than the broker does, and either agrees afterwards or stops buys", () => {
    const amount = fc.integer({ min: -300_000, max: 300_000 });
    fc.assert(
      fc.property(amount, amount, fc.nat(40), fc.boolean(), (total, settled, shares, isAccepted) => {
        const broker = theirs({
          settledCash: cents(1_000_000 + settled),
          totalCash: cents(1_200_000 + total),
          positions: { SPY: position(shares) },
        });
        const found = compare(ours, broker, isAccepted);
        const account = booked(ours, found);
        expect(found.settled).toBeLessThanOrEqual(broker.settledCash);
        expect(found.settled).toBeLessThanOrEqual(account.settled);
        expect(heldOf(account, "SPY")).toBe(quantityOfShares(shares));
        if (found.buysStopped === null) expect(totalCash(account)).toBeLessThanOrEqual(broker.totalCash + 5);
      }),
      { numRuns: 500 },
    );
  });
});
