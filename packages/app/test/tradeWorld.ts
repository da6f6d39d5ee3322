import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { usSettlement } from "@pf/compliance";
import { newYorkToUtcMs, type SessionDate, sessionDate, type Ticker, xnys } from "@pf/market";
import { centsOfDollars, quantityOfShares } from "@pf/orders";
import { parseScenario, type Simulator, type SimulatorOptions, startSimulator } from "@pf/tws-sim";
import { readConfiguration } from "../src/configuration.js";
import { type Entry, openJournal } from "../src/journal/journal.js";
import type { TradeSetting } from "../src/trade/atBroker.js";
import type { ReconcileDocument } from "../src/trade/documents.js";
import {
  reconcileAccount,
  type TradeOutcome,
  type TradeRequest,
  tradeAccount,
} from "../src/trade/service.js";
import { foldTrade, type TradeEvent, type TradeState } from "../src/trade/state.js";

export const universe: readonly Ticker[] = ["SPY", "QQQ", "TLT", "GLD", "BITO"];
export const firstSession = sessionDate("2025-06-02");
/** Waits that leave room for a few restarts in a window of five minutes. */
export const quickTimes = {
  acknowledgeMs: 12_000,
  settleMs: 1_000,
  graceMs: 6_000,
  commissionMs: 4_000,
  pollMs: 6_000,
  reconnectMs: 20_000,
  unknownAfterMs: 40_000,
  askMs: 6_000,
} as const;
/** How many times faster than ours the simulator's clock runs. */
const speed = 20;

/** Two settings that want other holdings of the same market: each sells what the other bought, and buys. */
export const turns = [
  ["selection.top_n=2", "weights.max_weight_per_asset=0.45"],
  ["selection.top_n=1", "weights.max_weight_per_asset=0.3"],
  ["selection.top_n=3", "weights.max_weight_per_asset=0.2"],
] as const;

export interface TradeWorld extends AsyncDisposable {
  readonly sim: Simulator;
  readonly folder: string;
  trade(
    request?: TradeRequest,
    setting?: Partial<TradeSetting>,
    overrides?: readonly string[],
  ): Promise<TradeOutcome>;
  /** Looks without trading; lets the process die as {@link TradeSetting.onStep} wants. */
  reconcile(setting?: Partial<TradeSetting>, overrides?: readonly string[]): Promise<ReconcileDocument>;
  /** Moves the simulator to so many seconds before a session's close. */
  goTo(session: SessionDate, secondsBeforeClose?: number): Promise<void>;
  state(): TradeState;
  /** Everything the journal holds. */
  entries(): readonly Entry<TradeEvent>[];
  /** How many orders the broker ever took under each of our names. */
  takenByReference(): ReadonlyMap<string, number>;
  /** Ids of all executions the broker ever made for orders of ours. */
  executed(): readonly string[];
  /** What the broker holds, in ten-thousandths of a share, and all its cash in cents. */
  broker(): { readonly positions: Readonly<Record<Ticker, number>>; readonly cash: number };
  loaded(overrides?: readonly string[]): ReturnType<typeof readConfiguration>;
  setting(): TradeSetting;
}

/** A simulated broker five minutes before a close, and an account to trade there. */
export async function tradeWorld(options: SimulatorOptions = {}, rules?: string): Promise<TradeWorld> {
  const folder = mkdtempSync(join(tmpdir(), "pf-trade-"));
  const sim = await startSimulator({
    startUtcMs: newYorkToUtcMs(firstSession, "15:55") + 5_000,
    pacing: "off",
    speed,
    intraday: "close",
    ...(rules === undefined ? {} : { scenario: parseScenario(`rules:\n${rules}`) }),
    ...options,
  });
  const clock = { nowUtcMs: () => sim.now() };
  const account = sim.accounts[0]!;
  const taken = new Map<string, Set<string>>();
  const executions: string[] = [];
  sim.venue.onEvent((event) => {
    const { order, permId } =
      event.kind === "status" || event.kind === "error" ? event.state : event.execution.order;
    if (!order.orderRef.startsWith("pf/")) return;
    taken.set(order.orderRef, (taken.get(order.orderRef) ?? new Set()).add(permId));
    if (event.kind === "execution") executions.push(event.execution.execId);
  });
  const entries = () => {
    const identity = { mode: "paper", account, venue: "tws-sim:synthetic:42" } as const;
    const journal = openJournal<TradeEvent>(join(folder, "state"), identity, clock);
    try {
      return journal.entries();
    } finally {
      journal.close();
    }
  };
  const setting = (): TradeSetting => ({
    dataFolder: join(folder, "data"),
    outFolder: join(folder, "reports"),
    stateFolder: join(folder, "state"),
    version: "0.0.0-test",
    calendar: xnys,
    clock,
    extensions: {},
    onProgress: () => {},
    broker: {
      messagesPerSecond: 5000,
      heartbeatMs: 0,
      // Times are simulated ones, and a busy machine must not look like a silent broker.
      connectMs: 200_000,
      handshakeMs: 200_000,
      orderTimes: quickTimes,
      timers: {
        nowUtcMs: clock.nowUtcMs,
        after(ms, callback) {
          const timer = setTimeout(callback, ms / speed);
          return () => clearTimeout(timer);
        },
      },
    },
  });
  const loaded = (overrides: readonly string[] = []) =>
    readConfiguration(
      {
        overrides: [
          `ibkr.port=${sim.port}`,
          "ibkr.start=2024-06-03",
          `universe=[${universe.join(", ")}]`,
          "ibkr.market_mode=live",
          "rebalance.min_weight_change=0",
          "selection.corr_cap=1",
          "costs.commission_plan=ibkr_tiered",
          ...overrides,
        ],
      },
      {},
    );
  return {
    sim,
    folder,
    setting,
    loaded,
    async trade(request = { mode: "paper" }, more = {}, overrides = []) {
      return tradeAccount(request, await loaded(overrides), { ...setting(), ...more });
    },
    async reconcile(more = {}, overrides = []) {
      return reconcileAccount({ mode: "paper" }, await loaded(overrides), { ...setting(), ...more });
    },
    async goTo(session, secondsBeforeClose = 290) {
      sim.setSpeed("frozen");
      await sim.advanceTo(xnys.closeUtcMs(session) - secondsBeforeClose * 1000);
      sim.setSpeed(speed);
    },
    entries,
    state: () => foldTrade(entries(), usSettlement),
    takenByReference: () => new Map([...taken].map(([reference, permIds]) => [reference, permIds.size])),
    executed: () => executions,
    broker: () => booksOf(sim, universe),
    async [Symbol.asyncDispose]() {
      await sim.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** What an account holds at the broker, in ten-thousandths of a share, and all its cash in cents. */
export function booksOf(
  { venue, accounts }: Simulator,
  symbols: readonly Ticker[],
): { readonly positions: Readonly<Record<Ticker, number>>; readonly cash: number } {
  const account = accounts[0]!;
  const any = { conId: 0, secType: "STK", exchange: "", primaryExchange: "", currency: "" };
  const names = new Map(
    symbols.flatMap((symbol) =>
      venue.contracts({ ...any, symbol }).map(({ conId }) => [conId, symbol] as const),
    ),
  );
  return {
    positions: Object.fromEntries(
      venue.positions(account).map(({ conId, quantity }) => [names.get(conId)!, quantityOfShares(quantity)]),
    ),
    cash: centsOfDollars(venue.summary(account).totalCashValue),
  };
}
