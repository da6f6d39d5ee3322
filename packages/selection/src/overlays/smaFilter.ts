import { bars, exposure, overlayWith, symbol } from "./parameters.js";

/**
 * Lowers exposure while a symbol closes below its simple moving average (Faber 2007, "A Quantitative Approach to
 * Tactical Asset Allocation"). Where this cannot be said, for want of a bar or of `window` bars, it counts as below.
 */
export const smaFilter = overlayWith<{
  readonly symbol: string;
  readonly window: number;
  readonly exposure: number;
}>({ symbol, window: bars(2, 200), exposure }, ({ symbol, window, exposure }) => (view) => {
  const close = view.column("close", symbol).at(-1)!;
  const average = view.sma(symbol, window).at(-1)!;
  const isAbove = close >= average;
  return {
    exposure: isAbove ? 1 : exposure,
    reason: () => {
      const what = `average of ${window} bars`;
      if (Number.isNaN(close)) return `${symbol} has no bar, which counts as below its ${what}`;
      if (Number.isNaN(average))
        return `${symbol} has fewer than ${window} bars, which counts as below its ${what}`;
      const where = isAbove ? "not below" : "below";
      return `${symbol} closed at ${close.toFixed(2)}, ${where} its ${what}, ${average.toFixed(2)}`;
    },
  };
});
