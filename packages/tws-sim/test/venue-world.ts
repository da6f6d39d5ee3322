import { syntheticSource } from "@pf/bars";
import { type BarSeries, newYorkToUtcMs, type SessionDate, sessionDate, xnys } from "@pf/market";
import { createVenue } from "../src/venue/create.js";
import type { VenueInstrument, VenueOptions } from "../src/venue/options.js";
import type {
  Contract,
  HistoryRequest,
  NewOrder,
  Venue,
  VenueBar,
  VenueError,
  VenueEvent,
} from "../src/venue/venue.js";

export const calendar = xnys;
export const day = sessionDate;
export const account = "DUK200445";

/** An instant by the clocks of New York. */
export function at(date: string, time: string): number {
  return newYorkToUtcMs(day(date), time);
}

const source = syntheticSource({ seed: 7, calendar, complete: true, epoch: "2024-01-02" });
const fetched = new Map<string, VenueInstrument>();

/** Two and a half years of made-up bars with dividends; asked for once. */
export async function instrumentOf(symbol: string): Promise<VenueInstrument> {
  let known = fetched.get(symbol);
  if (!known) {
    const { adjusted, trades } = await source.fetch(symbol, day("2024-01-02"), day("2026-06-30"));
    known = { adjusted, trades: trades! };
    fetched.set(symbol, known);
  }
  return known;
}

/** Bars by hand: open, high, low, close of each session from a day on. */
export function bars(
  ticker: string,
  from: string,
  rows: readonly (readonly [open: number, high: number, low: number, close: number])[],
): BarSeries {
  const sessions: SessionDate[] = [];
  let session = calendar.isSession(from) ? day(from) : calendar.next(day(from));
  for (const _ of rows) {
    sessions.push(session);
    session = calendar.next(session);
  }
  const column = (at: 0 | 1 | 2 | 3) => Float64Array.from(rows, (row) => row[at]);
  return {
    ticker,
    sessions,
    open: column(0),
    high: column(1),
    low: column(2),
    close: column(3),
    volume: Float64Array.from(rows, () => 1_000_000),
  };
}

/** The same bars from a row on, other ones after it. */
export function scrambledAfter(given: VenueInstrument, last: SessionDate, factor: number): VenueInstrument {
  const change = (series: BarSeries, by: number): BarSeries => {
    const after = series.sessions.findIndex((session) => session > last);
    const column = (values: Float64Array, more = 1) =>
      values.map((value, row) =>
        after >= 0 && row >= after ? value * by * more * (1 + (row % 5) / 50) : value,
      );
    return {
      ...series,
      open: column(series.open),
      high: column(series.high, 1.01),
      low: column(series.low, 0.99),
      close: column(series.close),
      volume: column(series.volume, 3),
    };
  };
  return {
    ...given,
    adjusted: change(given.adjusted, factor),
    ...(given.trades ? { trades: change(given.trades, factor * 1.03) } : {}),
  };
}

export interface World {
  readonly venue: Venue;
  readonly events: (VenueEvent & { readonly atUtcMs: number })[];
  readonly contract: (symbol: string) => Contract;
  readonly order: (
    symbol: string,
    action: "BUY" | "SELL",
    quantity: number | string,
    more?: Partial<NewOrder>,
  ) => NewOrder;
  /** Places an order of client 1 with the next id and tells the id. */
  readonly send: (
    symbol: string,
    action: "BUY" | "SELL",
    quantity: number | string,
    more?: Partial<NewOrder>,
  ) => number;
  readonly forward: (milliseconds: number) => void;
}

/** A market and a notebook of what happens in it. */
export function world(
  options: Pick<VenueOptions, "instruments" | "startUtcMs"> & Partial<VenueOptions>,
): World {
  const venue = createVenue({ accounts: [{ id: account, cash: 25_000 }], ...options });
  const events: World["events"] = [];
  venue.onEvent((event) => events.push({ ...event, atUtcMs: venue.nowUtcMs }));
  const contract = (symbol: string) => {
    const [found] = venue.contracts({
      conId: 0,
      symbol,
      secType: "STK",
      exchange: "SMART",
      primaryExchange: "",
      currency: "USD",
    });
    if (!found) throw new Error(`no ${symbol} in this test's market`);
    return found;
  };
  const order: World["order"] = (symbol, action, quantity, more = {}) => ({
    clientId: 1,
    orderId: venue.nextOrderId(1),
    account,
    conId: contract(symbol).conId,
    action,
    quantity: String(quantity),
    orderType: more.limit === undefined ? "MKT" : "LMT",
    limit: undefined,
    auxPrice: undefined,
    tif: "DAY",
    outsideRth: false,
    orderRef: "test",
    transmit: true,
    cashQuantity: "",
    ...more,
  });
  return {
    venue,
    events,
    contract,
    order,
    send(symbol, action, quantity, more) {
      const made = order(symbol, action, quantity, more);
      venue.place(made);
      return made.orderId;
    },
    forward: (milliseconds) => venue.advanceTo(venue.nowUtcMs + milliseconds),
  };
}

/** What happened, in few words: `PreSubmitted 0`, `10 @ 100.01`, `commission 0.35`, `error 202`. */
export function told(events: World["events"], orderId?: number): string[] {
  return events
    .filter((event) => {
      const state = "state" in event ? event.state : event.execution.order;
      return orderId === undefined || state.order.orderId === orderId;
    })
    .map((event) => {
      if (event.kind === "status") return `${event.state.status} ${event.state.filled}`;
      if (event.kind === "error") return `error ${event.code}`;
      const { shares, price, commission } = event.execution;
      return event.kind === "execution" ? `${shares} @ ${price}` : `commission ${commission}`;
    });
}

export function request(conId: number, more: Partial<HistoryRequest> = {}): HistoryRequest {
  return {
    conId,
    endUtcMs: undefined,
    duration: { count: 3, unit: "Y" },
    barSize: "1 day",
    whatToShow: "TRADES",
    regularHoursOnly: true,
    ...more,
  };
}

/** The bars of an answer, or the error as an exception. */
export function barsOf(venue: Venue, asked: HistoryRequest): readonly VenueBar[] {
  const answer = venue.history(asked);
  if ("code" in answer) throw new Error(`${answer.code} ${answer.message}`);
  return answer.bars;
}

export function errorOf(answer: object | undefined): VenueError {
  if (!answer || !("code" in answer)) throw new Error("no error");
  return answer as VenueError;
}
