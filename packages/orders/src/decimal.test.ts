import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  decimalOf,
  decimalOfText,
  digitsOf,
  divideCeil,
  divideFloor,
  divideHalfEven,
  quotientCeil,
  quotientFloor,
  quotientHalfEven,
  scaled,
} from "./decimal.js";

describe("decimals", () => {
  it("are what a number is written as", () => {
    expect(decimalOf(0.1)).toEqual({ digits: 1n, exponent: -1 });
    expect(decimalOf(-12.5)).toEqual({ digits: -125n, exponent: -1 });
    expect(decimalOf(1e-7)).toEqual({ digits: 1n, exponent: -7 });
    expect(decimalOf(1e21)).toEqual({ digits: 1n, exponent: 21 });
    for (const bad of ["", ".", "1.2.3", "0x1", "1e9999", " 1"]) expect(decimalOfText(bad)).toBeUndefined();
    expect(decimalOf(Number.NaN)).toBeUndefined();
  });

  it("round to even exactly between two integers, on either side of 0", () => {
    expect([-5n, -3n, -1n, 1n, 3n, 5n].map((over) => divideHalfEven(over, 2n))).toEqual([
      -2n,
      -2n,
      0n,
      0n,
      2n,
      2n,
    ]);
    expect([-7n, 7n].map((over) => divideFloor(over, 2n))).toEqual([-4n, 3n]);
    expect([-7n, 7n].map((over) => divideCeil(over, 2n))).toEqual([-3n, 4n]);
  });

  it("give in the fast way what they give in the long one", () => {
    const whole = fc.integer({ min: -Number.MAX_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER });
    const under = fc.oneof(
      fc.integer({ min: 1, max: 1_000_000_000 }),
      fc.constantFrom(2, 1_000_000, 100_000_000),
    );
    fc.assert(
      fc.property(whole, under, (a, b) => {
        expect(BigInt(quotientHalfEven(a, b))).toBe(divideHalfEven(BigInt(a), BigInt(b)));
        expect(BigInt(quotientFloor(a, b))).toBe(divideFloor(BigInt(a), BigInt(b)));
        expect(BigInt(quotientCeil(a, b))).toBe(divideCeil(BigInt(a), BigInt(b)));
      }),
      { numRuns: 3000 },
    );
    // Close to whole quotients and to halves, where a division in floating point errs.
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 9_000_000_000 }), fc.integer({ min: -2, max: 2 }), (k, off) => {
        for (const a of [k * 1_000_000 + off, k * 1_000_000 + 500_000 + off]) {
          if (a > Number.MAX_SAFE_INTEGER) continue;
          expect(BigInt(quotientHalfEven(a, 1_000_000))).toBe(divideHalfEven(BigInt(a), 1_000_000n));
        }
      }),
      { numRuns: 3000 },
    );
  });

  it("have so many digits only if they are written with so many", () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1e10, noNaN: true }), fc.nat(8), (value, decimals) => {
        const digits = digitsOf(value, 10 ** decimals);
        const [over, under] = scaled(decimalOf(value)!, decimals);
        if (digits !== undefined) expect(BigInt(digits) * under).toBe(over);
      }),
      { numRuns: 3000 },
    );
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 100_000_000 }), fc.nat(4), (units, decimals) => {
        expect(digitsOf(units / 10 ** decimals, 10_000)).toBe(units * 10 ** (4 - decimals));
      }),
    );
    expect(digitsOf(412.123456789012, 10_000)).toBeUndefined();
  });
});
