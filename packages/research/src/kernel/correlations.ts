import type { Memory } from "./memory.js";

export interface Correlations {
  /**
   * The level of a pair: how many of the caps, ascending, refuse it. A row on which no column may hold both is skipped:
   * nobody asks.
   *
   * @param ready - first row on which both have a full window
   * @param bounds - squares of the caps, each from where the running sums surely admit a pair to where they surely do
   *   not: `[sure, not, sure, not, …]`
   */
  run(
    i: number,
    j: number,
    base: number,
    other: number,
    column: number,
    names: number,
    ready: number,
    end: number,
    window: number,
    caps: Float64Array,
    bounds: Float64Array,
  ): void;
}

/** Between these the running sums might round to the wrong side: far more than they ever lose. */
const doubt = 1e-8;

/** Squared caps with a margin of doubt on both sides. A correlation is never beyond 1, so a cap of 1 admits all. */
export function capBounds(caps: Float64Array): Float64Array {
  const bounds = new Float64Array(caps.length * 2);
  for (let k = 0; k < caps.length; k++) {
    const cap = caps[k]!;
    bounds[2 * k] = cap >= 1 ? Number.POSITIVE_INFINITY : cap * cap - doubt;
    bounds[2 * k + 1] = cap >= 1 ? Number.POSITIVE_INFINITY : cap * cap + doubt;
  }
  return bounds;
}

export function createCorrelations(memory: Memory): Correlations {
  const { change, gates, drift, spread, levels } = memory;
  function run(
    i: number,
    j: number,
    base: number,
    other: number,
    column: number,
    names: number,
    ready: number,
    end: number,
    window: number,
    caps: Float64Array,
    bounds: Float64Array,
  ): void {
    const count = caps.length;
    let products = 0;
    for (let row = ready - window; row < ready; row++) products += change[base + row]! * change[other + row]!;
    for (let row = ready; row < end; row++) {
      const a = base + row;
      const b = other + row;
      products += change[a]! * change[b]! - change[a - window]! * change[b - window]!;
      if ((gates[row * names + i]! & gates[row * names + j]!) === 0) continue;
      const covariance = products - drift[a]! * drift[b]!;
      const squared = covariance * covariance;
      const scale = spread[a]! * spread[b]!;
      let level = 0;
      for (; level < count; level++) {
        if (squared <= scale * bounds[2 * level]!) break;
        if (squared >= scale * bounds[2 * level + 1]!) continue;
        level = exactLevel(a, b, window, caps, level);
        break;
      }
      levels[column + row] = level;
    }
  }

  /** The plain path's test, number by number. */
  function exactLevel(a: number, b: number, window: number, caps: Float64Array, level: number): number {
    let sumA = 0;
    let sumB = 0;
    for (let k = 1 - window; k <= 0; k++) {
      sumA += change[a + k]!;
      sumB += change[b + k]!;
    }
    const meanA = sumA / window;
    const meanB = sumB / window;
    let squaresA = 0;
    let squaresB = 0;
    let products = 0;
    for (let k = 1 - window; k <= 0; k++) {
      const x = change[a + k]! - meanA;
      const y = change[b + k]! - meanB;
      squaresA += x * x;
      squaresB += y * y;
      products += x * y;
    }
    const rho = Math.min(1, Math.max(-1, products / Math.sqrt(squaresA * squaresB)));
    while (level < caps.length && !(Math.abs(rho) <= caps[level]!)) level++;
    return level;
  }

  return { run };
}
