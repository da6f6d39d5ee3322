import type { Check } from "@pf/compliance";
import type { SessionDate, Ticker, Weights } from "@pf/market";
import type { Candidate } from "@pf/selection";
import type { AccountMode } from "../broker.js";
import type { PlanDocument } from "./documents.js";

export interface HistoryRequest {
  /** Default: paper. */
  readonly mode?: AccountMode;
}

/** A position as it stands beside what is wanted of it. */
export interface HeldPosition {
  readonly symbol: Ticker;
  readonly shares: number;
  /** Dollars paid for all of it. */
  readonly cost: number;
  /** The last close as traded; `null` where the cache has none. */
  readonly price: number | null;
  readonly value: number | null;
  /** Of the account's worth; `null` where that is not known. */
  readonly weight: number | null;
  /** Of the last decision. */
  readonly target: number;
}

export interface PastOrder {
  readonly session: SessionDate;
  readonly reference: string;
  readonly symbol: Ticker;
  readonly side: "buy" | "sell";
  readonly shares: number;
  readonly filled: number;
  readonly status: string;
  readonly detail: string;
  readonly reason: string;
  readonly fills: readonly {
    readonly execId: string;
    readonly shares: number;
    readonly price: number;
    readonly commission: number | null;
  }[];
}

export interface PastSession {
  readonly session: SessionDate;
  readonly outcome: string;
  readonly detail: string;
  readonly complete: boolean;
  readonly equity: number | null;
  readonly orders: number;
  readonly fills: number;
}

/** An account's past, from its journal and the cached bars; what the worker's page shows. */
export interface AccountHistory {
  readonly mode: AccountMode;
  readonly account: string;
  readonly venue: string;
  /** Dollars at each session on which the account was valued, oldest first, with what the model and SPY would be. */
  readonly curve: {
    readonly sessions: readonly SessionDate[];
    readonly equity: readonly number[];
    /** The bars engine's growth from the first session on, in the account's dollars; `null` without bars. */
    readonly model: readonly (number | null)[];
    readonly spy: readonly (number | null)[];
  };
  readonly positions: readonly HeldPosition[];
  readonly decision: {
    readonly session: SessionDate;
    readonly asOf: SessionDate;
    readonly isChange: boolean;
    readonly weights: Weights;
    /** Every symbol with its reason; `null` in journals of versions that did not keep them. */
    readonly candidates: readonly Candidate[] | null;
  } | null;
  readonly plan: PlanDocument | null;
  /** Of the last review. */
  readonly checks: readonly Check[];
  /** Newest first, at most a hundred. */
  readonly orders: readonly PastOrder[];
  /** Newest first, at most three hundred. */
  readonly sessions: readonly PastSession[];
}
