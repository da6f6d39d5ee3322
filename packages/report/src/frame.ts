export type { FrameColumn, NumberColumn, TextColumn } from "./frame/columns.js";
export { columnsOf, frameOf } from "./frame/columns.js";
export { columnsOfCsv, csvOf } from "./frame/csv.js";
export type { Danfo, DataFrame, GroupBy, Series } from "./frame/danfo.js";
export { loadDanfo } from "./frame/danfo.js";
export { DanfoMissingError, FrameError } from "./frame/errors.js";
export type {
  FoldRow,
  FrameKind,
  FrameValue,
  GridResults,
  ReturnColumns,
  ValueOfKind,
} from "./frame/results.js";
export { fromDataFrame, toDataFrame } from "./frame/results.js";
export type { Aggregate } from "./frame/statistics.js";
export { aggregates, describeFrame, groupFrame } from "./frame/statistics.js";
