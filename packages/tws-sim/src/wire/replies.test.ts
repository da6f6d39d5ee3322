import { createRequire } from "node:module";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Contract, Execution, OrderState, VenueBar } from "../venue/venue.js";
import * as replies from "./replies.js";
import { maxServerVersion, minServerVersion, since } from "./versions.js";

// The decoder of another implementation of the protocol.
const { Decoder } = createRequire(import.meta.url)("@stoqey/ib/dist/core/io/decoder.js") as {
  Decoder: new (callback: object) => { enqueueMessage(fields: readonly string[]): void; process(): void };
};

/** What the other implementation reads into a message; its complaints are errors. */
function decoded(serverVersion: number, reply: replies.Reply): readonly (readonly unknown[])[] {
  const events: unknown[][] = [];
  const decoder = new Decoder({
    serverVersion,
    emitEvent: (name: string, ...values: unknown[]) => events.push([name, ...values]),
    emitInfo: (text: string, code: number) => events.push(["info", text, code]),
    emitError: (text: string, code: number, id?: number) => {
      if (id === undefined) throw new Error(text);
      events.push(["error", text, code, id]);
    },
  });
  decoder.enqueueMessage(reply.fields);
  decoder.process();
  return events;
}

const versions = Array.from(
  { length: maxServerVersion - minServerVersion + 1 },
  (_, at) => minServerVersion + at,
);
const version = fc.constantFrom(...versions);
const price = fc.integer({ min: 1, max: 10_000_000 }).map((cents) => cents / 100);
const amount = fc.integer({ min: 0, max: 100_000_000 }).map((parts) => String(parts / 10_000));
const text = fc.string({ unit: "grapheme", maxLength: 20 }).map((own) => own.replaceAll("\0", ""));

const contract: Contract = {
  ...{
    conId: 756733,
    symbol: "SPY",
    secType: "STK",
    currency: "USD",
    primaryExchange: "ARCA",
    marketName: "SPY",
  },
  ...{
    tradingClass: "SPY",
    longName: "SPDR S&P 500 ETF TRUST",
    stockType: "ETF",
    minTick: 0.01,
    minSize: 0.0001,
  },
  ...{ sizeIncrement: 0.0001, suggestedSizeIncrement: 100 },
};

const state: fc.Arbitrary<OrderState> = fc
  .record({
    orderId: fc.integer({ min: 1, max: 1e6 }),
    clientId: fc.integer({ min: 0, max: 1000 }),
    action: fc.constantFrom("BUY" as const, "SELL" as const),
    limit: fc.option(price, { nil: undefined }),
    quantity: amount,
    filled: amount,
    orderRef: text,
    permId: fc.integer({ min: 1, max: 2 ** 31 - 1 }).map(String),
    status: fc.constantFrom(
      "PreSubmitted" as const,
      "Submitted" as const,
      "Filled" as const,
      "Cancelled" as const,
    ),
    averagePrice: price,
  })
  .map(({ orderId, clientId, action, limit, quantity, orderRef, permId, status, filled, averagePrice }) => ({
    order: {
      ...{
        clientId,
        orderId,
        account: "DU1",
        conId: contract.conId,
        action,
        quantity,
        limit,
        auxPrice: undefined,
      },
      ...{
        orderType: limit === undefined ? "MKT" : "LMT",
        tif: "DAY",
        outsideRth: false,
        orderRef,
        transmit: true,
      },
      cashQuantity: "",
    },
    ...{ permId, status, filled, remaining: quantity, averagePrice, lastPrice: averagePrice },
    ...{ completedStatus: "Filled Size: 1", completedUtcMs: 0 },
  }));

const execution = fc.record({ order: state, shares: amount, price, commission: price }).map(
  (parts): Execution => ({
    ...{
      execId: "0000e0d5.69dd7411.01.01",
      utcMs: 0,
      exchange: "ARCA",
      side: "BOT",
      cumulative: parts.shares,
    },
    ...{ averagePrice: parts.price, realizedPnl: undefined },
    ...parts,
  }),
);

describe("another implementation reads, at every version,", () => {
  it("an open order field by field", () => {
    fc.assert(
      fc.property(version, state, (at, { order, permId, status, ...rest }) => {
        const sent = { order, permId, status, ...rest };
        const [[name, orderId, seen, own, seenState]] = decoded(
          at,
          replies.openOrder(at, sent, order.orderId, contract),
        ) as never as [[string, number, object, Record<string, unknown>, object]];
        expect([name, orderId, seen]).toMatchObject([
          "openOrder",
          order.orderId,
          { conId: 756733, symbol: "SPY", exchange: "SMART" },
        ]);
        expect(own).toMatchObject({
          ...{
            action: order.action,
            totalQuantity: Number(order.quantity),
            orderType: order.orderType,
            tif: "DAY",
          },
          ...{
            account: "DU1",
            orderRef: order.orderRef,
            clientId: order.clientId,
            permId: Number(permId),
            whatIf: false,
          },
        });
        if (order.limit !== undefined) expect(own.lmtPrice).toBe(order.limit);
        expect(seenState).toMatchObject({ status });
      }),
    );
  });

  it("an open order of as many fields as genuine servers send", () => {
    const counts = new Map<number, number>();
    const [sample] = fc.sample(state, 1);
    for (const at of versions) counts.set(at, replies.openOrder(at, sample!, 1, contract).fields.length);
    for (const at of [170, 173, 176]) expect(counts.get(at), `version ${at}`).toBe(136);
    for (const at of [177, 182]) expect(counts.get(at), `version ${at}`).toBe(135);
    for (const at of [185, 188]) expect(counts.get(at), `version ${at}`).toBe(138);
    for (const at of [189, 192]) expect(counts.get(at), `version ${at}`).toBe(139);
    expect(counts.get(193)).toBe(141);
  });

  it("the answer to a what-if", () => {
    const whatIf = {
      commission: 0.35,
      initMarginBefore: 0,
      initMarginAfter: 500,
      equityWithLoanBefore: 1000,
      equityWithLoanAfter: 999.65,
    };
    const [sample] = fc.sample(state, 1);
    for (const at of versions) {
      const [[, , , own, seenState]] = decoded(
        at,
        replies.openOrder(at, sample!, 1, contract, whatIf),
      ) as never as [unknown[]];
      expect(own).toMatchObject({ whatIf: true });
      expect(seenState).toMatchObject({
        ...{ status: "PreSubmitted", commission: 0.35, initMarginAfter: 500, equityWithLoanAfter: 999.65 },
        ...{ initMarginChange: 500, commissionCurrency: "USD", minCommission: undefined },
      });
    }
  });

  it("an order's status, its completion, an execution and its commission", () => {
    fc.assert(
      fc.property(version, execution, (at, one) => {
        const { order, permId, status, filled, remaining, averagePrice } = one.order;
        expect(decoded(at, replies.orderStatus(one.order, order.orderId, "SPY"))).toEqual([
          [
            ...[
              "orderStatus",
              order.orderId,
              status,
              Number(filled),
              Number(remaining),
              averagePrice,
              Number(permId),
              0,
            ],
            ...[averagePrice, order.clientId, "", 0],
          ],
        ]);
        const completed = replies.completedOrder(at, one.order, contract, "20251231 10:00:00");
        // Below 177 there is a field of advisors at 31, which this implementation alone does not read here.
        const fields =
          at < since.noFaProfile ? completed.fields.filter((_, place) => place !== 31) : completed.fields;
        const [[name, , done, doneState]] = decoded(at, { ...completed, fields }) as never as [unknown[]];
        expect([name, done, doneState]).toMatchObject([
          "completedOrder",
          { permId: Number(permId), orderRef: order.orderRef, account: "DU1" },
          { status, completedTime: "20251231 10:00:00", completedStatus: "Filled Size: 1" },
        ]);
        const [[, id, , seen]] = decoded(
          at,
          replies.execDetails(at, -1, one, order.orderId, contract, "20251231 10:00:00 US/Eastern"),
        ) as never as [unknown[]];
        expect([id, seen]).toMatchObject([
          -1,
          {
            execId: one.execId,
            shares: Number(one.shares),
            price: one.price,
            orderRef: order.orderRef,
            permId: Number(permId),
          },
        ]);
        const [[, report]] = decoded(at, replies.commissionReport(one, "SPY")) as never as [unknown[]];
        expect(report).toMatchObject({ execId: one.execId, commission: one.commission, currency: "USD" });
      }),
    );
  });

  it("contract details", () => {
    for (const at of versions) {
      const events = decoded(at, replies.contractDetails(at, 3, contract, { trading: "t", liquid: "l" }));
      expect(events).toMatchObject([
        [
          ...["contractDetails", 3],
          {
            contract: { conId: 756733, symbol: "SPY", primaryExch: "ARCA" },
            minTick: 0.01,
            liquidHours: "l",
            stockType: "ETF",
          },
        ],
      ]);
      if (at >= 164)
        expect(events[0]![2]).toMatchObject({
          minSize: 0.0001,
          sizeIncrement: 0.0001,
          suggestedSizeIncrement: 100,
        });
    }
  });

  it("bars, any number of them", () => {
    const bar = fc.record({
      open: price,
      high: price,
      low: price,
      close: price,
      wap: price,
      volume: fc.nat(),
      count: fc.nat(),
    });
    fc.assert(
      fc.property(version, fc.array(bar, { maxLength: 20 }), (at, bars) => {
        const sent = bars.map((one, n) => ({
          ...one,
          beginsUtcMs: n,
          session: "2025-12-31",
        })) as unknown as VenueBar[];
        const events = decoded(
          at,
          replies.historicalData(4, "SPY", "a", "b", sent, () => "20251231"),
        );
        expect(events.length).toBe(bars.length + 1);
        bars.forEach(({ open, high, low, close, volume, count, wap }, n) => {
          expect(events[n]!.slice(0, 10)).toEqual([
            "historicalData",
            4,
            "20251231",
            open,
            high,
            low,
            close,
            volume,
            count,
            wap,
          ]);
        });
        expect(events.at(-1)![2]).toBe("finished-a-b");
      }),
    );
  });

  it("errors, whatever their text", () => {
    fc.assert(
      fc.property(version, text, fc.integer({ min: 1, max: 20_000 }), (at, words, code) => {
        // Escapes are one way only: what looks like one already is taken for one.
        fc.pre(!words.includes("\\u"));
        expect(decoded(at, replies.error(at, 7, code, words))).toEqual([["error", words, code, 7]]);
        expect(decoded(at, replies.error(at, -1, code, words))).toEqual([["info", words, code]]);
      }),
    );
  });

  it("everything else", () => {
    const held = { conId: 756733, quantity: "1.5", averageCost: 500.25 };
    const valued = { price: 501, value: 751.5, unrealized: 1.13 };
    const rest: readonly ((at: number) => replies.Reply)[] = [
      () => replies.nextValidId(1),
      () => replies.managedAccounts(["DU1", "DU2"]),
      () => replies.currentTime(1e12),
      () => replies.accountSummary(1, "DU1", "NetLiquidation", "1.00", "USD"),
      () => replies.accountSummaryEnd(1),
      () => replies.position("DU1", contract, held),
      () => replies.positionEnd,
      () => replies.positionMulti(1, "DU1", contract, held, ""),
      () => replies.positionMultiEnd(1),
      () => replies.contractDetailsEnd(1),
      () => replies.historicalSchedule(1, "SPY", "a", "b", [{ start: "a", end: "b", date: "c" }]),
      () => replies.headTimestamp(1, "20150102-14:30:00"),
      () => replies.marketDataType(1, 3),
      () => replies.tickReqParams(1, 0.01),
      () => replies.tickPrice(1, "SPY", 1, 500.01, 300),
      () => replies.tickSize(1, "SPY", 0, 300),
      () => replies.tickString(1, "SPY", 45, "1767187800"),
      () => replies.tickSnapshotEnd(1),
      () => replies.openOrderEnd,
      () => replies.completedOrdersEnd,
      () => replies.execDetailsEnd(1),
      () => replies.updateAccountValue("NetLiquidation", "1.00", "USD", "DU1"),
      () => replies.updatePortfolio("DU1", contract, held, valued),
      () => replies.updateAccountTime("15:30"),
      () => replies.accountDownloadEnd("DU1"),
      () => replies.accountUpdateMulti(1, "DU1", "", "NetLiquidation", "1.00", "USD"),
      () => replies.accountUpdateMultiEnd(1),
      () => replies.pnl(1, 2.5, 1.5, 1),
      () => replies.pnlSingle(1, "10", 1.5, 5000),
      () => replies.marketRule(26, 0.01),
      (at) => replies.symbolSamples(at, 1, [contract]),
      () => replies.securityDefinitionOptionParameterEnd(1),
      () => replies.userInfo(1),
      () => replies.familyCodes(["DU1"]),
      () => replies.newsProviders,
      () => replies.mktDepthExchanges,
    ];
    for (const at of versions) {
      for (const make of rest) {
        const reply = make(at);
        const events = decoded(at, reply);
        expect(events.length, `${reply.name} at ${at}`).toBeGreaterThan(0);
        expect(events[0]![0], `version ${at}`).toBe(reply.name);
      }
    }
    const named = new Set(rest.map((make) => make(193).name));
    const covered = [
      "openOrder",
      "orderStatus",
      "completedOrder",
      "execDetails",
      "commissionReport",
      "contractDetails",
      "historicalData",
      "error",
    ];
    // The handshake is no message, and one kind of tick is never sent.
    const beyond = ["serverVersion", "tickGeneric"];
    expect([...named, ...covered, ...beyond].sort()).toEqual([...replies.replyNames].sort());
  });
});
