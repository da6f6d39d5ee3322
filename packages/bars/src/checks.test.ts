import type { BarSeries } from "@pf/market";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { altered, calendar, day, sound, without } from "../test/world.js";
import { type CheckRule, checkBars, refusals } from "./checks.js";

const series = sound("SPY", "2024-01-02", 30);
const found = (bars: BarSeries, options = {}) =>
  checkBars(bars, calendar, options).map(({ date, rule, severity }) => `${severity} ${rule} ${date}`);

describe("checkBars", () => {
  it("finds nothing in sound bars, in one bar, and in none", () => {
    expect(found(series)).toEqual([]);
    expect(found(sound("SPY", "2024-01-02", 1))).toEqual([]);
    expect(found(sound("SPY", "2024-01-02", 0), { asOf: day("2024-01-02") })).toEqual([]);
  });

  it.each<[CheckRule, string, Parameters<typeof altered>[2]]>([
    ["ohlc", "a high below the low", { high: 90, low: 95 }],
    ["ohlc", "a high below the close", { high: series.close[4]! - 0.01 }],
    ["ohlc", "a low above the open", { low: series.open[4]! + 0.01 }],
    ["price", "a price of zero", { low: 0 }],
    ["price", "a negative price", { low: -1 }],
    ["not-finite", "a price that is no number", { open: Number.NaN }],
    ["not-finite", "an infinite volume", { volume: Number.POSITIVE_INFINITY }],
    ["volume", "a negative volume", { volume: -1 }],
  ])("refuses with the rule %s %s", (rule, _, values) => {
    const findings = refusals(checkBars(altered(series, 4, values), calendar));
    expect(findings).toEqual([
      { symbol: "SPY", date: series.sessions[4], rule, severity: "refuse", message: expect.any(String) },
    ]);
  });

  it("refuses a bar that comes twice and one out of order, naming the bar and the one before it", () => {
    const move = (row: number, to: number): BarSeries => {
      const sessions = [...series.sessions];
      sessions[row] = series.sessions[to]!;
      return { ...series, sessions };
    };
    expect(found(move(5, 4))).toContain(`refuse duplicate ${series.sessions[4]}`);
    expect(found(move(5, 2))).toContain(`refuse unsorted ${series.sessions[2]}`);
    const [finding] = refusals(checkBars(move(5, 2), calendar));
    expect(finding!.message).toContain(series.sessions[4]!);
  });

  it("refuses a bar of a weekend, of a holiday, and of a day beyond the calendar", () => {
    const on = (text: string) => found({ ...sound("SPY", "2024-01-02", 1), sessions: [day(text)] });
    expect(on("2024-01-06")).toEqual(["refuse no-session 2024-01-06"]);
    expect(on("2024-12-25")).toEqual(["refuse no-session 2024-12-25"]);
    expect(on("2018-12-05")).toEqual(["refuse no-session 2018-12-05"]);
    expect(on("2199-01-02")).toEqual(["refuse beyond-calendar 2199-01-02"]);
    expect(on("1889-01-02")).toEqual(["refuse beyond-calendar 1889-01-02"]);
  });

  it("warns about sessions without a bar between two bars, once for each hole, however long", () => {
    const holed = without(series, 5, 10, 11, 12);
    const findings = checkBars(holed, calendar);
    expect(findings.map(({ rule, date }) => [rule, date])).toEqual([
      ["gap", series.sessions[6]],
      ["gap", series.sessions[13]],
    ]);
    expect(findings[0]!.message).toContain(series.sessions[5]!);
    expect(findings[1]!.message).toContain("3 sessions");
    expect(refusals(findings)).toEqual([]);
  });

  it("takes no weekend and no holiday for a hole", () => {
    // Good Friday of 2024 lies between the two.
    const easter = { ...sound("SPY", "2024-01-02", 2), sessions: [day("2024-03-28"), day("2024-04-01")] };
    expect(found(easter)).toEqual([]);
  });

  it("warns about a bar without volume, and about prices that do not change for many bars, once a run", () => {
    expect(found(altered(series, 9, { volume: 0 }))).toEqual([`warn zero-volume ${series.sessions[9]}`]);
    let still = series;
    for (let row = 11; row < 20; row++) {
      still = altered(still, row, {
        open: still.open[10]!,
        high: still.high[10]!,
        low: still.low[10]!,
        close: still.close[10]!,
      });
    }
    expect(found(still)).toEqual([`warn stale ${series.sessions[14]}`]);
    expect(found(still, { staleBars: 3 })).toEqual([`warn stale ${series.sessions[12]}`]);
    expect(found(still, { staleBars: 11 })).toEqual([]);
  });

  it("warns when the last bar is older than it should be", () => {
    const last = series.sessions.at(-1)!;
    expect(found(series, { asOf: last })).toEqual([]);
    expect(found(series, { asOf: calendar.next(last) })).toEqual([`warn stale ${last}`]);
  });

  it("warns about exactly the jumps beyond the threshold, upwards and downwards", () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0.3, max: 3, noNaN: true }),
        fc.double({ min: 0.05, max: 0.9, noNaN: true }),
        (by, jump) => {
          const flat = { ...sound("SPY", "2024-01-02", 2), open: Float64Array.of(100, 100) };
          const close = Float64Array.of(100, 100 * by);
          const bars = { ...flat, close, low: Float64Array.of(1, 1), high: Float64Array.of(900, 900) };
          const jumps = checkBars(bars, calendar, { jump }).filter(({ rule }) => rule === "jump");
          expect(jumps).toHaveLength(Math.abs((100 * by) / 100 - 1) > jump ? 1 : 0);
        },
      ),
    );
  });

  it("orders hourly bars by their ends, not by their session", () => {
    const ends = [15, 16, 17].map((hour) => Date.UTC(2024, 0, 2, hour, 30));
    const hourly = (...at: number[]): BarSeries => ({
      ...sound("SPY", "2024-01-02", 3),
      sessions: [day("2024-01-02"), day("2024-01-02"), day("2024-01-02")],
      endsUtcMs: Float64Array.from(at, (place) => ends[place]!),
    });
    expect(found(hourly(0, 1, 2))).toEqual([]);
    expect(found(hourly(0, 0, 2))).toEqual(["refuse duplicate 2024-01-02"]);
    expect(found(hourly(0, 2, 1))).toEqual(["refuse unsorted 2024-01-02"]);
  });

  it("reports every fault of every bar", () => {
    let bad = series;
    for (let row = 0; row < 30; row++) bad = altered(bad, row, { high: 1, volume: -2 });
    const findings = refusals(checkBars(bad, calendar));
    expect(findings.filter(({ rule }) => rule === "ohlc")).toHaveLength(30);
    expect(findings.filter(({ rule }) => rule === "volume")).toHaveLength(30);
  });
});
