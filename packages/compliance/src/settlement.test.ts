import {
  CalendarRangeError,
  dateOfDayNumber,
  dayNumber,
  InvalidSessionDateError,
  type SessionDate,
  sessionDate,
  xnys,
} from "@pf/market";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { goldenText, hasGolden, whyNot } from "../test/golden.js";
import { usSettlement } from "./settlement.js";

const settle = (date: string) => usSettlement.settleDate(sessionDate(date));
const days = (from: string, to: string): readonly SessionDate[] => {
  const [start, end] = [dayNumber(sessionDate(from)), dayNumber(sessionDate(to))];
  return Array.from({ length: end - start + 1 }, (_, at) => dateOfDayNumber(start + at));
};

describe.runIf(hasGolden)(`the settlement samples${whyNot}`, () => {
  const rows = () =>
    goldenText("us-settlement-samples.csv")
      .trim()
      .split("\n")
      .slice(1)
      .map((row) => row.split(","));

  it("are all met, with their cycle", () => {
    expect(rows().length).toBe(36);
    for (const [traded, cycle, settles, note] of rows()) {
      expect(`T+${usSettlement.cycle(traded as SessionDate)}`, traded).toBe(cycle);
      expect(settle(traded!), `${traded} ${note}`).toBe(settles);
    }
  });
});

describe("settlement days", () => {
  it("are not the exchange's sessions: 34 sessions of 2010 to 2027 settle nothing", () => {
    const idle = days("2010-01-01", "2027-12-31").filter(
      (date) => xnys.isSession(date) && !usSettlement.isSettlementDay(date),
    );
    expect(idle.length).toBe(34);
    for (let year = 2010; year <= 2027; year++) {
      const ofYear = idle.filter((date) => date.startsWith(String(year)));
      expect(ofYear.length, String(year)).toBe(year === 2017 || year === 2023 ? 1 : 2);
    }
  });
  it("include closures on which clearing worked, and no others", () => {
    for (const date of ["2007-01-02", "2012-10-29", "2012-10-30", "2018-12-05", "2025-01-09"])
      expect(usSettlement.isSettlementDay(date), date).toBe(true);
    for (const date of ["2001-09-11", "2004-06-11", "2026-04-03", "2026-07-03", "2026-11-21", "2026-11-26"])
      expect(usSettlement.isSettlementDay(date), date).toBe(false);
  });
  it("leave out Martin Luther King Jr. Day while only banks kept it", () => {
    expect(xnys.isSession("1997-01-20")).toBe(true);
    expect(usSettlement.isSettlementDay("1997-01-20")).toBe(false);
  });
  it("keep Veterans Day on a Sunday on the Monday, and lose none to a Saturday", () => {
    expect(usSettlement.isSettlementDay("2018-11-12")).toBe(false);
    expect(usSettlement.isSettlementDay("2017-11-10")).toBe(true);
    expect(usSettlement.isSettlementDay("2023-11-10")).toBe(true);
  });
});

describe("settleDate", () => {
  const tradeDays = days("1995-06-07", "2028-12-20");
  it("is the cycle's n-th settlement day after the trade, counted day by day", () => {
    fc.assert(
      fc.property(fc.constantFrom(...tradeDays), (traded) => {
        let [left, at] = [usSettlement.cycle(traded) as number, dayNumber(traded)];
        while (left > 0) if (usSettlement.isSettlementDay(dateOfDayNumber(++at))) left--;
        expect(settle(traded)).toBe(dateOfDayNumber(at));
      }),
      { numRuns: 2000 },
    );
  });
  it("never goes back: what is traded later settles no earlier, eras included", () => {
    for (let at = 1; at < tradeDays.length; at++)
      expect(settle(tradeDays[at]!) >= settle(tradeDays[at - 1]!), tradeDays[at]).toBe(true);
  });
  it("is what NASD's schedules of 1998 and 1999 say", () => {
    expect(settle("1998-04-07")).toBe("1998-04-13");
    expect(settle("1999-12-21")).toBe("1999-12-27");
    expect(settle("1999-10-08")).toBe("1999-10-14");
    expect(settle("1999-10-11")).toBe("1999-10-14");
  });
  it("is refused where no rule or no calendar is known", () => {
    expect(() => settle("1995-06-06")).toThrow(CalendarRangeError);
    expect(() => settle("2028-12-29")).toThrow(CalendarRangeError);
    expect(() => usSettlement.settleDate("2026-02-30" as SessionDate)).toThrow(InvalidSessionDateError);
  });
});

describe("sessionFrom", () => {
  it("is the first session on which money that settles can trade", () => {
    expect(usSettlement.sessionFrom(sessionDate("2025-01-09"))).toBe("2025-01-10");
    expect(usSettlement.sessionFrom(sessionDate("2026-11-16"))).toBe("2026-11-16");
  });
});
