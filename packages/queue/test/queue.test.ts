import {
  collect,
  type Executor,
  inlineExecutor,
  planFolds,
  planPermutation,
  planProcedure,
  type ResearchUnit,
  UnitError,
} from "@pf/research";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import {
  cancelRun,
  type QueueExecutor,
  type QueueExecutorOptions,
  queueExecutor,
  queueStatus,
  serveUnits,
} from "../src/index.js";
import { hasRedis, startRedis, type TestRedis, whyNot } from "./redis.js";
import { endWorkers, folds, panelOf, quick, research, startWorker, study } from "./world.js";

const inline = <U extends ResearchUnit>(units: readonly U[]) => collect(inlineExecutor(research), units);

const permutations = planPermutation(folds, { runs: 12, seed: 42, runsPerUnit: 2 });

describe.runIf(hasRedis)(`units on a queue${whyNot}`, () => {
  let redis: TestRedis;
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(() => redis?.close());
  beforeEach(() => redis.client.flushall());

  const opened: QueueExecutor[] = [];
  const notices: string[] = [];
  const submit = (more: Partial<QueueExecutorOptions> = {}) => {
    const executor = queueExecutor(research, {
      address: redis.address,
      code: "here",
      program: "test",
      label: "permute",
      timing: quick,
      onNotice: (notice) => notices.push(notice),
      ...more,
    });
    opened.push(executor);
    return executor;
  };
  afterEach(async () => {
    for (const executor of opened.splice(0)) await executor.close();
    endWorkers();
    notices.length = 0;
  });
  const failureOf = (promise: Promise<unknown>) =>
    promise.then(
      () => undefined,
      (error: unknown) => error,
    );
  it.each([1, 2, 3])("give the results of this thread, to the last bit, on %i workers", async (count) => {
    const workers = await Promise.all(
      Array.from({ length: count }, () => startWorker({ address: redis.address, slowMs: 5 })),
    );
    const executor = submit();
    const walks = planFolds(folds);
    const procedure = planProcedure(folds, { runs: 2, seed: 42 });
    const permuted = await collect(executor, permutations);
    expect(permuted).toEqual(await inline(permutations));
    expect(await collect(executor, walks)).toEqual(await inline(walks));
    expect(await collect(executor, procedure)).toEqual(await inline(procedure));
    // The work was shared, and its bars came once to each worker.
    for (const { said } of workers) {
      expect(said.filter(({ kind }) => kind === "done").length).toBeGreaterThan(0);
      expect(said.filter(({ kind }) => kind === "data")).toHaveLength(1);
    }
    expect(new Set(permuted.flatMap((part) => part.permuted)).size).toBeGreaterThan(folds.length);
  });

  it("leave nothing behind, once the workers are gone too", async () => {
    const worker = await startWorker({ address: redis.address });
    // What a queue with a listener is made of: no bars, no results, no run, and, a moment later, no message.
    const usual = /^pf:(codes|workers|worker:.*|units-here:(meta|id|events|stalled-check|marker))$/;
    const garbage = async () => (await redis.client.keys("*")).filter((key) => !usual.test(key));
    for (const _ of [1, 2]) {
      const executor = submit();
      await collect(executor, permutations);
      await executor.close();
      expect((await garbage()).filter((key) => !key.startsWith("pf:units-here:"))).toEqual([]);
      await until(async () => (await garbage()).length === 0);
    }
    worker.process.kill("SIGTERM");
    expect(await worker.ended).toBe(0);
    expect(await redis.client.keys("*")).toEqual([]);
  });

  it("survive a worker that is killed in mid-unit", async () => {
    const victim = await startWorker({ address: redis.address, slowMs: 100 });
    const executor = submit();
    const running = collect(executor, permutations);
    await victim.heard(({ kind }) => kind === "begin");
    victim.process.kill("SIGKILL");
    await victim.ended;
    const heir = await startWorker({ address: redis.address });
    expect(await running).toEqual(await inline(permutations));
    expect(heir.said.some(({ kind }) => kind === "taken over")).toBe(true);
  });

  it("name the unit that kills whoever begins it, and stop", async () => {
    const poison = "window 1, runs 4 to 5";
    const start = () => startWorker({ address: redis.address, poison });
    let isOver = false;
    const keepAlive = async () => {
      while (!isOver) {
        const worker = await start();
        await worker.ended;
      }
    };
    const supervisors = [keepAlive(), keepAlive()];
    const executor = submit();
    const error = await failureOf(collect(executor, permutations));
    isOver = true;
    endWorkers();
    await Promise.allSettled(supervisors);
    expect(error).toBeInstanceOf(UnitError);
    expect(error).toMatchObject({ unit: poison, cause: { code: "PF_WORKERS_DIED", workers: 4 } });
  });

  it("pass on the failure of a unit, with its name and its cause", async () => {
    await startWorker({ address: redis.address });
    const beyond = { ...folds[0]!, index: 7, oosFrom: 9999, oosTo: 99_999 };
    const units = [...planFolds(folds), { kind: "fold" as const, fold: beyond }];
    const error = await failureOf(collect(submit(), units));
    expect(error).toBeInstanceOf(UnitError);
    expect(error).toMatchObject({
      unit: "fold 7",
      cause: { name: "PanelLookupError", code: "PF_PANEL_LOOKUP" },
    });
  });

  it("go on when a worker is asked to stop: it gives back what it has not finished", async () => {
    const leaving = await startWorker({ address: redis.address, slowMs: 1500 });
    const running = collect(submit(), permutations);
    const count = (of: string) => leaving.said.filter(({ kind }) => kind === of).length;
    await leaving.heard(() => count("done") > 0 && count("begin") > count("done"));
    const before = performance.now();
    leaving.process.kill("SIGTERM");
    const heir = await startWorker({ address: redis.address });
    expect(await leaving.ended).toBe(0);
    expect(leaving.said.map(({ kind }) => kind)).toContain("given back");
    expect(await running).toEqual(await inline(permutations));
    heir.process.kill("SIGTERM");
    expect(await heir.ended).toBe(0);
    // What each says it did is what it did, also of the message it gave back: nothing is missing and nothing counted twice.
    const [left, finished] = [leaving, heir].map(({ said }) => {
      const done = said.flatMap(({ kind, units }) => (kind === "done" ? [Number(units)] : []));
      expect(said.at(-1)).toEqual({ kind: "stopped", units: done.reduce((sum, units) => sum + units, 0) });
      return done.reduce((sum, units) => sum + units, 0);
    }) as [number, number];
    expect(left).toBeGreaterThan(0);
    expect(left + finished).toBe(permutations.length);
    // At once, and not after its claim has run out and somebody noticed.
    expect(heir.said.some(({ kind }) => kind === "taken over")).toBe(false);
    expect(performance.now() - before).toBeLessThan(20_000);
  });

  it("are left alone by workers of another version, which the submitter is told in words", async () => {
    const other = await startWorker({ address: redis.address, code: "there" });
    const stop = new AbortController();
    // At once: only for one that is being started is it worth waiting before anything is said.
    const patient = submit({ timing: { ...quick, nobodyMs: 3_600_000 } });
    const running = failureOf(collect(patient, permutations, { signal: stop.signal }));
    const refusal = await other.heard(({ kind }) => kind === "refused");
    expect(refusal.why).toBe("it is for version here, and this worker is version there");
    await until(() => notices.length > 0);
    expect(notices[0]).toMatch(
      /^no worker at 127\.0\.0\.1:\d+ is of this version \(test, here\): \S+ \(\d+\) is \S+, there; build and start workers/,
    );
    expect(notices).toHaveLength(1);
    stop.abort();
    expect(await running).toMatchObject({ code: "PF_INTERRUPTED" });
    expect(other.said.some(({ kind }) => kind === "begin")).toBe(false);
  });

  it("of another version in a worker's own queue are refused, and end the run", async () => {
    await startWorker({ address: redis.address });
    const running = failureOf(collect(submit(), permutations, {}));
    const forged = failureOf(running);
    const { Queue } = await import("bullmq");
    const queue = new Queue("units-here", { connection: redis.client, prefix: "pf" });
    const stopped = await startRunWithoutWorkers();
    await queue.add("units", { run: stopped.id, code: "elsewhere", data: "none", units: "" });
    expect(await stopped.failure).toMatchObject({
      code: "PF_UNIT_FAILED",
      cause: { code: "PF_QUEUE_OTHER_CODE" },
    });
    await forged;
    await queue.close();

    async function startRunWithoutWorkers() {
      const other = submit({ code: "elsewhere" });
      const failure = failureOf(collect(other, permutations));
      const id = await until(async () => {
        const { runs } = await queueStatus(redis.address);
        return runs.find(({ code }) => code === "elsewhere")?.id;
      });
      return { id, failure };
    }
  });

  it("are never run on other bars: damaged ones are sent again, and a queue that keeps damaging them ends the run", async () => {
    const hash = await dataHash();
    await redis.client.set(`pf:data:${hash}`, "something else");
    const worker = await startWorker({ address: redis.address });
    expect(await collect(submit(), permutations)).toEqual(await inline(permutations));
    expect(
      worker.said.some(({ kind, why }) => kind === "refused" && /bars are damaged/.test(String(why))),
    ).toBe(true);

    endWorkers();
    await redis.client.flushall();
    let isOver = false;
    const vandal = (async () => {
      while (!isOver) await redis.client.set(`pf:data:${hash}`, "something else");
    })();
    await startWorker({ address: redis.address });
    const error = await failureOf(collect(submit(), permutations));
    isOver = true;
    await vandal;
    expect(error).toMatchObject({ code: "PF_QUEUE_DATA", problem: "damaged", hash });
  });

  it("finish right when the bars vanish from the queue", async () => {
    const hash = await dataHash();
    const running = collect(submit(), permutations);
    await until(() => redis.client.exists(`pf:data:${hash}`));
    await redis.client.del(`pf:data:${hash}`);
    await startWorker({ address: redis.address });
    expect(await running).toEqual(await inline(permutations));
  });

  it("say that nobody listens, and go on when somebody does", async () => {
    const running = collect(submit(), permutations);
    await until(() => notices.length > 0);
    expect(notices).toEqual([`no worker listens at 127.0.0.1:${redis.port}; waiting for one`]);
    await startWorker({ address: redis.address, slowMs: 20 });
    expect(await running).toEqual(await inline(permutations));
    expect(notices[1]).toBe(`a worker listens at 127.0.0.1:${redis.port}`);
  });

  it("end within a second when asked to, with nothing but what was finished left", async () => {
    const worker = await startWorker({ address: redis.address, slowMs: 30 });
    const stop = new AbortController();
    const executor = submit();
    let asked = 0;
    const error = await failureOf(
      collect(executor, permutations, {
        signal: stop.signal,
        onResult: (_, done) => {
          if (done !== 10) return;
          asked = performance.now();
          stop.abort();
        },
      }),
    );
    expect(performance.now() - asked).toBeLessThan(1000);
    expect(error).toMatchObject({ code: "PF_INTERRUPTED", total: permutations.length });
    await executor.close();
    expect((await queueStatus(redis.address)).runs).toEqual([]);
    expect((await redis.client.keys("pf:*")).filter((key) => /:(data|results)/.test(key))).toHaveLength(2);

    // Who asks the same again finds it.
    const before = begun(worker);
    expect(await collect(submit(), permutations)).toEqual(await inline(permutations));
    // The worker may still have been at what it held when the first was stopped.
    expect(begun(worker) - before).toBeLessThan(permutations.length);
  });

  it("are cancelled from elsewhere", async () => {
    await startWorker({ address: redis.address, slowMs: 50 });
    const executor = submit();
    const known: number[] = [];
    const running = failureOf(collect(executor, permutations, { onResult: ({ at }) => void known.push(at) }));
    await until(() => known.length > 2);
    const { runs } = await queueStatus(redis.address);
    expect(runs).toMatchObject([
      { label: "permute", code: "here", total: permutations.length, isAlive: true },
    ]);
    await cancelRun(redis.address, runs[0]!.id);
    expect(await running).toMatchObject({
      code: "PF_RUN_CANCELLED",
      run: runs[0]!.id,
      total: permutations.length,
    });
    expect((await queueStatus(redis.address)).runs).toEqual([]);
    expect(await failureOf(cancelRun(redis.address, "nothing"))).toMatchObject({ code: "PF_UNKNOWN_RUN" });
  });

  it("of a submitter that was killed are forgotten", async () => {
    const executor = submit();
    const stop = new AbortController();
    const running = failureOf(collect(executor, permutations, { signal: stop.signal }));
    const { id } = await until(async () => (await queueStatus(redis.address)).runs[0]);
    await until(async () => (await redis.client.llen("pf:units-here:wait")) > 0);
    await redis.client.del(`pf:alive:${id}`);
    // Whoever comes by takes it away; here the submitter lives after all, and hands everything in again.
    await queueStatus(redis.address);
    await startWorker({ address: redis.address });
    expect(await running).toBe(undefined);
  });

  it("of two submitters at a time do not mix", async () => {
    await startWorker({ address: redis.address });
    await startWorker({ address: redis.address });
    const other = planPermutation(folds, { runs: 12, seed: 7, runsPerUnit: 3 });
    const same = [submit(), submit(), submit()] as const;
    const [first, second, third] = await Promise.all([
      collect(same[0], permutations),
      collect(same[1], other),
      collect(same[2], permutations),
    ]);
    expect(first).toEqual(await inline(permutations));
    expect(third).toEqual(first);
    expect(second).toEqual(await inline(other));
  });

  it("keep studies apart", async () => {
    await startWorker({ address: redis.address });
    const otherPanel = panelOf(430, 99);
    const executors: Executor[] = [submit(), queueOf(otherPanel)];
    const [here, there] = await Promise.all(executors.map((executor) => collect(executor, permutations)));
    expect(here).toEqual(await inline(permutations));
    expect(there).not.toEqual(here);

    function queueOf(panel: typeof otherPanel) {
      const executor = queueExecutor(
        { panel, study },
        { address: redis.address, code: "here", program: "test", label: "permute", timing: quick },
      );
      opened.push(executor);
      return executor;
    }
  });

  const begun = ({ said }: { readonly said: readonly Readonly<Record<string, unknown>>[] }) =>
    said.filter(({ kind }) => kind === "begin").length;

  async function dataHash(): Promise<string> {
    const { packData } = await import("../src/research-data.js");
    return (await packData(research)).hash;
  }
});

describe.runIf(hasRedis)(`a Redis that is restarted in the middle of a run${whyNot}`, () => {
  it.each([
    ["with everything on disk", ["--appendonly", "yes", "--appendfsync", "always"]],
    ["with nothing on disk", []],
  ])("%s: the run finishes with the same results", async (_, options) => {
    const redis = await startRedis(options);
    const notices: string[] = [];
    try {
      const workers = await Promise.all(
        [1, 2].map(() => startWorker({ address: redis.address, slowMs: 20 })),
      );
      const executor = queueExecutor(research, {
        address: redis.address,
        code: "here",
        program: "test",
        label: "permute",
        timing: quick,
        onNotice: (notice) => notices.push(notice),
      });
      let isRestarting: Promise<void> | undefined;
      const results = await collect(executor, permutations, {
        onResult: (_, done) => {
          if (done < 10) return;
          isRestarting ??= redis.kill().then(() => redis.start());
        },
      });
      await isRestarting;
      expect(results).toEqual(await inline(permutations));
      expect(notices).toEqual([
        `the queue at 127.0.0.1:${redis.port} is away; waiting for it`,
        `the queue at 127.0.0.1:${redis.port} is back`,
      ]);
      await executor.close();
      for (const { process, ended } of workers) {
        process.kill("SIGTERM");
        expect(await ended).toBe(0);
      }
      expect(await redis.client.keys("*")).toEqual([]);
    } finally {
      endWorkers();
      await redis.close();
    }
  });

  it("fails clearly when Redis stays away, and ends at once when asked to", async () => {
    const redis = await startRedis();
    try {
      await startWorker({ address: redis.address, slowMs: 20 });
      for (const [ends, awayMs] of [
        ["PF_QUEUE_LOST", 400],
        ["PF_INTERRUPTED", 60_000],
      ] as const) {
        const stop = new AbortController();
        const executor = queueExecutor(research, {
          address: redis.address,
          code: "here",
          program: "test",
          label: "permute",
          timing: { ...quick, awayMs },
        });
        let died = 0;
        const error = await collect(executor, permutations, {
          signal: stop.signal,
          onResult: async (_, done) => {
            if (done !== 5) return;
            await redis.kill();
            died = performance.now();
            if (ends === "PF_INTERRUPTED") setTimeout(() => stop.abort(), 300);
          },
        }).catch((thrown: unknown) => thrown);
        expect(error).toMatchObject({ code: ends });
        await executor.close();
        expect(performance.now() - died).toBeLessThan(3000);
        await redis.start();
      }
    } finally {
      endWorkers();
      await redis.close();
    }
  });
});

describe.runIf(hasRedis)(`a Redis that does not let us in${whyNot}`, () => {
  it.each([
    ["wants a password", "redis://127.0.0.1", "PF_QUEUE_REFUSED"],
    ["wants another password", "redis://:wr0ng-guess@127.0.0.1", "PF_QUEUE_REFUSED"],
    ["has no such database", "redis://:hidden-word@127.0.0.1", "PF_QUEUE_REFUSED", "/99"],
  ])("%s: says so without repeating what was typed", async (_, address, code, path = "") => {
    const redis = await startRedis(["--requirepass", "hidden-word"]);
    try {
      const executor = queueExecutor(research, {
        address: `${address}:${redis.port}${path}`,
        code: "here",
        program: "test",
        label: "permute",
      });
      const error: unknown = await collect(executor, permutations).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code, queue: `127.0.0.1:${redis.port}${path}` });
      const { inspect } = await import("node:util");
      expect(inspect(error, { depth: 9, showHidden: true })).not.toMatch(/hidden-word|wr0ng-guess/);
      await executor.close();
    } finally {
      await redis.close();
    }
  });

  it("lets us in with the password, over and over", async () => {
    const redis = await startRedis(["--requirepass", "hidden-word"]);
    try {
      const worker = await startWorker({ address: redis.address });
      const executor = queueExecutor(research, {
        address: redis.address,
        code: "here",
        program: "test",
        label: "permute",
        timing: quick,
      });
      expect(await collect(executor, permutations)).toEqual(await inline(permutations));
      await executor.close();
      expect(JSON.stringify([worker.said, await queueStatus(redis.address)])).not.toContain("hidden-word");
    } finally {
      endWorkers();
      await redis.close();
    }
  });

  it("lets us read but not write: says so, to submitters and workers", async () => {
    const redis = await startRedis();
    try {
      await redis.client.call(
        "ACL",
        "SETUSER",
        "reader",
        "on",
        ">hidden-word",
        "~*",
        "&*",
        "+@read",
        "+@connection",
        "+info",
      );
      const address = `redis://reader:hidden-word@127.0.0.1:${redis.port}`;
      const here = { address, code: "here", program: "test" };
      const executor = queueExecutor(research, { ...here, label: "permute" });
      const open = () => ({ run: executor.run, close: async () => {} });
      for (const refused of [
        () => collect(executor, permutations),
        () => serveUnits({ ...here, threads: 1, open }),
      ]) {
        const error: unknown = await refused().catch((thrown: unknown) => thrown);
        expect(error).toMatchObject({ code: "PF_QUEUE_REFUSED", answer: expect.stringContaining("NOPERM") });
        expect(JSON.stringify(error)).not.toContain("hidden-word");
      }
      await executor.close();
    } finally {
      await redis.close();
    }
  });

  it("has no memory left: says so", async () => {
    const redis = await startRedis(["--maxmemory", "1100kb", "--maxmemory-policy", "noeviction"]);
    try {
      await redis.client.set("ballast", "x".repeat(150_000)).catch(() => {});
      const executor = queueExecutor(
        { panel: panelOf(3000), study },
        { address: redis.address, code: "here", program: "test", label: "permute" },
      );
      const error: unknown = await collect(executor, permutations).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: "PF_QUEUE_FULL" });
      await executor.close();
    } finally {
      await redis.close();
    }
  });
});

describe("no Redis at all", () => {
  it("is said at once, with where it was looked for and what to do", async () => {
    const executor = queueExecutor(research, {
      // Nobody listens on port 1.
      address: "redis://name:secret@127.0.0.1:1",
      code: "here",
      program: "test",
      label: "permute",
    });
    const error: unknown = await collect(executor, permutations).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      code: "PF_QUEUE_UNREACHABLE",
      queue: "127.0.0.1:1",
      errno: "ECONNREFUSED",
    });
    await executor.close();
  });
});

async function until<T>(look: () => T | Promise<T>): Promise<NonNullable<T>> {
  for (;;) {
    const found = await look();
    if (found) return found;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
