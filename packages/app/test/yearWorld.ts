import { mkdtempSync, rmSync } from "node:fs";
import { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { positionsOf, totalCash, usSettlement } from "@pf/compliance";
import {
  amendCalendar,
  type CalendarAmendment,
  dateOfDayNumber,
  dayNumber,
  newYorkDateOf,
  newYorkTimeOf,
  newYorkToUtcMs,
  type SessionDate,
  type TradingCalendar,
  xnys,
} from "@pf/market";
import { centsOfDollars, quantityOfShares } from "@pf/orders";
import { parseScenario, type Simulator, startSimulator, type WrittenAction } from "@pf/tws-sim";
import type { ServiceContext } from "../src/context.js";
import { StateLockedError } from "../src/journal/errors.js";
import { hasJournal, type Journal, openJournal } from "../src/journal/journal.js";
import { SimulatedTime } from "../src/replay/time.js";
import { createServices, type Services } from "../src/services.js";
import { isFill, rootOf } from "../src/trade/heard.js";
import { foldTrade, type TradeEvent, type TradeState, untouched } from "../src/trade/state.js";
import type { WorkerEvent } from "../src/worker/log.js";
import { createTradeWorker } from "../src/worker/run.js";
import { type SessionTimes, sessionTimes } from "../src/worker/schedule.js";

// A worker, the broker it trades at, the machine they run on, the nights and weekends that the broker has, and a person who
// looks after it all now and then: all of them on one simulated clock, and everything drawn from one seed.

const secondMs = 1_000;
const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const window = { opensBeforeCloseMs: 5 * minuteMs, closesBeforeCloseMs: 30 * secondMs };
export const universe = ["SPY", "QQQ", "TLT", "GLD", "BITO"] as const;
/** Settings that want other holdings of the same market each, so that something is to be traded. */
const turns = [
  ["selection.top_n=2", "weights.max_weight_per_asset=0.45"],
  ["selection.top_n=1", "weights.max_weight_per_asset=0.3"],
  ["selection.top_n=3", "weights.max_weight_per_asset=0.2"],
] as const;

/** Numbers from 0 to below 1, the same for the same name. */
export class Draw {
  private state: number;

  constructor(private readonly name: string) {
    let hash = 2166136261;
    for (const letter of name) hash = Math.imul(hash ^ letter.codePointAt(0)!, 16777619);
    this.state = hash >>> 0;
  }

  of(name: string): Draw {
    return new Draw(`${this.name}/${name}`);
  }

  next(): number {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let mixed = this.state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  }

  /** A whole number from the first to the last. */
  whole(first: number, last: number): number {
    return first + Math.floor(this.next() * (last - first + 1));
  }

  one<T>(values: readonly T[]): T {
    return values[this.whole(0, values.length - 1)]!;
  }

  shuffled<T>(values: readonly T[]): T[] {
    const left = [...values];
    return values.map(() => left.splice(this.whole(0, left.length - 1), 1)[0]!);
  }
}

/** Something that goes wrong around one session. */
export interface Fault {
  readonly name: string;
  /** Actions of the simulator's scenario language that it uses. */
  readonly actions: readonly string[];
  /** Prepares it, before the first phase of the session's day. */
  arrange(year: YearWorld, times: SessionTimes, draw: Draw): void;
  /** How many sessions after it may still feel it. */
  readonly after?: number;
  /** Whether the session itself must come through all the same, as if nothing had been. */
  readonly isHarmless?: boolean;
}

interface YearOptions {
  readonly seed: number;
  readonly first: SessionDate;
  /** How many sessions are lived through. */
  readonly sessions: number;
  /** What goes wrong; none for nights and weekends alone. */
  readonly faults: readonly Fault[];
  /** In how many sessions something goes wrong once. @default 5, about one a week */
  readonly every?: number;
  /** Days on which the exchange keeps hours that the worker's calendar does not know. */
  readonly amendments?: readonly CalendarAmendment[];
  /** Whether people forget to log in on Sunday, and once for days. */
  readonly lateLogins?: boolean;
  /** Told when a session's evening has been looked at. */
  readonly onEvening?: (session: SessionDate, nth: number) => void;
  readonly onTrace?: (line: string) => void;
  /** A file for everything that is said between worker and broker. */
  readonly wireLog?: string;
}

/** What a year was like. */
export interface YearReport {
  readonly seed: number;
  /** Of each session how it ended, in order. */
  readonly ended: readonly { session: SessionDate; result: string; outcome: string | null; detail: string }[];
  /** What was injected, and on which session. */
  readonly injected: readonly (readonly [session: SessionDate, fault: string])[];
  readonly told: readonly (readonly [at: string, level: string, words: string])[];
  /** Every order the broker took, with the instant. */
  readonly orders: readonly (readonly [at: string, reference: string])[];
  readonly executions: number;
  /** Of these, how many nobody could hear of on their day: a person looked, and what was held was booked. */
  readonly outOfSight: number;
  readonly starts: number;
  /** Money that came without a trade, such as dividends, and was booked. */
  readonly receipts: number;
  /** Sessions without a fault nearby, and how many of these were traded. */
  readonly quiet: { readonly sessions: number; readonly traded: number };
  readonly logins: { readonly late: number; readonly missed: readonly SessionDate[] };
  /** What must not be. */
  readonly problems: readonly string[];
}

class Death extends Error {}

/** One process of the worker: what it waits for ends with it, and then it can write and send nothing any more. */
class WorkerProcess {
  isDead = false;
  private isGone = false;
  private readonly stop = new AbortController();

  constructor(private readonly year: YearWorld) {}

  /** Ends it at once: no file, no order and no alarm of it comes after this. */
  kill(): void {
    if (this.isGone) return;
    this.isDead = true;
    this.isGone = true;
    this.year.sim.cut();
    // Only so that what it holds is let go, as the system does for a process that is no more.
    this.stop.abort(new Death("killed"));
  }

  /** Asks it to end. */
  terminate(): void {
    this.stop.abort(new Error("SIGTERM"));
  }

  async run(): Promise<"stopped" | "died" | Error> {
    const { year } = this;
    const { timers } = year.time;
    const born = timers.nowUtcMs();
    const shown = () => timers.nowUtcMs() + year.skewMs;
    const after = (ms: number, callback: () => void) =>
      this.isDead ? () => {} : timers.after(ms, () => !this.isDead && callback());
    const own = {
      after,
      nowUtcMs: () => {
        if (this.isDead) throw new Death("no clock");
        return shown();
      },
    };
    // What listens to a socket has nobody above it to throw to.
    const brokers = { after, nowUtcMs: () => (this.isDead ? born : shown()) };
    const hook = (at: Hook, name: string) => {
      if (this.isDead) throw new Death(name);
      if (!year.mayLive(at)) {
        this.isDead = true;
        setImmediate(() => this.kill());
        throw new Death(name);
      }
    };
    try {
      const worker = await createTradeWorker({
        mode: "paper",
        context: {
          ...year.context,
          broker: { timers: brokers, messagesPerSecond: 1e6 },
          onStep: (step) => hook("step", step),
        },
        timers: own,
        teller: {
          isHeard: true,
          send: async ({ title }) => {
            if (this.isDead || year.isDeaf) return false;
            year.heard.push(title);
            return true;
          },
          ping: async () => {},
        },
        signal: this.stop.signal,
        longestSleepMs: 6 * hourMs,
        onEvent: (event) => year.hear(event),
        onChange: () => hook("activity", "activity"),
      });
      await worker.run();
      return this.isDead ? "died" : "stopped";
    } catch (error) {
      return this.isDead ? "died" : (error as Error);
    }
  }
}

type Hook = "step" | "activity";

interface Due {
  readonly atUtcMs: number;
  readonly act: () => void | Promise<void>;
}

/** A worker left alone for a year. */
export class YearWorld {
  readonly time: SimulatedTime;
  /** How far the worker's clock is ahead of the broker's. */
  skewMs = 0;
  /** Whether no channel takes what the worker tells. */
  isDeaf = false;
  /** The titles of what channels took. */
  readonly heard: string[] = [];
  /** How long a process that ended stays away. */
  restartMs = 5 * secondMs;
  readonly draw: Draw;
  /** As the exchange has it; the worker knows less. */
  readonly calendar: TradingCalendar;
  readonly folder = mkdtempSync(join(tmpdir(), "pf-year-"));
  readonly problems: string[] = [];
  private readonly overrides: string[] = [];
  private readonly agenda: Due[] = [];
  private takeBackAgenda = () => {};
  private process: WorkerProcess | undefined;
  private isOver = false;
  private isAway = true;
  private starts = 0;
  private receipts = 0;
  private turned = 0;
  /** Lets the process die at so many steps or activities from now. */
  private fuse: { readonly at: Hook; left: number } | undefined;
  private readonly errands = new Set<Promise<void>>();

  private readonly taken = new Map<string, Set<string>>();
  private readonly executed = new Set<string>();
  private readonly orders: (readonly [string, string])[] = [];
  private readonly told: (readonly [string, string, string])[] = [];
  private readonly titles: string[] = [];
  private readonly ended = new Map<SessionDate, Extract<WorkerEvent, { kind: "ended" }>>();
  private readonly ends: Extract<WorkerEvent, { kind: "ended" }>[] = [];
  private readonly injected: (readonly [SessionDate, string])[] = [];
  private readonly reconciled = new Map<SessionDate, boolean>();
  /** Alarms that are told and not over, by their key. */
  private readonly alarms = new Set<string>();
  private alertsOfDay: string[] = [];
  /** Sessions which something is allowed to have touched. */
  private readonly touched = new Set<SessionDate>();
  private readonly harmless = new Set<SessionDate>();
  private books: { state: TradeState; seq: number } = { state: untouched, seq: 0 };
  private readonly journalled = new Set<string>();
  private readonly charged = new Set<string>();
  /** Symbols that somebody else traded today. */
  private readonly others = new Set<string>();
  /** Executions of sessions in whose evening no worker was there to hear of them. */
  private readonly outOfSight = new Map<SessionDate, readonly string[]>();
  private readonly logins = { late: 0, missed: [] as SessionDate[] };
  private quiet = { sessions: 0, traded: 0 };

  private constructor(
    readonly sim: Simulator,
    private readonly options: YearOptions,
  ) {
    this.calendar = amendCalendar(xnys, options.amendments ?? []);
    this.draw = new Draw(`year ${options.seed}`);
    this.time = new SimulatedTime(sim, () => isAtWork(sim.port));
    const place = sim.venue.place.bind(sim.venue);
    sim.venue.place = (order) => {
      if (order.orderRef.startsWith("pf/")) this.hearOrder(order.orderRef);
      place(order);
    };
    sim.venue.onEvent((event) => {
      const { order, permId } =
        event.kind === "status" || event.kind === "error" ? event.state : event.execution.order;
      if (!order.orderRef.startsWith("pf/")) {
        if (event.kind === "execution") this.others.add(this.symbolOf(order.conId));
        return;
      }
      this.taken.set(order.orderRef, (this.taken.get(order.orderRef) ?? new Set()).add(permId));
      if (event.kind === "execution") this.executed.add(event.execution.execId);
    });
  }

  /** Lives through it all. */
  static async live(options: YearOptions): Promise<YearReport> {
    const sim = await startSimulator({
      startUtcMs: newYorkToUtcMs(options.first, "05:00"),
      speed: "frozen",
      pacing: "off",
      calendar: amendCalendar(xnys, options.amendments ?? []),
      ...(options.wireLog === undefined ? {} : { wireLog: options.wireLog }),
    });
    const year = new YearWorld(sim, options);
    try {
      await loadEverything(sim.port, year.folder);
      year.time.flow();
      await year.time.during(year.liveThrough());
      return year.report();
    } finally {
      await sim.close();
      rmSync(year.folder, { recursive: true, force: true });
    }
  }

  get now(): number {
    return this.sim.now();
  }

  get folders() {
    const { folder } = this;
    return { data: join(folder, "data"), out: join(folder, "reports"), state: join(folder, "state") };
  }

  get context(): Pick<ServiceContext, "configuration" | "folders" | "version"> {
    return { configuration: { overrides: this.overrides }, folders: this.folders, version: "0.0.0-test" };
  }

  // ---- what faults are made of

  at(utcMs: number, act: () => void | Promise<void>): void {
    if (utcMs < this.now) throw new Error(`${this.when(utcMs)} is over at ${this.when(this.now)}`);
    let at = this.agenda.length;
    while (at > 0 && this.agenda[at - 1]!.atUtcMs > utcMs) at--;
    this.agenda.splice(at, 0, { atUtcMs: utcMs, act });
    if (at === 0) this.watchAgenda();
  }

  /** Rules of a scenario from one instant to another. */
  rules(text: string, fromUtcMs: number, untilUtcMs: number): void {
    this.at(fromUtcMs, () => {
      const takeBack = this.sim.addScenario(parseScenario(`rules:\n${text}`));
      this.at(untilUtcMs, takeBack);
    });
  }

  trigger(utcMs: number, ...actions: WrittenAction[]): void {
    this.at(utcMs, () => this.sim.trigger(...actions));
  }

  /** The process dies, and a new one comes after a while. */
  kill(utcMs: number, awayMs = 5 * secondMs): void {
    this.at(utcMs, () => {
      this.restartMs = awayMs;
      this.process?.kill();
    });
  }

  /** The process is asked to end. */
  terminate(utcMs: number, awayMs: number): void {
    this.at(utcMs, () => {
      this.restartMs = awayMs;
      this.process?.terminate();
    });
  }

  /** From an instant on, the process dies at so many steps. */
  killAtStep(utcMs: number, at: Hook, nth: number, awayMs = 5 * secondMs): void {
    this.at(utcMs, () => {
      this.restartMs = awayMs;
      this.fuse = { at, left: nth };
    });
  }

  /** The process dies at a step; the one after it dies one step later, and so on. */
  killAtEveryStep(fromUtcMs: number, untilUtcMs: number): void {
    let nth = 1;
    const again = () => {
      if (this.now > untilUtcMs) return;
      if (!this.fuse) this.fuse = { at: "step", left: nth++ };
      this.at(this.now + 2 * secondMs, again);
    };
    this.at(fromUtcMs, () => {
      this.restartMs = secondMs;
      again();
    });
    this.at(untilUtcMs, () => {
      this.fuse = undefined;
    });
  }

  mayLive(at: Hook): boolean {
    const { fuse } = this;
    if (fuse?.at !== at || --fuse.left > 0) return true;
    this.fuse = undefined;
    return false;
  }

  /** A second worker of the same account, started by mistake: it must end at once, and change nothing. */
  startAnother(utcMs: number): void {
    this.at(utcMs, async () => {
      const result = await new WorkerProcess(this).run();
      const isRefused = result instanceof StateLockedError;
      if (!isRefused && !this.isAway) this.problem(`a second worker was not refused: ${String(result)}`);
    });
  }

  /** Somebody else at the same machine. */
  errand(utcMs: number, act: (services: Services) => Promise<unknown>): void {
    this.at(utcMs, () => {
      const { timers } = this.time;
      const clock = { nowUtcMs: () => timers.nowUtcMs() + this.skewMs };
      const services = createServices({
        ...this.context,
        clock,
        broker: { timers, messagesPerSecond: 1e6 },
      });
      const done = act(services).then(
        () => {},
        (error: unknown) => {
          if (!(error instanceof StateLockedError)) this.trace(`errand: ${error}`);
        },
      );
      this.errands.add(done);
      void done.then(() => this.errands.delete(done));
    });
  }

  /** Wants other holdings than before, so that there is something to trade. */
  turn(): void {
    const { sim } = this;
    this.turned++;
    this.overrides.splice(
      0,
      this.overrides.length,
      `ibkr.port=${sim.port}`,
      "ibkr.start=2024-06-03",
      `universe=[${universe.join(", ")}]`,
      "ibkr.market_mode=live",
      "rebalance.min_weight_change=0",
      "selection.corr_cap=1",
      "execution.quantity=whole",
      ...turns[this.turned % turns.length]!,
    );
  }

  /** What our account holds of a symbol that it holds anything of; the first of the universe when it holds nothing. */
  heldSymbol(): string {
    const held = this.sim.venue.positions(this.sim.accounts[0]!)[0];
    return held ? this.symbolOf(held.conId) : universe[0];
  }

  private symbolOf(conId: number): string {
    const anything = { symbol: "", secType: "", exchange: "", primaryExchange: "", currency: "" };
    return this.sim.venue.contracts({ ...anything, conId })[0]!.symbol;
  }

  trace(line: string): void {
    this.options.onTrace?.(`${this.when(this.now)} ${line}`);
  }

  // ---- the year

  private async liveThrough(): Promise<void> {
    const { first, sessions: count } = this.options;
    let last = this.calendar.onOrBefore(first);
    const sessions = [last];
    while (sessions.length < count) {
      last = this.calendar.next(last);
      sessions.push(last);
    }
    this.turn();
    this.planNights(first, last);
    this.planFaults(sessions);
    const changes = this.draw.of("turns");
    sessions.forEach((session, nth) => {
      if (changes.next() < 0.5) this.at(newYorkToUtcMs(session, "05:59"), () => this.turn());
      this.at(newYorkToUtcMs(session, "20:00"), () => this.evening(session, nth));
    });
    const over = new Promise<void>((resolve) => this.at(newYorkToUtcMs(last, "20:30"), resolve));
    const life = this.supervise();
    await over;
    this.isOver = true;
    this.process?.terminate();
    await life;
    await Promise.all(this.errands);
    this.takeBackAgenda();
    this.finish(sessions);
  }

  /** Starts the worker again whenever it has ended, as whatever supervises it does. */
  private async supervise(): Promise<void> {
    const { timers } = this.time;
    let failures = 0;
    while (!this.isOver) {
      this.starts++;
      const process = new WorkerProcess(this);
      this.process = process;
      const born = this.now;
      this.isAway = false;
      const result = await process.run();
      this.isAway = true;
      if (this.isOver) return;
      if (result instanceof Error) this.trace(`worker ended: ${result.name}: ${result.message}`);
      failures = result instanceof Error && this.now - born < minuteMs ? failures + 1 : 0;
      const awayMs = Math.max(this.restartMs, Math.min(5 * minuteMs, 5 * secondMs * 2 ** failures));
      this.restartMs = 5 * secondMs;
      await new Promise<void>((resolve) => timers.after(awayMs, resolve));
    }
  }

  private watchAgenda(): void {
    this.takeBackAgenda();
    const [next] = this.agenda;
    if (!next) return;
    this.takeBackAgenda = this.time.timers.after(next.atUtcMs - this.now, () => {
      while (this.agenda.length > 0 && this.agenda[0]!.atUtcMs <= this.now) {
        const { act } = this.agenda.shift()!;
        const done = act();
        if (done) {
          this.errands.add(done);
          void done.then(() => this.errands.delete(done));
        }
      }
      this.watchAgenda();
    });
  }

  /** Resets and restarts of the night, and the log-out of the week. */
  private planNights(first: SessionDate, last: SessionDate): void {
    const draw = this.draw.of("nights");
    const days = dayNumber(last) - dayNumber(first);
    const missed = this.options.lateLogins && days > 60 ? draw.whole(20, days - 20) : -1;
    let isMissed = false;
    let outUntil = 0;
    for (let day = 0; day <= days; day++) {
      const date = dateOfDayNumber(dayNumber(first) + day);
      const weekday = new Date(`${date}T12:00:00Z`).getUTCDay();
      if (weekday === 0) {
        const [out, kind] = [newYorkToUtcMs(date, "01:00"), draw.next()];
        let inAt = newYorkToUtcMs(date, "08:00") + draw.whole(0, 9 * 60) * minuteMs;
        const monday = dateOfDayNumber(dayNumber(date) + 1);
        if (!isMissed && day >= missed && missed >= 0) {
          isMissed = true;
          inAt = newYorkToUtcMs(dateOfDayNumber(dayNumber(date) + 3), "08:00");
          const without = this.calendar.sessionsBetween(date, dateOfDayNumber(dayNumber(date) + 2));
          this.logins.missed.push(...without);
          for (const session of without) this.touched.add(session);
        } else if (this.options.lateLogins && kind < 0.3) {
          this.logins.late++;
          this.harmless.add(this.calendar.next(date));
          inAt = newYorkToUtcMs(monday, "09:00");
        }
        if (inAt > newYorkToUtcMs(date, "18:00")) {
          this.at(newYorkToUtcMs(date, "19:00"), () => {
            const session = this.calendar.next(date);
            // A fault before it may have told of the same trouble.
            if (!this.alarms.has("preflight")) this.problem(`no alarm on Sunday before ${session}`);
          });
        }
        this.trigger(out, { restart: { down: Math.round((inAt - out) / secondMs) } });
        outUntil = inAt;
      }
      const night = newYorkToUtcMs(date, "23:45");
      if (night < outUntil) continue;
      const restart = night + draw.whole(0, 14) * minuteMs;
      this.trigger(restart, { restart: { down: `${draw.whole(1, 10)}m` } });
      const reset = night + draw.whole(25, 40) * minuteMs;
      const back = reset + draw.whole(1, 15) * minuteMs;
      this.trigger(reset, { link: "down" });
      this.trigger(back, { link: draw.one(["up", "up_data_lost"]) });
    }
  }

  /** A fault a week, two at once now and then; every fault comes before any comes again. */
  private planFaults(sessions: readonly SessionDate[]): void {
    const { faults, every = 5 } = this.options;
    if (faults.length === 0) return;
    const draw = this.draw.of("faults");
    // The first day has to be lived through to have anything to lose, and odd days are faults by themselves.
    const odd = new Set((this.options.amendments ?? []).map(({ day }) => day));
    const usual = sessions.filter(
      (day, nth) =>
        nth > 0 && nth < sessions.length - 2 && !odd.has(day) && !this.logins.missed.includes(day),
    );
    let deck: Fault[] = [];
    const deal = (): Fault => {
      if (deck.length === 0) deck = draw.shuffled(faults);
      return deck.pop()!;
    };
    for (let from = 0; from < usual.length; from += every) {
      const session = draw.one(usual.slice(from, from + every));
      const count = draw.next() < 0.12 ? 2 : 1;
      const own = draw.of(session);
      const chosen = Array.from({ length: count }, deal);
      const times = sessionTimes(this.calendar, session, window);
      this.at(newYorkToUtcMs(session, "06:00"), () => {
        this.turn();
        for (const fault of chosen) {
          this.injected.push([session, fault.name]);
          this.trace(`fault: ${fault.name}`);
          fault.arrange(this, times, own);
        }
      });
      let one = session;
      if (!chosen.every(({ isHarmless }) => isHarmless)) this.touched.add(session);
      else this.harmless.add(session);
      const after = Math.max(...chosen.map(({ after = 0 }) => after));
      for (let more = 0; more < after; more++) {
        one = this.calendar.next(one);
        this.touched.add(one);
      }
    }
  }

  // ---- what is heard

  hear(event: WorkerEvent): void {
    if (event.kind === "ended") {
      this.ends.push(event);
      if (this.ended.has(event.session)) this.problem(`${event.session} ended twice`);
      this.ended.set(event.session, event);
      this.trace(`ended ${event.session} ${event.result} ${event.outcome}: ${event.detail}`);
    }
    if (event.kind === "reconciled") this.reconciled.set(event.session, event.agrees);
    if (event.kind === "told") {
      const { key, level, title, detail, isOver } = event;
      this.titles.push(title);
      if (isOver) this.alarms.delete(key);
      else if (level === "alarm") this.alarms.add(key);
      const words = this.anywhere(`${title}: ${detail}`);
      this.told.push([this.when(this.now), isOver ? "over" : level, words]);
      const isLearned = this.options.amendments?.some(({ day }) => key === `hours ${day}`) ?? false;
      // What is told of a session that is long over was told of its own day too.
      const isOld = event.session !== null && event.session < newYorkDateOf(this.now);
      if (level !== "info" && !isOver && !isLearned && !isOld)
        this.alertsOfDay.push(`${level} ${title}: ${detail}`);
      if (!key.startsWith("summary")) this.trace(`told ${isOver ? "over" : level} ${title}: ${detail}`);
    }
  }

  private hearOrder(reference: string): void {
    this.orders.push([this.when(this.now), reference]);
    const day = newYorkDateOf(this.now);
    const close = this.calendar.isSession(day) ? this.calendar.closeUtcMs(day) : 0;
    const left = close - this.now;
    if (left > window.opensBeforeCloseMs || left < window.closesBeforeCloseMs)
      this.problem(`${reference} reached the broker at ${this.when(this.now)}, ${left} ms before the close`);
  }

  // ---- the person, who looks at eight in the evening

  private evening(session: SessionDate, nth: number): void {
    this.fuse = undefined;
    this.look(session);
    this.alertsOfDay = [];
    const { state } = this.books;
    const draw = this.draw.of(`evening ${session}`);
    // Some need a night to think about it; then the next session is halted too.
    const tomorrow = draw.next() < 0.15;
    const mustResume = state.halt !== null;
    const mustAccept = !mustResume && this.alarms.has("books");
    if ((mustResume || mustAccept) && tomorrow) this.touched.add(this.calendar.next(session));
    else if (mustResume) this.errand(this.now + minuteMs, (to) => to.resume({ reason: "looked at it" }));
    else if (mustAccept) {
      this.errand(this.now + minuteMs, (to) => to.halt({ reason: "the books differ" }));
      this.errand(this.now + 2 * minuteMs, (to) => to.resume({ reason: "the broker is right" }));
    }
    this.options.onEvening?.(session, nth);
  }

  /** Everything that must be true in the evening of a session, and always. */
  private look(session: SessionDate): void {
    const isQuiet = !this.touched.has(session) && !this.harmless.has(session);
    const mustTrade = !this.touched.has(session);
    const about = (words: string) => this.problem(`${session}: ${words}`);
    const end = this.ended.get(session);
    const { result, outcome, detail } = end ?? {};
    // Who is away, or cannot read, tells when that is over; in the end every session has to be told of.
    const isExcused = this.isAway || (!mustTrade && this.alarms.size > 0);
    if (!end && !isExcused) about("nothing is known of how it ended");
    else if (!end) this.trace(`it is not known yet how ${session} ended`);
    else if (end && result !== "traded") {
      if ((detail ?? "").length < 10) about(`${result} without a reason: ${detail}`);
      const key = result === "halted" ? "halted" : "skipped";
      if (!this.alarms.has(key)) about(`${result}, and no alarm was told`);
    }
    if (mustTrade) {
      this.quiet.sessions++;
      if (result === "traded") this.quiet.traded++;
      else about(`${result} although nothing was wrong: ${detail}`);
    }
    if (isQuiet) {
      if (outcome !== "filled" && outcome !== "unchanged") about(`${outcome} although nothing was wrong`);
      if (this.alertsOfDay.length > 0) about(`told without need: ${this.alertsOfDay.join(" | ")}`);
    }
    for (const [reference, permIds] of this.taken)
      if (permIds.size > 1) about(`${reference} is at the broker ${permIds.size} times`);
    this.lookAtBooks(session, mustTrade);
  }

  private lookAtBooks(session: SessionDate, mustAgree: boolean): void {
    const about = (words: string) => this.problem(`${session}: ${words}`);
    const { account } = this.readBooks();
    const broker = this.broker();
    const [held, cash] = [positionsOf(account), totalCash(account)];
    const isSame =
      JSON.stringify(sorted(held)) === JSON.stringify(sorted(broker.positions)) && cash === broker.cash;
    const agreed = this.reconciled.get(session);
    if (!isSame && (mustAgree || agreed === true)) {
      about(
        `the book has ${JSON.stringify(sorted(held))} and ${cash}, the broker ${JSON.stringify(sorted(broker.positions))} and ${broker.cash}`,
      );
    }
    const isNoted = agreed === true || this.alarms.size > 0 || this.isAway;
    if (!isSame && !isNoted) about("the books differ, and no alarm was told");
    if (account.settled < 0) about(`settled cash is ${account.settled}`);
    for (const [symbol, quantity] of Object.entries(broker.positions))
      if (quantity < 0) about(`${symbol} is short`);
    const missed = [...this.executed].filter((execId) => !this.journalled.has(execId));
    if (this.isAway && missed.length > 0) {
      // The broker lists executions of its day only: tomorrow a person has to look, and what is held is booked.
      for (const execId of missed) this.executed.delete(execId);
      this.outOfSight.set(session, missed);
    } else if (mustAgree || agreed === true) {
      if (missed.length > 0) about(`executions that the journal does not have: ${missed}`);
    }
    const known = new Set([...this.executed, ...[...this.outOfSight.values()].flat()]);
    const invented = [...this.journalled].filter((execId) => !known.has(execId));
    if (invented.length > 0) about(`executions that the broker does not have: ${invented}`);
    const silent = [...this.journalled].filter((execId) => !this.charged.has(rootOf(execId)));
    const isUntold = this.injected.some(([day, name]) => day === session && name.includes("never told"));
    // Nobody told what it was alone: it is booked with whatever else the cash differed by.
    if (this.isAway || isUntold) for (const execId of silent) this.charged.add(rootOf(execId));
    else if (mustAgree && silent.length > 0) about(`executions without a commission: ${silent}`);
    this.lookAtHoldings(session);
    this.others.clear();
  }

  /** Nothing is bought beyond its target, and nothing sold below it, in however many attempts under whatever names. */
  private lookAtHoldings(session: SessionDate): void {
    const { lastDecision, account } = this.books.state;
    const equity = account.valued?.session === session ? account.valued.equity / 100 : undefined;
    if (lastDecision?.session !== session || equity === undefined) return;
    for (const { conId, quantity } of this.sim.venue.positions(this.sim.accounts[0]!)) {
      const symbol = this.symbolOf(conId);
      const price = this.sim.venue.quote(conId, "live").last;
      if (price === undefined || this.others.has(symbol)) continue;
      const ordered = (side: string) =>
        this.orders.some(([, reference]) => reference.startsWith(`pf/${session}/${symbol}/${side}`));
      const value = Number(quantity) * price;
      const target = (lastDecision.weights[symbol] ?? 0) * equity;
      // Prices move in the last minutes, and only whole shares are traded.
      const [least, most] = [target * 0.95 - price, target * 1.05 + price];
      if ((ordered("buy") && value > most) || (ordered("sell") && value < least))
        this.problem(
          `${session}: ${quantity} ${symbol} are worth ${value.toFixed(0)}, and ${target.toFixed(0)} was wanted`,
        );
    }
  }

  private finish(sessions: readonly SessionDate[]): void {
    for (const session of sessions) {
      const count = this.ends.filter((end) => end.session === session).length;
      if (count !== 1) this.problem(`${session} ended ${count} times`);
    }
    for (const { session } of this.ends)
      if (!sessions.includes(session)) this.problem(`${session} is no session, and ended`);
    const counts = (titles: readonly string[]) =>
      titles.reduce((of, title) => of.set(title, (of.get(title) ?? 0) + 1), new Map<string, number>());
    const heard = counts(this.heard);
    for (const [title, times] of counts(this.titles))
      if (heard.get(title) !== times)
        this.problem(`"${title}" was told ${times} times, and heard ${heard.get(title) ?? 0} times`);
    for (const [session, missed] of this.outOfSight) {
      const { result } = this.ended.get(session) ?? {};
      if (result !== "halted") this.problem(`${session} ${result}, and nobody looked for ${missed}`);
    }
  }

  private report(): YearReport {
    return {
      seed: this.options.seed,
      ended: this.ends.map(({ session, result, outcome, detail }) => {
        return { session, result, outcome, detail: this.anywhere(detail) };
      }),
      injected: this.injected,
      told: this.told,
      orders: this.orders,
      executions: this.executed.size + [...this.outOfSight.values()].flat().length,
      outOfSight: [...this.outOfSight.values()].flat().length,
      starts: this.starts,
      receipts: this.receipts,
      quiet: this.quiet,
      logins: this.logins,
      problems: this.problems,
    };
  }

  private readBooks(): TradeState {
    const account = this.sim.accounts[0]!;
    const identity = { mode: "paper", account, venue: "tws-sim:synthetic:42" } as const;
    const { state } = this.folders;
    if (!hasJournal(state, identity)) return this.books.state;
    let journal: Journal<TradeEvent> | undefined;
    try {
      journal = openJournal<TradeEvent>(state, identity, { nowUtcMs: () => this.now });
      const entries = journal.entries(this.books.seq);
      for (const { body } of entries) {
        if (body.kind === "noticed" && body.notice.code === "external_cash") this.receipts++;
        if (body.kind !== "order") continue;
        if (isFill(body.event)) this.journalled.add(body.event.execId);
        if (body.event.kind === "commission") this.charged.add(rootOf(body.event.execId));
      }
      this.books = {
        state: foldTrade(entries, usSettlement, this.books.state),
        seq: entries.at(-1)?.seq ?? this.books.seq,
      };
    } finally {
      journal?.close();
    }
    return this.books.state;
  }

  /** What the broker holds, in ten-thousandths of a share, and all its cash in cents. */
  private broker() {
    const { venue, accounts } = this.sim;
    const positions = venue.positions(accounts[0]!);
    return {
      positions: Object.fromEntries(
        positions.map(({ conId, quantity }) => [this.symbolOf(conId), quantityOfShares(quantity)]),
      ),
      cash: centsOfDollars(venue.summary(accounts[0]!).totalCashValue),
    };
  }

  private problem(words: string): void {
    this.problems.push(this.anywhere(words));
    this.trace(`PROBLEM ${words}`);
  }

  /** Words without what differs from run to run. */
  private anywhere(words: string): string {
    return words.replaceAll(this.folder, "FOLDER").replaceAll(String(this.sim.port), "PORT");
  }

  private when(utcMs: number): string {
    const seconds = new Date(utcMs).toISOString().slice(16, 23);
    return `${newYorkDateOf(utcMs)} ${newYorkTimeOf(utcMs)}${seconds}`;
  }
}

const sorted = (record: Readonly<Record<string, number>>) =>
  Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1));

/** Requests of this process that the system has not answered yet. */
const requests = /^(FSReq|CloseReq|ConnectWrap|ShutdownWrap|WriteWrap|GetAddrInfo)/;

/** Whether the disk is at work, or something is on its way between a client and the simulator, both in this process. */
function isAtWork(port: number): boolean {
  if (process.getActiveResourcesInfo().some((name) => requests.test(name))) return true;
  const { _getActiveHandles: handles } = process as unknown as { _getActiveHandles(): readonly unknown[] };
  const ends = new Map<number, Socket>();
  for (const one of handles.call(process)) {
    if (!(one instanceof Socket) || one.destroyed) continue;
    if (one.connecting) return true;
    const [own, other] = [one.localPort, one.remotePort];
    const client = own === port ? other : other === port ? own : undefined;
    if (client === undefined) continue;
    const peer = ends.get(client);
    if (!peer) ends.set(client, one);
    else {
      ends.delete(client);
      if (one.bytesWritten !== peer.bytesRead || one.bytesRead !== peer.bytesWritten) return true;
    }
  }
  return ends.size > 0;
}

/** Code that is loaded when it is needed first takes time of the machine, which nobody here waits for. */
async function loadEverything(port: number, folder: string): Promise<void> {
  await Promise.all([
    import("../src/audit.js"),
    import("../src/configuration.js"),
    import("../src/connect.js"),
    import("../src/fetch.js"),
    import("../src/sources.js"),
    import("../src/trade/history.js"),
    import("../src/trade/service.js"),
    import("../src/trade/status.js"),
    import("@pf/bars"),
    import("pino"),
  ]);
  const folders = { data: join(folder, "warm"), out: join(folder, "warm"), state: join(folder, "warm") };
  const configuration = {
    overrides: ["universe=[SPY, TLT]", "ibkr.start=2025-01-02", "ibkr.end=2025-03-31"],
  };
  const services = createServices({ configuration, folders, version: "0.0.0-test" });
  for (let time = 0; time < 2; time++) await services.fetch({ source: "synthetic" });
  const { connectIbkr } = await import("@pf/ibkr");
  const whose = { clientId: 9, account: "DUK200445", mode: "paper", reconnect: false } as const;
  await (await connectIbkr({ host: "127.0.0.1", port, ...whose })).close();
}
