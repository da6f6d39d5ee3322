import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { generator } from "../../../market/test/worlds.js";
import { probabilityOfOverfitting, purgedValidationCounts } from "./overfitting.js";

const noise = (seed: number, trials: number, periods: number, drift = (_: number) => 0) => {
  const draw = generator(seed);
  return Array.from({ length: trials }, (_, trial) =>
    Float64Array.from({ length: periods }, () => draw() - 0.5 + drift(trial)),
  );
};

describe("probabilityOfOverfitting", () => {
  it("is near 0 when one trial is truly better, and near a half when none is", () => {
    expect(probabilityOfOverfitting(noise(1, 10, 800, (trial) => (trial === 4 ? 0.2 : 0))).probability).toBe(
      0,
    );
    const means = [1, 2, 3, 4, 5, 6].map(
      (seed) => probabilityOfOverfitting(noise(seed, 12, 480), { blocks: 8 }).probability,
    );
    const mean = means.reduce((sum, value) => sum + value, 0) / means.length;
    expect(mean).toBeGreaterThan(0.3);
    expect(mean).toBeLessThan(0.75);
  });

  it("is 1 when what was best is always worst afterwards", () => {
    // Each trial shines in one half of the blocks and fails in the other.
    const trials = [1, -1].map((sign) =>
      Float64Array.from({ length: 40 }, (_, t) => sign * (t < 20 ? 1 : -1) + (t % 2) * 1e-3),
    );
    const { splits, ...rest } = probabilityOfOverfitting(trials, { blocks: 2 });
    expect(rest).toMatchObject({ probability: 1, probabilityOfLoss: 1 });
    expect(splits.map((split) => [split.best, split.outOfSampleRank])).toEqual([
      [0, 1],
      [1, 1],
    ]);
  });

  it("judges each split by the Sharpe ratio of its own rows", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1e6 }), fc.integer({ min: 2, max: 5 }), (seed, count) => {
        const periods = 53;
        const trials = noise(seed, count, periods);
        const { splits, periodsLeftOut } = probabilityOfOverfitting(trials, { blocks: 6 });
        expect(periodsLeftOut).toBe(5);
        expect(splits.length).toBe(20);
        for (const split of splits) {
          const inside = (t: number) => split.inSampleBlocks.includes(Math.floor((t - 5) / 8));
          const sharpeOver = (own: boolean) =>
            trials.map((returns) =>
              sharpe(Array.from(returns).filter((_, t) => t >= 5 && inside(t) === own)),
            );
          const sample = sharpeOver(true);
          const rest = sharpeOver(false);
          expect(split.inSample).toBeCloseTo(Math.max(...sample), 10);
          expect(split.best).toBe(sample.indexOf(Math.max(...sample)));
          expect(split.outOfSample).toBeCloseTo(rest[split.best]!, 10);
          expect(split.outOfSampleRank).toBe(1 + rest.filter((other) => other < rest[split.best]!).length);
        }
      }),
      { numRuns: 20 },
    );
  });

  it("ranks a trial that never trades below every other, and decides nothing where none trades", () => {
    const [walk] = noise(3, 1, 64);
    const cash = new Float64Array(64);
    const { splits } = probabilityOfOverfitting([cash, walk!], { blocks: 4 });
    for (const split of splits) expect(split).toMatchObject({ best: 1, outOfSampleRank: 2 });
    const none = probabilityOfOverfitting([cash, cash], { blocks: 4 });
    expect(none).toMatchObject({ undecided: 6, splits: [] });
    expect([none.probability, none.degradation.slope]).toEqual([Number.NaN, Number.NaN]);
  });

  it("holds trials that differ by rounding alone to be equal, in either direction", () => {
    const [walk] = noise(5, 1, 96);
    for (const sign of [1, -1]) {
      const near = walk!.map((value, t) => value * (1 + (sign * (t % 3) - sign) * 2e-16));
      const { probability, splits } = probabilityOfOverfitting([walk!, near], { blocks: 8 });
      expect(probability).toBe(1);
      for (const split of splits) expect(split).toMatchObject({ best: 0, outOfSampleRank: 1.5 });
    }
  });

  it.each([
    ["a single trial", noise(1, 1, 64), {}, /at least 2 trials/],
    ["trials of other periods", [new Float64Array(64), new Float64Array(63)], {}, /same periods/],
    ["an odd number of blocks", noise(1, 2, 64), { blocks: 5 }, /even, 2 to 20/],
    ["more blocks than it can cut", noise(1, 2, 31), {}, /16 blocks need at least 32 periods/],
  ])("refuses %s", (_, trials, options, why) => {
    expect(() => probabilityOfOverfitting(trials, options)).toThrow(why);
  });
});

describe("purgedValidationCounts", () => {
  it("counts splits and the paths they make up", () => {
    expect(purgedValidationCounts(10, 2)).toEqual({ splits: 45, paths: 9 });
    expect(purgedValidationCounts(6, 3)).toEqual({ splits: 20, paths: 10 });
    expect(() => purgedValidationCounts(3, 3)).toThrow(/no split/);
  });
});

function sharpe(returns: readonly number[]): number {
  const mean = returns.reduce((sum, value) => sum + value, 0) / returns.length;
  const squares = returns.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return mean / Math.sqrt(squares / (returns.length - 1));
}
