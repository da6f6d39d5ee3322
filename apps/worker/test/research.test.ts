import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createServices, describeFailure, type Progress } from "@pf/app";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";

const entry = fileURLToPath(new URL("../bin/run.js", import.meta.url));
const hasRedis = spawnSync("redis-server", ["--version"]).status === 0;
const whyNot = hasRedis ? "" : " (not run: redis-server is not installed)";
const password = "hidden-word";

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
    await on("threads").fetch();
  });
  afterAll(() => {
    redis?.kill("SIGKILL");
    rmSync(home, { recursive: true, force: true });
  });

  const running = new Set<ChildProcess>();
  afterEach(() => {
    for (const child of running) child.kill("SIGKILL");
    running.clear();
  });

  /** The services of a command with an executor, each with a folder of reports of its own. */
  function on(
    executor: string,
    more: { readonly out?: string; readonly onProgress?: (step: Progress) => void } = {},
  ) {
    return createServices({
      configuration: {
        overrides: [
          ...["data.source=synthetic", "universe=[SPY, TLT, GLD, XLE]", "ibkr.start=2010-01-01"],
          ...["permutation.runs=40", `research.executor=${executor}`, `research.queue=${address()}`],
        ],
      },
      folders: {
        data: join(home, "data"),
        out: join(home, more.out ?? executor),
        state: join(home, `state-${more.out ?? executor}`),
      },
      version: "1.0.0",
      clock: { nowUtcMs: () => Date.parse("2018-12-31T22:00:00Z") },
      workerEntry: new URL("../dist/research-worker.js", import.meta.url),
      ...(more.onProgress ? { onProgress: more.onProgress } : {}),
    });
  }
  const address = () => `redis://:${password}@127.0.0.1:${port}`;
  const bytesOf = (out: string, file: string) => readFileSync(join(home, out, file), "utf8");

  /** A worker as people start it. */
  async function startWorker() {
    const words = ["--role", "research", "--workers", "1"];
    const env = { PATH: process.env.PATH, PF_RESEARCH__QUEUE: address() };
    const child = spawn(process.execPath, [entry, ...words], {
      cwd: home,
      env,
      stdio: ["ignore", "pipe", "pipe"],
    });
    running.add(child);
    let said = "";
    let wake = () => {};
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding("utf8").on("data", (text: string) => {
        said += text;
        wake();
      });
    const ended = new Promise<number | NodeJS.Signals | null>((resolve) =>
      child.once("exit", (code, signal) => {
        running.delete(child);
        wake();
        resolve(signal ?? code);
      }),
    );
    while (!said.includes('"event":"listening"')) {
      if (child.exitCode !== null) throw new Error(`the worker ended: ${said}`);
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
    const { code } = await on("bullmq").queueStatus();
    if (!said.includes(code)) throw new Error("build @pf/worker before its tests: it is of other sources");
    return {
      child,
      ended,
      lines: () =>
        said
          .trim()
          .split("\n")
          .map((line) => JSON.parse(line)),
      text: () => said,
    };
  }

  it("make the bytes that threads make, of walkforward and permute, and leave an empty queue", async () => {
    const workers = [await startWorker(), await startWorker()];
    const request = { plots: false };
    for (const executor of ["threads", "inline", "bullmq"]) {
      const services = on(executor);
      await services.walkforward(request);
      await services.permute({ ...request, walkforwardRuns: 2 });
    }
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
    expect((await on("bullmq").queueStatus()).runs).toEqual([]);

    // Asked to stop they leave, and say what they did in lines that hold no password.
    for (const { child, ended, lines, text } of workers) {
      child.kill("SIGTERM");
      expect(await ended).toBe(0);
      expect(lines().some(({ event, units }) => event === "done" && units > 0)).toBe(true);
      expect(lines().find(({ event }) => event === "stopped")).toBeDefined();
      expect(text()).not.toContain(password);
    }
    const left = spawnSync("redis-cli", ["-p", `${port}`, "-a", password, "--no-auth-warning", "keys", "*"]);
    expect(left.stdout.toString().trim()).toBe("");
  });

  it("may be killed in the middle of it", async () => {
    const victim = await startWorker();
    let killed = false;
    const services = on("bullmq", {
      out: "killed",
      onProgress: ({ at = 0 }) => {
        if (at === 0 || killed) return;
        killed = true;
        victim.child.kill("SIGKILL");
        void startWorker();
      },
    });
    await services.permute({ plots: false, walkforwardRuns: 2 });
    expect([killed, await victim.ended]).toEqual([true, "SIGKILL"]);
    expect(bytesOf("killed", "permutation.json")).toBe(bytesOf("threads", "permutation.json"));
  });

  it("drop what is cancelled from elsewhere, and the same command goes on with --resume", async () => {
    await startWorker();
    const services = on("bullmq", { out: "cancelled" });
    const request = { plots: false, walkforwardRuns: 2 };
    const ended = services.permute(request).then(
      () => undefined,
      (error: unknown) => error,
    );
    let run: string | undefined;
    while (run === undefined) {
      const { runs } = await services.queueStatus();
      run = runs.find(({ done }) => done > 0)?.id;
    }
    await services.cancelRun({ run });
    expect(describeFailure(await ended)).toMatchObject({ code: "PF_RUN_CANCELLED", exit: 130 });
    const steps: Progress[] = [];
    const again = on("bullmq", { out: "cancelled", onProgress: (step) => steps.push(step) });
    await again.permute({ ...request, resume: true });
    // What was finished is not asked for again.
    expect(steps.find(({ total }) => total !== undefined)?.at).toBeGreaterThan(0);
    expect(bytesOf("cancelled", "permutation.json")).toBe(bytesOf("threads", "permutation.json"));
  });

  it("are told in words when there is no queue, with the exit code of what cannot be reached", async () => {
    const env = { PATH: process.env.PATH, PF_RESEARCH__QUEUE: `redis://:${password}@127.0.0.1:1` };
    const { status, stderr, stdout } = spawnSync(process.execPath, [entry, "--role", "research"], {
      cwd: home,
      env,
    });
    expect(status).toBe(4);
    expect(JSON.parse(stderr.toString()).error).toMatchObject({ code: "PF_QUEUE_UNREACHABLE" });
    expect(`${stdout}${stderr}`).not.toContain(password);
    const without = spawnSync(process.execPath, [entry, "--role", "research"], {
      cwd: home,
      env: { PATH: env.PATH },
    });
    expect(without.status).toBe(2);
    expect(JSON.parse(without.stderr.toString()).error.next).toContain("research.queue=redis://");
  });
});

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { readonly port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
