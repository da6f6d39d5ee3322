import { type TargetSeries, targetSeries } from "@pf/backtest";
import type { Panel } from "@pf/market";
import { dollarsOf, sharesOf } from "@pf/orders";
import { type AccountRules, type AccountRun, runAccount } from "../account/engine.js";
import type { RealPrices } from "../account/prices.js";
import type { SessionRecord } from "./record.js";

/**
 * The account engine with an account that is opened for a row: nothing is wanted before, and the bars before are known.
 *
 * @param first - the first row that is traded
 */
export function runFrom(
  panel: Panel,
  targets: TargetSeries,
  prices: RealPrices,
  rules: AccountRules,
  first: number,
): AccountRun {
  const decided = first - rules.delay;
  const wanted = targetSeries(panel, (row) => (row < decided ? {} : targets.at(row)));
  return runAccount(panel, wanted, prices, rules);
}

/** What the account engine did, session by session from a row on. */
export function recordsOf(run: AccountRun, first: number): readonly SessionRecord[] {
  const bySession = new Map<string, SessionRecord["fills"]>();
  for (const { session, symbol, side, quantity, price, fee } of run.fills) {
    const fill = { session, symbol, side, quantity: sharesOf(quantity), price, fee: dollarsOf(fee) };
    bySession.set(session, [...(bySession.get(session) ?? []), fill]);
  }
  const waiting = new Map(run.waiting.map(({ session, reasons }) => [session, reasons]));
  const blocked = new Map(run.blocked.map(({ session, checks }) => [session, checks]));
  return run.sessions.slice(first).map((session, at) => ({
    session,
    fills: bySession.get(session) ?? [],
    waiting: waiting.get(session) ?? {},
    blocked: blocked.get(session) ?? [],
    settled: run.settled[first + at]!,
    equity: run.equity[first + at]!,
  }));
}
