export { rebalanceRows } from "./audit.js";
export type { BacktestDocument, BacktestOutcome, BacktestRequest } from "./backtest.js";
export type { ConfigCheckOutcome, ConfigShowOutcome } from "./config-views.js";
export type { ConfigurationSources, Folders, ServiceContext } from "./context.js";
export { lastCompleteSession } from "./dates.js";
export {
  BrokerSourceError,
  EmptyCacheError,
  FetchIncompleteError,
  InterruptedError,
  NoSessionsError,
  NothingFinishedError,
  NotInThisVersionError,
  RangeOrderError,
  RequestError,
  TooFewSessionsError,
} from "./errors.js";
export type { ErrorFields, ExitCode, Failure } from "./failures.js";
export { describeFailure, errorFields, exitCodeOf, failures } from "./failures.js";
export type { FetchedSymbol, FetchOutcome, FetchRequest, SourceName } from "./fetch.js";
export { sourceNames } from "./fetch.js";
export type { DecidingConfig, Manifest } from "./manifest.js";
export { decidingConfig, hashOf } from "./manifest.js";
export type { SeriesFacts } from "./market-data.js";
export type { Clock, Progress, ProgressListener } from "./ports.js";
export { systemClock } from "./ports.js";
export type { Services } from "./services.js";
export { createServices } from "./services.js";
export type { CandidateRow, TargetWeightsOutcome, TargetWeightsRequest } from "./target-weights.js";
