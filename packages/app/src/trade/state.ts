import {
  type Account,
  type AccountEvent,
  applyEvent,
  type Check,
  emptyAccount,
  type Notice,
  type NoticeCode,
  releaseBrakes,
  type SettlementCalendar,
} from "@pf/compliance";
import type { SessionDate, Weights } from "@pf/market";
import type { OrderEvent, OrderIntent, OrderPlan } from "@pf/orders";
import type { Decision } from "@pf/selection";
import type { CandidateRow } from "../candidate-rows.js";
import type { Entry } from "../journal/journal.js";
import { isOver, knownOrder } from "./heard.js";

/** Why trading stopped until somebody resumes it. */
export interface Halt {
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
      /** Why, for people: every symbol of the universe. Absent, as the next two, in entries of versions that did not keep it. */
      readonly candidates?: readonly CandidateRow[];
      readonly overlays?: Decision["overlays"];
      readonly heldByBand?: boolean;
    }
  | {
      readonly kind: "reviewed";
      readonly session: SessionDate;
      readonly attempt: number;
      readonly plan: OrderPlan;
      readonly ok: boolean;
      readonly breaches: readonly Check[];
      /** All of them, passed or not; absent in entries of versions that did not keep them. */
      readonly checks?: readonly Check[];
    }
  /** The next thing that happens is that these orders of the plan reviewed last are sent. */
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
  /** What was reviewed last, whether it passed or not. */
  readonly plan: OrderPlan | null;
  /** Whether orders of it may have reached the broker. */
  readonly isSent: boolean;
}

/** An order that may have reached the broker. */
export interface SentIntent {
  readonly session: SessionDate;
  readonly intent: OrderIntent;
}

/** What is true of an account, as its journal tells it. */
export interface TradeState {
  readonly account: Account;
  readonly halt: Halt | null;
  /** Whether somebody resumed after the last halt and nothing was sent since: what differs from the book is accepted. */
  readonly isResumed: boolean;
  readonly lastDecision: Extract<TradeEvent, { kind: "decided" }> | null;
  readonly lastDone: Extract<TradeEvent, { kind: "done" }> | null;
  readonly open: OpenRebalance | null;
  /** The last attempt of which orders were sent. */
  readonly lastAttempt: { readonly session: SessionDate; readonly attempt: number } | null;
  /** The orders of the session claimed last, and older ones as long as nobody knows what became of them. */
  readonly sent: readonly SentIntent[];
  /** What was heard of these orders, oldest first. */
  readonly orderEvents: readonly OrderEvent[];
  readonly probe: Extract<TradeEvent, { kind: "probed" }> | null;
  /** What was noted last of each kind of difference between book and broker, in words. */
  readonly noticed: Readonly<Partial<Record<NoticeCode, string>>>;
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
  sent: [],
  orderEvents: [],
  probe: null,
  noticed: {},
};

/** What is true after one more thing has happened. */
export function applyTrade(state: TradeState, event: TradeEvent, calendar: SettlementCalendar): TradeState {
  const { open } = state;
  switch (event.kind) {
    case "claimed": {
      const { session } = event;
      // A second attempt of a session still wants to know what became of the first.
      const sent = state.sent.filter(
        (one) => one.session === session || !isOver(knownOrder(state.orderEvents, one.intent)),
      );
      const references = new Set(sent.map(({ intent }) => intent.reference));
      const orderEvents = state.orderEvents.filter(({ reference }) => references.has(reference));
      return { ...state, open: { session, decided: null, plan: null, isSent: false }, sent, orderEvents };
    }
    case "decided":
      return { ...state, lastDecision: event, open: open && { ...open, decided: event } };
    case "reviewed":
      return { ...state, open: open && { ...open, plan: event.plan } };
    case "submitting": {
      const { session, attempt, references } = event;
      const known = new Set(state.sent.map(({ intent }) => intent.reference));
      const fresh = (open?.plan?.intents ?? []).filter(
        ({ reference }) => references.includes(reference) && !known.has(reference),
      );
      return {
        ...state,
        // Whoever resumed has looked at what was then, and not at what becomes of these orders.
        isResumed: false,
        lastAttempt: { session, attempt },
        open: open && { ...open, isSent: true },
        sent: [...state.sent, ...fresh.map((intent) => ({ session, intent }))],
      };
    }
    case "order":
      return { ...state, orderEvents: [...state.orderEvents, event.event] };
    case "booked":
      return { ...state, account: applyEvent(state.account, event.event, calendar) };
    case "halted": {
      const { code, reason, session } = event;
      return { ...state, halt: state.halt ?? { code, reason, session }, isResumed: false };
    }
    case "resumed": {
      // Whoever lifts a brake has seen the fall; the next one counts from there.
      const account = state.halt?.code === "check" ? releaseBrakes(state.account) : state.account;
      return { ...state, account, halt: null, isResumed: true };
    }
    case "done": {
      // What was left over from an earlier session is not yet the trading that somebody resumed.
      const isOld = event.outcome === "abandoned" || event.session < (state.account.session ?? event.session);
      return { ...state, lastDone: event, open: null, isResumed: state.isResumed && isOld };
    }
    case "probed":
      return { ...state, probe: event };
    case "noticed": {
      const { code, detail } = event.notice;
      return { ...state, noticed: { ...state.noticed, [code]: detail } };
    }
  }
}

/** What is true after all that happened. */
export function foldTrade(
  entries: readonly Entry<TradeEvent>[],
  calendar: SettlementCalendar,
  from: TradeState = untouched,
): TradeState {
  let state = from;
  for (const { body } of entries) state = applyTrade(state, body, calendar);
  return state;
}
