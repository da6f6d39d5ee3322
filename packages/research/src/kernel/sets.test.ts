import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createBitSets, createListSets, type Sets } from "./sets.js";

const places = 4;
const ascending = fc
  .uniqueArray(fc.integer({ min: 0, max: 30 }), { maxLength: places })
  .map((names) => names.sort((a, b) => a - b));

const listed = (sets: Sets, set: number): number[] => {
  const into = new Int32Array(places + 1).fill(-1);
  const count = sets.list(set, into, 1);
  return Array.from(into.subarray(1, 1 + count));
};
const numberOf = (sets: Sets, names: readonly number[]): number =>
  sets.of(Int32Array.of(-7, ...names), 1, names.length);

describe.each([
  { kind: "bits", make: () => createBitSets() },
  { kind: "lists", make: () => createListSets(64, places) },
])("sets as $kind", ({ make }) => {
  it("are equal numbers exactly when they are equal sets, and give their symbols back", () => {
    fc.assert(
      fc.property(fc.array(ascending, { maxLength: 200 }), (all) => {
        const sets = make();
        const known = new Map<string, number>([["", 0]]);
        for (const names of all) {
          const set = numberOf(sets, names);
          expect(listed(sets, set)).toEqual(names);
          expect(known.get(names.join()) ?? set).toBe(set);
          known.set(names.join(), set);
        }
        expect(new Set(known.values()).size).toBe(known.size);
      }),
    );
  });
});

describe("a table of lists", () => {
  it("says that it is full before a row could overflow it, and starts over when cleared", () => {
    const rowSets = 5;
    const sets = createListSets(rowSets, 1);
    let rows = 0;
    for (; !sets.full(); rows++) {
      const numbers = Array.from({ length: rowSets }, (_, k) => numberOf(sets, [rows * rowSets + k]));
      expect(numbers.map((set) => listed(sets, set)[0])).toEqual(
        Array.from({ length: rowSets }, (_, k) => rows * rowSets + k),
      );
    }
    expect(rows).toBeGreaterThan(1);
    sets.clear();
    expect(sets.full()).toBe(false);
    expect(listed(sets, numberOf(sets, [3]))).toEqual([3]);
  });
});
