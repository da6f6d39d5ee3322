import { sampleStdev } from "@pf/indicators";
import { percent } from "../explain.js";
import { sessionsPerYear } from "../options.js";
import type { OverlayView } from "./overlay.js";
import {
  annualVolatility,
  bars,
  exposure,
  overlayWith,
  symbolOrUniverse,
  wholeUniverse,
} from "./parameters.js";

/**
 * Lowers exposure while realised volatility is above a threshold: the sample standard deviation of the last `window`
 * returns times the root of the bars in a year, of a symbol's own returns or, for `universe`, of the mean return of all
 * symbols that have one, row by row. Where this cannot be said (no bar, fewer than `window` returns, or a row without
 * any return), it counts as above.
 */
export const volatility = overlayWith<{
  readonly symbol: string;
  readonly window: number;
  readonly threshold: number;
  readonly exposure: number;
}>(
  { symbol: symbolOrUniverse, window: bars(2, 20), threshold: annualVolatility, exposure },
  ({ symbol, window, threshold, exposure }, { periodsPerYear = sessionsPerYear }) => {
    const means = new Float64Array(window);
    return (view) => {
      const perBar =
        symbol === wholeUniverse ? ofUniverse(view, window, means) : view.volatility(symbol, window).at(-1)!;
      const annual = perBar * Math.sqrt(periodsPerYear);
      const isCalm = annual <= threshold;
      return {
        exposure: isCalm ? 1 : exposure,
        reason: () => {
          const whose = symbol === wholeUniverse ? "the universe" : symbol;
          if (Number.isNaN(annual)) {
            return `${whose} has no bar or fewer than ${window} returns, which counts as volatile`;
          }
          const where = isCalm ? "not above" : "above";
          return `the volatility of ${whose} is ${percent(annual)} a year over ${window} bars, ${where} ${percent(threshold)}`;
        },
      };
    };
  },
);

/** Volatility of the mean return of all symbols on the last rows; `NaN` where a row has no return at all. */
function ofUniverse(view: OverlayView, window: number, means: Float64Array): number {
  const { tickers } = view;
  const columns = tickers.map((ticker) => view.returns(ticker));
  const first = (columns[0]?.length ?? 0) - window;
  if (first < 0) return Number.NaN;
  for (let at = 0; at < window; at++) {
    let sum = 0;
    let count = 0;
    for (const column of columns) {
      const value = column[first + at]!;
      if (Number.isNaN(value)) continue;
      sum += value;
      count++;
    }
    means[at] = sum / count;
  }
  return sampleStdev(means, 0, window);
}
