import { positionsOf } from "@pf/compliance";
import { xnys } from "@pf/market";
import { describe, expect, it } from "vitest";
import { firstSession, tradeWorld } from "./tradeWorld.js";

describe("pf trade against a simulated broker", () => {
  it("buys the targets, books every fill, and agrees with the broker afterwards", async () => {
    await using world = await tradeWorld();
    const { document, error } = await world.trade();
    expect(error).toBeUndefined();
    expect(document.outcome).toBe("filled");
    expect(document.fills.length).toBeGreaterThan(0);
    const executed = world.sim.venue.executions({});
    expect(document.fills.map(({ execId, price }) => [execId, price])).toEqual(
      executed.map(({ execId, price }) => [execId, price]),
    );
    const atBroker = world.sim.venue.positions(world.sim.accounts[0]!);
    expect(Object.values(positionsOf(world.state().account)).map((units) => String(units / 10_000))).toEqual(
      atBroker.map(({ quantity }) => quantity),
    );

    const again = await world.trade();
    expect(again.error?.code).toBe("PF_BLOCKED");
    expect(world.sim.venue.executions({})).toHaveLength(executed.length);

    await world.goTo(xnys.next(firstSession));
    const next = await world.trade();
    expect(next.error).toBeUndefined();
    expect(next.document.notices).toEqual([]);
  });
});
