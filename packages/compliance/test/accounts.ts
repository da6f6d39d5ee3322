import { sessionDate } from "@pf/market";
import { type Cents, cents, centsOfDollars, quantityOfShares, type Side } from "@pf/orders";
import { type Account, emptyAccount } from "../src/account.js";
import { type AccountEvent, applyEvent, foldEvents } from "../src/events.js";
import { usSettlement } from "../src/settlement.js";

/** A fill in words: `fill("2026-11-16", "buy", "XYZ", 100, 100)` is 100 shares at 100 dollars. */
export function fill(
  day: string,
  side: Side,
  symbol: string,
  shares: number | string,
  price: number,
  fees = 0,
  execId: string | null = null,
): AccountEvent {
  return {
    kind: "fill",
    session: sessionDate(day),
    reference: null,
    execId,
    symbol,
    side,
    quantity: quantityOfShares(shares),
    price,
    fees: centsOfDollars(fees),
  };
}

export const day = (date: string): AccountEvent => ({ kind: "day", session: sessionDate(date) });

export const cash = (date: string, dollars: number): AccountEvent => ({
  kind: "cash",
  session: sessionDate(date),
  amount: centsOfDollars(dollars),
  reason: dollars >= 0 ? "deposit" : "withdrawal",
});

/** Shares that were there long before, paid and settled. */
export const holding = (date: string, symbol: string, shares: number, costDollars = 0): AccountEvent => ({
  kind: "adopted",
  session: sessionDate(date),
  symbol,
  quantity: quantityOfShares(shares),
  cost: centsOfDollars(costDollars),
  isSettled: true,
});

export const after = (...events: readonly AccountEvent[]): Account => foldEvents(events, usSettlement);

export const followedBy = (account: Account, ...events: readonly AccountEvent[]): Account =>
  foldEvents(events, usSettlement, account);

export const on = (account: Account, date: string): Account => applyEvent(account, day(date), usSettlement);

export const dollars = (amount: number): Cents => cents(amount * 100);

export { emptyAccount };
