import { newYorkDateOf, type SessionDate, type TradingCalendar, xnys } from "@pf/market";
import { cents, commissionPlan, formatQuantity } from "@pf/orders";
import { Timeline } from "../timeline.js";
import { Account } from "./account.js";
import { Boundaries } from "./boundaries.js";
import { VenueLookupError, VenueTimeError } from "./errors.js";
import { historyOf } from "./history.js";
import { contractIds, IdSource } from "./ids.js";
import { Instrument } from "./instrument.js";
import { assertRatio, assertVenueOptions, usualLatency, type VenueOptions } from "./options.js";
import { Exchange } from "./orders.js";
import { quoteOf } from "./quotes.js";
import type {
  AccountFigures,
  Arrangement,
  Contract,
  ContractQuery,
  Execution,
  ExecutionFilter,
  HistoryAnswer,
  HistoryRequest,
  NewOrder,
  OrderState,
  Position,
  Quote,
  Venue,
  VenueError,
  VenueEvent,
  WhatIf,
} from "./venue.js";

/**
 * Opens a market with accounts, at an instant of its own time. Splits and dividends happen at the open of their
 * session; cash settles at midnight in New York; executions and ended orders are forgotten there.
 *
 * @throws VenueOptionsError when the options describe no market
 * @throws InvalidBarsError, NotASessionError, CalendarRangeError for bars that fit no calendar
 */
export function createVenue(options: VenueOptions): Venue {
  assertVenueOptions(options);
  return new SimulatedVenue(options);
}

/** Symbols trade on the same sessions, and a session's hours take a while to find out. */
function remembered(calendar: TradingCalendar): Pick<TradingCalendar, "openUtcMs" | "closeUtcMs"> {
  const once = (find: (session: SessionDate) => number) => {
    const known = new Map<SessionDate, number>();
    return (session: SessionDate) => {
      const found = known.get(session) ?? find(session);
      known.set(session, found);
      return found;
    };
  };
  return {
    openUtcMs: once((session) => calendar.openUtcMs(session)),
    closeUtcMs: once((session) => calendar.closeUtcMs(session)),
  };
}

class SimulatedVenue implements Venue {
  nowUtcMs: number;
  readonly accounts: readonly string[];
  private readonly calendar: TradingCalendar;
  private readonly instruments: ReadonlyMap<number, Instrument>;
  private readonly bySymbol: ReadonlyMap<string, Instrument>;
  private readonly books: ReadonlyMap<string, Account>;
  private readonly schedule = new Timeline();
  private readonly boundaries: Boundaries;
  private readonly exchange: Exchange;
  private readonly listeners: ((event: VenueEvent) => void)[] = [];

  constructor(options: VenueOptions) {
    const { seed = 1, calendar = xnys, intraday = "path", splits = [] } = options;
    this.nowUtcMs = options.startUtcMs;
    this.calendar = calendar;
    const ids = contractIds(options.instruments.map(({ adjusted }) => adjusted.ticker));
    const paths = new Map<number, Float64Array>();
    const hours = remembered(calendar);
    const instruments = options.instruments.map(
      (given) =>
        new Instrument(given, {
          seed: String(seed),
          calendar: hours,
          intraday,
          splits,
          conId: ids.get(given.adjusted.ticker)!,
          paths,
        }),
    );
    this.instruments = new Map(instruments.map((one) => [one.contract.conId, one]));
    this.bySymbol = new Map(instruments.map((one) => [one.symbol, one]));
    const today = newYorkDateOf(this.nowUtcMs);
    const proceeds = options.unsettledProceeds ?? "refuse";
    this.books = new Map(options.accounts.map((given) => [given.id, new Account(given, today, proceeds)]));
    this.accounts = [...this.books.keys()];
    this.boundaries = new Boundaries(calendar, this.nowUtcMs);
    const venue = this;
    this.exchange = new Exchange({
      get nowUtcMs() {
        return venue.nowUtcMs;
      },
      schedule: this.schedule,
      boundaries: this.boundaries,
      ids: new IdSource(String(seed)),
      latency: { ...usualLatency, ...options.latency },
      plan: options.commission ?? commissionPlan("ibkr_tiered"),
      fractional: options.fractional ?? "reject",
      closedMarket: options.closedMarket ?? "hold",
      marketOrderCushion: options.marketOrderCushion ?? 1,
      instrument: (conId) => this.instruments.get(conId),
      account: (id) => this.books.get(id),
      onlyAccount: this.books.size === 1 ? this.books.values().next().value : undefined,
      emit: (event) => {
        for (const listener of this.listeners) listener(event);
      },
      priceOf: (symbol) => this.priceOf(symbol),
    });
  }

  advanceTo(utcMs: number): void {
    if (!(utcMs >= this.nowUtcMs)) throw new VenueTimeError(this.nowUtcMs, utcMs);
    for (;;) {
      const due = this.schedule.nextDueUtcMs;
      const boundary = this.boundaries.next;
      // The calendar first: an order due at the close comes too late.
      if (due !== undefined && due < boundary.atUtcMs) {
        if (due > utcMs) break;
        this.nowUtcMs = Math.max(this.nowUtcMs, due);
        this.schedule.runUpTo(due);
      } else {
        if (boundary.atUtcMs > utcMs) break;
        this.nowUtcMs = boundary.atUtcMs;
        this.boundaries.pass();
        this.cross(boundary.kind);
      }
    }
    this.nowUtcMs = utcMs;
  }

  nextDueUtcMs(): number | undefined {
    return Math.min(this.boundaries.next.atUtcMs, this.schedule.nextDueUtcMs ?? Number.POSITIVE_INFINITY);
  }

  contracts(query: ContractQuery): readonly Contract[] {
    if (query.conId !== 0) {
      const found = this.instruments.get(query.conId);
      return found ? [found.contract] : [];
    }
    const found = this.bySymbol.get(query.symbol.trim().toUpperCase())?.contract;
    if (!found) return [];
    const fits =
      (query.secType === "" || query.secType === found.secType) &&
      (query.currency === "" || query.currency === found.currency) &&
      (isSmart(query.exchange) || isSameExchange(query.exchange, found.primaryExchange)) &&
      (query.primaryExchange === "" || isSameExchange(query.primaryExchange, found.primaryExchange));
    return fits ? [found] : [];
  }

  history(request: HistoryRequest): HistoryAnswer {
    return historyOf(this.instrument(request.conId), request, this.calendar, this.nowUtcMs);
  }

  quote(conId: number, feed: "live" | "delayed"): Quote {
    return quoteOf(this.instrument(conId), feed, this.nowUtcMs);
  }

  nextOrderId(clientId: number): number {
    return this.exchange.nextOrderId(clientId);
  }

  place(order: NewOrder): void {
    this.exchange.place(order);
    this.advanceTo(this.nowUtcMs);
  }

  whatIf(order: NewOrder): WhatIf | VenueError {
    return this.exchange.whatIf(order);
  }

  cancel(clientId: number, orderId: number): VenueError | undefined {
    const wrong = this.exchange.cancel(clientId, orderId);
    this.advanceTo(this.nowUtcMs);
    return wrong;
  }

  openOrders(): readonly OrderState[] {
    return this.exchange.openOrders();
  }

  completedOrders(): readonly OrderState[] {
    return this.exchange.completedOrders();
  }

  executions(filter: ExecutionFilter): readonly Execution[] {
    return this.exchange.executions(filter);
  }

  positions(account: string): readonly Position[] {
    const book = this.account(account);
    return book.symbols.map((symbol) => ({
      conId: this.bySymbol.get(symbol)!.contract.conId,
      quantity: formatQuantity(book.held(symbol)),
      averageCost: book.averageCost(symbol),
    }));
  }

  summary(account: string): AccountFigures {
    return this.account(account).figures((symbol) => this.priceOf(symbol));
  }

  onEvent(listener: (event: VenueEvent) => void): void {
    this.listeners.push(listener);
  }

  setMarketLink(up: boolean): void {
    this.exchange.setMarketLink(up);
    this.advanceTo(this.nowUtcMs);
  }

  arrange(arrangement: Arrangement): void {
    if (arrangement.kind === "cash") {
      this.account(arrangement.account).transfer(cents(arrangement.cents));
      return;
    }
    if (arrangement.kind !== "split") {
      this.exchange.arrange(arrangement);
      return;
    }
    const { symbol, ratio } = arrangement;
    const instrument = this.bySymbol.get(symbol);
    if (!instrument) throw new VenueLookupError(`symbol ${symbol}`);
    assertRatio(ratio);
    instrument.splitNow(ratio, this.nowUtcMs);
    this.applySplit(instrument, ratio);
  }

  private cross(kind: "midnight" | "open" | "close"): void {
    if (kind === "midnight") {
      const day = newYorkDateOf(this.nowUtcMs);
      for (const book of this.books.values()) book.startOfDay(day);
      this.exchange.dayBegins();
    } else if (kind === "open") {
      for (const instrument of this.instruments.values()) this.actOn(instrument);
      this.exchange.sessionOpens();
    } else this.exchange.sessionCloses();
  }

  /** Splits and dividends of the session that opens now, for whoever held the shares before. */
  private actOn(instrument: Instrument): void {
    const ratio = instrument.splitAt(this.nowUtcMs);
    if (ratio !== 1) this.applySplit(instrument, ratio);
    const row = instrument.rowOf(this.nowUtcMs);
    const perShare = row < 0 ? 0 : instrument.dividendAt(row, this.nowUtcMs);
    if (perShare === 0) return;
    for (const book of this.books.values()) book.dividend(instrument.symbol, perShare);
  }

  private applySplit(instrument: Instrument, ratio: number): void {
    for (const book of this.books.values()) book.split(instrument.symbol, ratio);
    this.exchange.split(instrument, ratio);
  }

  /** Dollars a share of the last trade; 0 before the first. */
  private priceOf(symbol: string): number {
    const instrument = this.bySymbol.get(symbol)!;
    const row = instrument.rowAt(this.nowUtcMs);
    return row < 0 ? 0 : instrument.priceAt(row, this.nowUtcMs, this.nowUtcMs);
  }

  private instrument(conId: number): Instrument {
    const found = this.instruments.get(conId);
    if (!found) throw new VenueLookupError(`contract ${conId}`);
    return found;
  }

  private account(id: string): Account {
    const found = this.books.get(id);
    if (!found) throw new VenueLookupError(`account ${id}`);
    return found;
  }
}

function isSmart(exchange: string): boolean {
  return exchange === "" || exchange.split(",").includes("SMART");
}

function isSameExchange(asked: string, primary: string): boolean {
  return asked === primary || (asked === "ISLAND" && primary === "NASDAQ");
}
