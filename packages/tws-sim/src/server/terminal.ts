import { Server, type Socket } from "node:net";
import type { TradingCalendar } from "@pf/market";
import { PortInUseError, ScenarioError, type ScenarioIssue, SimulatorOptionsError } from "../errors.js";
import type { Simulator, SimulatorSpeed } from "../options.js";
import { type Fate, Rules } from "../scenario/engine.js";
import type { Scenario } from "../scenario/scenario.js";
import { type Action, parseAction, type WrittenAction } from "../scenario/schema.js";
import { Timeline } from "../timeline.js";
import type { Contract, NewOrder, OrderState, Venue } from "../venue/venue.js";
import { UnreadableMessageError } from "../wire/fields.js";
import { ProtocolError } from "../wire/frames.js";
import {
  error,
  managedAccounts,
  nextValidId,
  orderStatus,
  type Reply,
  serverVersion,
} from "../wire/replies.js";
import { type Request, readRequest } from "../wire/requests.js";
import { instantText } from "../wire/times.js";
import { negotiate } from "../wire/versions.js";
import { figuresPeriodMs, sendFigures } from "./accounts.js";
import { Clock } from "./clock.js";
import { Connection } from "./connection.js";
import type { Context, TerminalState } from "./context.js";
import { dispatch } from "./dispatch.js";
import { announce } from "./orders.js";
import { messagesPerSecond } from "./pacing.js";
import { streamQuotes, tickPeriodMs } from "./quotes.js";
import type { WireLog } from "./wireLog.js";

/** What a terminal is told once, with every default filled in. */
export interface TerminalSettings {
  readonly host: string;
  readonly port: number;
  readonly market: string;
  readonly endUtcMs: number;
  readonly marketData: "live" | "delayed" | "none";
  readonly isReadOnly: boolean;
  readonly pacing: "soft" | "strict" | "off";
  readonly maxClients: number;
  readonly masterClientId: number | undefined;
  readonly serverVersion: number;
}

/** Messages of one client that may wait for their turn; after that its socket is not read until some had theirs. */
const mostWaiting = 1000;
/** How long a connection may be silent before it has started the API, real milliseconds. */
const silenceMs = 60_000;
/** Events between two breaths in which sockets are served while time is advanced by hand. */
const eventsPerBreath = 256;

/** A terminal with its port: joins clients, market, clock and scenario. */
export class Terminal implements Simulator, Context {
  readonly timeline = new Timeline();
  readonly state: TerminalState;
  readonly pacing: "soft" | "strict" | "off";
  readonly masterClientId: number | undefined;
  readonly #clock: Clock;
  readonly #rules: Rules;
  readonly #connections = new Set<Connection>();
  /** Client ids that a cut connection still holds, and until when. */
  readonly #heldIds = new Map<number, number>();
  #server: Server | undefined;
  #port: number;
  #connectionCount = 0;
  #manualOrders = 0;
  #stopStreams: (() => void) | undefined;
  #stopFigures: (() => void) | undefined;
  #advancing: Promise<void> = Promise.resolve();
  #isClosed = false;

  constructor(
    readonly venue: Venue,
    readonly calendar: TradingCalendar,
    private readonly settings: TerminalSettings,
    private readonly log: WireLog | undefined,
  ) {
    this.#port = settings.port;
    this.pacing = settings.pacing;
    this.masterClientId = settings.masterClientId;
    this.state = {
      marketData: settings.marketData,
      isReadOnly: settings.isReadOnly,
      isLinked: true,
      farms: { market: true, history: true, secdef: true },
    };
    this.#clock = new Clock(
      {
        now: () => this.now(),
        nextDueUtcMs: () => this.#nextDue(),
        step: (utcMs) => this.#step(utcMs),
        isWatched: () => this.clients().length > 0,
      },
      settings.endUtcMs,
    );
    this.#rules = new Rules({
      now: () => this.now(),
      at: (utcMs, run) => this.timeline.add(utcMs, run),
      act: (action) => this.#act(action),
    });
    venue.onEvent((event) => announce(this, event));
  }

  get host(): string {
    return this.settings.host;
  }
  get port(): number {
    return this.#port;
  }
  get accounts(): readonly string[] {
    return this.venue.accounts;
  }

  // ---- time

  now(): number {
    return this.venue.nowUtcMs;
  }

  nextDueUtcMs(): number | undefined {
    return this.#nextDue();
  }

  advanceTo(utcMs: number): Promise<void> {
    if (!Number.isFinite(utcMs)) throw new SimulatorOptionsError("advanceTo", `${utcMs} is no instant`);
    const advance = () => this.#advance(Math.min(utcMs, this.settings.endUtcMs));
    this.#advancing = this.#advancing.then(advance, advance);
    return this.#advancing;
  }

  advanceBy(milliseconds: number): Promise<void> {
    // Counted from where a running clock stands, not from when something last happened.
    this.#clock.catchUp();
    return this.advanceTo(this.now() + milliseconds);
  }

  setSpeed(speed: SimulatorSpeed): void {
    assertSpeed(speed);
    this.#clock.setSpeed(speed);
  }

  async #advance(utcMs: number): Promise<void> {
    let events = 0;
    for (
      let due = this.#nextDue();
      due !== undefined && due <= utcMs && !this.#isClosed;
      due = this.#nextDue()
    ) {
      this.#step(due);
      if (++events % eventsPerBreath === 0) await breath();
    }
    if (utcMs > this.now() && !this.#isClosed) this.venue.advanceTo(utcMs);
    this.#clock.anchor();
    await breath();
  }

  /** What is due at this very instant happens also where time stands; before the port is open it waits. */
  #runWhatIsDue(): void {
    if (this.#server) this.timeline.runUpTo(this.now());
  }

  #nextDue(): number | undefined {
    const [venue, own] = [this.venue.nextDueUtcMs(), this.timeline.nextDueUtcMs];
    if (venue === undefined || own === undefined) return venue ?? own;
    return Math.min(venue, own);
  }

  #step(utcMs: number): void {
    for (;;) {
      const due = Math.max(this.#nextDue() ?? Number.POSITIVE_INFINITY, this.now());
      if (due > utcMs) break;
      // The market first: what the terminal does at an instant sees what happened there.
      this.venue.advanceTo(due);
      this.timeline.runUpTo(due);
    }
    if (utcMs > this.now()) this.venue.advanceTo(utcMs);
  }

  // ---- the port

  async open(): Promise<void> {
    const server = new Server({ noDelay: true }, (socket) => this.#accept(socket));
    await new Promise<void>((resolve, reject) => {
      server.once("error", (cause: NodeJS.ErrnoException) => reject(this.#listenError(cause)));
      server.listen({ host: this.settings.host, port: this.#port }, resolve);
    });
    const address = server.address();
    if (typeof address === "object" && address) this.#port = address.port;
    this.#server = server;
    this.#runWhatIsDue();
  }

  #listenError(cause: NodeJS.ErrnoException): Error {
    const { host } = this.settings;
    if (cause.code === "EADDRINUSE") return new PortInUseError(host, this.#port, { cause });
    const what = `cannot listen on ${host}:${this.#port} (${cause.code ?? cause.message})`;
    return new SimulatorOptionsError("host and port", what, "choose another address or port", { cause });
  }

  async #shut(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    for (const connection of this.#connections) connection.destroy();
    if (server) await new Promise<void>((resolve) => server.close(() => resolve()));
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#clock.stop();
    await this.#shut();
    this.log?.close();
  }

  // ---- connections

  #accept(socket: Socket): void {
    // As many again may be on their way in; more is a flood.
    if (this.#connections.size >= 2 * this.settings.maxClients || !this.#server) {
      socket.destroy();
      return;
    }
    const connection = new Connection(++this.#connectionCount, socket);
    this.#connections.add(connection);
    this.log?.write({ connection: connection.number, event: "open" });
    socket.setTimeout(silenceMs, () => connection.destroy());
    socket.on("data", (chunk: Buffer) => this.#receive(connection, chunk));
    // What breaks a connection closes it, and closing is all there is to do about it.
    socket.on("error", () => connection.destroy());
    socket.on("close", () => {
      connection.isClosed = true;
      this.#connections.delete(connection);
      this.log?.write({ connection: connection.number, event: "close" });
      this.#watchStreams();
    });
  }

  #receive(connection: Connection, chunk: Buffer): void {
    if (connection.isClosed) return;
    try {
      for (const incoming of connection.reader.push(chunk)) {
        if (connection.isClosed) return;
        this.#clock.catchUp();
        if (incoming.kind === "greeting") this.#greet(connection, incoming.greeting);
        else this.#admit(connection, incoming.fields);
      }
    } catch (cause) {
      if (!(cause instanceof ProtocolError)) throw cause;
      connection.destroy();
    }
    this.#clock.wake();
  }

  #greet(
    connection: Connection,
    greeting: { readonly minVersion: number; readonly maxVersion: number },
  ): void {
    const { minVersion, maxVersion } = greeting;
    this.log?.write({
      connection: connection.number,
      event: "greeting",
      versions: `v${minVersion}..${maxVersion}`,
    });
    const version = negotiate(greeting, this.settings.serverVersion);
    // There is no version in which to say why.
    if (version === undefined) {
      connection.end();
      return;
    }
    connection.version = version;
    // Without the zone's usual comma or bracket nobody parses it; with the market's name nobody takes it for the broker.
    const time = `${instantText(193, this.now())} (tws-sim ${this.settings.market})`;
    this.send(connection, serverVersion(version, time));
  }

  /** Lets a message in, when the pacing allows it. */
  #admit(connection: Connection, fields: readonly string[]): void {
    const { pacing } = this.settings;
    if (pacing === "strict" && connection.rate.isExceeded(this.now())) {
      connection.violations++;
      const counted = `max=${messagesPerSecond} rec=${messagesPerSecond + 1} (${connection.violations})`;
      this.sendError(connection, -1, 100, `Max rate of messages per second has been exceeded:${counted}`);
      if (connection.violations >= 3) connection.end();
      return;
    }
    const isRunning = this.#clock.speed !== "frozen";
    const wait = pacing === "soft" && isRunning ? connection.rate.wait(this.now()) : 0;
    this.#later(connection, wait, () => this.#read(connection, fields));
  }

  /** Does something about a message now or at a later instant; a client with too much waiting is not listened to. */
  #later(connection: Connection, delayMs: number, run: () => void): void {
    if (delayMs === 0) {
      run();
      return;
    }
    connection.waiting++;
    if (connection.waiting >= mostWaiting) connection.socket.pause();
    this.timeline.add(this.now() + delayMs, () => {
      connection.waiting--;
      if (!connection.isClosed) run();
      if (connection.waiting < mostWaiting / 2 && connection.socket.isPaused()) connection.socket.resume();
    });
    this.#clock.wake();
  }

  #read(connection: Connection, fields: readonly string[]): void {
    let request: Request;
    try {
      request = readRequest(fields, connection.version);
    } catch (cause) {
      if (!(cause instanceof UnreadableMessageError)) throw cause;
      this.#logIn(connection, "unreadable", fields);
      // Before START_API there is nobody to tell.
      if (connection.clientId === undefined) connection.end();
      else this.sendError(connection, cause.id, 320, `Error reading request.-'cause' : ${cause.message}`);
      return;
    }
    const message = request.name === "unsupported" ? request.request : request.name;
    this.#logIn(connection, message, fields);
    const symbol = this.#symbolOf(request);
    const fate = this.#rules.fateOf({ message, client: clientOf(connection, request), symbol });
    if (fate) this.#meet(connection, request, symbol, fate);
    else this.#serve(connection, request);
  }

  /** Does with a request what the scenario wants. */
  #meet(connection: Connection, request: Request, symbol: string | undefined, fate: Fate): void {
    const id = "id" in request ? request.id : -1;
    if (fate.copies === 0 && request.name === "reqHistoricalData") connection.silentHistory.add(id);
    this.#later(connection, fate.delayMs, () => {
      for (const action of fate.before) this.#act(withSymbol(action, symbol));
      for (let copy = 0; copy < fate.copies && !fate.answer; copy++) this.#serve(connection, request);
      if (fate.answer)
        this.sendUnfiltered(connection, this.#error(connection, id, fate.answer.code, fate.answer.message));
      for (const action of fate.after) this.#actAbout(action, connection, id);
    });
  }

  #serve(connection: Connection, request: Request): void {
    if (connection.isClosed) return;
    if (connection.clientId !== undefined) {
      dispatch(this, connection, request);
      this.#watchStreams();
    } else if (request.name === "startApi") this.#startApi(connection, request.clientId);
    // Everything else comes too early and is dropped, as TWS does.
  }

  #startApi(connection: Connection, clientId: number): void {
    const refuse = (code: number, text: string): void => {
      this.sendError(connection, -1, code, text);
      connection.end();
    };
    const heldUntil = this.#heldIds.get(clientId) ?? Number.NEGATIVE_INFINITY;
    if (heldUntil > this.now() || this.clients().includes(clientId)) {
      refuse(326, "Unable to connect as the client id is already in use. Retry with a unique client id.");
      return;
    }
    if (clientId < 0) {
      refuse(321, "Error validating request.-'cu' : cause - The client id must not be negative");
      return;
    }
    if (this.clients().length >= this.settings.maxClients) {
      refuse(
        321,
        `Error validating request.-'cu' : cause - ${this.settings.maxClients} clients are connected already`,
      );
      return;
    }
    connection.clientId = clientId;
    connection.socket.setTimeout(0);
    this.send(connection, managedAccounts(this.accounts));
    this.send(connection, nextValidId(this.venue.nextOrderId(clientId)));
    for (const farm of ["market", "history", "secdef"] as const) this.#tellFarm(connection, farm);
    if (!this.state.isLinked) this.sendError(connection, -1, 1100, lostLink);
  }

  // ---- sending

  *started(): Iterable<Connection> {
    for (const connection of this.#connections) {
      if (connection.clientId !== undefined && !connection.isClosed) yield connection;
    }
  }

  clients(): readonly number[] {
    return [...this.started()].map(({ id }) => id).sort((a, b) => a - b);
  }

  send(connection: Connection, reply: Reply): void {
    if (connection.isClosed) return;
    const { name, symbol, status, code } = reply;
    const fate = this.#rules.fateOf({ message: name, client: connection.id, symbol, status, code });
    if (!fate) {
      this.sendUnfiltered(connection, reply);
      return;
    }
    const deliver = (): void => {
      for (const action of fate.before) this.#act(withSymbol(action, symbol));
      if (fate.isCutInHalf) {
        this.#logOut(connection, reply);
        connection.writeHalf(reply);
      } else for (let copy = 0; copy < fate.copies; copy++) this.sendUnfiltered(connection, reply);
      for (const action of fate.after) this.#actAbout(action, connection, reply.id ?? -1);
    };
    if (fate.delayMs === 0) deliver();
    else {
      this.timeline.add(this.now() + fate.delayMs, deliver);
      this.#clock.wake();
    }
  }

  /** Sends what no rule shall see. */
  sendUnfiltered(connection: Connection, reply: Reply): void {
    if (connection.isClosed) return;
    this.#logOut(connection, reply);
    connection.write(reply);
  }

  sendError(connection: Connection, id: number, code: number, text: string): void {
    this.send(connection, this.#error(connection, id, code, text));
  }

  #error(connection: Connection, id: number, code: number, text: string): Reply {
    return error(connection.version, id, code, text);
  }

  contractOf(conId: number): Contract {
    const contract = this.#contractWithId(conId);
    if (!contract) throw new Error(`the venue knows no contract ${conId} of its own order or position`);
    return contract;
  }

  orderIdFor(connection: Connection, { order }: OrderState): number {
    if (order.orderId >= 0) return order.orderId;
    return connection.id === 0 && connection.seesManualOrders ? order.orderId : 0;
  }

  #symbolOf(request: Request): string | undefined {
    if (!("contract" in request)) return undefined;
    const { conId, symbol } = request.contract;
    if (symbol !== "") return symbol;
    return conId === 0 ? undefined : this.#contractWithId(conId)?.symbol;
  }

  #logIn(connection: Connection, message: string, fields: readonly string[]): void {
    this.log?.write({
      connection: connection.number,
      event: "in",
      ...clientField(connection),
      message,
      fields,
    });
  }

  #logOut(connection: Connection, { name, fields }: Reply): void {
    this.log?.write({
      connection: connection.number,
      event: "out",
      ...clientField(connection),
      message: name,
      fields,
    });
  }

  /** Quotes and figures flow only while somebody wants them, so that otherwise nothing is due. */
  #watchStreams(): void {
    let wantsQuotes = false;
    let wantsFigures = false;
    for (const connection of this.started()) {
      wantsQuotes ||= connection.streams.size > 0;
      wantsFigures ||= connection.summaries.size > 0 || connection.accountUpdates !== undefined;
    }
    if (wantsQuotes !== (this.#stopStreams !== undefined)) {
      this.#stopStreams?.();
      this.#stopStreams = wantsQuotes
        ? this.timeline.every(tickPeriodMs, this.now(), () => streamQuotes(this))
        : undefined;
    }
    if (wantsFigures !== (this.#stopFigures !== undefined)) {
      this.#stopFigures?.();
      this.#stopFigures = wantsFigures
        ? this.timeline.every(figuresPeriodMs, this.now(), () => sendFigures(this))
        : undefined;
    }
  }

  // ---- what can happen

  trigger(...actions: readonly WrittenAction[]): void {
    const parsed = actions.map(parseAction);
    const unknown = parsed.flatMap((action) => this.#unknownIn(action, "action", ""));
    if (unknown.length > 0) throw new ScenarioError(unknown);
    for (const action of parsed) this.#act(action);
  }

  addScenario(scenario: Scenario): () => void {
    const unknown = scenario.rules.flatMap((rule, index) =>
      rule.do.flatMap((action, at) => this.#unknownIn(action, scenario.name, `rules[${index}].do[${at}].`)),
    );
    if (unknown.length > 0) throw new ScenarioError(unknown);
    const takeBack = this.#rules.add(scenario);
    this.#runWhatIsDue();
    this.#clock.wake();
    return takeBack;
  }

  /** What an action names and this market does not have: better found before anything happens than when it should. */
  #unknownIn({ order, split, cash }: Action, file: string, at: string): readonly ScenarioIssue[] {
    const issues: ScenarioIssue[] = [];
    const expectKnown = (key: string, name: string | undefined, isKnown: boolean): void => {
      if (name !== undefined && !isKnown)
        issues.push({
          file,
          line: null,
          column: null,
          key: `${at}${key}`,
          message: `the market has no ${name}`,
        });
    };
    expectKnown("order.symbol", order?.symbol, this.#contractNamed(order?.symbol) !== undefined);
    expectKnown("order.account", order?.account, this.accounts.includes(order?.account ?? ""));
    expectKnown("cash.account", cash?.account, this.accounts.includes(cash?.account ?? ""));
    expectKnown("split.symbol", split?.symbol, this.#contractNamed(split?.symbol) !== undefined);
    return issues;
  }

  #contractWithId(conId: number): Contract | undefined {
    const anything = { symbol: "", secType: "", exchange: "", primaryExchange: "", currency: "" };
    return this.venue.contracts({ ...anything, conId })[0];
  }

  #contractNamed(symbol: string | undefined): Contract | undefined {
    if (symbol === undefined) return undefined;
    const query = { conId: 0, secType: "STK", exchange: "SMART", primaryExchange: "", currency: "USD" };
    return this.venue.contracts({ ...query, symbol })[0];
  }

  setMarketLink(up: boolean, data: "kept" | "lost" = "kept"): void {
    this.#act({ link: up ? (data === "lost" ? "up_data_lost" : "up") : "down" });
  }

  cut(options: { readonly client?: number; readonly idsHeldMs?: number } = {}): void {
    const { client, idsHeldMs = 0 } = options;
    this.#cut((connection) => client === undefined || connection.clientId === client, idsHeldMs);
  }

  async restart(): Promise<void> {
    await this.#shut();
    if (!this.#isClosed) await this.open();
  }

  placeAs(clientId: number, order: Omit<NewOrder, "clientId" | "orderId">): number {
    const orderId = clientId === 0 ? -++this.#manualOrders : this.venue.nextOrderId(clientId);
    this.venue.place({ ...order, clientId, orderId });
    this.#clock.wake();
    return orderId;
  }

  /** An action that belongs to a message of a client. */
  #actAbout(action: Action, connection: Connection, id: number): void {
    if (action.say) {
      this.sendUnfiltered(connection, this.#error(connection, id, action.say.code, action.say.message));
    } else if (action.claim !== undefined) {
      const state = this.#orderOf(connection, id);
      if (!state) return;
      const { symbol } = this.contractOf(state.order.conId);
      this.sendUnfiltered(connection, orderStatus(claimed(state, action.claim), id, symbol));
    } else if (action.cancel) {
      this.timeline.add(this.now() + action.cancel.after, () => {
        // It may be filled by then; a broker that comes too late says nothing.
        this.venue.cancel(connection.id, id);
      });
      this.#clock.wake();
    } else if (action.cut && action.cut.client === undefined) {
      this.#cut((one) => one === connection, action.cut.ids_held);
    } else this.#act(action);
  }

  #orderOf(connection: Connection, id: number): OrderState | undefined {
    const isIt = ({ order }: OrderState) => order.clientId === connection.id && order.orderId === id;
    return this.venue.openOrders().find(isIt) ?? this.venue.completedOrders().find(isIt);
  }

  /** An action by itself. */
  #act(action: Action): void {
    const { cut, restart, link, farm, reject, partial_fills: parts, order, split, cash, say } = action;
    if (say)
      for (const connection of this.started())
        this.sendUnfiltered(connection, this.#error(connection, -1, say.code, say.message));
    if (cut) this.#cut((one) => cut.client === undefined || one.clientId === cut.client, cut.ids_held);
    if (restart) this.#restartFor(restart.down);
    if (link) this.#link(link);
    if (farm) {
      this.state.farms[farm.name] = farm.up;
      for (const connection of this.started()) this.#tellFarm(connection, farm.name);
    }
    if (reject)
      this.venue.arrange({
        kind: "reject",
        ...optional("symbol", reject.symbol),
        code: reject.code,
        message: reject.message,
      });
    if (parts)
      this.venue.arrange({
        ...{ kind: "partialFills", parts: parts.parts, everyMs: parts.every },
        ...optional("symbol", parts.symbol),
        ...optional("stopAfter", parts.stop_after),
      });
    if (split) this.venue.arrange({ kind: "split", ...split });
    if (cash)
      this.venue.arrange({
        ...{ kind: "cash", account: cash.account ?? this.accounts[0]! },
        cents: Math.round(cash.amount * 100),
      });
    if (order) this.#placeFor(order);
    if (action.market_data) this.state.marketData = action.market_data;
    if (action.read_only !== undefined) this.state.isReadOnly = action.read_only;
  }

  #cut(isMeant: (connection: Connection) => boolean, idsHeldMs: number): void {
    for (const connection of [...this.#connections].filter(isMeant)) {
      if (connection.clientId !== undefined && idsHeldMs > 0)
        this.#heldIds.set(connection.clientId, this.now() + idsHeldMs);
      // A half message on its way out goes out.
      if (!connection.isClosed) connection.destroy();
    }
  }

  #restartFor(downMs: number): void {
    const reopen = (): void => {
      if (this.#isClosed || this.#server) return;
      // The port was ours a moment ago; who took it meanwhile has it.
      this.open().catch((cause: unknown) =>
        process.emitWarning(cause instanceof Error ? cause : String(cause)),
      );
    };
    const shut = this.#shut();
    if (downMs === 0) void shut.then(reopen);
    else this.timeline.add(this.now() + downMs, () => void shut.then(reopen));
  }

  #link(link: "down" | "up" | "up_data_lost"): void {
    const isUp = link !== "down";
    this.state.isLinked = isUp;
    this.venue.setMarketLink(isUp);
    const [code, text] = isUp
      ? link === "up"
        ? ([1102, keptLink] as const)
        : ([1101, newLink] as const)
      : ([1100, lostLink] as const);
    for (const connection of this.started()) {
      // After data was lost, quotes have to be asked for again.
      if (link === "up_data_lost") connection.streams.clear();
      this.sendError(connection, -1, code, text);
    }
  }

  #tellFarm(connection: Connection, farm: keyof TerminalState["farms"]): void {
    const isUp = this.state.farms[farm];
    const [broken, fine, what, name] = farmNotices[farm];
    this.sendError(
      connection,
      -1,
      isUp ? fine : broken,
      `${what} farm connection is ${isUp ? "OK" : "broken"}:${name}`,
    );
  }

  #placeFor(order: NonNullable<Action["order"]>): void {
    const contract = this.#contractNamed(order.symbol)!;
    this.placeAs(order.client, {
      account: order.account ?? this.accounts[0]!,
      conId: contract.conId,
      action: order.side,
      quantity: order.quantity,
      orderType: order.type,
      limit: order.limit,
      auxPrice: undefined,
      tif: "DAY",
      outsideRth: false,
      orderRef: "",
      transmit: true,
      cashQuantity: "",
    });
  }
}

/** @throws SimulatorOptionsError when it is no speed */
export function assertSpeed(speed: SimulatorSpeed): void {
  if (speed === "frozen" || speed === "max") return;
  if (typeof speed !== "number" || !(speed > 0 && speed <= 1e6))
    throw new SimulatorOptionsError(
      "speed",
      `${speed} is no speed`,
      "give a number above 0 up to 1000000, max or frozen",
    );
}

const lostLink = "Connectivity between IBKR and Trader Workstation has been lost.";
const newLink = "Connectivity between IBKR and Trader Workstation has been restored - data lost.";
const keptLink =
  "Connectivity between IBKR and Trader Workstation has been restored - data maintained. All data farms are connected: usfarm; ushmds; secdefil.";

/** Codes for broken and fine, what it serves, its name. */
const farmNotices = {
  market: [2103, 2104, "Market data", "usfarm"],
  history: [2105, 2106, "HMDS data", "ushmds"],
  secdef: [2157, 2158, "Sec-def data", "secdefil"],
} as const;

function clientField(connection: Connection): { client?: number } {
  return connection.clientId === undefined ? {} : { client: connection.clientId };
}

/** START_API carries the id under which its client is meant. */
function clientOf(connection: Connection, request: Request): number {
  return request.name === "startApi" ? request.clientId : connection.id;
}

/** An arrangement of a rule on a message is about the symbol of the message, where it names none. */
function withSymbol(action: Action, symbol: string | undefined): Action {
  if (symbol === undefined) return action;
  if (action.reject) return { reject: { symbol, ...action.reject } };
  if (action.partial_fills) return { partial_fills: { symbol, ...action.partial_fills } };
  return action;
}

function claimed(state: OrderState, status: string): OrderState {
  const isFilled = status === "Filled";
  const amounts = isFilled ? { filled: state.order.quantity, remaining: "0" } : {};
  return { ...state, ...amounts, status: status as OrderState["status"] };
}

function optional<Key extends string, Value>(key: Key, value: Value | undefined): { [key in Key]?: Value } {
  return value === undefined ? {} : ({ [key]: value } as { [key in Key]: Value });
}

function breath(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
