import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Panel } from "@pf/market";
import { planWalkForward, prepareResearch, type Study } from "@pf/research";
import { quickPanel, quickStudy } from "../../research/test/studies.js";
import type { Timing } from "../src/timing.js";

/** Impatient, so that tests need not wait. */
export const quick: Partial<Timing> = {
  heartbeatMs: 200,
  goneMs: 2000,
  lockMs: 1000,
  stalledMs: 300,
  lookMs: 200,
  nobodyMs: 300,
};

export const study: Study = { ...quickStudy, grid: { ema_fast: [2, 4], ema_slow: [8, 15] } };
export const panelOf = (rows = 430, seed = 1): Panel => quickPanel(seed, rows);

export const panel = panelOf();
export const folds = planWalkForward(panel.sessions, { trainYears: 1, oosMonths: 1 });
export const research = prepareResearch(panel, study);

/** A worker in a process of its own. */
export interface TestWorker {
  readonly process: ChildProcess;
  /** What it said. */
  readonly said: readonly Readonly<Record<string, unknown>>[];
  /** The first thing it said, or will say, that fits. */
  heard(
    fits: (line: Readonly<Record<string, unknown>>) => boolean,
  ): Promise<Readonly<Record<string, unknown>>>;
  ended: Promise<NodeJS.Signals | number | null>;
}

export interface TestWorkerOptions {
  readonly address: string;
  readonly code?: string;
  readonly slowMs?: number;
  readonly poison?: string;
  readonly threads?: number;
}

const entry = fileURLToPath(new URL("worker.mjs", import.meta.url));

const running = new Set<ChildProcess>();

/** Ends what a test started, however it went. */
export function endWorkers(): void {
  for (const child of running) child.kill("SIGKILL");
  running.clear();
}

export async function startWorker({ code = "here", ...options }: TestWorkerOptions): Promise<TestWorker> {
  if (!existsSync(new URL("../dist/index.js", import.meta.url)))
    throw new Error("build @pf/queue before its tests: workers are processes that run what was built");
  const child = spawn(process.execPath, [entry, JSON.stringify({ ...options, code, timing: quick })], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  running.add(child);
  const said: Readonly<Record<string, unknown>>[] = [];
  const listeners = new Set<() => void>();
  let rest = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) said.push(JSON.parse(line) as Readonly<Record<string, unknown>>);
    for (const listener of listeners) listener();
  });
  const ended = new Promise<NodeJS.Signals | number | null>((resolve) =>
    child.once("exit", (exit, signal) => {
      running.delete(child);
      resolve(signal ?? exit);
    }),
  );
  const worker: TestWorker = {
    process: child,
    said,
    ended,
    heard: (fits) =>
      new Promise((resolve, reject) => {
        const look = () => {
          const line = said.find(fits);
          if (!line) return;
          listeners.delete(look);
          resolve(line);
        };
        listeners.add(look);
        void ended.then(() => reject(new Error(`the worker ended; it said ${JSON.stringify(said)}`)));
        look();
      }),
  };
  await worker.heard(({ kind }) => kind === "listening");
  return worker;
}
