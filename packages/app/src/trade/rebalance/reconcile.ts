// The part of a session's path that sends nothing: what became of everything that was sent, and whether book and broker
// agree.

import type { Notice } from "@pf/compliance";
import { unsettled } from "./ask.js";
import { bringBookUpToDate, compare, isDifference } from "./compare.js";
import { settleWhatWasSent } from "./recover.js";
import { type ReconcileReport, reportOf } from "./report.js";
import { type RebalanceSetting, Run } from "./run.js";

/**
 * Learns what became of everything that was sent, ends a rebalance that is open, compares the book with the broker and
 * books what a rebalance would book before it plans. Sends nothing, and writes nothing down where there is no news.
 *
 * @throws as `rebalance` does
 */
export async function reconcileBook(setting: RebalanceSetting): Promise<ReconcileReport> {
  const run = new Run(setting, true);
  run.requireClock();
  const session = setting.calendar.trading.onOrBefore(run.today);
  if (run.state.account.session === null) {
    const detail = "the account was never traded here: its first rebalance takes over what it holds";
    const none = { session, agrees: true, differences: [], buysStopped: null };
    return { ...reportOf(run, "reconciled", detail), ...none };
  }
  const ended = await settleWhatWasSent(run);
  const isDoubtful = unsettled(run.state).length > 0;
  // What the broker holds of an order in doubt would be booked twice when it is heard of.
  const found = isDoubtful ? await compare(run, false) : await bringBookUpToDate(run);
  // Notices say what differs and then, after a colon, what is done about it: in doubt nothing is.
  const words = ({ detail }: Notice) => (isDoubtful ? detail.split(": ")[0]! : detail);
  const differences = found.notices.filter(isDifference).map(words);
  if (isDoubtful) run.notices.push(...differences);
  const agrees = differences.length === 0 && !isDoubtful;
  const detail = agrees ? "book and broker agree" : differences.join("; ");
  const hasEnded = ended !== undefined && ended.outcome !== "halted_before";
  return {
    ...reportOf(run, ended?.outcome ?? "reconciled", ended?.detail ?? detail, ended?.problem ?? null),
    session: hasEnded ? run.state.lastDone!.session : session,
    agrees,
    differences,
    buysStopped: found.buysStopped,
  };
}
