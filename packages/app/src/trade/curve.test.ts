import { type SessionDate, sessionDate, xnys } from "@pf/market";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Flow, flowsOf, followed, type TradedSymbol } from "./curve.js";
import type { Movement } from "./past.js";

const sessions = xnys.sessionsBetween(sessionDate("2025-01-02"), sessionDate("2025-12-31"));
const on = (at: number): SessionDate => sessions[at]!;
const nothing: readonly Flow[] = [];

/** A price path, and an account that is wholly in it: valued on some sessions, with cash coming and going on others. */
const life = fc
  .record({
    prices: fc.array(fc.double({ min: 0.8, max: 1.25, noNaN: true }), { minLength: 2, maxLength: 60 }),
    days: fc.array(
      fc.record({ isValued: fc.boolean(), flow: fc.option(fc.integer({ min: -2_000, max: 9_000 })) }),
      {
        minLength: 60,
        maxLength: 60,
      },
    ),
  })
  .map(({ prices: steps, days }) => {
    let price = 100;
    const values = Float64Array.from(steps, (step) => {
      price *= step;
      return price;
    });
    let worth = 10_000;
    const valued: { session: SessionDate; equity: number }[] = [];
    const flows: Flow[][] = [];
    let since: Flow[] = [];
    values.forEach((value, at) => {
      if (at > 0) worth *= value / values[at - 1]!;
      const { isValued, flow } = days[at]!;
      if (flow !== null && worth + flow > 1_000) {
        worth += flow;
        since.push({ session: on(at), dollars: flow });
      }
      if (!isValued && at > 0) return;
      valued.push({ session: on(at), equity: Math.round(worth * 100) });
      flows.push(since);
      since = [];
    });
    return { valued, flows, series: { sessions: sessions.slice(0, values.length), values } };
  });

describe("what an account's dollars would be in something else", () => {
  it("is the account itself where that is what it is in, whatever comes in and goes out", () => {
    fc.assert(
      fc.property(life, ({ valued, flows, series }) => {
        const line = followed(valued, flows, series);
        expect(line).toHaveLength(valued.length);
        line.forEach((dollars, at) => {
          const { equity } = valued[at]!;
          // The first valuation is in whole cents, and grows.
          expect(Math.abs(dollars! - equity / 100)).toBeLessThanOrEqual(0.02 + equity * 1e-6);
        });
      }),
    );
  });

  it("does not change with the unit of what it follows, and grows as that does", () => {
    fc.assert(
      fc.property(
        life,
        fc.double({ min: 0.01, max: 100, noNaN: true }),
        ({ valued, flows, series }, unit) => {
          const other = { ...series, values: series.values.map((value) => value * unit) };
          followed(valued, flows, other).forEach((dollars, at) => {
            expect(dollars).toBeCloseTo(followed(valued, flows, series)[at]!, 1);
          });
        },
      ),
      { numRuns: 20 },
    );
    const series = { sessions: [on(0), on(1), on(2)], values: Float64Array.of(50, 60, 45) };
    const valued = [0, 1, 2].map((at) => ({ session: on(at), equity: 10_000_00 }));
    expect(followed(valued, [nothing, nothing, nothing], series)).toEqual([10_000, 12_000, 9_000]);
  });

  it("starts with the first session that is known, and says nothing of those that are not", () => {
    const series = { sessions: [on(1), on(2)], values: Float64Array.of(100, 110) };
    const valued = [0, 1, 2, 3].map((at) => ({ session: on(at), equity: (at + 1) * 1_000_00 }));
    const flows = [nothing, [{ session: on(1), dollars: 999 }], nothing, nothing];
    expect(followed(valued, flows, series)).toEqual([null, 2_000, 2_200, null]);
    expect(followed(valued, flows, null)).toEqual([null, null, null, null]);
  });

  it("lets what came after a session's valuation grow from its close on", () => {
    const series = { sessions: [on(0), on(1)], values: Float64Array.of(100, 110) };
    const valued = [0, 1].map((at) => ({ session: on(at), equity: 1_000_00 }));
    const late = [nothing, [{ session: on(0), dollars: 500 }]];
    expect(followed(valued, late, series)).toEqual([1_000, 1_650]);
    const next = [nothing, [{ session: on(1), dollars: 500 }]];
    expect(followed(valued, next, series)).toEqual([1_000, 1_600]);
  });
});

describe("what came into an account and went out", () => {
  const valuedWith = (...movements: readonly Movement[]) => [{ session: on(100), equity: 0, movements }];
  const cash = (at: number, amount: number, isFound = true): Movement => ({
    kind: "cash",
    session: on(at),
    amount,
    isFound,
  });
  const bars = (dividends: Readonly<Record<number, number>>): ReadonlyMap<string, TradedSymbol> => {
    const close = Float64Array.from(sessions, (_, at) => 100 + at);
    const dividend = Float64Array.from(sessions, (_, at) => dividends[at] ?? 0);
    return new Map([["TLT", { sessions, close, dividend }]]);
  };
  const held = [
    { session: on(5), quantities: { TLT: 1_000_000 } },
    { session: on(50), quantities: {} },
  ];
  const dollars = (movements: readonly Movement[], dividends = {}) =>
    flowsOf(valuedWith(...movements), held, bars(dividends))[0]!.map((flow) => flow.dollars);

  it("is no dividend that was due: not its cash, and not a cent a share of rounding; once, and for a while", () => {
    const paid = { 10: 0.4 };
    expect(dollars([cash(12, 40_00)], paid)).toEqual([0]);
    expect(dollars([cash(12, 41_00)], paid)).toEqual([0]);
    expect(dollars([cash(12, 1_040_00)], paid)).toEqual([998]);
    expect(dollars([cash(12, 40_00), cash(13, 40_00)], paid)).toEqual([0, 38]);
    expect(dollars([cash(9, 40_00)], paid)).toEqual([40]);
    expect(dollars([cash(60, 40_00)], paid)).toEqual([40]);
    expect(dollars([cash(12, -40_00)], paid)).toEqual([-40]);
    expect(dollars([cash(12, 40_00, false)], paid)).toEqual([40]);
  });

  it("is no dividend of shares that were not held over the night before the ex-date", () => {
    expect(dollars([cash(12, 40_00)], { 5: 0.4 })).toEqual([40]);
    expect(dollars([cash(12, 40_00)], { 6: 0.4 })).toEqual([0]);
    expect(dollars([cash(52, 40_00)], { 50: 0.4 })).toEqual([0]);
    expect(dollars([cash(52, 40_00)], { 51: 0.4 })).toEqual([40]);
  });

  it("counts shares at the close of their session, or at their cost where there is none", () => {
    const shares = (symbol: string, quantity: number, cost: number): Movement => ({
      kind: "shares",
      session: on(20),
      symbol,
      quantity,
      cost,
    });
    expect(dollars([shares("TLT", 30_000, 1)])).toEqual([360]);
    expect(dollars([shares("TLT", -30_000, 1)])).toEqual([-360]);
    expect(dollars([shares("VT", 30_000, 250_00)])).toEqual([250]);
    // Bought by hand: the shares that are found and the cash that is gone are nothing together.
    const [found, gone] = dollars([shares("TLT", 30_000, 360_00), cash(20, -360_00)]);
    expect(found! + gone!).toBe(0);
  });
});
