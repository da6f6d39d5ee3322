import { type BacktestResult, type Benchmark, measure, runBacktest, runBenchmarks } from "@pf/backtest";
import { usSettlement } from "@pf/compliance";
import { costModelOf, type LoadedConfig, lagOf, strategyOptionsOf } from "@pf/config";
import type { TradingCalendar } from "@pf/market";
import { AmountError, type Cents, dollarsOf } from "@pf/orders";
import type { MetricsJson } from "@pf/report";
import { createStrategy, type Extensions, type StrategyOptions } from "@pf/selection";
import { accountRulesOf, compareEngines, measureAccount } from "./account/compare.js";
import { type AccountDocument, accountDocument } from "./account/document.js";
import { type AccountRun, runAccount } from "./account/engine.js";
import { auditLines, explainRebalances, runName } from "./audit.js";
import { barKindOf } from "./bar-kind.js";
import { requireDailyBars } from "./configuration.js";
import { readRange } from "./dates.js";
import { EquityOverflowError, TooFewSessionsError } from "./errors.js";
import { type Manifest, manifestJson, manifestOf } from "./manifest.js";
import { loadMarket, loadTraded, yearOf } from "./market-data.js";
import type { Clock, ProgressListener } from "./ports.js";
import { publishReport } from "./publish.js";
import { dataHashOf, enterTrials } from "./research/ledger.js";

export interface BacktestRequest {
  /** First and last day, `YYYY-MM-DD`, inclusive; rows outside do not exist for the indicators either. */
  readonly start?: string;
  readonly end?: string;
  /** Whether to draw the pictures. Default true. */
  readonly plots?: boolean;
  /**
   * Whose returns are reported: `"bars"` weighs returns as research does, `"account"` trades shares for dollars in a cash
   * account. Both are run and shown beside each other. Default: `"bars"`. Hourly bars have the former alone.
   */
  readonly engine?: "bars" | "account";
}

/** What `pf backtest --json` prints. */
export interface BacktestDocument {
  readonly engine: "bars" | "account";
  readonly metrics: MetricsJson;
  /** By key: `SPY`, `equal_weight`, `60_40`, those whose symbols are in the universe. */
  readonly benchmarks: Readonly<Record<string, MetricsJson>>;
  /** The specification's literal rule on the same bars: ranked afresh every day, no band. */
  readonly literal: MetricsJson;
  /** The bars engine's metrics, whichever engine is reported. */
  readonly bars: MetricsJson;
  /**
   * Absent for hourly bars, because an account is traded once a session, for bars that begin before 1995-06-07, because
   * how trades settled is known from then on, and for prices so small that shares cannot be counted. The manifest warns.
   */
  readonly account?: AccountDocument;
  /** The literal rule in the same account; with `engine: "account"` only. */
  readonly literalAccount?: AccountDocument;
  /** Relative to the output folder. */
  readonly files: readonly string[];
  readonly manifest: Manifest;
  /** The audit log, relative to the output folder. */
  readonly log: string;
}

/** The document, and the curves behind it for whoever draws them. */
export interface BacktestOutcome {
  readonly document: BacktestDocument;
  readonly result: BacktestResult;
  readonly benchmarks: readonly Benchmark[];
}

export interface BacktestSetting {
  readonly dataFolder: string;
  readonly outFolder: string;
  /** Where the ledger of trials lives. */
  readonly stateFolder: string;
  readonly version: string;
  readonly calendar: TradingCalendar;
  readonly clock: Clock;
  readonly extensions: Extensions;
  readonly onProgress: ProgressListener;
  /** Lets signals in, and throws when one asked to stop. */
  readonly checkpoint: () => Promise<void>;
  readonly signal?: AbortSignal;
}

const fewestSessions = 2;

/** From the cache to a report on disk. */
export async function backtestPortfolio(
  request: BacktestRequest,
  loaded: LoadedConfig,
  setting: BacktestSetting,
): Promise<BacktestOutcome> {
  const { calendar, clock, extensions, onProgress, checkpoint, signal } = setting;
  const { engine = "bars" } = request;
  const range = readRange(request, calendar);
  const { config } = loaded;
  const configured = strategyOptionsOf(config);
  createStrategy(configured, extensions);
  const [costs, lag] = [costModelOf(config), lagOf(config)];
  const kind = barKindOf(loaded);
  if (engine === "account")
    requireDailyBars(loaded, "--engine account trades a cash account once a session, by daily bars");

  onProgress({ step: "reading bars" });
  const market = await loadMarket(setting.dataFolder, config.universe, range, kind);
  const { panel } = market;
  const options = { ...configured, ...yearOf(market) };
  const strategy = createStrategy(options, extensions);
  const measured = (of: BacktestResult) => measure(of, options.periodsPerYear);
  if (panel.sessions.length < fewestSessions)
    throw new TooFewSessionsError(panel.sessions.length, fewestSessions);
  await checkpoint();

  onProgress({ step: `backtesting ${panel.sessions.length} ${kind === "hourly" ? "hours" : "sessions"}` });
  const bars = runBacktest(panel, strategy, costs, { lag });
  const benchmarks = runBenchmarks(panel, costs, { lag });
  const literalBars = runBacktest(panel, createStrategy(literalRule(options), extensions), costs, { lag });
  const literal = measured(literalBars);
  await checkpoint();

  const { metricsJson, planBacktestReport } = await import("@pf/report");
  let withoutAccount: string | undefined;
  const money =
    kind === "hourly" ? undefined : engine === "account" ? await tradeAccounts() : await besideBars();
  const { account, literalAccount, result = bars, metrics = measured(bars) } = money ?? {};
  requireNumbers("this backtest", result);
  for (const { label, result: compared } of benchmarks) requireNumbers(label, compared);
  const described = manifestOf("backtest", setting.version, loaded, money?.traded ?? market, {
    lag,
    warmUp: strategy.warmUp,
    isAccount: money !== undefined,
  });
  const manifest = withoutAccount
    ? { ...described, warnings: [...described.warnings, `no account was traded with it: ${withoutAccount}`] }
    : described;
  const run = runName("backtest", clock);
  const audit = await auditLines(explainRebalances(panel, strategy, bars), run, manifest, clock);
  await checkpoint();

  const plots = request.plots ?? true;
  onProgress({ step: plots ? "drawing and writing the report" : "writing the report" });
  const compared = benchmarks.map((benchmark) => ({ ...benchmark, metrics: measured(benchmark.result) }));
  const files = await planBacktestReport({
    result,
    metrics,
    benchmarks: compared,
    literal: { metrics: literal },
    manifest: manifestJson(manifest),
    ...(engine === "account" && account
      ? { dollars: Float64Array.from(account.run.equity, (amount) => dollarsOf(amount)) }
      : {}),
    plots,
  });
  await checkpoint();
  // Before anybody sees the result: a strategy that was looked at has been tried.
  const trial = { options, costs, lag };
  await enterTrials(
    setting.stateFolder,
    { command: "backtest", data: dataHashOf(market), trials: [trial] },
    clock,
  );
  const log = await publishReport(files, { name: `${run}.jsonl`, text: audit }, setting.outFolder, signal);

  return {
    document: {
      engine,
      metrics: metricsJson(metrics),
      benchmarks: Object.fromEntries(compared.map((one) => [one.key, metricsJson(one.metrics)])),
      literal: metricsJson(literal),
      bars: metricsJson(measured(bars)),
      ...(account ? { account: account.document } : {}),
      ...(literalAccount ? { literalAccount } : {}),
      files: files.map(({ name }) => name),
      manifest,
      log,
    },
    result,
    benchmarks,
  };

  /** Who asks for the account alone is told why there is none; nobody else shall lose a backtest to it. */
  async function besideBars() {
    if (panel.sessions[0]! < usSettlement.first) {
      withoutAccount = `how trades settled is known from ${usSettlement.first} on (--start)`;
      return undefined;
    }
    try {
      return await tradeAccounts();
    } catch (error) {
      if (!(error instanceof AmountError)) throw error;
      withoutAccount = error.message;
      return undefined;
    }
  }

  /** The same targets for money: shares for dollars, once a session. */
  async function tradeAccounts() {
    onProgress({ step: "trading it in a cash account" });
    const traded = await loadTraded(setting.dataFolder, market);
    const { prices } = traded;
    const rules = accountRulesOf(loaded, calendar);
    const inAccount = (of: BacktestResult) => {
      const run = runAccount(panel, of.targets, prices, rules);
      const difference = compareEngines(panel, of, prices, rules, run, costs);
      return { run, document: accountDocument(of, run, rules, difference, metricsJson) };
    };
    const account = inAccount(bars);
    if (engine === "bars") return { traded, account };
    return {
      traded,
      account,
      literalAccount: inAccount(literalBars).document,
      result: accountResult(bars, account.run, rules.initialCash),
      metrics: measureAccount(account.run),
    };
  }
}

/** @throws EquityOverflowError when equity has left the range of numbers, which only absurd costs bring about */
function requireNumbers(whose: string, { sessions, equity }: BacktestResult): void {
  const row = equity.findIndex((value) => !Number.isFinite(value));
  if (row >= 0) throw new EquityOverflowError(whose, sessions[row]!);
}

/** An account's returns in the form of the bars engine's; equity as the growth of 1, which compares with benchmarks. */
function accountResult(bars: BacktestResult, run: AccountRun, initialCash: Cents): BacktestResult {
  const gross = run.net.map((value, row) => value + run.commission[row]! + run.slippage[row]!);
  return {
    sessions: bars.sessions,
    tickers: bars.tickers,
    targets: bars.targets,
    net: run.net,
    gross,
    turnover: run.turnover,
    commission: run.commission,
    slippage: run.slippage,
    equity: Float64Array.from(run.equity, (amount) => amount / initialCash),
  };
}

/** The specification's rule to the letter: everything ranked afresh every day, every change traded. */
function literalRule(options: StrategyOptions): StrategyOptions {
  return {
    ...options,
    selection: { ...options.selection, incumbents: "rank" as const },
    rebalance: { ...options.rebalance, minWeightChange: 0 },
  };
}
