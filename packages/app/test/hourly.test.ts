import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadSeries, openBarCache } from "@pf/bars";
import { newYorkTimeOf, newYorkToUtcMs, sessionDate } from "@pf/market";
import { startSimulator } from "@pf/tws-sim";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { createServices } from "../src/index.js";

const home = mkdtempSync(join(tmpdir(), "pf-hourly-"));
afterAll(() => rmSync(home, { recursive: true, force: true }));

const evening = { nowUtcMs: () => Date.parse("2022-07-01T22:00:00Z") };
const settings = [
  "universe=[SPY, TLT, GLD, XLE]",
  "data.source=synthetic",
  "ibkr.start=2020-11-02",
  "ibkr.timeframe=1 hour",
  // Nobody is there: whoever connects is heard of.
  "ibkr.port=1",
  "walkforward.train_years=1",
  "walkforward.reoptimize={ema_fast: [20, 40], ema_slow: [150], top_n: [1, 2], corr_cap: [0.7]}",
];

/** Services on the fetched hours; reports and state lie in a folder of their own. */
function services(name = "reports", overrides: readonly string[] = []) {
  return createServices({
    configuration: { overrides: [...settings, ...overrides] },
    folders: { data: join(home, "data"), out: join(home, name), state: join(home, `${name}-state`) },
    version: "1.2.3",
    clock: evening,
    workerEntry: new URL("../dist/research-worker.js", import.meta.url),
  });
}

const linesOf = (...path: string[]) =>
  readFileSync(join(home, ...path), "utf8")
    .trimEnd()
    .split("\n");

const refusalOf = (promise: Promise<unknown>) =>
  promise.then(
    () => "no error",
    (error: { code?: string; message?: string }) => `${error.code} ${error.message}`,
  );

beforeAll(async () => {
  const outcome = await services().fetch();
  expect(outcome).toMatchObject({ source: "synthetic:42", timeframe: "1 hour", end: "2022-07-01" });
});

describe("hourly bars", () => {
  it("lie beside where daily ones would, and are fetched again without changing a byte", async () => {
    const folder = join(home, "data", "parquet");
    const files = () =>
      readdirSync(folder).map((name) => [name, readFileSync(join(folder, name)).toString("base64")]);
    const before = files();
    expect(before.map(([name]) => name)).toEqual(
      ["GLD", "SPY", "TLT", "XLE"].map((symbol) => `${symbol}.1h.parquet`),
    );
    const { symbols } = await services().fetch();
    expect(symbols.map(({ added, refetched }) => [added, refetched])).toEqual(Array(4).fill([0, false]));
    expect(files()).toEqual(before);
  });

  it("are backtested by the hour, without an account, and say so", async () => {
    const { document, result } = await services().backtest({ plots: false });
    const { metrics, manifest } = document;
    expect(manifest.timeframe).toBe("1 hour");
    expect(manifest.bars).toBe(result.net.length);
    expect(manifest.sessions).toBe(new Set(result.sessions).size);
    expect(manifest.barsPerYear).toBe((252 * manifest.bars!) / manifest.sessions);
    expect(manifest.barsPerYear! / 252).toBeGreaterThan(6.9);
    expect(metrics.Bars).toBe(manifest.bars);
    expect(metrics.TurnoverAnnual).toBeCloseTo((metrics.Turnover! * 252) / manifest.sessions, 9);
    expect(metrics.RebalancesPerMonth).toBeCloseTo((metrics.RebalanceDays! * 21) / manifest.sessions, 9);
    const years = manifest.bars! / manifest.barsPerYear!;
    expect(metrics.CAGR).toBeCloseTo(metrics.FinalEquity! ** (1 / years) - 1, 9);
    expect(document.account).toBeUndefined();
    expect(manifest.config).not.toHaveProperty("compliance");
    expect(manifest.warnings).toEqual([]);
  });

  it("are told by their instants beside their session", async () => {
    await services().backtest({ plots: false });
    const [header, first, second] = linesOf("reports", "returns.csv");
    expect(header).toBe("date,ts,net,gross,turnover,commission,slippage,equity");
    expect(first).toBe("2020-11-02,2020-11-02T15:00:00.000Z,0,0,0,0,0,1");
    expect(second).toMatch(/^2020-11-02,2020-11-02T16:00:00\.000Z,/);
    expect(linesOf("reports", "weights.csv")[0]).toBe("date,ts,symbol,weight");
    const [log] = readdirSync(join(home, "reports", "logs"));
    expect(JSON.parse(linesOf("reports", "logs", log!)[0]!)).toMatchObject({
      event: "rebalance",
      ts: expect.stringMatching(/T\d\d:00:00\.000Z$/),
    });
  });

  it("decide as of a session by its last hour, on the path of the backtest", async () => {
    const weights = await services().targetWeights({ asOf: "2021-11-26" });
    // The day after Thanksgiving closes at 13:00.
    expect([weights.asOf, weights.ts]).toEqual(["2021-11-26", "2021-11-26T18:00:00.000Z"]);
    const { result } = await services().backtest({ plots: false });
    const row = result.sessions.lastIndexOf(weights.asOf);
    expect(weights.weights).toEqual(result.targets.at(row));
    expect(weights.held).toEqual(result.targets.at(row - 1));
  });

  it("walk forward and are shuffled to the same bytes in this thread and on others", async () => {
    const run = async (name: string, workers: number) => {
      const walked = await services(name).walkforward({ workers, plots: false });
      await services(name).permute({ workers, runs: 6, plots: false });
      const files = [
        "walkforward.json",
        "walkforward-returns.csv",
        "walkforward-weights.csv",
        "permutation.json",
      ];
      return { walked, files: files.map((file) => readFileSync(join(home, name, file), "utf8")) };
    };
    const [alone, threads] = [await run("alone", 0), await run("threads", 2)];
    expect(threads.files).toEqual(alone.files);
    const { folds, manifest, metrics } = alone.walked.document;
    expect(folds.length).toBeGreaterThan(1);
    expect([folds[0]!.trainStart, folds[0]!.oosStart]).toEqual(["2020-11-02", "2021-11-02"]);
    expect(manifest.timeframe).toBe("1 hour");
    const { AnnualVol, Bars } = metrics;
    const { net } = alone.walked.result;
    const mean = net.reduce((sum, one) => sum + one, 0) / Bars!;
    const variance = net.reduce((sum, one) => sum + (one - mean) ** 2, 0) / (Bars! - 1);
    expect(AnnualVol).toBeCloseTo(Math.sqrt(variance * manifest.barsPerYear!), 9);
    expect(linesOf("alone", "walkforward-returns.csv")[1]).toMatch(/^2021-11-02,2021-11-02T14:00:00\.000Z,/);
  });
});

describe("hourly bars of a broker", () => {
  it("are its days together, half days and changes of clocks included, and come without those as traded", async () => {
    const simulator = await startSimulator({
      startUtcMs: newYorkToUtcMs(sessionDate("2025-06-30"), "12:20"),
      speed: "frozen",
    });
    onTestFinished(() => simulator.close());
    const data = join(home, "broker");
    const on = (timeframe: string) =>
      createServices({
        configuration: {
          overrides: [
            ...["universe=[SPY, TLT]", "ibkr.host=127.0.0.1", `ibkr.port=${simulator.port}`],
            ...["ibkr.start=2024-10-01", `ibkr.timeframe=${timeframe}`],
          ],
        },
        folders: { data, out: join(home, "x"), state: join(home, "y") },
        version: "1.2.3",
      });
    const outcome = await on("1 hour").fetch();
    expect(outcome).toMatchObject({ source: "tws-sim:synthetic:42", timeframe: "1 hour", end: "2025-06-27" });
    expect(readdirSync(join(data, "parquet"))).toEqual(["SPY.1h.parquet", "TLT.1h.parquet"]);
    await on("1 day").fetch();

    const cache = openBarCache(data);
    const universe = ["SPY", "TLT"];
    const { series: hours } = await loadSeries(cache, universe, "hourly");
    const { series: days } = await loadSeries(cache, universe);
    for (const [at, { sessions, open, high, low, close, endsUtcMs }] of hours.entries()) {
      const day = days[at]!;
      expect([...new Set(sessions)]).toEqual(day.sessions);
      expect(sessions.at(-1)).toBe("2025-06-27");
      for (const [row, session] of day.sessions.entries()) {
        const [first, end] = [sessions.indexOf(session), sessions.lastIndexOf(session) + 1];
        const whole = {
          open: open[first]!,
          high: Math.max(...high.subarray(first, end)),
          low: Math.min(...low.subarray(first, end)),
          close: close[end - 1]!,
        };
        // Adjusted prices of a day are rounded to the sixth decimal, each by itself.
        for (const field of ["open", "high", "low", "close"] as const)
          expect(Math.abs(whole[field] / day[field][row]! - 1)).toBeLessThan(1e-6);
        const times = [...endsUtcMs!.subarray(first, end)].map(newYorkTimeOf);
        const full = ["10:00", "11:00", "12:00", "13:00", "14:00", "15:00", "16:00"];
        const isHalf = ["2024-11-29", "2024-12-24"].includes(session);
        expect([session, times]).toEqual([session, isHalf ? full.slice(0, 4) : full]);
      }
    }
  });
});

describe("hourly bars are refused, in words and before anybody is asked,", () => {
  const inWords = (what: string) =>
    `PF_HOURLY_BARS ${what}, and ibkr.timeframe is "1 hour", which is for research`;

  it.each([
    [
      "by trade",
      () => services("no").trade({ mode: "paper" }),
      "an account is traded once a session, by daily bars",
    ],
    [
      "by a dry run",
      () => services("no").trade({ dryRun: true }),
      "an account is traded once a session, by daily bars",
    ],
    [
      "by reconcile",
      () => services("no").reconcile({ mode: "paper" }),
      "an account is traded once a session, by daily bars",
    ],
    [
      "by the account's past",
      () => services("no").history({ mode: "paper" }),
      "an account's past is told by daily bars",
    ],
    ["by replay", () => services("no").replay(), "a replay trades once a session, by daily bars"],
    [
      "by the account engine",
      () => services("no").backtest({ engine: "account" }),
      "--engine account trades a cash account once a session, by daily bars",
    ],
    [
      "of files",
      () => services("no").fetch({ source: "csv", csvDir: home }),
      "the source csv has daily bars alone",
    ],
    [
      "of services",
      () => services("no").fetch({ source: "tiingo" }),
      "the source tiingo has daily bars alone",
    ],
    [
      "of those that stand in",
      () => services("no", ["data.fallback=[alpaca]"]).fetch(),
      "alpaca, named in data.fallback, has daily bars alone",
    ],
  ])("%s", async (_, ask, what) => {
    expect(await refusalOf(ask())).toBe(inWords(what));
    expect(readdirSync(home)).not.toContain("no");
    expect(readdirSync(home)).not.toContain("no-state");
  });

  it("and missed by name where only daily ones were fetched", async () => {
    const daily = createServices({
      configuration: { overrides: [...settings, "ibkr.timeframe=1 day"] },
      folders: { data: join(home, "days"), out: join(home, "x"), state: join(home, "y") },
      version: "1.2.3",
      clock: evening,
    });
    await daily.fetch();
    const hours = createServices({
      configuration: { overrides: settings },
      folders: { data: join(home, "days"), out: join(home, "x"), state: join(home, "y") },
      version: "1.2.3",
      clock: evening,
    });
    expect(await refusalOf(hours.backtest())).toMatch(
      /^PF_MISSING_BARS there are no hourly bars in .*days yet/,
    );
  });
});
