/** Where this package gets its time and its waiting from; a test brings its own. */
export interface Clock {
  /** Milliseconds since 1970 UTC. */
  nowUtcMs(): number;
}

/** Waiting, separate from the time of day: it goes on steadily when the clock is put back. */
export interface Timers extends Clock {
  /** Calls back once, after that many milliseconds; what is returned takes it back. */
  after(ms: number, callback: () => void): () => void;
}

/** The machine's own. */
export const systemTimers: Timers = {
  nowUtcMs: () => Date.now(),
  after(ms, callback) {
    const timer = setTimeout(callback, ms);
    return () => clearTimeout(timer);
  },
};

/**
 * Waits, unless asked to stop.
 *
 * @throws what the signal was aborted with
 */
export function pause(timers: Timers, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const stop = () => {
      takeBack();
      reject(signal?.reason);
    };
    const takeBack = timers.after(ms, () => {
      signal?.removeEventListener("abort", stop);
      resolve();
    });
    signal?.addEventListener("abort", stop, { once: true });
  });
}
