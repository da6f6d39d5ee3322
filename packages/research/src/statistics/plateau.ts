import { isMinimised } from "../objective.js";
import { type GridKey, type GridPoint, gridKeys, type Objective } from "../study.js";

/** One point of a parameter map: what it scored, and what the points next to it scored. */
export interface MapPoint {
  readonly point: GridPoint;
  /** Null where undefined. */
  readonly objective: number | null;
  /** Points one step away along one axis. */
  readonly neighbours: number;
  /** Median of their defined objectives; null where none is. */
  readonly neighbourMedian: number | null;
  /** The same along each axis alone. */
  readonly along: readonly { readonly key: GridKey; readonly neighbourMedian: number | null }[];
  /**
   * How much of the point's lead over the middle of the grid its neighbours share: 1 on a plateau, 0 on a lonely spike,
   * below 0 beside a cliff; null where the point does not lead or has no neighbours. Independent of the objective's unit.
   */
  readonly plateau: number | null;
}

export interface ParameterMap {
  readonly objective: Objective;
  /** Grid order. */
  readonly points: readonly MapPoint[];
  /** Median objective of the grid. */
  readonly median: number | null;
}

/**
 * Beside every point of a grid the median of its neighbours: a choice whose neighbours do as well is more likely a
 * property of the market than of the sample.
 *
 * @param points - in grid order
 * @param objectives - one a point; `NaN` or null where undefined
 */
export function parameterMap(
  points: readonly GridPoint[],
  objectives: ArrayLike<number | null>,
  objective: Objective,
): ParameterMap {
  const values = points.map((_, at) => {
    const value = objectives[at] ?? Number.NaN;
    return Number.isNaN(value) ? null : value;
  });
  const axes = gridKeys.flatMap((key) => {
    const steps = [...new Set(points.flatMap((point) => point[key] ?? []))].sort((a, b) => a - b);
    return steps.length > 0 ? [{ key, steps }] : [];
  });
  const position = new Map(points.map((point, at) => [keyOf(point), at]));
  const middle = median(values);
  const above = isMinimised(objective) ? (a: number, b: number) => b - a : (a: number, b: number) => a - b;
  return {
    objective,
    median: middle,
    points: points.map((point, at) => {
      const along = axes.map(({ key, steps }) => {
        const step = steps.indexOf(point[key]!);
        const near = [steps[step - 1], steps[step + 1]].flatMap((value) => {
          const neighbour = value === undefined ? undefined : position.get(keyOf({ ...point, [key]: value }));
          return neighbour === undefined ? [] : [values[neighbour]!];
        });
        return { key, near };
      });
      const near = along.flatMap((axis) => axis.near);
      const neighbourMedian = median(near);
      const own = values[at]!;
      const lead = own === null || middle === null ? 0 : above(own, middle);
      return {
        point,
        objective: own,
        neighbours: near.length,
        neighbourMedian,
        along: along.map((axis) => ({ key: axis.key, neighbourMedian: median(axis.near) })),
        plateau: lead > 0 && neighbourMedian !== null ? above(neighbourMedian, middle!) / lead : null,
      };
    }),
  };
}

function keyOf(point: GridPoint): string {
  return gridKeys.map((key) => point[key] ?? "").join("/");
}

/** The middle of the defined values, the mean of the two middle ones where they are even in number. */
function median(values: readonly (number | null)[]): number | null {
  const sorted = values.filter((value) => value !== null).sort((a, b) => a - b);
  if (sorted.length === 0) return null;
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
}
