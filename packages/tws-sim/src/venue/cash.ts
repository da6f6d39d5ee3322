import type { SessionDate, Ticker, TradingCalendar } from "@pf/market";
import { type Cents, cents, type Quantity } from "@pf/orders";

/** What the venue keeps of an account: settled cash, cash that will settle, and shares with what they cost. */
export interface CashAccount {
  readonly settled: Cents;
  readonly unsettled: Cents;
  readonly symbols: readonly Ticker[];
  quantityOf(symbol: Ticker): Quantity;
  /** Of everything held of the symbol, commissions included. */
  costOf(symbol: Ticker): Cents;
  /** Cash that settles on or before the day is settled from now on. */
  startOfDay(day: SessionDate): void;
  buy(symbol: Ticker, quantity: Quantity, notional: Cents, fee: Cents, session: SessionDate): void;
  /** @returns gain or loss against what the shares cost, fees included */
  sell(symbol: Ticker, quantity: Quantity, notional: Cents, fee: Cents, session: SessionDate): Cents;
  /** Cash that nobody traded for. */
  credit(amount: Cents, day: SessionDate): void;
  split(symbol: Ticker, ratio: number): void;
}

export function openCashAccount(settled: Cents, calendar: TradingCalendar): CashAccount {
  return new PlainCashAccount(settled, calendar);
}

class PlainCashAccount implements CashAccount {
  private readonly pending: { readonly amount: Cents; readonly day: SessionDate }[] = [];
  private readonly held = new Map<Ticker, { quantity: number; cost: number }>();

  constructor(
    public settled: Cents,
    private readonly calendar: TradingCalendar,
  ) {}

  get unsettled(): Cents {
    return cents(this.pending.reduce((sum, { amount }) => sum + amount, 0));
  }

  get symbols(): readonly Ticker[] {
    return [...this.held.keys()];
  }

  quantityOf(symbol: Ticker): Quantity {
    return (this.held.get(symbol)?.quantity ?? 0) as Quantity;
  }

  costOf(symbol: Ticker): Cents {
    return cents(this.held.get(symbol)?.cost ?? 0);
  }

  startOfDay(day: SessionDate): void {
    while (this.pending.length > 0 && this.pending[0]!.day <= day) {
      this.settled = cents(this.settled + this.pending.shift()!.amount);
    }
  }

  buy(symbol: Ticker, quantity: Quantity, notional: Cents, fee: Cents): void {
    const held = this.held.get(symbol) ?? { quantity: 0, cost: 0 };
    this.held.set(symbol, { quantity: held.quantity + quantity, cost: held.cost + notional + fee });
    let rest = notional + fee - this.settled;
    this.settled = cents(Math.max(0, -rest));
    while (rest > 0 && this.pending.length > 0) {
      const first = this.pending[0]!;
      const used = Math.min(rest, first.amount);
      rest -= used;
      if (used === first.amount) this.pending.shift();
      else this.pending[0] = { ...first, amount: cents(first.amount - used) };
    }
  }

  sell(symbol: Ticker, quantity: Quantity, notional: Cents, fee: Cents, session: SessionDate): Cents {
    const held = this.held.get(symbol) ?? { quantity: 0, cost: 0 };
    const cost = Math.round((held.cost * quantity) / held.quantity);
    if (held.quantity === quantity) this.held.delete(symbol);
    else this.held.set(symbol, { quantity: held.quantity - quantity, cost: held.cost - cost });
    this.pending.push({ amount: cents(notional - fee), day: this.calendar.next(session) });
    return cents(notional - fee - cost);
  }

  credit(amount: Cents): void {
    this.settled = cents(this.settled + amount);
  }

  split(symbol: Ticker, ratio: number): void {
    const held = this.held.get(symbol);
    if (held) this.held.set(symbol, { quantity: Math.floor(held.quantity * ratio + 1e-9), cost: held.cost });
  }
}
