import { createHash } from "node:crypto";
import { endianness } from "node:os";
import type { BarSeries, Field } from "@pf/market";
import { timestampsOf } from "./timestamps.js";

/**
 * Names the content of a series: equal bars have equal hashes, whatever the symbol, the file or the machine.
 *
 * SHA-256 over the number of bars (64-bit), the timestamps (64-bit milliseconds since 1970, UTC) and then open, high,
 * low, close and volume as IEEE 754 doubles, column after column, everything little-endian.
 *
 * @returns 64 hexadecimal digits
 * @example
 * contentHash(series) === contentHash({ ...series, ticker: "OTHER" }); // => true
 */
export function contentHash(series: BarSeries): string {
  return hashOf(timestampsOf(series), series);
}

/** The same for whoever has the timestamps at hand. */
export function hashOf(timestamps: Float64Array, series: Readonly<Record<Field, Float64Array>>): string {
  const hash = createHash("sha256");
  hash.update(wholeNumbers([timestamps.length]));
  hash.update(wholeNumbers(timestamps));
  for (const column of [series.open, series.high, series.low, series.close, series.volume]) {
    hash.update(doubles(column));
  }
  return hash.digest("hex");
}

/** Signed 64-bit integers; splitting by hand is four times as fast as going through `bigint`. */
function wholeNumbers(values: ArrayLike<number>): Uint8Array {
  const bytes = new DataView(new ArrayBuffer(values.length * 8));
  for (let at = 0; at < values.length; at++) {
    const high = Math.floor(values[at]! / 2 ** 32);
    bytes.setUint32(at * 8, values[at]! - high * 2 ** 32, true);
    bytes.setInt32(at * 8 + 4, high, true);
  }
  return new Uint8Array(bytes.buffer);
}

function doubles(values: Float64Array): Uint8Array {
  if (endianness() === "LE") return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  const bytes = new DataView(new ArrayBuffer(values.length * 8));
  for (let at = 0; at < values.length; at++) bytes.setFloat64(at * 8, values[at]!, true);
  return new Uint8Array(bytes.buffer);
}
