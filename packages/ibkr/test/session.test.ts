import type { ApprovedPlan } from "@pf/compliance";
import { newYorkToUtcMs, sessionDate } from "@pf/market";
import { type OrderEvent, quantityOfShares } from "@pf/orders";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { connectIbkr, type IbkrOptions } from "../src/index.js";
import { chopper } from "./chopper.js";
import { interloper } from "./interloper.js";
import { type HalfTws, halfTws, rawServer } from "./rawServer.js";
import {
  executedAt,
  executedBy,
  kinds,
  ordersAt,
  placed,
  planFor,
  planOf,
  session,
  shortTimes,
  wireLog,
  world,
} from "./world.js";

const spyBuy = "pf/2026-11-23/SPY/buy";
const code = (name: string, facts: object = {}) => expect.objectContaining({ code: name, ...facts });

describe("connectIbkr", () => {
  const options: IbkrOptions = {
    host: "127.0.0.1",
    port: 9,
    clientId: 17,
    account: "DUK200445",
    mode: "paper",
  };
  const tws = (how: HalfTws = {}) =>
    rawServer(
      halfTws({
        ...how,
        answer(fields, send, socket) {
          if (fields[0] === "49") send(49, 1, Math.floor(Date.now() / 1000) + 3600);
          how.answer?.(fields, send, socket);
        },
      }),
    );

  it.each<[Partial<IbkrOptions>, string]>([
    [{ host: " " }, "PF_IBKR_OPTIONS"],
    [{ port: 0 }, "PF_IBKR_OPTIONS"],
    [{ port: 70_000 }, "PF_IBKR_OPTIONS"],
    [{ clientId: 0 }, "PF_IBKR_OPTIONS"],
    [{ clientId: 1.5 }, "PF_IBKR_OPTIONS"],
    [{ account: "" }, "PF_IBKR_OPTIONS"],
    [{ account: "U1234567" }, "PF_IBKR_ACCOUNT_MODE"],
    [{ mode: "live" }, "PF_IBKR_ACCOUNT_MODE"],
    [{ mode: "live", account: "DF1234567" }, "PF_IBKR_ACCOUNT_MODE"],
  ])("refuses %j before it connects", async (wrong, name) => {
    await using server = await tws();
    await expect(connectIbkr({ ...options, port: server.port, ...wrong })).rejects.toThrowError(code(name));
    expect(server.sockets).toHaveLength(0);
  });

  it.each(["DU999", "U1234567", "DUK2004455", ""])(
    "leaves a TWS that manages %j alone, without a single question",
    async (accounts) => {
      const asked: string[] = [];
      await using server = await tws({ accounts, answer: ([kind]) => void asked.push(kind!) });
      await expect(connectIbkr({ ...options, port: server.port })).rejects.toThrowError(
        code("PF_IBKR_ACCOUNT", { account: "DUK200445" }),
      );
      expect(asked).toEqual(["71"]);
    },
  );

  it.each([
    ["live", "1"],
    ["delayed", "3"],
    ["delayedFrozen", "4"],
  ] as const)("asks for %s market data with type %s", async (marketData, type) => {
    const asked: string[][] = [];
    await using server = await tws({
      accounts: "DU1,DUK200445",
      answer: (fields) => void asked.push([...fields]),
    });
    const broker = await connectIbkr({ ...options, port: server.port, marketData });
    expect(asked).toContainEqual(["59", "1", type]);
    expect(broker.managedAccounts).toEqual(["DU1", "DUK200445"]);
    const { skewMs } = await broker.serverTime();
    expect(Math.abs(skewMs - 3_600_000)).toBeLessThan(1500);
    expect(Math.abs(broker.clock.nowUtcMs() - Date.now() - 3_600_000)).toBeLessThan(1500);
    await broker.close();
  });

  it("says every state from the first on, and nothing after closed", async () => {
    await using server = await tws({ accounts: "DUK200445" });
    const states: string[] = [];
    const broker = await connectIbkr({
      ...options,
      port: server.port,
      reconnect: { firstMs: 10, longestMs: 10, giveUpAfterMs: 100 },
      onState: ({ kind }) => states.push(kind),
    });
    await server[Symbol.asyncDispose]();
    await expect.poll(() => broker.state.kind).toBe("closed");
    expect(states.slice(0, 3)).toEqual(["connected", "reconnecting", "connecting"]);
    expect(states.at(-1)).toBe("closed");
    expect(states.filter((kind) => kind === "closed")).toHaveLength(1);
    await expect(broker.ready()).rejects.toThrowError(code("PF_IBKR_NOT_CONNECTED"));
  });

  it("ends when it is told to, in the middle of connecting as well", async () => {
    await using server = await rawServer(() => {});
    const stop = new AbortController();
    const connecting = connectIbkr({ ...options, port: server.port, signal: stop.signal });
    setTimeout(() => stop.abort(new Error("enough")), 50);
    await expect(connecting).rejects.toThrowError();
  });

  it("closes for good when TWS comes back with another account", async () => {
    let login = "DUK200445";
    await using server = await rawServer((socket) =>
      halfTws({
        accounts: login,
        answer: ([kind], send) => void (kind === "49" && send(49, 1, 1_800_000_000)),
      })(socket),
    );
    const broker = await connectIbkr({ ...options, port: server.port, reconnect: { firstMs: 10 } });
    login = "U1234567";
    server.sockets[0]!.destroy();
    await expect
      .poll(() => broker.state)
      .toMatchObject({ kind: "closed", reason: expect.stringContaining("U1234567") });
  });
});

describe("a session", () => {
  it("reads the account, contracts, the time and quotes; one bad symbol costs no other", async () => {
    await using here = await world();
    const broker = await here.connect();
    expect(broker.state).toMatchObject({ kind: "connected", serverVersion: 193 });
    expect(await broker.accountSummary()).toMatchObject({ settledCash: 2_500_000, currency: "USD" });
    expect(await broker.positions()).toEqual([]);
    const info = await broker.contract("SPY");
    expect(info).toMatchObject({ symbol: "SPY", minTick: 0.01, sizeIncrement: 1 });
    const { serverUtcMs } = await broker.serverTime();
    expect(Math.abs(serverUtcMs - here.sim.now())).toBeLessThan(2000);
    const { quotes, missing } = await broker.quotes(["SPY", "NOPE", "TLT"]);
    expect([...quotes.keys()]).toEqual(["SPY", "TLT"]);
    expect(quotes.get("SPY")).toMatchObject({ feed: "live", doubts: [] });
    expect([...missing.keys()]).toEqual(["NOPE"]);
    await expect(broker.contract("NOPE")).rejects.toThrowError(code("PF_IBKR_UNKNOWN_SYMBOL"));
  });

  it.each([157, 163, 176, 178, 185, 189, 193])(
    "trades with a server of version %i",
    async (serverVersion) => {
      await using here = await world({ serverVersion });
      const broker = await here.connect();
      expect(broker.serverVersion).toBe(serverVersion);
      const events = await placed(broker, planOf({ shares: 3 }));
      expect(kinds(events)).toEqual(["acknowledged", "filled", "commission"]);
      expect(executedBy(events)).toEqual(executedAt(here.sim));
      expect(await broker.positions()).toEqual([
        expect.objectContaining({ symbol: "SPY", quantity: 30_000 }),
      ]);
    },
  );

  it.each([[[1]], [[3, 1, 70, 2]]])("does not care how bytes are cut: %j", async (sizes) => {
    await using here = await world();
    await using between = await chopper(here.sim, sizes);
    const broker = await here.connect({ host: between.host, port: between.port });
    const events = await placed(broker, planOf({}));
    expect(kinds(events)).toEqual(["acknowledged", "filled", "commission"]);
    expect(executedBy(events)).toEqual(executedAt(here.sim));
  });

  it("survives anything that a server may send, and trades afterwards", async () => {
    await using here = await world();
    const broker = await here.connect();
    const text = fc.oneof(
      fc.constantFrom("", "0", "-1", "5", "DUK200445", "SPY", "BUY", "BOT", spyBuy),
      fc.string(),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.tuple(fc.constantFrom("3", "4", "5", "11", "59", "101"), fc.array(text, { maxLength: 40 })),
          { maxLength: 6 },
        ),
        async (messages) => {
          await using server = await rawServer(
            halfTws({
              accounts: "DUK200445",
              answer(fields, send) {
                if (fields[0] === "7") send(55, 1, fields[2]!);
                if (fields[0] !== "49") return;
                send(49, 1, 1_800_000_000);
                for (const [kind, rest] of messages)
                  send(kind, ...rest.map((one) => one.replaceAll("\0", "")));
              },
            }),
          );
          const other = await here
            .connect({ port: server.port, clientId: 18, reconnect: false })
            .catch(() => undefined);
          await other?.executions().catch(() => {});
          await other?.close();
        },
      ),
      { numRuns: 40 },
    );
    expect(kinds(await placed(broker, planOf({})))).toEqual(["acknowledged", "filled", "commission"]);
  }, 300_000);
});

describe("placing", () => {
  it("states everything that a preset of the terminal could change", async () => {
    using log = wireLog();
    await using here = await world({ wireLog: log.file });
    const broker = await here.connect();
    await placed(broker, planOf({ shares: 2 }, { symbol: "TLT", shares: 4, limit: 500 }));
    const [market, limit] = log.sent("placeOrder");
    expect([16, 17, 18, 19, 21, 23, 26, 27, 33].map((at) => market![at])).toEqual([
      "BUY",
      "2",
      "MKT",
      "",
      "DAY",
      "DUK200445",
      spyBuy,
      "1",
      "0",
    ]);
    expect([16, 17, 18, 19].map((at) => limit![at])).toEqual(["BUY", "4", "LMT", "500"]);
    // The contract by its id, nothing left to be matched.
    expect(Number(market![2])).toBeGreaterThan(0);
  });

  it("sells before it buys, each order when the one before was answered", async () => {
    using log = wireLog();
    await using here = await world({ wireLog: log.file });
    const broker = await here.connect();
    await placed(broker, planOf({ symbol: "TLT", shares: 5 }));
    const events = await placed(
      broker,
      planFor({ attempt: 2 }, { symbol: "TLT", side: "sell", shares: 5 }, { symbol: "SPY", shares: 3 }),
    );
    expect(executedBy(events)).toEqual({
      "pf/2026-11-23/TLT/sell/2": 50_000,
      "pf/2026-11-23/SPY/buy/2": 30_000,
    });
    expect(log.sent("placeOrder").map((fields) => fields[26])).toEqual([
      "pf/2026-11-23/TLT/buy",
      "pf/2026-11-23/TLT/sell/2",
      "pf/2026-11-23/SPY/buy/2",
    ]);
    const ids = log.sent("placeOrder").map((fields) => Number(fields[1]));
    expect(ids).toEqual([...new Set(ids)].sort((a, b) => a - b));
  });

  it("takes nothing but what the review approved, as it approved it", async () => {
    await using here = await world();
    const broker = await here.connect();
    const plan = planOf({});
    await expect(placed(broker, { ...plan } as ApprovedPlan)).rejects.toThrowError(
      code("PF_PLAN_NOT_APPROVED"),
    );
    await expect(placed(broker, planFor({ account: "DU999" }, {}))).rejects.toThrowError(
      /the plan is for DU999/,
    );
    expect(ordersAt(here.sim, spyBuy)).toBe(0);
  });

  it.each([
    ["before the open", "2026-11-23", "09:00"],
    ["after the close", "2026-11-23", "16:10"],
    ["on another session", "2026-11-24", "15:55"],
    ["after the window of the plan", "2026-11-23", "15:59:40"],
  ])("sends nothing %s", async (_, date, time) => {
    const [clock, seconds = "0"] = [time.slice(0, 5), time.slice(6)];
    const startUtcMs = newYorkToUtcMs(sessionDate(date), clock) + Number(seconds || 0) * 1000;
    await using here = await world({ startUtcMs });
    const broker = await here.connect();
    await expect(placed(broker, planOf({}))).rejects.toThrowError(code("PF_IBKR_MARKET_CLOSED", { session }));
    expect(ordersAt(here.sim, spyBuy)).toBe(0);
  });

  it("stops at a rejection, also where one after it is at the broker already and is followed", async () => {
    const reject = "{ reject: { code: 201, message: no } }";
    await using here = await world({}, `  - { on: { message: placeOrder, symbol: SPY }, do: [${reject}] }`);
    const first = await here.connect();
    for await (const _ of first.place(planOf({ symbol: "TLT", limit: 1 }))) break;
    await first.close();
    const broker = await here.connect();
    const plan = planOf({}, { symbol: "TLT", limit: 1 }, { symbol: "GLD" });
    const events = await placed(broker, plan, { cancelAtUtcMs: Date.now() + 3000 });
    expect(events.filter(({ reference }) => reference === spyBuy).at(-1)).toMatchObject({ kind: "rejected" });
    expect(events.filter(({ reference }) => reference === "pf/2026-11-23/GLD/buy")).toEqual([
      { kind: "cancelled", reference: "pf/2026-11-23/GLD/buy", reason: `not sent: ${spyBuy} was rejected` },
    ]);
    expect(ordersAt(here.sim, "pf/2026-11-23/GLD/buy")).toBe(0);
  });

  it("asks before each order whether it may still be sent, and sends nothing after the first no", async () => {
    await using here = await world();
    const broker = await here.connect();
    const answers = [undefined, "somebody said stop"];
    const plan = planOf({}, { symbol: "TLT" }, { symbol: "GLD" });
    const events = await placed(broker, plan, { whyNotSend: () => answers.shift() });
    expect(answers).toEqual([]);
    const ends = events.filter(({ kind }) => kind === "filled" || kind === "cancelled");
    expect(ends.map(({ reference, kind }) => [reference, kind]).sort()).toEqual([
      ["pf/2026-11-23/GLD/buy", "cancelled"],
      [spyBuy, "filled"],
      ["pf/2026-11-23/TLT/buy", "cancelled"],
    ]);
    for (const end of ends) {
      if (end.kind === "cancelled") expect(end.reason).toBe("not sent: somebody said stop");
    }
    expect(ordersAt(here.sim, "pf/2026-11-23/TLT/buy")).toBe(0);
    expect(ordersAt(here.sim, "pf/2026-11-23/GLD/buy")).toBe(0);
  });

  it("sends nothing where nobody can say whether it may still be sent", async () => {
    await using here = await world();
    const broker = await here.connect();
    const whyNotSend = () => {
      throw new Error("the journal cannot be read");
    };
    await expect(placed(broker, planOf({}), { whyNotSend })).rejects.toThrowError("cannot be read");
    expect(ordersAt(here.sim, spyBuy)).toBe(0);
    expect(broker.state.kind).toBe("connected");
  });

  it("leaves nothing in the library: what is tried while TWS is away never reaches it", async () => {
    using log = wireLog();
    await using here = await world({ wireLog: log.file });
    const broker = await here.connect();
    here.sim.trigger({ restart: { down: "1500ms" } });
    await expect.poll(() => broker.state.kind).not.toBe("connected");
    const before = ["placeOrder", "cancelOrder", "reqMktData", "reqPositions"].map(
      (name) => log.sent(name).length,
    );

    const notNow = code("PF_IBKR_NOT_CONNECTED");
    await expect(placed(broker, planOf({}))).rejects.toThrowError(notNow);
    await expect(broker.whatIf(planOf({}).intents[0]!)).rejects.toThrowError(notNow);
    await expect(broker.cancel(spyBuy)).rejects.toThrowError(notNow);
    await expect(broker.positions()).rejects.toThrowError(notNow);
    await expect(broker.executions()).rejects.toThrowError(notNow);
    expect((await broker.quotes(["SPY"])).missing.get("SPY")).toMatchObject({
      code: "PF_IBKR_NOT_CONNECTED",
    });
    expect((await broker.findByReference([spyBuy])).get(spyBuy)).toMatchObject({ kind: "unanswered" });

    await broker.ready();
    await broker.serverTime();
    const after = ["placeOrder", "cancelOrder", "reqMktData", "reqPositions"].map(
      (name) => log.sent(name).length,
    );
    expect(after).toEqual(before);
    expect(ordersAt(here.sim, spyBuy)).toBe(0);
  });

  it("that nobody listens to any more stops, and what was sent is found by its reference", async () => {
    await using here = await world();
    const broker = await here.connect();
    for await (const event of broker.place(planOf({ limit: 1 }, { symbol: "TLT", limit: 1 }))) {
      expect(event.kind).toBe("acknowledged");
      break;
    }
    const standing = await broker.resolveUnknown(spyBuy);
    expect(standing).toMatchObject({ kind: "open", quantity: 20_000, fills: [] });
    expect(ordersAt(here.sim, "pf/2026-11-23/TLT/buy")).toBeLessThanOrEqual(1);
  });

  it("is taken up by the next run of the program: found, followed, never sent again", async () => {
    using log = wireLog();
    await using here = await world({ wireLog: log.file });
    const first = await here.connect();
    const stop = new AbortController();
    const dying = (async () => {
      for await (const event of first.place(planOf({ limit: 1 }, { symbol: "TLT" }), { signal: stop.signal }))
        if (event.kind === "commission") stop.abort(new Error("killed"));
    })();
    await expect(dying).rejects.toThrowError("killed");
    await first.close();

    const second = await here.connect();
    const found = await second.findByReference([spyBuy, "pf/2026-11-23/TLT/buy", "pf/2026-11-23/GLD/buy"]);
    expect([...found.values()].map(({ kind }) => kind)).toEqual(["open", "filled", "absent"]);
    const events: OrderEvent[] = [];
    for await (const event of second.follow([...found.keys()], { cancelAtUtcMs: Date.now() + 300 }))
      events.push(event);
    expect([...kinds(events)].sort()).toEqual([
      "acknowledged",
      "acknowledged",
      "cancelled",
      "commission",
      "filled",
    ]);
    expect(executedBy(events)).toEqual(executedAt(here.sim));
    expect(kinds(await placed(second, planOf({ symbol: "TLT" })))).toEqual([
      "acknowledged",
      "filled",
      "commission",
    ]);
    await second.serverTime();
    expect(log.sent("placeOrder")).toHaveLength(2);
  });

  it("an order that rests is cancelled when asked", async () => {
    await using here = await world();
    const broker = await here.connect();
    const events: OrderEvent[] = [];
    for await (const event of broker.place(planOf({ limit: 1 }))) {
      events.push(event);
      if (event.kind === "acknowledged") await broker.cancel(event.reference);
    }
    expect(kinds(events)).toEqual(["acknowledged", "cancelled"]);
    await expect(broker.cancel("pf/2026-11-23/GLD/buy")).rejects.toThrowError(/no such order of this client/);
  });

  it("a what-if order tells what it would take, and leaves nothing behind", async () => {
    await using here = await world();
    const broker = await here.connect();
    const answer = await broker.whatIf(planOf({ shares: 5 }).intents[0]!);
    expect(answer.initMarginAfter).toBeGreaterThan(answer.initMarginBefore!);
    expect(await broker.openOrders()).toEqual([]);
    expect(await broker.executions()).toEqual([]);
    const tooMuch = { ...planOf({}).intents[0]!, quantity: quantityOfShares(100_000) };
    await expect(broker.whatIf(tooMuch)).rejects.toThrowError(code("PF_IBKR_REFUSED", { brokerCode: 201 }));
  });

  it("knows what happened while TWS was away before it says that it is connected again", async () => {
    await using here = await world();
    const broker = await here.connect();
    const heard: OrderEvent[] = [];
    broker.onOrderEvent((event) => heard.push(event));
    // Nobody follows the order any more, so nobody but the session itself can ask.
    for await (const event of broker.place(planOf({}))) if (event.kind === "acknowledged") break;
    here.sim.trigger({ restart: { down: "2s" } });
    await expect.poll(() => broker.state.kind).not.toBe("connected");
    expect(kinds(heard)).toEqual(["acknowledged"]);
    await broker.ready();
    expect(executedBy(heard)).toEqual({ [spyBuy]: 20_000 });
  });

  it("sees nothing of another account that the same user has", async () => {
    const accounts = ["DUK200445", "DU999"].map((id) => ({ id, cashCents: 2_500_000 }));
    await using here = await world({ accounts });
    const broker = await here.connect();
    const other = await here.connect({ account: "DU999", clientId: 18 });
    const heard: OrderEvent[] = [];
    broker.onOrderEvent((event) => heard.push(event));
    const theirs = planFor({ account: "DU999" }, { shares: 3 }, { symbol: "TLT", limit: 1 });
    await placed(other, theirs, { cancelAtUtcMs: Date.now() + 1500 });
    for (const seen of [await broker.openOrders(), await broker.completedOrders(), await broker.executions()])
      expect(seen).toEqual([]);
    expect(await broker.positions()).toEqual([]);
    expect(await broker.accountSummary()).toMatchObject({ totalCash: 2_500_000 });
    expect(heard).toEqual([]);
    expect((await broker.findByReference([spyBuy])).get(spyBuy)).toMatchObject({
      kind: "absent",
      events: [],
    });
    expect((await other.completedOrders()).length).toBe(2);
  });

  it.each([
    ["another account's order of a kind unknown here", ["5"], { account: "DU999", side: "EXERCISE" }],
    ["another account's execution at no price", ["11"], { account: "DU999", price: "0.0" }],
    ["an option that expires", ["11"], { secType: "OPT", price: "0.0" }],
    ["a spread that pays", ["11"], { secType: "BAG", price: "-1.25", shares: "1E-9x" }],
    ["an order of coins", ["5", "101"], { secType: "CRYPTO", shares: "1.7976931348623157E308" }],
  ])("is not disturbed by %s", async (_, messages, changes) => {
    await using here = await world();
    const places: Readonly<Record<string, Readonly<Record<string, number>>>> = {
      "5": { secType: 4, account: 20, side: 13, shares: 14 },
      "11": { secType: 5, account: 16, side: 18, shares: 19, price: 20 },
      "101": { secType: 3, account: 19, side: 12, shares: 13 },
    };
    let told = 0;
    await using between = await interloper(here.sim, (fields) => {
      if (!messages.includes(fields[0]!)) return [];
      told++;
      const strange = [...fields];
      for (const [name, value] of Object.entries(changes)) strange[places[fields[0]!]![name]!] = value;
      return [strange];
    });
    const broker = await here.connect({ host: between.host, port: between.port });
    const states: string[] = [];
    broker.onState(({ kind }) => states.push(kind));
    const events = await placed(broker, planOf({ shares: 2 }, { symbol: "TLT", shares: 3 }));
    expect(executedBy(events)).toEqual(executedAt(here.sim));
    const { kind, fills } = (await broker.findByReference([spyBuy])).get(spyBuy)!;
    expect([kind, fills.length]).toEqual(["filled", 1]);
    expect(told).toBeGreaterThan(1);
    expect(states).toEqual([]);
  });

  it("goes on quietly with other programs' orders around it", async () => {
    await using here = await world();
    const broker = await here.connect();
    const other = await here.connect({ clientId: 18, orderTimes: shortTimes });
    const [mine, theirs] = await Promise.all([
      placed(broker, planOf({ shares: 2 })),
      placed(other, planOf({ symbol: "TLT", shares: 7 })),
    ]);
    expect({ ...executedBy(mine), ...executedBy(theirs) }).toEqual(executedAt(here.sim));
    for (const events of [mine, theirs])
      expect(kinds(events)).toEqual(["acknowledged", "filled", "commission"]);
  });
});
