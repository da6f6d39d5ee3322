import { type SessionDate, sessionDate } from "@pf/market";
import { type Cents, cents, centsOfDollars, quantityOfShares } from "@pf/orders";
import { describe, expect, it } from "vitest";
import { after, cash, day, dollars, fill, followedBy, holding, on } from "../test/accounts.js";
import { costOf, heldOf, openSales, reservedCash, sellableOn, totalCash } from "./account.js";
import { LedgerEventError } from "./errors.js";
import { type AccountEvent, describeCash } from "./events.js";

const monday = sessionDate("2026-11-16");
const order = (reference: string, side: "buy" | "sell", shares: number, reserved: number): AccountEvent => ({
  kind: "ordered",
  session: monday,
  reference,
  symbol: "SPY",
  side,
  quantity: quantityOfShares(shares),
  reserved: dollars(reserved),
});
const valued = (date: string, equity: number): AccountEvent => ({
  kind: "valued",
  session: sessionDate(date),
  equity: dollars(equity),
});

describe("applyEvent", () => {
  it("refuses what cannot have happened, and says why", () => {
    const account = after(cash("2026-11-16", 100), holding("2026-11-16", "SPY", 2));
    expect(() => followedBy(account, day("2026-11-13"))).toThrow("the account already stands at 2026-11-16");
    expect(() => followedBy(account, fill("2026-11-16", "sell", "SPY", 3, 10))).toThrow(
      "3 SPY leave the account, which holds 2",
    );
    expect(() => followedBy(account, fill("2026-11-16", "buy", "SPY", 0, 10))).toThrow(LedgerEventError);
    const half: AccountEvent = { kind: "cash", session: monday, amount: 0.5 as Cents, reason: "deposit" };
    expect(() => followedBy(account, half)).toThrow(LedgerEventError);
    const zero: AccountEvent = {
      kind: "split",
      session: monday,
      symbol: "SPY",
      numerator: 0,
      denominator: 1,
    };
    expect(() => followedBy(account, zero)).toThrow(LedgerEventError);
  });

  it("starts the day of an event by itself", () => {
    const sold = after(holding("2026-11-13", "SPY", 10), fill("2026-11-16", "sell", "SPY", 10, 100));
    const later = followedBy(sold, fill("2026-11-17", "buy", "TLT", 10, 90));
    expect(later.settled).toBe(dollars(100));
    expect(later.lots.TLT![0]).toMatchObject({ paid: "2026-11-17", settles: "2026-11-18", unpaid: 0 });
    expect(describeCash(sold)).toBe("0.00 settled, 1,000.00 on 2026-11-17 to come");
    expect(describeCash(later)).toBe("100.00 settled");
  });

  it("sells first in, first out, and knows what was gained after commissions", () => {
    const bought = after(
      cash("2026-11-10", 10_000),
      fill("2026-11-10", "buy", "SPY", 10, 100, 1),
      fill("2026-11-13", "buy", "SPY", 10, 110, 1),
    );
    expect(costOf(bought, "SPY")).toBe(dollars(2102));
    const sold = followedBy(bought, fill("2026-11-16", "sell", "SPY", 15, 120, 1));
    // 10 at 100.10 and 5 at 110.10 went for 1,799.
    expect(sold.realized).toBe(centsOfDollars(1799 - 1001 - 550.5));
    expect(costOf(sold, "SPY")).toBe(centsOfDollars(550.5));
    expect(heldOf(sold, "SPY")).toBe(quantityOfShares(5));
  });

  it("puts a late commission where the fill put its money", () => {
    const start = [cash("2026-11-13", 5000), holding("2026-11-13", "SPY", 10)];
    const fee = (execId: string, date = "2026-11-16"): AccountEvent => ({
      kind: "fee",
      session: sessionDate(date),
      execId,
      amount: centsOfDollars(0.35),
    });
    for (const side of ["buy", "sell"] as const) {
      const known = after(...start, fill("2026-11-16", side, "SPY", 10, 100, 0.35, "e1"));
      const late = after(...start, fill("2026-11-16", side, "SPY", 10, 100, 0, "e1"), fee("e1"));
      expect(late).toEqual(known);
    }
    // A day later the sale's money has settled, and the commission comes out of it.
    const sold = after(
      ...start,
      fill("2026-11-16", "sell", "SPY", 10, 100, 0, "e1"),
      fee("e1", "2026-11-17"),
    );
    expect(sold.settled).toBe(centsOfDollars(5999.65));
    expect(sold.realized).toBe(centsOfDollars(999.65));
  });

  it("keeps cash back for an open buy in proportion to what is not filled", () => {
    const open = after(cash("2026-11-16", 10_000), order("a", "buy", 40, 4000), order("b", "sell", 5, 0));
    const part = followedBy(open, {
      ...fill("2026-11-16", "buy", "SPY", 10, 99),
      reference: "a",
    } as AccountEvent);
    expect(reservedCash(part)).toBe(dollars(3000));
    const done = followedBy(part, { kind: "closed", session: monday, reference: "a" });
    expect(reservedCash(done)).toBe(0);
    expect(openSales(done, "SPY")).toBe(quantityOfShares(5));
    // Both still count as orders of the day, and the same one noted again is not a third.
    expect(followedBy(done, order("a", "buy", 40, 4000)).orders.length).toBe(2);
    expect(on(part, "2026-11-17").orders).toEqual([]);
  });

  it("forgets an order that the broker never saw, so that it can be sent after all", () => {
    const open = after(cash("2026-11-16", 10_000), order("a", "buy", 40, 4000), order("b", "sell", 5, 0));
    const unsent = followedBy(open, { kind: "unsent", session: monday, reference: "a" });
    expect(unsent.orders.map(({ reference }) => reference)).toEqual(["b"]);
    expect(reservedCash(unsent)).toBe(0);
    expect(followedBy(unsent, order("a", "buy", 40, 4000)).orders.length).toBe(2);
  });

  it("takes open sales off what may be sold", () => {
    const open = after(holding("2026-11-16", "SPY", 12), order("b", "sell", 5, 0));
    expect(sellableOn(open, "SPY", monday, { brokerEndOfDay: true }).quantity).toBe(quantityOfShares(7));
  });

  it("splits all lots together, and loses less than a ten-thousandth of a share", () => {
    const lots = [1, 2, 3].map(() => fill("2026-11-13", "buy", "SPY", "0.0001", 100));
    const account = after(cash("2026-11-13", 100), ...lots, {
      kind: "split",
      session: monday,
      symbol: "SPY",
      numerator: 3,
      denominator: 2,
    });
    expect(heldOf(account, "SPY")).toBe(4);
    const reverse = after(holding("2026-11-13", "SPY", 7, 700), {
      kind: "split",
      session: monday,
      symbol: "SPY",
      numerator: 1,
      denominator: 10,
    });
    expect(heldOf(reverse, "SPY")).toBe(quantityOfShares(0.7));
    expect(costOf(reverse, "SPY")).toBe(dollars(700));
  });

  it("counts a day trade for a buy and a later sale, and none for a sale and a later buy", () => {
    const start = [cash("2026-11-13", 5000), holding("2026-11-13", "SPY", 10)];
    const sellBuy = after(
      ...start,
      fill("2026-11-16", "sell", "SPY", 5, 100),
      fill("2026-11-16", "buy", "SPY", 5, 100),
    );
    expect(sellBuy.dayTrades).toEqual([]);
    const twice = after(
      ...start,
      fill("2026-11-16", "buy", "SPY", 5, 100),
      fill("2026-11-16", "sell", "SPY", 2, 100),
      fill("2026-11-16", "sell", "SPY", 3, 100),
    );
    expect(twice.dayTrades).toEqual([{ session: monday, symbol: "SPY" }]);
    const overnight = after(
      ...start,
      fill("2026-11-16", "buy", "SPY", 5, 100),
      fill("2026-11-17", "sell", "SPY", 5, 100),
    );
    expect(overnight.dayTrades).toEqual([]);
    expect(on(twice, "2026-12-28").dayTrades).toEqual([]);
  });

  it("notes the sale of a lot before its settlement as what the broker takes it for", () => {
    const sold = after(
      cash("2026-11-13", 5000),
      fill("2026-11-16", "buy", "SPY", 10, 100),
      fill("2026-11-16", "sell", "SPY", 10, 100),
    );
    expect(sold.violations).toMatchObject([{ kind: "end_of_day", symbol: "SPY" }]);
  });

  it("takes adopted shares for settled only when told so", () => {
    const adopt = (isSettled: boolean) =>
      after({
        kind: "adopted",
        session: sessionDate("2026-10-09"),
        symbol: "SPY",
        quantity: quantityOfShares(3),
        cost: cents(0),
        isSettled,
      });
    const free = (isSettled: boolean) =>
      sellableOn(adopt(isSettled), "SPY", sessionDate("2026-10-09"), { brokerEndOfDay: true });
    expect(free(true)).toEqual({ quantity: quantityOfShares(3), next: null });
    expect(free(false)).toEqual({ quantity: 0, next: "2026-10-13" });
  });

  it("lets money that settles later wait", () => {
    const wired = after({
      kind: "cash",
      session: monday,
      amount: dollars(100),
      reason: "deposit",
      settles: sessionDate("2026-11-18"),
    });
    expect([wired.settled, totalCash(wired)]).toEqual([0, dollars(100)]);
    expect(on(wired, "2026-11-18").settled).toBe(dollars(100));
  });

  it("moves the peak along with deposits and withdrawals, so that they are neither gains nor losses", () => {
    const account = after(
      cash("2026-11-12", 10_000),
      valued("2026-11-12", 10_000),
      valued("2026-11-13", 8000),
      cash("2026-11-16", 8000),
    );
    expect(account.peak).toBe(dollars(20_000));
    expect(account.valued).toEqual({ session: "2026-11-13" as SessionDate, equity: dollars(16_000) });
    const later = followedBy(account, valued("2026-11-16", 15_000), valued("2026-11-16", 15_500));
    expect(later.valuedBefore).toEqual({ session: "2026-11-13" as SessionDate, equity: dollars(16_000) });
    expect(later.peak).toBe(dollars(20_000));
    // A dividend is a gain.
    const dividend: AccountEvent = {
      kind: "cash",
      session: monday,
      amount: dollars(500),
      reason: "dividend",
    };
    expect(followedBy(later, dividend).peak).toBe(dollars(20_000));
  });

  it("covers what is owed for nothing in the account before it takes a lot for paid", () => {
    const owing = after(
      cash("2026-11-13", 100),
      cash("2026-11-13", -400),
      fill("2026-11-16", "buy", "SPY", 2, 100),
    );
    expect(owing.settled).toBe(dollars(-500));
    expect(owing.lots.SPY![0]).toMatchObject({ paid: null, unpaid: dollars(200) });
    const part = followedBy(owing, cash("2026-11-16", 300));
    expect(part.lots.SPY![0]).toMatchObject({ paid: null, unpaid: dollars(200) });
    const whole = followedBy(part, cash("2026-11-17", 200));
    expect(whole.lots.SPY![0]).toMatchObject({ paid: "2026-11-17", unpaid: 0 });
  });
});
