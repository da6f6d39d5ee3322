import { createHash } from "node:crypto";
import type { LoadedConfig } from "@pf/config";
import {
  addMonths,
  isCivilDate,
  newYorkDateOf,
  newYorkToUtcMs,
  type SessionDate,
  type Ticker,
  type TradingCalendar,
} from "@pf/market";
import { type Cents, centsOfDollars } from "@pf/orders";
import type { SimulatedSymbol, Simulator, SimulatorSpeed } from "@pf/tws-sim";
import { earlierOf } from "./dates.js";
import { EmptyCacheError, RequestError } from "./errors.js";
import type { Clock } from "./ports.js";

export interface SimRequest {
  /** Address to listen on; naming one that other machines reach lets them in. Default: this machine only. */
  readonly host?: string;
  /** 0 lets the system choose. Default: 7497, as TWS with a paper account. */
  readonly port?: number;
  /** Default: `ibkr.account_paper`. */
  readonly account?: string;
  /** Settled dollars at the start. Default: 25000. */
  readonly cash?: string;
  /** Simulated time at the start, ISO 8601; without a zone it is New York's. Default: half an hour before a close. */
  readonly clock?: string;
  /** `frozen`, `max`, or how many times real time. Default: 1. */
  readonly speed?: string;
  readonly fractional?: "reject" | "accept";
  /** A file that says what goes wrong, and when. */
  readonly scenario?: string;
  /** A file that gets every message of both directions. */
  readonly wireLog?: string;
  /** Serve the bars of the cache instead of a synthetic market. */
  readonly bars?: boolean;
}

/** What is printed when the simulator is ready. */
export interface SimDocument {
  readonly listening: { readonly host: string; readonly port: number };
  readonly account: string;
  /** Simulated time, ISO 8601. */
  readonly clock: string;
  /** What the market is; equal names mean equal bars. */
  readonly market: string;
  readonly symbols: readonly Ticker[];
}

export interface RunningSimulator {
  readonly document: SimDocument;
  /** Whether other machines can connect. */
  readonly remote: boolean;
  /** Resolves when everything is closed: after {@link close}, or when the signal of the services aborts. */
  readonly ended: Promise<void>;
  close(): Promise<void>;
}

export interface SimSetting {
  readonly dataFolder: string;
  readonly calendar: TradingCalendar;
  readonly clock: Clock;
  readonly signal?: AbortSignal;
}

/**
 * Starts a simulator of TWS that runs until it is closed.
 *
 * @throws RequestError for values that mean nothing
 * @throws EmptyCacheError when the bars of an empty cache shall be served
 * @throws what the simulator throws: a port in use, a scenario that cannot be read, a log that cannot be written
 */
export async function startSim(
  request: SimRequest,
  { config }: LoadedConfig,
  { dataFolder, calendar, clock, signal }: SimSetting,
): Promise<RunningSimulator> {
  const { host = "127.0.0.1", port = 7497, account = config.ibkr.accountPaper, scenario, wireLog } = request;
  const cashCents = centsIn(request.cash ?? "25000");
  const speed = speedIn(request.speed ?? "1");
  const startUtcMs = request.clock === undefined ? undefined : instantIn(request.clock, calendar);
  const { loadScenario, startSimulator } = await import("@pf/tws-sim");
  const rules = scenario === undefined ? undefined : await loadScenario(scenario);
  const { market, symbols, lastSession } = request.bars
    ? await cachedMarket(dataFolder, config.universe)
    : await syntheticMarket(config, startUtcMs ?? clock.nowUtcMs(), calendar);
  const from = startUtcMs ?? defaultStart(clock.nowUtcMs(), lastSession, calendar);
  const remote = !isLoopback(host);
  const simulator = await startSimulator({
    host,
    port,
    allowRemote: remote,
    accounts: [{ id: account, cashCents }],
    symbols,
    market,
    seed: config.data.synthetic.seed,
    calendar,
    startUtcMs: from,
    speed,
    fractional: request.fractional ?? "reject",
    ...(rules ? { scenario: rules } : {}),
    ...(wireLog === undefined ? {} : { wireLog }),
  });
  const document: SimDocument = {
    listening: { host: simulator.host, port: simulator.port },
    account: simulator.accounts[0]!,
    clock: new Date(from).toISOString(),
    market,
    symbols: symbols.map(({ adjusted }) => adjusted.ticker),
  };
  return { document, remote, ...runUntilStopped(simulator, signal) };
}

function runUntilStopped(
  simulator: Simulator,
  signal: AbortSignal | undefined,
): Pick<RunningSimulator, "ended" | "close"> {
  let closing: Promise<void> | undefined;
  let finish: (closed: Promise<void>) => void = () => {};
  const ended = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const close = () => {
    closing ??= simulator.close();
    finish(closing);
    return closing;
  };
  // Whatever goes wrong while it closes is heard by who waits for the end.
  const stop = () => void close().catch(() => ended);
  if (signal?.aborted) stop();
  else signal?.addEventListener("abort", stop, { once: true });
  return { ended, close };
}

interface Market {
  /** Equal names mean equal bars. */
  readonly market: string;
  readonly symbols: readonly SimulatedSymbol[];
  readonly lastSession: SessionDate;
}

/** Enough to simulate two years beyond the start, as far as the calendar knows them. */
async function syntheticMarket(
  { data, ibkr, universe }: LoadedConfig["config"],
  startUtcMs: number,
  calendar: TradingCalendar,
): Promise<Market> {
  const { syntheticSource } = await import("@pf/bars");
  const source = syntheticSource({ seed: data.synthetic.seed, calendar });
  const to = earlierOf(addMonths(newYorkDateOf(startUtcMs), 24), calendar.last);
  const symbols: SimulatedSymbol[] = [];
  for (const ticker of universe) {
    const { adjusted, trades } = await source.fetch(ticker, ibkr.start as SessionDate, to);
    // A symbol that begins later than this market ends does not exist in it.
    if (adjusted.sessions.length > 0) symbols.push({ adjusted, ...(trades ? { trades } : {}) });
  }
  return { market: source.name, symbols, lastSession: calendar.onOrBefore(to) };
}

async function cachedMarket(dataFolder: string, universe: readonly Ticker[]): Promise<Market> {
  const { openBarCache } = await import("@pf/bars");
  const cache = openBarCache(dataFolder);
  const symbols: SimulatedSymbol[] = [];
  const content = createHash("sha256");
  for (const ticker of cache.tickers()) {
    const [adjusted, trades] = [await cache.read(ticker), await cache.read(ticker, "trades")];
    if (!adjusted) continue;
    symbols.push({ adjusted: adjusted.series, ...(trades ? { trades: trades.series } : {}) });
    content.update(`${ticker} ${adjusted.hash} ${trades?.hash ?? ""}\n`);
  }
  const [last] = symbols
    .map(({ adjusted }) => adjusted.sessions.at(-1)!)
    .sort()
    .reverse();
  if (last === undefined) throw new EmptyCacheError(universe, dataFolder);
  return { market: `bars:${content.digest("hex").slice(0, 12)}`, symbols, lastSession: last };
}

/** Half an hour before a close: of the day, or of the last session with bars where that is earlier. */
function defaultStart(nowUtcMs: number, lastSession: SessionDate, calendar: TradingCalendar): number {
  const today = earlierOf(newYorkDateOf(nowUtcMs), calendar.last);
  const session = calendar.onOrBefore(earlierOf(today, lastSession));
  return calendar.closeUtcMs(session) - 30 * 60_000;
}

function centsIn(text: string): Cents {
  if (!/^\d{1,12}(?:\.\d{1,2})?$/.test(text))
    throw new RequestError(`${JSON.stringify(text)} is no amount of dollars`, "write it as in --cash 25000");
  return centsOfDollars(text);
}

function speedIn(text: string): SimulatorSpeed {
  if (text === "max" || text === "frozen") return text;
  const times = Number(text);
  if (text.trim() !== "" && Number.isFinite(times) && times > 0) return times;
  throw new RequestError(
    `${JSON.stringify(text)} is no speed`,
    "write --speed max, --speed frozen, or how many times real time, as in --speed 60",
  );
}

/** An ISO 8601 time; a time without a zone is New York's. */
function instantIn(text: string, calendar: TradingCalendar): number {
  const local = /^(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2})(?::(\d{2})(?:\.\d+)?)?$/.exec(text);
  const zoned = /^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})$/i.test(text);
  let utcMs = zoned ? Date.parse(text.replace(" ", "T")) : Number.NaN;
  if (local && isCivilDate(local[1]!) && local[2]! < "24:00")
    utcMs = newYorkToUtcMs(local[1], local[2]!) + Number(local[3] ?? 0) * 1000;
  if (!Number.isFinite(utcMs)) {
    throw new RequestError(
      `${JSON.stringify(text)} is no time`,
      "write it as in --clock 2025-06-30T15:30 (New York), or with a zone: 2025-06-30T19:30:00Z",
    );
  }
  const day = newYorkDateOf(utcMs);
  if (day < calendar.first || day > calendar.last) {
    throw new RequestError(
      `the calendar knows ${calendar.first} to ${calendar.last}, and ${text} lies outside`,
      "choose a time within these years",
    );
  }
  return utcMs;
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127\.\d+\.\d+\.\d+$/.test(host);
}
