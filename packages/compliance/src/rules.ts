import type { SessionDate, Ticker } from "@pf/market";
import type { CommissionPlan, Quotes } from "@pf/orders";
import type { SaleGuards } from "./account.js";
import type { Reconciliation } from "./reconcile.js";

/** What a plan has to keep to. */
export interface ComplianceRules extends SaleGuards {
  /** `strict`: only settled cash buys. `permissive`: proceeds that have not settled too, unless the account is restricted. */
  readonly settledCash: "strict" | "permissive";
  /** Fraction of equity that is never invested. */
  readonly cashBuffer: number;
  /** Largest fraction of equity in one symbol. */
  readonly maxWeight: number;
  readonly maxOrders: number;
  readonly commission: CommissionPlan;
  readonly window: TradingWindow;
  /** Which bar decides: today's unfinished one, or that of the session before. */
  readonly decisionBar: "provisional" | "last_complete";
  readonly maxQuoteAgeMs: { readonly live: number; readonly delayed: number };
  /** Largest distance of a price from the last bar's close, as a fraction of it. */
  readonly maxPriceMove: number;
  readonly dayTrades: "warn" | "block" | "off";
  /** Fall of equity from its peak, as a fraction, that brakes; `null` for no brake. */
  readonly maxDrawdown: number | null;
  /** Loss since the session before, as a fraction, that brakes; `null` for no brake. */
  readonly maxDailyLoss: number | null;
  /** `halt`: a brake stops everything until somebody resumes. `reduce_only`: it stops buys. */
  readonly onBrake: "halt" | "reduce_only";
}

/** When orders may be sent, counted back from the session's close, so that a half day has its own. */
export interface TradingWindow {
  readonly opensBeforeCloseMs: number;
  readonly closesBeforeCloseMs: number;
}

/** What is usual, to start from: `{ ...usualRules, commission, maxWeight }`. */
export const usualRules = {
  settledCash: "strict",
  brokerEndOfDay: true,
  cashBuffer: 0.05,
  maxWeight: 0.5,
  maxOrders: 5,
  window: { opensBeforeCloseMs: 5 * 60_000, closesBeforeCloseMs: 30_000 },
  decisionBar: "provisional",
  maxQuoteAgeMs: { live: 2 * 60_000, delayed: 30 * 60_000 },
  maxPriceMove: 0.2,
  dayTrades: "warn",
  maxDrawdown: null,
  maxDailyLoss: null,
  onBrake: "halt",
} as const satisfies Omit<ComplianceRules, "commission">;

/** Regular hours of one day. */
export interface Hours {
  readonly openUtcMs: number;
  readonly closeUtcMs: number;
}

/** The last bar of a finished session, at the price that was paid then. */
export interface LastBar {
  readonly session: SessionDate;
  readonly close: number;
}

/** What surrounds a plan: the moment, the market, and what the broker said. */
export interface Situation {
  readonly account: string;
  readonly baseCurrency: string;
  readonly session: SessionDate;
  /** 1, or more where the session is planned anew after `pf resume`. */
  readonly attempt: number;
  readonly universe: readonly Ticker[];
  readonly nowUtcMs: number;
  readonly quotes: Quotes;
  readonly lastBars: Readonly<Record<Ticker, LastBar>>;
  /** Today's regular hours of each contract as the broker has them; `null` for closed. */
  readonly liquidHours: Readonly<Record<Ticker, Hours | null>>;
  /** Every reference of this session that the broker knows: open, completed, executed. */
  readonly knownReferences: readonly string[];
  /** Whether somebody resumed after a halt, every earlier order's outcome being known. */
  readonly isResumed: boolean;
  /** `null` where there is no broker to compare with, as in the account engine. */
  readonly reconciliation: Pick<Reconciliation, "settled" | "buysStopped"> | null;
}
