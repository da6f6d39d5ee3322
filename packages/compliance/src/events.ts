import { dateOfDayNumber, dayNumber, type SessionDate, type Ticker } from "@pf/market";
import {
  type Cents,
  cents,
  formatCents,
  formatQuantity,
  isCents,
  isQuantity,
  notionalCents,
  type Quantity,
  type Side,
} from "@pf/orders";
import {
  type Account,
  emptyAccount,
  heldOf,
  type Lot,
  type Pending,
  type Valuation,
  type Violation,
  type ViolationKind,
} from "./account.js";
import { LedgerEventError } from "./errors.js";
import type { SettlementCalendar } from "./settlement.js";

/** Why cash moved without a fill. */
export type CashReason =
  | "deposit"
  | "withdrawal"
  | "dividend"
  | "interest"
  | "fee"
  /** Found when the broker's figures were compared; whatever it was. */
  | "external"
  /** The broker counts finer than cents. */
  | "rounding";

/** What happens to an account. Sessions never go back; the first event of a later one starts its day by itself. */
export type AccountEvent =
  /** The start of a session: what settles up to it becomes settled, orders of the day before are gone. */
  | { readonly kind: "day"; readonly session: SessionDate }
  /** A plan was approved: noted before its first order. */
  | {
      readonly kind: "rebalanced";
      readonly session: SessionDate;
      readonly attempt: number;
      readonly references: readonly string[];
    }
  /** An order is about to be sent. */
  | {
      readonly kind: "ordered";
      readonly session: SessionDate;
      readonly reference: string;
      readonly symbol: Ticker;
      readonly side: Side;
      readonly quantity: Quantity;
      /** Cash to keep back for it; 0 for a sale. */
      readonly reserved: Cents;
    }
  /** An order that was noted never reached the broker, who was asked: it may be noted and sent again. */
  | { readonly kind: "unsent"; readonly session: SessionDate; readonly reference: string }
  /** An order will not be filled any further: filled, cancelled, rejected, expired. */
  | { readonly kind: "closed"; readonly session: SessionDate; readonly reference: string }
  | {
      readonly kind: "fill";
      readonly session: SessionDate;
      /** `null` for an order that was not noted as sent. */
      readonly reference: string | null;
      /** An execution that was booked in this session is not booked again. `null` where there are no ids. */
      readonly execId: string | null;
      readonly symbol: Ticker;
      readonly side: Side;
      readonly quantity: Quantity;
      /** Dollars a share. */
      readonly price: number;
      /** Commission and fees known with the fill; 0 where they come later. */
      readonly fees: Cents;
    }
  /** Commission or fees of a fill that was booked without. */
  | {
      readonly kind: "fee";
      readonly session: SessionDate;
      readonly execId: string | null;
      readonly amount: Cents;
    }
  | {
      readonly kind: "cash";
      readonly session: SessionDate;
      /** Above 0 in, below 0 out. */
      readonly amount: Cents;
      readonly reason: CashReason;
      /** When it can be used, if not at once. */
      readonly settles?: SessionDate;
    }
  /** `numerator` new shares for `denominator` old ones; less than a ten-thousandth of a share is lost, its cash comes by itself. */
  | {
      readonly kind: "split";
      readonly session: SessionDate;
      readonly symbol: Ticker;
      readonly numerator: number;
      readonly denominator: number;
    }
  /** Shares that the broker holds and the book does not. */
  | {
      readonly kind: "adopted";
      readonly session: SessionDate;
      readonly symbol: Ticker;
      readonly quantity: Quantity;
      readonly cost: Cents;
      /** Whether they may be taken for settled; else they settle as if bought in this session. */
      readonly isSettled: boolean;
    }
  /** Shares that the book holds and the broker does not. */
  | {
      readonly kind: "removed";
      readonly session: SessionDate;
      readonly symbol: Ticker;
      readonly quantity: Quantity;
    }
  /** What the account is worth, as `equityOf` counts it, for the brakes; once a session, after its trading. */
  | { readonly kind: "valued"; readonly session: SessionDate; readonly equity: Cents };

/** Days that a restriction lasts after the sale (Reg T 220.8(c)). */
const restrictionDays = 90;
/** Day trades older than this cannot be among the last five sessions. */
const dayTradeMemoryDays = 30;

/**
 * Books one event. Fills are facts: what they break is noted as a violation, never refused. Pure: the account given is
 * left as it is; an event without effect gives the same account back.
 *
 * Purchases are paid from settled cash, then from pending cash, earliest first, and what neither covers is owed. Sales go
 * first in, first out; their proceeds less fees are pending until they settle.
 *
 * @throws LedgerEventError when it cannot have happened: a session before the account's, more sold than held, an amount
 *   that is no amount
 * @throws CalendarRangeError when a settlement day lies outside the calendar
 */
export function applyEvent(account: Account, event: AccountEvent, calendar: SettlementCalendar): Account {
  const today = startOfDay(account, event);
  switch (event.kind) {
    case "day":
      return today;
    case "rebalanced":
      return {
        ...today,
        rebalanced: { session: event.session, attempt: event.attempt, references: event.references },
      };
    case "ordered":
      return ordered(today, event);
    case "unsent":
      return unsent(today, event);
    case "closed":
      return closed(today, event.reference);
    case "fill":
      return filled(today, event, calendar);
    case "fee":
      return feeCharged(today, event);
    case "cash":
      return cashMoved(today, event);
    case "split":
      return split(today, event);
    case "adopted":
      return adopted(today, event, calendar);
    case "removed":
      return withLots(today, event.symbol, takeLots(today, event.symbol, event.quantity, event).rest);
    case "valued":
      return valued(today, event);
  }
}

/** Books a list of events, oldest first, from an empty account or from a given one. */
export function foldEvents(
  events: Iterable<AccountEvent>,
  calendar: SettlementCalendar,
  from: Account = emptyAccount,
): Account {
  let account = from;
  for (const event of events) account = applyEvent(account, event, calendar);
  return account;
}

type EventOf<Kind extends AccountEvent["kind"]> = Extract<AccountEvent, { readonly kind: Kind }>;

function startOfDay(account: Account, event: AccountEvent): Account {
  const { session } = event;
  if (account.session !== null && session <= account.session) {
    if (session < account.session) throw wrong(event, `the account already stands at ${account.session}`);
    return account;
  }
  let today: Account = { ...account, session };
  if (account.orders.length > 0) today = { ...today, orders: [] };
  if (account.executions.length > 0) today = { ...today, executions: [] };
  if (account.boughtToday.length > 0) today = { ...today, boughtToday: [] };
  const [oldest] = account.dayTrades;
  if (oldest && dayNumber(session) - dayNumber(oldest.session) > dayTradeMemoryDays) {
    const recent = ({ session: of }: { session: SessionDate }) =>
      dayNumber(session) - dayNumber(of) <= dayTradeMemoryDays;
    today = { ...today, dayTrades: account.dayTrades.filter(recent) };
  }
  while (today.pending.length > 0 && today.pending[0]!.settles <= session) {
    const { amount, settles } = today.pending[0]!;
    today = credited({ ...today, pending: today.pending.slice(1) }, amount, settles);
  }
  return today;
}

function ordered(account: Account, event: EventOf<"ordered">): Account {
  requireQuantity(event, event.quantity);
  requireCents(event, event.reserved);
  const { reference, symbol, side, quantity, reserved } = event;
  // The same order noted again, after a crash between the note and the act, is one order.
  if (account.orders.some((order) => order.reference === reference)) return account;
  return { ...account, orders: [...account.orders, { reference, symbol, side, open: quantity, reserved }] };
}

function unsent(account: Account, event: EventOf<"unsent">): Account {
  const orders = account.orders.filter(({ reference }) => reference !== event.reference);
  return orders.length === account.orders.length ? account : { ...account, orders };
}

function closed(account: Account, reference: string): Account {
  if (
    !account.orders.some((order) => order.reference === reference && (order.open > 0 || order.reserved > 0))
  )
    return account;
  return {
    ...account,
    orders: account.orders.map((order) =>
      order.reference === reference ? { ...order, open: 0 as Quantity, reserved: cents(0) } : order,
    ),
  };
}

function filled(account: Account, event: EventOf<"fill">, calendar: SettlementCalendar): Account {
  requireQuantity(event, event.quantity);
  requireCents(event, event.fees);
  if (event.execId !== null && account.executions.includes(event.execId)) return account;
  const known =
    event.execId === null ? account : { ...account, executions: [...account.executions, event.execId] };
  const notional = notionalCents(event.quantity, event.price);
  const open = fillOrder(known, event.reference, event.quantity);
  return event.side === "buy"
    ? bought(open, event, notional, calendar)
    : sold(open, event, notional, calendar);
}

function fillOrder(account: Account, reference: string | null, quantity: Quantity): Account {
  if (reference === null || account.orders.length === 0) return account;
  return {
    ...account,
    orders: account.orders.map((order) => {
      if (order.reference !== reference) return order;
      const open = Math.max(0, order.open - quantity) as Quantity;
      // Rounded up: what is kept back is never less than in proportion.
      const reserved =
        open === 0 ? 0 : order.reserved - proportion(order.reserved, order.open - open, order.open);
      return { ...order, open, reserved: cents(reserved) };
    }),
  };
}

function bought(
  account: Account,
  event: EventOf<"fill">,
  notional: Cents,
  calendar: SettlementCalendar,
): Account {
  const cost = cents(notional + event.fees);
  const { account: paid, until, missing } = pay(account, cost, event.session);
  const lot: Lot = {
    quantity: event.quantity,
    cost,
    traded: event.session,
    settles: calendar.settleDate(event.session),
    paid: missing > 0 ? null : until,
    unpaid: missing,
    execId: event.execId,
  };
  const lots = [...(account.lots[event.symbol] ?? []), lot];
  const boughtToday = account.boughtToday.includes(event.symbol)
    ? account.boughtToday
    : [...account.boughtToday, event.symbol];
  return { ...paid, lots: { ...paid.lots, [event.symbol]: lots }, boughtToday };
}

function sold(
  account: Account,
  event: EventOf<"fill">,
  notional: Cents,
  calendar: SettlementCalendar,
): Account {
  const { symbol, session, execId } = event;
  const { taken, rest } = takeLots(account, symbol, event.quantity, event);
  const proceeds = cents(notional - event.fees);
  const settles = calendar.settleDate(session);
  const cost = taken.reduce((sum, lot) => sum + lot.cost, 0);
  let after = withLots(account, symbol, rest);
  after = {
    ...after,
    pending: withPending(after.pending, { amount: proceeds, settles, execId }),
    realized: cents(after.realized + proceeds - cost),
  };
  if (account.boughtToday.includes(symbol)) {
    after = {
      ...after,
      boughtToday: account.boughtToday.filter((one) => one !== symbol),
      dayTrades: [...account.dayTrades, { session, symbol }],
    };
  }
  const kind = violationOf(taken, after, session, settles);
  return kind ? violated(after, { kind, session, symbol }) : after;
}

/** The worst of what a sale of these lots breaks. */
function violationOf(
  taken: readonly Lot[],
  after: Account,
  session: SessionDate,
  settles: SessionDate,
): ViolationKind | undefined {
  if (taken.some(({ paid }) => paid === null)) return "free_riding";
  if (taken.some(({ paid }) => paid! > session)) return "good_faith";
  if (after.settled < 0) {
    // Cash for an older purchase is missing on its settlement day, and this sale brings it only after that.
    for (const lots of Object.values(after.lots)) {
      for (const { unpaid, traded, settles: due } of lots) {
        if (unpaid > 0 && traded! < session && due! < settles) return "cash_liquidation";
      }
    }
  }
  return taken.some(({ settles: due }) => due !== null && due > session) ? "end_of_day" : undefined;
}

function violated(account: Account, violation: Violation): Account {
  const until = dateOfDayNumber(dayNumber(violation.session) + restrictionDays);
  return { ...account, violations: [...account.violations, violation], restrictedUntil: until };
}

function feeCharged(account: Account, event: EventOf<"fee">): Account {
  requireCents(event, event.amount);
  const { execId, amount, session } = event;
  const sale = execId === null ? undefined : account.pending.find((pending) => pending.execId === execId);
  if (sale) {
    return {
      ...account,
      pending: account.pending.map((pending) =>
        pending === sale ? { ...pending, amount: cents(pending.amount - amount) } : pending,
      ),
      realized: cents(account.realized - amount),
    };
  }
  const { account: paid, until, missing } = pay(account, amount, session);
  for (const [symbol, lots] of Object.entries(paid.lots)) {
    const lot = execId === null ? undefined : lots.find((one) => one.execId === execId);
    if (!lot) continue;
    const unpaid = cents(lot.unpaid + missing);
    const later = lot.paid !== null && until > lot.paid ? until : lot.paid;
    const changed: Lot = {
      ...lot,
      cost: cents(lot.cost + amount),
      unpaid,
      paid: unpaid > 0 ? null : later,
    };
    return { ...paid, lots: { ...paid.lots, [symbol]: lots.map((one) => (one === lot ? changed : one)) } };
  }
  return { ...paid, realized: cents(paid.realized - amount) };
}

function cashMoved(account: Account, event: EventOf<"cash">): Account {
  requireCents(event, event.amount);
  const { amount, reason, settles, session } = event;
  const isFlow = reason === "deposit" || reason === "withdrawal" || reason === "external";
  const after = isFlow ? withFlow(account, amount) : account;
  if (settles !== undefined && settles > session) {
    return { ...after, pending: withPending(after.pending, { amount, settles, execId: null }) };
  }
  return amount >= 0
    ? credited(after, amount, session)
    : { ...after, settled: cents(after.settled + amount) };
}

function split(account: Account, event: EventOf<"split">): Account {
  const { symbol, numerator, denominator } = event;
  for (const side of [numerator, denominator]) {
    if (!(Number.isSafeInteger(side) && side > 0)) throw wrong(event, `${numerator} for ${denominator}`);
  }
  const lots = account.lots[symbol];
  if (!lots) return account;
  // Rounded over all lots together, so that no more than a ten-thousandth of a share is lost in all.
  let [before, given] = [0, 0];
  const changed = lots.map((lot) => {
    before += lot.quantity;
    const quantity = proportion(before, numerator, denominator) - given;
    given += quantity;
    return { ...lot, quantity: quantity as Quantity };
  });
  return withLots(account, symbol, changed);
}

function adopted(account: Account, event: EventOf<"adopted">, calendar: SettlementCalendar): Account {
  requireQuantity(event, event.quantity);
  requireCents(event, event.cost);
  const { symbol, quantity, cost, isSettled, session } = event;
  const settles = isSettled ? null : calendar.settleDate(session);
  const lot: Lot = {
    quantity,
    cost,
    traded: null,
    settles,
    paid: settles ?? session,
    unpaid: cents(0),
    execId: null,
  };
  return { ...account, lots: { ...account.lots, [symbol]: [...(account.lots[symbol] ?? []), lot] } };
}

function valued(account: Account, event: EventOf<"valued">): Account {
  requireCents(event, event.equity);
  const { session, equity } = event;
  const last = account.valued;
  return {
    ...account,
    peak: cents(Math.max(equity, account.peak ?? equity)),
    valued: { session, equity },
    valuedBefore: last !== null && last.session < session ? last : account.valuedBefore,
  };
}

/** Deposits are no gains and withdrawals no losses: what equity is compared with moves along. */
function withFlow(account: Account, amount: Cents): Account {
  const { peak, valued: last, valuedBefore: before } = account;
  if (peak === null || last === null) return account;
  const moved = (valuation: Valuation): Valuation => ({
    ...valuation,
    equity: cents(valuation.equity + amount),
  });
  const after = last.equity + amount;
  // The drawdown stays the fraction it was.
  const scaled = last.equity > 0 && after > 0 ? Math.round(peak * (after / last.equity)) : peak + amount;
  return {
    ...account,
    peak: cents(Math.max(scaled, after)),
    valued: moved(last),
    valuedBefore: before && moved(before),
  };
}

interface Payment {
  readonly account: Account;
  /** When the last of the money used settles; the session when all of it has. */
  readonly until: SessionDate;
  readonly missing: Cents;
}

/** Settled cash first, then pending cash, earliest first; what is missing is owed by the settled cash. */
function pay(account: Account, amount: Cents, session: SessionDate): Payment {
  // Money back, such as a rebate.
  if (amount < 0) {
    return { account: credited(account, cents(-amount), session), until: session, missing: cents(0) };
  }
  let due = amount - Math.max(0, Math.min(amount, account.settled));
  let settled = account.settled - (amount - due);
  if (due <= 0)
    return { account: { ...account, settled: cents(settled) }, until: session, missing: cents(0) };
  let until = session;
  const pending: Pending[] = [];
  for (const sale of account.pending) {
    const used = Math.max(0, Math.min(due, sale.amount));
    if (used > 0) until = sale.settles;
    due -= used;
    if (sale.amount !== used) pending.push({ ...sale, amount: cents(sale.amount - used) });
  }
  settled -= due;
  return { account: { ...account, settled: cents(settled), pending }, until, missing: cents(due) };
}

/** Money comes in. What was owed is covered first, and lots that waited for it are paid for from that day. */
function credited(account: Account, amount: Cents, day: SessionDate): Account {
  const owed = -account.settled;
  const after = { ...account, settled: cents(account.settled + amount) };
  if (owed <= 0) return after;
  let unpaid = 0;
  for (const lots of Object.values(account.lots)) for (const lot of lots) unpaid += lot.unpaid;
  if (unpaid === 0) return after;
  // What is owed for shares that are gone comes first: a lot counts as paid rather too late than too early.
  let left = Math.min(amount, owed) - Math.max(0, owed - unpaid);
  if (left <= 0) return after;
  const waiting = Object.values(account.lots).flat();
  const oldestFirst = waiting
    .filter((lot) => lot.unpaid > 0)
    .sort((a, b) => (a.traded! < b.traded! ? -1 : 1));
  const covered = new Map<Lot, Lot>();
  for (const lot of oldestFirst) {
    const part = Math.min(left, lot.unpaid);
    left -= part;
    const missing = cents(lot.unpaid - part);
    covered.set(lot, { ...lot, unpaid: missing, paid: missing === 0 ? day : null });
  }
  const lots = Object.entries(account.lots).map(
    ([symbol, of]) => [symbol, of.map((lot) => covered.get(lot) ?? lot)] as const,
  );
  return { ...after, lots: Object.fromEntries(lots) };
}

/** Takes shares off the lots of a symbol, oldest first, with their part of cost and debt. */
function takeLots(
  account: Account,
  symbol: Ticker,
  quantity: Quantity,
  event: AccountEvent,
): { readonly taken: readonly Lot[]; readonly rest: readonly Lot[] } {
  const held = heldOf(account, symbol);
  if (quantity > held) {
    throw wrong(
      event,
      `${formatQuantity(quantity)} ${symbol} leave the account, which holds ${formatQuantity(held)}`,
    );
  }
  const taken: Lot[] = [];
  const rest: Lot[] = [];
  let left: number = quantity;
  for (const lot of account.lots[symbol] ?? []) {
    const part = Math.min(left, lot.quantity);
    left -= part;
    if (part === lot.quantity) taken.push(lot);
    else if (part === 0) rest.push(lot);
    else {
      const cost = proportion(lot.cost, part, lot.quantity);
      const unpaid = proportion(lot.unpaid, part, lot.quantity);
      taken.push({ ...lot, quantity: part as Quantity, cost: cents(cost), unpaid: cents(unpaid) });
      rest.push({
        ...lot,
        quantity: (lot.quantity - part) as Quantity,
        cost: cents(lot.cost - cost),
        unpaid: cents(lot.unpaid - unpaid),
      });
    }
  }
  return { taken, rest };
}

function withLots(account: Account, symbol: Ticker, lots: readonly Lot[]): Account {
  const held = lots.filter(({ quantity }) => quantity > 0);
  if (held.length > 0) return { ...account, lots: { ...account.lots, [symbol]: held } };
  const { [symbol]: _, ...others } = account.lots;
  return { ...account, lots: others };
}

/** Kept in order of settlement; of one day, in order of arrival. */
function withPending(pending: readonly Pending[], added: Pending): readonly Pending[] {
  if (added.amount === 0) return pending;
  let at = pending.length;
  while (at > 0 && pending[at - 1]!.settles > added.settles) at--;
  return [...pending.slice(0, at), added, ...pending.slice(at)];
}

/** `amount * part / whole`, rounded down, exact also where the product is beyond safe integers. */
function proportion(amount: number, part: number, whole: number): number {
  const product = amount * part;
  if (Number.isSafeInteger(product)) return Math.floor(product / whole);
  return Number((BigInt(amount) * BigInt(part)) / BigInt(whole));
}

function requireQuantity(event: AccountEvent, quantity: Quantity): void {
  if (!isQuantity(quantity) || quantity === 0) throw wrong(event, `${quantity} is no quantity of shares`);
}

function requireCents(event: AccountEvent, amount: Cents): void {
  if (!isCents(amount)) throw wrong(event, `${amount} is no amount in cents`);
}

function wrong(event: AccountEvent, problem: string): LedgerEventError {
  return new LedgerEventError(event.kind, event.session, problem);
}

/** An account in one line, for messages. */
export function describeCash({ settled, pending }: Account): string {
  const parts = pending.map(({ amount, settles }) => `${formatCents(amount)} on ${settles}`);
  return parts.length === 0
    ? `${formatCents(settled)} settled`
    : `${formatCents(settled)} settled, ${parts.join(", ")} to come`;
}
