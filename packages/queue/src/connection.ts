import { isIP } from "node:net";
import { Redis } from "ioredis";
import type { QueueAddress } from "./address.js";
import { QueueFullError, QueueRefusedError, QueueUnreachableError } from "./errors.js";

/**
 * Connects to Redis, once: if that fails, it failed. Later breaks are mended in the background for as long as it takes,
 * with what was asked in between waiting.
 *
 * @throws QueueUnreachableError, QueueRefusedError
 */
export async function connect(address: QueueAddress, connectMs: number): Promise<Redis> {
  const { host, port, database, isEncrypted, username, password } = address;
  let isConnected = false;
  const redis = new Redis({
    host,
    port,
    db: database,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    // A certificate is made out to a name; an address has none to send.
    ...(isEncrypted ? { tls: isIP(host) === 0 ? { servername: host } : {} } : {}),
    lazyConnect: true,
    connectTimeout: connectMs,
    // What the queue's library insists on: nothing asked fails only because Redis is away for a moment.
    maxRetriesPerRequest: null,
    retryStrategy: (times) => (isConnected ? Math.min(100 * times, 1000) : null),
  });
  let failure: Error | undefined;
  redis.on("error", (error: Error) => {
    failure = error;
  });
  try {
    await within(redis.connect(), connectMs);
    await within(redis.ping(), connectMs);
    // A database that does not exist is an error that the library only mentions, and works on in another one.
    const refusal = failure && refusalOf(address, failure);
    if (refusal) throw refusal;
  } catch (error) {
    // For a socket that is closed already the library would wait two seconds, and the program with it.
    if (redis.status !== "end") redis.disconnect();
    throw (
      refusalOf(address, failure ?? error) ??
      new QueueUnreachableError(address.shown, errnoOf(failure ?? error))
    );
  }
  isConnected = true;
  return redis;
}

/** What an answer of Redis means, as an error of ours; undefined for what is no answer. */
export function refusalOf({ shown }: QueueAddress, thrown: unknown): Error | undefined {
  const answer = thrown instanceof Error ? thrown.message : String(thrown);
  if (/^OOM /.test(answer)) return new QueueFullError(shown);
  if (/^(NOAUTH|WRONGPASS|ERR AUTH|ERR invalid password|ERR Client sent AUTH)/.test(answer)) {
    return new QueueRefusedError(
      shown,
      "it wants another name or password",
      "put them into research.queue, as in redis://:PASSWORD@HOST:PORT, best in .env as PF_RESEARCH__QUEUE",
    );
  }
  if (/^(NOPERM|READONLY|MISCONF|MASTERDOWN|ERR DB index|ERR unknown command|DENIED)/.test(answer)) {
    return new QueueRefusedError(
      shown,
      answer.slice(0, 120),
      "use a Redis of version 6.2 or later that this user may write to",
    );
  }
  return undefined;
}

/** Ends when the promise does, or fails after a time. */
async function within<T>(promise: Promise<T>, ms: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(Object.assign(new Error("no answer"), { code: "ETIMEDOUT" })), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** The system's name of a failure to connect; never a message, which might repeat what was typed. */
function errnoOf(thrown: unknown): string {
  const { code, message } = thrown as { readonly code?: unknown; readonly message?: unknown };
  if (typeof code === "string") return code;
  return typeof message === "string" && /timed? ?out|ETIMEDOUT/i.test(message)
    ? "ETIMEDOUT"
    : "no connection";
}
