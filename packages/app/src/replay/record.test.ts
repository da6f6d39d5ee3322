import { sessionDate } from "@pf/market";
import { describe, expect, it } from "vitest";
import { type Aspect, differences, type ReplayFill, type SessionRecord } from "./record.js";

const session = sessionDate("2024-10-07");
const fill: ReplayFill = { session, symbol: "SPY", side: "buy", quantity: 4, price: 31.17, fee: 0.35 };
const record: SessionRecord = {
  session,
  fills: [fill, { ...fill, symbol: "TLT", side: "sell" }],
  waiting: { GLD: "waits_for_settlement" },
  blocked: [],
  settled: 131_639,
  equity: 2_375_963,
};

const others: Readonly<Record<Aspect, readonly Partial<SessionRecord>[]>> = {
  orders: [
    { fills: [{ ...fill, quantity: 4.0001 }, record.fills[1]!] },
    { fills: [{ ...fill, symbol: "QQQ" }, record.fills[1]!] },
    { fills: [{ ...fill, side: "sell" }, record.fills[1]!] },
    { fills: [record.fills[1]!, fill] },
  ],
  prices: [{ fills: [{ ...fill, price: 31.170_000_000_1 }, record.fills[1]!] }],
  fees: [{ fills: [fill, { ...record.fills[1]!, fee: 0.36 }] }],
  waiting: [
    { waiting: {} },
    { waiting: { GLD: "no_order_left" } },
    { waiting: { TLT: "waits_for_settlement" } },
  ],
  checks: [{ blocked: ["price_sanity"] }],
  settledCash: [{ settled: record.settled + 1 }],
  equity: [{ equity: record.equity - 1 }],
};

describe("two records of a session", () => {
  it("are the same where both did the same, in whatever order names come", () => {
    expect(differences(record, { ...record, waiting: { ...record.waiting } })).toEqual([]);
    const two = { SPY: "a", GLD: "b" };
    expect(differences({ ...record, waiting: two }, { ...record, waiting: { GLD: "b", SPY: "a" } })).toEqual(
      [],
    );
  });

  it.each(Object.keys(others) as Aspect[])("differ in %s by the smallest step, whoever has it", (aspect) => {
    for (const change of others[aspect]) {
      expect(differences(record, { ...record, ...change })).toEqual([aspect]);
      expect(differences({ ...record, ...change }, record)).toEqual([aspect]);
    }
  });

  it("differ in everything that a missing fill takes with it", () => {
    expect(differences(record, { ...record, fills: [fill] })).toEqual(["orders", "prices", "fees"]);
  });
});
