import { xnys } from "@pf/market";
import type { AlertTestOutcome, AlertTestRequest } from "./alerts.js";
import type { BacktestOutcome, BacktestRequest } from "./backtest.js";
import type { ConfigCheckOutcome, ConfigShowOutcome } from "./config-views.js";
import type { ConnectOutcome, ConnectRequest } from "./connect.js";
import type { ServiceContext } from "./context.js";
import { InterruptedError } from "./errors.js";
import type { FetchOutcome, FetchRequest } from "./fetch.js";
import type { FrameDocument, FrameRequest } from "./frame/service.js";
import type { NewStrategyDocument, NewStrategyRequest } from "./new-strategy.js";
import { systemClock } from "./ports.js";
import type { ReplayOutcome, ReplayRequest } from "./replay/service.js";
import type { PermuteOutcome, PermuteRequest } from "./research/permute.js";
import type {
  CancelRunDocument,
  CancelRunRequest,
  QueueDocument,
  ResearchWorker,
  ServeResearchRequest,
} from "./research/queue.js";
import type { WalkForwardOutcome, WalkForwardRequest } from "./research/walkforward.js";
import type { RunningSimulator, SimRequest } from "./sim.js";
import type { TargetWeightsOutcome, TargetWeightsRequest } from "./target-weights.js";
import type { AuditLogOutcome, AuditLogRequest } from "./trade/audit.js";
import type { ReconcileDocument } from "./trade/documents.js";
import type { AccountHistory, HistoryReader, HistoryRequest } from "./trade/history.js";
import type { PastReader } from "./trade/past.js";
import type { ReconcileRequest, TradeOutcome, TradeRequest } from "./trade/service.js";
import type { HaltRequest, ResumeRequest, StatusDocument, StatusRequest } from "./trade/status.js";
import type { ReadyConfig } from "./user-modules.js";

/**
 * What the system does for a person or a program: each takes a plain request and returns a plain outcome. Broken
 * assumptions are thrown, with a code that {@link describeFailure} knows.
 */
export interface Services {
  /** Brings the cache up to date with a source of bars. */
  fetch(request?: FetchRequest): Promise<FetchOutcome>;
  /** Backtests the strategy on the cached bars and writes the report. */
  backtest(request?: BacktestRequest): Promise<BacktestOutcome>;
  /** Chooses parameters on the past and applies them to what follows, window by window, and writes the report. */
  walkforward(request?: WalkForwardRequest): Promise<WalkForwardOutcome>;
  /** Holds the best of the grid against markets whose days were shuffled, and writes the report. */
  permute(request?: PermuteRequest): Promise<PermuteOutcome>;
  /** What is going on in the queue that searches may be given to. */
  queueStatus(): Promise<QueueDocument>;
  /** Ends a search that runs on the queue, from elsewhere. */
  cancelRun(request: CancelRunRequest): Promise<CancelRunDocument>;
  /** Takes work of searches from the queue until it is closed, or until the signal of the services aborts. */
  serveResearch(request?: ServeResearchRequest): Promise<ResearchWorker>;
  /** Decides what to hold as of a session, and why. */
  targetWeights(request?: TargetWeightsRequest): Promise<TargetWeightsOutcome>;
  /** Checks the connection to the broker step by step; what is wrong is part of the outcome. */
  connect(request?: ConnectRequest): Promise<ConnectOutcome>;
  /** Starts a simulator of TWS that runs until it is closed, or until the signal of the services aborts. */
  sim(request?: SimRequest): Promise<RunningSimulator>;
  /** Brings an account to the strategy's targets, once a session; or shows what it would do. */
  trade(request?: TradeRequest): Promise<TradeOutcome>;
  /**
   * Finds out how an account stands without ever sending an order: learns what became of everything that was sent, ends a
   * rebalance that was left open, compares the book with the broker and books the difference. For the time after the close
   * and for a start outside the minutes of trading; within them `trade` goes on with a session.
   */
  reconcile(request?: ReconcileRequest): Promise<ReconcileDocument>;
  /** Trades sessions of the past by the live path at a simulated broker, and compares with the account engine. */
  replay(request?: ReplayRequest): Promise<ReplayOutcome>;
  /** What is known of an account, from its journal. */
  status(request?: StatusRequest): Promise<StatusDocument>;
  /**
   * An account's past from its journal, beside what the model and SPY would be. No broker is asked and nothing is locked;
   * asked again, it reads only what is new, so that a page may ask every few seconds.
   */
  history(request?: HistoryRequest): Promise<AccountHistory>;
  /** Stops trading durably, also while another process trades. */
  halt(request?: HaltRequest): Promise<StatusDocument>;
  /** Lifts a halt. */
  resume(request: ResumeRequest): Promise<StatusDocument>;
  /** Checks that audit logs were not changed since they were written. */
  verifyAuditLogs(request?: AuditLogRequest): Promise<AuditLogOutcome>;
  /** Sends a test alarm on every channel that is configured. */
  alertTest(request?: AlertTestRequest): Promise<AlertTestOutcome>;
  /** Results, or cached bars, as a table: described, grouped, sorted, exported. */
  frame(request: FrameRequest): Promise<FrameDocument>;
  /** Makes a folder with a score of one's own, its test, and a configuration that runs at once. */
  newStrategy(request: NewStrategyRequest): Promise<NewStrategyDocument>;
  /** The effective configuration with the origin of each setting; secrets as `"***"`. */
  configShow(): Promise<ConfigShowOutcome>;
  /** Whether the configuration can be used; throws ConfigError with everything that is wrong. */
  configCheck(): Promise<ConfigCheckOutcome>;
  /** JSON Schema of the configuration file. */
  configSchema(): Promise<Readonly<Record<string, unknown>>>;
}

/**
 * Joins the packages into services. Nothing is read, opened or connected before a service is called, and the heavier
 * packages are loaded by the service that needs them.
 */
export function createServices(context: ServiceContext): Services {
  const { folders, version, clock = systemClock, calendar = xnys, extensions = {}, signal } = context;
  const onProgress = context.onProgress ?? (() => {});
  const { broker, onStep } = context;
  const stop = { ...(signal ? { signal } : {}), ...(broker ? { broker } : {}) };
  let loading: Promise<ReadyConfig> | undefined;
  const configuration = () => {
    loading ??= import("./configuration.js").then((room) =>
      room.readConfiguration(context.configuration, extensions),
    );
    return loading;
  };
  /** @param what - why hourly bars are no use, as the first half of a sentence */
  const daily = async (what: string) => {
    const loaded = await configuration();
    (await import("./configuration.js")).requireDailyBars(loaded, what);
    return loaded;
  };
  // Long stretches of arithmetic never look up; between them signals get their turn.
  const checkpoint = async () => {
    await new Promise((resolve) => setImmediate(resolve));
    if (signal?.aborted) throw new InterruptedError({ cause: signal.reason });
  };
  const where = { dataFolder: folders.data, outFolder: folders.out, stateFolder: folders.state };
  const setting = { ...where, version, calendar, clock, extensions, onProgress, checkpoint, ...stop };
  // Status and history are asked again and again: both read a journal on from where it was read before.
  let readPast: PastReader | undefined;
  let readHistory: HistoryReader | undefined;
  const reading = async () => {
    readPast ??= (await import("./trade/past.js")).createPastReader(folders.state);
    return { ...setting, readPast };
  };
  const trading = async () => {
    const loaded = await daily("an account is traded once a session, by daily bars");
    const { extensions } = loaded;
    return [loaded, { ...setting, extensions, ...(onStep ? { onStep } : {}) }] as const;
  };
  const searching = { ...setting, ...(context.workerEntry ? { workerEntry: context.workerEntry } : {}) };

  return {
    async fetch(request = {}) {
      const { fetchMarket } = await import("./fetch.js");
      const variable = async (name: string) =>
        (await import("./configuration.js")).readVariable(context.configuration, name);
      const setting = {
        dataFolder: folders.data,
        calendar,
        clock,
        onProgress,
        checkpoint,
        variable,
        ...stop,
      };
      return fetchMarket(request, await configuration(), setting);
    },
    async backtest(request = {}) {
      const { backtestPortfolio } = await import("./backtest.js");
      const loaded = await configuration();
      return backtestPortfolio(request, loaded, { ...setting, extensions: loaded.extensions });
    },
    async walkforward(request = {}) {
      const { walkPortfolioForward } = await import("./research/walkforward.js");
      const loaded = await configuration();
      return walkPortfolioForward(request, loaded, { ...searching, extensions: loaded.extensions });
    },
    async permute(request = {}) {
      const { permuteMarket } = await import("./research/permute.js");
      const loaded = await configuration();
      return permuteMarket(request, loaded, { ...searching, extensions: loaded.extensions });
    },
    async queueStatus() {
      const { queueStatus } = await import("./research/queue.js");
      return queueStatus(await configuration());
    },
    async cancelRun(request) {
      const { cancelRun } = await import("./research/queue.js");
      return cancelRun(request, await configuration());
    },
    async serveResearch(request = {}) {
      const { serveResearch } = await import("./research/queue.js");
      return serveResearch(request, await configuration(), searching);
    },
    async targetWeights(request = {}) {
      const { decideTargets } = await import("./target-weights.js");
      const loaded = await configuration();
      return decideTargets(request, loaded, { ...setting, extensions: loaded.extensions });
    },
    async connect(request = {}) {
      const { checkConnection } = await import("./connect.js");
      return checkConnection(request, await configuration(), { calendar, clock, onProgress, ...stop });
    },
    async sim(request = {}) {
      const { startSim } = await import("./sim.js");
      const setting = { dataFolder: folders.data, calendar, clock, ...stop };
      return startSim(request, await configuration(), setting);
    },
    async trade(request = {}) {
      const { tradeAccount } = await import("./trade/service.js");
      return tradeAccount(request, ...(await trading()));
    },
    async reconcile(request = {}) {
      const { reconcileAccount } = await import("./trade/service.js");
      return reconcileAccount(request, ...(await trading()));
    },
    async history(request = {}) {
      const { createHistoryReader } = await import("./trade/history.js");
      const loaded = await daily("an account's past is told by daily bars");
      readHistory ??= createHistoryReader(loaded, { ...(await reading()), extensions: loaded.extensions });
      return readHistory(request);
    },
    async replay(request = {}) {
      const { replayPortfolio } = await import("./replay/service.js");
      const loaded = await daily("a replay trades once a session, by daily bars");
      return replayPortfolio(request, loaded, { ...setting, extensions: loaded.extensions });
    },
    async status(request = {}) {
      const { accountStatus } = await import("./trade/status.js");
      return accountStatus(request, await configuration(), await reading());
    },
    async halt(request = {}) {
      const { haltAccount } = await import("./trade/status.js");
      return haltAccount(request, await configuration(), await reading());
    },
    async resume(request) {
      const { resumeAccount } = await import("./trade/status.js");
      return resumeAccount(request, await configuration(), await reading());
    },
    async verifyAuditLogs(request = {}) {
      const { verifyAuditLogs } = await import("./trade/audit.js");
      return verifyAuditLogs(request, folders.out);
    },
    async alertTest(request = {}) {
      const { testAlerts } = await import("./alerts.js");
      return testAlerts(request, await configuration(), { onProgress, ...stop });
    },
    async frame(request) {
      const { frameResults } = await import("./frame/service.js");
      return frameResults(request, {
        dataFolder: folders.data,
        outFolder: folders.out,
        calendar,
        configuration,
        ...stop,
      });
    },
    async newStrategy(request) {
      const { makeStrategy } = await import("./new-strategy.js");
      return makeStrategy(request);
    },
    async configShow() {
      const { showConfig } = await import("./config-views.js");
      return showConfig(await configuration());
    },
    async configCheck() {
      const { checkConfig } = await import("./config-views.js");
      return checkConfig(await configuration());
    },
    async configSchema() {
      const { configSchema } = await import("./config-views.js");
      return configSchema();
    },
  };
}
