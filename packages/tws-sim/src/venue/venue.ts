import type { SessionDate } from "@pf/market";

/**
 * The market and the accounts behind the simulator's socket: no network, no disk and no clock of its own. It is told
 * what time it is, answers at once, and reports what happened to orders in the order in which it happened. The same
 * calls at the same instants give the same answers and ids.
 */
export interface Venue {
  /** Simulated time, milliseconds since 1970 UTC. */
  readonly nowUtcMs: number;
  /** Lets everything happen that is due up to this instant, in time order. Time never goes back. */
  advanceTo(utcMs: number): void;
  /** When something happens next by itself: a fill, an expiry, an open, a close, a settlement; undefined when nothing will. */
  nextDueUtcMs(): number | undefined;

  readonly accounts: readonly string[];
  /** Every contract that fits; none for an unknown symbol. */
  contracts(query: ContractQuery): readonly Contract[];
  history(request: HistoryRequest): HistoryAnswer;
  /** The price picture of a contract now, or as it was when delayed quotes are from. */
  quote(conId: number, feed: "live" | "delayed"): Quote;

  /** Ids are given per client and survive reconnects. */
  nextOrderId(clientId: number): number;
  /** Notes an id as used (a client may choose any higher one). */
  place(order: NewOrder): void;
  /** What a what-if order would need and cost; errors as a real order would get. */
  whatIf(order: NewOrder): WhatIf | VenueError;
  cancel(clientId: number, orderId: number): VenueError | undefined;
  openOrders(): readonly OrderState[];
  completedOrders(): readonly OrderState[];
  /** Of the current simulated day (New York), oldest first. */
  executions(filter: ExecutionFilter): readonly Execution[];
  positions(account: string): readonly Position[];
  summary(account: string): AccountFigures;

  /** Called for everything that happens to orders, in order. */
  onEvent(listener: (event: VenueEvent) => void): void;

  /** The broker's link to the exchanges: while it is down, orders wait and nothing fills. Default: up. */
  setMarketLink(up: boolean): void;
  /** Makes something unusual happen, now or to the next order that fits. */
  arrange(arrangement: Arrangement): void;
}

export type Arrangement =
  /** The next order (of the symbol) is refused: status Inactive, then this error. */
  | {
      readonly kind: "reject";
      readonly symbol?: string;
      readonly code: number;
      readonly message: string;
    }
  /**
   * The next order (of the symbol) that fills does so in this many parts, `everyMs` apart; after `stopAfter` of them,
   * where given, nothing more fills.
   */
  | {
      readonly kind: "partialFills";
      readonly symbol?: string;
      readonly parts: number;
      readonly everyMs: number;
      readonly stopAfter?: number;
    }
  /** Of each share there are now `ratio`: positions, average costs, resting orders, quotes and all earlier bars follow. */
  | { readonly kind: "split"; readonly symbol: string; readonly ratio: number }
  /** Settled money comes in; below 0 it goes out, as far as it has settled. */
  | { readonly kind: "cash"; readonly account: string; readonly cents: number };

export interface ContractQuery {
  /** 0 when unknown; wins over the symbol. */
  readonly conId: number;
  readonly symbol: string;
  readonly secType: string;
  readonly exchange: string;
  readonly primaryExchange: string;
  readonly currency: string;
}

export interface Contract {
  readonly conId: number;
  readonly symbol: string;
  readonly secType: "STK";
  readonly currency: "USD";
  readonly primaryExchange: string;
  readonly marketName: string;
  readonly tradingClass: string;
  readonly longName: string;
  readonly stockType: string;
  readonly minTick: number;
  readonly minSize: number;
  readonly sizeIncrement: number;
  readonly suggestedSizeIncrement: number;
}

export interface HistoryRequest {
  readonly conId: number;
  /** Undefined: up to now. */
  readonly endUtcMs: number | undefined;
  readonly duration: { readonly count: number; readonly unit: "S" | "D" | "W" | "M" | "Y" };
  /** As on the wire: `1 day`, `1 hour`, … */
  readonly barSize: string;
  readonly whatToShow: string;
  readonly regularHoursOnly: boolean;
}

export interface VenueError {
  readonly code: number;
  readonly message: string;
}

export type HistoryAnswer =
  | {
      readonly startUtcMs: number;
      readonly endUtcMs: number;
      readonly bars: readonly VenueBar[];
    }
  | VenueError;

export interface VenueBar {
  readonly session: SessionDate;
  /** When the bar begins. */
  readonly beginsUtcMs: number;
  readonly open: number;
  readonly high: number;
  readonly low: number;
  readonly close: number;
  readonly volume: number;
  readonly wap: number;
  readonly count: number;
}

/** Undefined: the venue has none (before the first trade, market closed for a bid). */
export interface Quote {
  readonly atUtcMs: number;
  readonly bid: number | undefined;
  readonly ask: number | undefined;
  readonly last: number | undefined;
  readonly bidSize: number;
  readonly askSize: number;
  readonly lastSize: number;
  readonly open: number | undefined;
  readonly high: number | undefined;
  readonly low: number | undefined;
  /** Of the session before. */
  readonly close: number | undefined;
  readonly volume: number;
}

export interface NewOrder {
  readonly clientId: number;
  /** Negative for orders that nobody sent through the API: typed into the terminal by hand, as client 0. */
  readonly orderId: number;
  readonly account: string;
  readonly conId: number;
  readonly action: "BUY" | "SELL";
  /** Decimal text as on the wire: exact. */
  readonly quantity: string;
  readonly orderType: string;
  readonly limit: number | undefined;
  readonly auxPrice: number | undefined;
  readonly tif: string;
  readonly outsideRth: boolean;
  readonly orderRef: string;
  readonly transmit: boolean;
  /** For cash orders, decimal text; empty when unset. */
  readonly cashQuantity: string;
}

export interface OrderState {
  readonly order: NewOrder;
  /** Decimal text; unique across clients and restarts. */
  readonly permId: string;
  readonly status:
    | "PendingSubmit"
    | "PreSubmitted"
    | "Submitted"
    | "PendingCancel"
    | "Cancelled"
    | "Filled"
    | "Inactive";
  readonly filled: string;
  readonly remaining: string;
  readonly averagePrice: number;
  readonly lastPrice: number;
  /** Why it ended, for completed orders. */
  readonly completedStatus: string;
  readonly completedUtcMs: number | undefined;
}

export interface Execution {
  readonly execId: string;
  readonly utcMs: number;
  readonly order: OrderState;
  readonly exchange: string;
  readonly side: "BOT" | "SLD";
  /** Decimal text. */
  readonly shares: string;
  readonly price: number;
  readonly cumulative: string;
  readonly averagePrice: number;
  /** Dollars. */
  readonly commission: number;
  /** Undefined when the fill opens a position. */
  readonly realizedPnl: number | undefined;
}

export interface ExecutionFilter {
  readonly clientId?: number;
  readonly account?: string;
  readonly sinceUtcMs?: number;
  readonly symbol?: string;
  readonly side?: "BUY" | "SELL";
}

export interface Position {
  readonly conId: number;
  /** Decimal text. */
  readonly quantity: string;
  /** Dollars a share, commissions included. */
  readonly averageCost: number;
}

/** Dollars with two decimals, as text. */
export interface AccountFigures {
  readonly accountType: string;
  readonly netLiquidation: string;
  readonly totalCashValue: string;
  readonly settledCash: string;
  readonly availableFunds: string;
  readonly buyingPower: string;
  readonly grossPositionValue: string;
  readonly realizedPnl: string;
  readonly unrealizedPnl: string;
}

export interface WhatIf {
  readonly commission: number | undefined;
  readonly initMarginBefore: number;
  readonly initMarginAfter: number;
  readonly equityWithLoanBefore: number;
  readonly equityWithLoanAfter: number;
}

/** What happened to an order. The server decides who hears of it and in which messages. */
export type VenueEvent =
  | { readonly kind: "status"; readonly state: OrderState }
  | { readonly kind: "execution"; readonly execution: Execution }
  | { readonly kind: "commission"; readonly execution: Execution }
  /** About one order: 201, 202, 399, 10243, 10349 … */
  | { readonly kind: "error"; readonly state: OrderState; readonly code: number; readonly message: string };
