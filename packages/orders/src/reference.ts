import { isCivilDate, type SessionDate, type Ticker } from "@pf/market";
import { OrderReferenceError } from "./errors.js";
import type { Side } from "./vocabulary.js";

/** What an order reference says. */
export interface OrderReference {
  readonly session: SessionDate;
  readonly symbol: Ticker;
  readonly side: Side;
  /** 1 for the plan of the session, 2 and so on for one made anew after `pf resume`. */
  readonly attempt: number;
}

/** The broker keeps the reference with the order; longer ones are in danger of being cut. */
const longest = 40;

/**
 * The name of an order, derived from what it is: `pf/2026-11-16/SPY/buy`, and `pf/2026-11-16/SPY/buy/2` for a second
 * plan of the same session. Sent again after a crash the order has the same name, so that the broker's lists tell what
 * became of it; a new plan has new names, so that no two orders share one.
 *
 * @throws OrderReferenceError when the symbol holds a slash or a space, the attempt is no positive integer, or the text
 *   would be longer than 40 characters
 */
export function orderReference({ session, symbol, side, attempt }: OrderReference): string {
  const reference = `pf/${session}/${symbol}/${side}${attempt === 1 ? "" : `/${attempt}`}`;
  if (!parseOrderReference(reference)) {
    throw new OrderReferenceError(
      reference,
      "its form is pf/SESSION/SYMBOL/SIDE or pf/SESSION/SYMBOL/SIDE/ATTEMPT",
    );
  }
  if (reference.length > longest)
    throw new OrderReferenceError(reference, `it is longer than ${longest} characters`);
  return reference;
}

/** Reads a reference back; `undefined` for one that is not ours, such as another program's. */
export function parseOrderReference(text: string): OrderReference | undefined {
  const match = /^pf\/(\d{4}-\d{2}-\d{2})\/([^/\s]+)\/(buy|sell)(?:\/([2-9]|[1-9]\d+))?$/.exec(text);
  if (!match || !isCivilDate(match[1]!)) return undefined;
  return {
    session: match[1],
    symbol: match[2]!,
    side: match[3] as Side,
    attempt: Number(match[4] ?? "1"),
  };
}
