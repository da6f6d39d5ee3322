import { readFileSync } from "node:fs";
import { join } from "node:path";
import { positionsOf, totalCash } from "@pf/compliance";
import { xnys } from "@pf/market";
import { parseScenario } from "@pf/tws-sim";
import { describe, expect, it } from "vitest";
import { verifyAudit } from "../src/audit-chain.js";
import { exitCodeOf } from "../src/failures.js";
import type { TradeOutcome } from "../src/trade/service.js";
import { haltAccount, resumeAccount } from "../src/trade/status.js";
import { firstSession, quickTimes, type TradeWorld, tradeWorld } from "./tradeWorld.js";

// What can happen to orders, and what was done about it. Whatever it was: no order is at the broker twice, and broker,
// journal and report agree afterwards.

const whole = ["execution.quantity=whole"] as const;
const second = xnys.next(firstSession);

const summaryOf = ({ document, error }: TradeOutcome) => ({
  outcome: document.outcome,
  code: error?.code,
  exit: error ? exitCodeOf(error.code) : 0,
  halted: document.halted?.code,
});
const fine = { outcome: "filled", code: undefined, exit: 0, halted: undefined };
const partly = { outcome: "partial", code: "PF_PARTLY_FILLED", exit: 5, halted: undefined };
const halted = (code: string) => ({ outcome: "halted", code: "PF_HALTED", exit: 6, halted: code });

/** Trades the first session under some rules of a scenario. */
async function tradeUnder(rules: string, world: TradeWorld, overrides: readonly string[] = whole) {
  if (rules !== "") world.sim.addScenario(parseScenario(`rules:\n${rules}`));
  return world.trade({ mode: "paper" }, {}, overrides);
}

function expectAgreement(world: TradeWorld, outcome?: TradeOutcome): void {
  const { account } = world.state();
  const broker = world.broker();
  expect(positionsOf(account)).toEqual(broker.positions);
  expect(Math.abs(totalCash(account) - broker.cash)).toBeLessThanOrEqual(5);
  expect([...world.takenByReference()].filter(([, orders]) => orders > 1)).toEqual([]);
  const booked = world.entries().flatMap(({ body }) => (body.kind === "order" ? [body.event] : []));
  const fills = booked.filter(({ kind }) => kind === "filled" || kind === "partiallyFilled");
  expect(fills.map((fill) => "execId" in fill && fill.execId).sort()).toEqual([...world.executed()].sort());
  if (outcome)
    expect(outcome.document.fills.map(({ execId }) => execId).sort()).toEqual([...world.executed()].sort());
}

function audit(world: TradeWorld) {
  const name = `trade-paper-${world.sim.accounts[0]}-tws-sim_synthetic_42.jsonl`;
  const text = readFileSync(join(world.folder, "reports", "logs", name), "utf8");
  expect(verifyAudit(text).problems).toEqual([]);
  return text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
}

const on = (message: string, act: string, more = "") =>
  `  - { on: { message: ${message}${more} }, do: [${act}] }\n`;
const all = ", times: all";

describe("orders that are filled all the same", () => {
  const harmless: readonly (readonly [string, string])[] = [
    ["nothing out of the ordinary", ""],
    ["filled in parts", on("placeOrder", "{ partial_fills: { parts: 3, every: 2s } }")],
    ["a commission half a minute late", on("commissionReport", "{ delay: 30s }")],
    ["no status ever", on("orderStatus", "drop", all)],
    ["no open order ever", on("openOrder", "drop", all)],
    ["Filled before its execution", on("execDetails", "{ delay: 3s }", all)],
    ["an execution that is never told", on("execDetails", "drop")],
    [
      "everything told twice",
      on("orderStatus", "duplicate", all) +
        on("execDetails", "duplicate", all) +
        on("openOrder", "duplicate", all) +
        on("commissionReport", "duplicate", all),
    ],
    [
      "10349: shown as cancelled, and filled",
      on("placeOrder", '{ say: { code: 10349, message: "Order TIF was set to DAY" } }, { claim: Cancelled }'),
    ],
    ["the socket cut after an order was sent", on("placeOrder", "{ cut: {} }")],
    [
      "the socket cut in the middle of an execution",
      // The last of them: an order that leaves while the socket dies may never arrive, on a machine that is busy enough.
      on("execDetails", "{ cut: { mid_frame: true, ids_held: 5s } }", ", nth: 2"),
    ],
    ["a restart of TWS in the middle of an order", on("placeOrder", "{ restart: { down: 5s } }")],
    [
      "what is asked about orders not answered once",
      on("openOrderEnd", "drop") + on("execDetailsEnd", "drop"),
    ],
  ];
  it.each(harmless)(
    "%s",
    async (_, rules) => {
      await using world = await tradeWorld();
      const outcome = await tradeUnder(rules, world);
      expect(summaryOf(outcome)).toEqual(fine);
      expect(outcome.document.orders.map(({ status }) => status)).toEqual(["filled", "filled"]);
      expectAgreement(world, outcome);
      expect(audit(world)).toHaveLength(1);
    },
    40_000,
  );

  it.each([
    ["1102", "up"],
    ["1101, data lost", "up_data_lost"],
  ] as const)(
    "1100 in the middle of an order, and %s a while later",
    async (_, link) => {
      await using world = await tradeWorld();
      // The link comes back when the order has been waiting for it.
      const watch = setInterval(() => {
        if (world.sim.venue.openOrders().length === 0) return;
        clearInterval(watch);
        setTimeout(() => world.sim.trigger({ link }), 300);
      }, 10);
      const outcome = await tradeUnder(on("placeOrder", "{ link: down }"), world);
      clearInterval(watch);
      expect(summaryOf(outcome)).toEqual(fine);
      expectAgreement(world, outcome);
    },
    40_000,
  );

  it("a commission that is never told: it is booked from the cash the next session", async () => {
    await using world = await tradeWorld();
    const outcome = await tradeUnder(on("commissionReport", "drop", all), world);
    expect(summaryOf(outcome)).toEqual(fine);
    expect(outcome.document.fills.map(({ commission }) => commission)).toEqual([null, null]);
    await world.goTo(second);
    const next = await world.trade({ mode: "paper" }, {}, whole);
    expect(next.error).toBeUndefined();
    expect(next.document.notices).toEqual([expect.stringContaining("commission")]);
    // Of this session's orders nobody has told the commissions either.
    const untold = world.sim.venue
      .executions({})
      .reduce((sum, { commission }) => sum + Math.round(commission * 100), 0);
    expect(totalCash(world.state().account) - world.broker().cash).toBe(untold);
  }, 30_000);
});

describe("orders that are not filled", () => {
  it("in parts and not to the end: cancelled at the close, and planned again the next session", async () => {
    await using world = await tradeWorld();
    await world.goTo(firstSession, 60);
    const rules = on("placeOrder", "{ partial_fills: { parts: 4, every: 1s, stop_after: 1 } }");
    const outcome = await tradeUnder(rules, world);
    expect(summaryOf(outcome)).toEqual(partly);
    expectAgreement(world, outcome);
    await world.goTo(second);
    const next = await world.trade({ mode: "paper" }, {}, whole);
    expect(["filled", "partial"]).toContain(next.document.outcome);
    expect(next.document.orders.length).toBeGreaterThan(0);
    expectAgreement(world);
  }, 40_000);

  it("cancelled by the broker (202): the rest goes on, and nothing halts", async () => {
    await using world = await tradeWorld();
    const outcome = await tradeUnder(on("placeOrder", "{ cancel: {} }"), world);
    expect(summaryOf(outcome)).toEqual(partly);
    expect(outcome.document.orders.map(({ status }) => status)).toEqual(["cancelled", "filled"]);
    expect(outcome.error?.message).toContain("202");
    expectAgreement(world, outcome);
  }, 30_000);

  it("rejected (201): logged in full, halted durably, nothing more is sent; resumed, the session trades anew", async () => {
    await using world = await tradeWorld();
    const words = "Order rejected - reason:Available Funds are insufficient";
    const outcome = await tradeUnder(on("placeOrder", `{ reject: { message: "${words}" } }`), world);
    expect(summaryOf(outcome)).toEqual(halted("rejected"));
    expect(outcome.error?.message).toContain(`201 ${words}`);
    expect(audit(world).at(-1)).toMatchObject({
      outcome: "halted",
      error: { code: "PF_HALTED", message: expect.stringContaining(words) },
    });
    expect(world.takenByReference().size).toBe(1);
    expectAgreement(world, outcome);

    expect(summaryOf(await world.trade({ mode: "paper" }, {}, whole))).toMatchObject({
      outcome: "halted_before",
      exit: 6,
    });
    await resumeAccount({ reason: "money came" }, await world.loaded(), world.setting());
    const again = await world.trade({ mode: "paper" }, {}, whole);
    expect(summaryOf(again)).toEqual(fine);
    expect(again.document.plan?.attempt).toBe(2);
    expectAgreement(world);
    expect(summaryOf(await world.trade({ mode: "paper" }, {}, whole)).outcome).toBe("done_before");
  }, 40_000);

  it("never answered: the outcome is unknown, so that everything halts; resumed, it is settled before more is sent", async () => {
    await using world = await tradeWorld();
    const outcome = await tradeUnder(on("placeOrder", "drop"), world);
    expect(summaryOf(outcome)).toEqual(halted("unknown_outcome"));
    expect(world.takenByReference().size).toBe(0);
    expectAgreement(world, outcome);
    await resumeAccount({ reason: "TWS shows no such order" }, await world.loaded(), world.setting());
    const again = await world.trade({ mode: "paper" }, {}, whole);
    expect(summaryOf(again)).toEqual(fine);
    expectAgreement(world);
  }, 40_000);

  it("1100 and no end of it: halted, with what is known; booked when the broker tells", async () => {
    await using world = await tradeWorld();
    await world.goTo(firstSession, 100);
    const outcome = await tradeUnder(on("placeOrder", "{ link: down }"), world);
    expect(summaryOf(outcome)).toEqual(halted("unknown_outcome"));
    expectAgreement(world, outcome);
    world.sim.trigger({ link: "up" });
    await resumeAccount({}, await world.loaded(), world.setting());
    await world.goTo(second);
    const next = await world.trade({ mode: "paper" }, {}, whole);
    expect(["filled", "partial"]).toContain(next.document.outcome);
    const { account } = world.state();
    expect(positionsOf(account)).toEqual(world.broker().positions);
    expect([...world.takenByReference().values()].every((orders) => orders === 1)).toBe(true);
  }, 60_000);

  it("filled after its outcome was unknown: booked although halted, and nothing of it is sent again", async () => {
    await using world = await tradeWorld();
    await world.goTo(firstSession, 200);
    const outcome = await tradeUnder(on("placeOrder", "{ link: down }"), world);
    expect(summaryOf(outcome)).toEqual(halted("unknown_outcome"));
    world.sim.trigger({ link: "up" });
    await expect.poll(() => world.executed().length, { timeout: 5000 }).toBe(1);
    const still = await world.trade({ mode: "paper" }, {}, whole);
    expect(summaryOf(still)).toMatchObject({ outcome: "halted_before", exit: 6 });
    expectAgreement(world, still);
    await resumeAccount({ reason: "it was filled" }, await world.loaded(), world.setting());
    const rest = await world.trade({ mode: "paper" }, {}, whole);
    expect(rest.error).toBeUndefined();
    const first = outcome.document.orders[0]!;
    expect(rest.document.plan?.orders.map(({ symbol }) => symbol)).not.toContain(first.symbol);
    expectAgreement(world);
  }, 60_000);
});

describe("refusals that are no rejections", () => {
  it("fractions (10243): said, not halted, and whole shares from then on", async () => {
    await using world = await tradeWorld();
    const rules = on(
      "placeOrder",
      '{ reject: { code: 10243, message: "Fractional-sized order cannot be placed" } }',
    );
    const outcome = await tradeUnder(rules, world);
    expect(summaryOf(outcome)).toEqual({
      outcome: "partial",
      code: "PF_FRACTIONAL_REFUSED",
      exit: 5,
      halted: undefined,
    });
    expect(world.state().probe).toMatchObject({ fractional: "no" });
    expectAgreement(world, outcome);
    await world.goTo(second);
    expect(summaryOf(await world.trade({ mode: "paper" }, {}, whole))).toEqual(fine);
    expectAgreement(world);
  }, 30_000);

  it("fractions where they are demanded: nothing is sent", async () => {
    await using world = await tradeWorld();
    await expect(world.trade({ mode: "paper" }, {}, ["execution.quantity=fractional"])).rejects.toMatchObject(
      {
        code: "PF_FRACTIONAL_REFUSED",
      },
    );
    expect(world.takenByReference().size).toBe(0);
  }, 30_000);

  it("fractions where the broker takes them: they are traded", async () => {
    await using world = await tradeWorld({ fractional: "accept" });
    const outcome = await world.trade({ mode: "paper" }, {}, ["execution.quantity=auto"]);
    expect(summaryOf(outcome)).toEqual(fine);
    expect(outcome.document.orders.some(({ quantity }) => !Number.isInteger(quantity))).toBe(true);
    expectAgreement(world, outcome);
  }, 30_000);

  it("a read-only API: said before the first order, not halted, and the same session trades when it is lifted", async () => {
    await using world = await tradeWorld({ readOnly: true });
    const outcome = await tradeUnder("", world);
    expect(summaryOf(outcome)).toEqual({
      outcome: "not_taken",
      code: "PF_IBKR_READ_ONLY",
      exit: 4,
      halted: undefined,
    });
    expect(outcome.document.plan?.orders).toHaveLength(2);
    expect(world.takenByReference().size).toBe(0);
    world.sim.trigger({ read_only: false });
    const again = await world.trade({ mode: "paper" }, {}, whole);
    expect(summaryOf(again)).toEqual(fine);
    expectAgreement(world, again);
  }, 30_000);

  it("a price that is missing: nothing is sent, and the same session trades when it is there", async () => {
    await using world = await tradeWorld();
    const rules = on("tickPrice", "drop", all);
    const silence = world.sim.addScenario(parseScenario(`rules:\n${rules}`));
    const outcome = await world.trade({ mode: "paper" }, {}, whole);
    expect(summaryOf(outcome)).toEqual({
      outcome: "not_taken",
      code: "PF_BLOCKED",
      exit: 5,
      halted: undefined,
    });
    expect(outcome.document.detail).toContain("no price of SPY, QQQ");
    expect(world.takenByReference().size).toBe(0);
    silence();
    const again = await world.trade({ mode: "paper" }, {}, whole);
    expect(summaryOf(again)).toEqual(fine);
    expectAgreement(world, again);
  }, 30_000);

  it("a price that got old while the broker did not answer: nothing is sent, and the session trades at a new one", async () => {
    await using world = await tradeWorld();
    world.sim.addScenario(
      parseScenario("rules:\n  - { on: { message: openOrderEnd, times: 4 }, do: [drop] }\n"),
    );
    // Asked in vain four times, for half a minute each; prices may be two minutes old.
    const { broker } = world.setting();
    const patient = { broker: { ...broker, orderTimes: { ...quickTimes, askMs: 30_000 } } };
    const outcome = await world.trade({ mode: "paper" }, patient, whole);
    expect(summaryOf(outcome)).toMatchObject({ outcome: "not_taken", code: "PF_BLOCKED", halted: undefined });
    expect(outcome.document.detail).toMatch(/data_fresh: the price of QQQ is 2 min old/);
    expect(world.takenByReference().size).toBe(0);
    const again = await world.trade({ mode: "paper" }, {}, whole);
    expect(summaryOf(again)).toEqual(fine);
    expectAgreement(world, again);
  }, 40_000);

  it("a price that never comes: the session is over without it, and the next one plans anew", async () => {
    await using world = await tradeWorld();
    const rules = on("tickPrice", "drop", all);
    const silence = world.sim.addScenario(parseScenario(`rules:\n${rules}`));
    expect(summaryOf(await world.trade({ mode: "paper" }, {}, whole)).outcome).toBe("not_taken");
    await world.goTo(second);
    silence();
    expect(summaryOf(await world.trade({ mode: "paper" }, {}, whole))).toEqual(fine);
    expectAgreement(world);
  }, 30_000);

  it("an API that becomes read-only between the question and the order: not halted", async () => {
    await using world = await tradeWorld();
    const outcome = await world.trade(
      { mode: "paper" },
      { onStep: (step) => step === "place" && world.sim.trigger({ read_only: true }) },
      whole,
    );
    expect(summaryOf(outcome)).toMatchObject({ code: "PF_IBKR_READ_ONLY", exit: 4, halted: undefined });
    expectAgreement(world, outcome);
  }, 30_000);
});

describe("others, and the market", () => {
  it("another client buys: it is booked with a notice, and no order of ours is mixed up with it", async () => {
    await using world = await tradeWorld();
    const rules = on("placeOrder", "{ order: { client: 99, symbol: TLT, side: BUY, quantity: 3 } }");
    const outcome = await tradeUnder(rules, world);
    expect(summaryOf(outcome)).toEqual(fine);
    expect(outcome.document.fills.map(({ execId }) => execId).sort()).toEqual([...world.executed()].sort());
    await world.goTo(second);
    const next = await world.trade({ mode: "paper" }, {}, whole);
    // Its shares are booked; the cash that is gone stops buys, until somebody has accepted it.
    expect(next.document.notices.join(" ")).toMatch(/less cash than the book.*holds 3 TLT/);
    expect(next.document.orders.filter(({ side }) => side === "buy")).toEqual([]);
    await haltAccount({}, await world.loaded(), world.setting());
    await resumeAccount({ reason: "I bought TLT" }, await world.loaded(), world.setting());
    await world.goTo(xnys.next(second));
    expect((await world.trade({ mode: "paper" }, {}, whole)).error).toBeUndefined();
    expectAgreement(world);
  }, 30_000);

  it("a person sells what we hold: nothing is bought until somebody has accepted it", async () => {
    await using world = await tradeWorld();
    const first = await tradeUnder("", world);
    const { symbol } = first.document.orders[0]!;
    await world.goTo(second, 1000);
    world.sim.trigger({ order: { client: 0, symbol, side: "SELL", quantity: 5 } });
    await world.goTo(second);
    const next = await world.trade({ mode: "paper" }, {}, whole);
    expect(next.document.notices.join(" ")).toMatch(/the book \d+: booked out/);
    expect(next.document.orders.filter(({ side }) => side === "buy")).toEqual([]);
    const { account } = world.state();
    expect(positionsOf(account)).toEqual(world.broker().positions);
  }, 30_000);

  it("a stock splits overnight: shares are booked in its ratio, and nothing is traded because of it", async () => {
    await using world = await tradeWorld();
    const first = await tradeUnder("", world);
    const { symbol, quantity } = first.document.orders[0]!;
    world.sim.trigger({ split: { symbol, ratio: 2 } });
    await world.goTo(second);
    const next = await world.trade({ mode: "paper" }, {}, whole);
    expect(next.error).toBeUndefined();
    expect(next.document.notices.join(" ")).toMatch(/booked as a split, 2 for 1/);
    expect(positionsOf(world.state().account)).toEqual(world.broker().positions);
    const splits = world
      .entries()
      .flatMap(({ body }) => (body.kind === "booked" && body.event.kind === "split" ? [body.event] : []));
    expect(splits).toMatchObject([{ symbol, numerator: 2, denominator: 1 }]);
    const sold = next.document.orders.find((order) => order.symbol === symbol && order.side === "sell");
    expect(sold?.quantity ?? 0).not.toBe(quantity);
    expectAgreement(world);
  }, 30_000);

  it("a halt in the middle of placing: what was sent is heard to its end, and nothing is sent after it", async () => {
    await using world = await tradeWorld();
    const loaded = await world.loaded();
    let halting: Promise<unknown> | undefined;
    const outcome = await world.trade(
      { mode: "paper" },
      {
        onStep(step) {
          if (step === "hear acknowledged")
            halting ??= haltAccount({ reason: "stop" }, loaded, world.setting());
        },
      },
      whole,
    );
    await halting;
    expect(outcome.document).toMatchObject({
      outcome: expect.stringMatching(/^(filled|partial)$/),
      halted: { code: "asked", reason: "stop" },
    });
    expectAgreement(world, outcome);
    const taken = world.takenByReference().size;
    await world.goTo(second);
    expect(summaryOf(await world.trade({ mode: "paper" }, {}, whole))).toMatchObject({ exit: 6 });
    expect(world.takenByReference().size).toBe(taken);
  }, 30_000);
});
