import { existsSync, readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CalendarRangeError, InvalidSessionDateError, NotASessionError } from "./errors.js";
import { newYorkTimeOf } from "./newYork.js";
import { dateOfDayNumber, dayNumber, type SessionDate, sessionDate } from "./session.js";
import { xnys } from "./xnys.js";

const golden = new URL("../../../../shared/golden/xnys-early-closes-and-holidays.csv", import.meta.url);
const present = existsSync(golden);
const why = present ? "" : " (not run: no folder ../shared beside the project)";

const firstDay = dayNumber(xnys.first);
const lastDay = dayNumber(xnys.last);
const anyDay = fc.integer({ min: firstDay, max: lastDay }).map(dateOfDayNumber);
const allSessions = xnys.sessionsBetween(xnys.first, xnys.last);
const anySession = fc.constantFrom(...allSessions);
const closeOf = (day: string) => newYorkTimeOf(xnys.closeUtcMs(sessionDate(day)));

describe.runIf(present)(`XNYS against the published calendar of 2010 to 2027${why}`, () => {
  const rows = present
    ? readFileSync(golden, "utf8")
        .trim()
        .split("\n")
        .slice(1)
        .map((line) => line.split(","))
    : [];
  const special = new Map(
    rows.map(([date, , kind, name, closeEt, closeUtc]) => [date!, { kind, name, closeEt, closeUtc }]),
  );

  it("closes on the same weekdays for the same reasons, closes early on the same sessions, and on no other", () => {
    let [weekdays, sessions, halfDays] = [0, 0, 0];
    for (let day = dayNumber(sessionDate("2010-01-01")); day <= dayNumber(sessionDate("2027-12-31")); day++) {
      const date = dateOfDayNumber(day);
      const weekday = new Date(`${date}T12:00:00Z`).getUTCDay();
      if (weekday === 0 || weekday === 6) {
        expect(xnys.whyClosed(date)).toBe(weekday === 0 ? "Sunday" : "Saturday");
        expect(xnys.isSession(date)).toBe(false);
        continue;
      }
      weekdays++;
      const listed = special.get(date);
      const open = !listed || listed.kind === "early_close";
      expect(xnys.isSession(date), date).toBe(open);
      expect(xnys.whyClosed(date), date).toBe(open ? undefined : listed!.name);
      if (!open) continue;
      sessions++;
      expect(xnys.isEarlyClose(date), date).toBe(listed !== undefined);
      if (listed) {
        halfDays++;
        expect(closeOf(date), date).toBe(listed.closeEt);
        expect(new Date(xnys.closeUtcMs(date)).toISOString(), date).toBe(
          listed.closeUtc!.replace("Z", ".000Z"),
        );
      } else expect(closeOf(date), date).toBe("16:00");
      expect(newYorkTimeOf(xnys.openUtcMs(date)), date).toBe("09:30");
    }
    expect({ weekdays, sessions, halfDays }).toEqual({ weekdays: 4696, sessions: 4526, halfDays: 37 });
    expect(special.size).toBe(166 + 4 + 37);
  });
});

describe("XNYS", () => {
  it("had 4,526 sessions from 2010 to 2027", () => {
    expect(xnys.sessionsBetween(sessionDate("2010-01-01"), sessionDate("2027-12-31"))).toHaveLength(4526);
  });

  it.each([
    ["2026", "01-01 01-19 02-16 04-03 05-25 06-19 07-03 09-07 11-26 12-25", "11-27 12-24"],
    ["2027", "01-01 01-18 02-15 03-26 05-31 06-18 07-05 09-06 11-25 12-24", "11-26"],
    ["2028", "01-17 02-21 04-14 05-29 06-19 07-04 09-04 11-23 12-25", "07-03 11-24"],
  ])("keeps the exchange's announcement for %s", (year, closed, half) => {
    const days = daysOfYear(year);
    const weekday = (day: SessionDate) => !["Saturday", "Sunday"].includes(xnys.whyClosed(day) ?? "");
    const short = (list: readonly SessionDate[]) => list.map((day) => day.slice(5)).join(" ");
    expect(short(days.filter((day) => weekday(day) && !xnys.isSession(day)))).toBe(closed);
    expect(short(days.filter((day) => xnys.isSession(day) && xnys.isEarlyClose(day)))).toBe(half);
  });

  it.each([
    ["1994-04-27", "National Day of Mourning (Richard Nixon)"],
    ["1998-01-19", "Martin Luther King Jr. Day"],
    ["2001-09-11", "Attacks of September 11"],
    ["2001-09-14", "Attacks of September 11"],
    ["2004-06-11", "National Day of Mourning (Ronald Reagan)"],
    ["2007-01-02", "National Day of Mourning (Gerald Ford)"],
    ["2010-12-24", "Christmas Day (observed)"],
    ["2012-10-30", "Hurricane Sandy"],
    ["2018-12-05", "National Day of Mourning (George H. W. Bush)"],
    ["2025-01-09", "National Day of Mourning (Jimmy Carter)"],
    ["2026-07-03", "Independence Day (observed)"],
    ["2022-06-20", "Juneteenth (observed)"],
    ["2023-01-02", "New Year's Day (observed)"],
    ["2000-04-21", "Good Friday"],
    ["2008-03-21", "Good Friday"],
    ["2011-04-22", "Good Friday"],
    ["2026-11-21", "Saturday"],
    ["2026-11-22", "Sunday"],
  ])("was closed on %s: %s", (day, reason) => {
    expect(xnys.isSession(day)).toBe(false);
    expect(xnys.whyClosed(day)).toBe(reason);
  });

  it.each([
    // The day after a one-off closure, and days that other calendars take for holidays.
    ...["1997-01-20", "2001-09-10", "2001-09-17", "2010-12-31", "2012-10-31", "2013-07-05", "2021-06-18"],
    ...[
      "2021-12-31",
      "2022-01-03",
      "2025-12-26",
      "2026-07-02",
      "2027-12-23",
      "2026-10-12",
      "2026-11-11",
      "1990-07-03",
    ],
    ...[
      "1993-12-31",
      "1994-07-05",
      "1991-07-05",
      "1991-11-29",
      "1990-11-23",
      "2002-07-03",
      "2024-03-28",
      "2028-01-03",
      "2024-11-05",
    ],
  ])("held a full session on %s", (day) => {
    expect(xnys.whyClosed(day)).toBeUndefined();
    expect(xnys.isEarlyClose(sessionDate(day))).toBe(false);
    expect(closeOf(day)).toBe("16:00");
  });

  it.each([
    ["1990-12-24", "14:00"],
    ["1991-12-24", "14:00"],
    ["1992-11-27", "14:00"],
    ["1992-12-24", "14:00"],
    ["1993-11-26", "13:00"],
    ["1995-07-03", "13:00"],
    ["1996-07-05", "13:00"],
    ["1997-12-26", "13:00"],
    ["1999-12-31", "13:00"],
    ["2002-07-05", "13:00"],
    ["2003-12-26", "13:00"],
    ["2013-07-03", "13:00"],
    ["2025-12-24", "13:00"],
    ["2028-07-03", "13:00"],
  ])("closed early on %s, at %s", (day, close) => {
    expect(xnys.isEarlyClose(sessionDate(day))).toBe(true);
    expect(closeOf(day)).toBe(close);
  });

  it.each([
    ["2026-03-06", "20:55"],
    ["2026-03-09", "19:55"],
    ["2026-10-30", "19:55"],
    ["2026-11-02", "20:55"],
    ["2025-07-03", "16:55"],
    ["2026-11-27", "17:55"],
    ["2026-12-24", "17:55"],
  ])("reaches five minutes before the close of %s at %s UTC", (day, utc) => {
    const instant = new Date(xnys.closeUtcMs(sessionDate(day)) - 5 * 60_000).toISOString();
    expect(instant).toBe(`${day}T${utc}:00.000Z`);
  });
});

describe("the sessions of XNYS", () => {
  it("lie within the range, come in order and are the days that are sessions", () => {
    fc.assert(
      fc.property(anyDay, fc.nat(400), (from, length) => {
        const to = dateOfDayNumber(Math.min(lastDay, dayNumber(from) + length));
        const days = daysBetween(from, to);
        expect(xnys.sessionsBetween(from, to)).toEqual(days.filter((day) => xnys.isSession(day)));
      }),
    );
  });
  it("are none where the interval ends before it starts", () => {
    expect(xnys.sessionsBetween(sessionDate("2024-03-05"), sessionDate("2024-03-01"))).toEqual([]);
    expect(xnys.sessionsBetween(sessionDate("2024-03-05"), sessionDate("2024-03-04"))).toEqual([]);
  });
  it("are handed out as a copy that the caller may keep", () => {
    const [from, to] = [sessionDate("2024-03-04"), sessionDate("2024-03-05")];
    (xnys.sessionsBetween(from, to) as SessionDate[]).pop();
    expect(xnys.sessionsBetween(from, to)).toEqual([from, to]);
  });
  it("have one before and one after each other: next and previous undo each other", () => {
    fc.assert(
      fc.property(anySession, (session) => {
        if (session !== allSessions.at(-1)) expect(xnys.previous(xnys.next(session))).toBe(session);
        if (session !== allSessions[0]) expect(xnys.next(xnys.previous(session))).toBe(session);
      }),
    );
  });
  it("nearest to any day have no other session between", () => {
    fc.assert(
      fc.property(anyDay, (day) => {
        fc.pre(day > allSessions[0]! && day < allSessions.at(-1)!);
        const [before, at, after] = [xnys.previous(day), xnys.onOrBefore(day), xnys.next(day)];
        expect(before < day && day < after).toBe(true);
        expect(at).toBe(xnys.isSession(day) ? day : before);
        expect(xnys.sessionsBetween(before, after)).toEqual(
          xnys.isSession(day) ? [before, day, after] : [before, after],
        );
      }),
    );
  });
  it("open at 09:30 and close after it on the day they are named for, each after the one before", () => {
    let closed = Number.NEGATIVE_INFINITY;
    for (const session of allSessions) {
      const [open, close] = [xnys.openUtcMs(session), xnys.closeUtcMs(session)];
      expect(open).toBeGreaterThan(closed);
      expect(close - open).toBe(
        (xnys.isEarlyClose(session) ? (session < "1993" ? 4.5 : 3.5) : 6.5) * 3_600_000,
      );
      closed = close;
    }
  });
  it("are exactly the days for which there is no reason to be closed", () => {
    fc.assert(
      fc.property(anyDay, (day) => {
        expect(xnys.whyClosed(day) === undefined).toBe(xnys.isSession(day));
      }),
    );
  });
});

describe("XNYS refuses", () => {
  const ask = [
    "isSession",
    "whyClosed",
    "isEarlyClose",
    "next",
    "previous",
    "onOrBefore",
    "openUtcMs",
    "closeUtcMs",
  ] as const;
  it.each(ask)("to answer %s outside 1990 to 2028", (method) => {
    for (const day of ["1989-12-29", "1929-10-29", "2029-01-02", "9999-12-31"]) {
      expect(() => xnys[method](day as SessionDate)).toThrow(
        new CalendarRangeError(day, "1990-01-01", "2028-12-31"),
      );
    }
  });
  it.each(ask)("a text that is no date for %s", (method) => {
    for (const text of ["2023-02-29", "2024-1-2", "", "20240102", "2024-01-02T00:00:00Z"]) {
      expect(() => xnys[method](text as SessionDate)).toThrow(InvalidSessionDateError);
    }
  });
  it("to name a session before the first or after the last", () => {
    expect(allSessions[0]).toBe("1990-01-02");
    expect(allSessions.at(-1)).toBe("2028-12-29");
    for (const day of ["1990-01-01", "1990-01-02"]) {
      expect(() => xnys.previous(sessionDate(day))).toThrow(
        `the session before ${day} is outside the exchange calendar`,
      );
    }
    expect(() => xnys.onOrBefore(xnys.first)).toThrow(CalendarRangeError);
    for (const day of ["2028-12-29", "2028-12-31"]) {
      expect(() => xnys.next(sessionDate(day))).toThrow(
        `the session after ${day} is outside the exchange calendar`,
      );
    }
    expect(xnys.next(xnys.first)).toBe("1990-01-02");
    expect(xnys.previous(xnys.last)).toBe("2028-12-29");
  });
  it("an interval that leaves the range at either end", () => {
    const inside = sessionDate("2024-01-02");
    expect(() => xnys.sessionsBetween(sessionDate("1989-12-31"), inside)).toThrow(CalendarRangeError);
    expect(() => xnys.sessionsBetween(inside, sessionDate("2029-01-01"))).toThrow(CalendarRangeError);
  });
  it.each(["isEarlyClose", "openUtcMs", "closeUtcMs"] as const)(
    "%s of a day without a session, and says why",
    (method) => {
      for (const [day, reason] of [
        ["2024-03-29", "Good Friday"],
        ["2024-03-30", "Saturday"],
        ["2012-10-29", "Hurricane Sandy"],
      ] as const) {
        expect(() => xnys[method](sessionDate(day))).toThrow(new NotASessionError(day, reason));
        expect(() => xnys[method](sessionDate(day))).toThrow(`${day} is not a trading session: ${reason}`);
      }
    },
  );
});

function daysBetween(from: SessionDate, to: SessionDate): SessionDate[] {
  const [start, end] = [dayNumber(from), dayNumber(to)];
  return Array.from({ length: end - start + 1 }, (_, at) => dateOfDayNumber(start + at));
}

function daysOfYear(year: string): SessionDate[] {
  return daysBetween(sessionDate(`${year}-01-01`), sessionDate(`${year}-12-31`));
}
