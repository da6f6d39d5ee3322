import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { filesIn, run, temporaryFolder } from "./process.js";

const root = fileURLToPath(new URL("../../../", import.meta.url));

describe("the targets of make that are commands of pf", () => {
  it.each(["fetch", "backtest", "wf", "permute"])("%s gives ARGS to the command", async (target) => {
    const words = ["-n", "PNPM=pnpm", "-o", "workspace", target, "ARGS=--symbols SPY --quiet"];
    const { code, stdout, stderr } = await run("make", words, { cwd: root });
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(/^pnpm run .* --symbols SPY --quiet$/m);
  });

  it("fetch takes the files of DATA, and of them what ARGS ask for", async () => {
    const home = temporaryFolder();
    const data = join(home, "csv");
    mkdirSync(data);
    const bars = "date,open,high,low,close,volume\n2024-01-02,1,2,1,2,9\n2024-01-03,2,3,2,3,9\n";
    for (const symbol of ["SPY", "TLT"]) writeFileSync(join(data, `${symbol}.csv`), bars);
    const words = ["scripts/fetch.mjs", "--symbols", "SPY", "--data-dir", join(home, "cache")];
    const { code, stdout } = await run(process.execPath, words, { cwd: root, env: { DATA: data } });
    expect([code, stdout]).toEqual([0, expect.stringContaining(`Source: csv, the files in ${data}`)]);
    expect(Object.keys(filesIn(join(home, "cache")))).toEqual(["parquet/SPY.parquet"]);
  });
});
