import type { SessionDate, Ticker } from "@pf/market";
import { newYorkDateOf } from "@pf/market";
import type { Quantity, Side } from "@pf/orders";
import { quantityOf } from "../account/decimal.js";
import { ProtocolError } from "../errors.js";
import type { LinkEvents } from "../session/events.js";
import { dayOf, instantOf } from "../session/instants.js";

/** One thing learned about orders, from whatever message. Learning it twice, or later, changes nothing. */
export type OrderMessage =
  /** We are about to send it. */
  | {
      readonly kind: "intended";
      readonly reference: string;
      readonly clientId: number;
      readonly orderId: number;
      readonly symbol: Ticker;
      readonly side: Side;
      readonly quantity: Quantity;
    }
  /** TWS shows the order: open, or completed (then it has no order id any more). */
  | {
      readonly kind: "order";
      readonly reference: string;
      readonly clientId: number | undefined;
      readonly orderId: number | undefined;
      readonly permId: string | undefined;
      readonly account: string;
      readonly symbol: Ticker;
      readonly side: Side;
      /** Of a completed order only where it was filled: TWS lists what was left of it, not what it was. */
      readonly quantity: Quantity | undefined;
      readonly status: string;
      /** Why it ended, in the broker's words, of a completed order. */
      readonly why: string;
    }
  | {
      readonly kind: "status";
      readonly clientId: number;
      readonly orderId: number;
      readonly permId: string | undefined;
      readonly status: string;
    }
  | ({ readonly kind: "execution" } & ExecutionFact)
  | {
      readonly kind: "commission";
      readonly execId: string;
      readonly commission: number;
      readonly currency: string;
    }
  | {
      readonly kind: "error";
      readonly clientId: number;
      readonly orderId: number;
      readonly code: number;
      readonly message: string;
    }
  /** What asking made of an order that seemed over, or that nobody answered for. */
  | {
      readonly kind: "settled";
      readonly reference: string;
      readonly outcome:
        | { readonly kind: "cancelled"; readonly reason: string }
        | { readonly kind: "rejected"; readonly brokerCode: number; readonly message: string }
        | { readonly kind: "unknown"; readonly reason: string };
    };

/** One execution as the broker reports it. */
export interface ExecutionFact {
  /** The part after the last dot counts corrections of the same execution. */
  readonly execId: string;
  /** Empty when the order has none. */
  readonly reference: string;
  readonly clientId: number;
  readonly orderId: number;
  readonly permId: string | undefined;
  readonly account: string;
  readonly symbol: Ticker;
  readonly side: Side;
  readonly quantity: Quantity;
  /** Dollars a share. */
  readonly price: number;
  readonly session: SessionDate;
  /** As the broker wrote it. */
  readonly time: string;
}

/** Where `openOrder`, `execDetails` and `completedOrder` name the kind of contract, and the account. */
const subjects: Readonly<Record<string, readonly [secType: number, account: number]>> = {
  "5": [4, 20],
  "11": [5, 16],
  "101": [3, 19],
};

/**
 * Whether an order or an execution is about shares in this account. What else passes by is not read any further: an
 * expired option is executed at 0 dollars, and neither that nor another account's order may spoil an answer about ours.
 */
export function isAboutShares(account: string, fields: readonly string[]): boolean {
  const [secType, owner] = subjects[fields[0] ?? ""] ?? [-1, -1];
  return fields[secType] === "STK" && fields[owner] === account;
}

/**
 * Reads an `openOrder`. Ids and sizes come from the fields on the wire: the library turns them into doubles, which do
 * not hold a permId of 64 bits.
 */
export function readOpenOrder(
  [, , , state]: LinkEvents["openOrder"],
  fields: readonly string[],
): OrderMessage {
  return {
    kind: "order",
    reference: field(fields, 23),
    clientId: integer(field(fields, 24)),
    orderId: integer(field(fields, 1)),
    permId: permIdOf(field(fields, 25)),
    account: field(fields, 20),
    symbol: field(fields, 3),
    side: sideOf(field(fields, 13)),
    quantity: sharesIn(field(fields, 14)),
    status: String(state.status),
    why: "",
  };
}

export function readCompletedOrder(
  [, , state]: LinkEvents["completedOrder"],
  fields: readonly string[],
): OrderMessage {
  return {
    kind: "order",
    reference: field(fields, 22),
    clientId: undefined,
    orderId: undefined,
    permId: permIdOf(field(fields, 23)),
    account: field(fields, 19),
    symbol: field(fields, 2),
    side: sideOf(field(fields, 12)),
    quantity: String(state.status) === "Filled" ? sharesIn(field(fields, 13)) : undefined,
    status: String(state.status),
    why: state.completedStatus ?? "",
  };
}

export function readOrderStatus(fields: readonly string[]): OrderMessage {
  return {
    kind: "status",
    orderId: integer(field(fields, 1)),
    status: field(fields, 2),
    permId: permIdOf(field(fields, 6)),
    clientId: integer(field(fields, 9)),
  };
}

export function readExecution(fields: readonly string[]): OrderMessage {
  const time = field(fields, 15);
  const execId = field(fields, 14);
  const price = Number(field(fields, 20));
  if (execId === "" || !(price > 0))
    throw new ProtocolError(`execution ${JSON.stringify(execId)} at price ${price}`);
  return {
    kind: "execution",
    execId,
    reference: field(fields, 26),
    clientId: integer(field(fields, 22)),
    orderId: integer(field(fields, 2)),
    permId: permIdOf(field(fields, 21)),
    account: field(fields, 16),
    symbol: field(fields, 4),
    side: sideOf(field(fields, 18)),
    quantity: sharesIn(field(fields, 19)),
    price,
    session: sessionOf(time),
    time,
  };
}

/** Nothing when the report says no amount yet. */
export function readCommission([report]: LinkEvents["commissionReport"]): OrderMessage | undefined {
  const { execId, commission, currency } = report;
  if (!execId || commission === undefined || !Number.isFinite(commission)) return undefined;
  return { kind: "commission", execId, commission, currency: currency ?? "" };
}

/**
 * The session of an execution from the time the broker gave it: `20260413 15:27:04 US/Eastern`, `20260413-19:27:04` (UTC)
 * or `20230224  12:04:56` (the zone TWS is set to, taken for New York's).
 */
export function sessionOf(time: string): SessionDate {
  const match = /^(\d{8})(-| +)\d{2}:\d{2}:\d{2}(?: (.+))?$/.exec(time);
  const day = match ? dayOf(match[1]!) : undefined;
  if (!match || !day) throw new ProtocolError(`${JSON.stringify(time.slice(0, 40))} where a time should be`);
  const zone = match[2] === "-" ? "UTC" : match[3];
  if (zone === undefined || /^(US\/Eastern|America\/New_York|EST|EDT)$/.test(zone)) return day;
  const at = instantOf(time);
  return at === undefined ? day : newYorkDateOf(at);
}

function field(fields: readonly string[], at: number): string {
  const text = fields[at];
  if (text === undefined) throw new ProtocolError(`message ${fields[0]} has ${fields.length} fields`);
  return text;
}

function integer(text: string): number {
  const value = Number(text);
  if (!/^-?\d{1,15}$/.test(text))
    throw new ProtocolError(`${JSON.stringify(text.slice(0, 40))} where an id should be`);
  return value;
}

/** 0 before the broker has numbered the order; the largest and smallest longs mean unset. */
function permIdOf(text: string): string | undefined {
  return /^[1-9]\d{0,18}$/.test(text) && text !== "9223372036854775807" && text !== "2147483647"
    ? text
    : undefined;
}

function sideOf(text: string): Side {
  if (text === "BUY" || text === "BOT") return "buy";
  if (text === "SELL" || text === "SLD" || text === "SSHORT") return "sell";
  throw new ProtocolError(`${JSON.stringify(text.slice(0, 40))} where a side should be`);
}

function sharesIn(text: string): Quantity {
  const quantity = quantityOf(text);
  if (quantity === undefined || quantity < 0) throw new ProtocolError(`${JSON.stringify(text)} shares`);
  return quantity;
}
