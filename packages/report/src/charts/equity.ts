import type { EChartsOption } from "echarts";
import { legendAt } from "./axes.js";
import { shortened } from "./formatters.js";
import { growthParts } from "./growth.js";
import type { ChartInput, ChartOption, ChartSize } from "./input.js";
import { base, heading, keyFigures, portfolioName } from "./theme.js";

export const equitySize: ChartSize = { width: 1200, height: 600 };

/**
 * Growth of 1 against the benchmarks on a logarithmic axis: equal distances are equal percentages. The legend says
 * where each line ends. Series data are `[utcMs, growth]`; equity at or below 0.001 is drawn at 0.001.
 */
export function equityChart(input: ChartInput): ChartOption {
  const { xAxis, yAxis, series } = growthParts([
    { label: portfolioName(input), result: input.result },
    ...input.benchmarks,
  ]);
  const option = {
    ...base,
    title: [heading(`${shortened(portfolioName(input), 60)}: growth of 1`, keyFigures(input))],
    legend: legendAt(72),
    grid: { left: 78, right: 36, top: 112, bottom: 46 },
    xAxis,
    yAxis,
    series,
  } satisfies EChartsOption;
  return option;
}
