// What `pf trade` and `pf reconcile` are: the locks before anything is begun, and the document that comes back.

import type { LoadedConfig } from "@pf/config";
import { type AccountMode, accountOf } from "../broker.js";
import { RequestError } from "../errors.js";
import type { ErrorFields } from "../failures.js";
import { atBroker, type TradeSetting } from "./atBroker.js";
import { type ReconcileDocument, reconcileDocument, type TradeDocument, tradeDocument } from "./documents.js";
import { dryRunOnCache } from "./dryRun.js";
import { LiveLockedError, liveNeedsOwnClock } from "./errors.js";
import { recorded } from "./outcome.js";
import { rebalance } from "./rebalance/rebalance.js";
import { reconcileBook } from "./rebalance/reconcile.js";

export interface TradeRequest {
  /** Which account; a dry run without one asks no broker. */
  readonly mode?: AccountMode;
  /** Show what would be sent, and send nothing. */
  readonly dryRun?: boolean;
  /** Dry runs only: decide as of this day's session, on the cache alone. */
  readonly asOf?: string;
  /** Live only: the account id, typed. */
  readonly confirm?: string;
  /** Whose clock counts. Default: the machine's. `broker` is for simulators. */
  readonly clock?: "system" | "broker";
}

export interface TradeOutcome {
  readonly document: TradeDocument;
  /** Why nothing, or not everything, was sent. */
  readonly error?: ErrorFields;
}

/**
 * Brings an account to the strategy's targets, once a session, in the minutes before the close; or shows what it would
 * do.
 *
 * @throws what keeps anything from being known or done: usage, no connection, no bars, a locked or damaged journal
 */
export async function tradeAccount(
  request: TradeRequest,
  loaded: LoadedConfig,
  setting: TradeSetting,
): Promise<TradeOutcome> {
  const { mode, dryRun = false } = request;
  if (request.asOf !== undefined && !dryRun) {
    throw new RequestError(
      "--asof decides on the past, and orders go out today",
      "add --dry-run, or leave --asof out",
    );
  }
  if (!mode && !dryRun) {
    throw new RequestError("nobody said which account to trade", "choose --dry-run, --paper or --live");
  }
  if (!mode || request.asOf !== undefined) {
    return { document: await dryRunOnCache(request, loaded, setting) };
  }
  if (mode === "live") requireUnlocked(request, loaded, dryRun);
  const { clock = "system" } = request;
  const purpose = dryRun ? "dry run" : "trade";
  return atBroker({ mode, purpose, clock }, loaded, setting, async (at) => {
    const report = await rebalance(at.rebalancing);
    const { account, venue } = at.identity;
    const where = { mode: dryRun ? "dry-run" : mode, account, venue } as const;
    if (dryRun) return { document: tradeDocument(report, { ...where, log: null }) };
    const { log, error } = await recorded(report, at, setting);
    return { document: tradeDocument(report, { ...where, log }), ...(error ? { error } : {}) };
  });
}

/** Three locks: the configuration, the account's id in it, and the same id typed. */
export function requireUnlocked(
  { confirm, clock }: TradeRequest,
  { config }: LoadedConfig,
  dryRun: boolean,
): void {
  if (clock === "broker") throw liveNeedsOwnClock();
  const account = accountOf(config, "live");
  if (dryRun) return;
  if (!config.execution.live) {
    throw new LiveLockedError(
      "execution.live",
      "execution.live is false",
      "set execution.live: true in config/config.local.yaml when paper trading has convinced you",
    );
  }
  if (confirm !== account) {
    throw new LiveLockedError(
      "--confirm",
      confirm === undefined ? "the account was not confirmed" : `${confirm} is not the configured account`,
      `type --confirm ${account}`,
    );
  }
}

export interface ReconcileRequest {
  /** Default: paper. */
  readonly mode?: AccountMode;
  /** Whose clock counts. Default: the machine's. `broker` is for simulators, and refused for live. */
  readonly clock?: "system" | "broker";
}

/**
 * Finds out how an account stands without trading it: learns what became of everything that was sent, with fills and
 * commissions that came late, ends a rebalance that a process left open, compares the book with the broker and books what
 * a rebalance would book before it plans. Never sends an order; one that never reached the broker is given up, so that
 * within the minutes of trading `tradeAccount` is what goes on with a session. Writes down news only.
 *
 * @throws what keeps anything from being known: no connection, a locked or damaged journal; LiveLockedError when the
 *   broker's clock is asked for with the live account
 */
export async function reconcileAccount(
  { mode = "paper", clock = "system" }: ReconcileRequest,
  loaded: LoadedConfig,
  setting: TradeSetting,
): Promise<ReconcileDocument> {
  if (clock === "broker" && mode === "live") throw liveNeedsOwnClock();
  return atBroker({ mode, purpose: "reconcile", clock }, loaded, setting, async (at) => {
    const report = await reconcileBook(at.rebalancing);
    const { account, venue } = at.identity;
    const { log, error } = await recorded(report, at, setting);
    return reconcileDocument(report, { mode, account, venue, log }, error);
  });
}
