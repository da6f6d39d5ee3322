import { type DataFrame, loadDanfo } from "./danfo.js";
import { FrameError } from "./errors.js";

/** Doubles; `NaN` where there is none. */
export interface NumberColumn {
  readonly name: string;
  readonly numbers: ArrayLike<number>;
}

/** Texts, dates among them; `""` where there is none. */
export interface TextColumn {
  readonly name: string;
  readonly texts: readonly string[];
}

export type FrameColumn = NumberColumn | TextColumn;

/**
 * A frame in which every value survives. Left to itself, danfojs looks at the first twenty rows and takes whole numbers for
 * integers, digits in texts for numbers and an empty start of a column for its type; here each column says what it is. The
 * values are kept as they are, doubles bit by bit.
 *
 * @throws FrameError when columns differ in length or share a name
 */
export async function frameOf(columns: readonly FrameColumn[]): Promise<DataFrame> {
  const danfo = await loadDanfo();
  const names = columns.map(({ name }) => name);
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined) throw new FrameError("columns", `two of them are named ${twice}`);
  const cells = columns.map(cellsOf);
  const rows = cells[0]?.length ?? 0;
  const other = cells.findIndex(({ length }) => length !== rows);
  if (other >= 0)
    throw new FrameError(
      "columns",
      `${names[other]} has ${cells[other]!.length} values, ${names[0]} has ${rows}`,
    );
  const values = Array.from({ length: rows }, (_, row) => cells.map((column) => column[row]!));
  const dtypes = columns.map((column) => (isNumeric(column) ? "float32" : "string"));
  return new danfo.DataFrame(values, { columns: names, dtypes });
}

/**
 * The columns of any frame, whoever made it: numeric where every value is a number or missing, and not all are missing
 * in a column of texts. What is missing (`null`, `undefined`) becomes `NaN` among numbers and `""` among texts; booleans and
 * other values become texts.
 */
export function columnsOf(frame: DataFrame): readonly FrameColumn[] {
  return frame.columns.map((name, at): FrameColumn => {
    const values = frame.values.map((row) => row[at] ?? null);
    const numeric = values.every((value) => value === null || typeof value === "number");
    if (numeric && !(frame.dtypes[at] === "string" && values.every((value) => value === null)))
      return {
        name,
        numbers: Float64Array.from(values, (value) => (value === null ? Number.NaN : (value as number))),
      };
    return { name, texts: values.map((value) => (value === null ? "" : String(value))) };
  });
}

export function isNumeric(column: FrameColumn): column is NumberColumn {
  return "numbers" in column;
}

function cellsOf(column: FrameColumn): ArrayLike<number | string> {
  return isNumeric(column) ? column.numbers : column.texts;
}
