import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { calendar, csvOf, day, sound, temporaryFolder } from "../test/world.js";
import { csvSource } from "./csv.js";
import { CsvFileError, SourceUnavailableError } from "./errors.js";

const header = "date,open,high,low,close,volume";
const good = [
  "2024-01-02,10,11,9,10.5,1000",
  "2024-01-03,10.5,12,10,11,2000",
  "2024-01-04,11,11.5,10.5,11.25,3000",
];
const [from, to] = [day("2024-01-01"), day("2024-12-31")];

async function read(text: string, ticker = "SPY") {
  const folder = temporaryFolder();
  writeFileSync(join(folder, `${ticker}.csv`), text);
  return csvSource(folder, calendar).fetch(ticker, from, to);
}

async function problemsOf(...lines: readonly string[]) {
  const error = await read(lines.join("\n")).catch((caught) => caught);
  expect(error).toBeInstanceOf(CsvFileError);
  expect(error.code).toBe("PF_CSV_FILE");
  expect(error.file).toMatch(/SPY\.csv$/);
  return error as CsvFileError;
}

describe("the csv source", () => {
  it("reads dates and numbers as they stand", async () => {
    const { adjusted, trades } = await read([header, ...good, ""].join("\n"));
    expect(adjusted).toEqual({
      ticker: "SPY",
      sessions: ["2024-01-02", "2024-01-03", "2024-01-04"],
      open: Float64Array.of(10, 10.5, 11),
      high: Float64Array.of(11, 12, 11.5),
      low: Float64Array.of(9, 10, 10.5),
      close: Float64Array.of(10.5, 11, 11.25),
      volume: Float64Array.of(1000, 2000, 3000),
    });
    expect(trades).toBeUndefined();
  });

  it("takes columns in any order and case, more of them, a byte order mark, CRLF and quotes", async () => {
    const text =
      '\uFEFFVolume, Close ,"LOW",High,Open,Date,Dividends\r\n1e3,10.5,9.,11,+10,"2024-01-02",x\r\n';
    const { adjusted } = await read(text);
    expect(adjusted).toMatchObject({
      sessions: ["2024-01-02"],
      open: Float64Array.of(10),
      volume: Float64Array.of(1000),
    });
    expect(adjusted.low).toEqual(Float64Array.of(9));
  });

  it("gives the bars of the span only", async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, "SPY.csv"), [header, ...good].join("\n"));
    const source = csvSource(folder, calendar);
    const between = async (start: string, end: string) =>
      (await source.fetch("SPY", day(start), day(end))).adjusted.sessions;
    expect(await between("2024-01-03", "2024-01-03")).toEqual(["2024-01-03"]);
    expect(await between("2024-01-03", "2030-01-03")).toEqual(["2024-01-03", "2024-01-04"]);
    expect(await between("2025-01-03", "2026-01-03")).toEqual([]);
  });

  it("reads prices as traded from a file beside, and notices when it has other sessions", async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, "SPY.csv"), [header, ...good].join("\n"));
    writeFileSync(join(folder, "SPY.trades.csv"), [header, ...good.slice(1)].join("\n"));
    const fetched = await csvSource(folder, calendar).fetch("SPY", from, to);
    expect(fetched.trades?.sessions).toEqual(["2024-01-03", "2024-01-04"]);
    expect(fetched.notes).toEqual([
      {
        session: "2024-01-02",
        text: expect.stringMatching(/only one of .*SPY\.csv and .*SPY\.trades\.csv has/),
      },
    ]);
  });

  it("says how many bars lie before the span, and nothing of those after it", async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, "SPY.csv"), [header, ...good].join("\n"));
    writeFileSync(join(folder, "OLD.csv"), csvOf(sound("OLD", "2010-01-04", 1234)));
    const source = csvSource(folder, calendar);
    const notes = async (ticker: string, start: string, end = "2024-12-31") =>
      (await source.fetch(ticker, day(start), day(end))).notes;
    expect(await notes("SPY", "2024-01-02", "2024-01-02")).toEqual([]);
    expect(await notes("SPY", "2024-01-03")).toEqual([{ text: "1 bar before 2024-01-03 was not asked for" }]);
    expect(await notes("OLD", "2015-01-01")).toEqual([
      { text: "1,234 bars before 2015-01-01 were not asked for" },
    ]);
  });
});

describe("a bad CSV file is refused with line, column, text and rule:", () => {
  it.each<[string, string[], { line: number; column?: string; text: string; rule: RegExp }]>([
    [
      "text in a number",
      [good[0]!, "2024-01-03,abc,12,10,11,2000"],
      { line: 3, column: "open", text: "abc", rule: /number/ },
    ],
    [
      "a number with a comma in it",
      ['2024-01-02,10,11,9,10,"1,000"'],
      { line: 2, column: "volume", text: "1,000", rule: /number/ },
    ],
    [
      "a missing number",
      ["2024-01-02,10,11,9,,1000"],
      { line: 2, column: "close", text: "", rule: /number/ },
    ],
    ["NaN", ["2024-01-02,10,11,9,NaN,1000"], { line: 2, column: "close", text: "NaN", rule: /number/ }],
    [
      "a number beyond all numbers",
      ["2024-01-02,10,1e999,9,10,1"],
      { line: 2, column: "high", text: "1e999", rule: /number/ },
    ],
    [
      "a hexadecimal number",
      ["2024-01-02,10,0x10,9,10,1"],
      { line: 2, column: "high", text: "0x10", rule: /number/ },
    ],
    [
      "a negative price",
      ["2024-01-02,10,11,-9,10,1000"],
      { line: 2, column: "low", text: "-9", rule: /positive/ },
    ],
    [
      "a price of zero",
      ["2024-01-02,10,11,0,10,1000"],
      { line: 2, column: "low", text: "0", rule: /positive/ },
    ],
    [
      "a negative volume",
      ["2024-01-02,10,11,9,10,-1"],
      { line: 2, column: "volume", text: "-1", rule: /negative/ },
    ],
    [
      "a high below the low",
      ["2024-01-02,10,8,9,10,1"],
      { line: 2, column: "high", text: "8", rule: /below the low, 9/ },
    ],
    [
      "a high below the close",
      ["2024-01-02,10,11,9,12,1"],
      { line: 2, column: "high", text: "11", rule: /close 12/ },
    ],
    [
      "a low above the open",
      ["2024-01-02,10,11,10.5,11,1"],
      { line: 2, column: "low", text: "10.5", rule: /open 10/ },
    ],
    [
      "a date of another form",
      ["01/02/2024,10,11,9,10,1"],
      { line: 2, column: "date", text: "01/02/2024", rule: /YYYY-MM-DD/ },
    ],
    [
      "a date that does not exist",
      ["2024-02-30,10,11,9,10,1"],
      { line: 2, column: "date", text: "2024-02-30", rule: /YYYY-MM-DD/ },
    ],
    [
      "unsorted dates",
      [good[1]!, good[0]!],
      { line: 3, column: "date", text: "2024-01-02", rule: /2024-01-03 stands above/ },
    ],
    ["a date twice", [good[0]!, good[0]!], { line: 3, column: "date", text: "2024-01-02", rule: /twice/ }],
    [
      "a holiday",
      ["2024-12-25,10,11,9,10,1"],
      { line: 2, column: "date", text: "2024-12-25", rule: /closed that day \(Christmas/ },
    ],
    [
      "a date beyond the calendar",
      ["2199-01-02,10,11,9,10,1"],
      { line: 2, column: "date", text: "2199-01-02", rule: /knows/ },
    ],
    [
      "a line with a cell too few",
      ["2024-01-02,10,11,9,10"],
      { line: 2, text: "2024-01-02,10,11,9,10", rule: /6 columns, this line 5/ },
    ],
    [
      "a line with a cell too many",
      [`${good[0]},7`],
      { line: 2, text: `${good[0]},7`, rule: /6 columns, this line 7/ },
    ],
    [
      "lines counted with blank ones",
      [good[0]!, "", "", "2024-01-03,x,12,10,11,2000"],
      { line: 5, column: "open", text: "x", rule: /number/ },
    ],
  ])("%s", async (_, lines, problem) => {
    const error = await problemsOf(header, ...lines);
    expect(error.problems).toEqual([{ ...problem, rule: expect.stringMatching(problem.rule) }]);
    expect(error.count).toBe(1);
    expect(error.message).toContain(`line ${problem.line}`);
  });

  it("wrong columns, each missing one by name", async () => {
    const error = await problemsOf("date,open,high,low,adj close", "2024-01-02,1,2,0.5,1");
    expect(error.problems.map(({ line, column }) => [line, column])).toEqual([
      [1, "close"],
      [1, "volume"],
    ]);
    expect((await problemsOf(`${header},Close`, `${good[0]},1`)).problems[0]!.rule).toMatch(/twice/);
  });

  it("no header at all", async () => {
    expect((await problemsOf(...good)).count).toBe(6);
  });

  it("an empty file, and one with nothing but a header", async () => {
    expect((await problemsOf("")).problems[0]).toMatchObject({
      line: 1,
      rule: expect.stringContaining("empty"),
    });
    expect((await problemsOf(header)).problems[0]!.rule).toMatch(/no bar/);
  });

  it("something that is no CSV, with the line on which it ceases to be", async () => {
    const error = await problemsOf(header, good[0]!, '2024-01-03,"10,11,9,10,1', good[2]!);
    expect(error.problems[0]!.rule).toMatch(/not CSV/);
    expect(error.problems[0]!.line).toBeGreaterThanOrEqual(3);
    expect(error.cause).toBeInstanceOf(Error);
  });

  it("all problems at once, the first twenty of them shown and the others counted", async () => {
    const bad = Array.from({ length: 30 }, (_, at) => `x${at},-1,8,9,abc,1`);
    const error = await problemsOf(header, ...bad);
    expect(error.count).toBe(30 * 4);
    expect(error.problems).toHaveLength(20);
    expect(error.problems.slice(0, 4).map(({ column }) => column)).toEqual(["date", "open", "close", "high"]);
    expect(error.message).toContain("and 100 more");
  });
});

describe("a csv folder", () => {
  it("that does not exist, or is a file, makes the whole source unusable", async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, "file"), "");
    for (const [name, why] of [
      ["nowhere", /does not exist/],
      ["file", /is a file, not a folder/],
    ] as const) {
      const error = await csvSource(join(folder, name), calendar)
        .fetch("SPY", from, to)
        .catch((caught) => caught);
      expect(error).toBeInstanceOf(SourceUnavailableError);
      expect(error).toMatchObject({
        code: "PF_SOURCE_UNAVAILABLE",
        wholeSource: true,
        where: join(folder, name),
      });
      expect(error.why).toMatch(why);
    }
  });

  it("without the symbol says what it expected and what it found", async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, "QQQ.csv"), header);
    const error = await csvSource(folder, calendar)
      .fetch("SPY", from, to)
      .catch((caught) => caught);
    expect(error).toMatchObject({ code: "PF_NO_BARS", symbol: "SPY" });
    expect(error.next).toContain("SPY.csv");
    expect(error.next).toContain("QQQ.csv");
  });

  it("with a folder in place of a file says that it cannot be read", async () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, "SPY.csv"));
    await expect(csvSource(folder, calendar).fetch("SPY", from, to)).rejects.toThrow(/EISDIR/);
  });

  it("is never left through a symbol", async () => {
    await expect(csvSource(temporaryFolder(), calendar).fetch("../SPY", from, to)).rejects.toMatchObject({
      code: "PF_INVALID_SYMBOL",
    });
  });
});

const real = fileURLToPath(new URL("../../../../shared/data/etf-daily", import.meta.url));

describe(`eleven years of real bars${existsSync(real) ? "" : " (not run: ../shared is not there)"}`, () => {
  it.runIf(existsSync(real))("are read without a complaint", async () => {
    const source = csvSource(real, calendar);
    const tickers = readdirSync(real).flatMap((name) => /^(\w+)\.csv$/.exec(name)?.[1] ?? []);
    expect(tickers).toHaveLength(9);
    for (const ticker of tickers) {
      const { adjusted } = await source.fetch(ticker, day("2015-01-01"), day("2026-12-31"));
      expect(adjusted.sessions).toHaveLength(ticker === "BITO" ? 1137 : 2849);
      expect(adjusted.sessions.at(-1)).toBe("2026-05-01");
    }
  });
});
