export { IndicatorParameterError } from "./errors.js";
export { correlation, rollingCorrelation, sampleStdev, simpleReturns, stdev } from "./returns.js";
export type { Macd, MacdSpans } from "./trend.js";
export { atr, ema, macd, sma } from "./trend.js";
