import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

const program = fileURLToPath(new URL("../bin/run.js", import.meta.url));

it("the worker refuses settings of its folder that lack the configuration they go on top of", ({
  onTestFinished,
}) => {
  const cwd = mkdtempSync(join(tmpdir(), "pf-settings-"));
  onTestFinished(() => rmSync(cwd, { recursive: true, force: true }));
  mkdirSync(join(cwd, "config"));
  writeFileSync(join(cwd, "config", "config.local.yaml"), "risk: { max_drawdown: 0.1 }\n");
  const { PATH = "", HOME = "" } = process.env;
  const refused = spawnSync(process.execPath, [program, "--role", "research"], {
    cwd,
    env: { PATH, HOME },
    encoding: "utf8",
    timeout: 30_000,
  });
  expect(refused.status).toBe(2);
  expect(refused.stdout + refused.stderr).toContain("config: the folder has no config.yaml");
});
