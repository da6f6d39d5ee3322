import { describe, expect, it } from "vitest";
import { elevenYears, reportOf, runOf, walk, weekdays } from "../../test/worlds.js";
import { monthlyReturns } from "../months.js";
import { contrast, rgb, textColorOn } from "./colors.js";
import { drawdownChart } from "./drawdown.js";
import { equityChart } from "./equity.js";
import { heatmapSize, monthlyHeatmap, shadeColor } from "./heatmap.js";
import type { ChartInput, ChartOption } from "./input.js";
import { utcMs } from "./ticks.js";

const report = elevenYears();
const { result } = report;
const last = result.sessions.length - 1;

const charts: readonly (readonly [string, (input: ChartInput) => ChartOption])[] = [
  ["equity", equityChart],
  ["drawdown", drawdownChart],
  ["heat map", monthlyHeatmap],
];

describe.each(charts)("the %s chart", (_, chart) => {
  it("names the portfolio, the period and the key figures", () => {
    const { text, subtext } = chart({ ...report, title: "Rotation" }).title[0]!;
    expect(text).toMatch(/^Rotation: /);
    expect(subtext).toContain(`${result.sessions[0]} to ${result.sessions[last]}, 2,849 sessions`);
    expect(subtext).toContain(`CAGR ${(report.metrics.CAGR * 100).toFixed(1)}%`);
    expect(subtext).toContain(`Sharpe ${report.metrics.Sharpe.toFixed(2)}`);
    expect(subtext).toContain(`MaxDD ${(report.metrics.MaxDD * 100).toFixed(1)}%`);
  });

  it("says n/a for a metric that is undefined, and names a single session once", () => {
    const one = reportOf(runOf(weekdays("2024-03-05", 1), [0]));
    expect(chart(one).title[0]!.subtext).toMatch(/^2024-03-05, 1 session\b.*Sharpe n\/a/);
  });

  it("holds nothing that JSON would lose but functions that format ticks", () => {
    const lost: string[] = [];
    JSON.stringify(chart(report), function (this: unknown, key, value: unknown) {
      if (typeof value === "function") lost.push(key);
      else if (value === undefined || Number.isNaN(value) || value === Number.POSITIVE_INFINITY)
        throw new Error(key);
      return value;
    });
    expect(new Set(lost)).toEqual(new Set(chart === monthlyHeatmap ? [] : ["formatter"]));
  });
});

describe("the equity chart", () => {
  const option = equityChart(report);

  it("draws every session of the portfolio and of each benchmark", () => {
    expect(option.series).toHaveLength(4);
    for (const [index, run] of [report, ...report.benchmarks].entries()) {
      const { data } = option.series[index]!;
      expect(data).toHaveLength(result.sessions.length);
      expect(data[last]).toEqual([utcMs(result.sessions[last]!), run.result.equity[last]]);
      expect(data[1000]).toEqual([utcMs(result.sessions[1000]!), run.result.equity[1000]]);
    }
  });

  it("says in the legend where each line ends", () => {
    expect(option.series.map(({ name }) => name)).toEqual(
      ["Portfolio", "SPY held", "Equal weight of the universe", "60/40 SPY/IEF"].map(
        (label, index) =>
          `${label}  ${[report, ...report.benchmarks][index]!.result.equity[last]!.toFixed(2)}`,
      ),
    );
  });

  it("draws equity that is gone at the floor, for a logarithm has no place for it", () => {
    const ruined = reportOf(runOf(weekdays("2024-01-01", 4), [0, 0.1, -1, 0]));
    expect(equityChart(ruined).series[0]!.data.map((point) => (point as number[])[1])).toEqual([
      1, 1.1, 0.001, 0.001,
    ]);
  });

  it("keeps long labels short and equal ones apart", () => {
    const benchmarks = report.benchmarks.map((one) => ({
      ...one,
      label: "a benchmark with a very long label indeed, net of tax",
    }));
    const names = equityChart({ ...report, benchmarks }).series.map(({ name }) => name!);
    expect(Math.max(...names.map((name) => name.length))).toBeLessThan(42);
    const same = equityChart({ ...report, title: "SPY", benchmarks: [{ label: "SPY", result }] });
    expect(new Set(same.series.map(({ name }) => name)).size).toBe(2);
  });
});

describe("the drawdown chart", () => {
  it("reaches as deep as the metrics say, and numbers the deepest falls", () => {
    const { series, title } = drawdownChart(report);
    const depths = series[0]!.data.map((point) => (point as [number, number])[1]);
    expect(Math.min(...depths)).toBeCloseTo(-report.metrics.MaxDD, 12);
    expect(Math.max(...depths)).toBe(0);
    expect(series[0]!.name).toBe(`Portfolio  \u2212${(report.metrics.MaxDD * 100).toFixed(1)}%`);
    expect(title).toHaveLength(6);
    expect(title[1]!.text).toBe(`1   \u2212${(report.metrics.MaxDD * 100).toFixed(1)}%`);
    expect(
      title
        .slice(1)
        .every(({ subtext }) => /^\d{4}-\d\d-\d\d {2}peak\n\d{4}-\d\d-\d\d {2}trough\n/.test(subtext!)),
    ).toBe(true);
  });

  it("puts the numbers where the falls are deepest, none upon another", () => {
    for (const seed of [1, 2, 3, 4, 5, 6, 7, 8]) {
      const run = runOf(weekdays("2016-01-01", 1500), [...walk(seed, 300), ...walk(seed + 50, 1200, -0.001)]);
      const badges = drawdownChart(reportOf(run)).series.find(({ type }) => type === "scatter")!.data as {
        value: [number, number];
        symbolOffset: [number, number];
      }[];
      const [from, to] = [utcMs(run.sessions[0]!), utcMs(run.sessions[1499]!)];
      const deepest = -Math.min(...badges.map(({ value }) => value[1]));
      const places = badges.map(({ value, symbolOffset }) => ({
        x: ((value[0] - from) / (to - from)) * 1050,
        y: (-value[1] / deepest / 1.14) * 392 + symbolOffset[1],
      }));
      expect(places.length).toBeGreaterThan(2);
      expect(badges[0]!.symbolOffset).toEqual([0, 13]);
      for (const [index, one] of places.entries()) {
        for (const other of places.slice(0, index)) {
          expect(Math.max(Math.abs(one.x - other.x), Math.abs(one.y - other.y))).toBeGreaterThan(20);
        }
      }
    }
  });

  it("says so when there was no fall", () => {
    const option = drawdownChart(
      reportOf(runOf(weekdays("2020-01-01", 300), new Array<number>(300).fill(0))),
    );
    expect(option.title[1]!.subtext).toBe("Equity never fell below its high.");
    expect(option.series[option.series.length - 1]!.data).toEqual([]);
  });
});

describe("the heat map", () => {
  const option = monthlyHeatmap(report);
  const cells = (index: number) =>
    option.series[index]!.data as { value: number[]; label: { formatter: string; color: string } }[];

  it("has a cell for every month and every year, with its number", () => {
    const { months, years } = monthlyReturns(result);
    expect(cells(0).map(({ value }) => value[3])).toEqual(months.map(({ value }) => value));
    expect(cells(0)[0]!.value.slice(0, 2)).toEqual([0, 0]);
    const own = cells(1).filter(({ value }) => value[0] === 13);
    expect(own.map(({ value }) => value[2])).toEqual(years.map(({ value }) => value));
    const benchmark = cells(1).filter(({ value }) => value[0] === 14);
    expect(benchmark.map(({ value }) => value[2])).toEqual(
      monthlyReturns(report.benchmarks[0]!.result).years.map(({ value }) => value),
    );
  });

  it("marks months and years that the run saw only a part of, and says what the mark means", () => {
    const marked = cells(0).filter(({ label }) => label.formatter.endsWith("*"));
    expect(marked.length).toBe(monthlyReturns(result).months.filter(({ complete }) => !complete).length);
    const whole = runOf(weekdays("2020-01-01", 262), walk(1, 262));
    expect(monthlyHeatmap(reportOf(whole)).title).toHaveLength(1);
    const part = runOf(weekdays("2020-01-01", 255), walk(1, 255));
    expect(monthlyHeatmap(reportOf(part)).title[1]!.subtext).toContain("*");
  });

  it("centres its colours at 0 and never leaves the scale", () => {
    const [scale] = option.visualMap as { min: number; max: number }[];
    expect(scale!.min).toBe(-scale!.max);
    for (const { value } of cells(0)) expect(Math.abs(value[2]!)).toBeLessThanOrEqual(scale!.max);
    expect(shadeColor(0)).toEqual([247, 247, 247]);
    expect(shadeColor(-1)[0]).toBeGreaterThan(shadeColor(-1)[2]);
    expect(shadeColor(1)[2]).toBeGreaterThan(shadeColor(1)[0]);
  });

  it("can be read on every shade: contrast 4.5 or more", () => {
    for (let shade = -1; shade <= 1; shade += 0.01) {
      const background = shadeColor(shade);
      expect(contrast(background, rgb(textColorOn(background))), `at ${shade}`).toBeGreaterThanOrEqual(4.5);
    }
  });

  it("grows with the years and stays a picture with one", () => {
    const years = (count: number) =>
      heatmapSize(reportOf(runOf(weekdays("1990-01-01", count), walk(1, count)))).height;
    expect(years(20)).toBeLessThan(years(2000));
    expect(years(7800)).toBeLessThan(1100);
    expect(years(1)).toBeGreaterThan(200);
  });
});
