import { columnsOf, type FrameColumn, isNumeric } from "./columns.js";
import { type DataFrame, loadDanfo } from "./danfo.js";
import { FrameError } from "./errors.js";

/** Columns that hold texts whatever stands in them: a symbol may be all digits. */
const alwaysText: ReadonlySet<string> = new Set(["date", "symbol"]);
const number = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$|^NaN$|^[+-]?Infinity$/;

/**
 * The columns of a CSV text with a line of names. A column is numeric if each of its cells is a number or empty, all of
 * them looked at, and some are numbers; `date` and `symbol` are texts. An empty cell of a numeric column is `NaN`.
 *
 * @throws FrameError for a text without a line of names, lines of another number of cells, a quote that never ends
 */
export function columnsOfCsv(text: string): readonly FrameColumn[] {
  const [names, ...lines] = recordsOf(text);
  if (names === undefined || names.cells.every((name) => name === ""))
    throw new FrameError("a table", "it has no line with the names of its columns");
  const odd = lines.find(({ cells }) => cells.length !== names.cells.length);
  if (odd) {
    const problem = `line ${odd.line} has ${odd.cells.length} cells for ${names.cells.length} columns`;
    throw new FrameError("a table", problem);
  }
  return names.cells.map((name, at): FrameColumn => {
    const texts = lines.map(({ cells }) => cells[at]!);
    const isText = alwaysText.has(name) || !texts.every((cell) => cell === "" || number.test(cell));
    if (isText || texts.every((cell) => cell === "")) return { name, texts };
    return { name, numbers: Float64Array.from(texts, (cell) => (cell === "" ? Number.NaN : Number(cell))) };
  });
}

/**
 * A frame as CSV with a line of names: numbers as the shortest text that reads back as the same double, missing ones as
 * nothing, texts in quotes where they need them.
 */
export async function csvOf(frame: DataFrame): Promise<string> {
  const danfo = await loadDanfo();
  // danfojs writes cells as they are: a comma in one would become two cells, and the sign of a zero would be gone.
  const columns = columnsOf(frame);
  // A line of nothing would be no row.
  const nothing = columns.length === 1 ? '""' : "";
  const cells = columns.map((column) =>
    (isNumeric(column) ? Array.from(column.numbers, numberText) : column.texts.map(quoted)).map(
      (text) => text || nothing,
    ),
  );
  const rows = Array.from({ length: frame.shape[0] }, (_, row) => cells.map((column) => column[row]!));
  const names = columns.map(({ name }) => quoted(name));
  const dtypes = names.map(() => "string");
  return danfo.toCSV(new danfo.DataFrame(rows, { columns: names, dtypes }));
}

function numberText(value: number): string {
  if (Number.isNaN(value)) return "";
  return Object.is(value, -0) ? "-0" : String(value);
}

function quoted(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

interface CsvRecord {
  readonly line: number;
  readonly cells: readonly string[];
}

/** Cells between commas, in quotes where they hold commas, quotes or line breaks; empty lines are left out. */
function recordsOf(text: string): readonly CsvRecord[] {
  const records: CsvRecord[] = [];
  const cell = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n|\n|\r|$)/y;
  cell.lastIndex = text.startsWith("\ufeff") ? 1 : 0;
  let cells: string[] = [];
  let [line, started] = [1, 1];
  while (cell.lastIndex < text.length || cells.length > 0) {
    const found = cell.exec(text);
    if (!found)
      throw new FrameError(
        "a table",
        `line ${line} has a quote that does not end, or that stands inside a cell`,
      );
    const [, inQuotes, plain, end] = found;
    cells.push(inQuotes?.replaceAll('""', '"') ?? plain!);
    line += found[0].match(/\r\n|\n|\r/g)?.length ?? 0;
    if (end === ",") continue;
    if (cells.length > 1 || cells[0] !== "" || inQuotes !== undefined) records.push({ line: started, cells });
    cells = [];
    started = line;
  }
  return records;
}
