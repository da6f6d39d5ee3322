import { readFileSync } from "node:fs";
import { join } from "node:path";
import { positionsOf, totalCash } from "@pf/compliance";
import { newYorkToUtcMs, sessionDate, xnys } from "@pf/market";
import { parseScenario } from "@pf/tws-sim";
import { describe, expect, it } from "vitest";
import { verifyAudit } from "../src/audit-chain.js";
import { hasJournal } from "../src/journal/journal.js";
import { reconcileAccount } from "../src/trade/service.js";
import { haltAccount, resumeAccount } from "../src/trade/status.js";
import { firstSession, type TradeWorld, tradeWorld, turns } from "./tradeWorld.js";

// Reconciling looks, books and ends; it never sends. What becomes of a process that died is in tradeCrash.test.ts.

const whole = ["execution.quantity=whole"] as const;
const second = xnys.next(firstSession);

function audit(world: TradeWorld) {
  const name = `trade-paper-${world.sim.accounts[0]}-tws-sim_synthetic_42.jsonl`;
  const text = readFileSync(join(world.folder, "reports", "logs", name), "utf8");
  expect(verifyAudit(text).problems).toEqual([]);
  return text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
}

/** Dies when the broker has the first order. */
const dyingAtFirstOrder = {
  onStep(step: string) {
    if (step === "hear acknowledged") throw new Error("died");
  },
};

describe("reconciling when nothing happened", () => {
  it("agrees, and writes nothing: after the close, at night, over the weekend, before the market opens", async () => {
    await using world = await tradeWorld();
    for (const session of [firstSession, second]) {
      await world.goTo(session);
      // The second sells what the first has bought: its proceeds settle on the next settlement day.
      await world.trade({ mode: "paper" }, {}, session === second ? turns[1] : turns[0]);
    }
    expect(world.state().account.pending).not.toEqual([]);
    const entries = world.entries();
    const third = xnys.next(second);
    const moments = [
      [newYorkToUtcMs(second, "16:10"), second],
      [newYorkToUtcMs(third, "00:20"), third],
      [newYorkToUtcMs(third, "09:00"), third],
      [newYorkToUtcMs(third, "12:00"), third],
      [newYorkToUtcMs(sessionDate("2025-06-08"), "15:00"), sessionDate("2025-06-06")],
    ] as const;
    for (const [utcMs, session] of moments) {
      await world.sim.advanceTo(utcMs);
      const found = await world.reconcile();
      expect(found).toMatchObject({ session, outcome: "reconciled", agrees: true, notices: [] });
      expect([found.detail, found.halted, found.error, found.log]).toEqual([
        "book and broker agree",
        null,
        null,
        null,
      ]);
      expect(world.entries()).toEqual(entries);
    }
    expect(audit(world)).toHaveLength(2);
    await world.goTo(sessionDate("2025-06-09"));
    expect((await world.trade({ mode: "paper" }, {}, whole)).error).toBeUndefined();
  }, 40_000);

  it("agrees also at a moment when the day has begun and the broker has not settled what settles on it", async () => {
    await using world = await tradeWorld();
    for (const session of [firstSession, second]) {
      await world.goTo(session);
      await world.trade({ mode: "paper" }, {}, session === second ? turns[1] : turns[0]);
    }
    await world.sim.advanceTo(newYorkToUtcMs(second, "23:59") + 32_000);
    const ahead = { nowUtcMs: () => world.sim.now() + 29_000 };
    const found = await world.reconcile({ clock: ahead });
    expect(found).toMatchObject({ session: xnys.next(second), agrees: true, notices: [], log: null });
  }, 30_000);

  it("takes nothing over from an account that was never traded here, and begins no journal", async () => {
    await using world = await tradeWorld();
    const found = await world.reconcile();
    expect(found).toMatchObject({ outcome: "reconciled", agrees: true, log: null });
    expect(found.detail).toMatch(/never traded here/);
    const { stateFolder } = world.setting();
    expect(hasJournal(stateFolder, { mode: "paper", account: found.account, venue: found.venue })).toBe(
      false,
    );
  }, 20_000);
});

describe("what reconciling finds", () => {
  it("a commission that was never told is booked from the cash, on the same day", async () => {
    await using world = await tradeWorld();
    world.sim.addScenario(
      parseScenario("rules:\n  - { on: { message: commissionReport, times: all }, do: [drop] }\n"),
    );
    await world.trade({ mode: "paper" }, {}, whole);
    expect(totalCash(world.state().account)).toBeGreaterThan(world.broker().cash);
    await world.goTo(firstSession, -300);
    const found = await world.reconcile();
    expect([found.agrees, found.notices]).toEqual([true, [expect.stringContaining("a commission")]]);
    const charged = world.sim.venue.executions({}).reduce((sum, { commission }) => sum + commission, 0);
    expect(found.fills.reduce((sum, { commission }) => sum + commission!, 0)).toBeCloseTo(charged, 1);
    expect(totalCash(world.state().account)).toBe(world.broker().cash);
    const [traded, reconciled] = audit(world);
    expect([traded.event, traded.command, "agrees" in traded]).toEqual(["rebalance", "trade", false]);
    expect(reconciled).toMatchObject({ event: "reconcile", command: "reconcile", agrees: true });
    expect(found.log).toMatch(/^logs\/trade-/);
  }, 30_000);

  it("an execution of an order that the broker had called cancelled: it is a fill, and no shares from nowhere", async () => {
    await using world = await tradeWorld();
    // No list of open orders shows that it still works; the second part of it is filled after the rebalance has ended.
    world.sim.addScenario(
      parseScenario(`rules:
  - { on: { message: openOrder, times: all }, do: [drop] }
  - { on: { message: placeOrder }, do: [{ partial_fills: { parts: 2, every: 80s } }, { claim: Cancelled }] }`),
    );
    const ended = await world.trade({ mode: "paper" }, {}, whole);
    expect([ended.document.outcome, ended.document.orders[0]?.status]).toEqual(["partial", "cancelled"]);
    await world.goTo(firstSession, -300);
    expect(world.executed().length).toBe(ended.document.fills.length + 1);
    const found = await world.reconcile();
    expect(found).toMatchObject({ agrees: true, differences: [], buysStopped: null });
    expect(found.orders.map(({ status }) => status)).toEqual(["filled", "filled"]);
    expect(found.fills.map(({ execId }) => execId).sort()).toEqual([...world.executed()].sort());
    expect(found.fills.every(({ commission }) => commission !== null)).toBe(true);
    expect(positionsOf(world.state().account)).toEqual(world.broker().positions);
    expect(totalCash(world.state().account)).toBe(world.broker().cash);
    const entries = world.entries().length;
    expect(await world.reconcile()).toMatchObject({ agrees: true, log: null });
    expect(world.entries()).toHaveLength(entries);
  }, 30_000);

  it("shares that somebody bought by hand: told, booked once, and what they cost stops buys until it is accepted", async () => {
    await using world = await tradeWorld();
    await world.trade({ mode: "paper" }, {}, whole);
    await world.goTo(second, 3_000);
    const held = positionsOf(world.state().account).TLT ?? 0;
    world.sim.trigger({ order: { client: 0, symbol: "TLT", side: "BUY", quantity: 3 } });
    await world.sim.advanceBy(60_000);
    const found = await world.reconcile();
    expect([found.agrees, found.outcome]).toEqual([false, "reconciled"]);
    expect(found.differences).toHaveLength(2);
    expect(found.differences.join("; ")).toMatch(/less cash than the book.*TLT, the book .*: booked as if/);
    expect(found.buysStopped).toMatch(/less cash/);
    expect(positionsOf(world.state().account).TLT).toBe(held + 30_000);
    const entries = world.entries().length;
    const again = await world.reconcile();
    expect([again.agrees, again.log]).toEqual([false, null]);
    expect(again.differences.join()).not.toMatch(/TLT/);
    expect(world.entries()).toHaveLength(entries);
    expect(audit(world).at(-1)).toMatchObject({ agrees: false, differences: found.differences });

    await haltAccount({}, await world.loaded(), world.setting());
    await resumeAccount({ reason: "I bought TLT" }, await world.loaded(), world.setting());
    expect((await world.reconcile()).differences.join()).toMatch(/accepted and booked/);
    expect(await world.reconcile()).toMatchObject({ agrees: true, differences: [], buysStopped: null });
    expect(positionsOf(world.state().account)).toEqual(world.broker().positions);
  }, 40_000);

  it("how a rebalance ended that was left open yesterday", async () => {
    await using world = await tradeWorld();
    const died = world.trade(
      { mode: "paper" },
      { onStep: (step) => void (step === "submit" && die()) },
      whole,
    );
    await expect(died).rejects.toThrow("died");
    await world.goTo(second, 20_000);
    const found = await world.reconcile();
    expect(found).toMatchObject({ session: firstSession, outcome: "abandoned", agrees: true });
    expect(found.error?.code).toBe("PF_BLOCKED");
    expect(world.state().open).toBeNull();
    await world.goTo(second);
    expect((await world.trade({ mode: "paper" }, {}, whole)).document.outcome).toBe("filled");
  }, 40_000);
});

function die(): never {
  throw new Error("died");
}

describe("reconciling in doubt", () => {
  it("halts as trading would when the broker does not say what became of today's orders", async () => {
    const halts: unknown[] = [];
    for (const isTrading of [true, false]) {
      await using world = await tradeWorld();
      world.sim.addScenario(
        parseScenario("rules:\n  - { on: { message: execDetails, times: all }, do: [drop] }\n"),
      );
      await expect(world.trade({ mode: "paper" }, dyingAtFirstOrder, whole)).rejects.toThrow("died");
      await expect.poll(() => world.sim.clients(), { timeout: 10_000 }).toEqual([]);
      await world.goTo(firstSession, -300);
      const taken = world.takenByReference();
      expect(taken.size).toBeGreaterThan(0);
      const before = world.entries().length;
      if (isTrading) await world.trade({ mode: "paper" }, {}, whole);
      else {
        const found = await world.reconcile();
        expect(found).toMatchObject({ session: firstSession, outcome: "halted", agrees: false });
        expect([found.halted?.code, found.error?.code]).toEqual(["unknown_outcome", "PF_HALTED"]);
        // What the broker holds is told, and not booked: the fills may yet be heard of.
        expect(found.differences.join()).toMatch(/the broker holds \d+ \w+, the book 0/);
        expect(found.differences.join()).not.toMatch(/booked/);
        expect(positionsOf(world.state().account)).toEqual({});
      }
      expect(world.takenByReference()).toEqual(taken);
      halts.push(
        world
          .entries()
          .slice(before)
          .map(({ body }) => body),
      );
    }
    expect(halts[1]).toEqual(halts[0]);
    expect(halts[0]).toContainEqual(expect.objectContaining({ kind: "halted", code: "unknown_outcome" }));
  }, 60_000);

  it("learns the fills of a halted account, and lets it be halted", async () => {
    await using world = await tradeWorld();
    await world.goTo(firstSession, 200);
    world.sim.addScenario(
      parseScenario("rules:\n  - { on: { message: placeOrder }, do: [{ link: down }] }\n"),
    );
    const outcome = await world.trade({ mode: "paper" }, {}, whole);
    expect([outcome.document.outcome, world.executed()]).toEqual(["halted", []]);
    const blind = await world.reconcile();
    expect([blind.outcome, blind.agrees, blind.halted?.code]).toEqual([
      "halted_before",
      false,
      "unknown_outcome",
    ]);
    world.sim.trigger({ link: "up" });
    await expect.poll(() => world.executed().length, { timeout: 5000 }).toBe(1);
    const taken = world.takenByReference();
    const found = await world.reconcile();
    expect(found.outcome).toBe("halted_before");
    expect([found.halted?.code, found.error?.code]).toEqual(["unknown_outcome", "PF_HALTED"]);
    expect(found.fills.map(({ execId }) => execId)).toEqual(world.executed());
    expect(found.agrees).toBe(true);
    expect(positionsOf(world.state().account)).toEqual(world.broker().positions);
    expect(world.takenByReference()).toEqual(taken);
  }, 60_000);

  it("sends nothing within the minutes of trading either: what never arrived is given up", async () => {
    await using world = await tradeWorld();
    const died = world.trade(
      { mode: "paper" },
      { onStep: (step) => void (step === "place" && die()) },
      whole,
    );
    await expect(died).rejects.toThrow("died");
    const found = await world.reconcile();
    expect(found).toMatchObject({ session: firstSession, outcome: "partial", agrees: true });
    expect(found.error?.code).toBe("PF_PARTLY_FILLED");
    expect(found.orders.map(({ status, filled }) => [status, filled])).toEqual([
      ["cancelled", 0],
      ["cancelled", 0],
    ]);
    expect(world.takenByReference().size).toBe(0);
    expect(world.state().open).toBeNull();
  }, 30_000);

  it("leaves a rebalance that has sent nothing to whoever trades, as long as there is time", async () => {
    await using world = await tradeWorld();
    const died = world.trade(
      { mode: "paper" },
      { onStep: (step) => void (step === "submit" && die()) },
      whole,
    );
    await expect(died).rejects.toThrow("died");
    expect(await world.reconcile()).toMatchObject({ outcome: "reconciled", agrees: true, error: null });
    expect([world.state().open?.session, world.takenByReference().size]).toEqual([firstSession, 0]);
    expect((await world.trade({ mode: "paper" }, {}, whole)).document.outcome).toBe("filled");
  }, 30_000);

  it("waits for nobody: while another process trades it is refused", async () => {
    await using world = await tradeWorld();
    let refused: Promise<string> | undefined;
    await world.trade(
      { mode: "paper" },
      {
        onStep(step) {
          if (step !== "submit") return;
          refused = world.reconcile().then(
            () => "was let in",
            (error: { code: string }) => error.code,
          );
        },
      },
      whole,
    );
    expect(await refused).toBe("PF_STATE_LOCKED");
  }, 30_000);

  it("goes by the machine's clock where money is real", async () => {
    await using world = await tradeWorld();
    const asked = reconcileAccount({ mode: "live", clock: "broker" }, await world.loaded(), world.setting());
    await expect(asked).rejects.toMatchObject({ code: "PF_LIVE_LOCKED" });
  });
});
