import { describe, expect, it } from "vitest";
import { gridPoints } from "../grid.js";
import { parameterMap } from "./plateau.js";

const grid = { ema_fast: [10, 30, 20], top_n: [1, 2, 3] };
const points = gridPoints(grid);
/** Objectives by (ema_fast, top_n). */
const scored = (score: (fast: number, top: number) => number) =>
  points.map((point) => score(point.ema_fast!, point.top_n!));
const at = (map: ReturnType<typeof parameterMap>, fast: number, top: number) =>
  map.points.find(({ point }) => point.ema_fast === fast && point.top_n === top)!;

describe("parameterMap", () => {
  it("takes the neighbours along each axis in the order of the values, not of the writing", () => {
    const map = parameterMap(
      points,
      scored((fast, top) => fast * 10 + top),
      "Calmar",
    );
    const middle = at(map, 20, 2);
    expect(middle).toMatchObject({ objective: 202, neighbours: 4, neighbourMedian: 202 });
    expect(middle.along).toEqual([
      { key: "ema_fast", neighbourMedian: 202 },
      { key: "top_n", neighbourMedian: 202 },
    ]);
    expect(at(map, 10, 1)).toMatchObject({ neighbours: 2, neighbourMedian: (201 + 102) / 2 });
  });

  it("tells a plateau from a spike, whatever the unit", () => {
    for (const [scale, shift] of [
      [1, 0],
      [1000, -7],
    ] as const) {
      const value = (raw: number) => raw * scale + shift;
      const spike = parameterMap(
        points,
        scored((fast, top) => value(fast === 20 && top === 2 ? 2 : 1)),
        "Calmar",
      );
      expect(at(spike, 20, 2).plateau).toBe(0);
      const plateau = parameterMap(
        points,
        scored((fast, top) => value(fast === 30 || top === 3 ? -1 : fast === 10 ? 1 : 2)),
        "Calmar",
      );
      expect(at(plateau, 20, 1).plateau).toBeGreaterThan(0);
    }
    const flat = parameterMap(
      points,
      scored((_, top) => (top === 1 ? 5 : top === 2 ? 5 : 1)),
      "Calmar",
    );
    expect(flat.median).toBe(5);
    expect(at(flat, 20, 1).plateau).toBeNull(); // leads nobody
  });

  it("turns round what is minimised", () => {
    const objectives = scored((fast, top) => fast + top);
    const small = parameterMap(points, objectives, "MaxDD");
    const large = parameterMap(
      points,
      objectives.map((value) => -value),
      "Calmar",
    );
    expect(small.points.map((one) => one.plateau)).toEqual(large.points.map((one) => one.plateau));
    expect(at(small, 10, 1).plateau).toBeGreaterThan(0);
    expect(at(small, 30, 3).plateau).toBeNull();
  });

  it("leaves undefined values out", () => {
    const map = parameterMap(
      points,
      scored((fast, top) => (fast === 20 ? Number.NaN : top)),
      "Calmar",
    );
    expect(at(map, 20, 2)).toMatchObject({ objective: null, plateau: null });
    expect(at(map, 10, 2)).toMatchObject({ objective: 2, neighbours: 3, neighbourMedian: 2 });
    const none = parameterMap(
      points,
      points.map(() => Number.NaN),
      "Calmar",
    );
    expect(none.median).toBeNull();
    expect(none.points.every((one) => one.neighbourMedian === null && one.plateau === null)).toBe(true);
  });
});
