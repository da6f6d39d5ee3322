import type { CostModel } from "@pf/backtest";
import {
  type AccountEvent,
  type BrokerFigures,
  type Check,
  type ComplianceRules,
  equityOf,
  heldOf,
  type Reconciliation,
  reconcile,
  review,
  type SettlementCalendar,
  type Situation,
  totalCash,
  type Verdict,
} from "@pf/compliance";
import type { LoadedConfig } from "@pf/config";
import type { IbkrSession, Standing } from "@pf/ibkr";
import { newYorkDateOf, type Panel, type SessionDate, type Ticker } from "@pf/market";
import {
  type Cents,
  cents,
  centsOfDollars,
  fractionOf,
  marketOrderCushion,
  notionalCents,
  type OrderEvent,
  type OrderIntent,
  type OrderPlan,
  type OrderRules,
  oneShare,
  type Quantity,
} from "@pf/orders";
import type { Decision, Strategy } from "@pf/selection";
import { proposeRebalance } from "../account/rebalance.js";
import type { Journal } from "../journal/journal.js";
import type { Clock } from "../ports.js";
import { decideLast } from "./decide.js";
import { ClockSkewError, FractionalRefusedError } from "./errors.js";
import type { DecisionBars, MarketNow } from "./market.js";
import {
  applyTrade,
  type Halt,
  type HaltCode,
  type KnownOrder,
  knownOrder,
  type OpenRebalance,
  type SessionOutcome,
  type TradeEvent,
  type TradeState,
} from "./state.js";

/** What a rebalance works with. */
export interface RebalanceSetting {
  readonly session: IbkrSession;
  /** `null` for a dry run: then nothing is written and nothing is sent. */
  readonly journal: Journal<TradeEvent> | null;
  /** What the journal says so far. */
  readonly state: TradeState;
  readonly config: LoadedConfig["config"];
  readonly configHash: string;
  readonly strategy: Strategy;
  readonly costs: CostModel;
  readonly lag: 1 | 2;
  readonly orders: Omit<OrderRules, "quantityStep">;
  readonly compliance: ComplianceRules;
  readonly calendar: SettlementCalendar;
  readonly clock: Clock;
  /** Names the run in journal and audit. */
  readonly run: string;
  readonly version: string;
  /** Bars to decide on, and prices to size with. */
  gatherBars(today: SessionDate): Promise<DecisionBars>;
  askMarket(symbols: readonly Ticker[], today: SessionDate): Promise<MarketNow>;
  readonly onProgress: (progress: { step: string }) => void;
  readonly signal?: AbortSignal;
  /** How long to wait between questions about an order, in milliseconds of the session's clock. */
  pause(ms: number): Promise<void>;
  /** Told the name of every step before it is taken: where a test lets the process die. */
  readonly onStep?: (step: string) => void;
}

/** What became of a rebalance. */
export interface RebalanceReport {
  readonly session: SessionDate;
  readonly outcome: SessionOutcome | "halted_before" | "not_now" | "done_before" | "dry_run";
  /** In words. */
  readonly detail: string;
  readonly decision: Decision | null;
  readonly plan: OrderPlan | null;
  readonly verdict: Pick<Verdict, "ok" | "checks"> | null;
  readonly orders: readonly OrderReport[];
  readonly fills: readonly FillReport[];
  readonly notices: readonly string[];
  readonly halt: Halt | null;
  readonly state: TradeState;
  readonly fingerprint: string | null;
}

export interface OrderReport extends KnownOrder {
  readonly intent: OrderIntent;
  readonly permId: string | null;
}

export interface FillReport {
  readonly execId: string;
  readonly reference: string;
  readonly symbol: Ticker;
  readonly side: "buy" | "sell";
  readonly quantity: Quantity;
  readonly price: number;
  /** Dollars; `null` while nobody has said. */
  readonly commission: number | null;
}

/** A machine's clock may be this far from the broker's: the window is minutes wide. */
const largestSkewMs = 30_000;
/** What a decision says, whenever it was taken. */
type TakenTargets = Pick<Extract<TradeEvent, { kind: "decided" }>, "asOf" | "weights" | "isChange">;

/** How often an order is asked about that was sent by a process that is no more. */
const askAgainMs = 2_000;

/**
 * Rebalances an account for the session that the clock is in, or goes on with what an earlier process has begun. Starting
 * and recovering are one path: what is known is folded from the journal, what is not known is asked of the broker, and the
 * first step that is missing comes next. Every intent is in the journal before the act.
 *
 * @throws whatever keeps anything from being known: no connection, no bars, a journal that cannot be written. Nothing is
 *   placed then.
 */
export async function rebalance(setting: RebalanceSetting): Promise<RebalanceReport> {
  return new Rebalance(setting).run();
}

class Rebalance {
  private state: TradeState;
  private readonly notices: string[] = [];
  private decision: Decision | null = null;
  private plan: OrderPlan | null = null;
  private verdict: Pick<Verdict, "ok" | "checks"> | null = null;
  private fingerprint: string | null = null;
  private market: MarketNow | null = null;
  private readonly today: SessionDate;
  private readonly isDry: boolean;

  constructor(private readonly setting: RebalanceSetting) {
    this.state = setting.state;
    this.isDry = setting.journal === null;
    this.today = newYorkDateOf(setting.clock.nowUtcMs());
  }

  async run(): Promise<RebalanceReport> {
    const { setting, today } = this;
    const { trading } = setting.calendar;
    const { halt, open, lastDone } = this.state;
    if (halt && !this.isDry) return this.report("halted_before", halt.reason);
    this.requireClock();

    // What an earlier process has sent comes first, whatever the time is.
    if (open && !this.isDry) {
      const left = await this.finishOpen(open);
      if (left) return left;
    }
    if (!trading.isSession(today)) {
      return this.report(
        "not_now",
        `${today} is no session: ${trading.whyClosed(today) ?? "the market is closed"}`,
      );
    }
    if (!this.isDry) {
      if (lastDone?.session === today && !this.state.isResumed) {
        return this.report("done_before", `the rebalance of ${today} is done: ${lastDone.detail}`);
      }
      const when = this.window();
      if (when) return this.report("not_now", when);
    }

    const reconciliation = await this.bringBookUpToDate();
    const bars = await setting.gatherBars(today);
    this.step("claim");
    this.claim();
    const targets = this.decide(bars.panel, bars.fingerprint);
    const market = await this.askMarket();
    if (!this.isDry && !this.mustTrade(targets)) {
      return this.done("unchanged", true, "targets are unchanged, and the last plan is carried out");
    }
    const step = await this.quantityStep(market);
    const attempt = this.nextAttempt();
    const situation = await this.situation(market, bars, reconciliation, attempt, []);
    const { plan, verdict } = proposeRebalance({
      targets,
      account: this.state.account,
      situation,
      orders: { ...setting.orders, quantityStep: step },
      compliance: setting.compliance,
      calendar: setting.calendar,
    });
    this.plan = plan;
    this.verdict = verdict;
    if (this.isDry) return this.report("dry_run", "nothing was sent");
    const known = await this.knownAmong(plan.intents);
    const final =
      known.length === 0
        ? verdict
        : review(
            plan,
            this.state.account,
            { ...situation, knownReferences: known },
            setting.compliance,
            setting.calendar,
          );
    this.verdict = final;
    const breaches = final.ok ? [] : final.breaches;
    this.step("review");
    this.note({ kind: "reviewed", session: today, attempt, plan, ok: final.ok, breaches });
    if (!final.ok) return this.refused(breaches, final.halts);
    return this.send(plan, final.plan.intents, final);
  }

  /** Goes on with a rebalance that another process has begun; gives a report when the session needs nothing more. */
  private async finishOpen(open: OpenRebalance): Promise<RebalanceReport | undefined> {
    const { setting, today } = this;
    this.plan = open.plan;
    if (open.submitted.length === 0 || !open.plan) {
      if (open.session === today && !this.window() && !open.plan) return undefined;
      if (open.session < today || this.window()) {
        const ended = this.done(
          "abandoned",
          false,
          `the rebalance of ${open.session} ended before anything was sent`,
        );
        return open.session < today ? undefined : ended;
      }
      // Reviewed, and nothing sent: it is planned anew, with the prices of now.
      return undefined;
    }
    const { plan } = open;
    const intents = plan.intents.filter(({ reference }) => open.submitted.includes(reference));
    this.step("ask");
    const standings = await this.resolved(intents.map(({ reference }) => reference));
    const unclear = intents.filter(({ reference }) => standings.get(reference)?.kind === "unanswered");
    if (unclear.length > 0) {
      return this.halted(
        "unknown_outcome",
        `the broker does not say what became of ${unclear.map(({ reference }) => reference).join(", ")}`,
      );
    }
    const absent = intents.filter(
      ({ reference, quantity }) =>
        standings.get(reference)?.kind === "absent" &&
        knownOrder(this.state, reference, quantity).end === null,
    );
    if (open.session < today) return this.closeOld(open, absent);
    if (absent.length === 0) return this.close(plan);
    if (this.window()) {
      // Never taken by the broker, and too late to send again.
      for (const { reference } of absent)
        this.hear({ kind: "cancelled", reference, reason: "never reached the broker" });
      return this.close(plan);
    }
    // The broker took none of these, and took this connection in the place of the one that may have carried them.
    const reconciliation = await this.bringBookUpToDate();
    const bars = await setting.gatherBars(today);
    const market = await this.askMarket();
    const rest: OrderPlan = { ...plan, intents: absent };
    const situation = await this.situation(market, bars, reconciliation, plan.attempt, []);
    const verdict = review(rest, this.state.account, situation, setting.compliance, setting.calendar);
    this.verdict = verdict;
    if (!verdict.ok) {
      for (const { reference } of absent)
        this.hear({ kind: "cancelled", reference, reason: "never reached the broker" });
      return this.refused(verdict.breaches, verdict.halts);
    }
    return this.send(plan, absent, verdict);
  }

  /** A session of the past cannot be asked about for ever: what the account holds tells whether anything is missing. */
  private async closeOld(
    open: OpenRebalance,
    absent: readonly OrderIntent[],
  ): Promise<RebalanceReport | undefined> {
    if (absent.length > 0) {
      const { found } = await this.compare(false);
      const doubts = found.notices.filter(
        ({ code }) => code === "shares_found" || code === "shares_missing" || code === "cash_missing",
      );
      if (doubts.length > 0) {
        return this.halted(
          "unknown_outcome",
          `nobody knows what became of ${absent.map(({ reference }) => reference).join(", ")}, and ${doubts.map(({ detail }) => detail).join("; ")}`,
        );
      }
      for (const { reference } of absent) {
        this.hear(
          {
            kind: "cancelled",
            reference,
            reason: `the session is over, and the account shows no trace of it`,
          },
          open.session,
        );
      }
    }
    const ended = this.close(open.plan!);
    return ended.outcome === "halted" ? ended : undefined;
  }

  private requireClock(): void {
    const { session, clock } = this.setting;
    const skewMs = session.clock.nowUtcMs() - clock.nowUtcMs();
    if (Math.abs(skewMs) > largestSkewMs) throw new ClockSkewError(skewMs);
  }

  /** Why orders cannot be sent now; undefined when they can. */
  private window(): string | undefined {
    const { calendar, clock, compliance } = this.setting;
    const close = calendar.trading.closeUtcMs(this.today);
    const left = close - clock.nowUtcMs();
    const { opensBeforeCloseMs: opens, closesBeforeCloseMs: closes } = compliance.window;
    const from = timeText(close - opens);
    if (left > opens) return `too early: orders are sent from ${from} New York time on`;
    if (left < closes)
      return `too late: orders of ${this.today} were sent until ${timeText(close - closes)} New York time`;
    return undefined;
  }

  /** Books the broker's figures, so that plan and review start from what is really there. */
  private async bringBookUpToDate(): Promise<Reconciliation> {
    const { found } = await this.compare(this.state.isResumed);
    this.step("reconcile");
    this.note(
      ...found.events.map((event): TradeEvent => ({ kind: "booked", event })),
      ...found.notices.map((notice): TradeEvent => ({ kind: "noticed", session: this.today, notice })),
    );
    for (const { detail } of found.notices) this.notices.push(detail);
    return found;
  }

  private async compare(isAccepted: boolean): Promise<{ readonly found: Reconciliation }> {
    const { session, signal, calendar } = this.setting;
    const [summary, positions] = await Promise.all([
      session.accountSummary(signal),
      session.positions(signal),
    ]);
    const held: Record<Ticker, { quantity: number; averageCost: number }> = {};
    for (const { symbol, quantity, averageCost, secType, currency } of positions) {
      if (secType === "STK" && currency === "USD" && quantity !== 0) held[symbol] = { quantity, averageCost };
      else if (quantity !== 0)
        this.notices.push(`${symbol} (${secType}, ${currency}) is held beside the portfolio and left alone`);
    }
    const figures: BrokerFigures = {
      settledCash: summary.settledCash,
      totalCash: summary.totalCash,
      positions: held,
    };
    if (this.state.account.session !== null) {
      const day: AccountEvent = { kind: "day", session: laterOf(this.today, this.state.account.session) };
      this.note({ kind: "booked", event: day });
      this.bookMissingCommissions(figures);
    }
    const found = reconcile(this.state.account, figures, { session: this.today, isAccepted }, calendar);
    return { found };
  }

  /** Commissions that the broker charged and never reported: what is missing of cash, if it is no more than they can be. */
  private bookMissingCommissions({ totalCash: theirs }: BrokerFigures): void {
    const reported = new Set(
      this.state.orderEvents.flatMap(({ event }) => (event.kind === "commission" ? [event.execId] : [])),
    );
    const silent = this.state.orderEvents.flatMap(({ event }) =>
      (event.kind === "filled" || event.kind === "partiallyFilled") && !reported.has(event.execId)
        ? [event]
        : [],
    );
    let missing = totalCash(this.state.account) - theirs;
    if (missing <= 0 || silent.length === 0) return;
    const most = silent.reduce((sum, { quantity, price }) => {
      const notional = notionalCents(quantity, price);
      return sum + Math.max(100, fractionOf(notional, 0.01, "up"));
    }, 0);
    if (missing > most) return;
    for (const { reference, execId } of silent) {
      const amount = missing;
      missing = 0;
      this.hear({ kind: "commission", reference, execId, commission: amount / 100 });
    }
    this.notices.push("a commission that the broker charged without reporting it was booked from the cash");
  }

  private claim(): void {
    const { journal, run, version } = this.setting;
    const { today } = this;
    if (!journal || this.state.open?.session === today) return;
    const claimed: TradeEvent = { kind: "claimed", session: today, run, version };
    if (!journal.claim(today, claimed)) {
      // Only somebody who resumed trading gets a second attempt; anybody else was turned away before.
      journal.append(claimed);
    }
    this.state = applyTrade(this.state, claimed, this.setting.calendar);
  }

  /** A decision once taken stands, whatever became of a bar since. */
  private decide(panel: Panel, fingerprint: string): TakenTargets {
    const { strategy, costs, lag, configHash } = this.setting;
    const { lastDecision: taken } = this.state;
    this.fingerprint = fingerprint;
    if (taken?.session === this.today) {
      this.decision = strategy.prepare(panel).decide(panel.sessions.length - 1, taken.held);
      return taken;
    }
    const { decision, held } = decideLast(panel, strategy, taken, costs, lag);
    const { asOf, weights } = decision;
    const isChange = !sameWeights(weights, taken?.weights ?? {});
    this.decision = decision;
    this.step("decide");
    const decided = { asOf, weights, held, isChange, data: fingerprint, config: configHash };
    this.note({ kind: "decided", session: this.today, ...decided });
    return decided;
  }

  /** Targets changed, or the last plan could not be carried out whole. */
  private mustTrade({ isChange }: TakenTargets): boolean {
    const { lastDone, account } = this.state;
    if (lastDone) return isChange || !lastDone.isComplete;
    return isChange || this.setting.config.universe.some((symbol) => heldOf(account, symbol) > 0);
  }

  private async askMarket(): Promise<MarketNow> {
    this.market = await this.setting.askMarket(this.setting.config.universe, this.today);
    return this.market;
  }

  private async quantityStep({ contracts }: MarketNow): Promise<Quantity> {
    const { config, session, signal } = this.setting;
    const { quantity } = config.execution;
    if (quantity === "whole") return oneShare;
    let answer = this.state.probe?.session === this.today ? this.state.probe : null;
    if (!answer && !this.isDry) {
      const symbol = config.universe.find((one) => contracts.has(one));
      if (symbol !== undefined) {
        const { answer: fractional, why } = await session.probeFractional(symbol, signal);
        answer = {
          kind: "probed",
          session: this.today,
          fractional,
          why,
          serverVersion: session.serverVersion,
        };
        this.note(answer);
      }
    }
    if (answer?.fractional === "yes") {
      let step = 1;
      for (const { sizeIncrement } of contracts.values()) step = Math.max(step, sizeIncrement);
      return step as Quantity;
    }
    if (quantity === "fractional") throw new FractionalRefusedError(answer?.why ?? "nobody has asked it yet");
    return oneShare;
  }

  private nextAttempt(): number {
    const { lastAttempt } = this.state;
    return lastAttempt?.session === this.today ? lastAttempt.attempt + 1 : 1;
  }

  private async situation(
    market: MarketNow,
    bars: DecisionBars,
    reconciliation: Reconciliation,
    attempt: number,
    knownReferences: readonly string[],
  ): Promise<Situation> {
    const { config, clock, session } = this.setting;
    return {
      account: session.account,
      // The session refuses accounts in any other currency.
      baseCurrency: "USD",
      session: this.today,
      attempt,
      universe: config.universe,
      nowUtcMs: clock.nowUtcMs(),
      quotes: market.quotes,
      lastBars: bars.lastBars,
      liquidHours: market.liquidHours,
      knownReferences,
      isResumed: attempt > 1,
      reconciliation,
    };
  }

  /** Which of these orders the broker has seen, or may have seen. */
  private async knownAmong(intents: readonly OrderIntent[]): Promise<readonly string[]> {
    if (intents.length === 0) return [];
    const standings = await this.setting.session.findByReference(
      intents.map(({ reference }) => reference),
      this.setting.signal,
    );
    return [...standings.values()].filter(({ kind }) => kind !== "absent").map(({ reference }) => reference);
  }

  /** Sends what was approved and hears of it to the end. */
  private async send(
    plan: OrderPlan,
    intents: readonly OrderIntent[],
    verdict: Extract<Verdict, { ok: true }>,
  ): Promise<RebalanceReport> {
    const { session, signal, calendar } = this.setting;
    const { today } = this;
    const references = intents.map(({ reference }) => reference);
    this.step("submit");
    this.note(
      {
        kind: "booked",
        event: {
          kind: "rebalanced",
          session: today,
          attempt: plan.attempt,
          references: plan.intents.map(({ reference }) => reference),
        },
      },
      { kind: "submitting", session: today, attempt: plan.attempt, references },
    );
    this.step("place");
    const closes = calendar.trading.closeUtcMs(today);
    for await (const event of session.place(verdict.plan, {
      cancelAtUtcMs: closes,
      ...(signal ? { signal } : {}),
    })) {
      this.step(`hear ${event.kind}`);
      this.hear(event);
    }
    return this.close(plan);
  }

  /** Waits until the broker has said what became of orders that another process sent. */
  private async resolved(references: readonly string[]): Promise<ReadonlyMap<string, Standing>> {
    const { session, signal, clock, calendar } = this.setting;
    let absentBefore: ReadonlySet<string> = new Set();
    const closes = calendar.trading.isSession(this.today)
      ? calendar.trading.closeUtcMs(this.today)
      : clock.nowUtcMs();
    let unanswered = 0;
    for (;;) {
      const standings = await session.findByReference(references, signal);
      for (const { events } of standings.values()) for (const event of events) this.hear(event);
      for (const { reference, kind, reason } of standings.values()) {
        if (kind === "ended") this.hearEnd(reference, reason);
      }
      const all = [...standings.values()];
      const absent = new Set(all.filter(({ kind }) => kind === "absent").map(({ reference }) => reference));
      // Once is a moment; an order on its way would be there the second time.
      const isNews = [...absent].some((reference) => !absentBefore.has(reference));
      const isWorking = all.some(({ kind }) => kind === "open") && clock.nowUtcMs() < closes + askAgainMs;
      unanswered = all.some(({ kind }) => kind === "unanswered") ? unanswered + 1 : 0;
      if (!isNews && !isWorking && (unanswered === 0 || unanswered > 5)) return standings;
      absentBefore = absent;
      this.setting.onProgress({ step: "waiting for the broker to say what became of the orders" });
      await this.setting.pause(askAgainMs);
    }
  }

  /** Something that the broker says of an order: written down once, and booked with it. */
  private hear(event: OrderEvent, of: SessionDate = this.today): void {
    const text = JSON.stringify(event);
    if (this.state.orderEvents.some((known) => JSON.stringify(known.event) === text)) return;
    const session = laterOf(of, this.state.account.session ?? of);
    const notes: TradeEvent[] = [{ kind: "order", session, event }];
    const book = (booked: AccountEvent) => notes.push({ kind: "booked", event: booked });
    switch (event.kind) {
      case "acknowledged":
        this.bookOrder(event.reference, session, book);
        break;
      case "filled":
      case "partiallyFilled": {
        this.bookOrder(event.reference, session, book);
        const { reference, execId, symbol, side, quantity, price } = event;
        book({ kind: "fill", session, reference, execId, symbol, side, quantity, price, fees: cents(0) });
        break;
      }
      case "commission":
        book({ kind: "fee", session, execId: event.execId, amount: centsOfDollars(event.commission) });
        break;
      case "cancelled":
      case "rejected":
        book({ kind: "closed", session, reference: event.reference });
        break;
      case "unknown":
        break;
    }
    this.note(...notes);
  }

  private hearEnd(reference: string, reason: string): void {
    const intent = this.plan?.intents.find((one) => one.reference === reference);
    if (!intent || knownOrder(this.state, reference, intent.quantity).end !== null) return;
    this.hear({
      kind: "cancelled",
      reference,
      reason: reason === "" ? "the broker lists it as over" : reason,
    });
  }

  /** An order that is at the broker counts against the day, and keeps back what it may cost. */
  private bookOrder(reference: string, session: SessionDate, book: (event: AccountEvent) => void): void {
    const intent = this.plan?.intents.find((one) => one.reference === reference);
    if (!intent || this.state.account.orders.some((order) => order.reference === reference)) return;
    const { symbol, side, quantity, notional, type } = intent;
    const cushion = type === "MKT" ? fractionOf(notional, marketOrderCushion, "up") : 0;
    const reserved = side === "buy" ? cents(notional + cushion) : cents(0);
    book({ kind: "ordered", session, reference, symbol, side, quantity, reserved });
  }

  /** Ends the session's rebalance with what is known of its orders. */
  private close(plan: OrderPlan): RebalanceReport {
    const orders = plan.intents.map(({ reference, quantity }) => knownOrder(this.state, reference, quantity));
    const rejected = orders.filter(({ end }) => end === "rejected");
    const unknown = orders.filter(
      ({ end, filled }, at) => (end === "unknown" || end === null) && filled < plan.intents[at]!.quantity,
    );
    if (rejected.length > 0) {
      return this.halted(
        "rejected",
        rejected.map(({ reference, detail }) => `${reference} was rejected (${detail})`).join("; "),
      );
    }
    if (unknown.length > 0) {
      return this.halted(
        "unknown_outcome",
        unknown
          .map(
            ({ reference, detail }) => `nobody knows what became of ${reference}${detail && `: ${detail}`}`,
          )
          .join("; "),
      );
    }
    const whole = orders.filter(({ end }) => end === "filled").length;
    const isFilled = whole === orders.length;
    const rest = plan.isComplete ? "" : "; the rest waits, as the plan says";
    return this.done(
      isFilled ? "filled" : "partial",
      isFilled && plan.isComplete,
      orders.length === 0
        ? `nothing could be ordered today${rest}`
        : `${whole} of ${orders.length} orders filled${rest}`,
      plan.session,
    );
  }

  private refused(breaches: readonly Check[], halts: boolean): RebalanceReport {
    const words = breaches.map(({ name, detail }) => `${name}: ${detail}`).join("; ");
    if (halts) return this.halted("check", words);
    return this.done("blocked", false, words);
  }

  private halted(code: HaltCode, reason: string): RebalanceReport {
    const session = this.state.open?.session ?? this.today;
    this.step("halt");
    this.note(
      { kind: "halted", code, reason, session },
      { kind: "done", session, outcome: "halted", isComplete: false, detail: reason },
    );
    return this.report("halted", reason);
  }

  private done(
    outcome: Exclude<SessionOutcome, "halted">,
    isComplete: boolean,
    detail: string,
    of: SessionDate = this.state.open?.session ?? this.today,
  ): RebalanceReport {
    this.step("done");
    const valued = this.valuation();
    this.note(
      ...(valued === null || of !== this.today
        ? []
        : [{ kind: "booked", event: { kind: "valued", session: this.today, equity: valued } } as const]),
      { kind: "done", session: of, outcome, isComplete, detail },
    );
    return this.report(outcome, detail);
  }

  private valuation(): Cents | null {
    if (!this.market) return null;
    const { universe } = this.setting.config;
    return equityOf(this.state.account, { universe, quotes: this.market.quotes }) ?? null;
  }

  private step(name: string): void {
    this.setting.onStep?.(name);
  }

  /** Writes down what happens, and holds it for true from then on. */
  private note(...events: readonly TradeEvent[]): void {
    this.setting.journal?.append(...events);
    for (const event of events) this.state = applyTrade(this.state, event, this.setting.calendar);
  }

  private report(outcome: RebalanceReport["outcome"], detail: string): RebalanceReport {
    const { plan, state } = this;
    const known = state.orderEvents.map(({ event }) => event);
    const permIds = new Map(
      known.flatMap((event) =>
        event.kind === "acknowledged" ? [[event.reference, event.permId] as const] : [],
      ),
    );
    const fees = new Map(
      known.flatMap((event) =>
        event.kind === "commission" ? [[event.execId, event.commission] as const] : [],
      ),
    );
    const sent = (plan?.intents ?? []).filter(({ reference }) =>
      known.some((event) => event.reference === reference),
    );
    return {
      session: this.today,
      outcome,
      detail,
      decision: this.decision,
      plan,
      verdict: this.verdict,
      orders: sent.map((intent) => ({
        ...knownOrder(state, intent.reference, intent.quantity),
        intent,
        permId: permIds.get(intent.reference) ?? null,
      })),
      fills: known.flatMap((event): FillReport[] =>
        event.kind === "filled" || event.kind === "partiallyFilled"
          ? [
              {
                execId: event.execId,
                reference: event.reference,
                symbol: event.symbol,
                side: event.side,
                quantity: event.quantity,
                price: event.price,
                commission: fees.get(event.execId) ?? null,
              },
            ]
          : [],
      ),
      notices: this.notices,
      halt: state.halt,
      state,
      fingerprint: this.fingerprint,
    };
  }
}

/** Whether two sets of targets are the same to the last bit: a band that holds keeps every digit. */
function sameWeights(a: Decision["weights"], b: Decision["weights"] | null): boolean {
  if (b === null) return false;
  const [names, others] = [Object.keys(a), Object.keys(b)];
  return names.length === others.length && names.every((name) => a[name] === b[name]);
}

function laterOf(a: SessionDate, b: SessionDate): SessionDate {
  return a > b ? a : b;
}

const times = new Intl.DateTimeFormat("en-GB", {
  timeZone: "America/New_York",
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
});

function timeText(utcMs: number): string {
  return times.format(utcMs);
}
