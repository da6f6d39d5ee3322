import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { column, prices, walk } from "../test/columns.js";
import { IndicatorParameterError } from "./errors.js";
import { correlation, rollingCorrelation, sampleStdev, simpleReturns, stdev } from "./returns.js";

const window = fc.integer({ min: 2, max: 12 });
const nan = Number.NaN;
/** Two columns of returns of one length. */
const pair = fc.tuple(prices, prices).map(([a, b]) => {
  const rows = Math.min(a.length, b.length);
  return [simpleReturns(a.slice(0, rows)), simpleReturns(b.slice(0, rows))] as const;
});
const scale = fc.integer({ min: -8, max: 8 }).map((power) => 2 ** power);

describe("simpleReturns", () => {
  it("are the changes from close to close, undefined on the first bar", () => {
    expect(simpleReturns(column(100, 125, 100))).toEqual(column(nan, 0.25, 100 / 125 - 1));
  });
  it("are unchanged, to the bit, by a power of two in the price", () => {
    fc.assert(
      fc.property(prices, scale, (close, by) => {
        expect(simpleReturns(close.map((price) => price * by))).toEqual(simpleReturns(close));
      }),
    );
  });
  it("compound to the whole change of the price", () => {
    fc.assert(
      fc.property(
        prices.filter(({ length }) => length > 1),
        (close) => {
          const growth = simpleReturns(close)
            .slice(1)
            .reduce((product, change) => product * (1 + change), 1);
          expect(growth / (close.at(-1)! / close[0]!)).toBeCloseTo(1, 10);
        },
      ),
    );
  });
  it("lose the bar of a NaN price and the one after it, no other", () => {
    expect(simpleReturns(column(1, 2, nan, 2, 3))).toEqual(column(nan, 1, nan, nan, 0.5));
  });
  it("of no bars are none", () => expect(simpleReturns(column())).toEqual(column()));
});

describe("stdev", () => {
  it("divides by n - 1", () => expect(stdev(column(1, 3, 3, 3), 2)).toEqual(column(nan, Math.SQRT2, 0, 0)));
  it("is at every bar the sample standard deviation of the window that ends there, bit for bit", () => {
    fc.assert(
      fc.property(prices, window, (values, n) => {
        const expected = values.map((_, bar) =>
          bar < n - 1 ? nan : sampleStdev(values, bar - n + 1, bar + 1),
        );
        expect(stdev(values, n)).toEqual(expected);
      }),
    );
  });
  it("agrees with the mean of squared differences between all pairs", () => {
    // For any sample the variance is half the mean squared difference of two different members.
    fc.assert(
      fc.property(fc.array(walk.move, { minLength: 2, maxLength: 12 }), (moves) => {
        let sum = 0;
        for (const one of moves) for (const other of moves) sum += (one - other) ** 2;
        const expected = Math.sqrt(sum / (2 * moves.length * (moves.length - 1)));
        expect(sampleStdev(Float64Array.from(moves), 0, moves.length)).toBeCloseTo(expected, 12);
      }),
    );
  });
  it("sees no bar after its own", () => {
    fc.assert(
      fc.property(prices, window, fc.nat(60), (values, n, cut) => {
        expect(stdev(values.slice(0, cut), n)).toEqual(stdev(values, n).slice(0, cut));
      }),
    );
  });
  it("remembers nothing older than its window", () => {
    fc.assert(
      fc.property(prices, window, fc.nat(20), (values, n, cut) => {
        expect(stdev(values.slice(cut), n).slice(n - 1)).toEqual(stdev(values, n).slice(cut + n - 1));
      }),
    );
  });
  it("is exactly zero where all values are equal, though their mean rounds", () => {
    const tenths = new Float64Array(10).fill(0.1);
    const mean = tenths.reduce((sum, value) => sum + value, 0) / 10;
    expect(mean).not.toBe(0.1);
    expect(stdev(tenths, 10)[9]).toBe(0);
    fc.assert(
      fc.property(fc.double({ min: -1e6, max: 1e6, noNaN: true }), window, (value, n) => {
        const same = new Float64Array(n + 9).fill(value);
        expect(stdev(same, n).slice(n - 1)).toEqual(new Float64Array(10));
        expect(sampleStdev(same, 3, n + 3)).toBe(0);
      }),
    );
  });
  it("is not zero where one value differs", () => {
    expect(stdev(column(0.1, 0.1, 0.1, 0.1 + 1e-12), 3)[3]).toBeGreaterThan(0);
  });
  it("scales with the values: exactly with a power of two, to rounding with anything", () => {
    fc.assert(
      fc.property(prices, window, scale, (values, n, by) => {
        const before = stdev(values, n);
        expect(
          stdev(
            values.map((value) => -value * by),
            n,
          ),
        ).toEqual(before.map((one) => one * by));
        const thrice = stdev(
          values.map((value) => value * 3),
          n,
        );
        before.forEach((one, bar) => {
          if (!Number.isNaN(one)) expect(thrice[bar]).toBeCloseTo(3 * one, 7);
        });
      }),
    );
  });
  it("is undefined while the window holds a NaN, and only then", () => {
    expect(stdev(column(nan, 0, 2, 4, 6), 3)).toEqual(column(nan, nan, nan, 2, 2));
    const holed = stdev(column(5, 5, 5, nan, 5, 5, 5, 5), 3);
    expect(holed).toEqual(column(nan, nan, 0, nan, nan, nan, 0, 0));
  });
  it("is undefined for infinite values and for fewer than two", () => {
    const endless = new Float64Array(6).fill(Number.POSITIVE_INFINITY);
    expect([...stdev(endless, 2)].every(Number.isNaN)).toBe(true);
    expect(sampleStdev(endless, 0, 6)).toBeNaN();
    expect(sampleStdev(column(1, 2), 0, 1)).toBeNaN();
    expect(sampleStdev(column(1, 2), 1, 1)).toBeNaN();
    expect(stdev(column(1, 2), 3)).toEqual(column(nan, nan));
  });
});

describe("correlation", () => {
  it("is 1 for columns that rise together, -1 for opposite ones, 0 for unrelated ones", () => {
    expect(correlation(column(1, 2, 3), column(-2, -4, -6), 0, 3)).toBe(-1);
    expect(correlation(column(1, 2, 3), column(2, 4, 6), 0, 3)).toBe(1);
    expect(correlation(column(1, 2, 3), column(1, 0, 1), 0, 3)).toBe(0);
  });
  it("rolls: every row has the correlation of the window that ends there, bit for bit", () => {
    expect(rollingCorrelation(column(1, 2, 3, 3), column(2, 4, 1, 1), 2)).toEqual(column(nan, 1, -1, nan));
    fc.assert(
      fc.property(pair, window, ([a, b], n) => {
        const expected = a.map((_, row) => (row < n - 1 ? nan : correlation(a, b, row - n + 1, row + 1)));
        expect(rollingCorrelation(a, b, n)).toEqual(expected);
      }),
    );
  });
  it("agrees with the covariance over both standard deviations", () => {
    fc.assert(
      fc.property(pair, ([a, b]) => {
        const rows = a.length;
        fc.pre(rows > 2);
        const scaleOf = sampleStdev(a, 1, rows) * sampleStdev(b, 1, rows);
        fc.pre(scaleOf > 1e-12);
        const mean = (column: Float64Array) =>
          column.slice(1).reduce((sum, one) => sum + one, 0) / (rows - 1);
        const [meanA, meanB] = [mean(a), mean(b)];
        let products = 0;
        for (let row = 1; row < rows; row++) products += (a[row]! - meanA) * (b[row]! - meanB);
        expect(correlation(a, b, 1, rows)).toBeCloseTo(products / (rows - 2) / scaleOf, 9);
      }),
    );
  });
  it("is the same both ways round and never beyond 1", () => {
    fc.assert(
      fc.property(pair, window, ([a, b], n) => {
        const forth = rollingCorrelation(a, b, n);
        expect(rollingCorrelation(b, a, n)).toEqual(forth);
        for (const value of forth) if (!Number.isNaN(value)) expect(Math.abs(value)).toBeLessThanOrEqual(1);
      }),
    );
  });
  it("of twins is exactly 1, of mirror images exactly -1, also when one is a power of two larger", () => {
    fc.assert(
      fc.property(pair, window, scale, ([a], n, by) => {
        const varies = stdev(a, n).map((one) => (one > 0 ? 1 : nan));
        expect(rollingCorrelation(a, a.slice(), n)).toEqual(varies);
        expect(
          rollingCorrelation(
            a,
            a.map((one) => one * by),
            n,
          ),
        ).toEqual(varies);
        expect(
          rollingCorrelation(
            a,
            a.map((one) => -one),
            n,
          ),
        ).toEqual(varies.map((one) => -one));
      }),
    );
  });
  it("does not see a power of two in the price", () => {
    fc.assert(
      fc.property(prices, pair, window, scale, (close, [, other], n, by) => {
        const rows = Math.min(close.length, other.length);
        const b = other.slice(0, rows);
        const a = close.slice(0, rows);
        const scaled = simpleReturns(a.map((price) => price * by));
        expect(rollingCorrelation(scaled, b, n)).toEqual(rollingCorrelation(simpleReturns(a), b, n));
      }),
    );
  });
  it("is undefined where one of the columns does not vary, though its mean rounds", () => {
    const tenths = new Float64Array(10).fill(0.1);
    const rising = Float64Array.from({ length: 10 }, (_, row) => row);
    expect(correlation(tenths, rising, 0, 10)).toBeNaN();
    expect(correlation(rising, tenths, 0, 10)).toBeNaN();
    expect(rollingCorrelation(column(1, 1, 1, 2), column(1, 2, 3, 4), 3)[2]).toBeNaN();
    expect(rollingCorrelation(column(1, 1, 1, 2), column(1, 2, 3, 4), 3)[3]).not.toBeNaN();
  });
  it("is undefined while either window holds a NaN, and only then", () => {
    const a = column(nan, 1, 2, 4, 3, 5);
    const b = column(1, 2, 1, nan, 2, 1);
    expect([...rollingCorrelation(a, b, 2)].map(Number.isNaN)).toEqual([
      true,
      true,
      false,
      true,
      true,
      false,
    ]);
    expect([...rollingCorrelation(b, a, 2)].map(Number.isNaN)).toEqual([
      true,
      true,
      false,
      true,
      true,
      false,
    ]);
  });
  it("sees no row after its own", () => {
    fc.assert(
      fc.property(pair, window, fc.nat(60), ([a, b], n, cut) => {
        expect(rollingCorrelation(a.slice(0, cut), b.slice(0, cut), n)).toEqual(
          rollingCorrelation(a, b, n).slice(0, cut),
        );
      }),
    );
  });
  it("survives columns so small or so large that products of variances leave the range of a double", () => {
    for (const size of [1e-90, 1e80]) {
      const a = column(1, 2, 4, 3).map((one) => one * size);
      expect(correlation(a, column(2, 1, 4, 3), 0, 4)).toBeCloseTo(
        correlation(column(1, 2, 4, 3), column(2, 1, 4, 3), 0, 4),
        12,
      );
      expect(
        correlation(
          a,
          a.map((one) => one * 3),
          0,
          4,
        ),
      ).toBeCloseTo(1, 12);
    }
  });
  it("is undefined for infinite values and for fewer than two rows", () => {
    const endless = column(1, Number.POSITIVE_INFINITY, 2);
    expect(correlation(endless, column(1, 2, 3), 0, 3)).toBeNaN();
    expect(correlation(column(1, 2), column(3, 4), 0, 1)).toBeNaN();
  });
});

describe("parameters", () => {
  const four = column(1, 2, 3, 4);
  it("need windows of at least two whole bars", () => {
    for (const wrong of [1, 0, -2, 2.5, nan, Number.POSITIVE_INFINITY]) {
      expect(() => stdev(four, wrong)).toThrow(
        new IndicatorParameterError("stdev", "window", `must be a whole number of at least 2, not ${wrong}`),
      );
      expect(() => rollingCorrelation(four, four, wrong)).toThrow(IndicatorParameterError);
    }
  });
  it("need columns of one length and a stretch within them", () => {
    expect(() => rollingCorrelation(four, column(1), 2)).toThrow(
      "rollingCorrelation: b has 1 values beside a column of 4",
    );
    expect(() => correlation(four, column(1), 0, 1)).toThrow(
      "correlation: b has 1 values beside a column of 4",
    );
    for (const [from, to] of [
      [-1, 3],
      [0, 5],
      [3, 2],
      [0.5, 3],
      [0, nan],
    ] as const) {
      const problem = `from and to must lie within a column of 4, not be ${from} and ${to}`;
      expect(() => sampleStdev(four, from, to)).toThrow(`sampleStdev: ${problem}`);
      expect(() => correlation(four, four, from, to)).toThrow(`correlation: ${problem}`);
    }
  });
});

describe("out", () => {
  const values = column(nan, 1, 4, 1, 5, 9);
  it("receives the same result and is what comes back, whatever it held before", () => {
    const out = new Float64Array(6).fill(7);
    expect(simpleReturns(values, out)).toBe(out);
    expect(out).toEqual(simpleReturns(values));
    out.fill(7);
    expect(stdev(values, 3, out)).toBe(out);
    expect(out).toEqual(stdev(values, 3));
    out.fill(7);
    expect(rollingCorrelation(values, simpleReturns(values), 3, out)).toBe(out);
    expect(out).toEqual(rollingCorrelation(values, simpleReturns(values), 3));
  });
  it("is refused when it has another length or lies over an input", () => {
    const memory = new Float64Array(10);
    expect(() => stdev(values, 3, new Float64Array(7))).toThrow(
      "stdev: out has 7 values beside a column of 6",
    );
    expect(() => simpleReturns(memory.subarray(0, 6), memory.subarray(4, 10))).toThrow("overlaps");
    expect(() => stdev(memory.subarray(0, 6), 3, memory.subarray(0, 6))).toThrow("overlaps");
    expect(() => rollingCorrelation(values, memory.subarray(4, 10), 3, memory.subarray(0, 6))).toThrow(
      "overlaps",
    );
  });
});
