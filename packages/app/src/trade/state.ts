import {
  type Account,
  type AccountEvent,
  applyEvent,
  type Check,
  emptyAccount,
  type Notice,
  type SettlementCalendar,
} from "@pf/compliance";
import type { SessionDate, Weights } from "@pf/market";
import type { OrderEvent, OrderPlan } from "@pf/orders";
import type { Entry } from "../journal/journal.js";

/** Why trading stopped until somebody resumes it. */
export interface Halt {
  /** Stable: `rejected`, `unknown_outcome`, `check`, `asked`, … */
  readonly code: HaltCode;
  readonly reason: string;
  readonly session: SessionDate | null;
}

/**
 * - `rejected` the broker refused an order
 * - `unknown_outcome` nobody knows what became of an order
 * - `check` a check that stops everything did not pass
 * - `asked` somebody ran `pf halt`
 */
export type HaltCode = "rejected" | "unknown_outcome" | "check" | "asked";

/**
 * How a session's rebalance ended.
 *
 * - `unchanged` targets are as they were and the last plan is carried out: nothing to do
 * - `filled` everything that was planned for this session was filled
 * - `partial` some of it was not
 * - `blocked` a check forbade the plan
 * - `halted` an order was rejected or its outcome is unknown
 * - `abandoned` the session was over before its orders could be sent
 */
export type SessionOutcome = "unchanged" | "filled" | "partial" | "blocked" | "halted" | "abandoned";

/** What the journal of an account holds: written before the act, or as soon as something is known. */
export type TradeEvent =
  | {
      readonly kind: "claimed";
      readonly session: SessionDate;
      readonly run: string;
      readonly version: string;
    }
  | {
      readonly kind: "decided";
      readonly session: SessionDate;
      readonly asOf: SessionDate;
      readonly weights: Weights;
      readonly held: Weights;
      /** Whether these are other targets than the decision before had. */
      readonly isChange: boolean;
      /** Hash of the bars it saw, and of the configuration. */
      readonly data: string;
      readonly config: string;
    }
  | {
      readonly kind: "reviewed";
      readonly session: SessionDate;
      readonly attempt: number;
      readonly plan: OrderPlan;
      readonly ok: boolean;
      readonly breaches: readonly Check[];
    }
  /** The next thing that happens is that these orders are sent. */
  | {
      readonly kind: "submitting";
      readonly session: SessionDate;
      readonly attempt: number;
      readonly references: readonly string[];
    }
  | { readonly kind: "order"; readonly session: SessionDate; readonly event: OrderEvent }
  | { readonly kind: "booked"; readonly event: AccountEvent }
  | { readonly kind: "noticed"; readonly session: SessionDate; readonly notice: Notice }
  | ({ readonly kind: "halted" } & Halt)
  | { readonly kind: "resumed"; readonly reason: string }
  | {
      readonly kind: "done";
      readonly session: SessionDate;
      readonly outcome: SessionOutcome;
      /** Whether nothing is left to be done another session. */
      readonly isComplete: boolean;
      readonly detail: string;
    }
  /** What the broker said of fractions, asked once a day. */
  | {
      readonly kind: "probed";
      readonly session: SessionDate;
      readonly fractional: "yes" | "no" | "unknown";
      readonly serverVersion: number;
      readonly why: string;
    };

/** A rebalance that was begun and not brought to its end. */
export interface OpenRebalance {
  readonly session: SessionDate;
  readonly decided: Extract<TradeEvent, { kind: "decided" }> | null;
  readonly attempt: number;
  readonly plan: OrderPlan | null;
  /** Whether the review let the plan pass. */
  readonly isApproved: boolean;
  /** References that may have reached the broker. */
  readonly submitted: readonly string[];
}

/** What is true of an account, as its journal tells it. */
export interface TradeState {
  readonly account: Account;
  readonly halt: Halt | null;
  /** Whether somebody resumed since the last rebalance was done or halted: differences are then accepted. */
  readonly isResumed: boolean;
  readonly lastDecision: Extract<TradeEvent, { kind: "decided" }> | null;
  readonly lastDone: Extract<TradeEvent, { kind: "done" }> | null;
  readonly open: OpenRebalance | null;
  /** The last attempt of the last session that was planned. */
  readonly lastAttempt: { readonly session: SessionDate; readonly attempt: number } | null;
  /** What was heard of orders since the last claim, oldest first. */
  readonly orderEvents: readonly { readonly session: SessionDate; readonly event: OrderEvent }[];
  readonly probe: Extract<TradeEvent, { kind: "probed" }> | null;
}

/** An account that nothing has happened to. */
export const untouched: TradeState = {
  account: emptyAccount,
  halt: null,
  isResumed: false,
  lastDecision: null,
  lastDone: null,
  open: null,
  lastAttempt: null,
  orderEvents: [],
  probe: null,
};

/** What is true after one more thing has happened. */
export function applyTrade(state: TradeState, event: TradeEvent, calendar: SettlementCalendar): TradeState {
  const { open } = state;
  switch (event.kind) {
    case "claimed":
      return {
        ...state,
        open: {
          session: event.session,
          decided: null,
          attempt: 0,
          plan: null,
          isApproved: false,
          submitted: [],
        },
        // A second attempt of a session still wants to know what became of the first.
        orderEvents: state.orderEvents.filter(({ session }) => session === event.session),
      };
    case "decided":
      return { ...state, lastDecision: event, open: open && { ...open, decided: event } };
    case "reviewed":
      return {
        ...state,
        lastAttempt: { session: event.session, attempt: event.attempt },
        open: open && { ...open, attempt: event.attempt, plan: event.plan, isApproved: event.ok },
      };
    case "submitting":
      return {
        ...state,
        open: open && { ...open, submitted: [...new Set([...open.submitted, ...event.references])] },
      };
    case "order":
      return {
        ...state,
        orderEvents: [...state.orderEvents, { session: event.session, event: event.event }],
      };
    case "booked":
      return { ...state, account: applyEvent(state.account, event.event, calendar) };
    case "halted": {
      const { code, reason, session } = event;
      return { ...state, halt: state.halt ?? { code, reason, session }, isResumed: false };
    }
    case "resumed":
      return { ...state, halt: null, isResumed: true };
    case "done":
      return {
        ...state,
        lastDone: event,
        open: null,
        isResumed: state.isResumed && event.outcome === "halted",
      };
    case "probed":
      return { ...state, probe: event };
    case "noticed":
      return state;
  }
}

/** What is true after all that happened. */
export function foldTrade(entries: readonly Entry<TradeEvent>[], calendar: SettlementCalendar): TradeState {
  let state = untouched;
  for (const { body } of entries) state = applyTrade(state, body, calendar);
  return state;
}

/** What the journal knows of one order. */
export interface KnownOrder {
  readonly reference: string;
  /** Filled, in ten-thousandths of a share. */
  readonly filled: number;
  readonly end: "filled" | "cancelled" | "rejected" | "unknown" | null;
  readonly detail: string;
}

/** Puts together what was heard of an order. A fill after "unknown" or "cancelled" wins: executions are facts. */
export function knownOrder(
  state: Pick<TradeState, "orderEvents">,
  reference: string,
  quantity: number,
): KnownOrder {
  let filled = 0;
  let end: KnownOrder["end"] = null;
  let detail = "";
  for (const { event } of state.orderEvents) {
    if (event.reference !== reference) continue;
    if (event.kind === "filled" || event.kind === "partiallyFilled") filled += event.quantity;
    else if (event.kind === "cancelled" || event.kind === "unknown")
      [end, detail] = [event.kind, event.reason];
    else if (event.kind === "rejected") [end, detail] = [event.kind, `${event.brokerCode}: ${event.message}`];
  }
  if (filled >= quantity) [end, detail] = ["filled", ""];
  return { reference, filled, end, detail };
}
