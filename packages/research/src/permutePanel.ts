import { alignPanel, type BarSeries, newYorkTimeOf, type Panel } from "@pf/market";
import { RowOrderError } from "./errors.js";

/**
 * Which rows may change places: rows on which the same symbols have a bar on this row and on the row before, and so a
 * defined gap between them.
 *
 * Hourly rows change places with rows that end at the same time of day in New York, and the first of a session only with
 * other firsts: the step from one day to the next is another one than from hour to hour, and the hours of a day have
 * each a liveliness of their own. What is shuffled is which day an hour is of; the shape of a day stays.
 *
 * @param firstMovable - rows before it keep their place; row 0 always does
 * @returns a number a row; equal numbers may be exchanged, and rows that stay have one of their own
 */
export function rowPatterns(panel: Panel, firstMovable = 1): Int32Array {
  const rows = panel.sessions.length;
  const closes = panel.tickers.map((ticker) => panel.column("close", ticker));
  const patterns = new Int32Array(rows);
  const known = new Map<string, number>();
  const moves = new Uint8Array(closes.length);
  const hours = panel.endsUtcMs ? hoursOf(panel.sessions, panel.endsUtcMs) : undefined;
  let pattern = -1;
  for (let row = 0; row < rows; row++) {
    if (row < Math.max(1, firstMovable)) {
      // Negative numbers are never met by those of the groups.
      patterns[row] = -1 - row;
      continue;
    }
    let same = pattern >= 0;
    for (let i = 0; i < closes.length; i++) {
      const close = closes[i]!;
      const moved = Number.isNaN(close[row]!) || Number.isNaN(close[row - 1]!) ? 0 : 1;
      if (moves[i] !== moved) same = false;
      moves[i] = moved;
    }
    // Nearly every row is like the one before it; only others are looked up.
    if (hours && hours[row] !== hours[row - 1]) same = false;
    if (!same) {
      const text = hours ? `${hours[row]} ${moves.join("")}` : moves.join("");
      pattern = known.get(text) ?? known.size;
      known.set(text, pattern);
    }
    patterns[row] = pattern;
  }
  return patterns;
}

/** The time of day at which each row ends in New York, marked where it is its session's first. */
function hoursOf(sessions: readonly string[], endsUtcMs: Float64Array): readonly string[] {
  return Array.from(endsUtcMs, (end, row) => {
    const time = newYorkTimeOf(end);
    return sessions[row] === sessions[row - 1] ? time : `first ${time}`;
  });
}

/**
 * The panel with its rows' moves in another order: whole rows, all symbols together, so that what belongs together on a
 * day stays together and only the order of days is lost.
 *
 * A bar moves by four ratios: open over the close before, and high, low and close over its open. Row `t` takes all four
 * from row `order[t]` for every symbol with a bar on `t` and on `t - 1`, and builds its prices up from the close on `t - 1`. A symbol's
 * first bar, and its first after a hole, have no such ratio and keep their prices. Without holes the last close is the
 * original's, up to rounding. Volume moves with its row.
 *
 * @param order - source row of each row, a permutation within the groups of {@link rowPatterns}
 * @throws RowOrderError when the order has another length than the panel or mixes groups
 */
export function permutePanel(panel: Panel, order: ArrayLike<number>): Panel {
  const rows = panel.sessions.length;
  if (order.length !== rows) {
    throw new RowOrderError(`a row order of ${order.length} rows does not fit a panel of ${rows}`);
  }
  const series: readonly BarSeries[] = panel.tickers.map((ticker) => {
    const close = panel.column("close", ticker);
    let bars = 0;
    for (let row = 0; row < rows; row++) if (!Number.isNaN(close[row]!)) bars++;
    const source = {
      open: panel.column("open", ticker),
      high: panel.column("high", ticker),
      low: panel.column("low", ticker),
      close,
      volume: panel.column("volume", ticker),
    };
    const out = {
      open: new Float64Array(bars),
      high: new Float64Array(bars),
      low: new Float64Array(bars),
      close: new Float64Array(bars),
      volume: new Float64Array(bars),
    };
    const sessions = new Array<BarSeries["sessions"][number]>(bars);
    const ends = panel.endsUtcMs ? new Float64Array(bars) : undefined;
    let at = 0;
    for (let row = 0; row < rows; row++) {
      if (Number.isNaN(close[row]!)) continue;
      sessions[at] = panel.sessions[row]!;
      if (ends) ends[at] = panel.endsUtcMs![row]!;
      const moved = row > 0 && !Number.isNaN(close[row - 1]!);
      const from = moved ? order[row]! : row;
      if (moved) {
        const before = close[from - 1];
        const opened = source.open[from];
        if (before === undefined || opened === undefined || Number.isNaN(before) || Number.isNaN(opened)) {
          throw new RowOrderError(
            `row ${row} cannot take its moves from row ${from}: ${ticker} has no bar there, or none the row before`,
          );
        }
        const open = out.close[at - 1]! * (opened / before);
        out.open[at] = open;
        out.high[at] = open * (source.high[from]! / opened);
        out.low[at] = open * (source.low[from]! / opened);
        out.close[at] = open * (close[from]! / opened);
      } else {
        out.open[at] = source.open[row]!;
        out.high[at] = source.high[row]!;
        out.low[at] = source.low[row]!;
        out.close[at] = close[row]!;
      }
      out.volume[at] = source.volume[from]!;
      at++;
    }
    return { ticker, sessions, ...out, ...(ends ? { endsUtcMs: ends } : {}) };
  });
  return alignPanel(series);
}
