import { factorise, roomFor, solve, standardise } from "./matrix.js";
import type { WeightingFactory } from "./weighting.js";

/**
 * Equal risk contribution: every name contributes the same part of the portfolio's variance, `w_i * (Cov w)_i` is equal
 * for all (Maillard, Roncalli and Teiletche 2010, "The Properties of Equally Weighted Risk Contribution Portfolios").
 *
 * The weights are those of the one minimum of `x' C x / 2 - sum(ln x)` over correlations C, with x a weight times its
 * volatility: there `x_i * (C x)_i` is 1 for every name (Spinu 2013, "An Algorithm for Computing Risk Parity Weights").
 * Names that can be combined to no risk at all leave no minimum: x then grows towards the portfolio without risk, whose
 * shares are taken once it has grown enough.
 */
export const equalRisk: WeightingFactory = () => {
  const workspace = roomFor((n) => ({
    correlations: new Float64Array(n * n),
    volatilities: new Float64Array(n),
    hessian: new Float64Array(n * n),
    gradient: new Float64Array(n),
    step: new Float64Array(n),
    x: new Float64Array(n),
  }));
  return (input, raw) => {
    const n = input.tickers.length;
    const room = workspace(n);
    const { correlations, volatilities, x } = room;
    standardise(input.covariance(), n, correlations, volatilities);
    minimise(n, room);
    let sum = 0;
    for (let i = 0; i < n; i++) {
      raw[i] = x[i]! / volatilities[i]!;
      sum += raw[i]!;
    }
    for (let i = 0; i < n; i++) raw[i]! /= sum;
  };
};

/** Damped steps come close within a few, full ones then double the correct digits; more are a sign of no minimum. */
const mostSteps = 100;
/** Length of a step, relative to x, after which a full one has all digits there are. */
const converged = 1e-7;
/** An x beyond this means that the names can be combined to a risk of 1e-10 of theirs: rounding would take over. */
const largest = 1e5;

interface Workspace {
  readonly correlations: Float64Array;
  readonly hessian: Float64Array;
  readonly gradient: Float64Array;
  readonly step: Float64Array;
  readonly x: Float64Array;
}

/** Newton's method, each step shortened so much that no weight can become 0 or less: the function is self-concordant. */
function minimise(n: number, { correlations, hessian, gradient, step, x }: Workspace): void {
  let total = 0;
  for (let at = 0; at < n * n; at++) total += correlations[at]!;
  // Equal weights at their best scale; where they have no risk, any scale does.
  x.fill(total > 1e-6 ? Math.sqrt(n / total) : 1, 0, n);
  for (let round = 0, size = 1; round < mostSteps && size >= converged; round++) {
    for (let i = 0; i < n; i++) {
      let risk = 0;
      for (let k = 0; k < n; k++) {
        risk += correlations[i * n + k]! * x[k]!;
        hessian[i * n + k] = correlations[i * n + k]!;
      }
      gradient[i] = risk - 1 / x[i]!;
      step[i] = gradient[i]!;
      hessian[i * n + i]! += 1 / (x[i]! * x[i]!);
    }
    if (!factorise(hessian, n)) return;
    solve(hessian, n, step);
    let decrement = 0;
    for (let i = 0; i < n; i++) decrement += gradient[i]! * step[i]!;
    size = Math.sqrt(Math.max(0, decrement));
    const part = size > 0.25 ? 1 / (1 + size) : 1;
    let most = 0;
    for (let i = 0; i < n; i++) {
      const next = x[i]! - part * step[i]!;
      // No step is that long but for rounding.
      if (!(next > 0)) return;
      most = Math.max(most, next);
    }
    for (let i = 0; i < n; i++) x[i]! -= part * step[i]!;
    if (most > largest) return;
  }
}
