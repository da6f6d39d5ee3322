import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { generator } from "../../../market/test/worlds.js";
import {
  deflatedSharpe,
  expectedMaximum,
  minimumBacktestYears,
  minimumTrackRecord,
  probabilisticSharpe,
  type SharpeSample,
  sharpeSample,
  trialVariance,
} from "./sharpe.js";

const samples = fc.record<SharpeSample>({
  sharpe: fc.double({ min: 0.01, max: 0.5, noNaN: true }),
  periods: fc.integer({ min: 30, max: 5000 }),
  skewness: fc.double({ min: -1, max: 1, noNaN: true }),
  kurtosis: fc.double({ min: 2, max: 10, noNaN: true }),
});

/** Standard normal numbers, by Box and Muller. */
function normals(seed: number, count: number): number[] {
  const draw = generator(seed);
  return Array.from(
    { length: count },
    () => Math.sqrt(-2 * Math.log(1 - draw())) * Math.cos(2 * Math.PI * draw()),
  );
}

describe("sharpeSample", () => {
  it("has the moments of a small sample worked out by hand", () => {
    const { sharpe, skewness, kurtosis, periods } = sharpeSample([1, 2, 3, 6]);
    expect(periods).toBe(4);
    expect(sharpe).toBeCloseTo(3 / Math.sqrt(14 / 3), 14);
    expect(skewness).toBeCloseTo(18 / 4 / 3.5 ** 1.5, 14);
    expect(kurtosis).toBeCloseTo(98 / 4 / 3.5 ** 2, 14);
  });

  it("keeps its value when all returns are scaled, and tends to 0 and 3 for normal numbers", () => {
    const returns = normals(5, 20_000);
    const one = sharpeSample(returns);
    const other = sharpeSample(returns.map((value) => value * 4));
    expect(other).toEqual(one);
    expect(Math.abs(one.skewness)).toBeLessThan(0.05);
    expect(Math.abs(one.kurtosis - 3)).toBeLessThan(0.1);
  });

  it.each([[[]], [[0.1]], [[0.1, 0.1, 0.1]], [[0, 0, 0]]])("is undefined for %j", (returns) => {
    const sample = sharpeSample(returns);
    expect([sample.sharpe, probabilisticSharpe(sample), minimumTrackRecord(sample)]).toEqual([
      Number.NaN,
      Number.NaN,
      Number.NaN,
    ]);
  });
});

describe("probabilisticSharpe", () => {
  it("rises with the record's length and its ratio, falls with the benchmark, and is a half at it", () => {
    fc.assert(
      fc.property(samples, (sample) => {
        const p = probabilisticSharpe(sample);
        expect(p).toBeGreaterThan(0.5);
        expect(p).toBeLessThanOrEqual(1);
        expect(probabilisticSharpe({ ...sample, periods: sample.periods * 2 })).toBeGreaterThanOrEqual(p);
        expect(probabilisticSharpe(sample, sample.sharpe / 2)).toBeLessThanOrEqual(p);
        expect(probabilisticSharpe(sample, sample.sharpe)).toBe(0.5);
      }),
    );
  });

  it("reaches the confidence exactly at the minimum track record", () => {
    fc.assert(
      fc.property(samples, fc.double({ min: 0.6, max: 0.999, noNaN: true }), (sample, confidence) => {
        const periods = minimumTrackRecord(sample, 0, confidence);
        expect(probabilisticSharpe({ ...sample, periods })).toBeCloseTo(confidence, 10);
      }),
    );
    expect(minimumTrackRecord({ sharpe: 0.1, periods: 9, skewness: 0, kurtosis: 3 }, 0.1)).toBe(
      Number.POSITIVE_INFINITY,
    );
  });
});

describe("expectedMaximum", () => {
  it("is near the mean of the largest of so many normal numbers", () => {
    for (const trials of [5, 30, 200]) {
      const draws = normals(trials, trials * 3000);
      let sum = 0;
      for (let run = 0; run < 3000; run++) sum += Math.max(...draws.slice(run * trials, (run + 1) * trials));
      expect(Math.abs(expectedMaximum(trials) - sum / 3000)).toBeLessThan(0.07);
    }
  });

  it("rises with every trial from 0, and refuses what is no count", () => {
    const first = Array.from({ length: 50 }, (_, at) => expectedMaximum(at + 1));
    expect(first[0]).toBe(0);
    for (const [at, value] of first.entries()) if (at > 0) expect(value).toBeGreaterThan(first[at - 1]!);
    for (const bad of [0, -1, 2.5, Number.NaN]) {
      expect(() => expectedMaximum(bad)).toThrow(expect.objectContaining({ code: "PF_STATISTICS_INPUT" }));
    }
  });
});

describe("deflatedSharpe", () => {
  it("falls with every trial and with their spread, and is the probabilistic one for a single trial", () => {
    fc.assert(
      fc.property(samples, fc.integer({ min: 2, max: 500 }), (sample, trials) => {
        const few = deflatedSharpe(sample, trials, 0.001);
        const many = deflatedSharpe(sample, trials * 3, 0.001);
        const wide = deflatedSharpe(sample, trials, 0.004);
        expect(many.probability).toBeLessThanOrEqual(few.probability);
        expect(wide.benchmark).toBeCloseTo(2 * few.benchmark, 12);
        expect(deflatedSharpe(sample, 1, Number.NaN)).toEqual({
          probability: probabilisticSharpe(sample),
          benchmark: 0,
          trials: 1,
        });
      }),
    );
  });

  it("is undefined where the spread of several trials is, and refuses a negative one", () => {
    const sample = { sharpe: 0.1, periods: 100, skewness: 0, kurtosis: 3 };
    expect(deflatedSharpe(sample, 5, Number.NaN).probability).toBeNaN();
    expect(() => deflatedSharpe(sample, 5, -1)).toThrow(/cannot be negative/);
  });
});

describe("minimumBacktestYears", () => {
  it("is never long enough for a ratio that is not positive, and shrinks with its square", () => {
    expect(minimumBacktestYears(10, 0)).toBe(Number.POSITIVE_INFINITY);
    expect(minimumBacktestYears(10, Number.NaN)).toBeNaN();
    expect(minimumBacktestYears(10, 1)).toBeCloseTo(4 * minimumBacktestYears(10, 2), 12);
  });
});

describe("trialVariance", () => {
  it("is the sample variance of what is defined", () => {
    expect(trialVariance([1, Number.NaN, 3])).toBe(2);
    expect(trialVariance([1, Number.NaN])).toBeNaN();
  });
});
