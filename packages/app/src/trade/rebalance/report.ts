// What a run tells when it is over, put together from the book and from what it found on its way.

import type { Verdict } from "@pf/compliance";
import type { SessionDate, Ticker } from "@pf/market";
import type { OrderIntent, OrderPlan, Quantity } from "@pf/orders";
import type { Decision } from "@pf/selection";
import { isFill, type KnownOrder, knownOrder, lastCommission } from "../heard.js";
import type { Halt, SentIntent, SessionOutcome, TradeState } from "../state.js";
import type { Run } from "./run.js";

/** What became of a rebalance. */
export interface RebalanceReport {
  readonly session: SessionDate;
  readonly outcome:
    | SessionOutcome
    | "halted_before"
    | "not_now"
    | "done_before"
    | "not_taken"
    | "dry_run"
    | "reconciled";
  /** In words. */
  readonly detail: string;
  readonly decision: Decision | null;
  readonly plan: OrderPlan | null;
  readonly verdict: Pick<Verdict, "ok" | "checks"> | null;
  readonly orders: readonly OrderReport[];
  readonly fills: readonly FillReport[];
  readonly notices: readonly string[];
  readonly halt: Halt | null;
  readonly state: TradeState;
  /** Hash of the bars that decided. */
  readonly fingerprint: string | null;
  /** Why not everything was done, where the outcome alone does not tell. */
  readonly problem: Error | null;
  /** Whether anything was noted: what was known before needs no second record. */
  readonly isNews: boolean;
}

/** What was found out about an account without trading it. */
export interface ReconcileReport extends RebalanceReport {
  /** Whether the book is what the broker has, and nothing that was sent is in doubt. */
  readonly agrees: boolean;
  /** In what they differed, in words. */
  readonly differences: readonly string[];
  /** Why nothing may be bought as things stand; `null` when it may. */
  readonly buysStopped: string | null;
}

export interface OrderReport extends KnownOrder {
  readonly intent: OrderIntent;
  readonly permId: string | null;
}

export interface FillReport {
  readonly execId: string;
  readonly reference: string;
  readonly symbol: Ticker;
  readonly side: "buy" | "sell";
  readonly quantity: Quantity;
  readonly price: number;
  /** Dollars; `null` while nobody has said. */
  readonly commission: number | null;
}

/** Tells how things stand, with the orders of today and of the plan that was worked on. */
export function reportOf(
  run: Run,
  outcome: RebalanceReport["outcome"],
  detail: string,
  problem: Error | null = null,
): RebalanceReport {
  const { plan, state, today } = run;
  const { sent, orderEvents } = state;
  const isOwn = ({ session, intent }: SentIntent) =>
    session === today || plan?.intents.some(({ reference }) => reference === intent.reference);
  const own = run.isDry ? [] : sent.filter(isOwn);
  const references = new Set(own.map(({ intent }) => intent.reference));
  const permIds = new Map(
    orderEvents.flatMap((event) =>
      event.kind === "acknowledged" ? [[event.reference, event.permId] as const] : [],
    ),
  );
  const fills = orderEvents.filter(isFill).filter(({ reference }) => references.has(reference));
  return {
    session: today,
    outcome,
    detail,
    decision: run.decision,
    plan,
    verdict: run.verdict,
    orders: own.map(({ intent }) => ({
      ...knownOrder(orderEvents, intent),
      intent,
      permId: permIds.get(intent.reference) ?? null,
    })),
    fills: fills.map(({ execId, reference, symbol, side, quantity, price }) => ({
      execId,
      reference,
      symbol,
      side,
      quantity,
      price,
      commission: lastCommission(execId, orderEvents),
    })),
    notices: run.notices,
    halt: state.halt,
    state,
    fingerprint: run.fingerprint,
    problem,
    isNews: run.setting.book.isChanged,
  };
}
