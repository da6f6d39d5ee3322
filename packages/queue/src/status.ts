import { parseAddress } from "./address.js";
import { connect, refusalOf } from "./connection.js";
import { UnknownRunError } from "./errors.js";
import type { News } from "./message.js";
import { keys, listeningWorkers, type RunRecord, readRuns, type WorkerRecord } from "./registry.js";
import { openQueue, removeMessages, tidyUp } from "./tidy.js";
import { usualTiming } from "./timing.js";

/** What is going on in a queue. */
export interface QueueStatus {
  /** Host, port and database; never a name or a password. */
  readonly queue: string;
  readonly redis: {
    readonly version: string;
    /** Bytes in use, and how many it may use; null where there is no limit. */
    readonly usedBytes: number;
    readonly limitBytes: number | null;
    /** What it does when it is full; anything but `noeviction` may throw work away. */
    readonly evictionPolicy: string;
  };
  readonly workers: readonly WorkerRecord[];
  readonly runs: readonly RunRecord[];
}

/**
 * Looks into a queue. Runs whose submitter is gone are removed first.
 *
 * @throws QueueAddressError, QueueUnreachableError, QueueRefusedError
 */
export async function queueStatus(address: string): Promise<QueueStatus> {
  const where = parseAddress(address);
  const redis = await connect(where, usualTiming.connectMs);
  try {
    await tidyUp(redis);
    const [info, workers, runs] = await Promise.all([redis.info(), listeningWorkers(redis), readRuns(redis)]);
    const fact = (name: string) => new RegExp(`^${name}:(.*)$`, "m").exec(info)?.[1]?.trim() ?? "";
    const limit = Number(fact("maxmemory"));
    return {
      queue: where.shown,
      redis: {
        version: fact("redis_version"),
        usedBytes: Number(fact("used_memory")),
        limitBytes: limit > 0 ? limit : null,
        evictionPolicy: fact("maxmemory_policy"),
      },
      workers,
      runs,
    };
  } catch (error) {
    throw refusalOf(where, error) ?? error;
  } finally {
    redis.disconnect();
  }
}

const markCancelled = `
if redis.call("EXISTS", KEYS[1]) == 0 then return 0 end
redis.call("HSET", KEYS[1], "cancelled", "1")
redis.call("PUBLISH", ARGV[1], ARGV[2])
return 1`;

/**
 * Ends a run from elsewhere: what waits is removed, what is being worked on is dropped, and the submitter ends. What was
 * finished stays for a day, for whoever asks the same again.
 *
 * @returns the run as it stood
 * @throws UnknownRunError, QueueAddressError, QueueUnreachableError, QueueRefusedError
 */
export async function cancelRun(address: string, id: string): Promise<RunRecord> {
  const where = parseAddress(address);
  const redis = await connect(where, usualTiming.connectMs);
  try {
    await tidyUp(redis);
    const runs = await readRuns(redis);
    const run = runs.find((one) => one.id === id);
    const end: News = { kind: "end" };
    const isThere =
      run !== undefined &&
      (await redis.eval(markCancelled, 1, keys.run(id), keys.news(id), JSON.stringify(end))) === 1;
    if (!isThere)
      throw new UnknownRunError(
        id,
        runs.map((one) => one.id),
      );
    const queue = openQueue(redis, run.code, () => {});
    await removeMessages(redis, queue, run.code, id);
    await queue.close();
    return { ...run, isCancelled: true };
  } catch (error) {
    throw refusalOf(where, error) ?? error;
  } finally {
    redis.disconnect();
  }
}
