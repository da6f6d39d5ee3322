import { Worker } from "node:worker_threads";

/** How often the main thread shows that it lives, and the watchdog looks. */
const tickMs = 5_000;
/** So many looks in a row without a sign of life end the process: two minutes. */
const mostSilent = 24;

export interface Watchdog {
  /** Names the file in which it says that it ended the process, for whoever starts next. */
  leaveWordAt(path: string): void;
  /** Lets it go. */
  stop(): void;
}

/**
 * Ends the process when its main thread hangs: an endless loop, a call that never comes back. Whoever supervises the
 * process starts a new one, which goes on where this one stopped. A machine that sleeps is no hang, because then the
 * watchdog sleeps as well.
 *
 * @param entry - the built module of the thread
 */
export function startWatchdog(entry: URL, limits: { tickMs?: number; mostSilent?: number } = {}): Watchdog {
  const beats = new Int32Array(new SharedArrayBuffer(4));
  const every = limits.tickMs ?? tickMs;
  const thread = new Worker(entry, {
    workerData: { beats, tickMs: every, mostSilent: limits.mostSilent ?? mostSilent },
    execArgv: [],
  });
  thread.unref();
  const timer = setInterval(() => Atomics.add(beats, 0, 1), every);
  timer.unref();
  return {
    leaveWordAt: (path) => thread.postMessage(path),
    stop() {
      clearInterval(timer);
      void thread.terminate();
    },
  };
}
