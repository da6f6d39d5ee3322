import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  altered,
  bits,
  calendar,
  csvOf,
  day,
  scaled,
  scriptedSource,
  sound,
  temporaryFolder,
  without,
} from "../test/world.js";
import { type BarCache, openBarCache } from "./cache.js";
import { csvSource } from "./csv.js";
import { IngestInterruptedError, MissingBarsError, SourceUnavailableError, WriteError } from "./errors.js";
import { fetchBars, ingest, readCoverage, type SymbolOutcome } from "./ingest.js";
import { loadSeries } from "./load.js";
import { planIngest } from "./plan.js";
import { barsBetween } from "./source.js";
import { syntheticSource } from "./synthetic.js";

const full = sound("SPY", "2024-01-02", 100);
const at = (row: number) => full.sessions[row]!;
const span = (symbols: readonly string[], from: number, to: number) => ({
  symbols,
  from: at(from),
  to: at(to),
});
const files = (folder: string) =>
  Object.fromEntries(
    readdirSync(join(folder, "parquet"))
      .sort()
      .map((name) => {
        const path = join(folder, "parquet", name);
        return [
          name,
          {
            bytes: readFileSync(path).toString("hex"),
            mtime: statSync(path).mtimeMs,
            inode: statSync(path).ino,
          },
        ];
      }),
  );
const only = (outcomes: readonly SymbolOutcome[]) => {
  expect(outcomes).toHaveLength(1);
  return outcomes[0]!;
};

describe("ingestion", () => {
  it("fetches everything once, and then asks for the overlap alone and changes no byte", async () => {
    const folder = temporaryFolder();
    const cache = openBarCache(folder);
    const source = scriptedSource({ SPY: { adjusted: full, trades: scaled(full, 2) } });
    const first = only(await fetchBars(cache, source, calendar, span(["SPY"], 0, 60)));
    expect(first).toMatchObject({
      status: "ok",
      added: 61,
      refetched: false,
      first: at(0),
      last: at(60),
      rows: 61,
      requests: 1,
    });
    const before = files(folder);
    expect(Object.keys(before)).toEqual(["SPY.parquet", "SPY.trades.parquet"]);
    const second = only(await fetchBars(openBarCache(folder), source, calendar, span(["SPY"], 0, 60)));
    expect(second).toMatchObject({
      status: "ok",
      added: 0,
      refetched: false,
      rows: 61,
      requests: 1,
      hash: first.hash!,
      warnings: [],
    });
    expect(files(folder)).toEqual(before);
    expect(source.asked).toEqual([`SPY ${at(0)}..${at(60)}`, `SPY ${at(56)}..${at(60)}`]);
    const third = only(
      await fetchBars(openBarCache(folder), source, calendar, span(["SPY"], 0, 60), { overlap: 0 }),
    );
    expect(third).toMatchObject({ status: "ok", requests: 0, hash: first.hash! });
    expect(source.asked).toHaveLength(2);
  });

  it("fetches everything of a local source each time, and still changes no byte", async () => {
    const folder = temporaryFolder();
    const source = scriptedSource({ SPY: { adjusted: full, trades: scaled(full, 2) } }, "files", true);
    await fetchBars(openBarCache(folder), source, calendar, span(["SPY"], 0, 60));
    const before = files(folder);
    const second = only(await fetchBars(openBarCache(folder), source, calendar, span(["SPY"], 20, 40)));
    expect(second).toMatchObject({ status: "ok", added: 0, refetched: false, rows: 61, requests: 1 });
    expect(source.asked[1]).toBe(`SPY ${at(0)}..${at(60)}`);
    expect(files(folder)).toEqual(before);
    const third = only(await fetchBars(openBarCache(folder), source, calendar, span(["SPY"], 20, 99)));
    expect(third).toMatchObject({ added: 39, refetched: false, rows: 100, requests: 1 });
    expect(bits((await openBarCache(folder).read("SPY"))!.series)).toEqual(bits(full));
  });

  it("of what is there already needs no cache that can be written", async () => {
    const cache = openBarCache(temporaryFolder());
    const full60 = barsBetween(full, at(0), at(60));
    for (const local of [false, true]) {
      const source = scriptedSource({ SPY: { adjusted: full60, trades: full60 } }, "scripted", local);
      await fetchBars(cache, source, calendar, span(["SPY"], 0, 60));
      const refuse = () => {
        throw new WriteError(cache.directory, "EROFS");
      };
      const readOnly = { ...cache, prepare: refuse, write: refuse };
      const outcome = only(await fetchBars(readOnly, source, calendar, span(["SPY"], 0, 60)));
      expect(outcome).toMatchObject({ status: "ok", requests: 1, rows: 61 });
      source.bars.SPY = { adjusted: scaled(full60, 2), trades: full60 };
      await expect(fetchBars(readOnly, source, calendar, span(["SPY"], 0, 60))).rejects.toThrow(WriteError);
    }
  });

  it("asks again where the source ends early, and still changes no byte", async () => {
    const folder = temporaryFolder();
    const source = scriptedSource({ SPY: { adjusted: barsBetween(full, at(0), at(60)) } });
    await fetchBars(openBarCache(folder), source, calendar, span(["SPY"], 0, 99));
    const before = files(folder);
    const again = only(await fetchBars(openBarCache(folder), source, calendar, span(["SPY"], 0, 99)));
    expect(again).toMatchObject({ added: 0, requests: 1, refetched: false });
    expect(source.asked[1]).toBe(`SPY ${at(56)}..${at(99)}`);
    expect(files(folder)).toEqual(before);
  });

  it("gives the same bytes in one go, in steps forwards, and in steps backwards", async () => {
    const source = scriptedSource({ SPY: { adjusted: full, trades: scaled(full, 3) } });
    const contents: unknown[] = [];
    for (const steps of [
      [[0, 99]],
      [
        [0, 40],
        [0, 41],
        [0, 99],
      ],
      [
        [70, 99],
        [30, 80],
        [0, 99],
      ],
      [
        [50, 50],
        [0, 99],
      ],
    ]) {
      const folder = temporaryFolder();
      for (const [from, to] of steps as [number, number][]) {
        const outcome = only(
          await fetchBars(openBarCache(folder), source, calendar, span(["SPY"], from, to)),
        );
        expect(outcome).toMatchObject({ status: "ok", refetched: false });
      }
      contents.push(Object.values(files(folder)).map(({ bytes }) => bytes));
    }
    for (const content of contents) expect(content).toEqual(contents[0]);
  });

  it("does not ask again for what would lie before the first bar", async () => {
    const folder = temporaryFolder();
    const late = barsBetween(full, at(30), at(99));
    const source = scriptedSource({ SPY: { adjusted: late } });
    await fetchBars(openBarCache(folder), source, calendar, span(["SPY"], 40, 99));
    const second = only(await fetchBars(openBarCache(folder), source, calendar, span(["SPY"], 0, 99)));
    expect(second).toMatchObject({ added: 10, first: at(30), requests: 1 });
    const before = files(folder);
    const third = only(await fetchBars(openBarCache(folder), source, calendar, span(["SPY"], 0, 99)));
    expect(third).toMatchObject({ added: 0, requests: 1 });
    expect(files(folder)).toEqual(before);
    await fetchBars(openBarCache(folder), source, calendar, span(["SPY"], 10, 99));
    expect(source.asked.slice(2)).toEqual(Array.from({ length: 2 }, () => `SPY ${at(95)}..${at(99)}`));
  });

  it("remembers a fruitless head at once when it was part of the first request", async () => {
    const folder = temporaryFolder();
    const source = scriptedSource({ SPY: { adjusted: barsBetween(full, at(30), at(99)) } });
    await fetchBars(openBarCache(folder), source, calendar, span(["SPY"], 0, 99));
    await fetchBars(openBarCache(folder), source, calendar, span(["SPY"], 0, 99));
    expect(source.asked.slice(1)).toEqual([`SPY ${at(95)}..${at(99)}`]);
  });

  it("never stores the bar of a session that is not over, even if the source sends it", async () => {
    const cache = openBarCache(temporaryFolder());
    const talkative = { name: "talkative", fetch: async () => ({ adjusted: full, trades: full }) };
    await fetchBars(cache, talkative, calendar, { ...span(["SPY"], 0, 99), completeThrough: at(70) });
    expect((await cache.read("SPY"))!.series.sessions.at(-1)).toBe(at(70));
    expect((await cache.read("SPY", "trades"))!.series.sessions.at(-1)).toBe(at(70));
  });
});

describe("a rewritten history", () => {
  const seeded = async (bars = full, trades = false) => {
    const folder = temporaryFolder();
    const source = scriptedSource({ SPY: { adjusted: bars, ...(trades ? { trades: bars } : {}) } });
    await fetchBars(openBarCache(folder), source, calendar, span(["SPY"], 0, 60));
    return { folder, source, cache: openBarCache(folder) };
  };

  it("is noticed in the overlap, fetched whole, and told", async () => {
    const { source, cache } = await seeded();
    const rewritten = scaled(full, 0.99);
    source.bars.SPY = { adjusted: rewritten };
    const outcome = only(await fetchBars(cache, source, calendar, span(["SPY"], 20, 99)));
    expect(outcome).toMatchObject({ status: "ok", refetched: true, added: 100, rows: 100, requests: 2 });
    expect(source.asked.slice(1)).toEqual([`SPY ${at(56)}..${at(99)}`, `SPY ${at(0)}..${at(99)}`]);
    expect(outcome.warnings[0]).toMatch(/rewrote its history: open of .* fetched anew from 2024-01-02/);
    expect(bits((await cache.read("SPY"))!.series)).toEqual(bits(rewritten));
  });

  it.each([
    ["one last bit of one close", altered(full, 58, { close: full.close[58]! + 2 ** -40 })],
    ["a volume", altered(full, 60, { volume: 1 })],
    ["a bar that vanished", without(full, 59)],
  ])("is noticed by %s", async (_, rewritten) => {
    const { source, cache } = await seeded();
    source.bars.SPY = { adjusted: rewritten };
    const outcome = only(await fetchBars(cache, source, calendar, span(["SPY"], 0, 99)));
    expect(outcome.refetched).toBe(true);
    expect(bits((await cache.read("SPY"))!.series)).toEqual(bits(rewritten));
  });

  it("is noticed in the prices as traded as well, which a split rewrites", async () => {
    const { source, cache } = await seeded(full, true);
    source.bars.SPY = { adjusted: full, trades: scaled(full, 0.5) };
    const outcome = only(await fetchBars(cache, source, calendar, span(["SPY"], 0, 99)));
    expect(outcome.refetched).toBe(true);
    expect(bits((await cache.read("SPY", "trades"))!.series)).toEqual(bits(scaled(full, 0.5)));
  });

  it("is noticed at the head too", async () => {
    const folder = temporaryFolder();
    const source = scriptedSource({ SPY: { adjusted: full } });
    await fetchBars(openBarCache(folder), source, calendar, span(["SPY"], 50, 99));
    source.bars.SPY = { adjusted: scaled(full, 2) };
    const outcome = only(await fetchBars(openBarCache(folder), source, calendar, span(["SPY"], 0, 99)));
    expect(outcome).toMatchObject({ refetched: true, rows: 100 });
  });

  it("is noticed although no day is missing, by the last bars", async () => {
    const { source, cache } = await seeded();
    source.bars.SPY = { adjusted: scaled(full, 0.99) };
    const outcome = only(await fetchBars(cache, source, calendar, span(["SPY"], 20, 40)));
    expect(outcome).toMatchObject({ status: "ok", refetched: true, added: 61, rows: 61, requests: 2 });
    expect(source.asked.slice(1)).toEqual([`SPY ${at(56)}..${at(60)}`, `SPY ${at(0)}..${at(60)}`]);
    expect(outcome.warnings).toEqual([
      `the source rewrote its history: open of ${at(56)} was ${full.open[56]} and is ${full.open[56]! * 0.99}; fetched anew from ${at(0)}`,
    ]);
    expect(bits((await cache.read("SPY"))!.series)).toEqual(
      bits(barsBetween(scaled(full, 0.99), at(0), at(60))),
    );
  });

  it("of a local source is noticed by any bar, the first one too, and not asked for twice", async () => {
    const ours = barsBetween(full, at(0), at(60));
    const kind = fc.constantFrom("adjusted", "trades");
    const edit = fc.constantFrom("volume", "close", "none");
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 60 }), kind, edit, async (row, which, how) => {
        const cache = openBarCache(mkdtempSync(join(tmpdir(), "pf-bars-")));
        try {
          const source = scriptedSource({ SPY: { adjusted: ours, trades: ours } }, "files", true);
          await fetchBars(cache, source, calendar, span(["SPY"], 0, 60));
          const changed =
            how === "none"
              ? without(ours, row)
              : altered(ours, row, { [how]: ours[how as "close"][row]! + 2 ** -10 });
          source.bars.SPY = { adjusted: ours, trades: ours, [which]: changed };
          const outcome = only(await fetchBars(cache, source, calendar, span(["SPY"], 30, 40)));
          expect(outcome).toMatchObject({ status: "ok", refetched: true, requests: 1 });
          expect(outcome.warnings[0]).toContain(at(row));
          const stored = await cache.read("SPY", which === "trades" ? "trades" : "daily");
          expect(bits(stored!.series)).toEqual(bits(changed));
        } finally {
          rmSync(cache.directory, { recursive: true });
        }
      }),
      { numRuns: 40, examples: [[0, "adjusted", "close"]] },
    );
  });

  it("that became shorter says at which end", async () => {
    const folder = temporaryFolder();
    const source = scriptedSource({ SPY: { adjusted: full } }, "files", true);
    await fetchBars(openBarCache(folder), source, calendar, span(["SPY"], 0, 99));
    source.bars.SPY = { adjusted: barsBetween(full, at(10), at(90)) };
    const outcome = only(await fetchBars(openBarCache(folder), source, calendar, span(["SPY"], 0, 99)));
    expect(outcome).toMatchObject({ refetched: true, rows: 81, first: at(10), last: at(90) });
    expect(outcome.warnings).toEqual([
      `the source and the cache disagree on whether there is a bar of ${at(0)}; fetched anew from ${at(0)}`,
      `the new history begins on ${at(10)}, the old one began on ${at(0)}`,
      `the new history ends on ${at(90)}, the old one ended on ${at(99)}`,
    ]);
  });

  it("in a folder of files is noticed at the second run, and a file that is gone costs no bar", async () => {
    const folder = temporaryFolder();
    const write = (series: typeof full) => writeFileSync(join(folder, "SPY.csv"), csvOf(series));
    const cache = openBarCache(join(folder, "data"));
    const fetch = async () =>
      only(await fetchBars(cache, csvSource(folder, calendar), calendar, span(["SPY"], 0, 99)));
    write(full);
    await fetch();
    const before = files(cache.directory);
    expect(await fetch()).toMatchObject({ status: "ok", added: 0, refetched: false, warnings: [] });
    expect(files(cache.directory)).toEqual(before);
    write(altered(full, 0, { volume: 5 }));
    const corrected = await fetch();
    expect(corrected).toMatchObject({ status: "ok", refetched: true, rows: 100 });
    expect(corrected.warnings[0]).toContain(`volume of ${at(0)} was 1000 and is 5`);
    expect((await cache.read("SPY"))!.series.volume[0]).toBe(5);
    rmSync(join(folder, "SPY.csv"));
    expect(await fetch()).toMatchObject({ status: "failed", error: { code: "PF_NO_BARS" }, rows: 100 });
    expect((await cache.read("SPY"))!.series.volume[0]).toBe(5);
  });

  it("is not suspected of a broker because something before the overlap or after the cache changed", async () => {
    const { source, cache } = await seeded();
    source.bars.SPY = { adjusted: altered(altered(full, 61, { volume: 7 }), 55, { volume: 7 }) };
    const outcome = only(await fetchBars(cache, source, calendar, span(["SPY"], 0, 99)));
    expect(outcome).toMatchObject({ refetched: false, added: 39, requests: 1 });
  });

  it("leaves the old bars when the new ones do not come or are refused", async () => {
    const { folder, source, cache } = await seeded();
    const before = files(folder);
    source.bars.SPY = { adjusted: altered(scaled(full, 0.99), 3, { low: -1 }) };
    const refused = only(await fetchBars(cache, source, calendar, span(["SPY"], 0, 99)));
    expect(refused).toMatchObject({
      status: "failed",
      error: { code: "PF_BARS_REFUSED" },
      rows: 61,
      last: at(60),
    });
    source.bars.SPY = { adjusted: barsBetween(full, day("1990-01-02"), day("1990-01-03")) };
    const empty = only(await fetchBars(cache, source, calendar, span(["SPY"], 0, 99)));
    expect(empty).toMatchObject({ status: "failed", error: { code: "PF_NO_BARS" }, requests: 2 });
    expect(files(folder)).toEqual(before);
  });

  it("is mended when prices as traded appear, and they are kept when they cease to come", async () => {
    const { source, cache } = await seeded();
    source.bars.SPY = { adjusted: full, trades: scaled(full, 2) };
    const appeared = only(await fetchBars(cache, source, calendar, span(["SPY"], 0, 70)));
    expect(appeared).toMatchObject({ refetched: true });
    expect((await cache.read("SPY", "trades"))!.series.sessions).toHaveLength(71);
    source.bars.SPY = { adjusted: full };
    const ceased = only(await fetchBars(cache, source, calendar, span(["SPY"], 0, 99)));
    expect(ceased.warnings.join()).toMatch(/no longer gives bars as traded/);
    expect((await cache.read("SPY", "trades"))!.series.sessions).toHaveLength(71);
    expect((await cache.read("SPY"))!.series.sessions).toHaveLength(100);
    // Joined to the stored ones, the last few would leave a hole of weeks.
    source.bars.SPY = { adjusted: full, trades: scaled(full, 2) };
    const again = only(await fetchBars(cache, source, calendar, span(["SPY"], 0, 99)));
    expect(again.warnings.join()).toMatch(/gives bars as traded again/);
    expect(bits((await cache.read("SPY", "trades"))!.series)).toEqual(bits(scaled(full, 2)));
  });

  it("of a market that rebases at every dividend comes out as if fetched in one go", async () => {
    const [grown, whole] = [temporaryFolder(), temporaryFolder()];
    const source = () => syntheticSource({ seed: 5, calendar, rebase: true });
    const wanted = (to: string) => ({ symbols: ["TLT"], from: day("2020-01-01"), to: day(to) });
    let refetched = 0;
    for (const month of ["03", "04", "05", "06", "07", "08"]) {
      const outcome = only(
        await fetchBars(openBarCache(grown), source(), calendar, wanted(`2021-${month}-15`)),
      );
      refetched += outcome.refetched ? 1 : 0;
    }
    expect(refetched).toBe(5);
    await fetchBars(openBarCache(whole), source(), calendar, wanted("2021-08-15"));
    const bytes = (folder: string) => Object.values(files(folder)).map((file) => file.bytes);
    expect(bytes(grown)).toEqual(bytes(whole));
  });
});

describe("several symbols", () => {
  it("do not suffer from one that fails", async () => {
    const cache = openBarCache(temporaryFolder());
    const named = (ticker: string) => ({ adjusted: { ...full, ticker } });
    const source = scriptedSource({
      AAA: named("AAA"),
      BAD: { adjusted: altered({ ...full, ticker: "BAD" }, 5, { high: 1 }) },
      ERR: new Error("the line was busy"),
      ZZZ: named("AAA"),
      END: named("END"),
    });
    const symbols = ["AAA", "BAD", "ERR", "NIL", "ZZZ", "../X", "END"];
    const outcomes = await fetchBars(cache, source, calendar, span(symbols, 0, 99)).catch((error) => error);
    // A text that is no symbol is an error of the caller, not of the data.
    expect(outcomes).toMatchObject({ code: "PF_INVALID_SYMBOL" });
    const sane = symbols.filter((symbol) => symbol !== "../X");
    const results = await fetchBars(cache, source, calendar, span(sane, 0, 99));
    expect(
      results.map(({ symbol, status, rows, error }) => [
        symbol,
        status,
        rows,
        error && "code" in error ? error.code : error?.message,
      ]),
    ).toEqual([
      ["AAA", "ok", 100, undefined],
      ["BAD", "failed", 0, "PF_BARS_REFUSED"],
      ["ERR", "failed", 0, "the line was busy"],
      ["NIL", "failed", 0, "PF_NO_BARS"],
      ["ZZZ", "failed", 0, "PF_INVALID_BARS"],
      ["END", "ok", 100, undefined],
    ]);
    expect(cache.tickers()).toEqual(["AAA", "END"]);
  });

  it("are refused one by one where the cache holds bars of another source, and replaced on demand", async () => {
    const folder = temporaryFolder();
    const [old, other] = [
      scriptedSource({ SPY: { adjusted: full, trades: full } }, "old"),
      scriptedSource({ SPY: { adjusted: scaled(full, 2) } }, "new"),
    ];
    await fetchBars(openBarCache(folder), old, calendar, span(["SPY"], 0, 99));
    const before = files(folder);
    const refused = only(await fetchBars(openBarCache(folder), other, calendar, span(["SPY"], 0, 99)));
    expect(refused).toMatchObject({
      status: "failed",
      requests: 0,
      error: { code: "PF_SOURCE_MISMATCH", symbol: "SPY", cached: "old", asked: "new" },
    });
    expect(files(folder)).toEqual(before);
    const replaced = only(
      await fetchBars(openBarCache(folder), other, calendar, span(["SPY"], 0, 99), { replace: true }),
    );
    expect(replaced).toMatchObject({ status: "ok", added: 100 });
    // The old source's prices as traded would contradict the new bars.
    expect(Object.keys(files(folder))).toEqual(["SPY.parquet"]);
    expect((await openBarCache(folder).read("SPY"))!.source).toBe("new");
  });

  it("are reported as their turn comes and ends", async () => {
    const source = scriptedSource({ SPY: { adjusted: full } });
    const said: string[] = [];
    await fetchBars(openBarCache(temporaryFolder()), source, calendar, span(["SPY", "NIL"], 0, 99), {
      onProgress: ({ symbol, index, count, outcome }) =>
        said.push(`${symbol} ${index + 1}/${count} ${outcome?.status ?? "…"}`),
    });
    expect(said).toEqual(["SPY 1/2 …", "SPY 1/2 ok", "NIL 2/2 …", "NIL 2/2 failed"]);
  });

  it("stop where the signal says so, between symbols and in the middle of one, with what was done before", async () => {
    for (const stopAt of ["between", "within"]) {
      const folder = temporaryFolder();
      const stop = new AbortController();
      const source = {
        name: "s",
        async fetch(ticker: string) {
          if (ticker === "BBB" && stopAt === "within") stop.abort();
          return { adjusted: { ...full, ticker } };
        },
      };
      const error = await fetchBars(openBarCache(folder), source, calendar, span(["AAA", "BBB"], 0, 99), {
        signal: stop.signal,
        onProgress: ({ outcome }) => outcome && stopAt === "between" && stop.abort(),
      }).catch((caught) => caught);
      expect(error).toBeInstanceOf(IngestInterruptedError);
      expect(error.outcomes.map(({ symbol }: SymbolOutcome) => symbol)).toEqual(["AAA"]);
      expect(openBarCache(folder).tickers()).toEqual(["AAA"]);
    }
  });

  it("are not asked for one after the other when the source as a whole is unusable", async () => {
    const source = scriptedSource({
      SPY: new SourceUnavailableError("csv", "/nowhere", "does not exist", "look elsewhere"),
    });
    await expect(
      fetchBars(openBarCache(temporaryFolder()), source, calendar, span(["SPY", "QQQ"], 0, 9)),
    ).rejects.toMatchObject({ code: "PF_SOURCE_UNAVAILABLE" });
    expect(source.asked).toHaveLength(1);
  });

  it("are not asked for at all when nothing could be written", async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, "data"), "a file");
    const source = scriptedSource({ SPY: { adjusted: full } });
    await expect(
      fetchBars(openBarCache(join(folder, "data")), source, calendar, span(["SPY"], 0, 9)),
    ).rejects.toThrow(WriteError);
    expect(source.asked).toEqual([]);
  });
});

describe("warnings about data", () => {
  it("concern new bars only, and the age of the last one", async () => {
    const cache = openBarCache(temporaryFolder());
    const odd = altered(altered(full, 10, { volume: 0 }), 80, { volume: 0 });
    const source = scriptedSource({ SPY: { adjusted: odd, trades: odd } });
    const checks = { asOf: at(99) };
    const first = only(await fetchBars(cache, source, calendar, span(["SPY"], 0, 60), { checks }));
    expect(first.findings.map(({ rule, date }) => [rule, date])).toEqual([
      ["zero-volume", at(10)],
      ["stale", at(60)],
    ]);
    expect(first.warnings[0]).toBe(`${at(10)}: no share was traded`);
    const second = only(await fetchBars(cache, source, calendar, span(["SPY"], 0, 99), { checks }));
    expect(second.findings.map(({ rule, date }) => [rule, date])).toEqual([["zero-volume", at(80)]]);
  });
});

describe("notes of a source", () => {
  const notes = [{ text: "the file is odd" }, { text: "a split", session: at(50) }];
  const told = async (source: ReturnType<typeof scriptedSource>, cache: BarCache, to: number) =>
    only(await fetchBars(cache, source, calendar, span(["SPY"], 0, to))).warnings;

  it("about a bar are told when it is new, others when the history is", async () => {
    const cache = openBarCache(temporaryFolder());
    const source = scriptedSource({ SPY: { adjusted: full, notes: [notes[0]!] } }, "files", true);
    expect(await told(source, cache, 40)).toEqual(["the file is odd"]);
    expect(await told(source, cache, 40)).toEqual([]);
    source.bars.SPY = { adjusted: full, notes };
    expect(await told(source, cache, 60)).toEqual([`${at(50)}: a split`]);
    expect(await told(source, cache, 60)).toEqual([]);
    source.bars.SPY = { adjusted: scaled(full, 2), notes };
    expect((await told(source, cache, 60)).slice(1)).toEqual(["the file is odd", `${at(50)}: a split`]);
  });

  it("about an answer of a few bars are told with it", async () => {
    const cache = openBarCache(temporaryFolder());
    const source = scriptedSource({ SPY: { adjusted: full } });
    expect(await told(source, cache, 60)).toEqual([]);
    source.bars.SPY = { adjusted: full, notes };
    expect(await told(source, cache, 99)).toEqual(["the file is odd"]);
  });

  it("tell once of the bars in a file before the days that were asked for", async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, "SPY.csv"), csvOf(full));
    const cache = openBarCache(join(folder, "data"));
    const warnings = async (from: number) =>
      only(await fetchBars(cache, csvSource(folder, calendar), calendar, span(["SPY"], from, 99))).warnings;
    expect(await warnings(30)).toEqual([`30 bars before ${at(30)} were not asked for`]);
    expect(await warnings(30)).toEqual([]);
    writeFileSync(join(folder, "SPY.csv"), csvOf(altered(full, 99, { volume: 1 })));
    expect((await warnings(30)).slice(1)).toEqual([`30 bars before ${at(30)} were not asked for`]);
    expect(await warnings(0)).toEqual([]);
    expect((await cache.read("SPY"))!.series.sessions).toHaveLength(100);
  });
});

describe("a plan that is out of date", () => {
  it("is not applied to a file that changed meanwhile", async () => {
    const cache = openBarCache(temporaryFolder());
    const source = scriptedSource({ SPY: { adjusted: full } });
    await fetchBars(cache, source, calendar, span(["SPY"], 0, 60));
    const plan = planIngest(
      await readCoverage(cache, ["SPY"]),
      { ...span(["SPY"], 0, 99), source: "scripted" },
      calendar,
    );
    await fetchBars(cache, source, calendar, span(["SPY"], 0, 70));
    const outcome = only(await ingest(plan, source, cache, calendar));
    expect(outcome).toMatchObject({ status: "failed", error: { code: "PF_CACHE_FILE" } });
    expect((await cache.read("SPY"))!.series.sessions).toHaveLength(71);
  });
});

describe("a crash between the two files of a symbol", () => {
  it("is mended by the next run", async () => {
    const folder = temporaryFolder();
    const cache = openBarCache(folder);
    const source = scriptedSource({ SPY: { adjusted: full, trades: scaled(full, 2) } });
    await fetchBars(cache, source, calendar, span(["SPY"], 0, 60));
    // The prices as traded are written first, so they may be ahead.
    await cache.write({ series: scaled(full, 2), source: "scripted", requestedFrom: at(0) }, "trades");
    const outcome = only(await fetchBars(cache, source, calendar, span(["SPY"], 0, 99)));
    expect(outcome).toMatchObject({ status: "ok", refetched: false, rows: 100 });
    expect((await cache.read("SPY", "trades"))!.series.sessions).toEqual(full.sessions);
  });

  it("is mended also when the file of prices as traded is damaged", async () => {
    const folder = temporaryFolder();
    const cache = openBarCache(folder);
    const source = scriptedSource({ SPY: { adjusted: full, trades: scaled(full, 2) } });
    await fetchBars(cache, source, calendar, span(["SPY"], 0, 60));
    writeFileSync(cache.file("SPY", "trades"), "PAR1");
    const outcome = only(await fetchBars(cache, source, calendar, span(["SPY"], 0, 99)));
    expect(outcome).toMatchObject({ status: "ok", refetched: true });
    expect((await cache.read("SPY", "trades"))!.series.sessions).toEqual(full.sessions);
  });
});

describe("damaged files", () => {
  it("cost their symbol only, and are replaced on demand", async () => {
    const cache = openBarCache(temporaryFolder());
    const source = scriptedSource({ SPY: { adjusted: full }, QQQ: { adjusted: { ...full, ticker: "QQQ" } } });
    mkdirSync(join(cache.directory, "parquet"));
    writeFileSync(cache.file("SPY"), "date,open\n");
    chmodSync(cache.file("SPY"), 0o644);
    const outcomes = await fetchBars(cache, source, calendar, span(["SPY", "QQQ"], 0, 9));
    expect(outcomes.map(({ status }) => status)).toEqual(["failed", "ok"]);
    expect(outcomes[0]!.error).toMatchObject({ code: "PF_CACHE_FILE" });
    const replaced = await fetchBars(cache, source, calendar, span(["SPY"], 0, 9), { replace: true });
    expect(only(replaced)).toMatchObject({ status: "ok", rows: 10 });
  });
});

describe("loadSeries", () => {
  it("gives series in the order asked for, with their hashes and sources", async () => {
    const cache = openBarCache(temporaryFolder());
    const source = scriptedSource({
      SPY: { adjusted: full },
      QQQ: { adjusted: { ...scaled(full, 2), ticker: "QQQ" } },
    });
    const outcomes = await fetchBars(cache, source, calendar, span(["SPY", "QQQ"], 0, 99));
    const { series, hashes, sources } = await loadSeries(cache, ["QQQ", "SPY"]);
    expect(series.map(({ ticker }) => ticker)).toEqual(["QQQ", "SPY"]);
    expect(bits(series[1]!)).toEqual(bits(full));
    expect(hashes).toEqual({ SPY: outcomes[0]!.hash, QQQ: outcomes[1]!.hash });
    expect(hashes.SPY).not.toBe(hashes.QQQ);
    expect(sources).toEqual({ SPY: "scripted", QQQ: "scripted" });
  });

  it("names every symbol that is missing", async () => {
    const cache = openBarCache(temporaryFolder());
    await cache.write({ series: full, source: "s", requestedFrom: at(0) });
    const error = await loadSeries(cache, ["AAA", "SPY", "ZZZ"]).catch((caught) => caught);
    expect(error).toBeInstanceOf(MissingBarsError);
    expect(error).toMatchObject({
      code: "PF_MISSING_BARS",
      symbols: ["AAA", "ZZZ"],
      directory: cache.directory,
    });
    expect(error.next).toContain("pf fetch");
    await expect(loadSeries(cache, ["SPY"], "trades")).rejects.toThrow(MissingBarsError);
  });
});
