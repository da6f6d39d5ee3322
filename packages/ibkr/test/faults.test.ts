import type { Socket } from "node:net";
import { parseScenario } from "@pf/tws-sim";
import { describe, expect, it } from "vitest";
import {
  type ConnectionState,
  connectIbkr,
  type IbkrSession,
  refusalOf,
  systemTimers,
} from "../src/index.js";
import { pause } from "../src/session/clock.js";
import { frameOf } from "../src/session/frames.js";
import { halfTws, rawServer } from "./rawServer.js";
import {
  executedAt,
  executedBy,
  kinds,
  ordersAt,
  placed,
  planOf,
  type Wish,
  wireLog,
  world,
} from "./world.js";

/** Actions of the simulator's scenario language that a test here is about; the last test knows the whole list. */
const shown = new Set<string>();

interface Fault {
  readonly title: string;
  readonly actions: readonly string[];
  readonly rules: string;
  readonly wishes?: readonly Wish[];
  readonly events: readonly string[];
  readonly cancelAfterMs?: number;
  readonly afterwards?: (broker: IbkrSession) => Promise<void>;
}

const all = "times: all";
const bought = ["acknowledged", "filled", "commission"];

const faults: readonly Fault[] = [
  {
    title: "no orderStatus at all: the execution tells",
    actions: ["drop"],
    rules: `- { on: { message: orderStatus, ${all} }, do: [drop] }`,
    events: bought,
  },
  {
    title: "neither openOrder nor orderStatus",
    actions: ["drop"],
    rules: `- { on: { message: orderStatus, ${all} }, do: [drop] }\n- { on: { message: openOrder, ${all} }, do: [drop] }`,
    events: bought,
  },
  {
    title: "a lost execution: its status says filled, and asking finds it",
    actions: ["drop"],
    rules: "- { on: { message: execDetails }, do: [drop] }",
    events: bought,
  },
  {
    title: "every message about the order lost: asking finds it",
    actions: ["drop"],
    rules: [
      `- { on: { message: orderStatus, ${all} }, do: [drop] }`,
      "- { on: { message: openOrder, times: 3 }, do: [drop] }",
      "- { on: { message: execDetails }, do: [drop] }",
      "- { on: { message: commissionReport }, do: [drop] }",
    ].join("\n"),
    events: bought,
  },
  {
    title: "a lost commission: asking brings it",
    actions: ["drop"],
    rules: "- { on: { message: commissionReport }, do: [drop] }",
    events: bought,
  },
  {
    title: "no commission ever: the fill stands without it",
    actions: ["drop"],
    rules: `- { on: { message: commissionReport, ${all} }, do: [drop] }`,
    events: ["acknowledged", "filled"],
  },
  {
    title: "everything four times",
    actions: ["duplicate"],
    rules: ["openOrder", "orderStatus", "execDetails", "commissionReport"]
      .map((message) => `- { on: { message: ${message}, ${all} }, do: [{ duplicate: 3 }] }`)
      .join("\n"),
    wishes: [{ symbol: "SPY" }, { symbol: "TLT", shares: 5 }],
    events: [...bought, ...bought],
  },
  {
    title: "an execution after its status",
    actions: ["delay"],
    rules: "- { on: { message: execDetails }, do: [{ delay: 300ms }] }",
    events: bought,
  },
  {
    title: "a commission before, and an execution long after, everything else",
    actions: ["delay"],
    rules: "- { on: { message: execDetails }, do: [{ delay: 900ms }] }",
    events: bought,
  },
  {
    title: "a late commission",
    actions: ["delay"],
    rules: "- { on: { message: commissionReport }, do: [{ delay: 400ms }] }",
    events: bought,
  },
  {
    title: "shown as cancelled, and filled all the same (10349)",
    actions: ["claim", "say"],
    rules: [
      '- { on: { message: openOrder }, do: [{ say: { code: 10349, message: "Order TIF was set to DAY based on order preset." } }, { claim: Cancelled }] }',
      "- { on: { message: execDetails }, do: [{ delay: 400ms }] }",
    ].join("\n"),
    events: bought,
  },
  {
    title: "claimed to be filled while it rests: nothing is invented",
    actions: ["claim"],
    rules: "- { on: { message: openOrder, status: Submitted }, do: [{ claim: Filled }] }",
    wishes: [{ limit: 1 }],
    cancelAfterMs: 800,
    events: ["acknowledged", "cancelled"],
  },
  {
    title: "claimed to be inactive, and filled",
    actions: ["claim"],
    rules: [
      "- { on: { message: openOrder }, do: [{ claim: Inactive }] }",
      "- { on: { message: execDetails }, do: [{ delay: 50ms }] }",
    ].join("\n"),
    events: bought,
  },
  {
    title: "cancelled by the broker (202)",
    actions: ["cancel"],
    rules: "- { on: { message: openOrder, status: Submitted }, do: [cancel] }",
    wishes: [{ limit: 1 }],
    events: ["acknowledged", "cancelled"],
  },
  {
    title: "rejected (201): what was not sent stays unsent",
    actions: ["reject"],
    rules:
      '- { after: 0, do: [{ reject: { code: 201, message: "Order rejected - reason:Available Funds" } }] }',
    wishes: [{ symbol: "SPY" }, { symbol: "TLT" }],
    events: ["acknowledged", "cancelled", "rejected"],
  },
  {
    title: "a notice about the order (399) changes nothing",
    actions: ["say"],
    rules: '- { on: { message: openOrder }, do: [{ say: { code: 399, message: "Warning: held" } }] }',
    events: bought,
  },
  {
    title: "an unknown code about the order decides nothing",
    actions: ["say"],
    rules: '- { on: { message: openOrder }, do: [{ say: { code: 54321, message: "What is this" } }] }',
    events: bought,
  },
  {
    title: "an order answered with an error only",
    actions: ["answer"],
    rules: '- { on: { message: placeOrder }, do: [{ answer: { code: 201, message: "Order rejected" } }] }',
    wishes: [{ symbol: "SPY" }, { symbol: "TLT" }],
    events: ["rejected", "cancelled"],
  },
  {
    title: "an order that vanishes: unknown, and nothing more is sent",
    actions: ["drop"],
    rules: "- { on: { message: placeOrder }, do: [drop] }",
    wishes: [{ symbol: "SPY" }, { symbol: "TLT" }],
    events: ["unknown", "cancelled"],
    async afterwards(broker) {
      expect((await broker.resolveUnknown("pf/2026-11-23/SPY/buy")).kind).toBe("absent");
    },
  },
  {
    title: "partial fills",
    actions: ["partial_fills"],
    rules: "- { after: 0, do: [{ partial_fills: { parts: 3, every: 60ms } }] }",
    wishes: [{ shares: 9 }],
    events: [
      "acknowledged",
      "partiallyFilled",
      "commission",
      "partiallyFilled",
      "commission",
      "filled",
      "commission",
    ],
  },
  {
    title: "partial fills that stop: the rest is cancelled in time",
    actions: ["partial_fills"],
    rules: "- { after: 0, do: [{ partial_fills: { parts: 3, every: 60ms, stop_after: 1 } }] }",
    wishes: [{ shares: 9 }],
    cancelAfterMs: 2500,
    events: ["acknowledged", "partiallyFilled", "commission", "cancelled"],
  },
  {
    title: "partial fills that stop with less left than was filled: the rest is cancelled all the same",
    actions: ["partial_fills"],
    rules: "- { after: 0, do: [{ partial_fills: { parts: 3, every: 60ms, stop_after: 2 } }] }",
    wishes: [{ shares: 9 }],
    cancelAfterMs: 2500,
    events: ["acknowledged", "partiallyFilled", "commission", "partiallyFilled", "commission", "cancelled"],
    async afterwards(broker) {
      const { kind, quantity } = await broker.resolveUnknown("pf/2026-11-23/SPY/buy");
      expect([kind, quantity]).toEqual(["ended", 90_000]);
    },
  },
  {
    title: "a cancellation that is never answered: asking tells",
    actions: ["drop"],
    rules: [
      "- { on: { message: orderStatus, status: Cancelled }, do: [drop] }",
      "- { on: { message: error, code: 202 }, do: [drop] }",
    ].join("\n"),
    wishes: [{ limit: 1 }],
    cancelAfterMs: 300,
    events: ["acknowledged", "cancelled"],
  },
  {
    title: "cut between sending and the first answer",
    actions: ["cut"],
    rules: "- { on: { message: placeOrder }, do: [cut] }",
    wishes: [{ symbol: "SPY" }, { symbol: "TLT" }],
    events: [...bought, ...bought],
  },
  {
    title: "cut in the middle of the execution",
    actions: ["cut"],
    rules: "- { on: { message: execDetails }, do: [{ cut: { mid_frame: true } }] }",
    events: bought,
  },
  {
    title: "cut in the middle of the commission, the client id taken for a second",
    actions: ["cut"],
    rules: "- { on: { message: commissionReport }, do: [{ cut: { mid_frame: true, ids_held: 1s } }] }",
    events: bought,
  },
  {
    title: "a restart of TWS in mid-order",
    actions: ["restart"],
    rules: "- { on: { message: openOrder }, do: [{ restart: { down: 700ms } }] }",
    wishes: [{ symbol: "SPY" }, { symbol: "TLT" }],
    events: [...bought, ...bought],
  },
  {
    title: "the servers lost in mid-order, back with the data (1100, 1102)",
    actions: ["link"],
    rules: [
      "- { on: { message: placeOrder }, do: [{ link: down }] }",
      "- { after: 1500ms, do: [{ link: up }] }",
    ].join("\n"),
    events: bought,
  },
  {
    title: "the servers lost in mid-order, back without the data (1100, 1101)",
    actions: ["link"],
    rules: [
      "- { on: { message: placeOrder }, do: [{ link: down }] }",
      "- { after: 1500ms, do: [{ link: up_data_lost }] }",
    ].join("\n"),
    events: bought,
  },
  {
    title: "farms that flap",
    actions: ["farm"],
    rules: ["market", "history", "secdef"]
      .flatMap((name) => [
        `- { on: { message: placeOrder }, do: [{ farm: { name: ${name}, up: false } }] }`,
        `- { on: { message: orderStatus }, do: [{ farm: { name: ${name}, up: true } }] }`,
      ])
      .join("\n"),
    events: bought,
  },
  {
    title: "another program trades in the account at the same moment",
    actions: ["order"],
    rules: "- { on: { message: placeOrder }, do: [{ order: { symbol: TLT, side: BUY, quantity: 7 } }] }",
    events: bought,
    async afterwards(broker) {
      await expect
        .poll(async () =>
          (await broker.positions()).map(({ symbol, quantity }) => [symbol, quantity / 10_000]),
        )
        .toEqual([
          ["SPY", 2],
          ["TLT", 7],
        ]);
    },
  },
  {
    title: "a split after the fill: the position has the new shares, the fill keeps the old",
    actions: ["split"],
    rules: "- { on: { message: commissionReport }, do: [{ split: { symbol: SPY, ratio: 2 } }] }",
    events: bought,
    async afterwards(broker) {
      await expect.poll(async () => (await broker.positions())[0]?.quantity).toBe(40_000);
      expect((await broker.executions())[0]?.quantity).toBe(20_000);
    },
  },
  {
    title: "money that comes in meanwhile: the summary has it, the orders are as they were",
    actions: ["cash"],
    rules: "- { on: { message: commissionReport }, do: [{ cash: { amount: 5000000 } }] }",
    events: bought,
    async afterwards(broker) {
      await expect.poll(async () => (await broker.accountSummary()).totalCash).toBeGreaterThan(500_000_000);
    },
  },
];

describe.concurrent("a fault while orders are at work: what is told, and nothing lost, doubled or invented", () => {
  it.each(faults)(
    "$title",
    async ({ actions, rules, wishes = [{}], events: expected, cancelAfterMs, afterwards }) => {
      for (const action of actions) shown.add(action);
      await using here = await world({}, rules);
      const broker = await here.connect();
      const plan = planOf(...wishes);
      const events = await placed(broker, plan, {
        ...(cancelAfterMs !== undefined && { cancelAtUtcMs: Date.now() + cancelAfterMs }),
      });

      expect([...kinds(events)].sort()).toEqual([...expected].sort());
      const own = new Set(plan.intents.map(({ reference }) => reference));
      const atBroker = Object.entries(executedAt(here.sim)).filter(([reference]) => own.has(reference));
      expect(executedBy(events)).toEqual(Object.fromEntries(atBroker));
      for (const reference of own) {
        expect(ordersAt(here.sim, reference)).toBeLessThanOrEqual(1);
        expect(
          events.filter((event) => event.reference === reference && event.kind === "acknowledged").length,
        ).toBeLessThanOrEqual(1);
      }
      for (const { execId, commission } of here.sim.venue.executions({})) {
        const told = events.filter((event) => event.kind === "commission" && event.execId === execId);
        for (const event of told) expect(event).toMatchObject({ commission });
        expect(told.length).toBeLessThanOrEqual(1);
      }
      await afterwards?.(broker);
      expect(ordersAt(here.sim, plan.intents[0]!.reference)).toBeLessThanOrEqual(1);
    },
  );

  it("executions that come long after everything else, also when asked for: asked now and then, not at every message", async () => {
    using log = wireLog();
    const late = (message: string) => `- { on: { message: ${message}, ${all} }, do: [{ delay: 1200ms }] }`;
    await using here = await world({ wireLog: log.file }, ["execDetails", "openOrder"].map(late).join("\n"));
    const broker = await here.connect();
    const events = await placed(broker, planOf({ symbol: "SPY" }, { symbol: "TLT", shares: 5 }));
    expect([...kinds(events)].sort()).toEqual([...bought, ...bought].sort());
    expect(log.sent("reqExecutions").length).toBeLessThan(25);
  });

  it("an order that arrives after everybody gave up is unknown, and is found when asked for", async () => {
    shown.add("delay");
    await using here = await world({}, "- { on: { message: placeOrder }, do: [{ delay: 6s }] }");
    const broker = await here.connect();
    const events = await placed(broker, planOf({}));
    expect(kinds(events)).toEqual(["unknown"]);
    await expect.poll(() => executedAt(here.sim), { timeout: 10_000 }).not.toEqual({});
    const standing = await broker.resolveUnknown("pf/2026-11-23/SPY/buy");
    expect(standing.kind).toBe("filled");
    expect(executedBy(standing.events)).toEqual(executedAt(here.sim));
    // The same plan again sends nothing: the broker knows the reference.
    const again = await placed(broker, planOf({}));
    expect(kinds(again)).toEqual(["acknowledged", "filled", "commission"]);
    await broker.serverTime();
    expect(ordersAt(here.sim, "pf/2026-11-23/SPY/buy")).toBe(1);
  });

  it.each(["openOrderEnd", "completedOrdersEnd", "execDetailsEnd"])(
    "without %s nothing is sent: the broker might know the order already",
    async (message) => {
      await using here = await world({}, `- { on: { message: ${message}, times: all }, do: [drop] }`);
      const broker = await here.connect();
      await expect(placed(broker, planOf({}))).rejects.toThrowError(/so nothing was sent/);
      expect(ordersAt(here.sim, "pf/2026-11-23/SPY/buy")).toBe(0);
    },
  );

  it("one execDetailsEnd missing is asked for again", async () => {
    await using here = await world({}, "- { on: { message: execDetailsEnd }, do: [drop] }");
    const broker = await here.connect();
    expect(kinds(await placed(broker, planOf({})))).toEqual(["acknowledged", "filled", "commission"]);
  });

  it("a connection that never comes back leaves the order unknown", async () => {
    await using here = await world({}, "- { on: { message: placeOrder }, do: [{ restart: { down: 1h } }] }");
    const broker = await here.connect();
    const events = await placed(broker, planOf({ symbol: "SPY" }, { symbol: "TLT" }));
    expect([...kinds(events)].sort()).toEqual(["cancelled", "unknown"]);
    expect(ordersAt(here.sim, "pf/2026-11-23/TLT/buy")).toBe(0);
  });
});

describe.concurrent("a fault of the connection", () => {
  const watch = (broker: IbkrSession) => {
    const states: ConnectionState[] = [];
    broker.onState((state) => states.push(state));
    return states;
  };

  it("1100: nothing is placed until 1102, nothing is kept to be sent later, the socket stays", async () => {
    shown.add("link");
    await using here = await world();
    const broker = await here.connect();
    const states = watch(broker);
    here.sim.trigger({ link: "down" });
    await expect.poll(() => broker.state).toMatchObject({ kind: "degraded", code: 1100 });
    await expect(placed(broker, planOf({}))).rejects.toMatchObject({
      code: "PF_IBKR_NOT_CONNECTED",
      sent: false,
    });
    here.sim.trigger({ link: "up" });
    await broker.ready();
    expect(states.map(({ kind }) => kind)).toEqual(["degraded", "restored", "connected"]);
    expect(ordersAt(here.sim, "pf/2026-11-23/SPY/buy")).toBe(0);
    expect(executedBy(await placed(broker, planOf({})))).toEqual(executedAt(here.sim));
  });

  it("1100 while an order waits for its turn to be sent: it is not sent, then or later", async () => {
    shown.add("link");
    using log = wireLog();
    await using here = await world({ wireLog: log.file });
    // Connecting and asking for what is known takes this second's messages, and this second goes on until told.
    let nowUtcMs = Date.now();
    const timers = { ...systemTimers, nowUtcMs: () => nowUtcMs };
    const broker = await here.connect({ messagesPerSecond: 7, timers });
    const placing = placed(broker, planOf({}));
    await expect.poll(() => log.sent("reqCurrentTime")).toHaveLength(2);
    await pause(systemTimers, 100);
    here.sim.trigger({ link: "down" });
    await expect.poll(() => broker.state.kind).toBe("degraded");
    nowUtcMs += 5000;
    expect(await placing).toEqual([
      expect.objectContaining({ kind: "cancelled", reason: expect.stringContaining("would send it later") }),
    ]);
    here.sim.trigger({ link: "up" });
    nowUtcMs += 5000;
    await broker.ready();
    expect(log.sent("placeOrder")).toEqual([]);
  });

  it.each(["down", "up_data_lost"] as const)(
    "a session that begins while the servers are away places nothing until they are back (then: %s)",
    async (end) => {
      shown.add("link");
      await using here = await world();
      here.sim.trigger({ link: "down" });
      const broker = await here.connect();
      expect(broker.state).toMatchObject({ kind: "degraded", code: 1100 });
      const refusal = { code: "PF_IBKR_NOT_CONNECTED", sent: false };
      await expect(placed(broker, planOf({}))).rejects.toMatchObject(refusal);
      const terms = { ...planOf({}).intents[0]!, reference: "pf/what-if" };
      await expect(broker.whatIf(terms)).rejects.toMatchObject(refusal);
      expect(ordersAt(here.sim, "pf/2026-11-23/SPY/buy")).toBe(0);
      here.sim.trigger({ link: end === "down" ? "up" : end });
      await broker.ready();
      expect(executedBy(await placed(broker, planOf({})))).toEqual(executedAt(here.sim));
    },
  );

  it("two interruptions, one upon the other: connected only when the second has been asked about", async () => {
    const asked: (() => void)[] = [];
    let socket: Socket | undefined;
    await using server = await rawServer(
      halfTws({
        accounts: "DUK200445",
        answer(fields, send, to) {
          socket = to;
          if (fields[0] === "49") asked.push(() => send(49, 1, 1_800_000_000));
        },
      }),
    );
    const say = (code: number) => socket!.write(frameOf(["4", "2", "-1", String(code), "", ""]));
    const states: string[] = [];
    const connecting = connectIbkr({
      host: server.host,
      port: server.port,
      clientId: 17,
      account: "DUK200445",
      mode: "paper",
      onState: ({ kind }) => states.push(kind),
    });
    await expect.poll(() => asked.length).toBe(1);
    asked[0]!();
    const broker = await connecting;
    // The first ending comes without its beginning, as when TWS was started meanwhile.
    for (const code of [1102, 1100, 1101]) say(code);
    await expect.poll(() => asked.length).toBe(2);
    asked[1]!();
    await expect.poll(() => asked.length).toBe(3);
    expect(states.at(-1)).toBe("restored");
    asked[2]!();
    await broker.ready();
    expect(states).toEqual(["connected", "restored", "degraded", "restored", "connected"]);
    await broker.close();
  });

  it("the next client id: orders of the first are followed, and never cancelled by a number that means another", async () => {
    await using here = await world();
    const broker = await here.connect({ clientIdsAfter: 1, clientIdRetryMs: 300 });
    const events: string[] = [];
    for await (const event of broker.place(planOf({ limit: 1 }))) {
      events.push(event.kind);
      if (event.kind !== "acknowledged") continue;
      here.sim.cut({ client: 17, idsHeldMs: 60_000 });
      await expect.poll(() => broker.state.kind).not.toBe("connected");
      await broker.ready();
      expect(broker.clientId).toBe(18);
      await expect(broker.cancel(event.reference)).rejects.toThrowError(/no such order of this client/);
      const { orderId, clientId } = here.sim.venue.openOrders()[0]!.order;
      here.sim.venue.cancel(clientId, orderId);
    }
    expect(events).toEqual(["acknowledged", "cancelled"]);
  });

  it("farm notices: heard, and nothing else", async () => {
    shown.add("farm");
    await using here = await world();
    const broker = await here.connect();
    const states = watch(broker);
    const codes: number[] = [];
    broker.onMessage(({ code }) => codes.push(code));
    for (const up of [false, true])
      here.sim.trigger({ farm: { name: "market", up } }, { farm: { name: "history", up } });
    await expect.poll(() => codes).toEqual([2103, 2105, 2104, 2106]);
    expect(states).toEqual([]);
  });

  it("a restart: reconnects by itself with the same id, and says so", async () => {
    shown.add("restart");
    await using here = await world();
    const broker = await here.connect();
    const states = watch(broker);
    here.sim.trigger({ restart: { down: "1s" } });
    await expect.poll(() => broker.state.kind).not.toBe("connected");
    await expect(broker.accountSummary()).rejects.toMatchObject({ code: "PF_IBKR_NOT_CONNECTED" });
    await broker.ready();
    expect(states[0]).toMatchObject({ kind: "reconnecting", attempt: 1 });
    expect(states.at(-1)).toMatchObject({ kind: "connected", clientId: 17 });
    expect(await broker.accountSummary()).toMatchObject({ settledCash: 2_500_000 });
  });

  it("a cut with the id still taken: the same id is tried until it is free", async () => {
    shown.add("cut");
    await using here = await world();
    const broker = await here.connect();
    here.sim.cut({ idsHeldMs: 1200 });
    await expect.poll(() => broker.state.kind).not.toBe("connected");
    await broker.ready();
    expect(broker.clientId).toBe(17);
  });

  it("an id that stays taken: the next one where that is allowed, else an error that names it", async () => {
    await using here = await world();
    await here.connect();
    const waits: number[] = [];
    const timers: typeof systemTimers = {
      ...systemTimers,
      after(ms, callback) {
        waits.push(ms);
        return systemTimers.after(ms, callback);
      },
    };
    await expect(here.connect({ clientIdRetryMs: 400, timers })).rejects.toMatchObject({
      code: "PF_IBKR_CLIENT_ID",
      clientId: 17,
    });
    // It waits as long as it was told, and no longer.
    const pauses = waits.filter((ms) => ms <= 400);
    expect(pauses[0]).toBe(250);
    expect(pauses.reduce((sum, ms) => sum + ms, 0)).toBeLessThanOrEqual(400);
    const other = await here.connect({ clientIdRetryMs: 400, clientIdsAfter: 1 });
    expect(other.clientId).toBe(18);
  });

  it("a server that stops answering is left and found again", async () => {
    shown.add("drop");
    await using here = await world();
    const broker = await here.connect({ heartbeatMs: 50 });
    here.sim.addScenario(parseScenario("rules: [{ on: { message: reqCurrentTime, times: 2 }, do: [drop] }]"));
    await expect.poll(() => broker.state.kind, { timeout: 40_000, interval: 20 }).not.toBe("connected");
    await broker.ready();
    expect(await broker.positions()).toEqual([]);
  });

  it.each([
    ["accountSummaryEnd", (broker: IbkrSession) => broker.accountSummary()],
    ["positionEnd", (broker: IbkrSession) => broker.positions()],
    ["contractDetailsEnd", (broker: IbkrSession) => broker.contract("SPY")],
  ])("a missing %s is a timeout, never a half answer", async (message, ask) => {
    await using here = await world({}, `- { on: { message: ${message}, times: all }, do: [drop] }`);
    const broker = await here.connect();
    await expect(ask(broker)).rejects.toMatchObject({ code: "PF_IBKR_TIMEOUT" });
  });
});

describe.concurrent("what the account may not do", () => {
  it("read-only: told apart from a rejection, and the second order is never sent", async () => {
    shown.add("read_only");
    await using here = await world({ fractional: "accept" });
    here.sim.trigger({ read_only: true });
    const broker = await here.connect();
    const events = await placed(broker, planOf({ symbol: "SPY" }, { symbol: "TLT" }));
    const rejected = events.find((event) => event.kind === "rejected");
    expect(rejected).toMatchObject({ brokerCode: 321 });
    expect(rejected?.kind === "rejected" && refusalOf(rejected.brokerCode, rejected.message)).toBe(
      "readOnly",
    );
    expect(events.find((event) => event.kind === "cancelled")).toMatchObject({
      reference: "pf/2026-11-23/TLT/buy",
      reason: expect.stringContaining("not sent"),
    });
    expect(executedAt(here.sim)).toEqual({});
    await expect(broker.whatIf(planOf({}).intents[0]!)).rejects.toMatchObject({ code: "PF_IBKR_READ_ONLY" });
    expect(await broker.probeFractional("SPY")).toMatchObject({ answer: "unknown", brokerCode: 321 });
  });

  it("fractions: refused with 10243 when asked and when sent, taken where the broker takes them", async () => {
    await using here = await world();
    const broker = await here.connect();
    expect(await broker.probeFractional("SPY")).toMatchObject({ answer: "no", brokerCode: 10243 });
    const events = await placed(broker, planOf({ shares: 1.5 }));
    const rejected = events.find((event) => event.kind === "rejected");
    expect(rejected).toMatchObject({ brokerCode: 10243 });
    expect(refusalOf(10243, "")).toBe("fractional");
    expect(executedAt(here.sim)).toEqual({});

    await using generous = await world({ fractional: "accept" });
    const other = await generous.connect();
    expect(await other.probeFractional("SPY")).toMatchObject({ answer: "yes" });
    const fills = await placed(other, planOf({ shares: 1.5 }));
    expect(executedBy(fills)).toEqual({ "pf/2026-11-23/SPY/buy": 15_000 });
  });

  it("market data: delayed prices say so, and none at all is an error in words", async () => {
    shown.add("market_data");
    await using here = await world();
    const live = await here.connect();
    here.sim.trigger({ market_data: "delayed" });
    const refused = await live.quotes(["SPY"]);
    expect(refused.missing.get("SPY")).toMatchObject({ code: "PF_IBKR_MARKET_DATA", brokerCode: 354 });
    const delayed = await here.connect({ clientId: 18, marketData: "delayed" });
    const { quotes } = await delayed.quotes(["SPY"]);
    expect(quotes.get("SPY")).toMatchObject({ feed: "delayed" });
    expect(quotes.get("SPY")!.doubts).toContain("delayed");
    expect(quotes.get("SPY")!.ageMs).toBeGreaterThanOrEqual(900_000);
    expect(quotes.get("SPY")!.last).toBeGreaterThan(0);
    here.sim.trigger({ market_data: "none" });
    expect((await delayed.quotes(["SPY"])).missing.get("SPY")).toMatchObject({ code: "PF_IBKR_MARKET_DATA" });
  });
});

describe("the simulator's scenario language", () => {
  it("has no fault that is not shown here", () => {
    let list = "";
    try {
      parseScenario("rules: [{ after: 0, do: [{}] }]");
    } catch (error) {
      list = /exactly one of ([a-z_, ]+)/.exec(String((error as Error).message))?.[1] ?? "";
    }
    const known = list
      .split(",")
      .map((name) => name.trim())
      .filter((name) => name !== "");
    expect(known.length).toBeGreaterThan(10);
    expect(known.filter((name) => !shown.has(name))).toEqual([]);
  });
});
