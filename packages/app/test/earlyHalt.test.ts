import { positionsOf } from "@pf/compliance";
import { describe, expect, it } from "vitest";
import { WorkerWorld } from "./workerWorld.js";

// Before its first rebalance nobody knows where an account will be traded: at the broker, or at a simulator.

describe("a halt asked for before the first rebalance", () => {
  it("holds at a simulator too, and once it is lifted everybody sees the account that is traded there", async () => {
    await using world = await WorkerWorld.open(["2025-07-08", "12:00"]);
    expect(await world.services().halt({ reason: "not yet" })).toMatchObject({
      state: "halted",
      venue: "ibkr",
    });
    await world.live(["2025-07-08", "17:00"]);
    expect(world.ended()).toEqual([["2025-07-08", "halted", null]]);
    expect(world.taken.size).toBe(0);

    expect(await world.services().resume({ reason: "now" })).toMatchObject({ state: "idle", halted: null });
    await world.live(["2025-07-11", "17:00"]);
    expect(world.ended().slice(1)).toEqual([
      ["2025-07-09", "traded", expect.anything()],
      ["2025-07-10", "traded", expect.anything()],
      ["2025-07-11", "traded", "filled"],
    ]);
    const status = await world.services().status({});
    expect(status).toMatchObject({
      used: true,
      venue: "tws-sim:synthetic:42",
      lastSession: { session: "2025-07-11", outcome: "filled" },
    });
    expect(status.positions.map(({ symbol }) => symbol).sort()).toEqual(
      Object.keys(positionsOf(world.state().account)).sort(),
    );
    const history = await world.services().history({});
    expect(history.orders.length).toBe(world.taken.size);
    expect(world.taken.size).toBeGreaterThan(0);

    // From now on it is halted, and resumed, where it is traded.
    await world.services().halt({ reason: "again" });
    expect(world.state().halt).toMatchObject({ code: "asked", reason: "again" });
    await world.live(["2025-07-14", "17:00"]);
    expect(world.ended().at(-1)?.slice(0, 2)).toEqual(["2025-07-14", "halted"]);
    await world.services().resume({ reason: "looked" });
    await world.live(["2025-07-15", "17:00"]);
    expect(world.ended().at(-1)?.slice(0, 2)).toEqual(["2025-07-15", "traded"]);
    expect(world.told.filter(({ title }) => /could not be compared|was skipped/.test(title))).toEqual([]);
  });
});
