import { sessionDate } from "@pf/market";
import { centsOfDollars, quantityOfShares } from "@pf/orders";
import { describe, expect, it } from "vitest";
import { availableCash, pendingCash, sellableOn } from "../src/account.js";
import { after, cash, dollars, fill, followedBy, holding, on } from "./accounts.js";

const law = { brokerEndOfDay: false };
const house = { brokerEndOfDay: true };
const available = (account: Parameters<typeof availableCash>[0], buffer = 0) =>
  availableCash(account, dollars(buffer));
const sellable = (account: Parameters<typeof sellableOn>[0], symbol: string, date: string, guards = law) =>
  sellableOn(account, symbol, sessionDate(date), guards);

describe("the fifteen worked examples of a cash account", () => {
  it("1: proceeds of Friday are usable on Monday", () => {
    const friday = after(
      cash("2026-11-19", 500),
      holding("2026-11-19", "SPY", 100),
      fill("2026-11-20", "sell", "SPY", 100, 100),
    );
    expect(available(friday)).toBe(dollars(500));
    expect(friday.pending).toEqual([{ amount: dollars(10_000), settles: "2026-11-23", execId: null }]);
    expect(available(on(friday, "2026-11-23"))).toBe(dollars(10_500));
  });

  it("2: half days settle like others", () => {
    const friday = after(
      holding("2026-11-24", "SPY", 100),
      fill("2026-11-25", "sell", "SPY", 80, 100),
      fill("2026-11-27", "sell", "SPY", 20, 100),
    );
    expect(available(friday)).toBe(dollars(8000));
    expect(friday.pending).toEqual([{ amount: dollars(2000), settles: "2026-11-30", execId: null }]);
    expect(available(on(friday, "2026-11-30"))).toBe(dollars(10_000));
  });

  it("3: nothing settles on Columbus Day and Veterans Day, though the exchange trades", () => {
    for (const [first, second, free] of [
      ["2026-10-09", "2026-10-12", "2026-10-13"],
      ["2026-11-10", "2026-11-11", "2026-11-12"],
    ] as const) {
      const account = after(
        holding("2026-10-01", "SPY", 100),
        fill(first, "sell", "SPY", 60, 100),
        fill(second, "sell", "SPY", 40, 100),
      );
      expect(available(account)).toBe(0);
      expect(available(on(account, free))).toBe(dollars(10_000));
    }
  });

  it("4: what is bought with unsettled proceeds is not sold before they settle", () => {
    const bought = after(
      holding("2026-11-13", "ABC", 100),
      fill("2026-11-16", "sell", "ABC", 100, 100),
      fill("2026-11-16", "buy", "XYZ", 100, 100),
    );
    expect(bought.lots.XYZ![0]!.paid).toBe("2026-11-17");
    expect(sellable(bought, "XYZ", "2026-11-16")).toEqual({ quantity: 0, next: "2026-11-17" });
    expect(sellable(bought, "XYZ", "2026-11-17").quantity).toBe(quantityOfShares(100));
    const early = followedBy(bought, fill("2026-11-16", "sell", "XYZ", 100, 101));
    expect(early.violations).toEqual([{ kind: "good_faith", session: "2026-11-16", symbol: "XYZ" }]);
    const late = followedBy(bought, fill("2026-11-17", "sell", "XYZ", 100, 101));
    expect(late.violations).toEqual([]);
  });

  it("5: a lot is paid for when the last of the money used settles", () => {
    const bought = after(
      cash("2026-11-13", 4000),
      holding("2026-11-13", "ABC", 60),
      fill("2026-11-16", "sell", "ABC", 60, 100),
      fill("2026-11-16", "buy", "XYZ", 100, 100),
    );
    expect(bought).toMatchObject({ settled: 0, pending: [] });
    expect(bought.lots.XYZ![0]!.paid).toBe("2026-11-17");
    expect(sellable(bought, "XYZ", "2026-11-16").quantity).toBe(0);
  });

  it("6: shares paid for out of their own sale are free riding, and restrict for 90 days", () => {
    const bought = after(cash("2026-11-13", 1000), fill("2026-11-16", "buy", "XYZ", 100, 13));
    expect(bought.settled).toBe(dollars(-300));
    expect(sellable(bought, "XYZ", "2026-11-17", house)).toEqual({ quantity: 0, next: null });
    const sold = followedBy(bought, fill("2026-11-17", "sell", "XYZ", 100, 14));
    expect(sold.violations).toEqual([{ kind: "free_riding", session: "2026-11-17", symbol: "XYZ" }]);
    expect(sold.restrictedUntil).toBe("2027-02-15");
    // With a deposit in time nothing is wrong.
    const paid = followedBy(bought, cash("2026-11-17", 300), fill("2026-11-17", "sell", "XYZ", 100, 14));
    expect(paid.lots).toEqual({});
    expect(paid.violations).toEqual([]);
  });

  it("7: cash that comes after a purchase's settlement is a cash-liquidation violation", () => {
    const bought = after(holding("2026-11-13", "XYZ", 120), fill("2026-11-16", "buy", "ABC", 100, 100));
    const sold = followedBy(bought, fill("2026-11-17", "sell", "XYZ", 120, 100));
    expect(sold.violations).toEqual([{ kind: "cash_liquidation", session: "2026-11-17", symbol: "XYZ" }]);
    // Sold on the day of the purchase the money comes in time.
    expect(followedBy(bought, fill("2026-11-16", "sell", "XYZ", 120, 100)).violations).toEqual([]);
  });

  it("8: the next session is too early where a bank holiday lies between", () => {
    const bought = after(
      holding("2026-10-08", "ABC", 100),
      fill("2026-10-09", "sell", "ABC", 100, 100),
      fill("2026-10-09", "buy", "XYZ", 100, 100),
    );
    expect(sellable(bought, "XYZ", "2026-10-12")).toEqual({ quantity: 0, next: "2026-10-13" });
    expect(sellable(bought, "XYZ", "2026-10-13").quantity).toBe(quantityOfShares(100));
    expect(followedBy(bought, fill("2026-10-12", "sell", "XYZ", 100, 100)).violations).toMatchObject([
      { kind: "good_faith" },
    ]);
  });

  it("9: a lot paid for but not settled is free by law and not by the broker's check", () => {
    const bought = after(cash("2026-10-08", 5000), fill("2026-10-09", "buy", "QQQ", 10, 500));
    expect(sellable(bought, "QQQ", "2026-10-12", law).quantity).toBe(quantityOfShares(10));
    expect(sellable(bought, "QQQ", "2026-10-12", house)).toEqual({ quantity: 0, next: "2026-10-13" });
  });

  it("10: money sold for is not there on the day", () => {
    const bought = after(cash("2026-11-13", 10_000), fill("2026-11-16", "buy", "A", 100, 100));
    expect(sellable(bought, "A", "2026-11-16", house).quantity).toBe(0);
    const sold = followedBy(bought, fill("2026-11-16", "sell", "A", 100, 101));
    expect(available(sold)).toBe(0);
    expect(pendingCash(sold)).toBe(dollars(10_100));
    expect(sold.dayTrades).toEqual([{ session: "2026-11-16", symbol: "A" }]);
  });

  it("11: a rotation takes two sessions", () => {
    const monday = after(
      cash("2026-11-13", 1250),
      holding("2026-11-13", "SPY", 20),
      holding("2026-11-13", "QQQ", 25),
      fill("2026-11-16", "sell", "SPY", 20, 600),
    );
    expect(available(monday, 1250)).toBe(0);
    const tuesday = on(monday, "2026-11-17");
    expect(tuesday.settled).toBe(dollars(13_250));
    expect(available(tuesday, 1250)).toBe(dollars(12_000));
  });

  it("12: a reservation holds cash back until it is filled, and then what was paid counts", () => {
    const open = after(cash("2026-11-16", 10_000), {
      kind: "ordered",
      session: sessionDate("2026-11-16"),
      reference: "pf/2026-11-16/SPY/buy",
      symbol: "SPY",
      side: "buy",
      quantity: quantityOfShares(40),
      reserved: dollars(4000),
    });
    expect(available(open)).toBe(dollars(6000));
    const bought = {
      ...fill("2026-11-16", "buy", "SPY", 40, 99.75, 0.35),
      reference: "pf/2026-11-16/SPY/buy",
    };
    const filled = followedBy(open, bought as typeof bought & { kind: "fill" });
    expect(filled.settled).toBe(centsOfDollars(6009.65));
    expect(available(filled)).toBe(centsOfDollars(6009.65));
  });

  it("13: money can settle on a day on which the exchange is closed, and is used on the next session", () => {
    const sold = after(holding("2025-01-07", "SPY", 10), fill("2025-01-08", "sell", "SPY", 10, 700));
    expect(sold.pending[0]!.settles).toBe("2025-01-09");
    expect(available(on(sold, "2025-01-10"))).toBe(dollars(7000));
  });

  it("14: where an era ends two trade dates settle together", () => {
    for (const [first, second, settles] of [
      ["2017-09-01", "2017-09-05", "2017-09-07"],
      ["2024-05-24", "2024-05-28", "2024-05-29"],
    ] as const) {
      const sold = after(
        holding(first, "SPY", 10),
        fill(first, "sell", "SPY", 5, 100),
        fill(second, "sell", "SPY", 5, 100),
      );
      expect(sold.pending.map((pending) => pending.settles)).toEqual([settles, settles]);
    }
  });

  it("15: Christmas and New Year's Day on a Friday move settlement to the Monday", () => {
    const eve = after(holding("2026-12-23", "SPY", 40), fill("2026-12-24", "sell", "SPY", 30, 100));
    expect(eve.pending).toMatchObject([{ amount: dollars(3000), settles: "2026-12-28" }]);
    expect(on(eve, "2026-12-28").settled).toBe(dollars(3000));
    const yearEnd = followedBy(eve, fill("2026-12-31", "sell", "SPY", 10, 100));
    expect(yearEnd.pending).toMatchObject([{ amount: dollars(1000), settles: "2027-01-04" }]);
  });
});
