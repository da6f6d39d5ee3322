import type { SessionDate } from "@pf/market";
import {
  type Cents,
  type CommissionPlan,
  cents,
  commissionCents,
  commissionOfFill,
  formatQuantity,
  fractionOf,
  notionalCents,
  oneShare,
  type Quantity,
  quantityOfShares,
} from "@pf/orders";
import type { Timeline } from "../timeline.js";
import { type Account, dollars } from "./account.js";
import type { Boundaries } from "./boundaries.js";
import type { IdSource } from "./ids.js";
import type { Instrument } from "./instrument.js";
import type { VenueLatency } from "./options.js";
import { stepMs } from "./path.js";
import { type Touch, touchAt } from "./quotes.js";
import type {
  Arrangement,
  Execution,
  ExecutionFilter,
  NewOrder,
  OrderState,
  VenueError,
  VenueEvent,
  WhatIf,
} from "./venue.js";

/** What the exchange works with; `now` and `session` change as time goes by. */
export interface ExchangeWorld {
  readonly nowUtcMs: number;
  readonly schedule: Timeline;
  readonly boundaries: Boundaries;
  readonly ids: IdSource;
  readonly latency: VenueLatency;
  readonly plan: CommissionPlan;
  readonly fractional: "reject" | "accept";
  readonly closedMarket: "hold" | "reject";
  readonly marketOrderCushion: number;
  instrument(conId: number): Instrument | undefined;
  account(id: string): Account | undefined;
  /** The only account, for orders that name none. */
  readonly onlyAccount: Account | undefined;
  readonly emit: (event: VenueEvent) => void;
  priceOf(symbol: string): number;
}

type OrderArrangement = Exclude<Arrangement, { kind: "split" | "cash" }>;

/** An order from its arrival to its end. */
interface Working {
  order: NewOrder;
  quantity: Quantity;
  readonly permId: string;
  readonly account: Account;
  readonly instrument: Instrument;
  status: OrderState["status"];
  filled: number;
  notional: Cents;
  /** Sum of price times quantity, for the average. */
  weighted: number;
  lastPrice: number;
  /** Whether the broker has taken it. */
  acknowledged: boolean;
  /** Whether it is at the exchange in the session now. */
  live: boolean;
  /** Whether it waits at its limit, instead of having just arrived. */
  resting: boolean;
  /** What is still due for it finds out by this. */
  ended: boolean;
  /** Names what the ledger keeps back for it; each time a new name, because the ledger notes a name once. */
  reservation: string;
  /** Counts the searches for a price that fits: only the newest one counts. */
  search: number;
  parts: { readonly sizes: number[]; readonly everyMs: number; readonly stops: boolean } | undefined;
  completedStatus: string;
  completedUtcMs: number | undefined;
}

/** Limits further through the market than this are cancelled: 3 % was seen accepted, 20 % cancelled. */
const farThroughTheMarket = 0.05;
const refusalGapMs = 50;
const orderTypes = new Set(["MKT", "LMT"]);
/** Beyond these, cents could not be counted exactly. */
const mostShares = 1e8;
const mostDollars = 1e12;
/** Real order types that this exchange does not trade. */
const otherOrderTypes = new Set([
  ...[
    "STP",
    "STP LMT",
    "TRAIL",
    "TRAIL LIMIT",
    "MOC",
    "LOC",
    "MIT",
    "LIT",
    "MTL",
    "MKT PRT",
    "REL",
    "MIDPRICE",
  ],
  ...["PEG MKT", "PEG MID", "PEG STK", "PEG BEST", "PEG BENCH", "VOL", "SNAP MKT", "SNAP MID", "SNAP PRIM"],
  ...["BOX TOP", "PASSV REL", "STP PRT", "PEG PRIM"],
]);
const timesInForce = new Set(["DAY", "GTC", "IOC"]);

/** Takes orders, holds them, fills them and ends them. */
export class Exchange {
  private readonly open = new Map<string, Working>();
  private completed: Working[] = [];
  private today: Execution[] = [];
  private readonly nextIds = new Map<number, number>();
  /** Sent with transmit false: in the terminal only. */
  private readonly parked = new Set<string>();
  private readonly arrangements: OrderArrangement[] = [];
  private linked = true;
  private reservations = 0;
  private waiting: (() => void)[] = [];

  constructor(private readonly world: ExchangeWorld) {}

  nextOrderId(clientId: number): number {
    return this.nextIds.get(clientId) ?? 1;
  }

  place(order: NewOrder): void {
    const { clientId, orderId } = order;
    const key = keyOf(clientId, orderId);
    const known = this.open.get(key);
    if (known) {
      this.modify(known, order);
      return;
    }
    if (orderId >= 0) {
      if (orderId < this.nextOrderId(clientId) && !this.parked.has(key)) {
        this.refuseInTerminal(order, { code: 103, message: "Duplicate order id" });
        return;
      }
      this.nextIds.set(clientId, Math.max(this.nextOrderId(clientId), orderId + 1));
    }
    const wrong = this.wrongInTerminal(order);
    if (wrong) {
      this.refuseInTerminal(order, wrong);
      return;
    }
    if (!order.transmit) {
      this.parked.add(key);
      return;
    }
    this.parked.delete(key);
    const working = this.accept(order);
    const { latency, schedule, nowUtcMs } = this.world;
    if (order.tif !== "") {
      this.later(working, latency.acknowledge, () => this.acknowledge(working));
      return;
    }
    // Seen in the wild: a notice, the order shown as cancelled, and the same order alive seconds later.
    schedule.add(nowUtcMs + latency.check, () => {
      if (working.ended) return;
      this.error(working, 10349, "Order TIF was set to DAY based on order preset.");
      this.world.emit({ kind: "status", state: { ...stateOf(working), status: "Cancelled" } });
    });
    working.order = { ...order, tif: "DAY" };
    const wait = 700 + (Number(working.permId) % 23) * 100;
    this.later(working, latency.acknowledge + wait, () => this.acknowledge(working));
  }

  whatIf(order: NewOrder): WhatIf | VenueError {
    const wrong = this.wrongInTerminal(order);
    if (wrong) return wrong;
    if (order.tif === "") return { code: 10349, message: "Order TIF was set to DAY based on order preset." };
    const instrument = this.world.instrument(order.conId)!;
    const account = this.accountOf(order)!;
    const quantity = quantityOfShares(order.quantity);
    const refused = this.wrongAtBroker(order, quantity, account, instrument);
    if (refused) return refused;
    const price = this.referencePrice(order, instrument)!;
    const notional = notionalCents(quantity, price);
    const fee = commissionCents(this.world.plan, quantity, notional);
    const before = account.positionValue(this.world.priceOf);
    const after = Math.max(0, before + (order.action === "BUY" ? notional : -notional));
    const equity = before + account.totalCash;
    return {
      commission: fee / 100,
      initMarginBefore: before / 100,
      initMarginAfter: after / 100,
      equityWithLoanBefore: equity / 100,
      equityWithLoanAfter: (equity - fee) / 100,
    };
  }

  cancel(clientId: number, orderId: number): VenueError | undefined {
    const key = keyOf(clientId, orderId);
    const working = this.open.get(key);
    if (!working) {
      if (this.parked.delete(key)) return undefined;
      const done = this.completed.find(({ order }) => keyOf(order.clientId, order.orderId) === key);
      return done
        ? {
            code: 10148,
            message: `OrderId ${orderId} that needs to be cancelled can not be cancelled, state: ${done.status}.`,
          }
        : { code: 10147, message: `OrderId ${orderId} that needs to be cancelled is not found.` };
    }
    if (working.status === "PendingCancel") {
      return {
        code: 161,
        message: `Cancel attempted when order is not in a cancellable state.  Order permId = ${working.permId}`,
      };
    }
    this.later(working, this.world.latency.cancel, () => {
      this.show(working, "PendingCancel");
      this.later(working, this.world.latency.cancel, () =>
        this.endCancelled(working, "Cancelled by Trader", ""),
      );
    });
    return undefined;
  }

  openOrders(): readonly OrderState[] {
    return [...this.open.values()].map(stateOf);
  }

  completedOrders(): readonly OrderState[] {
    return this.completed.map(stateOf);
  }

  executions(filter: ExecutionFilter): readonly Execution[] {
    const { clientId, account, sinceUtcMs, symbol, side } = filter;
    return this.today.filter(
      ({ order: { order }, utcMs }) =>
        (clientId === undefined || order.clientId === clientId) &&
        (account === undefined || order.account === account) &&
        (sinceUtcMs === undefined || utcMs >= sinceUtcMs) &&
        (symbol === undefined || this.world.instrument(order.conId)!.symbol === symbol) &&
        (side === undefined || order.action === side),
    );
  }

  setMarketLink(up: boolean): void {
    this.linked = up;
    if (!up) return;
    const waiting = this.waiting;
    this.waiting = [];
    for (const run of waiting) this.world.schedule.add(this.world.nowUtcMs, run);
  }

  arrange(arrangement: OrderArrangement): void {
    this.arrangements.push(arrangement);
  }

  /** Shares of what is open become more or fewer, limits follow. Called when prices have changed. */
  split(instrument: Instrument, ratio: number): void {
    for (const working of this.open.values()) {
      if (working.instrument !== instrument) continue;
      const { order } = working;
      const unit = this.world.fractional === "accept" ? 1 : oneShare;
      const resized = (units: number) => (Math.floor((units * ratio) / unit + 1e-9) * unit) as Quantity;
      working.quantity = Math.max(resized(working.quantity), unit) as Quantity;
      working.filled = resized(working.filled);
      if (working.filled >= working.quantity) working.quantity = (working.filled + unit) as Quantity;
      working.order = {
        ...order,
        quantity: formatQuantity(working.quantity),
        limit:
          order.limit === undefined ? undefined : roundTo(order.limit / ratio, instrument.contract.minTick),
      };
      working.parts = undefined;
      if (working.acknowledged) this.reserve(working);
      if (working.live && working.resting) this.rest(working);
    }
  }

  /** A session begins: what was held goes to the exchange. */
  sessionOpens(): void {
    for (const working of [...this.open.values()]) if (working.acknowledged) this.start(working);
  }

  /** A session is over: what was for the day ends. */
  sessionCloses(): void {
    for (const working of [...this.open.values()]) {
      if (!working.live) continue;
      working.live = false;
      if (working.order.tif === "GTC") continue;
      this.later(working, 0, () => this.endCancelled(working, "Cancelled by System: the day is over", ""));
    }
  }

  /** A day begins in New York: yesterday is forgotten, and what is still open keeps its cash and shares. */
  dayBegins(): void {
    this.today = [];
    this.completed = [];
    for (const working of this.open.values()) if (working.acknowledged) this.reserve(working);
  }

  private accept(order: NewOrder): Working {
    const account = this.accountOf(order)!;
    const working: Working = {
      order: { ...order, account: account.id },
      quantity: quantityOfShares(order.quantity),
      permId: this.world.ids.permId(),
      account,
      instrument: this.world.instrument(order.conId)!,
      status: "PendingSubmit",
      filled: 0,
      notional: cents(0),
      weighted: 0,
      lastPrice: 0,
      acknowledged: false,
      live: false,
      resting: false,
      ended: false,
      reservation: "",
      search: 0,
      parts: undefined,
      completedStatus: "",
      completedUtcMs: undefined,
    };
    this.open.set(keyOf(order.clientId, order.orderId), working);
    return working;
  }

  /** The broker looks at the order: refuses it, holds it, or sends it to the exchange. */
  private acknowledge(working: Working): void {
    const { order, account, instrument, quantity } = working;
    const { boundaries, closedMarket } = this.world;
    const arranged = this.takeArrangement("reject", instrument.symbol);
    if (arranged) {
      this.refuseAtBroker(working, arranged);
      return;
    }
    const session = boundaries.session;
    if (
      session === undefined &&
      (order.tif === "IOC" || (order.orderType === "MKT" && closedMarket === "reject"))
    ) {
      this.refuseAtBroker(working, rejected("Exchange is closed."));
      return;
    }
    const wrong = this.wrongAtBroker(order, quantity, account, instrument);
    if (wrong) {
      this.refuseAtBroker(working, wrong);
      return;
    }
    this.reserve(working);
    working.acknowledged = true;
    this.show(working, "PreSubmitted");
    if (session !== undefined) {
      this.start(working);
      return;
    }
    const next = boundaries.nextSession;
    this.error(
      working,
      399,
      `Order Message:\n${order.action} ${formatQuantity(quantity)} ${instrument.symbol} ${instrument.contract.primaryExchange}\nWarning: your order will not be placed at the exchange until ${next === undefined ? "the next open" : timeText(next)}`,
    );
  }

  /** The order reaches the exchange of a session. */
  private start(working: Working): void {
    const { latency } = this.world;
    working.live = true;
    working.resting = false;
    const search = ++working.search;
    const current = (run: () => void) => () => {
      if (working.search === search) run();
    };
    if (working.order.orderType === "MKT") {
      this.later(
        working,
        latency.fill,
        current(() => this.attempt(working)),
      );
      return;
    }
    this.later(
      working,
      latency.submit,
      current(() => {
        // Prices are checked once: who rests may find the market anywhere the next day.
        const isNew = working.status === "PreSubmitted";
        if (isNew) this.show(working, "Submitted");
        const price = this.takerPrice(working);
        const { limit, action } = working.order;
        const through = price === undefined ? 0 : action === "BUY" ? limit! / price - 1 : 1 - limit! / price;
        if (isNew && through > farThroughTheMarket) {
          this.endCancelled(
            working,
            "Cancelled by System: price check",
            `We cannot accept an order at the limit price you selected. Please submit your order using a limit price that is closer to the current market price of ${price}.`,
          );
          return;
        }
        if (price !== undefined && isMarketable(action, limit!, price)) {
          this.later(
            working,
            Math.max(0, latency.fill - latency.submit),
            current(() => this.attempt(working)),
          );
        } else this.doNotFill(working);
      }),
    );
  }

  /** Fills what can be filled now, or waits. */
  private attempt(working: Working): void {
    if (!working.live || (working.parts?.stops && working.parts.sizes.length === 0)) return;
    const price = this.takerPrice(working);
    if (price === undefined) {
      this.doNotFill(working);
      return;
    }
    const { orderType, action, limit } = working.order;
    if (orderType === "LMT") {
      if (!isMarketable(action, limit!, price)) {
        this.doNotFill(working);
        return;
      }
    }
    const reached = working.resting ? this.limitPrice(working, price) : price;
    this.execute(working, orderType === "MKT" ? reached : noWorse(action, limit!, reached));
  }

  private doNotFill(working: Working): void {
    if (working.order.tif !== "IOC") {
      this.rest(working);
      return;
    }
    this.show(working, "PendingCancel");
    this.finish(working, "Cancelled", "Cancelled by System: not filled at once");
    this.world.emit({ kind: "status", state: stateOf(working) });
  }

  /** Waits for the first step of this session at which the limit is met. */
  private rest(working: Working): void {
    const search = ++working.search;
    working.resting = true;
    const { instrument, order } = working;
    const { nowUtcMs } = this.world;
    const row = instrument.openRowAt(nowUtcMs);
    if (row < 0 || order.orderType !== "LMT") return;
    const [open, last] = [instrument.opens[row]!, instrument.stepsOf(row) - 1];
    for (let step = instrument.stepAt(row, nowUtcMs) + 1; step <= last; step++) {
      const price = priceToTake(instrument, row, open + step * stepMs, nowUtcMs, order.action);
      if (isMarketable(order.action, order.limit!, price)) {
        this.later(working, open + step * stepMs - nowUtcMs, () => {
          if (working.search === search) this.attempt(working);
        });
        return;
      }
    }
  }

  /** One execution of the whole rest, or of the next arranged part. */
  private execute(working: Working, price: number): void {
    const { order, account, instrument } = working;
    const { world } = this;
    this.planParts(working);
    const remaining = remainingOf(working);
    const quantity = Math.min(working.parts?.sizes[0] ?? remaining, remaining) as Quantity;
    const notional = notionalCents(quantity, price);
    const before = { quantity: working.filled as Quantity, notional: working.notional };
    const fee = commissionOfFill(world.plan, before, { quantity, notional });
    const shortOf =
      order.action === "BUY"
        ? notional + fee > account.available + account.reservedFor(working.reservation)
        : quantity > account.held(instrument.symbol);
    if (shortOf) {
      const refusal =
        order.action === "BUY"
          ? shortOfFunds(account.available, notional + fee)
          : noShortSelling(instrument.symbol);
      this.refuseAtBroker(working, refusal);
      return;
    }
    const realized = account.fill(working.reservation, instrument.symbol, order.action, quantity, price, fee);
    working.filled += quantity;
    working.notional = cents(working.notional + notional);
    working.weighted += price * quantity;
    working.lastPrice = price;
    working.parts?.sizes.shift();
    const done = working.filled === working.quantity;
    if (done) this.finish(working, "Filled", `Filled Size: ${formatQuantity(working.quantity)}`);
    else if (working.status === "PreSubmitted") working.status = "Submitted";
    const execution: Execution = {
      execId: world.ids.execId(),
      utcMs: world.nowUtcMs,
      order: stateOf(working),
      exchange: instrument.contract.primaryExchange,
      side: order.action === "BUY" ? "BOT" : "SLD",
      shares: formatQuantity(quantity),
      price,
      cumulative: formatQuantity(working.filled as Quantity),
      averagePrice: working.weighted / working.filled,
      commission: fee / 100,
      realizedPnl: realized === undefined ? undefined : realized / 100,
    };
    this.today.push(execution);
    world.emit({ kind: "execution", execution });
    world.emit({ kind: "status", state: stateOf(working) });
    world.schedule.add(world.nowUtcMs + world.latency.commission, () =>
      world.emit({ kind: "commission", execution }),
    );
    if (done) return;
    const { parts } = working;
    if (order.tif === "IOC" && !parts) {
      this.doNotFill(working);
      return;
    }
    if (parts && parts.sizes.length === 0 && parts.stops) return;
    const search = ++working.search;
    this.later(working, parts?.everyMs ?? 0, () => {
      if (working.search === search) this.attempt(working);
    });
  }

  /** At the first fill: whether the order is one of those that fill in parts. */
  private planParts(working: Working): void {
    if (working.filled > 0 || working.parts) return;
    const arranged = this.takeArrangement("partialFills", working.instrument.symbol);
    if (!arranged) return;
    const unit = working.quantity % oneShare === 0 ? oneShare : 1;
    const units = working.quantity / unit;
    const count = Math.max(1, Math.min(arranged.parts, units));
    const sizes = Array.from(
      { length: count },
      (_, at) => (Math.floor((units * (at + 1)) / count) - Math.floor((units * at) / count)) * unit,
    );
    const stops = arranged.stopAfter !== undefined && arranged.stopAfter < count;
    working.parts = {
      sizes: stops ? sizes.slice(0, Math.max(1, arranged.stopAfter!)) : sizes,
      everyMs: arranged.everyMs,
      stops,
    };
  }

  private modify(working: Working, order: NewOrder): void {
    const { order: old } = working;
    const same =
      order.conId === old.conId && order.action === old.action && this.accountOf(order) === working.account;
    const wrong = same
      ? this.wrongInTerminal(order)
      : { code: 105, message: "Order being modified does not match original order" };
    if (wrong) {
      this.refuseInTerminal(order, wrong);
      return;
    }
    this.later(working, this.world.latency.acknowledge, () => {
      const quantity = quantityOfShares(order.quantity);
      if (quantity <= working.filled) {
        this.error(working, 104, "Cannot modify a filled order");
        return;
      }
      const { account, instrument } = working;
      const rest = (quantity - working.filled) as Quantity;
      if (working.acknowledged) {
        account.release(working.reservation);
        const refused = this.wrongAtBroker(order, rest, account, instrument);
        if (refused) {
          this.reserve(working);
          this.error(working, refused.code, refused.message);
          return;
        }
      }
      working.order = { ...order, account: account.id, tif: order.tif === "" ? "DAY" : order.tif };
      working.quantity = quantity;
      working.parts = undefined;
      if (!working.acknowledged) return;
      this.reserve(working);
      this.world.emit({ kind: "status", state: stateOf(working) });
      if (working.live) this.start(working);
    });
  }

  /** What the terminal refuses before anything leaves it. */
  private wrongInTerminal(order: NewOrder): VenueError | undefined {
    if (!this.accountOf(order)) {
      return order.account === ""
        ? { code: 435, message: "You must specify an account." }
        : invalid(`Invalid account code '${order.account}'.`);
    }
    const instrument = this.world.instrument(order.conId);
    if (!instrument) return { code: 200, message: "No security definition has been found for the request" };
    if (order.action !== "BUY" && order.action !== "SELL") return invalid(`Invalid side ${order.action}`);
    if (order.cashQuantity !== "" && Number(order.cashQuantity) !== 0) {
      return { code: 10244, message: "Cash quantity cannot be used for this order." };
    }
    const { orderType, tif, limit, quantity } = order;
    if (!orderTypes.has(orderType)) {
      return otherOrderTypes.has(orderType)
        ? { code: 387, message: "Unsupported order type for this exchange and security type." }
        : invalid(`Invalid order type ${orderType}`);
    }
    if (tif !== "" && !timesInForce.has(tif)) {
      return invalid(`Invalid time in force ${tif}; this simulator has DAY, GTC and IOC`);
    }
    if (!/^\d+(\.\d*)?$/.test(quantity)) return invalid(`Invalid quantity ${quantity}`);
    if (Number(quantity) === 0) return { code: 434, message: "The order size cannot be zero." };
    if (Number(quantity) > mostShares || Number(quantity) * (limit ?? 0) > mostDollars) {
      return { code: 383, message: "The size of the order exceeds the limit of the precautionary settings." };
    }
    if (!/^\d+(\.0*)?$/.test(quantity)) {
      if (this.world.fractional === "reject") {
        return {
          code: 10243,
          message:
            "Fractional-sized order cannot be placed via API. Please use desktop version to place this order.",
        };
      }
      if (!/^\d+(\.\d{0,4}0*)?$/.test(quantity)) {
        return {
          code: 10250,
          message: "Order size does not conform to the minimum variation for this contract.",
        };
      }
    }
    if (orderType !== "LMT") return undefined;
    if (limit === undefined || !(limit > 0 && limit < mostDollars))
      return invalid(`Invalid limit price ${limit ?? ""}`);
    const ticks = limit / instrument.contract.minTick;
    if (Math.abs(ticks - Math.round(ticks)) > 1e-6) {
      return {
        code: 110,
        message: "The price does not conform to the minimum price variation for this contract.",
      };
    }
    return undefined;
  }

  /** What the broker refuses: shares that are not there, funds that are not there. */
  private wrongAtBroker(
    order: NewOrder,
    quantity: Quantity,
    account: Account,
    instrument: Instrument,
  ): VenueError | undefined {
    if (order.action === "SELL") {
      return quantity > account.sellable(instrument.symbol) ? noShortSelling(instrument.symbol) : undefined;
    }
    const needed = this.cashFor(order, quantity, instrument);
    if (needed === undefined) return rejected(`There is no market price for ${instrument.symbol}.`);
    return needed > account.available ? shortOfFunds(account.available, needed) : undefined;
  }

  /** Keeps back what the rest of the order needs, instead of what was kept back for it so far. */
  private reserve(working: Working): void {
    const { order, account, instrument } = working;
    account.release(working.reservation);
    working.reservation = `${working.permId}/${++this.reservations}`;
    const remaining = remainingOf(working);
    const cash = order.action === "BUY" ? this.cashFor(order, remaining, instrument) : undefined;
    account.reserve(working.reservation, instrument.symbol, order.action, remaining, cash ?? cents(0));
  }

  private cashFor(order: NewOrder, quantity: Quantity, instrument: Instrument): Cents | undefined {
    const price = this.referencePrice(order, instrument);
    if (price === undefined) return undefined;
    const notional = notionalCents(quantity, price);
    const fee = commissionCents(this.world.plan, quantity, notional);
    const cushioned =
      order.orderType === "MKT" ? fractionOf(notional, this.world.marketOrderCushion, "up") : notional;
    return cents(cushioned + fee);
  }

  /** The limit, or what a market order would get now or got last. */
  private referencePrice(order: NewOrder, instrument: Instrument): number | undefined {
    if (order.orderType === "LMT") return order.limit;
    const { nowUtcMs } = this.world;
    const row = instrument.openRowAt(nowUtcMs);
    if (row >= 0) return priceToTake(instrument, row, nowUtcMs, nowUtcMs, order.action);
    const last = this.world.priceOf(instrument.symbol);
    return last > 0 ? last : undefined;
  }

  private takerPrice({ instrument, order }: Working): number | undefined {
    const { nowUtcMs } = this.world;
    const row = instrument.openRowAt(nowUtcMs);
    return row < 0 ? undefined : priceToTake(instrument, row, nowUtcMs, nowUtcMs, order.action);
  }

  /** Who waits gets his limit, unless the day never traded there or the price stands at the close already. */
  private limitPrice({ instrument, order }: Working, price: number): number {
    const { nowUtcMs } = this.world;
    const row = instrument.openRowAt(nowUtcMs);
    if (instrument.stepAt(row, nowUtcMs) >= instrument.settledStepOf(row)) return price;
    const [low, high] = instrument.rangeOf(row, nowUtcMs);
    return Math.min(high, Math.max(low, order.limit!));
  }

  private accountOf(order: NewOrder): Account | undefined {
    return order.account === "" ? this.world.onlyAccount : this.world.account(order.account);
  }

  private takeArrangement<K extends "reject" | "partialFills">(kind: K, symbol: string) {
    const at = this.arrangements.findIndex(
      (one) => one.kind === kind && (one.symbol === undefined || one.symbol === symbol),
    );
    if (at < 0) return undefined;
    return this.arrangements.splice(at, 1)[0] as Extract<Arrangement, { kind: K }>;
  }

  private refuseInTerminal(order: NewOrder, { code, message }: VenueError): void {
    const state: OrderState = {
      order,
      permId: "0",
      status: "Inactive",
      filled: "0",
      remaining: order.quantity,
      averagePrice: 0,
      lastPrice: 0,
      completedStatus: "",
      completedUtcMs: undefined,
    };
    const { schedule, nowUtcMs, latency, emit } = this.world;
    schedule.add(nowUtcMs + latency.check, () => {
      emit({ kind: "error", state, code, message });
      // Only this refusal was seen together with a status; a status for a duplicate id would be the other order's.
      if (code === 10243) emit({ kind: "status", state });
    });
  }

  private refuseAtBroker(working: Working, { code, message }: VenueError): void {
    // Nothing else happens to it, though it stays on the list until the refusal is out.
    working.live = false;
    working.search++;
    const { latency } = this.world;
    this.later(working, Math.max(0, latency.reject - latency.acknowledge), () => {
      const part = working.filled > 0;
      this.finish(working, part ? "Cancelled" : "Inactive", `Rejected by System: ${message}`);
      this.world.emit({ kind: "status", state: stateOf(working) });
      this.world.schedule.add(this.world.nowUtcMs + (latency.reject === 0 ? 0 : refusalGapMs), () =>
        this.error(working, code, message),
      );
    });
  }

  private endCancelled(working: Working, completedStatus: string, reason: string): void {
    this.finish(working, "Cancelled", completedStatus);
    this.world.emit({ kind: "status", state: stateOf(working) });
    this.error(working, 202, `Order Canceled - reason:${reason}`);
  }

  private finish(working: Working, status: OrderState["status"], completedStatus: string): void {
    working.status = status;
    working.ended = true;
    working.live = false;
    working.completedStatus = completedStatus;
    working.completedUtcMs = this.world.nowUtcMs;
    working.account.release(working.reservation);
    this.open.delete(keyOf(working.order.clientId, working.order.orderId));
    this.completed.push(working);
  }

  private show(working: Working, status: OrderState["status"]): void {
    working.status = status;
    this.world.emit({ kind: "status", state: stateOf(working) });
  }

  private error(working: Working, code: number, message: string): void {
    this.world.emit({ kind: "error", state: stateOf(working), code, message });
  }

  /** Something between broker and exchange: it waits for the link, and for orders that still are. */
  private later(working: Working, delayMs: number, run: () => void): void {
    const guarded = () => {
      if (working.ended) return;
      if (this.linked) run();
      else this.waiting.push(guarded);
    };
    this.world.schedule.add(this.world.nowUtcMs + delayMs, guarded);
  }
}

/** What one gets at once: the other side's price within the day's range, or exactly the close where it has settled. */
function priceToTake(
  instrument: Instrument,
  row: number,
  utcMs: number,
  nowUtcMs: number,
  action: "BUY" | "SELL",
): number {
  if (instrument.stepAt(row, utcMs) >= instrument.settledStepOf(row)) {
    return instrument.priceAt(row, utcMs, nowUtcMs);
  }
  const touch: Touch = touchAt(instrument, row, utcMs, nowUtcMs);
  const [low, high] = instrument.rangeOf(row, nowUtcMs);
  const price = action === "BUY" ? touch.ask : touch.bid;
  return Math.min(high, Math.max(low, price));
}

/**
 * Whether the limit is met. Closes of some vendors are a hair off the tick (720.650024), and a limit of 720.65 was meant
 * to meet them.
 */
function isMarketable(action: "BUY" | "SELL", limit: number, price: number): boolean {
  const hair = 0.0005;
  return action === "BUY" ? price <= limit + hair : price >= limit - hair;
}

function noWorse(action: "BUY" | "SELL", limit: number, price: number): number {
  return action === "BUY" ? Math.min(limit, price) : Math.max(limit, price);
}

function stateOf(working: Working): OrderState {
  return {
    order: working.order,
    permId: working.permId,
    status: working.status,
    filled: formatQuantity(working.filled as Quantity),
    remaining: formatQuantity(remainingOf(working)),
    averagePrice: working.filled === 0 ? 0 : working.weighted / working.filled,
    lastPrice: working.lastPrice,
    completedStatus: working.completedStatus,
    completedUtcMs: working.completedUtcMs,
  };
}

function remainingOf({ quantity, filled }: Working): Quantity {
  return (quantity - filled) as Quantity;
}

function keyOf(clientId: number, orderId: number): string {
  return `${clientId}/${orderId}`;
}

function invalid(cause: string): VenueError {
  return { code: 321, message: `Error validating request.-'bN' : cause - ${cause}` };
}

function rejected(reason: string): VenueError {
  return { code: 201, message: `Order rejected - reason:${reason}` };
}

function shortOfFunds(available: Cents, needed: number): VenueError {
  return rejected(
    `Available Funds [${dollars(available)} USD] are not sufficient for this order, which needs [${dollars(needed)} USD] with commissions. A cash account cannot borrow.`,
  );
}

function noShortSelling(symbol: string): VenueError {
  return rejected(
    `A cash account cannot sell short: the order is for more ${symbol} than is held and not yet being sold.`,
  );
}

function timeText(session: SessionDate): string {
  return `${session.replaceAll("-", "")} 09:30:00 US/Eastern`;
}

function roundTo(price: number, tick: number): number {
  return Math.max(tick, Math.round(Math.round(price / tick) * tick * 1e6) / 1e6);
}
