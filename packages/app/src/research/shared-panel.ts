import { alignPanel, type Field, type Panel, type SessionDate, type Ticker } from "@pf/market";

/** A panel in memory that threads share: plain data but for the buffer, which is never copied. */
export interface SharedPanel {
  readonly sessions: readonly SessionDate[];
  /** Of hourly bars. */
  readonly endsUtcMs?: Float64Array;
  readonly tickers: readonly Ticker[];
  /** Five columns a ticker, each as long as `sessions`: open, high, low, close, volume; `NaN` without a bar. */
  readonly bars: SharedArrayBuffer;
}

const fields = ["open", "high", "low", "close", "volume"] as const satisfies readonly Field[];

/** Copies a panel into shared memory, once for all threads. */
export function sharePanel(panel: Panel): SharedPanel {
  const { sessions, tickers } = panel;
  const bars = new SharedArrayBuffer(tickers.length * fields.length * sessions.length * 8);
  const values = new Float64Array(bars);
  let at = 0;
  for (const ticker of tickers) {
    for (const field of fields) {
      values.set(panel.column(field, ticker), at);
      at += sessions.length;
    }
  }
  return { sessions, ...(panel.endsUtcMs ? { endsUtcMs: panel.endsUtcMs.slice() } : {}), tickers, bars };
}

/** The panel back from shared memory, without copying it: every ticker has the whole axis, holes are `NaN`. */
export function openSharedPanel({ sessions, endsUtcMs, tickers, bars }: SharedPanel): Panel {
  const values = new Float64Array(bars);
  const column = (at: number) => values.subarray(at * sessions.length, (at + 1) * sessions.length);
  return alignPanel(
    tickers.map((ticker, at) => {
      const first = at * fields.length;
      return {
        ticker,
        sessions,
        ...(endsUtcMs ? { endsUtcMs } : {}),
        open: column(first),
        high: column(first + 1),
        low: column(first + 2),
        close: column(first + 3),
        volume: column(first + 4),
      };
    }),
  );
}
