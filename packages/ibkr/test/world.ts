import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type AccountEvent,
  type ApprovedPlan,
  type ComplianceRules,
  calendarHours,
  equityOf,
  foldEvents,
  review,
  type Situation,
  usSettlement,
  usualRules,
} from "@pf/compliance";
import { newYorkToUtcMs, sessionDate, xnys } from "@pf/market";
import {
  cents,
  commissionPlan,
  notionalCents,
  type OrderEvent,
  type OrderIntent,
  type OrderPlan,
  orderReference,
  quantityOfShares,
} from "@pf/orders";
import { parseScenario, type Simulator, type SimulatorOptions, startSimulator } from "@pf/tws-sim";
import { connectIbkr, type IbkrOptions, type IbkrSession, type PlaceOptions } from "../src/index.js";

/** A normal session of the synthetic market, and five minutes before its close. */
export const session = sessionDate("2026-11-23");
export const decisionUtcMs = newYorkToUtcMs(session, "15:55");

export interface World extends AsyncDisposable {
  readonly sim: Simulator;
  /** Connected to the simulator; with its clock and short waits. */
  connect(options?: Partial<IbkrOptions>): Promise<IbkrSession>;
}

/** Waits short enough for tests; none of them decides an outcome. */
export const shortTimes = {
  acknowledgeMs: 2500,
  settleMs: 100,
  graceMs: 600,
  commissionMs: 500,
  pollMs: 1000,
  reconnectMs: 4000,
  unknownAfterMs: 5000,
  askMs: 3000,
};

/** A simulator at five to four, and sessions that end with it. Rules are a scenario file in YAML. */
export async function world(options: SimulatorOptions = {}, rules?: string): Promise<World> {
  const sim = await startSimulator({
    startUtcMs: decisionUtcMs,
    pacing: "off",
    ...(rules !== undefined && { scenario: parseScenario(`rules:\n${rules}`) }),
    ...options,
  });
  const sessions: IbkrSession[] = [];
  return {
    sim,
    async connect(more = {}) {
      const opened = await connectIbkr({
        host: sim.host,
        port: sim.port,
        clientId: 17,
        account: "DUK200445",
        mode: "paper",
        messagesPerSecond: 1000,
        clientIdRetryMs: 5000,
        requestMs: 3000,
        reconnect: { firstMs: 20, longestMs: 200 },
        orderTimes: shortTimes,
        ...more,
      });
      sessions.push(opened);
      return opened;
    },
    async [Symbol.asyncDispose]() {
      for (const opened of sessions) await opened.close();
      await sim.close();
    },
  };
}

export interface Wish {
  readonly symbol?: string;
  readonly side?: "buy" | "sell";
  /** Shares. */
  readonly shares?: number;
  readonly limit?: number;
}

/**
 * An approved plan of these orders: reviewed like any other, in the books of an account with plenty of everything and on
 * a market where every price is what the order wants.
 */
export function planOf(...wishes: readonly Wish[]): ApprovedPlan {
  return planFor({}, ...wishes);
}

export interface PlanFrame {
  readonly attempt?: number;
  readonly account?: string;
  /** Milliseconds before the close that the window ends. */
  readonly closesBeforeCloseMs?: number;
}

export function planFor(
  { attempt = 1, account: id = "DUK200445", closesBeforeCloseMs = 30_000 }: PlanFrame,
  ...wishes: readonly Wish[]
): ApprovedPlan {
  const universe = [...new Set(wishes.map(({ symbol = "SPY" }) => symbol))];
  const before = xnys.previous(xnys.previous(xnys.previous(session)));
  const account = foldEvents(
    [
      { kind: "cash", session: before, amount: cents(100_000_000_00), reason: "deposit" },
      ...universe.map(
        (symbol): AccountEvent => ({
          kind: "adopted",
          session: before,
          symbol,
          quantity: quantityOfShares(1000),
          cost: cents(100_000),
          isSettled: true,
        }),
      ),
      { kind: "day", session },
    ],
    usSettlement,
  );
  const nowUtcMs = decisionUtcMs + 30_000;
  const prices = new Map(wishes.map(({ symbol = "SPY", limit = 100 }) => [symbol, limit]));
  const situation: Situation = {
    account: id,
    baseCurrency: "USD",
    session,
    attempt,
    universe,
    nowUtcMs,
    quotes: Object.fromEntries(
      [...prices].map(([symbol, price]) => [
        symbol,
        { price, bid: price, ask: price, tick: 0.01, feed: "live" as const, atUtcMs: nowUtcMs },
      ]),
    ),
    lastBars: Object.fromEntries(
      [...prices].map(([symbol, close]) => [symbol, { session: xnys.previous(session), close }]),
    ),
    liquidHours: calendarHours(universe, session, usSettlement),
    knownReferences: [],
    isResumed: false,
    reconciliation: null,
  };
  const intents = wishes.map(({ symbol = "SPY", side = "buy", shares = 2, limit }): OrderIntent => {
    const quantity = quantityOfShares(shares);
    return {
      reference: orderReference({ session, symbol, side, attempt }),
      symbol,
      side,
      quantity,
      type: limit === undefined ? "MKT" : "LMT",
      limit: limit ?? null,
      notional: notionalCents(quantity, prices.get(symbol)!),
      reason: side === "buy" ? "enter" : "exit",
      detail: "a test wants it",
    };
  });
  const plan: OrderPlan = {
    account: id,
    session,
    attempt,
    asOf: session,
    intents,
    lines: universe.map((symbol) => ({
      symbol,
      price: prices.get(symbol)!,
      held: quantityOfShares(1000),
      targetWeight: 0,
      wanted: null,
      action: "none",
      quantity: quantityOfShares(0),
      reason: "on_target",
      detail: "",
      deferred: null,
      reference: null,
      drift: null,
    })),
    equity: equityOf(account, situation) ?? null,
    cash: { spendable: cents(0), buffer: cents(0), cost: cents(0), proceeds: cents(0), fees: cents(0) },
    isComplete: true,
  };
  const rules: ComplianceRules = {
    ...usualRules,
    maxWeight: 1,
    maxOrders: 10,
    commission: commissionPlan("ibkr_tiered"),
    window: { ...usualRules.window, closesBeforeCloseMs },
  };
  const verdict = review(plan, account, situation, rules, usSettlement);
  if (!verdict.ok)
    throw new Error(verdict.breaches.map(({ name, detail }) => `${name}: ${detail}`).join("; "));
  return verdict.plan;
}

/** Places and hears everything to the end. */
export async function placed(
  broker: IbkrSession,
  plan: ApprovedPlan,
  options?: PlaceOptions,
): Promise<readonly OrderEvent[]> {
  const events: OrderEvent[] = [];
  for await (const event of broker.place(plan, options)) events.push(event);
  return events;
}

/** What the broker itself says was executed: by reference, in ten-thousandths of a share. */
export function executedAt(sim: Simulator): Readonly<Record<string, number>> {
  const sums: Record<string, number> = {};
  for (const { order, shares } of sim.venue.executions({})) {
    const { orderRef } = order.order;
    sums[orderRef] = (sums[orderRef] ?? 0) + Math.round(Number(shares) * 10_000);
  }
  return sums;
}

/** What the events say was executed, in the same form; a correction replaces what it corrects. */
export function executedBy(events: readonly OrderEvent[]): Readonly<Record<string, number>> {
  const fills = new Map<string, { reference: string; quantity: number }>();
  for (const event of events) {
    if (event.kind !== "filled" && event.kind !== "partiallyFilled") continue;
    fills.set(event.execId.replace(/\.\d+$/, ""), event as { reference: string; quantity: number });
  }
  const sums: Record<string, number> = {};
  for (const { reference, quantity } of fills.values()) sums[reference] = (sums[reference] ?? 0) + quantity;
  return sums;
}

/** How often an order with this reference reached the broker. */
export function ordersAt(sim: Simulator, reference: string): number {
  const all = [...sim.venue.openOrders(), ...sim.venue.completedOrders()];
  return new Set(all.filter(({ order }) => order.orderRef === reference).map(({ permId }) => permId)).size;
}

export const kinds = (events: readonly OrderEvent[]): readonly string[] => events.map(({ kind }) => kind);

/** A folder for a wire log, and what was sent to the simulator according to it. */
export function wireLog(): Disposable & {
  readonly file: string;
  sent(message: string): readonly (readonly string[])[];
} {
  const folder = mkdtempSync(join(tmpdir(), "ibkr-"));
  const file = join(folder, "wire.jsonl");
  return {
    file,
    sent: (message) =>
      readFileSync(file, "utf8")
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => JSON.parse(line))
        .filter((entry) => entry.event === "in" && entry.message === message)
        .map((entry) => entry.fields),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true }),
  };
}
