import { atr, ema, macd, simpleReturns, sma, stdev } from "@pf/indicators";
import { type Field, mapOwnBars, type Panel, type Ticker } from "@pf/market";

/**
 * Causal columns of a panel's symbols, one value per panel row: every indicator is computed on the symbol's own bars
 * and put back on their rows, so a hole stays `NaN` and a window spans it.
 */
export interface Features {
  readonly panel: Panel;
  column(field: Field, ticker: Ticker): Float64Array;
  /** Close-to-close simple returns over own bars; a return across a hole is booked on the later bar. */
  returns(ticker: Ticker): Float64Array;
  ema(ticker: Ticker, span: number): Float64Array;
  /** Mean of the last `window` own closes. */
  sma(ticker: Ticker, window: number): Float64Array;
  atr(ticker: Ticker, window: number): Float64Array;
  /** Sample standard deviation of the last `window` own returns, per bar. */
  volatility(ticker: Ticker, window: number): Float64Array;
  /** MACD line, `EMA(fast) - EMA(slow)`, in dollars. */
  macdLine(ticker: Ticker, fast: number, slow: number): Float64Array;
}

/**
 * Columns that are computed when asked for and remembered by (indicator, parameters, symbol), so that a grid of
 * strategies over one panel computes each of them once. They take the memory of a price column each.
 */
export function createFeatures(panel: Panel): Features {
  const memo = new Map<string, Float64Array>();
  return featuresWith(panel, (key, compute) => {
    let column = memo.get(key);
    if (!column) {
      column = compute(undefined);
      memo.set(key, column);
    }
    return column;
  });
}

/**
 * Columns computed into a few buffers that are used again for the next symbol: a universe of thousands would not fit
 * otherwise. A column is valid until the same indicator is asked for with the same parameters for another symbol.
 */
export function streamFeatures(panel: Panel): Features {
  const slots = new Map<string, { holds: string; readonly column: Float64Array }>();
  return featuresWith(panel, (key, compute) => {
    const name = key.slice(0, key.indexOf("/"));
    let slot = slots.get(name);
    if (!slot) {
      slot = { holds: "", column: new Float64Array(panel.sessions.length) };
      slots.set(name, slot);
    }
    if (slot.holds !== key) {
      compute(slot.column);
      slot.holds = key;
    }
    return slot.column;
  });
}

/** Where window features take what does not depend on where a window begins. */
export interface WindowSource {
  readonly whole: Features;
  readonly from: number;
}

const sources = new WeakMap<Features, WindowSource>();

/** What {@link windowFeatures} was given; nothing for features of a panel of their own. */
export function sourceOf(features: Features): WindowSource | undefined {
  return sources.get(features);
}

/**
 * The features of some rows as if there were no others: the same numbers to the last bit as {@link createFeatures} of
 * the cut panel. What only looks back over a number of own bars (returns, volatilities and, in strategies prepared with
 * them, correlations) is taken from the whole panel's features, so that windows that overlap compute it once.
 *
 * @param from - first row of the window
 * @param to - the row after its last
 */
export function windowFeatures(whole: Features, from: number, to: number): Features {
  const own = createFeatures(whole.panel.between(from, to));
  const memo = new Map<string, Float64Array>();
  // The first own bar of the window has no return, so a look back over so many returns is whole one bar later.
  const cut = (key: string, ticker: Ticker, column: () => Float64Array, bars: number) => {
    const known = memo.get(key);
    if (known) return known;
    const part = column().slice(from, to);
    const close = own.column("close", ticker);
    for (let row = 0, seen = 0; row < part.length && seen < bars; row++) {
      part[row] = Number.NaN;
      if (!Number.isNaN(close[row]!)) seen++;
    }
    memo.set(key, part);
    return part;
  };
  const features: Features = {
    ...own,
    returns: (ticker) => cut(`returns/${ticker}`, ticker, () => whole.returns(ticker), 1),
    volatility: (ticker, window) =>
      cut(`volatility:${window}/${ticker}`, ticker, () => whole.volatility(ticker, window), window),
  };
  sources.set(features, { whole, from });
  return features;
}

type Remember = (key: string, compute: (out: Float64Array | undefined) => Float64Array) => Float64Array;

function featuresWith(panel: Panel, remember: Remember): Features {
  const close = (ticker: Ticker) => [panel.column("close", ticker)];
  return {
    panel,
    column: (field, ticker) => panel.column(field, ticker),
    returns: (ticker) =>
      remember(`returns/${ticker}`, (out) =>
        mapOwnBars(close(ticker), ([own], to) => void simpleReturns(own!, to), out),
      ),
    ema: (ticker, span) =>
      remember(`ema:${span}/${ticker}`, (out) =>
        mapOwnBars(close(ticker), ([own], to) => void ema(own!, span, to), out),
      ),
    sma: (ticker, window) =>
      remember(`sma:${window}/${ticker}`, (out) =>
        mapOwnBars(close(ticker), ([own], to) => void sma(own!, window, to), out),
      ),
    atr: (ticker, window) =>
      remember(`atr:${window}/${ticker}`, (out) =>
        mapOwnBars(
          [panel.column("close", ticker), panel.column("high", ticker), panel.column("low", ticker)],
          ([own, high, low], to) => void atr(high!, low!, own!, window, to),
          out,
        ),
      ),
    volatility: (ticker, window) =>
      remember(`volatility:${window}/${ticker}`, (out) =>
        mapOwnBars(close(ticker), ([own], to) => void stdev(simpleReturns(own!), window, to), out),
      ),
    macdLine: (ticker, fast, slow) =>
      remember(`macd:${fast}:${slow}/${ticker}`, (out) =>
        // The signal's span does not touch the line.
        mapOwnBars(close(ticker), ([own], to) => to.set(macd(own!, { fast, slow, signal: 1 }).line), out),
      ),
  };
}
