import type { SessionDate, Ticker, Weights } from "@pf/market";
import type { CommissionPlan } from "./commission.js";
import type { Cents, Quantity } from "./money.js";
import type { OrderIntent, OrderReason, OrderType } from "./vocabulary.js";

/** What to hold, as fractions of equity. A decision of the strategy is one by its shape. */
export interface Targets {
  readonly asOf: SessionDate;
  readonly weights: Weights;
}

/** What a share costs now. */
export interface Quote {
  /** Dollars a share, unadjusted: what sizes are computed with. */
  readonly price: number;
  readonly bid: number | null;
  readonly ask: number | null;
  /** Smallest step of a limit price, in dollars. */
  readonly tick: number;
  /** `bar`: the price of a bar, as the account engine has it. A limit price needs `live`. */
  readonly feed: "live" | "delayed" | "bar";
  /** When the price was made; `null` where nobody says. */
  readonly atUtcMs: number | null;
}

export type Quotes = Readonly<Record<Ticker, Quote>>;

/** What is held of a symbol, and what of it may be sold today. */
export interface Holding {
  readonly quantity: Quantity;
  readonly sellable: Quantity;
  /** The first session on which more of it may be sold; `null` when nobody can say. */
  readonly moreFrom: SessionDate | null;
}

/** Cash that can be used from a later session on. */
export interface ComingCash {
  readonly amount: Cents;
  readonly usable: SessionDate;
}

/** The account as planning needs it, made by `@pf/compliance` from the ledger. */
export interface AccountSnapshot {
  /** The account's id, which the plan carries so that it reaches no other. */
  readonly account: string;
  readonly session: SessionDate;
  /** 1, or more where the session is planned anew. */
  readonly attempt: number;
  /** All cash, settled or not. */
  readonly cash: Cents;
  /** What may be used to buy today: settled cash less open buys. */
  readonly spendable: Cents;
  /** The rest of the cash, ascending. */
  readonly coming: readonly ComingCash[];
  /** When the proceeds of today's sales can be used. */
  readonly proceedsUsable: SessionDate;
  readonly positions: Readonly<Record<Ticker, Holding>>;
  /** Orders of this session that were sent already. */
  readonly ordersSent: number;
  /** Why nothing may be bought, in words; `null` when it may. */
  readonly buysStopped: string | null;
}

export interface OrderRules {
  /** The symbols that are ours to trade; the first wins ties. */
  readonly universe: readonly Ticker[];
  readonly orderType: OrderType;
  /** Basis points that a limit price is moved from the middle of bid and ask, towards the market. */
  readonly limitOffsetBps: number;
  /** Orders a session. */
  readonly maxOrders: number;
  /** One share for whole shares, less for fractions. */
  readonly quantityStep: Quantity;
  /** A buy, or a sale that keeps some, worth less is left alone. */
  readonly minNotional: Cents;
  /** Fraction of equity that is never invested. */
  readonly cashBuffer: number;
  readonly commission: CommissionPlan;
  /**
   * Whether reasons are also put into words. A backtest makes thousands of plans that nobody reads.
   *
   * @defaultValue true
   */
  readonly inWords?: boolean;
}

/**
 * Why nothing, or less than wanted, is ordered.
 *
 * - `on_target` what is held is the target, in steps that can be traded
 * - `stub` less is left than can be traded, so it is left alone
 * - `below_minimum` the order would be worth less than the smallest one
 * - `outside_universe` it is not ours to trade
 * - `waits_for_settlement` the money for it has not settled; planned again when it has
 * - `cash_short` there is not enough money, and none is coming
 * - `unsettled_lots` selling it now would be a good-faith or free-riding violation
 * - `no_order_left` the orders of the session are used up; planned again the next session
 * - `no_quote` there is no price, for it or for something else that is held
 * - `limit_needs_live_quote` a limit price needs a live bid and ask
 * - `buys_stopped` a check stopped buying
 */
export type NoOrderReason = "on_target" | "stub" | "below_minimum" | "outside_universe" | DeferReason;

export type DeferReason =
  | "waits_for_settlement"
  | "cash_short"
  | "unsettled_lots"
  | "no_order_left"
  | "no_quote"
  | "limit_needs_live_quote"
  | "buys_stopped";

/** What was wanted and is not ordered now. */
export interface Deferred {
  readonly quantity: Quantity;
  readonly reason: DeferReason;
  /** The first session on which it can be done, as far as known. */
  readonly until: SessionDate | null;
}

/** One symbol of a plan: what is held, what is wanted, what is done about it and why. */
export interface PlanLine {
  readonly symbol: Ticker;
  readonly price: number | null;
  readonly held: Quantity;
  readonly targetWeight: number;
  /** The target in shares that can be traded; `null` when it cannot be told or is not ours to say. */
  readonly wanted: Quantity | null;
  readonly action: "buy" | "sell" | "none";
  /** Ordered now; 0 for none. */
  readonly quantity: Quantity;
  readonly reason: OrderReason | NoOrderReason;
  /** The reason in words, with the numbers. */
  readonly detail: string;
  readonly deferred: Deferred | null;
  readonly reference: string | null;
  /** What the order does not reach, filled at the price of the plan: what is then held less the target. */
  readonly drift: { readonly weight: number; readonly notional: Cents } | null;
}

/** The money of a plan, at its prices. */
export interface PlanCash {
  readonly spendable: Cents;
  /** Kept of it, whatever is bought. */
  readonly buffer: Cents;
  /** Of the buys, fees included. */
  readonly cost: Cents;
  /** Of the sales, fees taken off. */
  readonly proceeds: Cents;
  /** Of both. */
  readonly fees: Cents;
}

/** What shall be sent, and why; a plain value that can be printed, kept and compared. */
export interface OrderPlan {
  readonly account: string;
  readonly session: SessionDate;
  readonly attempt: number;
  /** The session whose bar decided. */
  readonly asOf: SessionDate;
  /** Sells before buys, the largest first. */
  readonly intents: readonly OrderIntent[];
  /** The universe in its order, then what is held beside it. */
  readonly lines: readonly PlanLine[];
  /** Cash and what is held of the universe; `null` while a price is missing. */
  readonly equity: Cents | null;
  readonly cash: PlanCash;
  /** Whether nothing is left to be done another session. */
  readonly isComplete: boolean;
}
