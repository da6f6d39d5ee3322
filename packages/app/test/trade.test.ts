import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { runBacktest } from "@pf/backtest";
import { positionsOf } from "@pf/compliance";
import { costModelOf, lagOf, strategyOptionsOf } from "@pf/config";
import { newYorkToUtcMs, sessionDate, xnys } from "@pf/market";
import { createStrategy } from "@pf/selection";
import { describe, expect, it } from "vitest";
import { openJournal } from "../src/journal/journal.js";
import { loadMarket } from "../src/market-data.js";
import { accountStatus, haltAccount, resumeAccount } from "../src/trade/status.js";
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
    expect(positionsOf(world.state().account)).toEqual(world.broker().positions);

    const again = await world.trade();
    expect(again.error?.code).toBe("PF_BLOCKED");
    expect(world.sim.venue.executions({})).toHaveLength(executed.length);

    await world.goTo(xnys.next(firstSession));
    const next = await world.trade();
    expect(next.error).toBeUndefined();
    expect(next.document.notices).toEqual([]);
  }, 30_000);

  it("decides what the backtest decides, also after sessions that it missed", async () => {
    await using world = await tradeWorld();
    const cached = ["rebalance.min_weight_change=0.05", "selection.corr_cap=0.7"];
    const decided = new Map<string, Readonly<Record<string, number>>>();
    let session = firstSession;
    for (const missed of [0, 0, 3, 1, 6, 0]) {
      const { document } = await world.trade({ mode: "paper" }, {}, cached);
      decided.set(session, document.weights!);
      for (let days = 0; days <= missed; days++) session = xnys.next(session);
      await world.goTo(session);
    }
    const loaded = await world.loaded(cached);
    await world.trade({ mode: "paper" }, {}, cached);
    const { panel } = await loadMarket(world.setting().dataFolder, loaded.config.universe, {});
    const strategy = createStrategy(strategyOptionsOf(loaded.config));
    const { targets } = runBacktest(panel, strategy, costModelOf(loaded.config), {
      lag: lagOf(loaded.config),
    });
    for (const [of, weights] of decided) {
      expect(weights, of).toEqual(targets.at(panel.sessions.indexOf(sessionDate(of))));
    }
    expect(new Set([...decided.values()].map((weights) => JSON.stringify(weights))).size).toBeGreaterThan(1);
  }, 60_000);

  it("orders only when targets change and the last plan is carried out", async () => {
    await using world = await tradeWorld();
    const outcomes: string[] = [];
    let before = "{}";
    for (let session = firstSession, day = 0; day < 5; day++) {
      const taken = world.takenByReference().size;
      const { document, error } = await world.trade({ mode: "paper" }, {}, ["universe=[QQQ]"]);
      const weights = JSON.stringify(document.weights);
      expect([document.outcome, error]).toEqual([weights === before ? "unchanged" : "filled", undefined]);
      expect(world.takenByReference().size - taken).toBe(weights === before ? 0 : 1);
      outcomes.push(document.outcome);
      before = weights;
      session = xnys.next(session);
      await world.goTo(session);
    }
    expect(new Set(outcomes).size).toBe(2);
  }, 30_000);

  it("tells of a session that has nothing to order without the plan of the one before, which a crash had left open", async () => {
    await using world = await tradeWorld();
    const one = ["universe=[QQQ]"];
    const dying = (step: string) => {
      if (step === "done") throw new Error("died");
    };
    const outcomes: string[] = [];
    for (let session = firstSession, day = 0; day < 8; day++) {
      if (day % 2 === 0) {
        await expect(world.trade({ mode: "paper" }, { onStep: dying }, one)).rejects.toThrow("died");
      } else {
        const { document } = await world.trade({ mode: "paper" }, {}, one);
        outcomes.push(document.outcome);
        const isPlanned = document.outcome !== "unchanged";
        expect([document.plan !== null, document.orders.length > 0], session).toEqual([isPlanned, isPlanned]);
      }
      session = xnys.next(session);
      await world.goTo(session);
    }
    expect(new Set(outcomes)).toEqual(new Set(["unchanged", "filled"]));
  }, 30_000);

  it("waits with what is not settled, and says until when", async () => {
    await using world = await tradeWorld();
    await world.trade({ mode: "paper" }, {}, ["universe=[SPY, QQQ]", "selection.top_n=2"]);
    await world.goTo(xnys.next(firstSession));
    const turned = [
      "universe=[SPY, QQQ, GLD, TLT, BITO]",
      "selection.top_n=1",
      "weights.max_weight_per_asset=0.6",
    ];
    const { document } = await world.trade({ mode: "paper" }, {}, turned);
    const waiting = document.plan!.symbols.filter(({ deferred }) => deferred !== null);
    expect(document.plan!.complete).toBe(waiting.length === 0);
    expect(waiting.map(({ deferred }) => [deferred!.reason, deferred!.until])).toEqual([
      ["waits_for_settlement", xnys.next(xnys.next(firstSession))],
    ]);
    await world.goTo(xnys.next(xnys.next(firstSession)));
    const next = await world.trade({ mode: "paper" }, {}, turned);
    expect(next.error).toBeUndefined();
    expect(next.document.orders.some(({ side }) => side === "buy")).toBe(true);
  }, 30_000);

  const half = sessionDate("2025-11-28");
  it.each([
    ["before the window", newYorkToUtcMs(firstSession, "15:54"), /too early: orders are sent from 15:55/],
    ["after the window", newYorkToUtcMs(firstSession, "15:59") + 40_000, /too late/],
    ["after the close", newYorkToUtcMs(firstSession, "16:10"), /too late/],
    ["at the usual time of a half day", newYorkToUtcMs(half, "15:56"), /too late: .* until 12:59/],
    ["on a weekend", newYorkToUtcMs(sessionDate("2025-06-07"), "15:56"), /is no session/],
  ])("sends nothing %s", async (_, startUtcMs, words) => {
    await using world = await tradeWorld({ startUtcMs });
    const { document, error } = await world.trade();
    expect([document.outcome, error?.code]).toEqual(["not_now", "PF_BLOCKED"]);
    expect(document.detail).toMatch(words);
    expect(world.takenByReference().size).toBe(0);
    expect(world.entries()).toEqual([]);
  });

  it("trades a half day five minutes before its own close", async () => {
    await using world = await tradeWorld({ startUtcMs: newYorkToUtcMs(half, "12:55") + 5_000 });
    expect((await world.trade()).document).toMatchObject({ outcome: "filled", session: half });
  }, 30_000);

  it("adopts what an account holds when it is first used", async () => {
    const positions = [{ symbol: "TLT", quantity: 40, averageCost: 70 }];
    await using world = await tradeWorld({
      accounts: [{ id: "DUK200445", cashCents: 2_000_000, positions }],
    });
    const { document, error } = await world.trade();
    expect(error).toBeUndefined();
    expect(document.notices.join(" ")).toMatch(/40 TLT adopted/);
    expect(positionsOf(world.state().account)).toEqual(world.broker().positions);
  }, 30_000);
});

describe("the status of an account", () => {
  it("names the state folder that cannot be read", async () => {
    await using world = await tradeWorld();
    const stateFolder = join(world.folder, "state");
    writeFileSync(stateFolder, "");
    const asked = accountStatus({}, await world.loaded(), { ...world.setting(), stateFolder });
    await expect(asked).rejects.toMatchObject({
      code: "PF_CANNOT_WRITE",
      file: stateFolder,
      errno: "ENOTDIR",
    });
  });
});

describe("an account that was halted before it ever traded", () => {
  it("is not traded, whoever's journal the halt stands in, until somebody resumes", async () => {
    await using world = await tradeWorld();
    const loaded = await world.loaded();
    await haltAccount({ reason: "not before I have looked" }, loaded, world.setting());
    await expect(world.trade()).rejects.toMatchObject({
      code: "PF_HALTED",
      reason: "not before I have looked",
    });
    expect(world.takenByReference().size).toBe(0);
    const { halted } = await accountStatus({}, loaded, world.setting());
    expect(halted?.reason).toBe("not before I have looked");
    await resumeAccount({ reason: "looked" }, loaded, world.setting());
    expect((await world.trade()).document.outcome).toBe("filled");
  }, 30_000);

  it("is another one than an account whose name begins with its own", async () => {
    await using world = await tradeWorld();
    const longer = { mode: "paper", account: "DUK2004451", venue: "ibkr" } as const;
    openJournal(world.setting().stateFolder, longer, world.setting().clock).close();
    const loaded = await world.loaded();
    await haltAccount({ reason: "stop" }, loaded, world.setting());
    const status = await accountStatus({}, loaded, world.setting());
    expect([status.account, status.venue, status.others]).toEqual(["DUK200445", "ibkr", []]);
    expect(status.halted?.reason).toBe("stop");
    await expect(world.trade()).rejects.toMatchObject({ code: "PF_HALTED" });
  }, 30_000);
});
