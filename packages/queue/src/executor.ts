import { randomBytes } from "node:crypto";
import { hostname } from "node:os";
import {
  type Executor,
  type Research,
  type ResearchUnit,
  type ResultOf,
  type StopSignal,
  UnitError,
  type UnitOutcome,
  unitName,
} from "@pf/research";
import type { Queue } from "bullmq";
import type { Redis } from "ioredis";
import { parseAddress, type QueueAddress } from "./address.js";
import { messagesAhead, takeNeighbours, unitsAMessage } from "./batches.js";
import { connect, refusalOf } from "./connection.js";
import { QueueDataError, QueueLostError, RunCancelledError, WorkersDiedError } from "./errors.js";
import { digestOf, type News, packUnits, type UnitMessage } from "./message.js";
import { unpack } from "./plain.js";
import {
  all,
  forgetRun,
  keys,
  listeningWorkers,
  readRuns,
  type UnitFailure,
  type WorkerRecord,
  writeRun,
} from "./registry.js";
import { type PackedData, packData } from "./research-data.js";
import { openQueue, removeMessages, tidyUp } from "./tidy.js";
import { mostDeaths, type Timing, usualTiming } from "./timing.js";

export interface QueueExecutorOptions {
  /** `redis://[[name]:password@]host[:port][/database]`, or `rediss://`. */
  readonly address: string;
  /** The version of the code that results depend on: letters and digits. Workers of any other never see the work. */
  readonly code: string;
  /** The program's version, as people know it. */
  readonly program: string;
  /** What is computed, for people: "permute". */
  readonly label: string;
  /** Told, in words, what whoever waits should know: nobody listens, the queue is away, and that either is over. */
  readonly onNotice?: (notice: string) => void;
  readonly timing?: Partial<Timing>;
}

/** An executor that holds connections until it is closed. */
export interface QueueExecutor extends Executor {
  /** Removes what finished runs left in the queue, and leaves. What an unfinished one has made is kept for a day. */
  close(): Promise<void>;
}

/**
 * Runs units on whoever listens to a queue. Bars and study are put into Redis once, under the hash of their content;
 * messages hold units alone. Which worker runs what, how often, and in which order is chance; the results are not.
 *
 * The submitter alone knows the plan, so that it is the one who looks whether everything is still there: whatever a
 * restart of Redis or a worker's end has lost is handed in again.
 *
 * @throws QueueAddressError at once; from `run`: QueueUnreachableError, QueueRefusedError, QueueFullError,
 *   QueueLostError, QueueDataError, RunCancelledError, and UnitError for a unit that failed
 */
export function queueExecutor(
  research: Pick<Research, "panel" | "study">,
  options: QueueExecutorOptions,
): QueueExecutor {
  const address = parseAddress(options.address);
  const timing = { ...usualTiming, ...options.timing };
  let opening: Promise<Connections> | undefined;
  let data: PackedData | undefined;
  let isAllDone = true;
  return {
    async *run(units, signal) {
      if (units.length === 0 || signal?.aborted) return;
      opening ??= openConnections(address, options.code, timing);
      const connections = await unlessAborted(opening, signal);
      if (!connections) return;
      data ??= await packData(research);
      const run = new QueuedRun(units, connections, data, { ...options, address, timing });
      isAllDone = false;
      yield* run.outcomes(signal);
      isAllDone = run.isDone;
    },
    async close() {
      const opened = await opening?.catch(() => undefined);
      opening = undefined;
      if (!opened) return;
      await atMost(quickMs, leaveData(opened.redis, options.code, data, isAllDone, timing));
      opened.close();
    },
  };
}

/** How long leaving may take: somebody who pressed Ctrl-C waits for it. */
const quickMs = 700;

interface Connections {
  readonly redis: Redis;
  /** Listens to news and does nothing else, as Redis has it. */
  readonly listener: Redis;
  readonly queue: Queue;
  close(): void;
}

async function openConnections(address: QueueAddress, code: string, timing: Timing): Promise<Connections> {
  const redis = await connect(address, timing.connectMs);
  const listener = redis.duplicate({ lazyConnect: false });
  // Breaks are noticed on the other connection, which comes and goes with this one.
  listener.on("error", () => {});
  const queue = openQueue(redis, code, () => {});
  return {
    redis,
    listener,
    queue,
    close() {
      listener.disconnect();
      redis.disconnect();
    },
  };
}

interface Setting extends Omit<QueueExecutorOptions, "address" | "timing"> {
  readonly address: QueueAddress;
  readonly timing: Timing;
}

/** How often in a row the bars may be gone or damaged before the queue is not to be trusted with them. */
const mostDataTroubles = 5;

/** How many results are asked for at once. */
const resultsAtOnce = 500;

class QueuedRun<U extends ResearchUnit> {
  readonly id = randomBytes(4).toString("hex");
  isDone = false;

  readonly #digests: readonly string[];
  /** Places in the plan that no message holds, ascending, from `#openFrom` on. */
  #open: number[];
  #openFrom = 0;
  /** Places that a message holds and whose results have not come back, by message. */
  readonly #messages = new Map<string, Set<number>>();
  /** The message that holds a place. */
  readonly #holders = new Map<number, string>();
  readonly #isDone: Uint8Array;
  #sent = 0;
  #done = 0;
  #unitMs: number | undefined;
  #threads = 1;

  /** Messages of which there is news. */
  readonly #told = new Set<string>();
  #hasEnded = false;
  #dataTroubles = 0;
  #sendsData = true;
  #dataProblem: "missing" | "damaged" = "missing";
  #lookAt = 0;
  #awaySince: number | undefined;
  #nobodySince: number | undefined;
  #notice = "";
  #wake: () => void = () => {};
  readonly #end: { promise: Promise<never>; reject(error: unknown): void };

  constructor(
    readonly units: readonly U[],
    readonly connections: Connections,
    readonly data: PackedData,
    readonly setting: Setting,
  ) {
    this.#digests = units.map(digestOf);
    this.#open = [...units.keys()];
    this.#isDone = new Uint8Array(units.length);
    let reject: (error: unknown) => void = () => {};
    const promise = new Promise<never>((_, fail) => {
      reject = fail;
    });
    // Nobody may be waiting at the moment it ends; whoever waits next is told.
    promise.catch(() => {});
    this.#end = { promise, reject };
  }

  async *outcomes(signal: StopSignal | undefined): AsyncGenerator<UnitOutcome<U>> {
    const { redis, listener } = this.connections;
    const { timing } = this.setting;
    const onAbort = () => this.#end.reject(aborted);
    const listens = signal instanceof AbortSignal ? signal : undefined;
    listens?.addEventListener("abort", onAbort, { once: true });
    const onNews = (_: string, text: string) => this.#hear(text);
    listener.on("message", onNews);
    const onClose = () => this.#goneAway();
    const onReady = () => this.#cameBack();
    redis.on("close", onClose);
    redis.on("ready", onReady);
    const clock = setInterval(
      () => {
        if (signal?.aborted) onAbort();
        this.#checkAway();
        this.#wake();
      },
      Math.min(500, timing.lookMs),
    );
    try {
      await this.#ask(listener.subscribe(keys.news(this.id)));
      await this.#ask(tidyUp(redis));
      await this.#register();
      yield* await this.#resultsOf(this.#open);
      while (this.#done < this.units.length) {
        await this.#submit();
        yield* await this.#arrivals();
        if (this.#done === this.units.length) break;
        if (this.#hasEnded) await this.#explainEnd();
        if (performance.now() >= this.#lookAt) yield* await this.#look();
        else if (this.#told.size === 0) await this.#wait();
      }
      this.isDone = true;
    } catch (error) {
      if (error === aborted) return;
      throw refusalOf(this.setting.address, error) ?? error;
    } finally {
      clearInterval(clock);
      listens?.removeEventListener("abort", onAbort);
      listener.off("message", onNews);
      redis.off("close", onClose);
      redis.off("ready", onReady);
      await atMost(quickMs, this.#leave());
    }
  }

  /** Waits for an answer of Redis, but not beyond the end of the run. */
  async #ask<T>(answer: Promise<T>): Promise<T> {
    return Promise.race([answer, this.#end.promise]);
  }

  #hear(text: string): void {
    const news = newsIn(text);
    if (news?.kind === "end") this.#hasEnded = true;
    else if (news?.kind === "results") {
      this.#told.add(news.job);
      if (news.units !== undefined && news.ms !== undefined && news.units > 0) {
        const ms = news.ms / news.units;
        this.#unitMs = this.#unitMs === undefined ? ms : 0.7 * this.#unitMs + 0.3 * ms;
      }
    } else if (news?.kind === "data") {
      this.#sendsData = true;
      this.#dataProblem = news.problem;
      this.#dataTroubles++;
      this.#takeBack(news.job);
    }
    this.#wake();
  }

  async #wait(): Promise<void> {
    const woken = new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    await this.#ask(woken);
  }

  async #register(): Promise<void> {
    const { redis } = this.connections;
    const { code, program, label, timing } = this.setting;
    const record = {
      ...{ id: this.id, label, code, program, data: this.data.hash },
      ...{ host: hostname(), pid: process.pid, total: this.units.length, done: this.#done },
      ...{ sinceMs: Date.now(), isCancelled: false, isAlive: true },
    };
    await this.#ask(writeRun(redis, record, timing.goneMs));
  }

  /** Puts bars and messages into the queue, as far ahead as workers need. */
  async #submit(): Promise<void> {
    const { redis, queue } = this.connections;
    const { code, timing } = this.setting;
    if (this.#sendsData) {
      if (this.#dataTroubles > mostDataTroubles) {
        const { address } = this.setting;
        throw new QueueDataError(address.shown, this.data.hash, this.#dataProblem, this.#dataTroubles);
      }
      this.#sendsData = false;
      const key = keys.data(this.data.hash);
      const isThere = (await this.#ask(redis.exists(key))) === 1;
      if (!isThere || this.#dataProblem === "damaged")
        await this.#ask(redis.set(key, this.data.bytes, "PX", timing.keepMs));
    }
    const messages: { name: string; data: UnitMessage; opts: { jobId: string; removeOnComplete: true } }[] =
      [];
    while (this.#messages.size < messagesAhead(this.#threads) && this.#openFrom < this.#open.length) {
      // Some were found in the queue, where an earlier run had left them.
      if (this.#isDone[this.#open[this.#openFrom]!]) {
        this.#openFrom++;
        continue;
      }
      const left = this.#open.length - this.#openFrom;
      const count = unitsAMessage(left, this.#threads, this.#unitMs);
      const taken = takeNeighbours(this.#open.slice(this.#openFrom, this.#openFrom + count), count);
      this.#openFrom += taken.length;
      const places = taken.filter((place) => !this.#isDone[place]);
      const jobId = `${this.id}-${this.#sent++}`;
      this.#messages.set(jobId, new Set(places));
      for (const place of places) this.#holders.set(place, jobId);
      const units = packUnits(places.map((place) => this.units[place]!));
      const data = { run: this.id, code, data: this.data.hash, units };
      messages.push({ name: "units", data, opts: { jobId, removeOnComplete: true } });
    }
    if (messages.length > 0) await this.#ask(queue.addBulk(messages));
  }

  /** Results of the messages there was news of. */
  async #arrivals(): Promise<readonly UnitOutcome<U>[]> {
    const told = [...this.#told];
    this.#told.clear();
    const places = told.flatMap((job) => [...(this.#messages.get(job) ?? [])]);
    if (places.length === 0) return [];
    return this.#resultsOf(places);
  }

  /** What is known of these places, which are then done. */
  async #resultsOf(places: readonly number[]): Promise<readonly UnitOutcome<U>[]> {
    const { redis } = this.connections;
    const key = keys.results(this.setting.code, this.data.hash);
    if ((await this.#ask(redis.exists(key))) === 0) return [];
    const outcomes: UnitOutcome<U>[] = [];
    for (let from = 0; from < places.length; from += resultsAtOnce) {
      const some = places.slice(from, from + resultsAtOnce);
      const found = await this.#ask(redis.hmgetBuffer(key, ...some.map((place) => this.#digests[place]!)));
      for (const [at, bytes] of found.entries())
        if (bytes) outcomes.push({ at: some[at]!, result: unpack(bytes) as ResultOf<U> });
    }
    for (const { at } of outcomes) {
      this.#isDone[at] = 1;
      const job = this.#holders.get(at);
      this.#holders.delete(at);
      if (job === undefined) continue;
      this.#messages.get(job)?.delete(at);
      if (this.#messages.get(job)?.size === 0) this.#messages.delete(job);
    }
    this.#done += outcomes.length;
    if (outcomes.length > 0) this.#dataTroubles = 0;
    return outcomes;
  }

  /** A message is lost or given up: its units are handed in again. */
  #takeBack(job: string): void {
    const places = this.#messages.get(job);
    if (!places) return;
    this.#messages.delete(job);
    for (const place of places) this.#holders.delete(place);
    this.#open = [...this.#open.slice(this.#openFrom), ...places].sort((a, b) => a - b);
    this.#openFrom = 0;
  }

  /** Looks at everything by itself: news may be lost, and so may anything else when Redis was restarted. */
  async #look(): Promise<readonly UnitOutcome<U>[]> {
    const { redis } = this.connections;
    const { code, timing } = this.setting;
    this.#lookAt = performance.now() + timing.lookMs;
    await this.#explainEnd();
    if ((await this.#ask(redis.exists(keys.run(this.id)))) === 0) {
      // Redis forgot everything, or somebody took this run for dead while the machine slept.
      await this.#register();
      this.#sendsData = true;
    }
    await this.#ask(
      all(
        redis
          .pipeline()
          .hset(keys.run(this.id), "done", this.#done)
          .set(keys.alive(this.id), "1", "PX", timing.goneMs)
          .pexpire(keys.data(this.data.hash), timing.keepMs)
          .pexpire(keys.results(code, this.data.hash), timing.keepMs),
      ),
    );
    this.#tellWhoListens(await this.#ask(listeningWorkers(redis)));
    return this.#audit();
  }

  /** Compares the messages that should be in the queue with those that are; what is lost is handed in again. */
  async #audit(): Promise<readonly UnitOutcome<U>[]> {
    const { redis } = this.connections;
    const jobs = [...this.#messages.keys()];
    if (jobs.length === 0) return [];
    const pipeline = redis.pipeline();
    for (const job of jobs) {
      const key = keys.job(this.setting.code, job);
      pipeline.hmget(key, "data", "failedReason", "progress", "stc");
    }
    const found = await this.#ask(all(pipeline));
    const lost: string[] = [];
    for (const [at, job] of jobs.entries()) {
      const [data, failed, progress, deaths] = found[at] as (string | null)[];
      if (data === null || data === undefined) lost.push(job);
      else if (failed) throw this.#blame(job, failed, progress ?? undefined, Number(deaths ?? 0));
    }
    // Results are written before a message is removed: what is still missing after it was is lost.
    const outcomes = await this.#resultsOf(lost.flatMap((job) => [...(this.#messages.get(job) ?? [])]));
    for (const job of lost) this.#takeBack(job);
    return outcomes;
  }

  /** The unit whose workers died, as far as anybody knows. */
  #blame(job: string, reason: string, progress: string | undefined, deaths: number): UnitError {
    const [first] = this.#messages.get(job) ?? [];
    const name = progress?.startsWith("{")
      ? (JSON.parse(progress) as { unit: string }).unit
      : first === undefined
        ? "a unit"
        : unitName(this.units[first]!);
    const cause = /stalled/.test(reason)
      ? new WorkersDiedError(Math.max(deaths, mostDeaths + 1))
      : new Error(reason);
    return new UnitError(name, { cause });
  }

  async #explainEnd(): Promise<void> {
    const { redis } = this.connections;
    this.#hasEnded = false;
    const [cancelled, failure] = await this.#ask(redis.hmget(keys.run(this.id), "cancelled", "failure"));
    if (typeof failure === "string") throw unitError(JSON.parse(failure) as UnitFailure);
    if (typeof cancelled === "string") throw new RunCancelledError(this.id, this.#done, this.units.length);
  }

  #tellWhoListens(all: readonly WorkerRecord[]): void {
    const { code, address, timing } = this.setting;
    const own = all.filter((worker) => worker.code === code);
    this.#threads = Math.max(
      1,
      own.reduce((sum, { threads }) => sum + threads, 0),
    );
    if (own.length > 0) {
      if (this.#nobodySince !== undefined && this.#notice !== "")
        this.#tell(
          `${own.length === 1 ? "a worker listens" : `${own.length} workers listen`} at ${address.shown}`,
        );
      this.#nobodySince = undefined;
      this.#notice = "";
      return;
    }
    this.#nobodySince ??= performance.now();
    // One that is just being started is given a moment; whoever listens already will not become another version.
    if (all.length === 0 && performance.now() - this.#nobodySince < timing.nobodyMs) return;
    const notice =
      all.length === 0 ? `no worker listens at ${address.shown}; waiting for one` : this.#strangers(all);
    if (notice !== this.#notice) this.#tell(notice);
    this.#notice = notice;
  }

  /** What is wrong where nobody can take the work, and what to do: waiting alone mends nothing. */
  #strangers(all: readonly WorkerRecord[]): string {
    const { code, program, address } = this.setting;
    const others = all.map((worker) => `${worker.host} (${worker.pid}) is ${worker.program}, ${worker.code}`);
    return `no worker at ${address.shown} is of this version (${program}, ${code}): ${others.join("; ")}; build and start workers from the same sources; waiting for one`;
  }

  #tell(notice: string): void {
    this.setting.onNotice?.(notice);
  }

  #goneAway(): void {
    if (this.#awaySince !== undefined) return;
    this.#awaySince = performance.now();
    this.#tell(`the queue at ${this.setting.address.shown} is away; waiting for it`);
  }

  #cameBack(): void {
    if (this.#awaySince === undefined) return;
    this.#awaySince = undefined;
    this.#tell(`the queue at ${this.setting.address.shown} is back`);
    this.#lookAt = 0;
    this.#wake();
  }

  #checkAway(): void {
    const { timing, address } = this.setting;
    if (this.#awaySince === undefined || performance.now() - this.#awaySince < timing.awayMs) return;
    const seconds = Math.round(timing.awayMs / 1000);
    this.#end.reject(new QueueLostError(address.shown, seconds, this.#done, this.units.length));
  }

  /** Takes the run and its messages out of the queue; workers drop what they hold of it. */
  async #leave(): Promise<void> {
    const { redis, listener, queue } = this.connections;
    if (redis.status !== "ready") return;
    await forgetRun(redis, this.id);
    if (this.#messages.size > 0) await removeMessages(redis, queue, this.setting.code, this.id);
    await listener.unsubscribe(keys.news(this.id));
  }
}

const aborted = Symbol("aborted");

/** News only wakes; what is none, because anybody may say anything on a channel, is looked after like news that was lost. */
function newsIn(text: string): News | undefined {
  try {
    return JSON.parse(text) as News;
  } catch {
    return undefined;
  }
}

/** What finished runs need no more goes; what an unfinished one has made stays for the next, for a day. */
async function leaveData(
  redis: Redis,
  code: string,
  data: PackedData | undefined,
  isAllDone: boolean,
  { keepMs }: Timing,
): Promise<void> {
  if (!data || redis.status !== "ready") return;
  const [key, results] = [keys.data(data.hash), keys.results(code, data.hash)];
  const runs = await readRuns(redis);
  if (!runs.some((run) => run.data === data.hash)) {
    if (isAllDone || (await redis.exists(results)) === 0) await redis.del(key, results);
    else await all(redis.pipeline().pexpire(key, keepMs).pexpire(results, keepMs));
  }
  await tidyUp(redis);
}

async function unlessAborted<T>(promise: Promise<T>, signal: StopSignal | undefined): Promise<T | undefined> {
  if (!(signal instanceof AbortSignal)) return promise;
  let stop = () => {};
  const stopped = new Promise<undefined>((resolve) => {
    stop = () => resolve(undefined);
  });
  signal.addEventListener("abort", stop, { once: true });
  try {
    return await Promise.race([promise, stopped]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

/** Waits for what should be done and need not be: whoever comes by later does it as well. */
async function atMost(ms: number, tidying: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([tidying.catch(() => {}), late]);
  clearTimeout(timer);
}

function unitError({ unit, name, message, code }: UnitFailure): UnitError {
  const cause = Object.assign(new Error(message), { name, ...(code === null ? {} : { code }) });
  return new UnitError(unit, { cause });
}
