import type { BarSeries, SessionDate, Ticker } from "@pf/market";

/** What a source answers for one symbol and span. */
export interface FetchedBars {
  /** Adjusted for dividends and splits, the base of signals and returns; without bars where the source has none. */
  readonly adjusted: BarSeries;
  /** Adjusted for splits only, the prices one could trade at; absent where the source does not know them. */
  readonly trades?: BarSeries;
  /** Remarks for people, each of which ingestion tells once, not at every run that compares old bars. */
  readonly notes?: readonly SourceNote[];
}

/** A remark about a bar, told when that bar is new; or about the answer, told unless all of it was cached before. */
export interface SourceNote {
  readonly text: string;
  /** The session it is about; absent where it is about the answer as a whole. */
  readonly session?: SessionDate;
}

export interface FetchOptions {
  readonly signal?: AbortSignal;
}

/**
 * Where bars come from: a folder of files, a generator, a broker. A source answers for one symbol and the closed
 * interval of days; what lies outside is ignored.
 *
 * An error costs the symbol it was thrown for and no other, unless it carries `wholeSource: true`: then the next
 * symbol would fail in the same way (no such folder, connection lost) and nothing more is asked.
 */
export interface BarSource {
  /** Names the origin of bars in the cache. Different content, such as another seed, is another name. */
  readonly name: string;
  /**
   * Whether asking costs nothing worth sparing, as with files on the same disk. Such a source is asked for the whole
   * history each time, so that a change anywhere in it is noticed; others only for what is missing and the overlap.
   * @default false
   */
  readonly local?: boolean;
  /**
   * Whether it answers with daily bars, or with hourly ones of regular trading, adjusted ones only.
   * @default "daily"
   */
  readonly kind?: "daily" | "hourly";
  fetch(ticker: Ticker, from: SessionDate, to: SessionDate, options?: FetchOptions): Promise<FetchedBars>;
}

/** The bars of the closed interval of days, sharing memory with the series where they are one run. */
export function barsBetween(series: BarSeries, from: SessionDate, to: SessionDate): BarSeries {
  const { sessions } = series;
  let start = 0;
  while (start < sessions.length && sessions[start]! < from) start++;
  let end = sessions.length;
  while (end > start && sessions[end - 1]! > to) end--;
  if (start === 0 && end === sessions.length) return series;
  return {
    ticker: series.ticker,
    sessions: sessions.slice(start, end),
    ...(series.endsUtcMs ? { endsUtcMs: series.endsUtcMs.subarray(start, end) } : {}),
    open: series.open.subarray(start, end),
    high: series.high.subarray(start, end),
    low: series.low.subarray(start, end),
    close: series.close.subarray(start, end),
    volume: series.volume.subarray(start, end),
  };
}
