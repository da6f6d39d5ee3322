import { readdirSync, readFileSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import type { BarSeries, Field, SessionDate, Ticker, TradingCalendar } from "@pf/market";
import { isCivilDate } from "@pf/market";
import { closedMessage } from "./checks.js";
import { CsvFileError, type CsvProblem, errnoOf, NoBarsError, SourceUnavailableError } from "./errors.js";
import { type BarSource, barsBetween } from "./source.js";
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
      const adjusted = await readBars(file, text, ticker, calendar);
      const tradesFile = join(folder, `${ticker}.trades.csv`);
      const tradesText = readText(tradesFile);
      if (tradesText === undefined) return { adjusted: barsBetween(adjusted, from, to) };
      const trades = await readBars(tradesFile, tradesText, ticker, calendar);
      return {
        adjusted: barsBetween(adjusted, from, to),
        trades: barsBetween(trades, from, to),
        notes: sameSessions(adjusted, trades)
          ? []
          : [`${tradesFile} has bars of other sessions than ${file}`],
      };
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
  const [header, ...records] = await parse(file, text);
  if (!header) {
    problems.add({ line: 1, text: "", rule: `the file is empty; it should begin with ${columns.join(",")}` });
    throw problems.error(file);
  }
  const places = placesOf(header, problems);
  if (!places) throw problems.error(file);
  if (records.length === 0)
    problems.add({ line: header.line, text: "", rule: "there is no bar below the header" });

  const sessions: SessionDate[] = [];
  const values = Object.fromEntries(fields.map((name) => [name, new Float64Array(records.length)])) as Record<
    Field,
    Float64Array
  >;
  let before: SessionDate | undefined;
  for (const [row, { line, cells }] of records.entries()) {
    if (cells.length !== header.cells.length) {
      const rule = `the header has ${header.cells.length} columns, this line ${cells.length}`;
      problems.add({ line, text: cells.join(","), rule });
      continue;
    }
    const date = cells[places.date]!;
    const fault = dateFault(date, before, calendar);
    if (fault) problems.add({ line, column: "date", text: date, rule: fault });
    if (isCivilDate(date)) {
      before = before === undefined || date > before ? date : before;
      sessions.push(date);
    }
    for (const name of fields) {
      const cell = cells[places[name]]!;
      const value = numberForm.test(cell) ? Number(cell) : Number.NaN;
      const rule = numberFault(name, value);
      if (rule) problems.add({ line, column: name, text: cell, rule });
      values[name][row] = value;
    }
    const order = orderFault(values, row);
    if (order) problems.add({ line, ...order });
  }
  if (problems.count() > 0) throw problems.error(file);
  return { ticker, sessions, ...values };
}

interface CsvRecord {
  /** Counted from 1. */
  readonly line: number;
  readonly cells: readonly string[];
}

async function parse(file: string, text: string): Promise<readonly CsvRecord[]> {
  // Loaded here: commands that read the cache need no CSV.
  const { CsvError, parse: parseCsv } = await import("csv-parse/sync");
  try {
    const options = { bom: true, info: true, relax_column_count: true, skip_empty_lines: true, trim: true };
    const records = parseCsv(text, options) as unknown as { info: { lines: number }; record: string[] }[];
    return records.map(({ info, record }) => ({ line: info.lines, cells: record }));
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    const line = typeof error.lines === "number" ? error.lines : 1;
    const problem = { line, text: "", rule: `this is not CSV: ${error.message}` };
    throw new CsvFileError(file, [problem], 1, { cause: error });
  }
}

type Places = Readonly<Record<(typeof columns)[number], number>>;

function placesOf({ line, cells }: CsvRecord, problems: ProblemList): Places | undefined {
  const names = cells.map((cell) => cell.toLowerCase());
  for (const column of columns) {
    const times = names.filter((name) => name === column).length;
    if (times === 0)
      problems.add({ line, column, text: cells.join(","), rule: "the header lacks this column" });
    if (times > 1)
      problems.add({ line, column, text: cells.join(","), rule: "the header has this column twice" });
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

function sameSessions(a: BarSeries, b: BarSeries): boolean {
  return (
    a.sessions.length === b.sessions.length && a.sessions.every((session, row) => session === b.sessions[row])
  );
}
