import { dateOfDayNumber } from "@pf/market";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { generator } from "../../../market/test/worlds.js";
import { smallOptions } from "../../test/options.js";
import { normalizeWithCaps } from "../caps.js";
import { portfolioVariance } from "../covariance.js";
import { builtinWeightings } from "../weightings.js";
import { leafOrder, makeTree } from "./hierarchicalRisk.js";
import type { WeightingInput } from "./weighting.js";

/** A covariance matrix of n names as a test writes it. */
type Matrix = readonly (readonly number[])[];

function inputOf(matrix: Matrix): WeightingInput {
  const n = matrix.length;
  return {
    session: dateOfDayNumber(20_000),
    tickers: matrix.map((_, k) => `S${k}`),
    volatility: (k) => Math.sqrt(matrix[k]![k]!),
    returns: () => expect.fail("no weighting that is built in reads returns"),
    // Longer than it has to be, as in the engine.
    covariance: () => Float64Array.of(...matrix.flat(), ...new Array<number>(n).fill(Number.NaN)),
  };
}

function weigh(method: string, matrix: Matrix): number[] {
  const raw = new Float64Array(matrix.length + 2).fill(Number.NaN);
  builtinWeightings.get(method)(smallOptions)(inputOf(matrix), raw);
  return [...raw.subarray(0, matrix.length)];
}

const variance = (matrix: Matrix, weights: readonly number[]) =>
  portfolioVariance(Float64Array.from(matrix.flat()), matrix.length, Float64Array.from(weights));
const total = (weights: readonly number[]) => weights.reduce((sum, weight) => sum + weight, 0);

/** Sample covariances of made-up returns with common factors: ten times more returns than names, or fewer than names. */
function sampleMatrix({ seed, names, returns }: { seed: number; names: number; returns: number }): Matrix {
  const draw = generator(seed);
  const noise = () => draw() + draw() + draw() - 1.5;
  const traits = Array.from({ length: names }, () => [noise(), noise(), 10 ** (draw() * 2 - 3)] as const);
  const rows = Array.from({ length: returns }, () => {
    const [market, rates] = [noise(), noise()];
    return traits.map(([beta, gamma, scale]) => scale * (beta * market + gamma * rates + noise()));
  });
  const means = traits.map((_, k) => total(rows.map((row) => row[k]!)) / returns);
  const entry = (i: number, k: number) =>
    total(rows.map((row) => (row[i]! - means[i]!) * (row[k]! - means[k]!))) / (returns - 1);
  return traits.map((_, i) => traits.map((_, k) => entry(Math.max(i, k), Math.min(i, k))));
}

const seeds = fc.integer({ min: 1, max: 0x7fffffff });
const wellPosed = fc
  .record({ seed: seeds, names: fc.integer({ min: 1, max: 8 }) })
  .map(({ seed, names }) => sampleMatrix({ seed, names, returns: 60 }));
/** As above, and ones that leave something to be desired: fewer returns than names, twins, mirrors, no variance. */
const awkward = fc
  .record({
    seed: seeds,
    names: fc.integer({ min: 1, max: 8 }),
    returns: fc.constantFrom(3, 60),
    other: fc.constantFrom("none", "twin", "mirror", "still"),
  })
  .map(({ seed, names, returns, other }) => {
    const matrix = sampleMatrix({ seed, names, returns }).map((row) => [...row]);
    if (other === "none") return matrix;
    const sign = { twin: 1, mirror: -1, still: 0 }[other];
    const first = matrix[0]!.map((value) => sign * value);
    return [...matrix.map((row, i) => [...row, first[i]!]), [...first, sign * sign * matrix[0]![0]!]];
  });

const methods = builtinWeightings.names;

describe.each(methods)("%s", (method) => {
  it("gives weights that sum to 1 once they are brought there, none below nothing, whatever the covariances", () => {
    fc.assert(
      fc.property(awkward, (matrix) => {
        const raw = weigh(method, matrix);
        for (const weight of raw) {
          expect(weight).toBeGreaterThanOrEqual(0);
          expect(weight).toBeLessThan(Number.POSITIVE_INFINITY);
        }
        // Of fewer returns than names, equal contributions may be to no risk at all; every name has a part in it.
        if (method === "erc") for (const weight of raw) expect(weight).toBeGreaterThan(0);
        if (method !== "inv_vol") expect(total(raw)).toBeCloseTo(1, 12);
        const named = Object.fromEntries(raw.map((weight, k) => [`S${k}`, weight]));
        expect(total(Object.values(normalizeWithCaps(named, 1, 0)))).toBeCloseTo(1, 12);
      }),
    );
  });

  it("gives one name everything", () => {
    for (const own of [1e-4, 1e-30, 0]) {
      const [raw] = weigh(method, [[own]]);
      expect(normalizeWithCaps({ S0: raw! }, 1, 0)).toEqual({ S0: 1 });
    }
  });

  it("does not mind the unit of returns: all covariances scaled leave the shares as they are", () => {
    fc.assert(
      fc.property(wellPosed, fc.integer({ min: -6, max: 6 }), (matrix, power) => {
        const scaled = matrix.map((row) => row.map((value) => value * 4 ** power));
        const [before, after] = [weigh(method, matrix), weigh(method, scaled)];
        const [sumBefore, sumAfter] = [total(before), total(after)];
        for (const [k, weight] of before.entries()) {
          expect(after[k]! / sumAfter).toBeCloseTo(weight / sumBefore, 9);
        }
      }),
    );
  });

  it("gives names in another order the same weights in that order", () => {
    fc.assert(
      fc.property(wellPosed, seeds, (matrix, seed) => {
        // The halves of hierarchical risk parity depend on the order from five names on, as published.
        const small = method === "hrp" ? matrix.slice(0, 4).map((row) => row.slice(0, 4)) : matrix;
        const draw = generator(seed);
        const order = small
          .map((_, k) => ({ k, at: draw() }))
          .sort((a, b) => a.at - b.at)
          .map(({ k }) => k);
        const shuffled = order.map((i) => order.map((k) => small[i]![k]!));
        const [before, after] = [weigh(method, small), weigh(method, shuffled)];
        for (const [at, k] of order.entries())
          expect(after[at]! / total(after)).toBeCloseTo(before[k]! / total(before), 9);
      }),
    );
  });

  it("gives twins the same as each other", () => {
    const twins: Matrix = [
      [4e-4, 4e-4],
      [4e-4, 4e-4],
    ];
    const [a, b] = weigh(method, twins);
    expect(a! / (a! + b!)).toBeCloseTo(0.5, 9);
  });

  it("is not influenced by what it weighed before, more names or fewer", () => {
    const weighing = builtinWeightings.get(method)(smallOptions);
    const matrices = [3, 7, 1, 7, 2].map((names, k) => sampleMatrix({ seed: k + 1, names, returns: 60 }));
    for (const matrix of matrices) {
      const raw = new Float64Array(matrix.length);
      weighing(inputOf(matrix), raw);
      expect([...raw]).toEqual(weigh(method, matrix));
    }
  });
});

it("two names by inverse volatility under erc, by inverse variance under hrp, whatever their correlation", () => {
  for (const rho of [-0.99, -0.3, 0, 0.5, 0.99]) {
    const matrix: Matrix = [
      [0.01, rho * 0.1 * 0.3],
      [rho * 0.1 * 0.3, 0.09],
    ];
    const [erc, hrp] = [weigh("erc", matrix), weigh("hrp", matrix)];
    expect(erc[0]!).toBeCloseTo(0.75, 11);
    expect(hrp[0]!).toBeCloseTo(0.9, 11);
  }
});

describe("erc", () => {
  const contributions = (matrix: Matrix) => {
    const weights = weigh("erc", matrix);
    return weights.map((weight, i) => weight * total(weights.map((other, k) => matrix[i]![k]! * other)));
  };

  it("makes every name contribute the same to the portfolio's variance, within 1e-9 of it", () => {
    fc.assert(
      fc.property(wellPosed, (matrix) => {
        const parts = contributions(matrix);
        const share = total(parts) / parts.length;
        for (const part of parts) expect(Math.abs(part / share - 1)).toBeLessThan(1e-9);
      }),
      { numRuns: 500 },
    );
  });

  it("gives every name some weight, the more volatile of two that correlate alike less", () => {
    const matrix: Matrix = [
      [0.01, 0.01, 0.015],
      [0.01, 0.04, 0.03],
      [0.015, 0.03, 0.09],
    ];
    const [calm, middle, wild] = weigh("erc", matrix);
    expect(calm).toBeGreaterThan(middle!);
    expect(middle).toBeGreaterThan(wild!);
    expect(wild).toBeGreaterThan(0);
  });

  it("of three names that cancel when held equally is to hold them equally", () => {
    // The third loses what the first two win together.
    const [a, b, both] = [0.01, 0.04, 0.005];
    const matrix: Matrix = [
      [a, both, -a - both],
      [both, b, -b - both],
      [-a - both, -b - both, a + b + 2 * both],
    ];
    for (const weight of weigh("erc", matrix)) expect(weight).toBeCloseTo(1 / 3, 4);
  });

  it("of perfect hedges, which have no risk to divide, is by inverse volatility", () => {
    const [a, b] = weigh("erc", [
      [0.01, -0.03],
      [-0.03, 0.09],
    ]);
    expect(a).toBeCloseTo(0.75, 6);
    expect(b).toBeCloseTo(0.25, 6);
  });
});

describe("min_var", () => {
  it("has no more variance than any long-only portfolio: single names, equal weights, dice, small changes", () => {
    fc.assert(
      fc.property(awkward, seeds, (matrix, seed) => {
        const draw = generator(seed);
        const n = matrix.length;
        const own = weigh("min_var", matrix);
        const least = variance(matrix, own);
        // Twins and mirrors are told apart up to 1e-10 of a variance.
        const slack = 1e-9 * Math.max(...matrix.map((row, k) => row[k]!));
        const rivals = [
          ...matrix.map((_, i) => matrix.map((_, k) => (i === k ? 1 : 0))),
          matrix.map(() => 1 / n),
          weigh("erc", matrix),
          ...Array.from({ length: 30 }, () => {
            const dice = matrix.map(() => -Math.log(1 - draw()));
            return dice.map((value) => value / total(dice));
          }),
          ...Array.from({ length: 30 }, () => {
            const near = own.map((weight) => Math.max(0, weight + (draw() - 0.5) * 1e-3));
            return near.map((value) => value / total(near));
          }),
        ];
        for (const rival of rivals) expect(least).toBeLessThanOrEqual(variance(matrix, rival) + slack);
      }),
      { numRuns: 300 },
    );
  });

  it("is the closed form where no weight is at its bound", () => {
    // (b - c) / (a + b - 2c) for variances a, b and covariance c.
    const [a] = weigh("min_var", [
      [0.04, 0.006],
      [0.006, 0.01],
    ]);
    expect(a).toBeCloseTo(0.004 / 0.038, 9);
  });

  it("leaves out what would only add variance, and goes on without it", () => {
    const weights = weigh("min_var", [
      [0.01, 0.018, 0],
      [0.018, 0.04, 0],
      [0, 0, 0.01],
    ]);
    expect(weights[1]).toBe(0);
    expect(weights[0]).toBeCloseTo(0.5, 9);
  });

  it("finds the hedge that has no variance at all", () => {
    const matrix: Matrix = [
      [0.01, -0.03],
      [-0.03, 0.09],
    ];
    const [a] = weigh("min_var", matrix);
    expect(a).toBeCloseTo(0.75, 6);
  });
});

describe("hrp", () => {
  const leaves = (names: number, matrix: Matrix) => {
    const order = new Int32Array(names);
    leafOrder(Float64Array.from(matrix.flat()), names, makeTree(names), order);
    return [...order];
  };

  it("joins names that are equally far apart in the order of the universe", () => {
    const alike = (names: number): Matrix =>
      Array.from({ length: names }, (_, i) =>
        Array.from({ length: names }, (_, k) => (i === k ? 0.04 : 0.01)),
      );
    expect(leaves(1, alike(1))).toEqual([0]);
    expect(leaves(3, alike(3))).toEqual([2, 0, 1]);
    expect(leaves(4, alike(4))).toEqual([0, 1, 2, 3]);
    expect(leaves(5, alike(5))).toEqual([2, 3, 4, 0, 1]);
  });

  it("gives a name without variance all but everything, as little as none counts", () => {
    const weights = weigh("hrp", [
      [0, 0, 0],
      [0, 0.01, 0.002],
      [0, 0.002, 0.04],
    ]);
    expect(weights[0]).toBeGreaterThan(0.999);
  });

  it("divides equally between halves that cancel to nothing", () => {
    const weights = weigh("hrp", [
      [0.01, -0.01],
      [-0.01, 0.01],
    ]);
    expect(weights).toEqual([0.5, 0.5]);
  });
});
