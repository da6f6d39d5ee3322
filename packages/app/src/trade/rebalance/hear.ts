// What the broker says of orders, written down once and booked with it: the only way in which fills, commissions and ends
// get into the book.

import { type AccountEvent, reservationFor, totalCash } from "@pf/compliance";
import type { SessionDate } from "@pf/market";
import { type Cents, cents, centsOfDollars, fractionOf, notionalCents, type OrderEvent } from "@pf/orders";
import { laterOf } from "../book.js";
import { bookedCommission, isFill, rootOf, wasHeard, withoutCommission } from "../heard.js";
import type { SentIntent, TradeEvent } from "../state.js";
import type { Run } from "./run.js";

/** A commission is no more than this fraction of an execution, or a dollar. */
const largestCommission = 0.01;

/** Something that the broker says of an order. What was heard before, by whatever process, is not heard again. */
export function hear(run: Run, event: OrderEvent): void {
  const { account, orderEvents } = run.state;
  if (wasHeard(event, orderEvents)) return;
  const session = laterOf(isFill(event) ? event.session : run.today, account.session);
  const { reference } = event;
  const notes: TradeEvent[] = [{ kind: "order", session, event }];
  const book = (...booked: readonly AccountEvent[]) =>
    notes.push(...booked.map((one): TradeEvent => ({ kind: "booked", event: one })));
  switch (event.kind) {
    case "acknowledged":
      book(...ordered(run, reference, session));
      break;
    case "filled":
    case "partiallyFilled": {
      book(...ordered(run, reference, session));
      const root = rootOf(event.execId);
      if (orderEvents.filter(isFill).some(({ execId }) => rootOf(execId) === root)) {
        // The broker's figures are compared before anything is planned again: they settle a correction.
        run.notices.push(`the broker corrected the execution ${root} of ${reference}`);
        break;
      }
      const { execId, symbol, side, quantity, price } = event;
      book({ kind: "fill", session, reference, execId, symbol, side, quantity, price, fees: cents(0) });
      break;
    }
    case "commission": {
      const { execId, commission } = event;
      const amount = cents(centsOfDollars(commission) - bookedCommission(execId, orderEvents));
      book({ kind: "fee", session, execId, amount });
      break;
    }
    case "cancelled":
    case "rejected":
      book({ kind: "closed", session, reference });
      break;
    case "unknown":
      break;
  }
  run.note(...notes);
}

/** An order that is at the broker counts against the day, and keeps back what it may cost. */
function ordered({ state, setting }: Run, reference: string, session: SessionDate): readonly AccountEvent[] {
  const intent = state.sent.find((one) => one.intent.reference === reference)?.intent;
  if (!intent || state.account.orders.some((order) => order.reference === reference)) return [];
  const { symbol, side, quantity } = intent;
  const reserved = reservationFor(intent, setting.orders.commission);
  return [{ kind: "ordered", session, reference, symbol, side, quantity, reserved }];
}

/** Gives up orders that the broker was asked about and does not have. */
export function neverArrived(run: Run, orders: readonly SentIntent[]): void {
  giveUp(run, orders, "it never reached the broker");
}

/** Takes orders for over, for a reason that the broker did not give. */
export function giveUp(run: Run, orders: readonly SentIntent[], reason: string): void {
  for (const { intent } of orders) hear(run, { kind: "cancelled", reference: intent.reference, reason });
}

/**
 * Commissions that the broker charged and never reported are what is missing of cash, if it is no more than they can be.
 * One that is reported later after all corrects this.
 *
 * @param theirs - all cash that the broker has
 */
export function bookMissingCommissions(run: Run, theirs: Cents): void {
  const { account, orderEvents } = run.state;
  const silent = withoutCommission(orderEvents);
  const missing = totalCash(account) - theirs;
  if (missing <= 0 || silent.length === 0) return;
  const most = silent.map(({ quantity, price }) =>
    Math.max(100, fractionOf(notionalCents(quantity, price), largestCommission, "up")),
  );
  if (missing > most.reduce((sum, one) => sum + one, 0)) return;
  let left = missing;
  silent.forEach(({ reference, execId }, at) => {
    const amount = Math.min(left, most[at]!);
    left -= amount;
    hear(run, { kind: "commission", reference, execId, commission: amount / 100 });
  });
  run.notices.push("a commission that the broker charged without reporting it was booked from the cash");
}
