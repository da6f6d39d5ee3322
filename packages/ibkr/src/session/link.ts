import type { IBApi } from "@stoqey/ib";
import {
  ClientIdTakenError,
  HandshakeError,
  NotConnectedError,
  NotTwsError,
  ProtocolError,
  RequestRefusedError,
  RequestTimeoutError,
  ServerVersionError,
  SilentServerError,
  UnreachableError,
} from "../errors.js";
import type { Timers } from "./clock.js";
import { type CodeKind, classifyCode } from "./codes.js";
import { answersRequest, type LinkEventName, type LinkEvents, type LinkHandlers } from "./events.js";
import { type Library, openLibrary } from "./library.js";
import { Pacing } from "./pacing.js";

/** An error or a notice as TWS sent it. */
export interface BrokerMessage {
  /** The request or order it is about; -1 for none. */
  readonly id: number;
  readonly code: number;
  readonly message: string;
  readonly kind: CodeKind;
}

/** How a request ends. What comes after the first of these is ignored. */
interface Answer<T> {
  resolve(value: T): void;
  reject(error: Error): void;
}

/** The message being delivered as it is on the wire: permIds and sizes can be more than a double holds. */
export interface WireFields {
  readonly fields: readonly string[];
}

/** A question to TWS and how its answer is put together. */
export interface LinkRequest<T> {
  /** In words, for errors: `daily bars of SPY`. */
  readonly what: string;
  /** Sends it; called once, when its turn has come. `reqId` is new for every request. */
  send(api: IBApi, reqId: number): void;
  /** Instead of a new number: an order that is a question (what-if) is answered under its order id. */
  readonly number?: number;
  /** Called just before `send`; gives what to do with the messages that come back. */
  receive(answer: Answer<T>, wire: WireFields): LinkHandlers;
  /**
   * Tells TWS to stop: sent when the request is given up, or refused by its own handlers, and, for a subscription, when
   * it is answered too.
   */
  cancel?(api: IBApi, reqId: number): void;
  readonly subscription?: boolean;
  /**
   * Messages that answer no request (positions, open orders, the time) reach every request that handles them. Requests
   * that rest on them must not run side by side, so they name a lane with the limit 1.
   */
  readonly lane?: { readonly name: string; readonly limit: number };
  /** What an error about this request means; `undefined` leaves it to the table: notices are ignored, others end it. */
  refused?(message: BrokerMessage, answer: Answer<T>): "handled" | undefined;
  /** Counted from when it is sent. @default the connection's `requestMs` */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal | undefined;
  /** Goes before what is not urgent. */
  readonly urgent?: boolean;
}

/** Who answers requests: one connection, or a session that has the present one. */
export interface Requests {
  /**
   * @throws NotConnectedError when there is no connection, or it ended before the answer; nothing is sent later
   * @throws RequestTimeoutError when no answer came
   * @throws RequestRefusedError when TWS answered with an error
   * @throws the signal's reason when it was aborted
   */
  request<T>(request: LinkRequest<T>): Promise<T>;
}

/** One connection, ready to be asked. When it ends it stays ended. */
export interface Link extends Requests, WireFields {
  readonly clientId: number;
  readonly serverVersion: number;
  /** As the server wrote it. */
  readonly serverTime: string;
  readonly accounts: readonly string[];
  readonly firstOrderId: number;
  readonly open: boolean;
  /** Hears everything that is not an answer to one request, until taken back. */
  listen(handlers: LinkHandlers): () => void;
  /**
   * Sends something that is not answered as a request is. Resolves when it was handed to the socket.
   *
   * @throws NotConnectedError when the connection ended before; then it was not sent and never will be
   */
  send(what: string, act: (api: IBApi) => void): Promise<void>;
  close(reason: Error): void;
}

export interface LinkOptions {
  readonly host: string;
  readonly port: number;
  readonly clientId: number;
  readonly timers: Timers;
  /** Messages in any one second. TWS allows 50 and its own tools stay below 40. @default 35 */
  readonly messagesPerSecond?: number;
  /** For the socket to open. @default 5000 */
  readonly connectMs?: number;
  /** For the server to name its version, and again to begin the session. @default 10000 */
  readonly handshakeMs?: number;
  /** For an answer, where a request does not say. @default 10000 */
  readonly requestMs?: number;
  readonly signal?: AbortSignal | undefined;
  /** Every error and notice that belongs to no request of ours, from the first on. */
  onMessage(message: BrokerMessage): void;
  /** Called once, also after a failed handshake. */
  onEnd?(reason: Error): void;
  /** Numbers of requests; shared by the connections of a session, so that a late answer finds nobody. */
  nextReqId?(): number;
}

/** The oldest protocol whose layouts are known here: TWS releases of 2020. */
const oldestVersion = 157;
const newestVersion = 193;

/** Requests are numbered from here, orders from 1: both share one field of an error. */
export const firstReqId = 1_000_000_000;

/**
 * Connects, greets, and waits until TWS takes requests.
 *
 * @throws UnreachableError, SilentServerError, NotTwsError, ServerVersionError, ClientIdTakenError or HandshakeError,
 * according to how far it came
 */
export async function openLink(options: LinkOptions): Promise<Link> {
  const { host, port, clientId, timers, connectMs = 5000, handshakeMs = 10_000, signal } = options;
  signal?.throwIfAborted();
  let reqId = firstReqId;
  const nextReqId = options.nextReqId ?? (() => reqId++);
  const pacing = new Pacing(timers, options.messagesPerSecond ?? 35);
  let library: Library | undefined;
  const desk = new Desk(
    timers,
    pacing,
    nextReqId,
    options.requestMs ?? 10_000,
    options.onMessage,
    (cause) => {
      closing ??= new ProtocolError(`the library cannot send: ${cause.message}`, { cause });
      library?.destroy();
    },
  );
  const heard: { opened: boolean; version?: number; time: string; accounts?: string; orderId?: number } = {
    opened: false,
    time: "",
  };

  let ended: Error | undefined;
  let refusedCode: number | undefined;
  let settle: (error?: Error) => void = () => {};
  let stopWaiting = () => {};
  const wait = (ms: number, late: () => Error) => {
    stopWaiting();
    stopWaiting = timers.after(ms, () => settle(late()));
  };
  const ready = new Promise<void>((resolve, reject) => {
    settle = (error) => {
      stopWaiting();
      if (error) reject(error);
      else resolve();
    };
  });
  // Awaited below, but it may be settled while the library is still being loaded.
  ready.catch(() => {});
  const over = (reason: Error | undefined) => {
    ended = closing ?? howItEnded(reason);
    settle(ended);
    pacing.clear();
    desk.end(ended);
    options.onEnd?.(ended);
  };
  let closing: Error | undefined;
  const howItEnded = (reason: Error | undefined): Error => {
    if (heard.version === undefined) {
      if (reason instanceof ProtocolError) return new NotTwsError(host, port, reason.why);
      if (!heard.opened) return new UnreachableError(host, port, whyUnreachable(reason), { cause: reason });
    }
    if (refusedCode === 326) return new ClientIdTakenError(clientId, 0);
    if (reason instanceof ProtocolError) return reason;
    if (!desk.ready) return new HandshakeError(host, port, "closed the connection before the session began");
    return new NotConnectedError("connection to TWS", `ended${reason ? `: ${reason.message}` : ""}`, true, {
      cause: reason,
    });
  };

  wait(connectMs, () => new UnreachableError(host, port, `no answer within ${connectMs / 1000} s`));
  const abort = () => settle(signal?.reason);
  signal?.addEventListener("abort", abort, { once: true });
  try {
    const opening = openLibrary(
      { host, port, clientId },
      {
        opened() {
          heard.opened = true;
          wait(handshakeMs, () => new SilentServerError(host, port, handshakeMs));
        },
        greeted(version, time) {
          if (version < oldestVersion || version > newestVersion)
            return settle(new ServerVersionError(host, port, version, oldestVersion, newestVersion));
          Object.assign(heard, { version, time });
          wait(handshakeMs, () => {
            const missing = heard.accounts === undefined ? "name its accounts" : "give a next order id";
            return new HandshakeError(host, port, `greeted but did not ${missing}`);
          });
        },
        managedAccounts(list) {
          heard.accounts = list;
          if (heard.orderId !== undefined) settle();
        },
        nextValidId(orderId) {
          heard.orderId = orderId;
          if (heard.accounts !== undefined) settle();
        },
        message: (event, args) => desk.deliver(event, args),
        error(id, code, message) {
          if (code === 326) refusedCode = code;
          desk.error({ id, code, message, kind: classifyCode(code, message) });
        },
        ended: over,
      },
    );
    library = await opening;
    await ready;
  } catch (error) {
    closing = error as Error;
    // Whatever is half open is closed; the promise of a library that failed to open has nothing to close.
    library?.destroy();
    throw error;
  } finally {
    stopWaiting();
    signal?.removeEventListener("abort", abort);
  }
  const opened = library;
  desk.start(opened);
  return {
    clientId,
    serverVersion: heard.version!,
    serverTime: heard.time,
    accounts: heard
      .accounts!.split(",")
      .map((account) => account.trim())
      .filter((account) => account !== ""),
    firstOrderId: heard.orderId!,
    get open() {
      return ended === undefined;
    },
    get fields() {
      return opened.fields;
    },
    request: (request) => desk.request(request),
    send: (what, act) => desk.send(what, act),
    listen: (handlers) => desk.listen(handlers),
    close(reason) {
      closing ??= reason;
      opened.destroy();
    },
  };
}

function whyUnreachable(reason: Error | undefined): string {
  const errno = (reason as NodeJS.ErrnoException | undefined)?.code;
  if (errno === "ECONNREFUSED") return "the port is closed";
  if (errno === "ENOTFOUND" || errno === "EAI_AGAIN") return "there is no such host";
  if (errno === "ETIMEDOUT" || errno === "EHOSTUNREACH" || errno === "ENETUNREACH")
    return "the host does not answer";
  return reason?.message || "the connection was closed at once";
}

interface Pending {
  readonly what: string;
  readonly handlers: LinkHandlers;
  refused(message: BrokerMessage): void;
  fail(error: Error): void;
  end(reason: Error): void;
}

/** What cannot be read spoils the answer it belongs to, and no other. */
function give<E extends LinkEventName>({ handlers, fail }: Pending, event: E, args: LinkEvents[E]): void {
  try {
    handlers[event]?.(...args);
  } catch (error) {
    fail(error as Error);
  }
}

interface Lane {
  running: number;
  readonly waiting: (() => void)[];
  /** Requests given up whose closing message may still come, and would be taken for the next one's. */
  owed: number;
}

/** How long a closing message that may be a late one waits for the right one. */
const lateAnswerMs = 1500;

/** Who asked what: hands out numbers and turns, and brings each message to whom it belongs. */
class Desk {
  ready = false;
  private library: Library | undefined;
  private over: Error | undefined;
  private readonly pending = new Map<number, Pending>();
  private readonly listeners = new Set<LinkHandlers>();
  private readonly lanes = new Map<string, Lane>();

  constructor(
    private readonly timers: Timers,
    private readonly pacing: Pacing,
    private readonly nextReqId: () => number,
    private readonly requestMs: number,
    private readonly onMessage: (message: BrokerMessage) => void,
    private readonly broken: (cause: Error) => void,
  ) {}

  start(library: Library): void {
    this.library = library;
    this.ready = this.over === undefined;
  }

  end(reason: Error): void {
    this.over = reason;
    this.ready = false;
    this.listeners.clear();
    for (const lane of this.lanes.values()) for (const refuse of lane.waiting.splice(0)) refuse();
    for (const pending of [...this.pending.values()]) pending.end(reason);
  }

  listen(handlers: LinkHandlers): () => void {
    this.listeners.add(handlers);
    return () => this.listeners.delete(handlers);
  }

  deliver<E extends LinkEventName>(event: E, args: LinkEvents[E]): void {
    if (answersRequest.has(event)) {
      const asked = this.pending.get(args[0] as number);
      if (asked) {
        give(asked, event, args);
        return;
      }
    } else {
      for (const asked of [...this.pending.values()]) give(asked, event, args);
    }
    for (const handlers of [...this.listeners]) handlers[event]?.(...args);
  }

  error(message: BrokerMessage): void {
    const asked = this.pending.get(message.id);
    if (asked) asked.refused(message);
    else this.onMessage(message);
  }

  send(what: string, act: (api: IBApi) => void): Promise<void> {
    return new Promise((resolve, reject) => {
      if (!this.ready) return reject(this.notConnected(what, false));
      const ended = this.whenEnded(() => reject(this.notConnected(what, false)));
      this.pacing.run(() => {
        ended();
        this.hand(act);
        resolve();
      }, true);
    });
  }

  async request<T>(request: LinkRequest<T>): Promise<T> {
    request.signal?.throwIfAborted();
    if (!this.ready) throw this.notConnected(request.what, false);
    if (request.lane === undefined) return this.ask(request, undefined);
    const lane = await this.enter(request.lane, request);
    try {
      return await this.ask(request, lane);
    } finally {
      lane.running--;
      lane.waiting.shift()?.();
    }
  }

  private async enter(
    { name, limit }: { readonly name: string; readonly limit: number },
    { what, signal }: LinkRequest<unknown>,
  ): Promise<Lane> {
    let lane = this.lanes.get(name);
    if (!lane) {
      lane = { running: 0, waiting: [], owed: 0 };
      this.lanes.set(name, lane);
    }
    const here = lane;
    while (here.running >= limit) {
      await new Promise<void>((resolve, reject) => {
        const leave = () => {
          here.waiting.splice(here.waiting.indexOf(go), 1);
          reject(signal?.reason);
        };
        const go = () => {
          signal?.removeEventListener("abort", leave);
          resolve();
        };
        here.waiting.push(go);
        signal?.addEventListener("abort", leave, { once: true });
      });
      if (!this.ready) throw this.notConnected(what, false);
    }
    here.running++;
    return here;
  }

  private ask<T>(request: LinkRequest<T>, lane: Lane | undefined): Promise<T> {
    const { what, signal, timeoutMs = this.requestMs } = request;
    const reqId = request.number ?? this.nextReqId();
    return new Promise<T>((resolve, reject) => {
      let sent = false;
      let takeBack = () => {};
      let stopTimer = () => {};
      let stopLate = () => {};
      let late: { value: T } | undefined;
      const finish = (settle: () => void, cancel: boolean) => {
        if (!this.pending.delete(reqId)) return;
        takeBack();
        stopTimer();
        stopLate();
        signal?.removeEventListener("abort", abort);
        if (cancel && sent && this.ready && request.cancel) {
          const { cancel: stop } = request;
          this.pacing.run(() => this.hand((api) => stop.call(request, api, reqId)), request.urgent);
        }
        settle();
      };
      const giveUp = (error: unknown) => {
        if (lane && shared && sent) lane.owed++;
        finish(() => reject(error), true);
      };
      const abort = () => giveUp(signal?.reason);
      const answer: Answer<T> = {
        resolve: (value) => {
          if (lane && shared && lane.owed > 0) {
            // This may be what an earlier request, given up by now, was owed: the right one follows soon if so.
            lane.owed--;
            late = { value };
            stopLate();
            stopLate = this.timers.after(lateAnswerMs, () =>
              finish(() => resolve(late!.value), request.subscription ?? false),
            );
            return;
          }
          finish(() => resolve(value), request.subscription ?? false);
        },
        reject: (error) => finish(() => reject(error), true),
      };
      const handlers = request.receive(answer, this.library!);
      const shared = Object.keys(handlers).some((event) => !answersRequest.has(event as LinkEventName));
      this.pending.set(reqId, {
        what,
        handlers,
        refused: (message) => {
          if (request.refused?.(message, answer) === "handled") return;
          this.onMessage(message);
          if (message.kind === "notice" || message.kind === "connection") return;
          const { code, message: text, kind } = message;
          finish(() => reject(new RequestRefusedError(what, code, text, kind)), false);
        },
        fail: (error) => finish(() => reject(error), true),
        end: () => finish(() => reject(this.notConnected(what, sent)), false),
      });
      signal?.addEventListener("abort", abort, { once: true });
      takeBack = this.pacing.run(() => {
        sent = true;
        stopTimer = this.timers.after(timeoutMs, () => giveUp(new RequestTimeoutError(what, timeoutMs)));
        this.hand((api) => request.send(api, reqId));
      }, request.urgent);
    });
  }

  /** The only place where the library is told to send anything. */
  private hand(act: (api: IBApi) => void): void {
    if (!this.ready || this.library === undefined) return;
    try {
      act(this.library.api);
    } catch (cause) {
      // The library's queue stops for good when a call throws in it.
      this.broken(cause as Error);
    }
  }

  private whenEnded(act: () => void): () => void {
    const key = this.nextReqId();
    this.pending.set(key, { what: "", handlers: {}, refused: () => {}, fail: () => {}, end: () => act() });
    return () => this.pending.delete(key);
  }

  private notConnected(what: string, sent: boolean): NotConnectedError {
    return new NotConnectedError(
      what,
      this.over ? `no connection (${this.over.message})` : "not connected",
      sent,
      {
        cause: this.over,
      },
    );
  }
}
