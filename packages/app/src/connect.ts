import type { LoadedConfig } from "@pf/config";
import type { AccountSummary, IbkrSession, LiquidHours, Quote } from "@pf/ibkr";
import { newYorkDateOf, type SessionDate, type TradingCalendar } from "@pf/market";
import { dollarsOf, formatCents, sharesOf } from "@pf/orders";
import { type AccountMode, accountOf, openSession, type SessionSetting } from "./broker.js";
import { InterruptedError } from "./errors.js";
import { describeFailure, type ErrorFields, errorFields, type Failure } from "./failures.js";
import type { Clock, ProgressListener } from "./ports.js";

export interface ConnectRequest {
  /** Which of the two configured accounts. Default: paper. */
  readonly mode?: AccountMode;
}

/** The checks in the order in which they are made; each rests on those before it. */
const connectChecks = [
  "port",
  "handshake",
  "account",
  "mode",
  "summary",
  "clock",
  "contracts",
  "history",
  "market_data",
  "orders",
] as const;
export type CheckName = (typeof connectChecks)[number];

export interface ConnectCheck {
  readonly name: CheckName;
  /** `skipped`: nothing can be said, because of an earlier failure or because asking would mean sending an order. */
  readonly status: "ok" | "warning" | "failed" | "skipped";
  /** What was found, one sentence without a full stop. */
  readonly detail: string;
  /** What to do about a warning or a failure. */
  readonly fix: string | null;
}

export interface ConnectedServer {
  readonly host: string;
  readonly port: number;
  readonly clientId: number;
  readonly version: number;
  /** The broker's clock, ISO 8601. */
  readonly time: string;
  /** How far the broker's clock is ahead of this machine's. */
  readonly clockSkewMs: number;
  /** The market of a simulator that says it is one; `null` for TWS. */
  readonly simulator: string | null;
}

/** Dollars; `null` where the broker did not say. */
export interface ConnectedSummary {
  readonly netLiquidation: number | null;
  readonly totalCash: number | null;
  readonly settledCash: number | null;
  readonly availableFunds: number | null;
  readonly accountType: string | null;
  readonly currency: string | null;
}

export interface ConnectedPosition {
  readonly symbol: string;
  readonly quantity: number;
  /** Dollars a share, commissions included. */
  readonly averageCost: number;
}

export interface ConnectedMarketData {
  readonly asked: "live" | "delayed" | "delayedFrozen";
  /** What the broker gives instead or as asked; `null` for nothing. */
  readonly given: string | null;
  readonly symbol: string;
  readonly bid: number | null;
  readonly ask: number | null;
  readonly last: number | null;
  readonly problem: string | null;
}

export interface ConnectedContract {
  readonly symbol: string;
  readonly conId: number | null;
  readonly exchange: string | null;
  readonly minTick: number | null;
  /** The finest size the broker states; orders through the API are whole shares all the same. */
  readonly sizeIncrement: number | null;
  readonly problem: string | null;
}

/** A day's regular trading hours as the broker states them. */
export interface ConnectedHours {
  readonly day: SessionDate;
  /** ISO 8601; `null` on a day that is closed. */
  readonly opens: string | null;
  readonly closes: string | null;
}

/** What `pf connect` found; what was not reached is `null` or empty. */
export interface ConnectOutcome {
  readonly mode: AccountMode;
  readonly checks: readonly ConnectCheck[];
  readonly server: ConnectedServer | null;
  readonly accounts: readonly string[];
  readonly account: string;
  readonly summary: ConnectedSummary | null;
  readonly positions: readonly ConnectedPosition[];
  readonly contracts: readonly ConnectedContract[];
  /** Of the coming days, for the first symbol; empty where the broker does not say. */
  readonly hours: readonly ConnectedHours[];
  readonly marketData: ConnectedMarketData | null;
  readonly notes: readonly string[];
  /** The first failure. */
  readonly error?: ErrorFields;
}

export interface ConnectSetting extends SessionSetting {
  readonly calendar: TradingCalendar;
  readonly clock: Clock;
  readonly onProgress: ProgressListener;
}

/**
 * Who asks what is wrong sits before the screen: a client id that another program has, a running worker for instance, is
 * told after a few seconds. Whoever fetches or trades waits longer, for TWS may keep the id of a connection that dropped.
 */
const hasty = { clientIdRetryMs: 5_000 };

/**
 * Looks at everything that fetching and trading will need, one thing after the other, and orders nothing. What is wrong
 * is part of the outcome; its first failure is `error`.
 *
 * @throws RequestError when the configuration names no account for the mode
 */
export async function checkConnection(
  { mode = "paper" }: ConnectRequest,
  { config }: LoadedConfig,
  setting: ConnectSetting,
): Promise<ConnectOutcome> {
  const { onProgress, signal } = setting;
  const { host, port } = config.ibkr;
  const account = accountOf(config, mode);
  const list = new CheckList(signal);
  const nothing = {
    server: null,
    accounts: [],
    summary: null,
    positions: [],
    contracts: [],
    hours: [],
    marketData: null,
  };
  onProgress({ step: `connecting to TWS at ${host}:${port}` });
  let session: IbkrSession;
  try {
    session = await openSession(config, account, mode, {
      ...setting,
      broker: { ...hasty, ...setting.broker },
    });
  } catch (error) {
    stopIfAsked(signal);
    // Settings that cannot be meant are no finding about TWS, which was not asked.
    if (describeFailure(error).code === "PF_IBKR_OPTIONS") throw error;
    const failure = list.refuse(error);
    list.connected(config, checkOf(failure.code));
    const accounts = failure.details.managed;
    return {
      mode,
      account,
      ...nothing,
      ...(Array.isArray(accounts) ? { accounts: accounts.map(String) } : {}),
      ...list.outcome(),
      notes:
        checkOf(failure.code) === "port"
          ? ["without TWS, `pf sim` in another terminal plays one to practise on"]
          : [],
    };
  }
  try {
    list.connected(config, undefined, session);
    return await checkSession(session, { mode, account, config, list, setting });
  } finally {
    await session.close();
  }
}

interface Checking {
  readonly mode: AccountMode;
  readonly account: string;
  readonly config: LoadedConfig["config"];
  readonly list: CheckList;
  readonly setting: ConnectSetting;
}

async function checkSession(
  session: IbkrSession,
  { mode, account, config, list, setting }: Checking,
): Promise<ConnectOutcome> {
  const { calendar, onProgress, signal } = setting;
  const { universe, ibkr } = config;
  const { historyOf, simulatedMarketOf } = await import("@pf/ibkr");
  const simulator = simulatedMarketOf(session.greeting) ?? null;
  const step = (text: string) => onProgress({ step: text });

  const money = await list.check("summary", async () => {
    const summary = await session.accountSummary(signal);
    const positions = await session.positions(signal);
    return { value: { summary, positions }, ...moneyWords(summary) };
  });
  const time = await list.check("clock", async () => {
    const { skewMs, serverUtcMs } = await session.serverTime(signal);
    return { value: { skewMs, serverUtcMs }, ...clockWords(skewMs, simulator) };
  });

  step(`looking up ${universe.length} symbols`);
  const { contracts, hours } = (await list.check("contracts", () => lookUp(session, universe, signal))) ?? {
    contracts: [],
    hours: [],
  };

  const [symbol = "SPY"] = contracts.filter(({ problem }) => problem === null).map((found) => found.symbol);
  step(`asking for bars of ${symbol}`);
  await list.check("history", async () => {
    const history = historyOf(session, calendar, { attempts: 1, timeoutMs: 20_000 });
    const to = newYorkDateOf(session.clock.nowUtcMs());
    const from = calendar.previous(calendar.previous(calendar.onOrBefore(to)));
    const last: string[] = [];
    for (const whatToShow of ["ADJUSTED_LAST", "TRADES"] as const) {
      const { series } = await history.bars(symbol, { whatToShow, barSize: "1 day", from, to }, signal);
      last.push(series.sessions.at(-1) ?? "none");
    }
    return {
      value: undefined,
      detail: `daily bars of ${symbol}, adjusted to ${last[0]} and as traded to ${last[1]}`,
    };
  });

  step(`asking for a quote of ${symbol}`);
  const marketData = await list.check("market_data", async () => {
    const { quotes, missing } = await session.quotes([symbol], signal ? { signal } : {});
    const quote = quotes.get(symbol);
    if (!quote) throw missing.get(symbol) ?? new Error(`neither a quote of ${symbol} nor a reason`);
    return { value: quote, ...quoteWords(quote, ibkr.marketMode) };
  });

  step("asking whether orders are taken");
  await list.check("orders", async () => ({ value: undefined, ...(await orderWords(session, signal)) }));

  const failedQuote = list.failureOf("market_data");
  return {
    mode,
    account,
    server: {
      host: ibkr.host,
      port: ibkr.port,
      clientId: session.clientId,
      version: session.serverVersion,
      time: new Date(time?.serverUtcMs ?? session.clock.nowUtcMs()).toISOString(),
      clockSkewMs: time?.skewMs ?? Math.round(session.clock.nowUtcMs() - setting.clock.nowUtcMs()),
      simulator,
    },
    accounts: session.managedAccounts,
    summary: money ? inDollars(money.summary) : null,
    positions: (money?.positions ?? []).map(({ symbol, quantity, averageCost }) => ({
      symbol,
      quantity: sharesOf(quantity),
      averageCost,
    })),
    contracts,
    hours,
    marketData:
      marketData || failedQuote
        ? {
            asked: ibkr.marketMode,
            given: marketData?.feed ?? null,
            symbol,
            bid: marketData?.bid ?? null,
            ask: marketData?.ask ?? null,
            last: marketData?.last ?? null,
            problem: failedQuote ?? null,
          }
        : null,
    notes: notesOn(contracts, money?.positions ?? [], universe),
    ...list.outcome(),
  };
}

interface Words {
  readonly detail: string;
  readonly fix?: string | null;
  readonly status?: "warning" | "skipped";
}

/** What a check brought: with its words, or with what is wrong although something was found. */
type Found<Value> = { readonly value: Value } & (
  | Words
  | { readonly failed: unknown; readonly detail?: string }
);

/** The checks made so far; what comes after a lost connection is not made any more. */
class CheckList {
  private readonly made = new Map<CheckName, ConnectCheck>();
  private first: Failure | undefined;
  private lost = false;

  constructor(private readonly signal: AbortSignal | undefined) {}

  /** What a connection shows by itself; up to the check that failed, where one did. */
  connected({ ibkr }: LoadedConfig["config"], failed: CheckName | undefined, session?: IbkrSession): void {
    const found: readonly (readonly [CheckName, Words])[] = [
      ["port", { detail: `${ibkr.host}:${ibkr.port} is open` }],
      ["handshake", session ? handshakeWords(session) : { detail: "done" }],
      ["account", { detail: session ? `${session.account} is managed by this session` : "done" }],
      ["mode", { detail: session ? modeWords(session) : "done" }],
    ];
    // A mode that contradicts its account is found before anybody connects.
    if (failed === "mode") return;
    for (const [name, words] of found) {
      if (name === failed) return;
      this.note(name, words);
    }
  }

  /** Notes the failure that there is no session. */
  refuse(error: unknown): Failure {
    const failure = describeFailure(error);
    this.fail(checkOf(failure.code), failure, error);
    this.lost = true;
    return failure;
  }

  async check<Value>(name: CheckName, act: () => Promise<Found<Value>>): Promise<Value | undefined> {
    if (this.lost) return undefined;
    try {
      const found = await act();
      if ("failed" in found) {
        const failure = describeFailure(found.failed);
        this.fail(name, { ...failure, message: found.detail ?? failure.message }, found.failed);
      } else {
        this.note(name, found);
      }
      return found.value;
    } catch (error) {
      stopIfAsked(this.signal);
      const failure = describeFailure(error);
      this.fail(name, failure, error);
      this.lost = failure.code === "PF_IBKR_NOT_CONNECTED";
      return undefined;
    }
  }

  failureOf(name: CheckName): string | undefined {
    const check = this.made.get(name);
    return check?.status === "failed" ? check.detail : undefined;
  }

  outcome(): { readonly checks: readonly ConnectCheck[]; readonly error?: ErrorFields } {
    const notMade = { status: "skipped", detail: "not reached", fix: null } as const;
    return {
      checks: connectChecks.map((name) => this.made.get(name) ?? { name, ...notMade }),
      ...(this.first ? { error: errorFields(this.first) } : {}),
    };
  }

  private note(name: CheckName, words: Words): void {
    const { detail, fix = null, status = "ok" } = words;
    this.made.set(name, { name, status, detail, fix });
  }

  private fail(name: CheckName, failure: Failure, error: unknown): void {
    // A fault of ours is no finding about somebody's TWS.
    if (failure.code === "PF_BUG") throw error;
    this.made.set(name, { name, status: "failed", detail: failure.message, fix: failure.next });
    this.first ??= failure;
  }
}

/** Which check a failed connection failed. */
function checkOf(code: string): CheckName {
  if (code === "PF_IBKR_UNREACHABLE") return "port";
  if (code === "PF_IBKR_ACCOUNT") return "account";
  if (code === "PF_IBKR_ACCOUNT_MODE") return "mode";
  return "handshake";
}

function stopIfAsked(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new InterruptedError({ cause: signal.reason });
}

function handshakeWords({ serverVersion, clientId, state }: IbkrSession): Words {
  const detail = `server version ${serverVersion}, client id ${clientId}`;
  if (state.kind !== "degraded") return { detail };
  return {
    status: "warning",
    detail: `${detail}; TWS has lost the broker's servers (${state.code})`,
    fix: "TWS connects again by itself (the nightly reset is over by 02:00 in New York); wait until then: it serves no bars, and nothing is placed",
  };
}

function modeWords({ mode, account }: IbkrSession): string {
  return mode === "paper"
    ? `paper: ${account} begins with DU, as only paper accounts do`
    : `live: ${account} is real money`;
}

function moneyWords({ netLiquidation, settledCash, buyingPower, accountType }: AccountSummary): Words {
  const detail = `$${formatCents(netLiquidation)} in all, $${formatCents(settledCash)} settled cash${accountType ? `, ${accountType}` : ""}`;
  if (buyingPower === undefined || netLiquidation <= 0 || buyingPower <= 1.5 * netLiquidation)
    return { detail };
  return {
    status: "warning",
    detail: `${detail}; buying power of ${(buyingPower / netLiquidation).toFixed(1)} times that looks like a margin account`,
    fix: "nothing here borrows; a cash account makes sure that nothing else does",
  };
}

const tolerableSkewMs = 5000;

function clockWords(skewMs: number, simulator: string | null): Words {
  const seconds = Math.abs(skewMs) / 1000;
  const [shown, unit] =
    seconds < 120
      ? [seconds.toFixed(1), "s"]
      : seconds < 172_800
        ? [Math.round(seconds / 60), "minutes"]
        : [Math.round(seconds / 86_400), "days"];
  const detail = `the broker's clock is ${shown} ${unit} ${skewMs < 0 ? "behind" : "ahead of"} this machine's`;
  if (simulator !== null) return { detail: `${detail}, as simulated time may be` };
  if (Math.abs(skewMs) <= tolerableSkewMs) return { detail };
  return {
    status: "warning",
    detail,
    fix: "let this machine set its clock from the network (NTP): orders are timed by it",
  };
}

async function lookUp(
  session: IbkrSession,
  universe: readonly string[],
  signal: AbortSignal | undefined,
): Promise<Found<Pick<ConnectOutcome, "contracts" | "hours">>> {
  const contracts: ConnectedContract[] = [];
  let hours: readonly ConnectedHours[] = [];
  const wrong: { readonly symbol: string; readonly error: unknown }[] = [];
  for (const symbol of universe) {
    try {
      const found = await session.contract(symbol, signal);
      const { conId, primaryExchange, minTick, sizeIncrement } = found;
      if (hours.length === 0) hours = found.liquidHours.map(hoursOf);
      contracts.push({
        symbol,
        conId,
        exchange: primaryExchange,
        minTick,
        sizeIncrement: sharesOf(sizeIncrement),
        problem: null,
      });
    } catch (error) {
      stopIfAsked(signal);
      const failure = describeFailure(error);
      if (failure.code !== "PF_IBKR_UNKNOWN_SYMBOL") throw error;
      wrong.push({ symbol, error });
      contracts.push({
        ...{ symbol, conId: null, exchange: null, minTick: null, sizeIncrement: null },
        problem: failure.message,
      });
    }
  }
  const [first, ...others] = wrong;
  if (first) {
    const names = wrong.map(({ symbol }) => symbol).join(", ");
    const detail = others.length > 0 ? { detail: `the broker does not know ${names}` } : {};
    return { value: { contracts, hours }, failed: first.error, ...detail };
  }
  const finest = Math.min(...contracts.map(({ sizeIncrement }) => sizeIncrement ?? 1));
  const sizes =
    finest < 1 ? `steps of ${finest} shares are stated, but the API takes whole shares only` : "whole shares";
  return {
    value: { contracts, hours },
    detail: `all ${contracts.length} symbols are known; ${sizes}`,
  };
}

function hoursOf(of: LiquidHours): ConnectedHours {
  const text = (utcMs: number) => new Date(utcMs).toISOString();
  return of.open
    ? { day: of.session, opens: text(of.opensUtcMs), closes: text(of.closesUtcMs) }
    : { day: of.session, opens: null, closes: null };
}

function quoteWords({ symbol, feed, bid, ask, last }: Quote, asked: ConnectedMarketData["asked"]): Words {
  const shown = [
    ...(bid !== undefined && ask !== undefined ? [`bid ${bid.toFixed(2)}, ask ${ask.toFixed(2)}`] : []),
    ...(last === undefined ? [] : [`last ${last.toFixed(2)}`]),
  ].join(", ");
  const detail = `${feed} prices of ${symbol}: ${shown === "" ? "none at this hour" : shown}`;
  if (asked === "live" && feed !== "live")
    return {
      status: "warning",
      detail,
      fix: "live prices need a subscription: Client Portal > Settings > Market Data Subscriptions; limit orders wait for them",
    };
  return { detail };
}

const readOnlySetting =
  'to trade, clear "Read-Only API" in TWS under File > Global Configuration > API > Settings; to fetch and rehearse, leave it';

/**
 * Whether the API takes orders, asked without one: the cancellation of an order that cannot exist is refused as
 * unknown, or because the API is read-only. Only the second answer proves something.
 */
async function orderWords(session: IbkrSession, signal: AbortSignal | undefined): Promise<Words> {
  const { askReadOnly } = await import("@pf/ibkr");
  if (await askReadOnly(session, signal))
    return {
      status: "warning",
      detail: "the API is read-only: orders would be refused",
      fix: readOnlySetting,
    };
  return {
    status: "skipped",
    detail: "not refused as read-only; whether orders are taken, only an order could tell",
  };
}

function notesOn(
  contracts: readonly ConnectedContract[],
  positions: readonly { readonly symbol: string }[],
  universe: readonly string[],
): readonly string[] {
  const others = positions.map(({ symbol }) => symbol).filter((symbol) => !universe.includes(symbol));
  return [
    ...(contracts.some(({ problem }) => problem === null)
      ? ["retail clients in the EU and the UK cannot buy US funds: such orders are rejected (no KID)"]
      : []),
    ...(others.length > 0 ? [`${others.join(", ")}: held, but not in the universe; left alone`] : []),
  ];
}

function inDollars(summary: AccountSummary): ConnectedSummary {
  const { netLiquidation, totalCash, settledCash, availableFunds, accountType, currency } = summary;
  return {
    netLiquidation: dollarsOf(netLiquidation),
    totalCash: dollarsOf(totalCash),
    settledCash: dollarsOf(settledCash),
    availableFunds: dollarsOf(availableFunds),
    accountType: accountType === "" ? null : accountType,
    currency,
  };
}
