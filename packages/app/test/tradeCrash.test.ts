import { positionsOf, totalCash, usSettlement } from "@pf/compliance";
import { type SessionDate, xnys } from "@pf/market";
import { parseScenario } from "@pf/tws-sim";
import { describe, expect, it } from "vitest";
import { isFill, lastCommission } from "../src/trade/heard.js";
import { foldTrade } from "../src/trade/state.js";
import { haltAccount, resumeAccount } from "../src/trade/status.js";
import { firstSession, type TradeWorld, tradeWorld, turns } from "./tradeWorld.js";

// A process may die at any moment. What it had begun is finished by the next one, or refused with a reason; no order is
// ever sent twice, and no fill is ever lost.

class Death extends Error {}

/** Lets the process die at its nth step; says which step that was, or nothing when it lived. */
async function dieAt(
  nth: number,
  world: TradeWorld,
  overrides: readonly string[],
): Promise<string | undefined> {
  let steps = 0;
  let last: string | undefined;
  try {
    await world.trade(
      { mode: "paper" },
      {
        onStep(step) {
          if (++steps < nth) return;
          last = step;
          throw new Death(step);
        },
      },
      overrides,
    );
  } catch (error) {
    if (!(error instanceof Death)) throw error;
  }
  return last;
}

/** The broker's truth and the journal's are one. */
function expectAgreement(world: TradeWorld, step: string): void {
  const { account, open, orderEvents, sent } = world.state();
  const broker = world.broker();
  expect(
    [...world.takenByReference().values()].filter((orders) => orders > 1),
    step,
  ).toEqual([]);
  expect(positionsOf(account), step).toEqual(broker.positions);
  expect(Math.abs(totalCash(account) - broker.cash), step).toBeLessThanOrEqual(5);
  expect(account.settled, step).toBeGreaterThanOrEqual(0);
  expect(open, step).toBeNull();
  expect(sent.length === 0 || orderEvents.length > 0, step).toBe(true);
}

const journalled = (world: TradeWorld) =>
  world
    .entries()
    .flatMap(({ body }) =>
      body.kind === "order" && (body.event.kind === "filled" || body.event.kind === "partiallyFilled")
        ? [body.event.execId]
        : [],
    );

describe("a process that dies", () => {
  it("at any step is followed by one that finishes the session, with every order once and every fill", async () => {
    await using world = await tradeWorld();
    let session: SessionDate = firstSession;
    const steps: string[] = [];
    // Sessions differ in how many orders they send: the last step of all has been passed when none of the turns has it.
    for (let nth = 1, lived = 0; lived < turns.length; nth++) {
      const turn = turns[nth % turns.length]!;
      const step = await dieAt(nth, world, turn);
      const { document, error } = await world.trade({ mode: "paper" }, {}, turn);
      const about = `${nth}: ${step}`;
      // A session that was over before its death has nothing left to do.
      const isOver = step === undefined || step === "audit";
      expect([document.outcome, document.detail, error?.code], about).toEqual(
        isOver ? ["done_before", expect.anything(), "PF_BLOCKED"] : ["filled", expect.anything(), undefined],
      );
      expectAgreement(world, about);
      expect([...journalled(world)].sort(), about).toEqual([...world.executed()].sort());
      if (step === undefined) lived++;
      else steps.push(step);
      session = xnys.next(session);
      await world.goTo(session);
    }
    expect(new Set(steps)).toEqual(
      new Set([
        ...["reconcile", "claim", "decide", "review", "submit", "place", "done", "audit"],
        ...["hear acknowledged", "hear filled", "hear commission"],
      ]),
    );
  }, 120_000);

  it("at any step and is missed until the next session is followed by one that finishes, or says why it does not", async () => {
    await using world = await tradeWorld();
    let session: SessionDate = firstSession;
    const refused: string[] = [];
    for (let nth = 1, lived = 0; lived < turns.length; nth++) {
      const step = await dieAt(nth, world, turns[nth % turns.length]!);
      const about = `${nth}: ${step}`;
      session = xnys.next(session);
      await world.goTo(session);
      const turn = turns[(nth + 1) % turns.length]!;
      let outcome = await world.trade({ mode: "paper" }, {}, turn);
      if (outcome.error?.code === "PF_HALTED") {
        // What was executed yesterday is not listed today: somebody has to look, and then it is booked.
        expect(outcome.error.message, about).toMatch(/nobody knows what became of pf\//);
        refused.push(step!);
        await resumeAccount({ reason: "looked" }, await world.loaded(), world.setting());
        outcome = await world.trade({ mode: "paper" }, {}, turn);
      }
      const { document, error } = outcome;
      expect(["filled", "partial", "unchanged"], about).toContain(document.outcome);
      expect(error?.code, about).toBe(document.outcome === "partial" ? "PF_PARTLY_FILLED" : undefined);
      expectAgreement(world, about);
      if (step === undefined) lived++;
      session = xnys.next(session);
      await world.goTo(session);
    }
    // Only with orders on their way is anything unknown.
    expect(refused).not.toEqual([]);
    expect(refused.filter((step) => !/^(place|hear .*)$/.test(step))).toEqual([]);
  }, 120_000);

  it("at any step and is followed after the close by who only reconciles: the session ends with the broker's truth", async () => {
    await using world = await tradeWorld();
    await world.trade();
    let session = xnys.next(firstSession);
    await world.goTo(session);
    const outcomes = new Map<string, Set<string>>();
    for (let nth = 1, lived = 0; lived < turns.length; nth++) {
      const turn = turns[nth % turns.length]!;
      const step = await dieAt(nth, world, turn);
      const about = `${nth}: ${step}`;
      // Whose end the broker has seen, of them it has read everything.
      await expect.poll(() => world.sim.clients(), { timeout: 10_000 }).toEqual([]);
      await world.goTo(session, -300);
      const taken = world.takenByReference();
      const found = await world.reconcile({}, turn);
      expect([found.halted, found.differences, found.agrees], about).toEqual([null, [], true]);
      expect(world.takenByReference(), about).toEqual(taken);
      expectAgreement(world, about);
      expect([...journalled(world)].sort(), about).toEqual([...world.executed()].sort());
      const heard = world.state().orderEvents;
      const isWhole = heard.filter(isFill).every(({ execId }) => lastCommission(execId, heard) !== null);
      expect(isWhole, about).toBe(true);
      const isBegun = step !== "reconcile" && step !== "claim";
      expect(world.state().lastDone?.session === session, about).toBe(isBegun);
      expect(found.session, about).toBe(session);
      const isFilled = found.orders.every(({ status }) => status === "filled");
      if (found.outcome === "filled" || found.outcome === "partial")
        expect(found.outcome, about).toBe(isFilled ? "filled" : "partial");
      const name = step ?? "none";
      outcomes.set(name, (outcomes.get(name) ?? new Set()).add(found.outcome));
      // Who looks again finds nothing new.
      const entries = world.entries().length;
      const again = await world.reconcile({}, turn);
      expect([again.outcome, again.agrees, again.log], about).toEqual(["reconciled", true, null]);
      expect(world.entries(), about).toHaveLength(entries);
      if (step === undefined) lived++;
      session = xnys.next(session);
      await world.goTo(session);
    }
    const of = (...steps: readonly string[]) => steps.map((step) => [step, [...(outcomes.get(step) ?? [])]]);
    const all = (outcome: string, ...steps: readonly string[]) => steps.map((step) => [step, [outcome]]);
    const unsent = ["decide", "review", "submit"];
    expect(of(...unsent)).toEqual(all("abandoned", ...unsent));
    expect(of("place")).toEqual(all("partial", "place"));
    const sent = ["hear acknowledged", "hear filled", "hear commission", "done"];
    // An order that had not left the process when it died is given up.
    for (const step of sent)
      expect(["filled", "partial"], step).toEqual(expect.arrayContaining([...outcomes.get(step)!]));
    const idle = ["reconcile", "claim", "audit", "none"];
    expect(of(...idle)).toEqual(all("reconciled", ...idle));
  }, 120_000);

  it("after its order left and before it heard of it finds the order again", async () => {
    await using world = await tradeWorld();
    const stop = new AbortController();
    world.sim.venue.onEvent(() => stop.abort(new Death("sent")));
    await expect(world.trade({ mode: "paper" }, { signal: stop.signal })).rejects.toThrow();
    expect(journalled(world)).toEqual([]);
    const { document, error } = await world.trade();
    expect([document.outcome, error]).toEqual(["filled", undefined]);
    expectAgreement(world, "sent");
    expect([...journalled(world)].sort()).toEqual([...world.executed()].sort());
  }, 30_000);

  it("before its orders left is followed by one that waits for prices where there are none, and does not give up", async () => {
    await using world = await tradeWorld();
    const dying = (step: string) => {
      if (step === "place") throw new Death(step);
    };
    await expect(world.trade({ mode: "paper" }, { onStep: dying })).rejects.toThrow("place");
    const silence = world.sim.addScenario(
      parseScenario("rules:\n  - { on: { message: tickPrice, times: all }, do: [drop] }\n"),
    );
    const waiting = await world.trade();
    expect([waiting.document.outcome, waiting.error?.code]).toEqual(["not_taken", "PF_BLOCKED"]);
    expect(waiting.error?.message).toContain("has no price");
    expect(world.takenByReference().size).toBe(0);
    silence();
    const { document, error } = await world.trade();
    expect([document.outcome, error]).toEqual(["filled", undefined]);
    expectAgreement(world, "prices are back");
  }, 30_000);

  it("after its orders left, and is missed until the next session, is looked at by somebody who resumed since, and not before", async () => {
    await using world = await tradeWorld();
    await world.trade();
    const loaded = await world.loaded();
    await haltAccount({ reason: "wait" }, loaded, world.setting());
    await resumeAccount({ reason: "go on" }, loaded, world.setting());
    await world.goTo(xnys.next(firstSession));
    const stop = new AbortController();
    world.sim.venue.onEvent(() => stop.abort(new Death("sent")));
    await expect(world.trade({ mode: "paper" }, { signal: stop.signal }, turns[1]!)).rejects.toThrow();
    await world.goTo(xnys.next(xnys.next(firstSession)));
    const missed = [...world.executed()].filter((execId) => !journalled(world).includes(execId));
    expect(missed).not.toEqual([]);
    const orders = world.takenByReference().size;
    const { error } = await world.trade({ mode: "paper" }, {}, turns[1]!);
    expect(error?.code).toBe("PF_HALTED");
    expect(error?.message).toMatch(/nobody knows what became of pf\//);
    expect(world.takenByReference().size).toBe(orders);
    await resumeAccount({ reason: "looked" }, loaded, world.setting());
    expect((await world.trade({ mode: "paper" }, {}, turns[1]!)).error).toBeUndefined();
    expectAgreement(world, "looked");
  }, 30_000);

  it("again and again comes to the same end", async () => {
    await using world = await tradeWorld();
    for (let nth = 1; nth <= 30; nth++) if ((await dieAt(nth, world, [])) === undefined) break;
    expectAgreement(world, "many deaths");
    expect([...journalled(world)].sort()).toEqual([...world.executed()].sort());
    expect(world.state().lastDone).toMatchObject({ session: firstSession, outcome: "filled" });
  }, 60_000);
});

describe("a halt from another terminal", () => {
  it("keeps a running rebalance from sending, and the same session trades after resume", async () => {
    await using world = await tradeWorld();
    const loaded = await world.loaded();
    const halting = { done: false };
    const halted = await world.trade(
      { mode: "paper" },
      {
        onStep(step) {
          if (step !== "review" || halting.done) return;
          halting.done = true;
          // Written at once, by a connection of its own, as another process would.
          void haltAccount({ reason: "wait" }, loaded, world.setting());
        },
      },
    );
    expect(halted.error).toMatchObject({ code: "PF_HALTED", message: expect.stringContaining("wait") });
    expect(world.takenByReference().size).toBe(0);
    expect((await world.trade()).error?.code).toBe("PF_HALTED");
    await resumeAccount({ reason: "go on" }, loaded, world.setting());
    const { document, error } = await world.trade();
    expect([document.outcome, error]).toEqual(["filled", undefined]);
    expectAgreement(world, "resumed");
    expect((await world.trade()).document.outcome).toBe("done_before");
  }, 30_000);

  it("between the last entry and the first order is in time: nothing is sent", async () => {
    await using world = await tradeWorld();
    const loaded = await world.loaded();
    const halted = await world.trade(
      { mode: "paper" },
      {
        onStep(step) {
          if (step === "place") void haltAccount({ reason: "wait" }, loaded, world.setting());
        },
      },
    );
    expect(halted.document.halted).toMatchObject({ code: "asked", reason: "wait" });
    expect(halted.error?.message).toContain("not sent: trading is halted: wait");
    expect(world.takenByReference().size).toBe(0);
    expectAgreement(world, "halted");
    await resumeAccount({ reason: "go on" }, loaded, world.setting());
    const { document, error } = await world.trade();
    expect([document.outcome, error, document.plan?.attempt]).toEqual(["filled", undefined, 2]);
    expectAgreement(world, "resumed");
  }, 30_000);

  it("while the first order is answered keeps the second from being sent", async () => {
    await using world = await tradeWorld();
    const loaded = await world.loaded();
    let isHalted = false;
    world.sim.venue.onEvent(({ kind }) => {
      if (isHalted || kind !== "status") return;
      isHalted = true;
      void haltAccount({ reason: "stop" }, loaded, world.setting());
    });
    const { document, error } = await world.trade();
    expect(document.plan!.orders.length).toBeGreaterThan(1);
    expect(world.takenByReference().size).toBe(1);
    expect([document.outcome, error?.code]).toEqual(["partial", "PF_PARTLY_FILLED"]);
    expectAgreement(world, "halted");
    expect([...journalled(world)].sort()).toEqual([...world.executed()].sort());
  }, 30_000);
});

describe("the book", () => {
  it("is what the journal says, in whatever portions it is read", async () => {
    await using world = await tradeWorld();
    await world.trade();
    const entries = world.entries();
    const whole = foldTrade(entries, usSettlement);
    for (let cut = 0; cut <= entries.length; cut++) {
      const half = foldTrade(entries.slice(0, cut), usSettlement);
      expect(foldTrade(entries.slice(cut), usSettlement, half)).toEqual(whole);
    }
  }, 30_000);
});
