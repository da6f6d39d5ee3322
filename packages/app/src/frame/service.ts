import { readdir, readFile, stat } from "node:fs/promises";
import { basename, dirname, extname, isAbsolute, join, resolve } from "node:path";
import type { LoadedConfig } from "@pf/config";
import type { TradingCalendar } from "@pf/market";
import type { Aggregate, DataFrame, FrameColumn } from "@pf/report/frame";
import { barKindOf } from "../bar-kind.js";
import { type DateRange, readRange } from "../dates.js";
import { NoSessionsError, RequestError } from "../errors.js";
import { loadMarket } from "../market-data.js";
import { ExportWriteError, ResultFileError, UnknownColumnError } from "./errors.js";
import { foldOfDates, heldOnly, type ResultTable, tableOfJson } from "./tables.js";

/** What to look at, and how. */
export interface FrameRequest {
  /** A file of results below the output folder, by its name with or without its ending, or by a path; or `"bars"`. */
  readonly what: string;
  /** Of bars: whose. Default: the universe. */
  readonly symbols?: readonly string[];
  /** Which of the tables of a file that holds several. Default: its first. */
  readonly table?: string;
  /** Which columns, in this order. Default: all. */
  readonly columns?: readonly string[];
  /** First and last date, inclusive, where there is a column `date`. */
  readonly start?: string;
  readonly end?: string;
  /** Statistics of every numeric column instead of rows. */
  readonly describe?: boolean;
  /** Columns whose values make groups, or `month`, `year` and `fold`, which are made of the dates. */
  readonly groupBy?: readonly string[];
  /** Statistics of the groups. Default: what is natural for each column: returns compound, costs add up, prices close. */
  readonly aggregates?: readonly string[];
  /** A column of the outcome to sort by; missing values come last. */
  readonly sort?: string;
  readonly descending?: boolean;
  /** How many rows of the outcome at most. */
  readonly head?: number;
  /** A file to write the outcome to, .csv or .json. */
  readonly exportTo?: string;
}

/** What `pf frame --json` prints. */
export interface FrameDocument {
  /** The file that was read, or `"bars"`. */
  readonly source: string;
  readonly table: string;
  /** All tables of the file. */
  readonly tables: readonly string[];
  readonly view: "rows" | "description" | "groups";
  /** Names in the order of the columns. */
  readonly columns: readonly string[];
  /** One object a row; what is missing or endless is null. */
  readonly rows: readonly Readonly<Record<string, string | number | null>>[];
  /** How many rows there are before `head` cuts them. */
  readonly total: number;
  /** What a person should know before believing a statistic. */
  readonly notes: readonly string[];
  /** The file that was written. */
  readonly file: string | null;
}

export interface FrameSetting {
  readonly dataFolder: string;
  readonly outFolder: string;
  readonly calendar: TradingCalendar;
  readonly configuration: () => Promise<LoadedConfig>;
  readonly signal?: AbortSignal;
}

type Source = ResultTable & { readonly source: string; readonly path?: string };

/**
 * Results as a table: rows, a description, or groups, sorted, cut and written elsewhere as one likes. Statistics are computed
 * in doubles; nothing here decides anything.
 *
 * @throws ResultFileError when the file is not there or holds no table
 * @throws UnknownColumnError for a column that the table does not have
 * @throws RequestError for what does not go together
 */
export async function frameResults(request: FrameRequest, setting: FrameSetting): Promise<FrameDocument> {
  assertRequest(request, setting.outFolder);
  const range = readRange(request, setting.calendar);
  const read =
    request.what === "bars" ? await barsTable(request, setting) : await fileTable(request, setting);
  const columns = inRange(read, range);
  const { columnsOf, csvOf, frameOf, loadDanfo } = await import("@pf/report/frame");
  const seen = await view(request, { ...read, columns });
  const whole = columnsOf(seen.frame);
  const { sort, descending = false } = request;
  const sorted = sort === undefined ? whole : await sortBy(sort, whole, descending);
  const total = rowsOf(sorted);
  const shown = await frameOf(head(sorted, request.head ?? total));

  const { jsonText, plainObject, WriteError, writeReport } = await import("@pf/report");
  const rows = (await loadDanfo()).toJSON(shown).map((row) => plainObject(row)) as FrameDocument["rows"];
  const { exportTo } = request;
  if (exportTo !== undefined) {
    if (request.what !== "bars" && read.path && resolve(read.path) === resolve(exportTo))
      throw overItself(exportTo);
    const text = extname(exportTo) === ".csv" ? await csvOf(shown) : jsonText(rows);
    const bytes = new TextEncoder().encode(text);
    const writing = setting.signal ? { signal: setting.signal } : {};
    const planned = [{ name: basename(exportTo), bytes }];
    await writeReport(planned, dirname(exportTo), writing).catch((cause: unknown) => {
      throw cause instanceof WriteError ? new ExportWriteError(exportTo, cause.message, { cause }) : cause;
    });
  }
  return {
    source: read.source,
    table: read.name,
    tables: read.names,
    view: seen.view,
    columns: shown.columns,
    rows,
    total,
    notes: seen.view === "rows" ? [] : read.notes,
    file: exportTo ?? null,
  };
}

/** What reports are called: an export must not take their place. */
const reportNames: ReadonlySet<string> = new Set([
  ...["metrics.json", "returns.csv", "weights.csv", "permutation.json"],
  ...["walkforward.json", "walkforward-returns.csv", "walkforward-weights.csv"],
]);

function assertRequest(request: FrameRequest, outFolder: string): void {
  const { what, symbols, table, describe, groupBy, aggregates, head, exportTo, descending, sort } = request;
  const refuse = (message: string, next: string): never => {
    throw new RequestError(message, next);
  };
  if (symbols && what !== "bars")
    refuse(`symbols go with bars, not with ${what}`, "as in `pf frame bars SPY,TLT`");
  if (table !== undefined && what === "bars") refuse("bars have one table", "leave --table out");
  if (describe && groupBy) refuse("a description and groups exclude each other", "leave one of them out");
  if (aggregates && !groupBy) refuse("statistics of groups need groups", "add --group-by, or use --describe");
  if (descending && sort === undefined) refuse("nothing is sorted", "add --sort COLUMN");
  if (head !== undefined && !(Number.isInteger(head) && head >= 1))
    refuse(`${head} is no number of rows`, "give a whole number of at least 1");
  if (exportTo === undefined) return;
  if (![".csv", ".json"].includes(extname(exportTo)))
    refuse(
      `${exportTo} ends neither in .csv nor in .json`,
      "the ending says what is written, as in --export months.csv",
    );
  if (resolve(dirname(exportTo)) === resolve(outFolder) && reportNames.has(basename(exportTo)))
    refuse(`${basename(exportTo)} is the name of a report`, "choose another name or folder");
}

function overItself(file: string): RequestError {
  return new RequestError(`${file} is what is being read`, "choose another file for --export");
}

async function fileTable(request: FrameRequest, { outFolder }: FrameSetting): Promise<Source> {
  const path = await findFile(request.what, outFolder);
  const text = await readText(path);
  if (extname(path) === ".json") {
    const table = await tableOfJson(path, text, request.table);
    return { ...table, source: path, path };
  }
  if (request.table !== undefined && request.table !== "rows")
    throw new RequestError(
      `there is no table ${request.table} in ${path}`,
      "leave --table out: a .csv is one table",
    );
  const { columnsOfCsv, FrameError } = await import("@pf/report/frame");
  try {
    const columns = columnsOfCsv(text);
    const isTargets = /weights\.csv$/.test(path) && columns.some(({ name }) => name === "weight");
    return { source: path, path, name: "rows", names: ["rows"], columns, notes: isTargets ? [heldOnly] : [] };
  } catch (cause) {
    if (!(cause instanceof FrameError)) throw cause;
    throw new ResultFileError(path, cause.problem, "correct the file, or make it anew", { cause });
  }
}

const makers: readonly (readonly [RegExp, string])[] = [
  [/^walkforward/, "pf walkforward"],
  [/^permutation/, "pf permute"],
  [/^(metrics|returns|weights)\b/, "pf backtest"],
];

/** The file that is meant: of the folder of reports where it has one of that name, else by its path. */
async function findFile(what: string, outFolder: string): Promise<string> {
  const ending = extname(what);
  if (ending !== "" && ending !== ".csv" && ending !== ".json")
    throw new RequestError(`${what} is no table`, "name a .csv or a .json, or `bars`");
  const names = ending === "" ? [`${what}.csv`, `${what}.json`] : [what];
  const places = isAbsolute(what) ? names : [...names.map((name) => join(outFolder, name)), ...names];
  for (const path of places) {
    const found = await stat(path).catch((cause: NodeJS.ErrnoException) => {
      if (cause.code === "ENOENT" || cause.code === "ENOTDIR") return undefined;
      throw cannotRead(path, cause);
    });
    if (found?.isDirectory()) throw new ResultFileError(path, "this is a folder", "name a file in it");
    if (found) return path;
  }
  const { nearest } = await import("@pf/config");
  const there = (await readdir(outFolder).catch(() => [])).filter((name) => /\.(csv|json)$/.test(name));
  const meant = nearest(basename(what), there);
  const maker = makers.find(([name]) => name.test(basename(what)))?.[1];
  const next = meant
    ? `did you mean ${meant}?`
    : maker
      ? `run \`${maker}\` first, or name another folder with --out`
      : there.length > 0
        ? `there are ${there.sort().join(", ")}, and \`pf frame bars\``
        : "run `pf backtest` first, name another folder with --out, or look at `pf frame bars`";
  throw new ResultFileError(what, `there is no such file, neither in ${outFolder} nor here`, next);
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    throw cannotRead(path, cause as NodeJS.ErrnoException);
  }
}

function cannotRead(path: string, cause: NodeJS.ErrnoException): ResultFileError {
  const next = "see whether you may read it";
  return new ResultFileError(path, `cannot be read (${cause.code ?? cause.message})`, next, { cause });
}

/** Bars as cached, with the return from each symbol's bar before; symbols without a bar on a day have no row there. */
async function barsTable(request: FrameRequest, setting: FrameSetting): Promise<Source> {
  const loaded = await setting.configuration();
  const symbols = request.symbols ?? loaded.config.universe;
  const { panel } = await loadMarket(setting.dataFolder, symbols, {}, barKindOf(loaded));
  const { columnsOf, toDataFrame } = await import("@pf/report/frame");
  const columns = columnsOf(await toDataFrame(panel));
  const close = numbersOf(columns, "close");
  const width = panel.tickers.length;
  const before = new Float64Array(width).fill(Number.NaN);
  const returns = Float64Array.from(close, (price, line) => {
    const last = before[line % width]!;
    if (Number.isNaN(price)) return Number.NaN;
    before[line % width] = price;
    return price / last - 1;
  });
  const whole = [...columns, { name: "return", numbers: returns }];
  const there = Array.from(close.keys()).filter((line) => !Number.isNaN(close[line]!));
  return { source: "bars", name: "bars", names: ["bars"], notes: [], columns: pick(whole, there) };
}

function inRange({ source, columns }: Source, { start, end }: DateRange): readonly FrameColumn[] {
  if (start === undefined && end === undefined) return columns;
  const dates = columns.find(({ name }) => name === "date");
  if (!dates || !("texts" in dates))
    throw new RequestError(
      `${source} has no column date to choose a range by`,
      "leave --start and --end out",
    );
  const rows = [...dates.texts.keys()].filter((row) => {
    const date = dates.texts[row]!;
    return (start === undefined || date >= start) && (end === undefined || date <= end);
  });
  if (rows.length > 0) return pick(columns, rows);
  const asked = start && end ? `from ${start} to ${end}` : start ? `from ${start} on` : `up to ${end}`;
  const [first, last] = [dates.texts[0], dates.texts.at(-1)];
  if (first === undefined || last === undefined)
    throw new ResultFileError(source, "it has no rows", "there is nothing to choose from");
  throw source === "bars"
    ? new NoSessionsError(asked, first, last)
    : new ResultFileError(source, `it has no row ${asked}`, `choose dates between ${first} and ${last}`);
}

/** Rows, their description or groups of them: a frame of what was asked for. */
async function view(
  request: FrameRequest,
  read: Source,
): Promise<{ readonly view: FrameDocument["view"]; readonly frame: DataFrame }> {
  const { aggregates, describeFrame, frameOf, groupFrame } = await import("@pf/report/frame");
  const chosen = await select(read.columns, request.columns);
  if (!request.groupBy && !request.describe) return { view: "rows", frame: await frameOf(chosen) };
  if (rowsOf(read.columns) === 0)
    throw new ResultFileError(read.source, "it has no rows", "there is nothing to describe or to group");
  if (request.describe) {
    const numeric = chosen.filter((column) => "numbers" in column);
    if (numeric.length === 0)
      throw new RequestError(
        "none of these columns is numeric",
        "name others with --columns, or leave it out",
      );
    return { view: "description", frame: await describeFrame(await frameOf(numeric)) };
  }
  const keys: FrameColumn[] = [];
  for (const name of request.groupBy!) keys.push(await keyColumn(name, read));
  const values = valuesOf(chosen, keys, request.columns !== undefined);
  const wanted = values.map(
    ({ name }) => [name, aggregatesOf(name, request.aggregates, aggregates)] as const,
  );
  const frame = await frameOf([...keys, ...values]);
  const names = keys.map(({ name }) => name);
  return { view: "groups", frame: await groupFrame(frame, names, Object.fromEntries(wanted)) };
}

async function select(
  columns: readonly FrameColumn[],
  wanted: readonly string[] | undefined,
): Promise<readonly FrameColumn[]> {
  if (!wanted) return columns;
  const chosen: FrameColumn[] = [];
  for (const name of new Set(wanted)) chosen.push(await columnNamed(name, columns));
  return chosen;
}

async function columnNamed(
  name: string,
  columns: readonly FrameColumn[],
  also: readonly string[] = [],
): Promise<FrameColumn> {
  const found = columns.find((column) => column.name === name);
  if (found) return found;
  const { nearest } = await import("@pf/config");
  const names = columns.map((column) => column.name);
  throw new UnknownColumnError(name, names, nearest(name, [...names, ...also]) ?? null, also);
}

/** A column to group by: one of the table, or one made of its dates. */
async function keyColumn(name: string, { columns, path, source }: Source): Promise<FrameColumn> {
  const dates = columns.find((column) => column.name === "date");
  const known = columns.some((column) => column.name === name);
  const texts = dates && "texts" in dates ? dates.texts : undefined;
  if (known || !texts) return columnNamed(name, columns);
  if (name === "month") return { name, texts: texts.map((date) => date.slice(0, 7)) };
  if (name === "year") return { name, texts: texts.map((date) => date.slice(0, 4)) };
  if (name === "fold" && path && /^walkforward-/.test(basename(path))) {
    const beside = join(dirname(path), "walkforward.json");
    const walkforward = await readText(beside);
    await tableOfJson(beside, walkforward, "folds");
    return { name, numbers: foldOfDates(path, texts, walkforward) };
  }
  if (name === "fold")
    throw new RequestError(
      `${source} has no folds`,
      "folds are made of walkforward-returns.csv and walkforward-weights.csv, with walkforward.json beside them",
    );
  return columnNamed(name, columns, ["month", "year"]);
}

function valuesOf(
  chosen: readonly FrameColumn[],
  keys: readonly FrameColumn[],
  named: boolean,
): readonly FrameColumn[] {
  const others = chosen.filter(({ name }) => !keys.some((key) => key.name === name));
  const texts = others.find((column) => "texts" in column);
  if (named && texts)
    throw new RequestError(
      `the column ${texts.name} holds texts`,
      "statistics need numbers: choose other --columns",
    );
  const values = others.filter((column) => "numbers" in column && (named || !labels.has(column.name)));
  if (values.length > 0) return values;
  throw new RequestError(
    "no column of numbers is left",
    "group by something else, or choose other --columns",
  );
}

/** Numbers that name something: there is no mean of them that says anything. */
const labels: ReadonlySet<string> = new Set(["fold", "window", "run", "point", "chosen", "endUtcMs"]);

/** What a column comes to over some time, where nobody says: sums of returns would be no return. */
const natural: Readonly<Record<string, Aggregate>> = {
  net: "compound",
  gross: "compound",
  return: "compound",
  turnover: "sum",
  commission: "sum",
  slippage: "sum",
  volume: "sum",
  equity: "last",
  open: "first",
  high: "max",
  low: "min",
  close: "last",
};

function aggregatesOf(
  column: string,
  wanted: readonly string[] | undefined,
  all: readonly string[],
): readonly Aggregate[] {
  if (!wanted) return [Object.hasOwn(natural, column) ? natural[column]! : "mean"];
  const unknown = wanted.find((name) => !all.includes(name));
  if (unknown !== undefined)
    throw new RequestError(`there is no statistic "${unknown}"`, `choose among ${all.join(", ")}`);
  return [...new Set(wanted)] as Aggregate[];
}

/** Rows in the order of a column, equal ones as they were, missing ones last. */
async function sortBy(
  name: string,
  columns: readonly FrameColumn[],
  descending: boolean,
): Promise<readonly FrameColumn[]> {
  const column = await columnNamed(name, columns);
  const values: ArrayLike<string | number> = "texts" in column ? column.texts : column.numbers;
  const isMissing = (value: string | number) => value === "" || Number.isNaN(value);
  const direction = descending ? -1 : 1;
  const rows = Array.from({ length: values.length }, (_, row) => row).sort((a, b) => {
    const [one, other] = [values[a]!, values[b]!];
    if (isMissing(one) || isMissing(other)) return Number(isMissing(one)) - Number(isMissing(other));
    return one < other ? -direction : one > other ? direction : 0;
  });
  return pick(columns, rows);
}

function head(columns: readonly FrameColumn[], count: number): readonly FrameColumn[] {
  const rows = Math.min(count, rowsOf(columns));
  return pick(
    columns,
    Array.from({ length: rows }, (_, row) => row),
  );
}

function pick(columns: readonly FrameColumn[], rows: readonly number[]): readonly FrameColumn[] {
  return columns.map((column): FrameColumn => {
    const { name } = column;
    if ("texts" in column) return { name, texts: rows.map((row) => column.texts[row]!) };
    return { name, numbers: Float64Array.from(rows, (row) => column.numbers[row]!) };
  });
}

function rowsOf([first]: readonly FrameColumn[]): number {
  if (!first) return 0;
  return "texts" in first ? first.texts.length : first.numbers.length;
}

function numbersOf(columns: readonly FrameColumn[], name: string): Float64Array {
  const column = columns.find((one) => one.name === name);
  return column && "numbers" in column ? Float64Array.from(column.numbers) : new Float64Array();
}
