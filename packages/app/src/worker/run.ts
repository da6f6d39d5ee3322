import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { LoadedConfig } from "@pf/config";
import { complianceRulesOf } from "@pf/config";
import type { Timers } from "@pf/ibkr";
import {
  amendCalendar,
  newYorkDateOf,
  newYorkTimeOf,
  type SessionDate,
  type TradingCalendar,
  xnys,
} from "@pf/market";
import { type AccountMode, accountOf } from "../broker.js";
import { readConfiguration, requireDailyBars } from "../configuration.js";
import type { ServiceContext } from "../context.js";
import { InterruptedError } from "../errors.js";
import { describeFailure, type Failure } from "../failures.js";
import { lockAccount } from "../journal/journal.js";
import { createServices, type Services } from "../services.js";
import { liveNeedsOwnClock } from "../trade/errors.js";
import { requireUnlocked, type TradeOutcome } from "../trade/service.js";
import { StuckStepError, WorkerFailedError } from "./errors.js";
import {
  type Life,
  type LogEntry,
  type OpenTrouble,
  type SessionResult,
  type WorkerEvent,
  WorkerLog,
  workerFolder,
} from "./log.js";
import { Outbox, type Teller, type Undelivered } from "./outbox.js";
import { learnHours, lookAtEverything, type Preflight } from "./preflight.js";
import { type DuePhase, phaseAfter, type SessionTimes, sessionAfter, sessionTimes } from "./schedule.js";
import { withLimit } from "./step.js";

export interface TradeWorkerSetting {
  readonly mode: AccountMode;
  /** Live only: the account's id, typed. */
  readonly confirm?: string;
  /** Whose clock tells the time to trade: `broker` is a simulator's, and {@link timers} show it too. */
  readonly whose?: "system" | "broker";
  /** What services are made of; their clock, calendar and signal are the worker's. */
  readonly context: Omit<ServiceContext, "clock" | "signal" | "onProgress">;
  /** The worker's clock, and how it waits. */
  readonly timers: Timers;
  readonly teller: Teller;
  /** Ends the worker at the next safe point. */
  readonly signal: AbortSignal;
  /** Told after everything that {@link TradeWorker.snapshot} shows has changed. */
  readonly onChange?: () => void;
  readonly onEvent?: (event: WorkerEvent) => void;
  /** Told how long a step took, by the machine's clock. */
  readonly onStepTook?: (step: StepName, ms: number) => void;
  /** How long it sleeps at most before it looks at the clock again, in milliseconds. */
  readonly longestSleepMs?: number;
}

type StepName = "preflight" | "rebalance" | "reconciliation";

/** What the worker is doing right now. */
export interface Activity {
  /** `waiting` for the next phase, `working` on a step, `stopping` on request. */
  readonly kind: "waiting" | "working" | "stopping";
  readonly detail: string;
  readonly sinceUtcMs: number;
}

export interface WorkerSnapshot {
  readonly activity: Activity;
  /** The session whose orders go out next; `null` beyond the calendar. */
  readonly next: SessionTimes | null;
  readonly preflight: Preflight | null;
  /** Newest first. */
  readonly log: readonly LogEntry[];
  readonly undelivered: Undelivered;
  /** Whether trouble is known that has not ended. */
  readonly isTroubled: boolean;
}

export interface TradeWorker {
  readonly account: string;
  /** Where whoever ends this process because it hangs leaves a word of it, for the worker that comes next. */
  readonly hangFile: string;
  snapshot(): WorkerSnapshot;
  /** Told what keeps people from its page, and `null` once they can see it; for a worker that runs. */
  pageIs(trouble: Failure | null): void;
  /**
   * Trades session after session until the signal asks it to stop.
   *
   * @throws StuckStepError, WorkerFailedError when only a new process can go on; whatever keeps the worker's log from
   *   being written
   */
  run(): Promise<void>;
}

const secondMs = 1_000;
const minuteMs = 60_000;
/** Long enough for a slow broker, short enough that the next phase still comes. */
const preflightLimitMs = 8 * minuteMs;
const shortestPreflightMs = 30 * secondMs;
/** Between a pre-flight that was stopped and the rebalance. */
const settleMs = 30 * secondMs;
const reconcileLimitMs = 10 * minuteMs;
/** After the close, in which the broker may still be silent about the day's last executions. */
const tradeGraceMs = 2 * minuteMs;
const tryAgainMs = 15 * secondMs;
const askAgainMs = 2 * minuteMs;
const mostQuestions = 15;
const heartbeatMs = 15 * minuteMs;
/** So many phases in a row that failed unexpectedly are the program's own fault. */
const mostFaults = 5;
const faultPauseMs = minuteMs;
/** The same trouble is told again after this long. */
const tellAgainMs = 24 * 3_600_000;

const unfinished = "it was begun, and not brought to its end";
const inDoubt = "book and broker agree as far as it is known";

/** How a session ends by what `pf trade` says of it; others are no end. */
const ends: Readonly<Record<string, SessionResult>> = {
  unchanged: "traded",
  filled: "traded",
  partial: "traded",
  done_before: "traded",
  blocked: "skipped",
  abandoned: "skipped",
  halted: "halted",
  halted_before: "halted",
};

/**
 * A worker that rebalances one account once a session, in the minutes before the close. It holds no connection while it
 * waits, so that the broker's nightly resets and restarts are nothing to it; it looks at everything that a session will
 * need before it comes, tells a person what does not work while there is time to mend it, and skips a session with a
 * reason rather than trade it late or on doubt.
 *
 * @throws RequestError, LiveLockedError, ConfigError when it cannot trade as asked, before anything is begun
 */
export async function createTradeWorker(setting: TradeWorkerSetting): Promise<TradeWorker> {
  const loaded = await readConfiguration(setting.context.configuration, setting.context.extensions);
  const { mode, whose = "system", confirm } = setting;
  requireTradable(loaded);
  if (mode === "live") {
    if (whose === "broker") throw liveNeedsOwnClock();
    requireUnlocked(confirm === undefined ? {} : { confirm }, loaded, false);
  }
  return new Worker(setting, loaded, accountOf(loaded.config, mode));
}

/** @throws HourlyBarsError before anybody is asked anything, where the configuration can never trade */
export function requireTradable(loaded: Pick<LoadedConfig, "config">): void {
  requireDailyBars(loaded, "the worker trades once a session, by daily bars");
}

class Worker implements TradeWorker {
  private readonly log: WorkerLog;
  private readonly told: Map<string, OpenTrouble>;
  private readonly outbox: Outbox;
  readonly hangFile: string;
  private activity: Activity;
  private calendar: TradingCalendar;
  private readonly base: TradingCalendar;
  private lastPingUtcMs = Number.NEGATIVE_INFINITY;
  /** Why sessions were not traded, for when that can be told. */
  private readonly reasons = new Map<SessionDate, string>();
  /** Phases up to here are done with. */
  private cursorUtcMs = 0;

  constructor(
    private readonly setting: TradeWorkerSetting,
    private loaded: LoadedConfig,
    readonly account: string,
  ) {
    const { timers, mode, whose, context } = setting;
    // A simulator's time is its own, and so is what was done in it.
    const venue = whose === "broker" ? "simulated" : "ibkr";
    this.base = context.calendar ?? xnys;
    this.log = WorkerLog.open(context.folders.state, { mode, account, venue }, timers);
    this.outbox = new Outbox(this.log, setting.teller, () => this.setting.onChange?.());
    this.hangFile = join(workerFolder(context.folders.state), `${mode}-${account}.hung`);
    this.calendar = amendCalendar(this.base, this.log.state.amendments);
    this.activity = { kind: "working", detail: "starting", sinceUtcMs: timers.nowUtcMs() };
    this.told = new Map(this.log.state.open);
  }

  snapshot(): WorkerSnapshot {
    const { entries, preflight } = this.log.state;
    return {
      activity: this.activity,
      next: this.nextSession() ?? null,
      preflight,
      log: entries,
      undelivered: this.outbox.undelivered,
      isTroubled: this.isTroubled,
    };
  }

  pageIs(trouble: Failure | null): void {
    if (trouble === null) this.over("page", null, "The page can be seen again", "");
    else
      this.tell({
        key: "page",
        level: "warning",
        session: null,
        title: "The page cannot be shown",
        detail: `${trouble.message}; trading goes on without it`,
        next: `${trouble.next}; it is tried again all the time`,
      });
  }

  async run(): Promise<void> {
    const { signal, context } = this.setting;
    let reason = "asked to stop";
    // Two workers of one account would both do well, and tell everything twice.
    const unlock = this.lock();
    try {
      const { isNew, lastUtcMs, life } = this.log.state;
      this.note({ kind: "started", version: context.version });
      this.cursorUtcMs = this.now;
      void this.outbox.tryAgain();
      this.tellOfEnd(life, lastUtcMs);
      await this.surviving(() => this.takeUp(isNew ? this.now : lastUtcMs));
      for (let faults = 0; !signal.aborted; ) {
        const due = phaseAfter(this.cursorUtcMs, this.calendar, this.window);
        if (!due) {
          this.tell({
            key: "calendar",
            level: "alarm",
            session: null,
            title: "The calendar ends",
            detail: "this version knows no later sessions, and the worker ends",
            next: "install a newer version",
          });
          reason = "the calendar ends";
          return;
        }
        await this.sleepUntil(due.atUtcMs, wordsOf(due));
        if (signal.aborted) break;
        this.cursorUtcMs = due.atUtcMs;
        const fault = await this.surviving(() => this.perform(due));
        faults = fault ? faults + 1 : 0;
        if (fault && faults >= mostFaults) throw new WorkerFailedError(faults, fault);
      }
    } catch (error) {
      reason = `${(error as Error).message}`;
      if (!(signal.aborted && isInterruption(error))) throw error;
      reason = "asked to stop";
    } finally {
      // Whatever fails on the way out, the next worker must find the account free.
      try {
        this.act("stopping", reason);
        this.note({ kind: "stopped", reason });
      } finally {
        await this.outbox.close(this.setting.timers);
        this.log.close();
        unlock();
      }
    }
  }

  private lock(): () => void {
    const { mode, context } = this.setting;
    try {
      return lockAccount(workerFolder(context.folders.state), { mode, account: this.account });
    } catch (error) {
      this.log.close();
      throw error;
    }
  }

  private get now(): number {
    return this.setting.timers.nowUtcMs();
  }

  private get window() {
    return complianceRulesOf(this.loaded.config).window;
  }

  private get isTroubled(): boolean {
    return this.outbox.isAlarmLate || [...this.told.values()].some(({ level }) => level === "alarm");
  }

  /** How the process before this one ended, where that was not in order. */
  private tellOfEnd(life: Life | null, lastUtcMs: number): void {
    const isHang = existsSync(this.hangFile);
    if (!life && !isHang) return;
    const { step = null } = life ?? {};
    const detail = [
      step ? `${step.name} was under way, since ${momentOf(step.atUtcMs)}` : "no step was under way",
      life ? `it had been started at ${momentOf(life.startedUtcMs)}` : "it was about to end",
      `it wrote something last at ${momentOf(lastUtcMs)}, New York time`,
    ].join("; ");
    const session = step?.session ?? null;
    // A process that is killed again and again is told of once, and of another session's step anew.
    const always = this.told.get("life")?.session !== session;
    const common = { key: "life", session, always } as const;
    const goesOn = "what it had begun is asked about at the broker before anything else; see `pf status`";
    if (isHang)
      this.tell({
        ...common,
        level: "alarm",
        title: "The worker hung, and was ended",
        detail,
        next: `${goesOn}; if it happens again, keep the log and report it`,
      });
    else
      this.tell({
        ...common,
        level: "warning",
        title: "The worker was ended from outside",
        detail,
        next: `${goesOn}; the system's log says whether memory ran out, the power was cut, or somebody killed it`,
      });
    // Only now, so that a process that is killed before it has told it leaves it to the next one.
    rmSync(this.hangFile, { force: true });
  }

  private nextSession(): SessionTimes | undefined {
    let from = this.now;
    for (;;) {
      const times = sessionAfter(from, this.calendar, this.window);
      if (!times || !this.log.state.ended.has(times.session)) return times;
      from = times.closesUtcMs;
    }
  }

  /** What an earlier process left, and what nobody did since it was heard of last. */
  private async takeUp(sinceUtcMs: number): Promise<void> {
    const { state } = await this.services().status({ mode: this.setting.mode });
    const isBegun = state === "open";
    const reason = isBegun
      ? "the worker ended in the middle of it, and did not come back in time"
      : "no worker was running when it was time to trade";
    // What had begun is asked about first, by the trading itself where it is time for that.
    if (!isBegun) await this.settleAll(sinceUtcMs, reason);
    const times = this.nextSession();
    if (times && times.opensUtcMs <= this.now) await this.trade(times);
    else if (isBegun) await this.reconcile(this.timesOf(this.calendar.onOrBefore(newYorkDateOf(this.now))));
    else if (times) await this.preflight(times, "start");
    if (isBegun) await this.settleAll(sinceUtcMs, reason);
  }

  /** Every session that is over since an instant, and any before of which the end could not be told then. */
  private async settleAll(sinceUtcMs: number, reason: string): Promise<void> {
    const { ended } = this.log.state;
    const [firstEnded] = [...ended.keys()].sort();
    const since = newYorkDateOf(sinceUtcMs);
    const first = firstEnded !== undefined && firstEnded < since ? firstEnded : since;
    for (const session of this.calendar.sessionsBetween(first, newYorkDateOf(this.now))) {
      if (ended.has(session)) continue;
      const times = this.timesOf(session);
      const isOver = times.closesUtcMs <= this.now;
      if (isOver && (first === firstEnded || times.closesUtcMs > sinceUtcMs))
        await this.settle(times, reason);
    }
  }

  private timesOf(session: SessionDate): SessionTimes {
    return sessionTimes(this.calendar, session, this.window);
  }

  private async perform({ phase, times }: DuePhase): Promise<void> {
    const { configuration, extensions } = this.setting.context;
    // What cannot be read now is told by the step that needs it, and the times stay as they were.
    this.loaded = await readConfiguration(configuration, extensions).catch(() => this.loaded);
    switch (phase) {
      case "trade":
        return this.trade(times);
      case "afterClose":
        return this.afterClose(times);
      default:
        await this.settleAll(this.now, unfinished);
        await this.preflight(times, phase);
    }
  }

  private async preflight(times: SessionTimes, phase: Preflight["phase"]): Promise<void> {
    const { mode, whose = "system", context, timers } = this.setting;
    const { session } = times;
    const { data, out, state } = context.folders;
    const limit = Math.min(preflightLimitMs, times.opensUtcMs - this.now - settleMs);
    // Too late to prepare for anything: the machine slept, or the worker has just been started.
    if (limit < shortestPreflightMs) return;
    const found = await this.attempt("preflight", session, limit, (services) =>
      lookAtEverything(services, { mode, whose, phase, folders: [data, out, state] }),
    );
    if (found instanceof Fault) {
      const { message, next } = found.failure;
      const checks = [{ name: "pre-flight", ok: false, detail: message, next }];
      this.note({ kind: "preflight", session, phase, ok: false, checks });
    } else {
      const ok = found.checks.every((check) => check.ok);
      this.note({ kind: "preflight", session, phase, ok, checks: found.checks });
      const { connected } = found;
      const symbol = connected?.contracts[0]?.symbol ?? "";
      for (const amendment of learnHours(connected?.hours ?? [], symbol, this.calendar, timers.nowUtcMs())) {
        this.note({ kind: "learned", amendment });
        const { day, closes, reason } = amendment;
        const hours = closes === null ? "is closed" : `closes at ${closes}`;
        this.tell({
          key: `hours ${day}`,
          level: "warning",
          session: day,
          title: `The exchange ${hours} on ${day}`,
          detail: reason,
          next: "compare it with the exchange's announcement; the worker keeps these hours",
        });
      }
      this.calendar = amendCalendar(this.base, this.log.state.amendments);
    }
    const { checks } = this.log.state.preflight!;
    const failed = checks.filter((check) => !check.ok);
    if (failed.length === 0) this.over("preflight", session, "Ready again", `${checks.length} checks passed`);
    else {
      // Somebody who starts a worker at night is at the terminal, and sees it there.
      const level = phase === "start" ? "warning" : "alarm";
      this.tell({
        key: "preflight",
        level,
        session,
        title: `Not ready for ${session}`,
        detail: failed
          .map(({ name, detail, next }) => `${name}: ${detail}${next ? ` (${next})` : ""}`)
          .join("\n"),
        next: `mend it in time: orders go out at ${newYorkTimeOf(times.opensUtcMs)} New York time`,
        always: level === "alarm" && this.told.get("preflight")?.session !== session,
      });
    }
  }

  /** Tries until the window closes: every try goes on where the one before it stopped, and sends nothing twice. */
  private async trade(times: SessionTimes): Promise<void> {
    const { mode, whose = "system", confirm, signal } = this.setting;
    const { session } = times;
    if (!this.calendar.isSession(session) || this.log.state.ended.has(session)) return;
    let last: string | undefined;
    const request = { mode, clock: whose, ...(confirm === undefined ? {} : { confirm }) };
    while (this.now < times.closesUtcMs && !signal.aborted) {
      const limit = times.closeUtcMs - this.now + tradeGraceMs;
      const outcome = await this.attempt("rebalance", session, limit, (services) => services.trade(request));
      if (outcome instanceof Fault) last = outcome.failure.message;
      else {
        if (this.isEnd(times, outcome)) return;
        last = outcome.error?.message ?? outcome.document.detail;
        if (outcome.document.outcome === "not_now" && this.now < times.opensUtcMs + tryAgainMs) {
          // Two clocks of the same broker differ by a moment.
          await this.sleepUntil(this.now + 2 * secondMs, `the window of ${session}`);
          continue;
        }
      }
      if (this.now + tryAgainMs >= times.closesUtcMs) break;
      this.tell({
        key: "trade",
        level: "warning",
        session,
        title: `The rebalance of ${session} is tried again`,
        detail: last,
        next: `it is tried until ${newYorkTimeOf(times.closesUtcMs)} New York time; look at TWS only if no "Traded again" follows`,
      });
      await this.sleepUntil(this.now + tryAgainMs, `the rebalance of ${session} is tried again`);
    }
    if (signal.aborted) return;
    this.reasons.set(session, last ?? tooLate(times, this.now));
    await this.settle(times, unfinished);
  }

  /** Notes what became of a session; false where that is not known yet. */
  private isEnd(times: SessionTimes, { document, error }: TradeOutcome): boolean {
    const { session } = times;
    const { outcome, detail } = document;
    const result = document.session === session ? ends[outcome] : undefined;
    if (!result) return false;
    this.end(session, result, outcome, error ? `${detail} (${error.message})` : detail);
    return true;
  }

  private end(session: SessionDate, result: SessionResult, outcome: string | null, detail: string): void {
    if (this.log.state.ended.has(session)) return;
    this.note({ kind: "ended", session, result, outcome, detail });
    this.reasons.delete(session);
    // Another session's trouble is news, however much it is like the one before; many that were missed are one.
    const isToday = session === newYorkDateOf(this.now);
    if (result === "traded") {
      this.over("trade", session, "Traded again", detail);
      this.over("skipped", session, "Traded again", detail);
      this.over("halted", session, "Trading goes on", detail);
      this.over("life", session, "Traded since it was started again", detail);
      if (outcome === "partial")
        this.tell({
          key: `partial ${session}`,
          level: "warning",
          session,
          title: `${session} was traded in part`,
          detail,
          next: "the next session plans the rest anew; see `pf status` for what was not filled",
        });
    } else if (result === "halted") {
      this.tellOfHalt(session, detail, isToday);
    } else {
      this.tell({
        key: "skipped",
        level: "alarm",
        session,
        title: `${session} was skipped`,
        detail,
        next: "mend what the reason names; the next session trades what is then to be done",
        always: isToday,
      });
    }
  }

  private tellOfHalt(session: SessionDate, detail: string, always = false): void {
    const title = "Trading is halted";
    const next = "look at it, then `pf resume`";
    this.tell({ key: "halted", level: "alarm", session, title, detail, next, always });
  }

  /** What the journal knows of a session whose window is over; what had begun is asked about after the close. */
  private async settle(times: SessionTimes, otherwise: string): Promise<void> {
    const { session } = times;
    const reason = this.reasons.get(session) ?? otherwise;
    const { mode } = this.setting;
    const { lastSession, halted, state } = await this.services().status({ mode });
    const isLong = lastSession !== null && lastSession.session > session;
    const past = isLong ? (await this.services().history({ mode })).sessions : [lastSession];
    const known = past.find((one) => one?.session === session && one.outcome !== "open");
    if (known) {
      // That nothing was sent is known to the journal; why, to who tried.
      const why = known.outcome === "abandoned" ? this.reasons.get(session) : undefined;
      return this.end(session, ends[known.outcome] ?? "skipped", known.outcome, why ?? known.detail);
    }
    if (halted) return this.end(session, "halted", null, halted.reason);
    if (state === "open" && !this.log.state.reconciled.has(session)) {
      this.tell({
        key: "trade",
        level: "warning",
        session,
        title: `Nobody knows yet what became of ${session}`,
        detail: reason,
        next: "leave the account alone: the broker is asked after the close, before anything else is done",
      });
      return;
    }
    this.end(session, "skipped", null, reason);
  }

  private async afterClose(times: SessionTimes): Promise<void> {
    const { session } = times;
    if (!this.calendar.isSession(session)) return;
    // A session that the machine slept through was never traded.
    if (!this.log.state.ended.has(session)) await this.settle(times, tooLate(times, this.now));
    await this.reconcile(times);
    await this.settleAll(times.opensUtcMs, unfinished);
    await this.summarise(times);
  }

  /** Compares the books with the broker, and learns what became of everything that was sent. Nothing is ordered. */
  private async reconcile(times: SessionTimes): Promise<void> {
    const { mode, whose = "system", signal } = this.setting;
    const { session } = times;
    const { used } = await this.services().status({ mode });
    if (!used) return;
    for (let asked = 1; !signal.aborted; asked++) {
      const outcome = await this.attempt("reconciliation", session, reconcileLimitMs, (services) =>
        services.reconcile({ mode, clock: whose }),
      );
      if (!(outcome instanceof Fault)) {
        const { agrees, differences, halted } = outcome;
        this.note({ kind: "reconciled", session, agrees, differences });
        if (agrees) this.over("books", session, "Books agree again", "");
        else if (differences.length > 0)
          this.tell({
            key: "books",
            level: "alarm",
            session,
            title: "Books differ from the broker",
            detail: differences.join("\n"),
            next: "compare with TWS; if the broker is right, `pf halt` and `pf resume`: the next rebalance books it",
          });
        else
          this.tell({
            key: "books",
            level: "alarm",
            session,
            title: "Nobody knows yet what became of all orders",
            detail: inDoubt,
            next: "see `pf status`, and the orders in TWS; the next session asks before it sends anything",
          });
        if (halted) this.tellOfHalt(session, halted.reason);
        return;
      }
      if (asked >= mostQuestions) {
        const { message, next } = outcome.failure;
        this.tell({
          key: "books",
          level: "alarm",
          session,
          title: `The books of ${session} could not be compared`,
          detail: message,
          next: `${next}; the next start or session asks again`,
        });
        return;
      }
      await this.sleepUntil(this.now + askAgainMs, `the books of ${session} are compared again`);
    }
  }

  private async summarise({ session }: SessionTimes): Promise<void> {
    if (!this.loaded.config.alerts.dailySummary) return;
    const { mode } = this.setting;
    const status = await this.services().status({ mode });
    const ended = this.log.state.ended.get(session);
    const next = this.nextSession();
    const text = [
      ended
        ? `${session}: ${ended.result}${ended.outcome ? ` (${ended.outcome})` : ""}, ${ended.detail}`
        : `${session}: not traded`,
      status.equity
        ? `worth $${status.equity.dollars.toFixed(2)} on ${status.equity.session}`
        : "never valued yet",
      `${status.positions.length === 0 ? "holds nothing" : status.positions.map(({ symbol, quantity }) => `${quantity} ${symbol}`).join(", ")}`,
      status.cash.detail,
      next ? `next: ${next.session} at ${newYorkTimeOf(next.opensUtcMs)} New York time` : "the calendar ends",
      ...(status.halted ? [`halted: ${status.halted.reason}`] : []),
    ].join("\n");
    this.tell({
      key: `summary ${session}`,
      level: "info",
      session,
      title: `${mode} account ${this.account} on ${session}`,
      detail: text,
      always: true,
    });
  }

  /** Runs a step with services of its own, so that it can be stopped; what keeps it from its end is a value. */
  private async attempt<T>(
    name: StepName,
    session: SessionDate,
    limitMs: number,
    act: (services: Services) => Promise<T>,
  ): Promise<T | Fault> {
    const { signal } = this.setting;
    const step = `the ${name} of ${session}`;
    const began = performance.now();
    this.act("working", step);
    this.mark(step, session, false);
    try {
      return await withLimit(
        step,
        limitMs,
        (stop) => act(this.services(stop, (detail) => this.act("working", detail))),
        this.setting,
      );
    } catch (error) {
      if (error instanceof StuckStepError || signal.aborted) throw error;
      return new Fault(describeFailure(error));
    } finally {
      this.mark(step, session, true);
      this.setting.onStepTook?.(name, performance.now() - began);
    }
  }

  /** For whoever comes after a process that was killed. What keeps the log from being written fails what matters more. */
  private mark(step: string, session: SessionDate, isOver: boolean): void {
    try {
      this.log.note({ kind: "step", step, session, isOver });
    } catch {}
  }

  private services(signal = this.setting.signal, onStep: (detail: string) => void = () => {}): Services {
    const { context, timers } = this.setting;
    return createServices({
      ...context,
      clock: timers,
      calendar: this.calendar,
      signal,
      onProgress: ({ step }) => onStep(step),
    });
  }

  /** Does something whose failure costs what it was to do, and not the sessions after it. */
  private async surviving(act: () => Promise<void>): Promise<Error | undefined> {
    try {
      await act();
      this.over("worker", null, "The worker goes on", "");
      return undefined;
    } catch (error) {
      if (error instanceof StuckStepError) {
        this.tell({
          key: "worker",
          level: "alarm",
          session: null,
          title: "A step is stuck",
          detail: `${error.message}; the worker ends, and whatever supervises it starts a new one`,
          next: "see `pf status`, and that the worker is back; if it repeats, keep the log and report it",
        });
        throw error;
      }
      if (this.setting.signal.aborted) throw error;
      const { message, next } = describeFailure(error);
      this.tell({
        key: "worker",
        level: "alarm",
        session: null,
        title: "The worker failed at something",
        detail: message,
        next,
      });
      await this.sleepUntil(this.now + faultPauseMs, "a pause after a fault");
      return error as Error;
    }
  }

  private tell({ key, level, session, title, detail, next, always = false }: Word): void {
    const before = this.told.get(key);
    const isNews =
      always ||
      !before ||
      (level === "alarm" && before.level !== "alarm") ||
      this.now - before.atUtcMs >= tellAgainMs;
    if (!isNews) return;
    if (level !== "info") this.told.set(key, { level, atUtcMs: this.now, session });
    const text = next === undefined ? detail : `${detail}\n${next}`;
    this.say({ key, level, session, title, detail: text, isOver: false });
  }

  private over(key: string, session: SessionDate | null, title: string, detail: string): void {
    if (!this.told.delete(key)) return;
    this.say({ key, level: "info", session, title, detail, isOver: true });
  }

  /** What cannot be kept is sent all the same: that the disk is full is worth an alarm. */
  private say(told: Omit<Extract<WorkerEvent, { kind: "told" }>, "kind" | "waits">): void {
    const { key, level, title, detail: text } = told;
    const waits = this.setting.teller.isHeard;
    let nth: number | null = null;
    try {
      this.note({ kind: "told", ...told, ...(waits ? { waits } : {}) });
      if (waits) nth = this.log.state.everWaited;
    } finally {
      this.outbox.post(nth, { key, level, title, text });
    }
  }

  private note(event: WorkerEvent): void {
    this.log.note(event);
    this.setting.onEvent?.(event);
    this.setting.onChange?.();
  }

  private act(kind: Activity["kind"], detail: string): void {
    if (this.activity.kind === kind && this.activity.detail === detail) return;
    this.activity = { kind, detail, sinceUtcMs: this.now };
    this.setting.onChange?.();
  }

  /** Looks at the clock again and again: machines sleep, and clocks are set. */
  private async sleepUntil(utcMs: number, what: string): Promise<void> {
    const { timers, signal, longestSleepMs = 30 * secondMs } = this.setting;
    while (!signal.aborted && this.now < utcMs) {
      this.beat();
      this.act("waiting", what);
      await new Promise<void>((resolve) => {
        const wake = () => {
          takeBack();
          signal.removeEventListener("abort", wake);
          resolve();
        };
        const takeBack = timers.after(Math.min(utcMs - this.now, longestSleepMs), wake);
        signal.addEventListener("abort", wake, { once: true });
      });
    }
    this.act("working", "awake");
  }

  private beat(): void {
    if (this.now - this.lastPingUtcMs < heartbeatMs) return;
    this.lastPingUtcMs = this.now;
    void this.outbox.tryAgain();
    void this.setting.teller.ping(this.isTroubled ? "fail" : "ok").catch(() => {});
  }
}

/** What people are told: whatever is more than information says what to do. */
type Word = {
  readonly key: string;
  readonly session: SessionDate | null;
  readonly title: string;
  readonly detail: string;
  /** Whether it is news though the same was told before. */
  readonly always?: boolean;
} & (
  | { readonly level: "warning" | "alarm"; readonly next: string }
  | { readonly level: "info"; readonly next?: undefined }
);

/** What kept a step from its end, in the form that people are told. */
class Fault {
  constructor(readonly failure: Failure) {}
}

const phaseWords = {
  lookAhead: "the look ahead",
  morning: "the look in the morning",
  early: "the first pre-flight",
  late: "the last pre-flight",
  trade: "the rebalance",
  afterClose: "the close",
} as const;

function wordsOf({ phase, times, atUtcMs }: DuePhase): string {
  return `${phaseWords[phase]} of ${times.session}, ${momentOf(atUtcMs)} New York time`;
}

function momentOf(utcMs: number): string {
  return `${newYorkDateOf(utcMs)} ${newYorkTimeOf(utcMs)}`;
}

function isInterruption(error: unknown): boolean {
  return error instanceof InterruptedError;
}

function tooLate({ session, closesUtcMs }: SessionTimes, nowUtcMs: number): string {
  return `orders of ${session} were sent until ${newYorkTimeOf(closesUtcMs)} New York time, and the worker was not awake before ${momentOf(nowUtcMs)}`;
}
