import { newYorkToUtcMs, sessionDate, xnys } from "@pf/market";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { instantOf } from "../session/instants.js";
import { joinBars, type WireBar, withoutLast } from "./bars.js";

const bar = (date: string, close = 10): WireBar => ({
  date,
  open: close,
  high: close + 1,
  low: close - 1,
  close,
  volume: 100,
});
const at = (date: string, time: string) => newYorkToUtcMs(sessionDate(date), time);
const evening = at("2026-11-27", "20:00");

describe("daily bars", () => {
  const days = ["20261124", "20261125", "20261127"];

  it("become one series under the sessions that they name", () => {
    const { series, provisional } = joinBars("SPY", "1 day", [days.map((date) => bar(date))], xnys, evening);
    expect(series.sessions).toEqual(["2026-11-24", "2026-11-25", "2026-11-27"]);
    expect([...series.close, ...series.high, ...series.volume]).toEqual([
      10, 10, 10, 11, 11, 11, 100, 100, 100,
    ]);
    expect(series.endsUtcMs).toBeUndefined();
    expect(provisional).toBe(0);
  });

  it("are provisional until the close of their session, half days included", () => {
    const atTime = (time: string) =>
      joinBars("SPY", "1 day", [days.map((date) => bar(date))], xnys, at("2026-11-27", time)).provisional;
    expect([atTime("09:31"), atTime("12:59"), atTime("13:00")]).toEqual([1, 1, 0]);
    expect(
      joinBars("SPY", "1 day", [[bar("20261124"), bar("20261125")]], xnys, at("2026-11-25", "15:59"))
        .provisional,
    ).toBe(1);
  });

  it("take what two answers share from the later one", () => {
    const answers = [
      [bar("20261124", 1), bar("20261125", 2)],
      [bar("20261125", 3), bar("20261127", 4)],
    ];
    expect([...joinBars("SPY", "1 day", answers, xnys, evening).series.close]).toEqual([1, 3, 4]);
  });

  it.each([
    ["a date that is none", [bar("20261131")], "yyyymmdd"],
    ["another calendar", [bar("2026-11-24")], "yyyymmdd"],
    ["the library's end marker", [bar("finished-20261124  00:00:00-20261127  00:00:00", -1)], "-1"],
    ["a price that is missing", [{ ...bar("20261124"), close: Number.NaN }], "it has no close"],
    ["a volume that is missing", [{ ...bar("20261124"), volume: undefined }], "it has no volume"],
    ["a price that is unknown", [{ ...bar("20261124"), low: -1 }], "its low is -1"],
    ["a bar twice", [bar("20261124"), bar("20261124")], "it stands twice"],
    ["a bar out of order", [bar("20261125"), bar("20261124")], "after a later one"],
  ])("refuse %s in words", (_, bars, words) => {
    expect(() => joinBars("SPY", "1 day", [bars], xnys, evening)).toThrow(words);
    expect(() => joinBars("SPY", "1 day", [bars], xnys, evening)).toThrow("SPY");
  });
});

describe("hourly bars", () => {
  const seconds = (date: string, time: string) => String(at(date, time) / 1000);
  // The broker's own rhythm: half an hour first, then on the hour; 2026-11-27 closes at 13:00.
  const times = ["09:30", "10:00", "11:00", "12:00"];
  const halfDay = times.map((time) => bar(seconds("2026-11-27", time)));

  it("end where the next begins, and never after the close", () => {
    const { series, provisional } = joinBars("SPY", "1 hour", [halfDay], xnys, evening);
    expect([...series.endsUtcMs!]).toEqual(
      ["10:00", "11:00", "12:00", "13:00"].map((time) => at("2026-11-27", time)),
    );
    expect(series.sessions).toEqual(Array(4).fill("2026-11-27"));
    expect(provisional).toBe(0);
  });

  it("end when they would where the next one is missing", () => {
    const holed = [halfDay[0]!, halfDay[2]!, halfDay[3]!];
    const { series } = joinBars("SPY", "1 hour", [holed], xnys, evening);
    expect([...series.endsUtcMs!]).toEqual(["10:00", "12:00", "13:00"].map((time) => at("2026-11-27", time)));
  });

  it("may be counted from the open instead", () => {
    const bars = ["09:30", "10:30", "11:30", "12:30"].map((time) => bar(seconds("2026-11-27", time)));
    expect(joinBars("SPY", "1 hour", [bars], xnys, evening).series.endsUtcMs!.at(-1)).toBe(
      at("2026-11-27", "13:00"),
    );
  });

  it("are provisional while they run", () => {
    const { provisional } = joinBars("SPY", "1 hour", [halfDay], xnys, at("2026-11-27", "12:30"));
    expect(provisional).toBe(1);
  });

  it("are refused where nobody says in which zone their time is", () => {
    expect(() => joinBars("SPY", "1 hour", [[bar("20261127  09:30:00")]], xnys, evening)).toThrow(
      "time zone",
    );
  });
});

describe("instantOf", () => {
  it("reads every form that names one instant", () => {
    const instant = at("2026-04-02", "09:30");
    for (const text of [
      String(instant / 1000),
      "20260402-13:30:00",
      "20260402 13:30:00 UTC",
      "20260402 09:30:00 US/Eastern",
      "20260402  09:30:00  America/New_York",
      "20260402 15:30:00 Europe/Berlin",
    ]) {
      expect([text, instantOf(text)]).toEqual([text, instant]);
    }
  });

  it("reads nothing into anything else", () => {
    for (const text of [
      "",
      "20260402",
      "20260402 09:30:00",
      "20260402 09:30:00 Mars/Base",
      "20260402-25:00:00",
      "x",
    ])
      expect([text, instantOf(text)]).toEqual([text, undefined]);
  });

  it("agrees with New York's clock on every instant that it shows once", () => {
    fc.assert(
      fc.property(fc.integer({ min: Date.UTC(2000, 0) / 3.6e6, max: Date.UTC(2030, 0) / 3.6e6 }), (hour) => {
        const utcMs = hour * 3.6e6;
        const parts = new Intl.DateTimeFormat("sv-SE", {
          timeZone: "America/New_York",
          dateStyle: "short",
          timeStyle: "medium",
        }).format(utcMs);
        const text = `${parts.replaceAll("-", "")} US/Eastern`;
        const [, time = ""] = parts.split(" ");
        // Once a year 01:00 is shown twice, and nobody can tell which is meant.
        fc.pre(!time.startsWith("01"));
        expect(instantOf(text)).toBe(utcMs);
      }),
    );
  });
});

describe("withoutLast", () => {
  it("cuts every column alike", () => {
    const { series } = joinBars("SPY", "1 day", [[bar("20261124", 1), bar("20261125", 2)]], xnys, evening);
    const cut = withoutLast(series, 1);
    expect([cut.sessions, [...cut.close], [...cut.volume]]).toEqual([["2026-11-24"], [1], [100]]);
    expect(withoutLast(series, 0)).toBe(series);
  });
});
