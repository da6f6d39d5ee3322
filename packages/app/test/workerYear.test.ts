import { readdirSync } from "node:fs";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { type CalendarAmendment, sessionDate, xnys } from "@pf/market";
import { parseScenario } from "@pf/tws-sim";
import { describe, expect, it } from "vitest";
import { Draw } from "./draw.js";
import { yearFaults } from "./yearFaults.js";
import type { YearReport } from "./yearWatch.js";
import { YearWorld } from "./yearWorld.js";

// Weeks of a worker's life in seconds, with everything that can go wrong. `make soak` lives through whole years:
// PF_SOAK_YEARS says how many, PF_SOAK_SEED from which seed on; PF_YEAR_TRACE=1 tells what happens, PF_YEAR_ONLY draws
// from the faults with some words in their name.

const say = (text: string) => process.stdout.write(`${text}\n`);
const years = Number(process.env.PF_SOAK_YEARS ?? 0);
const seed = Number(process.env.PF_SOAK_SEED ?? 1);
const only = process.env.PF_YEAR_ONLY ?? "";
const trace = process.env.PF_YEAR_TRACE ? { onTrace: (line: string) => say(line) } : {};
const faults = yearFaults.filter(({ name }) => name.includes(only));

/** A day of mourning, and a close at one that nobody knew of when the calendar was written. */
const announced: readonly CalendarAmendment[] = [
  { day: sessionDate("2025-11-12"), closes: null, reason: "a day of mourning" },
  { day: sessionDate("2026-02-11"), closes: "13:00", reason: "a storm" },
];

const summaryOf = ({ ended, injected, orders, told, executions, starts, quiet }: YearReport) => ({
  ended,
  injected,
  orders,
  told,
  executions,
  starts,
  quiet,
});

describe("a worker left alone", () => {
  it("is never told of while only nights and weekends happen, over both changes of the clocks", async () => {
    for (const first of ["2025-10-30", "2026-03-05"]) {
      const report = await YearWorld.live({
        ...{ seed: 1, first: sessionDate(first), sessions: 4, faults: [], ...trace },
      });
      expect(report.problems).toEqual([]);
      expect(report.quiet).toEqual({ sessions: 4, traded: 4 });
      expect(report.told.filter(([, level]) => level !== "info")).toEqual([]);
      expect(report.starts).toBe(1);
    }
  });

  it("sends no order twice, misses no fill and explains every session, whatever goes wrong on every other day", async () => {
    const report = await YearWorld.live({
      ...{ seed: 7, first: sessionDate("2025-11-05"), sessions: 20, faults, every: 2, ...trace },
      ...{ amendments: announced, lateLogins: true },
    });
    expect(report.problems).toEqual([]);
    expect(report.injected.length).toBeGreaterThan(7);
    expect(report.quiet.traded).toBe(report.quiet.sessions);
    expect(report.ended.length).toBe(20);
    expect(report.ended.map(({ session }) => session)).not.toContain("2025-11-12");
    expect(report.executions).toBeGreaterThan(10);
    // A half day trades before one o'clock.
    const halfDay = report.orders.filter(([at]) => at.startsWith("2025-11-28"));
    for (const [at] of halfDay) expect(at.slice(11, 16)).toMatch(/^12:5[5-9]$/);
  });

  it("lives the same life again for the same seed", async () => {
    const options = { seed: 3, first: sessionDate("2026-01-05"), sessions: 6, faults, every: 2, ...trace };
    const once = await YearWorld.live(options);
    expect(once.problems).toEqual([]);
    expect(summaryOf(await YearWorld.live(options))).toEqual(summaryOf(once));
  });

  it("tells how a session ended also when it died in the middle of it, and came back hours later", async () => {
    const deaths = yearFaults.filter(({ name }) => /at a step, and comes back/.test(name));
    const report = await YearWorld.live({
      ...{ seed: 5, first: sessionDate("2026-02-17"), sessions: 6, faults: deaths, every: 2, ...trace },
    });
    expect(report.problems).toEqual([]);
    expect(report.starts).toBeGreaterThan(1);
    const ends = report.told.filter(([, , words]) => words.startsWith("The worker was ended from outside"));
    expect(ends.length).toBeGreaterThan(0);
    for (const [, level, words] of ends) {
      expect(level).toBe("warning");
      expect(words).toMatch(/: the rebalance of \d{4}-\d\d-\d\d was under way, since /);
    }
  });
});

describe("the catalogue of faults", () => {
  it("has every action of the simulator's scenario language", () => {
    let list = "";
    try {
      parseScenario("rules: [{ after: 0, do: [{}] }]");
    } catch (error) {
      list = /exactly one of ([a-z_, ]+)/.exec(String((error as Error).message))?.[1] ?? "";
    }
    const known = list.split(",").map((name) => name.trim());
    const used = new Set(yearFaults.flatMap(({ actions }) => actions));
    expect([...used].sort()).toEqual(known.sort());
    expect(used.size).toBeGreaterThan(15);
  });

  it("is told apart by names, and each can be arranged", () => {
    expect(new Set(yearFaults.map(({ name }) => name)).size).toBe(yearFaults.length);
  });
});

/** What the process holds after everything that nobody needs any more is gone. */
function held(): { readonly heapMB: number; readonly descriptors: number } {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  collect();
  collect();
  const descriptors = process.platform === "linux" ? readdirSync("/proc/self/fd").length : 0;
  return { heapMB: process.memoryUsage().heapUsed / 1e6, descriptors };
}

describe.runIf(years > 0)("a year", () => {
  it.each(Array.from({ length: years }, (_, nth) => seed + nth))(
    "of 250 sessions, seed %d",
    async (own) => {
      const started = performance.now();
      const marks = new Map<number, ReturnType<typeof held>>();
      const draw = new Draw(`announced ${own}`);
      const days = xnys.sessionsBetween(sessionDate("2025-07-10"), sessionDate("2026-04-30"));
      const closed = draw.one(days.filter((day) => !xnys.isEarlyClose(day)));
      const shortened = draw.one(days.filter((day) => day !== closed && !xnys.isEarlyClose(day)));
      const report = await YearWorld.live({
        ...{ seed: own, first: sessionDate("2025-06-02"), sessions: 250, faults, lateLogins: true, ...trace },
        amendments: [
          { day: closed, closes: null, reason: "a day of mourning" },
          { day: shortened, closes: "13:00", reason: "a storm" },
        ],
        onEvening(_, nth) {
          if ([50, 150, 249].includes(nth)) marks.set(nth, held());
        },
      });
      const results = new Map<string, number>();
      for (const { result } of report.ended) results.set(result, (results.get(result) ?? 0) + 1);
      const seconds = Math.round((performance.now() - started) / 1000);
      say(
        [
          `year ${own}: ${report.ended.length} sessions in ${seconds} s, ${[...results].map(([name, count]) => `${count} ${name}`).join(", ")}`,
          `  ${report.orders.length} orders, ${report.executions} executions (${report.outOfSight} out of sight), ${report.starts} processes, ${report.receipts} receipts such as dividends`,
          `  ${report.quiet.traded} of ${report.quiet.sessions} sessions traded without a fault nearby`,
          `  late log-ins: ${report.logins.late}, none for ${report.logins.missed.join(", ")}; closed on ${closed}, at one on ${shortened}`,
          `  ${[...marks].map(([nth, { heapMB, descriptors }]) => `session ${nth}: ${heapMB.toFixed(1)} MB, ${descriptors} descriptors`).join("; ")}`,
          `  ${report.injected.length} faults: ${[...new Set(report.injected.map(([, name]) => name))].sort().join("; ")}`,
          ...report.problems.map((words) => `  PROBLEM ${words}`),
        ].join("\n"),
      );
      expect(report.problems).toEqual([]);
      expect(report.quiet.traded).toBe(report.quiet.sessions);
      const [early, late] = [marks.get(50)!, marks.get(249)!];
      expect(late.heapMB - early.heapMB).toBeLessThan(12);
      expect(late.descriptors - early.descriptors).toBeLessThan(5);
    },
    3_600_000,
  );
});
