import type { FoldRow, FrameColumn } from "@pf/report/frame";
import { RequestError } from "../errors.js";
import { ResultFileError } from "./errors.js";

/** A table of results with what is known of it. */
export interface ResultTable {
  /** Which of the tables of its source it is. */
  readonly name: string;
  /** All tables of the source; the first is shown where nobody says. */
  readonly names: readonly string[];
  readonly columns: readonly FrameColumn[];
  /** What a person should know before believing a statistic of it. */
  readonly notes: readonly string[];
}

const anew = "make it anew with the command that wrote it, or name another file";
type Rows = readonly Readonly<Record<string, unknown>>[];

/**
 * The table of a JSON document that a command wrote: metrics.json, walkforward.json (`folds`, `grid`), permutation.json
 * (`windows`, `runs`), or a list of plain rows such as `pf frame --export` writes.
 *
 * @throws ResultFileError when it is none of these
 * @throws RequestError when it has no table of that name
 */
export async function tableOfJson(file: string, text: string, wanted?: string): Promise<ResultTable> {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (cause) {
    const { message } = cause as Error;
    throw new ResultFileError(file, `this is no JSON: ${message}`, anew, { cause });
  }
  try {
    const tables = tablesOf(document);
    if (!tables) {
      const known = "a list of rows, metrics.json, walkforward.json or permutation.json";
      throw new ResultFileError(file, `there is no table in it; it would have to be ${known}`, anew);
    }
    const names = Object.keys(tables);
    const name = wanted ?? names[0]!;
    const make = tables[name];
    if (!make) {
      const next = `choose one of ${names.join(", ")} with --table, or leave it out`;
      throw new RequestError(`there is no table ${name} in ${file}`, next);
    }
    return { name, names, columns: await make(), notes: [] };
  } catch (cause) {
    // What a document of ours always holds is missing from this one.
    if (!(cause instanceof TypeError)) throw cause;
    throw new ResultFileError(file, "it looks like a report, but parts of it are missing", anew, { cause });
  }
}

function tablesOf(document: unknown): Record<string, () => Promise<readonly FrameColumn[]>> | undefined {
  if (Array.isArray(document)) return { rows: async () => columnsOfRows(document as Rows) };
  if (typeof document !== "object" || document === null) return undefined;
  if ("folds" in document && "grid" in document) {
    const { folds, grid } = document as WalkForwardJson;
    const frame = async (value: Parameters<Frames["toDataFrame"]>[0]) => {
      const { columnsOf, toDataFrame } = await import("@pf/report/frame");
      return columnsOf(await toDataFrame(value));
    };
    return { folds: () => frame({ folds }), grid: () => frame({ points: grid.points, folds }) };
  }
  if ("windows" in document && "overall" in document) {
    const { windows } = document as PermutationJson;
    return {
      windows: async () =>
        columnsOfRows(windows.map(({ permuted, distribution, ...facts }) => ({ ...facts, ...distribution }))),
      runs: async () =>
        columnsOfRows(
          windows.flatMap(({ window, trainStart, trainEnd, permuted }) =>
            permuted.map((score, run) => ({ window, trainStart, trainEnd, run, score })),
          ),
        ),
    };
  }
  if ("metrics" in document) {
    const { metrics, benchmarks = {}, literal } = document as MetricsJson;
    return {
      metrics: async () =>
        columnsOfRows([
          { run: "portfolio", ...metrics },
          ...Object.entries(benchmarks).map(([run, one]) => ({ run, ...one })),
          ...(literal ? [{ run: "literal", ...literal }] : []),
        ]),
    };
  }
  return undefined;
}

type Frames = typeof import("@pf/report/frame");

interface WalkForwardJson {
  readonly folds: readonly (FoldRow & { readonly objectives: readonly (number | null)[] })[];
  readonly grid: { readonly points: readonly FoldRow["params"][] };
}

interface PermutationJson {
  readonly windows: readonly {
    readonly window: number;
    readonly trainStart: string;
    readonly trainEnd: string;
    readonly permuted: readonly (number | null)[];
    readonly distribution?: Readonly<Record<string, unknown>>;
  }[];
}

interface MetricsJson {
  readonly metrics: Readonly<Record<string, number | null>>;
  readonly benchmarks?: Readonly<Record<string, Readonly<Record<string, number | null>>>>;
  readonly literal?: Readonly<Record<string, number | null>>;
}

/**
 * Columns of rows as JSON has them, in the order in which their names first occur: numbers where every value is a number or
 * null, texts where none is a list or an object, and nothing of the rest.
 */
function columnsOfRows(rows: Rows): readonly FrameColumn[] {
  const names = new Set(rows.flatMap((row) => Object.keys(row)));
  return [...names].flatMap((name): FrameColumn[] => {
    const values = rows.map((row) => row[name] ?? null);
    if (values.some((value) => typeof value === "object" && value !== null)) return [];
    const isNumeric = values.every((value) => value === null || typeof value === "number");
    if (isNumeric && values.some((value) => value !== null))
      return [
        { name, numbers: Float64Array.from(values, (value) => (value as number | null) ?? Number.NaN) },
      ];
    return [{ name, texts: values.map((value) => (value === null ? "" : String(value))) }];
  });
}

/** What a table of targets leaves out, which a mean over it would hide. */
export const heldOnly =
  "only weights that are not 0 are listed: statistics are over the sessions on which a symbol is held";

/** The fold out of sample to which each date belongs, for the files that stand beside walkforward.json. */
export function foldOfDates(file: string, dates: readonly string[], walkforward: string): Float64Array {
  const { folds } = JSON.parse(walkforward) as WalkForwardJson;
  return Float64Array.from(dates, (date) => {
    const fold = folds.find(({ oosStart, oosEnd }) => oosStart <= date && date <= oosEnd);
    if (fold) return fold.index;
    throw new ResultFileError(file, `${date} lies in no fold of the walkforward.json beside it`, anew);
  });
}
