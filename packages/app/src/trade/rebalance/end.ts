// How a rebalance ends: done with some outcome, halted until somebody resumes, or left open because it can still be done.

import { type Check, equityOf, type Verdict } from "@pf/compliance";
import type { SessionDate } from "@pf/market";
import type { OrderPlan } from "@pf/orders";
import { BlockedError, FractionalRefusedError, PartlyFilledError } from "../errors.js";
import { isOver, type KnownOrder, knownOrder } from "../heard.js";
import type { HaltCode, SessionOutcome, TradeEvent } from "../state.js";
import { type RebalanceReport, reportOf } from "./report.js";
import type { Run } from "./run.js";

/** Ends a rebalance whose orders were sent, with what is known of them. */
export async function close(run: Run, plan: OrderPlan): Promise<RebalanceReport> {
  const { refusalOf, ReadOnlyApiError } = await import("@pf/ibkr");
  const { sent, orderEvents } = run.state;
  const orders = sent
    .filter(({ intent }) => plan.intents.some(({ reference }) => reference === intent.reference))
    .map(({ intent }) => knownOrder(orderEvents, intent));
  const unknown = orders.filter((order) => !isOver(order));
  const rejected = orders.filter(({ end }) => end === "rejected");
  const refusals = rejected.map(({ brokerCode, detail }) => refusalOf(brokerCode ?? 0, detail));
  const words = [
    ...rejected.map(
      ({ reference, brokerCode, detail }) => `${reference} was rejected (${brokerCode} ${detail})`,
    ),
    ...unknown.map(
      ({ reference, detail }) => `nobody knows what became of ${reference}${detail && `: ${detail}`}`,
    ),
  ].join("; ");
  if (refusals.some((refusal) => refusal !== "readOnly" && refusal !== "fractional")) {
    return halted(run, "rejected", words, plan.session);
  }
  if (unknown.length > 0) return halted(run, "unknown_outcome", words, plan.session);

  const whole = orders.filter(({ end }) => end === "filled").length;
  const outcome = whole === plan.intents.length ? "filled" : "partial";
  const waits = plan.isComplete ? "" : "; the rest waits, as the plan says";
  const detail =
    plan.intents.length === 0
      ? `nothing could be ordered today${waits}`
      : `${whole} of ${plan.intents.length} orders filled${waits}`;
  const fractional = refusals.indexOf("fractional");
  const problem =
    fractional >= 0
      ? new FractionalRefusedError(rejected[fractional]!.detail)
      : refusals.includes("readOnly")
        ? new ReadOnlyApiError(rejected[0]!.detail)
        : outcome === "partial"
          ? partlyFilled(orders)
          : null;
  if (problem instanceof FractionalRefusedError) {
    // The what-if had said otherwise; the order knows better, for the rest of this session.
    const { serverVersion } = run.setting.session;
    const { why } = problem;
    run.note({ kind: "probed", session: run.today, fractional: "no", serverVersion, why });
  }
  return done(run, outcome, outcome === "filled" && plan.isComplete, detail, plan.session, problem);
}

function partlyFilled(orders: readonly KnownOrder[]): PartlyFilledError {
  const left = orders.filter(({ end }) => end !== "filled");
  return new PartlyFilledError(
    left.map(({ reference }) => reference),
    left.map(({ reference, detail }) => `${reference}: ${detail}`),
  );
}

/** Why a plan may not be sent. */
type Refusal = Extract<Verdict, { ok: false }>;

/** Prices that are missing or old may be there a moment later; every other check would say the same again. */
export function isOfTheMoment({ breaches, halts }: Refusal): boolean {
  return !halts && breaches.every(({ name }) => name === "data_complete" || name === "data_fresh");
}

/** A plan that is not sent for what is so only at the moment: {@link notTaken}. */
export function notYet(run: Run, { breaches }: Pick<Refusal, "breaches">): RebalanceReport {
  const names = breaches.map(({ name }) => name);
  const words = inWords(breaches);
  return notTaken(run, new BlockedError(names, words, "run it again while the window is open"));
}

/** A plan that is not sent this session, or not before somebody has looked. */
export function refused(run: Run, { breaches, halts }: Refusal): RebalanceReport {
  const words = inWords(breaches);
  return halts ? halted(run, "check", words) : done(run, "blocked", false, words);
}

/**
 * Leaves a rebalance open: the broker takes no orders at all now, or does not say what they need; when it does, within the
 * window, the session can still be traded.
 */
export function notTaken(run: Run, problem: Error): RebalanceReport {
  return reportOf(run, "not_taken", problem.message, problem);
}

/** Ends a rebalance, and stops trading until somebody resumes it. */
export function halted(
  run: Run,
  code: HaltCode,
  reason: string,
  session: SessionDate = run.state.open?.session ?? run.today,
): RebalanceReport {
  run.step("halt");
  run.note(
    ...valued(run, session),
    { kind: "halted", code, reason, session },
    { kind: "done", session, outcome: "halted", isComplete: false, detail: reason },
  );
  return reportOf(run, "halted", reason);
}

/** Ends a rebalance. */
export function done(
  run: Run,
  outcome: Exclude<SessionOutcome, "halted">,
  isComplete: boolean,
  detail: string,
  session: SessionDate = run.today,
  problem: Error | null = null,
): RebalanceReport {
  run.step("done");
  run.note(...valued(run, session), { kind: "done", session, outcome, isComplete, detail });
  return reportOf(run, outcome, detail, problem);
}

/** What the account is worth at the prices of now; nothing for another day, or without prices. */
function valued({ today, market, state, setting }: Run, session: SessionDate): readonly TradeEvent[] {
  if (session !== today || !market) return [];
  const equity = equityOf(state.account, { universe: setting.universe, quotes: market.quotes });
  return equity === undefined ? [] : [{ kind: "booked", event: { kind: "valued", session, equity } }];
}

function inWords(breaches: readonly Check[]): string {
  return breaches.map(({ name, detail }) => `${name}: ${detail}`).join("; ");
}
