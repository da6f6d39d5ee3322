import type { SessionDate, Ticker } from "@pf/market";
import { alignPanel, dayNumber } from "@pf/market";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bits, calendar, day, fields } from "../test/world.js";
import { checkBars, refusals } from "./checks.js";
import { contentHash } from "./content-hash.js";
import { barsBetween } from "./source.js";
import { syntheticSource, syntheticTickers } from "./synthetic.js";

const [from, to] = [day("2015-01-01"), day("2026-05-01")];
const source = (seed: number | string = 42, more = {}) => syntheticSource({ seed, calendar, ...more });
const adjusted = async (ticker: Ticker, seed: number | string = 42, more = {}) =>
  (await source(seed, more).fetch(ticker, from, to)).adjusted;
const someTicker = fc.constantFrom(...syntheticTickers(40));
const someDay = fc
  .integer({ min: dayNumber(day("2004-06-01")), max: dayNumber(day("2027-12-31")) })
  .map(dateOf);

function dateOf(days: number): SessionDate {
  return day(new Date(days * 86_400_000).toISOString().slice(0, 10));
}

describe("the synthetic market", () => {
  it("gives the same bars on every machine and every version of Node", async () => {
    const hashes = await Promise.all(
      ["SPY", "BITO", "S00017"].map(async (ticker) => contentHash(await adjusted(ticker))),
    );
    expect(hashes).toEqual([
      "c2107ee03cf636c5eca09b325e81b75e9407faa3e8ba25ca379aedff458fb0b0",
      "1ef64809c3c8864f88b660fd98a2a7f7cdfe4f5fe6627c28f31c38de380a6882",
      "de04c1be9396f1c01a4f930e6a6218f701f03e81db256cab34e0fbb3a2309c5c",
    ]);
  });

  it("gives other bars for another seed, another symbol, another epoch", async () => {
    const hashes = new Set<string>();
    for (const seed of [1, 2, "2b"]) {
      for (const ticker of ["SPY", "VTI", "S00010", "S00011"])
        hashes.add(contentHash(await adjusted(ticker, seed)));
    }
    hashes.add(contentHash(await adjusted("SPY", 1, { epoch: "2006-01-03" })));
    expect(hashes.size).toBe(13);
  });

  it("has a name that tells apart all that makes other bars", () => {
    const options = [{}, { epoch: "2006-01-03" }, { complete: true }, { rebase: true }];
    expect(options.map((more) => source(1, more).name)).toEqual([
      "synthetic:1",
      "synthetic:1:2006-01-03",
      "synthetic:1:complete",
      "synthetic:1:rebased",
    ]);
  });

  it("never changes a bar once given, whatever span is asked for, in whatever order", async () => {
    await fc.assert(
      fc.asyncProperty(someTicker, someDay, someDay, someDay, someDay, async (ticker, a, b, c, d) => {
        const asked = source();
        const first = await asked.fetch(ticker, a < b ? a : b, a < b ? b : a);
        const second = await asked.fetch(ticker, c < d ? c : d, c < d ? d : c);
        const whole = await source().fetch(ticker, day("2004-01-01"), day("2027-12-31"));
        for (const [part, [start, end]] of [
          [first, [a, b].sort()],
          [second, [c, d].sort()],
        ] as const) {
          for (const kind of ["adjusted", "trades"] as const) {
            const expected = barsBetween(whole[kind]!, start!, end!);
            expect(part[kind]!.sessions).toEqual(expected.sessions);
            expect(bits(part[kind]!)).toEqual(bits(expected));
          }
        }
      }),
      { numRuns: 25 },
    );
  });

  it("gives a symbol the same bars whichever others were asked for before", async () => {
    const alone = await adjusted("S00023");
    const crowded = source();
    for (const ticker of [...syntheticTickers(30)].reverse()) {
      const { adjusted: own } = await crowded.fetch(ticker, from, to);
      if (ticker === "S00023") expect(contentHash(own)).toBe(contentHash(alone));
    }
  });

  it("has nothing that the data checks refuse, for any symbol and seed", async () => {
    await fc.assert(
      fc.asyncProperty(fc.stringMatching(/^[A-Z]{1,5}$/), fc.integer(), async (ticker, seed) => {
        const { adjusted, trades } = await source(seed).fetch(ticker, day("2005-01-01"), to);
        expect(refusals(checkBars(adjusted, calendar))).toEqual([]);
        expect(refusals(checkBars(trades!, calendar))).toEqual([]);
        for (const field of fields) {
          for (const value of trades![field])
            if (Math.round(value * 1e6) / 1e6 !== value) throw new Error(`${value}`);
        }
      }),
      { numRuns: 40 },
    );
  });

  it("begins where its symbols are listed, and lacks a session here and there", async () => {
    expect((await adjusted("SPY")).sessions).toEqual(calendar.sessionsBetween(from, to));
    expect((await adjusted("BITO")).sessions[0]).toBe("2021-10-19");
    const holes = checkBars(await adjusted("XLE"), calendar).filter(({ rule }) => rule === "gap").length;
    expect(holes).toBeGreaterThan(2);
    expect(holes).toBeLessThan(7);
    const before = await source().fetch("BITO", day("2015-01-01"), day("2021-10-18"));
    expect(before.adjusted.sessions).toEqual([]);
    const early = await source().fetch("SPY", day("2004-01-01"), day("2004-12-31"));
    expect(early.adjusted.sessions).toEqual([]);
    const late = await Promise.all(syntheticTickers(120).map((ticker) => adjusted(ticker)));
    const starters = late.filter(({ sessions }) => sessions[0]! > "2015-01-02").length;
    expect(starters).toBeGreaterThan(4);
    expect(starters).toBeLessThan(30);
  });

  it("can be complete: every symbol on every session", async () => {
    const sessions = calendar.sessionsBetween(from, to);
    for (const ticker of syntheticTickers(60)) {
      expect((await adjusted(ticker, 42, { complete: true })).sessions).toEqual(sessions);
    }
  });

  it("moves as asset classes do", async () => {
    for (const seed of [1, 2, 3, 4, 5, 6]) {
      const panel = alignPanel(
        await Promise.all(syntheticTickers(9).map((ticker) => adjusted(ticker, seed))),
        { join: "intersection" },
      );
      const whole = alignPanel(
        await Promise.all(
          ["SPY", "QQQ", "VTI", "TLT", "IEF", "BND", "GLD"].map((ticker) => adjusted(ticker, seed)),
        ),
      );
      const together = (a: Ticker, b: Ticker) =>
        correlation(returnsOf(whole.column("close", a)), returnsOf(whole.column("close", b)));
      expect(together("SPY", "VTI")).toBeGreaterThan(0.95);
      expect(together("TLT", "IEF")).toBeGreaterThan(0.9);
      expect(together("IEF", "BND")).toBeGreaterThan(0.9);
      expect(together("SPY", "QQQ")).toBeGreaterThan(0.8);
      expect(Math.abs(together("SPY", "GLD"))).toBeLessThan(0.35);
      expect(Math.abs(together("GLD", "TLT"))).toBeLessThan(0.35);
      expect(together("SPY", "TLT")).toBeLessThan(0.1);
      expect(together("SPY", "TLT")).toBeGreaterThan(-0.6);
      const risk = (ticker: Ticker) => deviation(returnsOf(panel.column("close", ticker))) * Math.sqrt(252);
      expect(risk("SPY")).toBeGreaterThan(0.1);
      expect(risk("SPY")).toBeLessThan(0.28);
      expect(risk("BITO")).toBeGreaterThan(2 * risk("SPY"));
      expect(risk("BND")).toBeLessThan(0.5 * risk("SPY"));
    }
  });

  it("has calm and stormy times, and fatter tails than a bell curve", async () => {
    const returns = returnsOf((await adjusted("SPY")).close);
    const months = Array.from({ length: Math.floor(returns.length / 21) }, (_, at) =>
      deviation(returns.slice(at * 21, at * 21 + 21)),
    ).sort((a, b) => a - b);
    expect(months.at(-1)! / months[Math.floor(months.length / 2)]!).toBeGreaterThan(2);
    const spread = deviation(returns);
    const fourth = returns.reduce((sum, value) => sum + (value / spread) ** 4, 0) / returns.length;
    expect(fourth).toBeGreaterThan(4);
  });

  it("keeps adjusted and traded prices consistent: they differ by dividends alone", async () => {
    const { adjusted: total, trades } = await source().fetch("SPY", from, to);
    let paid = 0;
    for (let row = 1; row < total.sessions.length; row++) {
      const [before, close] = [trades!.close[row - 1]!, trades!.close[row]!];
      const dividend = (total.close[row]! / total.close[row - 1]!) * before - close;
      const isMonth = total.sessions[row]!.slice(0, 7) !== total.sessions[row - 1]!.slice(0, 7);
      if (isMonth && ["03", "06", "09", "12"].includes(total.sessions[row]!.slice(5, 7))) {
        expect(dividend / before).toBeGreaterThan(0.004);
        expect(dividend / before).toBeLessThan(0.0045);
        paid++;
      } else expect(Math.abs(dividend) / before, total.sessions[row]).toBeLessThan(1e-7);
    }
    expect(paid).toBe(45);
    const { adjusted: gold, trades: goldTrades } = await source().fetch("GLD", from, to);
    expect(bits(gold)).toEqual(bits(goldTrades!));
  });

  it("splits shares, which no price shows and a note tells", async () => {
    const splits: string[] = [];
    for (const ticker of syntheticTickers(40)) {
      const { trades, notes } = await source(3).fetch(ticker, day("2005-01-01"), to);
      for (const note of notes ?? []) {
        splits.push(note.text);
        const row = trades!.sessions.indexOf(note.session!);
        expect(row).toBeGreaterThanOrEqual(0);
        if (row > 0) expect(Math.abs(trades!.close[row]! / trades!.close[row - 1]! - 1)).toBeLessThan(0.45);
      }
    }
    expect(splits).toContain("a split of 2:1");
    expect(splits).toContain("a split of 1:4");
  });

  it("can rebase as brokers do: the last day is as quoted, and the past is rewritten in proportion", async () => {
    const [plain, rebased] = [source(), source(42, { rebase: true })];
    const spans = ["2021-02-26", "2021-03-31"].map((end) => rebased.fetch("TLT", from, day(end)));
    const [before, after] = await Promise.all(spans);
    const kept = await plain.fetch("TLT", from, day("2021-03-31"));
    expect(before!.adjusted.close[0]).not.toBe(after!.adjusted.close[0]);
    expect(after!.adjusted.close.at(-1)).toBe(after!.trades!.close.at(-1));
    expect(after!.trades!.close.at(-1)! * 100).toBeCloseTo(Math.round(after!.trades!.close.at(-1)! * 100), 9);
    const ratio = after!.adjusted.close.at(-1)! / kept.adjusted.close.at(-1)!;
    for (let row = 0; row < kept.adjusted.sessions.length; row += 50) {
      expect(after!.adjusted.close[row]! / (kept.adjusted.close[row]! * ratio)).toBeCloseTo(1, 6);
    }
  });

  it("refuses what is no symbol", async () => {
    await expect(source().fetch("spy", from, to)).rejects.toMatchObject({ code: "PF_INVALID_SYMBOL" });
  });

  it("does not take the names of JavaScript's own for known symbols", async () => {
    const { adjusted: series } = await source().fetch("CONSTRUCTOR", from, to);
    expect(series.sessions.length).toBeGreaterThan(0);
  });
});

describe("syntheticTickers", () => {
  it("names the default universe first, and everybody once", () => {
    expect(syntheticTickers(3)).toEqual(["SPY", "QQQ", "VTI"]);
    const many = syntheticTickers(3000);
    expect(new Set(many).size).toBe(3000);
    expect(many.slice(0, 200)).toEqual(syntheticTickers(200));
  });
});

function returnsOf(close: Float64Array): number[] {
  return Array.from(close.subarray(1), (value, at) => value / close[at]! - 1);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function deviation(values: readonly number[]): number {
  const centre = mean(values);
  return Math.sqrt(mean(values.map((value) => (value - centre) ** 2)));
}

function correlation(a: readonly number[], b: readonly number[]): number {
  const [meanA, meanB] = [mean(a), mean(b)];
  return mean(a.map((value, at) => (value - meanA) * (b[at]! - meanB))) / (deviation(a) * deviation(b));
}
