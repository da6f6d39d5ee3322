// What an earlier process has left behind: orders of which nobody has heard the end, and a rebalance that it began. It is
// ended, gone on with, or halted over, before anything new is begun.

import { review } from "@pf/compliance";
import type { OrderIntent, OrderPlan } from "@pf/orders";
import type { OpenRebalance, SentIntent } from "../state.js";
import { resolved, takenForOver, uncharged, unsettled } from "./ask.js";
import { bringBookUpToDate, compare } from "./compare.js";
import { close, done, halted, isOfTheMoment, notYet, refused } from "./end.js";
import { giveUp, neverArrived } from "./hear.js";
import { askMarket, situationOf } from "./plan.js";
import { type RebalanceReport, reportOf } from "./report.js";
import type { Run } from "./run.js";
import { send } from "./send.js";

/**
 * Learns what became of everything that an earlier process has sent, and ends or continues its rebalance. Gives a report
 * when nothing more is to be done now. What is heard is booked, halted or not.
 */
export async function settleWhatWasSent(run: Run): Promise<RebalanceReport | undefined> {
  const { open } = run.state;
  run.plan = open?.plan ?? null;
  const asked = [...unsettled(run.state), ...uncharged(run)];
  const standings = await resolved(run, referencesOf(asked), referencesOf(takenForOver(run)));
  const { halt, isResumed } = run.state;
  if (halt) return reportOf(run, "halted_before", halt.reason);

  const left = unsettled(run.state);
  const unclear = left.filter(({ intent }) => standings.get(intent.reference)?.kind !== "absent");
  // The broker lists orders and executions of its day only; after that the holdings are all there is to ask.
  const today = unclear.filter(({ session }) => session === run.today);
  if (today.length > 0) {
    return halted(run, "unknown_outcome", `the broker does not say what became of ${namesOf(today)}`);
  }
  const old = left.filter(({ session }) => session < run.today);
  if (old.length > 0) {
    const doubts = isResumed ? [] : await tracesOf(run);
    if (doubts.length > 0) {
      const words = `nobody knows what became of ${namesOf(old)}, and ${doubts.join("; ")}`;
      return halted(run, "unknown_outcome", words);
    }
    const reason = isResumed
      ? "its session is over; what the account holds was accepted by whoever resumed"
      : "its session is over, and the account shows no trace of it";
    giveUp(run, old, reason);
  }
  if (!open) {
    // Halted and resumed since: asked twice, and nobody has it.
    neverArrived(run, unsettled(run.state));
    return undefined;
  }
  if (!open.isSent) return endUnsent(run, open);
  const absent = unsettled(run.state).map(({ intent }) => intent);
  if (absent.length === 0 || !open.plan) return closeOpen(run, open);
  return sendAgain(run, open.plan, absent);
}

/** Nothing was sent, so that it is planned anew with the prices of now, or given up when its time is over. */
function endUnsent(run: Run, open: OpenRebalance): RebalanceReport | undefined {
  const isOld = open.session < run.today;
  if (!isOld && !run.window()) return undefined;
  const wasComplete = run.state.lastDone?.isComplete ?? false;
  const isComplete = wasComplete && open.decided?.isChange !== true;
  const detail = `the rebalance of ${open.session} ended before anything was sent`;
  const ended = done(run, "abandoned", isComplete, detail, open.session);
  return isOld && !run.isReconciling ? undefined : ended;
}

/** Ends the rebalance that was open; what is over since yesterday keeps nobody from trading today. */
async function closeOpen(run: Run, open: OpenRebalance): Promise<RebalanceReport | undefined> {
  const ended = await close(run, open.plan!);
  const isInTheWay = open.session === run.today || ended.outcome === "halted";
  return isInTheWay || run.isReconciling ? ended : undefined;
}

/**
 * Sends what the broker never took: it was asked twice, answered every question, and gave this connection the place of
 * the one that may have carried the orders. The names are the same, so that no order can be there twice.
 */
async function sendAgain(
  run: Run,
  plan: OrderPlan,
  absent: readonly OrderIntent[],
): Promise<RebalanceReport> {
  const { setting } = run;
  if (run.isReconciling || run.window()) {
    neverArrived(run, unsettled(run.state));
    return close(run, plan);
  }
  const reconciliation = await bringBookUpToDate(run);
  const bars = await setting.gatherBars(run.today);
  const market = await askMarket(run);
  const rest: OrderPlan = { ...plan, intents: absent };
  const situation = situationOf(run, { market, bars, reconciliation }, plan.attempt);
  const verdict = review(rest, run.state.account, situation, setting.compliance, setting.calendar);
  run.verdict = verdict;
  if (!verdict.ok) {
    if (isOfTheMoment(verdict)) return notYet(run, verdict);
    neverArrived(run, unsettled(run.state));
    return refused(run, verdict);
  }
  return send(run, plan, verdict);
}

/** What the account holds otherwise than the book, in words: where an order may have left its trace. */
async function tracesOf(run: Run): Promise<readonly string[]> {
  const { notices } = await compare(run, false);
  const codes = ["shares_found", "shares_missing", "cash_missing", "short_position"];
  return notices.filter(({ code }) => codes.includes(code)).map(({ detail }) => detail);
}

function namesOf(orders: readonly SentIntent[]): string {
  return referencesOf(orders).join(", ");
}

function referencesOf(orders: readonly SentIntent[]): readonly string[] {
  return orders.map(({ intent }) => intent.reference);
}
