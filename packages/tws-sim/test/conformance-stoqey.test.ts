import type { EventEmitter } from "node:events";
import { type Contract, EventName, IBApi, type Order } from "@stoqey/ib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Simulator, startSimulator } from "../src/index.js";

/** @stoqey/ib, and everything it says in the order in which it says it. */
class Client {
  readonly said: [event: string, ...facts: unknown[]][] = [];
  readonly api: IBApi;
  #waiting: (() => void)[] = [];

  constructor(port: number, clientId: number) {
    this.api = new IBApi({ host: "127.0.0.1", port, clientId });
    for (const event of Object.values(EventName)) {
      if (event === EventName.all || event === EventName.result || event === EventName.sent) continue;
      // Its types know every event by itself, not all of them at once.
      (this.api as unknown as EventEmitter).on(event, (...facts: unknown[]) => {
        this.said.push([event, ...facts]);
        for (const wake of this.#waiting.splice(0)) wake();
      });
    }
  }

  static async connect(port: number, clientId: number): Promise<Client> {
    const client = new Client(port, clientId);
    client.api.connect();
    await client.until((event) => event === "nextValidId");
    return client;
  }

  async until(
    fits: (event: string, ...facts: never[]) => boolean,
    since = 0,
    withinMs = 5000,
  ): Promise<unknown[]> {
    const deadline = Date.now() + withinMs;
    for (;;) {
      const found = this.said.slice(since).find(([event, ...facts]) => fits(event, ...(facts as never[])));
      if (found) return found;
      const left = deadline - Date.now();
      if (left <= 0)
        throw new Error(
          `nothing of the kind was said; last: ${JSON.stringify(this.said.slice(-4)).slice(0, 800)}`,
        );
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.#waiting.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
  }

  all(event: string, since = 0): unknown[][] {
    return this.said.slice(since).filter(([name]) => name === event);
  }

  get mark(): number {
    return this.said.length;
  }

  /** What the library could not read: fields left over, missing, or of a kind it does not know. */
  unread(): string[] {
    return this.all("error")
      .map(([, error]) => String(error))
      .filter((text) => /unprocessed|underrun|no parser|unknown/i.test(text));
  }

  async leave(): Promise<void> {
    this.api.disconnect();
    await this.until((event) => event === "disconnected");
  }
}

const spy: Contract = { symbol: "SPY", secType: "STK" as never, exchange: "SMART", currency: "USD" };
const account = "DUK200445";
const order = (action: string, totalQuantity: number, orderType: string, more: object = {}): Order =>
  ({
    action,
    totalQuantity,
    orderType,
    tif: "DAY",
    account,
    transmit: true,
    outsideRth: false,
    ...more,
  }) as Order;

/** What was said of an order, in one word each. */
function story(client: Client, since: number, orderId: number): string[] {
  const executions = new Set<unknown>();
  return client.said.slice(since).flatMap(([event, ...facts]) => {
    const [first, second, third, fourth] = facts as never[] as [never, never, never, never];
    if (event === "openOrder" && first === orderId)
      return [`openOrder ${(fourth as { status: string }).status}`];
    if (event === "orderStatus" && first === orderId) return [`orderStatus ${second}`];
    if (event === "execDetails" && (third as { orderId: number }).orderId === orderId) {
      executions.add((third as { execId: string }).execId);
      return ["execDetails"];
    }
    if (event === "commissionReport" && executions.has((first as { execId: string }).execId))
      return ["commissionReport"];
    if (event === "error" && third === orderId) return [`error ${second}`];
    return [];
  });
}

let simulator: Simulator;
beforeAll(async () => {
  simulator = await startSimulator({ speed: "frozen" });
});
afterAll(async () => {
  await simulator.close();
});

async function placed(
  client: Client,
  orderId: number,
  contract: Contract,
  wanted: Order,
  forMs = 5000,
): Promise<string[]> {
  const since = client.mark;
  client.api.placeOrder(orderId, contract, wanted);
  // The library sends in tenths of a second; simulated time stands until the order is there.
  await arrived(client);
  await simulator.advanceBy(forMs);
  await arrived(client);
  return story(client, since, orderId);
}

/** Everything asked before has been answered when this is. */
async function arrived(client: Client): Promise<void> {
  const since = client.mark;
  client.api.reqCurrentTime();
  await client.until((event) => event === "currentTime", since);
}

describe("an order tells the story that was captured from genuine servers:", () => {
  it("a market order is held, executed, filled and charged", async () => {
    const client = await Client.connect(simulator.port, 1);
    const since = client.mark;
    expect(await placed(client, 1, spy, order("BUY", 3, "MKT", { orderRef: "a" }))).toEqual([
      "openOrder PreSubmitted",
      "orderStatus PreSubmitted",
      "execDetails",
      "openOrder Filled",
      "orderStatus Filled",
      "commissionReport",
    ]);
    const permIds = new Set([
      ...client.all("orderStatus", since).map((facts) => facts[6]),
      ...client.all("openOrder", since).map((facts) => (facts[3] as Order).permId),
      ...client.all("execDetails", since).map((facts) => (facts[3] as { permId: number }).permId),
    ]);
    expect(permIds.size).toBe(1);
    expect([...permIds][0]).toBeGreaterThan(0);
    await client.leave();
  });

  it("a limit that rests is submitted, and cancelled with 202", async () => {
    const client = await Client.connect(simulator.port, 2);
    expect(await placed(client, 1, spy, order("BUY", 1, "LMT", { lmtPrice: 1 }))).toEqual([
      "openOrder PreSubmitted",
      "orderStatus PreSubmitted",
      "openOrder Submitted",
      "orderStatus Submitted",
    ]);
    const since = client.mark;
    client.api.cancelOrder(1, "");
    await arrived(client);
    await simulator.advanceBy(5000);
    await client.until((event, _, code) => event === "error" && code === 202, since);
    expect(story(client, since, 1)).toEqual([
      "orderStatus PendingCancel",
      "orderStatus Cancelled",
      "error 202",
    ]);
    await client.leave();
  });

  it("a fraction of a share is refused with 10243 and nothing is bought", async () => {
    const client = await Client.connect(simulator.port, 3);
    const told = await placed(client, 1, spy, order("BUY", 1.5, "MKT"));
    expect(told).toContain("error 10243");
    expect(told).not.toContain("execDetails");
    await client.leave();
  });
});

describe("an order survives its client:", () => {
  it("another client sees it, the same client finds it under its permId, ids go on", async () => {
    const client = await Client.connect(simulator.port, 4);
    await placed(client, 5, spy, order("BUY", 1, "LMT", { lmtPrice: 1, orderRef: "survivor" }));
    const [, , , , , , permId] = client.all("orderStatus")[0]! as unknown[];
    await client.leave();

    const other = await Client.connect(simulator.port, 5);
    other.api.reqAllOpenOrders();
    await other.until((event) => event === "openOrderEnd");
    const seen = other.all("openOrder").filter((facts) => (facts[3] as Order).orderRef === "survivor");
    expect(seen.map((facts) => [(facts[3] as Order).permId, (facts[3] as Order).clientId])).toEqual([
      [permId, 4],
    ]);
    await other.leave();

    const again = await Client.connect(simulator.port, 4);
    expect(again.all("nextValidId")[0]).toEqual(["nextValidId", 6]);
    again.api.reqOpenOrders();
    await again.until((event) => event === "openOrderEnd");
    expect(again.all("orderStatus").map((facts) => [facts[1], facts[2], facts[6]])).toEqual([
      [5, "Submitted", permId],
    ]);
    await again.leave();
  });
});

describe("what clients look for in account updates", () => {
  it("is there once each: the account's figures, and its cash by currency", async () => {
    const client = await Client.connect(simulator.port, 6);
    client.api.reqAccountUpdates(true, account);
    await client.until((event) => event === "accountDownloadEnd");
    const values = client.all("updateAccountValue").map(([, key, value, currency]) => [key, value, currency]);
    const keys = values.map(([key]) => key);
    expect(new Set(keys).size).toBe(keys.length);
    expect(keys).toEqual(
      expect.arrayContaining(["NetLiquidation", "CashBalance", "TotalCashBalance", "ExchangeRate"]),
    );
    const told = (wanted: string) => values.find(([key]) => key === wanted)!.slice(1);
    expect(told("TotalCashBalance")).toEqual(told("TotalCashValue"));
    await client.leave();
  });
});

describe("the library reads every message at version", () => {
  it.each([157, 163, 176, 178, 187, 193])(
    "%i",
    async (version) => {
      const own = await startSimulator({ serverVersion: version });
      const client = await Client.connect(own.port, 7);
      expect(client.api.serverVersion).toBe(version);
      const since = client.mark;
      client.api.reqMarketDataType(1);
      client.api.reqContractDetails(1, spy);
      client.api.reqHistoricalData(2, spy, "", "10 D", "1 day" as never, "TRADES" as never, 1, 1, false);
      client.api.reqMktData(3, spy, "", true, false);
      client.api.reqAccountSummary(4, "All", "NetLiquidation,SettledCash,AccountType");
      client.api.placeOrder(1, spy, order("BUY", 2, "MKT", { orderRef: "v" }));
      await client.until((event) => event === "commissionReport", since, 8000);
      client.api.placeOrder(2, spy, order("BUY", 1, "LMT", { lmtPrice: 1, orderRef: "w" }));
      await client.until(
        (event, id, status) => event === "orderStatus" && id === 2 && status === "Submitted",
        since,
      );
      client.api.cancelOrder(2, "");
      await client.until((event, _, code) => event === "error" && code === 202, since);
      client.api.reqPositions();
      client.api.reqAllOpenOrders();
      client.api.reqCompletedOrders(false);
      client.api.reqExecutions(5, {});
      for (const end of [
        "contractDetailsEnd",
        "tickSnapshotEnd",
        "accountSummaryEnd",
        "positionEnd",
        "openOrderEnd",
        "completedOrdersEnd",
        "execDetailsEnd",
      ])
        await client.until((event) => event === end, since, 15_000);
      // Below 177 the library expects one field less of completed orders than genuine servers send; see the captures.
      const isMisread = version < 177;
      expect(client.unread().filter((text) => !(isMisread && text.includes("COMPLETED_ORDER")))).toEqual([]);

      const details = client.all("contractDetails")[0]![2] as {
        contract: Contract;
        stockType: string;
        minTick: number;
      };
      expect([details.contract.symbol, details.minTick, details.stockType]).toEqual(["SPY", 0.01, "ETF"]);
      expect(client.all("historicalData", since)).toHaveLength(11);
      const completed = client
        .all("completedOrder", since)
        .map((facts) => [
          (facts[2] as Order).orderRef,
          (facts[3] as { status: string }).status,
          (facts[2] as Order).filledQuantity,
        ]);
      if (!isMisread)
        expect(completed).toEqual([
          ["v", "Filled", 2],
          ["w", "Cancelled", 0],
        ]);
      const execution = client.all("execDetails", since).at(-1)![3] as {
        orderRef: string;
        shares: number;
        lastLiquidity: { value: number };
      };
      expect([execution.orderRef, execution.shares]).toEqual(["v", 2]);
      await client.leave();
      await own.close();
    },
    30_000,
  );
});
