import { newYorkDateOf, newYorkTimeOf, newYorkToUtcMs, sessionDate, xnys } from "@pf/market";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { phaseAfter, sessionAfter, sessionTimes } from "./schedule.js";

const window = { opensBeforeCloseMs: 5 * 60_000, closesBeforeCloseMs: 30_000 };
const at = (utcMs: number) => `${newYorkDateOf(utcMs)} ${newYorkTimeOf(utcMs)}`;
const told = (day: string, of = window) =>
  sessionTimes(xnys, sessionDate(day), of).phases.map(({ phase, atUtcMs }) => `${phase} ${at(atUtcMs)}`);

describe("the phases of a session", () => {
  it("of an ordinary Wednesday", () => {
    expect(told("2026-11-18")).toEqual([
      "morning 2026-11-18 09:31",
      "early 2026-11-18 14:55",
      "late 2026-11-18 15:45",
      "trade 2026-11-18 15:55",
      "afterClose 2026-11-18 16:03",
    ]);
  });
  it("of a Monday begin on Sunday, whatever the clocks did in between", () => {
    expect(told("2026-11-23")[0]).toBe("lookAhead 2026-11-22 18:00");
    // Clocks change on these two Sundays.
    expect(told("2026-11-02")[0]).toBe("lookAhead 2026-11-01 18:00");
    expect(told("2026-03-09")[0]).toBe("lookAhead 2026-03-08 18:00");
    expect(told("2026-03-09").at(-2)).toBe("trade 2026-03-09 15:55");
  });
  it("of a Tuesday after a holiday begin on Sunday too, and after a holiday in the week on its evening", () => {
    expect(told("2026-09-08")[0]).toBe("lookAhead 2026-09-06 18:00");
    expect(told("2026-11-27")[0]).toBe("lookAhead 2026-11-26 18:00");
  });
  it("of a half day come before its own close", () => {
    expect(told("2026-11-27").slice(1)).toEqual([
      "morning 2026-11-27 09:31",
      "early 2026-11-27 11:55",
      "late 2026-11-27 12:45",
      "trade 2026-11-27 12:55",
      "afterClose 2026-11-27 13:03",
    ]);
  });
  it("leave the morning out where the window opens early", () => {
    const opensBeforeCloseMs = 6.5 * 3_600_000;
    expect(told("2026-11-18", { ...window, opensBeforeCloseMs })).toEqual([
      "early 2026-11-18 08:30",
      "late 2026-11-18 09:20",
      "trade 2026-11-18 09:30",
      "afterClose 2026-11-18 16:03",
    ]);
  });
});

describe("what comes next", () => {
  const instants = fc
    .integer({ min: newYorkToUtcMs(sessionDate("2024-01-02"), "00:00"), max: Date.UTC(2028, 10, 1) })
    .map((utcMs) => Math.floor(utcMs / 1000) * 1000);

  it("is the earliest of all phases after an instant, so that following it passes every session once", () => {
    fc.assert(
      fc.property(instants, (from) => {
        const until = from + 20 * 86_400_000;
        const sessions = xnys.sessionsBetween(newYorkDateOf(from), newYorkDateOf(until + 5 * 86_400_000));
        const all = sessions
          .flatMap((session) =>
            sessionTimes(xnys, session, window).phases.map((phase) => [phase.atUtcMs, phase.phase, session]),
          )
          .filter(([when]) => Number(when) > from && Number(when) <= until)
          .sort(([a], [b]) => Number(a) - Number(b));
        const followed: unknown[] = [];
        for (let now = from; ; ) {
          const next = phaseAfter(now, xnys, window)!;
          if (next.atUtcMs > until) break;
          followed.push([next.atUtcMs, next.phase, next.times.session]);
          now = next.atUtcMs;
        }
        expect(followed).toEqual(all);
      }),
      { numRuns: 50 },
    );
  });

  it("is the session whose window is still to end", () => {
    fc.assert(
      fc.property(instants, (now) => {
        const next = sessionAfter(now, xnys, window)!;
        expect(next.closesUtcMs).toBeGreaterThan(now);
        const before = sessionTimes(xnys, xnys.previous(next.session), window);
        expect(before.closesUtcMs).toBeLessThanOrEqual(now);
      }),
    );
  });

  it("is nothing where the calendar ends", () => {
    const end = xnys.closeUtcMs(xnys.onOrBefore(xnys.last)) + 3_600_000;
    expect(phaseAfter(end, xnys, window)).toBeUndefined();
    expect(sessionAfter(end, xnys, window)).toBeUndefined();
  });
});
