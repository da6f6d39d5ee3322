import type { OrderEvent, Quantity } from "@pf/orders";
import type { Findings, ListedOrder } from "./desk.js";
import type { ExecutionFact } from "./messages.js";
import { appearanceOf, eventsOf, fillsOf, type OrderBook } from "./reduce.js";

/** What the broker says about one of our references, after it was asked. */
export interface Standing {
  readonly reference: string;
  /**
   * - `open`: it works at the broker
   * - `filled`: all of it
   * - `ended`: it is over, with what `fills` says and no more
   * - `absent`: every question was answered and nobody knows it; today's orders and executions only
   * - `unanswered`: not every question was answered, so nothing follows
   */
  readonly kind: "open" | "filled" | "ended" | "absent" | "unanswered";
  /** Why it ended; empty when nobody said. */
  readonly reason: string;
  readonly permId: string | undefined;
  readonly quantity: Quantity | undefined;
  readonly fills: readonly ExecutionFact[];
  /** Everything known of it as events, from the first: for a journal that was interrupted. */
  readonly events: readonly OrderEvent[];
}

const overStatuses = new Set(["Cancelled", "ApiCancelled", "Filled", "Inactive"]);

/** Puts together what a book and the latest answers say. */
export function standingOf(book: OrderBook, findings: Findings, reference: string): Standing {
  const record = book.orders.get(reference);
  const fills = fillsOf(book, reference);
  const listed = findings.open.filter((order) => order.reference === reference);
  const working = listed.filter((order) => !overStatuses.has(order.status));
  const completed = findings.completed.filter((order) => order.reference === reference);
  const appearance = appearanceOf(book, reference);
  const quantity = record?.quantity ?? (listed[0] ?? completed[0])?.quantity;
  const filled = fills.reduce((sum, fill) => sum + fill.quantity, 0);
  const { open, completed: completedAnswered, executions } = findings.answered;
  const everything = open && completedAnswered && executions;

  const isFilled = quantity !== undefined && filled > 0 && filled >= quantity;
  const claimsFilled = [...listed, ...completed].some((order) => order.status === "Filled");
  const seemsOver = appearance.kind === "cancelled" || appearance.kind === "rejected";
  const isKnown = completed.length > 0 || listed.length > 0 || filled > 0 || seemsOver;
  return {
    reference,
    kind: isFilled
      ? "filled"
      : working.length > 0
        ? "open"
        : // Listed as filled while executions are missing is no answer either.
          !everything || claimsFilled
          ? "unanswered"
          : isKnown
            ? "ended"
            : "absent",
    reason: reasonOf(appearance, completed),
    permId: record?.permId ?? (listed[0] ?? completed[0])?.permId,
    quantity,
    fills,
    events: eventsOf(book, reference),
  };
}

function reasonOf(appearance: ReturnType<typeof appearanceOf>, completed: readonly ListedOrder[]): string {
  if (appearance.kind === "rejected")
    return appearance.brokerCode === 0
      ? appearance.message
      : `${appearance.brokerCode} ${appearance.message}`;
  if (appearance.kind === "cancelled") return appearance.reason;
  return completed.find(({ why }) => why !== "")?.why ?? "";
}
