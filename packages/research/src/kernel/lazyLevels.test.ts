import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createBook, fillBook } from "./book.js";
import { createLazyLevels } from "./lazyLevels.js";
import { allocate } from "./memory.js";
import type { RowTask } from "./rowTask.js";

const names = 6000; // more than the table of remembered pairs has places
const window = 5;
const stride = window;
const caps = Float64Array.of(0.2, 0.5, 0.8);

describe("levels of the pairs that are asked for", () => {
  it("count the caps below a pair's correlation, whatever was asked for before, on this row or another", () => {
    const memory = allocate({ stride, names, fasts: 1, pairs: false });
    const book = createBook({ words: 1, names, places: 1, lists: true, levels: 4, fasts: 1 });
    const block = { words: 1, caps, corrWindow: window } as unknown as RowTask["block"];
    fillBook(book, { ...block, ...emptyTables }, new Int32Array(0), 0, names, stride);
    const levels = createLazyLevels(memory, book);
    levels.open({ block, stride, names } as unknown as RowTask);
    const row = window - 1;
    const symbol = fc.integer({ min: 0, max: names - 1 });
    fc.assert(
      fc.property(fc.nat(), symbol, (seed, a) => {
        let dice = (seed % 2_147_483_646) + 1;
        for (let at = 0; at < names * stride; at++) {
          dice = (dice * 48_271) % 2_147_483_647;
          memory.change[at] = dice / 2_147_483_647 - 0.5;
        }
        for (let i = 0; i < names; i++) {
          const own = memory.change.subarray(i * stride, i * stride + window);
          const sum = own.reduce((total, value) => total + value, 0);
          const squares = own.reduce((total, value) => total + value * value, 0);
          memory.drift[i * stride + row] = sum / Math.sqrt(window);
          memory.spread[i * stride + row] = squares - (sum * sum) / window;
        }
        levels.begin(row);
        for (let b = 0; b < names; b++) {
          if (b === a) continue;
          const rho = Math.abs(correlation(memory.change, a * stride, b * stride));
          if (levels.at(a, b) !== caps.filter((cap) => rho > cap).length) {
            expect.fail(`symbols ${a} and ${b} correlate by ${rho}; the level is ${levels.at(a, b)}`);
          }
        }
      }),
      { numRuns: 5 },
    );
  });
});

const emptyTables = {
  wordTop: new Int32Array(0),
  wordRepeat: new Int32Array(0),
  capLanes: new Int32Array(0),
  laneColumn: new Int32Array(0),
  laneCap: new Int32Array(0),
  columnFast: new Int32Array(0),
  fastColumns: new Int32Array(0),
};

function correlation(change: Float64Array, a: number, b: number): number {
  const x = change.subarray(a, a + window);
  const y = change.subarray(b, b + window);
  const mean = (values: Float64Array) => values.reduce((sum, value) => sum + value, 0) / window;
  const [meanX, meanY] = [mean(x), mean(y)];
  let crossed = 0;
  let squaresX = 0;
  let squaresY = 0;
  for (let k = 0; k < window; k++) {
    crossed += (x[k]! - meanX) * (y[k]! - meanY);
    squaresX += (x[k]! - meanX) ** 2;
    squaresY += (y[k]! - meanY) ** 2;
  }
  return crossed / Math.sqrt(squaresX * squaresY);
}
