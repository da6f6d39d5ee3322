import { type OrderIntent, sharesOf } from "@pf/orders";
import type { Order, OrderAction, OrderType, TimeInForce } from "@stoqey/ib";
import { type ContractInfo, orderContract } from "../account/contracts.js";
import { NotConnectedError } from "../errors.js";
import type { Timers } from "../session/clock.js";
import type { Connection } from "../session/connection.js";
import type { Findings, OrderDesk } from "./desk.js";
import type { OrderMessage } from "./messages.js";
import { appearanceOf, hasAllCommissions } from "./reduce.js";
import { type Standing, standingOf } from "./standing.js";

type Outcome = (OrderMessage & { readonly kind: "settled" })["outcome"];

/** How long things may take before they are asked about. Milliseconds. */
export interface OrderTimes {
  /** Until TWS says anything about a new order; then it is asked. @default 10000 */
  readonly acknowledgeMs?: number;
  /** After an order seems over: executions may come later than the status. @default 2000 */
  readonly settleMs?: number;
  /** The same when TWS changed the order or cancelled it without being asked: it may be filled all the same. @default 10000 */
  readonly graceMs?: number;
  /** For commissions, after the last fill. @default 10000 */
  readonly commissionMs?: number;
  /** A working order of which nothing is heard for so long is asked about: executions can get lost. @default 30000 */
  readonly pollMs?: number;
  /** Without any way to learn more, an outcome is `unknown` after this. @default 120000 */
  readonly unknownAfterMs?: number;
  /** For TWS to list orders or executions. @default 10000 */
  readonly askMs?: number;
}

export interface Placing {
  readonly account: string;
  readonly connection: Connection;
  readonly desk: OrderDesk;
  readonly timers: Timers;
  readonly times: Required<OrderTimes>;
}

/** The part of an intent that TWS hears of. */
export type OrderTerms = Pick<OrderIntent, "reference" | "symbol" | "side" | "quantity" | "type" | "limit">;

/** What is sent for an intent: everything stated, nothing left to the presets of the terminal. */
export function orderOf(intent: OrderTerms, account: string): Order {
  return {
    action: (intent.side === "buy" ? "BUY" : "SELL") as OrderAction,
    totalQuantity: sharesOf(intent.quantity),
    orderType: intent.type as OrderType,
    ...(intent.limit !== null && { lmtPrice: intent.limit }),
    // Left empty, a preset changes the order and TWS reports a cancellation that is none.
    tif: "DAY" as TimeInForce,
    account,
    orderRef: intent.reference,
    transmit: true,
    outsideRth: false,
    eTradeOnly: false,
    firmQuoteOnly: false,
  };
}

/**
 * Sends orders one after the other, each when the one before was answered, and follows every one to its end.
 *
 * What was refused or not answered stops what has not been sent. Nothing is ever sent twice: an order that the broker
 * already knows by its reference is followed instead.
 */
export async function work(
  placing: Placing,
  intents: readonly OrderIntent[],
  contracts: ReadonlyMap<string, ContractInfo>,
  known: Findings,
  cancelAtUtcMs: number,
  signal: AbortSignal,
): Promise<void> {
  const following: Promise<void>[] = [];
  let stopped: string | undefined;
  for (const intent of intents) {
    const { reference } = intent;
    const before = standingOf(placing.desk.book, known, reference);
    if (before.kind === "ended") {
      settle(placing, reference, endOf(placing, before));
      continue;
    }
    if (before.kind === "absent") {
      stopped ??= signal.aborted ? "interrupted" : await send(placing, intent, contracts.get(intent.symbol)!);
      if (stopped !== undefined) {
        settle(placing, reference, { kind: "cancelled", reason: `not sent: ${stopped}` });
        continue;
      }
    }
    const end = follow(placing, reference, cancelAtUtcMs, signal);
    // Awaited with the others below; one that fails meanwhile is not forgotten.
    end.catch(() => {});
    following.push(end);
    stopped = await firstAnswer(placing, reference, signal, end);
  }
  await Promise.all(following);
}

/** Says why nothing was sent, if nothing was. */
async function send(
  placing: Placing,
  intent: OrderIntent,
  contract: ContractInfo,
): Promise<string | undefined> {
  const { connection, desk, account } = placing;
  const { reference, symbol, side, quantity } = intent;
  try {
    const link = connection.placing(`order ${reference}`);
    const orderId = desk.takeOrderId();
    const order = orderOf(intent, account);
    await link.send(`order ${reference}`, (api) => {
      // The last look: the message is written in the same breath, or never.
      connection.placing(`order ${reference}`);
      desk.learn({ kind: "intended", reference, clientId: link.clientId, orderId, symbol, side, quantity });
      api.placeOrder(orderId, orderContract(contract), order);
    });
    return undefined;
  } catch (error) {
    if (error instanceof NotConnectedError) return error.message;
    throw error;
  }
}

/** Waits until an order is answered or over; says why nothing more should be sent, if so. */
async function firstAnswer(
  { desk }: Placing,
  reference: string,
  signal: AbortSignal,
  end: Promise<void>,
): Promise<string | undefined> {
  let over = false;
  void end.then(
    () => {
      over = true;
      desk.wake();
    },
    () => {
      over = true;
    },
  );
  for (;;) {
    const appearance = appearanceOf(desk.book, reference);
    if (appearance.kind === "rejected") return `${reference} was rejected`;
    if (desk.book.told.has(`unknown ${reference}`)) return `the outcome of ${reference} is unknown`;
    if (appearance.kind !== "unanswered" || over) return undefined;
    try {
      await desk.change(1000, signal);
    } catch {
      return "interrupted";
    }
  }
}

/** Follows one order until nothing more is to come of it. */
async function follow(
  placing: Placing,
  reference: string,
  cancelAtUtcMs: number,
  signal: AbortSignal,
): Promise<void> {
  const { connection, desk, timers, times } = placing;
  const beganMs = timers.nowUtcMs();
  let generation = connection.generation;
  let lastLearnedMs = beganMs;
  let lookSinceMs = beganMs;
  let lookedLike = "";
  let cancelSent = false;
  let found: Findings | undefined;

  for (;;) {
    const now = timers.nowUtcMs();
    const appearance = appearanceOf(desk.book, reference);
    const statuses = desk.book.orders.get(reference)?.statuses;
    const claimsFilled = appearance.kind === "working" && statuses?.has("Filled") === true;
    const look = claimsFilled ? "claims filled" : appearance.kind;
    if (look !== lookedLike) {
      lookedLike = look;
      lookSinceMs = now;
      found = undefined;
    }
    const connected = connection.state.kind === "connected";
    if (connected) lastLearnedMs = now;

    // What happened while nobody listened has to be asked for, whatever the order looks like.
    if (connected && generation !== connection.generation) {
      generation = connection.generation;
      found = await desk.ask(connection, signal);
      continue;
    }

    if (appearance.kind === "filled") {
      if (hasAllCommissions(desk.book, reference)) return;
      const late = lookSinceMs + times.commissionMs - now;
      if (late > 0) {
        await desk.change(late, signal);
        continue;
      }
      // Asking for executions brings their commissions along, to those who may see them.
      if (found === undefined && connected) {
        found = await desk.ask(connection, signal);
        if (!hasAllCommissions(desk.book, reference))
          await desk.change(Math.min(times.settleMs, times.commissionMs), signal);
        continue;
      }
      return;
    }

    if (!connected && now - lastLearnedMs >= times.unknownAfterMs) {
      settle(placing, reference, {
        kind: "unknown",
        reason: `no connection to ask through: ${why(connection)}`,
      });
      return;
    }

    const patienceMs = patience(placing, reference, look);
    const waitMs = lookSinceMs + patienceMs - now;
    if (waitMs > 0 || !connected) {
      if (look === "working" && !cancelSent && now >= cancelAtUtcMs && connected) {
        cancelSent = true;
        await cancelOrder(placing, reference);
        continue;
      }
      const nextMs = look === "working" && !cancelSent ? Math.min(waitMs, cancelAtUtcMs - now) : waitMs;
      await desk.change(Math.max(Math.min(connected ? nextMs : 1000, 60_000), 1), signal);
      continue;
    }

    // It has looked the same for long enough: what does the broker say?
    const answers: Findings = await desk.ask(connection, signal);
    found = answers;
    const standing = standingOf(desk.book, answers, reference);
    const looks = appearanceOf(desk.book, reference);
    if (standing.kind === "filled" || looks.kind !== appearance.kind) continue;
    if (standing.kind === "ended") {
      settle(placing, reference, endOf(placing, standing));
      return;
    }
    if (standing.kind === "absent") {
      settle(placing, reference, {
        kind: "unknown",
        reason: "TWS did not answer, and knows no order with this reference",
      });
      return;
    }
    if (standing.kind === "unanswered" && now - lookSinceMs >= patienceMs + times.unknownAfterMs) {
      settle(placing, reference, { kind: "unknown", reason: "TWS does not answer questions about it" });
      return;
    }
    // Open after all, or not every question was answered: asked again later.
    if (look === "working" && standing.kind === "open") lookSinceMs = timers.nowUtcMs();
    else await desk.change(Math.max(times.settleMs, 10), signal);
  }
}

/** How long an order may look like this before the broker is asked. */
function patience({ desk, times }: Placing, reference: string, look: string): number {
  const record = desk.book.orders.get(reference);
  switch (look) {
    case "unanswered":
      return times.acknowledgeMs;
    case "claims filled":
    case "rejected":
      return times.settleMs;
    case "cancelled":
      return record?.changedByPreset || !desk.cancelAsked.has(reference) ? times.graceMs : times.settleMs;
    default:
      return times.pollMs;
  }
}

/** Asks TWS to cancel an order of this client. What becomes of it is heard as events. */
export async function cancelOrder({ connection, desk }: Placing, reference: string): Promise<void> {
  const what = `cancellation of ${reference}`;
  const record = desk.book.orders.get(reference);
  const link = connection.link;
  if (!record?.orderId || !link?.open)
    throw new NotConnectedError(what, "there is no such order of this client", false);
  const { orderId } = record;
  desk.cancelAsked.add(reference);
  await link.send(what, (api) => api.cancelOrder(orderId, {}));
}

/** How an order that is over ended; what was filled of it has been told by itself. */
function endOf({ desk }: Placing, { reference, reason }: Standing): Outcome {
  const looks = appearanceOf(desk.book, reference);
  if (looks.kind === "cancelled" || looks.kind === "rejected") return looks;
  return { kind: "cancelled", reason: reason || "TWS lists it as over" };
}

function settle({ desk }: Placing, reference: string, outcome: Outcome): void {
  desk.learn({ kind: "settled", reference, outcome });
}

function why({ state }: Connection): string {
  return "reason" in state ? state.reason : state.kind;
}
