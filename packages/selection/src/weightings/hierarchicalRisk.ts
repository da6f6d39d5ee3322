import { roomFor, standardise } from "./matrix.js";
import { leastVolatility, type WeightingFactory } from "./weighting.js";

/**
 * Hierarchical risk parity (López de Prado 2016, "Building Diversified Portfolios that Outperform Out of Sample").
 *
 * Names are put in the order of a tree that joins those that correlate alike (single linkage on the Euclidean distance
 * between columns of `sqrt((1 - rho) / 2)`); then the list is halved again and again, and each half gets what is left in
 * proportion to the other half's variance, that of its names weighted by 1 / variance.
 *
 * Where distances are equal, the names that come first in the universe are joined first; the left child of a join is the
 * one made earlier. With five names and more the weights therefore depend on the universe's order, as published. A
 * variance below 1e-18 counts as 1e-18; two halves without any variance share equally.
 */
export const hierarchicalRisk: WeightingFactory = () => {
  const workspace = roomFor((n) => ({
    ...makeTree(n),
    order: new Int32Array(n),
    inverse: new Float64Array(n),
  }));
  return (input, raw) => {
    const n = input.tickers.length;
    const room = workspace(n);
    const { order, inverse } = room;
    const covariance = input.covariance();
    leafOrder(covariance, n, room, order);
    for (let i = 0; i < n; i++) inverse[i] = 1 / varianceOf(covariance, n, i, i);
    raw.fill(1, 0, n);
    bisect(covariance, n, order, inverse, 0, n, raw);
  };
};

/** What {@link leafOrder} works in, for up to n names. */
export interface Tree {
  readonly correlations: Float64Array;
  readonly volatilities: Float64Array;
  readonly distances: Float64Array;
  readonly between: Float64Array;
  readonly cluster: Int32Array;
  readonly left: Int32Array;
  readonly right: Int32Array;
  readonly stack: Int32Array;
}

export function makeTree(n: number): Tree {
  return {
    correlations: new Float64Array(n * n),
    volatilities: new Float64Array(n),
    distances: new Float64Array(n * n),
    between: new Float64Array(n * n),
    cluster: new Int32Array(n),
    left: new Int32Array(n),
    right: new Int32Array(n),
    stack: new Int32Array(n + 1),
  };
}

/**
 * The names in the order of the tree's leaves, from left to right.
 *
 * @param covariance - n x n, row by row
 * @param tree - made for n names or more
 * @param order - receives n positions
 */
export function leafOrder(covariance: Float64Array, n: number, tree: Tree, order: Int32Array): void {
  const { correlations, volatilities, distances, between, cluster, left, right, stack } = tree;
  standardise(covariance, n, correlations, volatilities);
  for (let at = 0; at < n * n; at++) distances[at] = Math.sqrt(0.5 * (1 - correlations[at]!));
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < i; k++) {
      let squares = 0;
      for (let m = 0; m < n; m++) {
        const apart = distances[i * n + m]! - distances[k * n + m]!;
        squares += apart * apart;
      }
      between[i * n + k] = Math.sqrt(squares);
      between[k * n + i] = between[i * n + k]!;
    }
  }
  // A cluster lives at the place of one of its names and is numbered: names 0 to n - 1, the m-th join n + m.
  for (let i = 0; i < n; i++) cluster[i] = i;
  for (let join = 0; join < n - 1; join++) {
    let [a, b] = [-1, -1];
    for (let i = 0; i < n; i++) {
      if (cluster[i]! < 0) continue;
      for (let k = 0; k < n; k++) {
        if (cluster[k]! <= cluster[i]!) continue;
        if (a < 0 || isBefore(i, k, a, b)) [a, b] = [i, k];
      }
    }
    left[join] = cluster[a]!;
    right[join] = cluster[b]!;
    cluster[a] = n + join;
    cluster[b] = -1;
    for (let k = 0; k < n; k++) {
      const nearer = Math.min(between[a * n + k]!, between[b * n + k]!);
      between[a * n + k] = nearer;
      between[k * n + a] = nearer;
    }
  }
  let waiting = 0;
  let leaves = 0;
  if (n > 0) stack[waiting++] = n === 1 ? 0 : 2 * n - 2;
  while (waiting > 0) {
    const node = stack[--waiting]!;
    if (node < n) {
      order[leaves++] = node;
      continue;
    }
    stack[waiting++] = right[node - n]!;
    stack[waiting++] = left[node - n]!;
  }

  /** Whether the pair (i, k) is joined before (a, b): nearer, else smaller numbers first. */
  function isBefore(i: number, k: number, a: number, b: number): boolean {
    const [own, other] = [between[i * n + k]!, between[a * n + b]!];
    if (own !== other) return own < other;
    if (cluster[i]! !== cluster[a]!) return cluster[i]! < cluster[a]!;
    return cluster[k]! < cluster[b]!;
  }
}

/** Divides the weight of `order[from..to)` between its halves, and so on down to single names. */
function bisect(
  covariance: Float64Array,
  n: number,
  order: Int32Array,
  inverse: Float64Array,
  from: number,
  to: number,
  raw: Float64Array,
): void {
  if (to - from < 2) return;
  const middle = from + Math.floor((to - from) / 2);
  const ofLeft = clusterVariance(covariance, n, order, inverse, from, middle);
  const ofRight = clusterVariance(covariance, n, order, inverse, middle, to);
  const total = ofLeft + ofRight;
  const share = total > 0 ? 1 - ofLeft / total : 0.5;
  for (let at = from; at < middle; at++) raw[order[at]!]! *= share;
  for (let at = middle; at < to; at++) raw[order[at]!]! *= 1 - share;
  bisect(covariance, n, order, inverse, from, middle, raw);
  bisect(covariance, n, order, inverse, middle, to, raw);
}

/** Variance of the names `order[from..to)`, weighted in proportion to 1 / variance. */
function clusterVariance(
  covariance: Float64Array,
  n: number,
  order: Int32Array,
  inverse: Float64Array,
  from: number,
  to: number,
): number {
  let sum = 0;
  let variance = 0;
  for (let a = from; a < to; a++) {
    const i = order[a]!;
    sum += inverse[i]!;
    for (let b = from; b < to; b++) {
      const k = order[b]!;
      variance += inverse[i]! * inverse[k]! * varianceOf(covariance, n, i, k);
    }
  }
  // Rounding must not make less than nothing of names that cancel each other.
  return Math.max(0, variance / (sum * sum));
}

function varianceOf(covariance: Float64Array, n: number, i: number, k: number): number {
  const value = covariance[i * n + k]!;
  return i === k ? Math.max(value, leastVolatility * leastVolatility) : value;
}
