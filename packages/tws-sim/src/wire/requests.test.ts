import { createRequire } from "node:module";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { UnreadableMessageError } from "./fields.js";
import { readRequest, requestNames } from "./requests.js";
import { maxServerVersion, minServerVersion, negotiate, since } from "./versions.js";

// The encoder of another implementation of the protocol.
const { Encoder } = createRequire(import.meta.url)("@stoqey/ib/dist/core/io/encoder.js") as {
  Encoder: new (callback: object) => Record<string, (...values: unknown[]) => void>;
};

const version = fc.integer({ min: minServerVersion, max: maxServerVersion });

/** The fields that the other implementation sends for a call at a version. */
function encoded(serverVersion: number, call: string, ...values: unknown[]): string[] {
  let sent: unknown[] = [];
  const encoder = new Encoder({
    serverVersion,
    sendMsg: (tokens: unknown[]) => {
      sent = tokens.flat(5);
    },
    emitError: (message: string) => {
      throw new Error(message);
    },
  });
  encoder[call]!(...values);
  return sent.map((token) => {
    if (token === undefined || token === null) return "";
    return typeof token === "boolean" ? (token ? "1" : "0") : String(token);
  });
}

const spy = { symbol: "SPY", secType: "STK", exchange: "SMART", currency: "USD" };
const contract = expect.objectContaining(spy);

describe("readRequest", () => {
  const calls: readonly (readonly [call: string, values: readonly unknown[], expected: object])[] = [
    ["reqMarketDataType", [3], { name: "reqMarketDataType", type: 3 }],
    [
      "reqAccountSummary",
      [7, "All", "A,B"],
      { name: "reqAccountSummary", id: 7, group: "All", tags: ["A", "B"] },
    ],
    ["cancelAccountSummary", [7], { name: "cancelAccountSummary", id: 7 }],
    ["reqPositions", [], { name: "reqPositions" }],
    ["cancelPositions", [], { name: "cancelPositions" }],
    ["reqContractDetails", [8, spy], { name: "reqContractDetails", id: 8, contract }],
    [
      "reqHistoricalData",
      [9, spy, "20251231 15:00:00 US/Eastern", "1 Y", "1 day", "TRADES", 1, 2, false],
      {
        ...{
          name: "reqHistoricalData",
          id: 9,
          contract,
          end: "20251231 15:00:00 US/Eastern",
          duration: "1 Y",
        },
        ...{
          barSize: "1 day",
          whatToShow: "TRADES",
          regularHoursOnly: true,
          formatDate: 2,
          keepUpToDate: false,
        },
      },
    ],
    ["cancelHistoricalData", [9], { name: "cancelHistoricalData", id: 9 }],
    [
      "reqMktData",
      [10, spy, "233", true, false],
      {
        name: "reqMktData",
        id: 10,
        contract,
        genericTicks: "233",
        snapshot: true,
        regulatorySnapshot: false,
      },
    ],
    ["cancelMktData", [10], { name: "cancelMktData", id: 10 }],
    ["cancelOrder", [11, {}], { name: "cancelOrder", id: 11 }],
    ["reqGlobalCancel", [{}], { name: "reqGlobalCancel" }],
    ["reqOpenOrders", [], { name: "reqOpenOrders" }],
    ["reqAllOpenOrders", [], { name: "reqAllOpenOrders" }],
    ["reqAutoOpenOrders", [true], { name: "reqAutoOpenOrders", bind: true }],
    ["reqCompletedOrders", [true], { name: "reqCompletedOrders", apiOnly: true }],
    [
      "reqExecutions",
      [12, { symbol: "SPY", side: "BUY" }],
      { name: "reqExecutions", id: 12, clientId: undefined, symbol: "SPY", side: "BUY", time: "" },
    ],
    ["reqIds", [1], { name: "reqIds" }],
    ["reqManagedAccts", [], { name: "reqManagedAccts" }],
    ["reqCurrentTime", [], { name: "reqCurrentTime" }],
    ["reqAccountUpdates", [true, "DU1"], { name: "reqAccountUpdates", subscribe: true, account: "DU1" }],
    [
      "reqAccountUpdatesMulti",
      [13, "DU1", "", true],
      { name: "reqAccountUpdatesMulti", id: 13, account: "DU1" },
    ],
    ["reqPositionsMulti", [14, "DU1", ""], { name: "reqPositionsMulti", id: 14, account: "DU1" }],
    ["reqPnL", [15, "DU1", ""], { name: "reqPnL", id: 15, account: "DU1" }],
    ["reqPnLSingle", [16, "DU1", "", 42], { name: "reqPnLSingle", id: 16, account: "DU1", conId: 42 }],
    [
      "reqHeadTimestamp",
      [17, spy, "TRADES", true, 1],
      { name: "reqHeadTimestamp", id: 17, contract, whatToShow: "TRADES", formatDate: 1 },
    ],
    ["reqMatchingSymbols", [18, "SP"], { name: "reqMatchingSymbols", id: 18, pattern: "SP" }],
    ["reqMarketRule", [26], { name: "reqMarketRule", id: 26 }],
    ["reqSecDefOptParams", [19, "SPY", "", "STK", 1], { name: "reqSecDefOptParams", id: 19 }],
    ["reqNewsBulletins", [true], { name: "reqNewsBulletins" }],
    ["setServerLogLevel", [2], { name: "setServerLogLevel" }],
    ["reqFamilyCodes", [], { name: "reqFamilyCodes" }],
    ["reqMktDepthExchanges", [], { name: "reqMktDepthExchanges" }],
    ["reqNewsProviders", [], { name: "reqNewsProviders" }],
    ["reqMktDepth", [20, spy, 5, false], { name: "unsupported", request: "reqMktDepth", id: 20 }],
    [
      "reqRealTimeBars",
      [21, spy, 5, "TRADES", true],
      { name: "unsupported", request: "reqRealTimeBars", id: 21 },
    ],
  ];

  it.each(calls)("understands %s of another implementation at every version", (call, values, expected) => {
    for (let at = minServerVersion; at <= maxServerVersion; at++) {
      expect(readRequest(encoded(at, call, ...values), at), `version ${at}`).toMatchObject(expected);
    }
  });

  it("understands an order at every version, whatever optional parts it has", () => {
    const parts = fc.record(
      {
        lmtPrice: fc.integer({ min: 1, max: 99_999 }).map((cents) => cents / 100),
        orderType: fc.constantFrom("MKT", "LMT", "STP", "PEG MID", "PEG BEST", "PEG BENCH"),
        hedgeType: fc.constantFrom("", "D"),
        deltaNeutralOrderType: fc.constantFrom("", "MKT"),
        algoStrategy: fc.constantFrom("", "Twap"),
        algoParams: fc.constant([{ tag: "a", value: "b" }]),
        scalePriceIncrement: fc.constantFrom(undefined, 0.01),
        conditions: fc.constantFrom(
          undefined,
          [{ type: 3, conjunctionConnection: "a", isMore: true, strValue: "20251231 10:00:00" }],
          [
            {
              type: 1,
              conjunctionConnection: "o",
              isMore: true,
              strValue: "1",
              conId: 5,
              exchange: "SMART",
              triggerMethod: 0,
            },
            { type: 5, conjunctionConnection: "a", secType: "STK", exchange: "SMART", symbol: "SPY" },
            {
              type: 7,
              conjunctionConnection: "a",
              isMore: false,
              strValue: "2",
              conId: 5,
              exchange: "SMART",
            },
          ],
        ),
        competeAgainstBestOffset: fc.constantFrom(0.01, Number.POSITIVE_INFINITY),
        cashQty: fc.constantFrom(undefined, 500),
        whatIf: fc.boolean(),
        outsideRth: fc.boolean(),
        transmit: fc.boolean(),
        orderRef: fc.constantFrom("", "ref"),
        exchange: fc.constantFrom("SMART", "IBKRATS"),
      },
      { requiredKeys: ["orderType", "transmit", "exchange"] },
    );
    fc.assert(
      fc.property(
        version,
        parts,
        fc.integer({ min: 1, max: 1e6 }),
        (at, { exchange, competeAgainstBestOffset, ...more }, quantity) => {
          // The other implementation refuses to send what its server would not know.
          const offset = at >= since.pegBestPegMid ? { competeAgainstBestOffset } : {};
          const sent = {
            action: "BUY",
            totalQuantity: quantity,
            tif: "DAY",
            account: "DU1",
            ...more,
            ...offset,
          };
          const fields = encoded(at, "placeOrder", 5, { ...spy, exchange }, sent);
          const read = readRequest(fields, at);
          expect(read).toMatchObject({
            ...{
              name: "placeOrder",
              id: 5,
              action: "BUY",
              quantity: String(quantity),
              tif: "DAY",
              account: "DU1",
            },
            ...{
              orderType: more.orderType,
              limit: more.lmtPrice,
              transmit: more.transmit,
              whatIf: more.whatIf ?? false,
            },
            ...{ outsideRth: more.outsideRth ?? false, orderRef: more.orderRef ?? "" },
            cashQuantity: more.cashQty === undefined ? "" : String(more.cashQty),
          });
          // Exactly as many fields as there are: one less is one too few.
          expect(() => readRequest(fields.slice(0, -1), at)).toThrow(UnreadableMessageError);
        },
      ),
      { numRuns: 500 },
    );
  });

  it("names what it cannot read by its id, where it has one", () => {
    const fields = encoded(193, "reqHistoricalData", 9, spy, "", "1 Y", "1 day", "TRADES", 1, "x", false);
    expect(() => readRequest(fields, 193)).toThrow(expect.objectContaining({ id: 9 }));
    expect(() => readRequest(["4", "5"], 193)).toThrow(expect.objectContaining({ id: 5 }));
    expect(() => readRequest(["4", "1", "5"], 178)).toThrow(expect.objectContaining({ id: 5 }));
    expect(() => readRequest(["999"], 193)).toThrow(/Unknown message id: 999/);
    expect(() => readRequest(["x"], 193)).toThrow(UnreadableMessageError);
  });

  it("reads or refuses any fields, and never takes long", () => {
    const number = fc.oneof(fc.integer({ min: 1, max: 104 }), fc.integer()).map(String);
    const field = fc.oneof(
      fc.string(),
      fc.integer().map(String),
      fc.constantFrom("1e308", "2147483647", "9".repeat(30)),
    );
    fc.assert(
      fc.property(version, number, fc.array(field, { maxLength: 150 }), (at, id, rest) => {
        try {
          const read = readRequest([id, ...rest], at);
          expect([...requestNames, "unsupported"]).toContain(read.name);
        } catch (error) {
          expect(error).toBeInstanceOf(UnreadableMessageError);
        }
      }),
      { numRuns: 2000 },
    );
  });
});

describe("negotiate", () => {
  it("takes the newest version both know, or none", () => {
    fc.assert(
      fc.property(fc.nat(400), fc.nat(400), (a, b) => {
        const [minVersion, maxVersion] = [Math.min(a, b), Math.max(a, b)];
        const agreed = negotiate({ minVersion, maxVersion });
        const common = Array.from({ length: 37 }, (_, at) => 157 + at).filter(
          (at) => at >= minVersion && at <= maxVersion,
        );
        expect(agreed).toBe(common.at(-1));
      }),
    );
  });
  it("never goes beyond a newest version that is set", () => {
    expect(negotiate({ minVersion: 100, maxVersion: 225 }, 178)).toBe(178);
  });
});
