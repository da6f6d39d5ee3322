import {
  AccountNotManagedError,
  ClientIdTakenError,
  NotConnectedError,
  ServerVersionError,
  SilentServerError,
} from "../errors.js";
import { pause, type Timers } from "./clock.js";
import {
  type BrokerMessage,
  firstReqId,
  type Link,
  type LinkOptions,
  type LinkRequest,
  openLink,
  type Requests,
} from "./link.js";

/** Where a session stands with TWS, and why. */
export type ConnectionState =
  | { readonly kind: "connecting"; readonly attempt: number }
  /** Everything may be asked, and orders may be placed. */
  | { readonly kind: "connected"; readonly clientId: number; readonly serverVersion: number }
  /** TWS answers but has lost the broker's servers: orders would be kept there and sent later, so none is placed. */
  | { readonly kind: "degraded"; readonly code: number; readonly reason: string }
  /** The servers are back; what happened meanwhile is being asked. */
  | { readonly kind: "restored"; readonly data: "kept" | "lost" }
  | {
      readonly kind: "reconnecting";
      readonly attempt: number;
      readonly inMs: number;
      readonly reason: string;
    }
  | { readonly kind: "closed"; readonly reason: string };

export interface ReconnectRules {
  /** @default 500 */
  readonly firstMs?: number;
  /** Waits double up to this. @default 30000 */
  readonly longestMs?: number;
  /** After so long without a connection the session is closed. @default never */
  readonly giveUpAfterMs?: number;
}

export interface ConnectionOptions {
  readonly host: string;
  readonly port: number;
  readonly clientId: number;
  readonly account: string;
  readonly marketDataType: number;
  readonly timers: Timers;
  readonly messagesPerSecond?: number | undefined;
  readonly connectMs?: number | undefined;
  readonly handshakeMs?: number | undefined;
  readonly requestMs?: number | undefined;
  readonly clientIdRetryMs: number;
  readonly clientIdsAfter: number;
  readonly reconnect: ReconnectRules | false;
  readonly heartbeatMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** States in which the end of an interruption is news. */
const interruptible: ReadonlySet<ConnectionState["kind"]> = new Set(["connected", "degraded", "restored"]);

/** Keeps one connection at a time, tells its state, and never keeps anything to be sent later. */
export class Connection implements Requests {
  state: ConnectionState = { kind: "connecting", attempt: 1 };
  /** The latest one, open or not. */
  link: Link | undefined;

  private readonly listeners = new Set<(state: ConnectionState) => void>();
  private readonly messageListeners = new Set<(message: BrokerMessage) => void>();
  private readonly stop = new AbortController();
  private reqId = firstReqId;
  private stopHeartbeat = () => {};
  /** Of the link between TWS and the broker, begun and ended. */
  private interruptions = 0;

  constructor(
    private readonly options: ConnectionOptions,
    /** Prepares a connection that was just opened or restored, before it is said to be connected. */
    private readonly prepare: (link: Link) => Promise<void>,
  ) {}

  onState(listener: (state: ConnectionState) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  onMessage(listener: (message: BrokerMessage) => void): () => void {
    this.messageListeners.add(listener);
    return () => this.messageListeners.delete(listener);
  }

  /** The first connection; throws what stopped it. */
  async start(): Promise<void> {
    try {
      await this.open();
    } catch (error) {
      this.end((error as Error).message);
      throw error;
    }
  }

  /** The connection to place orders through. */
  placing(what: string): Link {
    const why = this.whyNotPlacing();
    if (why !== undefined) throw new NotConnectedError(what, why, false);
    return this.link!;
  }

  whyNotPlacing(): string | undefined {
    const { link, state } = this;
    switch (state.kind) {
      case "connected":
        return link?.open ? undefined : "not connected";
      case "degraded":
        return `TWS has lost the broker's servers and would send it later (${state.code})`;
      case "restored":
        return "what happened during the interruption is not known yet";
      default:
        return `not connected (${state.kind})`;
    }
  }

  async request<T>(request: LinkRequest<T>): Promise<T> {
    if (!this.link?.open)
      throw new NotConnectedError(request.what, `not connected (${this.state.kind})`, false);
    return this.link.request(request);
  }

  /** Resolves when orders may be placed; throws when the session is over. */
  ready(signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const leave = () => {
        forget();
        signal?.removeEventListener("abort", abort);
      };
      const look = () => {
        const { state } = this;
        if (state.kind !== "connected" && state.kind !== "closed") return;
        leave();
        if (state.kind === "connected") resolve();
        else
          reject(new NotConnectedError("waiting for TWS", `the session is closed (${state.reason})`, false));
      };
      const abort = () => {
        leave();
        reject(signal?.reason);
      };
      const forget = this.onState(look);
      signal?.addEventListener("abort", abort, { once: true });
      look();
    });
  }

  close(reason: string): void {
    if (this.state.kind === "closed") return;
    this.end(reason);
    this.link?.close(new NotConnectedError("connection to TWS", reason, true));
  }

  private end(reason: string): void {
    this.stopHeartbeat();
    this.stop.abort(new NotConnectedError("connection to TWS", reason, false));
    this.tell({ kind: "closed", reason });
    this.listeners.clear();
  }

  private tell(state: ConnectionState): void {
    if (this.state.kind === "closed") return;
    this.state = state;
    for (const listener of [...this.listeners]) listener(state);
  }

  /** One connection, whichever of the allowed ids is free; then everything that has to be right before it is used. */
  private async open(): Promise<void> {
    const { timers, clientId, clientIdRetryMs, clientIdsAfter } = this.options;
    for (let id = clientId; ; id++) {
      const beganMs = timers.nowUtcMs();
      let waitMs = 250;
      for (;;) {
        try {
          return await this.greet(id);
        } catch (error) {
          if (!(error instanceof ClientIdTakenError)) throw error;
          const triedMs = timers.nowUtcMs() - beganMs;
          if (triedMs >= clientIdRetryMs) {
            if (id < clientId + clientIdsAfter) break;
            throw new ClientIdTakenError(id, triedMs);
          }
          await pause(timers, Math.min(waitMs, clientIdRetryMs - triedMs), this.signal);
          waitMs = Math.min(2 * waitMs, 4000);
        }
      }
    }
  }

  private get signal(): AbortSignal {
    const { signal } = this.options;
    return signal ? AbortSignal.any([signal, this.stop.signal]) : this.stop.signal;
  }

  private async greet(clientId: number): Promise<void> {
    const { host, port, timers, account, messagesPerSecond, connectMs, handshakeMs, requestMs } =
      this.options;
    let link: Link | undefined;
    const options: LinkOptions = {
      host,
      port,
      clientId,
      timers,
      ...(messagesPerSecond !== undefined && { messagesPerSecond }),
      ...(connectMs !== undefined && { connectMs }),
      ...(handshakeMs !== undefined && { handshakeMs }),
      ...(requestMs !== undefined && { requestMs }),
      signal: this.signal,
      nextReqId: () => this.reqId++,
      onMessage: (message) => this.hear(message),
      onEnd: (reason) => {
        if (link !== undefined && this.link === link) this.lost(reason);
      },
    };
    link = await openLink(options);
    try {
      if (!link.accounts.includes(account)) throw new AccountNotManagedError(account, link.accounts);
      await this.settle(link);
    } catch (error) {
      link.close(error as Error);
      throw error;
    }
    if (!link.open) throw new NotConnectedError("connection to TWS", "ended while it began", true);
    this.link = link;
    this.beat(link);
    const { state } = this;
    // TWS may have said meanwhile that it has no servers: that stands. If they are back, what was asked before is asked anew.
    if (state.kind === "restored") void this.restored(state.data);
    else if (state.kind !== "degraded")
      this.tell({ kind: "connected", clientId, serverVersion: link.serverVersion });
  }

  private async settle(link: Link): Promise<void> {
    await link.send("market data type", (api) => api.reqMarketDataType(this.options.marketDataType));
    await this.prepare(link);
  }

  private hear(message: BrokerMessage): void {
    if (message.id === -1) {
      if (message.code === 1100 || message.code === 2110) {
        this.interruptions++;
        this.tell({ kind: "degraded", code: message.code, reason: message.message });
      }
      // Also without the notice that it began: something may have happened that we were not told.
      if ((message.code === 1101 || message.code === 1102) && interruptible.has(this.state.kind)) {
        this.interruptions++;
        void this.restored(message.code === 1102 ? "kept" : "lost");
      }
      if (message.code === 1300)
        this.link?.close(new NotConnectedError("connection to TWS", message.message, true));
    }
    for (const listener of [...this.messageListeners]) listener(message);
  }

  private async restored(data: "kept" | "lost"): Promise<void> {
    const { link, interruptions } = this;
    this.tell({ kind: "restored", data });
    if (!link?.open) return;
    try {
      await this.settle(link);
    } catch (error) {
      // What happened meanwhile could not be asked: a new connection asks again.
      link.close(error as Error);
      return;
    }
    // A second interruption may have begun, or even ended, while we asked about the first: its own answers count.
    const { state } = this as { state: ConnectionState };
    if (state.kind === "restored" && interruptions === this.interruptions && link.open)
      this.tell({ kind: "connected", clientId: link.clientId, serverVersion: link.serverVersion });
  }

  private lost(reason: Error): void {
    this.stopHeartbeat();
    if (this.state.kind === "closed") return;
    if (this.options.reconnect === false) this.end(reason.message);
    else void this.reconnect(reason, this.options.reconnect);
  }

  private async reconnect(reason: Error, rules: ReconnectRules): Promise<void> {
    const { timers } = this.options;
    const beganMs = timers.nowUtcMs();
    const longestMs = rules.longestMs ?? 30_000;
    let inMs = Math.min(rules.firstMs ?? 500, longestMs);
    let why = reason.message;
    for (let attempt = 1; ; attempt++) {
      if (timers.nowUtcMs() - beganMs >= (rules.giveUpAfterMs ?? Infinity)) return this.end(why);
      this.tell({ kind: "reconnecting", attempt, inMs, reason: why });
      try {
        await pause(timers, inMs, this.signal);
        this.tell({ kind: "connecting", attempt });
        return await this.open();
      } catch (error) {
        if (this.signal.aborted) return this.end(why);
        // These stay as they are however often one tries.
        if (error instanceof AccountNotManagedError || error instanceof ServerVersionError)
          return this.end(error.message);
        why = (error as Error).message;
      }
      inMs = Math.min(2 * inMs, longestMs);
    }
  }

  /** Notices a server that has stopped answering, which a socket alone does not for hours. */
  private beat(link: Link): void {
    const { heartbeatMs, timers, host, port } = this.options;
    this.stopHeartbeat();
    if (heartbeatMs <= 0) return;
    let missed = 0;
    const ask = async () => {
      try {
        await link.request(currentTimeRequest());
        missed = 0;
      } catch {
        // A connection that has ended is heard of otherwise.
        if (link.open && ++missed >= 2)
          return link.close(new SilentServerError(host, port, heartbeatMs + 20_000));
      }
      if (link.open) this.stopHeartbeat = timers.after(heartbeatMs, () => void ask());
    };
    this.stopHeartbeat = timers.after(heartbeatMs, () => void ask());
  }
}

/** The server's clock, in whole seconds since 1970. */
export function currentTimeRequest(): LinkRequest<number> {
  return {
    what: "server time",
    lane: { name: "current time", limit: 1 },
    send: (api) => api.reqCurrentTime(),
    receive: (answer) => ({ currentTime: (seconds) => answer.resolve(seconds) }),
  };
}
