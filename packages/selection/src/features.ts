import { atr, ema, macd, simpleReturns, stdev } from "@pf/indicators";
import type { Field, Panel, Ticker } from "@pf/market";

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
  const features: Features = {
    panel,
    column: (field, ticker) => panel.column(field, ticker),
    returns: (ticker) =>
      remember(`returns/${ticker}`, (out) =>
        onOwnBars([panel.column("close", ticker)], ([close], to) => simpleReturns(close!, to), out),
      ),
    ema: (ticker, span) =>
      remember(`ema:${span}/${ticker}`, (out) =>
        onOwnBars([panel.column("close", ticker)], ([close], to) => ema(close!, span, to), out),
      ),
    atr: (ticker, window) =>
      remember(`atr:${window}/${ticker}`, (out) =>
        onOwnBars(
          [panel.column("close", ticker), panel.column("high", ticker), panel.column("low", ticker)],
          ([close, high, low], to) => atr(high!, low!, close!, window, to),
          out,
        ),
      ),
    volatility: (ticker, window) =>
      remember(`volatility:${window}/${ticker}`, (out) =>
        onOwnBars(
          [panel.column("close", ticker)],
          ([close], to) => stdev(simpleReturns(close!), window, to),
          out,
        ),
      ),
    macdLine: (ticker, fast, slow) =>
      remember(`macd:${fast}:${slow}/${ticker}`, (out) =>
        onOwnBars(
          [panel.column("close", ticker)],
          ([close], to) => {
            // The signal's span does not touch the line.
            const { line } = macd(close!, { fast, slow, signal: 1 });
            to?.set(line);
            return to ?? line;
          },
          out,
        ),
      ),
  };
  return features;
}

/**
 * Runs an indicator over the rows on which the first column has a value and puts the results back. A symbol that merely
 * starts late or ends early is one stretch and needs no copying.
 */
function onOwnBars(
  columns: readonly Float64Array[],
  compute: (own: readonly Float64Array[], to: Float64Array | undefined) => Float64Array,
  out: Float64Array | undefined,
): Float64Array {
  const mask = columns[0]!;
  const rows = mask.length;
  let first = 0;
  while (first < rows && Number.isNaN(mask[first]!)) first++;
  let last = rows - 1;
  while (last > first && Number.isNaN(mask[last]!)) last--;
  let holes = 0;
  for (let row = first; row <= last; row++) if (Number.isNaN(mask[row]!)) holes++;

  const result = out ?? new Float64Array(rows);
  if (first === rows) return result.fill(Number.NaN);
  result.fill(Number.NaN, 0, first);
  result.fill(Number.NaN, last + 1);
  if (holes === 0) {
    compute(
      columns.map((column) => column.subarray(first, last + 1)),
      result.subarray(first, last + 1),
    );
    return result;
  }
  const own = last + 1 - first - holes;
  const packed = columns.map((column) => {
    const dense = new Float64Array(own);
    for (let row = first, at = 0; row <= last; row++)
      if (!Number.isNaN(mask[row]!)) dense[at++] = column[row]!;
    return dense;
  });
  const values = compute(packed, undefined);
  for (let row = first, at = 0; row <= last; row++)
    result[row] = Number.isNaN(mask[row]!) ? Number.NaN : values[at++]!;
  return result;
}
