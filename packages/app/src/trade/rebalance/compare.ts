// The book beside the broker's figures: what differs, what is booked of it, and what stops buys.

import {
  type Account,
  applyEvent,
  type BrokerFigures,
  type Notice,
  type Reconciliation,
  reconcile,
} from "@pf/compliance";
import type { Ticker } from "@pf/market";
import { laterOf } from "../book.js";
import type { TradeEvent } from "../state.js";
import { bookMissingCommissions } from "./hear.js";
import type { Run } from "./run.js";

/** Books the broker's figures, so that plan and review start from what is really there. */
export async function bringBookUpToDate(run: Run): Promise<Reconciliation> {
  const found = await compare(run, run.state.isResumed);
  const { noticed } = run.state;
  // Who only looks may look often: what agrees, or was noted in the same words, is no news.
  const isNews = (one: Notice) => isDifference(one) && noticed[one.code] !== one.detail;
  const news = run.isReconciling ? found.notices.filter(isNews) : found.notices;
  run.step("reconcile");
  run.note(
    ...found.events.map((event): TradeEvent => ({ kind: "booked", event })),
    ...news.map((notice): TradeEvent => ({ kind: "noticed", session: run.today, notice })),
  );
  run.notices.push(...found.notices.map(({ detail }) => detail));
  return found;
}

/**
 * Compares the book with the broker's figures of now, on the day that has begun.
 *
 * @param isAccepted - whether somebody has looked at what differs, and wants it booked
 */
export async function compare(run: Run, isAccepted: boolean): Promise<Reconciliation> {
  const figures = await figuresOf(run);
  const { session } = run.state.account;
  if (session !== null) {
    const day = laterOf(run.today, session);
    if (day !== session && !run.isReconciling)
      run.note({ kind: "booked", event: { kind: "day", session: day } });
    bookMissingCommissions(run, figures.totalCash);
  }
  return reconcile(standing(run, figures), figures, { session: run.today, isAccepted }, run.setting.calendar);
}

async function figuresOf({ setting: { session, signal }, notices }: Run): Promise<BrokerFigures> {
  const [summary, positions] = await Promise.all([session.accountSummary(signal), session.positions(signal)]);
  const held: Record<Ticker, { quantity: number; averageCost: number }> = {};
  for (const { symbol, quantity, averageCost, secType, currency } of positions) {
    if (quantity === 0) continue;
    if (secType === "STK" && currency === "USD") held[symbol] = { quantity, averageCost };
    else notices.push(`${symbol} (${secType}, ${currency}) is held beside the portfolio and left alone`);
  }
  return { settledCash: summary.settledCash, totalCash: summary.totalCash, positions: held };
}

/**
 * The account as it is compared with the broker's. That another day has begun is nothing to write down for who only
 * looks; and until the market opens it is the broker's figures that tell whether it has settled what settles that day.
 */
function standing({ state, today, setting, isReconciling }: Run, { settledCash }: BrokerFigures): Account {
  const { account } = state;
  const { trading } = setting.calendar;
  if (!isReconciling || account.session === null || today <= account.session) return account;
  const settled = applyEvent(account, { kind: "day", session: today }, setting.calendar);
  const isOpened = trading.isSession(today) && setting.clock.nowUtcMs() >= trading.openUtcMs(today);
  const isNearer = Math.abs(settledCash - settled.settled) <= Math.abs(settledCash - account.settled);
  return isOpened || isNearer ? settled : account;
}

/** Whether a notice says that book and broker differ. What the broker settles earlier than the book is never used. */
export function isDifference({ code }: Notice): boolean {
  return code !== "adopted" && code !== "lenient_settlement";
}
