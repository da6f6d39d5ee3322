import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bars, column, prices, walk } from "../test/columns.js";
import { IndicatorParameterError } from "./errors.js";
import { atr, ema, macd, sma } from "./trend.js";

const span = fc.integer({ min: 1, max: 12 });
const spans = fc
  .record({ fast: fc.integer({ min: 1, max: 6 }), gap: fc.integer({ min: 1, max: 6 }), signal: span })
  .map(({ fast, gap, signal }) => ({ fast, slow: fast + gap, signal }));
const scale = fc.integer({ min: -8, max: 8 }).map((power) => 2 ** power);

describe("sma", () => {
  it("is the mean of the last window of values", () => {
    expect(sma(column(10, 11, 12, 16), 3)).toEqual(column(Number.NaN, Number.NaN, 11, 13));
    expect(sma(column(2, 8, 5), 1)).toEqual(column(2, 8, 5));
  });
  it("is undefined for exactly the first window - 1 bars, and lies within its window after", () => {
    fc.assert(
      fc.property(prices, span, (values, n) => {
        sma(values, n).forEach((value, bar) => {
          expect(Number.isNaN(value)).toBe(bar < n - 1);
          if (bar < n - 1) return;
          const window = values.subarray(bar - n + 1, bar + 1);
          expect(value).toBeGreaterThanOrEqual(Math.min(...window) * (1 - 1e-12));
          expect(value).toBeLessThanOrEqual(Math.max(...window) * (1 + 1e-12));
        });
      }),
    );
  });
  it("depends on its window alone, bit for bit, wherever the column begins and ends", () => {
    fc.assert(
      fc.property(prices, span, fc.nat(60), fc.nat(60), (values, n, first, last) => {
        const averages = sma(values, n).slice(first, last);
        sma(values.slice(first, last), n).forEach((value, bar) => {
          if (bar >= n - 1) expect(value).toBe(averages[bar]);
        });
      }),
    );
  });
  it("scales exactly with a power of two", () => {
    fc.assert(
      fc.property(prices, span, scale, (values, n, by) => {
        expect(sma(times(values, by), n)).toEqual(times(sma(values, n), by));
      }),
    );
  });
  it("is undefined while a NaN is in the window, and no longer", () => {
    expect(sma(column(1, Number.NaN, 3, 5, 7), 2)).toEqual(column(Number.NaN, Number.NaN, Number.NaN, 4, 6));
    expect(sma(column(), 3)).toEqual(column());
    expect(sma(column(1, 2), 3)).toEqual(column(Number.NaN, Number.NaN));
  });
  it("refuses a window of no bars and an out that does not fit", () => {
    expect(() => sma(column(1, 2), 0)).toThrow("sma: window must be a whole number of at least 1, not 0");
    expect(() => sma(column(1, 2), 2, column(1))).toThrow("sma: out has 1 values beside a column of 2");
  });
});

describe("ema", () => {
  it("starts at the first value and moves 2 / (span + 1) of the way to each next one", () => {
    expect(ema(column(10, 11, 12, 13), 3)).toEqual(column(Number.NaN, Number.NaN, 11.25, 12.125));
  });
  it("with span 1 is the input", () => expect(ema(column(2, 8, 5), 1)).toEqual(column(2, 8, 5)));
  it("is undefined for exactly the first span - 1 bars", () => {
    fc.assert(
      fc.property(prices, span, (values, n) => {
        ema(values, n).forEach((value, bar) => {
          expect(Number.isNaN(value)).toBe(bar < n - 1);
        });
      }),
    );
  });
  it("sees no bar after its own: the values of a shorter column are the first of a longer one, bit for bit", () => {
    fc.assert(
      fc.property(prices, span, fc.nat(60), (values, n, cut) => {
        expect(ema(values.slice(0, cut), n)).toEqual(ema(values, n).slice(0, cut));
      }),
    );
  });
  it("stays between the lowest and the highest value so far", () => {
    fc.assert(
      fc.property(prices, span, (values, n) => {
        const averages = ema(values, n);
        for (let bar = n - 1; bar < values.length; bar++) {
          const seen = values.subarray(0, bar + 1);
          expect(averages[bar]).toBeGreaterThanOrEqual(Math.min(...seen) * (1 - 1e-12));
          expect(averages[bar]).toBeLessThanOrEqual(Math.max(...seen) * (1 + 1e-12));
        }
      }),
    );
  });
  it("of a constant column is exactly that constant", () => {
    fc.assert(
      fc.property(walk.price, span, (price, n) => {
        expect(ema(new Float64Array(30).fill(price), n).slice(n - 1)).toEqual(
          new Float64Array(31 - n).fill(price),
        );
      }),
    );
  });
  it("scales exactly with a power of two", () => {
    fc.assert(
      fc.property(prices, span, scale, (values, n, by) => {
        expect(ema(times(values, by), n)).toEqual(times(ema(values, n), by));
      }),
    );
  });
  it("carries a NaN to every later bar and leaves the earlier ones alone", () => {
    const values = column(1, 2, 3, 4, 5, 6);
    const broken = column(1, 2, 3, Number.NaN, 5, 6);
    expect(ema(broken, 2).slice(0, 3)).toEqual(ema(values, 2).slice(0, 3));
    expect(ema(broken, 2).slice(3)).toEqual(column(Number.NaN, Number.NaN, Number.NaN));
  });
  it("has nothing to say about an empty column or one shorter than its span", () => {
    expect(ema(column(), 3)).toEqual(column());
    expect(ema(column(1, 2), 3)).toEqual(column(Number.NaN, Number.NaN));
  });
});

describe("macd", () => {
  it("is the difference of two averages from the first bar on", () => {
    const { line } = macd(column(10, 12, 16, 12), { fast: 1, slow: 3, signal: 1 });
    expect(line).toEqual(column(Number.NaN, Number.NaN, 2.5, -0.75));
  });
  it("has as line exactly the fast EMA minus the slow one", () => {
    fc.assert(
      fc.property(prices, spans, (values, { fast, slow, signal }) => {
        const slowLine = ema(values, slow);
        const expected = ema(values, fast).map((level, bar) => level - slowLine[bar]!);
        expect(macd(values, { fast, slow, signal }).line).toEqual(expected);
      }),
    );
  });
  it("has as signal the EMA of the line, the line's own warm-up included", () => {
    fc.assert(
      fc.property(prices, spans, (values, { fast, slow, signal }) => {
        // The averages behind the line exist from bar 0 on; nothing but the reporting of them warms up.
        const level = (n: number) => {
          let at = values[0] ?? Number.NaN;
          return values.map((value) => {
            at += (2 / (n + 1)) * (value - at);
            return at;
          });
        };
        const slowLevel = level(slow);
        const expected = ema(
          level(fast).map((value, bar) => value - slowLevel[bar]!),
          signal,
        ).fill(Number.NaN, 0, slow + signal - 2);
        expect(macd(values, { fast, slow, signal }).signal).toEqual(expected);
      }),
    );
  });
  it("has as histogram the line minus the signal, defined from bar slow + signal - 2 on", () => {
    fc.assert(
      fc.property(prices, spans, (values, given) => {
        const { line, signal, histogram } = macd(values, given);
        expect(histogram).toEqual(line.map((value, bar) => value - signal[bar]!));
        histogram.forEach((value, bar) => {
          expect(Number.isNaN(value)).toBe(bar < given.slow + given.signal - 2);
        });
      }),
    );
  });
  it("sees no bar after its own", () => {
    fc.assert(
      fc.property(prices, spans, fc.nat(60), (values, given, cut) => {
        const whole = macd(values, given);
        const { line, signal, histogram } = macd(values.slice(0, cut), given);
        expect([line, signal, histogram]).toEqual(
          [whole.line, whole.signal, whole.histogram].map((one) => one.slice(0, cut)),
        );
      }),
    );
  });
  it("carries a NaN to every later bar, also from the first one", () => {
    for (const hole of [0, 4]) {
      const values = Float64Array.from({ length: 12 }, (_, bar) => (bar === hole ? Number.NaN : bar + 1));
      const { line, signal, histogram } = macd(values, { fast: 2, slow: 3, signal: 2 });
      for (const one of [line, signal, histogram])
        expect([...one.slice(hole)].every(Number.isNaN)).toBe(true);
      if (hole === 4) expect(line[3]).not.toBeNaN();
    }
  });
});

describe("atr", () => {
  it("is the mean of the first true ranges, then moves 1 / window of the way to each next one", () => {
    const high = column(11, 13, 12, 20);
    const low = column(9, 11, 11, 14);
    const close = column(10, 12, 11, 16);
    // True ranges 3, 1 and 9: the last spans the gap from the close of 11 to the high of 20.
    expect(atr(high, low, close, 2)).toEqual(column(Number.NaN, Number.NaN, 2, 5.5));
    expect(atr(high, low, close, 1)).toEqual(column(Number.NaN, 3, 1, 9));
  });
  it("counts a gap down from the close before", () => {
    expect(atr(column(10, 6), column(9, 5), column(10, 5.5), 1)).toEqual(column(Number.NaN, 5));
  });
  it("is undefined for exactly the first window bars", () => {
    fc.assert(
      fc.property(bars, span, ({ high, low, close }, n) => {
        atr(high, low, close, n).forEach((value, bar) => {
          expect(Number.isNaN(value)).toBe(bar < n);
        });
      }),
    );
  });
  it("sees no bar after its own", () => {
    fc.assert(
      fc.property(bars, span, fc.nat(60), ({ high, low, close }, n, cut) => {
        expect(atr(high.slice(0, cut), low.slice(0, cut), close.slice(0, cut), n)).toEqual(
          atr(high, low, close, n).slice(0, cut),
        );
      }),
    );
  });
  it("lies between the smallest and the largest true range so far", () => {
    fc.assert(
      fc.property(bars, span, ({ high, low, close }, n) => {
        const averages = atr(high, low, close, n);
        let least = Number.POSITIVE_INFINITY;
        let most = 0;
        for (let bar = 1; bar < close.length; bar++) {
          const range = Math.max(high[bar]!, close[bar - 1]!) - Math.min(low[bar]!, close[bar - 1]!);
          least = Math.min(least, range);
          most = Math.max(most, range);
          if (bar < n) continue;
          expect(averages[bar]).toBeGreaterThanOrEqual(least - 1e-9);
          expect(averages[bar]).toBeLessThanOrEqual(most + 1e-9);
        }
      }),
    );
  });
  it("of a price that never moves is exactly zero", () => {
    const still = new Float64Array(9).fill(0.1);
    expect(atr(still, still, still, 3).slice(3)).toEqual(new Float64Array(6));
  });
  it("scales exactly with a power of two", () => {
    fc.assert(
      fc.property(bars, span, scale, ({ high, low, close }, n, by) => {
        expect(atr(times(high, by), times(low, by), times(close, by), n)).toEqual(
          times(atr(high, low, close, n), by),
        );
      }),
    );
  });
  it("carries a NaN to every later bar, whichever column it is in", () => {
    const whole = {
      high: column(2, 3, 4, 5, 6),
      low: column(1, 2, 3, 4, 5),
      close: column(1.5, 2.5, 3.5, 4.5, 5.5),
    };
    for (const field of ["high", "low", "close"] as const) {
      const broken = {
        ...whole,
        [field]: whole[field].map((value, bar) => (bar === 2 ? Number.NaN : value)),
      };
      const averages = atr(broken.high, broken.low, broken.close, 1);
      expect(averages[1]).not.toBeNaN();
      expect(averages[3]).toBeNaN();
      expect(averages[4]).toBeNaN();
    }
  });
});

describe("parameters", () => {
  const four = column(1, 2, 3, 4);
  it("are refused with the indicator, the parameter and the value named", () => {
    for (const wrong of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => ema(four, wrong)).toThrow(
        new IndicatorParameterError("ema", "span", `must be a whole number of at least 1, not ${wrong}`),
      );
      expect(() => atr(four, four, four, wrong)).toThrow(IndicatorParameterError);
      for (const given of [
        { fast: wrong, slow: 3, signal: 1 },
        { fast: 1, slow: wrong, signal: 1 },
        { fast: 1, slow: 3, signal: wrong },
      ]) {
        expect(() => macd(four, given)).toThrow(IndicatorParameterError);
      }
    }
    expect(() => ema(four, 0)).toThrow(
      expect.objectContaining({ code: "PF_INDICATOR_PARAMETER", parameter: "span" }),
    );
  });
  it("of a MACD need a fast span below the slow one", () => {
    for (const fast of [3, 4]) {
      expect(() => macd(four, { fast, slow: 3, signal: 1 })).toThrow(
        `macd: fast must be below slow, not ${fast} with 3`,
      );
    }
  });
  it("must be columns of one length", () => {
    expect(() => atr(column(1, 2), four, four, 2)).toThrow("atr: high has 2 values beside a column of 4");
    expect(() => atr(four, column(1, 2), four, 2)).toThrow("atr: low has 2 values beside a column of 4");
  });
});

describe("out", () => {
  const values = column(3, 1, 4, 1, 5, 9);
  it("receives the same result and is what comes back, whatever it held before", () => {
    const out = new Float64Array(6).fill(7);
    expect(ema(values, 3, out)).toBe(out);
    expect(out).toEqual(ema(values, 3));
    out.fill(7);
    expect(atr(values, values, values, 3, out)).toBe(out);
    expect(out).toEqual(atr(values, values, values, 3));
    out.fill(7);
    expect(atr(values, values, values, 6, out)).toEqual(out.slice().fill(Number.NaN));
    const three = { line: out.slice().fill(7), signal: out.slice().fill(7), histogram: out.slice().fill(7) };
    expect(macd(values, { fast: 1, slow: 2, signal: 2 }, three)).toBe(three);
    expect(three).toEqual(macd(values, { fast: 1, slow: 2, signal: 2 }));
  });
  it("is refused when it has another length or lies over an input", () => {
    expect(() => ema(values, 3, new Float64Array(5))).toThrow("ema: out has 5 values beside a column of 6");
    const memory = new Float64Array(12);
    expect(() => ema(memory.subarray(0, 6), 3, memory.subarray(3, 9))).toThrow("ema: out overlaps an input");
    expect(() => atr(values, values, memory.subarray(0, 6), 3, memory.subarray(5, 11))).toThrow("overlaps");
    const both = memory.subarray(0, 6);
    expect(() =>
      macd(
        values,
        { fast: 1, slow: 2, signal: 2 },
        { line: both, signal: both, histogram: memory.subarray(6) },
      ),
    ).toThrow("overlaps");
    expect(ema(memory.subarray(0, 6), 3, memory.subarray(6))).toBeInstanceOf(Float64Array);
  });
});

function times(values: Float64Array, by: number): Float64Array {
  return values.map((value) => value * by);
}
