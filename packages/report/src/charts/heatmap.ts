import type { EChartsOption } from "echarts";
import { monthlyReturns, type YearReturn } from "../months.js";
import { darkText, mixed, type Rgb, textColorOn } from "./colors.js";
import { monthName, percentTick, shortened, signedPercent } from "./formatters.js";
import type { ChartInput, ChartOption, ChartSize } from "./input.js";
import { base, fontFamily, heading, ink, keyFigures, portfolioName } from "./theme.js";

const months = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];
/** Columns after December: an empty one, the year, the benchmark's year. */
const yearColumn = 13;
const benchmarkColumn = 14;

/** Losses red, gains blue, nothing white; told apart by people who confuse red and green. */
const lossesToGains = [
  "#b2182b",
  "#d6604d",
  "#f4a582",
  "#fddbc7",
  "#f7f7f7",
  "#d1e5f0",
  "#92c5de",
  "#4393c3",
  "#2166ac",
];
const lossText = "#9c1224";

/** Tall enough for every year, and neither a ribbon nor a poster. */
export function heatmapSize(input: ChartInput): ChartSize {
  const years = monthlyReturns(input.result).years.length;
  const rowHeight = Math.min(44, Math.max(26, 480 / years));
  return { width: 1200, height: Math.round(top + bottom + rowHeight * years) };
}

const [top, bottom] = [110, 84];

/**
 * Net return of every month, with the year's total, and the first benchmark's, in columns apart. Colours are centred at
 * 0. Data of the first series are `[column, row, shade, return]` with the return as a fraction and the shade the same
 * held within the ends of the colour scale; the second series holds the years. An asterisk marks partial periods.
 */
export function monthlyHeatmap(input: ChartInput): ChartOption {
  const own = monthlyReturns(input.result);
  const [benchmark] = input.benchmarks;
  const rows = own.years.map(({ year }) => year);
  const reach = colorReach(own.months.map(({ value }) => value));
  const anyPartial =
    own.months.some(({ complete }) => !complete) || own.years.some(({ complete }) => !complete);
  const option = {
    ...base,
    title: [
      heading(`${shortened(portfolioName(input), 60)}: monthly returns in %`, keyFigures(input)),
      ...(anyPartial ? [footnote] : []),
    ],
    grid: { left: 70, right: 36, top, bottom },
    xAxis: {
      type: "category" as const,
      position: "top" as const,
      data: [...months.map(monthName), "", "Year", ...(benchmark ? [shortened(benchmark.label, 10)] : [])],
      axisLine: { show: false },
      axisTick: { show: false },
      axisLabel: { interval: 0, color: ink.normal, fontSize: 12 },
    },
    yAxis: {
      type: "category" as const,
      inverse: true,
      data: rows.map(String),
      axisLine: { show: false },
      axisTick: { show: false },
      axisLabel: { interval: 0, color: ink.normal, fontSize: 12 },
    },
    visualMap: [
      {
        type: "continuous" as const,
        seriesIndex: 0,
        dimension: 2,
        min: -reach,
        max: reach,
        inRange: { color: lossesToGains },
        orient: "horizontal" as const,
        left: "center",
        bottom: 22,
        itemWidth: 14,
        itemHeight: 260,
        text: [`+${percentTick(reach)} a month and more`, `${percentTick(-reach)} and less`],
        textGap: 12,
        textStyle: { color: ink.normal, fontSize: 12 },
      },
      // Years move on another scale than months: they get numbers and no shade.
      {
        type: "continuous" as const,
        show: false,
        seriesIndex: 1,
        min: -1,
        max: 1,
        inRange: { color: ["#f1f3f6"] },
      },
    ],
    series: [
      {
        type: "heatmap" as const,
        name: "month",
        label: { show: true, fontSize: 12 },
        itemStyle: { borderColor: "#ffffff", borderWidth: 2 },
        data: own.months.map(({ year, month, value, complete }) => {
          const shade = Math.max(-reach, Math.min(reach, value));
          return {
            value: [month - 1, rows.indexOf(year), shade, value],
            label: { formatter: cellText(value, complete), color: textColorOn(shadeColor(shade / reach)) },
          };
        }),
      },
      {
        type: "heatmap" as const,
        name: "year",
        label: { show: true, fontSize: 12, fontWeight: "bold" as const },
        itemStyle: { borderColor: "#ffffff", borderWidth: 2 },
        data: [
          ...yearCells(own.years, rows, yearColumn),
          ...(benchmark ? yearCells(monthlyReturns(benchmark.result).years, rows, benchmarkColumn) : []),
        ],
      },
    ],
  } satisfies EChartsOption;
  return option;
}

/** The colour of a shade from -1 to 1. */
export function shadeColor(shade: number): Rgb {
  return mixed(lossesToGains, (shade + 1) / 2);
}

function yearCells(years: readonly YearReturn[], rows: readonly number[], column: number) {
  return years
    .filter(({ year }) => rows.includes(year))
    .map(({ year, value, complete }) => ({
      value: [column, rows.indexOf(year), value],
      label: { formatter: cellText(value, complete), color: value < 0 ? lossText : darkText },
    }));
}

function cellText(value: number, complete: boolean): string {
  return complete ? signedPercent(value) : `${signedPercent(value)}*`;
}

/** A round value that nine months of ten stay within, so that one crash does not bleach the others. */
function colorReach(values: readonly number[]): number {
  const sizes = values.map(Math.abs).sort((a, b) => a - b);
  const most = sizes[Math.floor((sizes.length - 1) * 0.9)] ?? 0;
  return (
    [0.01, 0.02, 0.03, 0.04, 0.05, 0.06, 0.08, 0.1, 0.15, 0.2, 0.3, 0.5].find((reach) => most <= reach) ?? 1
  );
}

const footnote = {
  text: "",
  subtext: "* the run covers only a part of it",
  left: 24,
  bottom: 20,
  subtextStyle: { fontFamily, fontSize: 12, color: ink.normal },
};
