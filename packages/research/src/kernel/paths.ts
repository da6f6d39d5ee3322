import type { Memory } from "./memory.js";
import { missing, type Ratios, resumes, type WindowFacts } from "./window.js";

export interface Paths {
  /** The window as it was, in the arithmetic of the plain path, to the last bit. */
  real(facts: WindowFacts, i: number, base: number, atrWindow: number): void;
  /** Rows in the order of {@link Memory.order}; to the last bit too where {@link WindowFacts.exact} asks for it. */
  permuted(facts: WindowFacts, i: number, base: number, atrWindow: number): void;
  costs(base: number, from: number, to: number, commission: number, slippage: number): void;
}

/** Closes, returns, ranges and costs of one symbol, from its first bar on. */
export function createPaths(memory: Memory): Paths {
  const { order, growth, span, close, change, range, unitCost } = memory;
  function real(facts: WindowFacts, i: number, base: number, atrWindow: number): void {
    asThePlainPath(facts, i, base, atrWindow, undefined);
  }

  function permuted(facts: WindowFacts, i: number, base: number, atrWindow: number): void {
    if (facts.exact[i] === 1) asThePlainPath(facts, i, base, atrWindow, facts.ratios);
    else byGrowth(facts, i, base, atrWindow);
  }

  /**
   * Operation by operation what `permutePanel`, the returns and the average true range do, so that every bit is theirs.
   *
   * @param ratios - rows take their moves in the order of {@link Memory.order}; without, they keep their own prices
   */
  function asThePlainPath(
    facts: WindowFacts,
    i: number,
    base: number,
    atrWindow: number,
    ratios: Ratios | undefined,
  ): void {
    const { rows, kind } = facts;
    const source = i * facts.stride;
    const first = facts.first[i]!;
    let before = facts.close[source + first]!;
    let level = 0;
    let own = 0;
    start(base, first, before);
    for (let row = first + 1; row < rows; row++) {
      const at = source + row;
      const what = kind[at];
      if (what === missing) {
        close[base + row] = before;
        change[base + row] = 0;
        continue;
      }
      let price = facts.close[at]!;
      let top = facts.high[at]!;
      let bottom = facts.low[at]!;
      if (ratios && what !== resumes) {
        const from = source + order[row]!;
        const opened = before * ratios.open[from]!;
        price = opened * ratios.close[from]!;
        top = opened * ratios.high[from]!;
        bottom = opened * ratios.low[from]!;
      }
      const trueRange = Math.max(top - bottom, Math.abs(top - before), Math.abs(bottom - before));
      own++;
      if (own <= atrWindow) {
        level += trueRange;
        if (own === atrWindow) level /= atrWindow;
      } else level = (level * (atrWindow - 1) + trueRange) / atrWindow;
      close[base + row] = price;
      change[base + row] = price / before - 1;
      range[base + row] = level;
      before = price;
    }
  }

  /** The usual case in few operations and no branch: equal to the plain path's numbers but for rounding. */
  function byGrowth(facts: WindowFacts, i: number, base: number, atrWindow: number): void {
    const rows = facts.rows;
    const first = facts.first[i]!;
    let price = facts.close[i * facts.stride + first]!;
    start(base, first, price);
    const warm = Math.min(first + atrWindow, rows - 1);
    let level = 0;
    let row = first + 1;
    for (; row <= warm; row++) {
      const source = base + order[row]!;
      level += price * span[source]!;
      const grown = growth[source]!;
      price *= grown;
      close[base + row] = price;
      change[base + row] = grown - 1;
    }
    level /= atrWindow;
    range[base + warm] = level;
    const share = 1 / atrWindow;
    for (; row < rows; row++) {
      const source = base + order[row]!;
      level += (price * span[source]! - level) * share;
      const grown = growth[source]!;
      price *= grown;
      close[base + row] = price;
      change[base + row] = grown - 1;
      range[base + row] = level;
    }
  }

  function start(base: number, first: number, price: number): void {
    close[base + first] = price;
    change[base + first] = 0;
    range[base + first] = 0;
  }

  function costs(base: number, from: number, to: number, commission: number, slippage: number): void {
    for (let at = base + from; at < base + to; at++) unitCost[at] = commission / close[at]! + slippage;
  }

  return { real, permuted, costs };
}
