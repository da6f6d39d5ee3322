export type { BacktestResult, CostModel, Metrics, TargetSeries } from "./result.js";
