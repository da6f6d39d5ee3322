import { isIP } from "node:net";
import { syntheticSource, syntheticTickers } from "@pf/bars";
import { newYorkToUtcMs, type SessionDate, sessionDate, type TradingCalendar, xnys } from "@pf/market";
import { SimulatorOptionsError } from "./errors.js";
import type { SimulatedSymbol, Simulator, SimulatorOptions } from "./options.js";
import { assertSpeed, Terminal } from "./server/terminal.js";
import { WireLog } from "./server/wireLog.js";
import { createVenue } from "./venue/create.js";
import type { Venue } from "./venue/venue.js";
import { maxServerVersion, minServerVersion } from "./wire/versions.js";

/**
 * Starts a Trader Workstation that is none: it speaks the same protocol on a port of its own, with a market, accounts
 * and a clock that never were. Clients of the TWS API connect to it unchanged.
 *
 * The same options, the same requests at the same simulated instants and the same seed give the same answers, ids
 * included. Nothing in them comes from the real clock.
 *
 * @returns when the port is open
 * @throws SimulatorOptionsError for options that make no simulator
 * @throws PortInUseError when another program listens on the port
 * @throws ScenarioError when a rule of the scenario is about a time before the start
 * @throws WireLogError when the wire log cannot be written
 * @throws VenueOptionsError when symbols and accounts make no market
 */
export async function startSimulator(options: SimulatorOptions = {}): Promise<Simulator> {
  assertOptions(options);
  const { calendar = xnys, seed = 42, speed = 1, host = "127.0.0.1" } = options;
  const venue = options.venue ?? (await builtInVenue(options, calendar));
  const endOfCalendar = newYorkToUtcMs(calendar.last, "23:59");
  const log = options.wireLog === undefined ? undefined : new WireLog(options.wireLog, () => venue.nowUtcMs);
  const isOwnMarket = options.symbols !== undefined || options.venue !== undefined;
  const terminal = new Terminal(
    venue,
    calendar,
    {
      host,
      port: options.port ?? 0,
      market: options.market ?? (isOwnMarket ? "own" : `synthetic:${seed}`),
      endUtcMs: Math.min(options.endUtcMs ?? endOfCalendar, endOfCalendar),
      marketData: options.marketData ?? "live",
      isReadOnly: options.readOnly ?? false,
      pacing: options.pacing ?? "soft",
      maxClients: options.maxClients ?? 64,
      masterClientId: options.masterClientId,
      serverVersion: options.serverVersion ?? maxServerVersion,
    },
    log,
  );
  try {
    if (options.scenario) terminal.addScenario(options.scenario);
    await terminal.open();
    log?.begin();
  } catch (error) {
    await terminal.close();
    throw error;
  }
  terminal.setSpeed(speed);
  return terminal;
}

async function builtInVenue(options: SimulatorOptions, calendar: TradingCalendar): Promise<Venue> {
  const { seed = 42, accounts = [{ id: "DUK200445", cashCents: 2_500_000 }] } = options;
  const symbols = options.symbols ?? (await syntheticSymbols(seed, calendar));
  return createVenue({
    instruments: symbols,
    accounts: accounts.map(({ id, cashCents, positions = [] }) => ({ id, cash: cashCents / 100, positions })),
    startUtcMs: options.startUtcMs ?? halfAnHourBeforeTheEnd(symbols, calendar),
    seed,
    calendar,
    fractional: options.fractional ?? "reject",
    intraday: options.intraday ?? "path",
    ...options.exchange,
  });
}

/** The market made last: who starts simulators in tests starts many of the same. A venue changes nothing of its bars. */
let lastMade:
  | {
      readonly seed: number | string;
      readonly calendar: TradingCalendar;
      readonly symbols: Promise<readonly SimulatedSymbol[]>;
    }
  | undefined;

function syntheticSymbols(
  seed: number | string,
  calendar: TradingCalendar,
): Promise<readonly SimulatedSymbol[]> {
  if (lastMade?.seed !== seed || lastMade.calendar !== calendar)
    lastMade = { seed, calendar, symbols: makeSymbols(seed, calendar) };
  return lastMade.symbols;
}

async function makeSymbols(
  seed: number | string,
  calendar: TradingCalendar,
): Promise<readonly SimulatedSymbol[]> {
  const source = syntheticSource({ seed, calendar });
  const [from, to] = [sessionDate("2015-01-02"), sessionDate("2026-12-31")];
  return Promise.all(
    syntheticTickers(9).map(async (ticker) => {
      const { adjusted, trades } = await source.fetch(ticker, from, to);
      return trades ? { adjusted, trades } : { adjusted };
    }),
  );
}

function halfAnHourBeforeTheEnd(symbols: readonly SimulatedSymbol[], calendar: TradingCalendar): number {
  const last = symbols.reduce<SessionDate | undefined>((latest, { adjusted }) => {
    const own = adjusted.sessions.at(-1);
    return own !== undefined && (latest === undefined || own > latest) ? own : latest;
  }, undefined);
  if (last === undefined)
    throw new SimulatorOptionsError("symbols", "there is no bar", "give symbols with daily bars");
  return calendar.closeUtcMs(last) - 1_800_000;
}

/** Every option, and of those that are a choice what can be chosen: plain JavaScript has no compiler to ask. */
const choices: Readonly<Record<keyof SimulatorOptions, readonly unknown[] | undefined>> = {
  host: undefined,
  port: undefined,
  allowRemote: undefined,
  accounts: undefined,
  symbols: undefined,
  seed: undefined,
  market: undefined,
  calendar: undefined,
  startUtcMs: undefined,
  speed: undefined,
  endUtcMs: undefined,
  fractional: ["reject", "accept"],
  intraday: ["path", "close"],
  exchange: undefined,
  marketData: ["live", "delayed", "none"],
  readOnly: [true, false],
  pacing: ["soft", "strict", "off"],
  maxClients: undefined,
  masterClientId: undefined,
  serverVersion: undefined,
  scenario: undefined,
  wireLog: undefined,
  venue: undefined,
};

function assertOptions(options: SimulatorOptions): void {
  for (const [name, value] of Object.entries(options)) {
    if (!Object.hasOwn(choices, name))
      throw new SimulatorOptionsError(
        name,
        "there is no such option",
        `there are ${Object.keys(choices).join(", ")}`,
      );
    const known = choices[name as keyof SimulatorOptions];
    if (value !== undefined && known && !known.includes(value))
      throw new SimulatorOptionsError(
        name,
        `${JSON.stringify(value)} is none of its values`,
        `give ${known.map((one) => JSON.stringify(one)).join(" or ")}`,
      );
  }
  const {
    host = "127.0.0.1",
    port = 0,
    allowRemote = false,
    accounts,
    speed = 1,
    maxClients = 64,
    serverVersion,
  } = options;
  if (!allowRemote && !isLoopback(host))
    throw new SimulatorOptionsError(
      "host",
      `${host} lets other machines connect, unencrypted and without a password`,
      "use 127.0.0.1, or allow remote clients explicitly",
    );
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw new SimulatorOptionsError("port", `${port} is no port`, "give a whole number from 0 to 65535");
  for (const { id } of accounts ?? []) {
    if (!/^DU[A-Z]?\d+$/.test(id))
      throw new SimulatorOptionsError(
        "account",
        `${JSON.stringify(id)} does not look like a paper account`,
        "give DU, perhaps one letter, then digits, as in DUK200445",
      );
  }
  assertSpeed(speed);
  if (!Number.isInteger(maxClients) || maxClients < 1 || maxClients > 1024)
    throw new SimulatorOptionsError("maxClients", `${maxClients} is no number of clients`, "give 1 to 1024");
  if (
    serverVersion !== undefined &&
    !(serverVersion >= minServerVersion && serverVersion <= maxServerVersion)
  )
    throw new SimulatorOptionsError(
      "serverVersion",
      `${serverVersion} is not spoken here`,
      `give ${minServerVersion} to ${maxServerVersion}`,
    );
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || (isIP(host) === 4 && host.startsWith("127."));
}
