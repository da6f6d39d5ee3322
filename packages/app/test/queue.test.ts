import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { builtinScores, type Extensions } from "@pf/selection";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createServices, describeFailure } from "../src/index.js";
import { hashResearchSources, researchCode } from "../src/research/code-version.js";

const home = mkdtempSync(join(tmpdir(), "pf-queue-"));
afterAll(() => rmSync(home, { recursive: true, force: true }));

function services(overrides: readonly string[], extensions: Extensions = {}) {
  return createServices({
    configuration: {
      overrides: ["data.source=synthetic", "universe=[SPY, TLT]", "ibkr.start=2014-01-01", ...overrides],
    },
    folders: { data: join(home, "data"), out: join(home, "out"), state: join(home, "state") },
    version: "1.0.0",
    clock: { nowUtcMs: () => Date.parse("2017-12-29T22:00:00Z") },
    extensions,
    workerEntry: new URL("../dist/research-worker.js", import.meta.url),
  });
}
beforeAll(() => services([]).fetch());

const failureOf = (promise: Promise<unknown>) =>
  promise.then(
    () => undefined,
    (error: unknown) => describeFailure(error),
  );

// Nobody listens on port 1.
const nowhere = "research.queue=redis://me:hidden-word@127.0.0.1:1";

describe("a search that is to go to a queue", () => {
  it("is refused in words when there is no queue, and no word of its address but host and port is said", async () => {
    for (const search of ["walkforward", "permute"] as const) {
      const failure = await failureOf(
        services(["research.executor=bullmq", nowhere])[search]({ plots: false }),
      );
      expect(failure).toMatchObject({
        ...{ code: "PF_QUEUE_UNREACHABLE", exit: 4 },
        details: { queue: "127.0.0.1:1", errno: "ECONNREFUSED" },
      });
      expect(JSON.stringify(failure)).not.toMatch(/hidden-word|me:/);
    }
  });

  it.each([
    ["", "PF_USAGE"],
    ["hidden-word", "PF_QUEUE_ADDRESS"],
    ["http://:hidden-word@127.0.0.1", "PF_QUEUE_ADDRESS"],
  ])("is refused when research.queue is %j", async (queue, code) => {
    const asked = services(["research.executor=bullmq", `research.queue=${JSON.stringify(queue)}`]);
    const calls = [
      () => asked.permute({ plots: false }),
      () => asked.queueStatus(),
      () => asked.serveResearch(),
    ];
    for (const call of calls) {
      const failure = await failureOf(call());
      expect(failure).toMatchObject({ code, exit: 2 });
      expect(failure?.next).toContain("redis://");
      expect(JSON.stringify(failure)).not.toContain("hidden-word");
    }
  });

  it("is refused when functions were registered, which cannot travel", async () => {
    const scores = builtinScores.with("flat", () => ({ intoColumn: (_, __, out) => void out.fill(1) }));
    const asked = services(["research.executor=bullmq", nowhere, "selection.score=flat"], { scores });
    expect(await failureOf(asked.permute({ plots: false }))).toMatchObject({
      code: "PF_USAGE",
      message: expect.stringContaining("cannot travel"),
      next: expect.stringContaining("research.executor to threads"),
    });
  });

  it("runs in one thread with executor inline, and says that --workers changes nothing", async () => {
    const inline = await services(["research.executor=inline"]).walkforward({ plots: false, workers: 2 });
    expect(inline.notes).toContain(
      "research.executor is inline: everything runs in one thread, and --workers changes nothing",
    );
    const threads = await services([]).walkforward({ plots: false, workers: 2 });
    expect(threads.document.folds).toEqual(inline.document.folds);
    expect(threads.document.manifest).toEqual(inline.document.manifest);
  });
});

describe("a research worker", () => {
  it.each([0, -1, 1.5, 100])("cannot have %d threads", async (workers) => {
    const failure = await failureOf(services([nowhere]).serveResearch({ workers }));
    expect(failure).toMatchObject({ code: "PF_USAGE", exit: 2 });
  });
});

describe("the version of the research code", () => {
  it("is a hash of the sources that results depend on", () => {
    expect(researchCode()).toMatch(/^[0-9a-f]{16}$/);
    expect(hashResearchSources(join(import.meta.dirname, "../../"))).toBe(researchCode());
  });
});
