import { randomBytes } from "node:crypto";
import { hostname } from "node:os";
import { type Executor, type ResearchUnit, UnitError, unitName } from "@pf/research";
import { type Job, WaitingError, Worker } from "bullmq";
import type { Redis } from "ioredis";
import { parseAddress, type QueueAddress } from "./address.js";
import { connect, refusalOf } from "./connection.js";
import { OtherCodeError } from "./errors.js";
import { digestOf, type News, type UnitMessage, unpackUnits } from "./message.js";
import { pack } from "./plain.js";
import {
  announceWorker,
  forgetWorker,
  keys,
  prefix,
  queueName,
  readRuns,
  type UnitFailure,
  type WorkerRecord,
} from "./registry.js";
import { type ResearchData, unpackData } from "./research-data.js";
import { tidyUp } from "./tidy.js";
import { mostDeaths, type Timing, usualTiming } from "./timing.js";

/** What happens at a worker, for its log. Nothing here holds a secret. */
export type WorkerEvent =
  | {
      readonly kind: "listening";
      readonly queue: string;
      readonly id: string;
      readonly code: string;
      readonly threads: number;
    }
  /** Bars and a study came in. */
  | {
      readonly kind: "data";
      readonly hash: string;
      readonly symbols: number;
      readonly sessions: number;
      readonly bytes: number;
    }
  /** Units whose results are written; those of all such events are what `stopped` says. */
  | { readonly kind: "done"; readonly run: string; readonly units: number; readonly ms: number }
  | { readonly kind: "failed"; readonly run: string; readonly unit: string; readonly message: string }
  /** Work this worker will not do, and why. */
  | { readonly kind: "refused"; readonly run: string; readonly why: string }
  /** Work of a run that is over. */
  | { readonly kind: "dropped"; readonly run: string; readonly units: number }
  /** Work taken over from a worker that ended without a word. */
  | { readonly kind: "taken over"; readonly run: string; readonly units: number; readonly times: number }
  /** Runs whose submitter is gone. */
  | { readonly kind: "gave up"; readonly runs: readonly string[] }
  | { readonly kind: "away"; readonly queue: string }
  | { readonly kind: "back"; readonly queue: string }
  | { readonly kind: "trouble"; readonly message: string }
  | { readonly kind: "given back"; readonly run: string; readonly units: number }
  | { readonly kind: "stopped"; readonly units: number };

/** What a study's units run on; closing it ends also what is in the middle of a unit. */
export interface UnitThread extends Executor {
  close(): Promise<void>;
}

export interface WorkerOptions {
  /** `redis://[[name]:password@]host[:port][/database]`, or `rediss://`. */
  readonly address: string;
  /** The version of the code that results depend on: letters and digits. Work of any other is left alone. */
  readonly code: string;
  /** The program's version, as people know it. */
  readonly program: string;
  /** Messages to work on at a time, at least 1. */
  readonly threads: number;
  /** Makes ready to run units, off the event loop: while it is blocked, the queue takes this worker for dead. */
  readonly open: (data: ResearchData) => UnitThread;
  readonly onEvent?: (event: WorkerEvent) => void;
  readonly timing?: Partial<Timing>;
}

/** A worker that listens until it is closed. */
export interface UnitWorker {
  readonly id: string;
  /** Host, port and database of the queue. */
  readonly queue: string;
  /**
   * Takes no more work, finishes what is being worked on or, after `graceMs`, gives it back, and leaves.
   *
   * @param graceMs - default 5000
   */
  close(graceMs?: number): Promise<void>;
}

/**
 * Listens to the queue and runs units, until it is closed. What a worker does not finish, because it was killed or its
 * machine is gone, another takes over; results that were made twice are the same bytes.
 *
 * @throws QueueAddressError, QueueUnreachableError, QueueRefusedError; once it listens it waits for a queue that is away
 */
export async function serveUnits(options: WorkerOptions): Promise<UnitWorker> {
  const address = parseAddress(options.address);
  const timing = { ...usualTiming, ...options.timing };
  const redis = await connect(address, timing.connectMs);
  const worker = new QueueWorker(redis, address, timing, options);
  try {
    await worker.start();
  } catch (error) {
    redis.disconnect();
    throw refusalOf(address, error) ?? error;
  }
  return { id: worker.id, queue: address.shown, close: (graceMs = 5000) => worker.close(graceMs) };
}

/** How many studies a worker keeps the bars of. */
const mostData = 3;

/** Results are written at least this often, in milliseconds, so that little is lost with a worker. */
const writeEveryMs = 250;

/** A worker looks after what others left behind, and for runs it cannot serve, on one heartbeat in so many. */
const beatsARound = 3;

/** Writes results and tells the submitter, unless the run is over: nothing is left behind for nobody. */
const writeResults = `
if redis.call("EXISTS", KEYS[1]) == 0 then return 0 end
for at = 4, #ARGV, 2 do redis.call("HSET", KEYS[2], ARGV[at], ARGV[at + 1]) end
redis.call("PEXPIRE", KEYS[2], ARGV[1])
redis.call("PUBLISH", ARGV[2], ARGV[3])
return 1`;

/** Only the first failure counts: the others follow from it. */
const writeFailure = `
if redis.call("EXISTS", KEYS[1]) == 0 then return 0 end
redis.call("HSETNX", KEYS[1], "failure", ARGV[1])
redis.call("PUBLISH", ARGV[2], ARGV[3])
return 1`;

interface Slot {
  /** Content hash of what it is ready for. */
  data?: string;
  thread?: UnitThread;
  /** The run it works for. */
  run?: string;
  stop?: AbortController;
}

class QueueWorker {
  readonly id: string;
  readonly #slots: Slot[];
  readonly #free: Slot[];
  /** By hash, the most recently used last. */
  readonly #data = new Map<string, Promise<ResearchData | "missing" | "damaged">>();
  /** Runs of other versions that were told of. */
  readonly #strangers = new Set<string>();
  #worker: Worker<UnitMessage> | undefined;
  #heart: NodeJS.Timeout | undefined;
  #beating: Promise<void> = Promise.resolve();
  #closing: Promise<void> | undefined;
  #units = 0;
  #beats = 0;

  constructor(
    readonly redis: Redis,
    readonly address: QueueAddress,
    readonly timing: Timing,
    readonly options: WorkerOptions,
  ) {
    this.id = `${hostname()}-${process.pid}-${randomBytes(3).toString("hex")}`;
    this.#slots = Array.from({ length: options.threads }, () => ({}));
    this.#free = [...this.#slots];
  }

  async start(): Promise<void> {
    const { redis, timing, options, address } = this;
    const abandoned = await tidyUp(redis);
    await announceWorker(redis, this.#record(), timing.goneMs);
    let isAway = false;
    redis.on("close", () => {
      if (!isAway && !this.#closing) this.#tell({ kind: "away", queue: address.shown });
      isAway = true;
    });
    redis.on("ready", () => {
      if (isAway) this.#tell({ kind: "back", queue: address.shown });
      isAway = false;
    });
    this.#worker = new Worker<UnitMessage>(
      queueName(options.code),
      (job, token) => this.#work(job, token ?? ""),
      {
        connection: redis,
        prefix,
        name: this.id,
        skipVersionCheck: true,
        concurrency: options.threads,
        lockDuration: timing.lockMs,
        stalledInterval: timing.stalledMs,
        maxStalledCount: mostDeaths,
        runRetryDelay: 500,
        removeOnComplete: { count: 0 },
      },
    );
    this.#worker.on("error", (error) => {
      // A message that is gone when it is finished belonged to a run that is over, or was taken over by another worker.
      if (/Missing (key|lock) for job|could not renew lock/i.test(error.message)) return;
      if (!isAway) this.#tell({ kind: "trouble", message: error.message });
    });
    this.#worker.on("failed", (job, error) => {
      if (job) void this.#reportDeath(job, error).catch(this.#trouble);
    });
    await this.#worker.waitUntilReady();
    this.#heart = setInterval(() => {
      this.#beating = this.#beating.then(() => this.#beat()).catch(this.#trouble);
    }, timing.heartbeatMs);
    const { code, threads } = options;
    this.#tell({ kind: "listening", queue: address.shown, id: this.id, code, threads });
    if (abandoned.length > 0) this.#tell({ kind: "gave up", runs: abandoned });
  }

  async close(graceMs: number): Promise<void> {
    this.#closing ??= this.#leave(graceMs);
    return this.#closing;
  }

  async #leave(graceMs: number): Promise<void> {
    const { redis } = this;
    clearInterval(this.#heart);
    await this.#worker?.pause(true);
    const until = performance.now() + graceMs;
    while (this.#free.length < this.#slots.length && performance.now() < until) await pause(20);
    for (const { stop } of this.#slots) stop?.abort();
    // Messages are given back in a moment, unless the queue is away: then their claims run out by themselves.
    while (this.#free.length < this.#slots.length && performance.now() < until + 2000) await pause(20);
    const isThere = redis.status === "ready";
    await this.#worker?.close(!isThere);
    await Promise.all(this.#slots.map(({ thread }) => thread?.close()));
    if (isThere) {
      await forgetWorker(redis, this.id);
      await tidyUp(redis);
    }
    redis.disconnect();
    this.#tell({ kind: "stopped", units: this.#units });
  }

  #record(): WorkerRecord {
    const { code, program, threads } = this.options;
    return {
      ...{ id: this.id, host: hostname(), pid: process.pid, code, program, node: process.versions.node },
      ...{ threads, busy: threads - this.#free.length, units: this.#units },
    };
  }

  #tell(event: WorkerEvent): void {
    this.options.onEvent?.(event);
  }

  readonly #trouble = (thrown: unknown): void => {
    if (!this.#closing) this.#tell({ kind: "trouble", message: messageOf(thrown) });
  };

  /** Says that this worker lives, and looks whether what it works on is still wanted. */
  async #beat(): Promise<void> {
    const { redis, timing } = this;
    if (redis.status !== "ready") return;
    await announceWorker(redis, this.#record(), timing.goneMs);
    for (const slot of this.#slots)
      if (slot.run !== undefined && !(await this.#isWanted(slot.run))) slot.stop?.abort();
    if (++this.#beats % beatsARound !== 0) return;
    const gone = await tidyUp(redis);
    if (gone.length > 0) this.#tell({ kind: "gave up", runs: gone });
    for (const { id, code } of await readRuns(redis)) {
      if (code === this.options.code || this.#strangers.has(id)) continue;
      this.#strangers.add(id);
      this.#tell({
        kind: "refused",
        run: id,
        why: `it is for version ${code}, and this worker is version ${this.options.code}`,
      });
    }
  }

  async #isWanted(run: string): Promise<boolean> {
    const [code, cancelled, failure] = await this.redis.hmget(keys.run(run), "code", "cancelled", "failure");
    return typeof code === "string" && cancelled === null && failure === null;
  }

  async #work(job: Job<UnitMessage>, token: string): Promise<void> {
    const { run, code, data: hash } = job.data;
    if (code !== this.options.code) {
      const error = new OtherCodeError(code, this.options.code);
      this.#tell({ kind: "refused", run, why: error.message });
      return this.#reportFailure(run, "taking over a message", error);
    }
    const units = unpackUnits(job.data.units);
    if (!(await this.#isWanted(run))) return this.#tell({ kind: "dropped", run, units: units.length });
    const data = await this.#dataOf(hash);
    if (typeof data === "string") {
      this.#tell({ kind: "refused", run, why: `its bars are ${data}: ${hash.slice(0, 12)}` });
      return this.#publish(run, { kind: "data", job: job.id ?? "", problem: data });
    }
    const slot = this.#take(hash);
    const stop = new AbortController();
    slot.run = run;
    slot.stop = stop;
    let left = units.length;
    try {
      left = await this.#compute(job, units, data, slot, stop.signal);
    } catch (error) {
      if (!(error instanceof UnitError)) throw error;
      this.#tell({ kind: "failed", run, unit: error.unit, message: messageOf(error.cause) });
      await this.#reportFailure(run, error.unit, error.cause);
    } finally {
      delete slot.run;
      delete slot.stop;
      this.#free.push(slot);
    }
    if (!stop.signal.aborted || left === 0 || !(await this.#isWanted(run))) return;
    // It was stopped, and its run goes on: another worker shall have it at once.
    this.#tell({ kind: "given back", run, units: left });
    await job.moveToWait(token);
    throw new WaitingError();
  }

  /** @returns how many units of the message were left undone */
  async #compute(
    job: Job<UnitMessage>,
    units: readonly ResearchUnit[],
    data: ResearchData,
    slot: Slot,
    signal: AbortSignal,
  ): Promise<number> {
    const { run, data: hash } = job.data;
    const started = performance.now();
    let written = started;
    let finished: { readonly unit: ResearchUnit; readonly result: unknown }[] = [];
    let made = 0;
    const write = async (isLast: boolean) => {
      const ms = performance.now() - started;
      const news: News = {
        ...{ kind: "results", job: job.id ?? "" },
        ...(isLast ? { units: todo.length, ms: Math.round(ms * 100) / 100 } : {}),
      } as News;
      const results = finished.flatMap(({ unit, result }) => [digestOf(unit), pack(result)]);
      const count = finished.length;
      finished = [];
      written = performance.now();
      const isKept = await this.redis.eval(
        ...([writeResults, 2, keys.run(run), keys.results(this.options.code, hash)] as const),
        ...[this.timing.keepMs, keys.news(run), JSON.stringify(news)],
        ...results,
      );
      if (isKept !== 1) return;
      made += count;
      this.#units += count;
    };
    const times = job.stalledCounter;
    // Whoever had it before may have got somewhere.
    const todo = times > 0 || job.attemptsStarted > 1 ? await this.#missing(hash, units) : units;
    if (times > 0) this.#tell({ kind: "taken over", run, units: todo.length, times });
    slot.thread ??= this.options.open(data);
    const { thread } = slot;
    try {
      // Where workers died, each unit is run by itself and named before it is begun, so that the one to blame is known.
      for (const group of times > 0 ? todo.map((unit) => [unit]) : [todo]) {
        if (times > 0) await job.updateProgress({ unit: unitName(group[0]!) });
        for await (const { at, result } of thread.run(group, signal)) {
          finished.push({ unit: group[at]!, result });
          if (times > 0 || performance.now() - written > writeEveryMs) await write(false);
        }
        if (signal.aborted) break;
      }
      await write(!signal.aborted);
    } finally {
      // Also of a message that fails or is given back: what was done adds up, whatever became of the rest.
      const ms = Math.round(performance.now() - started);
      if (made > 0) this.#tell({ kind: "done", run, units: made, ms });
    }
    if (signal.aborted) {
      // Its threads were ended in the middle of a unit; the next study opens new ones.
      delete slot.thread;
      delete slot.data;
      await thread.close();
    }
    return todo.length - made;
  }

  async #missing(hash: string, units: readonly ResearchUnit[]): Promise<readonly ResearchUnit[]> {
    if (units.length === 0) return units;
    const found = await this.redis.hmget(keys.results(this.options.code, hash), ...units.map(digestOf));
    return units.filter((_, at) => found[at] === null);
  }

  /** A slot to work in, if possible one that is ready for this study; there are as many as messages at a time. */
  #take(hash: string): Slot {
    const at = Math.max(
      0,
      this.#free.findIndex(({ data }) => data === hash),
    );
    const [slot] = this.#free.splice(at, 1);
    if (!slot) throw new Error("more messages came than this worker asked for");
    if (slot.data !== hash) {
      void slot.thread?.close().catch(this.#trouble);
      delete slot.thread;
      slot.data = hash;
    }
    return slot;
  }

  async #dataOf(hash: string): Promise<ResearchData | "missing" | "damaged"> {
    const found = this.#data.get(hash) ?? this.#fetch(hash);
    this.#data.delete(hash);
    this.#data.set(hash, found);
    const [oldest] = this.#data.keys();
    if (this.#data.size > mostData && oldest !== undefined) this.#data.delete(oldest);
    try {
      const data = await found;
      if (typeof data === "string") this.#data.delete(hash);
      return data;
    } catch (error) {
      this.#data.delete(hash);
      throw error;
    }
  }

  async #fetch(hash: string): Promise<ResearchData | "missing" | "damaged"> {
    const bytes = await this.redis.getBuffer(keys.data(hash));
    if (!bytes) return "missing";
    const data = await unpackData(hash, bytes);
    if (!data) return "damaged";
    const { tickers, sessions } = data;
    this.#tell({
      kind: "data",
      hash,
      symbols: tickers.length,
      sessions: sessions.length,
      bytes: bytes.length,
    });
    return data;
  }

  /** A message of which workers died, or that could not be handled at all. */
  async #reportDeath(job: Job<UnitMessage>, error: Error): Promise<void> {
    // The submitter finds the message with its reason and its progress; this only wakes it.
    this.#tell({ kind: "failed", run: job.data.run, unit: "a message", message: error.message });
    await this.#publish(job.data.run, { kind: "end" });
  }

  async #reportFailure(run: string, unit: string, thrown: unknown): Promise<void> {
    const error = thrown instanceof Error ? thrown : new Error(String(thrown));
    const code = "code" in error && typeof error.code === "string" ? error.code : null;
    const failure: UnitFailure = { unit, name: error.name, message: error.message, code };
    const end: News = { kind: "end" };
    await this.redis.eval(
      ...([writeFailure, 1, keys.run(run)] as const),
      ...[JSON.stringify(failure), keys.news(run), JSON.stringify(end)],
    );
  }

  async #publish(run: string, news: News): Promise<void> {
    await this.redis.publish(keys.news(run), JSON.stringify(news));
  }
}

function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
