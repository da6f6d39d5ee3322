// What a run comes to for whoever asked: why not everything was done, as an error, and the record in the audit log.

import { StateWriteError } from "../errors.js";
import { describeFailure, type ErrorFields, errorFields } from "../failures.js";
import type { AtBroker, TradeSetting } from "./atBroker.js";
import { appendAudit } from "./audit.js";
import { BlockedError, HaltedError } from "./errors.js";
import type { RebalanceReport, ReconcileReport } from "./rebalance/report.js";

/**
 * Puts a run into the audit log, if there is news in it. What was done is told in any case, also where it cannot be put
 * there.
 *
 * @returns the log, relative to the output folder, and what somebody should know of; each `null` where there is none
 */
export async function recorded(
  report: RebalanceReport | ReconcileReport,
  { identity, rebalancing: { run, clock } }: AtBroker,
  { outFolder, onStep }: TradeSetting,
): Promise<{ readonly log: string | null; readonly error: ErrorFields | null }> {
  const problem = errorOf(report);
  const error = problem ? errorFields(describeFailure(problem)) : null;
  if (!report.isNews) return { log: null, error };
  onStep?.("audit");
  const time = new Date(clock.nowUtcMs()).toISOString();
  try {
    return { log: await appendAudit(outFolder, identity, { run, time, report, error }), error };
  } catch (cause) {
    if (!(cause instanceof StateWriteError)) throw cause;
    return { log: null, error: error ?? errorFields(describeFailure(cause)) };
  }
}

function errorOf({ outcome, detail, halt, verdict, problem }: RebalanceReport): Error | undefined {
  if (problem) return problem;
  switch (outcome) {
    case "halted":
    case "halted_before":
      return new HaltedError(halt?.code ?? "unknown_outcome", halt?.reason ?? detail);
    case "not_now":
      return new BlockedError(
        ["time_window"],
        detail,
        "run it in the minutes before the close, or let the worker do it",
      );
    case "done_before":
      return new BlockedError(["one_rebalance"], detail, "wait for the next session");
    case "abandoned":
      return new BlockedError(["time_window"], detail, "wait for the next session");
    case "blocked": {
      const breaches = verdict?.checks.filter(({ passed }) => !passed).map(({ name }) => name) ?? [];
      return new BlockedError(
        breaches,
        `the plan was not sent: ${detail}`,
        breaches.includes("reconciled")
          ? "compare with TWS; if the broker is right, run `pf halt` and then `pf resume`: the next rebalance books it"
          : "see the checks; the next session plans anew",
      );
    }
    default:
      return undefined;
  }
}
