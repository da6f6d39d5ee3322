import {
  type AccountSnapshot,
  type Cents,
  cents,
  formatCents,
  fractionOf,
  notionalCents,
  type Quantity,
} from "@pf/orders";
import { type Account, heldOf, pendingCash, reservedCash, sellableOn, totalCash } from "./account.js";
import type { ComplianceRules, Situation } from "./rules.js";
import type { SettlementCalendar } from "./settlement.js";

/**
 * The account as planning needs it: what may be spent and sold today without breaking a rule, and when the rest may. A
 * plan made from it passes the review, unless the situation itself does not.
 *
 * @param account - standing at the situation's session, so that what settles today has settled
 */
export function snapshotOf(
  account: Account,
  situation: Situation,
  rules: ComplianceRules,
  calendar: SettlementCalendar,
): AccountSnapshot {
  const { session, attempt, reconciliation } = situation;
  const positions: Record<string, AccountSnapshot["positions"][string]> = {};
  for (const symbol of Object.keys(account.lots)) {
    const { quantity, next } = sellableOn(account, symbol, session, rules);
    const moreFrom = next === null ? null : calendar.sessionFrom(next);
    positions[symbol] = { quantity: heldOf(account, symbol), sellable: quantity, moreFrom };
  }
  const isStrict = !mayUseUnsettled(account, situation, rules);
  return {
    account: situation.account,
    session,
    attempt,
    cash: totalCash(account),
    spendable: spendableCash(account, situation, rules),
    coming: isStrict
      ? account.pending.map(({ amount, settles }) => ({ amount, usable: calendar.sessionFrom(settles) }))
      : [],
    proceedsUsable: calendar.sessionFrom(calendar.settleDate(session)),
    positions,
    ordersSent: account.orders.length,
    buysStopped: reconciliation?.buysStopped ?? brakedBuys(account, situation, rules),
  };
}

/**
 * Cash that may buy today, open buys taken off: settled by our book and by the broker's figures, whichever is less, and
 * what is still coming where that may buy. The broker's figure of settled cash knows nothing of what is coming.
 */
export function spendableCash(account: Account, situation: Situation, rules: ComplianceRules): Cents {
  const settled = Math.min(account.settled, situation.reconciliation?.settled ?? account.settled);
  const coming = mayUseUnsettled(account, situation, rules) ? pendingCash(account) : 0;
  return cents(settled + coming - reservedCash(account));
}

/** Whether proceeds that have not settled may buy: never in strict mode, never while restricted. */
function mayUseUnsettled(
  account: Account,
  { session }: Situation,
  { settledCash }: ComplianceRules,
): boolean {
  return settledCash === "permissive" && !isRestricted(account, session);
}

export function isRestricted({ restrictedUntil }: Account, session: string): boolean {
  return restrictedUntil !== null && restrictedUntil >= session;
}

/** All cash and what is held of the universe at the quotes; `undefined` while a price is missing. */
export function equityOf(
  account: Account,
  { universe, quotes }: Pick<Situation, "universe" | "quotes">,
): Cents | undefined {
  let equity: number = totalCash(account);
  for (const symbol of universe) {
    const held: Quantity = heldOf(account, symbol);
    if (held === 0) continue;
    const quote = quotes[symbol];
    if (!quote) return undefined;
    equity += notionalCents(held, quote.price);
  }
  return cents(equity);
}

/** A brake and what it looks at. */
export interface Brake {
  /** What the fall is counted from; `null` before the first valuation. */
  readonly from: Cents | null;
  readonly equity: Cents | null;
  readonly fall: number;
  readonly most: number | null;
  readonly isOn: boolean;
}

/** The fall of equity from its peak. */
export function drawdownBrake(account: Account, situation: Situation, rules: ComplianceRules): Brake {
  return brake(account.peak, equityOf(account, situation), rules.maxDrawdown);
}

/** The loss since the last valuation of a session before this one. */
export function dailyLossBrake(account: Account, situation: Situation, rules: ComplianceRules): Brake {
  const { valued, valuedBefore } = account;
  const before = valued && valued.session < situation.session ? valued : valuedBefore;
  return brake(before?.equity ?? null, equityOf(account, situation), rules.maxDailyLoss);
}

function brake(from: Cents | null, equity: Cents | undefined, most: number | null): Brake {
  if (from === null || from <= 0 || equity === undefined) {
    return { from, equity: equity ?? null, fall: 0, most, isOn: false };
  }
  // Compared in cents, because 1 - 0.8 is not 0.2.
  const isOn = most !== null && from - equity >= fractionOf(from, most, "up");
  return { from, equity, fall: 1 - equity / from, most, isOn };
}

function brakedBuys(account: Account, situation: Situation, rules: ComplianceRules): string | null {
  for (const [name, one] of [
    ["drawdown", drawdownBrake(account, situation, rules)],
    ["loss of the day", dailyLossBrake(account, situation, rules)],
  ] as const) {
    if (one.isOn) return `the brake on ${name} is on: ${fallText(one)}`;
  }
  return null;
}

export function fallText({ from, equity, fall, most }: Brake): string {
  if (from === null || equity === null) return "nothing to compare with yet";
  const limit = most === null ? "no limit is set" : `${percent(most)} brakes`;
  return `equity ${formatCents(equity)} is ${percent(Math.max(0, fall))} below ${formatCents(from)}; ${limit}`;
}

export function percent(fraction: number): string {
  return `${Number((fraction * 100).toFixed(2))} %`;
}
