import { availableParallelism } from "node:os";
import { type Executor, type Research, runUnit } from "@pf/research";
import { RequestError } from "../errors.js";
import type { WorkerExecutor } from "./worker-executor.js";

export interface UnitRunnerOptions {
  /** Threads; 0 runs everything in this one. Default: as the work needs, up to the number of cores. */
  readonly workers?: number | undefined;
  /** Everything in this thread, because the configuration says so. */
  readonly isInline?: boolean;
  /** Whether scores, weightings or overlays were registered: functions cannot travel to other threads. */
  readonly hasExtensions: boolean;
  /** Lets signals in between units. */
  readonly pause: () => Promise<void>;
  readonly entry?: URL | undefined;
}

/** An executor with what a person should know about it. */
export interface UnitRunner extends Executor {
  readonly notes: readonly string[];
  close(): Promise<void>;
}

const mostWorkers = 64;

/**
 * How long to try alone, and how much has to be left to make threads worth their start, in milliseconds. A thread starts
 * cold: what is left looks long at first and shrinks as this one warms up.
 */
const trialMs = 300;
const worthThreadsMs = 2000;

/**
 * Chooses where units run. The choice is about time alone: results are the same wherever they are made.
 *
 * @throws RequestError for a number of workers that is none
 */
export function unitRunner(research: Research, options: UnitRunnerOptions): UnitRunner {
  const { workers, isInline = false, hasExtensions, pause, entry } = options;
  const cores = availableParallelism();
  if (workers !== undefined && !(Number.isInteger(workers) && workers >= 0 && workers <= mostWorkers)) {
    throw new RequestError(
      `the number of workers must be a whole number from 0 to ${mostWorkers}, not ${workers}`,
      "leave --workers out to have it chosen, or give 0 to use no threads",
    );
  }
  const notes: string[] = [];
  if (workers !== undefined && workers > cores) {
    notes.push(
      `${workers} workers share ${cores} ${cores === 1 ? "core" : "cores"}: more of them help nothing`,
    );
  }
  if (workers && isInline)
    notes.push("research.executor is inline: everything runs in one thread, and --workers changes nothing");
  else if (workers && hasExtensions) {
    notes.push("registered scores, weightings and overlays cannot travel to threads: everything runs in one");
  }

  let threads: WorkerExecutor | undefined;
  const open = async (count: number) => {
    const { workerExecutor } = await import("./worker-executor.js");
    threads ??= workerExecutor(research, { workers: count, ...(entry ? { entry } : {}) });
    return threads;
  };
  const close = async () => threads?.close();
  const alone = isInline || workers === 0 || hasExtensions || (workers === undefined && cores === 1);
  return {
    notes,
    close,
    async *run(units, signal) {
      const started = performance.now();
      let at = 0;
      while (at < units.length && (alone || (workers === undefined && !threads))) {
        if (signal?.aborted) return;
        const before = performance.now();
        yield { at, result: runUnit(units[at]!, research) };
        await pause();
        at++;
        const now = performance.now();
        if (!alone && now - started > trialMs && (now - before) * (units.length - at) > worthThreadsMs) break;
      }
      if (at === units.length || signal?.aborted) return;
      const first = at;
      for await (const outcome of (await open(workers ?? cores)).run(units.slice(first), signal)) {
        yield { ...outcome, at: outcome.at + first };
      }
    },
  };
}
