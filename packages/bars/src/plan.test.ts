import { CalendarRangeError } from "@pf/market";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { calendar, day, sessionsFrom } from "../test/world.js";
import { CacheFileError } from "./errors.js";
import { type Coverage, planIngest, type WantedBars } from "./plan.js";

const axis = sessionsFrom("2024-01-02", 100);
const wanted: WantedBars = { symbols: ["SPY"], from: axis[20]!, to: axis[60]!, source: "csv" };
const covered = (first: number, last: number, more: Partial<Coverage> = {}): Coverage => ({
  first: axis[first]!,
  last: axis[last]!,
  rows: last - first + 1,
  hash: "h",
  source: "csv",
  requestedFrom: axis[first]!,
  ...more,
});
const planFor = (coverage: Coverage | CacheFileError | undefined, options = {}, want = wanted) =>
  planIngest(new Map(coverage ? [["SPY", coverage]] : []), want, calendar, options).steps[0]!;
const span = (from: number, to: number) => ({ from: axis[from]!, to: axis[to]! });

describe("planIngest", () => {
  it("asks for everything where nothing is cached", () => {
    expect(planFor(undefined)).toEqual({ symbol: "SPY", action: "create", spans: [span(20, 60)] });
  });

  it("asks for nothing where nothing is missing", () => {
    expect(planFor(covered(20, 60))).toMatchObject({ action: "nothing" });
    expect(planFor(covered(0, 99))).toMatchObject({ action: "nothing" });
  });

  it("asks for the missing tail with five cached sessions before it, or as many as one likes", () => {
    expect(planFor(covered(20, 50))).toMatchObject({
      action: "extend",
      spans: [span(46, 60)],
      whole: span(20, 60),
    });
    expect(planFor(covered(20, 50), { overlap: 1 })).toMatchObject({ spans: [span(50, 60)] });
    expect(planFor(covered(20, 50), { overlap: 0 })).toMatchObject({ spans: [span(51, 60)] });
    expect(planFor(covered(49, 50, { requestedFrom: axis[20]! }))).toMatchObject({ spans: [span(49, 60)] });
  });

  it("asks for the missing head with five cached sessions after it", () => {
    expect(planFor(covered(30, 60))).toMatchObject({ spans: [span(20, 34)], whole: span(20, 60) });
    expect(planFor(covered(30, 60), { overlap: 0 })).toMatchObject({ spans: [span(20, 29)] });
  });

  it("asks for both ends at once, and leaves no hole towards a cache that lies elsewhere", () => {
    expect(planFor(covered(30, 40))).toMatchObject({ spans: [span(20, 34), span(36, 60)] });
    expect(planFor(covered(80, 99))).toMatchObject({ spans: [span(20, 84)], whole: span(20, 99) });
    expect(planFor(covered(0, 9))).toMatchObject({ spans: [span(5, 60)], whole: span(0, 60) });
  });

  it("does not ask again for a head that the source does not have", () => {
    expect(planFor(covered(30, 60, { requestedFrom: axis[20]! }))).toMatchObject({ action: "nothing" });
    expect(planFor(covered(30, 60, { requestedFrom: axis[21]! }))).toMatchObject({ spans: [span(20, 34)] });
  });

  it("never asks beyond the last finished session", () => {
    const want = { ...wanted, completeThrough: axis[55]! };
    expect(planFor(undefined, {}, want)).toMatchObject({ spans: [span(20, 55)] });
    expect(planFor(covered(20, 55), {}, want)).toMatchObject({ action: "nothing" });
    expect(planFor(undefined, {}, { ...wanted, completeThrough: axis[19]! })).toMatchObject({
      action: "nothing",
    });
  });

  it("takes days for the sessions in them", () => {
    // A Saturday to the Monday of Martin Luther King: no session.
    const want = { ...wanted, from: day("2024-01-13"), to: day("2024-01-15") };
    expect(planFor(undefined, {}, want)).toMatchObject({ action: "nothing" });
    expect(planFor(undefined, {}, { ...want, to: day("2024-01-17") })).toMatchObject({
      spans: [{ from: "2024-01-16", to: "2024-01-17" }],
    });
  });

  it("refuses bars of another source and files that cannot be used, unless they are to be replaced", () => {
    const other = covered(20, 60, { source: "ibkr" });
    const step = planFor(other);
    expect(step).toMatchObject({
      action: "refuse",
      error: { code: "PF_SOURCE_MISMATCH", cached: "ibkr", asked: "csv" },
    });
    expect(planFor(other, { replace: true })).toMatchObject({ action: "create", spans: [span(20, 60)] });
    const broken = new CacheFileError("SPY.parquet", "it is truncated");
    expect(planFor(broken)).toEqual({ symbol: "SPY", action: "refuse", error: broken });
    expect(planFor(broken, { replace: true })).toMatchObject({ action: "create" });
  });

  it("loses no cached day when it replaces bars of the same source", () => {
    expect(planFor(covered(0, 99), { replace: true })).toMatchObject({
      action: "create",
      spans: [span(0, 99)],
    });
  });

  it("says so when the span reaches beyond the calendar", () => {
    expect(() => planFor(undefined, {}, { ...wanted, to: day("2199-01-02") })).toThrow(CalendarRangeError);
  });

  it("always covers what is missing, and never more of the cache than the overlap", () => {
    const place = fc.integer({ min: 0, max: 99 });
    fc.assert(
      fc.property(place, place, place, place, fc.integer({ min: 0, max: 8 }), (a, b, c, d, overlap) => {
        const [from, to] = [Math.min(a, b), Math.max(a, b)];
        const [first, last] = [Math.min(c, d), Math.max(c, d)];
        const step = planFor(
          covered(first, last),
          { overlap },
          { ...wanted, from: axis[from]!, to: axis[to]! },
        );
        const asked = new Set<number>();
        if ("spans" in step) {
          for (const one of step.spans) {
            for (let at = axis.indexOf(one.from); at <= axis.indexOf(one.to); at++) asked.add(at);
          }
        }
        for (let at = from; at <= to; at++) expect(asked.has(at) || (at >= first && at <= last)).toBe(true);
        const again = [...asked].filter((at) => at >= first && at <= last).length;
        expect(again).toBeLessThanOrEqual(2 * overlap);
        if (from >= first && to <= last) expect(asked.size).toBe(0);
        // Cached and asked bars together are one run: no hole is made.
        for (let at = Math.min(from, first); at <= Math.max(to, last); at++) {
          const known = asked.has(at) || (at >= first && at <= last);
          expect(known || at < from || at > to).toBe(true);
          if (asked.size > 0 && at > Math.min(...asked) && at < Math.max(...asked)) expect(known).toBe(true);
        }
      }),
    );
  });
});
