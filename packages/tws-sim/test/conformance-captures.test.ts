import { describe, expect, it } from "vitest";
import type { Contract, Execution, NewOrder, OrderState } from "../src/venue/venue.js";
import {
  accountSummary,
  completedOrder,
  contractDetails,
  error,
  execDetails,
  marketDataType,
  openOrder,
  orderStatus,
  position,
  type Reply,
  tickPrice,
  tickSize,
  tickSnapshotEnd,
} from "../src/wire/replies.js";

/**
 * What genuine servers sent, field by field, against what is written here from the same facts. The frames were
 * captured by others from paper accounts and published with their tests, both under the MIT licence:
 * - wboayue/rust-ibapi, "RS" below: src/orders/common/test_data.rs, src/orders/tests.rs and tws_interactions.yaml
 * - ThomasMarcelis/ibkr-go, "GO" below: internal/codec/codec_capture_test.go and testdata/transcripts
 * Account ids were made unrecognisable by them. A field is written `|` as in the first of the two.
 */
const fieldsOf = (capture: string): string[] => capture.split("|");

const tsla: Contract = {
  conId: 76792991,
  symbol: "TSLA",
  secType: "STK",
  currency: "USD",
  primaryExchange: "NASDAQ",
  marketName: "NMS",
  tradingClass: "NMS",
  longName: "TESLA INC",
  stockType: "COMMON",
  minTick: 0.01,
  minSize: 0.0001,
  sizeIncrement: 0.0001,
  suggestedSizeIncrement: 100,
};
const aapl: Contract = { ...tsla, conId: 265598, symbol: "AAPL", longName: "APPLE INC" };

const order: NewOrder = {
  clientId: 100,
  orderId: 13,
  account: "DU1234567",
  conId: 76792991,
  action: "BUY",
  quantity: "100",
  orderType: "MKT",
  limit: undefined,
  auxPrice: undefined,
  tif: "DAY",
  outsideRth: false,
  orderRef: "",
  transmit: true,
  cashQuantity: "",
};
const state: OrderState = {
  order,
  permId: "1376327563",
  status: "PreSubmitted",
  filled: "0",
  remaining: "100",
  averagePrice: 0,
  lastPrice: 0,
  completedStatus: "",
  completedUtcMs: undefined,
};

describe("an open order", () => {
  const before =
    "5|13|76792991|TSLA|STK||0|?||SMART|USD|TSLA|NMS|BUY|100|MKT|0.0|0.0|DAY||DU1234567||0||100|1376327563|0|0|0||1376327563.0/DU1234567/100||||||||||0||-1|0||||||2147483647|0|0|0||3|0|0||0|0||0|None||0||||?|0|0||0|0||||||0|0|0|2147483647|2147483647|||0||IB|0|0||0|0";
  const nine = Array(9).fill("1.7976931348623157E308").join("|");
  const after =
    "0|0|0|None|1.7976931348623157E308|1.7976931348623157E308|1.7976931348623157E308|1.7976931348623157E308|1.7976931348623157E308|1.7976931348623157E308|0||||0|1|0|0|0";

  it("that waits is written as captured at version 173 (RS)", () => {
    // The July 2025 capture ends so at 173: duration, post to ATS, cancelled with its parent, five fields of pegs.
    const capture = `${before}|PreSubmitted|${nine}||||||${after}|||0|||||`;
    expect(fieldsOf(capture)).toHaveLength(136);
    expect(openOrder(173, state, 13, tsla).fields).toEqual(fieldsOf(capture));
  });

  it("with a limit shows it as the server does (RS)", () => {
    const limited = { ...state, order: { ...order, orderType: "LMT", limit: 5800 } };
    const fields = openOrder(173, limited, 13, tsla).fields;
    expect(fields.slice(15, 18)).toEqual(["LMT", "5800.0", "0.0"]);
  });

  it.each([
    [157, 128],
    [158, 129],
    [160, 130],
    [162, 131],
    [169, 131],
    [170, 136],
    [176, 136],
    [177, 135],
    [182, 135],
    [183, 136],
    [184, 137],
    [185, 138],
    [188, 138],
    [189, 139],
    [192, 139],
    [193, 141],
  ])("has at version %i %i fields", (version, count) => {
    expect(openOrder(version, state, 13, tsla).fields).toHaveLength(count);
  });
});

describe("a completed order", () => {
  it("that was filled is written as captured at version 164 (RS)", () => {
    const capture =
      "101|265598|AAPL|STK||0|?||SMART|USD|AAPL|NMS|BUY|0|MKT|0.0|0.0|DAY||DU1234567||0||1824933227|0|0|0|||||||||||0||-1||||||2147483647|0|0||3|0||0|None||0|0|0||0|0||||0|0|0|2147483647|2147483647||||IB|0|0||0|Filled|0|0|0|1.7976931348623157E308|1.7976931348623157E308|0|1|0||100|2147483647|0|Not an insider or substantial shareholder|0|0|9223372036854775807|20230306 12:28:30 America/Los_Angeles|Filled Size: 100";
    const filled: OrderState = {
      ...state,
      permId: "1824933227",
      status: "Filled",
      filled: "100",
      remaining: "0",
      completedStatus: "Filled Size: 100",
    };
    expect(completedOrder(164, filled, aapl, "20230306 12:28:30 America/Los_Angeles").fields).toEqual(
      fieldsOf(capture),
    );
  });

  it("that was cancelled keeps its quantity and limit (RS, July 2025 at version 173)", () => {
    const cancelled: OrderState = {
      ...state,
      order: { ...order, orderType: "LMT", quantity: "1", limit: 5800 },
      status: "Cancelled",
      remaining: "1",
      completedStatus: "Cancelled by Trader",
    };
    const fields = completedOrder(173, cancelled, aapl, "20250708 02:34:46 America/New_York").fields;
    expect(fields.slice(12, 17)).toEqual(["BUY", "1", "LMT", "5800.0", "0.0"]);
    // From the status on; the capture has 5801.0 as price of a trailing stop, which no order here has.
    const capture =
      "Cancelled|0|0|0|1.7976931348623157E308|1.7976931348623157E308|0|1|0||0|2147483647|0|Not an insider or substantial shareholder|0|0|9223372036854775807|20250708 02:34:46 America/New_York|Cancelled by Trader|||||";
    expect(fields.slice(fields.indexOf("Cancelled"))).toEqual(fieldsOf(capture));
  });
});

describe("an execution", () => {
  const execution: Execution = {
    execId: "0000e0d5.69dd7411.01.01",
    utcMs: Date.UTC(2026, 3, 13, 19, 27, 4),
    order: { ...state, permId: "389211034", order: { ...order, clientId: 94, account: "DUP770846" } },
    exchange: "IEX",
    side: "BOT",
    shares: "1",
    price: 257.95,
    cumulative: "1",
    averagePrice: 257.95,
    commission: 1,
    realizedPnl: undefined,
  };
  const capture =
    "11|-1|1|265598|AAPL|STK||0.0|||IEX|USD|AAPL|NMS|0000e0d5.69dd7411.01.01|20260413 15:27:04 US/Eastern|DUP770846|IEX|BOT|1|257.95|389211034|94|0|1|257.95|||||2|0";

  it("is written as captured at version 200, without what came after 193 (GO)", () => {
    const { fields } = execDetails(193, -1, execution, 1, aapl, "20260413 15:27:04 US/Eastern");
    expect(fields).toEqual(fieldsOf(capture));
  });

  it("has 31 fields at version 173, as captured (RS), and 32 from 178 on", () => {
    expect(execDetails(173, -1, execution, 1, aapl, "").fields).toHaveLength(31);
    expect(execDetails(177, -1, execution, 1, aapl, "").fields).toHaveLength(31);
    expect(execDetails(178, -1, execution, 1, aapl, "").fields).toHaveLength(32);
  });
});

describe("contract details", () => {
  // GO, version 200: AAPL on 2026-04-05, up to the order types; `\t` stands for what follows below.
  const captured = fieldsOf(
    "10|1001|AAPL|STK|||0||SMART|USD|AAPL|NMS|NMS|265598|0.01|||SMART|1|0|APPLE INC|NASDAQ||Technology|Computers|Computers|US/Eastern|||||1|ISIN|US0378331005|1|||26||COMMON|0.0001|0.0001|100|0",
  );
  const hours = {
    trading: "20260405:CLOSED;20260406:0400-20260406:2000",
    liquid: "20260405:CLOSED;20260406:0930-20260406:1600",
  };
  const fields = contractDetails(193, 1001, aapl, hours).fields;

  it("have the 44 fields of the capture but for the one other id, which has two", () => {
    expect(captured).toHaveLength(44);
    expect(fields).toHaveLength(42);
  });

  it("say the same in the same places (GO)", () => {
    const lists = [16, 17, 27, 28];
    for (let at = 0; at < 31; at++) {
      // Lists of order types, exchanges and hours differ; an ETF has no industry.
      if (lists.includes(at) || (at >= 23 && at <= 25)) continue;
      expect([at, fields[at]]).toEqual([at, captured[at]]);
    }
    expect(fields[31]).toBe("0");
    for (let at = 32; at < fields.length; at++)
      if (at !== 35) expect([at, fields[at]]).toEqual([at, captured[at + 2]]);
    expect(fields[27]).toBe(hours.trading);
    expect(fields[28]).toBe(hours.liquid);
    expect(fields[35]!.split(",")).toEqual(fields[17]!.split(",").map(() => "26"));
  });
});

describe("smaller messages are written as captured:", () => {
  it.each<[string, Reply, string]>([
    [
      "a position (RS, 173)",
      position("ACCOUNT_ID", aapl, { conId: 265598, quantity: "-110", averageCost: 201.8829709 }),
      "61|3|ACCOUNT_ID|265598|AAPL|STK||0.0|||NASDAQ|USD|AAPL|NMS|-110|201.8829709",
    ],
    [
      "a line of the summary (RS, 173)",
      accountSummary(9000, "ACCOUNT_ID", "NetLiquidation", "246447.83", "USD"),
      "63|1|9000|ACCOUNT_ID|NetLiquidation|246447.83|USD",
    ],
    ["the kind of quotes (GO)", marketDataType(1001, 3), "58|1|1001|3"],
    ["a delayed last price (GO)", tickPrice(1001, "AAPL", 68, 255.45, 200), "1|6|1001|68|255.45|200|0"],
    ["a delayed volume (GO)", tickSize(1001, "AAPL", 74, 312894), "2|6|1001|74|312894"],
    ["the end of a snapshot (GO)", tickSnapshotEnd(1001), "57|1|1001"],
    [
      "a filled order's status (GO, from a transcript)",
      orderStatus(
        {
          ...state,
          permId: "1426086048",
          status: "Filled",
          filled: "5",
          remaining: "0",
          averagePrice: 265.35,
          lastPrice: 265.35,
        },
        297,
        "AAPL",
      ),
      "3|297|Filled|5|0|265.35|1426086048|0|265.35|100||0",
    ],
  ])("%s", (_, reply, capture) => {
    expect(reply.fields).toEqual(fieldsOf(capture));
  });

  it("a notice, with its version and without the time that came at 194 (GO)", () => {
    expect(error(193, -1, 2104, "Market data farm connection is OK:usfarm").fields).toEqual(
      fieldsOf("4|2|-1|2104|Market data farm connection is OK:usfarm|"),
    );
    expect(error(165, -1, 2104, "x").fields).toHaveLength(5);
  });

  it("a notice of several lines, as logs of clients show it, and escapes where letters are beyond ASCII", () => {
    const text = "Order Message:\nBUY 1 SPY ARCA\nWarning: Your order";
    expect(error(193, 7, 399, text).fields[4]).toBe(text);
    expect(error(193, 7, 201, "é\u{1f600}").fields[4]).toBe("\\u00e9\\ud83d\\ude00");
  });
});
