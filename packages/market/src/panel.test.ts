import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { cutSeries, daily, fields, hourly, rowKeys, universes } from "../test/series.js";
import { InvalidBarsError, PanelLookupError } from "./errors.js";
import { alignPanel, mapOwnBars, type Panel } from "./panel.js";

const joins = fc.constantFrom("sessions" as const, "intersection" as const);
const days = (...list: number[]) => list.map((day) => `2024-01-${String(day).padStart(2, "0")}`);
const hour = 3_600_000;

/** Everything a panel says, for comparing two of them. */
function contents(panel: Panel): unknown {
  const columns = panel.tickers.map((ticker) => fields.map((field) => panel.column(field, ticker)));
  return {
    sessions: panel.sessions,
    ends: panel.endsUtcMs && [...panel.endsUtcMs],
    tickers: panel.tickers,
    columns,
  };
}

describe("alignPanel", () => {
  it("has a row for every session of any symbol, or only for those of all, in order", () => {
    fc.assert(
      fc.property(universes, (series) => {
        const all = [...new Set(series.flatMap(rowKeys))].sort((a, b) => (a < b ? -1 : 1));
        expect(rowKeys(alignPanel(series))).toEqual(all);
        const shared = all.filter((key) => series.every((one) => rowKeys(one).includes(key)));
        expect(rowKeys(alignPanel(series, { join: "intersection" }))).toEqual(shared);
      }),
    );
  });
  it("shows on each row the bar of that session, and NaN where there is none", () => {
    fc.assert(
      fc.property(universes, joins, (series, join) => {
        const panel = alignPanel(series, { join });
        const keys = rowKeys(panel);
        for (const one of series) {
          const own = new Map(rowKeys(one).map((key, row) => [key, row]));
          for (const field of fields) {
            const expected = keys.map((key) => (own.has(key) ? one[field][own.get(key)!]! : Number.NaN));
            expect(panel.column(field, one.ticker)).toEqual(Float64Array.from(expected));
          }
          keys.forEach((key, row) => {
            if (own.has(key)) expect(panel.sessions[row]).toBe(one.sessions[own.get(key)!]);
          });
        }
      }),
    );
  });
  it("keeps the universe order, whatever the names and the first bars", () => {
    fc.assert(
      fc.property(universes, (series) => {
        expect(alignPanel(series).tickers).toEqual(series.map(({ ticker }) => ticker));
      }),
    );
    const panel = alignPanel([daily("TLT", days(3, 4)), daily("BND", days(2)), daily("SPY", days(5))]);
    expect(panel.tickers).toEqual(["TLT", "BND", "SPY"]);
    expect(panel.sessions).toEqual(days(2, 3, 4, 5));
  });
  it("does not copy the columns of symbols that have every row", () => {
    const [spy, tlt, bito] = [
      daily("SPY", days(2, 3, 4)),
      daily("TLT", days(2, 3, 4)),
      daily("BITO", days(3, 4)),
    ];
    const panel = alignPanel([bito, spy, tlt]);
    for (const one of [spy, tlt]) {
      for (const field of fields) expect(panel.column(field, one.ticker).buffer).toBe(one[field].buffer);
    }
    expect([...panel.column("close", "BITO")]).toEqual([Number.NaN, 100, 101]);
    expect([...bito.close]).toEqual([100, 101]);
  });
  it("puts hourly bars together by the instant at which they end, not by their session", () => {
    const panel = alignPanel([
      hourly("SPY", [
        ["2024-01-02", 15 * hour],
        ["2024-01-02", 16 * hour],
      ]),
      hourly(
        "QQQ",
        [
          ["2024-01-02", 16 * hour],
          ["2024-01-03", 39 * hour],
        ],
        500,
      ),
    ]);
    expect([...panel.endsUtcMs!]).toEqual([15 * hour, 16 * hour, 39 * hour]);
    expect(panel.sessions).toEqual(["2024-01-02", "2024-01-02", "2024-01-03"]);
    expect([...panel.column("close", "SPY")]).toEqual([100, 101, Number.NaN]);
    expect([...panel.column("close", "QQQ")]).toEqual([Number.NaN, 500, 501]);
  });
  it("of no symbols has no rows, of a symbol without bars neither", () => {
    expect(alignPanel([])).toMatchObject({ sessions: [], tickers: [] });
    const empty = alignPanel([daily("SPY", [])]);
    expect(empty.column("close", "SPY")).toHaveLength(0);
    expect(alignPanel([daily("SPY", []), daily("QQQ", days(2))]).column("close", "SPY")).toEqual(
      Float64Array.of(Number.NaN),
    );
  });
  it("refuses what has no order, naming the symbol", () => {
    const good = daily("SPY", days(2, 3));
    for (const bad of [daily("QQQ", days(3, 2)), daily("QQQ", days(2, 2))]) {
      expect(() => alignPanel([good, bad])).toThrow(/^QQQ: the bar of/);
      expect(() => alignPanel([bad, good])).toThrow(/^QQQ: the bar of/);
    }
    expect(() => alignPanel([good, { ...good, ticker: "QQQ", low: new Float64Array(1) }])).toThrow(
      new InvalidBarsError("QQQ", "column low has 1 values for 2 sessions"),
    );
  });
  it("refuses a symbol that comes twice and daily bars beside hourly ones", () => {
    expect(() => alignPanel([daily("SPY", days(2)), daily("SPY", days(3))])).toThrow(
      new InvalidBarsError("SPY", "given twice"),
    );
    const mixed = [daily("SPY", days(2)), hourly("QQQ", [["2024-01-02", 15 * hour]])];
    expect(() => alignPanel(mixed)).toThrow(
      new InvalidBarsError("QQQ", "daily and hourly bars cannot share a panel"),
    );
    expect(() => alignPanel(mixed.reverse())).toThrow("SPY: daily and hourly bars cannot share a panel");
  });
  it("refuses hourly bars whose symbols disagree about the session", () => {
    const spy = hourly("SPY", [["2024-01-02", 15 * hour]]);
    for (const join of ["sessions", "intersection"] as const) {
      expect(() => alignPanel([spy, hourly("QQQ", [["2024-01-03", 15 * hour]])], { join })).toThrow(
        "QQQ: the bar that ends at 1970-01-01T15:00:00.000Z belongs to 2024-01-03 here, to 2024-01-02 elsewhere",
      );
    }
    const early = hourly("QQQ", [["2024-01-03", 14 * hour]]);
    expect(() => alignPanel([spy, early])).toThrow(
      "QQQ: a bar of 2024-01-02 ends after one that belongs to 2024-01-03",
    );
  });
});

describe("a view of a panel", () => {
  const cut = fc.tuple(fc.nat(40), fc.nat(40));

  it("is what aligning the bars of those rows would give, a symbol without any of them included", () => {
    fc.assert(
      fc.property(universes, joins, cut, (series, join, [one, other]) => {
        const panel = alignPanel(series, { join });
        const rows = panel.sessions.length;
        const [from, to] = [Math.min(one, other, rows), Math.min(Math.max(one, other), rows)];
        const kept = new Set(rowKeys(panel).slice(from, to));
        const again = alignPanel(
          series.map((each) => cutSeries(each, (key) => kept.has(key))),
          { join },
        );
        expect(contents(panel.between(from, to))).toEqual(contents(again));
      }),
    );
  });
  it("shares memory with the panel, views of views too", () => {
    fc.assert(
      fc.property(universes, cut, (series, [one, other]) => {
        const panel = alignPanel(series);
        const rows = panel.sessions.length;
        const [from, to] = [Math.min(one, other, rows), Math.min(Math.max(one, other), rows)];
        const outer = panel.between(from, to);
        for (const ticker of panel.tickers) {
          const whole = panel.column("close", ticker);
          const part = outer.column("close", ticker);
          expect(part.buffer).toBe(whole.buffer);
          expect(part.byteOffset).toBe(whole.byteOffset + 8 * from);
          if (to - from < 2) continue;
          const inner = outer.between(1, to - from).upTo(0);
          expect(inner.sessions).toEqual([panel.sessions[from + 1]]);
          expect(inner.column("close", ticker).byteOffset).toBe(whole.byteOffset + 8 * (from + 1));
          expect(inner.column("close", ticker)).toHaveLength(1);
        }
        if (panel.endsUtcMs) expect(outer.endsUtcMs!.buffer).toBe(panel.endsUtcMs.buffer);
      }),
    );
  });
  it("up to a row ends with that row", () => {
    const panel = alignPanel([daily("SPY", days(2, 3, 4, 5))]);
    expect(panel.upTo(2).sessions).toEqual(days(2, 3, 4));
    expect(contents(panel.upTo(3))).toEqual(contents(panel));
    expect(contents(panel.upTo(1))).toEqual(contents(panel.between(0, 2)));
    expect(panel.between(2, 2).sessions).toEqual([]);
  });
  it("has no column that bars do not have", () => {
    const panel = alignPanel([daily("SPY", ["2024-01-02"])]);
    expect(() => panel.column("Close" as never, "SPY")).toThrow(PanelLookupError);
    expect(() => panel.column("close", "spy")).toThrow(PanelLookupError);
  });
  it("of rows that are not there is refused", () => {
    const panel = alignPanel([daily("SPY", days(2, 3, 4, 5))]).between(1, 3);
    for (const [from, to] of [
      [-1, 1],
      [0, 3],
      [2, 1],
      [0.5, 2],
      [0, Number.NaN],
    ] as const) {
      expect(() => panel.between(from, to)).toThrow(
        `rows ${from} to ${to} do not lie within a panel of 2 rows`,
      );
    }
    for (const row of [-1, 2, 0.5, Number.NaN]) {
      expect(() => panel.upTo(row)).toThrow(`there is no row ${row} in a panel of 2 rows`);
      expect(() => panel.upTo(row)).toThrow(PanelLookupError);
    }
  });
  it("names the tickers it holds when asked for another", () => {
    const panel = alignPanel([daily("SPY", days(2)), daily("QQQ", days(2))]);
    expect(() => panel.column("close", "TLT")).toThrow("no ticker TLT in this panel; it holds SPY, QQQ");
    const many = alignPanel(Array.from({ length: 25 }, (_, at) => daily(`S${at}`, days(2))));
    expect(() => many.column("close", "TLT")).toThrow(/it holds S0, .*, S19 and 5 more$/);
    expect(() => alignPanel([]).column("close", "TLT")).toThrow("it holds none");
  });
});

describe("mapOwnBars", () => {
  const columnWithHoles = fc.array(fc.oneof(fc.double({ noNaN: true }), fc.constant(Number.NaN)), {
    maxLength: 40,
  });
  const runningSum = (values: Float64Array, target: Float64Array = new Float64Array(values.length)) => {
    let sum = 0;
    for (const [at, value] of values.entries()) {
      sum += value;
      target[at] = sum;
    }
    return target;
  };

  it("computes on the bars without the holes and puts the results where the bars were", () => {
    fc.assert(
      fc.property(columnWithHoles, (values) => {
        const column = Float64Array.from(values);
        const second = column.map((_, row) => row);
        const own = values.flatMap((value, row) => (Number.isNaN(value) ? [] : [row]));
        const packed = runningSum(Float64Array.from(own, (row) => values[row]! + row));
        const expected = new Float64Array(values.length).fill(Number.NaN);
        own.forEach((row, at) => {
          expected[row] = packed[at]!;
        });
        const before = column.slice();
        const compute = ([a, b]: readonly Float64Array[], target: Float64Array) =>
          void runningSum(
            a!.map((value, at) => value + b![at]!),
            target,
          );
        expect(mapOwnBars([column, second], compute)).toEqual(expected);
        const out = new Float64Array(values.length).fill(7);
        expect(mapOwnBars([column, second], compute, out)).toBe(out);
        expect(out).toEqual(expected);
        expect(column).toEqual(before);
      }),
    );
  });
  it("copies nothing for a symbol whose holes are all before its first bar or after its last", () => {
    const column = Float64Array.of(Number.NaN, 1, 2, 3, Number.NaN);
    const out = new Float64Array(5);
    mapOwnBars(
      [column],
      ([own], target) => {
        expect(own!.buffer).toBe(column.buffer);
        expect([...own!]).toEqual([1, 2, 3]);
        expect(target.buffer).toBe(out.buffer);
      },
      out,
    );
  });
  it("has nothing to compute for a symbol without bars", () => {
    const none = new Float64Array(3).fill(Number.NaN);
    expect(mapOwnBars([none], ([own], target) => void runningSum(own!, target))).toEqual(none);
    expect(mapOwnBars([new Float64Array(0)], ([own], target) => void runningSum(own!, target))).toEqual(
      new Float64Array(0),
    );
  });
  it("decides by the first column alone what a hole is", () => {
    const passed = mapOwnBars([Float64Array.of(1, 2), Float64Array.of(Number.NaN, 5)], ([, second], target) =>
      target.set(second!),
    );
    expect(passed).toEqual(Float64Array.of(Number.NaN, 5));
  });
  it("refuses no columns, and columns of different lengths", () => {
    const nothing = () => {};
    expect(() => mapOwnBars([], nothing)).toThrow("mapOwnBars needs at least one column");
    for (const [columns, out] of [
      [[new Float64Array(3), new Float64Array(2)], undefined],
      [[new Float64Array(3)], new Float64Array(2)],
    ] as const) {
      expect(() => mapOwnBars(columns, nothing, out)).toThrow(
        "mapOwnBars was given columns of 3 and of 2 rows",
      );
    }
  });
});
