import { positionsOf, totalCash } from "@pf/compliance";
import { describe, expect, it } from "vitest";
import { WorkerWorld } from "./workerWorld.js";

describe("a worker left alone", () => {
  it("trades every session once, five minutes before its close, and says what it did", async () => {
    await using world = await WorkerWorld.open(["2025-07-01", "12:00"]);
    expect(await world.live(["2025-07-08", "20:00"])).toBeUndefined();
    expect(world.ended().map(([session, result]) => [session, result])).toEqual([
      ["2025-07-01", "traded"],
      ["2025-07-02", "traded"],
      ["2025-07-03", "traded"],
      ["2025-07-07", "traded"],
      ["2025-07-08", "traded"],
    ]);
    const { account } = world.state();
    expect(positionsOf(account)).toEqual(world.broker().positions);
    expect(totalCash(account)).toBe(world.broker().cash);
  });
});
