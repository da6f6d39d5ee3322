import { availableParallelism, hostname } from "node:os";
import type { LoadedConfig } from "@pf/config";
import type { QueueStatus, RunRecord, WorkerEvent } from "@pf/queue";
import type { Research } from "@pf/research";
import { RequestError } from "../errors.js";
import type { ProgressListener } from "../ports.js";
import { researchCode } from "./code-version.js";
import type { UnitRunner } from "./unit-runner.js";
import { threadExecutor } from "./worker-executor.js";

export type { WorkerEvent as ResearchEvent } from "@pf/queue";

/** What is going on in the queue of `research.queue`. */
export interface QueueDocument extends QueueStatus {
  /** The version of this program's research code: workers of any other do not take its work. */
  readonly code: string;
}

export interface CancelRunRequest {
  /** The run's id, as `pf queue status` shows it. */
  readonly run: string;
}

/** What `pf queue cancel --json` prints. */
export interface CancelRunDocument {
  /** The run as it stood. */
  readonly cancelled: RunRecord;
}

export interface ServeResearchRequest {
  /** Threads, 1 to 99. Default: as many as cores. */
  readonly workers?: number | undefined;
  readonly onEvent?: (event: WorkerEvent) => void;
  /** How long what is being worked on may take to finish when it is asked to stop. Default 5000. */
  readonly graceMs?: number;
}

/** A research worker that listens until it is closed, or until the signal of the services aborts. */
export interface ResearchWorker {
  readonly document: {
    /** Host, port and database of the queue. */
    readonly queue: string;
    readonly id: string;
    readonly code: string;
    readonly threads: number;
    readonly host: string;
    readonly pid: number;
  };
  /** Settled when it has left the queue. */
  readonly ended: Promise<void>;
  close(): Promise<void>;
}

/** @throws RequestError, and what reaching the queue throws */
export async function queueStatus(loaded: LoadedConfig): Promise<QueueDocument> {
  const address = addressOf(loaded);
  const room = await import("@pf/queue");
  return { ...(await room.queueStatus(address)), code: codeWith(room.protocol) };
}

/** @throws UnknownRunError, RequestError, and what reaching the queue throws */
export async function cancelRun({ run }: CancelRunRequest, loaded: LoadedConfig): Promise<CancelRunDocument> {
  const address = addressOf(loaded);
  const room = await import("@pf/queue");
  return { cancelled: await room.cancelRun(address, run) };
}

/** Where units of a search go when `research.executor` is `bullmq`. */
export async function queueRunner(
  research: Research,
  loaded: LoadedConfig,
  options: {
    readonly label: string;
    readonly program: string;
    readonly workers: number | undefined;
    readonly hasExtensions: boolean;
    readonly onProgress: ProgressListener;
  },
): Promise<UnitRunner> {
  const { label, program, workers, hasExtensions, onProgress } = options;
  if (hasExtensions) {
    throw new RequestError(
      "registered scores, weightings and overlays are functions and cannot travel to the workers of a queue",
      "set research.executor to threads, or use the built-in ones",
    );
  }
  const address = addressOf(loaded);
  const room = await import("@pf/queue");
  const executor = room.queueExecutor(research, {
    ...{ address, program, label, code: codeWith(room.protocol) },
    onNotice: (notice) => onProgress({ step: notice, isNotice: true }),
  });
  const notes =
    workers === undefined
      ? []
      : ["research.executor is bullmq: the workers of the queue do the work, and --workers changes nothing"];
  return { notes, run: (units, signal) => executor.run(units, signal), close: () => executor.close() };
}

/** Listens to the queue and runs units on threads of this machine. */
export async function serveResearch(
  { workers = availableParallelism(), onEvent, graceMs }: ServeResearchRequest,
  loaded: LoadedConfig,
  setting: {
    readonly version: string;
    readonly signal?: AbortSignal;
    readonly workerEntry?: URL | undefined;
  },
): Promise<ResearchWorker> {
  if (!(Number.isInteger(workers) && workers >= 1 && workers <= 99)) {
    throw new RequestError(
      `the number of threads must be a whole number from 1 to 99, not ${workers}`,
      "leave it out to have one for each core",
    );
  }
  const { version, signal, workerEntry } = setting;
  const address = addressOf(loaded);
  const room = await import("@pf/queue");
  const code = codeWith(room.protocol);
  const worker = await room.serveUnits({
    ...{ address, code, program: version, threads: workers },
    // A thread each, so that whoever looks after the queue is never kept waiting by a unit; the bars are in memory once.
    open: ({ study, ...panel }) =>
      threadExecutor(() => ({ panel, study }), {
        workers: 1,
        ...(workerEntry ? { entry: workerEntry } : {}),
      }),
    ...(onEvent ? { onEvent } : {}),
  });
  let settle = () => {};
  const ended = new Promise<void>((resolve) => {
    settle = resolve;
  });
  const close = async () => {
    await worker.close(graceMs);
    settle();
  };
  if (signal?.aborted) await close();
  else signal?.addEventListener("abort", () => void close(), { once: true });
  const { id, queue } = worker;
  return {
    document: { queue, id, code, threads: workers, host: hostname(), pid: process.pid },
    ended,
    close,
  };
}

/** What is computed, and how it travels. */
function codeWith(protocol: number): string {
  return `${researchCode()}p${protocol}`;
}

function addressOf({ config }: LoadedConfig): string {
  if (config.research.queue !== "") return config.research.queue;
  throw new RequestError(
    "there is no queue: research.queue is empty",
    "set it to where Redis is, as in --set research.queue=redis://127.0.0.1:6379; with a password, in .env as PF_RESEARCH__QUEUE",
  );
}
