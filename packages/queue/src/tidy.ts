import { Queue } from "bullmq";
import type { Redis } from "ioredis";
import { forgetRun, keys, listeningWorkers, prefix, queueName, readRuns } from "./registry.js";

/** A queue of BullMQ on a connection that the caller keeps. */
export function openQueue(redis: Redis, code: string, onError: (error: Error) => void): Queue {
  const queue = new Queue(queueName(code), {
    connection: redis,
    prefix,
    skipVersionCheck: true,
    // Nobody reads these; what happened to a run is told on a channel of its own.
    streams: { events: { maxLen: 100 } },
  });
  queue.on("error", onError);
  return queue;
}

/** Takes a run's messages out of its queue; those that a worker holds it will drop by itself. */
export async function removeMessages(redis: Redis, queue: Queue, code: string, run: string): Promise<void> {
  const list = (name: string) => keys.job(code, name);
  const [waiting, active, failed] = await Promise.all([
    redis.lrange(list("wait"), 0, -1),
    redis.lrange(list("active"), 0, -1),
    redis.zrange(list("failed"), "0", "-1"),
  ]);
  const own = [...waiting, ...active, ...failed].filter((id) => id.startsWith(`${run}-`));
  await Promise.all(own.map((id) => queue.remove(id)));
}

/**
 * Removes what nobody will come back for: runs whose submitter is gone, and queues of versions with neither a run nor a
 * worker. Everybody who comes by does this, so that nothing is left by those who could not clean up behind themselves.
 *
 * @returns the runs that were given up
 */
export async function tidyUp(redis: Redis): Promise<readonly string[]> {
  const runs = await readRuns(redis);
  const gone = runs.filter(({ isAlive }) => !isAlive);
  for (const { id, code } of gone) {
    await forgetRun(redis, id);
    await withQueue(redis, code, (queue) => removeMessages(redis, queue, code, id));
  }
  const workers = await listeningWorkers(redis);
  const inUse = new Set([...runs.filter(({ isAlive }) => isAlive), ...workers].map(({ code }) => code));
  for (const code of await redis.smembers(keys.codes)) {
    if (inUse.has(code)) continue;
    await withQueue(redis, code, (queue) => queue.obliterate({ force: true }));
    await redis.srem(keys.codes, code);
  }
  return gone.map(({ id }) => id);
}

async function withQueue(
  redis: Redis,
  code: string,
  action: (queue: Queue) => Promise<unknown>,
): Promise<void> {
  let failure: Error | undefined;
  const queue = openQueue(redis, code, (error) => {
    failure = error;
  });
  try {
    await action(queue);
  } finally {
    await queue.close();
  }
  if (failure) throw failure;
}
