import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { columnsOfCsv } from "@pf/report/frame";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createServices, describeFailure, type FrameDocument, type FrameRequest } from "../src/index.js";

const home = mkdtempSync(join(tmpdir(), "pf-frame-"));
afterAll(() => rmSync(home, { recursive: true, force: true }));
const out = join(home, "reports");

const services = createServices({
  configuration: {
    overrides: [
      "universe=[SPY, TLT, GLD, BITO]",
      "data.source=synthetic",
      "ibkr.start=2019-06-03",
      "walkforward.train_years=1",
      "walkforward.reoptimize={ema_fast: [10, 20], ema_slow: [40], top_n: [1], corr_cap: [0.7]}",
    ],
  },
  folders: { data: join(home, "data"), out, state: join(home, "state") },
  version: "1.2.3",
  workerEntry: new URL("../dist/research-worker.js", import.meta.url),
  clock: { nowUtcMs: () => Date.parse("2022-07-01T22:00:00Z") },
});
const frame = (what: string, request: Omit<FrameRequest, "what"> = {}) =>
  services.frame({ what, ...request });

beforeAll(async () => {
  await services.fetch();
  await services.backtest({ plots: false });
  await services.walkforward({ plots: false });
  await services.permute({ runs: 6, windows: 2, plots: false });
});

/** A column of a file, read without the code that is tested. */
function numbersIn(file: string, name: string): { readonly date: string; readonly value: number }[] {
  const [header, ...lines] = readFileSync(join(out, file), "utf8").trimEnd().split("\n");
  const at = header!.split(",").indexOf(name);
  return lines.map((line) => ({ date: line.split(",")[0]!, value: Number(line.split(",")[at]) }));
}
const column = (document: FrameDocument, name: string) => document.rows.map((row) => row[name]);
const sum = (values: readonly number[]) => values.reduce((total, one) => total + one, 0);
const close = (actual: unknown, expected: number) =>
  expect(Math.abs((actual as number) - expected)).toBeLessThanOrEqual(
    1e-12 * Math.max(1, Math.abs(expected)),
  );

describe("a file of results as a table", () => {
  it("is found by its name with or without its ending below the output folder, and by a path", async () => {
    const rows = numbersIn("returns.csv", "net");
    const named = await frame("returns.csv");
    expect(named).toMatchObject({
      source: join(out, "returns.csv"),
      table: "rows",
      view: "rows",
      total: rows.length,
    });
    expect(named.columns).toEqual(["date", "net", "gross", "turnover", "commission", "slippage", "equity"]);
    expect(column(named, "net")).toEqual(rows.map(({ value }) => value));
    expect((await frame("returns")).rows).toEqual(named.rows);
    expect((await frame(join(out, "returns.csv"))).rows).toEqual(named.rows);
  });

  it("is cut by dates, by columns in their order, sorted with missing values last, and by rows", async () => {
    const seen = await frame("returns", {
      start: "2021-03-01",
      end: "2021-03-31",
      columns: ["net", "date"],
      sort: "net",
      descending: true,
      head: 3,
    });
    const march = numbersIn("returns.csv", "net").filter(({ date }) => date.startsWith("2021-03"));
    const best = [...march].sort((a, b) => b.value - a.value).slice(0, 3);
    expect(seen).toMatchObject({ columns: ["net", "date"], total: march.length });
    expect(seen.rows).toEqual(best.map(({ date, value }) => ({ net: value, date })));
    writeFileSync(join(out, "holes.csv"), "symbol,x\nb,2\na,\nd,-1\nc,\n");
    const holes = async (sort: string, descending: boolean) =>
      column(await frame("holes", { sort, descending }), "symbol");
    expect(await holes("x", false)).toEqual(["d", "b", "a", "c"]);
    expect(await holes("x", true)).toEqual(["b", "d", "a", "c"]);
    expect(await holes("symbol", true)).toEqual(["d", "c", "b", "a"]);
    expect(column(await frame("holes"), "x")).toEqual([2, null, -1, null]);
  });

  it("is described", async () => {
    const { view, rows } = await frame("returns", { describe: true, columns: ["net"] });
    const values = numbersIn("returns.csv", "net").map(({ value }) => value);
    const mean = sum(values) / values.length;
    expect(view).toBe("description");
    expect(rows).toHaveLength(1);
    expect(rows[0]).toMatchObject({
      column: "net",
      count: values.length,
      missing: 0,
      min: Math.min(...values),
    });
    close(rows[0]!.mean, mean);
    close(rows[0]!.std, Math.sqrt(sum(values.map((one) => (one - mean) ** 2)) / (values.length - 1)));
  });

  it("in months and years says what the money did: returns compound, costs add up, equity ends", async () => {
    const years = await frame("returns", { groupBy: ["year"] });
    expect(years.columns).toEqual(
      ["year", "rows", "net_compound", "gross_compound", "turnover_sum"].concat([
        ...["commission_sum", "slippage_sum", "equity_last"],
      ]),
    );
    const equity = numbersIn("returns.csv", "equity");
    let before = 1;
    for (const row of years.rows) {
      const own = equity.filter(({ date }) => date.startsWith(String(row.year)));
      close(row.net_compound, own.at(-1)!.value / before - 1);
      expect([row.rows, row.equity_last]).toEqual([own.length, own.at(-1)!.value]);
      before = own.at(-1)!.value;
    }
    expect(column(years, "year")).toEqual(["2019", "2020", "2021", "2022"]);
    const months = await frame("returns", {
      groupBy: ["month"],
      aggregates: ["sum", "count"],
      columns: ["turnover"],
    });
    expect(months.columns).toEqual(["month", "rows", "turnover_sum", "turnover_count"]);
    close(
      sum(column(months, "turnover_sum") as number[]),
      sum(numbersIn("returns.csv", "turnover").map(({ value }) => value)),
    );
  });

  it("of targets says that only what is held is listed", async () => {
    const seen = await frame("weights", { groupBy: ["symbol"], aggregates: ["mean", "max"] });
    expect(seen.columns).toEqual(["symbol", "rows", "weight_mean", "weight_max"]);
    expect(seen.notes).toEqual([expect.stringContaining("only weights that are not 0 are listed")]);
    expect((await frame("weights")).notes).toEqual([]);
    expect((await frame("returns", { groupBy: ["year"] })).notes).toEqual([]);
  });

  it("of a walk-forward has folds and grid, and groups its returns by fold", async () => {
    const { folds, grid } = JSON.parse(readFileSync(join(out, "walkforward.json"), "utf8"));
    const seen = await frame("walkforward");
    expect(seen).toMatchObject({ table: "folds", tables: ["folds", "grid"], total: folds.length });
    expect(column(seen, "objective")).toEqual(folds.map((fold: { objective: number }) => fold.objective));
    expect(column(seen, "oos_Sharpe")).toEqual(
      folds.map((fold: { oos: { Sharpe: number } }) => fold.oos.Sharpe),
    );
    const points = await frame("walkforward", {
      table: "grid",
      groupBy: ["fold"],
      aggregates: ["max"],
      columns: ["objective"],
    });
    expect(points.rows[0]!.rows).toBe(grid.points.length);
    expect(column(points, "objective_max")).toEqual(
      folds.map(({ objectives }: { objectives: number[] }) => Math.max(...objectives)),
    );
    const byFold = await frame("walkforward-returns", { groupBy: ["fold"], columns: ["net"] });
    const net = numbersIn("walkforward-returns.csv", "net");
    expect(byFold.rows).toHaveLength(folds.length);
    byFold.rows.forEach((row, at) => {
      const own = net.filter(({ date }) => folds[at].oosStart <= date && date <= folds[at].oosEnd);
      expect([row.fold, row.rows]).toEqual([at, own.length]);
      close(row.net_compound, own.reduce((growth, { value }) => growth * (1 + value), 1) - 1);
    });
  });

  it("of a backtest's metrics has a row a run, of a permutation test windows and runs", async () => {
    const metrics = JSON.parse(readFileSync(join(out, "metrics.json"), "utf8"));
    const seen = await frame("metrics.json", { columns: ["run", "CAGR"] });
    expect(seen.rows).toEqual([
      { run: "portfolio", CAGR: metrics.metrics.CAGR },
      ...Object.entries<{ CAGR: number }>(metrics.benchmarks).map(([run, { CAGR }]) => ({ run, CAGR })),
      ...(metrics.literal ? [{ run: "literal", CAGR: metrics.literal.CAGR }] : []),
    ]);
    const { windows } = JSON.parse(readFileSync(join(out, "permutation.json"), "utf8"));
    expect(column(await frame("permutation"), "pPlusOne")).toEqual(
      windows.map((one: { pPlusOne: number }) => one.pPlusOne),
    );
    const runs = await frame("permutation", { table: "runs" });
    expect(column(runs, "score")).toEqual(windows.flatMap((one: { permuted: number[] }) => one.permuted));
  });
});

describe("cached bars as a table", () => {
  it("have a row for every bar there is, with the return from the bar before", async () => {
    const bars = await frame("bars", {
      symbols: ["BITO", "SPY"],
      columns: ["date", "symbol", "close", "return"],
    });
    const bito = bars.rows.filter(({ symbol }) => symbol === "BITO");
    const spy = bars.rows.filter(({ symbol }) => symbol === "SPY");
    // BITO starts years after SPY; days before are no rows of nothing.
    expect(bito.length).toBeGreaterThan(10);
    expect(bito.length).toBeLessThan(spy.length);
    for (const own of [bito, spy]) {
      expect(own[0]!.return).toBeNull();
      for (const [at, row] of own.slice(1).entries())
        close(row.return, (row.close as number) / (own[at]!.close as number) - 1);
    }
    const year = await frame("bars", {
      symbols: ["SPY"],
      start: "2021-01-01",
      end: "2021-12-31",
      groupBy: ["year"],
    });
    const last = (before: string) => spy.filter(({ date }) => String(date) < before).at(-1)!.close as number;
    // The first return of a range is from the bar before it.
    close(year.rows[0]!.return_compound, last("2022-01-01") / last("2021-01-01") - 1);
    expect((await frame("bars", { head: 1 })).total).toBeGreaterThan(3 * spy.length - 600);
  });
});

describe("an export", () => {
  it("to CSV and JSON is what is shown, and reads back as it", async () => {
    const shown = await frame("returns", { groupBy: ["month"], exportTo: join(home, "new", "months.csv") });
    const read = columnsOfCsv(readFileSync(join(home, "new", "months.csv"), "utf8"));
    expect(read.map(({ name }) => name)).toEqual(shown.columns);
    const compound = read.find(({ name }) => name === "net_compound")!;
    expect("numbers" in compound && Array.from(compound.numbers)).toEqual(column(shown, "net_compound"));
    const file = join(home, "months.json");
    const again = await frame(join(home, "new", "months.csv"), { exportTo: file });
    expect(JSON.parse(readFileSync(file, "utf8"))).toEqual(shown.rows);
    expect((await frame(file)).rows).toEqual(shown.rows);
    expect(again.file).toBe(file);
  });

  it("never takes the place of a report, nor of what is read", async () => {
    const before = readFileSync(join(out, "weights.csv"), "utf8");
    const refused = async (what: string, exportTo: string) =>
      frame(what, { exportTo }).then(
        () => "written",
        ({ code, message }) => `${code} ${message}`,
      );
    expect(await refused("returns", join(out, "weights.csv"))).toBe(
      "PF_USAGE weights.csv is the name of a report",
    );
    const copy = join(home, "copy.csv");
    cpSync(join(out, "weights.csv"), copy);
    expect(await refused(copy, copy)).toContain("is what is being read");
    expect([readFileSync(copy, "utf8"), readFileSync(join(out, "weights.csv"), "utf8")]).toEqual([
      before,
      before,
    ]);
    expect(await refused("returns", join(copy, "below.csv"))).toMatch(/^PF_CANNOT_WRITE cannot write/);
  });
});

describe("what cannot be shown", () => {
  const bad = (name: string, text: string) => {
    mkdirSync(join(home, "bad"), { recursive: true });
    writeFileSync(join(home, "bad", name), text);
    return join(home, "bad", name);
  };
  it.each<readonly [string, () => Promise<unknown>, number, string, string]>([
    [
      "a file that is not there",
      () => frame("retruns.csv"),
      3,
      "PF_RESULT_FILE",
      "did you mean returns.csv?",
    ],
    ["a file of another kind", () => frame("equity.png"), 2, "PF_USAGE", "name a .csv or a .json, or `bars`"],
    [
      "a column that is not there",
      () => frame("returns", { columns: ["ney"] }),
      2,
      "PF_UNKNOWN_COLUMN",
      "did you mean net?",
    ],
    [
      "a group that is not there",
      () => frame("returns", { groupBy: ["moth"] }),
      2,
      "PF_UNKNOWN_COLUMN",
      "did you mean month?",
    ],
    [
      "an order by what is not there",
      () => frame("returns", { sort: "grss" }),
      2,
      "PF_UNKNOWN_COLUMN",
      "did you mean gross?",
    ],
    [
      "a statistic that is none",
      () => frame("returns", { groupBy: ["year"], aggregates: ["avg"] }),
      2,
      "PF_USAGE",
      "choose among count, sum, mean",
    ],
    [
      "months without dates",
      () => frame("metrics", { groupBy: ["month"] }),
      2,
      "PF_UNKNOWN_COLUMN",
      "choose one of these",
    ],
    [
      "folds of what has none",
      () => frame("returns", { groupBy: ["fold"] }),
      2,
      "PF_USAGE",
      "walkforward.json beside them",
    ],
    [
      "a table that is not there",
      () => frame("walkforward", { table: "gird" }),
      2,
      "PF_USAGE",
      "choose one of folds, grid",
    ],
    [
      "statistics of texts",
      () => frame("weights", { groupBy: ["date"], columns: ["symbol"] }),
      2,
      "PF_USAGE",
      "choose other --columns",
    ],
    [
      "two views at once",
      () => frame("returns", { groupBy: ["year"], describe: true }),
      2,
      "PF_USAGE",
      "leave one of them out",
    ],
    [
      "dates without rows",
      () => frame("returns", { start: "2023-01-03" }),
      3,
      "PF_RESULT_FILE",
      "choose dates between 2019-06-03 and",
    ],
    [
      "a range of what has no dates",
      () => frame("metrics", { start: "2021-01-04" }),
      2,
      "PF_USAGE",
      "leave --start and --end out",
    ],
    [
      "an export of another kind",
      () => frame("returns", { exportTo: "x.parquet" }),
      2,
      "PF_USAGE",
      "--export months.csv",
    ],
    [
      "bars that are not cached",
      () => frame("bars", { symbols: ["SPY", "QQQ"] }),
      3,
      "PF_MISSING_BARS",
      "pf fetch",
    ],
    [
      "symbols of a file",
      () => frame("returns", { symbols: ["SPY"] }),
      2,
      "PF_USAGE",
      "pf frame bars SPY,TLT",
    ],
    ["a line cut short", () => frame(bad("a.csv", "a,b\n1,2\n3")), 3, "PF_RESULT_FILE", "correct the file"],
    ["no JSON", () => frame(bad("a.json", "{")), 3, "PF_RESULT_FILE", "make it anew"],
    ["JSON without a table", () => frame(bad("b.json", '{"a": 1}')), 3, "PF_RESULT_FILE", "make it anew"],
    [
      "half a report",
      () => frame(bad("c.json", '{"folds": [{}], "grid": {}}')),
      3,
      "PF_RESULT_FILE",
      "make it anew",
    ],
    [
      "nothing to describe",
      () => frame(bad("e.csv", "a,b\n"), { describe: true }),
      3,
      "PF_RESULT_FILE",
      "nothing to describe",
    ],
    ["a folder", () => frame(join(home, "bad.csv")), 3, "PF_RESULT_FILE", "name a file in it"],
  ])("%s is said to be that", async (_, call, exit, code, next) => {
    mkdirSync(join(home, "bad.csv"), { recursive: true });
    const failure = await call().then(
      () => undefined,
      (error: unknown) => describeFailure(error),
    );
    expect(failure).toMatchObject({ exit, code, next: expect.stringContaining(next) });
  });

  it("says which command makes a report that is not there", async () => {
    const empty = createServices({
      configuration: {},
      folders: { data: join(home, "data"), out: join(home, "nothing"), state: join(home, "state") },
      version: "1.2.3",
    });
    for (const [what, command] of [
      ["returns", "pf backtest"],
      ["walkforward.json", "pf walkforward"],
      ["permutation", "pf permute"],
    ] as const)
      await expect(empty.frame({ what })).rejects.toMatchObject({
        next: expect.stringContaining(`\`${command}\``),
      });
    expect(existsSync(join(home, "nothing"))).toBe(false);
  });
});
