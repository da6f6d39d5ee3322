import type { SessionDate, Ticker } from "@pf/market";
import { type Cents, cents, formatCents, formatQuantity, notionalCents, type Quantity } from "@pf/orders";
import { type Account, costOf, heldOf, totalCash } from "./account.js";
import { type AccountEvent, foldEvents } from "./events.js";
import type { SettlementCalendar } from "./settlement.js";

/** What the broker says the account holds. */
export interface BrokerFigures {
  /** Settled cash less purchases, `SettledCash`. */
  readonly settledCash: Cents;
  /** All cash, `TotalCashValue`. */
  readonly totalCash: Cents;
  readonly positions: Readonly<Record<Ticker, BrokerPosition>>;
}

export interface BrokerPosition {
  /** Ten-thousandths of a share; below 0 for a short position. */
  readonly quantity: number;
  /** Dollars a share. */
  readonly averageCost: number;
}

/**
 * What the comparison found.
 *
 * - `adopted` first use: the account's cash and holdings are taken over
 * - `external_cash` the broker has more cash than the book: booked
 * - `external_cash_unsettled` the broker has more cash, not settled: not booked, not used
 * - `lenient_settlement` the broker counts as settled what the book does not: not used
 * - `cash_missing` the broker has less cash: nothing may be bought
 * - `settled_cash_missing` the broker counts less as settled: nothing may be bought
 * - `split` shares changed in the ratio of a split, and neither cash nor what they had cost did
 * - `shares_found` the broker holds more shares: booked, as if bought today
 * - `shares_missing` the broker holds fewer: booked, and nothing may be bought
 * - `short_position` the broker holds less than nothing: nothing may be bought
 */
export type NoticeCode =
  | "adopted"
  | "external_cash"
  | "external_cash_unsettled"
  | "lenient_settlement"
  | "cash_missing"
  | "settled_cash_missing"
  | "split"
  | "shares_found"
  | "shares_missing"
  | "short_position";

export interface Notice {
  readonly code: NoticeCode;
  readonly detail: string;
  /** Whether it stops buys. */
  readonly stopsBuys: boolean;
}

export interface Reconciliation {
  /** What to book, in this order, so that the book agrees again. */
  readonly events: readonly AccountEvent[];
  readonly notices: readonly Notice[];
  /** Why nothing may be bought, in words; `null` when it may. */
  readonly buysStopped: string | null;
  /** Cash that both sides take for settled, once the events are booked. */
  readonly settled: Cents;
}

export interface ReconcileOptions {
  readonly session: SessionDate;
  /** Differences up to this are roundings, for a broker counts finer than cents. Default: 5 cents. */
  readonly tolerance?: Cents;
  /** Whether somebody has looked at the differences and wants them booked in either direction. Default: no. */
  readonly isAccepted?: boolean;
}

/**
 * Compares the book with the broker's figures, and says what to book. The broker is right about what is there; the book
 * is right about what is settled. What makes the account richer is booked with a notice; what makes it poorer stops buys
 * until somebody has accepted it. An account that nothing has happened to adopts everything: its shares count as settled
 * only if all of the broker's cash does.
 *
 * All executions the broker knows have to be booked before.
 */
export function reconcile(
  account: Account,
  broker: BrokerFigures,
  options: ReconcileOptions,
  calendar: SettlementCalendar,
): Reconciliation {
  const isFirst = account.session === null;
  const { events, notices } = isFirst
    ? adoption(broker, options, calendar)
    : comparison(account, broker, options);
  const stops = notices.filter(({ stopsBuys }) => stopsBuys);
  const settled = foldEvents(events, calendar, account).settled;
  return {
    events,
    notices,
    buysStopped: stops.length > 0 ? stops.map(({ detail }) => detail).join("; ") : null,
    settled: cents(Math.min(settled, broker.settledCash)),
  };
}

interface Found {
  readonly events: AccountEvent[];
  readonly notices: Notice[];
}

function adoption(broker: BrokerFigures, options: ReconcileOptions, calendar: SettlementCalendar): Found {
  const { session } = options;
  const found: Found = { events: [{ kind: "day", session }], notices: [] };
  const settled = cents(Math.min(broker.settledCash, broker.totalCash));
  const rest = cents(broker.totalCash - settled);
  const isSettled = rest <= toleranceOf(options);
  const isCash = { kind: "cash", session, reason: "deposit" } as const;
  if (isSettled) found.events.push({ ...isCash, amount: broker.totalCash });
  else {
    const settles = calendar.settleDate(session);
    found.events.push({ ...isCash, amount: settled }, { ...isCash, amount: rest, settles });
  }
  const words = isSettled
    ? "taken for settled, because all cash is"
    : "not taken for settled, because not all cash is";
  for (const [symbol, { quantity, averageCost }] of Object.entries(broker.positions)) {
    if (quantity < 0) found.notices.push(shortNotice(symbol, quantity));
    if (quantity <= 0) continue;
    const held = quantity as Quantity;
    found.events.push({
      kind: "adopted",
      session,
      symbol,
      quantity: held,
      cost: costAt(held, averageCost),
      isSettled,
    });
    found.notices.push({
      code: "adopted",
      detail: `${formatQuantity(held)} ${symbol} adopted, bought nobody knows when, ${words}`,
      stopsBuys: false,
    });
  }
  found.notices.push({
    code: "adopted",
    detail: isSettled
      ? `${formatCents(broker.totalCash)} of cash adopted`
      : `${formatCents(broker.totalCash)} of cash adopted, of which ${formatCents(settled)} has settled`,
    stopsBuys: false,
  });
  return found;
}

function comparison(account: Account, broker: BrokerFigures, options: ReconcileOptions): Found {
  const found: Found = { events: [], notices: [] };
  const tolerance = toleranceOf(options);
  const total = broker.totalCash - totalCash(account);
  const settled = broker.settledCash - account.settled;
  compareCash(found, total, settled, options);
  const symbols = new Set([...Object.keys(account.lots), ...Object.keys(broker.positions)]);
  for (const symbol of [...symbols].sort()) {
    comparePosition(found, account, symbol, broker.positions[symbol], Math.abs(total) <= tolerance, options);
  }
  return found;
}

function compareCash(found: Found, total: number, settled: number, options: ReconcileOptions): void {
  const { session, isAccepted = false } = options;
  const tolerance = toleranceOf(options);
  const book = (amount: number, reason: "external" | "rounding") =>
    found.events.push({ kind: "cash", session, amount: cents(amount), reason });
  if (total < -tolerance) {
    if (isAccepted) book(total, "external");
    const detail = `the broker has ${formatCents(cents(-total))} less cash than the book`;
    found.notices.push(
      isAccepted
        ? { code: "external_cash", detail: `${detail}: accepted and booked`, stopsBuys: false }
        : { code: "cash_missing", detail, stopsBuys: true },
    );
    return;
  }
  // More cash counts as settled only as far as the broker takes it for settled too.
  const usable = Math.max(0, Math.min(total, settled));
  if (total > tolerance) {
    if (usable > 0) {
      book(usable, "external");
      const detail = `${formatCents(cents(usable))} of cash came in without a fill: booked as an external movement`;
      found.notices.push({ code: "external_cash", detail, stopsBuys: false });
    }
    if (total - usable > tolerance) {
      const detail = `${formatCents(cents(total - usable))} more that the broker shows has not settled and is not used`;
      found.notices.push({ code: "external_cash_unsettled", detail, stopsBuys: false });
    }
  } else if (total * settled > 0) {
    book(Math.sign(total) * Math.min(Math.abs(total), Math.abs(settled)), "rounding");
  }
  if (settled - usable > tolerance) {
    const detail = `the broker takes ${formatCents(cents(settled - usable))} for settled that the book does not: not used`;
    found.notices.push({ code: "lenient_settlement", detail, stopsBuys: false });
  }
  if (settled < -tolerance) {
    const less = `the broker takes ${formatCents(cents(-settled))} less for settled than the book`;
    const detail = isAccepted ? `${less}: accepted, and not used` : less;
    found.notices.push({ code: "settled_cash_missing", detail, stopsBuys: !isAccepted });
  }
}

function comparePosition(
  found: Found,
  account: Account,
  symbol: Ticker,
  position: BrokerPosition | undefined,
  isCashEqual: boolean,
  { session, isAccepted = false }: ReconcileOptions,
): void {
  const [ours, theirs] = [heldOf(account, symbol), position?.quantity ?? 0];
  if (theirs === ours) return;
  if (theirs < 0) {
    found.notices.push(shortNotice(symbol, theirs));
    return;
  }
  const counts = `the broker holds ${formatQuantity(theirs as Quantity)} ${symbol}, the book ${formatQuantity(ours)}`;
  const ratio = isCashEqual ? splitRatio(ours, theirs) : undefined;
  if (ratio && isCostEqual(costOf(account, symbol), theirs, position!.averageCost, ratio)) {
    const [numerator, denominator] = ratio;
    found.events.push({ kind: "split", session, symbol, numerator, denominator });
    const detail = `${counts}, and cash has not moved: booked as a split, ${numerator} for ${denominator}`;
    found.notices.push({ code: "split", detail, stopsBuys: false });
  } else if (theirs > ours) {
    const quantity = (theirs - ours) as Quantity;
    const cost = costAt(quantity, position!.averageCost);
    found.events.push({ kind: "adopted", session, symbol, quantity, cost, isSettled: false });
    found.notices.push({
      code: "shares_found",
      detail: `${counts}: booked as if bought today`,
      stopsBuys: false,
    });
  } else {
    const quantity = (ours - theirs) as Quantity;
    found.events.push({ kind: "removed", session, symbol, quantity });
    const detail = `${counts}: booked out`;
    found.notices.push({ code: "shares_missing", detail, stopsBuys: !isAccepted });
  }
}

const usualSplits: readonly (readonly [number, number])[] = [
  ...Array.from({ length: 99 }, (_, at) => [at + 2, 1] as const),
  [3, 2],
  [4, 3],
  [5, 2],
  [5, 4],
];

/** The ratio of a split that turns one holding exactly into the other, if a usual one does. */
function splitRatio(ours: number, theirs: number): readonly [number, number] | undefined {
  if (ours === 0 || theirs === 0) return undefined;
  for (const [more, less] of usualSplits) {
    if (ours * more === theirs * less) return [more, less];
    if (ours * less === theirs * more) return [less, more];
  }
  return undefined;
}

/**
 * Whether what the shares had cost is nearer to what it was than to what it would be had shares of that cost come or gone
 * beside the account, as in a transfer. A split leaves it as it was; methods to count it differ by less than the ratio of
 * any split.
 */
function isCostEqual(
  ours: Cents,
  theirs: number,
  averageCost: number,
  [numerator, denominator]: readonly [number, number],
): boolean {
  const now = costAt(theirs as Quantity, averageCost);
  if (!(ours > 0 && now > 0)) return false;
  return Math.abs(Math.log(now / ours)) < Math.abs(Math.log(numerator / denominator)) / 2;
}

function shortNotice(symbol: Ticker, quantity: number): Notice {
  const shares = formatQuantity(-quantity as Quantity);
  return {
    code: "short_position",
    detail: `the broker is short of ${shares} ${symbol}, which a cash account cannot be`,
    stopsBuys: true,
  };
}

function costAt(quantity: Quantity, averageCost: number): Cents {
  return averageCost > 0 ? notionalCents(quantity, averageCost) : cents(0);
}

function toleranceOf({ tolerance = cents(5) }: ReconcileOptions): Cents {
  return tolerance;
}
