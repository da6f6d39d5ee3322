import { sessionDate } from "@pf/market";
import { describe, expect, it } from "vitest";
import { dollars } from "../test/accounts.js";
import { rules, worldOn } from "../test/worlds.js";
import { pendingCash } from "./account.js";
import { usSettlement } from "./settlement.js";
import { snapshotOf, spendableCash } from "./snapshot.js";

const { account, situation } = worldOn();
const settles = sessionDate("2026-11-17");
const selling = {
  ...account,
  settled: dollars(1000),
  pending: [{ amount: dollars(700), settles, execId: null }],
};
const permissive = { ...rules, settledCash: "permissive" as const };
const heard = (settled: number) => ({
  ...situation,
  reconciliation: { settled: dollars(settled), buysStopped: null },
});

describe("cash that may buy", () => {
  it("is what both sides take for settled, and nothing that is coming, where rules are strict", () => {
    expect(spendableCash(selling, situation, rules)).toBe(dollars(1000));
    expect(spendableCash(selling, heard(1000), rules)).toBe(dollars(1000));
    expect(spendableCash(selling, heard(400), rules)).toBe(dollars(400));
    expect(snapshotOf(selling, heard(1000), rules, usSettlement).coming).toEqual([
      { amount: dollars(700), usable: settles },
    ]);
  });

  it("is what is coming as well where rules permit it, although the broker does not count that as settled", () => {
    expect(pendingCash(selling)).toBe(dollars(700));
    expect(spendableCash(selling, heard(1000), permissive)).toBe(dollars(1700));
    expect(spendableCash(selling, heard(400), permissive)).toBe(dollars(1100));
    expect(spendableCash(selling, situation, permissive)).toBe(dollars(1700));
    // What is counted already is not told as coming.
    expect(snapshotOf(selling, heard(1000), permissive, usSettlement).coming).toEqual([]);
  });

  it("is settled cash alone while the account is restricted, whatever the rules permit", () => {
    const restricted = { ...selling, restrictedUntil: sessionDate("2026-12-31") };
    expect(spendableCash(restricted, heard(1000), permissive)).toBe(dollars(1000));
  });
});
