// Sending what was approved, and hearing of it to the end: the only place from which an order leaves.

import type { Verdict } from "@pf/compliance";
import type { OrderPlan } from "@pf/orders";
import { resolved, unsettled, untilClose } from "./ask.js";
import { close, notTaken } from "./end.js";
import { hear, neverArrived } from "./hear.js";
import { type RebalanceReport, reportOf } from "./report.js";
import type { Run } from "./run.js";

/**
 * Sends the orders of a verdict, which are those of the plan or what is left of them, and ends the rebalance of the plan
 * with what becomes of them.
 */
export async function send(
  run: Run,
  plan: OrderPlan,
  { plan: approved }: Extract<Verdict, { ok: true }>,
): Promise<RebalanceReport> {
  const { session, signal, book } = run.setting;
  const { attempt } = plan;
  const references = approved.intents.map(({ reference }) => reference);
  if (references.length === 0) return close(run, plan);
  const { askReadOnly, ReadOnlyApiError } = await import("@pf/ibkr");
  if (await askReadOnly(session, signal)) {
    return notTaken(run, new ReadOnlyApiError("asked before the first order"));
  }
  // Somebody may have halted trading in the meantime, from another terminal.
  const haltNow = () => {
    book.refresh();
    return run.state.halt?.reason;
  };
  const before = haltNow();
  if (before !== undefined) return reportOf(run, "halted_before", before);
  run.step("submit");
  const all = plan.intents.map(({ reference }) => reference);
  run.note(
    { kind: "booked", event: { kind: "rebalanced", session: run.today, attempt, references: all } },
    { kind: "submitting", session: run.today, attempt, references },
  );
  run.step("place");
  const whyNotSend = () => {
    const reason = haltNow();
    return reason === undefined ? undefined : `trading is halted: ${reason}`;
  };
  for await (const event of session.place(approved, { ...(await untilClose(run)), whyNotSend })) {
    // Interrupted, the session says of what it has not sent yet that it is over; the next start knows better.
    signal?.throwIfAborted();
    run.step(`hear ${event.kind}`);
    hear(run, event);
    // What is not sent yet is not sent any more; what was sent is heard to its end.
    if (run.state.halt) break;
  }
  if (run.state.halt) {
    await resolved(run, references);
    neverArrived(run, unsettled(run.state));
  }
  return close(run, plan);
}
