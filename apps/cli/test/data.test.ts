import { copyFileSync, cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { documentOf, filesIn, pf, smallMarket, temporaryFolder } from "./process.js";

const header = "date,open,high,low,close,volume";
const bar = (date: string, prices = "10,11,9,10.5,1000") => `${date},${prices}`;

describe("bad csv files exit 3, and nothing is cached", () => {
  const files: readonly (readonly [string, string, string])[] = [
    ["wrong columns", "day,price\n2024-01-02,10\n", "date"],
    ["text in numbers", `${header}\n${bar("2024-01-02", "ten,11,9,10,1")}\n`, "number"],
    ["unsorted dates", `${header}\n${bar("2024-01-03")}\n${bar("2024-01-02")}\n`, "ascend"],
    ["a date twice", `${header}\n${bar("2024-01-02")}\n${bar("2024-01-02")}\n`, "twice"],
    ["a negative price", `${header}\n${bar("2024-01-02", "-10,11,9,10,1")}\n`, "positive"],
    ["a high below the low", `${header}\n${bar("2024-01-02", "10,9,11,10,1")}\n`, "below the low"],
    ["an empty file", "", "empty"],
    ["a header alone", `${header}\n`, "no bar"],
    ["a day that is no session", `${header}\n${bar("2024-01-01")}\n`, "closed"],
    ["a date beyond the calendar", `${header}\n${bar("2050-01-03")}\n`, "calendar"],
    ["no date", `${header}\n${bar("02/01/2024")}\n`, "YYYY-MM-DD"],
  ];

  it.each(files)("%s", async (_, text, words) => {
    const home = temporaryFolder();
    mkdirSync(join(home, "csv"));
    writeFileSync(join(home, "csv", "SPY.csv"), text);
    const asked = ["fetch", "--csv-dir", "csv", "--symbols", "SPY"];
    const plain = await pf(asked, { cwd: home });
    expect(plain.code).toBe(3);
    expect(plain.stderr).toContain("What to do: ");
    const finished = await pf([...asked, "--json"], { cwd: home });
    expect(finished.code).toBe(3);
    const { error, symbols } = documentOf(finished);
    expect(error.code).toBe("PF_CSV_FILE");
    expect(error.message).toContain(words);
    expect(error.message).toContain("SPY.csv");
    expect(symbols).toMatchObject([{ symbol: "SPY", status: "failed", rows: 0, hash: null }]);
    expect(Object.keys(filesIn(join(home, "data")))).toEqual([]);
  });

  it("a folder that is not there, or is a file", async () => {
    const home = temporaryFolder();
    writeFileSync(join(home, "file"), "");
    for (const folder of ["nowhere", "file"]) {
      const finished = await pf(["fetch", "--csv-dir", folder, "--json"], { cwd: home });
      expect(finished.code).toBe(3);
      expect(documentOf(finished).error).toMatchObject({ code: "PF_SOURCE_UNAVAILABLE" });
    }
    expect(Object.keys(filesIn(home))).toEqual(["file"]);
  });

  it("a symbol without a file costs no other symbol", async () => {
    const home = temporaryFolder();
    mkdirSync(join(home, "csv"));
    writeFileSync(join(home, "csv", "SPY.csv"), `${header}\n${bar("2024-01-02")}\n${bar("2024-01-03")}\n`);
    const finished = await pf(["fetch", "--csv-dir", "csv", "--symbols", "SPY,TLT", "--json"], { cwd: home });
    const { error, symbols } = documentOf(finished);
    expect(finished.code).toBe(3);
    expect(error.code).toBe("PF_FETCH_INCOMPLETE");
    expect(symbols).toMatchObject([
      { symbol: "SPY", status: "ok", added: 2, first: "2024-01-02", last: "2024-01-03" },
      { symbol: "TLT", status: "failed", error: { code: "PF_NO_BARS" } },
    ]);
    expect(Object.keys(filesIn(join(home, "data")))).toEqual(["parquet/SPY.parquet"]);
    // The backtest says which symbol is missing rather than leaving it out.
    const backtest = await pf(["backtest", "--set", "universe=[SPY, TLT]", "--json"], { cwd: home });
    expect(backtest.code).toBe(3);
    expect(documentOf(backtest).error).toMatchObject({
      code: "PF_MISSING_BARS",
      details: { symbols: ["TLT"] },
    });
  });

  it("one bar is too few for a backtest", async () => {
    const home = temporaryFolder();
    mkdirSync(join(home, "csv"));
    writeFileSync(join(home, "csv", "SPY.csv"), `${header}\n${bar("2024-01-02")}\n`);
    expect((await pf(["fetch", "--csv-dir", "csv", "--symbols", "SPY"], { cwd: home })).code).toBe(0);
    const finished = await pf(["backtest", "--set", "universe=[SPY]", "--json"], { cwd: home });
    expect(finished.code).toBe(3);
    expect(documentOf(finished).error).toMatchObject({
      code: "PF_TOO_FEW_SESSIONS",
      details: { sessions: 1 },
    });
    expect(Object.keys(filesIn(join(home, "reports")))).toEqual([]);
  });
});

describe("a cache that cannot be used exits 3 and is left as it is", () => {
  let market: string;
  beforeAll(async () => {
    market = temporaryFolder();
    expect((await pf(["fetch", ...smallMarket], { cwd: market })).code).toBe(0);
  });
  const spoilt = async (spoil: (file: string) => void) => {
    const home = temporaryFolder();
    cpSync(join(market, "data"), join(home, "data"), { recursive: true });
    spoil(join(home, "data", "parquet", "SPY.parquet"));
    return home;
  };

  it.each<[string, (file: string) => void]>([
    ["truncated", (file) => writeFileSync(file, readFileSync(file).subarray(0, 900))],
    ["empty", (file) => writeFileSync(file, "")],
    ["no Parquet at all", (file) => writeFileSync(file, "date,open,high,low,close,volume\n".repeat(50))],
    ["of another symbol", (file) => copyFileSync(file.replace("SPY", "TLT"), file)],
    ["damaged in the middle", (file) => writeFileSync(file, readFileSync(file).fill(0xaa, 200, 260))],
  ])("a Parquet file that is %s", async (_, spoil) => {
    const home = await spoilt(spoil);
    const before = filesIn(home);
    for (const command of ["backtest", "weights", "fetch"]) {
      const finished = await pf([command, ...smallMarket, "--json"], { cwd: home });
      expect(finished.code).toBe(3);
      const { error } = documentOf(finished);
      expect(["PF_CACHE_FILE", "PF_FETCH_INCOMPLETE"]).toContain(error.code);
      expect(JSON.stringify(error)).toContain("SPY.parquet");
    }
    expect(filesIn(home)).toEqual(before);
    // And the way out that the error names works.
    const mended = await pf(["fetch", ...smallMarket, "--symbols", "SPY", "--replace"], { cwd: home });
    expect([mended.code, mended.stderr.includes("Error")]).toEqual([0, false]);
    expect((await pf(["weights", ...smallMarket], { cwd: home })).code).toBe(0);
  });

  it("no session in the range, and no cached session to decide on", async () => {
    for (const words of [
      ["backtest", "--start", "2020-01-01"],
      ["weights", "--asof", "2020-01-02"],
    ]) {
      const finished = await pf([...words, ...smallMarket, "--json"], { cwd: market });
      expect(finished.code).toBe(3);
      expect(documentOf(finished).error).toMatchObject({ code: "PF_NO_SESSIONS" });
    }
  });

  it("no cache yet: the first run says what to run", async () => {
    const { code, stderr } = await pf(["backtest"]);
    expect(code).toBe(3);
    expect(stderr).toContain("pf fetch --source csv --csv-dir DIR");
    expect(stderr).toContain("pf fetch --source synthetic");
  });
});
