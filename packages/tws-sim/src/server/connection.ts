import type { Buffer } from "node:buffer";
import type { Socket } from "node:net";
import type { Quote } from "../venue/venue.js";
import { encodeFrame, FrameReader } from "../wire/frames.js";
import type { Reply } from "../wire/replies.js";
import { MessageRate, SmallBarPacing } from "./pacing.js";

/** A client that reads slower than this is told is cut off: its backlog must not grow without end. */
const largestBacklog = 64 << 20;
/** Above this, ticks are left out until the client has caught up. */
const comfortableBacklog = 1 << 20;

/** How long a client may take to notice that it was hung up on, real milliseconds. */
const patienceMs = 1000;

/** Quotes that flow to a client. */
export interface Stream {
  readonly conId: number;
  readonly symbol: string;
  readonly feed: "live" | "delayed";
  /** What was sent last. */
  last: Quote;
}

/** An account summary that a client keeps open. */
export interface SummarySubscription {
  readonly accounts: readonly string[];
  readonly tags: readonly string[];
  /** What was sent last, by account and tag. */
  readonly sent: Map<string, string>;
}

/** One socket of a client and what the terminal remembers of it. Nothing in here outlives the connection. */
export class Connection {
  readonly reader = new FrameReader();
  readonly rate = new MessageRate();
  readonly smallBars = new SmallBarPacing();
  /** 0 until the versions are agreed. */
  version = 0;
  /** Undefined until START_API. */
  clientId: number | undefined;
  isClosed = false;
  violations = 0;
  /** Messages that wait to be read. */
  waiting = 0;

  /** As reqMarketDataType said: 1 live, 2 frozen, 3 delayed, 4 delayed and frozen. */
  marketDataType = 1;
  readonly streams = new Map<number, Stream>();
  readonly summaries = new Map<number, SummarySubscription>();
  wantsPositions = false;
  readonly positionsMulti = new Map<number, { readonly account: string; readonly model: string }>();
  /** The account whose updates flow. */
  accountUpdates: string | undefined;
  /** Historical requests that a fault keeps from being answered. */
  readonly silentHistory = new Set<number>();
  /** Whether orders typed into the terminal carry ids for this client. */
  seesManualOrders = false;

  #isCorked = false;

  constructor(
    /** Counts connections from 1. */
    readonly number: number,
    readonly socket: Socket,
  ) {}

  /** Client id, for messages that exist only after START_API. */
  get id(): number {
    return this.clientId ?? -1;
  }

  get isComfortable(): boolean {
    return this.socket.writableLength < comfortableBacklog;
  }

  write(reply: Reply): void {
    if (this.isClosed) return;
    // Many small messages in one go are one segment.
    if (!this.#isCorked) {
      this.#isCorked = true;
      this.socket.cork();
      setImmediate(() => {
        this.#isCorked = false;
        this.socket.uncork();
      });
    }
    this.socket.write(encodeFrame(reply.fields));
    if (this.socket.writableLength > largestBacklog) this.destroy();
  }

  /** Sends the first half of a message and hangs up. */
  writeHalf(reply: Reply): void {
    if (this.isClosed) return;
    const frame: Buffer = encodeFrame(reply.fields);
    this.#hangUp(frame.subarray(0, Math.ceil(frame.length / 2)));
  }

  /** Hangs up after what was sent has gone out. */
  end(): void {
    if (!this.isClosed) this.#hangUp();
  }

  #hangUp(lastBytes: Buffer | "" = ""): void {
    this.isClosed = true;
    this.socket.end(lastBytes);
    // Who does not hang up as well is not waited for.
    setTimeout(() => this.socket.destroy(), patienceMs).unref();
  }

  destroy(): void {
    this.isClosed = true;
    this.socket.destroy();
  }
}
