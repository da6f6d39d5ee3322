import { runBacktest } from "@pf/backtest";
import { costModelOf, type LoadedConfig, lagOf, strategyOptionsOf } from "@pf/config";
import type { SessionDate, Ticker, TradingCalendar, Weights } from "@pf/market";
import { createStrategy, type Decision, type Extensions } from "@pf/selection";
import { barKindOf } from "./bar-kind.js";
import { type CandidateRow, candidateRow } from "./candidate-rows.js";
import { knownDay, lastCompleteSession } from "./dates.js";
import { NoSessionsError } from "./errors.js";
import { type Manifest, manifestOf } from "./manifest.js";
import { loadMarket, yearOf } from "./market-data.js";
import type { Clock, ProgressListener } from "./ports.js";

export interface TargetWeightsRequest {
  /** `YYYY-MM-DD`; a day without session means the last one before it. Default: the latest cached session. */
  readonly asOf?: string;
}

/** What `pf weights --json` prints. */
export interface TargetWeightsOutcome {
  readonly asOf: SessionDate;
  /** When the hour that decided ended, ISO 8601 in UTC; with hourly bars only. */
  readonly ts?: string;
  /** Fractions of equity, universe order; the rest is `cash`. */
  readonly weights: Weights;
  readonly cash: number;
  /** One entry a symbol, universe order. */
  readonly candidates: readonly CandidateRow[];
  /** In the order taken. */
  readonly selected: readonly Ticker[];
  readonly correlations: Decision["correlations"];
  readonly overlays: Decision["overlays"];
  /** The targets of the bar before, which the rule for incumbents and the no-trade band looked at. */
  readonly held: Weights;
  readonly heldByBand: boolean;
  /** Complete sessions after `asOf` that the cache does not have; 0 when a session was asked for. */
  readonly sessionsBehind: number;
  readonly manifest: Manifest;
}

export interface TargetWeightsSetting {
  readonly dataFolder: string;
  readonly version: string;
  readonly calendar: TradingCalendar;
  readonly clock: Clock;
  readonly extensions: Extensions;
  readonly onProgress: ProgressListener;
}

/**
 * Decides as of one session, on the path of the backtest: targets are carried from the first cached row on, so that
 * incumbents and the no-trade band see what the backtest sees. Of hourly bars the session's last one decides.
 *
 * @throws NoSessionsError when the cache does not hold that session
 */
export async function decideTargets(
  request: TargetWeightsRequest,
  loaded: LoadedConfig,
  { dataFolder, version, calendar, clock, extensions, onProgress }: TargetWeightsSetting,
): Promise<TargetWeightsOutcome> {
  const { config } = loaded;
  const session =
    request.asOf === undefined ? undefined : calendar.onOrBefore(knownDay(request.asOf, calendar));
  const options = strategyOptionsOf(config);
  createStrategy(options, extensions);

  onProgress({ step: "reading bars" });
  const range = session === undefined ? {} : { end: session };
  const market = await loadMarket(dataFolder, config.universe, range, barKindOf(loaded));
  const { panel } = market;
  const strategy = createStrategy({ ...options, ...yearOf(market) }, extensions);
  const row = panel.sessions.length - 1;
  if (session !== undefined && panel.sessions[row] !== session) {
    throw new NoSessionsError(`of ${session}`, panel.sessions[0]!, panel.sessions[row]!);
  }

  onProgress({ step: `deciding as of ${panel.sessions[row]}` });
  const lag = lagOf(config);
  const { targets } = runBacktest(panel, strategy, costModelOf(config), { lag });
  const held = row === 0 ? {} : targets.at(row - 1);
  const decision = strategy.prepare(panel).decide(row, held);
  return {
    asOf: decision.asOf,
    ...(panel.endsUtcMs ? { ts: new Date(panel.endsUtcMs[row]!).toISOString() } : {}),
    weights: decision.weights,
    cash: decision.cash,
    candidates: decision.candidates.map(candidateRow),
    selected: decision.selected,
    correlations: decision.correlations,
    overlays: decision.overlays,
    held,
    heldByBand: decision.heldByBand,
    sessionsBehind: session === undefined ? sessionsAfter(decision.asOf, calendar, clock) : 0,
    manifest: manifestOf("weights", version, loaded, market, { lag, warmUp: strategy.warmUp }),
  };
}

/** How many sessions have closed since the one decided on. */
function sessionsAfter(session: SessionDate, calendar: TradingCalendar, clock: Clock): number {
  const latest = lastCompleteSession(calendar, clock);
  return latest > session ? calendar.sessionsBetween(session, latest).length - 1 : 0;
}
