import type { SessionDate, Ticker } from "@pf/market";
import { type Cents, cents, type Quantity, type Side } from "@pf/orders";

/** Money of a sale that is not there yet. */
export interface Pending {
  readonly amount: Cents;
  /** The settlement day; the money can be used on it. */
  readonly settles: SessionDate;
  /** The execution it comes from, so that a commission that arrives late finds it. */
  readonly execId: string | null;
}

/** Shares of one purchase, or what is left of them. */
export interface Lot {
  readonly quantity: Quantity;
  /** What they cost, commission included. */
  readonly cost: Cents;
  /** `null` for shares that were there before the first use. */
  readonly traded: SessionDate | null;
  /** When the purchase settles; `null` for shares adopted as settled. */
  readonly settles: SessionDate | null;
  /** When they are paid for in full: the trade date, or the day on which the last of the money used settles; `null` while some is missing. */
  readonly paid: SessionDate | null;
  /** What is missing. */
  readonly unpaid: Cents;
  readonly execId: string | null;
}

/** An order of the current session. */
export interface SentOrder {
  readonly reference: string;
  readonly symbol: Ticker;
  readonly side: Side;
  /** Not filled yet. */
  readonly open: Quantity;
  /** Cash kept back for it, in proportion to what is open. */
  readonly reserved: Cents;
}

/**
 * What a sale can break.
 *
 * `good_faith` shares were sold before the unsettled proceeds they were bought with had settled · `free_riding` shares
 * were sold that had not been paid for · `cash_liquidation` other shares were sold to pay for a purchase, too late for
 * its settlement · `end_of_day` shares were sold before their purchase settled, which the broker's check at the end of
 * the day takes for free riding
 */
export type ViolationKind = "good_faith" | "free_riding" | "cash_liquidation" | "end_of_day";

export interface Violation {
  readonly kind: ViolationKind;
  /** Of the sale. */
  readonly session: SessionDate;
  readonly symbol: Ticker;
}

/** A buy and a later sale of one symbol in one session. */
export interface DayTrade {
  readonly session: SessionDate;
  readonly symbol: Ticker;
}

export interface Valuation {
  readonly session: SessionDate;
  readonly equity: Cents;
}

/** The rebalance of a session, noted before its first order. */
export interface Rebalance {
  readonly session: SessionDate;
  readonly attempt: number;
  readonly references: readonly string[];
}

/**
 * A cash account: one plain value, changed only by `applyEvent`, that survives `JSON.stringify` and back. The same value
 * is the live ledger, the simulator's account and the account of the account-level backtest.
 */
export interface Account {
  /** The session it stands at: everything that settles up to it has settled. `null` before the first event. */
  readonly session: SessionDate | null;
  /** Cash that has settled, less everything bought. Below 0 when a purchase was not covered. */
  readonly settled: Cents;
  /** Ascending by settlement day. */
  readonly pending: readonly Pending[];
  /** First in, first out. A symbol that is not held is absent. */
  readonly lots: Readonly<Record<Ticker, readonly Lot[]>>;
  /** Of the current session, sent or filled or ended. */
  readonly orders: readonly SentOrder[];
  /** The executions booked in the current session: none is booked twice. */
  readonly executions: readonly string[];
  /** What was bought in the current session and not sold since. */
  readonly boughtToday: readonly Ticker[];
  /** Of the last weeks. */
  readonly dayTrades: readonly DayTrade[];
  readonly rebalanced: Rebalance | null;
  readonly violations: readonly Violation[];
  /** Until that day, inclusive, only settled cash may buy. */
  readonly restrictedUntil: SessionDate | null;
  /** Highest equity, moved along with deposits and withdrawals; `null` before the first valuation. */
  readonly peak: Cents | null;
  /** The latest valuation, and the last of a session before it. */
  readonly valued: Valuation | null;
  readonly valuedBefore: Valuation | null;
  /** Gains and losses of what was sold, commissions included. */
  readonly realized: Cents;
}

/** An account that nothing has happened to. */
export const emptyAccount: Account = {
  session: null,
  settled: cents(0),
  pending: [],
  lots: {},
  orders: [],
  executions: [],
  boughtToday: [],
  dayTrades: [],
  rebalanced: null,
  violations: [],
  restrictedUntil: null,
  peak: null,
  valued: null,
  valuedBefore: null,
  realized: cents(0),
};

/** Shares held of a symbol. */
export function heldOf(account: Account, symbol: Ticker): Quantity {
  const lots = account.lots[symbol];
  let held = 0;
  if (lots) for (let at = 0; at < lots.length; at++) held += lots[at]!.quantity;
  return held as Quantity;
}

/** Everything held, in the order in which it was first bought. */
export function positionsOf(account: Account): Readonly<Record<Ticker, Quantity>> {
  return Object.fromEntries(Object.keys(account.lots).map((symbol) => [symbol, heldOf(account, symbol)]));
}

/** What the shares held of a symbol cost, commissions included. */
export function costOf(account: Account, symbol: Ticker): Cents {
  return cents((account.lots[symbol] ?? []).reduce((sum, lot) => sum + lot.cost, 0));
}

/** Cash that is sold for but not settled. */
export function pendingCash(account: Account): Cents {
  let sum = 0;
  for (const { amount } of account.pending) sum += amount;
  return cents(sum);
}

/** All cash, settled or not. */
export function totalCash(account: Account): Cents {
  return cents(account.settled + pendingCash(account));
}

/** Cash kept back for open buy orders. */
export function reservedCash(account: Account): Cents {
  let sum = 0;
  for (const { reserved } of account.orders) sum += reserved;
  return cents(sum);
}

/** Shares of a symbol in open sell orders. */
export function openSales(account: Account, symbol: Ticker): Quantity {
  let sum = 0;
  for (const order of account.orders) if (order.side === "sell" && order.symbol === symbol) sum += order.open;
  return sum as Quantity;
}

/** Settled cash less open buys and what is never invested: the sum of new buys, commissions included, is at most this. */
export function availableCash(account: Account, buffer: Cents): Cents {
  return cents(account.settled - reservedCash(account) - buffer);
}

/**
 * The account as it is when somebody lifts a halt that a brake has made: what equity is compared with is forgotten, and
 * the next valuation is the first. Otherwise the same fall would brake again at once, and for as long as it lasts nothing
 * could ever be bought, nor sold.
 */
export function releaseBrakes(account: Account): Account {
  return { ...account, peak: null, valued: null, valuedBefore: null };
}

/** Which sales a guard forbids. */
export interface SaleGuards {
  /** Whether the broker's check at the end of the day is kept to: no share is sold before its purchase settles. */
  readonly brokerEndOfDay: boolean;
}

/** The first day on which a lot may be sold; `null` for never as things stand, because it is not paid for. */
function freeFrom(lot: Lot, { brokerEndOfDay }: SaleGuards): SessionDate | null {
  if (lot.paid === null) return null;
  const settles = brokerEndOfDay ? lot.settles : null;
  return settles !== null && settles > lot.paid ? settles : lot.paid;
}

/** What may be sold of a symbol. */
export interface Sellable {
  readonly quantity: Quantity;
  /** When the next shares become free; `null` when all are, or when nobody can say because they are not paid for. */
  readonly next: SessionDate | null;
}

/**
 * What may be sold of a symbol on a session without a good-faith or free-riding violation, open sales already taken off.
 * Lots go first in, first out, so one that is not free keeps those behind it.
 */
export function sellableOn(
  account: Account,
  symbol: Ticker,
  session: SessionDate,
  guards: SaleGuards,
): Sellable {
  let free = 0;
  let next: SessionDate | null = null;
  for (const lot of account.lots[symbol] ?? []) {
    const from = freeFrom(lot, guards);
    if (from === null || from > session) {
      next = from;
      break;
    }
    free += lot.quantity;
  }
  return { quantity: Math.max(0, free - openSales(account, symbol)) as Quantity, next };
}
