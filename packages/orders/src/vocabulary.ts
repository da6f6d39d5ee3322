import type { SessionDate, Ticker } from "@pf/market";
import type { Cents, Quantity } from "./money.js";

export type Side = "buy" | "sell";
export type OrderType = "MKT" | "LMT";

/** One order that shall be sent. Always for the session named in its plan, in regular hours, good for the day. */
export interface OrderIntent {
  /** Ours, as {@link orderReference} forms it; the same after a crash, echoed by the broker for the life of the order. */
  readonly reference: string;
  readonly symbol: Ticker;
  readonly side: Side;
  readonly quantity: Quantity;
  readonly type: OrderType;
  /** Dollars a share, on the tick; `null` for MKT. */
  readonly limit: number | null;
  /** What it will cost or bring at the price it was planned at, without fees. */
  readonly notional: Cents;
  /** Why it is sent. */
  readonly reason: OrderReason;
  /** The same in words, with the numbers. */
  readonly detail: string;
}

/**
 * Why an order is sent.
 *
 * `enter` nothing of it was held · `increase` more of what is held · `reduce` less of it · `exit` none of it any more
 */
export type OrderReason = "enter" | "increase" | "reduce" | "exit";

/** What an account, seen from its broker, does with an order; joined by reference and execution id. */
export type OrderEvent =
  | {
      readonly kind: "acknowledged";
      readonly reference: string;
      readonly permId: string;
      readonly orderId: number;
    }
  | {
      readonly kind: "partiallyFilled" | "filled";
      readonly reference: string;
      readonly permId: string;
      readonly execId: string;
      readonly symbol: Ticker;
      readonly side: Side;
      /** Of this execution. */
      readonly quantity: Quantity;
      /** Dollars a share, of this execution. */
      readonly price: number;
      readonly session: SessionDate;
      /** As the broker wrote it. */
      readonly time: string;
    }
  | {
      readonly kind: "commission";
      readonly reference: string;
      readonly execId: string;
      /** Dollars, as the broker states them: may be finer than a cent. */
      readonly commission: number;
    }
  | { readonly kind: "cancelled"; readonly reference: string; readonly reason: string }
  | {
      readonly kind: "rejected";
      readonly reference: string;
      readonly brokerCode: number;
      readonly message: string;
    }
  | { readonly kind: "unknown"; readonly reference: string; readonly reason: string };
