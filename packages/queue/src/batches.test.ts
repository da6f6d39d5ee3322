import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { messagesAhead, takeNeighbours, unitsAMessage } from "./batches.js";

const left = fc.integer({ min: 1, max: 1e6 });
const threads = fc.integer({ min: 1, max: 500 });
const unitMs = fc.double({ min: 0, max: 1e6, noNaN: true });

describe("how many units a message carries", () => {
  it("is at least one and never more than there are", () => {
    fc.assert(
      fc.property(left, threads, fc.option(unitMs, { nil: undefined }), (...given) => {
        const count = unitsAMessage(...given);
        expect(Number.isInteger(count)).toBe(true);
        expect(count).toBeGreaterThanOrEqual(1);
        expect(count).toBeLessThanOrEqual(given[0]);
      }),
    );
  });

  it("is one before anything is known, and for units that are long by themselves", () => {
    expect([
      unitsAMessage(1000, 4, undefined),
      unitsAMessage(1000, 4, 201),
      unitsAMessage(1000, 4, 1e9),
    ]).toEqual([1, 1, 1]);
  });

  it("makes a message last a fifth of a second while there is enough to do", () => {
    expect([unitsAMessage(1e6, 4, 2), unitsAMessage(1e6, 4, 50), unitsAMessage(1e6, 4, 0)]).toEqual([
      100, 4, 256,
    ]);
  });

  it("never grows when units take longer, threads are added or less is left", () => {
    fc.assert(
      fc.property(left, threads, unitMs, fc.double({ min: 1, max: 100, noNaN: true }), (l, t, ms, factor) => {
        const count = unitsAMessage(l, t, ms);
        expect(unitsAMessage(l, t, ms * factor)).toBeLessThanOrEqual(count);
        expect(unitsAMessage(l, t + 1, ms)).toBeLessThanOrEqual(count);
        expect(unitsAMessage(Math.ceil(l / factor), t, ms)).toBeLessThanOrEqual(count);
      }),
    );
  });

  it("leaves every thread something to do until the end", () => {
    fc.assert(
      fc.property(left, threads, unitMs, (l, t, ms) => {
        if (l >= t) expect(unitsAMessage(l, t, ms) * t).toBeLessThanOrEqual(l + t);
      }),
    );
  });

  it("keeps more messages ready than threads can take", () => {
    fc.assert(fc.property(threads, (t) => void expect(messagesAhead(t)).toBeGreaterThan(t)));
  });
});

describe("neighbours", () => {
  it("are a beginning of the places without a gap, as long as it can be", () => {
    const places = fc
      .uniqueArray(fc.nat(60), { minLength: 1, maxLength: 40 })
      .map((list) => list.sort((a, b) => a - b));
    fc.assert(
      fc.property(places, fc.integer({ min: 1, max: 50 }), (list, count) => {
        const taken = takeNeighbours(list, count);
        expect(taken).toEqual(Array.from(taken, (_, at) => list[0]! + at));
        expect(taken.length).toBeLessThanOrEqual(count);
        const isCut = taken.length < Math.min(count, list.length);
        if (isCut) expect(list[taken.length]).not.toBe(taken.at(-1)! + 1);
      }),
    );
  });
});
