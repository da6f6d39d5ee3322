import { type SessionDate, sessionDate, type Weights, xnys } from "@pf/market";
import {
  cents,
  commissionPlan,
  type OrderPlan,
  type OrderRules,
  oneShare,
  planOrders,
  type Quotes,
} from "@pf/orders";
import type { Account } from "../src/account.js";
import { calendarHours } from "../src/review.js";
import { type ComplianceRules, type Situation, usualRules } from "../src/rules.js";
import { usSettlement } from "../src/settlement.js";
import { snapshotOf } from "../src/snapshot.js";
import { after, cash, day, dollars, holding } from "./accounts.js";

export const universe = ["SPY", "QQQ", "TLT", "GLD"];
export const prices: Readonly<Record<string, number>> = { SPY: 600, QQQ: 500, TLT: 90, GLD: 250 };

export const rules: ComplianceRules = { ...usualRules, commission: commissionPlan("ibkr_tiered") };

export const orderRules: OrderRules = {
  universe,
  orderType: "MKT",
  limitOffsetBps: 2,
  maxOrders: 5,
  quantityStep: oneShare,
  minNotional: cents(0),
  cashBuffer: rules.cashBuffer,
  commission: rules.commission,
};

/** 20,000 dollars of cash and 20 SPY at 600, all settled, four minutes before the close of a Monday. */
export interface World {
  readonly account: Account;
  readonly situation: Situation;
  readonly rules: ComplianceRules;
  readonly plan: OrderPlan;
}

export function quotesAt(of: Readonly<Record<string, number>>, atUtcMs: number): Quotes {
  return Object.fromEntries(
    Object.entries(of).map(([symbol, price]) => [
      symbol,
      { price, bid: price, ask: price, tick: 0.01, feed: "live" as const, atUtcMs },
    ]),
  );
}

export function situationOn(
  date: string,
  of: Readonly<Record<string, number>> = prices,
  beforeCloseMs = 4 * 60_000,
): Situation {
  const session = sessionDate(date);
  const closeUtcMs = xnys.isSession(session) ? xnys.closeUtcMs(session) : Date.UTC(2026, 10, 26, 21);
  const nowUtcMs = closeUtcMs - beforeCloseMs;
  return {
    account: "DU1",
    baseCurrency: "USD",
    session,
    attempt: 1,
    universe,
    nowUtcMs,
    quotes: quotesAt(of, nowUtcMs - 1000),
    lastBars: Object.fromEntries(
      Object.entries(of).map(([symbol, close]) => [symbol, { session: xnys.previous(session), close }]),
    ),
    liquidHours: calendarHours(universe, session, usSettlement),
    knownReferences: [],
    isResumed: false,
    reconciliation: null,
  };
}

export function planIn(
  account: Account,
  situation: Situation,
  more: {
    readonly weights?: Weights;
    readonly order?: Partial<OrderRules>;
    readonly rules?: ComplianceRules;
  } = {},
): OrderPlan {
  const { weights = { GLD: 0.45, SPY: 0.2 }, order = {} } = more;
  const snapshot = snapshotOf(account, situation, more.rules ?? rules, usSettlement);
  const asOf: SessionDate = situation.session;
  return planOrders({ asOf, weights }, snapshot, situation.quotes, { ...orderRules, ...order });
}

export function worldOn(date = "2026-11-16"): World {
  const account = after(
    cash("2026-11-12", 20_000),
    holding("2026-11-12", "SPY", 20, 12_000),
    { kind: "valued", session: sessionDate("2026-11-13"), equity: dollars(32_000) },
    day(date),
  );
  const situation = situationOn(date);
  return { account, situation, rules, plan: planIn(account, situation) };
}
