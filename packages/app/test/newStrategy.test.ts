import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { createServices } from "../src/index.js";

const home = mkdtempSync(join(tmpdir(), "pf-new-"));
afterAll(() => rmSync(home, { recursive: true, force: true }));

const servicesIn = (folder: string) =>
  createServices({
    configuration: { directory: join(folder, "config"), overrides: ["ibkr.start=2020-01-01"] },
    folders: { data: join(folder, "data"), out: join(folder, "reports"), state: join(folder, "state") },
    version: "1.2.3",
    clock: { nowUtcMs: () => Date.parse("2022-07-01T22:00:00Z") },
  });

describe("a new strategy", () => {
  it("passes its own tests, and runs at once with its own score", async () => {
    const folder = join(home, "my-momentum");
    const services = servicesIn(folder);
    const { name, files } = await services.newStrategy({ folder });
    expect(name).toBe("my-momentum");
    expect(
      readdirSync(folder, { recursive: true, encoding: "utf8" })
        .filter((path) => path !== "config")
        .sort(),
    ).toEqual([...files].sort());
    const told = execFileSync(process.execPath, ["--test", "--test-reporter=tap"], {
      cwd: folder,
      encoding: "utf8",
    });
    expect(told).toMatch(/# pass 3\n# fail 0/);
    const fetched = await services.fetch();
    expect(fetched.error).toBeUndefined();
    const { document } = await services.backtest({ plots: false });
    expect(document.manifest.config.selection.score).toBe("../score.js#momentum");
    expect(document.metrics.RebalanceDays).toBeGreaterThan(10);
    const { candidates } = await services.targetWeights({ asOf: "2022-06-01" });
    const scores = candidates.map(({ score }) => score).filter((score) => score !== null);
    expect(new Set(scores).size).toBeGreaterThan(3);
    // The configuration's comments are those of the folder, not of the default file.
    expect(readFileSync(join(folder, "config", "config.yaml"), "utf8")).toContain("source: synthetic");
  });

  it("is made nowhere else than in an empty place, and with a name", async () => {
    const services = servicesIn(home);
    await expect(services.newStrategy({ folder: join(home, "my-momentum") })).rejects.toThrow(
      "already holds",
    );
    for (const name of ["My", "a b", "-a", "a--b", "1a"])
      await expect(services.newStrategy({ folder: join(home, name) })).rejects.toThrow("no name");
  });
});
