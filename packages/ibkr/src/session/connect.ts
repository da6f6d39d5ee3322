import { type ApprovedPlan, assertApproved } from "@pf/compliance";
import { newYorkTimeOf, type Ticker } from "@pf/market";
import type { OrderEvent } from "@pf/orders";
import { type ContractInfo, contractRequest } from "../account/contracts.js";
import { openAt } from "../account/hours.js";
import { type Position, positionsRequest } from "../account/positions.js";
import { type AccountSummary, accountSummaryRequest } from "../account/summary.js";
import { AccountModeError, IbkrOptionsError, MarketClosedError, NotConnectedError } from "../errors.js";
import { type Findings, type ListedOrder, OrderDesk } from "../orders/desk.js";
import type { ExecutionFact } from "../orders/messages.js";
import {
  cancelOrder,
  followAll,
  type OrderTerms,
  type OrderTimes,
  type Placing,
  work,
} from "../orders/place.js";
import { type Standing, standingOf } from "../orders/standing.js";
import { type FractionalCapability, probeFractional, type WhatIf, whatIfRequest } from "../orders/whatIf.js";
import { type Quote, type QuoteRules, type QuoteSheet, quoteRequest } from "../quotes/quotes.js";
import { type Clock, pause, systemTimers, type Timers } from "./clock.js";
import { Connection, type ConnectionState, currentTimeRequest, type ReconnectRules } from "./connection.js";
import { keepInside } from "./inside.js";
import type { BrokerMessage, Link, LinkRequest, Requests } from "./link.js";

export interface IbkrOptions {
  readonly host: string;
  readonly port: number;
  /** A number of this program's own at this TWS, 1 or above; open orders belong to it. */
  readonly clientId: number;
  /** The only account that is read and traded. */
  readonly account: string;
  /** Paper accounts begin with `DU`; the mode and the account have to agree. */
  readonly mode: "paper" | "live";
  /** @default "live" */
  readonly marketData?: "live" | "delayed" | "delayedFrozen";
  /** How long a client id in use is tried again. @default 15000 */
  readonly clientIdRetryMs?: number;
  /** How many of the following ids may be taken when the first stays in use. @default 0 */
  readonly clientIdsAfter?: number;
  /** What to do when the connection is lost; `false` closes the session. */
  readonly reconnect?: ReconnectRules | false;
  /** How often the server is asked whether it still answers; 0 for never. @default 30000 */
  readonly heartbeatMs?: number;
  /** Messages in any one second; more than 50 only for simulators. @default 35 */
  readonly messagesPerSecond?: number;
  /** For the socket to open. @default 5000 */
  readonly connectMs?: number;
  /** For the server to greet, and again to begin the session. @default 10000 */
  readonly handshakeMs?: number;
  /** For a question to be answered that states no time of its own. @default 10000 */
  readonly requestMs?: number;
  readonly orderTimes?: OrderTimes;
  readonly timers?: Timers;
  /** Ends the session, whatever it is doing. */
  readonly signal?: AbortSignal;
  /** Hears states from the first on. */
  readonly onState?: (state: ConnectionState) => void;
  /** Hears every notice, and every error that answers no question of ours. */
  readonly onMessage?: (message: BrokerMessage) => void;
}

export interface ServerTime {
  /** Milliseconds since 1970 UTC; TWS tells whole seconds. */
  readonly serverUtcMs: number;
  /** How far the server's clock is ahead of ours, to about a second. */
  readonly skewMs: number;
}

export interface PlaceOptions {
  /** Orders that are not complete at this instant of our clock are cancelled, milliseconds since 1970 UTC. */
  readonly cancelAtUtcMs?: number;
  /**
   * Asked in the same breath in which an order would be written: says why that order, and what comes after it, is not
   * sent; undefined to send it. Where it throws, nothing more is sent, and `place` throws the same.
   */
  readonly whyNotSend?: () => string | undefined;
  /** Stops sending and following; what was sent stays at the broker and is found again by its reference. */
  readonly signal?: AbortSignal;
}

/** An account at Interactive Brokers through a running TWS or IB Gateway. */
export interface IbkrSession {
  readonly account: string;
  readonly mode: "paper" | "live";
  readonly marketData: "live" | "delayed" | "delayedFrozen";
  /** All accounts that TWS manages. */
  readonly managedAccounts: readonly string[];
  readonly serverVersion: number;
  /** The time text with which the server greeted; a simulator names itself in it, see {@link provenanceOf}. */
  readonly greeting: string;
  readonly clientId: number;
  readonly state: ConnectionState;
  /** The broker's clock, as far as it was last asked for. */
  readonly clock: Clock;
  onState(listener: (state: ConnectionState) => void): () => void;
  onMessage(listener: (message: BrokerMessage) => void): () => void;
  /** Resolves when orders may be placed; throws when the session is over. */
  ready(signal?: AbortSignal): Promise<void>;

  serverTime(signal?: AbortSignal): Promise<ServerTime>;
  /** @throws BaseCurrencyError when the account is not kept in US dollars */
  accountSummary(signal?: AbortSignal): Promise<AccountSummary>;
  positions(signal?: AbortSignal): Promise<readonly Position[]>;
  /** @throws UnknownContractError */
  contract(symbol: Ticker, signal?: AbortSignal): Promise<ContractInfo>;
  /** One bad symbol never costs the others. */
  quotes(symbols: readonly Ticker[], rules?: QuoteRules): Promise<QuoteSheet>;

  /** @throws RequestRefusedError or ReadOnlyApiError when such an order would not be taken */
  whatIf(order: OrderTerms, signal?: AbortSignal): Promise<WhatIf>;
  /** Sends a what-if order for a part of a share; nothing is routed. */
  probeFractional(symbol: Ticker, signal?: AbortSignal): Promise<FractionalCapability>;
  /**
   * Sends what was approved, sells before buys as the plan has them, and tells what becomes of it until nothing more
   * can. Nothing is sent unless the session is connected, the market open, and the broker has answered that it does not
   * know the plan's references yet; what it knows is followed instead.
   */
  place(plan: ApprovedPlan, options?: PlaceOptions): AsyncIterable<OrderEvent>;
  /**
   * Tells what becomes of orders that were sent before, by this program or an earlier run of it, and sends nothing. An
   * order that the broker does not know has no events.
   */
  follow(references: readonly string[], options?: PlaceOptions): AsyncIterable<OrderEvent>;
  /** Asks for the cancellation of an order that this client sent. What becomes of it is heard as events, or found. */
  cancel(reference: string): Promise<void>;

  openOrders(signal?: AbortSignal): Promise<readonly ListedOrder[]>;
  completedOrders(signal?: AbortSignal): Promise<readonly ListedOrder[]>;
  executions(signal?: AbortSignal): Promise<readonly ExecutionFact[]>;
  /** What the broker knows about these references: asked of open orders, completed orders and executions of today. */
  findByReference(
    references: readonly string[],
    signal?: AbortSignal,
  ): Promise<ReadonlyMap<string, Standing>>;
  /** Asks until the broker has said what became of an order, or for as long as allowed. Sends nothing. */
  resolveUnknown(
    reference: string,
    options?: { readonly forMs?: number; readonly signal?: AbortSignal },
  ): Promise<Standing>;
  /** Events of every order of the account, also of those that other programs sent. */
  onOrderEvent(listener: (event: OrderEvent) => void): () => void;
  close(reason?: string): Promise<void>;
}

const marketDataTypes = { live: 1, delayed: 3, delayedFrozen: 4 } as const;
const paperAccount = /^DU[A-Z]?\d+$/;

/**
 * Connects to TWS or IB Gateway and makes sure that the account is the one that is meant, before anything else.
 *
 * @throws IbkrOptionsError, AccountModeError before anything is sent
 * @throws UnreachableError, SilentServerError, NotTwsError, ServerVersionError, ClientIdTakenError, HandshakeError when
 *   there is no TWS to talk to
 * @throws AccountNotManagedError when TWS is logged in for another account
 */
export async function connectIbkr(options: IbkrOptions): Promise<IbkrSession> {
  check(options);
  const { account, mode, marketData = "live", timers = systemTimers, signal } = options;
  const times: Required<OrderTimes> = {
    acknowledgeMs: 10_000,
    settleMs: 2000,
    graceMs: 10_000,
    commissionMs: 10_000,
    pollMs: 30_000,
    reconnectMs: 30_000,
    unknownAfterMs: 120_000,
    askMs: 10_000,
    ...options.orderTimes,
  };
  const desk = new OrderDesk(timers, account, times.askMs);
  const attached = new WeakSet<Link>();
  let skewMs = 0;
  const measure = async (requests: Requests, stop?: AbortSignal): Promise<ServerTime> => {
    const askedMs = timers.nowUtcMs();
    const seconds = await requests.request({ ...currentTimeRequest(), signal: stop });
    const nowMs = timers.nowUtcMs();
    // The server cut its clock to seconds, somewhere between question and answer.
    skewMs = Math.round(seconds * 1000 + 500 - (askedMs + nowMs) / 2);
    return { serverUtcMs: nowMs + skewMs, skewMs };
  };

  const connection: Connection = new Connection(
    {
      host: options.host,
      port: options.port,
      clientId: options.clientId,
      account,
      marketDataType: marketDataTypes[marketData],
      timers,
      messagesPerSecond: options.messagesPerSecond,
      connectMs: options.connectMs,
      handshakeMs: options.handshakeMs,
      requestMs: options.requestMs,
      clientIdRetryMs: options.clientIdRetryMs ?? 15_000,
      clientIdsAfter: options.clientIdsAfter ?? 0,
      reconnect: options.reconnect ?? {},
      heartbeatMs: options.heartbeatMs ?? 30_000,
      signal,
    },
    async (link) => {
      const isNew = !attached.has(link);
      attached.add(link);
      if (isNew) desk.attach(link);
      await measure(link);
      // What happened to orders while nobody listened is learned before anybody may place more.
      if (desk.book.orders.size > 0) await desk.ask(link);
    },
  );
  if (options.onState) connection.onState(options.onState);
  if (options.onMessage) connection.onMessage(options.onMessage);
  connection.onMessage((message) => desk.hear(message, connection.link?.clientId ?? options.clientId));
  connection.onState(() => desk.wake());
  signal?.addEventListener("abort", () => connection.close("interrupted"), { once: true });
  await connection.start();

  const request = <T>(question: LinkRequest<T>) => connection.request(question);
  const contract = (symbol: Ticker, stop?: AbortSignal) => request(contractRequest(symbol, stop));
  const clock: Clock = { nowUtcMs: () => timers.nowUtcMs() + skewMs };
  const placing: Placing = { account, connection, desk, timers, times };
  const whatIf = async (terms: OrderTerms, info: ContractInfo, stop?: AbortSignal) => {
    const link = connection.placing("what-if order");
    return link.request(
      whatIfRequest(terms, info, account, desk.takeOrderId(), timers, times.acknowledgeMs, stop),
    );
  };
  const find = async (references: readonly string[], stop?: AbortSignal) => {
    const findings = await desk.ask(connection, stop);
    return new Map(
      references.map((reference) => [reference, standingOf(desk.book, findings, reference)] as const),
    );
  };

  const session: IbkrSession = {
    account,
    mode,
    marketData,
    get managedAccounts() {
      return connection.link?.accounts ?? [];
    },
    get serverVersion() {
      return connection.link?.serverVersion ?? 0;
    },
    get greeting() {
      return connection.link?.serverTime ?? "";
    },
    get clientId() {
      return connection.link?.clientId ?? options.clientId;
    },
    get state() {
      return connection.state;
    },
    clock,
    onState: (listener) => connection.onState(listener),
    onMessage: (listener) => connection.onMessage(listener),
    ready: (stop) => connection.ready(stop),
    serverTime: (stop) => measure(connection, stop),
    accountSummary: (stop) => request(accountSummaryRequest(account, stop)),
    positions: (stop) => request(positionsRequest(account, stop)),
    contract,
    async quotes(symbols, rules = {}) {
      const outcomes = await Promise.allSettled(
        symbols.map((symbol) => request(quoteRequest(symbol, clock, rules))),
      );
      rules.signal?.throwIfAborted();
      const quotes = new Map<Ticker, Quote>();
      const missing = new Map<Ticker, Error>();
      outcomes.forEach((outcome, at) => {
        if (outcome.status === "fulfilled") quotes.set(symbols[at]!, outcome.value);
        else missing.set(symbols[at]!, outcome.reason);
      });
      return { quotes, missing };
    },
    whatIf: async (terms, stop) => whatIf(terms, await contract(terms.symbol, stop), stop),
    async probeFractional(symbol, stop) {
      const info = await contract(symbol, stop);
      return probeFractional(info, (terms) => whatIf(terms, info, stop));
    },
    place: (plan, how = {}) => place({ placing, contract, measure }, plan, how),
    follow: (references, { cancelAtUtcMs = Infinity, signal: stop } = {}) =>
      told(placing, references, stop, (known, stopped) =>
        followAll(placing, references, known, { cancelAtUtcMs, signal: stopped }),
      ),
    cancel: (reference) => cancelOrder(placing, reference),
    openOrders: (stop) => request(desk.openOrdersRequest(stop)),
    completedOrders: (stop) => request(desk.completedOrdersRequest(stop)),
    executions: (stop) => request(desk.executionsRequest(stop)),
    findByReference: find,
    async resolveUnknown(reference, { forMs = times.unknownAfterMs, signal: stop } = {}) {
      const untilMs = timers.nowUtcMs() + forMs;
      for (;;) {
        const standing = (await find([reference], stop)).get(reference)!;
        const leftMs = untilMs - timers.nowUtcMs();
        if (standing.kind !== "unanswered" || leftMs <= 0) return standing;
        await pause(timers, Math.min(1000, leftMs), stop);
      }
    },
    onOrderEvent: (listener) => desk.onEvent(listener),
    async close(reason = "closed by this program") {
      connection.close(reason);
    },
  };
  keepInside(session, { requests: connection, timers });
  return session;
}

interface Desks {
  readonly placing: Placing;
  contract(symbol: Ticker, stop?: AbortSignal): Promise<ContractInfo>;
  measure(requests: Requests, stop?: AbortSignal): Promise<ServerTime>;
}

async function* place(
  { placing, contract, measure }: Desks,
  plan: ApprovedPlan,
  { cancelAtUtcMs = Infinity, whyNotSend = () => undefined, signal }: PlaceOptions,
): AsyncGenerator<OrderEvent, void, undefined> {
  assertApproved(plan);
  const { connection, account } = placing;
  const { intents, session, validUntilUtcMs } = plan;
  if (plan.account !== account)
    throw new IbkrOptionsError("account", `is ${account}, the plan is for ${plan.account}`);
  connection.placing("orders");
  placing.desk.forgetBefore(session);
  yield* told(
    placing,
    intents.map(({ reference }) => reference),
    signal,
    async (known, stopped) => {
      const symbols = [...new Set(intents.map(({ symbol }) => symbol))];
      const infos = await Promise.all(symbols.map((symbol) => contract(symbol, stopped)));
      const { serverUtcMs, skewMs } = await measure(connection, stopped);
      const refuse = (why: string) => {
        throw new MarketClosedError(session, serverUtcMs, why);
      };
      if (serverUtcMs > validUntilUtcMs)
        refuse(`its window ended at ${newYorkTimeOf(validUntilUtcMs)} in New York`);
      // An order sent outside regular hours would be executed at the next opening.
      for (const { symbol, liquidHours } of infos) {
        const open = openAt(liquidHours, serverUtcMs);
        if (open?.session !== session)
          refuse(`${symbol} is not traded at ${newYorkTimeOf(serverUtcMs)} in New York`);
      }
      const contracts = new Map(infos.map((info) => [info.symbol, info]));
      await work(placing, intents, contracts, known, {
        sendUntilUtcMs: Math.min(validUntilUtcMs - skewMs, cancelAtUtcMs),
        cancelAtUtcMs,
        whyNotSend,
        signal: stopped,
      });
    },
  );
}

/** The events of these orders: what is known already, then what happens while something is done about them. */
async function* told(
  { connection, desk }: Placing,
  references: readonly string[],
  signal: AbortSignal | undefined,
  act: (known: Findings, stopped: AbortSignal) => Promise<void>,
): AsyncGenerator<OrderEvent, void, undefined> {
  const stop = new AbortController();
  const stopped = signal ? AbortSignal.any([signal, stop.signal]) : stop.signal;
  const said = new Set<string>();
  const queue: OrderEvent[] = [];
  let wake = () => {};
  const tell = (event: OrderEvent) => {
    const key = JSON.stringify(event);
    if (!references.includes(event.reference) || said.has(key)) return;
    said.add(key);
    queue.push(event);
    wake();
  };
  const forget = desk.onEvent(tell);
  try {
    const known = await everythingKnown(desk, connection, stopped);
    for (const reference of references)
      for (const event of standingOf(desk.book, known, reference).events) tell(event);
    let over = false;
    let failure: unknown;
    const acting = act(known, stopped)
      .catch((error: unknown) => {
        failure = error;
      })
      .finally(() => {
        over = true;
        wake();
      });
    for (;;) {
      const next = queue.shift();
      if (next) yield next;
      else if (over) break;
      else
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
    }
    await acting;
    if (failure !== undefined) throw failure;
  } finally {
    forget();
    stop.abort(new NotConnectedError("orders", "nobody follows them any more", true));
  }
}

/** Without every answer nothing is sent: an order that the broker already has would be sent again. */
async function everythingKnown(
  desk: OrderDesk,
  connection: Connection,
  signal: AbortSignal,
): Promise<Findings> {
  const known = await desk.ask(connection, signal);
  const { open, completed, executions } = known.answered;
  if (open && completed && executions) return known;
  const missing = [!open && "open orders", !completed && "completed orders", !executions && "executions"];
  throw new NotConnectedError(
    "orders",
    `TWS did not list its ${missing.filter(Boolean).join(" and ")}, so nothing was sent`,
    false,
  );
}

function check({ host, port, clientId, account, mode }: IbkrOptions): void {
  if (host.trim() === "") throw new IbkrOptionsError("host", "is empty");
  if (!Number.isInteger(port) || port < 1 || port > 65_535)
    throw new IbkrOptionsError("port", `${port} is no port`);
  if (!Number.isInteger(clientId) || clientId < 1 || clientId > 999_999_999)
    throw new IbkrOptionsError("client id", `${clientId} is not a whole number above 0`);
  if (!/^[A-Z]{1,3}\d+$/.test(account))
    throw new IbkrOptionsError("account", `${JSON.stringify(account)} is no account id`);
  if ((mode === "paper") !== paperAccount.test(account) || (mode === "live" && account.startsWith("D")))
    throw new AccountModeError(account, mode);
}
