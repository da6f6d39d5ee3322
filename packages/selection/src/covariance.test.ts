import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { generator } from "../../market/test/worlds.js";
import { constantCorrelationShrinkage, estimateCovariance, portfolioVariance } from "./covariance.js";

/** Returns of some names, less their means: one column a name. */
function centred(rows: readonly (readonly number[])[]): Float64Array[] {
  return rows[0]!.map((_, k) => {
    const column = Float64Array.from(rows, (row) => row[k]!);
    const mean = column.reduce((sum, value) => sum + value, 0) / column.length;
    return column.map((value) => value - mean);
  });
}

function estimate(estimator: "sample" | "ledoit_wolf", columns: readonly Float64Array[]): Float64Array {
  const n = columns.length;
  const out = new Float64Array(n * n);
  estimateCovariance(estimator, columns, n, columns[0]!.length, out);
  return out;
}

/** Returns of 1 to 7 names over 4 to 60 rows, with a common factor; some names twins, mirrors or without any move. */
const anyColumns = fc
  .record({
    seed: fc.integer({ min: 1, max: 0x7fffffff }),
    names: fc.integer({ min: 1, max: 7 }),
    window: fc.integer({ min: 4, max: 60 }),
    other: fc.constantFrom(undefined, 1, -1, 0),
  })
  .map(({ seed, names, window, other }) => {
    const draw = generator(seed);
    const rows = Array.from({ length: window }, () => {
      const market = draw() - 0.5;
      const row = Array.from({ length: names }, (_, k) => (market * (k % 3) + draw() - 0.5) / 50 / (k + 1));
      return other === undefined ? row : [...row, other * row[0]!];
    });
    return centred(rows);
  });

const example = [
  [12, 9, -3, 1],
  [-7, -4, 5, 2],
  [3, 6, 1, -2],
  [-11, -8, 4, 0],
  [5, 1, -6, 3],
  [8, 9, 2, -5],
  [-2, -6, -1, 4],
  [-9, -3, 7, -1],
  [4, 2, -5, -3],
  [1, -5, 0, 6],
  [7, 8, -2, -4],
  [-6, -2, 3, 1],
].map((row) => row.map((value) => value / 1000));

describe("sample covariance", () => {
  it("is that of columns of returns, divisor n - 1", () => {
    const [a, b, , d] = estimate(
      "sample",
      centred([
        [0.01, 0.02],
        [0.03, 0.01],
        [-0.01, 0.03],
      ]),
    );
    expect(a).toBeCloseTo(4e-4, 15);
    expect(b).toBeCloseTo(-2e-4, 15);
    expect(d).toBeCloseTo(1e-4, 15);
  });
});

describe("Ledoit and Wolf's covariance", () => {
  it("is what the paper's formulas give, computed elsewhere", () => {
    const columns = centred(example);
    expect(constantCorrelationShrinkage(columns, 4, 12)).toBeCloseTo(0.08845614386246224, 13);
    const expected = [
      [5.426515151515151e-5, 3.4458602712276776e-5, -2.0531649795934213e-5, -6.494653824072843e-6],
      [3.4458602712276776e-5, 3.790151515151515e-5, -9.654101814320776e-6, -1.241332576332954e-5],
      [-2.0531649795934213e-5, -9.654101814320776e-6, 1.6083333333333336e-5, -9.819523589324827e-7],
      [-6.494653824072843e-6, -1.241332576332954e-5, -9.819523589324827e-7, 1.106060606060606e-5],
    ].flat();
    for (const [at, value] of estimate("ledoit_wolf", columns).entries())
      expect(Math.abs(value - expected[at]!)).toBeLessThan(1e-17);
  });

  it("lies between the sample and constant correlation, keeps variances, and is the sample without shrinkage", () => {
    const met = { none: 0, some: 0, all: 0 };
    fc.assert(
      fc.property(anyColumns, (columns) => {
        const n = columns.length;
        const [sample, shrunk] = [estimate("sample", columns), estimate("ledoit_wolf", columns)];
        const shrinkage = n < 3 ? 0 : constantCorrelationShrinkage(columns, n, columns[0]!.length);
        expect(shrinkage).toBeGreaterThanOrEqual(0);
        expect(shrinkage).toBeLessThanOrEqual(1);
        met[shrinkage === 0 ? "none" : shrinkage === 1 ? "all" : "some"]++;
        if (shrinkage === 0) expect(shrunk).toEqual(sample);
        const rho = (of: Float64Array, i: number, k: number) => {
          const scale = Math.sqrt(of[i * n + i]! * of[k * n + k]!);
          return scale > 0 ? of[i * n + k]! / scale : 0;
        };
        const pairs = Array.from({ length: n }, (_, i) =>
          Array.from({ length: i }, (_, k) => [i, k] as const),
        ).flat();
        const mean = (of: Float64Array) =>
          pairs.reduce((sum, [i, k]) => sum + rho(of, i, k), 0) / pairs.length;
        for (let i = 0; i < n; i++) expect(shrunk[i * n + i]).toBe(sample[i * n + i]);
        for (const [i, k] of pairs) {
          expect(shrunk[i * n + k]).toBe(shrunk[k * n + i]);
          expect(rho(shrunk, i, k)).toBeCloseTo(
            shrinkage * (rho(sample, i, i) * rho(sample, k, k) === 0 ? 0 : mean(sample)) +
              (1 - shrinkage) * rho(sample, i, k),
            9,
          );
        }
      }),
      { seed: 7, numRuns: 400 },
    );
    // One seed: which shrinkages come up is a matter of the sample.
    for (const count of Object.values(met)) expect(count).toBeGreaterThan(5);
  });
});

it("no portfolio has less variance than nothing, under either estimator", () => {
  fc.assert(
    fc.property(anyColumns, fc.integer({ min: 1, max: 0x7fffffff }), (columns, seed) => {
      const n = columns.length;
      const draw = generator(seed);
      for (const estimator of ["sample", "ledoit_wolf"] as const) {
        const covariance = estimate(estimator, columns);
        const largest = Math.max(...Array.from({ length: n }, (_, k) => covariance[k * n + k]!));
        for (let run = 0; run < 20; run++) {
          // Long and short: a matrix that is positive semidefinite has no direction below 0 but for rounding.
          const weights = Float64Array.from({ length: n }, () => draw() - 0.5);
          let variance = 0;
          for (let i = 0; i < n; i++)
            for (let k = 0; k < n; k++) variance += weights[i]! * weights[k]! * covariance[i * n + k]!;
          expect(variance).toBeGreaterThan(-1e-14 * (largest + 1e-300));
          expect(portfolioVariance(covariance, n, weights)).toBe(Math.max(0, variance));
        }
      }
    }),
  );
});
