import { describe, expect, it } from "vitest";
import { executedAt, executedBy, kinds, ordersAt, placed, planOf, world } from "./world.js";

const code = (name: string, facts: object = {}) => expect.objectContaining({ code: name, ...facts });

describe("a session with the simulator", () => {
  it("reads the account, contracts, the time and quotes", async () => {
    await using here = await world();
    const broker = await here.connect();
    expect(broker.state).toMatchObject({ kind: "connected", serverVersion: 193 });
    expect(await broker.accountSummary()).toMatchObject({ settledCash: 2_500_000, currency: "USD" });
    expect(await broker.positions()).toEqual([]);
    const info = await broker.contract("SPY");
    expect(info).toMatchObject({ symbol: "SPY", minTick: 0.01, sizeIncrement: 1 });
    const { serverUtcMs } = await broker.serverTime();
    expect(Math.abs(serverUtcMs - here.sim.now())).toBeLessThan(2000);
    const { quotes, missing } = await broker.quotes(["SPY", "NOPE"]);
    expect(quotes.get("SPY")).toMatchObject({ feed: "live", doubts: [] });
    expect([...missing.keys()]).toEqual(["NOPE"]);
  });

  it("buys: acknowledged, filled, commission, and the broker agrees", async () => {
    await using here = await world();
    const broker = await here.connect();
    const events = await placed(broker, planOf({ shares: 3 }));
    expect(kinds(events)).toEqual(["acknowledged", "filled", "commission"]);
    expect(executedBy(events)).toEqual(executedAt(here.sim));
    expect(ordersAt(here.sim, "pf/2026-11-23/SPY/buy")).toBe(1);
    expect(await broker.positions()).toEqual([expect.objectContaining({ symbol: "SPY", quantity: 30_000 })]);
    await expect(broker.contract("NOPE")).rejects.toThrowError(code("PF_IBKR_UNKNOWN_SYMBOL"));
  });
});
