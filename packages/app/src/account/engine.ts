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
  type SettlementCalendar,
  type Situation,
  totalCash,
} from "@pf/compliance";
import type { Panel, SessionDate, Ticker, Weights } from "@pf/market";
import {
  type Cents,
  cents,
  centsOfDollars,
  commissionCents,
  type NoOrderReason,
  notionalCents,
  type OrderRules,
  type Quantity,
  type Quote,
  type Side,
} from "@pf/orders";
import type { RealPrices } from "./prices.js";
import { proposeRebalance } from "./rebalance.js";

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
  /** Whether proceeds of a session's sales buy in the same session: the account that settles at once, to compare with. */
  readonly settlesAtOnce?: boolean;
}

/** One fill of the account engine. */
export interface AccountFill {
  readonly session: SessionDate;
  readonly reference: string;
  readonly symbol: Ticker;
  readonly side: Side;
  readonly quantity: Quantity;
  readonly price: number;
  readonly fee: Cents;
}

/** A session on which something was wanted and not done. */
export interface Waiting {
  readonly session: SessionDate;
  /** By symbol, why. */
  readonly reasons: Readonly<Record<Ticker, NoOrderReason | "blocked">>;
}

/** One run of the account engine; every column has one value a session. */
export interface AccountRun {
  readonly sessions: readonly SessionDate[];
  /** What the account is worth at the close, after the session's fills. */
  readonly equity: readonly Cents[];
  /** Return of the session, deposits none. */
  readonly net: Float64Array;
  /** Traded notional over equity. */
  readonly turnover: Float64Array;
  /** Commissions and slippage over the equity before. */
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
  /** Sessions whose plan a check forbade, with the checks. */
  readonly blocked: readonly { readonly session: SessionDate; readonly checks: readonly string[] }[];
  readonly account: Account;
}

/**
 * Runs targets through a cash account in dollars: the very plans, reviews and bookings of live trading, filled at the
 * close. A plan is made where targets changed or the last one could not be carried out whole.
 */
export function runAccount(
  panel: Panel,
  targets: TargetSeries,
  prices: RealPrices,
  rules: AccountRules,
): AccountRun {
  const { tickers, sessions } = panel;
  const { calendar, compliance, orders } = rules;
  const rows = sessions.length;
  const equity: Cents[] = [];
  const [net, turnover, commission, slippage, cash] = Array.from(
    { length: 5 },
    () => new Float64Array(rows),
  ) as [Float64Array, Float64Array, Float64Array, Float64Array, Float64Array];
  const fills: AccountFill[] = [];
  const waiting: Waiting[] = [];
  const blocked: { session: SessionDate; checks: readonly string[] }[] = [];
  const last = new Float64Array(tickers.length).fill(Number.NaN);
  const lastBars: Record<Ticker, LastBar> = {};
  const sums = { commissions: 0, slippage: 0, dividends: 0, planned: 0 };
  let account: Account = emptyAccount;
  let before: number = rules.initialCash;
  let wanted = -1;
  let isComplete = true;

  const book = (event: AccountEvent) => {
    account = applyEvent(account, event, calendar);
  };

  for (let row = 0; row < rows; row++) {
    const session = sessions[row]!;
    book({ kind: "day", session });
    if (row === 0) book({ kind: "cash", session, amount: rules.initialCash, reason: "deposit" });
    for (let i = 0; i < tickers.length; i++) {
      const paid = prices.dividend[i]![row]!;
      const held = paid > 0 ? heldOf(account, tickers[i]!) : 0;
      if (held === 0) continue;
      const amount = notionalCents(held as Quantity, paid);
      if (amount > 0) book({ kind: "cash", session, amount, reason: "dividend" });
      sums.dividends += amount;
    }
    let [traded, fees, slipped] = [0, 0, 0];
    const decided = row - rules.delay;
    const isNew =
      decided >= 0 && (wanted < 0 ? hasAny(targets, decided) : !sameTargets(targets, wanted, decided));
    if (isNew || !isComplete) {
      wanted = decided;
      sums.planned++;
      const asOf = sessions[decided]!;
      const weights: Weights = targets.at(decided);
      const quotes = quotesOn(tickers, prices, row);
      for (const attempt of rules.settlesAtOnce ? [1, 2] : [1]) {
        const situation: Situation = {
          account: accountName,
          baseCurrency: "USD",
          session,
          attempt,
          universe: tickers,
          nowUtcMs: calendar.trading.closeUtcMs(session) - compliance.window.closesBeforeCloseMs,
          quotes,
          lastBars,
          liquidHours: calendarHours(tickers, session, calendar),
          knownReferences: [],
          isResumed: attempt > 1,
          reconciliation: null,
        };
        const { plan, verdict } = proposeRebalance({
          targets: { asOf, weights },
          account,
          situation,
          orders,
          compliance,
          calendar,
        });
        isComplete = plan.isComplete;
        if (!verdict.ok) {
          isComplete = false;
          blocked.push({ session, checks: verdict.breaches.map(({ name }) => name) });
        } else {
          book({
            kind: "rebalanced",
            session,
            attempt,
            references: plan.intents.map(({ reference }) => reference),
          });
          for (const { reference, symbol, side, quantity } of plan.intents) {
            const close = quotes[symbol]!.price;
            const price = slippedPrice(close, side, rules.slippageBps);
            const notional = notionalCents(quantity, price);
            const fee = commissionCents(orders.commission, quantity, notional);
            book({
              kind: "fill",
              session,
              reference,
              execId: null,
              symbol,
              side,
              quantity,
              price,
              fees: fee,
            });
            fills.push({ session, reference, symbol, side, quantity, price, fee });
            traded += notional;
            fees += fee;
            slipped += Math.abs(notional - notionalCents(quantity, close));
          }
        }
        if (attempt === (rules.settlesAtOnce ? 2 : 1) && !isComplete) {
          const reasons = plan.lines.flatMap(({ symbol, deferred }) =>
            deferred ? [[symbol, deferred.reason] as const] : [],
          );
          waiting.push({
            session,
            reasons: verdict.ok
              ? Object.fromEntries(reasons)
              : Object.fromEntries(tickers.map((one) => [one, "blocked"])),
          });
        }
      }
    }
    let worth: number = totalCash(account);
    for (let i = 0; i < tickers.length; i++) {
      const price = prices.close[i]![row]!;
      if (!Number.isNaN(price)) {
        last[i] = price;
        lastBars[tickers[i]!] = { session, close: price };
      }
      const held = heldOf(account, tickers[i]!);
      if (held > 0) worth += notionalCents(held, last[i]!);
    }
    book({ kind: "valued", session, equity: cents(worth) });
    equity.push(cents(worth));
    net[row] = worth / before - 1;
    turnover[row] = traded / before;
    commission[row] = fees / before;
    slippage[row] = slipped / before;
    cash[row] = totalCash(account) / worth;
    sums.commissions += fees;
    sums.slippage += slipped;
    before = worth;
  }
  return {
    sessions,
    equity,
    net,
    turnover,
    commission,
    slippage,
    cash,
    fills,
    commissions: cents(sums.commissions),
    slippageCost: cents(sums.slippage),
    dividends: cents(sums.dividends),
    planned: sums.planned,
    waiting,
    blocked,
    account,
  };
}

/** The account of a backtest is nobody's. */
const accountName = "backtest";

/** Worse than the close by so many basis points, to a hundredth of a cent as executions are. */
function slippedPrice(close: number, side: Side, bps: number): number {
  if (bps === 0) return close;
  const price = close * (1 + ((side === "buy" ? 1 : -1) * bps) / 10_000);
  return Math.round(price * 10_000) / 10_000;
}

function quotesOn(
  tickers: readonly Ticker[],
  prices: RealPrices,
  row: number,
): Readonly<Record<Ticker, Quote>> {
  const quotes: Record<Ticker, Quote> = {};
  for (let i = 0; i < tickers.length; i++) {
    const price = prices.close[i]![row]!;
    if (price > 0) {
      quotes[tickers[i]!] = { price, bid: null, ask: null, tick: 0.01, feed: "bar", atUtcMs: null };
    }
  }
  return quotes;
}

function hasAny({ rowStart }: TargetSeries, row: number): boolean {
  return rowStart[row + 1]! > rowStart[row]!;
}

/** Whether two rows want the same, to the last bit: a band that holds keeps every digit. */
function sameTargets({ rowStart, symbol, weight }: TargetSeries, a: number, b: number): boolean {
  const [from, other] = [rowStart[a]!, rowStart[b]!];
  const count = rowStart[a + 1]! - from;
  if (rowStart[b + 1]! - other !== count) return false;
  for (let k = 0; k < count; k++) {
    if (symbol[from + k] !== symbol[other + k] || weight[from + k] !== weight[other + k]) return false;
  }
  return true;
}

/** Dollars of an account at the start, from the configuration. */
export function initialCashOf(dollars: number): Cents {
  return centsOfDollars(dollars);
}
