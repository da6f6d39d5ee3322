import type { EChartsOption } from "echarts";
import { type DrawdownPeriod, underwater, worstDrawdowns } from "../drawdowns.js";
import { axisName, legendAt, timeAxis } from "./axes.js";
import { distinct, percent, percentTick, shortened } from "./formatters.js";
import type { ChartInput, ChartOption, ChartSize } from "./input.js";
import { base, fontFamily, heading, ink, keyFigures, lossColor, portfolioName } from "./theme.js";
import { rowUtcMs, timeTicks } from "./ticks.js";

export const drawdownSize: ChartSize = { width: 1200, height: 650 };

const shown = 5;
const grid = { left: 78, right: 36, top: 112, bottom: 146 };
const badge = 20;

/**
 * How far equity lies below its high, beside the first benchmark. The five deepest falls are shaded and numbered where
 * they were deepest, and described below. Series data are `[utcMs, fraction]`, 0 at a high and negative below it.
 */
export function drawdownChart(input: ChartInput): ChartOption {
  const { result } = input;
  const { sessions } = result;
  const worst = worstDrawdowns(result, shown);
  const compared = input.benchmarks.slice(0, 1).map(({ label, result: other }) => ({
    label,
    rows: other,
    depth: underwater(other.equity),
  }));
  const depths = [
    { label: portfolioName(input), rows: result, depth: underwater(result.equity) },
    ...compared,
  ];
  const at = (row: number) => rowUtcMs(result, row);
  const x = timeTicks(depths.map((one) => one.rows.sessions));
  const deepest = depths.map(({ depth }) => depth.reduce((a, b) => Math.min(a, b)));
  const names = distinct(
    depths.map(({ label }, index) => `${shortened(label, 44)}  ${percent(deepest[index]!)}`),
  );
  const y = depthTicks(Math.min(...deepest));
  const option = {
    ...base,
    title: [
      heading(`${shortened(portfolioName(input), 60)}: drawdown`, keyFigures(input)),
      ...(worst.length === 0 ? [noneCard] : worst.map((period, index) => card(period, index))),
    ],
    legend: { ...legendAt(72), data: names },
    grid,
    xAxis: { ...timeAxis(x), axisLine: { show: false, onZero: false } },
    yAxis: {
      type: "value" as const,
      min: y.min,
      max: 0,
      ...axisName("below the high (%)"),
      axisTick: { show: false, customValues: [...y.ticks] },
      axisLabel: { customValues: [...y.ticks], formatter: percentTick, color: ink.normal, fontSize: 12 },
      splitLine: { show: true, lineStyle: { color: ink.grid } },
    },
    series: [
      ...depths.map(({ rows, depth }, index) => ({
        type: "line" as const,
        name: names[index]!,
        data: Array.from(depth, (value, row): [number, number] => [rowUtcMs(rows, row), value]),
        z: index === 0 ? 4 : 3,
        color: index === 0 ? lossColor : ink.faint,
        lineStyle: { width: index === 0 ? 1.6 : 1 },
        ...(index === 0 ? { areaStyle: { opacity: 0.18 } } : {}),
        showSymbol: depth.length === 1,
        symbol: "circle",
        symbolSize: 7,
        ...(index === 0 && worst.length > 0
          ? {
              markArea: {
                silent: true,
                itemStyle: { color: "#f6c667", opacity: 0.28 },
                label: { show: false },
                data: worst.map((period): [{ xAxis: number }, { xAxis: number }] => [
                  { xAxis: at(Math.max(0, period.peakRow)) },
                  { xAxis: at(period.recoveryRow ?? sessions.length - 1) },
                ]),
              },
            }
          : {}),
      })),
      {
        type: "scatter" as const,
        name: "deepest",
        z: 6,
        symbol: "circle",
        symbolSize: badge,
        itemStyle: { color: lossColor, borderColor: "#ffffff", borderWidth: 1.5, opacity: 1 },
        label: {
          show: true,
          color: "#ffffff",
          fontSize: 12,
          fontWeight: "bold" as const,
          position: "inside" as const,
        },
        data: badges(worst, at, x, y).map(({ period, shift }, index) => ({
          value: [at(period.troughRow), -period.depth],
          symbolOffset: [0, shift] as [number, number],
          label: { formatter: String(index + 1) },
        })),
      },
    ],
  } satisfies EChartsOption;
  return option;
}

interface Badge {
  readonly period: DrawdownPeriod;
  /** Pixels below the deepest point; negative above it. */
  readonly shift: number;
}

/** Puts each number just below the deepest point, or further down where another number is already there. */
function badges(
  worst: readonly DrawdownPeriod[],
  at: (row: number) => number,
  x: { min: number; max: number },
  y: { min: number },
): Badge[] {
  const plotWidth = drawdownSize.width - grid.left - grid.right;
  const plotHeight = drawdownSize.height - grid.top - grid.bottom;
  const shifts = Array.from({ length: 20 }, (_, index) => 13 + index * 5);
  const taken: { x: number; y: number }[] = [];
  return worst.map((period) => {
    const atX = ((at(period.troughRow) - x.min) / (x.max - x.min)) * plotWidth;
    const atY = (-period.depth / y.min) * plotHeight;
    const free = (shift: number) =>
      atY + shift <= plotHeight - badge / 2 &&
      taken.every(
        (other) => Math.abs(other.x - atX) > badge + 2 || Math.abs(other.y - (atY + shift)) > badge + 2,
      );
    const shift = shifts.find(free) ?? shifts.map((one) => -one).find(free) ?? 0;
    taken.push({ x: atX, y: atY + shift });
    return { period, shift };
  });
}

function card(period: DrawdownPeriod, index: number) {
  const lines = [
    `${period.peak}  peak`,
    `${period.trough}  trough`,
    period.recovery ? `${period.recovery}  recovered` : "not recovered yet",
  ];
  return {
    text: `${index + 1}   ${percent(-period.depth)}`,
    subtext: lines.join("\n"),
    left: `${2 + index * 19.4}%`,
    bottom: 20,
    itemGap: 6,
    textStyle: { fontFamily, fontSize: 14, fontWeight: "bold" as const, color: lossColor },
    subtextStyle: { fontFamily, fontSize: 12, lineHeight: 18, color: ink.normal },
  };
}

const noneCard = {
  text: "",
  subtext: "Equity never fell below its high.",
  left: 24,
  bottom: 60,
  subtextStyle: { fontFamily, fontSize: 13, color: ink.normal },
};

/** Round percentages from 0 down to a little below the deepest fall. */
function depthTicks(deepest: number): { readonly min: number; readonly ticks: readonly number[] } {
  const reach = Math.max(-deepest * 1.14, 0.01);
  const step = [0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.25].find((one) => reach / one <= 7) ?? 0.25;
  const ticks = Array.from({ length: Math.floor(reach / step) + 1 }, (_, index) =>
    Number((-index * step).toFixed(6)),
  );
  return { min: -reach, ticks };
}
