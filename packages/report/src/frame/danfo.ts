import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { DanfoMissingError } from "./errors.js";

/**
 * A DataFrame of danfojs: the part of it that is used and tried here. A frame has more methods than these; its arithmetic
 * (`add`, `div`, ...) is done in float32.
 */
export interface DataFrame {
  readonly columns: readonly string[];
  /** `"float32"` means "number" here: the values themselves are doubles and stay that until one computes with them. */
  readonly dtypes: readonly string[];
  /** Rows and columns. */
  readonly shape: readonly [number, number];
  readonly index: readonly (string | number)[];
  /** Row by row. */
  readonly values: readonly (readonly unknown[])[];
  column(name: string): Series;
  describe(): DataFrame;
  groupby(columns: readonly string[]): GroupBy;
  head(rows?: number): DataFrame;
  loc(part: {
    readonly columns?: readonly string[];
    readonly rows?: readonly (string | number)[];
  }): DataFrame;
  /** A box of at most ten rows and ten columns, for a terminal of any width. */
  toString(): string;
  print(): void;
}

/** A column of its own. Its statistics are computed in doubles; of a single value, `std` says 0. */
export interface Series {
  readonly dtypes: readonly string[];
  readonly values: readonly unknown[];
  count(): number;
  max(): number;
  mean(): number;
  median(): number;
  min(): number;
  std(): number;
  sum(): number;
}

/** Groups keep no order that can be relied on, and are told apart by their keys joined with hyphens. */
export interface GroupBy {
  agg(operations: Readonly<Record<string, string | readonly string[]>>): DataFrame;
  col(columns: readonly string[]): GroupBy;
}

/** The library, as far as it is used here. */
export interface Danfo {
  readonly DataFrame: new (
    rows: readonly (readonly unknown[])[],
    options?: { readonly columns?: readonly string[]; readonly dtypes?: readonly string[] },
  ) => DataFrame;
  readonly Series: new (
    values: readonly unknown[],
    options?: { readonly dtypes?: readonly string[] },
  ) => Series;
  toCSV(frame: DataFrame): string;
  /** One object a row. */
  toJSON(frame: DataFrame): readonly Readonly<Record<string, unknown>>[];
}

let loaded: Danfo | undefined;

/**
 * danfojs with TensorFlow in plain JavaScript, from the one file in which this package brings it: three megabytes, a third
 * of a second and 80 MB of memory, paid by whoever calls this first.
 *
 * @throws DanfoMissingError when the file is not there
 */
export async function loadDanfo(): Promise<Danfo> {
  loaded ??= createRequire(import.meta.url)(fileOfDanfo()) as Danfo;
  return loaded;
}

/** Beside a program's own files, in this package once it is built, or in it as source. */
function fileOfDanfo(): string {
  const places = ["vendor/danfojs.cjs", "../vendor/danfojs.cjs", "../../vendor/danfojs.cjs"];
  const looked = places.map((place) => fileURLToPath(new URL(place, import.meta.url)));
  const found = looked.find((file) => existsSync(file));
  if (found === undefined) throw new DanfoMissingError(looked);
  return found;
}
