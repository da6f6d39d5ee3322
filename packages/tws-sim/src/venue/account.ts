import type { SessionDate, Ticker, TradingCalendar } from "@pf/market";
import {
  type Cents,
  cents,
  centsOfDollars,
  notionalCents,
  type Quantity,
  quantityOfShares,
} from "@pf/orders";
import { type CashAccount, openCashAccount } from "./cash.js";
import type { VenueAccount } from "./options.js";
import type { AccountFigures } from "./venue.js";

/** One account: its cash and shares, and what open orders keep of both. */
export class Account {
  readonly id: string;
  readonly ledger: CashAccount;
  /** Cash and shares that open orders will need, by order. */
  private readonly reserved = new Map<object, Reservation>();
  private realizedToday = 0;

  constructor(
    given: VenueAccount,
    session: SessionDate,
    calendar: TradingCalendar,
    private readonly proceeds: "refuse" | "spend",
  ) {
    this.id = given.id;
    const positions = given.positions ?? [];
    const costs = positions.map(({ quantity, averageCost }) =>
      averageCost > 0 ? notionalCents(quantityOfShares(quantity), averageCost) : cents(0),
    );
    // What is held at the start was paid for before: its cost is put in and spent at once.
    const paid = costs.reduce((sum, cost) => sum + cost, 0);
    this.ledger = openCashAccount(cents(centsOfDollars(given.cash) + paid), calendar);
    positions.forEach(({ symbol, quantity }, at) => {
      this.ledger.buy(symbol, quantityOfShares(quantity), costs[at]!, cents(0), session);
    });
  }

  startOfDay(day: SessionDate): void {
    this.ledger.startOfDay(day);
    this.realizedToday = 0;
  }

  /** What the next order may spend. */
  get available(): Cents {
    let open = 0;
    for (const { cash } of this.reserved.values()) open += cash;
    return cents(this.spendable - open);
  }

  /** What there is to spend, open orders or not. */
  get spendable(): Cents {
    const { settled, unsettled } = this.ledger;
    return this.proceeds === "spend" ? cents(settled + unsettled) : settled;
  }

  /** Shares that no open order sells yet. */
  sellable(symbol: Ticker): Quantity {
    let open = 0;
    for (const one of this.reserved.values()) if (one.symbol === symbol) open += one.shares;
    return Math.max(0, this.ledger.quantityOf(symbol) - open) as Quantity;
  }

  /** Replaces what the order kept so far. */
  reserve(order: object, reservation: Reservation): void {
    this.reserved.set(order, reservation);
  }

  release(order: object): void {
    this.reserved.delete(order);
  }

  reservationOf(order: object): Cents {
    return this.reserved.get(order)?.cash ?? cents(0);
  }

  buy(symbol: Ticker, quantity: Quantity, notional: Cents, fee: Cents, session: SessionDate): void {
    this.ledger.buy(symbol, quantity, notional, fee, session);
  }

  sell(symbol: Ticker, quantity: Quantity, notional: Cents, fee: Cents, session: SessionDate): Cents {
    const realized = this.ledger.sell(symbol, quantity, notional, fee, session);
    this.realizedToday += realized;
    return realized;
  }

  /** Dollars a share; what the shares cost, commissions included. */
  averageCost(symbol: Ticker): number {
    const quantity = this.ledger.quantityOf(symbol);
    return quantity === 0 ? 0 : (this.ledger.costOf(symbol) * 100) / quantity;
  }

  /** @param priceOf - dollars a share */
  figures(priceOf: (symbol: Ticker) => number): AccountFigures {
    const { settled, unsettled } = this.ledger;
    let [value, cost] = [0, 0];
    for (const symbol of this.ledger.symbols) {
      value += worth(this.ledger.quantityOf(symbol), priceOf(symbol));
      cost += this.ledger.costOf(symbol);
    }
    const available = Math.max(0, this.available);
    return {
      accountType: "INDIVIDUAL",
      netLiquidation: dollars(settled + unsettled + value),
      totalCashValue: dollars(settled + unsettled),
      settledCash: dollars(settled),
      availableFunds: dollars(available),
      // Without borrowing one can buy for what is there.
      buyingPower: dollars(available),
      grossPositionValue: dollars(value),
      realizedPnl: dollars(this.realizedToday),
      unrealizedPnl: dollars(value - cost),
    };
  }

  /** What all positions are worth. */
  positionValue(priceOf: (symbol: Ticker) => number): number {
    return this.ledger.symbols.reduce(
      (sum, symbol) => sum + worth(this.ledger.quantityOf(symbol), priceOf(symbol)),
      0,
    );
  }
}

export interface Reservation {
  readonly symbol: Ticker;
  readonly cash: Cents;
  readonly shares: Quantity;
}

/** `1234.56`: two decimals and no grouping, as the broker writes money. */
export function dollars(amount: number): string {
  const digits = String(Math.abs(amount)).padStart(3, "0");
  return `${amount < 0 ? "-" : ""}${digits.slice(0, -2)}.${digits.slice(-2)}`;
}

function worth(quantity: Quantity, price: number): number {
  return quantity === 0 || price === 0 ? 0 : notionalCents(quantity, price);
}
