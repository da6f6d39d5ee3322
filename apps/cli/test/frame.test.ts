import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { documentOf, pf, smallMarket, temporaryFolder } from "./process.js";

describe("pf frame", () => {
  const cwd = temporaryFolder();
  beforeAll(async () => {
    expect((await pf(["fetch", ...smallMarket], { cwd })).code).toBe(0);
    expect((await pf(["backtest", "--no-plots", ...smallMarket], { cwd })).code).toBe(0);
  });

  it("groups returns by year in 80 columns, and says nothing beside it", async () => {
    const { code, stdout, stderr } = await pf(["frame", "returns", "--group-by", "year"], { cwd });
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(/^reports\/returns\.csv: 2 groups\n\n {2}year {2}rows {2}net_compound/);
    for (const line of stdout.split("\n")) expect(line.length).toBeLessThanOrEqual(80);
  });

  it("is one document with --json, whose years multiply to what the backtest ended with", async () => {
    const finished = await pf(["frame", "returns", "--group-by", "year", "--columns", "net", "--json"], {
      cwd,
    });
    expect(finished.stderr).toBe("");
    const { rows, columns, view } = documentOf(finished);
    expect([view, columns]).toEqual(["groups", ["year", "rows", "net_compound"]]);
    const { metrics } = JSON.parse(readFileSync(join(cwd, "reports/metrics.json"), "utf8"));
    const growth = rows.reduce(
      (product: number, row: { net_compound: number }) => product * (1 + row.net_compound),
      1,
    );
    expect(Math.abs(growth / metrics.FinalEquity - 1)).toBeLessThan(1e-12);
  });

  it("needs no configuration for files, and writes what it shows", async () => {
    const words = ["frame", "returns", "--head", "3", "--columns", "date,net", "--export", "three.csv"];
    const { code, stdout } = await pf([...words, "--set", "no.such=1"], { cwd });
    expect(code).toBe(0);
    expect(stdout).toContain("Written to three.csv: 3 rows.");
    const lines = readFileSync(join(cwd, "reports/returns.csv"), "utf8").split("\n").slice(0, 4);
    const wanted = lines.map((line) => line.split(",").slice(0, 2).join(","));
    expect(readFileSync(join(cwd, "three.csv"), "utf8")).toBe(`${wanted.join("\n")}\n`);
  });

  it("shows cached bars of symbols", async () => {
    const finished = await pf(
      ["frame", "bars", "SPY,GLD", "--group-by", "symbol", "--json", ...smallMarket],
      { cwd },
    );
    expect(documentOf(finished).rows.map(({ symbol }: { symbol: string }) => symbol)).toEqual(["SPY", "GLD"]);
  });

  it("exits 3 without the file, 2 for a column that is not there, 7 where nothing can be written", async () => {
    const told = async (...words: string[]) => {
      const finished = await pf(["frame", ...words, "--json"], { cwd });
      const { error } = documentOf(finished);
      return [finished.code, error.code, error.next];
    };
    expect(await told("walkforward")).toEqual([
      3,
      "PF_RESULT_FILE",
      expect.stringContaining("`pf walkforward`"),
    ]);
    expect(await told("returns", "--columns", "nett")).toEqual([2, "PF_UNKNOWN_COLUMN", "did you mean net?"]);
    expect(await told("returns", "--export", "reports/metrics.json/a.csv")).toEqual([
      ...[7, "PF_CANNOT_WRITE", "choose another place with --export"],
    ]);
  });
});
