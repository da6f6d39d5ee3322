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
  /** How long a lost connection may keep the next order of a plan waiting. @default 30000 */
  readonly reconnectMs?: number;
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

/** When to stop, milliseconds since 1970 UTC by our clock. */
interface Deadlines {
  /** What is not complete then is cancelled. */
  readonly cancelAtUtcMs: number;
  readonly signal: AbortSignal;
}

/** When to send, and what keeps an order from being sent otherwise. */
interface Sending extends Deadlines {
  /** No order is sent after this. */
  readonly sendUntilUtcMs: number;
  /** Says why nothing more is sent; undefined to send. */
  whyNotSend(): string | undefined;
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
  sending: Sending,
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
      stopped ??= await untilConnected(placing, sending);
      stopped ??= await send(placing, intent, contracts.get(intent.symbol)!, sending);
      if (stopped !== undefined) {
        settle(placing, reference, { kind: "cancelled", reason: `not sent: ${stopped}` });
        continue;
      }
    }
    const end = follow(placing, reference, sending);
    // Awaited with the others below; one that fails meanwhile is not forgotten.
    end.catch(() => {});
    following.push(end);
    const stops = await firstAnswer(placing, reference, sending.signal, end);
    // What is followed although something stopped the rest does not let the rest go.
    stopped ??= stops;
  }
  await Promise.all(following);
}

/** Follows orders that were sent before. */
export async function followAll(
  placing: Placing,
  references: readonly string[],
  known: Findings,
  deadlines: Deadlines,
): Promise<void> {
  await Promise.all(
    references.map(async (reference) => {
      const before = standingOf(placing.desk.book, known, reference);
      if (before.kind === "ended") settle(placing, reference, endOf(placing, before));
      else if (before.kind !== "absent") await follow(placing, reference, deadlines);
    }),
  );
}

/**
 * A connection lost between two orders may come back in time for the second. What became of the first is known then.
 * Says why there is none, if so.
 */
async function untilConnected(
  { connection, desk, timers, times }: Placing,
  { sendUntilUtcMs, signal }: Sending,
): Promise<string | undefined> {
  const untilMs = Math.min(timers.nowUtcMs() + times.reconnectMs, sendUntilUtcMs);
  while (!signal.aborted) {
    if (timers.nowUtcMs() >= sendUntilUtcMs) return "no time is left";
    if (connection.state.kind === "connected") return undefined;
    const leftMs = untilMs - timers.nowUtcMs();
    if (leftMs <= 0 || connection.state.kind === "closed") return `not connected (${why(connection)})`;
    // The loop looks whether it was aborted.
    await desk.change(leftMs, signal).catch(() => {});
  }
  return "interrupted";
}

/** Says why nothing was sent, if nothing was. */
async function send(
  { connection, desk, account, timers }: Placing,
  intent: OrderIntent,
  contract: ContractInfo,
  { sendUntilUtcMs, whyNotSend }: Sending,
): Promise<string | undefined> {
  const { reference, symbol, side, quantity } = intent;
  try {
    const what = `order ${reference}`;
    const link = connection.placing(what);
    const orderId = desk.takeOrderId();
    const order = orderOf(intent, account);
    let whyNot: string | undefined;
    let failure: { readonly cause: unknown } | undefined;
    await link.send(what, (api) => {
      // The last look: the message is written in the same breath, or never.
      try {
        whyNot =
          timers.nowUtcMs() > sendUntilUtcMs
            ? "no time is left"
            : (connection.whyNotPlacing() ?? whyNotSend());
      } catch (cause) {
        // Not the connection's fault, which would be broken by it.
        failure = { cause };
        return;
      }
      if (whyNot !== undefined) return;
      desk.learn({ kind: "intended", reference, clientId: link.clientId, orderId, symbol, side, quantity });
      api.placeOrder(orderId, orderContract(contract), order);
    });
    if (failure) throw failure.cause;
    return whyNot;
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
  { cancelAtUtcMs, signal }: Deadlines,
): Promise<void> {
  const { connection, desk, timers, times } = placing;
  let connectedMs = timers.nowUtcMs();
  let sinceMs = connectedMs;
  let look = "";
  let cancelSent = false;
  let askedForCommissions = false;
  let askedMs = Number.NEGATIVE_INFINITY;
  const wait = (ms: number) => {
    const untilCancelMs = cancelSent ? Infinity : Math.max(cancelAtUtcMs - timers.nowUtcMs(), 0);
    return desk.change(Math.max(Math.min(ms, untilCancelMs, 60_000), 1), signal);
  };

  for (;;) {
    const now = timers.nowUtcMs();
    const appearance = appearanceOf(desk.book, reference);
    const isLive = appearance.kind === "working" || appearance.kind === "unanswered";
    const claimsFilled = isLive && desk.book.orders.get(reference)?.statuses.has("Filled") === true;
    const seen = claimsFilled ? "claims filled" : appearance.kind;
    if (seen !== look) {
      look = seen;
      sinceMs = now;
    }
    const connected = connection.state.kind === "connected";
    if (connected) connectedMs = now;

    if (!connected) {
      if (now - connectedMs < times.unknownAfterMs) {
        await desk.change(1000, signal);
        continue;
      }
      // A fill is a fact, its commission or not.
      if (appearance.kind !== "filled")
        settle(placing, reference, {
          kind: "unknown",
          reason: `no connection to ask through: ${why(connection)}`,
        });
      return;
    }
    if (appearance.kind === "filled") {
      if (hasAllCommissions(desk.book, reference)) return;
      const leftMs = sinceMs + times.commissionMs - now;
      if (leftMs > 0) {
        await desk.change(leftMs, signal);
        continue;
      }
      if (askedForCommissions) return;
      // Asking for executions brings their commissions along, to those who may see them.
      askedForCommissions = true;
      await desk.ask(connection, signal);
      sinceMs = timers.nowUtcMs();
      continue;
    }
    if (isLive && !cancelSent && now >= cancelAtUtcMs) {
      cancelSent = true;
      // An order that cannot be cancelled from here is good for the day, and followed to its end.
      await cancelOrder(placing, reference).catch((error: unknown) => {
        if (!(error instanceof NotConnectedError)) throw error;
      });
      continue;
    }
    const patienceMs = patience(placing, reference, look);
    // Answers are messages too: where they come late, each of them must not be the next question.
    const askUtcMs = Math.max(sinceMs + patienceMs, askedMs + times.settleMs);
    if (now < askUtcMs) {
      await wait(askUtcMs - now);
      continue;
    }
    askedMs = now;

    // It has looked the same for long enough: what does the broker say?
    const findings = await desk.ask(connection, signal);
    const standing = standingOf(desk.book, findings, reference);
    if (standing.kind === "filled" || appearanceOf(desk.book, reference).kind !== appearance.kind) continue;
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
    if (standing.kind === "unanswered" && now - sinceMs >= patienceMs + times.unknownAfterMs) {
      settle(placing, reference, { kind: "unknown", reason: "TWS does not answer questions about it" });
      return;
    }
    // Open after all: asked again when as much time has passed. Not every question answered: asked again soon.
    if (standing.kind === "open") sinceMs = timers.nowUtcMs();
    else await wait(times.settleMs);
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
  if (!link?.open) throw new NotConnectedError(what, `not connected (${why(connection)})`, false);
  // Another client's ids mean other orders.
  if (!record?.orderId || record.clientId !== link.clientId)
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
