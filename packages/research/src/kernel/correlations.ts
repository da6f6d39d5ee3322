import type { Book } from "./book.js";
import type { Memory } from "./memory.js";
import type { RowTask } from "./rowTask.js";

export interface Products {
  /** Running sums of the products of a symbol's returns with those of up to three others, 0 on the row before `from`. */
  run(base: number, others: Int32Array, columns: Int32Array, count: number, from: number, end: number): void;
}

export function createProducts(memory: Memory): Products {
  const { change, products } = memory;

  function run(
    base: number,
    others: Int32Array,
    columns: Int32Array,
    count: number,
    from: number,
    end: number,
  ): void {
    if (count === 3) {
      three(base, others[0]!, others[1]!, others[2]!, columns[0]!, columns[1]!, columns[2]!, from, end);
    } else for (let k = 0; k < count; k++) one(base, others[k]!, columns[k]!, from, end);
  }

  function one(base: number, other: number, column: number, from: number, end: number): void {
    let sum = 0;
    products[column + from - 1] = 0;
    for (let row = from; row < end; row++) {
      sum += change[base + row]! * change[other + row]!;
      products[column + row] = sum;
    }
  }

  /** Three sums side by side: each has to wait for its own last addition, the processor does not. */
  function three(
    base: number,
    other0: number,
    other1: number,
    other2: number,
    column0: number,
    column1: number,
    column2: number,
    from: number,
    end: number,
  ): void {
    let sum0 = 0;
    let sum1 = 0;
    let sum2 = 0;
    products[column0 + from - 1] = 0;
    products[column1 + from - 1] = 0;
    products[column2 + from - 1] = 0;
    for (let row = from; row < end; row++) {
      const value = change[base + row]!;
      sum0 += value * change[other0 + row]!;
      sum1 += value * change[other1 + row]!;
      sum2 += value * change[other2 + row]!;
      products[column0 + row] = sum0;
      products[column1 + row] = sum1;
      products[column2 + row] = sum2;
    }
  }

  return { run };
}

export interface Levels {
  open(task: RowTask): void;
  /** Levels of all pairs of open names that some column may hold together, into {@link Book.levels}. */
  begin(row: number, openCount: number): void;
}

/**
 * Correlations against the caps without a root or a division: covariance squared against cap squared x variances. Where
 * the running sums leave a doubt (a correlation at a cap, as identical symbols have at 1, or a window much quieter than
 * what came before it), the plain path's test decides, number by number.
 */
export function createLevels(memory: Memory, book: Book): Levels {
  const { products, drift, spread } = memory;
  const { openNames, openGates, capBounds: bounds, levels, pairColumn } = book;
  const exact = createExactLevel(memory, book);
  const { level: exactLevel } = exact;
  let names = 0;
  let stride = 0;
  let window = 0;
  let capCount = 0;

  function open(task: RowTask): void {
    names = task.names;
    stride = task.stride;
    window = task.block.corrWindow;
    capCount = task.block.caps.length;
    exact.open(window, capCount);
  }

  function begin(row: number, openCount: number): void {
    for (let x = 1; x < openCount; x++) {
      const i = openNames[x]!;
      const gate = openGates[x]!;
      const a = i * stride + row;
      const driftA = drift[a]!;
      const spreadA = spread[a]!;
      for (let y = 0; y < x; y++) {
        if ((gate & openGates[y]!) === 0) continue;
        const j = openNames[y]!;
        const b = j * stride + row;
        const at = pairColumn[i * names + j]! + row;
        const covariance = products[at]! - products[at - window]! - driftA * drift[b]!;
        const squared = covariance * covariance;
        const scale = spreadA * spread[b]!;
        let level = 0;
        for (; level < capCount; level++) {
          if (squared <= scale * bounds[2 * level]!) break;
          if (squared >= scale * bounds[2 * level + 1]!) continue;
          level = exactLevel(a, b, level);
          break;
        }
        levels[i * names + j] = level;
        levels[j * names + i] = level;
      }
    }
  }

  return { open, begin };
}

/** The plain path's correlation against the caps, number by number. */
export interface ExactLevel {
  open(window: number, capCount: number): void;
  /** The level of the returns that end at `a` and `b`, of which the caps before `from` are known to refuse them. */
  level(a: number, b: number, from: number): number;
}

export function createExactLevel(memory: Memory, book: Book): ExactLevel {
  const { change } = memory;
  const { caps } = book;
  let window = 0;
  let capCount = 0;

  function open(corrWindow: number, count: number): void {
    window = corrWindow;
    capCount = count;
  }

  function level(a: number, b: number, from: number): number {
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
    let crossed = 0;
    for (let k = 1 - window; k <= 0; k++) {
      const x = change[a + k]! - meanA;
      const y = change[b + k]! - meanB;
      squaresA += x * x;
      squaresB += y * y;
      crossed += x * y;
    }
    const rho = Math.min(1, Math.max(-1, crossed / Math.sqrt(squaresA * squaresB)));
    let refusing = from;
    while (refusing < capCount && !(Math.abs(rho) <= caps[refusing]!)) refusing++;
    return refusing;
  }

  return { open, level };
}
