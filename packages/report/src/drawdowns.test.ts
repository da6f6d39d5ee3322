import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { runOf, walk, weekdays } from "../test/worlds.js";
import { underwater, worstDrawdowns } from "./drawdowns.js";

const everything = Number.POSITIVE_INFINITY;
/** Returns on a coarse grid, so that highs are reached again exactly and flat stretches occur. */
const returns = fc.array(fc.constantFrom(0, 0.5, -1 / 3, 1, -0.5, 0.25, -0.2, -1), {
  minLength: 1,
  maxLength: 40,
});
const runs = returns.map((net) => runOf(weekdays("2024-01-01", net.length), net));

describe("worstDrawdowns", () => {
  it("names peak, trough and recovery of each fall, deepest first", () => {
    const equity = Float64Array.of(1, 1.2, 1.08, 1.2, 1.5, 0.9, 1.4, 1.6, 1.2, 1.4);
    const sessions = weekdays("2024-01-01", 10);
    expect(worstDrawdowns({ sessions, equity }, 5)).toEqual([
      {
        depth: 1 - 0.9 / 1.5,
        peak: "2024-01-05",
        trough: "2024-01-08",
        recovery: "2024-01-10",
        peakRow: 4,
        troughRow: 5,
        recoveryRow: 7,
      },
      {
        depth: 1 - 1.2 / 1.6,
        peak: "2024-01-10",
        trough: "2024-01-11",
        recovery: null,
        peakRow: 7,
        troughRow: 8,
        recoveryRow: null,
      },
      {
        depth: 1 - 1.08 / 1.2,
        peak: "2024-01-02",
        trough: "2024-01-03",
        recovery: "2024-01-04",
        peakRow: 1,
        troughRow: 2,
        recoveryRow: 3,
      },
    ]);
    expect(worstDrawdowns({ sessions, equity }, 2)).toHaveLength(2);
  });

  it("counts the start of 1 as a high, before the first session", () => {
    const [fall] = worstDrawdowns(
      { sessions: weekdays("2024-01-01", 2), equity: Float64Array.of(0.9, 0.8) },
      1,
    );
    expect(fall).toMatchObject({ peakRow: -1, peak: "2024-01-01", trough: "2024-01-02", recovery: null });
    expect(fall!.depth).toBeCloseTo(0.2, 12);
  });

  it("finds none where equity only rises or rests", () => {
    expect(worstDrawdowns(runOf(weekdays("2024-01-01", 3), [0, 0.1, 0]), 5)).toEqual([]);
  });

  it("begins with the deepest fall between any two rows", () => {
    fc.assert(
      fc.property(runs, (run) => {
        const path = [1, ...run.equity];
        let deepest = 0;
        for (let from = 0; from < path.length; from++) {
          for (let to = from; to < path.length; to++)
            deepest = Math.max(deepest, path[from]! > 0 ? 1 - path[to]! / path[from]! : 0);
        }
        expect(worstDrawdowns(run, 1)[0]?.depth ?? 0).toBe(deepest);
      }),
    );
  });

  it("covers every row below a high exactly once, and no row at one", () => {
    fc.assert(
      fc.property(runs, (run) => {
        const below = underwater(run.equity);
        const owners = new Array<number>(below.length).fill(0);
        for (const { peakRow, recoveryRow } of worstDrawdowns(run, everything)) {
          for (let row = peakRow + 1; row < (recoveryRow ?? below.length); row++) owners[row]!++;
        }
        expect(owners).toEqual(Array.from(below, (value) => (value < 0 ? 1 : 0)));
      }),
    );
  });

  it("puts each trough at the lowest row of its fall, and sorts by depth", () => {
    fc.assert(
      fc.property(runs, (run) => {
        const falls = worstDrawdowns(run, everything);
        for (const { troughRow, peakRow, recoveryRow, depth } of falls) {
          const fall = run.equity.subarray(peakRow + 1, recoveryRow ?? run.equity.length);
          expect(run.equity[troughRow]).toBe(Math.min(...fall));
          expect(depth).toBeCloseTo(-underwater(run.equity)[troughRow]!, 12);
        }
        const depths = falls.map(({ depth }) => depth);
        expect(depths).toEqual([...depths].sort((a, b) => b - a));
      }),
    );
  });
});

describe("underwater", () => {
  it("is equity over its highest value so far, less one", () => {
    const run = runOf(weekdays("2020-01-01", 500), walk(3, 500));
    const expected = Array.from(
      run.equity,
      (value, row) => value / Math.max(1, ...run.equity.subarray(0, row + 1)) - 1,
    );
    expect([...underwater(run.equity)]).toEqual(expected);
    expect(Math.min(...expected)).toBeLessThan(-0.05);
  });
});
