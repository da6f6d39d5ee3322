import type { BacktestResult } from "@pf/backtest";
import { axisName, timeAxis } from "./axes.js";
import { decimal, distinct, equityFloor, fitted, growthTick } from "./formatters.js";
import { benchmarkColors, ink, portfolioColor } from "./theme.js";
import { growthTicks, rowUtcMs, timeTicks } from "./ticks.js";

/** Characters that the labels of the legend may have together, so that it stays one line. */
const legendBudget = 100;

/** A named run; the first of several is the one that the chart is about. */
export interface GrowthRun {
  readonly label: string;
  readonly result: Pick<BacktestResult, "sessions" | "endsUtcMs" | "equity">;
}

/**
 * Axes and lines of growth of 1 on a logarithmic axis: equal distances are equal percentages. Names say where each line
 * ends. Series data are `[utcMs, growth]`; equity at or below 0.001 is drawn at 0.001.
 *
 * @param marks - further lines across the first run's plot, thin and without a label
 */
export function growthParts(runs: readonly GrowthRun[], marks: readonly { readonly xAxis: number }[] = []) {
  const values = runs.flatMap(({ result }) => [lowest(result.equity), highest(result.equity)]);
  const y = growthTicks(Math.min(1, ...values), Math.max(1, ...values));
  const x = timeTicks(runs.map(({ result }) => result.sessions));
  const names = distinct(
    fitted(
      runs.map(({ label }) => label),
      legendBudget,
    ).map((label, index) => `${label}  ${decimal(finalOf(runs[index]!))}`),
  );
  return {
    names,
    x,
    xAxis: timeAxis(x),
    yAxis: {
      type: "log" as const,
      min: y.min,
      max: y.max,
      ...axisName("growth of 1 (log scale)"),
      axisLine: { show: false },
      axisTick: { show: false, customValues: [...y.ticks] },
      axisLabel: { customValues: [...y.ticks], formatter: growthTick, color: ink.normal, fontSize: 12 },
      splitLine: { show: true, lineStyle: { color: ink.grid } },
    },
    // The first run is listed first and drawn last, on top.
    series: runs.map((run, index) => ({
      type: "line" as const,
      name: names[index]!,
      data: points(run),
      z: index === 0 ? 4 : 3,
      color: index === 0 ? portfolioColor : benchmarkColors[(index - 1) % benchmarkColors.length]!,
      lineStyle: { width: index === 0 ? 2.2 : 1.3 },
      // A line through one point would be invisible.
      showSymbol: run.result.sessions.length === 1,
      symbol: "circle",
      symbolSize: 7,
      ...(index === 0
        ? {
            markLine: {
              z: 1,
              silent: true,
              symbol: "none",
              label: { show: false },
              lineStyle: { color: ink.faint, type: "solid" as const, width: 1 },
              data: [
                { yAxis: 1 },
                ...marks.map((mark) => ({
                  ...mark,
                  lineStyle: { color: "#b7c0c9", type: "dotted" as const, width: 1 },
                })),
              ],
            },
          }
        : {}),
    })),
  };
}

function points({ result }: GrowthRun): [number, number][] {
  return Array.from(result.equity, (value, row) => [rowUtcMs(result, row), Math.max(value, equityFloor)]);
}

function finalOf({ result: { equity } }: GrowthRun): number {
  return equity[equity.length - 1]!;
}

function lowest(column: Float64Array): number {
  return column.reduce((a, b) => Math.min(a, b));
}

function highest(column: Float64Array): number {
  return column.reduce((a, b) => Math.max(a, b));
}
