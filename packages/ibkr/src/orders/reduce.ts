import type { SessionDate } from "@pf/market";
import type { OrderEvent, Quantity } from "@pf/orders";
import { classifyCode, isAboutCancelling } from "../session/codes.js";
import type { ExecutionFact, OrderMessage } from "./messages.js";

/**
 * Everything learned about orders. It is a heap of facts: what it says does not depend on the order in which they came,
 * nor on how often.
 */
export interface OrderBook {
  readonly orders: ReadonlyMap<string, OrderRecord>;
  /** By execution id, corrections included. */
  readonly executions: ReadonlyMap<string, ExecutionFact>;
  /** Dollars, by execution id. */
  readonly commissions: ReadonlyMap<string, number>;
  /** References by permId, and by client and order id. */
  readonly names: ReadonlyMap<string, string>;
  /** What belongs to an order whose reference is not known yet. */
  readonly waiting: readonly OrderMessage[];
  /** What has been said in events. */
  readonly told: ReadonlySet<string>;
}

/** What is known of one order beside its executions. */
export interface OrderRecord {
  readonly reference: string;
  /** Undefined until we sent it or TWS showed it. */
  readonly quantity: Quantity | undefined;
  readonly permId: string | undefined;
  /** Together with the client that sent it; another client's ids mean other orders. */
  readonly orderId: number | undefined;
  readonly clientId: number | undefined;
  readonly statuses: ReadonlySet<string>;
  /** Why it ended, of a completed order. */
  readonly why: string;
  /** The first error that refused it. */
  readonly refusal: { readonly code: number; readonly message: string } | undefined;
  /** An error or notice said that it ended without saying that it was refused. */
  readonly endNotice: { readonly code: number; readonly message: string } | undefined;
  /** TWS changed its time in force: then it may be shown as cancelled and be filled all the same. */
  readonly changedByPreset: boolean;
}

export const emptyBook: OrderBook = {
  orders: new Map(),
  executions: new Map(),
  commissions: new Map(),
  names: new Map(),
  waiting: [],
  told: new Set(),
};

/**
 * Adds a message to the book and gives the events that follow from it: each at most once, whatever is repeated.
 *
 * An order of ours is `intended` before anything else is heard of it. A fill is known by its execution, never by a
 * status. A correction of an execution (the same id with a higher last part) is told as a fill of its own, which replaces
 * the one before: {@link executionRoot} says which. How an order without all its fills ended is told only by a `settled`
 * message, because a cancelled order may still be filled.
 */
export function reduce(book: OrderBook, message: OrderMessage): { book: OrderBook; events: OrderEvent[] } {
  const next = learn(book, message);
  const retried = next.names === book.names ? next : next.waiting.reduce(learn, { ...next, waiting: [] });
  const reference = concerned(retried, message);
  return reference === undefined ? { book: retried, events: [] } : tell(retried, reference, message);
}

/**
 * Leaves out what is over and was filled, if at all, before a session: a session of weeks then costs no more than one of
 * a day. What still works, and everything of the session itself, stays.
 */
export function forgetBefore(book: OrderBook, session: SessionDate): OrderBook {
  const gone = new Set<string>();
  for (const { reference } of book.orders.values()) {
    const isOld = fillsOf(book, reference).every((fill) => fill.session < session);
    const { kind } = appearanceOf(book, reference);
    if (isOld && (kind === "filled" || book.told.has(`ended ${reference}`))) gone.add(reference);
  }
  const executions = new Map(
    [...book.executions].filter(([, fact]) => {
      const reference = referenceOf(book, fact);
      return (
        fact.session >= session ||
        (reference !== undefined && book.orders.has(reference) && !gone.has(reference))
      );
    }),
  );
  const roots = new Set([...executions.keys()].map(executionRoot));
  const isKept = (key: string) => {
    const [kind, name = ""] = key.split(" ");
    return kind === "fill" || kind === "commission" ? roots.has(executionRoot(name)) : !gone.has(name);
  };
  return {
    orders: new Map([...book.orders].filter(([reference]) => !gone.has(reference))),
    executions,
    commissions: new Map([...book.commissions].filter(([execId]) => roots.has(executionRoot(execId)))),
    names: new Map([...book.names].filter(([, reference]) => !gone.has(reference))),
    waiting: [],
    told: new Set([...book.told].filter(isKept)),
  };
}

/** The executions of an order that count: of each, the latest correction. By time, then id. */
export function fillsOf(book: OrderBook, reference: string): readonly ExecutionFact[] {
  const latest = new Map<string, ExecutionFact>();
  for (const execution of book.executions.values()) {
    if (referenceOf(book, execution) !== reference) continue;
    const root = executionRoot(execution.execId);
    const known = latest.get(root);
    if (!known || revisionOf(known.execId) < revisionOf(execution.execId)) latest.set(root, execution);
  }
  return [...latest.values()].sort((a, b) => order(a.time, b.time) || order(a.execId, b.execId));
}

/** Shares filled, in ten-thousandths. */
export function filledQuantity(book: OrderBook, reference: string): Quantity {
  return fillsOf(book, reference).reduce((sum, fill) => sum + fill.quantity, 0) as Quantity;
}

/** Whether every fill that counts has its commission. */
export function hasAllCommissions(book: OrderBook, reference: string): boolean {
  return fillsOf(book, reference).every((fill) => commissionOf(book, fill.execId) !== undefined);
}

/** How an order looks now; only `filled` is certain to stay. */
export type Appearance =
  | { readonly kind: "unanswered" }
  | { readonly kind: "working" }
  | { readonly kind: "filled" }
  | { readonly kind: "cancelled"; readonly reason: string }
  | { readonly kind: "rejected"; readonly brokerCode: number; readonly message: string };

export function appearanceOf(book: OrderBook, reference: string): Appearance {
  const record = book.orders.get(reference);
  const filled = filledQuantity(book, reference);
  if (!record) return filled > 0 ? { kind: "working" } : { kind: "unanswered" };
  const { statuses, refusal, endNotice, why } = record;
  if (filled > 0 && record.quantity !== undefined && filled >= record.quantity) return { kind: "filled" };
  if (refusal && filled === 0)
    return { kind: "rejected", brokerCode: refusal.code, message: refusal.message };
  if (statuses.has("Cancelled") || statuses.has("ApiCancelled") || endNotice || (refusal && filled > 0)) {
    const said = refusal ?? endNotice;
    return { kind: "cancelled", reason: said ? `${said.code} ${said.message}` : why || "cancelled" };
  }
  if (statuses.has("Inactive"))
    return {
      kind: "rejected",
      brokerCode: 0,
      message: why || "the order is inactive, and TWS did not say why",
    };
  if (statuses.size > 0 || record.permId !== undefined || filled > 0) return { kind: "working" };
  return { kind: "unanswered" };
}

/** What an execution and its corrections have in common: the id without its last part. */
export function executionRoot(execId: string): string {
  const dot = execId.lastIndexOf(".");
  return dot > 0 ? execId.slice(0, dot) : execId;
}

function revisionOf(execId: string): number {
  const last = execId.slice(execId.lastIndexOf(".") + 1);
  return /^\d{1,9}$/.test(last) ? Number(last) : 0;
}

function learn(book: OrderBook, message: OrderMessage): OrderBook {
  switch (message.kind) {
    case "intended":
      return named(
        changed(book, message.reference, {
          quantity: message.quantity,
          orderId: message.orderId,
          clientId: message.clientId,
        }),
        message,
      );
    case "order": {
      if (message.reference === "") return book;
      const { reference, quantity, permId, orderId, clientId, status, why } = message;
      // A completed order has no id any more, and of its size only what is left.
      const known = orderId === undefined ? book.orders.get(reference)?.quantity : undefined;
      const facts = {
        quantity: known ?? quantity,
        ...(permId && { permId }),
        ...(orderId !== undefined && { orderId, clientId }),
        ...(why && { why }),
      };
      return named(changed(book, reference, facts, status), message);
    }
    case "status": {
      const reference = nameOf(book, message);
      if (reference === undefined) return waits(book, message);
      const facts = message.permId ? { permId: message.permId } : {};
      return named(changed(book, reference, facts, message.status), { ...message, reference });
    }
    case "execution": {
      const executions = added(book.executions, message.execId, message);
      const reference = message.reference || nameOf(book, message);
      const next = { ...book, executions };
      if (reference === undefined || reference === "") return next;
      const { permId, orderId, clientId } = message;
      const facts = { ...(permId && { permId }), orderId, clientId };
      return named(changed(next, reference, facts), { ...message, reference });
    }
    case "commission":
      return { ...book, commissions: added(book.commissions, message.execId, message.commission) };
    case "error": {
      const reference = nameOf(book, message);
      if (reference === undefined) return waits(book, message);
      return changed(book, reference, factsOfError(message));
    }
    case "settled":
      return book;
  }
}

function factsOfError({ code, message }: { code: number; message: string }): Partial<OrderRecord> {
  if (code === 10349) return { changedByPreset: true };
  if (code === 202) return { endNotice: { code, message } };
  if (isAboutCancelling(code)) return {};
  const kind = classifyCode(code, message);
  // An unknown code decides nothing: the order's status and executions do, and asking for them.
  if (kind === "order" || kind === "permanent") return { refusal: { code, message } };
  return {};
}

/** More than any day brings: someone else's orders must not fill the memory of a long session. */
const mostWaiting = 1000;

function waits(book: OrderBook, message: OrderMessage): OrderBook {
  return { ...book, waiting: [...book.waiting.slice(1 - mostWaiting), message] };
}

function changed(
  book: OrderBook,
  reference: string,
  facts: Partial<OrderRecord>,
  status?: string,
): OrderBook {
  const known = book.orders.get(reference) ?? unknownOrder(reference);
  const statuses = status ? new Set([...known.statuses, status]) : known.statuses;
  const refusal = known.refusal ?? facts.refusal;
  const endNotice = known.endNotice ?? facts.endNotice;
  const record = { ...known, ...facts, statuses, refusal, endNotice };
  return { ...book, orders: added(book.orders, reference, record) };
}

function unknownOrder(reference: string): OrderRecord {
  return {
    reference,
    quantity: undefined,
    permId: undefined,
    orderId: undefined,
    clientId: undefined,
    statuses: new Set(),
    why: "",
    refusal: undefined,
    endNotice: undefined,
    changedByPreset: false,
  };
}

interface Ids {
  readonly clientId?: number | undefined;
  readonly orderId?: number | undefined;
  readonly permId?: string | undefined;
}

function keysOf({ clientId, orderId, permId }: Ids): string[] {
  const keys = permId ? [`perm ${permId}`] : [];
  // Order id 0 is what orders placed by hand have.
  if (clientId !== undefined && orderId !== undefined && orderId > 0) keys.push(`${clientId}:${orderId}`);
  return keys;
}

function nameOf(book: OrderBook, ids: Ids): string | undefined {
  for (const key of keysOf(ids)) {
    const name = book.names.get(key);
    if (name !== undefined) return name;
  }
  return undefined;
}

function named(book: OrderBook, ids: Ids & { readonly reference: string }): OrderBook {
  const fresh = keysOf(ids).filter((key) => !book.names.has(key));
  if (fresh.length === 0) return book;
  const names = new Map(book.names);
  for (const key of fresh) names.set(key, ids.reference);
  return { ...book, names };
}

function referenceOf(book: OrderBook, execution: ExecutionFact): string | undefined {
  return execution.reference || nameOf(book, execution);
}

/** Of the latest correction that has one. */
function commissionOf(book: OrderBook, execId: string): { execId: string; commission: number } | undefined {
  const root = executionRoot(execId);
  let best: { execId: string; commission: number } | undefined;
  for (const [id, commission] of book.commissions) {
    if (executionRoot(id) !== root || revisionOf(id) > revisionOf(execId)) continue;
    if (!best || revisionOf(id) > revisionOf(best.execId)) best = { execId: id, commission };
  }
  return best;
}

/** The events that a book justifies about one order, whatever of them was told before. */
export function eventsOf(book: OrderBook, reference: string): readonly OrderEvent[] {
  return tell({ ...book, told: new Set() }, reference).events;
}

/** The order that a message is about; one message is about one order, also where it waited for its name. */
function concerned(book: OrderBook, message: OrderMessage): string | undefined {
  switch (message.kind) {
    case "commission": {
      const root = executionRoot(message.execId);
      for (const execution of book.executions.values())
        if (executionRoot(execution.execId) === root) return referenceOf(book, execution);
      return undefined;
    }
    case "status":
    case "error":
      return nameOf(book, message);
    case "execution":
      return referenceOf(book, message);
    default:
      return message.reference;
  }
}

/** The events about one order that the book now justifies and that were not told before. */
function tell(
  book: OrderBook,
  reference: string,
  message?: OrderMessage,
): { book: OrderBook; events: OrderEvent[] } {
  const told = new Set(book.told);
  const events: OrderEvent[] = [];
  const once = (key: string, event: () => OrderEvent) => {
    if (told.has(key)) return;
    told.add(key);
    events.push(event());
  };
  const record = book.orders.get(reference);
  const fills = fillsOf(book, reference);
  const sum = fills.reduce((total, fill) => total + fill.quantity, 0);
  const isComplete = record?.quantity !== undefined && sum >= record.quantity;
  const permId = record?.permId ?? fills.find((fill) => fill.permId !== undefined)?.permId;
  if (permId !== undefined)
    once(`acknowledged ${reference}`, () => ({
      kind: "acknowledged",
      reference,
      permId,
      orderId: record?.orderId ?? 0,
    }));
  for (const fill of fills) {
    const { execId, symbol, side, quantity, price, session, time } = fill;
    once(`fill ${execId}`, () => ({
      kind: isComplete ? "filled" : "partiallyFilled",
      reference,
      permId: fill.permId ?? permId ?? "",
      execId,
      symbol,
      side,
      quantity,
      price,
      session,
      time,
    }));
    const paid = commissionOf(book, execId);
    if (paid) {
      const { commission } = paid;
      once(`commission ${execId} ${commission}`, () => ({
        kind: "commission",
        reference,
        execId,
        commission,
      }));
    }
  }
  if (message?.kind === "settled") {
    const { outcome } = message;
    // An outcome can be learned after "unknown", but nothing is unknown again after an outcome.
    if (!told.has(`ended ${reference}`))
      once(`${outcome.kind === "unknown" ? "unknown" : "ended"} ${reference}`, () => ({
        ...outcome,
        reference,
      }));
  }
  return { book: told.size === book.told.size ? book : { ...book, told }, events };
}

function added<K, V>(map: ReadonlyMap<K, V>, key: K, value: V): ReadonlyMap<K, V> {
  return new Map(map).set(key, value);
}

function order(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
