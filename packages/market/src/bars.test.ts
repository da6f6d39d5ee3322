import { describe, expect, it } from "vitest";
import { daily, hourly } from "../test/series.js";
import { assertBarSeries } from "./bars.js";
import { InvalidBarsError } from "./errors.js";

describe("assertBarSeries", () => {
  const good = daily("SPY", ["2024-01-02", "2024-01-03", "2024-01-04"]);

  it("accepts ascending sessions, and a series of one bar or none", () => {
    expect(() => assertBarSeries(good)).not.toThrow();
    expect(() => assertBarSeries(daily("SPY", ["2024-01-02"]))).not.toThrow();
    expect(() => assertBarSeries(daily("SPY", []))).not.toThrow();
  });
  it("names the column that is too short or too long", () => {
    for (const field of ["open", "high", "low", "close", "volume", "endsUtcMs"] as const) {
      for (const length of [2, 4]) {
        expect(() => assertBarSeries({ ...good, [field]: new Float64Array(length) })).toThrow(
          new InvalidBarsError("SPY", `column ${field} has ${length} values for 3 sessions`),
        );
      }
    }
  });
  it("names the column that is missing or is a plain array", () => {
    for (const column of [undefined, [1, 2, 3], "123"]) {
      expect(() => assertBarSeries({ ...good, high: column as never })).toThrow(
        new InvalidBarsError("SPY", "column high must be a Float64Array"),
      );
    }
    expect(() => assertBarSeries({ ...good, endsUtcMs: [1, 2, 3] as never })).toThrow(InvalidBarsError);
  });
  it("names the first bar that repeats or precedes the one before it", () => {
    expect(() =>
      assertBarSeries(daily("SPY", ["2024-01-02", "2024-01-03", "2024-01-03", "2024-01-01"])),
    ).toThrow("SPY: the bar of 2024-01-03 does not come after that of 2024-01-03");
    expect(() => assertBarSeries(daily("SPY", ["2024-01-03", "2024-01-02"]))).toThrow(
      "SPY: the bar of 2024-01-02 does not come after that of 2024-01-03",
    );
  });
  it("orders hourly bars by when they end and lets a session have several", () => {
    const [ten, eleven] = [Date.UTC(2024, 0, 2, 15), Date.UTC(2024, 0, 2, 16)];
    expect(() =>
      assertBarSeries(
        hourly("SPY", [
          ["2024-01-02", ten],
          ["2024-01-02", eleven],
        ]),
      ),
    ).not.toThrow();
    expect(() =>
      assertBarSeries(
        hourly("SPY", [
          ["2024-01-02", eleven],
          ["2024-01-02", ten],
        ]),
      ),
    ).toThrow(
      "SPY: the bar of 2024-01-02 that ends at 2024-01-02T15:00:00.000Z does not come after that of 2024-01-02 that ends at 2024-01-02T16:00:00.000Z",
    );
    expect(() =>
      assertBarSeries(
        hourly("SPY", [
          ["2024-01-02", ten],
          ["2024-01-02", ten],
        ]),
      ),
    ).toThrow(InvalidBarsError);
    expect(() =>
      assertBarSeries(
        hourly("SPY", [
          ["2024-01-03", ten],
          ["2024-01-02", eleven],
        ]),
      ),
    ).toThrow(InvalidBarsError);
  });
  it("refuses an end that is no instant, wherever it stands", () => {
    const ten = Date.UTC(2024, 0, 2, 15);
    for (const wrong of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
      for (const ends of [[wrong], [wrong, ten], [ten, wrong], [ten, wrong, ten + 1]]) {
        const series = hourly(
          "SPY",
          ends.map((end) => ["2024-01-02", end] as const),
        );
        expect(() => assertBarSeries(series), String(ends)).toThrow(InvalidBarsError);
      }
    }
  });
});
