import { bars, exposure, overlayWith, share } from "./parameters.js";

/**
 * Lowers exposure while fewer than a share of the universe's symbols close above their simple moving average. Symbols
 * without a bar or with fewer than `window` bars are not counted; where these are more than half of the universe, breadth
 * cannot be said and counts as too small.
 */
export const breadth = overlayWith<{
  readonly window: number;
  readonly threshold: number;
  readonly exposure: number;
}>({ window: bars(2, 200), threshold: share, exposure }, ({ window, threshold, exposure }) => (view) => {
  let counted = 0;
  let above = 0;
  for (const ticker of view.tickers) {
    const close = view.column("close", ticker).at(-1)!;
    const average = view.sma(ticker, window).at(-1)!;
    if (Number.isNaN(close) || Number.isNaN(average)) continue;
    counted++;
    if (close > average) above++;
  }
  const all = view.tickers.length;
  const isKnown = counted > 0 && 2 * counted >= all;
  const isBroad = isKnown && above >= threshold * counted;
  return {
    exposure: isBroad ? 1 : exposure,
    reason: () => {
      if (!isKnown)
        return `only ${counted} of ${all} symbols have ${window} bars, which counts as too few above average`;
      const where = isBroad ? "enough" : "too few";
      return `${above} of ${counted} symbols are above their average of ${window} bars, ${where} for ${(threshold * 100).toFixed(0)} %`;
    },
  };
});
