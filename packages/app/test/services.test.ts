import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { verifyAudit } from "../src/audit-chain.js";
import { createServices, rebalanceRows, type ServiceContext } from "../src/index.js";

const home = mkdtempSync(join(tmpdir(), "pf-app-"));
afterAll(() => rmSync(home, { recursive: true, force: true }));

const evening = { nowUtcMs: () => Date.parse("2022-07-01T22:00:00Z") };
const universe = "universe=[SPY, TLT, GLD, XLE, BITO]";

/** Services over folders of their own, with the synthetic market and a clock that stands still. */
function servicesIn(name: string, options: { overrides?: string[]; context?: Partial<ServiceContext> } = {}) {
  const folder = join(home, name);
  return createServices({
    configuration: {
      overrides: [universe, "data.source=synthetic", "ibkr.start=2020-01-01", ...(options.overrides ?? [])],
    },
    folders: { data: join(folder, "data"), out: join(folder, "reports"), state: join(folder, "state") },
    version: "1.2.3",
    clock: evening,
    ...options.context,
  });
}

/** Every file below a folder with its bytes. */
function filesIn(folder: string): Record<string, string> {
  const names = readdirSync(folder, { recursive: true, encoding: "utf8" });
  const files = names.filter((name) => statSync(join(folder, name)).isFile()).sort();
  return Object.fromEntries(files.map((name) => [name, readFileSync(join(folder, name)).toString("base64")]));
}

const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => "no error",
    (error: { code?: string }) => error.code,
  );

beforeAll(async () => {
  await servicesIn("market").fetch();
});

/** A copy of the fetched market under another name. */
function marketIn(name: string): string {
  cpSync(join(home, "market", "data"), join(home, name, "data"), { recursive: true });
  return name;
}

describe("fetch", () => {
  it("fills an empty cache up to the last complete session", async () => {
    const outcome = await servicesIn("fresh").fetch({ symbols: ["SPY", "GLD"] });
    expect(outcome).toMatchObject({ source: "synthetic:42", start: "2020-01-01", end: "2022-07-01" });
    expect(
      outcome.symbols.map(({ symbol, status, first, last, error }) => ({
        symbol,
        status,
        first,
        last,
        error,
      })),
    ).toEqual([
      { symbol: "SPY", status: "ok", first: "2020-01-02", last: "2022-07-01", error: null },
      { symbol: "GLD", status: "ok", first: "2020-01-02", last: "2022-07-01", error: null },
    ]);
    expect(outcome.symbols[0]!.added).toBe(outcome.symbols[0]!.rows);
    expect(outcome.error).toBeUndefined();
  });

  it("asks once more the second time, adds nothing and changes no byte", async () => {
    const services = servicesIn(marketIn("again"));
    const before = filesIn(join(home, "again", "data"));
    const outcome = await services.fetch();
    expect(outcome.error).toBeUndefined();
    expect(outcome.symbols.map(({ added, refetched, requests }) => [added, refetched, requests])).toEqual(
      Array.from({ length: 5 }, () => [0, false, 1]),
    );
    expect(filesIn(join(home, "again", "data"))).toEqual(before);
  });

  it("notices that a file was corrected, fetches that symbol anew and says so", async () => {
    const csv = join(home, "corrected");
    mkdirSync(csv, { recursive: true });
    const write = (close: number) =>
      writeFileSync(
        join(csv, "SPY.csv"),
        `date,open,high,low,close,volume\n2022-06-29,1,9,1,${close},10\n2022-06-30,2,3,2,3,10\n2022-07-01,2,3,2,3,10\n`,
      );
    const services = servicesIn("correction");
    write(4);
    const [first] = (await services.fetch({ csvDir: csv, symbols: ["SPY"] })).symbols;
    write(5);
    const [second] = (await services.fetch({ csvDir: csv, symbols: ["SPY"] })).symbols;
    expect(second).toMatchObject({ status: "ok", refetched: true, rows: 3 });
    expect(second!.hash).not.toBe(first!.hash);
    expect(second!.warnings.join()).toContain("2022-06-29");
  });

  it("never caches today's unfinished bar", async () => {
    const noon = { nowUtcMs: () => Date.parse("2022-07-01T17:00:00Z") };
    const outcome = await servicesIn("noon", { context: { clock: noon } }).fetch({
      symbols: ["SPY"],
      end: "2022-07-01",
    });
    expect(outcome.symbols[0]!.last).toBe("2022-06-30");
  });

  it("tells of a symbol that failed and keeps the others", async () => {
    const csv = join(home, "csv");
    mkdirSync(csv, { recursive: true });
    writeFileSync(
      join(csv, "SPY.csv"),
      "date,open,high,low,close,volume\n2022-06-30,1,2,1,2,10\n2022-07-01,2,3,2,3,10\n",
    );
    writeFileSync(join(csv, "TLT.csv"), "date,open,high,low,close,volume\n2022-06-30,1,2,1,two,10\n");
    const outcome = await servicesIn("half").fetch({ csvDir: csv, symbols: ["SPY", "TLT"] });
    expect(outcome.symbols.map(({ symbol, status, rows }) => [symbol, status, rows])).toEqual([
      ["SPY", "ok", 2],
      ["TLT", "failed", 0],
    ]);
    expect(outcome.symbols[1]!.error).toMatchObject({ code: "PF_CSV_FILE" });
    expect(outcome.error).toMatchObject({ code: "PF_FETCH_INCOMPLETE" });
    expect(outcome.error!.message).toContain("TLT");
  });

  it("refuses another source over cached bars, unless it shall replace them", async () => {
    const services = servicesIn(marketIn("other"), { overrides: ["data.synthetic.seed=7"] });
    const refused = await services.fetch({ symbols: ["SPY"] });
    expect(refused.error).toMatchObject({ code: "PF_SOURCE_MISMATCH" });
    const replaced = await services.fetch({ symbols: ["SPY"], replace: true });
    expect(replaced.error).toBeUndefined();
    expect(replaced.symbols[0]!.hash).not.toBe(refused.symbols[0]!.hash);
  });

  it("says in words what it cannot do", async () => {
    // Nobody listens on port 1.
    const services = servicesIn("wrong", { overrides: ["ibkr.port=1"] });
    expect(await codeOf(services.fetch({ source: "ibkr" }))).toBe("PF_IBKR_UNREACHABLE");
    expect(await codeOf(services.fetch({ source: "csv" }))).toBe("PF_USAGE");
    expect(await codeOf(services.fetch({ csvDir: join(home, "nowhere") }))).toBe("PF_SOURCE_UNAVAILABLE");
    expect(await codeOf(services.fetch({ start: "2022-06-02", end: "2022-06-01" }))).toBe("PF_RANGE_ORDER");
    expect(await codeOf(services.fetch({ start: "2022-07-05" }))).toBe("PF_NOTHING_FINISHED");
    expect(await codeOf(services.fetch({ start: "1980-01-02" }))).toBe("PF_CALENDAR_RANGE");
    expect(await codeOf(services.fetch({ symbols: ["spy"] }))).toBe("PF_INVALID_SYMBOL");
    expect(filesIn(join(home, "wrong"))).toEqual({});
  });
});

describe("backtest", () => {
  it("writes what it says it wrote, and the numbers it returns", async () => {
    const { document, result } = await servicesIn(marketIn("run")).backtest({ plots: false });
    const out = join(home, "run", "reports");
    expect(document.files).toEqual(["metrics.json", "returns.csv", "weights.csv"]);
    const written = JSON.parse(readFileSync(join(out, "metrics.json"), "utf8"));
    expect(written.metrics).toEqual(document.metrics);
    expect(written.benchmarks).toEqual(document.benchmarks);
    expect(written.literal).toEqual(document.literal);
    expect(written.manifest).toEqual(JSON.parse(JSON.stringify(document.manifest)));
    expect(document.metrics.Bars).toBe(result.sessions.length);
    expect(document.metrics.RebalanceDays).toBeGreaterThan(5);
  });

  it("logs one record a rebalance, with what was known and why", async () => {
    const { document, result } = await servicesIn(marketIn("audit")).backtest({ plots: false });
    const lines = readFileSync(join(home, "audit", "reports", document.log), "utf8")
      .trimEnd()
      .split("\n");
    const records = lines.map((line) => JSON.parse(line));
    const rows = rebalanceRows(result);
    expect(records.map(({ session }) => session)).toEqual(rows.map((row) => result.sessions[row]));
    expect(records.map(({ weights }) => weights)).toEqual(rows.map((row) => result.targets.at(row)));
    for (const record of records) {
      expect(record.time).toBe("2022-07-01T22:00:00.000Z");
      expect(record.candidates.map(({ symbol }: { symbol: string }) => symbol)).toEqual([
        "SPY",
        "TLT",
        "GLD",
        "XLE",
        "BITO",
      ]);
      expect(record.inputs.configHash).toBe(document.manifest.configHash);
    }
    expect(records.some(({ correlations }) => correlations.length > 0)).toBe(true);
    expect(verifyAudit(`${lines.join("\n")}\n`)).toMatchObject({ records: rows.length, problems: [] });
  });

  it("gives the same bytes in another folder and at another time, logs apart", async () => {
    const later = { nowUtcMs: () => Date.parse("2026-01-05T09:00:00Z") };
    await servicesIn(marketIn("one")).backtest();
    await servicesIn(marketIn("two"), { context: { clock: later } }).backtest();
    const [one, two] = ["one", "two"].map((name) => {
      const files = filesIn(join(home, name, "reports"));
      return Object.fromEntries(Object.entries(files).filter(([file]) => !file.startsWith("logs")));
    });
    expect(Object.keys(one!)).toEqual([
      "drawdown.png",
      "equity.png",
      "heatmap.png",
      "metrics.json",
      "returns.csv",
      "weights.csv",
    ]);
    expect(two).toEqual(one);
  });

  it("cuts rows before the indicators: a range starts cold", async () => {
    const services = servicesIn(marketIn("range"));
    const { document, result } = await services.backtest({
      start: "2021-01-01",
      end: "2021-12-31",
      plots: false,
    });
    expect(document.manifest).toMatchObject({ first: "2021-01-04", last: "2021-12-31", sessions: 252 });
    for (let row = 0; row < 90; row++) expect(result.targets.at(row)).toEqual({});
    const whole = await services.backtest({ plots: false });
    expect(document.manifest.data.SPY!.hash).not.toBe(whole.document.manifest.data.SPY!.hash);
    expect(document.manifest.configHash).toBe(whole.document.manifest.configHash);
  });

  it("states the turnover of the literal rule", async () => {
    const services = servicesIn(marketIn("literal"));
    const literally = servicesIn("literal", {
      overrides: ["selection.incumbents=rank", "rebalance.min_weight_change=0"],
    });
    const { document } = await services.backtest({ plots: false });
    const literal = (await literally.backtest({ plots: false })).document;
    expect(document.literal).toEqual(literal.metrics);
    expect(literal.literal).toEqual(literal.metrics);
    expect(document.literal.RebalanceDays!).toBeGreaterThan(document.metrics.RebalanceDays!);
  });

  it("reports the account in dollars when asked to, and shows both engines either way", async () => {
    const folder = marketIn("account");
    const bars = (await servicesIn(folder).backtest({ plots: false })).document;
    const reported = await servicesIn(folder).backtest({ plots: false, engine: "account" });
    const account = reported.document;
    expect(account.account).toEqual(bars.account);
    expect(account.bars).toEqual(bars.metrics);
    expect(account.metrics).toEqual(account.account!.metrics);
    expect(account.metrics.FinalEquity).toBe(account.account!.finalEquity);
    expect(account.account!.initialCash).toBe(25_000);
    expect(account.account!.fills).toBeGreaterThan(0);
    expect(Object.keys(account.literalAccount!)).toEqual(Object.keys(account.account!));
    const rows = readFileSync(join(home, "account", "reports", "returns.csv"), "utf8")
      .trim()
      .split("\n");
    expect(Number(rows.at(-1)!.split(",").at(-1))).toBe(account.account!.finalEquity);
    // Curves and pictures show growth, because benchmarks are growth too.
    expect(reported.result.equity.at(-1)).toBeCloseTo(account.account!.finalEquity / 25_000, 12);
    expect(reported.result.equity[0]).toBe(1);
    const difference = account.account!.difference.reduce((sum, { cagr }) => sum + cagr, 0);
    expect(difference).toBeCloseTo(account.metrics.CAGR! - account.bars.CAGR!, 12);
  });

  it("backtests bars of years before any settlement rule it knows, without an account, and says so", async () => {
    const csv = join(home, "old-csv");
    mkdirSync(csv, { recursive: true });
    const days = ["1995-06-01", "1995-06-02", "1995-06-05", "1995-06-06", "1995-06-07", "1995-06-08"];
    const bars = days.map((day, at) => `${day},1${at},1${at},1${at},1${at},10`);
    writeFileSync(join(csv, "SPY.csv"), `date,open,high,low,close,volume\n${bars.join("\n")}\n`);
    const short = ["features.atr_window=1", "features.ema_fast=1", "features.ema_slow=2"];
    const windows = [...short, "selection.corr_window=2", "weights.vol_window=2"];
    const services = servicesIn("old", { overrides: ["universe=[SPY]", ...windows] });
    await services.fetch({ source: "csv", csvDir: csv, start: "1995-01-01" });
    const { document } = await services.backtest({ plots: false });
    expect(document).toMatchObject({ engine: "bars", metrics: { Bars: 6, RebalanceDays: 1 } });
    expect(document).not.toHaveProperty("account");
    expect(document.manifest.config).not.toHaveProperty("execution");
    expect(document.manifest.warnings.join("\n")).toContain("1995-06-07");
    expect(await codeOf(services.backtest({ plots: false, engine: "account" }))).toBe("PF_CALENDAR_RANGE");
    const settled = (await services.backtest({ plots: false, start: "1995-06-07" })).document;
    expect(settled.account).toMatchObject({ fills: 0 });
    expect(settled.manifest.warnings.join("\n")).not.toContain("1995-06-07");
  });

  it("names the prices as traded that it saw, and what decides orders", async () => {
    const { manifest } = (await servicesIn(marketIn("traded")).backtest({ plots: false })).document;
    const seen = Object.values(manifest.data);
    for (const { tradesHash } of seen) expect(tradesHash).toMatch(/^[0-9a-f]{64}$/);
    // Bonds pay; what pays nothing has one price.
    expect(manifest.data.TLT!.tradesHash).not.toBe(manifest.data.TLT!.hash);
    expect(manifest.config.execution).toMatchObject({ max_orders_per_day: 5, min_notional: 25 });
    expect(manifest.config.execution).not.toHaveProperty("live");
    const { manifest: decided } = await servicesIn("traded").targetWeights();
    expect(decided.data.SPY).not.toHaveProperty("tradesHash");
    expect(decided.config).not.toHaveProperty("execution");
  });

  it("says in words what it cannot do", async () => {
    const services = servicesIn(marketIn("refuse"));
    expect(await codeOf(servicesIn("empty").backtest())).toBe("PF_MISSING_BARS");
    expect(await codeOf(services.backtest({ start: "2021-02-01", end: "2021-01-01" }))).toBe(
      "PF_RANGE_ORDER",
    );
    expect(await codeOf(services.backtest({ start: "2023-01-01" }))).toBe("PF_NO_SESSIONS");
    expect(await codeOf(services.backtest({ start: "2021-01-04", end: "2021-01-04" }))).toBe(
      "PF_TOO_FEW_SESSIONS",
    );
    expect(await codeOf(services.backtest({ end: "2040-01-01" }))).toBe("PF_CALENDAR_RANGE");
    expect(await codeOf(servicesIn("refuse", { overrides: ["selection.top_n=0"] }).backtest())).toBe(
      "PF_CONFIG",
    );
    expect(existsSync(join(home, "refuse", "reports"))).toBe(false);
  });

  it("calls prices that no commission a share fits to what they are, and not a fault of its own", async () => {
    const csv = join(home, "dust-csv");
    mkdirSync(csv, { recursive: true });
    cpSync(join(home, "market", "data"), join(home, "dust", "data"), { recursive: true });
    const days = (await servicesIn("dust").backtest({ plots: false })).result.sessions.slice(0, 400);
    const bars = days.map((day, at) => {
      const price = 1e-7 * (1 + 0.2 * Math.sin(at));
      return `${day},${price},${price},${price},${price},10`;
    });
    writeFileSync(join(csv, "DUST.csv"), `date,open,high,low,close,volume\n${bars.join("\n")}\n`);
    const short = ["features.atr_window=1", "features.ema_fast=1", "features.ema_slow=2"];
    const windows = [...short, "selection.corr_window=2", "weights.vol_window=2"];
    const overrides = ["universe=[DUST]", ...windows];
    const services = servicesIn("dust-alone", { overrides });
    await services.fetch({ source: "csv", csvDir: csv });
    expect(await codeOf(services.backtest())).toBe("PF_EQUITY_OVERFLOW");
    expect(existsSync(join(home, "dust-alone", "reports"))).toBe(false);
    const free = servicesIn("dust-alone", { overrides: [...overrides, "costs.commission_per_share=0"] });
    const { document } = await free.backtest({ plots: false });
    expect(document.metrics.FinalEquity).toBeGreaterThan(0);
    expect(document).not.toHaveProperty("account");
    expect(document.manifest.warnings.join("\n")).toContain("too many to count exactly");
  });

  it("stops when it is asked to, before anything is written", async () => {
    const controller = new AbortController();
    controller.abort();
    const services = servicesIn(marketIn("stopped"), { context: { signal: controller.signal } });
    expect(await codeOf(services.backtest())).toBe("PF_INTERRUPTED");
    expect(existsSync(join(home, "stopped", "reports"))).toBe(false);
  });
});

describe("targetWeights", () => {
  it.each([
    ["keep, band 0.05, lag 1", []],
    [
      "rank, band 0, lag 2",
      ["selection.incumbents=rank", "rebalance.min_weight_change=0", "rebalance.decision_bar=last_complete"],
    ],
  ])("carries the backtest's decision of every session (%s)", async (_, overrides) => {
    const services = servicesIn(marketIn("parity"), { overrides });
    const { result } = await services.backtest({ plots: false });
    const rows = [
      0,
      1,
      89,
      90,
      91,
      ...Array.from({ length: 25 }, (_, at) => 100 + at * 21),
      result.sessions.length - 1,
    ];
    let invested = 0;
    for (const row of rows) {
      const outcome = await services.targetWeights({ asOf: result.sessions[row]! });
      expect(outcome.asOf).toBe(result.sessions[row]);
      expect(outcome.weights).toEqual(result.targets.at(row));
      expect(
        outcome.cash + Object.values(outcome.weights).reduce((sum, weight) => sum + weight, 0),
      ).toBeCloseTo(1, 12);
      invested += Object.keys(outcome.weights).length;
    }
    expect(invested).toBeGreaterThan(10);
  });

  it("decides on the latest cached session by default, and on the one before a day without", async () => {
    const services = servicesIn(marketIn("asof"));
    expect(await services.targetWeights()).toMatchObject({ asOf: "2022-07-01", sessionsBehind: 0 });
    const weekLater = { nowUtcMs: () => Date.parse("2022-07-08T22:00:00Z") };
    const later = servicesIn("asof", { context: { clock: weekLater } });
    expect((await later.targetWeights()).sessionsBehind).toBe(4);
    expect((await services.targetWeights({ asOf: "2022-06-26" })).asOf).toBe("2022-06-24");
    expect((await services.targetWeights({ asOf: "2022-07-04" })).asOf).toBe("2022-07-01");
  });

  it("explains every symbol of the universe with plain numbers", async () => {
    const outcome = await servicesIn(marketIn("plain")).targetWeights({ asOf: "2020-03-02" });
    expect(outcome.candidates.map(({ symbol }) => symbol)).toEqual(["SPY", "TLT", "GLD", "XLE", "BITO"]);
    expect(JSON.parse(JSON.stringify(outcome))).toEqual(outcome);
    expect(outcome).toMatchObject({ weights: {}, cash: 1 });
    for (const { reason, detail, score, values } of outcome.candidates) {
      expect(reason).not.toBe("selected");
      expect(detail.length).toBeGreaterThan(5);
      expect([score, values.macd].every((value) => value === null || Number.isFinite(value))).toBe(true);
    }
  });

  it("refuses a session that the cache does not hold", async () => {
    const services = servicesIn(marketIn("beyond"));
    expect(await codeOf(services.targetWeights({ asOf: "2022-07-05" }))).toBe("PF_NO_SESSIONS");
    expect(await codeOf(services.targetWeights({ asOf: "2015-06-01" }))).toBe("PF_NO_SESSIONS");
    expect(await codeOf(services.targetWeights({ asOf: "2022-13-01" }))).toBe("PF_INVALID_DATE");
    expect(await codeOf(services.targetWeights({ asOf: "2035-01-02" }))).toBe("PF_CALENDAR_RANGE");
  });
});

describe("configuration", () => {
  it("is shown with its origins, checked, and described", async () => {
    const services = servicesIn("config", { overrides: ["selection.top_n=3"] });
    const shown = await services.configShow();
    expect(shown.config.selection.top_n).toBe(3);
    expect(shown.settings.find(({ key }) => key === "selection.top_n")).toMatchObject({
      value: 3,
      origin: "--set selection.top_n=3",
    });
    expect(await services.configCheck()).toMatchObject({ ok: true });
    expect(await services.configSchema()).toHaveProperty("properties.selection");
    expect(await codeOf(servicesIn("config", { overrides: ["selection.topn=3"] }).configCheck())).toBe(
      "PF_CONFIG",
    );
  });
});
