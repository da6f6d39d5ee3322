import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { elevenYears } from "../../test/worlds.js";
import { monthlyReturns } from "../months.js";
import { columnsOf, frameOf } from "./columns.js";
import { loadDanfo } from "./danfo.js";
import { FrameError } from "./errors.js";
import { toDataFrame } from "./results.js";
import { type Aggregate, aggregates, describeFrame, groupFrame } from "./statistics.js";

// Returns and prices as they come, with holes; neither so large nor so small that their squares leave the doubles.
const value = fc.oneof(
  { weight: 8, arbitrary: fc.double({ min: -1e6, max: 1e6, noNaN: true }) },
  { weight: 4, arbitrary: fc.double({ min: -0.2, max: 0.2, noNaN: true }) },
  { weight: 2, arbitrary: fc.constantFrom(0, -0, 1, 1e8 + 0.1) },
  { weight: 3, arbitrary: fc.constant(Number.NaN) },
);
/** Keys that a hyphen, an object or the order of numbers would confuse. */
const key = fc.constantFrom("a", "b-a", "b", "a-b", "constructor", "__proto__", "10", "9", "", "2024-01");
const tables = fc.array(fc.tuple(key, key, value), { minLength: 1, maxLength: 60 });

/** What each aggregate is by its definition, as plainly as it can be written; sums from the smallest to the largest. */
function plainly(values: readonly number[]): Record<Aggregate, number> {
  const sorted = [...values].sort((a, b) => a - b);
  const sum = (list: readonly number[]) =>
    [...list].sort((a, b) => Math.abs(a) - Math.abs(b)).reduce((total, one) => total + one, 0);
  const n = values.length;
  const none = Number.NaN;
  const mean = sum(values) / n;
  const middle = Math.floor(n / 2);
  return {
    count: n,
    sum: sum(values),
    mean,
    std: n > 1 ? Math.sqrt(sum(values.map((one) => (one - mean) ** 2)) / (n - 1)) : none,
    min: sorted[0] ?? none,
    max: sorted[n - 1] ?? none,
    median: n === 0 ? none : n % 2 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2,
    first: values[0] ?? none,
    last: values[n - 1] ?? none,
    compound: n === 0 ? none : values.reduce((growth, one) => growth * (1 + one), 1) - 1,
  };
}

function expectClose(actual: number, expected: number, scale: number, what: string): void {
  const isEqual = Object.is(actual, expected) || Math.abs(actual - expected) <= 1e-12 * scale;
  expect(isEqual, `${what}: ${actual} and ${expected}`).toBe(true);
}

/** How large the numbers of a statistic can be on the way to it. */
function scaleOf(values: readonly number[], one: Aggregate): number {
  const largest = Math.max(1e-300, ...values.map(Math.abs));
  if (one === "sum") return largest * values.length;
  return one === "compound" ? values.reduce((growth, each) => growth * (1 + Math.abs(each)), 1) : largest;
}

describe("groupFrame", () => {
  it("gives every aggregate of every group to 12 digits, missing values left out, keys ordered as they first occur", async () => {
    await fc.assert(
      fc.asyncProperty(tables, async (rows) => {
        const frame = await frameOf([
          { name: "one", texts: rows.map(([one]) => one) },
          { name: "two", texts: rows.map(([, two]) => two) },
          { name: "x", numbers: rows.map(([, , x]) => x) },
        ]);
        const grouped = await groupFrame(frame, ["one", "two"], { x: aggregates });
        const groups = new Map<string, { keys: readonly string[]; values: number[] }>();
        for (const [one, two, x] of rows) {
          const id = `${one}\n${two}`;
          const group = groups.get(id) ?? { keys: [one, two], values: [] };
          groups.set(id, group);
          group.values.push(x);
        }
        const firsts = (at: 0 | 1) => [...new Set(rows.map((row) => row[at]))];
        const ordered = firsts(0).flatMap((one) =>
          firsts(1).flatMap((two) => groups.get(`${one}\n${two}`) ?? []),
        );
        expect(grouped.columns).toEqual(["one", "two", "rows", ...aggregates.map((one) => `x_${one}`)]);
        expect(grouped.values.map((row) => row.slice(0, 3))).toEqual(
          ordered.map(({ keys, values }) => [...keys, values.length]),
        );
        ordered.forEach(({ values }, at) => {
          const there = values.filter((x) => !Number.isNaN(x));
          const expected = plainly(there);
          aggregates.forEach((one, index) => {
            expectClose(grouped.values[at]![3 + index] as number, expected[one], scaleOf(there, one), one);
          });
        });
      }),
    );
  });

  it("makes of a real run's daily returns the months that the report shows, and of all of them its growth", async () => {
    const { result } = elevenYears();
    const columns = columnsOf(await toDataFrame(result));
    const months = { name: "month", texts: result.sessions.map((date) => date.slice(0, 7)) };
    const grouped = await groupFrame(await frameOf([months, ...columns]), ["month"], {
      net: ["compound"],
      turnover: ["sum"],
    });
    const shown = monthlyReturns(result).months.map(
      ({ year, month, value }) => [`${year}-${String(month).padStart(2, "0")}`, value] as const,
    );
    expect(shown.length).toBeGreaterThan(120);
    expect(grouped.values.map(([month]) => month)).toEqual(shown.map(([month]) => month));
    const compound = grouped.columns.indexOf("net_compound");
    for (const [at, [month, value]] of shown.entries())
      expectClose(grouped.values[at]![compound] as number, value, 1, month);
    const growth = grouped.values.reduce((product, row) => product * (1 + (row[compound] as number)), 1);
    expectClose(growth, result.equity.at(-1)!, growth, "growth");
    const turnover = grouped.values.reduce(
      (sum, row) => sum + (row[grouped.columns.indexOf("turnover_sum")] as number),
      0,
    );
    expectClose(
      turnover,
      result.turnover.reduce((sum, one) => sum + one, 0),
      turnover,
      "turnover",
    );
  });

  it("groups by numbers too, and says what it cannot do", async () => {
    const frame = await frameOf([
      { name: "fold", numbers: [2, 10, 2] },
      { name: "symbol", texts: ["SPY", "TLT", "SPY"] },
      { name: "x", numbers: [1, 2, 4] },
    ]);
    expect((await groupFrame(frame, ["fold"], { x: ["sum"] })).values).toEqual([
      [2, 2, 5],
      [10, 1, 2],
    ]);
    await expect(groupFrame(frame, ["month"], { x: ["sum"] })).rejects.toThrow(
      new FrameError("groups", "it has no column month; it has fold, symbol, x"),
    );
    await expect(groupFrame(frame, ["fold"], { symbol: ["mean"] })).rejects.toThrow(
      "holds texts, of which there is no mean",
    );
  });
});

describe("describeFrame", () => {
  it("gives every numeric column's statistics to 12 digits, and counts what is missing", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(value, { minLength: 1, maxLength: 60 }), async (numbers) => {
        const frame = await frameOf([
          { name: "date", texts: numbers.map(() => "2024-01-02") },
          { name: "x", numbers },
        ]);
        const described = await describeFrame(frame);
        const there = numbers.filter((x) => !Number.isNaN(x));
        const expected = { ...plainly(there), missing: numbers.length - there.length };
        expect(described.columns).toEqual([
          "column",
          "count",
          "missing",
          "mean",
          "std",
          "min",
          "median",
          "max",
        ]);
        expect(described.values).toHaveLength(1);
        described.columns.slice(1).forEach((name, at) => {
          expectClose(
            described.values[0]![at + 1] as number,
            expected[name as Aggregate],
            scaleOf(there, "mean") * 60,
            name,
          );
        });
      }),
    );
  });

  it("refuses a frame of nothing but texts", async () => {
    await expect(describeFrame(await frameOf([{ name: "symbol", texts: ["SPY"] }]))).rejects.toThrow(
      "none of its columns is numeric",
    );
  });
});

describe("danfojs, for which these are detours,", () => {
  // Where one of these fails, a detour can go.
  it("adds in float32, and finds a whole column of missing values in one", async () => {
    const danfo = await loadDanfo();
    // TensorFlow recommends its native build before the first sum.
    const told = vi.spyOn(console, "warn").mockReturnValue();
    const add = (frame: unknown) =>
      (frame as { add(by: number): { values: number[][] } }).add(0.1).values[0]![0];
    expect(add(new danfo.DataFrame([[0.1]]))).toBe(Math.fround(0.2));
    told.mockRestore();
    const described = new danfo.DataFrame([[1], [Number.NaN]], {
      columns: ["x"],
      dtypes: ["float32"],
    }).describe();
    expect(described.values[described.index.indexOf("mean")]).toEqual([Number.NaN]);
    expect(new danfo.Series([5]).std()).toBe(0);
  });
});
