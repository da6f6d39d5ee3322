import type { BacktestResult } from "@pf/backtest";
import type { EChartsOption } from "echarts";
import { decimal, distinct, equityFloor, fitted, growthTick, shortened } from "./formatters.js";
import type { ChartInput, ChartOption, ChartSize } from "./input.js";
import { base, benchmarkColors, heading, ink, keyFigures, portfolioColor, portfolioName } from "./theme.js";
import { growthTicks, timeTicks, utcMs } from "./ticks.js";

export const equitySize: ChartSize = { width: 1200, height: 600 };

/** Characters that the labels of the legend may have together, so that it stays one line. */
const legendBudget = 100;

/**
 * Growth of 1 against the benchmarks on a logarithmic axis: equal distances are equal percentages. The legend says
 * where each line ends. Series data are `[utcMs, growth]`; equity at or below 0.001 is drawn at 0.001.
 */
export function equityChart(input: ChartInput): ChartOption {
  const runs = [{ label: portfolioName(input), result: input.result }, ...input.benchmarks];
  const values = runs.flatMap(({ result }) => [lowest(result.equity), highest(result.equity)]);
  const y = growthTicks(Math.min(1, ...values), Math.max(1, ...values));
  const x = timeTicks(runs.map(({ result }) => result.sessions));
  const names = distinct(
    fitted(
      runs.map(({ label }) => label),
      legendBudget,
    ).map((label, index) => `${label}  ${decimal(finalOf(runs[index]!.result))}`),
  );
  const option = {
    ...base,
    title: [heading(`${shortened(portfolioName(input), 60)}: growth of 1`, keyFigures(input))],
    legend: {
      left: 20,
      top: 72,
      itemGap: 28,
      itemWidth: 22,
      itemHeight: 3,
      icon: "rect",
      selectedMode: false as const,
      textStyle: { color: ink.strong, fontSize: 13 },
    },
    grid: { left: 78, right: 36, top: 112, bottom: 46 },
    xAxis: {
      type: "time" as const,
      min: x.min,
      max: x.max,
      axisLine: { lineStyle: { color: ink.line } },
      axisTick: { customValues: [...x.ticks], lineStyle: { color: ink.line } },
      axisLabel: {
        customValues: [...x.ticks],
        formatter: x.label,
        hideOverlap: true,
        color: ink.normal,
        fontSize: 12,
      },
      splitLine: { show: true, lineStyle: { color: ink.grid } },
    },
    yAxis: {
      type: "log" as const,
      min: y.min,
      max: y.max,
      name: "growth of 1 (log scale)",
      nameLocation: "middle" as const,
      nameGap: 52,
      nameTextStyle: { color: ink.normal, fontSize: 12 },
      axisLine: { show: false },
      axisTick: { show: false, customValues: [...y.ticks] },
      axisLabel: { customValues: [...y.ticks], formatter: growthTick, color: ink.normal, fontSize: 12 },
      splitLine: { show: true, lineStyle: { color: ink.grid } },
    },
    // The portfolio is listed first and drawn last, on top.
    series: runs.map(({ result }, index) => ({
      type: "line" as const,
      name: names[index]!,
      data: points(result),
      z: index === 0 ? 4 : 3,
      color: index === 0 ? portfolioColor : benchmarkColors[(index - 1) % benchmarkColors.length]!,
      lineStyle: { width: index === 0 ? 2.2 : 1.3 },
      // A line through one point would be invisible.
      showSymbol: result.sessions.length === 1,
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
              data: [{ yAxis: 1 }],
            },
          }
        : {}),
    })),
  } satisfies EChartsOption;
  return option;
}

function points({ sessions, equity }: BacktestResult): [number, number][] {
  return Array.from(equity, (value, row) => [utcMs(sessions[row]!), Math.max(value, equityFloor)]);
}

function finalOf({ equity }: BacktestResult): number {
  return equity[equity.length - 1]!;
}

function lowest(column: Float64Array): number {
  return column.reduce((a, b) => Math.min(a, b));
}

function highest(column: Float64Array): number {
  return column.reduce((a, b) => Math.max(a, b));
}
