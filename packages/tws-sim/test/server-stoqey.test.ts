import { describe, expect, it } from "vitest";
import { account, client, order, simulator, stock } from "./server-harness.js";

describe("a client of @stoqey/ib", () => {
  it("connects, and is told its accounts, its next order id and the farms", async () => {
    const { port } = await simulator();
    const ours = await client(port);
    await ours.heard("info", (_text, code) => code === 2158);
    expect(ours.events.map(([name, ...rest]) => (name === "info" ? rest[1] : name))).toEqual([
      ...["connected", "server", "managedAccounts", "nextValidId", 2104, 2106, 2158],
    ]);
    expect(ours.all("managedAccounts")).toEqual([[account]]);
    expect(ours.all("server")[0]).toEqual([193, "20251229 15:30:00 US/Eastern (tws-sim own)"]);
    ours.api.reqCurrentTime();
    expect(await ours.heard("currentTime")).toEqual([Date.UTC(2025, 11, 29, 20, 30) / 1000]);
  });

  it("gets the figures of its account in alphabetical order, and the end", async () => {
    const { port } = await simulator();
    const ours = await client(port);
    ours.api.reqAccountSummary(
      5,
      "All",
      "NetLiquidation,SettledCash,AvailableFunds,TotalCashValue,AccountType",
    );
    await ours.heard("accountSummaryEnd");
    expect(ours.all("accountSummary").map(([, , tag, value, currency]) => [tag, value, currency])).toEqual([
      ["AccountType", "INDIVIDUAL", ""],
      ["AvailableFunds", "100000.00", "USD"],
      ["NetLiquidation", "100000.00", "USD"],
      ["SettledCash", "100000.00", "USD"],
      ["TotalCashValue", "100000.00", "USD"],
    ]);
    expect(ours.complaints).toEqual([]);
  });

  it("learns the details of a contract and where there is none", async () => {
    const { port } = await simulator();
    const ours = await client(port);
    ours.api.reqContractDetails(1, stock("SPY"));
    ours.api.reqContractDetails(2, stock("NOSUCH"));
    await ours.heard("contractDetailsEnd", (id) => id === 1);
    const [, details] = await ours.heard("contractDetails");
    expect(details).toMatchObject({
      contract: { symbol: "SPY", secType: "STK", exchange: "SMART", primaryExch: "ARCA", currency: "USD" },
      minTick: 0.01,
      sizeIncrement: 0.0001,
      stockType: "ETF",
      timeZoneId: "US/Eastern",
    });
    expect(details.liquidHours).toMatch(/^20251229:0930-20251229:1600;20251230:0930-/);
    expect(details.liquidHours).toContain("20260101:CLOSED");
    const [problem, code] = await ours.heard("error", (_error, _code, id) => id === 2);
    expect([code, problem.message]).toEqual([200, "No security definition has been found for the request"]);
    expect(ours.all("contractDetailsEnd")).toEqual([[1]]);
    expect(ours.complaints).toEqual([]);
  });

  it("gets a year of daily bars of both kinds", async () => {
    const { port } = await simulator();
    const ours = await client(port);
    for (const [id, what] of [
      [1, "ADJUSTED_LAST"],
      [2, "TRADES"],
    ] as const)
      ours.api.reqHistoricalData(id, stock("SPY"), "", "1 Y", "1 day" as never, what as never, 1, 1, false);
    for (const id of [1, 2]) {
      await ours.heard("historicalData", (own, date) => own === id && String(date).startsWith("finished"));
      const bars = ours
        .all("historicalData")
        .filter(([own, date]) => own === id && /^\d{8}$/.test(String(date)));
      expect(bars.length).toBeGreaterThan(245);
      expect(bars.length).toBeLessThan(255);
      // Today's bar is not finished and is there all the same.
      expect(bars.at(-1)![1]).toBe("20251229");
      for (const [, , , high, low, close] of bars) expect(low <= close && close <= high).toBe(true);
    }
    expect(ours.complaints).toEqual([]);
  });

  it("gets a snapshot of live quotes", async () => {
    const { port } = await simulator();
    const ours = await client(port);
    ours.api.reqMktData(3, stock("QQQ"), "", true, false);
    await ours.heard("tickSnapshotEnd");
    const prices = new Map(ours.all("tickPrice").map(([, type, price]) => [type, price]));
    expect([...prices.keys()]).toEqual(expect.arrayContaining([1, 2, 4, 6, 7, 9, 14]));
    expect(prices.get(1)).toBeLessThan(prices.get(2));
    expect(ours.all("marketDataType")).toEqual([[3, 1]]);
    expect(ours.complaints).toEqual([]);
  });

  it("buys at the market, in the order of events that TWS has, and holds what it bought", async () => {
    const ours$ = await simulator();
    const ours = await client(ours$.port);
    ours.api.reqPositions();
    await ours.heard("positionEnd");
    const [id] = ours.all("nextValidId")[0]!;
    ours.api.placeOrder(id, stock("SPY"), order("BUY", 10));
    await expect.poll(() => ours$.venue.openOrders().length).toBe(1);
    await ours$.advanceBy(5000);
    const [report] = await ours.heard("commissionReport");
    const about = ["openOrder", "orderStatus", "execDetails", "commissionReport", "position"];
    expect(
      ours.events
        .filter(([name]) => about.includes(name))
        .map(([name, ...v]) => (name === "orderStatus" ? v[1] : name)),
    ).toEqual([
      ...["openOrder", "PreSubmitted"],
      ...["execDetails", "position", "openOrder", "Filled", "commissionReport"],
    ]);
    const [, , execution] = ours.all("execDetails")[0]!;
    expect(execution).toMatchObject({
      orderId: id,
      shares: 10,
      side: "BOT",
      clientId: 17,
      orderRef: "ref-1",
      acctNumber: account,
    });
    expect(report.execId).toBe(execution.execId);
    expect(ours.all("position")).toMatchObject([[account, { symbol: "SPY" }, 10, expect.any(Number)]]);
    expect(ours.complaints).toEqual([]);
  });

  it("rests a limit order, which a second client sees, and cancels it", async () => {
    const simulated = await simulator();
    const [ours, other] = [await client(simulated.port), await client(simulated.port, 2)];
    const [id] = ours.all("nextValidId")[0]!;
    ours.api.placeOrder(id, stock("TLT"), order("BUY", 3, { orderType: "LMT" as never, lmtPrice: 1 }));
    await expect.poll(() => simulated.venue.openOrders().length).toBe(1);
    await simulated.advanceBy(5000);
    await ours.heard("orderStatus", (_id, status) => status === "Submitted");
    other.api.reqAllOpenOrders();
    await other.heard("openOrderEnd");
    const [, , seen] = other.all("openOrder")[0]!;
    expect(seen).toMatchObject({
      orderId: id,
      clientId: 17,
      orderRef: "ref-1",
      lmtPrice: 1,
      totalQuantity: 3,
    });
    ours.api.cancelOrder(id);
    await expect.poll(() => simulated.venue.nextDueUtcMs()! - simulated.now()).toBeLessThan(1000);
    await simulated.advanceBy(5000);
    const [, code] = await ours.heard("error", (_error, _code, about) => about === id);
    expect(code).toBe(202);
    expect(ours.all("orderStatus").map(([, status]) => status)).toEqual([
      "PreSubmitted",
      "Submitted",
      "PendingCancel",
      "Cancelled",
    ]);
    expect([ours.complaints, other.complaints]).toEqual([[], []]);
  });
});
