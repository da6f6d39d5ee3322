import { describe, expect, it } from "vitest";
import { parseScenario, type Simulator } from "../src/index.js";
import {
  account,
  type Client,
  client,
  order,
  simulator,
  stock,
  unconnectedClient,
} from "./server-harness.js";

/** A simulator with rules, and a client of it. */
async function with_(rules: string, more: Parameters<typeof simulator>[0] = {}) {
  const simulated = await simulator({ scenario: parseScenario(`rules:\n${rules}`), ...more });
  const ours = await client(simulated.port);
  await ours.heard("info", (_text, code) => code === 2158);
  return { simulated, ours };
}

/** Places an order and waits until the market has it; gives its id. */
async function place(
  simulated: Simulator,
  ours: Client,
  symbol: string,
  sent = order("BUY", 10),
  id?: number,
): Promise<number> {
  const orderId = id ?? ours.all("nextValidId").at(-1)![0];
  ours.api.placeOrder(orderId, stock(symbol), sent);
  await read(ours);
  void simulated;
  return orderId;
}

/** Resolves when everything the client sent has been read. */
async function read(ours: Client): Promise<void> {
  const before = ours.all("currentTime").length;
  ours.api.reqCurrentTime();
  await expect.poll(() => ours.all("currentTime").length).toBeGreaterThan(before);
}

const statuses = (ours: Client) => ours.all("orderStatus").map(([, status]) => status);
const problems = (ours: Client) => ours.all("error").map(([, code, id]) => [code, id]);
const notices = (ours: Client) => ours.all("info").map(([, code]) => code);
const seconds = (count: number) => count * 1000;

describe("what can happen to an orderStatus", () => {
  it("comes twice", async () => {
    const { simulated, ours } = await with_(
      "  - { on: { message: orderStatus, status: Filled }, do: [duplicate] }",
    );
    await place(simulated, ours, "SPY");
    await simulated.advanceBy(seconds(5));
    await ours.heard("commissionReport");
    expect(statuses(ours)).toEqual(["PreSubmitted", "Filled", "Filled"]);
  });

  it("never comes, while the execution does", async () => {
    const { simulated, ours } = await with_("  - { on: { message: orderStatus, times: all }, do: [drop] }");
    await place(simulated, ours, "SPY");
    await simulated.advanceBy(seconds(5));
    await ours.heard("commissionReport");
    expect(statuses(ours)).toEqual([]);
    expect(ours.all("execDetails").length).toBe(1);
  });

  it("comes late", async () => {
    const { simulated, ours } = await with_(
      "  - { on: { message: orderStatus, status: Filled }, do: [{ delay: 10s }] }",
    );
    await place(simulated, ours, "SPY");
    await simulated.advanceBy(seconds(5));
    await ours.heard("commissionReport");
    expect(statuses(ours)).toEqual(["PreSubmitted"]);
    await simulated.advanceBy(seconds(10));
    await ours.heard("orderStatus", (_id, status) => status === "Filled");
  });

  it("says Filled before there is an execution", async () => {
    const { simulated, ours } = await with_(
      "  - { on: { message: execDetails }, do: [{ delay: 3s }] }\n  - { on: { message: commissionReport }, do: [{ delay: 4s }] }",
    );
    await place(simulated, ours, "SPY");
    await simulated.advanceBy(seconds(2));
    await ours.heard("orderStatus", (_id, status) => status === "Filled");
    expect(ours.all("execDetails")).toEqual([]);
    await simulated.advanceBy(seconds(5));
    await ours.heard("commissionReport");
    expect(ours.all("execDetails").length).toBe(1);
  });

  it("lies: Cancelled with 10349, and the same order fills a second later", async () => {
    const { simulated, ours } = await with_(
      "  - on: { message: placeOrder }\n    do:\n      - say: { code: 10349, message: Order TIF was set to DAY based on order preset. }\n      - claim: Cancelled",
    );
    const id = await place(simulated, ours, "SPY");
    expect(problems(ours)).toEqual([[10349, id]]);
    expect(statuses(ours)).toEqual(["Cancelled"]);
    await simulated.advanceBy(seconds(5));
    await ours.heard("commissionReport");
    expect(statuses(ours)).toEqual(["Cancelled", "PreSubmitted", "Filled"]);
  });
});

describe("what can happen to fills", () => {
  it("come in parts", async () => {
    const { simulated, ours } = await with_(
      "  - { on: { message: placeOrder, symbol: SPY }, do: [{ partial_fills: { parts: 3, every: 2s } }] }",
    );
    await place(simulated, ours, "SPY");
    await simulated.advanceBy(seconds(10));
    await ours.heard("orderStatus", (_id, status) => status === "Filled");
    const shares = ours.all("execDetails").map(([, , execution]) => execution.shares);
    expect(shares.length).toBe(3);
    expect(shares.reduce((sum, one) => sum + one, 0)).toBe(10);
  });

  it("stop half way", async () => {
    const { simulated, ours } = await with_(
      "  - { after: 0, do: [{ partial_fills: { symbol: SPY, parts: 2, stop_after: 1 } }] }",
    );
    await simulated.advanceBy(0);
    await place(simulated, ours, "SPY");
    await simulated.advanceBy(seconds(30));
    await ours.heard("commissionReport");
    expect(ours.all("execDetails").map(([, , execution]) => execution.shares)).toEqual([5]);
    expect(simulated.venue.openOrders()[0]).toMatchObject({ filled: "5", remaining: "5" });
  });

  it("have their commission late", async () => {
    const { simulated, ours } = await with_(
      "  - { on: { message: commissionReport }, do: [{ delay: 30s }] }",
    );
    await place(simulated, ours, "SPY");
    await simulated.advanceBy(seconds(20));
    await ours.heard("execDetails");
    expect(ours.all("commissionReport")).toEqual([]);
    await simulated.advanceBy(seconds(20));
    await ours.heard("commissionReport");
  });

  it("never have their commission, not even when asked for", async () => {
    const { simulated, ours } = await with_(
      "  - { on: { message: commissionReport, times: all }, do: [drop] }",
    );
    await place(simulated, ours, "SPY");
    await simulated.advanceBy(seconds(20));
    ours.api.reqExecutions(9, {});
    await ours.heard("execDetailsEnd");
    expect(ours.all("execDetails").length).toBe(2);
    expect(ours.all("commissionReport")).toEqual([]);
  });
});

describe("how orders are refused", () => {
  it.each([201, 10243])("with %i, on a symbol only", async (code) => {
    const { simulated, ours } = await with_(
      `  - { on: { message: placeOrder, symbol: QQQ }, do: [{ reject: { code: ${code}, message: no } }] }`,
    );
    const first = await place(simulated, ours, "QQQ");
    await place(simulated, ours, "SPY", order("BUY", 1), first + 1);
    await simulated.advanceBy(seconds(5));
    await ours.heard("error", (_error, own) => own === code);
    expect(problems(ours)).toEqual([[code, first]]);
    await ours.heard("orderStatus", (id, status) => id === first && status === "Inactive");
    await ours.heard("orderStatus", (id, status) => id === first + 1 && status === "Filled");
  });

  it("by cancelling them after a while: 202", async () => {
    const { simulated, ours } = await with_(
      "  - { on: { message: placeOrder }, do: [{ cancel: { after: 2s } }] }",
    );
    const resting = order("BUY", 1, { orderType: "LMT" as never, lmtPrice: 1 });
    const id = await place(simulated, ours, "SPY", resting);
    await simulated.advanceBy(seconds(5));
    await ours.heard("error", (_error, code) => code === 202);
    expect(problems(ours)).toEqual([[202, id]]);
    expect(statuses(ours).at(-1)).toBe("Cancelled");
  });
});

describe("what can happen to requests", () => {
  const bars = (ours: Client, id: number, symbol = "SPY") =>
    ours.api.reqHistoricalData(
      id,
      stock(symbol),
      "",
      "1 M",
      "1 day" as never,
      "TRADES" as never,
      1,
      1,
      false,
    );

  it("162 twice for pacing, and then the bars", async () => {
    const { ours } = await with_(
      "  - on: { message: reqHistoricalData, times: 2 }\n    do: [{ answer: { code: 162, message: 'Historical Market Data Service error message:Historical data request pacing violation' } }]",
    );
    for (const id of [1, 2, 3]) bars(ours, id);
    await ours.heard("historicalData", (id) => id === 3);
    expect(problems(ours)).toEqual([
      [162, 1],
      [162, 2],
    ]);
  });

  it("162 without data for one symbol, and 200 for another", async () => {
    const { ours } = await with_(
      [
        "  - { on: { message: reqHistoricalData, symbol: TLT, times: all }, do: [{ answer: { code: 162, message: 'HMDS query returned no data' } }] }",
        "  - { on: { message: reqContractDetails, symbol: QQQ, times: all }, do: [{ answer: { code: 200, message: none } }] }",
      ].join("\n"),
    );
    bars(ours, 1, "TLT");
    bars(ours, 2, "SPY");
    ours.api.reqContractDetails(3, stock("QQQ"));
    ours.api.reqContractDetails(4, stock("SPY"));
    await ours.heard("contractDetailsEnd", (id) => id === 4);
    expect(problems(ours)).toEqual([
      [162, 1],
      [200, 3],
    ]);
    expect(ours.all("contractDetails").map(([id]) => id)).toEqual([4]);
  });

  it("354 for live quotes, then 10167 and delayed ones", async () => {
    const { ours } = await with_("  - { on: { message: reqMktData }, do: [{ market_data: delayed }] }");
    ours.api.reqMktData(1, stock("SPY"), "", true, false);
    await ours.heard("error", (_error, code) => code === 354);
    ours.api.reqMarketDataType(3 as never);
    ours.api.reqMktData(2, stock("SPY"), "", true, false);
    await ours.heard("tickSnapshotEnd");
    expect(problems(ours)).toEqual([
      [354, 1],
      [10167, 2],
    ]);
    expect(ours.all("marketDataType")).toEqual([[2, 3]]);
    const types = ours.all("tickPrice").map(([, type]) => type);
    expect(types).toEqual(expect.arrayContaining([66, 67, 68, 75]));
    expect(types.every((type) => type >= 66)).toBe(true);
    expect(ours.complaints).toEqual([]);
  });

  it("silence, which a cancel ends", async () => {
    const { ours } = await with_("  - { on: { message: reqHistoricalData }, do: [drop] }");
    bars(ours, 1);
    bars(ours, 2);
    await ours.heard("historicalData", (id) => id === 2);
    expect(ours.all("historicalData").some(([id]) => id === 1)).toBe(false);
    ours.api.cancelHistoricalData(1);
    ours.api.cancelHistoricalData(2);
    await ours.heard("error", (_error, code) => code === 366);
    expect(problems(ours)).toEqual([
      [162, 1],
      [366, 2],
    ]);
  });

  it("a missing end", async () => {
    const { simulated, ours } = await with_("  - { on: { message: execDetailsEnd }, do: [drop] }");
    await place(simulated, ours, "SPY");
    await simulated.advanceBy(seconds(5));
    ours.api.reqExecutions(1, {});
    ours.api.reqExecutions(2, {});
    await ours.heard("execDetailsEnd", (id) => id === 2);
    expect(ours.all("execDetailsEnd")).toEqual([[2]]);
    expect(ours.all("execDetails").map(([id]) => id)).toEqual([-1, 1, 2]);
  });

  it("an answer that takes its time", async () => {
    const { simulated, ours } = await with_(
      "  - { on: { message: reqContractDetails }, do: [{ delay: 20s }] }",
    );
    ours.api.reqContractDetails(1, stock("SPY"));
    await read(ours);
    expect(ours.all("contractDetails")).toEqual([]);
    await simulated.advanceBy(seconds(20));
    await ours.heard("contractDetailsEnd");
  });
});

describe("what can happen to the connection", () => {
  it("farms break and come back", async () => {
    const farm = (name: string, up: boolean) => `{ farm: { name: ${name}, up: ${up} } }`;
    const { simulated, ours } = await with_(
      [
        `  - { after: 1s, do: [${farm("market", false)}, ${farm("history", false)}, ${farm("secdef", false)}] }`,
        `  - { after: 2s, do: [${farm("market", true)}, ${farm("history", true)}, ${farm("secdef", true)}] }`,
      ].join("\n"),
    );
    await simulated.advanceBy(seconds(3));
    await ours.heard("info", (_text, code) => code === 2157);
    await expect.poll(() => notices(ours).slice(3)).toEqual([2103, 2105, 2157, 2104, 2106, 2158]);
    expect(ours.all("disconnected")).toEqual([]);
  });

  it("1100 comes, nothing fills, 1102 comes, and everything does", async () => {
    const { simulated, ours } = await with_(
      "  - { after: 1s, do: [{ link: down }] }\n  - { after: 60s, do: [{ link: up }] }",
    );
    await simulated.advanceBy(seconds(2));
    await place(simulated, ours, "SPY");
    await simulated.advanceBy(seconds(50));
    await read(ours);
    expect(ours.all("execDetails")).toEqual([]);
    await simulated.advanceBy(seconds(20));
    await ours.heard("commissionReport");
    expect(notices(ours).slice(3)).toEqual([1100, 1102]);
  });

  it("1100 comes and nothing after it", async () => {
    const { simulated, ours } = await with_("  - { after: 1s, do: [{ link: down }] }");
    await simulated.advanceBy(seconds(7200));
    await read(ours);
    expect(notices(ours).slice(3)).toEqual([1100]);
  });

  it("1101 takes the quotes with it", async () => {
    const { simulated, ours } = await with_(
      "  - { after: 1s, do: [{ link: down }] }\n  - { after: 2s, do: [{ link: up_data_lost }] }",
    );
    ours.api.reqMktData(1, stock("SPY"), "", false, false);
    await ours.heard("tickPrice");
    await simulated.advanceBy(seconds(2));
    await ours.heard("info", (_text, code) => code === 1101);
    const before = ours.all("tickPrice").length;
    await simulated.advanceBy(seconds(600));
    await read(ours);
    expect(ours.all("tickPrice").length).toBe(before);
  });

  it("is cut in the middle of a message, and the id stays taken for a while", async () => {
    const { simulated, ours } = await with_(
      "  - { on: { message: execDetails }, do: [{ cut: { mid_frame: true, ids_held: 30s } }] }",
    );
    const id = await place(simulated, ours, "SPY");
    await simulated.advanceBy(seconds(5));
    await ours.heard("disconnected");
    expect(ours.all("execDetails")).toEqual([]);

    const tooSoon = unconnectedClient(simulated.port);
    tooSoon.api.connect(17);
    await tooSoon.heard("info", (_text, code) => code === 326);
    await tooSoon.heard("disconnected");
    await simulated.advanceBy(seconds(30));
    const again = await client(simulated.port, 17);
    again.api.reqExecutions(1, {});
    await again.heard("execDetailsEnd");
    expect(again.all("execDetails").map(([, , execution]) => execution.orderId)).toEqual([id]);
    expect(again.all("nextValidId")[0]![0]).toBeGreaterThan(id);
  });

  it("ends with a restart every night, and order, ids and account live on", async () => {
    const { simulated, ours } = await with_('  - { daily: "15:45", do: [{ restart: { down: 60s } }] }');
    const id = await place(
      simulated,
      ours,
      "SPY",
      order("BUY", 2, { orderType: "LMT" as never, lmtPrice: 1, tif: "GTC" as never }),
    );
    await simulated.advanceBy(seconds(5));
    const permId = simulated.venue.openOrders()[0]!.permId;
    await simulated.advanceBy(seconds(15 * 60));
    await ours.heard("disconnected");
    const refused = unconnectedClient(simulated.port);
    refused.api.connect(17);
    await refused.heard("error", (_error, code) => code === 502);
    await simulated.advanceBy(seconds(60));
    await expect
      .poll(async () => {
        const again = unconnectedClient(simulated.port);
        again.api.connect(17);
        const started = await again.heard("nextValidId").catch(() => undefined);
        if (!started) return undefined;
        again.api.reqOpenOrders();
        const [orderId, , seen] = await again.heard("openOrder");
        return [started[0] > id, orderId, String(seen.permId)];
      })
      .toEqual([true, id, permId]);
  });
});

describe("what else can happen", () => {
  it("another client trades in the account", async () => {
    const { simulated, ours } = await with_(
      "  - { after: 1s, do: [{ order: { client: 99, symbol: TLT, side: BUY, quantity: 4 } }] }",
    );
    ours.api.reqPositions();
    await ours.heard("positionEnd");
    await simulated.advanceBy(seconds(5));
    const [, contract, quantity] = await ours.heard("position");
    expect([contract.symbol, quantity]).toEqual(["TLT", 4]);
    expect([statuses(ours), ours.all("commissionReport")]).toEqual([[], []]);
    ours.api.reqExecutions(1, {});
    await ours.heard("execDetailsEnd");
    expect(ours.all("execDetails").map(([, , execution]) => execution.clientId)).toEqual([99]);
    // Commissions of others are for the master client alone.
    expect(ours.all("commissionReport")).toEqual([]);
  });

  it("somebody types an order into the terminal, which client 0 can bind and others see without an id", async () => {
    const { simulated, ours } = await with_(
      "  - { after: 1s, do: [{ order: { symbol: SPY, side: BUY, quantity: 4, type: LMT, limit: 1 } }] }",
    );
    await simulated.advanceBy(seconds(5));
    ours.api.reqAllOpenOrders();
    await ours.heard("openOrderEnd");
    expect(ours.all("openOrder").map(([id, , seen]) => [id, seen.clientId])).toEqual([[0, 0]]);
    const zero = await client(simulated.port, 0);
    zero.api.reqOpenOrders();
    const [id] = await zero.heard("openOrder");
    expect(id).toBeLessThan(0);
    zero.api.cancelOrder(id);
    await read(zero);
    await simulated.advanceBy(seconds(5));
    await zero.heard("orderStatus", (own, status) => own === id && status === "Cancelled");
  });

  it("a stock splits overnight", async () => {
    const { simulated, ours } = await with_(
      '  - { at: "2025-12-30 08:00", do: [{ split: { symbol: SPY, ratio: 2 } }] }',
    );
    await place(simulated, ours, "SPY");
    await simulated.advanceBy(seconds(5));
    ours.api.reqPositions();
    await ours.heard("positionEnd");
    const [, , before, costBefore] = ours.all("position").at(-1)!;
    await simulated.advanceBy(seconds(18 * 3600));
    ours.api.reqPositions();
    await expect.poll(() => ours.all("positionEnd").length).toBe(2);
    const [, , after, costAfter] = ours.all("position").at(-1)!;
    expect(after).toBe(2 * before);
    expect(costAfter).toBeCloseTo(costBefore / 2, 6);
  });

  it("the API becomes read-only", async () => {
    const { simulated, ours } = await with_("  - { after: 0, do: [{ read_only: true }] }");
    await simulated.advanceBy(0);
    const id = await place(simulated, ours, "SPY");
    const [problem] = await ours.heard("error", (_error, code) => code === 321);
    expect(problems(ours)).toEqual([[321, id]]);
    expect(problem.message).toMatch(/currently in Read-Only mode\.$/);
    expect(simulated.venue.openOrders()).toEqual([]);
  });
});

describe("money", () => {
  it("comes in settled, and goes out as far as it has settled", async () => {
    const { simulated } = await with_("  - { after: 1s, do: [{ cash: { amount: 1234.56 } }] }");
    const cash = () => {
      const { totalCashValue, settledCash } = simulated.venue.summary(account);
      return [totalCashValue, settledCash];
    };
    await simulated.advanceBy(seconds(2));
    expect(cash()).toEqual(["101234.56", "101234.56"]);
    simulated.trigger({ cash: { amount: -1000 } });
    expect(cash()).toEqual(["100234.56", "100234.56"]);
    simulated.trigger({ cash: { amount: -1_000_000 } });
    expect(cash()).toEqual(["0.00", "0.00"]);
  });
});

describe("rules that are taken back", () => {
  it("mean nothing any more, and the others still do", async () => {
    const { simulated, ours } = await with_("  - { on: { message: orderStatus, times: all }, do: [drop] }");
    const takeBack = simulated.addScenario(
      parseScenario(`rules:
  - { on: { message: execDetails, times: all }, do: [drop] }
  - { after: 10s, do: [{ link: down }] }
  - { daily: "15:31", do: [{ link: down }] }`),
    );
    await place(simulated, ours, "SPY");
    await simulated.advanceBy(seconds(5));
    await ours.heard("commissionReport");
    takeBack();
    const second = order("BUY", 1);
    await place(simulated, ours, "QQQ", second, 1000);
    await simulated.advanceBy(seconds(2 * 86_400));
    await ours.heard("execDetails", (_id, { symbol }) => symbol === "QQQ");
    expect(ours.all("execDetails").length).toBe(1);
    expect(statuses(ours)).toEqual([]);
    expect(notices(ours)).not.toContain(1100);
  });
});

describe("a rule about the very instant at which it is given", () => {
  it("happens although time stands, at the start and later", async () => {
    const simulated = await simulator({
      scenario: parseScenario("rules:\n  - { after: 0s, do: [{ link: down }] }"),
    });
    const ours = await client(simulated.port);
    await ours.heard("info", (_text, code) => code === 1100);
    simulated.addScenario(parseScenario("rules:\n  - { after: 0s, do: [{ link: up }] }"));
    await ours.heard("info", (_text, code) => code === 1102);
    expect(notices(ours).filter((code) => code === 1100 || code === 1102)).toEqual([1100, 1102]);
  });
});
