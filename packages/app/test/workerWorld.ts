import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { usSettlement } from "@pf/compliance";
import { newYorkToUtcMs, type SessionDate, sessionDate } from "@pf/market";
import { parseScenario, type Simulator, type SimulatorOptions, startSimulator } from "@pf/tws-sim";
import type { ServiceContext } from "../src/context.js";
import { openJournal } from "../src/journal/journal.js";
import { SimulatedTime } from "../src/replay/time.js";
import { createServices, type Services } from "../src/services.js";
import { foldTrade, type TradeEvent } from "../src/trade/state.js";
import { type WorkerEvent, WorkerLog } from "../src/worker/log.js";
import { createTradeWorker, type TradeWorkerSetting } from "../src/worker/run.js";
import { booksOf } from "./tradeWorld.js";

/** A time in New York. */
export type NewYork = readonly [day: string, time: string];

export interface Told {
  readonly atUtcMs: number;
  readonly key: string;
  readonly level: string;
  readonly title: string;
  readonly text: string;
}

/** A simulated broker and a worker, both on one simulated clock. */
export class WorkerWorld implements AsyncDisposable {
  readonly told: Told[] = [];
  readonly pings: string[] = [];
  /** Whether no channel takes anything. */
  isDeaf = false;
  readonly events: WorkerEvent[] = [];
  /** How often the broker took an order under each of our names. */
  readonly taken = new Map<string, Set<string>>();
  readonly executed: string[] = [];
  /** When the broker took orders of ours. */
  readonly orderTimes: number[] = [];
  private readonly time: SimulatedTime;

  private constructor(
    readonly sim: Simulator,
    readonly folder: string,
    private readonly overrides: readonly string[],
  ) {
    this.time = new SimulatedTime(sim);
    sim.venue.onEvent((event) => {
      const { order, permId } =
        event.kind === "status" || event.kind === "error" ? event.state : event.execution.order;
      if (!order.orderRef.startsWith("pf/")) return;
      if (!this.taken.has(order.orderRef)) this.orderTimes.push(sim.now());
      this.taken.set(order.orderRef, (this.taken.get(order.orderRef) ?? new Set()).add(permId));
      if (event.kind === "execution") this.executed.push(event.execution.execId);
    });
  }

  static async open(
    starts: NewYork,
    options: SimulatorOptions = {},
    overrides: readonly string[] = [],
  ): Promise<WorkerWorld> {
    const sim = await startSimulator({
      startUtcMs: instantOf(starts),
      speed: "frozen",
      pacing: "off",
      ...options,
    });
    return new WorkerWorld(sim, mkdtempSync(join(tmpdir(), "pf-worker-")), overrides);
  }

  get now(): number {
    return this.sim.now();
  }

  context(
    more: Partial<ServiceContext> = {},
    told: (step: string) => void = () => {},
  ): TradeWorkerSetting["context"] {
    const { sim, folder, time } = this;
    return {
      configuration: {
        overrides: [
          `ibkr.port=${sim.port}`,
          "ibkr.start=2024-06-03",
          "universe=[SPY, QQQ, TLT, GLD, BITO]",
          "ibkr.market_mode=live",
          "rebalance.min_weight_change=0",
          "selection.corr_cap=1",
          ...this.overrides,
        ],
      },
      folders: { data: join(folder, "data"), out: join(folder, "reports"), state: join(folder, "state") },
      version: "0.0.0-test",
      broker: { timers: time.timers, messagesPerSecond: 1e6, heartbeatMs: 0, reconnect: false },
      onStep(step) {
        told(step);
        if (step === "claim" || step === "ask" || step === "place") time.flow();
        else if (step === "done" || step === "halt" || step === "audit") time.stand();
      },
      ...more,
    };
  }

  /** Lets a worker live until a time in New York, or until it dies; gives what it died of. */
  async live(
    until: NewYork,
    more: Partial<TradeWorkerSetting> = {},
    onStep: (step: string) => void = () => {},
  ): Promise<unknown> {
    const stop = new AbortController();
    const { time } = this;
    const takeBack = time.timers.after(instantOf(until) - this.now, () =>
      stop.abort(new Error("the test is over")),
    );
    const worker = await createTradeWorker({
      mode: "paper",
      whose: "broker",
      context: this.context({}, onStep),
      timers: time.timers,
      teller: {
        isHeard: true,
        send: async (alert) => {
          if (this.isDeaf) return false;
          this.told.push({ ...alert, atUtcMs: this.now });
          return true;
        },
        ping: async (state) => this.pings.push(state),
      },
      signal: stop.signal,
      longestSleepMs: Number.POSITIVE_INFINITY,
      onChange: () => {
        if (worker.snapshot().activity.kind === "working") time.stand();
        else time.flow();
      },
      onEvent: (event) => this.events.push(event),
      ...more,
    });
    try {
      await time.during(worker.run());
      return undefined;
    } catch (error) {
      return error;
    } finally {
      takeBack();
    }
  }

  /** Takes the broker away for a while, without any message to anybody. */
  shut(from: NewYork, to: NewYork): void {
    const down = (instantOf(to) - instantOf(from)) / 1000;
    this.time.timers.after(instantOf(from) - this.now, () => this.sim.trigger({ restart: { down } }));
  }

  /** Lets the broker keep to itself for a while what a rule of a scenario names. */
  underRule(rule: string, from: NewYork, to: NewYork): void {
    const { timers } = this.time;
    let end = () => {};
    timers.after(instantOf(from) - this.now, () => {
      end = this.sim.addScenario(parseScenario(`rules:\n  - ${rule}\n`));
    });
    timers.after(instantOf(to) - this.now, () => end());
  }

  /** Lets no channel take anything for a while. */
  deafen(from: NewYork, to: NewYork): void {
    const { timers } = this.time;
    timers.after(instantOf(from) - this.now, () => {
      this.isDeaf = true;
    });
    timers.after(instantOf(to) - this.now, () => {
      this.isDeaf = false;
    });
  }

  /** The log of a worker that nobody runs at the moment. */
  workerLog(): WorkerLog {
    const whose = { mode: "paper", account: this.sim.accounts[0]!, venue: "simulated" } as const;
    return WorkerLog.open(join(this.folder, "state"), whose, { nowUtcMs: () => this.now });
  }

  /** Time goes by, and no worker is there. */
  async goTo(when: NewYork): Promise<void> {
    await this.sim.advanceTo(instantOf(when));
  }

  /** The clock of a machine that sleeps for a while: whatever was to happen meanwhile happens when it wakes. */
  sleepy(from: NewYork, to: NewYork): TradeWorkerSetting["timers"] {
    const { timers } = this.time;
    const [asleep, awake] = [instantOf(from), instantOf(to)];
    return {
      nowUtcMs: timers.nowUtcMs,
      after(ms, callback) {
        const due = timers.nowUtcMs() + ms;
        return timers.after(due > asleep && due < awake ? awake - timers.nowUtcMs() : ms, callback);
      },
    };
  }

  services(): Services {
    return createServices({ ...this.context(), clock: this.time.timers });
  }

  /** What comes of another worker that is started for the same account. */
  async startedBeside(): Promise<unknown> {
    const worker = await createTradeWorker({
      mode: "paper",
      whose: "broker",
      context: this.context(),
      timers: this.time.timers,
      teller: { isHeard: true, send: async () => true, ping: async () => {} },
      signal: new AbortController().signal,
    });
    return worker.run().then(
      () => undefined,
      (error: unknown) => error,
    );
  }

  /** What the account's journal says. */
  state() {
    const account = this.sim.accounts[0]!;
    const identity = { mode: "paper", account, venue: "tws-sim:synthetic:42" } as const;
    const journal = openJournal<TradeEvent>(join(this.folder, "state"), identity, {
      nowUtcMs: () => this.now,
    });
    try {
      return foldTrade(journal.entries(), usSettlement);
    } finally {
      journal.close();
    }
  }

  ended(): readonly (readonly [SessionDate, string, string | null])[] {
    return this.events.flatMap((event) =>
      event.kind === "ended" ? [[event.session, event.result, event.outcome] as const] : [],
    );
  }

  /** What the broker holds, in ten-thousandths of a share, and all its cash in cents. */
  broker() {
    return booksOf(this.sim, ["SPY", "QQQ", "TLT", "GLD", "BITO"]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.sim.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function instantOf([day, time]: NewYork): number {
  const [hours, minutes, seconds = "0"] = time.split(":");
  return newYorkToUtcMs(sessionDate(day), `${hours}:${minutes}`) + Number(seconds) * 1000;
}
