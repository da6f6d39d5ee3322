import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { normalCdf, normalQuantile } from "./normal.js";

/** Values of the distribution function to sixteen digits (Abramowitz and Stegun, table 26.1 and 26.2, and R's pnorm). */
const known: readonly [number, number][] = [
  [0, 0.5],
  [0.5, 0.6914624612740131],
  [1, 0.8413447460685429],
  [1.959963984540054, 0.975],
  [2, 0.9772498680518208],
  [3, 0.9986501019683699],
  [-1, 0.15865525393145707],
  [-3, 0.0013498980316300957],
  [-5, 2.866515718791946e-7],
  [-10, 7.61985302416053e-24],
];

describe("normalCdf", () => {
  it.each(known)("of %d is %d", (x, p) => {
    expect(Math.abs(normalCdf(x) / p - 1)).toBeLessThan(1e-14);
  });

  it("rises, is symmetric, and joins its two expansions without a step", () => {
    const x = fc.double({ min: -8, max: 8, noNaN: true });
    fc.assert(
      fc.property(x, x, (a, b) => {
        if (a < b) expect(normalCdf(a)).toBeLessThanOrEqual(normalCdf(b) + 1e-16);
        expect(Math.abs(normalCdf(a) + normalCdf(-a) - 1)).toBeLessThan(1e-15);
      }),
    );
    for (const joint of [-1.5, 1.5]) {
      const step = normalCdf(joint + 1e-7) - normalCdf(joint - 1e-7);
      expect(Math.abs(step / (2e-7 * 0.12951759566589174) - 1)).toBeLessThan(1e-8);
    }
  });

  it("is the integral of the density", () => {
    const density = (x: number) => Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI);
    for (const [from, to] of [
      [-6, -3.5],
      [-3.5, -2.5],
      [-1, 0.5],
      [2.5, 4],
    ] as const) {
      const n = 2000;
      const h = (to - from) / n;
      let sum = density(from) + density(to);
      for (let k = 1; k < n; k++) sum += (k % 2 === 1 ? 4 : 2) * density(from + k * h);
      expect(Math.abs(normalCdf(to) - normalCdf(from) - (sum * h) / 3)).toBeLessThan(1e-14);
    }
  });

  it("goes to 0 and 1, and knows no answer to NaN", () => {
    expect([normalCdf(Number.NEGATIVE_INFINITY), normalCdf(Number.POSITIVE_INFINITY)]).toEqual([0, 1]);
    expect(normalCdf(Number.NaN)).toBeNaN();
  });
});

describe("normalQuantile", () => {
  it("undoes the distribution function, far into the tails", () => {
    fc.assert(
      fc.property(fc.double({ min: -300, max: -1e-9, noNaN: true }), (exponent) => {
        const p = 10 ** exponent;
        const z = normalQuantile(p);
        expect(Math.abs(normalCdf(z) / p - 1)).toBeLessThan(1e-12);
        if (1 - p !== 1) expect(normalQuantile(1 - p)).toBeCloseTo(-normalQuantile(1 - (1 - p)), 14);
      }),
    );
  });

  it.each([
    [0.5, 0],
    [0.95, 1.6448536269514722],
    [0.975, 1.959963984540054],
    [0.01, -2.3263478740408408],
  ])("of %d is %d", (p, z) => {
    expect(normalQuantile(p)).toBeCloseTo(z, 14);
  });

  it("ends at infinity and refuses what is no probability", () => {
    expect([normalQuantile(0), normalQuantile(1)]).toEqual([
      Number.NEGATIVE_INFINITY,
      Number.POSITIVE_INFINITY,
    ]);
    for (const bad of [-0.1, 1.1, Number.NaN]) {
      expect(() => normalQuantile(bad)).toThrow(expect.objectContaining({ code: "PF_STATISTICS_INPUT" }));
    }
  });
});
