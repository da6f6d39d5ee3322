import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { commissionCents, commissionOfFill, commissionPlan, commissionPlanNames } from "./commission.js";
import { AmountError } from "./errors.js";
import { cents, notionalCents, type Quantity, quantity, quantityOfShares } from "./money.js";

const plans = fc.constantFrom(...commissionPlanNames).map((name) => commissionPlan(name));
const prices = fc.integer({ min: 1, max: 100_000 }).map((price) => price / 100);
const of = (name: (typeof commissionPlanNames)[number], shares: number, price: number) =>
  commissionCents(
    commissionPlan(name),
    quantityOfShares(shares),
    notionalCents(quantityOfShares(shares), price),
  );

describe("commissionCents", () => {
  it("charges the rate a share without minimum or maximum on the plan per_share", () => {
    expect(of("per_share", 1000, 50)).toBe(350);
    expect(of("per_share", 1, 50)).toBe(0);
    expect(of("per_share", 100, 0.01)).toBe(35);
    expect(commissionCents(commissionPlan("per_share", 0.01), quantityOfShares(250), cents(1_000_000))).toBe(
      250,
    );
  });
  it("charges 0.0035 a share, at least 0.35 and at most 1 %, on the tiered plan", () => {
    expect(of("ibkr_tiered", 1000, 50)).toBe(350);
    expect(of("ibkr_tiered", 20, 590)).toBe(35);
    expect(of("ibkr_tiered", 100, 50)).toBe(35);
    expect(of("ibkr_tiered", 1, 10)).toBe(10);
    expect(of("ibkr_tiered", 10_000, 0.1)).toBe(1000);
  });
  it("charges 0.005 a share, at least 1.00 and at most 1 %, on the fixed plan", () => {
    expect(of("ibkr_fixed", 1000, 50)).toBe(500);
    expect(of("ibkr_fixed", 20, 590)).toBe(100);
    expect(of("ibkr_fixed", 1, 10)).toBe(10);
  });
  it("charges nothing for nothing", () => {
    for (const name of commissionPlanNames)
      expect(commissionCents(commissionPlan(name), quantity(0), cents(0))).toBe(0);
  });
  it("never falls when more is traded at the same price", () => {
    fc.assert(
      fc.property(plans, prices, fc.nat(1e8), fc.nat(1e6), (plan, price, few, more) => {
        const [a, b] = [quantity(few), quantity(few + more)];
        expect(commissionCents(plan, a, notionalCents(a, price))).toBeLessThanOrEqual(
          commissionCents(plan, b, notionalCents(b, price)),
        );
      }),
    );
  });
  it("refuses a rate that is none", () => {
    for (const bad of [-0.01, Number.NaN, Number.POSITIVE_INFINITY])
      expect(() => commissionPlan("per_share", bad)).toThrow(AmountError);
  });
});

describe("commissionOfFill", () => {
  it("adds up to the order's commission, in however many pieces it is filled", () => {
    const fills = fc.array(fc.record({ shares: fc.integer({ min: 1, max: 5_000_000 }), price: prices }), {
      minLength: 1,
      maxLength: 8,
    });
    fc.assert(
      fc.property(plans, fills, (plan, pieces) => {
        let before = { quantity: quantity(0), notional: cents(0) };
        let charged = 0;
        for (const { shares, price } of pieces) {
          const fill = { quantity: quantity(shares), notional: notionalCents(quantity(shares), price) };
          const part = commissionOfFill(plan, before, fill);
          expect(part).toBeGreaterThanOrEqual(0);
          charged += part;
          before = {
            quantity: (before.quantity + fill.quantity) as Quantity,
            notional: cents(before.notional + fill.notional),
          };
        }
        expect(charged).toBe(commissionCents(plan, before.quantity, before.notional));
      }),
    );
  });
  it("charges the minimum once", () => {
    const plan = commissionPlan("ibkr_tiered");
    const half = { quantity: quantityOfShares(10), notional: cents(590_000) };
    expect(commissionOfFill(plan, { quantity: quantity(0), notional: cents(0) }, half)).toBe(35);
    expect(commissionOfFill(plan, half, half)).toBe(0);
  });
});
