import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { readRequest } from "../src/wire/requests.js";

/**
 * What clients of others sent when they were asked to do the same: recorded from their sockets, a field written `|`.
 * Orders carry the id of what is special about them: 101 a limit, 102 at the market, 103 what-if, 105 to 107 pegged,
 * 108 with an algorithm, 109 delta neutral, 110 with a scale, 111 with a hedge (108 for the two asynchronous clients).
 */
const recorded = JSON.parse(
  readFileSync(new URL("requests-of-clients.json", import.meta.url), "utf8"),
) as readonly { readonly client: string; readonly version: number; readonly frames: readonly string[] }[];

const spy = expect.objectContaining({
  conId: 756733,
  symbol: "SPY",
  secType: "STK",
  exchange: "SMART",
  currency: "USD",
});
const expected: Readonly<Record<string, object>> = {
  1: {
    name: "reqMktData",
    id: 4,
    contract: spy,
    genericTicks: "",
    snapshot: true,
    regulatorySnapshot: false,
  },
  4: { name: "cancelOrder", id: 101 },
  7: { name: "reqExecutions", id: 5, clientId: undefined, account: "", symbol: "", side: "" },
  9: { name: "reqContractDetails", id: 2, contract: spy },
  20: {
    ...{ name: "reqHistoricalData", id: 3, contract: spy, end: "", barSize: "1 day", duration: "1 Y" },
    ...{ whatToShow: "ADJUSTED_LAST", regularHoursOnly: true, formatDate: 1, keepUpToDate: false },
  },
  58: { name: "reqGlobalCancel" },
};
const orderTypes: Readonly<Record<number, string>> = {
  102: "MKT",
  105: "PEG BEST",
  106: "PEG BEST",
  107: "PEG BENCH",
};

describe.each(recorded)("$client at version $version", ({ client, version, frames }) => {
  const isAsynchronous = client.startsWith("ib_");
  const requests = frames.map((frame) => frame.split("|"));
  const orders = requests.filter(([number]) => number === "3");

  it("asks for data, executions and cancellations", () => {
    const others = requests.filter(([number]) => number !== "3");
    expect(others.map(([number]) => number)).toEqual(expect.arrayContaining(["1", "4", "7", "9", "20"]));
    for (const fields of others)
      expect(readRequest(fields, version)).toEqual(expect.objectContaining(expected[fields[0]!]!));
  });

  it("places orders", () => {
    expect(orders.length).toBeGreaterThanOrEqual(3);
    for (const fields of orders) {
      const id = Number(fields[1]);
      const order = readRequest(fields, version);
      const type = isAsynchronous ? { 102: "MKT", 105: "PEG BENCH" }[id] : orderTypes[id];
      expect(order).toEqual(
        expect.objectContaining({
          ...{
            name: "placeOrder",
            id,
            contract: spy,
            action: "BUY",
            orderType: type ?? "LMT",
            auxPrice: undefined,
          },
          ...{ tif: "DAY", account: "DUK200445", orderRef: "ref-1", transmit: true, outsideRth: false },
          ...{ whatIf: id === 103, cashQuantity: "" },
        }),
      );
      if (order.name !== "placeOrder") return;
      expect(Number(order.quantity)).toBe(10);
      if (order.orderType === "LMT") expect(order.limit).toBe(412.34);
      const special = isAsynchronous
        ? { 106: ["an algorithm"], 108: ["a hedge"] }[id]
        : { 108: ["an algorithm"], 110: ["a scale"], 111: ["a hedge"] }[id];
      expect([id, order.beyond]).toEqual([id, special ?? []]);
    }
  });

  it("sends exactly the fields that are read: with one less an order is no order", () => {
    for (const fields of orders)
      expect(() => readRequest(fields.slice(0, -1), version)).toThrow(/field \d+ is missing/);
  });
});
