import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { format } from "node:util";
import { expect, it } from "vitest";

const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");

it("the README's example prints what it says it prints", async () => {
  const [, code = "", stated] = /```ts\n([\s\S]*?)```\n```text\n([\s\S]*?)```/.exec(readme) ?? [];
  // Beside the tests, so that its imports resolve; one file a process.
  const file = new URL(`readme-example-${process.pid}.ts`, import.meta.url);
  const lines: string[] = [];
  Object.assign(globalThis, { readmeLog: (...values: unknown[]) => lines.push(format(...values)) });
  writeFileSync(
    file,
    code.replaceAll("console.log(", "globalThis.readmeLog(").replace('"@pf/alerts"', '"../src/index.js"'),
  );
  try {
    await import(/* @vite-ignore */ file.href);
  } finally {
    rmSync(file);
  }
  expect(`${lines.join("\n")}\n`).toBe(stated);
});
