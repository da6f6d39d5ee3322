import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, it } from "vitest";
import { documentOf, pf, temporaryFolder } from "./process.js";

const shared = fileURLToPath(new URL("../../../../shared/", import.meta.url));
const present = existsSync(`${shared}golden`) && existsSync(`${shared}data/etf-daily`);
const why = present ? "" : " (not run: there is no ../shared beside the project)";
const golden = (name: string) => JSON.parse(readFileSync(`${shared}golden/${name}`, "utf8"));

const literally = ["--set", "selection.incumbents=rank", "--set", "rebalance.min_weight_change=0"];
const lastComplete = ["--set", "rebalance.decision_bar=last_complete"];

describe.runIf(present)(`real bars through the command line equal the independent reference${why}`, () => {
  let home: string;
  beforeAll(async () => {
    home = temporaryFolder();
    const fetched = await pf(["fetch", "--source", "csv", "--csv-dir", `${shared}data/etf-daily`, "--json"], {
      cwd: home,
    });
    expect(fetched.code).toBe(0);
    expect(documentOf(fetched).symbols).toHaveLength(9);
  });

  const backtest = async (words: readonly string[]) => {
    const out = temporaryFolder();
    const finished = await pf(["backtest", "--no-plots", "--out", out, "--json", ...words], { cwd: home });
    expect(finished.code).toBe(0);
    const table = (name: string) =>
      readFileSync(join(out, name), "utf8")
        .trimEnd()
        .split("\n")
        .slice(1)
        .map((line) => line.split(","));
    return { document: documentOf(finished), returns: table("returns.csv"), weights: table("weights.csv") };
  };

  function expectClose(actual: number | null, expected: number | null, what: string): void {
    if (expected === null || actual === null) expect(actual, what).toBe(expected);
    else
      expect(Math.abs(actual - expected), what).toBeLessThanOrEqual(1e-9 * Math.max(1, Math.abs(expected)));
  }

  function expectMetrics(
    actual: Record<string, number | null>,
    expected: Record<string, number | null>,
  ): void {
    expect(Object.keys(expected)).toHaveLength(11);
    for (const [name, value] of Object.entries(expected))
      expectClose(actual[name] as number | null, value, name);
  }

  function expectColumn(
    returns: readonly string[][],
    column: number,
    expected: readonly number[],
    dates: readonly string[],
  ): void {
    expect(returns.map(([date]) => date)).toEqual(dates);
    for (const [row, cells] of returns.entries())
      expectClose(Number(cells[column]), expected[row]!, `row ${dates[row]}`);
  }

  it("the literal rule: metrics, every column, every weight", async () => {
    const { document, returns, weights } = await backtest(literally);
    const expected = golden("backtest_default.json");
    expectMetrics(document.metrics, expected.metrics);
    expectMetrics(document.literal, expected.metrics);
    ["net", "gross", "turnover", "commission", "slippage"].forEach((name, at) => {
      expectColumn(returns, at + 1, expected[name], expected.dates);
    });
    const rows = expected.weights.flatMap(
      ({ weights: of }: { weights: Record<string, number> }, row: number) =>
        expected.config.universe
          .filter((symbol: string) => (of[symbol] ?? 0) !== 0)
          .map((symbol: string) => [expected.dates[row], symbol, of[symbol]]),
    );
    expect(weights.map(([date, symbol]) => [date, symbol])).toEqual(
      rows.map(([date, symbol]: [string, string]) => [date, symbol]),
    );
    for (const [at, [, , weight]] of weights.entries())
      expectClose(Number(weight), rows[at][2], `weight ${at}`);
  });

  it("the default: incumbents are kept, band 0.05, and the literal rule's turnover beside it", async () => {
    const { document, returns, weights } = await backtest([]);
    const { dates, variants } = golden("incumbents_keep.json");
    const [expected] = variants;
    expectMetrics(document.metrics, expected.metrics);
    expectMetrics(document.literal, golden("backtest_default.json").metrics);
    expectColumn(returns, 1, expected.net, dates);
    expectColumn(returns, 3, expected.turnover, dates);
    const held = new Map<string, Record<string, number>>();
    for (const [date, symbol, weight] of weights)
      held.set(date!, { ...held.get(date!), [symbol!]: Number(weight) });
    expected.rows.forEach(({ weights: of }: { weights: Record<string, number> }, row: number) => {
      const names = Object.keys(of).filter((symbol) => of[symbol] !== 0);
      const ours = held.get(dates[row]) ?? {};
      expect(Object.keys(ours).sort(), dates[row]).toEqual(names.sort());
      for (const symbol of names) expectClose(ours[symbol]!, of[symbol]!, `${dates[row]} ${symbol}`);
    });
  });

  it.each([
    ["the literal rule", [...literally, ...lastComplete], 0],
    ["incumbents kept", lastComplete, 1],
  ])("decided on the last complete bar, two bars of lag: %s", async (_, words, variant) => {
    const { document, returns } = await backtest(words);
    const { dates, variants } = golden("lag2.json");
    expectMetrics(document.metrics, variants[variant].metrics);
    expectColumn(returns, 1, variants[variant].net, dates);
    expect(document.manifest.lag).toBe(2);
  });
});
