import { describe, expect, it } from "vitest";
import { daily, hourly } from "../test/series.js";
import { barEndsUtcMs } from "./calendar.js";
import { CalendarRangeError } from "./errors.js";
import { alignPanel } from "./panel.js";
import { xnys } from "./xnys.js";

describe("barEndsUtcMs", () => {
  const texts = (ends: Float64Array) => [...ends].map((end) => new Date(end).toISOString().slice(0, 16));

  it("ends daily bars with their session, half days and summer time included", () => {
    const panel = alignPanel([daily("SPY", ["2026-07-02", "2026-11-25", "2026-11-27"])]);
    expect(texts(barEndsUtcMs(panel, xnys))).toEqual([
      "2026-07-02T20:00",
      "2026-11-25T21:00",
      "2026-11-27T18:00",
    ]);
  });
  it("ends a bar of a day without a session at 16:00 in New York", () => {
    const panel = alignPanel([daily("BTC", ["2026-07-03", "2026-11-28"])]);
    expect(texts(barEndsUtcMs(panel, xnys))).toEqual(["2026-07-03T20:00", "2026-11-28T21:00"]);
  });
  it("takes the ends that a panel of hourly bars states", () => {
    const panel = alignPanel([
      hourly("SPY", [
        ["2026-07-02", 1],
        ["2026-07-02", 2],
      ]),
    ]);
    expect(barEndsUtcMs(panel, xnys)).toBe(panel.endsUtcMs);
  });
  it("does not guess about days that the calendar does not know", () => {
    expect(() => barEndsUtcMs(alignPanel([daily("SPY", ["1989-12-29"])]), xnys)).toThrow(CalendarRangeError);
  });
});
