import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createServices, describeFailure, type Progress, type Services } from "@pf/app";
import { afterAll, beforeAll, describe, expect, it, type TestContext } from "vitest";

const entry = fileURLToPath(new URL("../bin/run.js", import.meta.url));
const hasRedis = spawnSync("redis-server", ["--version"]).status === 0;
const whyNot = hasRedis ? "" : " (not run: redis-server is not installed)";
const password = "hidden-word";
const request = { plots: false, walkforwardRuns: 2 };

interface Line {
  readonly event?: string;
  readonly run?: string;
  readonly units?: number;
}

describe.runIf(hasRedis)(`workers of the role research${whyNot}`, () => {
  const home = mkdtempSync(join(tmpdir(), "pf-research-"));
  let redis: ChildProcess;
  let port: number;
  beforeAll(async () => {
    port = await freePort();
    const words = ["--port", `${port}`, "--save", "", "--dir", home, "--requirepass", password];
    redis = spawn("redis-server", words, { stdio: ["ignore", "pipe", "inherit"] });
    await new Promise<void>((resolve) =>
      redis.stdout!.on("data", (text: Buffer) => /Ready to accept/.test(`${text}`) && resolve()),
    );
    const services = servicesFor({ executor: "threads", database: 0, out: "threads" });
    await services.fetch();
    await services.walkforward(request);
    await services.permute(request);
  });
  afterAll(() => {
    redis?.kill("SIGKILL");
    rmSync(home, { recursive: true, force: true });
  });

  interface Setting {
    readonly executor: "threads" | "inline" | "bullmq";
    /** Each test has one of its own, so that they run beside each other and meet no other's work. */
    readonly database: number;
    readonly out: string;
    readonly onProgress?: (step: Progress) => void;
    readonly signal?: AbortSignal;
  }

  /** The services of a command with an executor, each with a folder of reports of its own. */
  function servicesFor({ executor, database, out, ...more }: Setting): Services {
    // Progress is told once a second; by this clock, of each result.
    let now = Date.parse("2018-12-31T22:00:00Z");
    return createServices({
      configuration: {
        overrides: [
          ...["data.source=synthetic", "universe=[SPY, TLT, GLD, XLE]", "ibkr.start=2013-06-03"],
          ...["permutation.runs=20", `research.executor=${executor}`],
          `research.queue=${address(database)}`,
        ],
      },
      folders: { data: join(home, "data"), out: join(home, out), state: join(home, `state-${out}`) },
      version: "1.0.0",
      clock: { nowUtcMs: () => (now += 1000) },
      workerEntry: new URL("../dist/research-worker.js", import.meta.url),
      ...more,
    });
  }
  const address = (database: number) => `redis://:${password}@127.0.0.1:${port}/${database}`;
  const bytesOf = (out: string, file: string) => readFileSync(join(home, out, file), "utf8");

  /**
   * A command that uses the queue. Workers listen before it is given: that it waits for one is a failure, and it never
   * outlives its test.
   */
  async function onQueue<T>(
    { onTestFinished }: TestContext,
    { onProgress, ...setting }: Omit<Setting, "executor" | "signal">,
    command: (services: Services) => Promise<T>,
  ): Promise<T> {
    const stop = new AbortController();
    onTestFinished(() => stop.abort());
    let fail: (error: Error) => void;
    const waits = new Promise<never>((_, reject) => {
      fail = reject;
    });
    const services = servicesFor({
      ...setting,
      executor: "bullmq",
      signal: stop.signal,
      onProgress(step) {
        if (step.isNotice) fail(new Error(`it should not have to wait: ${step.step}`));
        else onProgress?.(step);
      },
    });
    return Promise.race([command(services), waits]);
  }

  /** A worker as people start it. */
  async function startWorker({ onTestFinished }: TestContext, database: number) {
    const words = ["--role", "research", "--workers", "1"];
    const env = { PATH: process.env.PATH, PF_RESEARCH__QUEUE: address(database) };
    const child = spawn(process.execPath, [entry, ...words], {
      cwd: home,
      env,
      stdio: ["ignore", "pipe", "pipe"],
    });
    onTestFinished(() => void child.kill("SIGKILL"));
    let said = "";
    const ended = new Promise<number | NodeJS.Signals | null>((resolve) =>
      child.once("close", (code, signal) => resolve(signal ?? code)),
    );
    const isListening = new Promise<void>((resolve) => {
      for (const stream of [child.stdout, child.stderr])
        stream.setEncoding("utf8").on("data", (text: string) => {
          said += text;
          if (said.includes('"event":"listening"')) resolve();
        });
    });
    const isOver = ended.then((how) => Promise.reject(new Error(`the worker ended with ${how}: ${said}`)));
    isOver.catch(() => {});
    await Promise.race([isListening, isOver]);
    const { code } = await servicesFor({ executor: "bullmq", database, out: "status" }).queueStatus();
    if (!said.includes(code)) throw new Error("build @pf/worker before its tests: it is of other sources");
    const lines = () =>
      said
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line) as Line);
    return { child, ended, lines, text: () => said };
  }

  it.concurrent("make the bytes that threads make, of walkforward and permute, and leave an empty queue", async (test) => {
    const database = 1;
    const workers = await Promise.all([startWorker(test, database), startWorker(test, database)]);
    const inline = servicesFor({ executor: "inline", database, out: "inline" });
    await inline.walkforward(request);
    await inline.permute(request);
    const status = servicesFor({ executor: "bullmq", database, out: "status" });
    let shuffles: ReturnType<typeof status.queueStatus> | undefined;
    const totals = new Map<string, number>();
    const onProgress = ({ step, at = 0, total }: Progress) => {
      if (total !== undefined) totals.set(step.split(" ").slice(0, 3).join(" "), total);
      if (at > 0 && step.startsWith("shuffling")) shuffles ??= status.queueStatus();
    };
    await onQueue(test, { database, out: "bullmq", onProgress }, async (services) => {
      await services.walkforward(request);
      await services.permute(request);
    });
    for (const file of [
      "walkforward.json",
      "walkforward-returns.csv",
      "walkforward-weights.csv",
      "permutation.json",
    ]) {
      expect(bytesOf("bullmq", file)).toBe(bytesOf("threads", file));
      expect(bytesOf("inline", file)).toBe(bytesOf("threads", file));
    }
    expect(bytesOf("bullmq", "permutation.json")).not.toContain("bullmq");
    expect((await status.queueStatus()).runs).toEqual([]);

    // Asked to stop they leave, and say what they did in lines that hold no password.
    const byRun = new Map<string, number>();
    for (const { child, ended, lines, text } of workers) {
      child.kill("SIGTERM");
      expect(await ended).toBe(0);
      const done = lines().filter(({ event }) => event === "done");
      for (const { run, units } of done) byRun.set(run!, (byRun.get(run!) ?? 0) + units!);
      const units = done.reduce((sum, line) => sum + line.units!, 0);
      expect(units).toBeGreaterThan(0);
      expect(lines().find(({ event }) => event === "stopped")).toMatchObject({ units });
      expect(text().lastIndexOf('"event":"done"')).toBeLessThan(text().indexOf('"event":"stopped"'));
      expect(text()).not.toContain(password);
    }
    // Every unit of the three plans was done once, by one of the two: windows, shuffles a few at a time, whole markets.
    const [run] = (await shuffles!).runs;
    expect(run!.total).toBeGreaterThan(50);
    expect(byRun.get(run!.id)).toBe(run!.total);
    byRun.delete(run!.id);
    const windows = totals.get("walking forward through");
    expect([...byRun.values()].sort((a, b) => b - a)).toEqual([windows, request.walkforwardRuns]);
    const words = ["-p", `${port}`, "-n", `${database}`, "-a", password, "--no-auth-warning", "keys", "*"];
    expect(spawnSync("redis-cli", words).stdout.toString().trim()).toBe("");
  });

  it.concurrent("may be killed in the middle of it", async (test) => {
    const database = 2;
    const victim = await startWorker(test, database);
    let heir: Promise<unknown> | undefined;
    let fail: (error: unknown) => void;
    const hasNoHeir = new Promise<never>((_, reject) => {
      fail = reject;
    });
    let killedAt = Number.NaN;
    const onProgress = ({ at = 0, total = 0 }: Progress) => {
      if (at === 0 || heir) return;
      killedAt = at / total;
      victim.child.kill("SIGKILL");
      heir = startWorker(test, database).catch((error: unknown) => fail(error));
    };
    const finished = onQueue(test, { database, out: "killed", onProgress }, (services) =>
      services.permute(request),
    );
    await Promise.race([finished, hasNoHeir]);
    expect(killedAt).toBeLessThan(0.5);
    expect(await victim.ended).toBe("SIGKILL");
    expect(bytesOf("killed", "permutation.json")).toBe(bytesOf("threads", "permutation.json"));
  });

  it.concurrent("drop what is cancelled from elsewhere, and the same command goes on with --resume", async (test) => {
    const database = 3;
    await startWorker(test, database);
    const elsewhere = servicesFor({ executor: "bullmq", database, out: "status" });
    let cancelled: Promise<unknown> | undefined;
    const cancel = async () => {
      const { runs } = await elsewhere.queueStatus();
      expect(runs).toHaveLength(1);
      await elsewhere.cancelRun({ run: runs[0]!.id });
    };
    const onProgress = ({ at = 0 }: Progress) => {
      if (at > 0) cancelled ??= cancel();
    };
    const error = await onQueue(test, { database, out: "cancelled", onProgress }, (services) =>
      services.permute(request),
    ).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    await cancelled;
    expect(describeFailure(error)).toMatchObject({ code: "PF_RUN_CANCELLED", exit: 130 });
    const steps: Progress[] = [];
    const again = { database, out: "cancelled", onProgress: (step: Progress) => void steps.push(step) };
    await onQueue(test, again, (services) => services.permute({ ...request, resume: true }));
    // What was finished is not asked for again.
    expect(steps.find(({ total }) => total !== undefined)?.at).toBeGreaterThan(0);
    expect(bytesOf("cancelled", "permutation.json")).toBe(bytesOf("threads", "permutation.json"));
  });

  it.concurrent("are told in words when there is no queue, with the exit code of what cannot be reached", async () => {
    const started = (env: NodeJS.ProcessEnv) =>
      new Promise<{ readonly status: number | null; readonly stderr: string; readonly stdout: string }>(
        (resolve) => {
          const child = spawn(process.execPath, [entry, "--role", "research"], {
            cwd: home,
            env: { PATH: process.env.PATH, ...env },
          });
          let [stdout, stderr] = ["", ""];
          child.stdout.on("data", (text) => {
            stdout += text;
          });
          child.stderr.on("data", (text) => {
            stderr += text;
          });
          child.once("close", (status) => resolve({ status, stderr, stdout }));
        },
      );
    const unreachable = await started({ PF_RESEARCH__QUEUE: `redis://:${password}@127.0.0.1:1` });
    expect(unreachable.status).toBe(4);
    expect(JSON.parse(unreachable.stderr).error).toMatchObject({ code: "PF_QUEUE_UNREACHABLE" });
    expect(`${unreachable.stdout}${unreachable.stderr}`).not.toContain(password);
    const without = await started({});
    expect(without.status).toBe(2);
    expect(JSON.parse(without.stderr).error.next).toContain("research.queue=redis://");
  });
});

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { readonly port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
