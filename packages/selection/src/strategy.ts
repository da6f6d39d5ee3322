import { sampleStdev } from "@pf/indicators";
import { type Panel, PanelLookupError, type Ticker, type Weights } from "@pf/market";
import { capInPlace, isCap, isCashBuffer } from "./caps.js";
import { lastCloseBefore, PairCorrelations, pairTable } from "./correlation.js";
import { covarianceEstimators, estimateCovariance, portfolioVariance } from "./covariance.js";
import type { Candidate, Decision } from "./decision.js";
import { ExtensionError, RowRangeError, StrategyOptionsError } from "./errors.js";
import { explainCandidates, percent, type Rejection } from "./explain.js";
import { createFeatures, type Features, sourceOf, streamFeatures } from "./features.js";
import { firstDefinedGate, gateCodes, scoreGate, warmUpBars } from "./gates.js";
import { type OverlayOptions, type StrategyOptions, sessionsPerYear } from "./options.js";
import type { OverlayFactory, OverlayVerdict, OverlayView, RegimeOverlay } from "./overlays/overlay.js";
import { builtinOverlays, overlayProblems } from "./overlays.js";
import { type PastColumns, pastColumns } from "./past.js";
import type { Registry } from "./registry.js";
import {
  builtinScores,
  type ColumnScore,
  type ScoreFactory,
  type ScoreFunction,
  type ScoreView,
} from "./scores.js";
import type { WeightingFactory, WeightingInput, WeightingMethod } from "./weightings/weighting.js";
import { builtinWeightings } from "./weightings.js";

/** A rule for what to hold. It knows no data until it is prepared for a panel. */
export interface Strategy {
  readonly options: StrategyOptions;
  /** Own bars a symbol needs before it can be held. */
  readonly warmUp: number;
  /**
   * Computes the features of a panel, all of them causal.
   *
   * @param features - shared columns of the same panel, so that many strategies compute each only once
   * @throws PanelLookupError when the features belong to another panel: a longer one would let a decision look ahead
   */
  prepare(panel: Panel, features?: Features): PreparedStrategy;
}

/** A strategy with its panel's features. Rows may be asked for in any order; the answer depends on `held` alone. */
export interface PreparedStrategy {
  /**
   * The engine's path, nothing allocated: the targets of a row into `out`, by position in the panel's tickers.
   *
   * @param held - the previous decision's targets; zeros before the first
   * @param out - receives the targets, 0 for every name not held; must not be `held`
   */
  weightsInto(row: number, held: Float64Array, out: Float64Array): void;
  /**
   * The same rule, explained for every symbol.
   *
   * @param held - the previous decision's targets, none before the first. A name that the panel does not hold (the
   *   universe has changed) counts as a name that leaves: the band then keeps nothing
   */
  decide(row: number, held: Weights): Decision;
}

/** Scores, weightings and overlays that options can name, beside or instead of the built-in ones. */
export interface Extensions {
  readonly scores?: Registry<ScoreFactory>;
  readonly weightings?: Registry<WeightingFactory>;
  readonly overlays?: Registry<OverlayFactory>;
}

/** Universes up to this size remember their feature columns; larger ones stream them and keep only the scores. */
const rememberedUniverse = 100;
/** Candidates taken from a row's scores at a time; more are looked up only if the correlation cap turns all away. */
const batch = 16;
/** What the volatility target calls itself among the overlays: like them it only lowers exposure. */
const volTargetName = "vol_target";
/** The change from 0.50/0.45 to 0.45/0.50 is 0.05 only up to rounding; the tolerance decides that it stays inside. */
const bandTolerance = 1e-9;

/**
 * A strategy from its options.
 *
 * @throws StrategyOptionsError listing every option that is out of range or contradicts another
 * @throws UnknownNameError when a score, weighting or overlay is not registered
 */
export function createStrategy(options: StrategyOptions, extensions: Extensions = {}): Strategy {
  const registered = extensions.overlays ?? builtinOverlays;
  const problems = optionProblems(options, registered);
  if (problems.length > 0) throw new StrategyOptionsError(problems);
  const scoreFactory = (extensions.scores ?? builtinScores).get(scoreName(options));
  const score = scoreFactory(options);
  const weighting = (extensions.weightings ?? builtinWeightings).get(options.weights.method)(options);
  const overlays = (options.overlays ?? []).map((one) => {
    const factory = registered.get(one.name);
    const key = JSON.stringify([one, options.periodsPerYear]);
    return { name: one.name, factory, key, apply: madeOverlay(factory, one, options) };
  });
  return {
    options,
    warmUp: warmUpBars(options),
    prepare: (panel, features) =>
      prepare(panel, features, { options, scoreFactory, score, weighting, overlays }),
  };
}

/** A factory may refuse its parameters by throwing; plain JavaScript may also forget that it is to make an overlay. */
function madeOverlay(factory: OverlayFactory, one: OverlayOptions, options: StrategyOptions): RegimeOverlay {
  let made: unknown;
  try {
    made = factory(one, options);
  } catch (cause) {
    const problem = cause instanceof Error ? cause.message : String(cause);
    throw new StrategyOptionsError([`overlay "${one.name}" cannot be made: ${problem}; ${howToMake}`], {
      cause,
    });
  }
  if (typeof made !== "function") {
    throw new StrategyOptionsError([`overlay "${one.name}" is no function but ${typeof made}; ${howToMake}`]);
  }
  return made as RegimeOverlay;
}

const howToMake =
  "an overlay is made by a function of its parameters: (parameters) => (view) => ({ exposure, reason })";

interface Rules {
  readonly options: StrategyOptions;
  readonly scoreFactory: ScoreFactory;
  readonly score: ScoreFunction | ColumnScore;
  readonly weighting: WeightingMethod;
  readonly overlays: readonly {
    readonly name: string;
    readonly factory: OverlayFactory;
    /** What its verdicts depend on where they depend on the market alone. */
    readonly key: string;
    readonly apply: RegimeOverlay;
  }[];
}

function prepare(panel: Panel, shared: Features | undefined, rules: Rules): PreparedStrategy {
  const { options, weighting, overlays } = rules;
  const { topN, corrCap, corrWindow, incumbents } = options.selection;
  const { volWindow, maxWeightPerAsset, cashBuffer, covariance: estimator = "sample" } = options.weights;
  const volTarget = options.weights.volTarget ?? null;
  const periodsPerYear = options.periodsPerYear ?? sessionsPerYear;
  const { minWeightChange } = options.rebalance;
  const keep = incumbents === "keep";
  const { sessions, tickers } = panel;
  const rows = sessions.length;
  const names = tickers.length;
  const universe = new Set(tickers);

  if (shared && shared.panel !== panel) {
    throw new PanelLookupError("the features were computed for another panel than the one to decide on");
  }
  const large = names > rememberedUniverse;
  const features = shared ?? (large ? streamFeatures(panel) : createFeatures(panel));
  // An overlay asks for a symbol or two, in any order and on every row: those columns are worth remembering.
  const remembered = shared ?? (large ? createFeatures(panel) : features);
  const { scores, gates } = shared
    ? rememberedScores(panel, shared, rules)
    : scoreUniverse(panel, features, rules, large);
  const closes = tickers.map((ticker) => panel.column("close", ticker));
  const correlations = new PairCorrelations(closes, corrWindow, shared && sharedPairs(shared, corrWindow));
  // Streamed columns are gone with the next symbol; those that are remembered save computing a window afresh.
  const volatilities =
    large && !shared ? undefined : tickers.map((ticker) => remembered.volatility(ticker, volWindow));

  // What one decision leaves behind, for `decide` to explain; sized for the largest portfolio there can be.
  const places = Math.min(topN, names);
  const chosen = new Int32Array(places);
  let taken = 0;
  let heldByBand = false;
  const applied: { name: string; exposure: number; reason: string | (() => string) }[] = [];

  const queue = new Int32Array(Math.max(names, 1)); // incumbents, then batches of candidates, best first
  const ordered = new Int32Array(places); // the chosen names in universe order
  const raw = new Float64Array(places);
  const returns = new Float64Array(volWindow);

  /** Whether `a` is walked before `b`: higher score, then universe order. */
  function before(base: number, a: number, b: number): boolean {
    const ofA = scores[base + a]!;
    const ofB = scores[base + b]!;
    return ofA > ofB || (ofA === ofB && a < b);
  }

  /** Takes a symbol if it is within the cap of every one taken. */
  function take(row: number, symbol: number, rejected: Rejection[] | undefined): void {
    for (let place = 0; place < taken; place++) {
      const rho = correlations.at(row, chosen[place]!, symbol);
      if (!(Math.abs(rho) <= corrCap)) {
        rejected?.push({ symbol, by: chosen[place]!, rho });
        return;
      }
    }
    chosen[taken++] = symbol;
  }

  function choose(row: number, held: Float64Array, rejected: Rejection[] | undefined): void {
    const base = row * names;
    taken = 0;
    if (keep) {
      let waiting = 0;
      for (let symbol = 0; symbol < names; symbol++) {
        if (!(held[symbol]! > 0) || gates[base + symbol] !== 0) continue;
        let at = waiting++;
        for (; at > 0 && before(base, symbol, queue[at - 1]!); at--) queue[at] = queue[at - 1]!;
        queue[at] = symbol;
      }
      for (let k = 0; k < waiting && taken < places; k++) take(row, queue[k]!, rejected);
    }
    // Best first, a batch at a time: `last` is the symbol after which the next batch begins.
    let last = -1;
    while (taken < places) {
      let found = 0;
      for (let symbol = 0; symbol < names; symbol++) {
        if (gates[base + symbol] !== 0 || (keep && held[symbol]! > 0)) continue;
        if (last >= 0 && !before(base, last, symbol)) continue;
        if (found === batch && !before(base, symbol, queue[batch - 1]!)) continue;
        let at = found < batch ? found++ : batch - 1;
        for (; at > 0 && before(base, symbol, queue[at - 1]!); at--) queue[at] = queue[at - 1]!;
        queue[at] = symbol;
      }
      if (found === 0) return;
      last = queue[found - 1]!;
      for (let k = 0; k < found && taken < places; k++) take(row, queue[k]!, rejected);
      if (found < batch) return;
    }
  }

  function volatility(symbol: number, row: number): number {
    if (volatilities) return volatilities[symbol]![row]!;
    const close = closes[symbol]!;
    let price = close[row]!;
    let at = row;
    for (let k = volWindow - 1; k >= 0; k--) {
      do at--;
      while (Number.isNaN(close[at]!));
      const previous = close[at]!;
      returns[k] = price / previous - 1;
      price = previous;
    }
    return sampleStdev(returns, 0, volWindow);
  }

  let weighedRow = 0;
  // Grown to the largest portfolio that anybody asked the covariances of; estimated at most once a decision.
  let covariances = new Float64Array(0);
  let isEstimated = false;
  // What a weighting gets, to read or to work in: the volatility target reads the original.
  let lentCovariances = new Float64Array(0);
  const centred: Float64Array[] = [];
  function covariance(): Float64Array {
    if (isEstimated) return covariances;
    if (covariances.length < taken * taken) covariances = new Float64Array(taken * taken);
    for (let k = 0; k < taken; k++) centred[k] = correlations.centred(weighedRow, ordered[k]!);
    estimateCovariance(estimator, centred, taken, corrWindow, covariances);
    isEstimated = true;
    return covariances;
  }

  const weighed: { -readonly [Key in keyof WeightingInput]: WeightingInput[Key] } = {
    session: sessions[0]!,
    tickers: [],
    volatility: (k) => volatility(ordered[k]!, weighedRow),
    returns: (k) => {
      const close = closes[ordered[k]!]!;
      const out = new Float64Array(corrWindow);
      const first = weighedRow - corrWindow + 1;
      let previous = lastCloseBefore(close, first);
      for (let at = 0; at < corrWindow; at++) {
        out[at] = close[first + at]! / previous - 1;
        previous = close[first + at]!;
      }
      return out;
    },
    covariance() {
      const known = covariance();
      if (lentCovariances.length < taken * taken) lentCovariances = new Float64Array(taken * taken);
      for (let at = 0; at < taken * taken; at++) lentCovariances[at] = known[at]!;
      return lentCovariances;
    },
  };
  // One list a size, refilled: the weighting runs on every row.
  const tickerLists: Ticker[][] = Array.from({ length: places + 1 }, (_, size) =>
    new Array<Ticker>(size).fill(""),
  );
  function tickerList(size: number): readonly Ticker[] {
    const list = tickerLists[size]!;
    for (let k = 0; k < size; k++) list[k] = tickers[ordered[k]!]!;
    return list;
  }

  function weigh(row: number): void {
    for (let k = 0; k < taken; k++) {
      let at = k;
      for (; at > 0 && ordered[at - 1]! > chosen[k]!; at--) ordered[at] = ordered[at - 1]!;
      ordered[at] = chosen[k]!;
    }
    if (taken === 0) return;
    weighedRow = row;
    isEstimated = false;
    weighed.session = sessions[row]!;
    weighed.tickers = tickerList(taken);
    // What a weighting leaves unwritten must be told, not taken from the row before.
    raw.fill(Number.NaN, 0, taken);
    guarded("weighting", options.weights.method, sessions[row]!, () => weighting(weighed, raw));
    let sum = 0;
    for (let k = 0; k < taken; k++) {
      if (!(raw[k]! >= 0 && raw[k]! < Number.POSITIVE_INFINITY)) {
        throw new ExtensionError(
          "weighting",
          options.weights.method,
          sessions[row]!,
          tickers[ordered[k]!],
          Number.isNaN(raw[k])
            ? "the raw weight is NaN, or was not written into raw"
            : `the raw weight is ${raw[k]}`,
        );
      }
      sum += raw[k]!;
    }
    if (!(sum > 0 && sum < Number.POSITIVE_INFINITY)) {
      throw new ExtensionError(
        "weighting",
        options.weights.method,
        sessions[row]!,
        undefined,
        sum > 0 ? "the raw weights are too large to be added" : "all raw weights are 0",
      );
    }
    capInPlace(raw, taken, maxWeightPerAsset, cashBuffer);
  }

  /** Scales all weights down to the volatility that is wanted; cash takes the rest. */
  function target(row: number, wanted: number): void {
    if (taken === 0) return;
    const expected = Math.sqrt(portfolioVariance(covariance(), taken, raw) * periodsPerYear);
    const exposure = expected <= wanted ? 1 : wanted / expected;
    if (!(exposure > 0)) {
      const problem = `the volatility expected of the weights is ${expected}`;
      throw new ExtensionError("weighting", volTargetName, sessions[row]!, undefined, problem);
    }
    for (let k = 0; k < taken; k++) raw[k]! *= exposure;
    const reason = () =>
      `the weights' volatility is ${percent(expected)} a year, ${exposure < 1 ? "above" : "within"} ${percent(wanted)}`;
    applied.push({ name: volTargetName, exposure, reason });
  }

  let viewedRow = 0;
  const viewThrough = (cut: (name: string, column: () => Float64Array) => Float64Array): OverlayView =>
    Object.freeze({
      get session() {
        return sessions[viewedRow]!;
      },
      tickers: Object.freeze([...tickers]),
      get targets() {
        return Object.fromEntries(Array.from({ length: taken }, (_, k) => [tickers[ordered[k]!]!, raw[k]!]));
      },
      column: (field, ticker) => cut(`${field} of ${ticker}`, () => panel.column(field, ticker)),
      returns: (ticker) => cut(`returns of ${ticker}`, () => remembered.returns(ticker)),
      ema: (ticker, span) => cut(`ema(${span}) of ${ticker}`, () => remembered.ema(ticker, span)),
      sma: (ticker, window) => cut(`sma(${window}) of ${ticker}`, () => remembered.sma(ticker, window)),
      volatility: (ticker, window) =>
        cut(`volatility(${window}) of ${ticker}`, () => remembered.volatility(ticker, window)),
    } satisfies OverlayView);
  // The built-in overlays look at our own columns; nobody else's code does.
  const ourView = viewThrough((_, column) => column().subarray(0, viewedRow + 1));
  const views = overlays.map(({ factory }) => {
    if (isBuiltinOverlay(factory)) return { view: ourView, lent: undefined };
    const lent = pastColumns();
    return { view: viewThrough((name, column) => lent.upTo(viewedRow, name, column)), lent };
  });

  const verdicts = overlays.map(({ factory, key }) =>
    shared && factory.ofMarketAlone
      ? once(shared, factory, key, () => new Array<OverlayVerdict | undefined>(rows))
      : undefined,
  );

  function overlay(row: number): void {
    viewedRow = row;
    for (const [at, { name, apply }] of overlays.entries()) {
      const session = sessions[row]!;
      const known = verdicts[at];
      const { view, lent } = views[at]!;
      const verdict = known?.[row] ?? guarded("overlay", name, session, () => apply(view));
      if (known) known[row] = verdict;
      // Looked for once a run: what an overlay wrote into is its own view and nothing else.
      if (row === rows - 1 && lent) assertUnchanged(lent, "overlay", name, sessions);
      const problem = verdictProblem(verdict);
      if (problem !== undefined) throw new ExtensionError("overlay", name, session, undefined, problem);
      const { exposure, reason } = verdict;
      for (let k = 0; k < taken; k++) raw[k]! *= exposure;
      applied.push({ name, exposure, reason });
    }
  }

  /**
   * Keeps the previous targets while the names are the same and no weight has moved further than the band. A previous
   * target that is no weight (negative, not a number) is never kept.
   */
  function band(held: Float64Array, out: Float64Array): void {
    heldByBand = false;
    if (minWeightChange <= 0) return;
    let moved = false;
    for (let symbol = 0; symbol < names; symbol++) {
      const target = out[symbol]!;
      const previous = held[symbol]!;
      if (!(previous >= 0) || target > 0 !== previous > 0) return;
      if (Math.abs(target - previous) > minWeightChange + bandTolerance) return;
      if (target !== previous) moved = true;
    }
    if (!moved) return;
    heldByBand = true;
    out.set(held);
  }

  function step(
    row: number,
    held: Float64Array,
    out: Float64Array,
    rejected?: Rejection[],
    heldElsewhere = false,
  ): void {
    if (!(Number.isInteger(row) && row >= 0 && row < rows)) throw new RowRangeError(row, rows);
    choose(row, held, rejected);
    weigh(row);
    applied.length = 0;
    if (volTarget !== null) target(row, volTarget);
    if (overlays.length > 0) overlay(row);
    out.fill(0);
    for (let k = 0; k < taken; k++) out[ordered[k]!] = raw[k]!;
    // A name held outside the panel is gone from the targets, so the names are not the same.
    if (heldElsewhere) heldByBand = false;
    else band(held, out);
  }

  return {
    weightsInto: (row, held, out) => step(row, held, out),
    decide(row, held) {
      const previous = Float64Array.from(tickers, (ticker) => held[ticker] ?? 0);
      const out = new Float64Array(names);
      const rejected: Rejection[] = [];
      const heldElsewhere = Object.keys(held).some((ticker) => held[ticker]! > 0 && !universe.has(ticker));
      step(row, previous, out, rejected, heldElsewhere);
      const weights: Record<Ticker, number> = {};
      let invested = 0;
      for (let symbol = 0; symbol < names; symbol++) {
        if (out[symbol]! === 0) continue;
        weights[tickers[symbol]!] = out[symbol]!;
        invested += out[symbol]!;
      }
      const picks = Array.from(chosen.subarray(0, taken));
      const candidates: readonly Candidate[] = explainCandidates(features, options, {
        row,
        scores: scores.subarray(row * names, (row + 1) * names),
        gates: gates.subarray(row * names, (row + 1) * names),
        held: previous,
        picks,
        rejected,
      });
      const amongPicks = picks.flatMap((a, i) =>
        picks.slice(0, i).map((b) => {
          return { a: tickers[b]!, b: tickers[a]!, rho: correlations.at(row, b, a) };
        }),
      );
      return {
        asOf: sessions[row]!,
        weights,
        // Rounding of the sum is no debt.
        cash: Math.max(0, 1 - invested),
        selected: picks.map((symbol) => tickers[symbol]!),
        candidates,
        correlations: amongPicks,
        overlays: applied.map(({ name, exposure, reason }) => ({
          name,
          exposure,
          reason:
            typeof reason === "function" ? guarded("overlay", name, sessions[row]!, () => reason()) : reason,
        })),
        heldByBand,
      };
    },
  };
}

interface ScoredUniverse {
  readonly scores: Float64Array;
  readonly gates: Uint8Array;
}

/** What strategies on shared features have computed already, by kind. It lives as long as the features do. */
const computedOn = new WeakMap<Features, Map<unknown, Map<string, unknown>>>();

function once<T>(shared: Features, kind: unknown, key: string, compute: () => T): T {
  const kinds = computedOn.get(shared) ?? new Map<unknown, Map<string, unknown>>();
  computedOn.set(shared, kinds);
  const known = kinds.get(kind) ?? new Map<string, unknown>();
  kinds.set(kind, known);
  if (!known.has(key)) known.set(key, compute());
  return known.get(key) as T;
}

/** The table of correlations that strategies on the same features share, windows of a panel that of the whole. */
function sharedPairs(shared: Features, corrWindow: number): Float64Array | undefined {
  const names = shared.panel.tickers.length;
  const rows = shared.panel.sessions.length;
  const source = sourceOf(shared);
  if (!source) return once(shared, pairTable, String(corrWindow), () => pairTable(rows, names));
  const pairs = (names * (names - 1)) / 2;
  return sharedPairs(source.whole, corrWindow)?.subarray(source.from * pairs, (source.from + rows) * pairs);
}

/** Most points of a grid differ in what they choose, not in what they score: each score is computed once. */
function rememberedScores(panel: Panel, shared: Features, rules: Rules): ScoredUniverse {
  const { features, selection, weights } = rules.options;
  // A user's score may read any option; the built-in one and the gates read these.
  const read =
    rules.scoreFactory === builtinScores.get("trend")
      ? [features, selection.corrWindow, selection.minScore, weights.volWindow]
      : rules.options;
  return once(shared, rules.scoreFactory, JSON.stringify(read), () => scoreUniverse(panel, shared, rules));
}

/**
 * Every symbol's score and gate, row by row, so that a decision scans one stretch of memory. Written eight symbols at a
 * time, because eight scores fill a cache line.
 */
function scoreUniverse(
  panel: Panel,
  features: Features,
  { options, score }: Rules,
  isStreamed = false,
): ScoredUniverse {
  const { tickers, sessions } = panel;
  const rows = sessions.length;
  const names = tickers.length;
  const scores = new Float64Array(rows * names);
  const gates = new Uint8Array(rows * names);
  const byRow = typeof score === "function" && !isStreamed;
  const together = byRow ? names : Math.min(8, names);
  const columns = Array.from({ length: together }, () => new Float64Array(rows));
  const codes = Array.from({ length: together }, () => new Uint8Array(rows));
  for (let first = 0; first < names; first += together) {
    const count = Math.min(together, names - first);
    const group = Array.from({ length: count }, (_, k) => {
      return { ticker: tickers[first + k]!, codes: codes[k]!, out: columns[k]! };
    });
    for (const one of group) {
      gateCodes(features, one.ticker, options, one.codes);
      if (typeof score !== "function") score.intoColumn(features, one.ticker, one.out);
      else if (!byRow) scoreRows(features, [one], options, score);
    }
    if (byRow) scoreRows(features, group, options, score);
    for (const one of group) scoreGate(one.out, options.selection.minScore, one.codes);
    for (let k = 0; k < count; k++) {
      const column = columns[k]!;
      const code = codes[k]!;
      for (let row = 0, at = first + k; row < rows; row++, at += names) {
        scores[at] = column[row]!;
        gates[at] = code[row]!;
      }
    }
  }
  return { scores, gates };
}

/**
 * Runs a user's score on the rows on which it matters, each time with a view that ends there. All symbols of a session
 * come before the next session, so that what a function keeps of one symbol is not the future of another.
 */
function scoreRows(
  features: Features,
  symbols: readonly { readonly ticker: Ticker; readonly codes: Uint8Array; readonly out: Float64Array }[],
  options: StrategyOptions,
  score: ScoreFunction,
): void {
  const { sessions } = features.panel;
  const name = scoreName(options);
  let row = 0;
  const viewed = symbols.map(({ ticker, codes, out }) => {
    const lent = pastColumns();
    const view: ScoreView = Object.freeze({
      ticker,
      get session() {
        return sessions[row]!;
      },
      column: (field) => lent.upTo(row, field, () => features.column(field, ticker)),
      returns: () => lent.upTo(row, "returns", () => features.returns(ticker)),
      ema: (span) => lent.upTo(row, `ema(${span})`, () => features.ema(ticker, span)),
      atr: (window) => lent.upTo(row, `atr(${window})`, () => features.atr(ticker, window)),
      volatility: (window) =>
        lent.upTo(row, `volatility(${window})`, () => features.volatility(ticker, window)),
      macdLine: (fast, slow) =>
        lent.upTo(row, `macdLine(${fast}, ${slow})`, () => features.macdLine(ticker, fast, slow)),
    } satisfies ScoreView);
    return { ticker, codes, out, view, lent };
  });
  for (row = 0; row < sessions.length; row++) {
    for (const { ticker, codes, out, view } of viewed) {
      if (codes[row] !== 0 && codes[row]! < firstDefinedGate) {
        out[row] = Number.NaN;
        continue;
      }
      const value = guarded("score", name, sessions[row]!, () => score(view), ticker);
      if (typeof value !== "number") {
        const problem = `returned ${value === null ? "null" : typeof value}, not a number`;
        throw new ExtensionError("score", name, sessions[row]!, ticker, problem);
      }
      out[row] = value;
    }
  }
  for (const { ticker, lent } of viewed) {
    assertUnchanged(lent, "score", name, sessions, ticker);
    lent.takeBack();
  }
}

/** @throws ExtensionError when somebody wrote into what was lent, and so read it differently ever after */
function assertUnchanged(
  lent: PastColumns,
  kind: "score" | "overlay",
  name: string,
  sessions: readonly string[],
  ticker?: string,
): void {
  const found = lent.changed();
  if (!found) return;
  const problem = `changed ${found.name} of its view, which is there to be read; sort or fill a copy, as .slice() makes one`;
  throw new ExtensionError(kind, name, sessions[found.row]!, ticker, problem);
}

/** What is wrong with a verdict, which plain JavaScript can forget to return, or to give a reason. */
function verdictProblem(verdict: unknown): string | undefined {
  if (typeof verdict !== "object" || verdict === null) {
    return `returned ${verdict === null ? "null" : typeof verdict}, not { exposure, reason }`;
  }
  const { exposure, reason } = verdict as Partial<OverlayVerdict>;
  if (!(typeof exposure === "number" && exposure >= 0 && exposure <= 1)) {
    return `the exposure must lie between 0 and 1, not be ${String(exposure)}`;
  }
  if (typeof reason !== "string" && typeof reason !== "function") {
    return `the reason must be a text, or a function that gives one, not ${typeof reason}`;
  }
  return undefined;
}

function isBuiltinOverlay(factory: OverlayFactory): boolean {
  return builtinOverlays.names.some((name) => builtinOverlays.get(name) === factory);
}

function scoreName(options: StrategyOptions): string {
  return options.selection.score ?? "trend";
}

/** Runs what somebody else wrote; whatever it throws is told with its name and its place. */
function guarded<T>(
  kind: "score" | "weighting" | "overlay",
  name: string,
  session: string,
  run: () => T,
  ticker?: string,
): T {
  try {
    return run();
  } catch (cause) {
    const problem = cause instanceof Error ? cause.message : String(cause);
    throw new ExtensionError(kind, name, session, ticker, problem, { cause });
  }
}

function optionProblems(options: StrategyOptions, registered: Registry<OverlayFactory>): string[] {
  const problems: string[] = [];
  // The compiler sees to the sections; plain JavaScript has none.
  const given: Partial<StrategyOptions> = options ?? {};
  for (const section of ["features", "selection", "weights", "rebalance"] as const) {
    if (typeof given[section] !== "object") problems.push(`the section ${section} is missing`);
  }
  if (problems.length > 0) return problems;
  const { features, selection, weights, rebalance } = options;
  if (typeof features.macd !== "object") return ["the section features.macd is missing"];
  const whole = (name: string, value: number, least: number) => {
    if (!(Number.isInteger(value) && value >= least))
      problems.push(`${name} must be a whole number of at least ${least}, not ${value}`);
  };
  const within = (name: string, value: number, low: number, high: number) => {
    if (!(Number.isFinite(value) && value >= low && value <= high))
      problems.push(`${name} must lie between ${low} and ${high}, not be ${value}`);
  };
  whole("features.atrWindow", features.atrWindow, 1);
  whole("features.emaFast", features.emaFast, 1);
  whole("features.emaSlow", features.emaSlow, 1);
  if (features.emaFast >= features.emaSlow) {
    problems.push(
      `features.emaFast (${features.emaFast}) must be smaller than features.emaSlow (${features.emaSlow})`,
    );
  }
  whole("features.macd.fast", features.macd.fast, 1);
  whole("features.macd.slow", features.macd.slow, 1);
  whole("features.macd.signal", features.macd.signal, 1);
  if (features.macd.fast >= features.macd.slow) {
    problems.push(
      `features.macd.fast (${features.macd.fast}) must be smaller than features.macd.slow (${features.macd.slow})`,
    );
  }
  whole("selection.topN", selection.topN, 1);
  whole("selection.corrWindow", selection.corrWindow, 2);
  within("selection.corrCap", selection.corrCap, 0, 1);
  if (!Number.isFinite(selection.minScore))
    problems.push(`selection.minScore must be a number, not ${selection.minScore}`);
  if (selection.incumbents !== "rank" && selection.incumbents !== "keep") {
    problems.push(`selection.incumbents must be "rank" or "keep", not "${String(selection.incumbents)}"`);
  }
  whole("weights.volWindow", weights.volWindow, 2);
  if (!isCap(weights.maxWeightPerAsset)) {
    problems.push(
      `weights.maxWeightPerAsset must be above 0 and at most 1, not ${weights.maxWeightPerAsset}`,
    );
  }
  if (!isCashBuffer(weights.cashBuffer)) {
    problems.push(`weights.cashBuffer must be at least 0 and below 1, not ${weights.cashBuffer}`);
  }
  const { covariance = "sample", volTarget = null } = weights;
  if (!covarianceEstimators.includes(covariance)) {
    problems.push(
      `weights.covariance must be ${covarianceEstimators.join(" or ")}, not "${String(covariance)}"`,
    );
  }
  if (volTarget !== null && !(volTarget > 0 && Number.isFinite(volTarget))) {
    problems.push(`weights.volTarget must be above 0, or null for none, not ${volTarget}`);
  }
  const { periodsPerYear = sessionsPerYear } = options;
  if (!(periodsPerYear > 0 && Number.isFinite(periodsPerYear))) {
    problems.push(`periodsPerYear must be above 0, not ${periodsPerYear}`);
  }
  within("rebalance.minWeightChange", rebalance.minWeightChange, 0, 1);
  for (const [index, overlay] of (options.overlays ?? []).entries()) {
    for (const { parameter, problem } of overlayProblems(overlay, undefined, registered)) {
      problems.push(`overlays[${index}].${parameter} ${problem}`);
    }
  }
  return problems;
}
