import {
  type Executor,
  type Research,
  type ResearchUnit,
  type ResultOf,
  UnitError,
  type UnitOutcome,
  unitName,
} from "@pf/research";
import type { Tinypool } from "tinypool";
import type { BatchOutcome, UnitFailure, WorkerSetting } from "./research-worker.js";
import { sharePanel } from "./shared-panel.js";

/** An executor that holds threads until it is closed. */
export interface WorkerExecutor extends Executor {
  /** Ends the threads, also in the middle of a unit. */
  close(): Promise<void>;
}

export interface WorkerOptions {
  /** Threads, at least 1. */
  readonly workers: number;
  /** The built module that threads run; default: the one beside the built package. */
  readonly entry?: URL;
}

/** A message costs about a tenth of a millisecond, so short units travel together, but never so many that a thread idles. */
const mostUnitsAtOnce = 8;
const sharesOfAThread = 8;

/**
 * Runs units on threads that share the panel's memory. Which thread runs what is chance; the results are not.
 *
 * The threads know the built-in scores, weightings and overlays alone, because functions cannot travel. They start with
 * the first units and live until {@link WorkerExecutor.close}; an abort ends them at once.
 */
export function workerExecutor(
  { panel, study }: Pick<Research, "panel" | "study">,
  options: WorkerOptions,
): WorkerExecutor {
  return threadExecutor(() => ({ panel: sharePanel(panel), study }), options);
}

/**
 * The same on bars that are in shared memory already.
 *
 * @param setting - asked when the threads start
 */
export function threadExecutor(
  setting: () => WorkerSetting,
  { workers, entry = new URL("./research-worker.js", import.meta.url) }: WorkerOptions,
): WorkerExecutor {
  let starting: Promise<Threads> | undefined;
  const threads = () => {
    starting ??= startThreads(setting(), workers, entry);
    return starting;
  };
  const close = async () => {
    const started = starting;
    starting = undefined;
    await (await started)?.end();
  };

  return {
    close,
    async *run(units, signal) {
      if (units.length === 0 || signal?.aborted) return;
      const { pool, onBreakdown } = await threads();
      const arrivals = new Arrivals<readonly UnitOutcome<(typeof units)[number]>[]>();
      const stop = () => arrivals.end();
      const listens = signal instanceof AbortSignal ? signal : undefined;
      listens?.addEventListener("abort", stop, { once: true });
      try {
        const batches = inBatches(units, workers);
        const open = new Set(batches);
        onBreakdown((cause) => {
          const [earliest] = open;
          if (earliest)
            arrivals.fail(new UnitError(`${unitName(earliest.batch[0]!)}, or one after it,`, { cause }));
        });
        for (const one of batches) {
          pool.run(one.batch).then(
            (outcome: BatchOutcome) => {
              open.delete(one);
              if ("failure" in outcome) arrivals.fail(unitError(outcome.failure));
              else arrivals.add(outcomesOf(one.first, outcome.results));
            },
            (cause: unknown) => arrivals.fail(new UnitError(unitName(one.batch[0]!), { cause })),
          );
        }
        for (let left = batches.length; left > 0 && !signal?.aborted; left--) {
          const outcomes = await arrivals.next();
          if (!outcomes) break;
          yield* outcomes;
        }
        if (signal?.aborted) await close();
      } catch (error) {
        await close();
        throw error;
      } finally {
        listens?.removeEventListener("abort", stop);
      }
    },
  };
}

interface Threads {
  readonly pool: Tinypool;
  /** Told when a thread breaks down by itself: out of memory, a module that cannot be loaded, ended from outside. */
  onBreakdown(listener: (cause: Error) => void): void;
  end(): Promise<void>;
}

async function startThreads(workerData: WorkerSetting, workers: number, entry: URL): Promise<Threads> {
  const { Tinypool } = await import("tinypool");
  const pool = new Tinypool({
    filename: entry.href,
    minThreads: workers,
    maxThreads: workers,
    workerData,
    // Threads run what was built, whatever switches this process was started with.
    execArgv: [],
  });
  let listener: (cause: Error) => void = () => {};
  let ending = false;
  pool.on("error", (cause: Error) => listener(cause));
  // The pool does not look at threads that end without an error, and would wait for them for ever.
  const exits = pool.threads.map(
    (thread) =>
      new Promise<void>((resolve) => {
        thread.once("exit", (code: number) => {
          resolve();
          if (!ending) listener(new Error(`a thread ended by itself with code ${code}`));
        });
      }),
  );
  return {
    pool,
    onBreakdown(told) {
      listener = told;
    },
    async end() {
      ending = true;
      await Promise.race([pool.destroy(), Promise.all(exits)]);
    },
  };
}

/** Consecutive units, so that a thread meets the same window again, in the order of the plan. */
function inBatches<U extends ResearchUnit>(
  units: readonly U[],
  workers: number,
): readonly { readonly first: number; readonly batch: readonly U[] }[] {
  const fair = Math.floor(units.length / (workers * sharesOfAThread));
  const size = Math.max(1, Math.min(mostUnitsAtOnce, fair));
  return Array.from({ length: Math.ceil(units.length / size) }, (_, at) => ({
    first: at * size,
    batch: units.slice(at * size, (at + 1) * size),
  }));
}

function outcomesOf<U extends ResearchUnit>(first: number, results: readonly unknown[]): UnitOutcome<U>[] {
  return results.map((result, at) => ({ at: first + at, result: result as ResultOf<U> }));
}

function unitError({ unit, name, message, code, stack }: UnitFailure): UnitError {
  const cause = Object.assign(new Error(message), {
    name,
    ...(code === null ? {} : { code }),
    ...(stack === null ? {} : { stack }),
  });
  return new UnitError(unit, { cause });
}

/** Values that arrive in their own time, for one reader that waits for them. */
class Arrivals<T> {
  readonly #here: T[] = [];
  #failure: { readonly error: unknown } | undefined;
  #ended = false;
  #wake: () => void = () => {};

  add(value: T): void {
    this.#here.push(value);
    this.#wake();
  }

  /** Only the first failure counts: the others follow from it. */
  fail(error: unknown): void {
    this.#failure ??= { error };
    this.#wake();
  }

  end(): void {
    this.#ended = true;
    this.#wake();
  }

  /** The next value; `undefined` once it was ended. */
  async next(): Promise<T | undefined> {
    while (!this.#ended) {
      if (this.#failure) throw this.#failure.error;
      const value = this.#here.shift();
      if (value !== undefined) return value;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return undefined;
  }
}
