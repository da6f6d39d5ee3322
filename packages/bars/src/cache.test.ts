import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { type BarSeries, dayNumber, InvalidBarsError } from "@pf/market";
import fc from "fast-check";
import { parquetMetadata, parquetReadObjects } from "hyparquet";
import { parquetWriteBuffer } from "hyparquet-writer";
import { describe, expect, it } from "vitest";
import { altered, bits, day, fields, sound, temporaryFolder } from "../test/world.js";
import { openBarCache } from "./cache.js";
import { contentHash } from "./content-hash.js";
import { CacheFileError, CacheReadError, InvalidTickerError, WriteError } from "./errors.js";
import { decodeBars, encodeBars, NotOurBars } from "./parquet.js";

const stored = (series: BarSeries) => ({ series, source: "csv", requestedFrom: day("2015-01-01") });

describe("the bar cache", () => {
  it("gives back every number to the last bit, the smallest, the largest and minus zero included", async () => {
    const cache = openBarCache(temporaryFolder());
    const extremes = [5e-324, 2.2250738585072014e-308, 0.1 + 0.2, 1.7976931348623157e308, -0, 2 ** 53 + 2];
    const value = fc.oneof(fc.constantFrom(...extremes), fc.double({ noNaN: true, noDefaultInfinity: true }));
    const rows = fc.array(fc.tuple(value, value, value, value, value), { minLength: 1, maxLength: 60 });
    await fc.assert(
      fc.asyncProperty(rows, async (rows) => {
        const column = (at: number) => Float64Array.from(rows, (row) => row[at]!);
        const series: BarSeries = {
          ...sound("SPY", "2015-01-02", rows.length),
          open: column(0),
          high: column(1),
          low: column(2),
          close: column(3),
          volume: column(4),
        };
        await cache.write(stored(series));
        const read = await cache.read("SPY");
        expect(bits(read!.series)).toEqual(bits(series));
        expect(read!.series.sessions).toEqual(series.sessions);
        expect(read!.hash).toBe(contentHash(series));
      }),
      { numRuns: 60 },
    );
  });

  it("remembers the source and the first day ever asked for", async () => {
    const cache = openBarCache(temporaryFolder());
    await cache.write({
      series: sound("SPY", "2020-03-02", 3),
      source: "synthetic:7",
      requestedFrom: day("2019-01-01"),
    });
    expect(await cache.read("SPY")).toMatchObject({ source: "synthetic:7", requestedFrom: "2019-01-01" });
  });

  it("writes the same bytes for the same bars, and leaves a file alone that would not change", async () => {
    const [one, other] = [openBarCache(temporaryFolder()), openBarCache(temporaryFolder())];
    const series = sound("SPY", "2015-01-02", 300);
    expect(await one.write(stored(series))).toBe(true);
    expect(await other.write(stored(series))).toBe(true);
    expect(readFileSync(one.file("SPY")).equals(readFileSync(other.file("SPY")))).toBe(true);
    utimesSync(one.file("SPY"), 1, 1);
    expect(await one.write(stored(series))).toBe(false);
    expect(statSync(one.file("SPY")).mtimeMs).toBe(1000);
    expect(await one.write(stored(altered(series, 299, { volume: 1 })))).toBe(true);
    expect(readFileSync(one.file("SPY")).equals(readFileSync(other.file("SPY")))).toBe(false);
  });

  it("keeps adjusted, traded and hourly bars of a symbol in files of their own", async () => {
    const folder = temporaryFolder();
    const cache = openBarCache(folder);
    const ends = Float64Array.of(
      Date.UTC(2024, 0, 2, 15, 30),
      Date.UTC(2024, 0, 2, 16, 30),
      Date.UTC(2024, 0, 3, 0, 30),
    );
    const hourly: BarSeries = {
      ...sound("BRK.B", "2024-01-02", 3),
      sessions: [day("2024-01-02"), day("2024-01-02"), day("2024-01-02")],
      endsUtcMs: ends,
    };
    await cache.write(stored(sound("BRK.B", "2024-01-02", 3)));
    await cache.write(stored(sound("BRK.B", "2024-01-02", 4)), "trades");
    await cache.write(stored(hourly), "hourly");
    expect(readdirSync(join(folder, "parquet")).sort()).toEqual([
      "BRK.B.1h.parquet",
      "BRK.B.parquet",
      "BRK.B.trades.parquet",
    ]);
    expect((await cache.read("BRK.B", "trades"))?.series.sessions).toHaveLength(4);
    const read = await cache.read("BRK.B", "hourly");
    expect(read?.series.endsUtcMs).toEqual(ends);
    expect(read?.series.sessions).toEqual(hourly.sessions);
    for (const kind of ["daily", "trades", "hourly"] as const) expect(cache.tickers(kind)).toEqual(["BRK.B"]);
  });

  it("lists the symbols it holds and forgets those that are removed", async () => {
    const cache = openBarCache(temporaryFolder());
    expect(cache.tickers()).toEqual([]);
    for (const ticker of ["SPY", "BND", "QQQ"]) await cache.write(stored(sound(ticker, "2024-01-02", 2)));
    expect(cache.tickers()).toEqual(["BND", "QQQ", "SPY"]);
    cache.remove("QQQ");
    cache.remove("NONE");
    expect(cache.tickers()).toEqual(["BND", "SPY"]);
    expect(await cache.read("QQQ")).toBeUndefined();
  });

  it.each(["../SPY", "spy", "", ".SPY", "A/B", "A\\B", "SPY\n", "A".repeat(17), "SPY\0"])(
    "has no file for %j, which is no symbol",
    async (text) => {
      const cache = openBarCache(temporaryFolder());
      expect(() => cache.file(text)).toThrow(InvalidTickerError);
      await expect(cache.read(text)).rejects.toMatchObject({ code: "PF_INVALID_SYMBOL", text });
      await expect(cache.write(stored({ ...sound("SPY", "2024-01-02", 2), ticker: text }))).rejects.toThrow(
        InvalidTickerError,
      );
    },
  );

  it("refuses to store nothing, bars in disorder, and bars of another kind", async () => {
    const cache = openBarCache(temporaryFolder());
    const series = sound("SPY", "2024-01-02", 3);
    await expect(cache.write(stored(sound("SPY", "2024-01-02", 0)))).rejects.toThrow(InvalidBarsError);
    await expect(
      cache.write(stored({ ...series, sessions: [...series.sessions].reverse() })),
    ).rejects.toThrow(InvalidBarsError);
    await expect(cache.write(stored(series), "hourly")).rejects.toThrow(InvalidBarsError);
    const otherDay = { ...series, endsUtcMs: Float64Array.of(1e12, 2e12, 3e12) };
    await expect(cache.write(stored(otherDay), "hourly")).rejects.toThrow(/is not of 2024-01-02/);
    expect(cache.tickers()).toEqual([]);
  });
});

describe("the Parquet file", () => {
  it("has a UTC timestamp and five doubles, all required, in one plain row group, for any reader", async () => {
    const cache = openBarCache(temporaryFolder());
    const series = sound("SPY", "2015-01-02", 2849);
    await cache.write(stored(series));
    const bytes = new Uint8Array(readFileSync(cache.file("SPY"))).buffer;
    const metadata = parquetMetadata(bytes);
    expect(metadata.schema.slice(1)).toEqual([
      {
        name: "ts",
        type: "INT64",
        converted_type: "TIMESTAMP_MILLIS",
        logical_type: { type: "TIMESTAMP", isAdjustedToUTC: true, unit: "MILLIS" },
        repetition_type: "REQUIRED",
      },
      ...fields.map((name) => ({ name, type: "DOUBLE", repetition_type: "REQUIRED" })),
    ]);
    expect(metadata.num_rows).toBe(2849n);
    expect(metadata.row_groups).toHaveLength(1);
    for (const { meta_data } of metadata.row_groups[0]!.columns) {
      expect(meta_data).toMatchObject({ codec: "UNCOMPRESSED", encodings: ["PLAIN"] });
    }
    expect(Object.fromEntries(metadata.key_value_metadata!.map(({ key, value }) => [key, value]))).toEqual({
      "pf.schema": "1",
      "pf.symbol": "SPY",
      "pf.kind": "daily",
      "pf.source": "csv",
      "pf.requested_from": "2015-01-01",
      "pf.sha256": contentHash(series),
    });
    const rows = await parquetReadObjects({ file: bytes });
    expect(rows[1]).toEqual({
      ts: new Date(`${series.sessions[1]}T00:00:00Z`),
      ...Object.fromEntries(fields.map((field) => [field, series[field][1]])),
    });
  });

  it("never yields bars when it is cut anywhere", async () => {
    const cache = openBarCache(temporaryFolder());
    await cache.write(stored(sound("SPY", "2015-01-02", 40)));
    const whole = readFileSync(cache.file("SPY"));
    for (let length = 0; length < whole.length; length += length < whole.length - 64 ? 7 : 1) {
      truncateSync(cache.file("SPY"), 0);
      writeFileSync(cache.file("SPY"), whole.subarray(0, length));
      await expect(cache.read("SPY"), `cut to ${length} bytes`).rejects.toThrow(CacheFileError);
    }
  });

  it("never yields other bars when a bit of it flips", async () => {
    const series = sound("SPY", "2015-01-02", 40);
    const whole = await encodeBars(stored(series), "daily");
    let refused = 0;
    for (let at = 0; at < whole.length; at++) {
      const damaged = whole.slice();
      damaged[at]! ^= 1 << ((at * 5) % 8);
      try {
        const read = await decodeBars(damaged.buffer as ArrayBuffer, "SPY", "daily");
        // Statistics and the like are read by nobody here: what is read must be what was written.
        if (contentHash(read.series) !== contentHash(series)) throw new Error(`byte ${at} changed the bars`);
      } catch (error) {
        expect(error, `byte ${at}`).toBeInstanceOf(NotOurBars);
        refused++;
      }
    }
    expect(refused).toBeGreaterThan(40 * 6 * 8);
  }, 20_000);

  const column = (name: string, data: number[]) => ({
    name,
    data: Float64Array.from(data),
    type: "DOUBLE" as const,
  });
  const foreign = {
    "text in its place": () => Buffer.from("date,open,high,low,close,volume\n2015-01-02,1,2,0.5,1,100\n"),
    "an empty file": () => Buffer.alloc(0),
    "other columns": () => parquetWriteBuffer({ columnData: [column("a", [1]), column("b", [2])] }),
    "its columns as optional ones": () =>
      parquetWriteBuffer({
        columnData: [
          { name: "ts", data: [new Date(0)], type: "TIMESTAMP" },
          ...fields.map((name) => column(name, [1])),
        ],
      }),
    "text for a price": () =>
      parquetWriteBuffer({
        columnData: [
          { name: "ts", data: [new Date(0)], type: "TIMESTAMP" },
          ...fields.map((name) => ({ name, data: ["1"], type: "STRING" as const })),
        ],
      }),
  };
  it.each(Object.entries(foreign))("is refused with the reason when it holds %s", async (_, make) => {
    const cache = openBarCache(temporaryFolder());
    mkdirSync(join(cache.directory, "parquet"));
    writeFileSync(cache.file("SPY"), new Uint8Array(make()));
    const error = await cache.read("SPY").catch((caught) => caught);
    expect(error).toBeInstanceOf(CacheFileError);
    expect(error).toMatchObject({ code: "PF_CACHE_FILE", file: cache.file("SPY") });
    expect(error.why.length).toBeGreaterThan(10);
    expect(error.next).toMatch(/pf fetch/);
  });

  it("is refused under the name of another symbol or kind", async () => {
    const cache = openBarCache(temporaryFolder());
    await cache.write(stored(sound("SPY", "2015-01-02", 40)));
    writeFileSync(cache.file("QQQ"), readFileSync(cache.file("SPY")));
    writeFileSync(cache.file("SPY", "trades"), readFileSync(cache.file("SPY")));
    await expect(cache.read("QQQ")).rejects.toThrow("it holds bars of SPY, not of QQQ");
    await expect(cache.read("SPY", "trades")).rejects.toThrow("it holds daily bars, not trades ones");
  });
});

describe("contentHash", () => {
  it("is SHA-256 over count, timestamps and columns in little-endian order", () => {
    const series = altered(sound("SPY", "2015-01-02", 3), 1, { volume: -0 });
    const bytes = new DataView(new ArrayBuffer(8 * (1 + 6 * 3)));
    bytes.setBigInt64(0, 3n, true);
    series.sessions.forEach((session, row) => {
      bytes.setBigInt64(8 + row * 8, BigInt(dayNumber(session)) * 86_400_000n, true);
      for (const [at, field] of fields.entries()) {
        bytes.setFloat64(8 + (3 * (at + 1) + row) * 8, series[field][row]!, true);
      }
    });
    expect(contentHash(series)).toBe(createHash("sha256").update(new Uint8Array(bytes.buffer)).digest("hex"));
  });

  it("does not depend on the symbol, and changes with any bit of any bar", () => {
    const series = sound("SPY", "2015-01-02", 20);
    expect(contentHash({ ...series, ticker: "QQQ" })).toBe(contentHash(series));
    for (const field of fields) {
      const value = series[field][7]!;
      expect(contentHash(altered(series, 7, { [field]: value + 2 ** -43 }))).not.toBe(contentHash(series));
    }
    expect(contentHash(altered(series, 3, { volume: 0 }))).not.toBe(
      contentHash(altered(series, 3, { volume: -0 })),
    );
    expect(contentHash(sound("SPY", "2015-01-05", 20))).not.toBe(contentHash(series));
  });

  it("takes timestamps before 1970", () => {
    const series: BarSeries = { ...sound("SPY", "2015-01-02", 1), sessions: [day("1969-12-31")] };
    const count = Buffer.from("0100000000000000", "hex");
    const ts = Buffer.alloc(8);
    ts.writeBigInt64LE(-86_400_000n);
    const values = Buffer.concat(fields.map((field) => Buffer.from(series[field].buffer)));
    const expected = createHash("sha256").update(count).update(ts).update(values).digest("hex");
    expect(contentHash(series)).toBe(expected);
  });
});

describe("reading and writing where it cannot be done", () => {
  it("says what stands in the way of reading", async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, "data"), "a file");
    const cache = openBarCache(join(folder, "data"));
    await expect(cache.read("SPY")).rejects.toMatchObject({ code: "PF_CANNOT_READ", errno: "ENOTDIR" });
    expect(() => cache.tickers()).toThrow(CacheReadError);
    const other = openBarCache(folder);
    mkdirSync(other.file("SPY"), { recursive: true });
    await expect(other.read("SPY")).rejects.toMatchObject({ errno: "EISDIR", file: other.file("SPY") });
  });

  it("finds nothing in a folder that does not exist, and makes it to write", async () => {
    const cache = openBarCache(join(temporaryFolder(), "not", "yet"));
    expect(await cache.read("SPY")).toBeUndefined();
    expect(existsSync(cache.directory)).toBe(false);
    await cache.write(stored(sound("SPY", "2015-01-02", 2)));
    expect(cache.tickers()).toEqual(["SPY"]);
  });

  it("fails with a write error where a file stands in place of a folder, and a folder in place of a file", async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, "data"), "a file");
    const bars = stored(sound("SPY", "2015-01-02", 2));
    const error = await openBarCache(join(folder, "data"))
      .write(bars)
      .catch((caught) => caught);
    expect(error).toBeInstanceOf(WriteError);
    expect(error).toMatchObject({ code: "PF_CANNOT_WRITE", errno: "ENOTDIR" });
    expect(() => openBarCache(join(folder, "data")).prepare()).toThrow(WriteError);
    const other = openBarCache(folder);
    mkdirSync(join(other.file("SPY"), "full"), { recursive: true });
    await expect(other.write(bars)).rejects.toThrow(WriteError);
    expect(readdirSync(join(folder, "parquet"))).toEqual(["SPY.parquet"]);
  });
});
