import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { amendCalendar } from "./amend.js";
import { NotASessionError } from "./errors.js";
import { newYorkTimeOf, newYorkToUtcMs } from "./newYork.js";
import { dateOfDayNumber, dayNumber, type SessionDate, sessionDate } from "./session.js";
import { xnys } from "./xnys.js";

const day = sessionDate;
const addDays = (date: SessionDate, days: number) => dateOfDayNumber(dayNumber(date) + days);
const days = fc.integer({ min: 0, max: 800 }).map((past) => addDays(day("2025-06-01"), past));
const amendments = fc.uniqueArray(
  fc.record({
    day: days,
    closes: fc.constantFrom(null, "11:00", "13:00", "16:00", "17:00"),
    reason: fc.constant("a day of mourning"),
  }),
  { maxLength: 12, selector: (one) => one.day },
);

describe("amendCalendar", () => {
  it("has exactly the sessions that were not closed, and finds its way among them", () => {
    fc.assert(
      fc.property(amendments, days, (changes, from) => {
        const amended = amendCalendar(xnys, changes);
        const closed = new Set(changes.filter(({ closes }) => closes === null).map((one) => one.day));
        const to = addDays(from, 60);
        const sessions = xnys.sessionsBetween(from, to).filter((session) => !closed.has(session));
        expect(amended.sessionsBetween(from, to)).toEqual(sessions);
        for (const session of sessions) {
          expect(amended.isSession(session)).toBe(true);
          expect(amended.whyClosed(session)).toBeUndefined();
          expect(amended.onOrBefore(session)).toBe(session);
          expect(amended.previous(amended.next(session))).toBe(session);
          expect(amended.openUtcMs(session)).toBe(xnys.openUtcMs(session));
        }
        for (let at = 1; at < sessions.length; at++)
          expect(amended.next(sessions[at - 1]!)).toBe(sessions[at]);
      }),
    );
  });

  it("never opens a day that was closed, and never closes later", () => {
    fc.assert(
      fc.property(amendments, days, (changes, from) => {
        const amended = amendCalendar(xnys, changes);
        for (let at = 0, one = from; at < 40; at++, one = addDays(one, 1)) {
          if (!xnys.isSession(one)) {
            expect(amended.isSession(one)).toBe(false);
            expect(amended.whyClosed(one)).toBe(xnys.whyClosed(one));
          } else if (amended.isSession(one)) {
            const change = changes.find((other) => other.day === one);
            const asked = change?.closes ? newYorkToUtcMs(one, change.closes) : Number.POSITIVE_INFINITY;
            expect(amended.closeUtcMs(one)).toBe(Math.min(asked, xnys.closeUtcMs(one)));
            expect(amended.isEarlyClose(one)).toBe(newYorkTimeOf(amended.closeUtcMs(one)) < "16:00");
          }
        }
      }),
    );
  });

  it("says why a day is closed, and gives no hours of it", () => {
    const mourning = { day: day("2026-12-09"), closes: null, reason: "National Day of Mourning" };
    const amended = amendCalendar(xnys, [mourning]);
    expect(amended.whyClosed("2026-12-09")).toBe("National Day of Mourning");
    expect(amended.next(day("2026-12-08"))).toBe("2026-12-10");
    expect(amended.onOrBefore(day("2026-12-09"))).toBe("2026-12-08");
    expect(() => amended.closeUtcMs(day("2026-12-09"))).toThrow(NotASessionError);
    expect(() => amended.openUtcMs(day("2026-12-09"))).toThrow("National Day of Mourning");
  });
});
