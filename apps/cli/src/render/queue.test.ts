import type { QueueDocument } from "@pf/app";
import { describe, expect, it } from "vitest";
import { painterFor } from "../terminal.js";
import { renderCancelled, renderQueue } from "./queue.js";

const style = {
  painter: painterFor({ isTTY: false } as NodeJS.WriteStream),
  width: 80,
  out: "reports",
};
const run = {
  ...{ id: "1f0c92ab", label: "permute", code: "93aebb8935c9f806p1", program: "1.2.3", data: "00" },
  ...{ host: "a-machine-with-a-long-name", pid: 4711, total: 13_600, done: 1234, sinceMs: 0 },
  ...{ isCancelled: false, isAlive: true },
};
const worker = {
  ...{
    id: "x",
    host: "a-machine-with-a-long-name",
    pid: 4712,
    code: run.code,
    program: "1.2.3",
    node: "24.21.0",
  },
  ...{ threads: 16, busy: 16, units: 123_456 },
};
const document: QueueDocument = {
  queue: "127.0.0.1:6379",
  code: run.code,
  redis: { version: "7.0.15", usedBytes: 3_145_728, limitBytes: null, evictionPolicy: "noeviction" },
  runs: [run],
  workers: [worker],
};

describe("the state of the queue", () => {
  it("has a line for every run and every worker, in 80 columns", () => {
    const other = { code: "0123456789abcdefp1" };
    const text = renderQueue(
      {
        ...document,
        runs: [run, { ...run, ...other, isCancelled: true }],
        workers: [worker, { ...worker, ...other }],
      },
      style,
    );
    expect(text).toMatch(/1f0c92ab +permute +1,234 of 13,600 +9% +a-machine-with-a-long-name/);
    expect(text).toMatch(/a-machine-with-a-long-name \(4712\) +16 +16 +123,456 +this one/);
    expect(text).toMatch(/0123456789abcdefp1/);
    expect(text).toContain("Redis 7.0.15, 3.0 MB in use, no limit");
    for (const line of text.split("\n")) expect(line.length).toBeLessThanOrEqual(80);
  });

  it("says when nothing runs and nobody listens, and how to change that", () => {
    const text = renderQueue({ ...document, runs: [], workers: [] }, style);
    expect(text).toContain("No runs.");
    expect(text).toContain("--role research");
    for (const line of text.split("\n")) expect(line.length).toBeLessThanOrEqual(80);
  });

  it("warns of a Redis that may throw work away", () => {
    const redis = { ...document.redis, limitBytes: 104_857_600, evictionPolicy: "allkeys-lru" };
    const text = renderQueue({ ...document, redis }, style);
    expect(text).toContain("of 100.0 MB");
    expect(text).toMatch(/Warning: [\s\S]*allkeys-lru/);
    expect(renderQueue(document, style)).not.toContain("Warning");
  });

  it("tells what was cancelled, and that it is not lost", () => {
    const text = renderCancelled({ cancelled: { ...run, isCancelled: true } }, style);
    expect(text).toMatch(/1f0c92ab[\s\S]*1,234 of 13,600\s+units[\s\S]*kept/);
    for (const line of text.split("\n")) expect(line.length).toBeLessThanOrEqual(80);
  });
});
