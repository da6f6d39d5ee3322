import { type BarSeries, impliedDividends, type Panel, type Ticker } from "@pf/market";

/** Prices as they were paid, and what shares paid out, on the rows of a panel. */
export interface RealPrices {
  /** By position in the universe: closes as traded, `NaN` where there is no bar. */
  readonly close: readonly Float64Array[];
  /** By position in the universe: dollars a share paid to who held it over the night before; 0 for none. */
  readonly dividend: readonly Float64Array[];
  /** Symbols whose adjusted prices stand in, because there are no others: their dividends are in the prices. */
  readonly withoutTrades: readonly Ticker[];
}

/**
 * Puts prices as traded on a panel's rows, and reads the dividends off them: on the ex-date the ratio of adjusted to
 * traded price rises by what was paid out, as a fraction of the close before.
 *
 * @param trades - bars as traded, by symbol; a symbol without, or without one of the panel's bars, is priced by its
 *   adjusted bars
 */
export function realPrices(panel: Panel, trades: ReadonlyMap<Ticker, BarSeries>): RealPrices {
  const withoutTrades: Ticker[] = [];
  const close: Float64Array[] = [];
  const dividend: Float64Array[] = [];
  for (const ticker of panel.tickers) {
    const adjusted = panel.column("close", ticker);
    const traded = onRows(panel, trades.get(ticker));
    const isComplete =
      traded !== undefined && adjusted.every((price, row) => Number.isNaN(price) || traded[row]! > 0);
    if (isComplete) {
      close.push(traded.map((price, row) => (Number.isNaN(adjusted[row]!) ? Number.NaN : price)));
      dividend.push(impliedDividends(adjusted, traded));
    } else {
      withoutTrades.push(ticker);
      close.push(adjusted);
      dividend.push(new Float64Array(adjusted.length));
    }
  }
  return { close, dividend, withoutTrades };
}

function onRows(panel: Panel, series: BarSeries | undefined): Float64Array | undefined {
  if (!series) return undefined;
  const at = new Map(series.sessions.map((session, row) => [session, row]));
  return Float64Array.from(panel.sessions, (session) => {
    const row = at.get(session);
    return row === undefined ? Number.NaN : series.close[row]!;
  });
}
