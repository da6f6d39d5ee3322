import type { Block } from "./blocks.js";
import { type Memory, noBar } from "./memory.js";
import { missing, type WindowFacts } from "./window.js";

export interface MacdSpans {
  readonly fast: number;
  readonly slow: number;
}

export interface Gates {
  /**
   * What bars and warm-up allow, whatever the order of the rows.
   *
   * @returns the first row on which some column may hold the symbol, the number of rows when none ever may
   */
  allowStatic(facts: WindowFacts, block: Block, i: number, base: number): number;
  /** Closes columns on rows without variance or, with a MACD gate, below its line: these depend on the path. */
  allowOnPath(
    facts: WindowFacts,
    block: Block,
    i: number,
    base: number,
    macd: MacdSpans | undefined,
    frozen: boolean,
  ): void;
  /** Averages, gates and scores of one symbol. */
  run(facts: WindowFacts, block: Block, i: number, base: number, stride: number, ready: number): void;
}

/**
 * Whether a symbol may be held, one bit a column, and the scores of those that may.
 *
 * These are the rules of `gateCodes` in `@pf/selection`, said a second time on purpose: there one pair of spans at a time
 * and by the first reason that holds, for a reader; here for all pairs at once, with what no order of rows can change
 * set apart. The laws compare every decision of the two.
 */
export function createGates(memory: Memory): Gates {
  const { close, change, range, allowed, gates, scores } = memory;
  function allowStatic(facts: WindowFacts, block: Block, i: number, base: number): number {
    const { rows, kind, stride } = facts;
    const { columns, columnWarmUp, corrWindow } = block;
    const first = facts.first[i]!;
    let ready = rows;
    let own = 1;
    let defined = 0; // returns in a row, up to this row
    for (let row = 0; row < first; row++) gates[row * facts.names + i] = 0;
    for (let row = first; row < rows; row++) {
      if (row > first) {
        if (kind[i * stride + row] === missing) {
          defined = 0;
          allowed[base + row] = noBar;
          continue;
        }
        own++;
        defined++;
      }
      let open = 0;
      if (defined >= corrWindow) {
        for (let column = 0; column < columns; column++) {
          if (own >= columnWarmUp[column]!) open |= 1 << column;
        }
      }
      allowed[base + row] = open;
      if (open !== 0 && ready === rows) ready = row;
    }
    return ready;
  }

  function allowOnPath(
    facts: WindowFacts,
    block: Block,
    i: number,
    base: number,
    macd: MacdSpans | undefined,
    frozen: boolean,
  ): void {
    const { rows, kind, stride } = facts;
    const first = facts.first[i]!;
    const fastAlpha = macd ? 2 / (macd.fast + 1) : 0;
    const slowAlpha = macd ? 2 / (macd.slow + 1) : 0;
    let fast = close[base + first]!;
    let slow = fast;
    let equal = 0; // how many returns at the end are the same
    let last = Number.NaN;
    for (let row = first + 1; row < rows; row++) {
      if (kind[i * stride + row] === missing) {
        last = Number.NaN;
        continue;
      }
      const price = close[base + row]!;
      fast += fastAlpha * (price - fast);
      slow += slowAlpha * (price - slow);
      if (macd && !(fast - slow > 0)) allowed[base + row] = 0;
      if (frozen) {
        const value = change[base + row]!;
        equal = value === last ? equal + 1 : 1;
        last = value;
        if (equal >= block.corrWindow) allowed[base + row] = 0;
      }
    }
  }

  function run(
    facts: WindowFacts,
    block: Block,
    i: number,
    base: number,
    stride: number,
    ready: number,
  ): void {
    const { fasts, slows } = block;
    const { rows, names } = facts;
    for (let f = 0; f < fasts.length; f += 3) {
      for (let s = 0; s < slows.length; s += 3) {
        tile(block, i, base, facts.first[i]!, ready, rows, names, names * stride, f, s);
      }
    }
  }

  /**
   * Three fast and three slow averages at a time, so that all of them stay in registers; where a grid has fewer, its
   * last one stands in and gives the same bits again.
   */
  function tile(
    block: Block,
    i: number,
    base: number,
    first: number,
    ready: number,
    rows: number,
    names: number,
    scoreColumn: number,
    f: number,
    s: number,
  ): void {
    const { fasts, slows, columnBit, minScore } = block;
    const f1 = Math.min(f + 1, fasts.length - 1);
    const f2 = Math.min(f + 2, fasts.length - 1);
    const s1 = Math.min(s + 1, slows.length - 1);
    const s2 = Math.min(s + 2, slows.length - 1);
    const bit = (fast: number, slow: number): number => columnBit[fast * slows.length + slow]!;
    const bit00 = bit(f, s);
    const bit01 = bit(f, s1);
    const bit02 = bit(f, s2);
    const bit10 = bit(f1, s);
    const bit11 = bit(f1, s1);
    const bit12 = bit(f1, s2);
    const bit20 = bit(f2, s);
    const bit21 = bit(f2, s1);
    const bit22 = bit(f2, s2);
    const score0 = f * scoreColumn;
    const score1 = f1 * scoreColumn;
    const score2 = f2 * scoreColumn;
    const fastAlpha0 = 2 / (fasts[f]! + 1);
    const fastAlpha1 = 2 / (fasts[f1]! + 1);
    const fastAlpha2 = 2 / (fasts[f2]! + 1);
    const slowAlpha0 = 2 / (slows[s]! + 1);
    const slowAlpha1 = 2 / (slows[s1]! + 1);
    const slowAlpha2 = 2 / (slows[s2]! + 1);
    const keepOthers = f > 0 || s > 0 ? -1 : 0; // bits of the tiles before this one

    let fast0 = close[base + first]!;
    let fast1 = fast0;
    let fast2 = fast0;
    let slow0 = fast0;
    let slow1 = fast0;
    let slow2 = fast0;
    let row = first;
    for (; row < ready; row++) {
      gates[row * names + i] = 0;
      if (allowed[base + row] === noBar) continue;
      const price = close[base + row]!;
      fast0 += fastAlpha0 * (price - fast0);
      fast1 += fastAlpha1 * (price - fast1);
      fast2 += fastAlpha2 * (price - fast2);
      slow0 += slowAlpha0 * (price - slow0);
      slow1 += slowAlpha1 * (price - slow1);
      slow2 += slowAlpha2 * (price - slow2);
    }
    for (; row < rows; row++) {
      const at = base + row;
      const open = allowed[at]!;
      const place = row * names + i;
      if (open === noBar) {
        gates[place] = 0;
        continue;
      }
      const price = close[at]!;
      fast0 += fastAlpha0 * (price - fast0);
      fast1 += fastAlpha1 * (price - fast1);
      fast2 += fastAlpha2 * (price - fast2);
      slow0 += slowAlpha0 * (price - slow0);
      slow1 += slowAlpha1 * (price - slow1);
      slow2 += slowAlpha2 * (price - slow2);
      let code = 0;
      if (!(price < fast0)) {
        let bits = 0;
        if (fast0 > slow0) bits = bit00;
        if (fast0 > slow1) bits |= bit01;
        if (fast0 > slow2) bits |= bit02;
        bits &= open;
        if (bits !== 0) {
          const relative = range[at]! / price;
          const score = (price / fast0 - 1) / Math.max(relative, 1e-6);
          scores[score0 + at] = score;
          if (score >= minScore) code = bits;
        }
      }
      if (!(price < fast1)) {
        let bits = 0;
        if (fast1 > slow0) bits = bit10;
        if (fast1 > slow1) bits |= bit11;
        if (fast1 > slow2) bits |= bit12;
        bits &= open;
        if (bits !== 0) {
          const relative = range[at]! / price;
          const score = (price / fast1 - 1) / Math.max(relative, 1e-6);
          scores[score1 + at] = score;
          if (score >= minScore) code |= bits;
        }
      }
      if (!(price < fast2)) {
        let bits = 0;
        if (fast2 > slow0) bits = bit20;
        if (fast2 > slow1) bits |= bit21;
        if (fast2 > slow2) bits |= bit22;
        bits &= open;
        if (bits !== 0) {
          const relative = range[at]! / price;
          const score = (price / fast2 - 1) / Math.max(relative, 1e-6);
          scores[score2 + at] = score;
          if (score >= minScore) code |= bits;
        }
      }
      gates[place] = code | (gates[place]! & keepOthers);
    }
  }

  return { allowStatic, allowOnPath, run };
}
