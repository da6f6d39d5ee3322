import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { rowOrder } from "./orders.js";

const patterns = fc
  .array(fc.integer({ min: -2, max: 3 }), { maxLength: 60 })
  .map((list) => Int32Array.from(list));

describe("a random row order", () => {
  it("is a permutation that keeps row 0 and moves every other row within its group", () => {
    fc.assert(
      fc.property(patterns, fc.nat(), fc.nat(50), fc.nat(500), (groups, seed, fold, run) => {
        const order = rowOrder(groups, seed, fold, run);
        expect(Array.from(order).sort((a, b) => a - b)).toEqual(Array.from(groups.keys()));
        if (order.length > 0) expect(order[0]).toBe(0);
        for (let row = 1; row < order.length; row++) expect(groups[order[row]!]).toBe(groups[row]);
      }),
    );
  });

  it("is the same for the same seed, fold and run, whatever was drawn before", () => {
    fc.assert(
      fc.property(patterns, patterns, fc.nat(), (groups, others, seed) => {
        const first = rowOrder(groups, seed, 3, 5);
        rowOrder(others, seed + 1, 0, 0);
        expect(rowOrder(groups, seed, 3, 5, new Int32Array(groups.length))).toEqual(first);
      }),
    );
  });

  it("is another one for another seed, fold or run", () => {
    const groups = new Int32Array(200);
    const orders = [
      [1, 0, 0],
      [2, 0, 0],
      [1, 1, 0],
      [1, 0, 1],
      [1, 2, 1],
      [1, 1, 2],
    ].map(([seed, fold, run]) => rowOrder(groups, seed!, fold!, run!).join());
    expect(new Set(orders).size).toBe(orders.length);
  });

  it("puts every row in every place equally often", () => {
    const groups = new Int32Array(5);
    const seen = Array.from({ length: 5 }, () => new Array<number>(5).fill(0));
    for (let run = 0; run < 4000; run++) {
      for (const [row, source] of rowOrder(groups, 7, 0, run).entries()) seen[row]![source]!++;
    }
    for (let row = 1; row < 5; row++) {
      for (let source = 1; source < 5; source++)
        expect(Math.abs(seen[row]![source]! - 1000)).toBeLessThan(120);
    }
  });

  it("is the order of an independent implementation of the same generator", () => {
    const groups = Int32Array.from({ length: 20 }, (_, row) => (row < 8 ? 0 : row % 3 === 0 ? 5 : 1));
    expect(Array.from(rowOrder(groups, 42, 3, 7))).toEqual([
      0, 2, 3, 6, 1, 4, 5, 7, 17, 18, 19, 14, 15, 8, 16, 12, 11, 13, 9, 10,
    ]);
  });
});
