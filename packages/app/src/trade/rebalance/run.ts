// One run: what it works with, what it has found so far, and the one way in which it writes down. Every other file of this
// folder is steps that a run takes; none of them keeps anything of its own.

import type { Verdict } from "@pf/compliance";
import type { IbkrSession } from "@pf/ibkr";
import { newYorkDateOf, newYorkTimeOf, type SessionDate, type Ticker } from "@pf/market";
import type { OrderPlan } from "@pf/orders";
import type { Decision } from "@pf/selection";
import type { Clock } from "../../ports.js";
import type { TradeBook } from "../book.js";
import { ClockSkewError } from "../errors.js";
import type { DecisionBars, MarketNow } from "../market.js";
import type { SessionRules } from "../rules.js";
import type { TradeEvent, TradeState } from "../state.js";

/** What a rebalance works with. */
export interface RebalanceSetting extends SessionRules {
  readonly session: IbkrSession;
  /** One that is not durable makes a dry run: nothing is sent. */
  readonly book: TradeBook;
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

/** A machine's clock may be this far from the broker's: the window is minutes wide. */
const largestSkewMs = 30_000;

/** A process at work on one account, on one day. */
export class Run {
  /** The day in New York on which it began. */
  readonly today: SessionDate;
  /** Whether nothing outlives it, and nothing is sent. */
  readonly isDry: boolean;
  /** What people should know, in words. */
  readonly notices: string[] = [];
  /** What there is to report; `null` where it has not come so far. */
  decision: Decision | null = null;
  plan: OrderPlan | null = null;
  verdict: Pick<Verdict, "ok" | "checks"> | null = null;
  /** Hash of the bars that decided. */
  fingerprint: string | null = null;
  /** Prices to size and to value with. */
  market: MarketNow | null = null;

  constructor(
    readonly setting: RebalanceSetting,
    /** Whether it only looks: nothing is sent, and what is no news is not written down. */
    readonly isReconciling = false,
  ) {
    this.isDry = !setting.book.isDurable;
    this.today = newYorkDateOf(setting.clock.nowUtcMs());
  }

  /** What is true now: everything that was written down. */
  get state(): TradeState {
    return this.setting.book.state;
  }

  /** Names what comes next; a process may die here. */
  step(name: string): void {
    this.setting.onStep?.(name);
  }

  /** Writes down, all or none; it is true, and on the disk, when this returns. */
  note(...events: readonly TradeEvent[]): void {
    this.setting.book.note(...events);
  }

  /** @throws ClockSkewError when the broker's clock is another one */
  requireClock(): void {
    const { session, clock } = this.setting;
    const skewMs = session.clock.nowUtcMs() - clock.nowUtcMs();
    if (Math.abs(skewMs) > largestSkewMs) throw new ClockSkewError(skewMs);
  }

  /** Why orders cannot be sent now; undefined when they can. */
  window(): string | undefined {
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
}
