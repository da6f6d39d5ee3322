import type { CostModel } from "@pf/backtest";
import {
  type Account,
  type AccountEvent,
  applyEvent,
  type BrokerFigures,
  type Check,
  type ComplianceRules,
  equityOf,
  heldOf,
  type Notice,
  type Reconciliation,
  reconcile,
  reservationFor,
  review,
  type SettlementCalendar,
  type Situation,
  totalCash,
  type Verdict,
} from "@pf/compliance";
import type { LoadedConfig } from "@pf/config";
import type { IbkrSession, PlaceOptions, Standing } from "@pf/ibkr";
import { newYorkDateOf, newYorkTimeOf, type Panel, type SessionDate, type Ticker } from "@pf/market";
import {
  type Cents,
  cents,
  centsOfDollars,
  fractionOf,
  notionalCents,
  type OrderEvent,
  type OrderIntent,
  type OrderPlan,
  type OrderRules,
  oneShare,
  type Quantity,
} from "@pf/orders";
import type { Decision, Strategy } from "@pf/selection";
import { areSameWeights, proposeRebalance } from "../account/rebalance.js";
import { candidateRow } from "../candidate-rows.js";
import type { Clock } from "../ports.js";
import { laterOf, type TradeBook } from "./book.js";
import { decideLast } from "./decide.js";
import { BlockedError, ClockSkewError, FractionalRefusedError, PartlyFilledError } from "./errors.js";
import type { DecisionBars, MarketNow } from "./market.js";
import {
  type Halt,
  type HaltCode,
  isFill,
  isOver,
  type KnownOrder,
  knownOrder,
  lastCommission,
  type OpenRebalance,
  rootOf,
  type SentIntent,
  type SessionOutcome,
  type TradeEvent,
  type TradeState,
} from "./state.js";

/** What a rebalance works with. */
export interface RebalanceSetting {
  readonly session: IbkrSession;
  /** One that is not durable makes a dry run: nothing is sent. */
  readonly book: TradeBook;
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
  /** Waits so long by the session's clock, in milliseconds. */
  pause(ms: number): Promise<void>;
  /** Told the name of every step before it is taken: where a test lets the process die. */
  readonly onStep?: (step: string) => void;
}

/** What became of a rebalance. */
export interface RebalanceReport {
  readonly session: SessionDate;
  readonly outcome:
    | SessionOutcome
    | "halted_before"
    | "not_now"
    | "done_before"
    | "not_taken"
    | "dry_run"
    | "reconciled";
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
  /** Hash of the bars that decided. */
  readonly fingerprint: string | null;
  /** Why not everything was done, where the outcome alone does not tell. */
  readonly problem: Error | null;
  /** Whether anything was noted: what was known before needs no second record. */
  readonly isNews: boolean;
}

/** What was found out about an account without trading it. */
export interface ReconcileReport extends RebalanceReport {
  /** Whether the book is what the broker has, and nothing that was sent is in doubt. */
  readonly agrees: boolean;
  /** In what they differed, in words. */
  readonly differences: readonly string[];
  /** Why nothing may be bought as things stand; `null` when it may. */
  readonly buysStopped: string | null;
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
/** Between two questions about an order that was sent by a process that is no more. */
const askAgainMs = 2_000;
/** How often a question that the broker does not answer is asked again before nobody knows. */
const mostUnanswered = 5;
/** A commission is no more than this fraction of an execution, or a dollar. */
const largestCommission = 0.01;

/** What a decision says, whenever it was taken. */
type TakenTargets = Pick<Extract<TradeEvent, { kind: "decided" }>, "asOf" | "weights" | "isChange">;

/**
 * Rebalances an account for the session that the clock is in, or goes on with what an earlier process has begun. Starting
 * and recovering are one path: what is known is folded from the journal, what is not known is asked of the broker, and the
 * first step that is missing comes next. Every intent is in the journal before the act.
 *
 * @throws whatever keeps anything from being known: no connection, no bars, a journal that cannot be written. Nothing more
 *   is sent then, and the next start goes on from there.
 */
export async function rebalance(setting: RebalanceSetting): Promise<RebalanceReport> {
  return new Rebalance(setting).run();
}

/**
 * Learns what became of everything that was sent, ends a rebalance that is open, compares the book with the broker and
 * books what a rebalance would book before it plans. Sends nothing, and writes nothing down where there is no news.
 *
 * @throws as {@link rebalance}
 */
export async function reconcileBook(setting: RebalanceSetting): Promise<ReconcileReport> {
  return new Rebalance(setting, true).reconcile();
}

class Rebalance {
  private readonly notices: string[] = [];
  private decision: Decision | null = null;
  private plan: OrderPlan | null = null;
  private verdict: Pick<Verdict, "ok" | "checks"> | null = null;
  private fingerprint: string | null = null;
  private market: MarketNow | null = null;
  private readonly today: SessionDate;
  private readonly isDry: boolean;

  constructor(
    private readonly setting: RebalanceSetting,
    /** Whether nothing is to be sent. */
    private readonly isReconciling = false,
  ) {
    this.isDry = !setting.book.isDurable;
    this.today = newYorkDateOf(setting.clock.nowUtcMs());
  }

  private get state(): TradeState {
    return this.setting.book.state;
  }

  async run(): Promise<RebalanceReport> {
    const { setting, today, isDry } = this;
    const { trading } = setting.calendar;
    this.requireClock();
    if (!isDry) {
      const left = await this.settleWhatWasSent();
      if (left) return left;
    }
    if (!trading.isSession(today)) {
      const why = trading.whyClosed(today) ?? "the market is closed";
      return this.report("not_now", `${today} is no session: ${why}`);
    }
    if (!isDry) {
      const { lastDone } = this.state;
      if (lastDone?.session === today && !this.state.isResumed) {
        return this.report("done_before", `the rebalance of ${today} is done: ${lastDone.detail}`);
      }
      const when = this.window();
      if (when) return this.report("not_now", when);
    }

    const reconciliation = await this.bringBookUpToDate();
    const bars = await setting.gatherBars(today);
    this.claim();
    const targets = this.decide(bars.panel, bars.fingerprint);
    const market = await this.askMarket();
    if (!isDry && !this.mustTrade(targets)) {
      return this.done("unchanged", true, "targets are unchanged, and the last plan is carried out");
    }
    const step = await this.quantityStep(market);
    const attempt = this.nextAttempt();
    const situation = this.situation(market, bars, reconciliation, attempt, []);
    const proposal = proposeRebalance({
      targets,
      account: this.state.account,
      situation,
      orders: { ...setting.orders, quantityStep: step },
      compliance: setting.compliance,
      calendar: setting.calendar,
    });
    const { plan } = proposal;
    this.plan = plan;
    this.verdict = proposal.verdict;
    if (isDry) {
      const { ok } = proposal.verdict;
      return this.report("dry_run", ok ? "every check passed" : "it would be blocked");
    }
    const knownReferences = await this.knownAmong(plan.intents);
    const verdict =
      knownReferences.length === 0
        ? proposal.verdict
        : review(
            plan,
            this.state.account,
            { ...situation, knownReferences },
            setting.compliance,
            setting.calendar,
          );
    this.verdict = verdict;
    const breaches = verdict.ok ? [] : verdict.breaches;
    this.step("review");
    const { ok, checks } = verdict;
    this.note({ kind: "reviewed", session: today, attempt, plan, ok, breaches, checks });
    if (!verdict.ok && !verdict.halts && breaches.every(isOfTheMoment)) {
      return this.notTaken(new BlockedError(...inWords(breaches), "run it again while the window is open"));
    }
    if (!verdict.ok) return this.refused(breaches, verdict.halts);
    if (plan.intents.length === 0 && !plan.isComplete && market.missing.size > 0) {
      const words = `nothing could be ordered: no price of ${[...market.missing.keys()].join(", ")}`;
      return this.notTaken(
        new BlockedError(["data_complete"], words, "run it again while the window is open"),
      );
    }
    return this.send(plan, verdict);
  }

  async reconcile(): Promise<ReconcileReport> {
    this.requireClock();
    const { trading } = this.setting.calendar;
    const session = trading.onOrBefore(this.today);
    if (this.state.account.session === null) {
      const detail = "the account was never traded here: its first rebalance takes over what it holds";
      const none = { session, agrees: true, differences: [], buysStopped: null };
      return { ...this.report("reconciled", detail), ...none };
    }
    const ended = await this.settleWhatWasSent();
    const doubtful = this.unsettled();
    // What the broker holds of an order in doubt would be booked twice when it is heard of.
    const found = doubtful.length === 0 ? await this.bringBookUpToDate() : await this.compare(false);
    // Notices say what differs and then, after a colon, what is done about it: in doubt nothing is.
    const words = ({ detail }: Notice) => (doubtful.length === 0 ? detail : detail.split(": ")[0]!);
    const differences = found.notices.filter(isDifference).map(words);
    if (doubtful.length > 0) this.notices.push(...differences);
    const agrees = differences.length === 0 && doubtful.length === 0;
    const detail = agrees ? "book and broker agree" : differences.join("; ");
    const isEnd = ended !== undefined && ended.outcome !== "halted_before";
    return {
      ...this.report(ended?.outcome ?? "reconciled", ended?.detail ?? detail, ended?.problem ?? null),
      session: isEnd ? this.state.lastDone!.session : session,
      agrees,
      differences,
      buysStopped: found.buysStopped,
    };
  }

  /**
   * Learns what became of everything that an earlier process has sent, and ends or continues its rebalance. Gives a report
   * when nothing more is to be done now. What is heard is booked, halted or not.
   */
  private async settleWhatWasSent(): Promise<RebalanceReport | undefined> {
    const { open } = this.state;
    this.plan = open?.plan ?? null;
    const asked = [...this.unsettled(), ...this.withoutCommission()];
    const standings = await this.resolved(asked.map(({ intent }) => intent.reference));
    if (this.state.halt) return this.report("halted_before", this.state.halt.reason);

    const left = this.unsettled();
    const unclear = left.filter(({ intent }) => standings.get(intent.reference)?.kind !== "absent");
    // The broker lists orders and executions of its day only; after that the holdings are all there is to ask.
    const today = unclear.filter(({ session }) => session === this.today);
    if (today.length > 0) {
      return this.halted("unknown_outcome", `the broker does not say what became of ${namesOf(today)}`);
    }
    const old = left.filter(({ session }) => session < this.today);
    if (old.length > 0) {
      const doubts = this.state.isResumed ? [] : await this.doubts();
      if (doubts.length > 0) {
        return this.halted(
          "unknown_outcome",
          `nobody knows what became of ${namesOf(old)}, and ${doubts.join("; ")}`,
        );
      }
      const reason = this.state.isResumed
        ? "its session is over; what the account holds was accepted by whoever resumed"
        : "its session is over, and the account shows no trace of it";
      for (const { intent } of old) this.hear({ kind: "cancelled", reference: intent.reference, reason });
    }
    if (!open) {
      // Halted and resumed since: asked twice, and nobody has it.
      this.neverArrived(this.unsettled());
      return undefined;
    }
    if (!open.isSent) return this.endUnsent(open);
    const absent = this.unsettled().map(({ intent }) => intent);
    if (absent.length === 0 || !open.plan) return this.closeOpen(open);
    return this.sendAgain(open.plan, absent);
  }

  private unsettled(): readonly SentIntent[] {
    const { sent, orderEvents } = this.state;
    return sent.filter(({ intent }) => !isOver(knownOrder(orderEvents, intent)));
  }

  /** What was filled today, and nobody has said yet what it cost. */
  private withoutCommission(): readonly SentIntent[] {
    const { sent, orderEvents } = this.state;
    const silent = orderEvents
      .filter(isFill)
      .filter(({ execId }) => lastCommission(execId, orderEvents) === null);
    return sent.filter(
      ({ session, intent }) =>
        session === this.today &&
        isOver(knownOrder(orderEvents, intent)) &&
        silent.some(({ reference }) => reference === intent.reference),
    );
  }

  /** Nothing was sent, so that it is planned anew with the prices of now, or given up when its time is over. */
  private endUnsent(open: OpenRebalance): RebalanceReport | undefined {
    const isOld = open.session < this.today;
    if (!isOld && !this.window()) return undefined;
    const left = this.state.lastDone?.isComplete ?? false;
    const isComplete = left && open.decided?.isChange !== true;
    const detail = `the rebalance of ${open.session} ended before anything was sent`;
    const ended = this.done("abandoned", isComplete, detail, open.session);
    return isOld && !this.isReconciling ? undefined : ended;
  }

  /** Ends the rebalance that was open; what is over since yesterday keeps nobody from trading today. */
  private async closeOpen(open: OpenRebalance): Promise<RebalanceReport | undefined> {
    const ended = await this.close(open.plan!);
    const isInTheWay = open.session === this.today || ended.outcome === "halted";
    return isInTheWay || this.isReconciling ? ended : undefined;
  }

  /**
   * Sends what the broker never took: it was asked twice, answered every question, and gave this connection the place of
   * the one that may have carried the orders. The names are the same, so that no order can be there twice.
   */
  private async sendAgain(plan: OrderPlan, absent: readonly OrderIntent[]): Promise<RebalanceReport> {
    const { setting } = this;
    if (this.isReconciling || this.window()) {
      this.neverArrived(this.unsettled());
      return this.close(plan);
    }
    const reconciliation = await this.bringBookUpToDate();
    const bars = await setting.gatherBars(this.today);
    const market = await this.askMarket();
    const rest: OrderPlan = { ...plan, intents: absent };
    const situation = this.situation(market, bars, reconciliation, plan.attempt, []);
    const verdict = review(rest, this.state.account, situation, setting.compliance, setting.calendar);
    this.verdict = verdict;
    if (!verdict.ok) {
      this.neverArrived(this.unsettled());
      return this.refused(verdict.breaches, verdict.halts);
    }
    return this.send(plan, verdict);
  }

  private neverArrived(orders: readonly SentIntent[]): void {
    for (const { intent } of orders) {
      this.hear({ kind: "cancelled", reference: intent.reference, reason: "it never reached the broker" });
    }
  }

  /** What the account holds otherwise than the book, in words. */
  private async doubts(): Promise<readonly string[]> {
    const { notices } = await this.compare(false);
    const codes = ["shares_found", "shares_missing", "cash_missing", "short_position"];
    return notices.filter(({ code }) => codes.includes(code)).map(({ detail }) => detail);
  }

  private requireClock(): void {
    const { session, clock } = this.setting;
    const skewMs = session.clock.nowUtcMs() - clock.nowUtcMs();
    if (Math.abs(skewMs) > largestSkewMs) throw new ClockSkewError(skewMs);
  }

  /** Why orders cannot be sent now; undefined when they can. */
  private window(): string | undefined {
    const { calendar, clock, compliance } = this.setting;
    if (!calendar.trading.isSession(this.today)) return `${this.today} is no session`;
    const close = calendar.trading.closeUtcMs(this.today);
    const left = close - clock.nowUtcMs();
    const { opensBeforeCloseMs: opens, closesBeforeCloseMs: closes } = compliance.window;
    if (left > opens) {
      return `too early: orders are sent from ${newYorkTimeOf(close - opens)} New York time on`;
    }
    if (left < closes) {
      return `too late: orders of ${this.today} were sent until ${newYorkTimeOf(close - closes)} New York time`;
    }
    return undefined;
  }

  /** Books the broker's figures, so that plan and review start from what is really there. */
  private async bringBookUpToDate(): Promise<Reconciliation> {
    const found = await this.compare(this.state.isResumed);
    const { noticed } = this.state;
    // Who only looks may look often: what agrees, or was noted in the same words, is no news.
    const isNews = (one: Notice) => isDifference(one) && noticed[one.code] !== one.detail;
    const news = this.isReconciling ? found.notices.filter(isNews) : found.notices;
    this.step("reconcile");
    this.note(
      ...found.events.map((event): TradeEvent => ({ kind: "booked", event })),
      ...news.map((notice): TradeEvent => ({ kind: "noticed", session: this.today, notice })),
    );
    this.notices.push(...found.notices.map(({ detail }) => detail));
    return found;
  }

  /** Compares the book with the broker's figures of now. */
  private async compare(isAccepted: boolean): Promise<Reconciliation> {
    const { session, signal, calendar } = this.setting;
    const [summary, positions] = await Promise.all([
      session.accountSummary(signal),
      session.positions(signal),
    ]);
    const held: Record<Ticker, { quantity: number; averageCost: number }> = {};
    for (const { symbol, quantity, averageCost, secType, currency } of positions) {
      if (quantity === 0) continue;
      if (secType === "STK" && currency === "USD") held[symbol] = { quantity, averageCost };
      else
        this.notices.push(`${symbol} (${secType}, ${currency}) is held beside the portfolio and left alone`);
    }
    const figures: BrokerFigures = {
      settledCash: summary.settledCash,
      totalCash: summary.totalCash,
      positions: held,
    };
    if (this.state.account.session !== null) {
      const day = laterOf(this.today, this.state.account.session);
      if (day !== this.state.account.session && !this.isReconciling)
        this.note({ kind: "booked", event: { kind: "day", session: day } });
      this.bookMissingCommissions(figures);
    }
    return reconcile(this.standing(figures), figures, { session: this.today, isAccepted }, calendar);
  }

  /**
   * The account as it is compared with the broker's. That another day has begun is nothing to write down for who only
   * looks; and until the market opens it is the broker's figures that tell whether it has settled what settles that day.
   */
  private standing({ settledCash }: BrokerFigures): Account {
    const { account } = this.state;
    const { today, setting } = this;
    const { trading } = setting.calendar;
    if (!this.isReconciling || account.session === null || today <= account.session) return account;
    const settled = applyEvent(account, { kind: "day", session: today }, setting.calendar);
    const isOpened = trading.isSession(today) && setting.clock.nowUtcMs() >= trading.openUtcMs(today);
    const isNearer = Math.abs(settledCash - settled.settled) <= Math.abs(settledCash - account.settled);
    return isOpened || isNearer ? settled : account;
  }

  /**
   * Commissions that the broker charged and never reported are what is missing of cash, if it is no more than they can be.
   * One that is reported later after all corrects this.
   */
  private bookMissingCommissions({ totalCash: theirs }: BrokerFigures): void {
    const { account, orderEvents } = this.state;
    const reported = new Set(
      orderEvents.flatMap((event) => (event.kind === "commission" ? [rootOf(event.execId)] : [])),
    );
    const silent = orderEvents.filter(isFill).filter(({ execId }) => !reported.has(rootOf(execId)));
    const missing = totalCash(account) - theirs;
    if (missing <= 0 || silent.length === 0) return;
    const most = silent.map(({ quantity, price }) =>
      Math.max(100, fractionOf(notionalCents(quantity, price), largestCommission, "up")),
    );
    if (missing > most.reduce((sum, one) => sum + one, 0)) return;
    let left = missing;
    silent.forEach(({ reference, execId }, at) => {
      const amount = Math.min(left, most[at]!);
      left -= amount;
      this.hear({ kind: "commission", reference, execId, commission: amount / 100 });
    });
    this.notices.push("a commission that the broker charged without reporting it was booked from the cash");
  }

  private claim(): void {
    const { book, run, version } = this.setting;
    if (this.state.open?.session === this.today) return;
    this.step("claim");
    book.claim({ kind: "claimed", session: this.today, run, version });
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
    const isChange = !areSameWeights(weights, taken?.weights ?? {});
    this.decision = decision;
    this.step("decide");
    const decided = { asOf, weights, held, isChange, data: fingerprint, config: configHash };
    const { candidates, overlays, heldByBand } = decision;
    const why = { candidates: candidates.map(candidateRow), overlays, heldByBand };
    this.note({ kind: "decided", session: this.today, ...decided, ...why });
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
    for (const [symbol, why] of this.market.missing) this.notices.push(`${symbol}: ${why}`);
    return this.market;
  }

  private async quantityStep({ contracts }: MarketNow): Promise<Quantity> {
    const { config, session, signal } = this.setting;
    const { quantity } = config.execution;
    if (quantity === "whole") return oneShare;
    let answer = this.state.probe?.session === this.today ? this.state.probe : null;
    const symbol = config.universe.find((one) => contracts.has(one));
    if (!answer && !this.isDry && symbol !== undefined) {
      const { answer: fractional, why } = await session.probeFractional(symbol, signal);
      const { serverVersion } = session;
      answer = { kind: "probed", session: this.today, fractional, why, serverVersion };
      this.note(answer);
    }
    if (answer?.fractional === "yes") {
      let step = 1;
      for (const { sizeIncrement } of contracts.values()) step = Math.max(step, sizeIncrement);
      return step as Quantity;
    }
    // A dry run asks nothing, not even that: without an answer it plans whole shares.
    if (quantity === "fractional" && !(this.isDry && !answer)) {
      throw new FractionalRefusedError(answer?.why ?? "nobody has asked it yet");
    }
    return oneShare;
  }

  private nextAttempt(): number {
    const { lastAttempt } = this.state;
    return lastAttempt?.session === this.today ? lastAttempt.attempt + 1 : 1;
  }

  private situation(
    market: MarketNow,
    bars: DecisionBars,
    reconciliation: Reconciliation,
    attempt: number,
    knownReferences: readonly string[],
  ): Situation {
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
      isResumed: this.state.isResumed,
      reconciliation,
    };
  }

  /** Which of these orders the broker has seen, or may have seen: all as long as it does not answer every question. */
  private async knownAmong(intents: readonly OrderIntent[]): Promise<readonly string[]> {
    if (intents.length === 0) return [];
    const { session, signal, pause } = this.setting;
    const references = intents.map(({ reference }) => reference);
    for (let attempt = 0; ; attempt++) {
      const standings = [...(await session.findByReference(references, signal)).values()];
      const isAnswered = standings.every(({ kind }) => kind !== "unanswered");
      if (isAnswered || attempt === mostUnanswered) {
        return standings.filter(({ kind }) => kind !== "absent").map(({ reference }) => reference);
      }
      await pause(askAgainMs);
    }
  }

  /** Sends what was approved and hears of it to the end. */
  private async send(plan: OrderPlan, verdict: Extract<Verdict, { ok: true }>): Promise<RebalanceReport> {
    const { session, signal, book } = this.setting;
    const { today } = this;
    const references = verdict.plan.intents.map(({ reference }) => reference);
    if (references.length === 0) return this.close(plan);
    const { askReadOnly, ReadOnlyApiError } = await import("@pf/ibkr");
    if (await askReadOnly(session, signal)) {
      return this.notTaken(new ReadOnlyApiError("asked before the first order"));
    }
    // Somebody may have halted trading in the meantime, from another terminal.
    book.refresh();
    if (this.state.halt) return this.report("halted_before", this.state.halt.reason);
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
    for await (const event of session.place(verdict.plan, await this.untilClose())) {
      // Interrupted, the session says of what it has not sent yet that it is over; the next start knows better.
      signal?.throwIfAborted();
      this.step(`hear ${event.kind}`);
      this.hear(event);
      // What is not sent yet is not sent any more; what was sent is heard to its end.
      if (this.state.halt) break;
    }
    if (this.state.halt) {
      await this.resolved(references);
      this.neverArrived(this.unsettled());
    }
    return this.close(plan);
  }

  /** What is not filled at the close is cancelled: by the clock that the session waits with, whoever's else counts. */
  private async untilClose(): Promise<PlaceOptions> {
    const { session, signal, calendar } = this.setting;
    const stop = signal ? { signal } : {};
    if (!calendar.trading.isSession(this.today)) return stop;
    const { skewMs } = await session.serverTime(signal);
    return { cancelAtUtcMs: calendar.trading.closeUtcMs(this.today) - skewMs, ...stop };
  }

  /** Waits until the broker has said what became of orders that were sent before. */
  private async resolved(references: readonly string[]): Promise<ReadonlyMap<string, Standing>> {
    const { session, signal, onProgress } = this.setting;
    let absentBefore: ReadonlySet<string> = new Set();
    let unanswered = 0;
    if (references.length === 0) return new Map();
    for (;;) {
      this.step("ask");
      const standings = await session.findByReference(references, signal);
      const all = [...standings.values()];
      for (const { events } of all) for (const event of events) this.hear(event);
      const known = all.filter(({ kind }) => kind === "open" || kind === "ended" || kind === "filled");
      const isOpen = known.filter(({ kind, events }) => kind !== "ended" || !events.some(isEnd));
      if (isOpen.length > 0) {
        const names = isOpen.map(({ reference }) => reference);
        onProgress({ step: "waiting for the broker to say what became of the orders" });
        for await (const event of session.follow(names, await this.untilClose())) {
          this.step(`hear ${event.kind}`);
          this.hear(event);
        }
      }
      const absent = new Set(all.filter(({ kind }) => kind === "absent").map(({ reference }) => reference));
      // Once is a moment; an order on its way would be there the second time.
      const isNews = [...absent].some((reference) => !absentBefore.has(reference));
      unanswered = all.some(({ kind }) => kind === "unanswered") ? unanswered + 1 : 0;
      if (!isNews && (unanswered === 0 || unanswered > mostUnanswered)) return standings;
      absentBefore = absent;
      await this.setting.pause(askAgainMs);
    }
  }

  /** Something that the broker says of an order: written down once, and booked with it. */
  private hear(event: OrderEvent): void {
    const { account, orderEvents } = this.state;
    if (isKnown(event, orderEvents)) return;
    const session = laterOf(isFill(event) ? event.session : this.today, account.session);
    const notes: TradeEvent[] = [{ kind: "order", session, event }];
    const book = (booked: AccountEvent) => notes.push({ kind: "booked", event: booked });
    const { reference } = event;
    switch (event.kind) {
      case "acknowledged":
        this.bookOrder(reference, session, book);
        break;
      case "filled":
      case "partiallyFilled": {
        this.bookOrder(reference, session, book);
        const root = rootOf(event.execId);
        if (orderEvents.filter(isFill).some(({ execId }) => rootOf(execId) === root)) {
          // The broker's figures are compared before anything is planned again: they settle a correction.
          this.notices.push(`the broker corrected the execution ${root} of ${reference}`);
          break;
        }
        const { execId, symbol, side, quantity, price } = event;
        book({ kind: "fill", session, reference, execId, symbol, side, quantity, price, fees: cents(0) });
        break;
      }
      case "commission": {
        const before = commissionBefore(event, orderEvents);
        const amount = cents(centsOfDollars(event.commission) - before);
        book({ kind: "fee", session, execId: event.execId, amount });
        break;
      }
      case "cancelled":
      case "rejected":
        book({ kind: "closed", session, reference });
        break;
      case "unknown":
        break;
    }
    this.note(...notes);
  }

  /** An order that is at the broker counts against the day, and keeps back what it may cost. */
  private bookOrder(reference: string, session: SessionDate, book: (event: AccountEvent) => void): void {
    const { sent, account } = this.state;
    const intent = sent.find((one) => one.intent.reference === reference)?.intent;
    if (!intent || account.orders.some((order) => order.reference === reference)) return;
    const { symbol, side, quantity } = intent;
    const reserved = reservationFor(intent, this.setting.orders.commission);
    book({ kind: "ordered", session, reference, symbol, side, quantity, reserved });
  }

  /** Ends a rebalance with what is known of its orders. */
  private async close(plan: OrderPlan): Promise<RebalanceReport> {
    const { sent, orderEvents } = this.state;
    const intents = sent
      .filter(({ intent }) => plan.intents.some(({ reference }) => reference === intent.reference))
      .map(({ intent }) => intent);
    const orders = intents.map((intent) => knownOrder(orderEvents, intent));
    const unknown = orders.filter((order) => !isOver(order));
    const rejected = orders.filter(({ end }) => end === "rejected");
    const { refusalOf, ReadOnlyApiError } = await import("@pf/ibkr");
    const refusals = rejected.map(({ brokerCode, detail }) => refusalOf(brokerCode ?? 0, detail));
    const words = [
      ...rejected.map(
        ({ reference, brokerCode, detail }) => `${reference} was rejected (${brokerCode} ${detail})`,
      ),
      ...unknown.map(
        ({ reference, detail }) => `nobody knows what became of ${reference}${detail && `: ${detail}`}`,
      ),
    ].join("; ");
    if (refusals.some((refusal) => refusal !== "readOnly" && refusal !== "fractional")) {
      return this.halted("rejected", words, plan.session);
    }
    if (unknown.length > 0) return this.halted("unknown_outcome", words, plan.session);
    const whole = orders.filter(({ end }) => end === "filled").length;
    const outcome = whole === plan.intents.length ? "filled" : "partial";
    const waits = plan.isComplete ? "" : "; the rest waits, as the plan says";
    const detail =
      plan.intents.length === 0
        ? `nothing could be ordered today${waits}`
        : `${whole} of ${plan.intents.length} orders filled${waits}`;
    const problem = refusals.includes("fractional")
      ? new FractionalRefusedError(rejected[refusals.indexOf("fractional")]!.detail)
      : refusals.includes("readOnly")
        ? new ReadOnlyApiError(rejected[0]!.detail)
        : outcome === "partial"
          ? new PartlyFilledError(
              orders.filter(({ end }) => end !== "filled").map(({ reference }) => reference),
              orders.flatMap(({ end, reference, detail: why }) =>
                end === "filled" ? [] : [`${reference}: ${why}`],
              ),
            )
          : null;
    if (problem instanceof FractionalRefusedError) {
      // The what-if had said otherwise; the order knows better, for the rest of this session.
      const { serverVersion } = this.setting.session;
      const { why } = problem;
      this.note({ kind: "probed", session: this.today, fractional: "no", serverVersion, why });
    }
    return this.done(outcome, outcome === "filled" && plan.isComplete, detail, plan.session, problem);
  }

  private refused(breaches: readonly Check[], halts: boolean): RebalanceReport {
    const [, words] = inWords(breaches);
    if (halts) return this.halted("check", words);
    return this.done("blocked", false, words);
  }

  /**
   * The broker takes no orders at all now, or does not say what they need; when it does, within the window, the session
   * can still be traded.
   */
  private notTaken(problem: Error): RebalanceReport {
    return this.report("not_taken", problem.message, problem);
  }

  private halted(
    code: HaltCode,
    reason: string,
    session: SessionDate = this.state.open?.session ?? this.today,
  ): RebalanceReport {
    this.step("halt");
    const equity = session === this.today ? this.valuation() : null;
    this.note(
      ...(equity === null ? [] : [{ kind: "booked", event: { kind: "valued", session, equity } } as const]),
      { kind: "halted", code, reason, session },
      { kind: "done", session, outcome: "halted", isComplete: false, detail: reason },
    );
    return this.report("halted", reason);
  }

  private done(
    outcome: Exclude<SessionOutcome, "halted">,
    isComplete: boolean,
    detail: string,
    session: SessionDate = this.today,
    problem: Error | null = null,
  ): RebalanceReport {
    this.step("done");
    const equity = session === this.today ? this.valuation() : null;
    this.note(
      ...(equity === null
        ? []
        : [{ kind: "booked", event: { kind: "valued", session, equity } } as const satisfies TradeEvent]),
      { kind: "done", session, outcome, isComplete, detail },
    );
    return this.report(outcome, detail, problem);
  }

  private valuation(): Cents | null {
    if (!this.market) return null;
    const { universe } = this.setting.config;
    return equityOf(this.state.account, { universe, quotes: this.market.quotes }) ?? null;
  }

  private step(name: string): void {
    this.setting.onStep?.(name);
  }

  private note(...events: readonly TradeEvent[]): void {
    this.setting.book.note(...events);
  }

  private report(
    outcome: RebalanceReport["outcome"],
    detail: string,
    problem: Error | null = null,
  ): RebalanceReport {
    const { plan, state, today } = this;
    const { sent, orderEvents } = state;
    const isOwn = ({ session, intent }: SentIntent) =>
      session === today || plan?.intents.some(({ reference }) => reference === intent.reference);
    const own = this.isDry ? [] : sent.filter(isOwn);
    const references = new Set(own.map(({ intent }) => intent.reference));
    const permIds = new Map(
      orderEvents.flatMap((event) =>
        event.kind === "acknowledged" ? [[event.reference, event.permId] as const] : [],
      ),
    );
    const fills = orderEvents.filter(isFill).filter(({ reference }) => references.has(reference));
    return {
      session: today,
      outcome,
      detail,
      decision: this.decision,
      plan,
      verdict: this.verdict,
      orders: own.map(({ intent }) => ({
        ...knownOrder(orderEvents, intent),
        intent,
        permId: permIds.get(intent.reference) ?? null,
      })),
      fills: fills.map(({ execId, reference, symbol, side, quantity, price }) => ({
        execId,
        reference,
        symbol,
        side,
        quantity,
        price,
        commission: lastCommission(execId, orderEvents),
      })),
      notices: this.notices,
      halt: state.halt,
      state,
      fingerprint: this.fingerprint,
      problem,
      isNews: this.setting.book.isChanged,
    };
  }
}

/** Whether a notice says that book and broker differ. What the broker settles earlier than the book is never used. */
function isDifference({ code }: Notice): boolean {
  return code !== "adopted" && code !== "lenient_settlement";
}

/** Prices that are missing or old may be there a moment later; every other check would say the same again. */
function isOfTheMoment({ name }: Check): boolean {
  return name === "data_complete" || name === "data_fresh";
}

function inWords(breaches: readonly Check[]): readonly [names: readonly string[], words: string] {
  return [
    breaches.map(({ name }) => name),
    breaches.map(({ name, detail }) => `${name}: ${detail}`).join("; "),
  ];
}

function isEnd({ kind }: OrderEvent): boolean {
  return kind === "cancelled" || kind === "rejected";
}

/**
 * Whether an event was heard before, by this process or an earlier one. The same fill can be called partial once and
 * whole another time, and the same order has one more id for the client that sent it.
 */
function isKnown(event: OrderEvent, known: readonly OrderEvent[]): boolean {
  return known.some((one) => {
    if (isFill(event)) return isFill(one) && one.execId === event.execId;
    if (one.kind !== event.kind || one.reference !== event.reference) return false;
    if (event.kind !== "commission") return true;
    return rootOf((one as typeof event).execId) === rootOf(event.execId)
      ? lastCommission(event.execId, known) === event.commission
      : false;
  });
}

function commissionBefore({ execId }: { execId: string }, events: readonly OrderEvent[]): Cents {
  return centsOfDollars(lastCommission(execId, events) ?? 0);
}

function namesOf(orders: readonly SentIntent[]): string {
  return orders.map(({ intent }) => intent.reference).join(", ");
}
