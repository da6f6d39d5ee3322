import {
  assertBarSeries,
  type BarSeries,
  impliedDividends,
  type SessionDate,
  type Ticker,
  type TradingCalendar,
} from "@pf/market";
import seedrandom from "seedrandom";
import { VenueOptionsError } from "./errors.js";
import type { VenueInstrument, VenueSplit } from "./options.js";
import { intradayPath, stepMs, volumeShare } from "./path.js";
import type { Contract } from "./venue.js";

/** What a row of daily bars looks like at some instant. */
export interface DailyBar {
  readonly open: number;
  readonly high: number;
  readonly low: number;
  readonly close: number;
  readonly volume: number;
}

/** Dollars a share on an ex-date, in the unit of the bars given. */
interface Dividend {
  readonly row: number;
  readonly perShare: number;
}

interface Split {
  readonly atUtcMs: number;
  readonly ratio: number;
}

export interface InstrumentOptions {
  readonly seed: string;
  /** Opens and closes of sessions, milliseconds since 1970 UTC. */
  readonly calendar: Pick<TradingCalendar, "openUtcMs" | "closeUtcMs">;
  readonly intraday: "path" | "close";
  readonly splits: readonly VenueSplit[];
  readonly conId: number;
  /** The paths in memory, of all symbols together. */
  readonly paths: Map<number, Float64Array>;
}

/** How long before the close the price is the close, in the mode that wants it so. */
const settlesBeforeMs = 5 * 60_000;
/** A path is 12 KB: 6 MB in all. */
const pathsKept = 512;
/** More sessions than any history has. */
const mostRows = 2 ** 15;

/**
 * One symbol's prices, past and present. A row is an index into the daily bars. All prices are in today's shares: a
 * split that has happened by `nowUtcMs` divides everything before it.
 */
export class Instrument {
  readonly contract: Contract;
  readonly symbol: string;
  readonly sessions: readonly SessionDate[];
  readonly opens: Float64Array;
  readonly closes: Float64Array;
  private readonly adjusted: BarSeries;
  private readonly trades: BarSeries;
  private readonly dividends: readonly Dividend[];
  private readonly splits: Split[];
  /** What one share after all splits known in advance was at the beginning. */
  private readonly base: number;
  private readonly paths: Map<number, Float64Array>;
  private readonly seed: string;
  private readonly settlesBeforeMs: number;

  constructor(given: VenueInstrument, options: InstrumentOptions) {
    const { adjusted, trades = adjusted } = given;
    assertBarSeries(adjusted);
    assertBarSeries(trades);
    assertPrices(adjusted);
    assertPrices(trades);
    this.symbol = adjusted.ticker;
    this.adjusted = adjusted;
    this.trades = trades;
    this.sessions = adjusted.sessions;
    this.opens = Float64Array.from(this.sessions, (session) => options.calendar.openUtcMs(session));
    this.closes = Float64Array.from(this.sessions, (session) => options.calendar.closeUtcMs(session));
    this.contract = contractOf(this.symbol, options.conId);
    this.seed = options.seed;
    this.paths = options.paths;
    this.settlesBeforeMs = options.intraday === "close" ? settlesBeforeMs : 0;
    this.splits = options.splits
      .filter(({ symbol }) => symbol === this.symbol)
      .map(({ session, ratio }) => ({ atUtcMs: options.calendar.openUtcMs(session), ratio }));
    this.base = this.splits.reduce((product, { ratio }) => product * ratio, 1);
    this.dividends = trades === adjusted ? [] : dividendsOf(adjusted.close, trades.close);
  }

  /** The last row whose session has begun; -1 before the first. */
  rowAt(utcMs: number): number {
    let [low, high] = [0, this.opens.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.opens[middle]! <= utcMs) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  /** The row that is being traded; -1 when there is none. */
  openRowAt(utcMs: number): number {
    const row = this.rowAt(utcMs);
    return row >= 0 && utcMs < this.closes[row]! ? row : -1;
  }

  /** The row of a session; -1 when the symbol did not trade on it. */
  rowOf(openUtcMs: number): number {
    const row = this.rowAt(openUtcMs);
    return row >= 0 && this.opens[row] === openUtcMs ? row : -1;
  }

  stepAt(row: number, utcMs: number): number {
    return Math.min(this.stepsOf(row), Math.floor((utcMs - this.opens[row]!) / stepMs));
  }

  stepsOf(row: number): number {
    return Math.round((this.closes[row]! - this.opens[row]!) / stepMs);
  }

  /** From which step on the price is the close. */
  settledStepOf(row: number): number {
    return this.stepsOf(row) - Math.round(this.settlesBeforeMs / stepMs);
  }

  /** Prices of a row at the beginning of each step, in the shares of that day, and what makes them today's. */
  pathOf(row: number, nowUtcMs: number): { readonly prices: Float64Array; readonly scale: number } {
    const scale = this.scaleAt(nowUtcMs) / this.scaleAt(this.opens[row]!);
    const key = this.contract.conId * mostRows + row;
    const known = this.paths.get(key);
    if (known) return { prices: known, scale };
    const unit = this.scaleAt(this.opens[row]!);
    const prices = intradayPath(
      {
        open: this.trades.open[row]! * unit,
        high: this.trades.high[row]! * unit,
        low: this.trades.low[row]! * unit,
        close: this.trades.close[row]! * unit,
        steps: this.stepsOf(row),
        settled: this.settledStepOf(row),
        tick: this.contract.minTick,
      },
      seedrandom.alea(`${this.seed}/path/${this.symbol}/${this.sessions[row]}`),
    );
    if (this.paths.size >= pathsKept) this.paths.delete(this.paths.keys().next().value!);
    this.paths.set(key, prices);
    return { prices, scale };
  }

  /** The price of a row at an instant of its session or after it, exactly the close from where it settled. */
  priceAt(row: number, utcMs: number, nowUtcMs: number): number {
    const step = this.stepAt(row, utcMs);
    if (step >= this.settledStepOf(row)) return this.trades.close[row]! * this.scaleAt(nowUtcMs);
    const { prices, scale } = this.pathOf(row, nowUtcMs);
    return prices[step]! * scale;
  }

  /** The whole range of a row; only for rows of the past, and to keep fills of today within it. */
  rangeOf(row: number, nowUtcMs: number): readonly [low: number, high: number] {
    const scale = this.scaleAt(nowUtcMs);
    return [this.trades.low[row]! * scale, this.trades.high[row]! * scale];
  }

  /**
   * A row's bar as it stood at an instant of its session or after, in today's shares.
   *
   * @param view - `trades`, or `adjusted` for all dividends up to `nowUtcMs`
   */
  barAt(row: number, utcMs: number, view: "trades" | "adjusted", nowUtcMs: number): DailyBar {
    const scale = this.scaleAt(nowUtcMs);
    const step = this.stepAt(row, utcMs);
    const settled = this.settledStepOf(row);
    const volume = this.trades.volume[row]! / scale;
    if (step >= settled) {
      const columns = view === "trades" ? this.trades : this.adjusted;
      const by = view === "trades" ? scale : this.adjustment(nowUtcMs);
      return {
        open: columns.open[row]! * by,
        high: columns.high[row]! * by,
        low: columns.low[row]! * by,
        close: columns.close[row]! * by,
        volume: Math.round(volume),
      };
    }
    const path = this.pathOf(row, nowUtcMs);
    const by = path.scale * (view === "trades" ? 1 : this.adjustedOverTrades(row, nowUtcMs));
    let [low, high] = [Number.POSITIVE_INFINITY, 0];
    for (let at = 0; at <= step; at++) {
      const price = path.prices[at]!;
      if (price > high) high = price;
      if (price < low) low = price;
    }
    return {
      open: path.prices[0]! * by,
      high: high * by,
      low: low * by,
      close: path.prices[step]! * by,
      volume: Math.round(volume * volumeShare((step + 1) / settled)),
    };
  }

  /** Volume of a row up to the end of a step, in today's shares. */
  volumeUpTo(row: number, step: number, nowUtcMs: number): number {
    const share = step < 0 ? 0 : volumeShare((step + 1) / this.settledStepOf(row));
    return Math.round((this.trades.volume[row]! / this.scaleAt(nowUtcMs)) * share);
  }

  /** What a row's adjusted prices are to its traded ones, for the dividends up to now. */
  adjustedOverTrades(row: number, nowUtcMs: number): number {
    const ratio = this.adjusted.close[row]! / this.trades.close[row]!;
    return (ratio * this.adjustment(nowUtcMs)) / this.scaleAt(nowUtcMs);
  }

  /** Dollars a share that go off at the open of the row, in today's shares; 0 for none. */
  dividendAt(row: number, nowUtcMs: number): number {
    const perShare = this.dividends.find((dividend) => dividend.row === row)?.perShare ?? 0;
    return perShare * this.scaleAt(nowUtcMs);
  }

  /** How many shares one becomes at this instant; 1 for none. */
  splitAt(utcMs: number): number {
    return this.splits.reduce(
      (product, { atUtcMs, ratio }) => (atUtcMs === utcMs ? product * ratio : product),
      1,
    );
  }

  /** A split that nobody knew of: prices from now on are smaller, instead of those before having been larger. */
  splitNow(ratio: number, nowUtcMs: number): void {
    this.splits.push({ atUtcMs: nowUtcMs, ratio });
  }

  /** What turns a price of the bars given into one in the shares of that instant. */
  private scaleAt(utcMs: number): number {
    if (this.splits.length === 0) return 1;
    let scale = this.base;
    for (const { atUtcMs, ratio } of this.splits) if (atUtcMs <= utcMs) scale /= ratio;
    return scale;
  }

  /**
   * What turns an adjusted price of the bars given into one as adjusted now: equal to the traded price on the last
   * ex-date so far, and so the same from one dividend or split to the next.
   */
  private adjustment(nowUtcMs: number): number {
    const scale = this.scaleAt(nowUtcMs);
    if (this.adjusted === this.trades || this.sessions.length === 0) return scale;
    const today = this.rowAt(nowUtcMs);
    let base = 0;
    for (const { row } of this.dividends) if (row <= today) base = row;
    return (this.trades.close[base]! / this.adjusted.close[base]!) * scale;
  }
}

function dividendsOf(adjusted: Float64Array, traded: Float64Array): readonly Dividend[] {
  const paid = impliedDividends(adjusted, traded);
  return Array.from(paid, (perShare, row) => ({ row, perShare })).filter(({ perShare }) => perShare > 0);
}

function assertPrices({ ticker, sessions, open, high, low, close, volume }: BarSeries): void {
  for (let row = 0; row < sessions.length; row++) {
    const [o, h, l, c] = [open[row]!, high[row]!, low[row]!, close[row]!];
    const sound =
      l > 0 && l <= Math.min(o, c) && h >= Math.max(o, c) && Number.isFinite(h) && volume[row]! >= 0;
    if (!sound) throw new VenueOptionsError(`the bar of ${ticker} on ${sessions[row]} is no bar`);
  }
}

const nasdaq = new Set(["QQQ", "TLT", "IEF", "BND"]);
const longNames: Readonly<Record<string, string>> = {
  SPY: "SPDR S&P 500 ETF TRUST",
  QQQ: "INVESCO QQQ TRUST SERIES 1",
  VTI: "VANGUARD TOTAL STOCK MKT ETF",
  TLT: "ISHARES 20+ YEAR TREASURY BD",
  IEF: "ISHARES 7-10 YEAR TREASURY B",
  GLD: "SPDR GOLD SHARES",
  XLE: "ENERGY SELECT SECTOR SPDR",
  BND: "VANGUARD TOTAL BOND MARKET",
  BITO: "PROSHARES BITCOIN ETF",
};

function contractOf(symbol: Ticker, conId: number): Contract {
  const primaryExchange = nasdaq.has(symbol) ? "NASDAQ" : "ARCA";
  return {
    conId,
    symbol,
    secType: "STK",
    currency: "USD",
    primaryExchange,
    marketName: primaryExchange === "NASDAQ" ? "NMS" : symbol,
    tradingClass: primaryExchange === "NASDAQ" ? "NMS" : symbol,
    longName: longNames[symbol] ?? symbol,
    stockType: "ETF",
    minTick: 0.01,
    minSize: 0.0001,
    sizeIncrement: 0.0001,
    suggestedSizeIncrement: 100,
  };
}
