import { usSettlement } from "@pf/compliance";
import {
  type BarSeries,
  newYorkDateOf,
  type SessionDate,
  type Ticker,
  type TradingCalendar,
} from "@pf/market";
import type { CommissionPlan } from "@pf/orders";
import { VenueOptionsError } from "./errors.js";

/** Everything that makes a market: the same options and the same calls at the same instants give the same answers. */
export interface VenueOptions {
  /** What is traded; symbols are unique. */
  readonly instruments: readonly VenueInstrument[];
  /** Who trades; ids are unique. */
  readonly accounts: readonly VenueAccount[];
  /** Where simulated time begins, milliseconds since 1970 UTC. */
  readonly startUtcMs: number;
  /**
   * Names the paths that prices take within a session, and the ids.
   * @default 1
   */
  readonly seed?: number | string;
  /**
   * When the exchange is open.
   * @default xnys
   */
  readonly calendar?: TradingCalendar;
  /** Splits known in advance, each at the open of its session. The bars given are split-adjusted. */
  readonly splits?: readonly VenueSplit[];
  /**
   * How a session runs from its open to its close. With `path` the price reaches the close at the close; with `close`
   * five minutes earlier, and every fill from then on is at exactly the close, as in a backtest.
   * @default "path"
   */
  readonly intraday?: "path" | "close";
  /**
   * What happens to an order for parts of a share: error 10243, as the real one does, or the order is taken.
   * @default "reject"
   */
  readonly fractional?: "reject" | "accept";
  /**
   * What happens to a market order while the exchange is closed: held until the next open (399), or refused (201).
   * @default "hold"
   */
  readonly closedMarket?: "hold" | "reject";
  /**
   * Whether proceeds of sales can be spent before they settle. What the real broker does differs by account and year.
   * @default "refuse"
   */
  readonly unsettledProceeds?: "refuse" | "spend";
  /**
   * What a market order must find in cash, as a multiple of its value at the price of the moment; 1.05 is the cushion
   * that cash accounts were seen to need.
   * @default 1
   */
  readonly marketOrderCushion?: number;
  /**
   * What trading costs.
   * @default commissionPlan("ibkr_tiered")
   */
  readonly commission?: CommissionPlan;
  /** How long the steps of an order take. */
  readonly latency?: Partial<VenueLatency>;
}

/** A fund listed in the US, under the name and at the exchange it is known to have; ARCA for others. */
export interface VenueInstrument {
  /** Daily bars adjusted for splits and dividends: what `ADJUSTED_LAST` is made of. */
  readonly adjusted: BarSeries;
  /**
   * Daily bars adjusted for splits only, of the same sessions: the prices one trades at.
   * @default the adjusted ones; then there are no dividends
   */
  readonly trades?: BarSeries;
}

export interface VenueAccount {
  readonly id: string;
  /** Settled dollars at the start, whole cents. */
  readonly cash: number;
  /** Fully paid and settled shares at the start. */
  readonly positions?: readonly VenueHolding[];
}

export interface VenueHolding {
  readonly symbol: Ticker;
  /** Shares, up to four decimals. */
  readonly quantity: number;
  /** Dollars a share. */
  readonly averageCost: number;
}

/** Of each share there are `ratio` from the open of the session on; 0.25 merges four into one. */
export interface VenueSplit {
  readonly symbol: Ticker;
  readonly session: SessionDate;
  readonly ratio: number;
}

/** Milliseconds. */
export interface VenueLatency {
  /** From an order's arrival to what the terminal itself finds wrong with it. @default 80 */
  readonly check: number;
  /** From an order's arrival to PreSubmitted. @default 100 */
  readonly acknowledge: number;
  /** From there to Submitted, for orders that rest. @default 200 */
  readonly submit: number;
  /** From an order being at the exchange to its execution. @default 700 */
  readonly fill: number;
  /** From an execution to its commission. @default 50 */
  readonly commission: number;
  /** From an order's arrival to its refusal: the status, then the error 50 ms later. @default 350 */
  readonly reject: number;
  /** From the wish to cancel to PendingCancel, and from there to Cancelled. @default 100 */
  readonly cancel: number;
}

export const usualLatency: VenueLatency = {
  check: 80,
  acknowledge: 100,
  submit: 200,
  fill: 700,
  commission: 50,
  reject: 350,
  cancel: 100,
};

/**
 * Refuses options that make no market.
 *
 * @throws VenueOptionsError naming the option
 */
export function assertVenueOptions(options: VenueOptions): void {
  const refuse = (what: string): never => {
    throw new VenueOptionsError(what);
  };
  if (!Number.isFinite(options.startUtcMs)) refuse(`startUtcMs is ${options.startUtcMs}`);
  const first = newYorkDateOf(options.startUtcMs);
  if (first < usSettlement.first) refuse(`nobody knows how trades settled on ${first}`);
  const symbols = new Set<string>();
  for (const { adjusted, trades } of options.instruments) {
    const symbol = adjusted.ticker;
    if (symbols.has(symbol)) refuse(`${symbol} is given twice`);
    symbols.add(symbol);
    if (adjusted.endsUtcMs || trades?.endsUtcMs) refuse(`the bars of ${symbol} are not daily`);
    if (trades && trades.sessions.length !== adjusted.sessions.length) {
      refuse(
        `${symbol} has ${adjusted.sessions.length} adjusted and ${trades.sessions.length} unadjusted bars`,
      );
    }
    const other = trades?.sessions.findIndex((session, row) => session !== adjusted.sessions[row]) ?? -1;
    if (other >= 0)
      refuse(`the adjusted and unadjusted bars of ${symbol} part at ${trades!.sessions[other]}`);
  }
  if (options.accounts.length === 0) refuse("there is no account");
  const ids = new Set<string>();
  for (const { id, cash, positions = [] } of options.accounts) {
    if (id === "" || ids.has(id)) refuse(`the account id ${JSON.stringify(id)} is empty or given twice`);
    ids.add(id);
    if (!isWholeNumberOf(cash, 100) || cash < 0) refuse(`the cash of ${id} is ${cash}`);
    for (const { symbol, quantity, averageCost } of positions) {
      if (!symbols.has(symbol)) refuse(`${id} holds ${symbol}, which is not traded`);
      if (!isWholeNumberOf(quantity, 10_000) || quantity <= 0) refuse(`${id} holds ${quantity} ${symbol}`);
      if (!(averageCost >= 0 && Number.isFinite(averageCost))) refuse(`${symbol} cost ${id} ${averageCost}`);
    }
  }
  for (const { symbol, ratio } of options.splits ?? []) {
    if (!symbols.has(symbol)) refuse(`${symbol} splits, which is not traded`);
    assertRatio(ratio);
  }
  if (!((options.marketOrderCushion ?? 1) >= 1))
    refuse(`marketOrderCushion is ${options.marketOrderCushion}`);
  for (const [step, ms] of Object.entries(options.latency ?? {})) {
    if (!(Number.isInteger(ms) && ms >= 0)) refuse(`latency.${step} is ${ms}`);
  }
}

export function assertRatio(ratio: number): void {
  if (!(ratio > 0 && Number.isFinite(ratio))) throw new VenueOptionsError(`a split's ratio is ${ratio}`);
}

function isWholeNumberOf(value: number, parts: number): boolean {
  const scaled = Math.round(value * parts);
  return Number.isSafeInteger(scaled) && Math.abs(value * parts - scaled) < 1e-6;
}
