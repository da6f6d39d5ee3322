// Who watches a year: hears of everything that the worker tells and the broker does, and looks every evening whether all that
// must be true is.

import { join } from "node:path";
import { positionsOf, totalCash, usSettlement } from "@pf/compliance";
import {
  type CalendarAmendment,
  newYorkDateOf,
  newYorkTimeOf,
  type SessionDate,
  type TradingCalendar,
} from "@pf/market";
import { centsOfDollars, quantityOfShares } from "@pf/orders";
import type { Simulator } from "@pf/tws-sim";
import { hasJournal, type Journal, openJournal } from "../src/journal/journal.js";
import { isFill, rootOf } from "../src/trade/heard.js";
import { foldTrade, type TradeEvent, type TradeState, untouched } from "../src/trade/state.js";
import type { WorkerEvent } from "../src/worker/log.js";

/** When orders may reach the broker. */
export const window = { opensBeforeCloseMs: 5 * 60_000, closesBeforeCloseMs: 30_000 };

/** What a year was like. */
export interface YearReport {
  readonly seed: number;
  /** Of each session how it ended, in order. */
  readonly ended: readonly { session: SessionDate; result: string; outcome: string | null; detail: string }[];
  /** What was injected, and on which session. */
  readonly injected: readonly (readonly [session: SessionDate, fault: string])[];
  readonly told: readonly (readonly [at: string, level: string, words: string])[];
  /** Every order the broker took, with the instant. */
  readonly orders: readonly (readonly [at: string, reference: string])[];
  readonly executions: number;
  /** Of these, how many nobody could hear of on their day: a person looked, and what was held was booked. */
  readonly outOfSight: number;
  readonly starts: number;
  /** Money that came without a trade, such as dividends, and was booked. */
  readonly receipts: number;
  /** Sessions without a fault nearby, and how many of these were traded. */
  readonly quiet: { readonly sessions: number; readonly traded: number };
  readonly logins: { readonly late: number; readonly missed: readonly SessionDate[] };
  /** What must not be. */
  readonly problems: readonly string[];
}

/** Whom and what is watched. */
interface Watched {
  readonly sim: Simulator;
  /** As the exchange has it; the worker knows less. */
  readonly calendar: TradingCalendar;
  readonly folder: string;
  readonly seed: number;
  readonly amendments?: readonly CalendarAmendment[];
  readonly onTrace?: (line: string) => void;
}

export class YearWatch {
  /** Whether no worker is there. */
  isAway = true;
  readonly problems: string[] = [];
  /** The titles of what channels took. */
  readonly heard: string[] = [];
  private receipts = 0;
  private readonly taken = new Map<string, Set<string>>();
  private readonly executed = new Set<string>();
  private readonly orders: (readonly [string, string])[] = [];
  private readonly told: (readonly [string, string, string])[] = [];
  private readonly titles: string[] = [];
  private readonly ended = new Map<SessionDate, Extract<WorkerEvent, { kind: "ended" }>>();
  private readonly ends: Extract<WorkerEvent, { kind: "ended" }>[] = [];
  readonly injected: (readonly [SessionDate, string])[] = [];
  private readonly reconciled = new Map<SessionDate, boolean>();
  /** Alarms that are told and not over, by their key. */
  readonly alarms = new Set<string>();
  private alertsOfDay: string[] = [];
  /** Sessions which something is allowed to have touched. */
  readonly touched = new Set<SessionDate>();
  readonly harmless = new Set<SessionDate>();
  private books: { state: TradeState; seq: number } = { state: untouched, seq: 0 };
  private readonly journalled = new Set<string>();
  private readonly charged = new Set<string>();
  /** Symbols that somebody else traded today. */
  private readonly others = new Set<string>();
  /** Executions of sessions in whose evening no worker was there to hear of them. */
  private readonly outOfSight = new Map<SessionDate, readonly string[]>();
  readonly logins = { late: 0, missed: [] as SessionDate[] };
  private quiet = { sessions: 0, traded: 0 };

  /** Listens to the broker from now on. */
  constructor(private readonly watched: Watched) {
    const { sim } = watched;
    const place = sim.venue.place.bind(sim.venue);
    sim.venue.place = (order) => {
      if (order.orderRef.startsWith("pf/")) this.hearOrder(order.orderRef);
      place(order);
    };
    sim.venue.onEvent((event) => {
      const { order, permId } =
        event.kind === "status" || event.kind === "error" ? event.state : event.execution.order;
      if (!order.orderRef.startsWith("pf/")) {
        if (event.kind === "execution") this.others.add(symbolOf(sim, order.conId));
        return;
      }
      this.taken.set(order.orderRef, (this.taken.get(order.orderRef) ?? new Set()).add(permId));
      if (event.kind === "execution") {
        const { execId, commission } = event.execution;
        this.executed.add(execId);
        // The first execution of an order pays its least commission: no report that the second was free is no loss.
        if (commission === 0) this.charged.add(rootOf(execId));
      }
    });
  }

  private get now(): number {
    return this.watched.sim.now();
  }

  trace(line: string): void {
    this.watched.onTrace?.(`${when(this.now)} ${line}`);
  }

  hear(event: WorkerEvent): void {
    if (event.kind === "ended") {
      this.ends.push(event);
      if (this.ended.has(event.session)) this.problem(`${event.session} ended twice`);
      this.ended.set(event.session, event);
      this.trace(`ended ${event.session} ${event.result} ${event.outcome}: ${event.detail}`);
    }
    if (event.kind === "reconciled") this.reconciled.set(event.session, event.agrees);
    if (event.kind === "told") {
      const { key, level, title, detail, isOver } = event;
      this.titles.push(title);
      if (isOver) this.alarms.delete(key);
      else if (level === "alarm") this.alarms.add(key);
      const words = this.anywhere(`${title}: ${detail}`);
      this.told.push([when(this.now), isOver ? "over" : level, words]);
      const isLearned = this.watched.amendments?.some(({ day }) => key === `hours ${day}`) ?? false;
      // What is told of a session that is long over was told of its own day too.
      const isOld = event.session !== null && event.session < newYorkDateOf(this.now);
      if (level !== "info" && !isOver && !isLearned && !isOld)
        this.alertsOfDay.push(`${level} ${title}: ${detail}`);
      if (!key.startsWith("summary")) this.trace(`told ${isOver ? "over" : level} ${title}: ${detail}`);
    }
  }

  private hearOrder(reference: string): void {
    this.orders.push([when(this.now), reference]);
    const day = newYorkDateOf(this.now);
    const close = this.watched.calendar.isSession(day) ? this.watched.calendar.closeUtcMs(day) : 0;
    const left = close - this.now;
    if (left > window.opensBeforeCloseMs || left < window.closesBeforeCloseMs)
      this.problem(`${reference} reached the broker at ${when(this.now)}, ${left} ms before the close`);
  }

  /** Everything that must be true in the evening of a session, and always. Gives the book as it stands then. */
  look(session: SessionDate): TradeState {
    const isQuiet = !this.touched.has(session) && !this.harmless.has(session);
    const mustTrade = !this.touched.has(session);
    const about = (words: string) => this.problem(`${session}: ${words}`);
    const end = this.ended.get(session);
    const { result, outcome, detail } = end ?? {};
    // Who is away, or cannot read, tells when that is over; in the end every session has to be told of.
    const isExcused = this.isAway || (!mustTrade && this.alarms.size > 0);
    if (!end && !isExcused) about("nothing is known of how it ended");
    else if (!end) this.trace(`it is not known yet how ${session} ended`);
    else if (end && result !== "traded") {
      if ((detail ?? "").length < 10) about(`${result} without a reason: ${detail}`);
      const key = result === "halted" ? "halted" : "skipped";
      if (!this.alarms.has(key)) about(`${result}, and no alarm was told`);
    }
    if (mustTrade) {
      this.quiet.sessions++;
      if (result === "traded") this.quiet.traded++;
      else about(`${result} although nothing was wrong: ${detail}`);
    }
    if (isQuiet) {
      if (outcome !== "filled" && outcome !== "unchanged") about(`${outcome} although nothing was wrong`);
      if (this.alertsOfDay.length > 0) about(`told without need: ${this.alertsOfDay.join(" | ")}`);
    }
    for (const [reference, permIds] of this.taken)
      if (permIds.size > 1) about(`${reference} is at the broker ${permIds.size} times`);
    this.lookAtBooks(session, mustTrade);
    this.alertsOfDay = [];
    return this.books.state;
  }

  private lookAtBooks(session: SessionDate, mustAgree: boolean): void {
    const about = (words: string) => this.problem(`${session}: ${words}`);
    const { account } = this.readBooks();
    const broker = this.broker();
    const [held, cash] = [positionsOf(account), totalCash(account)];
    const isSame =
      JSON.stringify(sorted(held)) === JSON.stringify(sorted(broker.positions)) && cash === broker.cash;
    const agreed = this.reconciled.get(session);
    if (!isSame && (mustAgree || agreed === true)) {
      about(
        `the book has ${JSON.stringify(sorted(held))} and ${cash}, the broker ${JSON.stringify(sorted(broker.positions))} and ${broker.cash}`,
      );
    }
    const isNoted = agreed === true || this.alarms.size > 0 || this.isAway;
    if (!isSame && !isNoted) about("the books differ, and no alarm was told");
    if (account.settled < 0) about(`settled cash is ${account.settled}`);
    for (const [symbol, quantity] of Object.entries(broker.positions))
      if (quantity < 0) about(`${symbol} is short`);
    const missed = [...this.executed].filter((execId) => !this.journalled.has(execId));
    if (this.isAway && missed.length > 0) {
      // The broker lists executions of its day only: tomorrow a person has to look, and what is held is booked.
      for (const execId of missed) this.executed.delete(execId);
      this.outOfSight.set(session, missed);
    } else if (mustAgree || agreed === true) {
      if (missed.length > 0) about(`executions that the journal does not have: ${missed}`);
    }
    const known = new Set([...this.executed, ...[...this.outOfSight.values()].flat()]);
    const invented = [...this.journalled].filter((execId) => !known.has(execId));
    if (invented.length > 0) about(`executions that the broker does not have: ${invented}`);
    const silent = [...this.journalled].filter((execId) => !this.charged.has(rootOf(execId)));
    const isUntold = this.injected.some(([day, name]) => day === session && name.includes("never told"));
    // Nobody told what it was alone: it is booked with whatever else the cash differed by.
    if (this.isAway || isUntold) for (const execId of silent) this.charged.add(rootOf(execId));
    else if (mustAgree && silent.length > 0) about(`executions without a commission: ${silent}`);
    this.lookAtHoldings(session);
    this.others.clear();
  }

  /** Nothing is bought beyond its target, and nothing sold below it, in however many attempts under whatever names. */
  private lookAtHoldings(session: SessionDate): void {
    const { lastDecision, account } = this.books.state;
    const equity = account.valued?.session === session ? account.valued.equity / 100 : undefined;
    if (lastDecision?.session !== session || equity === undefined) return;
    for (const { conId, quantity } of this.watched.sim.venue.positions(this.watched.sim.accounts[0]!)) {
      const symbol = symbolOf(this.watched.sim, conId);
      const price = this.watched.sim.venue.quote(conId, "live").last;
      if (price === undefined || this.others.has(symbol)) continue;
      const ordered = (side: string) =>
        this.orders.some(([, reference]) => reference.startsWith(`pf/${session}/${symbol}/${side}`));
      const value = Number(quantity) * price;
      const target = (lastDecision.weights[symbol] ?? 0) * equity;
      // Prices move in the last minutes, and only whole shares are traded.
      const [least, most] = [target * 0.95 - price, target * 1.05 + price];
      if ((ordered("buy") && value > most) || (ordered("sell") && value < least))
        this.problem(
          `${session}: ${quantity} ${symbol} are worth ${value.toFixed(0)}, and ${target.toFixed(0)} was wanted`,
        );
    }
  }

  finish(sessions: readonly SessionDate[]): void {
    for (const session of sessions) {
      const count = this.ends.filter((end) => end.session === session).length;
      if (count !== 1) this.problem(`${session} ended ${count} times`);
    }
    for (const { session } of this.ends)
      if (!sessions.includes(session)) this.problem(`${session} is no session, and ended`);
    const counts = (titles: readonly string[]) =>
      titles.reduce((of, title) => of.set(title, (of.get(title) ?? 0) + 1), new Map<string, number>());
    const heard = counts(this.heard);
    for (const [title, times] of counts(this.titles))
      if (heard.get(title) !== times)
        this.problem(`"${title}" was told ${times} times, and heard ${heard.get(title) ?? 0} times`);
    for (const [session, missed] of this.outOfSight) {
      const { result } = this.ended.get(session) ?? {};
      if (result !== "halted") this.problem(`${session} ${result}, and nobody looked for ${missed}`);
    }
  }

  report(starts: number): YearReport {
    return {
      seed: this.watched.seed,
      ended: this.ends.map(({ session, result, outcome, detail }) => {
        return { session, result, outcome, detail: this.anywhere(detail) };
      }),
      injected: this.injected,
      told: this.told,
      orders: this.orders,
      executions: this.executed.size + [...this.outOfSight.values()].flat().length,
      outOfSight: [...this.outOfSight.values()].flat().length,
      starts,
      receipts: this.receipts,
      quiet: this.quiet,
      logins: this.logins,
      problems: this.problems,
    };
  }

  private readBooks(): TradeState {
    const account = this.watched.sim.accounts[0]!;
    const identity = { mode: "paper", account, venue: "tws-sim:synthetic:42" } as const;
    const state = join(this.watched.folder, "state");
    if (!hasJournal(state, identity)) return this.books.state;
    let journal: Journal<TradeEvent> | undefined;
    try {
      journal = openJournal<TradeEvent>(state, identity, { nowUtcMs: () => this.now });
      const entries = journal.entries(this.books.seq);
      for (const { body } of entries) {
        if (body.kind === "noticed" && body.notice.code === "external_cash") this.receipts++;
        if (body.kind !== "order") continue;
        if (isFill(body.event)) this.journalled.add(body.event.execId);
        if (body.event.kind === "commission") this.charged.add(rootOf(body.event.execId));
      }
      this.books = {
        state: foldTrade(entries, usSettlement, this.books.state),
        seq: entries.at(-1)?.seq ?? this.books.seq,
      };
    } finally {
      journal?.close();
    }
    return this.books.state;
  }

  /** What the broker holds, in ten-thousandths of a share, and all its cash in cents. */
  private broker() {
    const { venue, accounts } = this.watched.sim;
    const positions = venue.positions(accounts[0]!);
    return {
      positions: Object.fromEntries(
        positions.map(({ conId, quantity }) => [
          symbolOf(this.watched.sim, conId),
          quantityOfShares(quantity),
        ]),
      ),
      cash: centsOfDollars(venue.summary(accounts[0]!).totalCashValue),
    };
  }

  problem(words: string): void {
    this.problems.push(this.anywhere(words));
    this.trace(`PROBLEM ${words}`);
  }

  /** Words without what differs from run to run. */
  private anywhere(words: string): string {
    return words.replaceAll(this.watched.folder, "FOLDER").replaceAll(String(this.watched.sim.port), "PORT");
  }
}

const sorted = (record: Readonly<Record<string, number>>) =>
  Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1));

/** An instant as New York has it, to the millisecond. */
export function when(utcMs: number): string {
  const seconds = new Date(utcMs).toISOString().slice(16, 23);
  return `${newYorkDateOf(utcMs)} ${newYorkTimeOf(utcMs)}${seconds}`;
}

export function symbolOf({ venue }: Simulator, conId: number): string {
  const anything = { symbol: "", secType: "", exchange: "", primaryExchange: "", currency: "" };
  return venue.contracts({ ...anything, conId })[0]!.symbol;
}
