import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { alignPanel } from "@pf/market";
import {
  collect,
  type Fold,
  inlineExecutor,
  type PermutationUnit,
  planFolds,
  planPermutation,
  planProcedure,
  planWalkForward,
  prepareResearch,
  type ResearchUnit,
  type ResultOf,
  type Study,
  UnitError,
} from "@pf/research";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { quickPanel, quickStudy } from "../../research/test/studies.js";
import { describeFailure } from "../src/index.js";
import { openSharedPanel, sharePanel } from "../src/research/shared-panel.js";
import { unitRunner } from "../src/research/unit-runner.js";
import { type WorkerExecutor, workerExecutor } from "../src/research/worker-executor.js";

/** Threads cannot run TypeScript: they run what was built. */
const entry = new URL("../dist/research-worker.js", import.meta.url);
beforeAll(() => {
  if (!existsSync(entry)) throw new Error("build @pf/app before its tests: threads run the built module");
});

const panel = quickPanel(1, 430);
const study: Study = { ...quickStudy, grid: { ema_fast: [2, 4], ema_slow: [8, 15] } };
const folds = planWalkForward(panel.sessions, { trainYears: 1, oosMonths: 1 });
const research = prepareResearch(panel, study);
const inline = <U extends ResearchUnit>(units: readonly U[]) => collect(inlineExecutor(research), units);

const opened: WorkerExecutor[] = [];
const threads = (workers: number, of = entry) => {
  const executor = workerExecutor(research, { workers, entry: of });
  opened.push(executor);
  return executor;
};
afterEach(async () => {
  for (const executor of opened.splice(0)) await executor.close();
});

describe("a panel in shared memory", () => {
  it("is the panel it was made from, holes and late starts included, and is not copied when opened", () => {
    const shared = sharePanel(panel);
    const again = openSharedPanel(shared);
    expect([again.sessions, again.tickers]).toEqual([panel.sessions, panel.tickers]);
    for (const ticker of panel.tickers) {
      for (const field of ["open", "high", "low", "close", "volume"] as const) {
        expect(again.column(field, ticker)).toEqual(panel.column(field, ticker));
        expect(again.column(field, ticker).buffer).toBe(shared.bars);
      }
    }
  });
});

describe("a panel of hours in shared memory", () => {
  it("keeps the instants at which they end", () => {
    const session = panel.sessions[0]!;
    const endsUtcMs = Float64Array.of(1e12, 1e12 + 3_600_000);
    const column = Float64Array.of(10, 11);
    const prices = { open: column, high: column, low: column, close: column, volume: column };
    const hours = alignPanel([{ ticker: "SPY", sessions: [session, session], endsUtcMs, ...prices }]);
    const again = openSharedPanel(structuredClone(sharePanel(hours)));
    expect([again.sessions, again.endsUtcMs]).toEqual([hours.sessions, endsUtcMs]);
  });
});

describe("units on threads", () => {
  it.each([1, 2, 3])("give the results of this thread, to the last bit, on %i of them", async (workers) => {
    const executor = threads(workers);
    const permutations = planPermutation(folds, { runs: 7, seed: 42, runsPerUnit: 2 });
    const walks = planFolds(folds);
    const procedure = planProcedure(folds, { runs: 2, seed: 42 });
    expect(await collect(executor, walks)).toEqual(await inline(walks));
    const permuted = await collect(executor, permutations);
    expect(permuted).toEqual(await inline(permutations));
    expect(await collect(executor, procedure)).toEqual(await inline(procedure));
    const scores = permuted.flatMap((part) => part.permuted);
    expect(new Set(scores).size).toBeGreaterThan(folds.length);
  });

  it("name the unit that failed, and what went wrong in it", async () => {
    const beyond: Fold = { ...folds[0]!, index: 7, oosFrom: 9999, oosTo: 99_999 };
    const units = [...planFolds(folds), { kind: "fold" as const, fold: beyond }];
    const error = await collect(threads(2), units).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(UnitError);
    expect(error).toMatchObject({
      unit: "fold 7",
      cause: { name: "PanelLookupError", code: "PF_PANEL_LOOKUP" },
    });
    expect(describeFailure(error)).toMatchObject({
      code: "PF_UNIT_FAILED",
      exit: 1,
      details: { unit: "fold 7", cause: "PF_PANEL_LOOKUP" },
    });
  });

  it("stop the run when a thread breaks down", async () => {
    const dying = new URL("./dying-worker.mjs", import.meta.url);
    const error = await collect(threads(1, dying), planFolds(folds.slice(0, 1))).catch(
      (thrown: unknown) => thrown,
    );
    expect(error).toMatchObject({ code: "PF_UNIT_FAILED" });
    expect(String(error)).toMatch(/fold 0, or one after it, failed: a thread ended by itself with code 3/);
  });

  it("end in the middle of a unit when they are told to stop, and leave no thread behind", async () => {
    const endless = new URL("./endless-worker.mjs", import.meta.url);
    const executor = threads(2, endless);
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 300);
    const started = performance.now();
    const stopped = collect(executor, planFolds(folds), { signal: controller.signal });
    await expect(stopped).rejects.toMatchObject({ code: "PF_INTERRUPTED", done: 0, total: folds.length });
    // Endless units end only because their threads are ended: without that this would never come here.
    expect(performance.now() - started).toBeLessThan(60_000);
  });
});

describe("the built package", () => {
  const program = (start: string) => `
    const { createServices } = ${start};
    const [home] = process.argv.slice(-1);
    const services = createServices({
      configuration: {
        overrides: [
          "universe=[SPY, TLT, GLD]", "data.source=synthetic", "ibkr.start=2016-01-01", "walkforward.train_years=1",
          "walkforward.reoptimize={ema_fast: [10, 20], ema_slow: [40], top_n: [1], corr_cap: [0.7]}",
        ],
      },
      folders: { data: home + "/data", out: home + "/out", state: home + "/state" },
      version: "1.0.0",
      clock: { nowUtcMs: () => Date.parse("2017-12-29T22:00:00Z") },
    });
    services.fetch()
      .then(() => services.walkforward({ workers: 2, plots: false }))
      .then(({ document }) => console.log(JSON.stringify(document.folds)));`;

  it("finds its threads as an ES module and as CommonJS", () => {
    const home = mkdtempSync(join(tmpdir(), "pf-app-threads-"));
    const built = (name: string) =>
      JSON.stringify(fileURLToPath(new URL(`../dist/${name}`, import.meta.url)));
    try {
      const run = (type: string, start: string) =>
        execFileSync(process.execPath, [`--input-type=${type}`, "--eval", program(start), "--", home], {
          encoding: "utf8",
          env: { PATH: process.env.PATH },
        });
      const esm = run("module", `await import(${built("index.js")})`);
      expect(JSON.parse(esm).length).toBeGreaterThan(2);
      expect(run("commonjs", `require(${built("index.cjs")})`)).toBe(esm);
    } finally {
      rmSync(home, { recursive: true, force: true });
    }
  });
});

describe("where units run", () => {
  const pause = () => new Promise<void>((resolve) => setImmediate(resolve));
  const runner = (workers?: number, hasExtensions = false) =>
    unitRunner(research, { workers, hasExtensions, pause, entry });
  const units: readonly PermutationUnit[] = planPermutation(folds, { runs: 5, seed: 1, runsPerUnit: 1 });

  it("makes no difference to what comes out", async () => {
    const expected: readonly ResultOf<PermutationUnit>[] = await inline(units);
    for (const workers of [undefined, 0, 1, 2]) {
      const one = runner(workers);
      expect(await collect(one, units)).toEqual(expected);
      await one.close();
    }
  });

  it("is this thread with 0 workers and with registered functions, which cannot travel", async () => {
    const nowhere = new URL("./nowhere.mjs", import.meta.url);
    for (const options of [
      { workers: 0, hasExtensions: false },
      { workers: 2, hasExtensions: true },
    ]) {
      const one = unitRunner(research, { ...options, pause, entry: nowhere });
      expect(await collect(one, units)).toEqual(await inline(units));
    }
    const lost = unitRunner(research, { workers: 1, hasExtensions: false, pause, entry: nowhere });
    await expect(collect(lost, units)).rejects.toMatchObject({ code: "PF_UNIT_FAILED" });
    await lost.close();
  });

  it("is noted where a person may wonder", () => {
    expect(runner(0).notes).toEqual([]);
    expect(runner(availableParallelism() + 1).notes.join()).toContain("more of them help nothing");
    expect(runner(1, true).notes.join()).toContain("cannot travel");
  });

  it.each([-1, 1.5, 65, Number.NaN])("cannot be %d threads", (workers) => {
    expect(() => runner(workers)).toThrow(/whole number from 0 to 64/);
  });
});
