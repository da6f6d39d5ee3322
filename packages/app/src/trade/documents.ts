import type { Check } from "@pf/compliance";
import type { SessionDate, Ticker, Weights } from "@pf/market";
import { dollarsOf, type OrderPlan, type Quantity, sharesOf } from "@pf/orders";
import type { Decision } from "@pf/selection";
import type { AccountMode } from "../broker.js";
import type { ErrorFields } from "../failures.js";
import type { FillReport, OrderReport, RebalanceReport, ReconcileReport } from "./rebalance/report.js";
import type { Halt } from "./state.js";

/** An order as it was planned; shares and dollars. */
export interface PlannedOrder {
  readonly symbol: Ticker;
  readonly side: "buy" | "sell";
  readonly quantity: number;
  readonly type: "MKT" | "LMT";
  readonly limit: number | null;
  readonly notional: number;
  readonly reference: string;
  readonly reason: string;
  readonly detail: string;
}

/** One symbol: what is held, what is wanted, what is done about it and why. */
export interface PlannedSymbol {
  readonly symbol: Ticker;
  readonly price: number | null;
  readonly held: number;
  readonly weight: number;
  readonly wanted: number | null;
  readonly action: "buy" | "sell" | "none";
  readonly quantity: number;
  readonly reason: string;
  readonly detail: string;
  /** What waits, and until when as far as known. */
  readonly deferred: {
    readonly quantity: number;
    readonly reason: string;
    readonly until: SessionDate | null;
  } | null;
  /** What the plan misses the target by, as a fraction of equity. */
  readonly drift: number | null;
}

/** A plan as people and programs read it: shares and dollars instead of the units it is computed in. */
export interface PlanDocument {
  readonly session: SessionDate;
  readonly attempt: number;
  readonly asOf: SessionDate;
  readonly equity: number | null;
  /** Sells before buys. */
  readonly orders: readonly PlannedOrder[];
  readonly symbols: readonly PlannedSymbol[];
  readonly cash: {
    readonly spendable: number;
    readonly buffer: number;
    readonly cost: number;
    readonly proceeds: number;
    readonly fees: number;
  };
  /** Whether nothing is left for another session. */
  readonly complete: boolean;
}

export interface VerdictDocument {
  readonly ok: boolean;
  readonly checks: readonly Check[];
}

/** What `pf trade --json` prints. */
export interface TradeDocument {
  readonly mode: "dry-run" | "paper" | "live";
  readonly account: string;
  /** `ibkr`, or the name by which a simulator calls itself; `null` where no broker was asked. */
  readonly venue: string | null;
  readonly session: SessionDate;
  readonly asOf: SessionDate | null;
  readonly outcome: string;
  readonly detail: string;
  readonly weights: Weights | null;
  /** What the volatility target and the overlays made of the weights; empty where there are none. */
  readonly overlays: Decision["overlays"];
  readonly plan: PlanDocument | null;
  readonly verdict: VerdictDocument | null;
  readonly orders: readonly {
    readonly reference: string;
    readonly symbol: Ticker;
    readonly side: "buy" | "sell";
    readonly quantity: number;
    readonly filled: number;
    readonly status: string;
    readonly detail: string;
    readonly permId: string | null;
  }[];
  readonly fills: readonly {
    readonly execId: string;
    readonly reference: string;
    readonly symbol: Ticker;
    readonly side: "buy" | "sell";
    readonly quantity: number;
    readonly price: number;
    readonly commission: number | null;
  }[];
  readonly notices: readonly string[];
  readonly halted: Halt | null;
  /** The audit log, relative to the output folder; `null` where nothing happened that it should tell. */
  readonly log: string | null;
}

/** What `pf reconcile --json` prints: what was found out about an account without trading it. */
export interface ReconcileDocument {
  readonly mode: AccountMode;
  readonly account: string;
  readonly venue: string;
  /** The session whose rebalance was ended by this; where there was none to end, the last one that has begun. */
  readonly session: SessionDate;
  /**
   * `reconciled`, `halted_before` where trading is halted already, or how a rebalance ended that was open: `filled`,
   * `partial`, `abandoned`, `halted`.
   */
  readonly outcome: string;
  readonly detail: string;
  /** Whether the book is what the broker has, and nothing that was sent is in doubt. */
  readonly agrees: boolean;
  /** In what they differed, in words; most of it is booked by now, and the words say so. */
  readonly differences: readonly string[];
  /** Why a rebalance could buy nothing as things stand; `null` when it could. */
  readonly buysStopped: string | null;
  /** Orders of the session, and what was filled of them. */
  readonly orders: TradeDocument["orders"];
  readonly fills: TradeDocument["fills"];
  readonly notices: readonly string[];
  readonly halted: TradeDocument["halted"];
  /** The audit log, relative to the output folder; `null` where there was no news for it. */
  readonly log: string | null;
  /** What somebody should know of: trading is halted, orders were not filled, a session was missed, the log cannot be written. */
  readonly error: ErrorFields | null;
}

/** Whose document it is, and where the rest is told. */
type Heading<Document extends TradeDocument | ReconcileDocument> = Pick<
  Document,
  "mode" | "account" | "venue" | "log"
>;

export function tradeDocument(report: RebalanceReport, where: Heading<TradeDocument>): TradeDocument {
  const { session, outcome, detail, decision, plan, verdict, notices, halt, state } = report;
  // Who goes on with a session does not decide anew.
  const taken = state.lastDecision?.session === session ? state.lastDecision : null;
  return {
    ...where,
    session,
    asOf: decision?.asOf ?? plan?.asOf ?? taken?.asOf ?? null,
    outcome,
    detail,
    weights: decision?.weights ?? taken?.weights ?? null,
    overlays: decision?.overlays ?? taken?.overlays ?? [],
    plan: plan && planDocument(plan),
    verdict: verdict && { ok: verdict.ok, checks: verdict.checks },
    orders: orderDocuments(report.orders),
    fills: fillDocuments(report.fills),
    notices,
    halted: halt,
  };
}

export function reconcileDocument(
  report: ReconcileReport,
  where: Heading<ReconcileDocument>,
  error: ErrorFields | null,
): ReconcileDocument {
  const { session, outcome, detail, agrees, differences, buysStopped, notices, halt } = report;
  return {
    ...where,
    session,
    outcome,
    detail,
    agrees,
    differences,
    buysStopped,
    orders: orderDocuments(report.orders),
    fills: fillDocuments(report.fills),
    notices,
    halted: halt,
    error,
  };
}

export function planDocument(plan: OrderPlan): PlanDocument {
  return {
    session: plan.session,
    attempt: plan.attempt,
    asOf: plan.asOf,
    equity: plan.equity === null ? null : dollarsOf(plan.equity),
    orders: plan.intents.map(
      ({ symbol, side, quantity, type, limit, notional, reference, reason, detail }) => ({
        symbol,
        side,
        quantity: sharesOf(quantity),
        type,
        limit,
        notional: dollarsOf(notional),
        reference,
        reason,
        detail,
      }),
    ),
    symbols: plan.lines.map((line) => ({
      symbol: line.symbol,
      price: line.price,
      held: sharesOf(line.held),
      weight: line.targetWeight,
      wanted: line.wanted === null ? null : sharesOf(line.wanted),
      action: line.action,
      quantity: sharesOf(line.quantity),
      reason: line.reason,
      detail: line.detail,
      deferred: line.deferred && { ...line.deferred, quantity: sharesOf(line.deferred.quantity) },
      drift: line.drift?.weight ?? null,
    })),
    cash: {
      spendable: dollarsOf(plan.cash.spendable),
      buffer: dollarsOf(plan.cash.buffer),
      cost: dollarsOf(plan.cash.cost),
      proceeds: dollarsOf(plan.cash.proceeds),
      fees: dollarsOf(plan.cash.fees),
    },
    complete: plan.isComplete,
  };
}

export function orderDocuments(orders: readonly OrderReport[]): TradeDocument["orders"] {
  return orders.map(({ reference, intent, filled, end, detail, permId }) => ({
    reference,
    symbol: intent.symbol,
    side: intent.side,
    quantity: sharesOf(intent.quantity),
    filled: sharesOf(filled as Quantity),
    status: end ?? "open",
    detail,
    permId,
  }));
}

export function fillDocuments(fills: readonly FillReport[]): TradeDocument["fills"] {
  return fills.map((fill) => ({ ...fill, quantity: sharesOf(fill.quantity) }));
}
