export type { Difference } from "./account/compare.js";
export type { AccountDocument } from "./account/document.js";
export type { AlertTestOutcome, AlertTestRequest } from "./alerts.js";
export { alertsOf } from "./alerts.js";
export { rebalanceRows } from "./audit.js";
export type { AuditProblem, AuditVerification } from "./audit-chain.js";
export type { BacktestDocument, BacktestOutcome, BacktestRequest } from "./backtest.js";
export type { AccountMode, BrokerManners } from "./broker.js";
export type { CandidateRow } from "./candidate-rows.js";
export type { ConfigCheckOutcome, ConfigShowOutcome } from "./config-views.js";
export { readConfiguration } from "./configuration.js";
export type {
  CheckName,
  ConnectCheck,
  ConnectedContract,
  ConnectedHours,
  ConnectedMarketData,
  ConnectedPosition,
  ConnectedServer,
  ConnectedSummary,
  ConnectOutcome,
  ConnectRequest,
} from "./connect.js";
export type { ConfigurationSources, Folders, ServiceContext } from "./context.js";
export { lastCompleteSession } from "./dates.js";
export {
  EmptyCacheError,
  EquityOverflowError,
  FetchIncompleteError,
  FolderInUseError,
  HourlyBarsError,
  InterruptedError,
  NoBrokerError,
  NoSessionsError,
  NothingFinishedError,
  NothingTradedError,
  OtherRunError,
  RangeOrderError,
  RequestError,
  StateWriteError,
  TooFewSessionsError,
} from "./errors.js";
export type { ErrorFields, ExitCode, Failure } from "./failures.js";
export { describeFailure, errorFields, exitCodeOf, failures } from "./failures.js";
export type { FetchedSymbol, FetchOutcome, FetchRequest } from "./fetch.js";
export { ExportWriteError, ResultFileError, UnknownColumnError } from "./frame/errors.js";
export type { FrameDocument, FrameRequest } from "./frame/service.js";
export type { DecidingConfig, Manifest } from "./manifest.js";
export { decidingConfig, hashOf } from "./manifest.js";
export type { SeriesFacts } from "./market-data.js";
export type { NewStrategyDocument, NewStrategyRequest } from "./new-strategy.js";
export type { Clock, Progress, ProgressListener } from "./ports.js";
export { systemClock } from "./ports.js";
export type { Aspect, ReplayFill, SessionRecord } from "./replay/record.js";
export type {
  ReplayDocument,
  ReplayOutcome,
  ReplayPart,
  ReplayRequest,
  ReplaySession,
} from "./replay/service.js";
export type { ObjectiveName } from "./research/objectives.js";
export { objectives } from "./research/objectives.js";
export type {
  PermutationFacts,
  PermuteDocument,
  PermuteOutcome,
  PermuteRequest,
  WindowDocument,
} from "./research/permute.js";
export type {
  CancelRunDocument,
  CancelRunRequest,
  QueueDocument,
  ResearchEvent,
  ResearchWorker,
  ServeResearchRequest,
} from "./research/queue.js";
export type { SearchManifest, SearchRequest } from "./research/search.js";
export type { OverfittingFacts, StudyFacts } from "./research/study.js";
export type {
  FoldDocument,
  WalkForwardDocument,
  WalkForwardOutcome,
  WalkForwardRequest,
} from "./research/walkforward.js";
export type { Services } from "./services.js";
export { createServices } from "./services.js";
export type { RunningSimulator, SimDocument, SimRequest } from "./sim.js";
export type { SourceName } from "./sources.js";
export { sourceNames } from "./sources.js";
export type { TargetWeightsOutcome, TargetWeightsRequest } from "./target-weights.js";
export type { AuditedFile, AuditLogOutcome, AuditLogRequest } from "./trade/audit.js";
export type {
  PlanDocument,
  PlannedOrder,
  PlannedSymbol,
  ReconcileDocument,
  TradeDocument,
  VerdictDocument,
} from "./trade/documents.js";
export type {
  AccountHistory,
  HeldPosition,
  HistoryRequest,
  PastOrder,
  PastSession,
} from "./trade/history.js";
export type { ReconcileRequest, TradeOutcome, TradeRequest } from "./trade/service.js";
export type { Halt, HaltCode } from "./trade/state.js";
export type { HaltRequest, ResumeRequest, StatusDocument, StatusRequest } from "./trade/status.js";
export type { ReadyConfig } from "./user-modules.js";
export type { LogEntry, SessionResult, WorkerEvent } from "./worker/log.js";
export type { Teller, Undelivered } from "./worker/outbox.js";
export type { Preflight, PreflightCheck } from "./worker/preflight.js";
export type { Activity, TradeWorker, TradeWorkerSetting, WorkerSnapshot } from "./worker/run.js";
export { createTradeWorker, requireTradable } from "./worker/run.js";
export type { Phase, PhaseName, SessionTimes } from "./worker/schedule.js";
