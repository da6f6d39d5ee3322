import type { AccountEvent, Check } from "@pf/compliance";
import { costOf, positionsOf, usSettlement } from "@pf/compliance";
import type { SessionDate, Ticker } from "@pf/market";
import type { OrderEvent, OrderIntent, OrderPlan } from "@pf/orders";
import {
  type Entry,
  hasJournal,
  type JournalIdentity,
  journalPath,
  openJournal,
} from "../journal/journal.js";
import { isFill, rootOf } from "./heard.js";
import { applyTrade, type TradeEvent, type TradeState, untouched } from "./state.js";

/** Cash or shares that came in, above 0, or went out beside trading. */
export type Movement =
  | {
      readonly kind: "cash";
      readonly session: SessionDate;
      /** Cents. */
      readonly amount: number;
      /** Whether it was found when the broker's figures were compared: nobody said what it was for. */
      readonly isFound: boolean;
    }
  | {
      readonly kind: "shares";
      readonly session: SessionDate;
      readonly symbol: Ticker;
      /** Ten-thousandths of a share as it is now: splits that came later are counted in. */
      readonly quantity: number;
      /** Cents. */
      readonly cost: number;
    };

/** What an account was worth when a session's rebalance ended, and what had moved since the valuation before. */
export interface Valued {
  readonly session: SessionDate;
  /** Cents. */
  readonly equity: number;
  readonly movements: readonly Movement[];
}

/** What was held from a session on; in ten-thousandths of a share as it is now. */
export interface Holding {
  readonly session: SessionDate;
  readonly quantities: Readonly<Record<Ticker, number>>;
}

/** An order with everything that was heard of it. */
export interface SentOrder {
  readonly session: SessionDate;
  readonly atUtcMs: number;
  readonly intent: OrderIntent;
  readonly events: readonly OrderEvent[];
}

/** A session of which something was done. */
export interface WorkedSession {
  readonly session: SessionDate;
  readonly outcome: string;
  readonly detail: string;
  readonly isComplete: boolean;
  /** Cents. */
  readonly equity: number | null;
  readonly orders: number;
  readonly fills: number;
}

/** Of more orders nobody keeps every event. */
const keptOrders = 100;

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

/** A journal from its first entry on, folded further as it grows. What happened is kept, beside what is true now. */
export class Past {
  private current: TradeState = untouched;
  private last: Entry<TradeEvent> | undefined;
  private readonly valuations: Mutable<Valued>[] = [];
  /** What moved since the last of them. */
  private moved: Mutable<Movement>[] = [];
  private readonly holdings: Mutable<Holding>[] = [];
  private readonly kept = new Map<string, SentOrder & { readonly events: OrderEvent[] }>();
  private readonly worked = new Map<SessionDate, Mutable<WorkedSession>>();
  private isWorkedWith = false;
  private reviewed: { readonly plan: OrderPlan; readonly checks: readonly Check[] } | null = null;

  constructor(readonly identity: JournalIdentity) {}

  /** Of the last entry that was read; 0 before the first. */
  get seq(): number {
    return this.last?.seq ?? 0;
  }

  get state(): TradeState {
    return this.current;
  }

  /** When the last thing happened; 0 before the first. */
  get lastUtcMs(): number {
    return this.last?.atUtcMs ?? 0;
  }

  /** Whether more stands in it than that somebody halted and resumed. */
  get isUsed(): boolean {
    return this.isWorkedWith;
  }

  /** Oldest first, one a session. */
  get valued(): readonly Valued[] {
    return this.valuations;
  }

  /** Oldest first, one whenever they changed. */
  get held(): readonly Holding[] {
    return this.holdings;
  }

  /** Those sent last, oldest first. */
  get orders(): readonly SentOrder[] {
    return [...this.kept.values()];
  }

  /** By session, ascending. */
  get sessions(): readonly WorkedSession[] {
    return [...this.worked.values()].sort((a, b) => (a.session < b.session ? -1 : 1));
  }

  /** What was reviewed last. */
  get review(): { readonly plan: OrderPlan; readonly checks: readonly Check[] } | null {
    return this.reviewed;
  }

  /** Whether the journal still holds what was read of it; one that was put back from a copy may not. */
  isPartOf(entry: Entry<TradeEvent> | undefined): boolean {
    const { last } = this;
    if (last === undefined) return true;
    return entry?.atUtcMs === last.atUtcMs && JSON.stringify(entry.body) === JSON.stringify(last.body);
  }

  read(entries: readonly Entry<TradeEvent>[]): void {
    for (const entry of entries) {
      const before = this.current;
      this.current = applyTrade(before, entry.body, usSettlement);
      this.keep(entry, before);
      this.last = entry;
    }
  }

  private keep({ body, atUtcMs }: Entry<TradeEvent>, before: TradeState): void {
    this.isWorkedWith ||= body.kind !== "halted" && body.kind !== "resumed";
    switch (body.kind) {
      case "claimed":
        Object.assign(this.work(body.session), begun);
        break;
      case "reviewed":
        this.reviewed = { plan: body.plan, checks: body.checks ?? body.breaches };
        break;
      case "submitting":
        this.keepOrders(body.session, atUtcMs, before);
        break;
      case "order":
        this.hear(body.event);
        break;
      case "booked":
        this.book(body.event, before);
        break;
      case "done": {
        const { session, outcome, detail, isComplete } = body;
        Object.assign(this.work(session), { outcome, detail, isComplete });
        break;
      }
    }
  }

  private work(session: SessionDate): Mutable<WorkedSession> {
    let one = this.worked.get(session);
    if (!one) {
      one = { session, ...begun, equity: null, orders: 0, fills: 0 };
      this.worked.set(session, one);
    }
    return one;
  }

  private keepOrders(session: SessionDate, atUtcMs: number, before: TradeState): void {
    for (const { intent } of this.current.sent.slice(before.sent.length)) {
      this.kept.set(intent.reference, { session, atUtcMs, intent, events: [] });
      this.work(session).orders++;
    }
    for (const reference of this.kept.keys()) {
      if (this.kept.size <= keptOrders) break;
      this.kept.delete(reference);
    }
  }

  private hear(event: OrderEvent): void {
    const order = this.kept.get(event.reference);
    if (!order) return;
    if (isFill(event)) {
      const root = rootOf(event.execId);
      const isFirst = !order.events.some((one) => isFill(one) && rootOf(one.execId) === root);
      if (isFirst) this.work(order.session).fills++;
    }
    order.events.push(event);
  }

  private book(event: AccountEvent, before: TradeState): void {
    const { account } = this.current;
    switch (event.kind) {
      case "valued":
        this.value(event.session, event.equity);
        break;
      case "cash": {
        const { session, amount, reason } = event;
        if (reason !== "deposit" && reason !== "withdrawal" && reason !== "external") break;
        this.moved.push({ kind: "cash", session, amount, isFound: reason === "external" });
        break;
      }
      case "adopted": {
        const { session, symbol, quantity, cost } = event;
        this.moved.push({ kind: "shares", session, symbol, quantity, cost });
        break;
      }
      case "removed": {
        const { session, symbol, quantity } = event;
        const cost = costOf(account, symbol) - costOf(before.account, symbol);
        this.moved.push({ kind: "shares", session, symbol, quantity: -quantity, cost });
        break;
      }
      case "split":
        this.split(event.symbol, event.numerator / event.denominator);
        break;
    }
    if (account.lots === before.account.lots) return;
    const holding = { session: account.session!, quantities: positionsOf(account) };
    if (this.holdings.at(-1)?.session === holding.session) this.holdings.pop();
    this.holdings.push(holding);
  }

  private value(session: SessionDate, equity: number): void {
    this.work(session).equity = equity;
    const last = this.valuations.at(-1);
    if (last?.session === session) {
      last.equity = equity;
      last.movements = [...last.movements, ...this.moved];
    } else {
      this.valuations.push({ session, equity, movements: this.moved });
    }
    this.moved = [];
  }

  /** Prices of the past are told in the shares of now; so are quantities. */
  private split(symbol: Ticker, ratio: number): void {
    for (const holding of this.holdings) {
      const quantity = holding.quantities[symbol];
      if (quantity === undefined) continue;
      holding.quantities = { ...holding.quantities, [symbol]: quantity * ratio };
    }
    for (const movement of [...this.valuations.flatMap(({ movements }) => movements), ...this.moved]) {
      if (movement.kind !== "shares" || movement.symbol !== symbol) continue;
      (movement as Mutable<typeof movement>).quantity *= ratio;
    }
  }
}

const begun = { outcome: "open", detail: "begun and not ended", isComplete: false } as const;

/** Gives the past of an account as its journal has it at the moment. */
export type PastReader = (identity: JournalIdentity) => Past;

/**
 * Makes a reader of journals that keeps what it read: asked again, it reads only what is new; all of it where the journal
 * is another than the one that was read.
 *
 * @returns throws StateDamagedError, StateFromFutureError for a journal that cannot be used
 */
export function createPastReader(stateFolder: string): PastReader {
  const pasts = new Map<string, Past>();
  return (identity) => {
    const path = journalPath(stateFolder, identity);
    const past = readPast(pasts.get(path), identity, stateFolder);
    pasts.set(path, past);
    return past;
  };
}

function readPast(known: Past | undefined, identity: JournalIdentity, stateFolder: string): Past {
  if (!hasJournal(stateFolder, identity)) return known?.seq === 0 ? known : new Past(identity);
  if (known !== undefined && known.seq > 0) {
    const [last, ...news] = entriesOf(identity, stateFolder, known.seq - 1).entries;
    if (known.isPartOf(last)) {
      known.read(news);
      return known;
    }
  }
  const { owner, entries } = entriesOf(identity, stateFolder);
  const past = new Past(owner);
  past.read(entries);
  return past;
}

function entriesOf(
  identity: JournalIdentity,
  stateFolder: string,
  after?: number,
): { readonly owner: JournalIdentity; readonly entries: readonly Entry<TradeEvent>[] } {
  // Nothing is written, so nobody asks what time it is.
  const clock = { nowUtcMs: () => 0 };
  const isChecked = after !== undefined;
  const journal = openJournal<TradeEvent>(stateFolder, identity, clock, { isChecked });
  try {
    return { owner: journal.identity, entries: journal.entries(after) };
  } finally {
    journal.close();
  }
}
