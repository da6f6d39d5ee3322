import { type BacktestResult, type Benchmark, measure, runBacktest, runBenchmarks } from "@pf/backtest";
import { costModelOf, type LoadedConfig, lagOf, strategyOptionsOf } from "@pf/config";
import type { TradingCalendar } from "@pf/market";
import type { MetricsJson } from "@pf/report";
import { createStrategy, type Extensions } from "@pf/selection";
import { auditLines, explainRebalances, runName } from "./audit.js";
import { readRange } from "./dates.js";
import { NotInThisVersionError, TooFewSessionsError } from "./errors.js";
import { type Manifest, manifestJson, manifestOf } from "./manifest.js";
import { loadMarket } from "./market-data.js";
import type { Clock, ProgressListener } from "./ports.js";
import { publishReport } from "./publish.js";
import { dataHashOf, enterTrials } from "./research/ledger.js";

export interface BacktestRequest {
  /** First and last day, `YYYY-MM-DD`, inclusive; rows outside do not exist for the indicators either. */
  readonly start?: string;
  readonly end?: string;
  /** Whether to draw the pictures. Default true. */
  readonly plots?: boolean;
  /** Only `"bars"`, the bar-return engine, is part of this version. */
  readonly engine?: "bars" | "account";
}

/** What `pf backtest --json` prints. */
export interface BacktestDocument {
  readonly metrics: MetricsJson;
  /** By key: `SPY`, `equal_weight`, `60_40`, those whose symbols are in the universe. */
  readonly benchmarks: Readonly<Record<string, MetricsJson>>;
  /** The specification's literal rule on the same bars: ranked afresh every day, no band. */
  readonly literal: MetricsJson;
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
  if ((request.engine ?? "bars") !== "bars") {
    throw new NotInThisVersionError(`the ${request.engine} engine`, "use --engine bars, or leave it out");
  }
  const range = readRange(request, calendar);
  const { config } = loaded;
  const strategy = createStrategy(strategyOptionsOf(config), extensions);
  const [costs, lag] = [costModelOf(config), lagOf(config)];

  onProgress({ step: "reading bars" });
  const market = await loadMarket(setting.dataFolder, config.universe, range);
  const { panel } = market;
  if (panel.sessions.length < fewestSessions)
    throw new TooFewSessionsError(panel.sessions.length, fewestSessions);
  await checkpoint();

  onProgress({ step: `backtesting ${panel.sessions.length} sessions` });
  const result = runBacktest(panel, strategy, costs, { lag });
  const metrics = measure(result);
  const benchmarks = runBenchmarks(panel, costs, { lag });
  const literal = measure(
    runBacktest(panel, createStrategy(literalRule(config), extensions), costs, { lag }),
  );
  const manifest = manifestOf("backtest", setting.version, loaded, market, { lag, warmUp: strategy.warmUp });
  const run = runName("backtest", clock);
  const audit = await auditLines(explainRebalances(panel, strategy, result), run, manifest, clock);
  await checkpoint();

  const plots = request.plots ?? true;
  onProgress({ step: plots ? "drawing and writing the report" : "writing the report" });
  const { metricsJson, planBacktestReport } = await import("@pf/report");
  const measured = benchmarks.map((benchmark) => ({ ...benchmark, metrics: measure(benchmark.result) }));
  const files = await planBacktestReport({
    result,
    metrics,
    benchmarks: measured,
    literal: { metrics: literal },
    manifest: manifestJson(manifest),
    plots,
  });
  await checkpoint();
  // Before anybody sees the result: a strategy that was looked at has been tried.
  const trial = { options: strategyOptionsOf(config), costs, lag };
  await enterTrials(
    setting.stateFolder,
    { command: "backtest", data: dataHashOf(market), trials: [trial] },
    clock,
  );
  const log = await publishReport(files, { name: `${run}.jsonl`, text: audit }, setting.outFolder, signal);

  return {
    document: {
      metrics: metricsJson(metrics),
      benchmarks: Object.fromEntries(measured.map((one) => [one.key, metricsJson(one.metrics)])),
      literal: metricsJson(literal),
      files: files.map(({ name }) => name),
      manifest,
      log,
    },
    result,
    benchmarks,
  };
}

/** The specification's rule to the letter: everything ranked afresh every day, every change traded. */
function literalRule(config: LoadedConfig["config"]) {
  const options = strategyOptionsOf(config);
  return {
    ...options,
    selection: { ...options.selection, incumbents: "rank" as const },
    rebalance: { ...options.rebalance, minWeightChange: 0 },
  };
}
