import { positionsOf } from "@pf/compliance";
import { describe, expect, it } from "vitest";
import { exitCodeOf } from "../src/failures.js";
import { tradeWorld } from "./tradeWorld.js";

/** As the configuration comes: nobody has subscribed to live prices. */
const delayed = ["ibkr.market_mode=delayed"];

describe("pf trade on delayed quotes", () => {
  it.each(["close", "path"] as const)(
    "trades with the default settings, intraday %s",
    async (intraday) => {
      await using world = await tradeWorld({ marketData: "delayed", intraday });
      const { document, error } = await world.trade({ mode: "paper" }, {}, delayed);
      expect([error, document.outcome]).toEqual([undefined, "filled"]);
      expect(document.fills.length).toBeGreaterThan(1);
      expect(positionsOf(world.state().account)).toEqual(world.broker().positions);
      expect(document.verdict!.checks.find(({ name }) => name === "data_fresh")!.passed).toBe(true);
    },
    60_000,
  );

  it("refuses limit orders, with an explanation, and sends nothing", async () => {
    await using world = await tradeWorld({ marketData: "delayed" });
    const limits = [...delayed, "execution.order_type=LMT"];
    const { document, error } = await world.trade({ mode: "paper" }, {}, limits);
    expect(document.outcome).toBe("blocked");
    expect(document.detail).toContain("limit_quotes: nothing can be ordered: no live bid and ask of");
    expect(document.plan!.symbols.map(({ detail }) => detail).join()).toContain("use order type MKT");
    expect([error!.code, exitCodeOf(error!.code)]).toEqual(["PF_BLOCKED", 5]);
    expect(world.takenByReference().size).toBe(0);
    expect(world.state().halt).toBeNull();

    const dry = await world.trade({ mode: "paper", dryRun: true }, {}, limits);
    expect([dry.document.verdict!.ok, dry.error]).toEqual([false, undefined]);
  }, 60_000);
});
