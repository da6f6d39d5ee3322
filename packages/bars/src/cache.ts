import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Ticker } from "@pf/market";
import { prepareFolder, removeFile, writeFileAtomically } from "./atomic-file.js";
import { CacheFileError, CacheReadError, errnoOf } from "./errors.js";
import { type BarKind, decodeBars, encodeBars, NotOurBars, type StoredBars } from "./parquet.js";
import { checkedTicker } from "./ticker.js";

/** A folder of bars, one Parquet file a symbol and kind, that any Parquet reader opens. */
export interface BarCache {
  /** The data folder; the files lie in its sub-folder `parquet`. */
  readonly directory: string;
  /** Where the bars of a symbol are or would be. @throws InvalidTickerError */
  file(ticker: Ticker, kind?: BarKind): string;
  /**
   * The stored bars, checked against their hash, or undefined where there is no file.
   *
   * @throws CacheFileError when the file is truncated, damaged or of another making
   * @throws CacheReadError when the system refuses to read it
   */
  read(ticker: Ticker, kind?: BarKind): Promise<StoredBars | undefined>;
  /**
   * Stores bars whole in place of what was there; a reader, a crash or a full disk never sees half of them.
   *
   * @returns whether the file changed: equal bars leave it untouched
   * @throws WriteError when the disk is full, read-only, or a file stands where a folder should
   * @throws InvalidBarsError for a series without bars, or of another kind
   */
  write(bars: Omit<StoredBars, "hash">, kind?: BarKind): Promise<boolean>;
  /**
   * Makes the folder and takes away what killed runs left in it. Writing does so by itself; calling it first tells
   * early whether writing is possible at all.
   *
   * @throws WriteError when the folder cannot be made or written into
   */
  prepare(): void;
  /** Takes the bars of a symbol away, if there are any. @throws WriteError */
  remove(ticker: Ticker, kind?: BarKind): void;
  /** The symbols that have a file of the kind, in alphabetical order. @throws CacheReadError */
  tickers(kind?: BarKind): readonly Ticker[];
}

/**
 * Opens the cache of a data folder. Nothing is read or made before it is needed.
 *
 * @param directory - the data folder, which need not exist yet
 */
export function openBarCache(directory: string): BarCache {
  const folder = join(directory, "parquet");
  let prepared = false;
  const prepare = () => {
    if (prepared) return;
    prepareFolder(folder);
    prepared = true;
  };
  const file = (ticker: Ticker, kind: BarKind = "daily") =>
    join(folder, checkedTicker(ticker) + suffixes[kind]);

  return {
    directory,
    file,
    async read(ticker, kind = "daily") {
      const path = file(ticker, kind);
      const bytes = readIfThere(path);
      if (!bytes) return undefined;
      try {
        return await decodeBars(bytes, ticker, kind);
      } catch (error) {
        throw error instanceof NotOurBars ? new CacheFileError(path, error.message, { cause: error }) : error;
      }
    },
    async write(bars, kind = "daily") {
      const path = file(bars.series.ticker, kind);
      const bytes = await encodeBars(bars, kind);
      prepare();
      if (holds(path, bytes)) return false;
      writeFileAtomically(path, bytes);
      return true;
    },
    prepare,
    remove: (ticker, kind = "daily") => removeFile(file(ticker, kind)),
    tickers(kind = "daily") {
      const tickers: Ticker[] = [];
      for (const name of namesIn(folder)) {
        const match = fileForm.exec(name);
        if (match && `${match[2] ?? ""}.parquet` === suffixes[kind]) tickers.push(match[1]!);
      }
      return tickers.sort();
    },
  };
}

const suffixes: Readonly<Record<BarKind, string>> = {
  daily: ".parquet",
  trades: ".trades.parquet",
  hourly: ".1h.parquet",
};

// The kinds are in lower case and symbols in capitals, so that `BRK.B` and `SPY.trades` cannot be confused.
const fileForm = /^([A-Z0-9][A-Z0-9.-]{0,15}?)(\.trades|\.1h)?\.parquet$/;

function readIfThere(path: string): ArrayBuffer | undefined {
  try {
    const bytes = readFileSync(path);
    // A buffer of its own: small files come from a pool that others share.
    return bytes.buffer.byteLength === bytes.byteLength && bytes.buffer instanceof ArrayBuffer
      ? bytes.buffer
      : new Uint8Array(bytes).buffer;
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === "ENOENT") return undefined;
    throw errno === undefined ? error : new CacheReadError(path, errno, { cause: error });
  }
}

function holds(path: string, bytes: Uint8Array): boolean {
  try {
    return readFileSync(path).equals(bytes);
  } catch (error) {
    // Whatever hinders reading, writing will run into and name.
    if (errnoOf(error) === undefined) throw error;
    return false;
  }
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === "ENOENT") return [];
    throw errno === undefined ? error : new CacheReadError(folder, errno, { cause: error });
  }
}
