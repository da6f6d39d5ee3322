import type { Memory } from "./memory.js";
import { missing, type WindowFacts } from "./window.js";

export interface Moments {
  /**
   * Volatility and the correlation window's own sums of one symbol, on the rows where a gate is open.
   *
   * @param from - row from which on the products are summed up too
   */
  run(
    facts: WindowFacts,
    i: number,
    base: number,
    from: number,
    ready: number,
    end: number,
    corrWindow: number,
    volWindow: number,
  ): void;
}

/** Rows after which a volatility's running sums are added up afresh, so that no rounding travels far. */
const refresh = 64;

/**
 * Second moments from running sums. What a window's variance lost to rounding is bounded by the sums it came
 * from; where it is small beside them, a volatility is computed afresh in two passes, and a correlation is marked to be.
 */
export function createMoments(memory: Memory): Moments {
  const { change, gates, steadiness, drift, spread } = memory;
  let own = new Float64Array(64);

  function run(
    facts: WindowFacts,
    i: number,
    base: number,
    from: number,
    ready: number,
    end: number,
    corrWindow: number,
    volWindow: number,
  ): void {
    const names = facts.names;
    const perRoot = 1 / Math.sqrt(corrWindow);
    const perVol = 1 / volWindow;
    const perFreedom = 1 / (volWindow - 1);
    // A volatility window longer than the complete stretch can reach across a hole.
    const spansHoles = facts.holes[i] === 1 && volWindow > corrWindow;
    let total = 0; // of all squares so far: what rounding is measured by
    for (let at = base + from; at < base + ready; at++) total += change[at]! * change[at]!;
    let sum = 0;
    let squares = 0;
    for (let at = base + ready - corrWindow; at < base + ready; at++) {
      sum += change[at]!;
      squares += change[at]! * change[at]!;
    }
    for (let chunk = ready; chunk < end; chunk += refresh) {
      const to = Math.min(chunk + refresh, end);
      let volSum = 0;
      let volSquares = 0;
      for (let at = base + chunk - volWindow; at < base + chunk; at++) {
        const value = change[at]!;
        volSum += value;
        volSquares += value * value;
      }
      let volPeak = volSquares;
      for (let row = chunk; row < to; row++) {
        const at = base + row;
        const value = change[at]!;
        const gone = change[at - corrWindow]!;
        const volGone = change[at - volWindow]!;
        const square = value * value;
        total += square;
        sum += value - gone;
        squares += square - gone * gone;
        volSum += value - volGone;
        volSquares += square;
        if (volSquares > volPeak) volPeak = volSquares;
        volSquares -= volGone * volGone;
        if (gates[row * names + i] === 0) continue;
        const scaled = sum * perRoot;
        const deviations = squares - scaled * scaled;
        drift[at] = scaled;
        spread[at] = deviations > 1e-4 * total ? deviations : Number.NaN;
        const volDeviations = volSquares - volSum * volSum * perVol;
        const deviation =
          volDeviations > volPeak / 256 && !spansHoles
            ? Math.sqrt(volDeviations * perFreedom)
            : exactDeviation(facts, i, base, row, volWindow);
        steadiness[at] = 1 / Math.max(deviation, 1e-9);
      }
    }
  }

  /** Standard deviation of the last own returns in two passes, oldest first: the plain path's number. */
  function exactDeviation(facts: WindowFacts, i: number, base: number, row: number, window: number): number {
    if (own.length < window) own = new Float64Array(window);
    const kinds = i * facts.stride;
    let back = row;
    for (let k = window - 1; k >= 0; k--, back--) {
      while (facts.kind[kinds + back] === missing) back--;
      own[k] = change[base + back]!;
    }
    let sum = 0;
    let varies = false;
    for (let k = 0; k < window; k++) {
      sum += own[k]!;
      if (own[k] !== own[0]) varies = true;
    }
    if (!varies) return 0;
    const mean = sum / window;
    let squares = 0;
    for (let k = 0; k < window; k++) {
      const deviation = own[k]! - mean;
      squares += deviation * deviation;
    }
    return Math.sqrt(squares / (window - 1));
  }

  return { run };
}
