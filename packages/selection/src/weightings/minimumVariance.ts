import { factorise, roomFor, solve, standardise } from "./matrix.js";
import type { WeightingFactory } from "./weighting.js";

/**
 * The long-only portfolio of least variance. Names that would only add variance get 0, and are then no holdings.
 *
 * The least variance under a budget is that of `y' Cov y / 2 - sum(y)` over y >= 0, brought to sum 1: solved exactly by
 * letting names in one at a time, the one with the largest gain first, and sending those out whose weight would turn
 * negative (active sets, Lawson and Hanson 1974, "Solving Least Squares Problems", chapter 23). Correlations get 1e-10
 * more on the diagonal, which divides equally among twins where any division is as good.
 */
export const minimumVariance: WeightingFactory = () => {
  const workspace = roomFor((n) => ({
    correlations: new Float64Array(n * n),
    volatilities: new Float64Array(n),
    gains: new Float64Array(n),
    y: new Float64Array(n),
    names: new Int32Array(n),
    factor: new Float64Array(n * n),
    solution: new Float64Array(n),
    isIn: new Uint8Array(n),
  }));
  return (input, raw) => {
    const n = input.tickers.length;
    const { correlations, volatilities, gains, y, names, factor, solution, isIn } = workspace(n);
    standardise(input.covariance(), n, correlations, volatilities);
    let least = Number.POSITIVE_INFINITY;
    for (let i = 0; i < n; i++) {
      correlations[i * n + i]! += ridge;
      least = Math.min(least, volatilities[i]!);
    }
    y.fill(0, 0, n);
    isIn.fill(0, 0, n);
    // In units of its volatility a name's budget costs 1 / volatility: the constants are scaled to be at most 1.
    const budget = (i: number) => least / volatilities[i]!;

    // Every round lets one name in. That they are more than a few times the names can only be rounding.
    for (let round = 0; round < 5 * n; round++) {
      let best = -1;
      for (let i = 0; i < n; i++) {
        if (isIn[i] !== 0) continue;
        let gain = budget(i);
        for (let k = 0; k < n; k++) gain -= correlations[i * n + k]! * y[k]!;
        gains[i] = gain;
        if (gain > 1e-12 * budget(i) && (best < 0 || gain > gains[best]!)) best = i;
      }
      if (best < 0) break;
      isIn[best] = 1;
      for (;;) {
        let count = 0;
        for (let i = 0; i < n; i++) if (isIn[i] === 1) names[count++] = i;
        for (let i = 0; i < count; i++) {
          solution[i] = budget(names[i]!);
          for (let k = 0; k <= i; k++) factor[i * count + k] = correlations[names[i]! * n + names[k]!]!;
        }
        if (!factorise(factor, count)) {
          isIn[best] = barred;
          break;
        }
        solve(factor, count, solution);
        // As far towards the solution as no weight turns negative; who is then at 0 leaves.
        let part = 1;
        let leaves = -1;
        for (let i = 0; i < count; i++) {
          if (solution[i]! > 0) continue;
          const own = y[names[i]!]!;
          const reach = own > 0 ? own / (own - solution[i]!) : 0;
          if (leaves < 0 || reach < part) {
            part = reach;
            leaves = names[i]!;
          }
        }
        for (let i = 0; i < count; i++) {
          const name = names[i]!;
          y[name] = Math.max(0, y[name]! + part * (solution[i]! - y[name]!));
        }
        if (leaves < 0) break;
        y[leaves] = 0;
        // Whoever leaves as it comes had a gain of rounding, and would come again.
        isIn[leaves] = leaves === best ? barred : 0;
      }
    }
    let sum = 0;
    for (let i = 0; i < n; i++) {
      raw[i] = (y[i]! * least) / volatilities[i]!;
      sum += raw[i]!;
    }
    for (let i = 0; i < n; i++) raw[i]! /= sum;
  };
};

const ridge = 1e-10;
const barred = 2;
