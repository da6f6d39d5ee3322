import type { BarSeries, Field, SessionDate, Ticker, TradingCalendar } from "@pf/market";
import { InvalidBarsError, newYorkTimeOf } from "@pf/market";
import type { BarCache } from "./cache.js";
import { type CheckOptions, checkBars, type Finding, refusals } from "./checks.js";
import { contentHash } from "./content-hash.js";
import {
  BarsRefusedError,
  CacheFileError,
  CacheReadError,
  IngestInterruptedError,
  NoBarsError,
  WriteError,
} from "./errors.js";
import {
  type CacheCoverage,
  type Coverage,
  type IngestPlan,
  type PlanOptions,
  planIngest,
  type Span,
  type SymbolPlan,
  type WantedBars,
} from "./plan.js";
import { type BarSource, barsBetween, type FetchedBars, type SourceNote } from "./source.js";

/** What became of one symbol. */
export interface SymbolOutcome {
  readonly symbol: Ticker;
  readonly status: "ok" | "failed";
  /** Bars that the cache did not have before; all of them when the history was fetched anew. */
  readonly added: number;
  /** Whether the cached history no longer agreed with the source's and was replaced whole. */
  readonly refetched: boolean;
  /** What the cache holds now, also after a failure; absent where it holds nothing usable. */
  readonly first?: SessionDate;
  readonly last?: SessionDate;
  readonly rows: number;
  /** {@link contentHash} of the adjusted bars. */
  readonly hash?: string;
  /** How many times the source was asked. */
  readonly requests: number;
  readonly error?: Error;
  /** Warnings of the data checks about new bars. */
  readonly findings: readonly Finding[];
  /** Everything a person should hear, findings included, in words. */
  readonly warnings: readonly string[];
}

export interface IngestOptions {
  readonly signal?: AbortSignal;
  /** Called before a symbol is worked on, and after it with its outcome. */
  readonly onProgress?: (progress: IngestProgress) => void;
  /** Thresholds of the data checks. */
  readonly checks?: CheckOptions;
}

export interface IngestProgress {
  readonly symbol: Ticker;
  /** Counted from 0. */
  readonly index: number;
  readonly count: number;
  /** Absent when the symbol's turn begins. */
  readonly outcome?: SymbolOutcome;
}

/**
 * Brings the cache up to date: looks what is there, plans, asks, compares, writes.
 *
 * @returns an outcome for each symbol, in order; a symbol that failed costs no other
 * @throws WriteError when the cache cannot be written
 * @throws IngestInterruptedError when the signal says stop, with the outcomes so far
 * @throws whatever makes the source as a whole unusable, see {@link BarSource}
 */
export async function fetchBars(
  cache: BarCache,
  source: BarSource,
  calendar: TradingCalendar,
  wanted: Omit<WantedBars, "source" | "local">,
  options: IngestOptions & PlanOptions = {},
): Promise<readonly SymbolOutcome[]> {
  const { name, local = false, kind = "daily" } = source;
  const coverage = await readCoverage(cache, wanted.symbols, kind);
  const plan = planIngest(coverage, { ...wanted, source: name, local }, calendar, options);
  return ingest(plan, source, cache, calendar, options);
}

/**
 * Looks up what the cache holds of some symbols. A file that cannot be used is reported in its place.
 *
 * @param kind - adjusted daily bars, or hourly ones
 * @throws CacheReadError when the system refuses to read the folder
 */
export async function readCoverage(
  cache: BarCache,
  symbols: readonly Ticker[],
  kind: "daily" | "hourly" = "daily",
): Promise<CacheCoverage> {
  const coverage = new Map<Ticker, Coverage | CacheFileError>();
  for (const symbol of symbols) {
    try {
      const stored = await cache.read(symbol, kind);
      if (stored)
        coverage.set(symbol, coverageOf(stored.series, stored.hash, stored.source, stored.requestedFrom));
    } catch (error) {
      // A file where the folder should be holds no bars; that it cannot be written into is found out before asking.
      if (error instanceof CacheReadError && error.errno === "ENOTDIR") continue;
      if (!(error instanceof CacheFileError)) throw error;
      coverage.set(symbol, error);
    }
  }
  return coverage;
}

/**
 * Carries a plan out. Cached and fetched bars are compared where they overlap: equal ones are joined, unequal ones
 * mean that the source rewrote its history (a dividend, a split, a correction), and then the symbol is fetched whole,
 * unless the answer is whole already.
 * Bars are checked before they are written; nothing is written where nothing changed.
 *
 * @returns and throws as {@link fetchBars}
 */
export async function ingest(
  plan: IngestPlan,
  source: BarSource,
  cache: BarCache,
  calendar: TradingCalendar,
  options: IngestOptions = {},
): Promise<readonly SymbolOutcome[]> {
  const outcomes: SymbolOutcome[] = [];
  const count = plan.steps.length;
  // Better to hear of a read-only folder now than after minutes of asking; who only compares may go on.
  if (plan.steps.some(isToWrite)) cache.prepare();
  for (const [index, step] of plan.steps.entries()) {
    if (options.signal?.aborted) throw new IngestInterruptedError(outcomes, { cause: options.signal.reason });
    const { symbol } = step;
    options.onProgress?.({ symbol, index, count });
    let outcome: SymbolOutcome;
    try {
      outcome = await ingestSymbol(step, source, cache, calendar, options);
    } catch (error) {
      if (options.signal?.aborted) throw new IngestInterruptedError(outcomes, { cause: error });
      throw error;
    }
    outcomes.push(outcome);
    options.onProgress?.({ symbol, index, count, outcome });
  }
  return outcomes;
}

function isToWrite(step: SymbolPlan): boolean {
  return step.action === "create" || (step.action === "extend" && step.missing);
}

async function ingestSymbol(
  step: SymbolPlan,
  source: BarSource,
  cache: BarCache,
  calendar: TradingCalendar,
  options: IngestOptions,
): Promise<SymbolOutcome> {
  const before = "coverage" in step ? step.coverage : undefined;
  if (step.action === "nothing") return unchanged(step.symbol, before, { requests: 0 });
  if (step.action === "refuse") return unchanged(step.symbol, before, { requests: 0, error: step.error });
  const asked = countRequests(source, step.symbol, options);
  try {
    const gathered = await gather(step, asked.fetch, cache, source);
    return await store(step, gathered, cache, calendar, options, source, asked.count());
  } catch (error) {
    if (!isOneSymbolsMatter(error, options)) throw error;
    return unchanged(step.symbol, before, { requests: asked.count(), error });
  }
}

/** Bars of a symbol as they shall stand in the cache, not yet checked. */
interface Gathered {
  readonly adjusted: BarSeries;
  /** `"keep"`: what is stored still holds, because nothing changed or the source gives none any more. */
  readonly trades: BarSeries | "keep" | undefined;
  readonly requestedFrom: SessionDate;
  readonly refetched: boolean;
  /** Whether the adjusted bars, or what is remembered of them, differ from what is stored. */
  readonly changed: boolean;
  readonly remarks: readonly string[];
}

type Ask = (span: Span) => Promise<FetchedBars>;

async function gather(
  step: Extract<SymbolPlan, { action: "create" | "extend" }>,
  ask: Ask,
  cache: BarCache,
  { name: source, kind = "daily" }: BarSource,
): Promise<Gathered> {
  if (step.action === "create") {
    const [span] = step.spans;
    const fetched = await ask(span);
    if (fetched.adjusted.sessions.length === 0)
      throw new NoBarsError(step.symbol, source, span.from, span.to);
    const { adjusted, trades, notes = [] } = fetched;
    return {
      adjusted,
      trades,
      requestedFrom: span.from,
      refetched: false,
      changed: true,
      remarks: notes.map(inWords),
    };
  }

  const { symbol, coverage, whole } = step;
  const stored = await cache.read(symbol, kind);
  if (!stored || stored.hash !== coverage.hash) {
    throw new CacheFileError(cache.file(symbol, kind), "it changed after the plan was made");
  }
  const storedTrades = kind === "daily" ? (await readTrades(cache, symbol))?.series : undefined;
  const remarks: string[] = [];
  let adjusted = stored.series;
  let trades: BarSeries | undefined = storedTrades;
  let requestedFrom = stored.requestedFrom;
  let rewritten: string | undefined;
  let tradesMissing = false;
  let anew: FetchedBars | undefined;
  for (const span of step.spans) {
    const fetched = await ask(span);
    if (span.from === whole.from && span.to === whole.to) anew = fetched;
    remarks.push(...(fetched.notes ?? []).filter((note) => isNews(note, span, coverage)).map(inWords));
    rewritten ??= disagreement(stored.series, fetched.adjusted, span);
    if (fetched.trades) {
      // Bars as traded that begin in the middle would be worse than none.
      if (!storedTrades) rewritten ??= "the source now has bars as traded, and the cache has none";
      else if (leavesHole(storedTrades, fetched.trades, span, stored.series)) {
        rewritten ??= "the source gives bars as traded again, and the cache lacks those before";
      } else rewritten ??= disagreement(storedTrades, fetched.trades, span);
    } else if (storedTrades) tradesMissing = true;
    if (rewritten) break;
    adjusted = joined(adjusted, fetched.adjusted);
    if (trades && fetched.trades) trades = joined(trades, fetched.trades);
    if (span.from < requestedFrom) requestedFrom = span.from;
  }
  if (!rewritten) {
    if (tradesMissing) {
      const last = storedTrades?.sessions.at(-1);
      remarks.push(`${source} no longer gives bars as traded; the stored ones end on ${last}`);
    }
    const sameStart = requestedFrom === stored.requestedFrom;
    const sameTrades = trades !== undefined && trades === storedTrades && sameStart;
    return {
      adjusted,
      trades: tradesMissing || sameTrades ? "keep" : trades,
      requestedFrom,
      refetched: false,
      changed: adjusted !== stored.series || !sameStart,
      remarks,
    };
  }

  anew ??= await ask(whole);
  if (anew.adjusted.sessions.length === 0) throw new NoBarsError(symbol, source, whole.from, whole.to);
  const [first, last] = [anew.adjusted.sessions[0]!, anew.adjusted.sessions.at(-1)!];
  return {
    adjusted: anew.adjusted,
    trades: anew.trades,
    requestedFrom: whole.from,
    refetched: true,
    changed: true,
    remarks: [
      `${rewritten}; fetched anew from ${whole.from}`,
      ...(first > coverage.first
        ? [`the new history begins on ${first}, the old one began on ${coverage.first}`]
        : []),
      ...(last < coverage.last
        ? [`the new history ends on ${last}, the old one ended on ${coverage.last}`]
        : []),
      ...(anew.notes ?? []).map(inWords),
    ],
  };
}

async function store(
  step: Extract<SymbolPlan, { action: "create" | "extend" }>,
  gathered: Gathered,
  cache: BarCache,
  calendar: TradingCalendar,
  options: IngestOptions,
  { name: source, kind = "daily" }: BarSource,
  requests: number,
): Promise<SymbolOutcome> {
  const { symbol } = step;
  const { adjusted, trades, requestedFrom, refetched, changed } = gathered;
  const old = step.action === "extend" && !refetched ? step.coverage : undefined;
  const isNew = (date: SessionDate) => !old || date < old.first || date > old.last;

  const findings = [...acceptable(adjusted, calendar, options.checks)];
  if (trades && trades !== "keep") {
    const said = new Set(findings.map(({ date, rule }) => `${date} ${rule}`));
    const further = acceptable(trades, calendar, options.checks);
    findings.push(...further.filter(({ date, rule }) => !said.has(`${date} ${rule}`)));
  }
  const last = adjusted.sessions.at(-1)!;
  const shown = findings.filter(({ date, rule }) => isNew(date) || (rule === "stale" && date === last));

  // The adjusted file is what plans are made from, so it goes last: a crash in between is mended by the next run.
  if (kind === "daily") {
    if (trades === undefined) cache.remove(symbol, "trades");
    else if (trades !== "keep") await cache.write({ series: trades, source, requestedFrom }, "trades");
  }
  if (changed) await cache.write({ series: adjusted, source, requestedFrom }, kind);

  return {
    symbol,
    status: "ok",
    added: adjusted.sessions.length - (old?.rows ?? 0),
    refetched,
    first: adjusted.sessions[0]!,
    last,
    rows: adjusted.sessions.length,
    hash: contentHash(adjusted),
    requests,
    findings: shown,
    warnings: [...gathered.remarks, ...shown.map(({ date, message }) => `${date}: ${message}`)],
  };
}

/** @throws BarsRefusedError with every refusal; warnings are returned */
function acceptable(series: BarSeries, calendar: TradingCalendar, checks: CheckOptions | undefined) {
  const findings = checkBars(series, calendar, checks);
  const refused = refusals(findings);
  if (refused.length > 0) throw new BarsRefusedError(series.ticker, refused);
  return findings;
}

function countRequests(source: BarSource, symbol: Ticker, { signal }: IngestOptions) {
  let requests = 0;
  const fetch: Ask = async ({ from, to }) => {
    signal?.throwIfAborted();
    requests++;
    const answer = await source.fetch(symbol, from, to, signal ? { signal } : {});
    signal?.throwIfAborted();
    if (source.kind === "hourly" && answer.trades) {
      throw new InvalidBarsError(symbol, `${source.name} answered with hourly bars as traded`);
    }
    for (const { ticker } of [answer.adjusted, answer.trades ?? answer.adjusted]) {
      if (ticker !== symbol)
        throw new InvalidBarsError(symbol, `${source.name} answered with bars of ${ticker}`);
    }
    // A source may say more than it was asked, an unfinished bar of today for instance.
    return {
      ...answer,
      adjusted: within(answer.adjusted, from, to),
      ...(answer.trades ? { trades: within(answer.trades, from, to) } : {}),
    };
  };
  return { fetch, count: () => requests };
}

function within(series: BarSeries, from: SessionDate, to: SessionDate): BarSeries {
  const ascending = series.sessions.every(
    (session, row) => row === 0 || session >= series.sessions[row - 1]!,
  );
  // Bars in disorder go to the checks as they are, which name every one of them.
  return ascending ? barsBetween(series, from, to) : series;
}

const fields: readonly Field[] = ["open", "high", "low", "close", "volume"];

/** Where two histories differ inside a span that both should cover, in words; undefined where they agree. */
function disagreement(cached: BarSeries, fetched: BarSeries, span: Span): string | undefined {
  const from = later(span.from, cached.sessions[0]!);
  const to = earlier(span.to, cached.sessions.at(-1)!);
  if (from > to) return undefined;
  const [ours, theirs] = [barsBetween(cached, from, to), barsBetween(fetched, from, to)];
  for (let row = 0; row < Math.max(ours.sessions.length, theirs.sessions.length); row++) {
    const [own, other] = [barAt(ours, row), barAt(theirs, row)];
    if (own !== other) {
      const date = own === undefined || (other !== undefined && other < own) ? other : own;
      return `the source and the cache disagree on whether there is a bar of ${date}`;
    }
    const field = fields.find((name) => !Object.is(ours[name][row], theirs[name][row]));
    if (field) {
      return `the source rewrote its history: ${field} of ${own} was ${ours[field][row]} and is ${theirs[field][row]}`;
    }
  }
  return undefined;
}

/** What names a bar, in an order that is that of time: its session, and the hour at which it ends. */
function barAt({ sessions, endsUtcMs }: BarSeries, row: number): string | undefined {
  const session = sessions[row];
  if (session === undefined || !endsUtcMs) return session;
  return `${session} ${newYorkTimeOf(endsUtcMs[row]!)}`;
}

/** Whether joined bars as traded would lack days between that the adjusted ones have: trades ceased and came again. */
function leavesHole(cached: BarSeries, fetched: BarSeries, span: Span, adjusted: BarSeries): boolean {
  const last = cached.sessions.at(-1)!;
  if (fetched.sessions.length === 0 || span.from <= last) return false;
  return adjusted.sessions.some((session) => session > last && session < span.from);
}

/** The cached bars with the fetched ones before and after them; the cached series itself where there are none. */
function joined(cached: BarSeries, fetched: BarSeries): BarSeries {
  const [first, last] = [cached.sessions[0]!, cached.sessions.at(-1)!];
  const before = fetched.sessions.filter((session) => session < first).length;
  const after = fetched.sessions.length - fetched.sessions.filter((session) => session > last).length;
  if (before === 0 && after === fetched.sessions.length) return cached;
  const together = (own: Float64Array, other: Float64Array) => {
    const out = new Float64Array(before + own.length + other.length - after);
    out.set(other.subarray(0, before));
    out.set(own, before);
    out.set(other.subarray(after), before + own.length);
    return out;
  };
  const column = (name: Field) => together(cached[name], fetched[name]);
  return {
    ticker: cached.ticker,
    sessions: [...fetched.sessions.slice(0, before), ...cached.sessions, ...fetched.sessions.slice(after)],
    ...(cached.endsUtcMs && fetched.endsUtcMs
      ? { endsUtcMs: together(cached.endsUtcMs, fetched.endsUtcMs) }
      : {}),
    open: column("open"),
    high: column("high"),
    low: column("low"),
    close: column("close"),
    volume: column("volume"),
  };
}

function isNews({ session }: SourceNote, span: Span, { first, last }: Coverage): boolean {
  if (session !== undefined) return session < first || session > last;
  return span.from > first || span.to < last;
}

function inWords({ text, session }: SourceNote): string {
  return session === undefined ? text : `${session}: ${text}`;
}

async function readTrades(cache: BarCache, symbol: Ticker) {
  try {
    return await cache.read(symbol, "trades");
  } catch (error) {
    // A damaged file counts as none, so that it is fetched anew together with the adjusted bars.
    if (error instanceof CacheFileError) return undefined;
    throw error;
  }
}

function isOneSymbolsMatter(error: unknown, { signal }: IngestOptions): error is Error {
  if (!(error instanceof Error) || signal?.aborted) return false;
  return !(error instanceof WriteError) && !("wholeSource" in error && error.wholeSource === true);
}

function unchanged(
  symbol: Ticker,
  coverage: Coverage | undefined,
  { requests, error }: { readonly requests: number; readonly error?: Error },
): SymbolOutcome {
  return {
    symbol,
    status: error ? "failed" : "ok",
    added: 0,
    refetched: false,
    ...(coverage ? { first: coverage.first, last: coverage.last, hash: coverage.hash } : {}),
    rows: coverage?.rows ?? 0,
    requests,
    ...(error ? { error } : {}),
    findings: [],
    warnings: [],
  };
}

function coverageOf(series: BarSeries, hash: string, source: string, requestedFrom: SessionDate): Coverage {
  const { sessions } = series;
  return { first: sessions[0]!, last: sessions.at(-1)!, rows: sessions.length, hash, source, requestedFrom };
}

function earlier(a: SessionDate, b: SessionDate): SessionDate {
  return a < b ? a : b;
}

function later(a: SessionDate, b: SessionDate): SessionDate {
  return a > b ? a : b;
}
