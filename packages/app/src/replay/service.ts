import { runBacktest, type TargetSeries, targetSeries } from "@pf/backtest";
import { costModelOf, type LoadedConfig, lagOf, strategyOptionsOf } from "@pf/config";
import { addMonths, type BarSeries, type Panel, type SessionDate, type TradingCalendar } from "@pf/market";
import { dollarsOf } from "@pf/orders";
import { createStrategy, type Extensions } from "@pf/selection";
import type { SimulatedSymbol } from "@pf/tws-sim";
import { accountRulesOf } from "../account/compare.js";
import type { AccountRules } from "../account/engine.js";
import { areSameWeights } from "../account/rebalance.js";
import { readRange } from "../dates.js";
import { NoSessionsError } from "../errors.js";
import { describeFailure, type ErrorFields, errorFields } from "../failures.js";
import { type Manifest, manifestOf } from "../manifest.js";
import { loadMarket, loadTraded } from "../market-data.js";
import type { Clock, ProgressListener } from "../ports.js";
import { ReplayDiffersError, ReplayHaltedError, ReplayIncompleteError } from "./errors.js";
import { LiveWorld } from "./live.js";
import { type Aspect, differences, type LiveRecord, type ReplayFill, type SessionRecord } from "./record.js";
import { recordsOf, runFrom } from "./reference.js";

export interface ReplayRequest {
  /** First and last session to trade, `YYYY-MM-DD`, inclusive. Default: the last twelve months of the cache. */
  readonly start?: string;
  readonly end?: string;
  /**
   * How prices run within a session: at the close for its last five minutes, so that both must be equal; or along a path
   * until the close, as they do. Default: close.
   */
  readonly intraday?: "close" | "path";
}

/** One session of a replay; dollars. */
export interface ReplaySession {
  readonly session: SessionDate;
  /** As `pf trade` has it; `failed` where it refused the bars. */
  readonly outcome: string;
  readonly detail: string;
  /** The last bar that was decided on. */
  readonly asOf: SessionDate | null;
  readonly fills: number;
  /** What waits for another session, and why. */
  readonly waiting: Readonly<Record<string, string>>;
  /** The checks that forbade the plan. */
  readonly blocked: readonly string[];
  readonly settledCash: number;
  /** In what the account engine differs. */
  readonly differs: readonly Aspect[];
}

/** A part of what the live path ended with more, or less, than the account engine. */
export interface ReplayPart {
  /**
   * - `decision` targets decided on an unfinished bar, where they are others than those of the finished one
   * - `execution` fills at other prices than the close, sizes that follow from them, sessions that were not traded
   */
  readonly name: "decision" | "execution";
  readonly dollars: number;
  /** Ten-thousandths of what the account engine ended with. */
  readonly bps: number;
}

/** What `pf replay --json` prints. */
export interface ReplayDocument {
  readonly start: SessionDate;
  readonly end: SessionDate;
  readonly intraday: "close" | "path";
  readonly sessions: readonly ReplaySession[];
  /** Of the live path, as the broker executed them. */
  readonly fills: readonly ReplayFill[];
  /** Worth at the close of each session, dollars. */
  readonly equity: readonly {
    readonly session: SessionDate;
    readonly replay: number;
    readonly account: number;
  }[];
  /** What the account got in dividends, dollars; as the account engine has them. */
  readonly dividends: number;
  readonly difference: {
    /** Every order, price, fee, wait, check, settled cash and equity of every session, to the cent. */
    readonly equal: boolean;
    /** Whether the same quantities of the same symbols were traded in the same sessions. */
    readonly equalOrders: boolean;
    /** Of the live path over the account engine, at the end. */
    readonly cents: number;
    readonly bps: number;
    /** The largest in any session, either way. */
    readonly largestBps: number;
    /** Sessions on which the targets were others, and on which the orders were. */
    readonly otherDecisions: number;
    readonly otherOrders: number;
    /** They add up to the whole. */
    readonly parts: readonly ReplayPart[];
    /** The first session that differs, as both have it. */
    readonly first: {
      readonly differs: readonly Aspect[];
      readonly replay: SessionRecord;
      readonly account: SessionRecord;
    } | null;
  };
  /** What was the same for both, though live trading may do otherwise. */
  readonly notes: readonly string[];
  readonly manifest: Manifest;
}

export interface ReplayOutcome {
  readonly document: ReplayDocument;
  readonly error?: ErrorFields;
}

export interface ReplaySetting {
  readonly dataFolder: string;
  readonly version: string;
  readonly calendar: TradingCalendar;
  readonly clock: Clock;
  readonly extensions: Extensions;
  readonly onProgress: ProgressListener;
  readonly checkpoint: () => Promise<void>;
  readonly signal?: AbortSignal;
}

/**
 * Trades sessions of the past by the live path, one after the other, at a simulated broker that has the cached bars; and
 * does the same with the account engine. Nothing is read from or written to the real state.
 *
 * @throws NoSessionsError when the cache holds no such sessions
 */
export async function replayPortfolio(
  request: ReplayRequest,
  given: LoadedConfig,
  setting: ReplaySetting,
): Promise<ReplayOutcome> {
  const { calendar, extensions, onProgress } = setting;
  const { intraday = "close" } = request;
  const range = readRange(request, calendar);
  const loaded = comparable(given, intraday);
  const { config } = loaded;

  onProgress({ step: "reading bars" });
  // What the live path fetches, from the day on from which it fetches.
  const start = config.ibkr.start as SessionDate;
  const market = await loadMarket(setting.dataFolder, config.universe, {
    start,
    ...(range.end === undefined ? {} : { end: range.end }),
  });
  const { panel } = market;
  const traded = await loadTraded(setting.dataFolder, market);
  const { prices } = traded;
  const symbols = await symbolsOf(setting.dataFolder, panel, new Set(prices.withoutTrades));
  const { first, sessions } = sessionsOf(panel, range.start);
  await setting.checkpoint();

  const strategy = createStrategy(strategyOptionsOf(config), extensions);
  const lag = lagOf(config);
  const rules: AccountRules = { ...accountRulesOf(loaded, calendar), slippageBps: 0 };
  const { targets } = runBacktest(panel, strategy, costModelOf(config), { lag });
  const run = runFrom(panel, targets, prices, rules, first);
  const reference = recordsOf(run, first);
  await setting.checkpoint();

  const live = await tradeAll(sessions, symbols, loaded, { ...setting, intraday });
  const walked = targetsOf(panel, live);
  const withTheirTargets = runFrom(panel, walked, prices, rules, first);
  const document: ReplayDocument = {
    start: sessions[0]!,
    end: sessions.at(-1)!,
    intraday,
    ...told(live, reference),
    dividends: dollarsOf(run.dividends),
    difference: {
      ...difference(live, reference),
      otherDecisions: sessions.filter((_, at) => {
        const row = first + at - rules.delay;
        return !areSameWeights(walked.at(row), targets.at(row));
      }).length,
      parts: partsOf(reference.at(-1)!.equity, withTheirTargets.equity.at(-1)!, live.at(-1)!.equity),
    },
    notes: notesOf(given, intraday, prices.withoutTrades),
    manifest: manifestOf("replay", setting.version, loaded, traded, {
      lag,
      warmUp: strategy.warmUp,
      isAccount: true,
    }),
  };
  const error = errorOf(document, live);
  return error ? { document, error: errorFields(describeFailure(error)) } : { document };
}

/** In the mode that must be equal both trade at the market: at the close a limit is the close as well. */
function comparable(loaded: LoadedConfig, intraday: "close" | "path"): LoadedConfig {
  if (intraday === "path") return loaded;
  const { config } = loaded;
  return { ...loaded, config: { ...config, execution: { ...config.execution, orderType: "MKT" } } };
}

function notesOf(
  { config }: LoadedConfig,
  intraday: "close" | "path",
  withoutTrades: readonly string[],
): readonly string[] {
  return [
    ...(config.costs.slippageBps > 0
      ? ["slippage is 0 for both: fills are what the simulated broker gives"]
      : []),
    ...(config.execution.orderType === "LMT"
      ? [
          intraday === "close"
            ? "limit orders are replayed as market orders: at the close both are filled at the close"
            : "the account engine knows no limit orders: what they miss or save is part of the execution",
        ]
      : []),
    ...(config.ibkr.marketMode === "live" ? [] : ["quotes are live, whatever ibkr.market_mode says"]),
    ...(withoutTrades.length > 0
      ? [`adjusted prices stand in for real ones, with dividends in them: ${withoutTrades.join(", ")}`]
      : []),
  ];
}

/** What the simulated exchange has: the bars of the panel, and the prices that the account engine takes for real. */
async function symbolsOf(
  dataFolder: string,
  panel: Panel,
  withoutTrades: ReadonlySet<string>,
): Promise<readonly SimulatedSymbol[]> {
  const { barsBetween, loadSeries, openBarCache } = await import("@pf/bars");
  const cache = openBarCache(dataFolder);
  const { series } = await loadSeries(cache, panel.tickers);
  const [from, to] = [panel.sessions[0]!, panel.sessions.at(-1)!];
  const symbols: SimulatedSymbol[] = [];
  for (const whole of series) {
    const adjusted = barsBetween(whole, from, to);
    if (adjusted.sessions.length === 0) continue;
    const traded = withoutTrades.has(whole.ticker) ? undefined : await cache.read(whole.ticker, "trades");
    symbols.push(traded ? { adjusted, trades: onSessions(traded.series, adjusted.sessions) } : { adjusted });
  }
  return symbols;
}

function onSessions(series: BarSeries, sessions: readonly SessionDate[]): BarSeries {
  const at = new Map(series.sessions.map((session, row) => [session, row]));
  const rows = sessions.map((session) => at.get(session)!);
  const column = (values: Float64Array) => Float64Array.from(rows, (row) => values[row]!);
  const { ticker, open, high, low, close, volume } = series;
  return {
    ticker,
    sessions,
    open: column(open),
    high: column(high),
    low: column(low),
    close: column(close),
    volume: column(volume),
  };
}

const monthsByDefault = 12;

/** The sessions to trade; the first of a panel has no bar before it and cannot be one. */
function sessionsOf(
  { sessions }: Panel,
  asked: SessionDate | undefined,
): { readonly first: number; readonly sessions: readonly SessionDate[] } {
  const last = sessions.at(-1)!;
  const from = asked ?? addMonths(last, -monthsByDefault);
  const first = sessions.findIndex((session, row) => row > 0 && session >= from);
  if (first < 0) throw new NoSessionsError(`from ${from} on with one before it`, sessions[0]!, last);
  return { first, sessions: sessions.slice(first) };
}

async function tradeAll(
  sessions: readonly SessionDate[],
  symbols: readonly SimulatedSymbol[],
  loaded: LoadedConfig,
  setting: ReplaySetting & { readonly intraday: "close" | "path" },
): Promise<readonly LiveRecord[]> {
  const { clock, checkpoint, onProgress } = setting;
  const world = await LiveWorld.open(symbols, sessions[0]!, loaded, setting);
  const records: LiveRecord[] = [];
  const began = clock.nowUtcMs();
  try {
    for (const session of sessions) {
      const done = records.length;
      const left =
        done === 0
          ? ""
          : `, ${timeText(((clock.nowUtcMs() - began) / done) * (sessions.length - done))} left`;
      onProgress({ step: `trading ${session}${left}`, at: done + 1, total: sessions.length });
      records.push(await world.trade(session));
      await checkpoint();
    }
  } finally {
    await world.close();
  }
  return records;
}

function timeText(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  return seconds < 100 ? `${seconds} s` : `${Math.round(seconds / 60)} min`;
}

/** The targets that the live path had on each row; where it decided nothing, those before stay. */
function targetsOf(panel: Panel, live: readonly LiveRecord[]): TargetSeries {
  const decided = new Map(
    live.flatMap(({ asOf, weights }) => (asOf && weights ? [[asOf, weights] as const] : [])),
  );
  let last = {};
  return targetSeries(panel, (row) => {
    last = decided.get(panel.sessions[row]!) ?? last;
    return last;
  });
}

function told(
  live: readonly LiveRecord[],
  reference: readonly SessionRecord[],
): Pick<ReplayDocument, "sessions" | "fills" | "equity"> {
  return {
    sessions: live.map((one, at) => ({
      session: one.session,
      outcome: one.outcome,
      detail: one.detail,
      asOf: one.asOf,
      fills: one.fills.length,
      waiting: one.waiting,
      blocked: one.blocked,
      settledCash: one.settled / 100,
      differs: differences(one, reference[at]!),
    })),
    fills: live.flatMap(({ fills }) => fills),
    equity: live.map(({ session, equity }, at) => ({
      session,
      replay: equity / 100,
      account: reference[at]!.equity / 100,
    })),
  };
}

function difference(
  live: readonly LiveRecord[],
  reference: readonly SessionRecord[],
): Omit<ReplayDocument["difference"], "parts" | "otherDecisions"> {
  const differing = live.map((one, at) => differences(one, reference[at]!));
  const otherOrders = differing.filter((aspects) => aspects.includes("orders")).length;
  const first = differing.findIndex((aspects) => aspects.length > 0);
  const bps = (at: number) => bpsOf(live[at]!.equity - reference[at]!.equity, reference[at]!.equity);
  const last = live.length - 1;
  return {
    equal: first < 0,
    equalOrders: otherOrders === 0,
    cents: live[last]!.equity - reference[last]!.equity,
    bps: bps(last),
    largestBps: live.reduce((most, _, at) => Math.max(most, Math.abs(bps(at))), 0),
    otherOrders,
    first:
      first < 0
        ? null
        : { differs: differing[first]!, replay: sessionOf(live[first]!), account: reference[first]! },
  };
}

function sessionOf({ session, fills, waiting, blocked, settled, equity }: SessionRecord): SessionRecord {
  return { session, fills, waiting, blocked, settled, equity };
}

/** From the account engine to the live path, one thing after the other. */
function partsOf(engine: number, withTheirTargets: number, live: number): readonly ReplayPart[] {
  const part = (name: ReplayPart["name"], amount: number): ReplayPart => ({
    name,
    dollars: amount / 100,
    bps: bpsOf(amount, engine),
  });
  return [part("decision", withTheirTargets - engine), part("execution", live - withTheirTargets)];
}

function bpsOf(amount: number, of: number): number {
  return (amount / of) * 10_000;
}

/**
 * A halt and bars that nobody decides on are told as in live trading. In the mode that must be equal nothing else can
 * come between the two, so that a difference is a fault of this program.
 */
function errorOf(document: ReplayDocument, live: readonly LiveRecord[]): Error | undefined {
  const halted = live.find((one) => one.halted);
  if (halted) return new ReplayHaltedError(halted.session, halted.detail);
  const failed = live.filter(({ outcome }) => outcome === "failed");
  if (failed[0]) return new ReplayIncompleteError(failed[0].session, failed[0].detail, failed.length);
  const { first } = document.difference;
  if (document.intraday === "path" || !first) return undefined;
  const differing = document.sessions.filter(({ differs }) => differs.length > 0);
  return new ReplayDiffersError(first.replay.session, first.differs, differing.length);
}
