import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { pf, temporaryFolder } from "./process.js";

it("the README's commands run, and the last prints what the README says", async () => {
  const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
  const [, commands = "", stated = ""] = /```sh\n([\s\S]*?)```\n```text\n([\s\S]*?)```/.exec(readme) ?? [];
  const lines = commands.trim().split("\n");
  expect(lines.length).toBeGreaterThan(2);
  const cwd = temporaryFolder();
  let printed = "";
  for (const line of lines) {
    const [program, ...words] = line.split(" ");
    expect(program).toBe("pf");
    const finished = await pf(words, { cwd });
    expect([line, finished.code, finished.stderr.includes("Error")]).toEqual([line, 0, false]);
    printed = finished.stdout;
  }
  expect(printed).toBe(stated);
});
