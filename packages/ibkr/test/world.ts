import { newYorkToUtcMs, sessionDate } from "@pf/market";
import type { OrderEvent, OrderIntent, OrderPlan, Quantity } from "@pf/orders";
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
  acknowledgeMs: 1500,
  settleMs: 100,
  graceMs: 600,
  commissionMs: 500,
  pollMs: 1000,
  reconnectMs: 2000,
  unknownAfterMs: 3000,
  askMs: 1500,
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
  readonly attempt?: number;
}

/** An approved plan of these orders. */
export function planOf(...wishes: readonly Wish[]): OrderPlan {
  const intents = wishes.map(
    ({ symbol = "SPY", side = "buy", shares = 2, limit, attempt = 1 }): OrderIntent => ({
      reference: `pf/${session}/${symbol}/${side}${attempt === 1 ? "" : `/${attempt}`}`,
      symbol,
      side,
      quantity: Math.round(shares * 10_000) as Quantity,
      type: limit === undefined ? "MKT" : "LMT",
      limit: limit ?? null,
      notional: 0 as OrderIntent["notional"],
      reason: "test" as OrderIntent["reason"],
      detail: "",
    }),
  );
  return { account: "DUK200445", session, attempt: 1, asOf: session, intents } as unknown as OrderPlan;
}

/** Places and hears everything to the end. */
export async function placed(
  broker: IbkrSession,
  plan: OrderPlan,
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
