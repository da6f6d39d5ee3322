import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { usSettlement } from "@pf/compliance";
import { newYorkToUtcMs, type SessionDate, sessionDate } from "@pf/market";
import { centsOfDollars, quantityOfShares } from "@pf/orders";
import { type Simulator, type SimulatorOptions, startSimulator } from "@pf/tws-sim";
import type { ServiceContext } from "../src/context.js";
import { openJournal } from "../src/journal/journal.js";
import { SimulatedTime } from "../src/replay/time.js";
import { foldTrade, type TradeEvent } from "../src/trade/state.js";
import type { WorkerEvent } from "../src/worker/log.js";
import { createTradeWorker, type TradeWorkerSetting } from "../src/worker/run.js";

export interface Told {
  readonly key: string;
  readonly level: string;
  readonly title: string;
  readonly text: string;
}

/** A simulated broker and a worker, both on one simulated clock. */
export class WorkerWorld implements AsyncDisposable {
  readonly told: Told[] = [];
  readonly pings: string[] = [];
  readonly events: WorkerEvent[] = [];
  /** How often the broker took an order under each of our names. */
  readonly taken = new Map<string, Set<string>>();
  readonly executed: string[] = [];
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
      this.taken.set(order.orderRef, (this.taken.get(order.orderRef) ?? new Set()).add(permId));
      if (event.kind === "execution") this.executed.push(event.execution.execId);
    });
  }

  static async open(
    startsNewYork: readonly [day: string, time: string],
    options: SimulatorOptions = {},
    overrides: readonly string[] = [],
  ): Promise<WorkerWorld> {
    const [day, time] = startsNewYork;
    const sim = await startSimulator({
      startUtcMs: newYorkToUtcMs(sessionDate(day), time),
      speed: "frozen",
      pacing: "off",
      ...options,
    });
    return new WorkerWorld(sim, mkdtempSync(join(tmpdir(), "pf-worker-")), overrides);
  }

  get now(): number {
    return this.sim.now();
  }

  context(more: Partial<ServiceContext> = {}): TradeWorkerSetting["context"] {
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
        if (step === "claim") time.flow();
        else if (step === "done" || step === "halt" || step === "audit") time.stand();
      },
      ...more,
    };
  }

  /** Lets a worker live until a time in New York, or until it dies; gives what it died of. */
  async live(
    untilNewYork: readonly [day: string, time: string],
    more: Partial<TradeWorkerSetting> = {},
  ): Promise<unknown> {
    const [day, at] = untilNewYork;
    const stop = new AbortController();
    const { time } = this;
    const takeBack = time.timers.after(newYorkToUtcMs(sessionDate(day), at) - this.now, () =>
      stop.abort(new Error("the test is over")),
    );
    const worker = await createTradeWorker({
      mode: "paper",
      whose: "broker",
      context: this.context(),
      timers: time.timers,
      teller: {
        send: async (alert) => this.told.push(alert),
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
  broker(symbols: readonly string[] = ["SPY", "QQQ", "TLT", "GLD", "BITO"]) {
    const { venue, accounts } = this.sim;
    const names = new Map(
      symbols.flatMap((symbol) =>
        venue
          .contracts({
            conId: 0,
            symbol,
            secType: "STK",
            exchange: "",
            primaryExchange: "",
            currency: "",
          })
          .map(({ conId }) => [conId, symbol] as const),
      ),
    );
    return {
      positions: Object.fromEntries(
        venue
          .positions(accounts[0]!)
          .map(({ conId, quantity }) => [names.get(conId)!, quantityOfShares(quantity)]),
      ),
      cash: centsOfDollars(venue.summary(accounts[0]!).totalCashValue),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.sim.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
