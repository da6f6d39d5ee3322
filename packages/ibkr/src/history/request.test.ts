import { addMonths, dateOfDayNumber, dayNumber, type SessionDate, sessionDate } from "@pf/market";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { durationSince, planHistory, type WantedHistory } from "./request.js";

const day = (text: string) => sessionDate(text);
const days = (from: string, to: string) =>
  fc.integer({ min: dayNumber(day(from)), max: dayNumber(day(to)) }).map(dateOfDayNumber);

/** The first day that a request is sure to cover, read pessimistically from its duration and end. */
function reach(duration: string, through: SessionDate): SessionDate {
  const [count, unit] = duration.split(" ");
  return unit === "Y"
    ? dateOfDayNumber(dayNumber(addMonths(through, -12 * Number(count))) + 1)
    : dateOfDayNumber(dayNumber(through) - Number(count) + 1);
}

/** The last day that a request covers whole. */
const lastDayOf = (end: string, today: SessionDate) =>
  end === ""
    ? today
    : dateOfDayNumber(dayNumber(day(`${end.slice(0, 4)}-${end.slice(4, 6)}-${end.slice(6, 8)}`)) - 1);

describe("durationSince", () => {
  it("counts days up to 365 and years from there on", () => {
    expect(durationSince(day("2026-11-23"), day("2026-11-23"))).toBe("1 D");
    expect(durationSince(day("2026-11-16"), day("2026-11-23"))).toBe("8 D");
    expect(durationSince(day("2025-11-24"), day("2026-11-23"))).toBe("365 D");
    expect(durationSince(day("2025-11-23"), day("2026-11-23"))).toBe("2 Y");
    expect(durationSince(day("2015-01-02"), day("2026-11-23"))).toBe("12 Y");
  });

  it("is legal and never too short", () => {
    fc.assert(
      fc.property(days("1990-01-01", "2028-12-31"), days("1990-01-01", "2028-12-31"), (a, b) => {
        const [from, through] = a <= b ? [a, b] : [b, a];
        const duration = durationSince(from, through);
        const [, count, unit] = /^(\d+) ([DY])$/.exec(duration)!;
        expect(Number(count)).toBeGreaterThanOrEqual(1);
        expect(Number(count)).toBeLessThanOrEqual(unit === "D" ? 365 : 68);
        expect(reach(duration, through) <= from).toBe(true);
      }),
    );
  });
});

describe("planHistory", () => {
  const wanted: WantedHistory = {
    whatToShow: "ADJUSTED_LAST",
    barSize: "1 day",
    from: day("2015-01-02"),
    to: day("2020-12-31"),
    today: day("2026-11-23"),
  };

  it("asks for adjusted prices once and up to now, whatever the span and the size of bars", () => {
    for (const barSize of ["1 day", "1 hour"] as const) {
      expect(planHistory({ ...wanted, barSize })).toEqual([
        { whatToShow: "ADJUSTED_LAST", barSize, duration: "12 Y", end: "" },
      ]);
    }
  });

  it("asks for daily bars as traded in one request as well", () => {
    expect(planHistory({ ...wanted, whatToShow: "TRADES" })).toEqual([
      { whatToShow: "TRADES", barSize: "1 day", duration: "12 Y", end: "" },
    ]);
  });

  it("asks for hourly bars as traded year by year, each with its end in UTC, the last up to now", () => {
    const hourly = planHistory({
      ...wanted,
      whatToShow: "TRADES",
      barSize: "1 hour",
      from: day("2024-12-01"),
      to: day("2026-11-23"),
    });
    expect(hourly.map(({ duration, end }) => [duration, end])).toEqual([
      ["365 D", "20251201-05:00:00"],
      ["358 D", ""],
    ]);
  });

  it("asks for nothing where there is nothing", () => {
    expect(planHistory({ ...wanted, from: day("2021-01-01") })).toEqual([]);
    expect(planHistory({ ...wanted, from: day("2026-11-24"), to: day("2026-11-30") })).toEqual([]);
  });

  it("covers every wanted day without a gap, and gives an end only to bars as traded", () => {
    const when = days("2004-01-01", "2026-11-23");
    fc.assert(
      fc.property(
        when,
        when,
        days("2026-11-23", "2027-02-01"),
        fc.constantFrom("ADJUSTED_LAST" as const, "TRADES" as const),
        fc.constantFrom("1 day" as const, "1 hour" as const),
        (a, b, today, whatToShow, barSize) => {
          const [from, to] = a <= b ? [a, b] : [b, a];
          const plan = planHistory({ whatToShow, barSize, from, to, today });
          let next = from;
          for (const { duration, end } of plan) {
            if (whatToShow === "ADJUSTED_LAST") expect(end).toBe("");
            const through = lastDayOf(end, today);
            expect(reach(duration, through) <= next).toBe(true);
            next = dateOfDayNumber(dayNumber(through) + 1);
          }
          expect(next > to).toBe(true);
        },
      ),
    );
  });
});
