import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { newYorkToUtcMs, sessionDate } from "@pf/market";
import { describe, expect, it } from "vitest";
import { startSimulator } from "../src/index.js";
import { RawClient, stock } from "./rawClient.js";

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

function heapMb(): number {
  collectGarbage();
  return process.memoryUsage().heapUsed / 2 ** 20;
}

describe("an hour of a trading day at full speed", () => {
  it("loses no order, runs its clock to the very end and keeps nothing of what is over", async () => {
    const startUtcMs = newYorkToUtcMs(sessionDate("2025-12-29"), "10:00");
    const endUtcMs = startUtcMs + 3_600_000;
    const simulator = await startSimulator({
      startUtcMs,
      endUtcMs,
      speed: "frozen",
      pacing: "off",
      accounts: [{ id: "DU1", cashCents: 10_000_000_00 }],
    });
    const client = await RawClient.connect(simulator.port, 1, 176);
    client.send("9", "8", "1", ...stock("SPY"), "0", "", "", "");
    const conId = Number((await client.until((f) => f[0] === "10"))[12]);
    for (const [n, symbol] of ["SPY", "QQQ", "TLT"].entries())
      client.send("1", "11", String(100 + n), ...stock(symbol), "0", "", "0", "0", "");
    client.send("62", "1", "1", "All", "NetLiquidation,SettledCash");
    await client.until((f) => f[0] === "64");

    // Every minute a share is bought or sold; the client hears of its own orders as if it had sent them.
    const executions: (readonly string[])[] = [];
    let ticks = 0;
    let [placed, heapEarly] = [0, 0];
    simulator.setSpeed("max");
    while (simulator.now() < endUtcMs) {
      const minute = Math.floor((simulator.now() - startUtcMs) / 60_000);
      if (minute >= placed && placed < 58) {
        const action = placed % 2 === 0 ? "BUY" : "SELL";
        simulator.placeAs(1, {
          ...{
            account: "DU1",
            conId,
            action,
            quantity: "1",
            orderType: "MKT",
            limit: undefined,
            auxPrice: undefined,
          },
          ...{
            tif: "DAY",
            outsideRth: false,
            orderRef: `minute ${placed}`,
            transmit: true,
            cashQuantity: "",
          },
        });
        placed++;
        if (placed === 10) heapEarly = heapMb();
      }
      // What was seen is counted and let go, so that only the simulator could gather it.
      for (const frame of client.frames.splice(0)) {
        if (frame[0] === "11") executions.push(frame);
        if (frame[0] === "1") ticks++;
      }
      await new Promise((resolve) => setImmediate(resolve));
    }
    client.send("49", "1");
    const time = await client.until((f) => f[0] === "49");
    executions.push(...client.frames.filter((f) => f[0] === "11"));

    expect(simulator.now()).toBe(endUtcMs);
    expect(Number(time[2])).toBe(endUtcMs / 1000);
    expect(placed).toBe(58);
    expect(executions.map((f) => f[26])).toEqual(Array.from({ length: 58 }, (_, n) => `minute ${n}`));
    const times = executions.map((f) => f[15]!);
    expect(times).toEqual([...times].sort());
    expect(times[0]).toMatch(/^20251229 10:0[01]:/);
    expect(times.at(-1)).toMatch(/^20251229 10:5[78]:/);
    expect(new Set(executions.map((f) => f[14])).size).toBe(58);
    expect(simulator.venue.positions("DU1")).toEqual([]);
    // Prices move every fifteen seconds.
    expect(ticks).toBeGreaterThan(1000);
    expect(heapMb() - heapEarly).toBeLessThan(8);
    client.close();
    await simulator.close();
  }, 60_000);
});
