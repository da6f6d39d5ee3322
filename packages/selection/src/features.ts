import { atr, ema, macd, simpleReturns, stdev } from "@pf/indicators";
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
