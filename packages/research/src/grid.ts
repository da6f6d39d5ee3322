import {
  createStrategy,
  type Extensions,
  type Strategy,
  type StrategyOptions,
  StrategyOptionsError,
} from "@pf/selection";
import { describePoint, GridError } from "./errors.js";
import { type Grid, type GridKey, type GridPoint, gridKeys, type Study } from "./study.js";

/** A grid made ready to be searched: its points in grid order and the strategy of each. */
export interface GridPlan {
  /** The keys the grid varies, outermost first. */
  readonly keys: readonly GridKey[];
  readonly points: readonly GridPoint[];
  /** One a point; `undefined` where the combination is impossible. */
  readonly strategies: readonly (Strategy | undefined)[];
  /** Combinations whose values contradict each other (ema_fast not below ema_slow): they rank last, undefined. */
  readonly impossible: readonly { readonly point: GridPoint; readonly problems: readonly string[] }[];
}

/**
 * Every combination of a study's grid with the strategy it stands for.
 *
 * A combination that the strategy refuses stays in the grid as a point whose objective is always undefined, because
 * `ema_fast: [10, 60]` beside `ema_slow: [40, 80]` is a sensible thing to write. A value that no combination can use is
 * a mistake, and refused.
 *
 * @throws GridError for an empty grid, a key without values, a value given twice, or a value the strategy always refuses
 * @throws UnknownNameError when the options name a score, weighting or overlay that is not registered
 */
export function planGrid(study: Pick<Study, "grid" | "options">, extensions: Extensions = {}): GridPlan {
  const points = gridPoints(study.grid);
  const impossible: { point: GridPoint; problems: readonly string[] }[] = [];
  const strategies = points.map((point) => {
    try {
      return createStrategy(applyPoint(study.options, point), extensions);
    } catch (error) {
      if (!(error instanceof StrategyOptionsError)) throw error;
      impossible.push({ point, problems: error.problems });
      return undefined;
    }
  });
  if (impossible.length > 0) requireUsableValues(study.grid, points, strategies, impossible);
  return { keys: gridKeys.filter((key) => study.grid[key] !== undefined), points, strategies, impossible };
}

/**
 * The combinations of a grid in grid order: the first key of {@link gridKeys} outermost, values in the order given.
 *
 * @throws GridError for an empty grid, a key without values, an unknown key, or a value given twice
 */
export function gridPoints(grid: Grid): readonly GridPoint[] {
  const problems: string[] = [];
  const known: readonly string[] = gridKeys;
  for (const key of Object.keys(grid)) {
    if (!known.includes(key)) problems.push(`${key} is no key of a grid; known are ${gridKeys.join(", ")}`);
  }
  const axes = gridKeys.flatMap((key) => {
    const values = grid[key];
    if (values === undefined) return [];
    if (values.length === 0) problems.push(`${key} has no value to try`);
    const twice = values.find((value, at) => values.slice(0, at).includes(value));
    if (twice !== undefined) problems.push(`${key} tries ${twice} twice`);
    return [{ key, values }];
  });
  if (axes.length === 0) problems.push("it names no key");
  if (problems.length > 0) throw new GridError(problems);
  return axes.reduce<readonly GridPoint[]>(
    (points, { key, values }) =>
      points.flatMap((point) => values.map((value) => ({ ...point, [key]: value }))),
    [{}],
  );
}

/** The options with a point's values in their places. */
export function applyPoint(options: StrategyOptions, point: GridPoint): StrategyOptions {
  const { features, selection, weights, rebalance } = options;
  return {
    ...options,
    features: {
      ...features,
      emaFast: point.ema_fast ?? features.emaFast,
      emaSlow: point.ema_slow ?? features.emaSlow,
      atrWindow: point.atr_window ?? features.atrWindow,
    },
    selection: {
      ...selection,
      topN: point.top_n ?? selection.topN,
      corrCap: point.corr_cap ?? selection.corrCap,
      corrWindow: point.corr_window ?? selection.corrWindow,
      minScore: point.min_score ?? selection.minScore,
    },
    weights: {
      ...weights,
      volWindow: point.vol_window ?? weights.volWindow,
      maxWeightPerAsset: point.max_weight_per_asset ?? weights.maxWeightPerAsset,
      cashBuffer: point.cash_buffer ?? weights.cashBuffer,
    },
    rebalance: { ...rebalance, minWeightChange: point.min_weight_change ?? rebalance.minWeightChange },
  };
}

function requireUsableValues(
  grid: Grid,
  points: readonly GridPoint[],
  strategies: readonly (Strategy | undefined)[],
  impossible: GridPlan["impossible"],
): void {
  const problems: string[] = [];
  for (const key of gridKeys) {
    for (const value of grid[key] ?? []) {
      if (points.some((point, at) => Object.is(point[key], value) && strategies[at])) continue;
      const refusals = impossible
        .filter(({ point }) => Object.is(point[key], value))
        .map((one) => one.problems);
      // What every combination with this value has in common is what is wrong with it, if anything is.
      const always = refusals[0]!.filter((problem) => refusals.every((list) => list.includes(problem)));
      if (always.length === 0) {
        const { point, problems: why } = impossible.find((one) => Object.is(one.point[key], value))!;
        problems.push(`${key} ${value} fits no combination (${describePoint(point)}: ${why.join(", ")})`);
      } else problems.push(`${key} ${value} fits no combination: ${always.join(", ")}`);
    }
  }
  if (problems.length > 0) throw new GridError([...new Set(problems)]);
}
