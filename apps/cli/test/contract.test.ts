import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { documentOf, filesIn, pf, smallMarket, temporaryFolder } from "./process.js";

const metricNames = [
  "CAGR",
  "Sharpe",
  "MaxDD",
  "Calmar",
  "PF",
  "Turnover",
  "TurnoverAnnual",
  "RebalanceDays",
  "RebalancesPerMonth",
  "FinalEquity",
  "Bars",
];

function expectMetrics(metrics: Record<string, unknown>): void {
  for (const name of metricNames) {
    const value = metrics[name];
    expect(value === null || Number.isFinite(value), `${name} is ${String(value)}`).toBe(true);
  }
}

let home: string;
beforeAll(async () => {
  home = temporaryFolder();
  const fetched = await pf(["fetch", ...smallMarket], { cwd: home });
  expect([fetched.code, fetched.stderr.includes("Error")]).toEqual([0, false]);
});

describe("pf fetch", () => {
  it("prints a document with one entry a symbol, and adds nothing twice", async () => {
    const folder = temporaryFolder();
    const first = documentOf(await pf(["fetch", ...smallMarket, "--json"], { cwd: folder }));
    const files = filesIn(folder);
    const again = documentOf(await pf(["fetch", ...smallMarket, "--json"], { cwd: folder }));
    expect(first.symbols.map(({ symbol }: { symbol: string }) => symbol)).toEqual(["SPY", "TLT", "GLD"]);
    for (const entry of first.symbols) {
      expect(entry).toMatchObject({ first: "2016-01-04", last: "2017-12-29", refetched: false });
      expect(entry.added).toBe(entry.rows);
      expect(entry.hash).toMatch(/^[0-9a-f]{64}$/);
      expect(entry.requests).toBeGreaterThan(0);
    }
    expect(
      again.symbols.map(
        ({ added, refetched, requests }: { added: number; refetched: boolean; requests: number }) => [
          added,
          refetched,
          requests,
        ],
      ),
    ).toEqual([
      [0, false, 1],
      [0, false, 1],
      [0, false, 1],
    ]);
    expect(filesIn(folder)).toEqual(files);
    expect(Object.keys(files)).toContain("data/parquet/SPY.parquet");
    expect(Object.keys(files)).toContain("data/parquet/SPY.trades.parquet");
  });

  it("shows people a table and says when nothing was new", async () => {
    const { code, stdout } = await pf(["fetch", ...smallMarket], { cwd: home });
    expect(code).toBe(0);
    expect(stdout).toMatch(/SPY +up to date +0 +503 +2016-01-04 +2017-12-29/);
    expect(stdout).toContain("No new bars: 3 requests brought nothing");
    for (const line of stdout.split("\n")) expect(line.length).toBeLessThanOrEqual(80);
  });
});

describe("pf backtest", () => {
  it("prints metrics, benchmarks, the literal rule, files and the manifest", async () => {
    const out = join(temporaryFolder(), "deep", "reports");
    const finished = await pf(["backtest", ...smallMarket, "--out", out, "--json"], { cwd: home });
    const document = documentOf(finished);
    expect(finished.code).toBe(0);
    expectMetrics(document.metrics);
    expect(Object.keys(document.benchmarks)).toEqual(["SPY", "equal_weight"]);
    for (const metrics of Object.values(document.benchmarks))
      expectMetrics(metrics as Record<string, unknown>);
    expectMetrics(document.literal);
    expect(document.files).toEqual([
      "metrics.json",
      "returns.csv",
      "weights.csv",
      "equity.png",
      "drawdown.png",
      "heatmap.png",
    ]);
    const written = filesIn(out);
    for (const file of document.files) expect(written[file]!.length).toBeGreaterThan(100);
    expect(document.manifest).toMatchObject({
      command: "backtest",
      seed: 42,
      sessions: 503,
      first: "2016-01-04",
      last: "2017-12-29",
    });
    expect(document.manifest.configHash).toMatch(/^[0-9a-f]{64}$/);
    expect(document.manifest.config.universe).toEqual(["SPY", "TLT", "GLD"]);
    for (const symbol of ["SPY", "TLT", "GLD"])
      expect(document.manifest.data[symbol].hash).toMatch(/^[0-9a-f]{64}$/);
    const onDisk = JSON.parse(Buffer.from(written["metrics.json"]!, "base64").toString());
    expect(onDisk).toMatchObject({
      metrics: document.metrics,
      benchmarks: document.benchmarks,
      manifest: document.manifest,
    });
    const returns = Buffer.from(written["returns.csv"]!, "base64").toString().split("\n");
    expect(returns[0]).toBe("date,net,gross,turnover,commission,slippage,equity");
    expect(returns).toHaveLength(503 + 2);
    expect(Buffer.from(written["weights.csv"]!, "base64").toString()).toMatch(/^date,symbol,weight\n/);
    expect(Object.keys(written).filter((name) => name.startsWith("logs"))).toEqual([document.log]);
  });

  it("writes the same bytes in another folder, logs apart", async () => {
    const other = temporaryFolder();
    await pf(["fetch", ...smallMarket, "--data-dir", join(other, "cache")]);
    await pf(["backtest", ...smallMarket, "--data-dir", join(other, "cache"), "--out", join(other, "a")]);
    await pf(["backtest", ...smallMarket, "--out", join(other, "b")], { cwd: home });
    const [a, b] = ["a", "b"].map((name) =>
      Object.entries(filesIn(join(other, name))).filter(([file]) => !file.startsWith("logs/")),
    );
    expect(a!.map(([file]) => file)).toHaveLength(6);
    expect(b).toEqual(a);
    const caches = [join(other, "cache"), join(home, "data")].map(filesIn);
    expect(caches[1]).toEqual(caches[0]);
  });

  it("draws nothing with --no-plots", async () => {
    const out = temporaryFolder();
    const document = documentOf(
      await pf(["backtest", ...smallMarket, "--no-plots", "--out", out, "--json"], { cwd: home }),
    );
    expect(document.files).toEqual(["metrics.json", "returns.csv", "weights.csv"]);
    expect(Object.keys(filesIn(out)).filter((name) => name.endsWith(".png"))).toEqual([]);
  });

  it("turns what is undefined into null", async () => {
    const words = [
      "backtest",
      ...smallMarket,
      "--no-plots",
      "--end",
      "2016-01-08",
      "--out",
      temporaryFolder(),
      "--json",
    ];
    const document = documentOf(await pf(words, { cwd: home }));
    expect(document.metrics).toMatchObject({
      Sharpe: null,
      Calmar: null,
      PF: null,
      CAGR: 0,
      RebalanceDays: 0,
      Bars: 5,
    });
  });

  it("shows people how it went beside the benchmarks, both turnovers, a curve, and where the report is", async () => {
    const { code, stdout, stderr } = await pf(["backtest", ...smallMarket, "--no-plots", "--quiet"], {
      cwd: home,
    });
    expect([code, stderr]).toEqual([0, ""]);
    for (const text of [
      "CAGR",
      "Portfolio",
      "SPY held",
      "literal rule (rank, band 0)",
      "this run (keep, band 0.05)",
      "┤",
      "reports/",
      "metrics.json",
    ]) {
      expect(stdout).toContain(text);
    }
    for (const line of stdout.split("\n")) expect(line.length).toBeLessThanOrEqual(80);
  });
});

describe("pf weights", () => {
  it("prints targets, cash and a reason for every symbol", async () => {
    const finished = await pf(["weights", ...smallMarket, "--asof", "2017-06-30", "--json"], { cwd: home });
    const document = documentOf(finished);
    expect(document.asOf).toBe("2017-06-30");
    const invested = Object.values<number>(document.weights).reduce((sum, weight) => sum + weight, 0);
    expect(invested + document.cash).toBeCloseTo(1, 12);
    expect(document.candidates.map(({ symbol }: { symbol: string }) => symbol)).toEqual([
      "SPY",
      "TLT",
      "GLD",
    ]);
    for (const candidate of document.candidates) {
      expect(candidate).toMatchObject({ eligible: expect.any(Boolean), selected: expect.any(Boolean) });
      expect(candidate.reason).toMatch(/^[a-z_]+$/);
      expect(candidate.detail.length).toBeGreaterThan(0);
      expect(candidate.symbol in document.weights).toBe(candidate.selected);
    }
  });

  it("is the backtest's row of the same session", async () => {
    const out = temporaryFolder();
    await pf(["backtest", ...smallMarket, "--no-plots", "--out", out], { cwd: home });
    const rows = Buffer.from(filesIn(out)["weights.csv"]!, "base64").toString().trim().split("\n").slice(1);
    const sessions = [...new Set(rows.map((row) => row.slice(0, 10)))];
    for (const session of [sessions[0]!, sessions[40]!, sessions.at(-1)!]) {
      const { weights } = documentOf(
        await pf(["weights", ...smallMarket, "--asof", session, "--json"], { cwd: home }),
      );
      const lines = Object.entries(weights).map(
        ([symbol, weight]) => `${session},${symbol},${String(weight)}`,
      );
      expect(lines).toEqual(rows.filter((row) => row.startsWith(session)));
    }
  });

  it("decides on the last session before a day without one", async () => {
    expect(
      documentOf(await pf(["weights", ...smallMarket, "--asof", "2017-07-02", "--json"], { cwd: home })).asOf,
    ).toBe("2017-06-30");
    expect(documentOf(await pf(["weights", ...smallMarket, "--json"], { cwd: home })).asOf).toBe(
      "2017-12-29",
    );
  });

  it("shows people a table that fits eighty columns", async () => {
    const { stdout } = await pf(["weights", ...smallMarket, "--asof", "2017-06-30"], { cwd: home });
    expect(stdout).toContain("Target weights as of 2017-06-30");
    expect(stdout).toMatch(/cash +\d+\.\d\d%/);
    for (const line of stdout.split("\n")) expect(line.length).toBeLessThanOrEqual(80);
  });
});

describe("pf config", () => {
  const withConfig = (text: string, local?: string) => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, "config"));
    writeFileSync(join(folder, "config", "config.yaml"), text);
    if (local) writeFileSync(join(folder, "config", "config.local.yaml"), local);
    return folder;
  };
  const topN = async (cwd: string, words: string[] = [], env: Record<string, string> = {}) => {
    const { settings } = documentOf(await pf(["config", "show", "--json", ...words], { cwd, env }));
    const { value, origin } = settings.find(({ key }: { key: string }) => key === "selection.top_n");
    return [value, origin];
  };

  it("show tells where a value comes from, the strongest source winning", async () => {
    const folder = withConfig("selection:\n  top_n: 3\n", "selection: { top_n: 4 }\n");
    expect(await topN(temporaryFolder())).toEqual([2, "default"]);
    expect(await topN(withConfig("selection:\n  top_n: 3\n"))).toEqual([3, "config/config.yaml:2:10"]);
    expect((await topN(folder))[0]).toBe(4);
    writeFileSync(join(folder, ".env"), "PF_SELECTION__TOP_N=5\n");
    expect(await topN(folder)).toEqual([5, ".env:1:21 PF_SELECTION__TOP_N"]);
    expect(await topN(folder, [], { PF_SELECTION__TOP_N: "6" })).toEqual([
      6,
      "environment PF_SELECTION__TOP_N",
    ]);
    expect(await topN(folder, ["--set", "selection.top_n=7"], { PF_SELECTION__TOP_N: "6" })).toEqual([
      7,
      "--set selection.top_n=7",
    ]);
  });

  it("check names file, line and column of everything that is wrong", async () => {
    const folder = withConfig("selection:\n  topn: 3\nweights:\n  cash_buffer: 1.5\n");
    const finished = await pf(["config", "check", "--json"], { cwd: folder });
    expect(finished.code).toBe(2);
    const { issues } = documentOf(finished).error.details;
    expect(issues).toMatchObject([
      { file: "config/config.yaml", line: 2, column: 3 },
      { file: "config/config.yaml", line: 4, column: 16 },
    ]);
    expect((await pf(["config", "check"], { cwd: folder })).stderr).toContain("config/config.yaml:4:16");
  });

  it("check says yes to what can be used", async () => {
    const folder = withConfig("universe: [SPY, TLT]\n");
    expect(documentOf(await pf(["config", "check", "--json"], { cwd: folder }))).toMatchObject({
      ok: true,
      files: ["config/config.yaml"],
    });
    expect((await pf(["config", "check"], { cwd: folder })).stdout).toContain("can be used");
  });

  it("schema is a JSON Schema, the same with and without --json", async () => {
    const [plain, json] = [await pf(["config", "schema"]), await pf(["config", "schema", "--json"])];
    expect(documentOf(plain)).toHaveProperty("properties.universe");
    expect(json.stdout).toBe(plain.stdout);
  });
});
