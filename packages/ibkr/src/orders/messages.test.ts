import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { centsOf, quantityOf, scaled } from "../account/decimal.js";
import { readExecution, readOrderStatus, sessionOf } from "./messages.js";

describe("scaled", () => {
  it("is exact where doubles are not", () => {
    fc.assert(
      fc.property(fc.integer({ min: -90_000_000_000_000, max: 90_000_000_000_000 }), (cents) => {
        const sign = cents < 0 ? "-" : "";
        const digits = String(Math.abs(cents)).padStart(3, "0");
        expect(centsOf(`${sign}${digits.slice(0, -2)}.${digits.slice(-2)}`)).toBe(cents === 0 ? 0 : cents);
      }),
    );
  });

  it.each([
    ["1", 10_000],
    ["0.5", 5_000],
    ["1,250", 12_500_000],
    ["12.34560000", 123_456],
    ["-3", -30_000],
    ["0.00005", 1],
    ["0.00004", 0],
    ["0E-8", 0],
  ])("reads %s shares", (text, quantity) => {
    expect(quantityOf(text)).toBe(quantity);
  });

  it.each(["", "1.7976931348623157E308", "2147483647", "9223372036854775807", "NaN"])(
    "knows that %j means nothing",
    (text) => {
      expect(scaled(text, 2)).toBeUndefined();
    },
  );

  it.each(["abc", "1.2.3", "1e9", "--1", "99999999999999999999"])("refuses %s", (text) => {
    expect(() => scaled(text, 2)).toThrowError(expect.objectContaining({ code: "PF_IBKR_PROTOCOL" }));
  });
});

describe("sessionOf", () => {
  it.each([
    ["20260413 15:27:04 US/Eastern", "2026-04-13"],
    ["20260413 15:27:04 America/New_York", "2026-04-13"],
    ["20230224  12:04:56", "2023-02-24"],
    ["20260413-19:27:04", "2026-04-13"],
    ["20260414-01:10:00", "2026-04-13"],
    ["20260414 04:27:04 Asia/Tokyo", "2026-04-13"],
    ["20260413 21:27:04 Europe/Berlin", "2026-04-13"],
    ["20260413 15:27:04 Nowhere/Known", "2026-04-13"],
  ])("of %s is %s", (time, session) => {
    expect(sessionOf(time)).toBe(session);
  });

  it.each(["", "soon", "20261340 10:00:00", "2026-04-13 15:27:04"])("refuses %j", (time) => {
    expect(() => sessionOf(time)).toThrowError(expect.objectContaining({ code: "PF_IBKR_PROTOCOL" }));
  });
});

describe("readExecution", () => {
  const fields =
    "11,-1,5,265598,AAPL,STK,,0.0,,,SMART,USD,AAPL,NMS,0000e0d5.69dd7411.01.01,20260413 15:27:04 US/Eastern,DU1,IEX,BOT,0.5,255.45,9007199254740993,17,0,0.5,255.45,pf/x,,,,2,0".split(
      ",",
    );

  it("keeps ids and sizes exact that a double does not hold", () => {
    expect(readExecution(fields)).toMatchObject({
      permId: "9007199254740993",
      quantity: 5000,
      price: 255.45,
    });
  });

  it.each([
    [14, ""],
    [18, "HELD"],
    [19, "many"],
    [20, "0"],
    [22, "x"],
  ])("refuses field %i with %j", (at, text) => {
    expect(() => readExecution(fields.map((value, index) => (index === at ? text : value)))).toThrowError(
      expect.objectContaining({ code: "PF_IBKR_PROTOCOL" }),
    );
  });

  it("refuses a message that is too short", () => {
    expect(() => readExecution(fields.slice(0, 20))).toThrowError(/20 fields/);
  });
});

describe("readOrderStatus", () => {
  it("knows no permId while it is 0", () => {
    expect(readOrderStatus("3,5,PreSubmitted,0,1,0,0,0,0,17,,0".split(","))).toMatchObject({
      permId: undefined,
    });
  });
});
