import { newYorkDateOf, type SessionDate, type Ticker } from "@pf/market";
import {
  type Cents,
  type CommissionPlan,
  cents,
  commissionCents,
  type DeferReason,
  formatCents,
  formatQuantity,
  fractionOf,
  isQuantity,
  marketOrderCushion,
  notionalCents,
  type OrderIntent,
  type OrderPlan,
  orderReference,
  type Quantity,
} from "@pf/orders";
import {
  type Account,
  availableCash,
  heldOf,
  type Lot,
  openSales,
  reservedCash,
  totalCash,
} from "./account.js";
import { type ApprovedPlan, approve } from "./approval.js";
import type { ComplianceRules, Hours, Situation } from "./rules.js";
import type { SettlementCalendar } from "./settlement.js";
import {
  type Brake,
  dailyLossBrake,
  drawdownBrake,
  equityOf,
  fallText,
  isRestricted,
  percent,
  spendableCash,
} from "./snapshot.js";

/** Every check of a review, in the order in which a verdict lists them. */
export const checkNames = [
  "well_formed",
  "matches_account",
  "base_currency",
  "trading_day",
  "time_window",
  "liquid_hours",
  "one_rebalance",
  "new_orders",
  "orders_per_day",
  "data_fresh",
  "data_complete",
  "price_sanity",
  "limit_quotes",
  "long_only",
  "no_leverage",
  "weight_cap",
  "settled_cash",
  "reconciled",
  "restriction",
  "good_faith",
  "free_riding",
  "end_of_day",
  "day_trades",
  "drawdown",
  "daily_loss",
] as const;
export type CheckName = (typeof checkNames)[number];

/** One rule, what it looked at, and what it says. */
export interface Check {
  readonly name: CheckName;
  readonly passed: boolean;
  /** Passed, but somebody should know. */
  readonly warning: boolean;
  /** Whether a failure stops trading until somebody resumes it. */
  readonly halts: boolean;
  readonly inputs: Readonly<Record<string, string | number | boolean | null>>;
  /** In words. */
  readonly detail: string;
}

/** What a review says: every check, and the plan that may be sent if all of them passed. */
export type Verdict =
  | { readonly ok: true; readonly plan: ApprovedPlan; readonly checks: readonly Check[] }
  | {
      readonly ok: false;
      readonly checks: readonly Check[];
      /** The checks that did not pass. */
      readonly breaches: readonly Check[];
      /** Whether trading stops until somebody resumes it. */
      readonly halts: boolean;
    };

/**
 * Reviews a plan against every rule there is, each a named check with what it looked at. Nothing is taken from the plan
 * that the account or the situation can tell: money, lots and prices are counted anew. All checks are made, also after
 * one has failed, and only a plan that passes all of them becomes an {@link ApprovedPlan}.
 *
 * @param account - standing at the session of the plan
 */
export function review(
  plan: OrderPlan,
  account: Account,
  situation: Situation,
  rules: ComplianceRules,
  calendar: SettlementCalendar,
): Verdict {
  const context = contextOf(plan, account, situation, rules, calendar);
  const made = checkNames.map((name): Check => {
    const { halts = false, warning = false, ...found } = checksByName[name](context);
    return { name, passed: found.passed, warning, halts, inputs: found.inputs, detail: found.detail };
  });
  const breaches = made.filter(({ passed }) => !passed);
  if (breaches.length > 0) {
    return { ok: false, checks: made, breaches, halts: breaches.some(({ halts }) => halts) };
  }
  const close = calendar.trading.closeUtcMs(plan.session);
  return { ok: true, plan: approve(plan, close - rules.window.closesBeforeCloseMs), checks: made };
}

/**
 * The cash to keep back for an order while it is open: notional and fee of a buy, with the cushion for a market order;
 * nothing for a sale. For the `reserved` of an `ordered` event.
 */
export function reservationFor(intent: OrderIntent, commission: CommissionPlan): Cents {
  return intent.side === "sell"
    ? cents(0)
    : cents(costOfOrder(intent, intent.notional, commission).cushioned);
}

/** What an order worth so much costs: with its fee, and with the cushion of a market order too. */
function costOfOrder({ quantity, type }: OrderIntent, notional: Cents, commission: CommissionPlan) {
  const plain = notional + commissionCents(commission, quantity, notional);
  const cushion = type === "MKT" ? fractionOf(notional, marketOrderCushion, "up") : 0;
  return { plain, cushioned: plain + cushion };
}

/** Regular hours of a session as the calendar has them, for every symbol: for engines that have no broker to ask. */
export function calendarHours(
  symbols: readonly Ticker[],
  session: SessionDate,
  calendar: SettlementCalendar,
): Readonly<Record<Ticker, Hours | null>> {
  const hours = hoursOf(session, calendar);
  return Object.fromEntries(symbols.map((symbol) => [symbol, hours]));
}

interface Context {
  readonly plan: OrderPlan;
  readonly account: Account;
  readonly situation: Situation;
  readonly rules: ComplianceRules;
  readonly calendar: SettlementCalendar;
  readonly buys: readonly OrderIntent[];
  readonly sells: readonly OrderIntent[];
  /** Cash and the universe's holdings at the quotes; `undefined` while a price is missing. */
  readonly equity: Cents | undefined;
  /** Of the buys at today's quotes or their limits: notional, with fees, and with the cushion for market orders. */
  readonly cost: { readonly plain: Cents; readonly cushioned: Cents };
  /** Whether the plan goes on with the rebalance that the account has noted. */
  readonly isContinued: boolean;
}

interface Found {
  readonly passed: boolean;
  readonly warning?: boolean;
  readonly halts?: boolean;
  readonly inputs: Check["inputs"];
  readonly detail: string;
}

function contextOf(
  plan: OrderPlan,
  account: Account,
  situation: Situation,
  rules: ComplianceRules,
  calendar: SettlementCalendar,
): Context {
  const buys = plan.intents.filter(({ side }) => side === "buy");
  let [plain, cushioned] = [0, 0];
  for (const intent of buys) {
    const cost = costOfOrder(intent, worthOf(intent, situation), rules.commission);
    plain += cost.plain;
    cushioned += cost.cushioned;
  }
  const noted = account.rebalanced;
  const isContinued =
    noted !== null &&
    noted.session === plan.session &&
    noted.attempt === plan.attempt &&
    plan.intents.every(({ reference }) => noted.references.includes(reference));
  return {
    plan,
    account,
    situation,
    rules,
    calendar,
    buys,
    sells: plan.intents.filter(({ side }) => side === "sell"),
    equity: equityOf(account, situation),
    cost: { plain: cents(plain), cushioned: cents(cushioned) },
    isContinued,
  };
}

/** What an order is worth: at its limit, else at the quote of now, else as the plan has it. */
function worthOf(intent: OrderIntent, { quotes }: Situation): Cents {
  const price = intent.limit ?? quotes[intent.symbol]?.price;
  return price !== undefined && isPrice(price) && isQuantity(intent.quantity)
    ? notionalCents(intent.quantity, price)
    : intent.notional;
}

const checksByName: Readonly<Record<CheckName, (context: Context) => Found>> = {
  /** The plan is a plan: quantities, prices, names and order are what they should be. */
  well_formed({ plan }) {
    const problems = plan.intents.flatMap((intent) => intentProblem(plan, intent) ?? []);
    const sides = plan.intents.map(({ side }) => side);
    if (sides.lastIndexOf("sell") > sides.indexOf("buy") && sides.includes("buy")) {
      problems.push("a sale comes after a buy");
    }
    const symbols = new Set(plan.intents.map(({ symbol }) => symbol));
    if (symbols.size < plan.intents.length) problems.push("a symbol has two orders");
    return found(
      problems,
      { orders: plan.intents.length },
      `${plan.intents.length} orders, sells before buys`,
    );
  },

  /** The plan was made for this account as it stands. */
  matches_account({ plan, account, situation, equity, isContinued }) {
    const problems: string[] = [];
    if (plan.account !== situation.account) problems.push(`the plan is for ${plan.account}`);
    if (plan.session !== situation.session) problems.push(`the plan is for ${plan.session}`);
    for (const { symbol } of plan.intents) {
      if (!situation.universe.includes(symbol)) problems.push(`${symbol} is not ours to trade`);
    }
    if (plan.attempt !== situation.attempt) problems.push(`the plan is attempt ${plan.attempt}`);
    if (account.session !== plan.session) {
      problems.push(
        `the book stands at ${account.session ?? "nothing"}, so not all that settles today has settled`,
      );
    }
    // A plan that goes on after a crash was made before its first fills.
    if (!isContinued) {
      if (plan.equity !== (equity ?? null)) {
        problems.push(`the plan counts ${money(plan.equity)} of equity, the book ${money(equity ?? null)}`);
      }
      for (const { symbol, held } of plan.lines) {
        const ours = heldOf(account, symbol);
        if (held !== ours) {
          problems.push(
            `the plan counts ${formatQuantity(held)} ${symbol}, the book ${formatQuantity(ours)}`,
          );
        }
      }
    }
    const inputs = {
      account: situation.account,
      session: situation.session,
      attempt: situation.attempt,
      equity: equity ?? null,
    };
    return found(
      problems,
      inputs,
      `made for ${plan.account} on ${plan.session}, equity ${money(plan.equity)}`,
    );
  },

  base_currency({ situation: { baseCurrency } }) {
    return {
      passed: baseCurrency === "USD",
      inputs: { baseCurrency },
      detail:
        baseCurrency === "USD"
          ? "the account is kept in USD"
          : `the account is kept in ${baseCurrency}; only accounts in USD are traded`,
    };
  },

  trading_day({ plan, calendar }) {
    const why = calendar.trading.whyClosed(plan.session);
    return {
      passed: why === undefined,
      inputs: { session: plan.session },
      detail: why === undefined ? `${plan.session} is a session` : `${plan.session} is no session: ${why}`,
    };
  },

  /** Not before the window and not after it; an order sent after the close would wait for the next open. */
  time_window({ plan, situation: { nowUtcMs }, rules: { window }, calendar }) {
    if (!calendar.trading.isSession(plan.session)) return noSession;
    const close = calendar.trading.closeUtcMs(plan.session);
    const left = close - nowUtcMs;
    const passed = left <= window.opensBeforeCloseMs && left >= window.closesBeforeCloseMs;
    const span = `${duration(window.opensBeforeCloseMs)} to ${duration(window.closesBeforeCloseMs)} before the close`;
    const where = left < 0 ? `${duration(-left)} after the close` : `${duration(left)} before the close`;
    return {
      passed,
      inputs: { nowUtcMs, closeUtcMs: close, today: dateOf(nowUtcMs) },
      detail: passed
        ? `${where}, within ${span}`
        : `${where} of ${plan.session}; orders are sent ${span} only`,
    };
  },

  /** The broker's hours are the only way to learn of a closure that nobody had scheduled. */
  liquid_hours({ plan, situation: { liquidHours }, calendar }) {
    if (!calendar.trading.isSession(plan.session)) return noSession;
    const ours = hoursOf(plan.session, calendar)!;
    const problems = plan.intents.flatMap(({ symbol }) => {
      const theirs = liquidHours[symbol];
      if (theirs === undefined) return `the hours of ${symbol} are not known`;
      if (theirs === null) return `the broker has ${symbol} closed today`;
      return theirs.openUtcMs === ours.openUtcMs && theirs.closeUtcMs === ours.closeUtcMs
        ? []
        : `the broker's hours of ${symbol} are not the calendar's`;
    });
    const inputs = { openUtcMs: ours.openUtcMs, closeUtcMs: ours.closeUtcMs };
    return found(problems, inputs, "the broker's hours are the calendar's");
  },

  one_rebalance({ plan, account: { rebalanced }, situation: { isResumed }, isContinued }) {
    const inputs = {
      session: plan.session,
      attempt: plan.attempt,
      notedSession: rebalanced?.session ?? null,
      notedAttempt: rebalanced?.attempt ?? null,
      isResumed,
    };
    if (rebalanced === null || rebalanced.session !== plan.session) {
      return { passed: true, inputs, detail: `the first rebalance of ${plan.session}` };
    }
    if (isContinued) return { passed: true, inputs, detail: "goes on with the rebalance that was begun" };
    const passed = isResumed && plan.attempt > rebalanced.attempt;
    const detail = passed
      ? `attempt ${plan.attempt}, after somebody resumed trading`
      : `${plan.session} was rebalanced already; one rebalance a session`;
    return { passed, inputs, detail };
  },

  /** No order is sent that the book or the broker has seen already. */
  new_orders({ plan, account, situation: { knownReferences } }) {
    const seen = new Set([...knownReferences, ...account.orders.map(({ reference }) => reference)]);
    const again = plan.intents.filter(({ reference }) => seen.has(reference));
    const problems = again.map(({ reference }) => `${reference} was sent already`);
    return found(problems, { known: seen.size }, "no order of the plan was sent before");
  },

  orders_per_day({ plan, account, rules: { maxOrders } }) {
    const [sent, planned] = [account.orders.length, plan.intents.length];
    const passed = planned === 0 || sent + planned <= maxOrders;
    return {
      passed,
      inputs: { sent, planned, maxOrders },
      detail: `${sent} sent and ${planned} planned, ${maxOrders} a session`,
    };
  },

  /** Decided on the bar it should be decided on, with prices of now. */
  data_fresh(context) {
    const { plan, situation, rules, calendar } = context;
    const before = calendar.trading.previous(plan.session);
    const expected = rules.decisionBar === "provisional" ? plan.session : before;
    const problems: string[] = [];
    if (plan.asOf !== expected) problems.push(`decided on ${plan.asOf}, not on ${expected}`);
    for (const symbol of concerned(context)) {
      const bar = situation.lastBars[symbol];
      if (bar && bar.session < before) {
        problems.push(`the last bar of ${symbol} is of ${bar.session}, not of ${before}`);
      }
      const quote = situation.quotes[symbol];
      if (!quote || quote.feed === "bar") continue;
      const most = rules.maxQuoteAgeMs[quote.feed];
      if (quote.atUtcMs === null) problems.push(`nobody says how old the price of ${symbol} is`);
      else {
        const age = situation.nowUtcMs - quote.atUtcMs;
        if (age > most)
          problems.push(`the price of ${symbol} is ${duration(age)} old, at most ${duration(most)}`);
        // A clock that went back makes old prices look new.
        if (age < -60_000) problems.push(`the price of ${symbol} is from ${duration(-age)} in the future`);
      }
    }
    return found(
      problems,
      { asOf: plan.asOf, expected, lastSession: before },
      `decided on ${plan.asOf}, prices are fresh`,
    );
  },

  data_complete(context) {
    const { situation } = context;
    const problems: string[] = [];
    for (const symbol of concerned(context)) {
      const quote = situation.quotes[symbol];
      if (!quote || !isPrice(quote.price)) problems.push(`${symbol} has no price`);
      if (!situation.lastBars[symbol]) problems.push(`${symbol} has no last bar`);
    }
    const symbols = concerned(context).length;
    return found(problems, { symbols }, `prices and bars of ${symbols} symbols are there`);
  },

  /** A price far from the last bar is a wrong price, a split, or a day for people to look at. */
  price_sanity(context) {
    const { plan, situation, rules } = context;
    const limits = new Map(plan.intents.map(({ symbol, limit }) => [symbol, limit]));
    const problems: string[] = [];
    let largest = 0;
    for (const symbol of concerned(context)) {
      const bar = situation.lastBars[symbol];
      if (!bar) continue;
      for (const price of [situation.quotes[symbol]?.price, limits.get(symbol)]) {
        if (price === undefined || price === null || !isPrice(price)) continue;
        const move = Math.abs(price / bar.close - 1);
        largest = Math.max(largest, move);
        if (!(move <= rules.maxPriceMove)) {
          problems.push(`${symbol} at ${price} is ${percent(move)} from its last close of ${bar.close}`);
        }
      }
    }
    const inputs = { largestMove: largest, maxPriceMove: rules.maxPriceMove };
    return found(
      problems,
      inputs,
      `no price is more than ${percent(rules.maxPriceMove)} from its last close`,
    );
  },

  limit_quotes({ plan, situation: { quotes } }) {
    const problems = plan.intents.flatMap(({ type, symbol }) => {
      const quote = quotes[symbol];
      return type === "LMT" && !(quote?.feed === "live" && quote.bid !== null && quote.ask !== null)
        ? `the limit price of ${symbol} does not come from a live bid and ask`
        : [];
    });
    // A plan without orders is no success where all it lacks is a price to limit them at.
    const unpriced = leftOut(plan, "limit_needs_live_quote");
    if (plan.intents.length === 0 && unpriced.length > 0) {
      problems.push(`nothing can be ordered: no live bid and ask of ${unpriced.join(", ")}`);
    }
    const limits = plan.intents.filter(({ type }) => type === "LMT").length;
    return found(
      problems,
      { limits },
      limits === 0 ? "no limit orders" : "limit prices come from live quotes",
    );
  },

  long_only({ account, sells, plan }) {
    const problems = sells.flatMap(({ symbol, quantity }) => {
      const free = heldOf(account, symbol) - openSales(account, symbol);
      return quantity <= free
        ? []
        : `${formatQuantity(quantity)} ${symbol} are sold and ${formatQuantity(Math.max(0, free) as Quantity)} are held`;
    });
    for (const { symbol, targetWeight } of plan.lines) {
      if (targetWeight < 0) problems.push(`${symbol} has a target below 0`);
    }
    return found(problems, { sells: sells.length }, "nothing is sold that is not held");
  },

  /** Gross exposure is at most equity, and cash never falls below 0. */
  no_leverage({ plan, account, buys, cost }) {
    const exposure = plan.lines.reduce((sum, { targetWeight }) => sum + targetWeight, 0);
    const left = cents(totalCash(account) - (buys.length > 0 ? cost.plain : 0));
    const problems: string[] = [];
    if (!(exposure <= 1 + 1e-9)) problems.push(`the targets add up to ${percent(exposure)} of equity`);
    if (buys.length > 0 && left < 0) problems.push(`cash would be ${formatCents(left)}`);
    return found(
      problems,
      { exposure, cashAfter: left },
      `targets are ${percent(exposure)} of equity, cash is left`,
    );
  },

  weight_cap({ plan, account, buys, equity, situation, rules: { maxWeight }, isContinued }) {
    const problems = plan.lines.flatMap(({ symbol, targetWeight }) =>
      targetWeight <= maxWeight + 1e-9 ? [] : `the target of ${symbol} is ${percent(targetWeight)}`,
    );
    // What goes on after a crash is measured as it was planned, not at prices that moved since.
    const whole = isContinued ? plan.equity : equity;
    let largest = 0;
    for (const { symbol, quantity } of buys) {
      const planned = plan.lines.find((line) => line.symbol === symbol)?.price;
      const price = isContinued ? planned : situation.quotes[symbol]?.price;
      if (price === undefined || price === null || !isPrice(price)) continue;
      if (whole === undefined || whole === null || !isQuantity(quantity)) continue;
      const then = notionalCents((heldOf(account, symbol) + quantity) as Quantity, price);
      largest = Math.max(largest, then / whole);
      // A cent for the rounding of a notional.
      if (then > maxWeight * whole + 1) problems.push(`${symbol} would be ${percent(then / whole)}`);
    }
    return found(problems, { maxWeight, largestBought: largest }, `no symbol is above ${percent(maxWeight)}`);
  },

  /** The specification's settlement guard, read for the buys. */
  settled_cash({ account, situation, rules, buys, equity, cost, isContinued }) {
    // The restriction has a check of its own.
    const spendable = spendableCash({ ...account, restrictedUntil: null }, situation, rules);
    // What goes on after a crash kept the buffer when it was approved, and its first fills were a little off since.
    const buffer = isContinued
      ? cents(0)
      : fractionOf(cents(Math.max(0, equity ?? 0)), rules.cashBuffer, "up");
    const inputs = {
      settled: account.settled,
      settledAtBroker: situation.reconciliation?.settled ?? null,
      reserved: reservedCash(account),
      spendable,
      buffer,
      cost: cost.plain,
      costWithCushion: cost.cushioned,
    };
    const problems: string[] = [];
    if (buys.length > 0 && cost.plain > spendable - buffer) {
      const most = formatCents(cents(spendable - buffer));
      problems.push(
        `buys cost ${formatCents(cost.plain)}, and ${most} of settled cash is there, the buffer taken off`,
      );
    }
    if (buys.length > 0 && cost.cushioned > spendable) {
      problems.push(
        `buys cost ${formatCents(cost.cushioned)} with the cushion for market orders, and ${formatCents(spendable)} of settled cash is there`,
      );
    }
    return found(
      problems,
      inputs,
      `buys cost ${formatCents(cost.plain)} of ${formatCents(spendable)} settled`,
    );
  },

  /** The book agrees with the broker, or at least knows of nothing that makes buying unsafe. */
  reconciled({ plan, situation: { reconciliation }, buys }) {
    const stopped = reconciliation?.buysStopped ?? null;
    // Sales pass. Where buys are all that was wanted, nothing is done, and that has a reason.
    const isIdle = plan.intents.length === 0 && leftOut(plan, "buys_stopped").length > 0;
    const passed = stopped === null || (buys.length === 0 && !isIdle);
    return {
      passed,
      warning: stopped !== null && passed,
      inputs: { compared: reconciliation !== null, buysStopped: stopped },
      detail:
        stopped === null
          ? reconciliation === null
            ? "there is no broker to compare with"
            : "the book agrees with the broker"
          : `nothing may be bought: ${stopped}`,
    };
  },

  /** While restricted only settled cash buys, whatever the rules say otherwise. */
  restriction({ account, situation, rules, buys, cost }) {
    const { restrictedUntil } = account;
    const inputs = { restrictedUntil, settledCash: rules.settledCash };
    if (!isRestricted(account, situation.session))
      return { passed: true, inputs, detail: "the account is not restricted" };
    const settled = availableCash(account, cents(0));
    const passed = buys.length === 0 || cost.plain <= settled;
    const detail = `restricted to settled cash until ${restrictedUntil}`;
    return {
      passed,
      warning: passed,
      inputs,
      detail: passed
        ? detail
        : `${detail}: buys cost ${formatCents(cost.plain)}, and ${formatCents(settled)} has settled`,
    };
  },

  good_faith: (context) =>
    lotCheck(
      context,
      ({ paid }) => paid !== null && paid > context.plan.session,
      ({ paid }) => `bought with money that settles on ${paid}`,
      "nothing is sold before the money it was bought with has settled",
    ),

  free_riding: (context) =>
    lotCheck(
      context,
      ({ paid }) => paid === null,
      ({ unpaid }) => `not paid for: ${formatCents(unpaid)} is missing`,
      "nothing is sold that is not paid for",
    ),

  end_of_day: (context) =>
    lotCheck(
      context,
      ({ settles }) => context.rules.brokerEndOfDay && settles !== null && settles > context.plan.session,
      ({ settles }) => `the purchase settles on ${settles}`,
      context.rules.brokerEndOfDay
        ? "nothing is sold before its purchase has settled"
        : "the broker's check at the end of the day is not kept to",
    ),

  /** House policy: the pattern-day-trader rule never applied to cash accounts and was replaced in 2026. */
  day_trades({ plan, account, sells, rules: { dayTrades }, calendar }) {
    const first = lastSessions(plan.session, 5, calendar);
    const before = account.dayTrades.filter(({ session }) => session >= first).length;
    const planned = sells.filter(({ symbol }) => account.boughtToday.includes(symbol)).length;
    const isFourth = planned > 0 && before + planned >= 4;
    const inputs = { policy: dayTrades, before, planned };
    if (dayTrades === "off") return { passed: true, inputs, detail: "day trades are not counted" };
    const count = `${before} day trades in five sessions, ${planned} planned`;
    return {
      passed: !(isFourth && dayTrades === "block"),
      warning: isFourth && dayTrades === "warn",
      inputs,
      detail: isFourth ? `${count}; house policy is three, though no rule says so any more` : count,
    };
  },

  drawdown: (context) =>
    brakeCheck(context, drawdownBrake(context.account, context.situation, context.rules)),
  daily_loss: (context) =>
    brakeCheck(context, dailyLossBrake(context.account, context.situation, context.rules)),
};

const noSession: Found = { passed: true, inputs: {}, detail: "not looked at: there is no session" };

function found(problems: readonly string[], inputs: Check["inputs"], fine: string): Found {
  return {
    passed: problems.length === 0,
    inputs,
    detail: problems.length === 0 ? fine : problems.join("; "),
  };
}

function intentProblem(plan: OrderPlan, intent: OrderIntent): string | undefined {
  const { symbol, side, quantity, type, limit, notional, reference } = intent;
  if (!isQuantity(quantity) || quantity === 0) return `${symbol} has the quantity ${quantity}`;
  if (type === "MKT" ? limit !== null : limit === null || !isPrice(limit))
    return `${symbol} has the limit ${limit}`;
  const price = limit ?? plan.lines.find((line) => line.symbol === symbol)?.price;
  if (price === undefined || price === null || !isPrice(price)) return `${symbol} has no price`;
  if (notional !== notionalCents(quantity, price)) return `${symbol} is not worth ${formatCents(notional)}`;
  return reference === orderReference({ session: plan.session, symbol, side, attempt: plan.attempt })
    ? undefined
    : `${reference} is not the name of this order`;
}

/** The symbols that decide what the plan does: those held, which make up equity, and those ordered. */
function concerned({ plan, account, situation }: Context): readonly Ticker[] {
  const ordered = new Set(plan.intents.map(({ symbol }) => symbol));
  const held = situation.universe.filter((symbol) => heldOf(account, symbol) > 0 && !ordered.has(symbol));
  return [...ordered, ...held];
}

/** The symbols that a plan leaves out for a reason. */
function leftOut({ lines }: OrderPlan, reason: DeferReason): readonly Ticker[] {
  return lines.flatMap(({ symbol, deferred }) => (deferred?.reason === reason ? [symbol] : []));
}

/** Looks at every lot that a sale takes, behind those that open sales take already. */
function lotCheck(
  { account, sells }: Context,
  isWrong: (lot: Lot) => boolean,
  words: (lot: Lot) => string,
  fine: string,
): Found {
  const problems: string[] = [];
  let looked = 0;
  for (const { symbol, quantity } of sells) {
    let before = openSales(account, symbol) as number;
    let left = quantity as number;
    for (const lot of account.lots[symbol] ?? []) {
      const passedOver = Math.min(before, lot.quantity);
      before -= passedOver;
      const part = Math.min(left, lot.quantity - passedOver);
      if (part <= 0) continue;
      left -= part;
      looked++;
      if (isWrong(lot)) problems.push(`${formatQuantity(part as Quantity)} ${symbol}: ${words(lot)}`);
    }
  }
  return found(problems, { lots: looked }, fine);
}

function brakeCheck({ rules: { onBrake }, buys }: Context, brake: Brake): Found {
  const inputs = { from: brake.from, equity: brake.equity, fall: brake.fall, most: brake.most, onBrake };
  const passed = !brake.isOn || (onBrake === "reduce_only" && buys.length === 0);
  const action = onBrake === "halt" ? "trading halts" : "only sales are allowed";
  return {
    passed,
    warning: brake.isOn && passed,
    halts: brake.isOn && onBrake === "halt",
    inputs,
    detail: brake.isOn ? `${fallText(brake)}: ${action}` : fallText(brake),
  };
}

function hoursOf(session: SessionDate, { trading }: SettlementCalendar): Hours | null {
  if (!trading.isSession(session)) return null;
  return { openUtcMs: trading.openUtcMs(session), closeUtcMs: trading.closeUtcMs(session) };
}

/** The first of the last so many sessions, the given one included. */
function lastSessions(session: SessionDate, count: number, { trading }: SettlementCalendar): SessionDate {
  let at = session;
  for (let back = 1; back < count; back++) at = trading.previous(at);
  return at;
}

function dateOf(utcMs: number): string | null {
  return Number.isFinite(utcMs) ? newYorkDateOf(utcMs) : null;
}

function isPrice(price: number): boolean {
  return Number.isFinite(price) && price > 0;
}

function duration(ms: number): string {
  const seconds = Math.round(ms / 1000);
  if (seconds < 120) return `${seconds} s`;
  return seconds < 7200 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3600)} h`;
}

function money(amount: Cents | null): string {
  return amount === null ? "an unknown amount" : formatCents(amount);
}
