import type { BacktestResult, TargetSeries } from "@pf/backtest";
import { sparseTargets } from "@pf/backtest";
import { alignPanel, type Field, type Panel, type SessionDate, sessionDate, type Ticker } from "@pf/market";
import { type GridKey, type GridPoint, gridKeys, type PlainMetrics } from "@pf/research";
import { metricNames } from "../json.js";
import { returnColumns } from "../tables.js";
import { columnsOf, type FrameColumn, frameOf, isNumeric } from "./columns.js";
import type { DataFrame } from "./danfo.js";
import { FrameError } from "./errors.js";

/** The returns of a run, without the targets they come from. */
export type ReturnColumns = Pick<
  BacktestResult,
  "sessions" | "endsUtcMs" | "net" | "gross" | "turnover" | "commission" | "slippage" | "equity"
>;

/** What a walk-forward chose in one window, and how it did. */
export interface FoldRow {
  readonly index: number;
  readonly trainStart: SessionDate;
  readonly trainEnd: SessionDate;
  readonly oosStart: SessionDate;
  readonly oosEnd: SessionDate;
  readonly params: GridPoint;
  readonly objective: number | null;
  /** Position in grid order of the point chosen. */
  readonly chosen: number;
  readonly train: PlainMetrics;
  readonly oos: PlainMetrics;
}

/** The objective of every point of a grid in every window. */
export interface GridResults {
  /** In grid order, as `gridPoints` gives them; all name the same keys. */
  readonly points: readonly GridPoint[];
  /** One value a point; null where undefined. */
  readonly folds: readonly { readonly index: number; readonly objectives: readonly (number | null)[] }[];
}

/** What a frame can be read back as. */
export interface ValueOfKind {
  readonly panel: Panel;
  readonly weights: TargetSeries;
  readonly returns: ReturnColumns;
  readonly folds: readonly FoldRow[];
  readonly grid: GridResults;
}
export type FrameKind = keyof ValueOfKind;

/** What a frame can be made of; a walk-forward gives its folds. */
export type FrameValue =
  | Panel
  | TargetSeries
  | ReturnColumns
  | { readonly folds: readonly FoldRow[] }
  | GridResults;

const fields: readonly Field[] = ["open", "high", "low", "close", "volume"];
const foldDates = ["trainStart", "trainEnd", "oosStart", "oosEnd"] as const;

/**
 * A frame with a column for everything that is in a result, dates as texts `YYYY-MM-DD`, numbers as the doubles they are:
 *
 * - a panel: `date, symbol, open, high, low, close, volume`, hourly ones with `endUtcMs`; a row for every session and symbol,
 *   `NaN` where the symbol has no bar
 * - targets: `date, symbol, weight`; a row for every session and symbol, 0 where nothing is meant to be held
 * - a backtest: `date, net, gross, turnover, commission, slippage, equity` (and `endUtcMs`)
 * - a walk-forward: a row a fold, `fold`, its four dates, the parameters by their names in the configuration, `objective`,
 *   `chosen`, and `train_…` and `oos_…` for every metric
 * - the points of a grid with their objectives (`points`, `folds`): `fold, point`, the keys of the grid, `objective`
 *
 * What is null in a result is `NaN` in a frame. {@link fromDataFrame} gives the value back, bit by bit.
 *
 * @throws FrameError for a result without rows, and for hourly targets, which do not say which hour they belong to
 */
export async function toDataFrame(value: FrameValue): Promise<DataFrame> {
  const columns = columnsOfValue(value);
  const rows = columns[0]!;
  if ((isNumeric(rows) ? rows.numbers : rows.texts).length === 0)
    throw new FrameError("results", "there is nothing in it, not one row");
  return frameOf(columns);
}

/**
 * Reads a frame back as the kind of result it was made of, whoever made it. Columns may stand in any order and others beside
 * them; symbols come in the order in which they first occur.
 *
 * @throws FrameError when a column is missing, a date is none or comes too early, a row comes twice, or a cell is no number
 */
export function fromDataFrame<Kind extends FrameKind>(frame: DataFrame, kind: Kind): ValueOfKind[Kind] {
  const readers: { readonly [one in FrameKind]: (cells: Cells) => ValueOfKind[one] } = {
    panel: panelIn,
    weights: weightsIn,
    returns: returnsIn,
    folds: foldsIn,
    grid: gridIn,
  };
  return readers[kind](cellsOf(frame, kind));
}

function columnsOfValue(value: FrameValue): readonly FrameColumn[] {
  if ("points" in value) return gridColumns(value);
  if ("folds" in value) return foldColumns(value.folds);
  if ("rowStart" in value) return weightColumns(value);
  if ("net" in value) return resultColumns(value);
  return panelColumns(value);
}

function panelColumns(panel: Panel): readonly FrameColumn[] {
  const { sessions, tickers, endsUtcMs } = panel;
  const columns = fields.map((field) => tickers.map((ticker) => panel.column(field, ticker)));
  return [
    ...keyColumns(sessions, tickers),
    ...(endsUtcMs ? [{ name: "endUtcMs", numbers: dense(sessions, tickers, (row) => endsUtcMs[row]!) }] : []),
    ...fields.map((name, at) => ({
      name,
      numbers: dense(sessions, tickers, (row, symbol) => columns[at]![symbol]![row]!),
    })),
  ];
}

function weightColumns({
  sessions,
  tickers,
  rowStart,
  symbol,
  weight,
}: TargetSeries): readonly FrameColumn[] {
  if (sessions.some((session, row) => row > 0 && session === sessions[row - 1]))
    throw new FrameError("weights", "these targets are hourly, and do not say which hour they belong to");
  const width = tickers.length;
  const numbers = new Float64Array(sessions.length * width);
  for (let row = 0; row < sessions.length; row++)
    for (let k = rowStart[row]!; k < rowStart[row + 1]!; k++) numbers[row * width + symbol[k]!] = weight[k]!;
  return [...keyColumns(sessions, tickers), { name: "weight", numbers }];
}

function resultColumns(result: ReturnColumns): readonly FrameColumn[] {
  return [
    { name: "date", texts: result.sessions },
    ...(result.endsUtcMs ? [{ name: "endUtcMs", numbers: result.endsUtcMs }] : []),
    ...returnColumns.map((name) => ({ name, numbers: result[name] })),
  ];
}

function foldColumns(folds: readonly FoldRow[]): readonly FrameColumn[] {
  const numbers = (name: string, of: (fold: FoldRow) => number | null | undefined) => ({
    name,
    numbers: folds.map((fold) => of(fold) ?? Number.NaN),
  });
  const keys = gridKeys.filter((key) => folds.some(({ params }) => params[key] !== undefined));
  return [
    numbers("fold", ({ index }) => index),
    ...foldDates.map((name) => ({ name, texts: folds.map((fold) => fold[name]) })),
    ...keys.map((key) => numbers(key, ({ params }) => params[key])),
    numbers("objective", ({ objective }) => objective),
    numbers("chosen", ({ chosen }) => chosen),
    ...(["train", "oos"] as const).flatMap((span) =>
      metricNames.map((metric) => numbers(`${span}_${metric}`, (fold) => fold[span][metric])),
    ),
  ];
}

function gridColumns({ points, folds }: GridResults): readonly FrameColumn[] {
  const rows = folds.flatMap(({ index, objectives }) => {
    if (objectives.length !== points.length) {
      const problem = `fold ${index} has ${objectives.length} objectives for ${points.length} points`;
      throw new FrameError("a grid", problem);
    }
    return points.map((params, point) => ({ index, point, params, objective: objectives[point]! }));
  });
  const keys = gridKeys.filter((key) => points.some((point) => point[key] !== undefined));
  return [
    { name: "fold", numbers: rows.map(({ index }) => index) },
    { name: "point", numbers: rows.map(({ point }) => point) },
    ...keys.map((key) => ({ name: key, numbers: rows.map(({ params }) => params[key] ?? Number.NaN) })),
    { name: "objective", numbers: rows.map(({ objective }) => objective ?? Number.NaN) },
  ];
}

function keyColumns(sessions: readonly SessionDate[], tickers: readonly Ticker[]): readonly FrameColumn[] {
  return [
    { name: "date", texts: sessions.flatMap((session) => tickers.map(() => session)) },
    { name: "symbol", texts: sessions.flatMap(() => tickers) },
  ];
}

function dense(
  sessions: readonly SessionDate[],
  tickers: readonly Ticker[],
  at: (row: number, symbol: number) => number,
): Float64Array {
  const numbers = new Float64Array(sessions.length * tickers.length);
  for (let cell = 0, row = 0; row < sessions.length; row++)
    for (let symbol = 0; symbol < tickers.length; symbol++) numbers[cell++] = at(row, symbol);
  return numbers;
}

/** The columns of a frame, asked for by name; whatever is wrong with them is said with the kind they were taken for. */
interface Cells {
  readonly rows: number;
  has(name: string): boolean;
  numbers(name: string): ArrayLike<number>;
  texts(name: string): readonly string[];
  dates(name: string): readonly SessionDate[];
  refuse(problem: string): never;
}

const kindNames: Readonly<Record<FrameKind, string>> = {
  panel: "bars",
  weights: "weights",
  returns: "returns",
  folds: "folds",
  grid: "a grid",
};

function cellsOf(frame: DataFrame, kind: FrameKind): Cells {
  const refuse = (problem: string, options?: ErrorOptions): never => {
    throw new FrameError(kindNames[kind], problem, options);
  };
  const columns = new Map(columnsOf(frame).map((column) => [column.name, column]));
  const need = (name: string): FrameColumn =>
    columns.get(name) ?? refuse(`it has no column ${name}; it has ${frame.columns.join(", ") || "none"}`);
  const [rows] = frame.shape;
  if (rows === 0) refuse("it has no rows");
  const texts = (name: string): readonly string[] => {
    const column = need(name);
    return isNumeric(column) ? refuse(`its column ${name} holds numbers where texts belong`) : column.texts;
  };
  return {
    rows,
    refuse,
    has: (name) => columns.has(name),
    texts,
    numbers(name) {
      const column = need(name);
      if (isNumeric(column)) return column.numbers;
      const row = column.texts.findIndex((text) => text === "" || Number.isNaN(Number(text)));
      return refuse(
        `row ${row + 1} of its column ${name} holds ${JSON.stringify(column.texts[Math.max(0, row)])}, no number`,
      );
    },
    dates: (name) =>
      texts(name).map((text, row) => {
        try {
          return sessionDate(text);
        } catch (cause) {
          return refuse(`row ${row + 1} of its column ${name} holds ${JSON.stringify(text)}, no date`, {
            cause,
          });
        }
      }),
  };
}

/** The sessions of a long frame in their order, its symbols as they first occur, and the row and symbol of every line. */
function axisOf(cells: Cells, ends?: ArrayLike<number>) {
  const dates = cells.dates("date");
  const symbols = cells.texts("symbol");
  const sessions: SessionDate[] = [];
  const endsUtcMs: number[] = [];
  const position = new Map<Ticker, number>();
  const seen = new Set<string>();
  const lines = dates.map((date, line) => {
    const end = ends?.[line];
    if (end !== undefined && !Number.isFinite(end))
      cells.refuse(`row ${line + 1} of its column endUtcMs holds no number`);
    const isNew = end === undefined ? date !== sessions.at(-1) : end !== endsUtcMs.at(-1);
    if (isNew) {
      const before = sessions.at(-1);
      if (before !== undefined && (date < before || (end !== undefined && end < endsUtcMs.at(-1)!)))
        cells.refuse(`its dates do not ascend: row ${line + 1} is of ${date}, after one of ${before}`);
      sessions.push(date);
      if (end !== undefined) endsUtcMs.push(end);
    } else if (date !== sessions.at(-1)) {
      cells.refuse(`row ${line + 1} is of ${date} and ends with one of ${sessions.at(-1)}`);
    }
    const ticker = symbols[line]!;
    if (ticker === "") cells.refuse(`row ${line + 1} has no symbol`);
    const symbol = position.get(ticker) ?? position.size;
    position.set(ticker, symbol);
    const row = sessions.length - 1;
    const key = `${row} ${symbol}`;
    if (seen.has(key)) cells.refuse(`${ticker} comes twice on ${date}`);
    seen.add(key);
    return { row, symbol };
  });
  return {
    sessions,
    tickers: [...position.keys()],
    lines,
    endsUtcMs: ends ? Float64Array.from(endsUtcMs) : undefined,
  };
}

function panelIn(cells: Cells): Panel {
  const columns = fields.map((field) => cells.numbers(field));
  const { sessions, tickers, lines, endsUtcMs } = axisOf(
    cells,
    cells.has("endUtcMs") ? cells.numbers("endUtcMs") : undefined,
  );
  const series = tickers.map((ticker) => {
    const holes = () => new Float64Array(sessions.length).fill(Number.NaN);
    const bars = { open: holes(), high: holes(), low: holes(), close: holes(), volume: holes() };
    return { ticker, sessions, ...(endsUtcMs ? { endsUtcMs } : {}), ...bars };
  });
  lines.forEach(({ row, symbol }, line) => {
    fields.forEach((field, at) => {
      series[symbol]![field][row] = columns[at]![line]!;
    });
  });
  return alignPanel(series);
}

function weightsIn(cells: Cells): TargetSeries {
  const weights = cells.numbers("weight");
  const { sessions, tickers, lines } = axisOf(cells);
  const table = sessions.map((): { symbol: number; weight: number }[] => []);
  lines.forEach(({ row, symbol }, line) => {
    const weight = weights[line]!;
    if (!Number.isFinite(weight)) cells.refuse(`row ${line + 1} of its column weight holds no number`);
    if (weight !== 0) table[row]!.push({ symbol, weight });
  });
  for (const entries of table) entries.sort((a, b) => a.symbol - b.symbol);
  const rowStart = new Int32Array(sessions.length + 1);
  table.forEach((entries, row) => {
    rowStart[row + 1] = rowStart[row]! + entries.length;
  });
  const entries = table.flat();
  return sparseTargets({
    sessions,
    tickers,
    rowStart,
    symbol: Int32Array.from(entries, ({ symbol }) => symbol),
    weight: Float64Array.from(entries, ({ weight }) => weight),
  });
}

function returnsIn(cells: Cells): ReturnColumns {
  const sessions = cells.dates("date");
  const ends = cells.has("endUtcMs") ? Float64Array.from(cells.numbers("endUtcMs")) : undefined;
  const keys: ArrayLike<string | number> = ends ?? sessions;
  const row = sessions.findIndex(
    (session, at) => at > 0 && !(keys[at]! > keys[at - 1]! && session >= sessions[at - 1]!),
  );
  if (row > 0)
    cells.refuse(
      `its dates do not ascend: row ${row + 1} is of ${sessions[row]}, after one of ${sessions[row - 1]}`,
    );
  const columns = Object.fromEntries(
    returnColumns.map((name) => [name, Float64Array.from(cells.numbers(name))]),
  );
  return { sessions, ...(ends ? { endsUtcMs: ends } : {}), ...columns } as ReturnColumns;
}

function foldsIn(cells: Cells): readonly FoldRow[] {
  const [indexes, chosen] = [cells.numbers("fold"), cells.numbers("chosen")];
  const objectives = cells.numbers("objective");
  const dates = foldDates.map((name) => [name, cells.dates(name)] as const);
  const params = paramsIn(cells);
  const spans = (["train", "oos"] as const).map(
    (span) =>
      [span, metricNames.map((metric) => [metric, cells.numbers(`${span}_${metric}`)] as const)] as const,
  );
  return Array.from({ length: cells.rows }, (_, row) => ({
    index: whole(cells, "fold", indexes, row),
    ...Object.fromEntries(dates.map(([name, column]) => [name, column[row]!])),
    params: params(row),
    objective: orNull(objectives[row]!),
    chosen: whole(cells, "chosen", chosen, row),
    ...Object.fromEntries(
      spans.map(([span, metrics]) => [
        span,
        Object.fromEntries(metrics.map(([metric, column]) => [metric, orNull(column[row]!)])),
      ]),
    ),
  })) as unknown as readonly FoldRow[];
}

function gridIn(cells: Cells): GridResults {
  const [indexes, numbers] = [cells.numbers("fold"), cells.numbers("point")];
  const objectives = cells.numbers("objective");
  const params = paramsIn(cells);
  const points: GridPoint[] = [];
  const folds = new Map<number, (number | null)[]>();
  for (let row = 0; row < cells.rows; row++) {
    const fold = whole(cells, "fold", indexes, row);
    const known = folds.get(fold) ?? [];
    folds.set(fold, known);
    const point = whole(cells, "point", numbers, row);
    if (point !== known.length)
      cells.refuse(`row ${row + 1} is point ${point} of fold ${fold}, where point ${known.length} belongs`);
    known.push(orNull(objectives[row]!));
    const own = params(row);
    points[point] ??= own;
    if (JSON.stringify(points[point]) !== JSON.stringify(own))
      cells.refuse(`row ${row + 1} gives point ${point} other parameters than a fold before`);
  }
  const short = [...folds].find(([, scores]) => scores.length !== points.length);
  if (short) cells.refuse(`fold ${short[0]} has ${short[1].length} of ${points.length} points`);
  return { points, folds: [...folds].map(([index, scores]) => ({ index, objectives: scores })) };
}

/** The parameters of a row: the keys of a grid that the frame has columns for. */
function paramsIn(cells: Cells): (row: number) => GridPoint {
  const columns = gridKeys.flatMap((key): [GridKey, ArrayLike<number>][] =>
    cells.has(key) ? [[key, cells.numbers(key)]] : [],
  );
  return (row) =>
    Object.fromEntries(
      columns.flatMap(([key, column]) => (Number.isNaN(column[row]) ? [] : [[key, column[row]!]])),
    );
}

function whole(cells: Cells, name: string, column: ArrayLike<number>, row: number): number {
  const value = column[row]!;
  return Number.isInteger(value) && value >= 0
    ? value
    : cells.refuse(`row ${row + 1} of its column ${name} holds ${value}, no count`);
}

function orNull(value: number): number | null {
  return Number.isNaN(value) ? null : value;
}
