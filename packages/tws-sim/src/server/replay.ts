import { readFile } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { WireLogError } from "../errors.js";
import { encodeFrame } from "../wire/frames.js";
import type { WireLogEntry } from "./wireLog.js";

export interface ReplayOptions {
  readonly host: string;
  readonly port: number;
  /**
   * Called whenever the log's time moves on, with simulated time in milliseconds since 1970 UTC: `(utcMs) =>
   * simulator.advanceTo(utcMs)`. Without it time is the other side's affair.
   */
  readonly onTime?: (utcMs: number) => Promise<void>;
  /**
   * How long to wait for an answer, real milliseconds.
   * @default 2000
   */
  readonly patienceMs?: number;
}

/** An answer that is not the recorded one. */
export interface ReplayDifference {
  /** Of the log, from 1. */
  readonly line: number;
  readonly message: string;
  readonly recorded: readonly string[];
  /** Undefined: nothing came. */
  readonly answered: readonly string[] | undefined;
}

export interface Replay {
  readonly requests: number;
  readonly answers: number;
  readonly differences: readonly ReplayDifference[];
}

/**
 * Plays the clients of a recorded session against a server and compares what it answers with what was recorded, message
 * by message on each connection.
 *
 * @throws WireLogError when the file is no wire log
 */
export async function replayWireLog(file: string, options: ReplayOptions): Promise<Replay> {
  const entries = await readWireLog(file);
  const { onTime, patienceMs = 2000 } = options;
  const sessions = new Map<number, RecordedClient>();
  const differences: ReplayDifference[] = [];
  let [requests, answers, lastTime] = [0, 0, Number.NEGATIVE_INFINITY];
  try {
    for (const [row, entry] of entries.entries()) {
      const utcMs = Date.parse(entry.at);
      if (onTime && utcMs > lastTime) {
        // Time may only pass when what was sent before has been read.
        for (const session of sessions.values()) await session.settle(patienceMs);
        await onTime(utcMs);
      }
      lastTime = Math.max(lastTime, utcMs);
      if (entry.event === "open") {
        sessions.set(entry.connection, await RecordedClient.connect(options));
        continue;
      }
      const session = sessions.get(entry.connection);
      if (!session) throw new WireLogError(file, `line ${row + 1} is about a connection that was not opened`);
      if (entry.event === "greeting") session.greet(entry.versions);
      if (entry.event === "close") session.close();
      if (entry.event === "in") {
        requests++;
        session.send(entry.fields);
      }
      if (entry.event === "out") {
        answers++;
        const { fields: recorded, message } = entry;
        const answered = await session.next(patienceMs);
        if (
          !answered ||
          answered.length !== recorded.length ||
          answered.some((field, at) => field !== recorded[at])
        )
          differences.push({ line: row + 1, message, recorded, answered });
      }
    }
  } finally {
    for (const session of sessions.values()) session.close();
  }
  return { requests, answers, differences };
}

/** The lines of a wire log. */
async function readWireLog(file: string): Promise<readonly WireLogEntry[]> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (cause) {
    throw new WireLogError(file, (cause as NodeJS.ErrnoException).code ?? String(cause), { cause });
  }
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line, row) => {
      const fail = (why: string, options?: ErrorOptions): never => {
        throw new WireLogError(file, `line ${row + 1} ${why}`, options);
      };
      let entry: unknown;
      try {
        entry = JSON.parse(line);
      } catch (cause) {
        return fail("is no JSON", { cause });
      }
      return isEntry(entry) ? entry : fail("is no line of a wire log");
    });
}

function isEntry(value: unknown): value is WireLogEntry {
  if (typeof value !== "object" || value === null) return false;
  const { at, connection, event, fields, versions } = value as Record<string, unknown>;
  if (typeof at !== "string" || Number.isNaN(Date.parse(at)) || typeof connection !== "number") return false;
  if (event === "greeting") return typeof versions === "string";
  if (event === "in" || event === "out")
    return Array.isArray(fields) && fields.every((field) => typeof field === "string");
  return event === "open" || event === "close";
}

const reqCurrentTime = "49";

/** One connection of the log, played again. */
class RecordedClient {
  readonly #frames: (readonly string[])[] = [];
  readonly #waiting = new Set<() => void>();
  #pending = Buffer.alloc(0);
  #isClosed = false;
  #isStarted = false;
  #isSettled = true;
  /** Answers about the time that are due to the log, and those that are due to {@link settle}. */
  #timesAsked = 0;
  #timesHeard = 0;
  readonly #ownAsks = new Set<number>();

  private constructor(private readonly socket: Socket) {
    socket.on("data", (chunk) => this.#receive(chunk));
    socket.on("error", () => socket.destroy());
    socket.on("close", () => {
      this.#isClosed = true;
      this.#wake();
    });
  }

  static async connect({ host, port }: ReplayOptions): Promise<RecordedClient> {
    const socket = connect({ host, port });
    await new Promise<void>((resolve, reject) => {
      socket.once("connect", resolve);
      socket.once("error", reject);
    });
    return new RecordedClient(socket);
  }

  greet(versions: string): void {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(versions.length);
    this.socket.write(Buffer.concat([Buffer.from("API\0"), length, Buffer.from(versions)]));
  }

  send(fields: readonly string[]): void {
    if (this.#isClosed) return;
    if (fields[0] === reqCurrentTime) this.#timesAsked++;
    if (fields[0] === "71") this.#isStarted = true;
    this.#isSettled = false;
    this.socket.write(encodeFrame(fields));
  }

  /** The next message; undefined when none comes in time. */
  next(patienceMs: number): Promise<readonly string[] | undefined> {
    return this.#until(() => this.#frames.length > 0, patienceMs).then(() => this.#frames.shift());
  }

  /** Waits until everything sent has been read, by asking for the time. */
  async settle(patienceMs: number): Promise<void> {
    if (this.#isSettled || !this.#isStarted || this.#isClosed) return;
    const ask = ++this.#timesAsked;
    this.#ownAsks.add(ask);
    this.socket.write(encodeFrame([reqCurrentTime, "1"]));
    await this.#until(() => !this.#ownAsks.has(ask), patienceMs);
    this.#isSettled = true;
  }

  close(): void {
    this.socket.destroy();
  }

  #receive(chunk: Buffer): void {
    this.#pending = Buffer.concat([this.#pending, chunk]);
    while (this.#pending.length >= 4 && this.#pending.length >= 4 + this.#pending.readUInt32BE(0)) {
      const end = 4 + this.#pending.readUInt32BE(0);
      const fields = this.#pending
        .subarray(4, end - 1)
        .toString("utf8")
        .split("\0");
      this.#pending = this.#pending.subarray(end);
      if (fields[0] === reqCurrentTime && this.#ownAsks.delete(++this.#timesHeard)) continue;
      this.#frames.push(fields);
    }
    this.#wake();
  }

  #until(isMet: () => boolean, patienceMs: number): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(limit);
        this.#waiting.delete(look);
        resolve();
      };
      const look = (): void => {
        if (isMet() || this.#isClosed) done();
      };
      const limit = setTimeout(done, patienceMs);
      this.#waiting.add(look);
      look();
    });
  }

  #wake(): void {
    for (const look of [...this.#waiting]) look();
  }
}
