import type { BacktestResult, Metrics } from "@pf/backtest";

/** A run that the portfolio is compared with. */
export interface ChartBenchmark {
  /** How people call it, `"SPY"`; shortened where it does not fit. */
  readonly label: string;
  readonly result: BacktestResult;
}

/** What the charts of a backtest are drawn from. */
export interface ChartInput {
  /** Name of the portfolio in titles and legends. Default `"Portfolio"`. */
  readonly title?: string;
  readonly result: BacktestResult;
  readonly metrics: Metrics;
  /** In the order of the legend; drawdown and heat map compare with the first. */
  readonly benchmarks: readonly ChartBenchmark[];
}

/**
 * An ECharts option. Nothing in it but numbers, texts and the functions of `formatters.ts`, so that a picture and an
 * interactive page can be drawn from the same value.
 */
export interface ChartOption {
  readonly title: readonly { readonly text: string; readonly subtext?: string }[];
  readonly series: readonly ChartSeries[];
  readonly [component: string]: unknown;
}

export interface ChartSeries {
  readonly name?: string;
  readonly type: string;
  readonly data: readonly unknown[];
}

/** Pixels of a chart before scaling. */
export interface ChartSize {
  readonly width: number;
  readonly height: number;
}
