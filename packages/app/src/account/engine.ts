import type { TargetSeries } from "@pf/backtest";
import {
  type Account,
  type AccountEvent,
  applyEvent,
  type ComplianceRules,
  calendarHours,
  emptyAccount,
  heldOf,
  type LastBar,
  pendingCash,
  type SettlementCalendar,
  type Situation,
  snapshotOf,
  totalCash,
} from "@pf/compliance";
import type { Panel, SessionDate, Ticker } from "@pf/market";
import {
  type Cents,
  cents,
  commissionCents,
  type DeferReason,
  notionalCents,
  type OrderPlan,
  type OrderRules,
  planOrders,
  type Quantity,
  type Quote,
  type Side,
} from "@pf/orders";
import type { RealPrices } from "./prices.js";
import { isSameWeight, proposeRebalance } from "./rebalance.js";

/** What an account backtest is made of, beside bars and targets. */
export interface AccountRules {
  readonly initialCash: Cents;
  readonly orders: OrderRules;
  readonly compliance: ComplianceRules;
  readonly calendar: SettlementCalendar;
  /** Basis points that a fill is worse than the close. */
  readonly slippageBps: number;
  /** Rows between a decision and the close at which it is traded: 0 for lag 1, 1 for lag 2. */
  readonly delay: 0 | 1;
  /**
   * An account that does not exist: money is there when it is sold for, so that the same session buys with it, nobody
   * reviews anything, and no brake is on. What a real one does differently is what settlement and the checks cost.
   *
   * @defaultValue false
   */
  readonly isIdeal?: boolean;
}

/** One fill of the account engine; shares of a symbol whose bars have ended leave as one without a fee. */
interface AccountFill {
  readonly session: SessionDate;
  readonly reference: string;
  readonly symbol: Ticker;
  readonly side: Side;
  readonly quantity: Quantity;
  /** Dollars a share. */
  readonly price: number;
  readonly fee: Cents;
}

/** A session on which not everything could be done. */
interface Waiting {
  readonly session: SessionDate;
  readonly reasons: Readonly<Record<Ticker, DeferReason>>;
}

/** A session whose plan a check forbade. */
interface Blocked {
  readonly session: SessionDate;
  readonly checks: readonly string[];
}

/** One run of the account engine; every column has one value a session. */
export interface AccountRun {
  readonly sessions: readonly SessionDate[];
  /** What the account is worth at the close, after the session's fills. */
  readonly equity: readonly Cents[];
  /** What of its cash has settled then. */
  readonly settled: readonly Cents[];
  /** Return of the session. */
  readonly net: Float64Array;
  /** Traded notional over the equity before. */
  readonly turnover: Float64Array;
  /** Costs over the equity before. */
  readonly commission: Float64Array;
  readonly slippage: Float64Array;
  /** Fraction of equity that is cash at the close. */
  readonly cash: Float64Array;
  readonly fills: readonly AccountFill[];
  readonly commissions: Cents;
  readonly slippageCost: Cents;
  readonly dividends: Cents;
  /** Sessions on which a plan was made. */
  readonly planned: number;
  readonly waiting: readonly Waiting[];
  readonly blocked: readonly Blocked[];
  /** As it stands at the end. */
  readonly account: Account;
}

/** Sessions without a bar after which a symbol is taken for ended; a hole in the data is shorter. */
const sessionsToPayOut = 5;

/** The account of a backtest is nobody's. */
const accountName = "backtest";

/**
 * Runs targets through a cash account in dollars: the plans, reviews and bookings of live trading, filled at the close.
 * A plan is made where targets changed or the last one could not be carried out whole; between plans nothing is trimmed.
 *
 * @throws LedgerEventError, OrderPlanInputError for targets or prices that no account can follow
 */
export function runAccount(
  panel: Panel,
  targets: TargetSeries,
  prices: RealPrices,
  rules: AccountRules,
): AccountRun {
  return new AccountEngine(panel, targets, prices, rules).run();
}

class AccountEngine {
  private account: Account = emptyAccount;
  /** The last row before this one on which a symbol has a bar; -1 for none. Objects are made of it only for a review. */
  private readonly lastRow: Int32Array;
  private readonly fills: AccountFill[] = [];
  private readonly waiting: Waiting[] = [];
  private readonly blocked: Blocked[] = [];
  private planned = 0;
  /** The row whose targets were planned last; -1 before the first. */
  private wanted = -1;
  private isComplete = true;
  // Of the row at hand.
  private traded = 0;
  private fees = 0;
  private slipped = 0;

  constructor(
    private readonly panel: Panel,
    private readonly targets: TargetSeries,
    private readonly prices: RealPrices,
    private readonly rules: AccountRules,
  ) {
    this.lastRow = new Int32Array(panel.tickers.length).fill(-1);
  }

  run(): AccountRun {
    const { sessions } = this.panel;
    const rows = sessions.length;
    const column = () => new Float64Array(rows);
    const [net, turnover, commission, slippage, cash] = [column(), column(), column(), column(), column()];
    const [equity, settled]: [Cents[], Cents[]] = [[], []];
    const sums = { commissions: 0, slippage: 0, dividends: 0 };
    let before: number = this.rules.initialCash;
    for (let row = 0; row < rows; row++) {
      const session = sessions[row]!;
      this.book({ kind: "day", session });
      if (row === 0) {
        this.book({ kind: "cash", session, amount: this.rules.initialCash, reason: "deposit" });
      }
      sums.dividends += this.payDividends(row, session);
      this.payOutEnded(row, session);
      [this.traded, this.fees, this.slipped] = [0, 0, 0];
      if (this.mustTrade(row - this.rules.delay)) this.trade(row, session);
      const worth = this.value(row, session);
      equity.push(worth);
      settled.push(this.account.settled);
      net[row] = worth / before - 1;
      turnover[row] = this.traded / before;
      commission[row] = this.fees / before;
      slippage[row] = this.slipped / before;
      cash[row] = totalCash(this.account) / worth;
      sums.commissions += this.fees;
      sums.slippage += this.slipped;
      before = worth;
    }
    return {
      sessions,
      equity,
      settled,
      net,
      turnover,
      commission,
      slippage,
      cash,
      fills: this.fills,
      commissions: cents(sums.commissions),
      slippageCost: cents(sums.slippage),
      dividends: cents(sums.dividends),
      planned: this.planned,
      waiting: this.waiting,
      blocked: this.blocked,
      account: this.account,
    };
  }

  private book(event: AccountEvent): void {
    this.account = applyEvent(this.account, event, this.rules.calendar);
  }

  /** To whoever held the shares over the night, as cash on the ex-date. */
  private payDividends(row: number, session: SessionDate): number {
    let sum = 0;
    for (let i = 0; i < this.panel.tickers.length; i++) {
      const paid = this.prices.dividend[i]![row]!;
      const held = paid > 0 ? heldOf(this.account, this.panel.tickers[i]!) : 0;
      if (held === 0) continue;
      const amount = notionalCents(held as Quantity, paid);
      this.book({ kind: "cash", session, amount, reason: "dividend" });
      sum += amount;
    }
    return sum;
  }

  /**
   * Shares that have had no bar for a week are paid out at their last close, as those of a fund that is closed: without a
   * price nothing can be sized, and the account would stand still for ever. Nothing of later bars is looked at.
   */
  private payOutEnded(row: number, session: SessionDate): void {
    this.panel.tickers.forEach((symbol, i) => {
      const [close, last] = [this.prices.close[i]!, this.lastRow[i]!];
      if (last < 0 || close[row]! > 0 || row - last < sessionsToPayOut) return;
      const quantity = heldOf(this.account, symbol);
      if (quantity === 0) return;
      const [price, fee, reference] = [close[last]!, cents(0), `paid out ${session} ${symbol}`];
      const sale = { session, reference, symbol, side: "sell", quantity, price } as const;
      this.book({ kind: "fill", ...sale, execId: null, fees: fee });
      this.fills.push({ ...sale, fee });
    });
  }

  private mustTrade(decided: number): boolean {
    if (decided < 0) return false;
    const isChange =
      this.wanted < 0
        ? this.targets.rowStart[decided + 1]! > this.targets.rowStart[decided]!
        : !sameTargets(this.targets, this.wanted, decided);
    return isChange || !this.isComplete;
  }

  private trade(row: number, session: SessionDate): void {
    this.wanted = row - this.rules.delay;
    this.planned++;
    const quotes = this.quotesOn(row);
    let plan = this.tradeOnce(session, quotes, 1);
    if (plan && !plan.isComplete && this.rules.isIdeal) {
      const settled = cents(this.account.settled + pendingCash(this.account));
      this.account = { ...this.account, settled, pending: [] };
      plan = this.tradeOnce(session, quotes, 2);
    }
    this.isComplete = plan?.isComplete ?? false;
    if (!plan || this.isComplete) return;
    const reasons = plan.lines.flatMap(({ symbol, deferred }) =>
      deferred ? [[symbol, deferred.reason] as const] : [],
    );
    this.waiting.push({ session, reasons: Object.fromEntries(reasons) });
  }

  /** Plans, asks and fills; gives the plan unless a check forbade it. */
  private tradeOnce(
    session: SessionDate,
    quotes: Situation["quotes"],
    attempt: number,
  ): OrderPlan | undefined {
    const { calendar, compliance, orders, isIdeal = false } = this.rules;
    const { tickers, sessions } = this.panel;
    const situation: Situation = {
      account: accountName,
      baseCurrency: "USD",
      session,
      attempt,
      universe: tickers,
      nowUtcMs: isIdeal ? 0 : calendar.trading.closeUtcMs(session) - compliance.window.closesBeforeCloseMs,
      quotes,
      lastBars: isIdeal ? {} : this.lastBars(),
      liquidHours: isIdeal ? {} : calendarHours(tickers, session, calendar),
      knownReferences: [],
      isResumed: false,
      reconciliation: null,
    };
    const targets = { asOf: sessions[this.wanted]!, weights: this.targets.at(this.wanted) };
    if (isIdeal) {
      const snapshot = snapshotOf(this.account, situation, compliance, calendar);
      const plan = planOrders(targets, snapshot, quotes, orders);
      this.fill(plan, quotes);
      return plan;
    }
    const { plan, verdict } = proposeRebalance({
      targets,
      account: this.account,
      situation,
      orders,
      compliance,
      calendar,
    });
    if (!verdict.ok) {
      this.blocked.push({ session, checks: verdict.breaches.map(({ name }) => name) });
      return undefined;
    }
    const references = plan.intents.map(({ reference }) => reference);
    this.book({ kind: "rebalanced", session, attempt, references });
    this.fill(plan, quotes);
    return plan;
  }

  private fill({ session, intents }: OrderPlan, quotes: Situation["quotes"]): void {
    const { orders, slippageBps } = this.rules;
    for (const { reference, symbol, side, quantity } of intents) {
      const close = quotes[symbol]!.price;
      const price = slippedPrice(close, side, slippageBps);
      const notional = notionalCents(quantity, price);
      const fee = commissionCents(orders.commission, quantity, notional);
      this.book({ kind: "fill", session, reference, execId: null, symbol, side, quantity, price, fees: fee });
      this.fills.push({ session, reference, symbol, side, quantity, price, fee });
      this.traded += notional;
      this.fees += fee;
      this.slipped += Math.abs(notional - notionalCents(quantity, close));
    }
  }

  /** What the account is worth at the row's closes; a symbol without a bar at its last one. */
  private value(row: number, session: SessionDate): Cents {
    let worth: number = totalCash(this.account);
    for (let i = 0; i < this.panel.tickers.length; i++) {
      const ticker = this.panel.tickers[i]!;
      const close = this.prices.close[i]!;
      if (close[row]! > 0) this.lastRow[i] = row;
      const held = heldOf(this.account, ticker);
      if (held > 0) worth += notionalCents(held, close[this.lastRow[i]!]!);
    }
    const equity = cents(worth);
    // Only brakes look at it, and an account that does not exist has none.
    if (!this.rules.isIdeal) this.book({ kind: "valued", session, equity });
    return equity;
  }

  private lastBars(): Situation["lastBars"] {
    const bars: Record<Ticker, LastBar> = {};
    this.panel.tickers.forEach((ticker, i) => {
      const row = this.lastRow[i]!;
      if (row >= 0) bars[ticker] = { session: this.panel.sessions[row]!, close: this.prices.close[i]![row]! };
    });
    return bars;
  }

  private quotesOn(row: number): Situation["quotes"] {
    const quotes: Record<Ticker, Quote> = {};
    this.panel.tickers.forEach((ticker, i) => {
      const price = this.prices.close[i]![row]!;
      if (price > 0) quotes[ticker] = { price, bid: null, ask: null, tick: 0.01, feed: "bar", atUtcMs: null };
    });
    return quotes;
  }
}

/** Worse than the close by so many basis points, to a hundredth of a cent as executions are. */
function slippedPrice(close: number, side: Side, bps: number): number {
  if (bps === 0) return close;
  const price = close * (1 + ((side === "buy" ? 1 : -1) * bps) / 10_000);
  // Nothing is traded at 0, however large the slippage or small the price.
  return Math.max(Math.round(price * 10_000) / 10_000, Math.min(close, 0.0001));
}

/** Whether two rows want the same. */
function sameTargets({ rowStart, symbol, weight }: TargetSeries, a: number, b: number): boolean {
  const [from, other] = [rowStart[a]!, rowStart[b]!];
  const count = rowStart[a + 1]! - from;
  if (rowStart[b + 1]! - other !== count) return false;
  for (let k = 0; k < count; k++) {
    if (symbol[from + k] !== symbol[other + k]) return false;
    if (!isSameWeight(weight[from + k]!, weight[other + k]!)) return false;
  }
  return true;
}
