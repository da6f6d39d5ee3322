import { addMonths, dateOfDayNumber, type SessionDate } from "@pf/market";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { planWalkForward } from "./folds.js";

const days = (first: number, count: number): SessionDate[] =>
  Array.from({ length: count }, (_, day) => dateOfDayNumber(first + day));

const calendars = fc.record({
  first: fc.integer({ min: 10_000, max: 20_000 }),
  count: fc.integer({ min: 400, max: 1500 }),
  step: fc.integer({ min: 1, max: 9 }),
  trainYears: fc.integer({ min: 1, max: 2 }),
  oosMonths: fc.integer({ min: 1, max: 7 }),
});

describe("planWalkForward", () => {
  it("cuts at calendar dates counted from the first session, not at row counts", () => {
    const folds = planWalkForward(days(18_262, 900), { trainYears: 1, oosMonths: 5 }); // 2020-01-01 to 2022-06-18
    expect(folds.map((fold) => [fold.trainStart, fold.trainEnd, fold.oosStart, fold.oosEnd])).toEqual([
      ["2020-01-01", "2020-12-31", "2021-01-01", "2021-05-31"],
      ["2020-06-01", "2021-05-31", "2021-06-01", "2021-10-31"],
      ["2020-11-01", "2021-10-31", "2021-11-01", "2022-03-31"],
      ["2021-04-01", "2022-03-31", "2022-04-01", "2022-06-18"], // cut short by the data
    ]);
  });

  it("adds months to the first date itself, so that an end of month does not drift", () => {
    const folds = planWalkForward(days(18_292, 500), { trainYears: 1, oosMonths: 1 }); // from 2020-01-31
    expect(folds.map((fold) => fold.oosStart)).toEqual([
      "2021-01-31",
      "2021-02-28",
      "2021-03-31",
      "2021-04-30",
      "2021-05-31",
    ]);
  });

  it("applies every session after the first train window exactly once, to a choice made before it", () => {
    fc.assert(
      fc.property(calendars, ({ first, count, step, trainYears, oosMonths }) => {
        const sessions = days(first, count).filter((_, day) => day % step === 0);
        const cut = addMonths(sessions[0]!, trainYears * 12);
        fc.pre(sessions.at(-1)! >= cut);
        const folds = planWalkForward(sessions, { trainYears, oosMonths });
        expect(folds.map((fold) => fold.index)).toEqual([...folds.keys()]);
        expect(folds[0]!.trainFrom).toBe(0);
        expect(sessions.slice(folds[0]!.oosFrom)).toEqual(sessions.filter((session) => session >= cut));
        expect(folds.at(-1)!.oosTo).toBe(sessions.length);
        for (const [at, fold] of folds.entries()) {
          expect(fold.trainFrom).toBeLessThan(fold.oosFrom);
          expect(fold.oosFrom).toBeLessThan(fold.oosTo);
          if (at > 0) expect(fold.oosFrom).toBe(folds[at - 1]!.oosTo);
          expect(fold).toMatchObject({
            trainStart: sessions[fold.trainFrom],
            trainEnd: sessions[fold.oosFrom - 1],
            oosStart: sessions[fold.oosFrom],
            oosEnd: sessions[fold.oosTo - 1],
          });
          expect(fold.trainEnd < fold.oosStart).toBe(true);
        }
      }),
    );
  });

  it("makes no fold of a span in which the data has no session", () => {
    const sessions = days(18_262, 1000).filter((day) => day < "2021-02-01" || day >= "2021-06-01");
    const folds = planWalkForward(sessions, { trainYears: 1, oosMonths: 1 });
    expect(folds.slice(0, 2).map((fold) => fold.oosStart)).toEqual(["2021-01-01", "2021-06-01"]);
    expect(folds[1]!.oosFrom).toBe(folds[0]!.oosTo);
    expect(folds.length).toBe(17); // January 2021, and June 2021 to September 2022
    for (const fold of folds) expect(fold.oosTo).toBeGreaterThan(fold.oosFrom);
  });

  it("has one fold as soon as one session follows the train window, and says what is missing before", () => {
    expect(planWalkForward(days(18_262, 367), { trainYears: 1, oosMonths: 3 }).length).toBe(1);
    expect(() => planWalkForward(days(18_262, 366), { trainYears: 1, oosMonths: 3 })).toThrow(
      expect.objectContaining({
        code: "PF_TOO_FEW_SESSIONS",
        needed: "2021-01-01",
        message: expect.stringContaining("366 sessions from 2020-01-01 to 2020-12-31"),
      }),
    );
    expect(() => planWalkForward([], { trainYears: 1, oosMonths: 3 })).toThrow(/no session/);
  });

  it.each([
    { trainYears: 0, oosMonths: 3 },
    { trainYears: 1.5, oosMonths: 3 },
    { trainYears: 3, oosMonths: -1 },
    { trainYears: 3, oosMonths: Number.NaN },
  ])("refuses %j", (options) => {
    expect(() => planWalkForward(days(18_262, 900), options)).toThrow(/whole number of at least 1/);
  });
});
