import {
  applyEvent,
  availableCash,
  costOf,
  emptyAccount,
  heldOf,
  type Account as Ledger,
  openSales,
  positionsOf,
  reservedCash,
  totalCash,
  usSettlement,
} from "@pf/compliance";
import type { SessionDate, Ticker } from "@pf/market";
import {
  type Cents,
  cents,
  centsOfDollars,
  formatCents,
  notionalCents,
  type Quantity,
  quantityOfShares,
} from "@pf/orders";
import type { VenueAccount } from "./options.js";
import type { AccountFigures } from "./venue.js";

/** One account of the broker: the ledger of `@pf/compliance`, told of what happens here. */
export class Account {
  readonly id: string;
  private ledger: Ledger = emptyAccount;
  private realizedBefore: Cents = cents(0);

  constructor(
    given: VenueAccount,
    private day: SessionDate,
    private readonly proceeds: "refuse" | "spend",
  ) {
    this.id = given.id;
    const amount = centsOfDollars(given.cash);
    if (amount > 0) this.book({ kind: "cash", session: day, amount, reason: "deposit" });
    for (const { symbol, quantity: shares, averageCost } of given.positions ?? []) {
      const quantity = quantityOfShares(shares);
      const cost = averageCost > 0 ? notionalCents(quantity, averageCost) : cents(0);
      this.book({ kind: "adopted", session: day, symbol, quantity, cost, isSettled: true });
    }
  }

  /** What settles up to the day is settled from now on. The ledger forgets its orders: those still open are noted anew. */
  startOfDay(day: SessionDate): void {
    this.day = day;
    this.realizedBefore = this.ledger.realized;
    this.book({ kind: "day", session: day });
  }

  /** What the next order may spend: not more than what has settled, unless this broker lends, and nobody owes it. */
  get available(): Cents {
    const { ledger } = this;
    const restricted = ledger.restrictedUntil !== null && this.day <= ledger.restrictedUntil;
    if (this.proceeds === "refuse" || restricted) return availableCash(ledger, cents(0));
    return cents(totalCash(ledger) - reservedCash(ledger));
  }

  held(symbol: Ticker): Quantity {
    return heldOf(this.ledger, symbol);
  }

  /** Shares that no open order sells yet. */
  sellable(symbol: Ticker): Quantity {
    return Math.max(0, heldOf(this.ledger, symbol) - openSales(this.ledger, symbol)) as Quantity;
  }

  /** Keeps cash or shares back for an order. */
  reserve(
    reference: string,
    symbol: Ticker,
    action: "BUY" | "SELL",
    quantity: Quantity,
    reserved: Cents,
  ): void {
    const side = action === "BUY" ? "buy" : "sell";
    this.book({ kind: "ordered", session: this.day, reference, symbol, side, quantity, reserved });
  }

  release(reference: string): void {
    this.book({ kind: "closed", session: this.day, reference });
  }

  /** What is kept back for an order. */
  reservedFor(reference: string): Cents {
    return this.ledger.orders.find((order) => order.reference === reference)?.reserved ?? cents(0);
  }

  /** @returns gain or loss of a sale, commissions included; `undefined` for a purchase */
  fill(
    reference: string,
    symbol: Ticker,
    action: "BUY" | "SELL",
    quantity: Quantity,
    price: number,
    fees: Cents,
  ): Cents | undefined {
    const { realized } = this.ledger;
    const session = this.day;
    const side = action === "BUY" ? "buy" : "sell";
    this.book({ kind: "fill", session, reference, execId: null, symbol, side, quantity, price, fees });
    return action === "BUY" ? undefined : cents(this.ledger.realized - realized);
  }

  dividend(symbol: Ticker, perShare: number): void {
    const quantity = this.held(symbol);
    if (quantity === 0) return;
    const amount = notionalCents(quantity, perShare);
    this.book({ kind: "cash", session: this.day, amount, reason: "dividend" });
  }

  /** Money in, or out as far as it has settled and nothing is kept back of it. */
  transfer(wanted: Cents): void {
    const amount = cents(Math.max(wanted, -availableCash(this.ledger, cents(0))));
    if (amount === 0) return;
    this.book({ kind: "cash", session: this.day, amount, reason: amount > 0 ? "deposit" : "withdrawal" });
  }

  split(symbol: Ticker, ratio: number): void {
    if (this.held(symbol) === 0) return;
    const [numerator, denominator] = asFraction(ratio);
    this.book({ kind: "split", session: this.day, symbol, numerator, denominator });
  }

  get symbols(): readonly Ticker[] {
    return Object.keys(positionsOf(this.ledger));
  }

  /** Dollars a share of the lots still held, commissions included. */
  averageCost(symbol: Ticker): number {
    const quantity = this.held(symbol);
    return quantity === 0 ? 0 : (costOf(this.ledger, symbol) * 100) / quantity;
  }

  /** @param priceOf - dollars a share, 0 for unknown */
  figures(priceOf: (symbol: Ticker) => number): AccountFigures {
    const { ledger } = this;
    const value = this.positionValue(priceOf);
    let cost = 0;
    for (const symbol of this.symbols) cost += costOf(ledger, symbol);
    const total = totalCash(ledger);
    const available = dollars(Math.max(0, this.available));
    return {
      accountType: "INDIVIDUAL",
      netLiquidation: dollars(total + value),
      totalCashValue: dollars(total),
      settledCash: dollars(ledger.settled),
      availableFunds: available,
      // Without borrowing one can buy for what is there.
      buyingPower: available,
      grossPositionValue: dollars(value),
      realizedPnl: dollars(ledger.realized - this.realizedBefore),
      unrealizedPnl: dollars(value - cost),
    };
  }

  get totalCash(): Cents {
    return totalCash(this.ledger);
  }

  positionValue(priceOf: (symbol: Ticker) => number): Cents {
    let value = 0;
    for (const symbol of this.symbols) {
      const price = priceOf(symbol);
      if (price > 0) value += notionalCents(this.held(symbol), price);
    }
    return cents(value);
  }

  private book(event: Parameters<typeof applyEvent>[1]): void {
    this.ledger = applyEvent(this.ledger, event, usSettlement);
  }
}

/** `1234.56`: two decimals and no grouping, as the broker writes money. */
export function dollars(amount: number): string {
  return formatCents(cents(amount)).replaceAll(",", "");
}

/** A ratio as a fraction of whole numbers: 1.5 is 3 for 2. */
function asFraction(ratio: number): readonly [numerator: number, denominator: number] {
  for (let denominator = 1; denominator <= 1000; denominator++) {
    const numerator = Math.round(ratio * denominator);
    if (numerator > 0 && Math.abs(ratio * denominator - numerator) < 1e-9) return [numerator, denominator];
  }
  return [Math.max(1, Math.round(ratio * 1e6)), 1e6];
}
