import type { ChainableCommander, Redis } from "ioredis";

/** Everything of ours in Redis begins like this. */
export const prefix = "pf";

/** The queue of one version of the code: no worker ever sees another version's work. */
export const queueName = (code: string) => `units-${code}`;

/**
 * The names of keys. `runs`, `workers` and `codes` are sets of ids; bars go by content, results by version and content, so
 * that whoever asks the same again finds them.
 */
export const keys = {
  runs: `${prefix}:runs`,
  workers: `${prefix}:workers`,
  codes: `${prefix}:codes`,
  run: (id: string) => `${prefix}:run:${id}`,
  /** There for as long as the submitter says so. */
  alive: (id: string) => `${prefix}:alive:${id}`,
  worker: (id: string) => `${prefix}:worker:${id}`,
  data: (hash: string) => `${prefix}:data:${hash}`,
  results: (code: string, hash: string) => `${prefix}:results:${code}:${hash}`,
  job: (code: string, job: string) => `${prefix}:${queueName(code)}:${job}`,
  /** Where a submitter listens; a channel, no key. */
  news: (id: string) => `${prefix}:news:${id}`,
} as const;

/** Who listens for work. */
export interface WorkerRecord {
  readonly id: string;
  readonly host: string;
  readonly pid: number;
  /** The version of the code that decides results. */
  readonly code: string;
  /** The program, as people know it. */
  readonly program: string;
  readonly node: string;
  readonly threads: number;
  /** Threads at work. */
  readonly busy: number;
  /** Units done since it started. */
  readonly units: number;
}

/** What is being computed. */
export interface RunRecord {
  readonly id: string;
  /** What it is, "permute". */
  readonly label: string;
  readonly code: string;
  readonly program: string;
  /** Content hash of the bars and the study. */
  readonly data: string;
  readonly host: string;
  readonly pid: number;
  readonly total: number;
  readonly done: number;
  /** When it began, UTC milliseconds by the submitter's clock. */
  readonly sinceMs: number;
  readonly isCancelled: boolean;
  /** Whether its submitter has said lately that it lives. */
  readonly isAlive: boolean;
}

/** Why a run ends early, as a worker reports it. */
export interface UnitFailure {
  readonly unit: string;
  readonly name: string;
  readonly message: string;
  readonly code: string | null;
}

export async function announceWorker(redis: Redis, worker: WorkerRecord, goneMs: number): Promise<void> {
  await all(
    redis
      .pipeline()
      .sadd(keys.workers, worker.id)
      .sadd(keys.codes, worker.code)
      .set(keys.worker(worker.id), JSON.stringify(worker), "PX", goneMs),
  );
}

export async function forgetWorker(redis: Redis, id: string): Promise<void> {
  await all(redis.pipeline().srem(keys.workers, id).del(keys.worker(id)));
}

/** Who listens now, in a steady order; those who have not said so lately are struck off. */
export async function listeningWorkers(redis: Redis): Promise<readonly WorkerRecord[]> {
  const ids = (await redis.smembers(keys.workers)).sort();
  if (ids.length === 0) return [];
  const texts = await redis.mget(ids.map(keys.worker));
  const gone = ids.filter((_, at) => texts[at] === null || texts[at] === undefined);
  if (gone.length > 0) await redis.srem(keys.workers, ...gone);
  return texts.flatMap((text) => (typeof text === "string" ? [JSON.parse(text) as WorkerRecord] : []));
}

export async function writeRun(
  redis: Redis,
  { id, isAlive: _, isCancelled: __, ...facts }: RunRecord,
  goneMs: number,
): Promise<void> {
  await all(
    redis
      .pipeline()
      .sadd(keys.codes, facts.code)
      .hset(keys.run(id), { ...facts })
      .set(keys.alive(id), "1", "PX", goneMs)
      .sadd(keys.runs, id),
  );
}

export async function readRuns(redis: Redis): Promise<readonly RunRecord[]> {
  const ids = (await redis.smembers(keys.runs)).sort();
  const runs = await Promise.all(ids.map((id) => readRun(redis, id)));
  return runs.filter((run) => run !== undefined).sort((a, b) => a.sinceMs - b.sinceMs);
}

async function readRun(redis: Redis, id: string): Promise<RunRecord | undefined> {
  const [facts, alive] = await Promise.all([redis.hgetall(keys.run(id)), redis.exists(keys.alive(id))]);
  if (facts.code === undefined) {
    await redis.srem(keys.runs, id);
    return undefined;
  }
  const {
    label = "",
    code,
    program = "",
    data = "",
    host = "",
    pid,
    total,
    done,
    sinceMs,
    cancelled,
  } = facts;
  return {
    ...{ id, label, code, program, data, host },
    pid: Number(pid),
    total: Number(total),
    done: Number(done),
    sinceMs: Number(sinceMs),
    isCancelled: cancelled !== undefined,
    isAlive: alive === 1,
  };
}

export async function forgetRun(redis: Redis, id: string): Promise<void> {
  await all(redis.pipeline().srem(keys.runs, id).del(keys.run(id), keys.alive(id)));
}

/** The answers to commands sent together; the first that is a refusal is thrown. */
export async function all(commands: ChainableCommander): Promise<readonly unknown[]> {
  const answers = (await commands.exec()) ?? [];
  for (const [refusal] of answers) if (refusal) throw refusal;
  return answers.map(([, answer]) => answer);
}
