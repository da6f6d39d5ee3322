import type { BacktestResult } from "@pf/backtest";
import { type GridKey, gridKeys, type Study, type WalkForward, type WalkForwardFold } from "@pf/research";
import type { EChartsOption } from "echarts";
import type { BenchmarkReport } from "../benchmarks.js";
import { configuredPoint } from "../researchJson.js";
import { legendAt } from "./axes.js";
import { decimal, shortened } from "./formatters.js";
import { growthParts } from "./growth.js";
import type { ChartOption, ChartSize } from "./input.js";
import {
  base,
  benchmarkColors,
  between,
  caption,
  heading,
  ink,
  keyFigures,
  portfolioColor,
} from "./theme.js";
import { utcMs } from "./ticks.js";

/** What the chart of a walk-forward is drawn from. */
export interface WalkForwardChartInput {
  readonly title?: string;
  readonly study: Study;
  readonly walkForward: WalkForward;
  readonly fixed?: BacktestResult;
  readonly benchmarks?: readonly BenchmarkReport[];
}

const width = 1200;
const [left, right] = [78, 36];
const growthTop = 136;
const growthHeight = 340;
const stripsTop = growthTop + growthHeight + 60;
const stripGap = 36;
/** Borders nearer than this, in pixels, would be a shade and no lines. */
const nearestBorders = 5;

export function walkForwardSize(input: WalkForwardChartInput): ChartSize {
  const last = stripsOf(input).at(-1);
  return { width, height: (last ? last.top + last.height : growthTop + growthHeight) + 42 };
}

/**
 * The stitched out-of-sample run against the fixed parameters and SPY as growth of 1, the borders between folds dotted;
 * below it, a strip for each key of the grid with the value that each fold chose. Data of the lines are
 * `[utcMs, growth]`, of the strips `[utcMs, value]` at both ends of each fold.
 */
export function walkForwardChart(input: WalkForwardChartInput): ChartOption {
  const { walkForward, fixed, benchmarks = [] } = input;
  const { folds, result } = walkForward;
  const name = input.title ?? "Walk-forward";
  const runs = [
    { label: name, result },
    ...(fixed ? [{ label: "Fixed parameters", result: fixed }] : []),
    ...benchmarks.filter(({ key }) => key === "SPY"),
  ];
  const growth = growthParts(runs, bordersOf(folds));
  const strips = stripsOf(input);
  // As their line above, where there is one.
  const configuredColor = fixed ? benchmarkColors[0] : ink.faint;
  const undecided = folds.filter((fold) => walkForward.undecided.includes(fold.index));
  const stripTimes = { ...growth.xAxis, axisLabel: { ...growth.xAxis.axisLabel, show: false } };
  const option = {
    ...base,
    title: [
      heading(
        `${shortened(name, 60)}: growth of 1 out of sample`,
        `${keyFigures(walkForward)}\n${howChosen(input, strips)}`,
      ),
      ...strips.map((strip) => caption(strip.caption, left, strip.top - 18)),
    ],
    legend: { ...legendAt(94), data: growth.names },
    grid: [
      { left, right, top: growthTop, height: growthHeight },
      ...strips.map(({ top, height }) => ({ left, right, top, height })),
    ],
    xAxis: [
      growth.xAxis,
      ...strips.map((_, index) => ({
        ...(index === strips.length - 1 ? growth.xAxis : stripTimes),
        gridIndex: index + 1,
      })),
    ],
    yAxis: [
      growth.yAxis,
      ...strips.map(({ values }, index) => ({
        type: "category" as const,
        gridIndex: index + 1,
        data: [...values],
        axisLine: { show: false },
        axisTick: { show: false },
        axisLabel: { color: ink.normal, fontSize: 11 },
        splitLine: { show: false },
      })),
    ],
    series: [
      ...growth.series,
      ...strips.map((strip, index) => stripSeries(strip, index, undecided, configuredColor)),
    ],
  } satisfies EChartsOption;
  return option;
}

interface Strip {
  readonly key: GridKey;
  readonly caption: string;
  readonly top: number;
  readonly height: number;
  /** The values tried, ascending, as the axis names them. */
  readonly values: readonly string[];
  readonly path: readonly (readonly [number, string])[];
  /** The fixed parameters' value; undefined where the grid does not try it. */
  readonly configured: string | undefined;
}

/** A strip for each key of which the grid tries several values. */
function stripsOf({ study, walkForward }: WalkForwardChartInput): readonly Strip[] {
  const { folds, stability } = walkForward;
  const configured = configuredPoint(study.options);
  let top = stripsTop;
  return gridKeys.flatMap((key) => {
    const tried = study.grid[key] ?? [];
    if (tried.length < 2) return [];
    const height = Math.min(76, Math.max(30, 15 * tried.length));
    const changes = stability.keys.find((one) => one.key === key)?.changes ?? 0;
    const strip: Strip = {
      key,
      caption:
        folds.length > 1 ? `{strong|${key}}  changed at ${ofBorders(changes, folds)}` : `{strong|${key}}`,
      top,
      height,
      values: [...tried].sort((a, b) => a - b).map(String),
      path: folds.flatMap((fold, index) => {
        const value = String(fold.params[key]);
        return [
          [utcMs(fold.oosStart), value],
          [utcMs(folds[index + 1]?.oosStart ?? fold.oosEnd), value],
        ] as const;
      }),
      configured: tried.includes(configured[key]!) ? String(configured[key]) : undefined,
    };
    top += height + stripGap;
    return [strip];
  });
}

function stripSeries(
  strip: Strip,
  index: number,
  undecided: readonly WalkForwardFold[],
  configuredColor: string,
) {
  return {
    type: "line" as const,
    name: strip.key,
    xAxisIndex: index + 1,
    yAxisIndex: index + 1,
    data: strip.path.map((point) => [...point]),
    showSymbol: false,
    z: 4,
    color: portfolioColor,
    lineStyle: { width: 2.2 },
    markLine: {
      z: 3,
      silent: true,
      symbol: "none",
      label: { show: false },
      lineStyle: { color: configuredColor, type: "dashed" as const, width: 1.3 },
      data: strip.configured === undefined ? [] : [{ yAxis: strip.configured }],
    },
    markArea: {
      silent: true,
      itemStyle: { color: ink.line, opacity: 0.5 },
      label: { show: false },
      data: undecided.map((fold): [{ xAxis: number }, { xAxis: number }] => [
        { xAxis: utcMs(fold.oosStart) },
        { xAxis: utcMs(fold.oosEnd) },
      ]),
    },
  };
}

/** The first session of every fold but the first; none where the lines would be a shade. */
function bordersOf(folds: readonly WalkForwardFold[]): readonly { readonly xAxis: number }[] {
  if ((width - left - right) / folds.length < nearestBorders) return [];
  return folds.slice(1).map((fold) => ({ xAxis: utcMs(fold.oosStart) }));
}

function howChosen({ study, walkForward }: WalkForwardChartInput, strips: readonly Strip[]): string {
  const { folds, stability, comparison, undecided } = walkForward;
  return [
    `${folds.length} fold${folds.length === 1 ? "" : "s"}, chosen by ${study.objective}`,
    ...(folds.length > 1 ? [`another point at ${ofBorders(stability.changes, folds)}`] : []),
    `walk-forward efficiency ${decimal(comparison.efficiency ?? Number.NaN)}`,
    ...(strips.some((strip) => strip.configured !== undefined) ? ["dashed: the fixed parameters"] : []),
    ...(undecided.length > 0 ? [`grey: ${undecided.length} undecided`] : []),
  ].join(between);
}

function ofBorders(changes: number, folds: readonly WalkForwardFold[]): string {
  return `${changes} of ${folds.length - 1} border${folds.length === 2 ? "" : "s"}`;
}
