import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type BarSeries, newYorkTimeOf } from "@pf/market";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { calendar, day, fields, temporaryFolder } from "../test/world.js";
import { openBarCache } from "./cache.js";
import { checkBars } from "./checks.js";
import { fetchBars } from "./ingest.js";
import { loadSeries } from "./load.js";
import { type BarSource, barsBetween } from "./source.js";
import { syntheticSource, syntheticTickers } from "./synthetic.js";

const daily = syntheticSource({ seed: 42, calendar });
const hourly = syntheticSource({ seed: 42, calendar, barSize: "1 hour" });
const from = day("2024-01-02");

const hoursOf = async (ticker: string, first: string, last: string) =>
  (await hourly.fetch(ticker, day(first), day(last))).adjusted;

/** One bar a session, made of its hours. */
function byDay({ ticker, sessions, open, high, low, close, volume }: BarSeries): BarSeries {
  const firsts = sessions.flatMap((session, row) => (session === sessions[row - 1] ? [] : [row]));
  const column = (of: (first: number, end: number) => number) =>
    Float64Array.from(firsts, (first, at) => of(first, firsts[at + 1] ?? sessions.length));
  return {
    ticker,
    sessions: firsts.map((row) => sessions[row]!),
    open: column((first) => open[first]!),
    high: column((first, end) => Math.max(...high.subarray(first, end))),
    low: column((first, end) => Math.min(...low.subarray(first, end))),
    close: column((_, end) => close[end - 1]!),
    volume: column((first, end) => volume.subarray(first, end).reduce((a, b) => a + b, 0)),
  };
}

describe("synthetic hours", () => {
  it("are the day together: its open, high, low, close and volume", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...syntheticTickers(14)),
        fc.integer({ min: 2006, max: 2025 }),
        fc.boolean(),
        async (ticker, year, rebase) => {
          const span = [day(`${year}-02-20`), day(`${year}-04-05`)] as const;
          const options = { seed: year, calendar, rebase };
          const days = (await syntheticSource(options).fetch(ticker, ...span)).adjusted;
          const hours = (await syntheticSource({ ...options, barSize: "1 hour" }).fetch(ticker, ...span))
            .adjusted;
          expect(byDay(hours)).toEqual(days);
          expect(checkBars(hours, calendar).filter(({ severity }) => severity === "refuse")).toEqual([]);
        },
      ),
      { numRuns: 25 },
    );
  });

  it("end on the hour in New York, in winter and in summer, and half days have four of them", async () => {
    // Clocks go forward on 2024-03-10; the day after Thanksgiving closes at 13:00.
    const times = async (session: string) =>
      [...(await hoursOf("SPY", session, session)).endsUtcMs!].map(newYorkTimeOf);
    const full = ["10:00", "11:00", "12:00", "13:00", "14:00", "15:00", "16:00"];
    expect(await times("2024-03-08")).toEqual(full);
    expect(await times("2024-03-11")).toEqual(full);
    expect(await times("2024-11-29")).toEqual(full.slice(0, 4));
    const [winter, summer] = [
      await hoursOf("SPY", "2024-03-08", "2024-03-08"),
      await hoursOf("SPY", "2024-03-11", "2024-03-11"),
    ];
    expect(new Date(winter.endsUtcMs![0]!).toISOString()).toBe("2024-03-08T15:00:00.000Z");
    expect(new Date(summer.endsUtcMs![0]!).toISOString()).toBe("2024-03-11T14:00:00.000Z");
  });

  it("do not depend on the span that is asked for", async () => {
    const long = await hoursOf("QQQ", "2024-01-02", "2024-03-28");
    const short = await hoursOf("QQQ", "2024-02-01", "2024-02-09");
    expect(barsBetween(long, day("2024-02-01"), day("2024-02-09"))).toEqual(short);
  });

  it("foretell next to nothing of the rest of the day", async () => {
    // Paths made of the day's bar could give its end away, and a strategy of hours would be rich on it.
    for (const ticker of ["SPY", "TLT", "GLD", "XLE"]) {
      const { sessions, close } = await hoursOf(ticker, "2012-01-03", "2025-12-30");
      const moved: number[][] = Array.from({ length: 6 }, () => []);
      const rest: number[][] = Array.from({ length: 6 }, () => []);
      for (let row = 7; row + 6 < sessions.length; row++) {
        if (sessions[row] === sessions[row - 1] || sessions[row] !== sessions[row + 6]) continue;
        for (let hour = 0; hour < 6; hour++) {
          moved[hour]!.push(close[row + hour]! / close[row - 1]! - 1);
          rest[hour]!.push(close[row + 6]! / close[row + hour]! - 1);
        }
      }
      for (let hour = 0; hour < 6; hour++)
        expect(Math.abs(correlation(moved[hour]!, rest[hour]!))).toBeLessThan(0.2);
    }
  });

  it("move together where the days do", async () => {
    const changes = async (ticker: string) => {
      const { close } = await hoursOf(ticker, "2023-01-03", "2024-12-31");
      return Array.from(close.subarray(1), (price, row) => price / close[row]! - 1);
    };
    const [spy, vti, gold] = [await changes("SPY"), await changes("VTI"), await changes("GLD")];
    expect(correlation(spy, vti)).toBeGreaterThan(0.7);
    expect(Math.abs(correlation(spy, gold))).toBeLessThan(0.4);
  });
});

describe("hourly bars in the cache", () => {
  const wanted = { symbols: ["SPY", "TLT"], from, to: day("2024-03-28") };

  it("have files of their own, beside the daily ones, which they leave alone", async () => {
    const folder = temporaryFolder();
    const cache = openBarCache(folder);
    await fetchBars(cache, daily, calendar, wanted);
    const before = filesIn(folder);
    await fetchBars(cache, hourly, calendar, wanted);
    expect(Object.keys(filesIn(folder)).filter((name) => !(name in before))).toEqual([
      "SPY.1h.parquet",
      "TLT.1h.parquet",
    ]);
    expect(filesIn(folder)).toMatchObject(before);
    const stored = await cache.read("SPY", "hourly");
    expect([stored?.source, stored?.requestedFrom]).toEqual(["synthetic:42", from]);
    const { series } = await loadSeries(cache, ["SPY"], "hourly");
    expect(series[0]).toEqual((await hourly.fetch("SPY", from, wanted.to)).adjusted);
    await expect(loadSeries(cache, ["GLD"], "hourly")).rejects.toThrow("no hourly bars of GLD");
  });

  it("change no byte when they are fetched again", async () => {
    const folder = temporaryFolder();
    const cache = openBarCache(folder);
    const first = await fetchBars(cache, hourly, calendar, wanted);
    expect(first.map(({ added, rows }) => [added, rows])).toEqual([
      [61 * 7, 61 * 7],
      [61 * 7, 61 * 7],
    ]);
    const bytes = filesIn(folder);
    const again = await fetchBars(cache, hourly, calendar, wanted);
    expect(again.map(({ added, refetched }) => [added, refetched])).toEqual([
      [0, false],
      [0, false],
    ]);
    expect(filesIn(folder)).toEqual(bytes);
  });

  it("are asked for with an overlap of sessions, compared hour by hour, and joined", async () => {
    const cache = openBarCache(temporaryFolder());
    const whole = await hoursOf("SPY", "2024-01-02", "2024-03-28");
    const broker = likeBroker(() => whole);
    const until = (to: string) => fetchBars(cache, broker, calendar, { symbols: ["SPY"], from, to: day(to) });
    await until("2024-02-29");
    const [outcome] = await until("2024-03-28");
    expect(outcome).toMatchObject({ status: "ok", refetched: false, added: 20 * 7 });
    expect(broker.asked).toEqual(["2024-01-02..2024-02-29", "2024-02-23..2024-03-28"]);
    expect((await cache.read("SPY", "hourly"))?.series).toEqual(whole);
  });

  it.each([
    ["a dividend has rewritten them", (bars: BarSeries) => scaledBy(bars, 0.99), "rewrote its history"],
    [
      "an hour has gone",
      (bars: BarSeries) => withoutHour(bars, "2024-02-27", "12:00"),
      "whether there is a bar of 2024-02-27 12:00",
    ],
  ])("are fetched whole when %s, and said to be", async (_, change, words) => {
    const cache = openBarCache(temporaryFolder());
    const first = await hoursOf("SPY", "2024-01-02", "2024-03-28");
    let now = first;
    const broker = likeBroker(() => now);
    const until = (to: string) => fetchBars(cache, broker, calendar, { symbols: ["SPY"], from, to: day(to) });
    await until("2024-02-29");
    now = change(first);
    const [outcome] = await until("2024-03-28");
    expect(outcome).toMatchObject({ status: "ok", refetched: true });
    expect(outcome!.warnings[0]).toContain(words);
    expect((await cache.read("SPY", "hourly"))?.series).toEqual(now);
  });

  it("never hold a session that is not over", async () => {
    const cache = openBarCache(temporaryFolder());
    const broker = likeBroker(() => whole);
    const whole = await hoursOf("SPY", "2024-01-02", "2024-03-28");
    const [outcome] = await fetchBars(cache, broker, calendar, {
      ...wanted,
      symbols: ["SPY"],
      completeThrough: day("2024-03-27"),
    });
    expect(outcome!.last).toBe("2024-03-27");
  });

  it("keep a missing hour missing", async () => {
    const cache = openBarCache(temporaryFolder());
    const whole = await hoursOf("SPY", "2024-01-02", "2024-03-28");
    const holed = withoutHour(whole, "2024-02-27", "12:00");
    await fetchBars(
      cache,
      likeBroker(() => holed),
      calendar,
      { ...wanted, symbols: ["SPY"] },
    );
    const { series } = (await cache.read("SPY", "hourly"))!;
    expect(series.sessions.length).toBe(whole.sessions.length - 1);
    expect(series).toEqual(holed);
  });

  it("are refused outside of regular trading, naming the hour", async () => {
    const bars = await hoursOf("SPY", "2024-01-02", "2024-01-02");
    const late = { ...bars, endsUtcMs: bars.endsUtcMs!.map((end) => end + 3_600_000) };
    const found = checkBars(late, calendar);
    expect(found.map(({ rule, severity, message }) => `${severity} ${rule} ${message}`)).toEqual([
      "refuse hours 17:00: an hour of that session ends after 09:30 and by 16:00 in New York",
    ]);
  });
});

function filesIn(folder: string): Record<string, string> {
  const names = readdirSync(join(folder, "parquet")).sort();
  return Object.fromEntries(
    names.map((name) => [name, readFileSync(join(folder, "parquet", name)).toString("base64")]),
  );
}

/** A source that is not local, so that only what is missing and an overlap are asked for. */
function likeBroker(bars: () => BarSeries): BarSource & { readonly asked: string[] } {
  const asked: string[] = [];
  return {
    name: "broker",
    kind: "hourly",
    asked,
    async fetch(_, first, last) {
      asked.push(`${first}..${last}`);
      return { adjusted: barsBetween(bars(), first, last) };
    },
  };
}

function scaledBy(bars: BarSeries, by: number): BarSeries {
  const times = (column: Float64Array) => column.map((price) => price * by);
  const { open, high, low, close } = bars;
  return { ...bars, open: times(open), high: times(high), low: times(low), close: times(close) };
}

function withoutHour(bars: BarSeries, session: string, time: string): BarSeries {
  const keep = (_: unknown, row: number) =>
    !(bars.sessions[row] === session && newYorkTimeOf(bars.endsUtcMs![row]!) === time);
  const columns = Object.fromEntries(fields.map((field) => [field, bars[field].filter(keep)]));
  return {
    ...bars,
    ...(columns as Pick<BarSeries, (typeof fields)[number]>),
    sessions: bars.sessions.filter(keep),
    endsUtcMs: bars.endsUtcMs!.filter(keep),
  };
}

function correlation(a: readonly number[], b: readonly number[]): number {
  const mean = (of: readonly number[]) => of.reduce((sum, value) => sum + value, 0) / of.length;
  const [ma, mb] = [mean(a), mean(b)];
  let [ab, aa, bb] = [0, 0, 0];
  for (let row = 0; row < a.length; row++) {
    ab += (a[row]! - ma) * (b[row]! - mb);
    aa += (a[row]! - ma) ** 2;
    bb += (b[row]! - mb) ** 2;
  }
  return ab / Math.sqrt(aa * bb);
}
