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

  it("asks for the last five cached sessions where nothing is missing, so that a rewritten history shows", () => {
    expect(planFor(covered(20, 60))).toMatchObject({
      action: "extend",
      spans: [span(56, 60)],
      missing: false,
      whole: span(20, 60),
    });
    // The end of what is cached, not of what is wanted: there the newest prices stand.
    expect(planFor(covered(0, 99))).toMatchObject({ spans: [span(95, 99)], whole: span(0, 99) });
    expect(planFor(covered(59, 60, { requestedFrom: axis[20]! }))).toMatchObject({ spans: [span(59, 60)] });
  });

  it("asks for nothing where nothing is missing and nothing is to be compared", () => {
    for (const local of [false, true]) {
      expect(planFor(covered(20, 60), { overlap: 0 }, { ...wanted, local })).toMatchObject({
        action: "nothing",
        coverage: { rows: 41 },
      });
    }
  });

  it("asks a local source for all that is wanted or cached or was asked for before", () => {
    const local = { ...wanted, local: true };
    const asked = (coverage: Coverage, want: WantedBars = local) => planFor(coverage, {}, want);
    expect(asked(covered(20, 60))).toMatchObject({ spans: [span(20, 60)], missing: false });
    expect(asked(covered(0, 99))).toMatchObject({ spans: [span(0, 99)], missing: false });
    expect(asked(covered(30, 40))).toMatchObject({ spans: [span(20, 60)], missing: true });
    expect(asked(covered(70, 99))).toMatchObject({ spans: [span(20, 99)], missing: true });
    expect(asked(covered(30, 60, { requestedFrom: axis[10]! }))).toMatchObject({
      spans: [span(10, 60)],
      missing: false,
    });
    expect(asked(covered(20, 60), { ...local, completeThrough: axis[50]! })).toMatchObject({
      spans: [span(20, 50)],
    });
    expect(planFor(undefined, {}, local)).toEqual(planFor(undefined));
  });

  it("asks for the missing tail with five cached sessions before it, or as many as one likes", () => {
    expect(planFor(covered(20, 50))).toMatchObject({
      action: "extend",
      spans: [span(46, 60)],
      missing: true,
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
    expect(planFor(covered(30, 60, { requestedFrom: axis[20]! }))).toMatchObject({
      spans: [span(56, 60)],
      missing: false,
    });
    expect(planFor(covered(30, 60, { requestedFrom: axis[21]! }))).toMatchObject({ spans: [span(20, 34)] });
  });

  it("never asks beyond the last finished session", () => {
    const want = { ...wanted, completeThrough: axis[55]! };
    expect(planFor(undefined, {}, want)).toMatchObject({ spans: [span(20, 55)] });
    expect(planFor(covered(20, 55), {}, want)).toMatchObject({ spans: [span(51, 55)], missing: false });
    expect(planFor(covered(20, 50), {}, want)).toMatchObject({ spans: [span(46, 55)], missing: true });
    // A clock that was ahead left bars that nobody asks for again yet.
    expect(planFor(covered(20, 60), {}, want)).toMatchObject({ spans: [span(51, 55)], whole: span(20, 55) });
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

  const place = fc.integer({ min: 0, max: 99 });
  /** Coverage, wanted days and overlap; the first day asked for may lie before the first bar. */
  const situation = fc
    .record({ a: place, b: place, c: place, d: place, e: place, overlap: fc.integer({ min: 0, max: 8 }) })
    .map(({ a, b, c, d, e, overlap }) => {
      const [from, to] = [Math.min(a, b), Math.max(a, b)];
      const [first, last] = [Math.min(c, d), Math.max(c, d)];
      return { from, to, first, last, requestedFrom: Math.min(first, e), overlap };
    });
  type Situation = typeof situation extends fc.Arbitrary<infer Value> ? Value : never;
  const rows = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, at) => from + at);
  const askedRows = (
    { from, to, first, last, requestedFrom, overlap }: Situation,
    more: Partial<WantedBars> = {},
  ) => {
    const coverage = covered(first, last, { requestedFrom: axis[requestedFrom]! });
    const step = planFor(coverage, { overlap }, { ...wanted, from: axis[from]!, to: axis[to]!, ...more });
    const spans = "spans" in step ? step.spans : [];
    return new Set(spans.flatMap((one) => rows(axis.indexOf(one.from), axis.indexOf(one.to))));
  };

  it("asks for the missing days and the overlap, and for no other", () => {
    fc.assert(
      fc.property(situation, (one) => {
        const { from, to, first, last, requestedFrom, overlap } = one;
        const [head, tail] = [from < requestedFrom, to > last];
        const cached = rows(first, last);
        const missing = [...(head ? rows(from, first - 1) : []), ...(tail ? rows(last + 1, to) : [])];
        const again = [
          ...(head ? cached.slice(0, overlap) : []),
          ...(tail || !head ? cached.slice(Math.max(0, cached.length - overlap)) : []),
        ];
        expect(askedRows(one)).toEqual(new Set([...missing, ...again]));
      }),
    );
  });

  it("asks a local source for everything, or for what is missing if nothing is to be compared", () => {
    fc.assert(
      fc.property(situation, (one) => {
        const { from, to, last, requestedFrom, overlap } = one;
        const everything = new Set(rows(Math.min(from, requestedFrom), Math.max(to, last)));
        expect(askedRows(one, { local: true })).toEqual(overlap > 0 ? everything : askedRows(one));
      }),
    );
  });

  it("makes no hole between cached and asked bars, and asks for nothing unfinished", () => {
    fc.assert(
      fc.property(situation, place, fc.boolean(), (one, complete, local) => {
        const { from, to, first, last, requestedFrom } = one;
        const asked = askedRows(one, { completeThrough: axis[complete]!, local });
        // If even the first cached bar is not over, what lies before it is asked for up to there, for the sake of no hole.
        if (complete >= first) for (const row of asked) expect(row).toBeLessThanOrEqual(complete);
        // The source has nothing between the first day asked for and the first bar.
        const known = (row: number) => asked.has(row) || (row >= requestedFrom && row <= last);
        if (complete >= from)
          for (const row of rows(from, Math.min(to, complete))) expect(known(row)).toBe(true);
        if (asked.size > 0) {
          const [low, high] = [Math.min(first, ...asked), Math.max(last, ...asked)];
          for (const row of rows(low, high)) expect(known(row)).toBe(true);
        }
      }),
    );
  });
});
