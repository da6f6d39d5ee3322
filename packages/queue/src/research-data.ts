import { createHash } from "node:crypto";
import { endianness } from "node:os";
import { promisify } from "node:util";
import { brotliCompress, brotliDecompress, constants } from "node:zlib";
import type { Field, Panel, SessionDate, Ticker } from "@pf/market";
import type { Study } from "@pf/research";

/** What units are run on, in memory that threads may share. */
export interface ResearchData {
  readonly study: Study;
  readonly sessions: readonly SessionDate[];
  /** Of hourly bars. */
  readonly endsUtcMs?: Float64Array;
  readonly tickers: readonly Ticker[];
  /** Five columns a ticker, each as long as `sessions`: open, high, low, close, volume; `NaN` without a bar. */
  readonly bars: SharedArrayBuffer;
}

/** Bars and study as they travel. */
export interface PackedData {
  /** SHA-256 of the content before it was compressed, hexadecimal. */
  readonly hash: string;
  readonly bytes: Buffer;
  /** Bytes before compression. */
  readonly size: number;
}

const fields = ["open", "high", "low", "close", "volume"] as const satisfies readonly Field[];

/** Bars of a thousand symbols stay far below this; what claims more is not ours. */
const largest = 2 ** 31 - 1;

const compress = promisify(brotliCompress);
const decompress = promisify(brotliDecompress);

/**
 * Packs what every unit of a run needs and no unit carries. Equal bars and studies give equal hashes.
 *
 * The content is a length, a header in JSON and the columns, little-endian doubles as they lie in memory.
 */
export async function packData({
  panel,
  study,
}: {
  readonly panel: Panel;
  readonly study: Study;
}): Promise<PackedData> {
  const { sessions, tickers } = panel;
  const ends = panel.endsUtcMs ? { ends: [...panel.endsUtcMs] } : {};
  const header = Buffer.from(JSON.stringify({ study, sessions, ...ends, tickers }));
  const rows = sessions.length;
  const content = Buffer.alloc(4 + header.length + tickers.length * fields.length * rows * 8);
  content.writeUInt32LE(header.length, 0);
  header.copy(content, 4);
  let at = 4 + header.length;
  for (const ticker of tickers) {
    for (const field of fields) {
      const column = Float64Array.from(panel.column(field, ticker));
      littleEndian(Buffer.from(column.buffer)).copy(content, at);
      at += rows * 8;
    }
  }
  const bytes = await compress(content, {
    params: { [constants.BROTLI_PARAM_QUALITY]: 4, [constants.BROTLI_PARAM_SIZE_HINT]: content.length },
  });
  return { hash: hashOf(content), bytes, size: content.length };
}

/** What {@link packData} packed; undefined where the bytes are not those of the hash. */
export async function unpackData(hash: string, bytes: Buffer): Promise<ResearchData | undefined> {
  let content: Buffer;
  try {
    content = await decompress(bytes, { maxOutputLength: largest });
  } catch {
    // Bytes that are no compressed content are not those of the hash either.
    return undefined;
  }
  if (hashOf(content) !== hash) return undefined;
  const start = 4 + content.readUInt32LE(0);
  const { ends, ...header } = JSON.parse(content.toString("utf8", 4, start)) as Omit<
    ResearchData,
    "bars" | "endsUtcMs"
  > & { readonly ends?: readonly number[] };
  const columns = littleEndian(content.subarray(start));
  const bars = new SharedArrayBuffer(columns.length);
  new Uint8Array(bars).set(columns);
  return { ...header, ...(ends ? { endsUtcMs: Float64Array.from(ends) } : {}), bars };
}

function hashOf(content: Buffer): string {
  return createHash("sha256").update(content).digest("hex");
}

function littleEndian(bytes: Buffer): Buffer {
  return endianness() === "LE" ? bytes : Buffer.from(bytes).swap64();
}
