import fc from "fast-check";
import seedrandom from "seedrandom";
import { describe, expect, it } from "vitest";
import { intradayPath, type PathShape, volumeShare } from "./path.js";

const shapes = fc
  .record({
    prices: fc.array(fc.integer({ min: 100, max: 50_000 }), { minLength: 4, maxLength: 4 }),
    isOff: fc.boolean(),
    steps: fc.constantFrom(1560, 840),
    isEarly: fc.boolean(),
    seed: fc.string(),
    swap: fc.boolean(),
  })
  .map(({ prices, isOff, steps, isEarly, seed, swap }) => {
    const [low, a, b, high] = prices.sort((x, y) => x - y).map((ticks) => ticks / 100 + (isOff ? 0.0037 : 0));
    const [open, close] = swap ? [a!, b!] : [b!, a!];
    const shape: PathShape = {
      open,
      high: high!,
      low: low!,
      close,
      steps,
      settled: isEarly ? steps - 20 : steps,
      tick: 0.01,
    };
    return { shape, seed };
  });

describe("intradayPath", () => {
  it("starts at the open, touches high and low, stands at the close from where it settles, never leaves the range", () => {
    fc.assert(
      fc.property(shapes, ({ shape, seed }) => {
        const path = intradayPath(shape, seedrandom.alea(seed));
        expect(path.length).toBe(shape.steps + 1);
        expect(path[0]).toBe(shape.open);
        expect([...new Set(path.subarray(shape.settled))]).toEqual([shape.close]);
        const before = path.subarray(0, shape.settled);
        expect(Math.max(...before)).toBe(shape.high);
        expect(Math.min(...before)).toBe(shape.low);
        expect(path.every((price) => price <= shape.high && price >= shape.low)).toBe(true);
      }),
    );
  });
  it("stands on the tick but for the four prices of the bar", () => {
    fc.assert(
      fc.property(shapes, ({ shape, seed }) => {
        const four = new Set([shape.open, shape.high, shape.low, shape.close]);
        for (const price of intradayPath(shape, seedrandom.alea(seed))) {
          const ticks = price / shape.tick;
          if (!four.has(price)) expect(Math.abs(ticks - Math.round(ticks))).toBeLessThan(1e-6);
        }
      }),
    );
  });
  it("is the same for the same draws and another for others, and moves", () => {
    const shape: PathShape = {
      open: 100,
      high: 103,
      low: 98,
      close: 101,
      steps: 1560,
      settled: 1560,
      tick: 0.01,
    };
    const one = intradayPath(shape, seedrandom.alea("one"));
    expect(intradayPath(shape, seedrandom.alea("one"))).toEqual(one);
    expect(intradayPath(shape, seedrandom.alea("two"))).not.toEqual(one);
    expect(new Set(one).size).toBeGreaterThan(100);
    const jumps = one.subarray(1).map((price, at) => Math.abs(price - one[at]!));
    expect(Math.max(...jumps)).toBeLessThan(1.5);
  });
});

describe("volumeShare", () => {
  it("grows from an opening auction to everything, fastest at both ends", () => {
    expect(volumeShare(0)).toBeCloseTo(0.04, 12);
    expect(volumeShare(1)).toBeCloseTo(1, 12);
    expect(volumeShare(1.2)).toBe(volumeShare(1));
    const grown = (from: number, to: number) => volumeShare(to) - volumeShare(from);
    expect(grown(0, 0.1)).toBeGreaterThan(2 * grown(0.45, 0.55));
    expect(grown(0.9, 1)).toBeGreaterThan(2 * grown(0.45, 0.55));
    for (let at = 0; at < 100; at++) expect(grown(at / 100, (at + 1) / 100)).toBeGreaterThan(0);
  });
});
