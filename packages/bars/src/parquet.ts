import { endianness } from "node:os";
import type { BarSeries, Field, SessionDate, Ticker } from "@pf/market";
import { assertBarSeries, InvalidBarsError, isCivilDate } from "@pf/market";
import type { FileMetaData, SchemaElement } from "hyparquet";
import { contentHash, hashOf } from "./content-hash.js";
import { sessionOfBarEnd, sessionOfMidnight, timestampsOf } from "./timestamps.js";

/** Which bars a file holds: adjusted daily ones, unadjusted daily ones as traded, or hourly ones. */
export type BarKind = "daily" | "trades" | "hourly";

/** Bars with what the cache remembers about them. */
export interface StoredBars {
  readonly series: BarSeries;
  /** The name of the source that gave them. */
  readonly source: string;
  /** The first day ever asked for; the source has nothing between it and the first bar. */
  readonly requestedFrom: SessionDate;
  /** {@link contentHash} of the series. */
  readonly hash: string;
}

/**
 * Writes bars as Parquet: one row group, columns `ts` (TIMESTAMP in UTC milliseconds) and open to volume (DOUBLE), all
 * required, plain and uncompressed, because prices hardly compress and pages that need no decoding are read fastest.
 * Equal input gives equal bytes.
 *
 * @throws InvalidBarsError for a series without bars or with columns that do not fit together
 */
export async function encodeBars(bars: Omit<StoredBars, "hash">, kind: BarKind): Promise<Uint8Array> {
  const { series } = bars;
  assertStorable(series, kind);
  // Loaded here: a command that only reads need not pay for the writer.
  const { parquetWriteBuffer } = await import("hyparquet-writer");
  const ts = BigInt64Array.from(timestampsOf(series), BigInt);
  const buffer = parquetWriteBuffer({
    schema: [...schema],
    codec: "UNCOMPRESSED",
    rowGroupSize: series.sessions.length,
    pageSize: 0,
    createdBy: "pf",
    columnData: [
      { name: "ts", data: ts, encoding: "PLAIN" },
      ...fields.map((name) => ({ name, data: series[name], encoding: "PLAIN" as const })),
    ],
    kvMetadata: [
      { key: "pf.schema", value: schemaVersion },
      { key: "pf.symbol", value: series.ticker },
      { key: "pf.kind", value: kind },
      { key: "pf.source", value: bars.source },
      { key: "pf.requested_from", value: bars.requestedFrom },
      { key: "pf.sha256", value: contentHash(series) },
    ],
  });
  return new Uint8Array(buffer);
}

/**
 * Reads what {@link encodeBars} wrote, and nothing else.
 *
 * @throws NotOurBars saying what is wrong, for bytes that are truncated, damaged, or of another making
 */
export async function decodeBars(bytes: ArrayBuffer, ticker: Ticker, kind: BarKind): Promise<StoredBars> {
  // The footer alone needs a Parquet reader, and this part of it loads in a tenth of the time.
  const { parquetMetadata } = await import("hyparquet/src/metadata.js");
  const { facts, pages } = reading(() => {
    const metadata = parquetMetadata(bytes);
    assertOurSchema(metadata);
    return { facts: factsOf(metadata, ticker, kind), pages: pagesOf(metadata) };
  });
  const [ts, ...columns] = pages.map((page) => valuesOf(page, bytes)) as [ArrayBuffer, ...ArrayBuffer[]];
  const timestamps = wholeNumbers(ts);
  const values = Object.fromEntries(fields.map((name, at) => [name, doubles(columns[at]!)])) as Columns;
  const hash = hashOf(timestamps, values);
  if (hash !== facts.hash) throw new NotOurBars("its content does not match its hash: the file is damaged");
  const series: BarSeries = {
    ticker,
    sessions: sessionsOf(timestamps, kind),
    ...(kind === "hourly" ? { endsUtcMs: timestamps } : {}),
    ...values,
  };
  assertBarSeries(series);
  return { series, source: facts.source, requestedFrom: facts.requestedFrom, hash };
}

/** Why bytes are not the bars they should be; whoever knows the file's name turns it into a `CacheFileError`. */
export class NotOurBars extends Error {
  override readonly name = "NotOurBars";
}

type Columns = Readonly<Record<Field, Float64Array>>;

const schemaVersion = "1";
const fields = ["open", "high", "low", "close", "volume"] as const;
const schema: readonly SchemaElement[] = [
  { name: "bars", num_children: 1 + fields.length },
  {
    name: "ts",
    type: "INT64",
    // Both: the first is what older readers look at, the second carries the UTC flag.
    converted_type: "TIMESTAMP_MILLIS",
    logical_type: { type: "TIMESTAMP", isAdjustedToUTC: true, unit: "MILLIS" },
    repetition_type: "REQUIRED",
  },
  ...fields.map((name): SchemaElement => ({ name, type: "DOUBLE", repetition_type: "REQUIRED" })),
];

function assertStorable(series: BarSeries, kind: BarKind): void {
  assertBarSeries(series);
  if (series.sessions.length === 0)
    throw new InvalidBarsError(series.ticker, "a series without bars cannot be stored");
  if ((kind === "hourly") !== (series.endsUtcMs !== undefined)) {
    throw new InvalidBarsError(series.ticker, `these are not ${kind} bars`);
  }
  const ends = series.endsUtcMs;
  if (!ends) return;
  for (let row = 0; row < ends.length; row++) {
    if (sessionOfBarEnd(ends[row]!) !== series.sessions[row]) {
      throw new InvalidBarsError(
        series.ticker,
        `the bar that ends at ${ends[row]} is not of ${series.sessions[row]}`,
      );
    }
  }
}

function assertOurSchema(metadata: FileMetaData): void {
  const [root, ...found] = metadata.schema;
  const wanted = schema.slice(1);
  const names = found.map(({ name }) => name);
  if (root?.num_children !== wanted.length || found.length !== wanted.length) {
    throw new NotOurBars(`its columns are ${names.join(", ") || "none"} instead of ts, ${fields.join(", ")}`);
  }
  wanted.forEach((column, at) => {
    const own = found[at]!;
    if (own.name !== column.name) {
      throw new NotOurBars(`its columns are ${names.join(", ")} instead of ts, ${fields.join(", ")}`);
    }
    const isUtc = own.logical_type?.type === "TIMESTAMP" && own.logical_type.isAdjustedToUTC;
    const fits =
      own.type === column.type &&
      own.repetition_type === column.repetition_type &&
      own.converted_type === column.converted_type &&
      (column.logical_type === undefined || isUtc);
    if (!fits) {
      throw new NotOurBars(
        `its column ${own.name} is ${own.repetition_type} ${own.converted_type ?? own.type} instead of ` +
          `${column.repetition_type} ${column.converted_type ?? column.type}`,
      );
    }
  });
}

function factsOf(metadata: FileMetaData, ticker: Ticker, kind: BarKind) {
  const written = new Map(metadata.key_value_metadata?.map(({ key, value }) => [key, value]));
  const fact = (key: string): string => {
    const value = written.get(`pf.${key}`);
    if (value === undefined) throw new NotOurBars(`it lacks the note pf.${key}, so something else wrote it`);
    return value;
  };
  const version = fact("schema");
  if (version !== schemaVersion)
    throw new NotOurBars(`it has version ${version} of the format, this is ${schemaVersion}`);
  if (fact("symbol") !== ticker) throw new NotOurBars(`it holds bars of ${fact("symbol")}, not of ${ticker}`);
  if (fact("kind") !== kind) throw new NotOurBars(`it holds ${fact("kind")} bars, not ${kind} ones`);
  const requestedFrom = fact("requested_from");
  if (!isCivilDate(requestedFrom)) throw new NotOurBars(`its note pf.requested_from is "${requestedFrom}"`);
  return { source: fact("source"), requestedFrom, hash: fact("sha256") };
}

/** Where the values of a column lie, and how many bytes they take. */
interface Page {
  readonly end: number;
  readonly length: number;
}

function pagesOf(metadata: FileMetaData): readonly Page[] {
  const [group, ...others] = metadata.row_groups;
  if (!group || others.length > 0 || group.columns.length !== schema.length - 1) {
    throw new NotOurBars(`it has ${metadata.row_groups.length} row groups instead of one`);
  }
  return group.columns.map(({ meta_data: column }) => {
    const isPlain =
      column?.codec === "UNCOMPRESSED" && column.encodings.every((encoding) => encoding === "PLAIN");
    if (!isPlain || column.num_values !== metadata.num_rows) {
      throw new NotOurBars("its columns are not stored plain and uncompressed, one page each");
    }
    const end = Number(column.data_page_offset + column.total_compressed_size);
    return { end, length: Number(column.num_values) * 8 };
  });
}

/**
 * A required, plain, uncompressed page ends with its values and has nothing after them, so they need no decoding: nine
 * files load in a tenth of the time that goes into a general reader. Should the place be wrong, the hash would be too.
 */
function valuesOf({ end, length }: Page, bytes: ArrayBuffer): ArrayBuffer {
  if (!(length >= 0 && end - length >= 0 && end <= bytes.byteLength)) {
    throw new NotOurBars("its footer points outside of it: the file is damaged");
  }
  return bytes.slice(end - length, end);
}

function wholeNumbers(bytes: ArrayBuffer): Float64Array {
  const view = new DataView(bytes);
  const out = new Float64Array(bytes.byteLength / 8);
  for (let at = 0; at < out.length; at++) {
    out[at] = view.getInt32(at * 8 + 4, true) * 2 ** 32 + view.getUint32(at * 8, true);
  }
  return out;
}

function doubles(bytes: ArrayBuffer): Float64Array {
  if (endianness() === "LE") return new Float64Array(bytes);
  const view = new DataView(bytes);
  return Float64Array.from({ length: bytes.byteLength / 8 }, (_, at) => view.getFloat64(at * 8, true));
}

function sessionsOf(ts: Float64Array, kind: BarKind): SessionDate[] {
  const sessions = new Array<SessionDate>(ts.length);
  for (let row = 0; row < ts.length; row++) {
    const session = kind === "hourly" ? sessionOfBarEnd(ts[row]!) : sessionOfMidnight(ts[row]!);
    if (session === undefined)
      throw new NotOurBars(`row ${row} is of ${ts[row]}, which is not midnight in UTC`);
    sessions[row] = session;
  }
  return sessions;
}

/** Whatever a reader trips over in bytes that may be anything is a fault of the bytes. */
function reading<Value>(read: () => Value): Value {
  try {
    return read();
  } catch (error) {
    if (error instanceof NotOurBars) throw error;
    const why = error instanceof Error ? error.message : String(error);
    throw new NotOurBars(`it cannot be read as Parquet (${why})`, { cause: error });
  }
}
