import type { BarSeries, SessionDate, Ticker, TradingCalendar } from "@pf/market";
import { sessionDate } from "@pf/market";
import seedrandom from "seedrandom";
import { type BarSource, barsBetween } from "./source.js";
import { hoursOf } from "./synthetic-hours.js";
import { checkedTicker } from "./ticker.js";

export interface SyntheticOptions {
  /** Names the market: equal seeds give equal bars, on every machine and every version of Node. */
  readonly seed: number | string;
  readonly calendar: TradingCalendar;
  /**
   * The day the market begins, on which every bar depends.
   * @default "2005-01-03"
   */
  readonly epoch?: string;
  /**
   * Whether every symbol trades on every session from the epoch on: no late starters and no holes.
   * @default false
   */
  readonly complete?: boolean;
  /**
   * Whether prices are scaled so that the last bar asked for stands at the price of its day, as brokers do. Then each
   * dividend and split rewrites all earlier bars; otherwise a bar once given never changes.
   * @default false
   */
  readonly rebase?: boolean;
  /**
   * What a bar spans. Hours are those of the daily bars: opened, closed, highest and lowest together they are the session.
   * @default "1 day"
   */
  readonly barSize?: "1 day" | "1 hour";
}

/**
 * A market that never was, for demonstrations and tests: any number of symbols and sessions, from a seed.
 *
 * Five factors (equities, interest rates, gold, energy, crypto) move together as the regime of the day has it: bull,
 * sideways, bear, inflation or crisis. A symbol loads on them by its role: those of the default universe have the role
 * one would guess, others one that follows from their name. BITO begins on 2021-10-19, XLE lacks a session now and
 * then; of unknown symbols one in six begins late and one in ten has holes.
 *
 * `trades` holds split-adjusted prices, `adjusted` also gives dividends back: from one bar to the next,
 * `adjusted' / adjusted = (trades' + dividend) / trades`, to the sixth decimal.
 *
 * A bar depends on the seed, the epoch, the symbol and the session, and on nothing else: not on the other symbols, nor
 * on the span asked for (unless `rebase` is set). Only sums, products, quotients and square roots are used, which
 * IEEE 754 rounds the same way everywhere; `exp`, `log`, `pow` and `sin` differ between versions of Node.
 */
export function syntheticSource(options: SyntheticOptions): BarSource {
  const { seed, calendar, complete = false, rebase = false, barSize = "1 day" } = options;
  const epoch = sessionDate(options.epoch ?? defaultEpoch);
  const market = marketOf(String(seed), epoch, calendar);
  return {
    // Whatever makes other bars makes another name, so that the cache never mixes them.
    name: [
      `synthetic:${seed}`,
      ...(epoch === defaultEpoch ? [] : [epoch]),
      ...(complete ? ["complete"] : []),
      ...(rebase ? ["rebased"] : []),
    ].join(":"),
    local: true,
    ...(barSize === "1 hour" ? { kind: "hourly" as const } : {}),
    async fetch(ticker, from, to) {
      checkedTicker(ticker);
      const role = roleOf(ticker);
      const path = walk(ticker, role, market.until(to), String(seed), complete);
      const { adjusted, trades } = rebase ? rebased(path) : path;
      const span = { from, to };
      return {
        ...(barSize === "1 hour"
          ? {
              adjusted: hoursOf(
                adjusted,
                span,
                calendar,
                String(seed),
                loadsOf(role),
                volatilityOf(role, market.until(to)),
              ),
            }
          : { adjusted: barsBetween(adjusted, from, to), trades: barsBetween(trades, from, to) }),
        notes: path.splits
          .filter(({ date }) => date >= from && date <= to)
          .map(({ date, ratio }) => ({
            session: date,
            text: `a split of ${ratio >= 1 ? `${ratio}:1` : `1:${1 / ratio}`}`,
          })),
      };
    },
  };
}

/**
 * Names for a synthetic universe: the default nine, then as many others as it takes.
 *
 * @example
 * syntheticTickers(11); // => ["SPY", "QQQ", …, "BITO", "S00010", "S00011"]
 */
export function syntheticTickers(count: number): readonly Ticker[] {
  const known = Object.keys(knownRoles);
  return Array.from({ length: count }, (_, at) => known[at] ?? `S${String(at + 1).padStart(5, "0")}`);
}

const defaultEpoch = sessionDate("2005-01-03");
const factors = ["equity", "rates", "gold", "energy", "crypto"] as const;
type Factor = (typeof factors)[number];

/** Daily drift and volatility of the factors while a mood lasts, as fractions. */
interface Regime {
  /** Mean length in sessions. */
  readonly sessions: number;
  readonly moves: Readonly<Record<Factor, readonly [drift: number, volatility: number]>>;
  /** Correlation of bond prices with equities. */
  readonly bondsWithEquities: number;
  /** How much of the others' movement is that of equities. */
  readonly contagion: number;
  /** Where it leads, with probabilities that add up to 1. */
  readonly next: readonly (readonly [name: string, probability: number])[];
}

const regimes: Readonly<Record<string, Regime>> = {
  bull: {
    sessions: 220,
    moves: {
      equity: [0.00095, 0.0075],
      rates: [0.0001, 0.0075],
      gold: [0.0002, 0.009],
      energy: [0.0001, 0.011],
      crypto: [0.0022, 0.034],
    },
    bondsWithEquities: -0.25,
    contagion: 0.05,
    next: [
      ["sideways", 0.55],
      ["bear", 0.2],
      ["inflation", 0.2],
      ["crisis", 0.05],
    ],
  },
  sideways: {
    sessions: 100,
    moves: {
      equity: [0.0002, 0.0095],
      rates: [0.0002, 0.008],
      gold: [0.0003, 0.0095],
      energy: [0.0001, 0.012],
      crypto: [0.0006, 0.036],
    },
    bondsWithEquities: -0.2,
    contagion: 0.1,
    next: [
      ["bull", 0.55],
      ["bear", 0.2],
      ["inflation", 0.15],
      ["crisis", 0.1],
    ],
  },
  bear: {
    sessions: 90,
    moves: {
      equity: [-0.0007, 0.0145],
      rates: [0.0004, 0.0095],
      gold: [0.0004, 0.012],
      energy: [-0.0004, 0.017],
      crypto: [-0.0012, 0.045],
    },
    bondsWithEquities: -0.35,
    contagion: 0.2,
    next: [
      ["bull", 0.45],
      ["sideways", 0.3],
      ["crisis", 0.25],
    ],
  },
  inflation: {
    sessions: 110,
    moves: {
      equity: [-0.0003, 0.0115],
      rates: [-0.0008, 0.0105],
      gold: [0.0001, 0.0105],
      energy: [0.0008, 0.016],
      crypto: [-0.001, 0.04],
    },
    bondsWithEquities: 0.45,
    contagion: 0.15,
    next: [
      ["sideways", 0.4],
      ["bull", 0.35],
      ["bear", 0.25],
    ],
  },
  crisis: {
    sessions: 25,
    moves: {
      equity: [-0.0025, 0.028],
      rates: [0.0008, 0.016],
      gold: [-0.0005, 0.018],
      energy: [-0.001, 0.028],
      crypto: [-0.005, 0.06],
    },
    bondsWithEquities: -0.45,
    contagion: 0.4,
    next: [
      ["bull", 0.5],
      ["bear", 0.3],
      ["sideways", 0.2],
    ],
  },
};

/** What the whole market did, session by session from the epoch on. */
interface Market {
  readonly sessions: readonly SessionDate[];
  /** How many of the sessions count for a request. */
  readonly length: number;
  /** Returns of each factor. */
  readonly moves: Readonly<Record<Factor, Float64Array>>;
  /** Volatility of equities in the regime of the day over that of a bull market. */
  readonly stress: Float64Array;
}

function marketOf(seed: string, epoch: SessionDate, calendar: TradingCalendar) {
  // One generator for all sessions, continued on demand, so that a later request never changes an earlier session.
  const draw = seedrandom.alea(`${seed}/market`);
  let sessions: readonly SessionDate[] = [];
  let through: SessionDate | undefined;
  let moves = Object.fromEntries(factors.map((factor) => [factor, new Float64Array()])) as Record<
    Factor,
    Float64Array
  >;
  let stress = new Float64Array();
  let regime = regimes.bull!;

  const extend = (to: SessionDate) => {
    const known = sessions.length;
    through = to;
    sessions = calendar.sessionsBetween(epoch, to);
    moves = Object.fromEntries(
      factors.map((factor) => [factor, grown(moves[factor], sessions.length)]),
    ) as typeof moves;
    stress = grown(stress, sessions.length);
    for (let day = known; day < sessions.length; day++) {
      if (draw() * regime.sessions < 1) regime = regimes[chosen(regime.next, draw())]!;
      // One day in fifty is a wild one, so that tails are fat within a regime too.
      const wildness = draw() < 0.02 ? 2.2 : 1;
      const shocks = factors.map(() => normal(draw) * wildness);
      const [equity] = shocks as [number];
      factors.forEach((factor, at) => {
        const [drift, volatility] = regime.moves[factor];
        const share =
          factor === "equity" ? 0 : factor === "rates" ? regime.bondsWithEquities : regime.contagion;
        moves[factor][day] =
          drift + volatility * (share * equity + Math.sqrt(1 - share * share) * shocks[at]!);
      });
      stress[day] = regime.moves.equity[1] / regimes.bull!.moves.equity[1];
    }
  };

  return {
    until(to: SessionDate): Market {
      if (to < epoch) return { sessions, length: 0, moves, stress };
      if (through === undefined || through < to) extend(to);
      let length = sessions.length;
      while (length > 0 && sessions[length - 1]! > to) length--;
      return { sessions, length, moves, stress };
    },
  };
}

/** What a symbol is. */
interface Role {
  readonly loadings: Readonly<Partial<Record<Factor, number>>>;
  /** Daily volatility that is the symbol's own, as a fraction. */
  readonly own: number;
  /** In dollars, at its first bar. */
  readonly price: number;
  /** Dividends a year as a fraction of the price, and how often they are paid. */
  readonly dividends: readonly [perYear: number, times: 0 | 4 | 12];
  /** Shares on a quiet day. */
  readonly shares: number;
  /** The day it was listed. */
  readonly from?: SessionDate;
  /** One session out of so many lacks its bar. */
  readonly holeEvery?: number;
}

const knownRoles: Readonly<Record<Ticker, Role>> = {
  SPY: { loadings: { equity: 1 }, own: 0.0007, price: 120, dividends: [0.017, 4], shares: 80e6 },
  QQQ: { loadings: { equity: 1.15 }, own: 0.0045, price: 40, dividends: [0.007, 4], shares: 40e6 },
  VTI: { loadings: { equity: 1.02 }, own: 0.0009, price: 58, dividends: [0.017, 4], shares: 3.5e6 },
  TLT: { loadings: { rates: 1.1 }, own: 0.0012, price: 89, dividends: [0.028, 12], shares: 15e6 },
  IEF: { loadings: { rates: 0.5 }, own: 0.0006, price: 85, dividends: [0.022, 12], shares: 5e6 },
  GLD: { loadings: { gold: 1, rates: 0.1 }, own: 0.001, price: 43, dividends: [0, 0], shares: 8e6 },
  XLE: {
    loadings: { equity: 0.8, energy: 0.9 },
    own: 0.003,
    price: 36,
    dividends: [0.034, 4],
    shares: 15e6,
    holeEvery: 700,
  },
  BND: { loadings: { rates: 0.34 }, own: 0.0006, price: 75, dividends: [0.026, 12], shares: 5e6 },
  BITO: {
    loadings: { crypto: 1, equity: 0.5 },
    own: 0.003,
    price: 42,
    dividends: [0.08, 12],
    shares: 10e6,
    from: sessionDate("2021-10-19"),
  },
};

/** The role of a symbol; of one that is not known, from its name alone, so that it is the same in every market. */
function roleOf(ticker: Ticker): Role {
  const known = Object.hasOwn(knownRoles, ticker) ? knownRoles[ticker] : undefined;
  if (known) return known;
  const draw = seedrandom.alea(`role/${ticker}`);
  const between = (low: number, high: number) => low + (high - low) * draw();
  const kind = draw();
  const loadings: Role["loadings"] =
    kind < 0.62
      ? { equity: between(0.6, 1.35), rates: between(-0.1, 0.2), energy: between(-0.1, 0.25) }
      : kind < 0.74
        ? { rates: between(0.15, 1.2), equity: between(0, 0.15) }
        : kind < 0.82
          ? { gold: between(0.7, 1.6), equity: between(-0.1, 0.3) }
          : kind < 0.9
            ? { energy: between(0.6, 1.2), equity: between(0.5, 1) }
            : kind < 0.97
              ? { equity: between(0.3, 0.7), rates: between(0.2, 0.6) }
              : { crypto: between(0.5, 1.2), equity: between(0.2, 0.8) };
  const isBond = kind >= 0.62 && kind < 0.74;
  const own = isBond ? between(0.0005, 0.002) : between(0.002, 0.014);
  const price = Math.round(between(15, 160));
  const payer = draw() < 0.7;
  const paid = between(0.005, 0.045);
  const shares = Math.round(between(50, 8_000)) * 1_000;
  const late = draw() < 1 / 6;
  const listed = between(0, 3_650);
  const holed = draw() < 1 / 10;
  return {
    loadings,
    own,
    price,
    dividends: payer ? [paid, isBond ? 12 : 4] : [0, 0],
    shares,
    ...(late ? { from: listing(listed) } : {}),
    ...(holed ? { holeEvery: 500 } : {}),
  };
}

/** A day that many days after the start of 2010, in whole months: enough for a listing. */
function listing(days: number): SessionDate {
  const months = Math.floor(days / 30.5);
  const month = String((months % 12) + 1).padStart(2, "0");
  return sessionDate(`${2010 + Math.floor(months / 12)}-${month}-01`);
}

interface Path {
  readonly adjusted: BarSeries;
  readonly trades: BarSeries;
  readonly splits: readonly { readonly date: SessionDate; readonly ratio: number }[];
  /** Of the last bar: price as quoted that day over its split-adjusted and over its adjusted close. */
  readonly quoted: { readonly overTrades: number; readonly overAdjusted: number };
}

/** Lets a symbol trade from its listing to the end of the market. */
function walk(ticker: Ticker, role: Role, market: Market, seed: string, complete: boolean): Path {
  const draw = seedrandom.alea(`${seed}/symbol/${ticker}`);
  const first = complete || !role.from ? 0 : placeOf(role.from, market);
  const holeEvery = complete ? 0 : (role.holeEvery ?? 0);
  let hole = -1;
  const [perYear, times] = role.dividends;
  const loadings = factors.map((factor) => role.loadings[factor] ?? 0);
  const moves = factors.map((factor) => market.moves[factor]);
  const usual = usualVolatility(role);

  const capacity = Math.max(0, market.length - first);
  const sessions: SessionDate[] = [];
  const raw = columnsOf(capacity);
  const adjusted = columnsOf(capacity);
  const splits: { date: SessionDate; ratio: number }[] = [];
  /** Close of the session before as quoted then; how many shares one share of the first day has become. */
  let close = role.price;
  let split = 1;
  /** Close of the session before with all dividends put back. */
  let total = role.price;

  for (let day = first; day < market.length; day++) {
    const date = market.sessions[day]!;
    const stress = market.stress[day]!;
    let move = role.own * stress * normal(draw);
    for (let at = 0; at < loadings.length; at++) move += loadings[at]! * moves[at]![day]!;
    move = Math.max(-0.45, Math.min(0.45, move));
    const overnight = 0.35 * move + 0.25 * usual * stress * normal(draw);
    const above = draw() * draw() * usual * stress;
    const below = draw() * draw() * usual * stress;
    const bustle = draw();
    const place = draw();
    if (holeEvery > 0 && day % holeEvery === 0) hole = day + Math.floor(place * holeEvery);

    if (day > first) {
      const ratio = splitRatio(close);
      if (ratio !== 1) {
        close /= ratio;
        split *= ratio;
        splits.push({ date, ratio });
      }
    }
    const dividend =
      day > first && isExDate(market.sessions, day, times) ? tenths((close * perYear) / times) : 0;
    const before = close;
    close = Math.max(0.01, cents(before * (1 + move) - dividend));
    const open = Math.max(0.01, cents(before * (1 + Math.max(-0.45, overnight)) - dividend));
    const high = cents(Math.max(open, close) * (1 + above));
    const low = Math.max(0.01, cents(Math.min(open, close) * (1 - Math.min(0.4, below))));
    // The first day has nothing before it: its close is where the two histories are equal.
    total = day === first ? close : (total * (close + dividend)) / before;
    if (day === hole) continue;

    const at = sessions.length;
    const shares = role.shares * (0.5 + bustle + 0.6 * Math.min(4, Math.abs(move) / usual));
    const back = total / close;
    sessions.push(date);
    put(raw, at, split, open, Math.max(high, open, close), Math.min(low, open, close), close);
    put(adjusted, at, back, open, Math.max(high, open, close), Math.min(low, open, close), close);
    raw.volume[at] = adjusted.volume[at] = Math.max(100, Math.round(shares / 100) * 100);
  }
  return {
    adjusted: seriesOf(ticker, sessions, adjusted),
    trades: seriesOf(ticker, sessions, raw),
    splits,
    quoted: { overTrades: 1 / split, overAdjusted: close / total },
  };
}

/** The same history as seen from its last day. */
function rebased({ adjusted, trades, quoted }: Path): Pick<Path, "adjusted" | "trades"> {
  const scaled = (series: BarSeries, price: number): BarSeries => {
    const by = (column: Float64Array) => column.map((value) => micros(value * price));
    return {
      ...series,
      open: by(series.open),
      high: by(series.high),
      low: by(series.low),
      close: by(series.close),
      volume: series.volume.map((shares) => Math.max(1, Math.round(shares / quoted.overTrades))),
    };
  };
  return { adjusted: scaled(adjusted, quoted.overAdjusted), trades: scaled(trades, quoted.overTrades) };
}

interface Columns {
  readonly open: Float64Array;
  readonly high: Float64Array;
  readonly low: Float64Array;
  readonly close: Float64Array;
  readonly volume: Float64Array;
}

function columnsOf(length: number): Columns {
  const column = () => new Float64Array(length);
  return { open: column(), high: column(), low: column(), close: column(), volume: column() };
}

function put(
  to: Columns,
  at: number,
  scale: number,
  open: number,
  high: number,
  low: number,
  close: number,
): void {
  // Rounding keeps the order of prices, so low <= open, close <= high still holds.
  to.open[at] = micros(open * scale);
  to.high[at] = micros(high * scale);
  to.low[at] = micros(low * scale);
  to.close[at] = micros(close * scale);
}

function seriesOf(ticker: Ticker, sessions: readonly SessionDate[], columns: Columns): BarSeries {
  const cut = (column: Float64Array) =>
    column.length === sessions.length ? column : column.slice(0, sessions.length);
  return {
    ticker,
    sessions,
    open: cut(columns.open),
    high: cut(columns.high),
    low: cut(columns.low),
    close: cut(columns.close),
    volume: cut(columns.volume),
  };
}

/** Shares are split two for one when they get dear, and four are merged into one when they get cheap. */
function splitRatio(price: number): number {
  if (price > 500) return 2;
  return price < 6 ? 1 / 4 : 1;
}

/** Dividends go off on the first session of a month: of every month, or of March, June, September and December. */
function isExDate(sessions: readonly SessionDate[], day: number, times: 0 | 4 | 12): boolean {
  if (times === 0) return false;
  const month = sessions[day]!.slice(5, 7);
  if (month === sessions[day - 1]!.slice(5, 7)) return false;
  return times === 12 || Number(month) % 3 === 0;
}

/** The volatility of an ordinary day, all factors together. */
function usualVolatility({ loadings, own }: Role): number {
  let variance = own * own;
  for (const factor of factors) {
    const part = (loadings[factor] ?? 0) * regimes.bull!.moves[factor][1];
    variance += part * part;
  }
  return Math.sqrt(variance);
}

/** What moves a symbol within a session: each factor as it does from day to day, and what is its own; in parts of all. */
function loadsOf(role: Role): { readonly factors: readonly number[]; readonly own: number } {
  const usual = usualVolatility(role);
  return {
    factors: factors.map((factor) => ((role.loadings[factor] ?? 0) * regimes.bull!.moves[factor][1]) / usual),
    own: role.own / usual,
  };
}

/** Volatility of a session, as a fraction. */
function volatilityOf(role: Role, { sessions, stress }: Market): (session: SessionDate) => number {
  const usual = usualVolatility(role);
  const place = new Map(sessions.map((session, at) => [session, at]));
  return (session) => usual * stress[place.get(session)!]!;
}

function placeOf(date: SessionDate, { sessions, length }: Market): number {
  let at = 0;
  while (at < length && sessions[at]! < date) at++;
  return at;
}

/** Nearly standard normal: six uniform numbers added up, which takes no transcendental function. */
function normal(draw: () => number): number {
  return (draw() + draw() + draw() + draw() + draw() + draw() - 3) * Math.SQRT2;
}

function chosen(choices: Regime["next"], at: number): string {
  let sum = 0;
  for (const [name, probability] of choices) {
    sum += probability;
    if (at < sum) return name;
  }
  return choices.at(-1)![0];
}

function grown(column: Float64Array, length: number): Float64Array<ArrayBuffer> {
  const longer = new Float64Array(length);
  longer.set(column);
  return longer;
}

function cents(price: number): number {
  return Math.round(price * 100) / 100;
}

function tenths(dividend: number): number {
  return Math.round(dividend * 10_000) / 10_000;
}

/** Six decimals, and never down to nothing. */
function micros(price: number): number {
  return Math.max(1e-6, Math.round(price * 1e6) / 1e6);
}
