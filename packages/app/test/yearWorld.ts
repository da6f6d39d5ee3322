import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  amendCalendar,
  type CalendarAmendment,
  dateOfDayNumber,
  dayNumber,
  newYorkToUtcMs,
  type SessionDate,
  type TradingCalendar,
  xnys,
} from "@pf/market";
import { parseScenario, type Simulator, startSimulator, type WrittenAction } from "@pf/tws-sim";
import type { ServiceContext } from "../src/context.js";
import { StateLockedError } from "../src/journal/errors.js";
import { SimulatedTime } from "../src/replay/time.js";
import { createServices, type Services } from "../src/services.js";
import { createTradeWorker } from "../src/worker/run.js";
import { type SessionTimes, sessionTimes } from "../src/worker/schedule.js";
import { Draw } from "./draw.js";
import { isAtWork, loadEverything } from "./yearMachine.js";
import { symbolOf, when, window, type YearReport, YearWatch } from "./yearWatch.js";

// A worker, the broker it trades at, the machine they run on, the nights and weekends that the broker has, and a person who
// looks after it all now and then: all of them on one simulated clock, and everything drawn from one seed.

const secondMs = 1_000;
const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
export const universe = ["SPY", "QQQ", "TLT", "GLD", "BITO"] as const;
/** Settings that want other holdings of the same market each, so that something is to be traded. */
const turns = [
  ["selection.top_n=2", "weights.max_weight_per_asset=0.45"],
  ["selection.top_n=1", "weights.max_weight_per_asset=0.3"],
  ["selection.top_n=3", "weights.max_weight_per_asset=0.2"],
] as const;

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
            year.watch.heard.push(title);
            return true;
          },
          ping: async () => {},
        },
        signal: this.stop.signal,
        longestSleepMs: 6 * hourMs,
        onEvent: (event) => year.watch.hear(event),
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
  /** How long a process that ended stays away. */
  restartMs = 5 * secondMs;
  readonly draw: Draw;
  /** As the exchange has it; the worker knows less. */
  readonly calendar: TradingCalendar;
  readonly folder = mkdtempSync(join(tmpdir(), "pf-year-"));
  /** Who hears of everything, and looks every evening. */
  readonly watch: YearWatch;
  private readonly overrides: string[] = [];
  private readonly agenda: Due[] = [];
  private takeBackAgenda = () => {};
  private process: WorkerProcess | undefined;
  private isOver = false;
  private starts = 0;
  private turned = 0;
  /** Lets the process die at so many steps or activities from now. */
  private fuse: { readonly at: Hook; left: number } | undefined;
  private readonly errands = new Set<Promise<void>>();

  private constructor(
    readonly sim: Simulator,
    private readonly options: YearOptions,
  ) {
    this.calendar = amendCalendar(xnys, options.amendments ?? []);
    this.draw = new Draw(`year ${options.seed}`);
    this.time = new SimulatedTime(sim, () => isAtWork(sim.port));
    this.watch = new YearWatch({ sim, calendar: this.calendar, folder: this.folder, ...options });
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
      return year.watch.report(year.starts);
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
    if (utcMs < this.now) throw new Error(`${when(utcMs)} is over at ${when(this.now)}`);
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
      if (!isRefused && !this.watch.isAway)
        this.watch.problem(`a second worker was not refused: ${String(result)}`);
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
          if (!(error instanceof StateLockedError)) this.watch.trace(`errand: ${error}`);
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
    return held ? symbolOf(this.sim, held.conId) : universe[0];
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
    this.watch.finish(sessions);
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
      this.watch.isAway = false;
      const result = await process.run();
      this.watch.isAway = true;
      if (this.isOver) return;
      if (result instanceof Error) this.watch.trace(`worker ended: ${result.name}: ${result.message}`);
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
          this.watch.logins.missed.push(...without);
          for (const session of without) this.watch.touched.add(session);
        } else if (this.options.lateLogins && kind < 0.3) {
          this.watch.logins.late++;
          this.watch.harmless.add(this.calendar.next(date));
          inAt = newYorkToUtcMs(monday, "09:00");
        }
        if (inAt > newYorkToUtcMs(date, "18:00")) {
          this.at(newYorkToUtcMs(date, "19:00"), () => {
            const session = this.calendar.next(date);
            // A fault before it may have told of the same trouble.
            if (!this.watch.alarms.has("preflight"))
              this.watch.problem(`no alarm on Sunday before ${session}`);
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
        nth > 0 && nth < sessions.length - 2 && !odd.has(day) && !this.watch.logins.missed.includes(day),
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
          this.watch.injected.push([session, fault.name]);
          this.watch.trace(`fault: ${fault.name}`);
          fault.arrange(this, times, own);
        }
      });
      let one = session;
      if (!chosen.every(({ isHarmless }) => isHarmless)) this.watch.touched.add(session);
      else this.watch.harmless.add(session);
      const after = Math.max(...chosen.map(({ after = 0 }) => after));
      for (let more = 0; more < after; more++) {
        one = this.calendar.next(one);
        this.watch.touched.add(one);
      }
    }
  }

  // ---- the person, who looks at eight in the evening

  private evening(session: SessionDate, nth: number): void {
    this.fuse = undefined;
    const { halt } = this.watch.look(session);
    const draw = this.draw.of(`evening ${session}`);
    // Some need a night to think about it; then the next session is halted too.
    const tomorrow = draw.next() < 0.15;
    const mustResume = halt !== null;
    const mustAccept = !mustResume && this.watch.alarms.has("books");
    if ((mustResume || mustAccept) && tomorrow) this.watch.touched.add(this.calendar.next(session));
    else if (mustResume) this.errand(this.now + minuteMs, (to) => to.resume({ reason: "looked at it" }));
    else if (mustAccept) {
      this.errand(this.now + minuteMs, (to) => to.halt({ reason: "the books differ" }));
      this.errand(this.now + 2 * minuteMs, (to) => to.resume({ reason: "the broker is right" }));
    }
    this.options.onEvening?.(session, nth);
  }
}
