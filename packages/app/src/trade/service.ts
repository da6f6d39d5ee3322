import { type Account, applyEvent, calendarHours, emptyAccount, usSettlement } from "@pf/compliance";
import { costModelOf, type LoadedConfig, lagOf, strategyOptionsOf } from "@pf/config";
import type { IbkrSession } from "@pf/ibkr";
import type { SessionDate, Ticker, TradingCalendar } from "@pf/market";
import { centsOfDollars, oneShare, type Quote } from "@pf/orders";
import { createStrategy, type Extensions } from "@pf/selection";
import { proposeRebalance } from "../account/rebalance.js";
import { tradingRulesOf } from "../account/rules.js";
import { runName } from "../audit.js";
import { type AccountMode, accountOf, type SessionSetting } from "../broker.js";
import { knownDay, lastCompleteSession } from "../dates.js";
import { NoSessionsError, RequestError, StateWriteError } from "../errors.js";
import { describeFailure, type ErrorFields, errorFields } from "../failures.js";
import {
  hasJournal,
  type Journal,
  type JournalIdentity,
  journalPath,
  lockAccount,
  openJournal,
} from "../journal/journal.js";
import { decidingConfig, hashOf } from "../manifest.js";
import { loadMarket } from "../market-data.js";
import type { Clock, ProgressListener } from "../ports.js";
import { appendAudit } from "./audit.js";
import { dryBook, openBook } from "./book.js";
import { decideLast } from "./decide.js";
import { fillDocuments, orderDocuments, planDocument, type TradeDocument } from "./documents.js";
import { BlockedError, HaltedError, LiveLockedError, liveNeedsOwnClock } from "./errors.js";
import { askMarket, gatherBars, lastBarsOf } from "./market.js";
import {
  type RebalanceReport,
  type RebalanceSetting,
  type ReconcileReport,
  rebalance,
  reconcileBook,
} from "./run.js";
import { foldTrade, type TradeEvent, type TradeState, untouched } from "./state.js";
import { journalOf } from "./status.js";

export interface TradeRequest {
  /** Which account; a dry run without one asks no broker. */
  readonly mode?: AccountMode;
  /** Show what would be sent, and send nothing. */
  readonly dryRun?: boolean;
  /** Dry runs only: decide as of this day's session, on the cache alone. */
  readonly asOf?: string;
  /** Live only: the account id, typed. */
  readonly confirm?: string;
  /** Whose clock counts. Default: the machine's. `broker` is for simulators. */
  readonly clock?: "system" | "broker";
}

export interface TradeOutcome {
  readonly document: TradeDocument;
  /** Why nothing, or not everything, was sent. */
  readonly error?: ErrorFields;
}

export interface TradeSetting extends SessionSetting {
  readonly dataFolder: string;
  readonly outFolder: string;
  readonly stateFolder: string;
  readonly version: string;
  readonly calendar: TradingCalendar;
  readonly clock: Clock;
  readonly extensions: Extensions;
  readonly onProgress: ProgressListener;
  /** Told the name of every step before it is taken. */
  readonly onStep?: (step: string) => void;
}

/**
 * Brings an account to the strategy's targets, once a session, in the minutes before the close; or shows what it would
 * do.
 *
 * @throws what keeps anything from being known or done: usage, no connection, no bars, a locked or damaged journal
 */
export async function tradeAccount(
  request: TradeRequest,
  loaded: LoadedConfig,
  setting: TradeSetting,
): Promise<TradeOutcome> {
  const { mode, dryRun = false } = request;
  if (request.asOf !== undefined && !dryRun) {
    throw new RequestError(
      "--asof decides on the past, and orders go out today",
      "add --dry-run, or leave --asof out",
    );
  }
  if (!mode && !dryRun) {
    throw new RequestError("nobody said which account to trade", "choose --dry-run, --paper or --live");
  }
  if (!mode || request.asOf !== undefined) return dryRunOnCache(request, loaded, setting);
  if (mode === "live") requireUnlocked(request, loaded, dryRun);
  return withBroker(mode, request, loaded, setting);
}

/** Three locks: the configuration, the account's id in it, and the same id typed. */
export function requireUnlocked(
  { confirm, clock }: TradeRequest,
  { config }: LoadedConfig,
  dryRun: boolean,
): void {
  if (clock === "broker") throw liveNeedsOwnClock();
  const account = accountOf(config, "live");
  if (dryRun) return;
  if (!config.execution.live) {
    throw new LiveLockedError(
      "execution.live",
      "execution.live is false",
      "set execution.live: true in config/config.local.yaml when paper trading has convinced you",
    );
  }
  if (confirm !== account) {
    throw new LiveLockedError(
      "--confirm",
      confirm === undefined ? "the account was not confirmed" : `${confirm} is not the configured account`,
      `type --confirm ${account}`,
    );
  }
}

async function withBroker(
  mode: AccountMode,
  { dryRun = false, clock = "system" }: TradeRequest,
  loaded: LoadedConfig,
  setting: TradeSetting,
): Promise<TradeOutcome> {
  const purpose = dryRun ? "dry run" : "trade";
  return atBroker({ mode, purpose, clock }, loaded, setting, async ({ identity, rebalancing }) => {
    const { run, clock: own } = rebalancing;
    const report = await rebalance(rebalancing);
    const { account, venue } = identity;
    const where = { mode: dryRun ? "dry-run" : mode, account, venue } as const;
    if (dryRun || !report.isNews) return outcomeOf(report, { ...where, log: null });
    setting.onStep?.("audit");
    return withAudit(report, where, setting.outFolder, identity, {
      run,
      time: new Date(own.nowUtcMs()).toISOString(),
    });
  });
}

export interface ReconcileRequest {
  /** Default: paper. */
  readonly mode?: AccountMode;
  /** Whose clock counts. Default: the machine's. `broker` is for simulators, and refused for live. */
  readonly clock?: "system" | "broker";
}

/** What was found out about an account without trading it. */
export interface ReconcileDocument {
  readonly mode: AccountMode;
  readonly account: string;
  readonly venue: string;
  /** The session whose rebalance was ended by this; where there was none to end, the last one that has begun. */
  readonly session: SessionDate;
  /**
   * `reconciled`, `halted_before` where trading is halted already, or how a rebalance ended that was open: `filled`,
   * `partial`, `abandoned`, `halted`.
   */
  readonly outcome: string;
  readonly detail: string;
  /** Whether the book is what the broker has, and nothing that was sent is in doubt. */
  readonly agrees: boolean;
  /** In what they differed, in words; most of it is booked by now, and the words say so. */
  readonly differences: readonly string[];
  /** Why a rebalance could buy nothing as things stand; `null` when it could. */
  readonly buysStopped: string | null;
  /** Orders of the session, and what was filled of them. */
  readonly orders: TradeDocument["orders"];
  readonly fills: TradeDocument["fills"];
  readonly notices: readonly string[];
  readonly halted: TradeDocument["halted"];
  /** The audit log, relative to the output folder; `null` where there was no news for it. */
  readonly log: string | null;
  /** What somebody should know of: trading is halted, orders were not filled, a session was missed, the log cannot be written. */
  readonly error: ErrorFields | null;
}

/**
 * Finds out how an account stands without trading it: learns what became of everything that was sent, with fills and
 * commissions that came late, ends a rebalance that a process left open, compares the book with the broker and books what
 * a rebalance would book before it plans. Never sends an order; one that never reached the broker is given up, so that
 * within the minutes of trading `tradeAccount` is what goes on with a session. Writes down news only.
 *
 * @throws what keeps anything from being known: no connection, a locked or damaged journal; LiveLockedError when the
 *   broker's clock is asked for with the live account
 */
export async function reconcileAccount(
  { mode = "paper", clock = "system" }: ReconcileRequest,
  loaded: LoadedConfig,
  setting: TradeSetting,
): Promise<ReconcileDocument> {
  if (clock === "broker" && mode === "live") throw liveNeedsOwnClock();
  return atBroker(
    { mode, purpose: "reconcile", clock },
    loaded,
    setting,
    async ({ identity, rebalancing }) => {
      const { run, clock: own } = rebalancing;
      const report = await reconcileBook(rebalancing);
      const { account, venue } = identity;
      const found = { mode, account, venue };
      if (!report.isNews) return reconcileDocument(report, { ...found, log: null });
      setting.onStep?.("audit");
      const time = new Date(own.nowUtcMs()).toISOString();
      const error = errorOf(report);
      const fields = error ? errorFields(describeFailure(error)) : null;
      try {
        const log = await appendAudit(setting.outFolder, identity, { run, time, report, error: fields });
        return reconcileDocument(report, { ...found, log });
      } catch (cause) {
        if (!(cause instanceof StateWriteError)) throw cause;
        const document = reconcileDocument(report, { ...found, log: null });
        return { ...document, error: document.error ?? errorFields(describeFailure(cause)) };
      }
    },
  );
}

function reconcileDocument(
  report: ReconcileReport,
  where: Pick<ReconcileDocument, "mode" | "account" | "venue" | "log">,
): ReconcileDocument {
  const { session, outcome, detail, agrees, differences, buysStopped, notices, halt } = report;
  const error = errorOf(report);
  return {
    ...where,
    session,
    outcome,
    detail,
    agrees,
    differences,
    buysStopped,
    orders: orderDocuments(report.orders),
    fills: fillDocuments(report.fills),
    notices,
    halted: halt,
    error: error ? errorFields(describeFailure(error)) : null,
  };
}

/** An account, open for whoever works with it. */
interface AtBroker {
  readonly identity: JournalIdentity;
  readonly rebalancing: RebalanceSetting;
}

/** Locks the account, connects and opens its journal, and closes it all again after the work. */
async function atBroker<T>(
  {
    mode,
    purpose,
    clock: whose,
  }: {
    readonly mode: AccountMode;
    /** A dry run locks and writes nothing; who reconciles begins no journal. */
    readonly purpose: "trade" | "dry run" | "reconcile";
    readonly clock: "system" | "broker";
  },
  loaded: LoadedConfig,
  setting: TradeSetting,
  work: (at: AtBroker) => Promise<T>,
): Promise<T> {
  const { config } = loaded;
  const { clock, calendar, onProgress, signal } = setting;
  const account = accountOf(config, mode);
  const isDry = purpose === "dry run";
  const unlock = isDry ? () => {} : lockAccount(setting.stateFolder, { mode, account });
  let session: IbkrSession | undefined;
  let journal: Journal<TradeEvent> | undefined;
  try {
    session = await connected(mode, account, config, setting);
    const { provenanceOf } = await import("@pf/ibkr");
    const venue = provenanceOf(session.greeting);
    const identity: JournalIdentity = { mode, account, venue };
    const own: Clock = whose === "broker" ? session.clock : clock;
    if (purpose === "trade") requireNotAskedToHalt(identity, loaded, setting);
    const rules = rulesOf(loaded, setting);
    const usesJournal = purpose === "trade" || hasJournal(setting.stateFolder, identity);
    if (usesJournal) journal = openJournal<TradeEvent>(setting.stateFolder, identity, own);
    const book =
      journal && !isDry
        ? openBook(journal, rules.calendar)
        : dryBook(foldTrade(journal?.entries() ?? [], rules.calendar), rules.calendar);
    if (purpose === "trade") journal?.backup(book.state.lastDone?.session ?? "first");
    const to = session;
    const rebalancing: RebalanceSetting = {
      ...rules,
      session: to,
      book,
      clock: own,
      run: runName(purpose === "reconcile" ? "reconcile" : "trade", own),
      gatherBars: (today) =>
        gatherBars(to, today, loaded, {
          dataFolder: setting.dataFolder,
          calendar,
          onProgress,
          ...(signal ? { signal } : {}),
        }),
      askMarket: (symbols, today) => askMarket(to, symbols, today, signal),
      pause: (ms) => pauseOf(setting, ms, signal),
      onProgress,
      ...(signal ? { signal } : {}),
      ...(setting.onStep ? { onStep: setting.onStep } : {}),
    };
    return await work({ identity, rebalancing });
  } finally {
    journal?.close();
    await session?.close();
    unlock();
  }
}

/**
 * Who halts an account does not say whether the broker's or a simulator's is meant, and it is written where `pf status`
 * looks. Before the first rebalance that can be another journal than the one about to be traded: what `pf status` shows as
 * halted is traded nowhere.
 */
function requireNotAskedToHalt(
  { mode, account, venue }: JournalIdentity,
  { config }: LoadedConfig,
  { stateFolder, clock }: TradeSetting,
): void {
  const { identity } = journalOf(mode, config, stateFolder);
  const own = journalPath("", { mode, account, venue });
  if (journalPath("", identity) === own || !hasJournal(stateFolder, identity)) return;
  const { halt } = stateIn(stateFolder, identity, clock);
  if (halt?.code === "asked") throw new HaltedError(halt.code, halt.reason);
}

async function connected(
  mode: AccountMode,
  account: string,
  { ibkr }: LoadedConfig["config"],
  { onProgress, signal, broker }: TradeSetting,
): Promise<IbkrSession> {
  const { host, port, clientId, marketMode } = ibkr;
  onProgress({ step: `connecting to TWS at ${host}:${port}` });
  const { connectIbkr } = await import("@pf/ibkr");
  return connectIbkr({
    host,
    port,
    clientId,
    account,
    mode,
    marketData: marketMode,
    ...(signal ? { signal } : {}),
    ...broker,
  });
}

/** What was done is told in any case, also where it cannot be put into the audit log. */
async function withAudit(
  report: RebalanceReport,
  where: Omit<Parameters<typeof outcomeOf>[1], "log">,
  outFolder: string,
  identity: JournalIdentity,
  about: { readonly run: string; readonly time: string },
): Promise<TradeOutcome> {
  const outcome = outcomeOf(report, { ...where, log: null });
  try {
    const log = await appendAudit(outFolder, identity, { ...about, report, error: outcome.error ?? null });
    return { ...outcome, document: { ...outcome.document, log } };
  } catch (error) {
    if (!(error instanceof StateWriteError)) throw error;
    return outcome.error ? outcome : { ...outcome, error: errorFields(describeFailure(error)) };
  }
}

function pauseOf({ broker }: TradeSetting, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => reject(signal?.reason);
    if (signal?.aborted) return stop();
    signal?.addEventListener("abort", stop, { once: true });
    const done = () => {
      signal?.removeEventListener("abort", stop);
      resolve();
    };
    if (broker?.timers) broker.timers.after(ms, done);
    else setTimeout(done, ms);
  });
}

function rulesOf(
  loaded: LoadedConfig,
  { calendar, version, extensions }: TradeSetting,
): Pick<
  RebalanceSetting,
  "config" | "configHash" | "strategy" | "costs" | "lag" | "orders" | "compliance" | "calendar" | "version"
> {
  const { config } = loaded;
  return {
    ...tradingRulesOf(loaded, calendar),
    config,
    configHash: hashOf(decidingConfig(loaded, true)),
    strategy: createStrategy(strategyOptionsOf(config), extensions),
    costs: costModelOf(config),
    lag: lagOf(config),
    version,
  };
}

/** What would be planned as of a session, on the cache alone: nobody is asked, nothing is written. */
async function dryRunOnCache(
  request: TradeRequest,
  loaded: LoadedConfig,
  setting: TradeSetting,
): Promise<TradeOutcome> {
  const { config } = loaded;
  const { calendar, clock, dataFolder, stateFolder, onProgress } = setting;
  const rules = rulesOf(loaded, setting);
  const mode: AccountMode = request.mode ?? "paper";
  onProgress({ step: "reading bars" });
  const session =
    request.asOf === undefined ? undefined : calendar.onOrBefore(knownDay(request.asOf, calendar));
  const market = await loadMarket(dataFolder, config.universe, session === undefined ? {} : { end: session });
  const { panel } = market;
  const asOf = panel.sessions.at(-1)!;
  if (session !== undefined && asOf !== session)
    throw new NoSessionsError(`of ${session}`, panel.sessions[0]!, asOf);
  // With the unfinished bar a decision is traded in its own session, with the last complete one in the next.
  const trades = rules.lag === 1 ? asOf : calendar.next(asOf);
  const identity: JournalIdentity = { mode, account: accountOf(config, mode), venue: "ibkr" };
  const known = request.asOf === undefined && hasJournal(stateFolder, identity);
  const journalled = known ? stateIn(stateFolder, identity, clock) : untouched;
  // A decision of this session or a later one is none to go on from.
  const taken = journalled.lastDecision;
  const before = taken && taken.asOf < asOf ? taken : null;
  const { decision } = decideLast(panel, rules.strategy, before, rules.costs, rules.lag);
  const account = known ? standingAt(journalled.account, trades) : freshAccount(config, trades);
  const { quotes, lastBars } = await pricesAsOf(dataFolder, config.universe, asOf, calendar.previous(trades));
  const { plan, verdict } = proposeRebalance({
    targets: decision,
    account,
    situation: {
      account: identity.account,
      baseCurrency: "USD",
      session: trades,
      attempt: 1,
      universe: config.universe,
      // As if the window of that session were open.
      nowUtcMs: calendar.closeUtcMs(trades) - rules.compliance.window.opensBeforeCloseMs,
      quotes,
      lastBars,
      liquidHours: calendarHours(config.universe, trades, rules.calendar),
      knownReferences: [],
      isResumed: false,
      reconciliation: null,
    },
    orders: { ...rules.orders, quantityStep: oneShare },
    compliance: rules.compliance,
    calendar: rules.calendar,
  });
  const behind = session === undefined && lastCompleteSession(calendar, clock) > asOf;
  const whose = known
    ? "with what the journal holds, without asking the broker"
    : `as if ${config.backtest.initialCash} dollars were all there is`;
  const report: RebalanceReport = {
    session: trades,
    outcome: "dry_run",
    detail: `${verdict.ok ? "every check passed" : "it would be blocked"}, ${whose}`,
    decision,
    plan,
    verdict,
    orders: [],
    fills: [],
    notices:
      (account.session ?? trades) > trades
        ? [`the journal stands at ${account.session}, and the cache ends on ${asOf}; run \`pf fetch\``]
        : behind
          ? [`the cache ends on ${asOf}; run \`pf fetch\` for what is newer`]
          : [],
    halt: null,
    state: untouched,
    fingerprint: null,
    problem: null,
    isNews: false,
  };
  return outcomeOf(report, { mode: "dry-run", account: identity.account, venue: null, log: null });
}

function freshAccount({ backtest }: LoadedConfig["config"], session: SessionDate): Account {
  return applyEvent(
    emptyAccount,
    { kind: "cash", session, amount: centsOfDollars(backtest.initialCash), reason: "deposit" },
    usSettlement,
  );
}

function stateIn(folder: string, identity: JournalIdentity, clock: Clock): TradeState {
  const journal = openJournal<TradeEvent>(folder, identity, clock);
  try {
    return foldTrade(journal.entries(), usSettlement);
  } finally {
    journal.close();
  }
}

/** An account on a session, or where it stands already. */
function standingAt(account: Account, session: SessionDate): Account {
  const day = account.session !== null && account.session > session ? account.session : session;
  return applyEvent(account, { kind: "day", session: day }, usSettlement);
}

/** Prices as traded where the cache has them, as of one session, and of the one before it. */
async function pricesAsOf(
  dataFolder: string,
  universe: readonly Ticker[],
  asOf: SessionDate,
  before: SessionDate,
) {
  const quotes: Record<Ticker, Quote> = {};
  for (const [ticker, { session, close: price }] of Object.entries(
    await lastBarsOf(dataFolder, universe, asOf),
  )) {
    if (session === asOf)
      quotes[ticker] = { price, bid: null, ask: null, tick: 0.01, feed: "bar", atUtcMs: null };
  }
  return { quotes, lastBars: await lastBarsOf(dataFolder, universe, before) };
}

function outcomeOf(
  report: RebalanceReport,
  where: Pick<TradeDocument, "mode" | "account" | "venue" | "log">,
): TradeOutcome {
  const { session, outcome, detail, decision, plan, verdict, notices, halt, state } = report;
  // Who goes on with a session does not decide anew.
  const taken = state.lastDecision?.session === session ? state.lastDecision : null;
  const document: TradeDocument = {
    ...where,
    session,
    asOf: decision?.asOf ?? plan?.asOf ?? taken?.asOf ?? null,
    outcome,
    detail,
    weights: decision?.weights ?? taken?.weights ?? null,
    overlays: decision?.overlays ?? taken?.overlays ?? [],
    plan: plan && planDocument(plan),
    verdict: verdict && { ok: verdict.ok, checks: verdict.checks },
    orders: orderDocuments(report.orders),
    fills: fillDocuments(report.fills),
    notices,
    halted: halt,
  };
  const error = where.mode === "dry-run" ? undefined : errorOf(report);
  return { document, ...(error ? { error: errorFields(describeFailure(error)) } : {}) };
}

function errorOf({ outcome, detail, halt, verdict, problem }: RebalanceReport): Error | undefined {
  if (problem) return problem;
  switch (outcome) {
    case "halted":
    case "halted_before":
      return new HaltedError(halt?.code ?? "unknown_outcome", halt?.reason ?? detail);
    case "not_now":
      return new BlockedError(
        ["time_window"],
        detail,
        "run it in the minutes before the close, or let the worker do it",
      );
    case "done_before":
      return new BlockedError(["one_rebalance"], detail, "wait for the next session");
    case "abandoned":
      return new BlockedError(["time_window"], detail, "wait for the next session");
    case "blocked": {
      const breaches = verdict?.checks.filter(({ passed }) => !passed).map(({ name }) => name) ?? [];
      return new BlockedError(
        breaches,
        `the plan was not sent: ${detail}`,
        breaches.includes("reconciled")
          ? "compare with TWS; if the broker is right, run `pf halt` and then `pf resume`: the next rebalance books it"
          : "see the checks; the next session plans anew",
      );
    }
    default:
      return undefined;
  }
}
