import { accessSync, constants, mkdtempSync, readdirSync, rmSync, statfsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { commissionOf, complianceRulesOf, type LoadedConfig } from "@pf/config";
import type { SessionDate, TradingCalendar } from "@pf/market";
import { centsOfDollars, commissionPlan } from "@pf/orders";
import type { Extensions } from "@pf/selection";
import type { SimulatedSymbol, Simulator } from "@pf/tws-sim";
import { accountOf } from "../broker.js";
import { describeFailure } from "../failures.js";
import type { TradeDocument } from "../trade/documents.js";
import { tradeAccount } from "../trade/service.js";
import type { LiveRecord, SessionRecord } from "./record.js";
import { SimulatedTime } from "./time.js";

/** What the live path is run with. */
export interface LiveSetting {
  readonly version: string;
  readonly calendar: TradingCalendar;
  readonly extensions: Extensions;
  readonly intraday: "close" | "path";
  readonly signal?: AbortSignal;
}

/** Where nothing is awaited but the broker: from the claim of a session to the end of its rebalance. */
const flowsFrom = "claim";
const standsFrom: ReadonlySet<string> = new Set(["done", "halt", "audit"]);

/** A simulated broker with one account, and the one who trades it by the live path from folders of its own. */
export class LiveWorld {
  private readonly time: SimulatedTime;

  private constructor(
    private readonly simulator: Simulator,
    private readonly folder: string,
    private readonly symbols: readonly SimulatedSymbol[],
    private readonly loaded: LoadedConfig,
    private readonly setting: LiveSetting,
  ) {
    this.time = new SimulatedTime(simulator);
  }

  /** Opens both on the morning of a session, with the initial cash in the account and nothing else. */
  static async open(
    symbols: readonly SimulatedSymbol[],
    first: SessionDate,
    loaded: LoadedConfig,
    setting: LiveSetting,
  ): Promise<LiveWorld> {
    const { backtest, compliance, execution } = loaded.config;
    const { calendar, intraday } = setting;
    const { name, perShare } = commissionOf(loaded.config);
    const { startSimulator } = await import("@pf/tws-sim");
    const simulator = await startSimulator({
      accounts: [{ id: accountOf(loaded.config, "paper"), cashCents: centsOfDollars(backtest.initialCash) }],
      symbols,
      market: "replay",
      seed: backtest.seed,
      calendar,
      startUtcMs: calendar.openUtcMs(first) - 60_000,
      speed: "frozen",
      intraday,
      fractional: execution.quantity === "fractional" ? "accept" : "reject",
      exchange: {
        commission: commissionPlan(name, perShare),
        unsettledProceeds: compliance.settledCash === "permissive" ? "spend" : "refuse",
      },
      pacing: "off",
    });
    const folder = mkdtempSync(join(quickFolder(), `pf-replay-${process.pid}-`));
    return new LiveWorld(simulator, folder, symbols, loaded, setting);
  }

  /**
   * Trades a session as `pf trade --paper` does, at the time it is scheduled for, and tells how the account stands at the
   * close. Bars that the live path does not decide on are part of the record.
   *
   * @throws everything else that the live path throws
   */
  async trade(session: SessionDate): Promise<LiveRecord> {
    const { simulator, setting } = this;
    const closes = setting.calendar.closeUtcMs(session);
    await simulator.advanceTo(closes - beforeClose(this.loaded, setting.intraday));
    const traded = await this.time.during(this.rebalance(session)).catch((error: unknown) => {
      // Missing or unusable bars: it says no more today, and tries again tomorrow.
      if (!(error instanceof Error) || describeFailure(error).exit !== 3) throw error;
      return error;
    });
    // The close, and what ends with it.
    await simulator.advanceTo(closes + 1_000);
    this.tidy();
    const { settledCash, netLiquidation } = simulator.venue.summary(simulator.accounts[0]!);
    const stands = { session, settled: centsIn(settledCash), equity: centsIn(netLiquidation) };
    if (traded instanceof Error) {
      const nothing = { fills: [], waiting: {}, blocked: [], asOf: null, weights: null, halted: false };
      return { ...stands, ...nothing, outcome: "failed", detail: traded.message };
    }
    return { ...stands, ...told(traded) };
  }

  /** Ends it, and takes its folders away. */
  async close(): Promise<void> {
    await this.simulator.close();
    rmSync(this.folder, { recursive: true, force: true });
  }

  private async rebalance(session: SessionDate): Promise<TradeDocument> {
    const { simulator, folder, setting, time } = this;
    const { signal } = setting;
    const { document } = await tradeAccount({ mode: "paper" }, this.configOn(session), {
      dataFolder: join(folder, "data"),
      outFolder: join(folder, "reports"),
      stateFolder: join(folder, "state"),
      version: setting.version,
      calendar: setting.calendar,
      clock: { nowUtcMs: () => simulator.now() },
      extensions: setting.extensions,
      onProgress: () => {},
      broker: { timers: time.timers, messagesPerSecond: 1e6, heartbeatMs: 0, reconnect: false },
      onStep(step) {
        if (step === flowsFrom) time.flow();
        else if (standsFrom.has(step)) time.stand();
      },
      ...(signal ? { signal } : {}),
    });
    return document;
  }

  /** The configuration with the simulator's address, and of the universe what exists by then. */
  private configOn(session: SessionDate): LoadedConfig {
    const { simulator, loaded, symbols, setting } = this;
    const { config } = loaded;
    const before = setting.calendar.previous(session);
    const listed = new Set(
      symbols.flatMap(({ adjusted }) => (adjusted.sessions[0]! <= before ? [adjusted.ticker] : [])),
    );
    const { host, port } = simulator;
    return {
      ...loaded,
      config: {
        ...config,
        universe: config.universe.filter((symbol) => listed.has(symbol)),
        ibkr: { ...config.ibkr, host, port, marketMode: "live" },
      },
    };
  }

  /** Copies and logs are for people, and nobody will look at these. */
  private tidy(): void {
    const state = join(this.folder, "state");
    for (const name of namesIn(state)) {
      if (name.endsWith(".bak.sqlite")) rmSync(join(state, name), { force: true });
    }
    rmSync(join(this.folder, "reports"), { recursive: true, force: true });
  }
}

/** What the live path makes sure is on the disk is not worth the wait here: memory, where there is a folder of it. */
function quickFolder(): string {
  const memory = "/dev/shm";
  try {
    accessSync(memory, constants.W_OK);
    const { bavail, bsize } = statfsSync(memory);
    return bavail * bsize > enoughBytes ? memory : tmpdir();
  } catch {
    return tmpdir();
  }
}

/** Eleven years of nine symbols take 40 MB. */
const enoughBytes = 2 ** 29;

/** When the session is scheduled for; where prices shall stand at the close, not before they do. */
function beforeClose({ config }: LoadedConfig, intraday: "close" | "path"): number {
  const { opensBeforeCloseMs } = complianceRulesOf(config).window;
  return intraday === "close" ? Math.min(opensBeforeCloseMs, standsBeforeCloseMs) : opensBeforeCloseMs;
}

/** How long before the close the simulator's prices are the close. */
const standsBeforeCloseMs = 5 * 60_000;

/** What a rebalance tells of itself. */
function told(document: TradeDocument): Omit<LiveRecord, "session" | "settled" | "equity"> {
  const { outcome, detail, asOf, weights, plan, verdict, halted } = document;
  const isReviewed = plan !== null && verdict !== null && outcome !== "halted_before";
  const fills: SessionRecord["fills"] = isReviewed
    ? document.fills.map(({ symbol, side, quantity, price, commission }) => ({
        session: document.session,
        symbol,
        side,
        quantity,
        price,
        fee: commission ?? 0,
      }))
    : [];
  const waits = isReviewed && verdict.ok && !plan.complete ? plan.symbols : [];
  return {
    fills,
    waiting: Object.fromEntries(
      waits.flatMap(({ symbol, deferred }) => (deferred ? [[symbol, deferred.reason] as const] : [])),
    ),
    blocked:
      isReviewed && !verdict.ok ? verdict.checks.filter(({ passed }) => !passed).map(({ name }) => name) : [],
    outcome,
    detail,
    asOf,
    weights,
    halted: halted !== null,
  };
}

function centsIn(dollars: string): number {
  return Math.round(Number(dollars) * 100);
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}
