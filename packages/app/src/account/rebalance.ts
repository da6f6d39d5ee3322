import {
  type Account,
  type ComplianceRules,
  review,
  type SettlementCalendar,
  type Situation,
  snapshotOf,
  type Verdict,
} from "@pf/compliance";
import type { Weights } from "@pf/market";
import { type OrderPlan, type OrderRules, planOrders, type Targets } from "@pf/orders";

/** What a session's rebalance is made of, in a backtest and in live trading alike. */
export interface RebalanceInput {
  readonly targets: Targets;
  /** Standing at the situation's session. */
  readonly account: Account;
  readonly situation: Situation;
  readonly orders: OrderRules;
  readonly compliance: ComplianceRules;
  readonly calendar: SettlementCalendar;
}

/** What shall be sent, and whether it may be. */
export interface Rebalance {
  readonly plan: OrderPlan;
  readonly verdict: Verdict;
}

/** From targets to a reviewed plan: the one path of `pf backtest --engine account`, `pf trade` and `pf replay`. */
export function proposeRebalance(input: RebalanceInput): Rebalance {
  const { targets, account, situation, orders, compliance, calendar } = input;
  const snapshot = snapshotOf(account, situation, compliance, calendar);
  const plan = planOrders(targets, snapshot, situation.quotes, orders);
  return { plan, verdict: review(plan, account, situation, compliance, calendar) };
}

/**
 * Whether a target is the same as before. Adjusted prices are in another unit after every dividend, and what is computed
 * from them differs in its last digits; nobody trades for that.
 */
export function isSameWeight(a: number, b: number): boolean {
  return Math.abs(a - b) < 1e-9;
}

/** Whether two sets of targets are the same; what is absent weighs nothing. */
export function areSameWeights(a: Weights, b: Weights): boolean {
  const names = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...names].every((name) => isSameWeight(a[name] ?? 0, b[name] ?? 0));
}
