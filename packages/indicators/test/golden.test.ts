import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { atr, correlation, ema, macd, rollingCorrelation, simpleReturns, stdev } from "../src/index.js";

const shared = new URL("../../../../shared/", import.meta.url);
const present = existsSync(shared);
const why = present ? "" : " (not run: no folder ../shared beside the project)";

interface Bars {
  readonly dates: readonly string[];
  readonly high: Float64Array;
  readonly low: Float64Array;
  readonly close: Float64Array;
}

interface Segment {
  readonly dates: readonly string[];
  readonly [column: string]: readonly (number | string | null)[];
}

interface StatisticsCase {
  readonly kind: string;
  readonly input: Readonly<Record<string, unknown>>;
  readonly expected: unknown;
  readonly published?: unknown;
  readonly published_tolerance?: number;
}

describe.runIf(present)(`indicators of real ETFs${why}`, () => {
  for (const ticker of ["SPY", "BITO"]) {
    const golden = present
      ? (json(`golden/indicators_${ticker}.json`) as { segments: readonly Segment[] })
      : { segments: [] };
    it(`equal the independent reference for ${ticker}, warm-up included`, () => {
      const bars = readBars(ticker);
      const macdColumns = macd(bars.close, { fast: 12, slow: 26, signal: 9 });
      const returns = simpleReturns(bars.close);
      const atr20 = atr(bars.high, bars.low, bars.close, 20);
      const ema20 = ema(bars.close, 20);
      const columns: Record<string, Float64Array> = {
        return: returns,
        ema10: ema(bars.close, 10),
        ema_fast: ema20,
        ema_slow: ema(bars.close, 50),
        ema80: ema(bars.close, 80),
        atr: atr20,
        stdev: stdev(returns, 20),
        macd: macdColumns.line,
        macd_signal: macdColumns.signal,
        macd_hist: macdColumns.histogram,
        score: bars.close.map(
          (close, bar) => (close / ema20[bar]! - 1) / Math.max(atr20[bar]! / close, 1e-6),
        ),
      };
      let compared = 0;
      for (const segment of golden.segments) {
        for (const [name, column] of Object.entries(columns)) {
          const expected = segment[name];
          if (!expected) throw new Error(`the golden file has no column ${name}`);
          const actual = segment.dates.map((date) => column[bars.dates.indexOf(date)] ?? Number.NaN);
          for (let at = 0; at < expected.length; at++) {
            expectNear(actual[at]!, expected[at] as number | null, `${name} on ${segment.dates[at]}`);
            if (expected[at] !== null) compared++;
          }
        }
      }
      expect(compared).toBeGreaterThan(1500);
    });
  }

  it("equal the independent correlation matrices on every listed row", () => {
    const golden = json("golden/correlation.json") as {
      symbols: string[];
      window: number;
      matrices: { date: string; row: number; corr: (number | null)[][] }[];
    };
    const bars = golden.symbols.map(readBars);
    const calendar = [...new Set(bars.flatMap(({ dates }) => dates))].sort();
    const returns = bars.map(({ dates, close }) => {
      const own = simpleReturns(close);
      const byDate = new Map(dates.map((date, bar) => [date, own[bar]!]));
      return Float64Array.from(calendar, (date) => byDate.get(date) ?? Number.NaN);
    });
    let defined = 0;
    for (let i = 0; i < returns.length; i++) {
      for (let j = 0; j < returns.length; j++) {
        const rolling = rollingCorrelation(returns[i]!, returns[j]!, golden.window);
        for (const { date, row, corr } of golden.matrices) {
          expect(calendar[row]).toBe(date);
          const expected = corr[i]![j]!;
          expectNear(rolling[row]!, expected, `${golden.symbols[i]} with ${golden.symbols[j]} on ${date}`);
          if (row >= golden.window) {
            const single = correlation(returns[i]!, returns[j]!, row - golden.window + 1, row + 1);
            expect(single).toBe(rolling[row]);
          }
          if (expected !== null) defined++;
        }
      }
    }
    expect(defined).toBeGreaterThan(200);
  });

  it("equal the published vectors: Tulip's EMA and MACD line as printed, and our own seeding in full", () => {
    const { cases } = json("golden/statistics.json") as { cases: readonly StatisticsCase[] };
    const columnOf = (input: StatisticsCase["input"], name: string) =>
      Float64Array.from(input[name] as number[]);
    const seen = new Set<string>();
    for (const { kind, input, expected, published, published_tolerance } of cases) {
      const number = (name: string) => input[name] as number;
      let results: Record<string, Float64Array>;
      if (kind === "ema") results = { ema: ema(columnOf(input, "values"), number("span")) };
      else if (kind === "stdev") results = { stdev: stdev(columnOf(input, "values"), number("window")) };
      else if (kind === "atr") {
        const [high, low, close] = ["high", "low", "close"].map((name) => columnOf(input, name));
        results = { atr: atr(high!, low!, close!, number("window")) };
      } else if (kind === "macd") {
        const spans = { fast: number("fast"), slow: number("slow"), signal: number("signal") };
        results = { ...macd(columnOf(input, "values"), spans) };
      } else continue;
      seen.add(kind);
      for (const [name, result] of Object.entries(results)) {
        const reference = columnNamed(expected, name)!;
        const printed = columnNamed(published, name);
        expect(result.length).toBe(reference.length);
        result.forEach((value, bar) => {
          // The reference prints the EMA from its seed on; ours is silent until it has seen a whole span.
          if (kind === "ema" && bar < number("span") - 1) {
            expect(value).toBeNaN();
            return;
          }
          expectNear(value, reference[bar]!, `${kind} ${name} at ${bar}`);
          const said = printed?.[bar];
          if (typeof said === "number")
            expect(Math.abs(value - said)).toBeLessThanOrEqual(published_tolerance!);
        });
      }
    }
    expect([...seen].sort()).toEqual(["atr", "ema", "macd", "stdev"]);
  });
});

/** A column of a case: the case's only one, or the one of that name. */
function columnNamed(columns: unknown, name: string): readonly (number | null)[] | undefined {
  return Array.isArray(columns)
    ? columns
    : (columns as Record<string, (number | null)[]> | undefined)?.[name];
}

function json(path: string): unknown {
  return JSON.parse(readFileSync(new URL(path, shared), "utf8"));
}

function readBars(ticker: string): Bars {
  const [, ...lines] = readFileSync(new URL(`data/etf-daily/${ticker}.csv`, shared), "utf8")
    .trim()
    .split("\n");
  const rows = lines.map((line) => line.split(","));
  const column = (at: number) => Float64Array.from(rows, (row) => Number(row[at]));
  return { dates: rows.map((row) => row[0]!), high: column(2), low: column(3), close: column(4) };
}

/** Equal to 1e-9, relative or absolute, whichever is larger; `null` is `NaN`. */
function expectNear(actual: number, expected: number | null, what: string): void {
  if (expected === null) {
    expect(actual, what).toBeNaN();
    return;
  }
  expect(Math.abs(actual - expected), `${what}: ${actual} against ${expected}`).toBeLessThanOrEqual(
    1e-9 * Math.max(1, Math.abs(expected)),
  );
}
