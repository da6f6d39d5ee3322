import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { alignPanel, type BarSeries, dateOfDayNumber, dayNumber, type Panel, sessionDate } from "@pf/market";
import { planWalkForward, prepareResearch, type Study } from "@pf/research";
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

export const study: Study = {
  options: {
    features: { atrWindow: 4, emaFast: 3, emaSlow: 8, macd: { enabled: false, fast: 4, slow: 9, signal: 3 } },
    selection: { topN: 2, corrWindow: 12, corrCap: 0.7, minScore: 0, incumbents: "keep" },
    weights: { method: "inv_vol", volWindow: 5, maxWeightPerAsset: 0.5, cashBuffer: 0.05 },
    rebalance: { minWeightChange: 0.05 },
  },
  costs: { commissionPerShare: 0.0035, slippageBps: 1 },
  lag: 1,
  grid: { ema_fast: [2, 4], ema_slow: [8, 15] },
  objective: "Calmar",
};

/** A walk a symbol on consecutive days; the second starts late, the third has a hole. */
export function panelOf(rows = 430, seed = 1): Panel {
  const first = dayNumber(sessionDate("2020-01-01"));
  let state = seed;
  const random = () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return (state >>> 0) / 4_294_967_296;
  };
  const walk = (ticker: string, has: (row: number) => boolean): BarSeries => {
    const days = Array.from({ length: rows }, (_, row) => row).filter(has);
    let close = 100;
    const bars = days.map(() => {
      const open = close * (1 + (random() - 0.5) * 0.01);
      close = open * (1 + (random() - 0.49) * 0.03);
      return { open, close, high: Math.max(open, close) * 1.002, low: Math.min(open, close) * 0.998 };
    });
    const column = (of: "open" | "high" | "low" | "close") => Float64Array.from(bars, (bar) => bar[of]);
    return {
      ticker,
      sessions: days.map((row) => dateOfDayNumber(first + row)),
      open: column("open"),
      high: column("high"),
      low: column("low"),
      close: column("close"),
      volume: new Float64Array(days.length).fill(1e6),
    };
  };
  return alignPanel([
    walk("AA", () => true),
    walk("BB", (row) => row >= 60),
    walk("CC", (row) => row !== 200),
  ]);
}

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
