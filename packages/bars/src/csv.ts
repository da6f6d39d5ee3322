import { readdirSync, readFileSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import type { BarSeries, Field, SessionDate, Ticker, TradingCalendar } from "@pf/market";
import { isCivilDate } from "@pf/market";
import { closedMessage } from "./checks.js";
import { CsvFileError, type CsvProblem, errnoOf, NoBarsError, SourceUnavailableError } from "./errors.js";
import { type BarSource, barsBetween, type SourceNote } from "./source.js";
import { checkedTicker } from "./ticker.js";

/**
 * Bars from a folder with a file `SYMBOL.csv` for each symbol (adjusted prices) and, where there is one,
 * `SYMBOL.trades.csv` (prices as traded).
 *
 * A file has a header with at least the columns `date, open, high, low, close, volume` in any order and case; further
 * columns are ignored. Dates are sessions, `YYYY-MM-DD`, ascending; prices are positive decimal numbers in dollars,
 * volume is in shares. A file is read whole and with all its faults reported, whatever the span asked for.
 *
 * `fetch` rejects with `CsvFileError` (faults with line and column), `NoBarsError` (no such file),
 * `SourceUnavailableError` (no such folder) or `InvalidTickerError`.
 */
export function csvSource(folder: string, calendar: TradingCalendar): BarSource {
  return {
    name: sourceName,
    local: true,
    async fetch(ticker, from, to) {
      checkedTicker(ticker);
      assertFolder(folder);
      const file = join(folder, `${ticker}.csv`);
      const text = readText(file);
      if (text === undefined) {
        throw new NoBarsError(
          ticker,
          `${sourceName} source`,
          from,
          to,
          `expected them in ${file}; ${contents(folder)}`,
        );
      }
      const whole = await readBars(file, text, ticker, calendar);
      const adjusted = barsBetween(whole, from, to);
      const notes = [...earlierBars(whole, from)];
      const tradesFile = join(folder, `${ticker}.trades.csv`);
      const tradesText = readText(tradesFile);
      if (tradesText === undefined) return { adjusted, notes };
      const trades = barsBetween(await readBars(tradesFile, tradesText, ticker, calendar), from, to);
      const session = lastUnshared(adjusted.sessions, trades.sessions);
      if (session)
        notes.push({ session, text: `only one of ${file} and ${tradesFile} has a bar of that day` });
      return { adjusted, trades, notes };
    },
  };
}

const sourceName = "csv";
const fields = ["open", "high", "low", "close", "volume"] as const satisfies readonly Field[];
const columns = ["date", ...fields] as const;
/** More than these are counted, not shown: a file in a wrong format breaks a rule on every line. */
const shownProblems = 20;
const numberForm = /^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$/;

/**
 * Reads one file of bars.
 *
 * @throws CsvFileError listing what is wrong with it
 */
async function readBars(
  file: string,
  text: string,
  ticker: Ticker,
  calendar: TradingCalendar,
): Promise<BarSeries> {
  const problems = problemList();
  const { records: all, lineOf } = await parse(file, text);
  const [header, ...records] = all;
  if (!header) {
    problems.add({ line: 1, text: "", rule: `the file is empty; it should begin with ${columns.join(",")}` });
    throw problems.error(file);
  }
  const places = placesOf(header, lineOf, problems);
  if (!places) throw problems.error(file);
  if (records.length === 0)
    problems.add({ line: lineOf(0), text: "", rule: "there is no bar below the header" });

  const sessions: SessionDate[] = [];
  const values = Object.fromEntries(fields.map((name) => [name, new Float64Array(records.length)])) as Record<
    Field,
    Float64Array
  >;
  let before: SessionDate | undefined;
  for (const [row, cells] of records.entries()) {
    const add = (problem: Omit<CsvProblem, "line">) => problems.add({ line: lineOf(row + 1), ...problem });
    if (cells.length !== header.length) {
      const rule = `the header has ${header.length} columns, this line ${cells.length}`;
      add({ text: cells.join(","), rule });
      continue;
    }
    const date = cells[places.date]!;
    const fault = dateFault(date, before, calendar);
    if (fault) add({ column: "date", text: date, rule: fault });
    if (isCivilDate(date)) {
      before = before === undefined || date > before ? date : before;
      sessions.push(date);
    }
    for (const name of fields) {
      const cell = cells[places[name]]!;
      const value = numberForm.test(cell) ? Number(cell) : Number.NaN;
      const rule = numberFault(name, value);
      if (rule) add({ column: name, text: cell, rule });
      values[name][row] = value;
    }
    const order = orderFault(values, row);
    if (order) add(order);
  }
  if (problems.count() > 0) throw problems.error(file);
  return { ticker, sessions, ...values };
}

interface ParsedCsv {
  /** The cells of each line that is not blank, the header first. */
  readonly records: readonly (readonly string[])[];
  /** Where a record ends, counted from 1. */
  lineOf(record: number): number;
}

async function parse(file: string, text: string): Promise<ParsedCsv> {
  // Loaded here: commands that read the cache need no CSV.
  const { CsvError, parse: parseCsv } = await import("csv-parse/sync");
  try {
    const options = { bom: true, relax_column_count: true, skip_empty_lines: true, trim: true };
    const records: string[][] = parseCsv(text, options);
    // Counting lines is a third of the work, and only a file with faults needs it: that one is parsed twice.
    let counted: readonly { readonly info: { readonly lines: number } }[] | undefined;
    const lineOf = (record: number) => {
      counted ??= parseCsv(text, { ...options, info: true }) as unknown as NonNullable<typeof counted>;
      return counted[record]!.info.lines;
    };
    return { records, lineOf };
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    const line = typeof error.lines === "number" ? error.lines : 1;
    const problem = { line, text: "", rule: `this is not CSV: ${error.message}` };
    throw new CsvFileError(file, [problem], 1, { cause: error });
  }
}

type Places = Readonly<Record<(typeof columns)[number], number>>;

function placesOf(
  cells: readonly string[],
  lineOf: ParsedCsv["lineOf"],
  problems: ProblemList,
): Places | undefined {
  const names = cells.map((cell) => cell.toLowerCase());
  for (const column of columns) {
    const times = names.filter((name) => name === column).length;
    if (times === 0)
      problems.add({ line: lineOf(0), column, text: cells.join(","), rule: "the header lacks this column" });
    if (times > 1)
      problems.add({
        line: lineOf(0),
        column,
        text: cells.join(","),
        rule: "the header has this column twice",
      });
  }
  if (problems.count() > 0) return undefined;
  return Object.fromEntries(columns.map((column) => [column, names.indexOf(column)])) as Places;
}

function dateFault(
  text: string,
  latest: SessionDate | undefined,
  calendar: TradingCalendar,
): string | undefined {
  if (!isCivilDate(text)) return "a date has the form YYYY-MM-DD";
  if (text < calendar.first || text > calendar.last) {
    return `the ${calendar.name} calendar knows ${calendar.first} to ${calendar.last} only`;
  }
  if (latest !== undefined && text === latest) return "this date comes twice";
  if (latest !== undefined && text < latest) return `dates ascend, and ${latest} stands above`;
  if (!calendar.isSession(text)) return closedMessage(text, calendar);
  return undefined;
}

function numberFault(name: Field, value: number): string | undefined {
  if (!Number.isFinite(value)) return "this should be a number";
  if (name === "volume") return value < 0 ? "volume cannot be negative" : undefined;
  return value <= 0 ? "a price is positive" : undefined;
}

function orderFault(values: Readonly<Record<Field, Float64Array>>, row: number) {
  const [open, high, low, close] = [
    values.open[row]!,
    values.high[row]!,
    values.low[row]!,
    values.close[row]!,
  ];
  // A cell that is no number was reported, and compares as false.
  if (high < low) return { column: "high", text: String(high), rule: `the high is below the low, ${low}` };
  if (high < open || high < close) {
    return { column: "high", text: String(high), rule: `the high is below open ${open} or close ${close}` };
  }
  if (low > open || low > close) {
    return { column: "low", text: String(low), rule: `the low is above open ${open} or close ${close}` };
  }
  return undefined;
}

type ProblemList = ReturnType<typeof problemList>;

function problemList() {
  const shown: CsvProblem[] = [];
  let count = 0;
  return {
    add(problem: CsvProblem) {
      count++;
      if (shown.length < shownProblems) shown.push(problem);
    },
    count: () => count,
    error: (file: string) => new CsvFileError(file, shown, count),
  };
}

function assertFolder(folder: string): void {
  const next = "give the folder that holds SYMBOL.csv files with `--csv-dir`";
  const unusable = (why: string, cause?: unknown) =>
    new SourceUnavailableError(sourceName, resolve(folder), why, next, { cause });
  try {
    if (!statSync(folder).isDirectory()) throw unusable("is a file, not a folder");
    readdirSync(folder);
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === undefined) throw error;
    throw unusable(errno === "ENOENT" ? "does not exist" : `cannot be read (${errno})`, error);
  }
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === "ENOENT") return undefined;
    if (errno === undefined) throw error;
    const problem = { line: 1, text: "", rule: `the file cannot be read (${errno})` };
    throw new CsvFileError(file, [problem], 1, { cause: error });
  }
}

function contents(folder: string): string {
  const names = readdirSync(folder).filter((name) => name.endsWith(".csv"));
  if (names.length === 0) return "the folder holds no .csv file";
  return `the folder holds ${names.slice(0, 10).join(", ")}${names.length > 10 ? ", …" : ""}`;
}

/** A longer file than was asked for is told, because nobody sees from the cache what was left out. */
function earlierBars({ sessions }: BarSeries, from: SessionDate): readonly SourceNote[] {
  const count = sessions.filter((session) => session < from).length;
  if (count === 0) return [];
  const bars = count === 1 ? "1 bar" : `${count.toLocaleString("en-US")} bars`;
  return [{ text: `${bars} before ${from} ${count === 1 ? "was" : "were"} not asked for` }];
}

function lastUnshared(a: readonly SessionDate[], b: readonly SessionDate[]): SessionDate | undefined {
  const [inA, inB] = [new Set(a), new Set(b)];
  return [...a.filter((session) => !inB.has(session)), ...b.filter((session) => !inA.has(session))]
    .sort()
    .at(-1);
}
