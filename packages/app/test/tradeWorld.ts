import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { usSettlement } from "@pf/compliance";
import { newYorkToUtcMs, type SessionDate, sessionDate, xnys } from "@pf/market";
import { parseScenario, type Simulator, type SimulatorOptions, startSimulator } from "@pf/tws-sim";
import { readConfiguration } from "../src/configuration.js";
import { openJournal } from "../src/journal/journal.js";
import {
  type TradeOutcome,
  type TradeRequest,
  type TradeSetting,
  tradeAccount,
} from "../src/trade/service.js";
import { foldTrade, type TradeEvent, type TradeState } from "../src/trade/state.js";

export const firstSession = sessionDate("2025-06-02");
/** Waits that leave room for a few restarts in a window of five minutes. */
export const quickTimes = {
  acknowledgeMs: 12_000,
  settleMs: 1_000,
  graceMs: 6_000,
  commissionMs: 4_000,
  pollMs: 6_000,
  reconnectMs: 20_000,
  unknownAfterMs: 25_000,
  askMs: 10_000,
} as const;
/** How many times faster than ours the simulator's clock runs. */
const speed = 20;

export interface TradeWorld extends AsyncDisposable {
  readonly sim: Simulator;
  readonly folder: string;
  trade(
    request?: TradeRequest,
    setting?: Partial<TradeSetting>,
    overrides?: readonly string[],
  ): Promise<TradeOutcome>;
  /** Moves the simulator to so many seconds before a session's close. */
  goTo(session: SessionDate, secondsBeforeClose?: number): Promise<void>;
  state(): TradeState;
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
          "ibkr.market_mode=live",
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
    async goTo(session, secondsBeforeClose = 290) {
      sim.setSpeed("frozen");
      await sim.advanceTo(xnys.closeUtcMs(session) - secondsBeforeClose * 1000);
      sim.setSpeed(speed);
    },
    state() {
      const venue = "tws-sim:synthetic:42";
      const journal = openJournal<TradeEvent>(
        join(folder, "state"),
        { mode: "paper", account: sim.accounts[0]!, venue },
        clock,
      );
      try {
        return foldTrade(journal.entries(), usSettlement);
      } finally {
        journal.close();
      }
    },
    async [Symbol.asyncDispose]() {
      await sim.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
