import type { SessionDate, Ticker, TradingCalendar } from "@pf/market";
import { CacheFileError, SourceMismatchError } from "./errors.js";

/** What the cache holds of one symbol. */
export interface Coverage {
  readonly first: SessionDate;
  readonly last: SessionDate;
  readonly rows: number;
  readonly hash: string;
  readonly source: string;
  /** The first day ever asked for; asking again for days before `first` would bring nothing. */
  readonly requestedFrom: SessionDate;
}

/** What the cache holds of each symbol; a file that cannot be used is told by its error, a symbol without one is absent. */
export type CacheCoverage = ReadonlyMap<Ticker, Coverage | CacheFileError>;

export interface WantedBars {
  readonly symbols: readonly Ticker[];
  /** The closed interval of days for which bars are wanted. */
  readonly from: SessionDate;
  readonly to: SessionDate;
  /** The name of the source that will be asked. */
  readonly source: string;
  /** Whether asking that source costs nothing worth sparing, see `BarSource.local`. */
  readonly local?: boolean;
  /** The last session whose bar is finished: later bars would still change, so nobody asks for them. */
  readonly completeThrough?: SessionDate;
}

export interface PlanOptions {
  /**
   * How many cached sessions are asked for again, beside missing ones or at the end, to notice a rewritten history.
   * A local source is asked for all of them. With 0 nothing is asked again, and no rewriting noticed.
   * @default 5
   */
  readonly overlap?: number;
  /** Fetch everything anew, also over bars of another source and over damaged files. */
  readonly replace?: boolean;
}

/** A closed interval of sessions to ask a source for. */
export interface Span {
  readonly from: SessionDate;
  readonly to: SessionDate;
}

/** What to do for one symbol. */
export type SymbolPlan =
  | { readonly symbol: Ticker; readonly action: "nothing"; readonly coverage: Coverage | undefined }
  | { readonly symbol: Ticker; readonly action: "create"; readonly spans: readonly [Span] }
  | {
      readonly symbol: Ticker;
      readonly action: "extend";
      readonly coverage: Coverage;
      /** What to ask for: missing sessions with cached ones beside them for comparison, or only the latter. */
      readonly spans: readonly Span[];
      /** Whether any of it is missing, so that there will be something to write. */
      readonly missing: boolean;
      /** What to ask for instead, once, if the comparison fails. */
      readonly whole: Span;
    }
  | { readonly symbol: Ticker; readonly action: "refuse"; readonly error: Error };

/** What an ingestion is going to ask, decided before anything is asked; data, so that it can be shown and tested. */
export interface IngestPlan {
  readonly source: string;
  readonly steps: readonly SymbolPlan[];
}

/**
 * Decides what to ask a source for: what is missing at either end, with a few cached sessions for comparison, and
 * where nothing is missing the last few cached sessions alone. Brokers rewrite a history from its beginning up to the
 * day of a dividend, which a few sessions show; files can be corrected anywhere, so a local source is asked for
 * everything that is wanted or cached. Holes between cached bars are facts of the source and no reason to ask.
 *
 * @returns a step for each wanted symbol, in the wanted order; `"nothing"` where no wanted session is finished, or
 *   nothing is missing and nothing to be compared
 * @throws CalendarRangeError when the span reaches beyond the calendar
 */
export function planIngest(
  coverage: CacheCoverage,
  wanted: WantedBars,
  calendar: TradingCalendar,
  options: PlanOptions = {},
): IngestPlan {
  const { overlap = 5, replace = false } = options;
  const span = sessionsOf(wanted, calendar);
  const planOf = (symbol: Ticker): SymbolPlan => {
    const cached = coverage.get(symbol);
    if (!span)
      return { symbol, action: "nothing", coverage: cached instanceof CacheFileError ? undefined : cached };
    if (cached === undefined) return { symbol, action: "create", spans: [span] };
    if (cached instanceof CacheFileError) {
      return replace
        ? { symbol, action: "create", spans: [span] }
        : { symbol, action: "refuse", error: cached };
    }
    if (cached.source !== wanted.source) {
      if (replace) return { symbol, action: "create", spans: [span] };
      return {
        symbol,
        action: "refuse",
        error: new SourceMismatchError(symbol, cached.source, wanted.source),
      };
    }
    const known = finishedSessions(cached, wanted, calendar);
    const whole = {
      from: earlier(span.from, askedFrom(cached)),
      to: later(span.to, known.at(-1) ?? calendar.previous(cached.first)),
    };
    if (replace) return { symbol, action: "create", spans: [whole] };
    const missing = missingSpans(cached, span, known, calendar, overlap);
    const spans =
      wanted.local && overlap > 0 ? [whole] : missing.length > 0 ? missing : lastOf(known, overlap);
    if (spans.length === 0) return { symbol, action: "nothing", coverage: cached };
    return { symbol, action: "extend", coverage: cached, spans, missing: missing.length > 0, whole };
  };
  return { source: wanted.source, steps: wanted.symbols.map(planOf) };
}

/** The wanted days as sessions that are over, or nothing if there is none. */
function sessionsOf({ from, to, completeThrough }: WantedBars, calendar: TradingCalendar): Span | undefined {
  const end = completeThrough === undefined ? to : earlier(to, completeThrough);
  if (end < from) return undefined;
  const sessions = calendar.sessionsBetween(from, end);
  return sessions.length === 0 ? undefined : { from: sessions[0]!, to: sessions.at(-1)! };
}

/** The cached sessions that can be asked for again: all of them, unless the clock was once ahead. */
function finishedSessions(
  { first, last }: Coverage,
  { completeThrough = last }: WantedBars,
  calendar: TradingCalendar,
): readonly SessionDate[] {
  const end = earlier(last, completeThrough);
  return end < first ? [] : calendar.sessionsBetween(first, end);
}

function missingSpans(
  cached: Coverage,
  wanted: Span,
  known: readonly SessionDate[],
  calendar: TradingCalendar,
  overlap: number,
): Span[] {
  const spans: Span[] = [];
  if (wanted.from < askedFrom(cached)) {
    const inner = known.slice(0, overlap).at(-1) ?? calendar.previous(cached.first);
    spans.push({ from: wanted.from, to: inner });
  }
  if (wanted.to > cached.last) {
    const [inner] = lastOf(known, overlap);
    spans.push({ from: inner?.from ?? calendar.next(cached.last), to: wanted.to });
  }
  return spans;
}

function lastOf(known: readonly SessionDate[], count: number): Span[] {
  const from = known[Math.max(0, known.length - count)];
  return from === undefined ? [] : [{ from, to: known.at(-1)! }];
}

function askedFrom({ first, requestedFrom }: Coverage): SessionDate {
  return earlier(requestedFrom, first);
}

function earlier(a: SessionDate, b: SessionDate): SessionDate {
  return a < b ? a : b;
}

function later(a: SessionDate, b: SessionDate): SessionDate {
  return a > b ? a : b;
}
