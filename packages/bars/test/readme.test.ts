import * as fs from "node:fs";
import { readFileSync, rmSync } from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import * as market from "@pf/market";
import { describe, expect, it } from "vitest";
import * as bars from "../src/index.js";

const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");

describe("the README's example", () => {
  it("prints what it says it prints", async () => {
    const [, code, stated] = /```ts\n([\s\S]*?)```\n\n```text\n([\s\S]*?)```/.exec(readme) ?? [];
    const modules = {
      "@pf/bars": bars,
      "@pf/market": market,
      "node:fs": fs,
      "node:os": os,
      "node:path": path,
    };
    const body = code!.replace(/^import (\{.*?\}) from (".*?");$/gm, "const $1 = modules[$2];");
    const lines: string[] = [];
    const run = new Function(
      "modules",
      "console",
      `return (async () => {${body}; return cache.directory;})()`,
    );
    const folder: string = await run(modules, { log: (...words: unknown[]) => lines.push(words.join(" ")) });
    rmSync(folder, { recursive: true });
    expect(`${lines.join("\n")}\n`).toBe(stated);
  });

  it("is on one screen", () => {
    expect(readme.split("\n").length).toBeLessThan(70);
  });
});
