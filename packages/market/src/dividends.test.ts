import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { impliedDividends } from "./dividends.js";

/** Adjusted closes as a vendor makes them: backwards, each payment a fraction of the close before. */
function adjustedFor(traded: readonly number[], paid: readonly number[], round: (value: number) => number) {
  const adjusted = new Float64Array(traded.length);
  let factor = 1;
  for (let row = traded.length - 1; row >= 0; row--) {
    adjusted[row] = round(traded[row]! * factor);
    if (row > 0) factor *= 1 - paid[row]! / traded[row - 1]!;
  }
  return adjusted;
}

const histories = fc
  .array(
    fc.record({
      cents: fc.integer({ min: 1_000, max: 60_000 }),
      // A few basis points at least: more than rounding to six decimals explains.
      paid: fc.oneof(
        { arbitrary: fc.constant(0), weight: 4 },
        { arbitrary: fc.integer({ min: 5, max: 300 }), weight: 1 },
      ),
    }),
    { minLength: 2, maxLength: 60 },
  )
  .map((rows) => ({
    traded: rows.map(({ cents }) => cents / 100),
    paid: rows.map(({ paid, cents }, row) => (row === 0 ? 0 : Math.min(paid, cents / 20) / 100)),
  }));

describe("impliedDividends", () => {
  it("gives back what the adjusted history was made with, to the rounding of its decimals", () => {
    fc.assert(
      fc.property(histories, ({ traded, paid }) => {
        const adjusted = adjustedFor(traded, paid, (value) => Math.round(value * 1e6) / 1e6);
        const found = impliedDividends(adjusted, Float64Array.from(traded));
        found.forEach((dollars, row) => {
          const isClear = paid[row]! > traded[row - 1]! * 2e-5;
          if (isClear) expect(Math.abs(dollars - paid[row]!)).toBeLessThan(1e-5 * traded[row - 1]!);
          else if (paid[row] === 0) expect(dollars).toBe(0);
        });
      }),
    );
  });
  it("takes nothing for a payment that rounding to cents explains", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1_000, max: 60_000 }), { minLength: 2, maxLength: 60 }),
        (ticks) => {
          const traded = ticks.map((value) => value / 100);
          const factor = 0.873;
          const adjusted = Float64Array.from(traded, (value) => Math.round(value * factor * 100) / 100);
          expect([...impliedDividends(adjusted, Float64Array.from(traded))]).toEqual(traded.map(() => 0));
        },
      ),
    );
  });
  it("finds a payment over a hole, on the row where the share trades again", () => {
    const traded = Float64Array.of(100, Number.NaN, 99, 99);
    const adjusted = Float64Array.of(98, Number.NaN, 99, 99);
    expect([...impliedDividends(adjusted, traded)]).toEqual([0, 0, 2, 0]);
  });
  it("finds none in one history, and none where the ratio falls", () => {
    const traded = Float64Array.of(100, 99.123457);
    expect([...impliedDividends(traded, traded)]).toEqual([0, 0]);
    expect([...impliedDividends(Float64Array.of(100, 97.123457), traded)]).toEqual([0, 0]);
  });
});
