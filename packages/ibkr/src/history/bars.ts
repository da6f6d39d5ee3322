import {
  type BarSeries,
  dayNumber,
  newYorkDateOf,
  type SessionDate,
  type Ticker,
  type TradingCalendar,
} from "@pf/market";
import { dayOf, instantOf } from "../session/instants.js";
import { HistoryAnswerError } from "./errors.js";
import type { BarSize } from "./request.js";

/** A bar as it came over the wire. */
export interface WireBar {
  /** `yyyymmdd` for daily bars; seconds since 1970, or a date with time and zone, for others. */
  readonly date: string;
  readonly open: number;
  readonly high: number;
  readonly low: number;
  readonly close: number;
  readonly volume: number | undefined;
}

/** Bars of one kind, oldest first. */
export interface History {
  readonly series: BarSeries;
  /**
   * How many bars at the end are unfinished by the broker's own clock, 0 or 1: they still change, so they may be shown
   * and decided on, and are never cached.
   */
  readonly provisional: number;
}

/**
 * Turns answers, oldest first, into one series. Bars that two answers share are taken from the later one; whatever is
 * no bar at all is refused, and whatever is an unlikely bar is left to the data checks.
 *
 * @param nowUtcMs - the broker's clock, which decides what is finished
 * @param span - the days that are wanted: spans of requests are rounded up, so that answers have more
 * @throws HistoryAnswerError naming the bar
 */
export function joinBars(
  ticker: Ticker,
  barSize: BarSize,
  answers: readonly (readonly WireBar[])[],
  calendar: TradingCalendar,
  nowUtcMs: number,
  span?: { readonly from: SessionDate; readonly to: SessionDate },
): History {
  const rows = new Map<number, Row>();
  for (const answer of answers) {
    let previous = Number.NEGATIVE_INFINITY;
    for (const bar of answer) {
      const row = readRow(ticker, barSize, bar);
      if (row.at <= previous) {
        const why = row.at === previous ? "it stands twice" : "it comes after a later one";
        throw new HistoryAnswerError(ticker, bar.date, why);
      }
      previous = row.at;
      if (!span || (row.session >= span.from && row.session <= span.to)) rows.set(row.at, row);
    }
  }
  const sorted = [...rows.values()].sort((a, b) => a.at - b.at);
  const column = (field: (bar: WireBar) => number) => Float64Array.from(sorted, ({ bar }) => field(bar));
  const onTheHour = sorted.some(({ at }) => at % msPerHour === 0);
  const ends = sorted.map((row) => endOf(row, barSize, onTheHour, calendar));
  const series: BarSeries = {
    ticker,
    sessions: sorted.map(({ session }) => session),
    ...(barSize === "1 hour" ? { endsUtcMs: Float64Array.from(ends) } : {}),
    open: column((bar) => bar.open),
    high: column((bar) => bar.high),
    low: column((bar) => bar.low),
    close: column((bar) => bar.close),
    volume: column((bar) => bar.volume!),
  };
  return { series, provisional: ends.filter((end) => end > nowUtcMs).length };
}

/** A series without its last bars. */
export function withoutLast(series: BarSeries, count: number): BarSeries {
  if (count === 0) return series;
  const end = Math.max(0, series.sessions.length - count);
  return {
    ticker: series.ticker,
    sessions: series.sessions.slice(0, end),
    ...(series.endsUtcMs ? { endsUtcMs: series.endsUtcMs.subarray(0, end) } : {}),
    open: series.open.subarray(0, end),
    high: series.high.subarray(0, end),
    low: series.low.subarray(0, end),
    close: series.close.subarray(0, end),
    volume: series.volume.subarray(0, end),
  };
}

interface Row {
  /** Orders rows: the day number of a daily bar, the instant at which an hourly one begins. */
  readonly at: number;
  readonly session: SessionDate;
  readonly bar: WireBar;
}

function readRow(ticker: Ticker, barSize: BarSize, bar: WireBar): Row {
  for (const field of ["open", "high", "low", "close", "volume"] as const) {
    if (!Number.isFinite(bar[field])) throw new HistoryAnswerError(ticker, bar.date, `it has no ${field}`);
    // -1 is how the broker writes "unknown"; the checks know no negative volume, and a zero would be invented.
    if (bar[field]! < 0) throw new HistoryAnswerError(ticker, bar.date, `its ${field} is ${bar[field]}`);
  }
  if (barSize === "1 day") {
    const day = dayOf(bar.date);
    if (!day) throw new HistoryAnswerError(ticker, bar.date, "it is no date of the form yyyymmdd");
    return { at: dayNumber(day), session: day, bar };
  }
  const begins = instantOf(bar.date);
  if (begins === undefined)
    throw new HistoryAnswerError(ticker, bar.date, "it is no instant with a known time zone");
  return { at: begins, session: newYorkDateOf(begins), bar };
}

/**
 * When a bar ends. The broker's hours begin on the hour, so that of 09:30 is half as long, and none outlasts the close.
 * A bar that is missing makes the one before it no longer.
 *
 * @param onTheHour - whether the bars begin on the hour, as the broker's do, and are not counted from the open; New York
 *   is whole hours away from UTC
 */
function endOf(row: Row, barSize: BarSize, onTheHour: boolean, calendar: TradingCalendar): number {
  const close = calendar.isSession(row.session) ? calendar.closeUtcMs(row.session) : undefined;
  // A day that is no session is refused by the checks; until then it counts as over when the day is.
  if (barSize === "1 day") return close ?? (dayNumber(row.session) + 1) * msPerDay;
  const end = onTheHour ? (Math.floor(row.at / msPerHour) + 1) * msPerHour : row.at + msPerHour;
  return close !== undefined && close > row.at ? Math.min(end, close) : end;
}

const msPerHour = 3_600_000;
const msPerDay = 86_400_000;
