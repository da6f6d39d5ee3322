export type { AlpacaOptions } from "./alpaca.js";
export { alpacaSource, alpacaVariables } from "./alpaca.js";
export type { BarCache } from "./cache.js";
export { openBarCache } from "./cache.js";
export type { CheckOptions, CheckRule, Finding } from "./checks.js";
export { checkBars, refusals } from "./checks.js";
export { contentHash } from "./content-hash.js";
export { csvSource } from "./csv.js";
export type { CsvProblem } from "./errors.js";
export {
  BarsRefusedError,
  CacheFileError,
  CacheReadError,
  CsvFileError,
  IngestInterruptedError,
  InvalidTickerError,
  MissingBarsError,
  NoBarsError,
  SourceAnswerError,
  SourceFaultError,
  SourceKeyError,
  SourceLimitError,
  SourceMismatchError,
  SourceRefusedError,
  SourceUnavailableError,
  WriteError,
} from "./errors.js";
export type { IngestOptions, IngestProgress, SymbolOutcome } from "./ingest.js";
export { fetchBars, ingest, readCoverage } from "./ingest.js";
export type { LoadedSeries } from "./load.js";
export { loadSeries } from "./load.js";
export type { BarKind, StoredBars } from "./parquet.js";

export type {
  CacheCoverage,
  Coverage,
  IngestPlan,
  PlanOptions,
  Span,
  SymbolPlan,
  WantedBars,
} from "./plan.js";
export { planIngest } from "./plan.js";
export type { BarSource, FetchedBars, FetchOptions, SourceNote } from "./source.js";
export { barsBetween } from "./source.js";
export type { SyntheticOptions } from "./synthetic.js";
export { syntheticSource, syntheticTickers } from "./synthetic.js";
export type { TiingoOptions } from "./tiingo.js";
export { tiingoSource, tiingoVariables } from "./tiingo.js";
export type { VendorOptions } from "./vendor.js";
