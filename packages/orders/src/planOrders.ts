import type { SessionDate, Ticker } from "@pf/market";
import { commissionCents } from "./commission.js";
import { OrderPlanInputError } from "./errors.js";
import {
  affordable,
  type Cents,
  cents,
  floorTo,
  formatCents,
  formatQuantity,
  fractionOf,
  isCents,
  isQuantity,
  limitPrice,
  notionalCents,
  oneShare,
  type Quantity,
} from "./money.js";
import type {
  AccountSnapshot,
  ComingCash,
  DeferReason,
  Deferred,
  Holding,
  NoOrderReason,
  OrderPlan,
  OrderRules,
  PlanCash,
  PlanLine,
  Quote,
  Quotes,
  Targets,
} from "./plan.js";
import { orderReference } from "./reference.js";
import type { OrderIntent, OrderReason, Side } from "./vocabulary.js";

/**
 * What a market buy may cost more than planned: the sum of 1.05 times notional, fees added, stays within settled cash,
 * because Interactive Brokers asks so much more of a cash account for market orders.
 */
export const marketOrderCushion = 0.05;

/**
 * Plans the orders that bring an account to its targets, as far as today's cash, lots and number of orders allow.
 *
 * Equity is all cash and the universe's holdings at the quotes; what is held beside the universe is neither counted nor
 * touched. A target in shares is its weight of equity, rounded down to the step. Sales come first, the largest first,
 * limited to what may be sold; then buys, the largest first, each as much as is left of the settled cash: proceeds of
 * today's sales buy nothing today. For market orders the sum of 1.05 × notional + fee stays within the settled cash,
 * and for all orders the sum of notional + fee within that less the buffer. What is left out says why and until when.
 *
 * The same inputs give the same plan; nothing is rounded up but fees and the buffer.
 *
 * @throws OrderPlanInputError when weights, figures or rules contradict themselves
 * @throws OrderReferenceError when a symbol cannot be part of an order's name
 */
export function planOrders(
  targets: Targets,
  account: AccountSnapshot,
  quotes: Quotes,
  rules: OrderRules,
): OrderPlan {
  requireInputs(targets, account, rules);
  const context = { targets, account, quotes, rules };
  const unpriced = rules.universe.filter((symbol) => heldOf(context, symbol) > 0 && !quotes[symbol]);
  if (unpriced.length > 0) return unpricedPlan(context, unpriced);
  const equity = equityOf(context);
  const buffer = fractionOf(cents(Math.max(0, equity)), rules.cashBuffer, "up");
  const wishes = rules.universe.map((symbol) => wishFor(context, symbol, equity));
  const sales = allocateSales(context, wishes);
  const slots = rules.maxOrders - account.ordersSent - sales.filter(({ quantity }) => quantity > 0).length;
  const money = { spendable: account.spendable, buffer, coming: comingCash(context, sales) };
  const buys = allocateBuys(context, wishes, slots, money);
  const orders = new Map([...sales, ...buys].map((order) => [order.wish.symbol, order]));
  const lines = [
    ...wishes.map((wish) => lineOf(context, wish, orders.get(wish.symbol), equity)),
    ...outsiders(context),
  ];
  const intents = [...sales, ...buys].flatMap((order) => intentOf(context, order));
  return {
    account: account.account,
    session: account.session,
    attempt: account.attempt,
    asOf: targets.asOf,
    intents,
    lines,
    equity,
    cash: cashOf(account.spendable, buffer, [...sales, ...buys]),
    isComplete: lines.every(isSettled),
  };
}

interface Context {
  readonly targets: Targets;
  readonly account: AccountSnapshot;
  readonly quotes: Quotes;
  readonly rules: OrderRules;
}

/** What one symbol wants, before anybody asked for money. */
interface Wish {
  readonly symbol: Ticker;
  readonly quote: Quote | undefined;
  readonly held: Quantity;
  readonly weight: number;
  readonly target: Cents;
  readonly wanted: Quantity | null;
  readonly side: Side | null;
  readonly quantity: Quantity;
  /** What an order would be priced at: the limit, or the quote's price. */
  readonly orderPrice: number;
  readonly limit: number | null;
  readonly notional: Cents;
  /** Why it wants nothing. */
  readonly idle: NoOrderReason | null;
}

/** What one symbol gets. */
interface Order {
  readonly wish: Wish;
  readonly quantity: Quantity;
  readonly notional: Cents;
  readonly fee: Cents;
  readonly deferred: Deferred | null;
}

function heldOf({ account }: Context, symbol: Ticker): Quantity {
  return account.positions[symbol]?.quantity ?? (0 as Quantity);
}

function equityOf({ account, quotes, rules }: Context): Cents {
  let equity: number = account.cash;
  for (const symbol of rules.universe) {
    const held = account.positions[symbol]?.quantity ?? 0;
    if (held > 0) equity += notionalCents(held as Quantity, quotes[symbol]!.price);
  }
  return cents(equity);
}

function wishFor(context: Context, symbol: Ticker, equity: Cents): Wish {
  const { targets, quotes, rules } = context;
  const [weight, held, quote] = [targets.weights[symbol] ?? 0, heldOf(context, symbol), quotes[symbol]];
  const target = equity > 0 && weight > 0 ? fractionOf(equity, weight, "down") : cents(0);
  const step = rules.quantityStep;
  const wish = (
    wanted: Quantity | null,
    idle: NoOrderReason | null,
    side: Side | null = null,
    quantity = 0 as Quantity,
    limit: number | null = null,
  ): Wish => {
    const orderPrice = limit ?? quote?.price ?? 0;
    const notional = side ? notionalCents(quantity, orderPrice) : cents(0);
    return { symbol, quote, held, weight, target, wanted, side, quantity, orderPrice, limit, notional, idle };
  };
  if (!quote) return weight > 0 ? wish(null, "no_quote") : wish(0 as Quantity, "on_target");
  const wanted = affordable(target, quote.price, step);
  if (wanted === held) return wish(wanted, "on_target");
  const side = wanted > held ? "buy" : "sell";
  const isLimit = rules.orderType === "LMT";
  const limit = isLimit ? limitOf(quote, side, rules) : null;
  // A limit above the price buys fewer shares for the same money.
  const goal =
    side === "buy" && limit !== null && limit > quote.price ? affordable(target, limit, step) : wanted;
  const quantity = floorTo(Math.max(0, side === "buy" ? goal - held : held - goal) as Quantity, step);
  if (quantity === 0) return wish(goal, goal === 0 && held > 0 ? "stub" : "on_target");
  if (isLimit && limit === null) return wish(goal, "limit_needs_live_quote", null, quantity);
  const wanting = wish(goal, null, side, quantity, limit);
  const isExit = side === "sell" && goal === 0;
  return isExit || wanting.notional >= rules.minNotional ? wanting : wish(goal, "below_minimum");
}

function limitOf({ bid, ask, feed, tick }: Quote, side: Side, rules: OrderRules): number | null {
  if (feed !== "live" || bid === null || ask === null) return null;
  return limitPrice({ bid, ask }, side, rules.limitOffsetBps, tick);
}

/** Largest first; of one size, as the universe has them. */
function largestFirst(wishes: readonly Wish[], side: Side): readonly Wish[] {
  return wishes.filter((wish) => wish.side === side).sort((a, b) => b.notional - a.notional);
}

function allocateSales({ account, rules }: Context, wishes: readonly Wish[]): readonly Order[] {
  let slots = rules.maxOrders - account.ordersSent;
  return largestFirst(wishes, "sell").map((wish) => {
    const { sellable, moreFrom } = account.positions[wish.symbol] as Holding;
    const free = floorTo(Math.min(wish.quantity, sellable) as Quantity, rules.quantityStep);
    const notional = notionalCents(free, wish.orderPrice);
    const keepsSome = free < wish.held;
    if (free < wish.quantity && (free === 0 || (keepsSome && notional < rules.minNotional))) {
      return noOrder(wish, "unsettled_lots", moreFrom);
    }
    if (slots <= 0) return noOrder(wish, "no_order_left", null);
    slots--;
    const left = (wish.quantity - free) as Quantity;
    return {
      wish,
      quantity: free,
      notional,
      fee: commissionCents(rules.commission, free, notional),
      deferred: left > 0 ? { quantity: left, reason: "unsettled_lots", until: moreFrom } : null,
    };
  });
}

interface Money {
  readonly spendable: Cents;
  readonly buffer: Cents;
  /** Ascending by date. */
  readonly coming: readonly ComingCash[];
}

function allocateBuys(
  { account, rules }: Context,
  wishes: readonly Wish[],
  slotsLeft: number,
  money: Money,
): readonly Order[] {
  const isMarket = rules.orderType === "MKT";
  const step = rules.quantityStep;
  const costOf = (wish: Wish, quantity: Quantity) => {
    const notional = notionalCents(quantity, wish.orderPrice);
    const fee = commissionCents(rules.commission, quantity, notional);
    const cushion = isMarket ? fractionOf(notional, marketOrderCushion, "up") : 0;
    return { notional, fee, plain: notional + fee, cushioned: notional + cushion + fee };
  };
  let slots = slotsLeft;
  // What the buys so far cost, and what they would cost had they got everything.
  const spent = { plain: 0, cushioned: 0 };
  const asked = { plain: 0, cushioned: 0 };
  const fits = ({ plain, cushioned }: { readonly plain: number; readonly cushioned: number }) =>
    spent.cushioned + cushioned <= money.spendable && spent.plain + plain <= money.spendable - money.buffer;
  return largestFirst(wishes, "buy").map((wish) => {
    if (account.buysStopped !== null) return noOrder(wish, "buys_stopped", null);
    const whole = costOf(wish, wish.quantity);
    asked.plain += whole.plain;
    asked.cushioned += whole.cushioned;
    if (slots <= 0) return noOrder(wish, "no_order_left", null);
    let quantity = wish.quantity;
    if (!fits(whole)) {
      // Costs never fall with the quantity, so the largest that fits is found by halving.
      let [enough, tooMany] = [0, wish.quantity / step];
      while (tooMany - enough > 1) {
        const middle = Math.floor((enough + tooMany) / 2);
        if (fits(costOf(wish, (middle * step) as Quantity))) enough = middle;
        else tooMany = middle;
      }
      quantity = (enough * step) as Quantity;
    }
    const cost = costOf(wish, quantity);
    const missing = Math.max(
      asked.cushioned - money.spendable,
      asked.plain - (money.spendable - money.buffer),
    );
    const until = usableFrom(money.coming, missing);
    const reason = until === null ? "cash_short" : "waits_for_settlement";
    if (quantity === 0 || (quantity < wish.quantity && cost.notional < rules.minNotional)) {
      return noOrder(wish, reason, until);
    }
    slots--;
    spent.plain += cost.plain;
    spent.cushioned += cost.cushioned;
    const left = (wish.quantity - quantity) as Quantity;
    return {
      wish,
      quantity,
      notional: cost.notional,
      fee: cost.fee,
      deferred: left > 0 ? { quantity: left, reason, until } : null,
    };
  });
}

function noOrder(wish: Wish, reason: DeferReason, until: SessionDate | null): Order {
  const [quantity, nothing] = [0 as Quantity, cents(0)];
  return {
    wish,
    quantity,
    notional: nothing,
    fee: nothing,
    deferred: { quantity: wish.quantity, reason, until },
  };
}

/** Cash on its way: what was sold before, and what today's sales bring. */
function comingCash({ account }: Context, sales: readonly Order[]): readonly ComingCash[] {
  const proceeds = sales.reduce((sum, { notional, fee }) => sum + notional - fee, 0);
  const today = { amount: cents(proceeds), usable: account.proceedsUsable };
  return [...account.coming, ...(proceeds > 0 ? [today] : [])].sort((a, b) =>
    a.usable < b.usable ? -1 : a.usable > b.usable ? 1 : 0,
  );
}

/** The session from which the missing money is there, or at least all that is coming; `null` when none is. */
function usableFrom(coming: readonly ComingCash[], missing: number): SessionDate | null {
  let [sum, until] = [0, null as SessionDate | null];
  for (const { amount, usable } of coming) {
    if (sum >= missing) break;
    sum += amount;
    if (amount > 0) until = usable;
  }
  return until;
}

function intentOf({ account, rules }: Context, order: Order): readonly OrderIntent[] {
  const { wish, quantity, notional } = order;
  if (quantity === 0 || wish.side === null) return [];
  return [
    {
      reference: referenceOf(account, wish),
      symbol: wish.symbol,
      side: wish.side,
      quantity,
      type: rules.orderType,
      limit: wish.limit,
      notional,
      reason: orderReason(wish),
      detail: isInWords(rules) ? orderDetail(wish, order) : "",
    },
  ];
}

function isInWords({ inWords = true }: OrderRules): boolean {
  return inWords;
}

function referenceOf({ session, attempt }: AccountSnapshot, { symbol, side }: Wish): string {
  return orderReference({ session, symbol, side: side!, attempt });
}

function orderReason({ side, held, wanted }: Wish): OrderReason {
  if (side === "buy") return held === 0 ? "enter" : "increase";
  return wanted === 0 ? "exit" : "reduce";
}

function lineOf(context: Context, wish: Wish, order: Order | undefined, equity: Cents): PlanLine {
  const { symbol, quote, held, weight, wanted, side, idle } = wish;
  const quantity = order?.quantity ?? (0 as Quantity);
  const isOrdered = quantity > 0;
  const left: Deferred | null =
    order?.deferred ??
    (idle === "limit_needs_live_quote" || idle === "no_quote"
      ? { quantity: wish.quantity, reason: idle, until: null }
      : null);
  const isBuy = side === "buy";
  const then = (isOrdered ? (isBuy ? held + quantity : held - quantity) : held) as Quantity;
  const reason = isOrdered ? orderReason(wish) : (idle ?? left!.reason);
  const value = quote ? notionalCents(then, quote.price) : cents(0);
  return {
    symbol,
    price: quote?.price ?? null,
    held,
    targetWeight: weight,
    wanted,
    action: isOrdered ? side! : "none",
    quantity,
    reason,
    detail: !isInWords(context.rules)
      ? ""
      : isOrdered
        ? orderDetail(wish, order!)
        : idleDetail(context, wish, left, reason),
    deferred: left,
    reference: isOrdered ? referenceOf(context.account, wish) : null,
    drift:
      quote || weight === 0
        ? { weight: equity > 0 ? value / equity - weight : 0, notional: cents(value - wish.target) }
        : null,
  };
}

function outsiders({ account, quotes, rules }: Context): readonly PlanLine[] {
  const known = new Set(rules.universe);
  const beside = Object.keys(account.positions).filter(
    (symbol) => !known.has(symbol) && account.positions[symbol]!.quantity > 0,
  );
  return beside.sort().map((symbol) => ({
    symbol,
    price: quotes[symbol]?.price ?? null,
    held: account.positions[symbol]!.quantity,
    targetWeight: 0,
    wanted: null,
    action: "none",
    quantity: 0 as Quantity,
    reason: "outside_universe",
    detail: `${formatQuantity(account.positions[symbol]!.quantity)} held; not in the universe, so neither counted nor touched`,
    deferred: null,
    reference: null,
    drift: null,
  }));
}

/** Without every price nothing can be sized, so nothing is ordered. */
function unpricedPlan(context: Context, unpriced: readonly Ticker[]): OrderPlan {
  const { targets, account, quotes, rules } = context;
  const lines = rules.universe.map((symbol): PlanLine => {
    const weight = targets.weights[symbol] ?? 0;
    const held = heldOf(context, symbol);
    const isTouched = held > 0 || weight > 0;
    return {
      symbol,
      price: quotes[symbol]?.price ?? null,
      held,
      targetWeight: weight,
      wanted: null,
      action: "none",
      quantity: 0 as Quantity,
      reason: isTouched ? "no_quote" : "on_target",
      detail: isTouched
        ? `there is no price of ${unpriced.join(", ")}, so what the account is worth is unknown and nothing is sized`
        : "nothing held, nothing wanted",
      deferred: isTouched ? { quantity: 0 as Quantity, reason: "no_quote", until: null } : null,
      reference: null,
      drift: null,
    };
  });
  return {
    account: account.account,
    session: account.session,
    attempt: account.attempt,
    asOf: targets.asOf,
    intents: [],
    lines: [...lines, ...outsiders(context)],
    equity: null,
    cash: cashOf(account.spendable, cents(0), []),
    isComplete: false,
  };
}

function cashOf(spendable: Cents, buffer: Cents, orders: readonly Order[]): PlanCash {
  let [cost, proceeds, fees] = [0, 0, 0];
  for (const { wish, notional, fee } of orders) {
    if (wish.side === "buy") cost += notional + fee;
    else proceeds += notional - fee;
    fees += fee;
  }
  return { spendable, buffer, cost: cents(cost), proceeds: cents(proceeds), fees: cents(fees) };
}

/** Whether a symbol needs no other session. Money that is short and not coming is not waited for, unless some was used. */
function isSettled({ deferred, quantity }: PlanLine): boolean {
  return deferred === null || (deferred.reason === "cash_short" && quantity === 0);
}

function orderDetail(wish: Wish, { quantity, notional, deferred }: Order): string {
  const { side, symbol, held, limit, orderPrice } = wish;
  const priced =
    limit === null ? `at about ${orderPrice}` : side === "buy" ? `at most ${limit}` : `at least ${limit}`;
  const order = `${side} ${formatQuantity(quantity)} ${symbol} ${priced} for ${formatCents(notional)}`;
  const goal = `${goalText(wish)}, ${formatQuantity(held)} held`;
  return deferred ? `${order}; ${goal}; ${deferredText(wish, deferred)}` : `${order}; ${goal}`;
}

function idleDetail(
  { rules, account, quotes }: Context,
  wish: Wish,
  deferred: Deferred | null,
  reason: PlanLine["reason"],
): string {
  const goal = `${goalText(wish)}, ${formatQuantity(wish.held)} held`;
  switch (reason) {
    case "on_target":
      return wish.held === 0 && wish.weight === 0 ? "nothing held, nothing wanted" : `on target: ${goal}`;
    case "stub":
      return `${formatQuantity(wish.held)} held is less than can be sold and is left alone`;
    case "below_minimum":
      return `${goal}; the difference is worth less than ${formatCents(rules.minNotional)}`;
    case "limit_needs_live_quote":
      return `${goal}; a limit price needs a live bid and ask, and the quote is ${quotes[wish.symbol]?.feed === "live" ? "without them" : "not live"}; use order type MKT or live quotes`;
    case "no_quote":
      return `${percent(wish.weight)} wanted, but there is no price of ${wish.symbol}`;
    case "buys_stopped":
      return `${goal}; not bought: ${account.buysStopped}`;
    default:
      return `${goal}; ${deferredText(wish, deferred!)}`;
  }
}

function goalText({ weight, target, wanted }: Wish): string {
  return wanted === null
    ? `${percent(weight)} wanted`
    : `${percent(weight)} of equity is ${formatCents(target)}, ${formatQuantity(wanted)} wanted`;
}

function deferredText({ side, symbol }: Wish, { quantity, reason, until }: Deferred): string {
  const shares = `${formatQuantity(quantity)} ${symbol}`;
  const when = until === null ? "" : ` to ${until}`;
  switch (reason) {
    case "waits_for_settlement":
      return `buy of ${shares} deferred${when}: the money for it has not settled`;
    case "unsettled_lots":
      return `sell of ${shares} deferred${when}: lot unsettled`;
    case "cash_short":
      return `${shares} cannot be bought: there is not enough settled cash, and none is coming`;
    default:
      return `${side} of ${shares} deferred to the next session: the orders of this one are used up`;
  }
}

function percent(fraction: number): string {
  return `${Number((fraction * 100).toFixed(2))} %`;
}

function requireInputs({ weights }: Targets, account: AccountSnapshot, rules: OrderRules): void {
  const known = new Set(rules.universe);
  for (const [symbol, weight] of Object.entries(weights)) {
    if (!(Number.isFinite(weight) && weight >= 0))
      throw new OrderPlanInputError(`${symbol} has the weight ${weight}`);
    if (weight > 0 && !known.has(symbol)) throw new OrderPlanInputError(`${symbol} is not in the universe`);
  }
  if (known.size !== rules.universe.length)
    throw new OrderPlanInputError("a symbol stands twice in the universe");
  if (!(isQuantity(rules.quantityStep) && rules.quantityStep > 0 && oneShare % rules.quantityStep === 0)) {
    throw new OrderPlanInputError(
      `shares cannot be traded in steps of ${rules.quantityStep} ten-thousandths`,
    );
  }
  if (!(Number.isSafeInteger(rules.maxOrders) && rules.maxOrders >= 0)) {
    throw new OrderPlanInputError(`${rules.maxOrders} is no number of orders`);
  }
  if (!(rules.cashBuffer >= 0 && rules.cashBuffer < 1)) {
    throw new OrderPlanInputError(`${rules.cashBuffer} of equity is no cash buffer`);
  }
  for (const amount of [account.cash, account.spendable, rules.minNotional]) {
    if (!isCents(amount)) throw new OrderPlanInputError(`${amount} is no amount in cents`);
  }
  for (const [symbol, { quantity, sellable }] of Object.entries(account.positions)) {
    if (!(isQuantity(quantity) && isQuantity(sellable) && sellable <= quantity)) {
      throw new OrderPlanInputError(`${sellable} of ${quantity} ten-thousandths of ${symbol} may be sold`);
    }
  }
}
