// The path of a session, in its order: learn, compare, decide, plan, review, send. Starting and recovering are one path; the
// steps themselves are the other files of this folder.

import { BlockedError } from "../errors.js";
import { bringBookUpToDate } from "./compare.js";
import { done, isOfTheMoment, notTaken, notYet, refused } from "./end.js";
import { askMarket, claim, decide, mustTrade, propose } from "./plan.js";
import { settleWhatWasSent } from "./recover.js";
import { type RebalanceReport, reportOf } from "./report.js";
import { type RebalanceSetting, Run } from "./run.js";
import { send } from "./send.js";

/**
 * Rebalances an account for the session that the clock is in, or goes on with what an earlier process has begun. Starting
 * and recovering are one path: what is known is folded from the journal, what is not known is asked of the broker, and the
 * first step that is missing comes next. Every intent is in the journal before the act.
 *
 * @throws whatever keeps anything from being known: no connection, no bars, a journal that cannot be written. Nothing more
 *   is sent then, and the next start goes on from there.
 */
export async function rebalance(setting: RebalanceSetting): Promise<RebalanceReport> {
  const run = new Run(setting);
  const { today, isDry } = run;
  run.requireClock();
  const left = isDry ? undefined : await settleWhatWasSent(run);
  if (left) return left;
  // What was open is over by now, or planned anew.
  run.plan = null;
  const notNow = whyNotNow(run);
  if (notNow) return notNow;

  const reconciliation = await bringBookUpToDate(run);
  const bars = await setting.gatherBars(today);
  claim(run);
  const targets = decide(run, bars);
  const market = await askMarket(run);
  if (!isDry && !mustTrade(run, targets)) {
    return done(run, "unchanged", true, "targets are unchanged, and the last plan is carried out");
  }
  const { plan, verdict } = await propose(run, targets, { market, bars, reconciliation });
  if (isDry) return reportOf(run, "dry_run", verdict.ok ? "every check passed" : "it would be blocked");

  const { ok, checks } = verdict;
  const breaches = verdict.ok ? [] : verdict.breaches;
  run.step("review");
  run.note({ kind: "reviewed", session: today, attempt: plan.attempt, plan, ok, breaches, checks });
  if (!verdict.ok) return isOfTheMoment(verdict) ? notYet(run, verdict) : refused(run, verdict);
  if (plan.intents.length === 0 && !plan.isComplete && market.missing.size > 0) {
    const words = `nothing could be ordered: no price of ${[...market.missing.keys()].join(", ")}`;
    return notTaken(run, new BlockedError(["data_complete"], words, "run it again while the window is open"));
  }
  return send(run, plan, verdict);
}

/** Whether this is no moment to rebalance in, or the session's rebalance is done. */
function whyNotNow(run: Run): RebalanceReport | undefined {
  const { today, isDry, state } = run;
  const { trading } = run.setting.calendar;
  if (!trading.isSession(today)) {
    const why = trading.whyClosed(today) ?? "the market is closed";
    return reportOf(run, "not_now", `${today} is no session: ${why}`);
  }
  if (isDry) return undefined;
  const { lastDone } = state;
  if (lastDone?.session === today && !state.isResumed) {
    return reportOf(run, "done_before", `the rebalance of ${today} is done: ${lastDone.detail}`);
  }
  const when = run.window();
  return when === undefined ? undefined : reportOf(run, "not_now", when);
}
