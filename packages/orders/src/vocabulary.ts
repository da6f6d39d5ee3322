import type { SessionDate, Ticker } from "@pf/market";

declare const unit: unique symbol;

/** Whole cents of US dollars, a safe integer. Money is added and compared in nothing else. */
export type Cents = number & { readonly [unit]: "cents" };

/** Ten-thousandths of a share, a safe integer: 10,000 is one share, the finest step that brokers keep. */
export type Quantity = number & { readonly [unit]: "1/10000 share" };

export type Side = "buy" | "sell";
export type OrderType = "MKT" | "LMT";

/** One order that shall be sent. Always for the session named in its plan, in regular hours, good for the day. */
export interface OrderIntent {
  /** Ours, the same at every attempt, and echoed by the broker for the life of the order. */
  readonly reference: string;
  readonly symbol: Ticker;
  readonly side: Side;
  readonly quantity: Quantity;
  readonly type: OrderType;
  /** Dollars a share, on the tick; `null` for MKT. */
  readonly limit: number | null;
  /** What it will cost or bring at the price it was planned at, without fees. */
  readonly notional: Cents;
  /** One of a documented list of codes. */
  readonly reason: string;
}

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
