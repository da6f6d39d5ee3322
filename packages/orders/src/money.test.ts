import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AmountError } from "./errors.js";
import {
  affordable,
  type Cents,
  cents,
  centsOfDollars,
  floorTo,
  formatCents,
  formatQuantity,
  fractionOf,
  isCents,
  isQuantity,
  limitPrice,
  notionalCents,
  oneShare,
  type Quantity,
  quantity,
  quantityOfShares,
} from "./money.js";

const amounts = fc.integer({ min: -1e12, max: 1e12 }).map(cents);
const quantities = fc.integer({ min: 0, max: 1e9 }).map(quantity);
/** Prices with up to four decimals, as decimal text and as a number. */
const prices = fc
  .tuple(fc.integer({ min: 1, max: 50_000_000 }), fc.integer({ min: 0, max: 4 }))
  .map(([units, decimals]) => ({ units, decimals, price: units / 10 ** decimals }));

describe("cents and quantities", () => {
  it("are whole, safe numbers, and shares are never below 0", () => {
    for (const bad of [0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53]) {
      expect(() => cents(bad)).toThrow(AmountError);
      expect(() => quantity(bad)).toThrow(AmountError);
      expect(isCents(bad)).toBe(false);
      expect(isQuantity(bad)).toBe(false);
    }
    expect(() => quantity(-1)).toThrow(AmountError);
    expect(isQuantity(-1)).toBe(false);
    expect(isCents(-1)).toBe(true);
    expect(Object.is(cents(-0), 0)).toBe(true);
  });

  it("come from dollars by their shortest decimal text, half to even", () => {
    const pairs = [
      [0.125, 12],
      [0.135, 14],
      [1.005, 100],
      [1.015, 102],
      [-0.125, -12],
      ["1.0042", 100],
      ["-3", -300],
      [1e-7, 0],
      [1.5e3, 150_000],
    ] as const;
    for (const [dollars, expected] of pairs) expect(centsOfDollars(dollars), String(dollars)).toBe(expected);
    for (const bad of [Number.NaN, "", "abc", "1,000", "0x10", 1e300])
      expect(() => centsOfDollars(bad)).toThrow(AmountError);
  });

  it("come from shares only where nothing is lost", () => {
    expect(quantityOfShares(0.0642)).toBe(642);
    expect(quantityOfShares("15")).toBe(150_000);
    expect(quantityOfShares("0.50000")).toBe(5000);
    for (const bad of [0.00001, -1, "1.23456", "x"]) expect(() => quantityOfShares(bad)).toThrow(AmountError);
  });

  it("are written so that they read back as themselves", () => {
    fc.assert(
      fc.property(amounts, (amount) => centsOfDollars(formatCents(amount).replaceAll(",", "")) === amount),
    );
    fc.assert(fc.property(quantities, (amount) => quantityOfShares(formatQuantity(amount)) === amount));
    fc.assert(fc.property(amounts, (amount) => /^-?\d{1,3}(,\d{3})*\.\d\d$/.test(formatCents(amount))));
    expect(formatCents(cents(-123_456_789))).toBe("-1,234,567.89");
    expect(formatCents(cents(100_000))).toBe("1,000.00");
    expect(formatCents(cents(-5))).toBe("-0.05");
    expect(formatQuantity(quantity(30_642))).toBe("3.0642");
    expect(formatQuantity(quantity(100_000))).toBe("10");
  });

  it("are floored to a step, never beyond what there is", () => {
    expect(floorTo(quantity(19_999), oneShare)).toBe(10_000);
    expect(floorTo(quantity(19_999), quantity(1))).toBe(19_999);
  });
});

describe("notionalCents", () => {
  it("is within half a cent of the exact product, for any price and quantity", () => {
    fc.assert(
      fc.property(quantities, prices, (amount, { units, decimals, price }) => {
        // amount/10^4 shares * units/10^decimals dollars * 100 cents, compared times 10^(2 + decimals).
        const exact = BigInt(amount) * BigInt(units);
        const under = 10n ** BigInt(2 + decimals);
        const twice = 2n * (BigInt(notionalCents(amount, price)) * under - exact);
        return (twice < 0n ? -twice : twice) <= under;
      }),
    );
  });
  it("takes the even cent exactly between two", () => {
    expect(notionalCents(quantityOfShares(1), 0.125)).toBe(12);
    expect(notionalCents(quantityOfShares(3), 1.005)).toBe(302);
    expect(notionalCents(quantityOfShares(1), 1.015)).toBe(102);
    expect(notionalCents(quantityOfShares(0.5), 0.01)).toBe(0);
    expect(notionalCents(quantityOfShares(0.5), 0.03)).toBe(2);
  });
  it("adds up for whole shares at prices in cents, however they are split", () => {
    fc.assert(
      fc.property(
        fc.nat(10_000),
        fc.nat(10_000),
        fc.integer({ min: 1, max: 1_000_000 }),
        (a, b, priceCents) =>
          notionalCents(quantityOfShares(a), priceCents / 100) +
            notionalCents(quantityOfShares(b), priceCents / 100) ===
          (a + b) * priceCents,
      ),
    );
  });
  it("never falls when quantity or price rises", () => {
    fc.assert(
      fc.property(quantities, quantities, prices, prices, (a, b, p, q) => {
        const [low, high] = a <= b ? [a, b] : [b, a];
        const [cheap, dear] = p.price <= q.price ? [p.price, q.price] : [q.price, p.price];
        expect(notionalCents(low, cheap)).toBeLessThanOrEqual(notionalCents(high, dear));
      }),
    );
  });
  it("refuses prices that are none, and sums that cannot be counted", () => {
    for (const bad of [0, -1, Number.NaN, Number.POSITIVE_INFINITY])
      expect(() => notionalCents(oneShare, bad)).toThrow(AmountError);
    expect(() => notionalCents(quantity(Number.MAX_SAFE_INTEGER), 1e6)).toThrow(AmountError);
  });
  it("reads very small and very long prices exactly", () => {
    expect(notionalCents(quantityOfShares(1_000_000), 1e-7)).toBe(10);
    expect(notionalCents(quantityOfShares(100), 412.123456789012)).toBe(4_121_235);
  });
});

describe("affordable", () => {
  it("is the largest multiple of the step whose exact cost is within the budget", () => {
    fc.assert(
      fc.property(
        fc.nat(1e9).map(cents),
        prices,
        fc.constantFrom(1, 100, 10_000).map(quantity),
        (budget, { units, decimals, price }, step) => {
          const amount = affordable(budget, price, step);
          const cost = (many: number) => BigInt(many) * BigInt(units);
          const limit = BigInt(budget) * 10n ** BigInt(2 + decimals);
          expect(amount % step).toBe(0);
          expect(cost(amount) <= limit).toBe(true);
          expect(cost(amount + step) > limit).toBe(true);
        },
      ),
    );
  });
  it("is nothing for money that is owed", () => {
    expect(affordable(cents(-100), 1, oneShare)).toBe(0);
  });
});

describe("fractionOf", () => {
  it("rounds as asked", () => {
    expect(fractionOf(cents(250), 0.05)).toBe(12);
    expect(fractionOf(cents(250), 0.05, "up")).toBe(13);
    expect(fractionOf(cents(270), 0.05)).toBe(14);
    expect(fractionOf(cents(270), 0.05, "down")).toBe(13);
    expect(fractionOf(cents(2_500_000), 0.05)).toBe(125_000);
    expect(() => fractionOf(cents(1), -0.1)).toThrow(AmountError);
    expect(() => fractionOf(cents(1), Number.NaN)).toThrow(AmountError);
  });
});

describe("limitPrice", () => {
  const ticks = (price: number, tick: number) => Math.round(price / tick);
  it("lies on the tick, and never on the wrong side of middle and offset", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 100, max: 100_000 }),
        fc.nat(100),
        fc.nat(50),
        fc.constantFrom(0.01, 0.05, 0.0001),
        (bidTicks, spread, bps, tick) => {
          const [bid, ask] = [bidTicks / 100, (bidTicks + spread) / 100];
          const middle = (bid + ask) / 2;
          const buy = limitPrice({ bid, ask }, "buy", bps, tick);
          const sell = limitPrice({ bid, ask }, "sell", bps, tick);
          expect(buy).toBeLessThanOrEqual(middle * (1 + bps / 1e4) + 1e-9);
          expect(buy).toBeGreaterThan(middle * (1 + bps / 1e4) - tick - 1e-9);
          expect(sell).toBeGreaterThanOrEqual(middle * (1 - bps / 1e4) - 1e-9);
          expect(sell).toBeLessThan(middle * (1 - bps / 1e4) + tick + 1e-9);
          expect(Math.abs(ticks(buy, tick) * tick - buy)).toBeLessThan(1e-9);
        },
      ),
    );
  });
  it("is exact where binary fractions are not", () => {
    expect(limitPrice({ bid: 100.01, ask: 100.04 }, "buy", 2, 0.01)).toBe(100.04);
    expect(limitPrice({ bid: 100.01, ask: 100.04 }, "sell", 2, 0.01)).toBe(100.01);
    expect(limitPrice({ bid: 0.29, ask: 0.29 }, "buy", 0, 0.01)).toBe(0.29);
    expect(limitPrice({ bid: 1.1, ask: 1.1 }, "sell", 0, 0.01)).toBe(1.1);
  });
  it("refuses what is no quote", () => {
    expect(() => limitPrice({ bid: 0, ask: 1 }, "buy", 2, 0.01)).toThrow(AmountError);
    expect(() => limitPrice({ bid: 1, ask: Number.NaN }, "buy", 2, 0.01)).toThrow(AmountError);
    expect(() => limitPrice({ bid: 0.001, ask: 0.001 }, "buy", 2, 0.01)).toThrow(AmountError);
  });
});

// The brands hold at compile time: money is not shares.
const shares: Quantity = oneShare;
// @ts-expect-error shares are no money
const money: Cents = shares;
void money;
