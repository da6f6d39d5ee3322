import { describe, expect, it } from "vitest";
import { elevenYears, metricsOf, reportOf, runOf, walk, weekdays } from "../test/worlds.js";
import { ReportInputError } from "./errors.js";
import { metricsJson } from "./json.js";
import { planBacktestReport } from "./plan.js";
import { returnsCsv, weightsCsv } from "./tables.js";
import type { PlannedFile } from "./write.js";

const sessions = weekdays("2023-01-02", 300);
const run = runOf(
  sessions,
  walk(1, 300),
  sessions.map((_, row) => (row > 20 ? { SPY: 0.5, GLD: 0.25 } : {})),
);
const report = reportOf(run, { SPY: runOf(sessions, walk(2, 300)), "60_40": runOf(sessions, walk(3, 300)) });
const textOf = (files: readonly PlannedFile[], name: string) =>
  new TextDecoder().decode(files.find((file) => file.name === name)!.bytes);

const withValue = (column: Float64Array, row: number, value: number) =>
  column.map((one, index) => (index === row ? value : one));

describe("planBacktestReport", () => {
  it("plans numbers alone, or numbers and pictures", async () => {
    const names = async (plots: boolean) =>
      (await planBacktestReport({ ...report, plots })).map(({ name }) => name);
    const numbers = ["metrics.json", "returns.csv", "weights.csv"];
    expect(await names(false)).toEqual(numbers);
    expect(await names(true)).toEqual([...numbers, "equity.png", "drawdown.png", "heatmap.png"]);
  });

  it("writes metrics, benchmarks, the literal rule and the manifest into metrics.json, in one order", async () => {
    const literal = {
      metrics: { ...metricsOf(run), Turnover: 975.7, RebalancesPerMonth: 8.6, PF: Number.NaN },
    };
    const benchmarks = [...report.benchmarks].reverse();
    const document = textOf(await planBacktestReport({ ...report, benchmarks, literal }), "metrics.json");
    expect(document.endsWith("}\n")).toBe(true);
    expect(document).not.toContain("NaN");
    const read = JSON.parse(document) as Record<string, Record<string, unknown>>;
    expect(Object.keys(read)).toEqual(["metrics", "benchmarks", "literal", "manifest"]);
    expect(Object.keys(read.benchmarks!)).toEqual(["SPY", "60_40"]);
    expect(read.metrics).toEqual(metricsJson(report.metrics));
    expect(read.benchmarks!.SPY).toEqual(metricsJson(report.benchmarks[0]!.metrics));
    expect(read.literal).toMatchObject({ Turnover: 975.7, RebalancesPerMonth: 8.6, PF: null });
    expect(read.manifest).toEqual(report.manifest);
  });

  it("writes the tables of the run", async () => {
    const files = await planBacktestReport(report);
    expect(textOf(files, "returns.csv")).toBe(returnsCsv(run));
    expect(textOf(files, "weights.csv")).toBe(weightsCsv(run));
    expect(textOf(files, "weights.csv").split("\n").length).toBe(2 + 279 * 2);
  });

  it("writes what an account was worth in dollars, where it is given, and refuses what does not fit the run", async () => {
    const dollars = run.equity.map((value) => 25_000 * value);
    const files = await planBacktestReport({ ...report, dollars });
    expect(textOf(files, "returns.csv")).toBe(returnsCsv(run, dollars));
    const [, first] = textOf(files, "returns.csv").split("\n");
    expect(Number(first!.split(",").at(-1))).toBe(dollars[0]);
    await expect(planBacktestReport({ ...report, dollars: dollars.slice(1) })).rejects.toThrow("dollars");
  });

  it("gives the same bytes for the same input, pictures included", async () => {
    const [one, two] = await Promise.all([
      planBacktestReport({ ...elevenYears(), plots: true }),
      planBacktestReport({ ...elevenYears(), plots: true }),
    ]);
    for (const [index, file] of one.entries()) {
      expect(Buffer.compare(file.bytes, two[index]!.bytes), file.name).toBe(0);
      expect(file.bytes.length, file.name).toBeGreaterThan(1000);
    }
  });

  it.each([
    ["no session", runOf([], []), "there is no session in it"],
    ["a short column", { ...run, gross: run.gross.slice(1) }, "gross has 299 values for 300 sessions"],
    ["a hole", { ...run, net: withValue(run.net, 5, Number.NaN) }, `net is NaN on ${sessions[5]}`],
    [
      "an endless value",
      { ...run, equity: withValue(run.equity, 7, Number.POSITIVE_INFINITY) },
      `equity is Infinity on ${sessions[7]}`,
    ],
  ])("refuses a result with %s, and names the part", async (_, broken, problem) => {
    await expect(planBacktestReport({ ...report, result: broken })).rejects.toThrow(
      new ReportInputError("result", problem),
    );
    const benchmarks = [{ ...report.benchmarks[0]!, result: broken }];
    await expect(planBacktestReport({ ...report, benchmarks })).rejects.toThrow(
      new ReportInputError("benchmarks.SPY", problem),
    );
  });
});
