import { columnsOf, type FrameColumn, frameOf, isNumeric, type NumberColumn } from "./columns.js";
import { type Danfo, type DataFrame, loadDanfo } from "./danfo.js";
import { FrameError } from "./errors.js";

/** What groups can be made of: statistics of the values that are there, in doubles. */
export const aggregates = [
  "count",
  "sum",
  "mean",
  "std",
  "min",
  "median",
  "max",
  "first",
  "last",
  "compound",
] as const;
export type Aggregate = (typeof aggregates)[number];

/** Those that danfojs computes. */
const danfoAggregates: ReadonlySet<Aggregate> = new Set(["sum", "mean", "std", "min", "max"]);

/**
 * Count, number of missing values, mean, sample standard deviation, least, median and greatest value of every numeric column,
 * one row a column. Missing values (`NaN`) are left out of everything but `missing`; what they leave undefined is `NaN`, and
 * so is the deviation of a single value.
 *
 * @throws FrameError when no column is numeric
 */
export async function describeFrame(frame: DataFrame): Promise<DataFrame> {
  const danfo = await loadDanfo();
  const columns = columnsOf(frame).filter(isNumeric);
  if (columns.length === 0) throw new FrameError("numbers", "none of its columns is numeric");
  const names = ["mean", "std", "min", "median", "max"] as const;
  const described = columns.map(({ numbers }) => {
    const there = Array.from(numbers).filter((value) => !Number.isNaN(value));
    const missing = numbers.length - there.length;
    const statistics: Record<(typeof names)[number], number> =
      there.length > 0
        ? statisticsOf(danfo, there)
        : { mean: Number.NaN, std: Number.NaN, min: Number.NaN, median: Number.NaN, max: Number.NaN };
    return { count: there.length, missing, ...statistics };
  });
  return frameOf([
    { name: "column", texts: columns.map(({ name }) => name) },
    ...(["count", "missing", ...names] as const).map((name) => ({
      name,
      numbers: described.map((one) => one[name]),
    })),
  ]);
}

/** danfojs's own description of one column; with a missing value in it, it would describe nothing. */
function statisticsOf(danfo: Danfo, values: readonly number[]) {
  const rows = values.map((value) => [value]);
  const described = new danfo.DataFrame(rows, { columns: ["value"], dtypes: ["float32"] }).describe();
  const of = (name: string) => described.values[described.index.indexOf(name)]![0] as number;
  const std = values.length > 1 ? of("std") : Number.NaN;
  return { mean: of("mean"), std, min: of("min"), median: medianOf(values), max: of("max") };
}

/** That of danfojs takes values for equal that differ by less than 2e-16, which is much where they are commissions. */
function medianOf(values: readonly number[]): number {
  const sorted = Float64Array.from(values).sort();
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/**
 * One row for every combination of keys that occurs, ordered by the first key, then by the next, each as its values first
 * occur: the keys, `rows`, how many rows have them, and `<column>_<aggregate>` for whatever is asked for. Missing values are left out; a group without any has
 * `NaN`, and count and sum 0. `compound` is the product of 1 + value, less 1: what returns come to.
 *
 * @param by - columns whose values make the groups
 * @param wanted - aggregates by numeric column
 * @throws FrameError for a column that the frame does not have, or that is not numeric
 */
export async function groupFrame(
  frame: DataFrame,
  by: readonly string[],
  wanted: Readonly<Record<string, readonly Aggregate[]>>,
): Promise<DataFrame> {
  const danfo = await loadDanfo();
  const columns = new Map(columnsOf(frame).map((column) => [column.name, column]));
  const need = (name: string): FrameColumn => {
    const column = columns.get(name);
    if (column) return column;
    throw new FrameError("groups", `it has no column ${name}; it has ${frame.columns.join(", ")}`);
  };
  const keys = by.map(need);
  const { groupOf, firstRows } = groupsOf(keys, frame.shape[0]);
  const groups = firstRows.length;
  const size = new Float64Array(groups);
  for (const group of groupOf) size[group]!++;
  const made = Object.entries(wanted).flatMap(([name, asked]) => {
    const column = need(name);
    if (!isNumeric(column))
      throw new FrameError("groups", `its column ${name} holds texts, of which there is no ${asked[0]}`);
    return aggregate(danfo, column, asked, groupOf, groups);
  });
  return frameOf([...keys.map((key) => pick(key, firstRows)), { name: "rows", numbers: size }, ...made]);
}

/** The group of each row, counted from 0 in their order, and the row in which each group first occurs. */
function groupsOf(keys: readonly FrameColumn[], rows: number) {
  const ranks = keys.map((key) => ranksOf(key, rows));
  const known = new Map<string, { readonly row: number; readonly ranks: readonly number[]; group: number }>();
  const found = Array.from({ length: rows }, (_, row) => {
    const own = ranks.map((rank) => rank[row]!);
    const key = own.join(" ");
    const one = known.get(key) ?? { row, ranks: own, group: 0 };
    known.set(key, one);
    return one;
  });
  const ordered = [...known.values()].sort((a, b) => {
    const at = a.ranks.findIndex((rank, key) => rank !== b.ranks[key]);
    return at < 0 ? 0 : a.ranks[at]! - b.ranks[at]!;
  });
  ordered.forEach((one, group) => {
    one.group = group;
  });
  return { groupOf: Int32Array.from(found, ({ group }) => group), firstRows: ordered.map(({ row }) => row) };
}

/** The number of each row's value, counted from 0 as they first occur. */
function ranksOf(column: FrameColumn, rows: number): Int32Array {
  const values: ArrayLike<string | number> = isNumeric(column) ? column.numbers : column.texts;
  const known = new Map<string | number, number>();
  return Int32Array.from({ length: rows }, (_, row) => {
    const value = values[row]!;
    const rank = known.get(value) ?? known.size;
    known.set(value, rank);
    return rank;
  });
}

function pick(column: FrameColumn, rows: readonly number[]): FrameColumn {
  const { name } = column;
  if (isNumeric(column)) return { name, numbers: rows.map((row) => column.numbers[row]!) };
  return { name, texts: rows.map((row) => column.texts[row]!) };
}

function aggregate(
  danfo: Danfo,
  { name, numbers }: NumberColumn,
  asked: readonly Aggregate[],
  groupOf: Int32Array,
  groups: number,
): readonly NumberColumn[] {
  const result = Object.fromEntries(
    asked.map((one) => [
      one,
      new Float64Array(groups).fill(one === "count" || one === "sum" ? 0 : Number.NaN),
    ]),
  ) as Record<Aggregate, Float64Array>;
  const count = new Float64Array(groups);
  const rows: [string, number][] = [];
  const { first, last, compound } = result;
  for (let row = 0; row < groupOf.length; row++) {
    const group = groupOf[row]!;
    const value = numbers[row]!;
    if (Number.isNaN(value)) continue;
    if (count[group]!++ === 0) {
      if (first) first[group] = value;
      if (compound) compound[group] = 1;
    }
    if (last) last[group] = value;
    if (compound) compound[group]! *= 1 + value;
    rows.push([String(group), value]);
  }
  if (compound) for (let group = 0; group < groups; group++) compound[group]! -= 1;
  if (result.count) result.count.set(count);
  if (result.median) {
    const values = Array.from({ length: groups }, (): number[] => []);
    for (const [group, value] of rows) values[Number(group)]!.push(value);
    for (const [group, own] of values.entries()) if (own.length > 0) result.median[group] = medianOf(own);
  }
  // Groups are numbered for danfojs, which otherwise mistakes ("a-b", "c") for ("a", "b-c") and fails at "constructor".
  const computed = asked.filter((one) => danfoAggregates.has(one));
  if (computed.length > 0 && rows.length > 0) {
    const frame = new danfo.DataFrame(rows, { columns: ["group", "value"], dtypes: ["string", "float32"] });
    const grouped = frame.groupby(["group"]).col(["value"]).agg({ value: computed });
    const at = new Map(grouped.columns.map((column, index) => [column, index]));
    for (const cells of grouped.values) {
      const group = Number(cells[at.get("group")!]);
      for (const one of computed) result[one][group] = cells[at.get(`value_${one}`)!] as number;
      // Of a single value danfojs says 0, which would be a certainty that nobody has.
      if (result.std && count[group] === 1) result.std[group] = Number.NaN;
    }
  }
  return asked.map((one) => ({ name: `${name}_${one}`, numbers: result[one] }));
}
