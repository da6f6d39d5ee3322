// What follows from what was heard of orders. The broker says things late, twice, in another order, and corrects itself;
// everything here is a question about a list of events, whoever said them and however often.

import { type Cents, centsOfDollars, type OrderEvent, type OrderIntent } from "@pf/orders";

/** What is known of one order. */
export interface KnownOrder {
  readonly reference: string;
  /** Filled, in ten-thousandths of a share. */
  readonly filled: number;
  /** `null` while it may still be filled, or nothing was heard of it. */
  readonly end: "filled" | "cancelled" | "rejected" | "unknown" | null;
  /** The broker's code of a rejection; 0 where TWS gave none. */
  readonly brokerCode: number | null;
  /** The broker's words. */
  readonly detail: string;
}

/**
 * Puts together what was heard of an order. Executions are facts: an order is filled when they add up, whatever else was
 * said of it; of a corrected execution the correction counts.
 */
export function knownOrder(
  events: readonly OrderEvent[],
  { reference, quantity }: Pick<OrderIntent, "reference" | "quantity">,
): KnownOrder {
  const fills = new Map<string, number>();
  let known: Omit<KnownOrder, "filled"> = { reference, end: null, brokerCode: null, detail: "" };
  for (const event of events) {
    if (event.reference !== reference) continue;
    switch (event.kind) {
      case "filled":
      case "partiallyFilled":
        fills.set(rootOf(event.execId), event.quantity);
        break;
      case "cancelled":
      case "unknown":
        known = { ...known, end: event.kind, detail: event.reason };
        break;
      case "rejected":
        known = { ...known, end: "rejected", brokerCode: event.brokerCode, detail: event.message };
        break;
    }
  }
  let filled = 0;
  for (const one of fills.values()) filled += one;
  return filled >= quantity ? { ...known, filled, end: "filled", detail: "" } : { ...known, filled };
}

/** Whether nothing more can come of an order. */
export function isOver({ end }: KnownOrder): boolean {
  return end !== null && end !== "unknown";
}

/**
 * Whether an event was heard before, by this process or an earlier one. The same fill can be called partial once and
 * whole another time, and the same order has one more id for the client that sent it.
 */
export function wasHeard(event: OrderEvent, events: readonly OrderEvent[]): boolean {
  return events.some((one) => {
    if (isFill(event)) return isFill(one) && one.execId === event.execId;
    if (one.kind !== event.kind || one.reference !== event.reference) return false;
    if (event.kind !== "commission") return true;
    return rootOf((one as typeof event).execId) === rootOf(event.execId)
      ? lastCommission(event.execId, events) === event.commission
      : false;
  });
}

/** What an execution and its corrections have in common: the id without its last part. */
export function rootOf(execId: string): string {
  const dot = execId.lastIndexOf(".");
  return dot > 0 ? execId.slice(0, dot) : execId;
}

/** An execution. */
export type Fill = Extract<OrderEvent, { kind: "filled" | "partiallyFilled" }>;

/** Whether an event is an execution. */
export function isFill(event: OrderEvent): event is Fill {
  return event.kind === "filled" || event.kind === "partiallyFilled";
}

/** Executions of which nobody has said what they cost. */
export function withoutCommission(events: readonly OrderEvent[]): readonly Fill[] {
  const reported = new Set(
    events.flatMap((event) => (event.kind === "commission" ? [rootOf(event.execId)] : [])),
  );
  return events.filter(isFill).filter(({ execId }) => !reported.has(rootOf(execId)));
}

/** The commission of an execution as it was reported last, in dollars. */
export function lastCommission(execId: string, events: readonly OrderEvent[]): number | null {
  const root = rootOf(execId);
  let found: number | null = null;
  for (const event of events) {
    if (event.kind === "commission" && rootOf(event.execId) === root) found = event.commission;
  }
  return found;
}

/** What was booked of an execution's commission so far. */
export function bookedCommission(execId: string, events: readonly OrderEvent[]): Cents {
  return centsOfDollars(lastCommission(execId, events) ?? 0);
}
