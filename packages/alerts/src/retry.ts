import { setTimeout as delay } from "node:timers/promises";

/** How long a message is tried for. With the defaults, a channel that never answers is given up after 47 seconds. */
export interface RetryPolicy {
  /** At least 1. @default 4 */
  readonly attempts: number;
  /** Pause after the first failure, in milliseconds; it doubles each time. @default 1000 */
  readonly firstPauseMs: number;
  /** Longest pause, and the longest that a server may ask for. @default 60000 */
  readonly longestPauseMs: number;
  /** What one attempt may take. @default 10000 */
  readonly attemptTimeoutMs: number;
}

/** Time, as far as retrying needs it. */
export interface AlertTimers {
  nowUtcMs(): number;
  /** Rejects when the signal aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<unknown>;
}

export const usualRetry: RetryPolicy = {
  attempts: 4,
  firstPauseMs: 1_000,
  longestPauseMs: 60_000,
  attemptTimeoutMs: 10_000,
};

export const systemTimers: AlertTimers = {
  nowUtcMs: () => Date.now(),
  sleep: (ms, signal) => delay(ms, undefined, signal ? { signal } : {}),
};

/** What one attempt came to. */
export interface Attempt {
  /** `again`: it may work later. `refused`: the same would be said again. */
  readonly outcome: "done" | "again" | "refused";
  /** In words, without the host. */
  readonly detail: string;
  /** What the server said about when: seconds, or a date, as `Retry-After` has it. */
  readonly retryAfter?: string;
}

/** What all attempts came to. */
interface Outcome {
  readonly ok: boolean;
  readonly attempts: number;
  readonly detail: string;
}

/**
 * Tries until it works, is refused, or has been tried often enough; pauses double, and a server that names a time is
 * not asked before it. A server that wants more patience than there is, is given up.
 *
 * @param attempt - gives up when its signal aborts, which also happens when it takes too long
 */
export async function retried(
  attempt: (signal: AbortSignal) => Promise<Attempt>,
  policy: RetryPolicy,
  timers: AlertTimers,
  signal?: AbortSignal,
): Promise<Outcome> {
  for (let attempts = 1; ; attempts++) {
    if (signal?.aborted) return { ok: false, attempts: attempts - 1, detail: stopped };
    const { outcome, detail, retryAfter } = await limited(attempt, policy.attemptTimeoutMs, signal);
    if (outcome === "done") return { ok: true, attempts, detail };
    if (signal?.aborted) return { ok: false, attempts, detail: stopped };
    if (outcome === "refused" || attempts >= policy.attempts) return { ok: false, attempts, detail };
    const doubled = Math.min(policy.firstPauseMs * 2 ** (attempts - 1), policy.longestPauseMs);
    const asked = waitOf(retryAfter, timers.nowUtcMs());
    if (asked > policy.longestPauseMs) {
      return { ok: false, attempts, detail: `${detail} and asks to wait ${Math.ceil(asked / 1000)} seconds` };
    }
    try {
      await timers.sleep(Math.max(doubled, asked), signal);
    } catch (error) {
      if (!signal?.aborted) throw error;
    }
  }
}

const stopped = "was not waited for: it was stopped";

/** One attempt under a signal of its own, which leaves nothing behind on a signal that lives as long as the program. */
async function limited(
  attempt: (signal: AbortSignal) => Promise<Attempt>,
  timeoutMs: number,
  signal?: AbortSignal,
): Promise<Attempt> {
  const limit = new AbortController();
  const stop = () => limit.abort();
  const timer = setTimeout(stop, timeoutMs);
  signal?.addEventListener("abort", stop, { once: true });
  try {
    return await attempt(limit.signal);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", stop);
  }
}

/** `Retry-After: 30` or `Retry-After: Wed, 21 Oct 2026 07:28:00 GMT`, in milliseconds from now; 0 where it says nothing. */
function waitOf(retryAfter: string | undefined, nowUtcMs: number): number {
  if (retryAfter === undefined) return 0;
  if (/^\d+(\.\d+)?$/.test(retryAfter)) return Number(retryAfter) * 1000;
  const at = Date.parse(retryAfter);
  return Number.isNaN(at) ? 0 : Math.max(0, at - nowUtcMs);
}
