// Asking the broker about orders: which of ours it knows, and what became of those that were sent. Nothing is concluded from
// one silence, nor from one answer that somebody is missing.

import type { PlaceOptions, Standing } from "@pf/ibkr";
import type { OrderEvent, OrderIntent } from "@pf/orders";
import { isOver, knownOrder, withoutCommission } from "../heard.js";
import type { SentIntent, TradeState } from "../state.js";
import { hear } from "./hear.js";
import type { Run } from "./run.js";

/** Between two questions about an order that was sent by a process that is no more. */
const askAgainMs = 2_000;
/** How often a question that the broker does not answer is asked again before nobody knows. */
const mostUnanswered = 5;

/** Orders of which more may be heard. */
export function unsettled({ sent, orderEvents }: TradeState): readonly SentIntent[] {
  return sent.filter(({ intent }) => !isOver(knownOrder(orderEvents, intent)));
}

/** What was filled today, and nobody has said yet what it cost. */
export function uncharged({ state, today }: Run): readonly SentIntent[] {
  const { sent, orderEvents } = state;
  const silent = withoutCommission(orderEvents);
  return sent.filter(
    ({ session, intent }) =>
      session === today &&
      isOver(knownOrder(orderEvents, intent)) &&
      silent.some(({ reference }) => reference === intent.reference),
  );
}

/** Orders of today that were taken for cancelled, or for such that never arrived: they may have been filled after that. */
export function takenForOver({ state, today }: Run): readonly SentIntent[] {
  const { sent, orderEvents } = state;
  return sent.filter(
    ({ session, intent }) => session === today && knownOrder(orderEvents, intent).end === "cancelled",
  );
}

/**
 * Waits until the broker has said what became of orders that were sent before, and hears it.
 *
 * @param besides - other orders to hear of, if there is anything: that they are not known is no reason to wait
 */
export async function resolved(
  run: Run,
  references: readonly string[],
  besides: readonly string[] = [],
): Promise<ReadonlyMap<string, Standing>> {
  const { session, signal, onProgress, pause } = run.setting;
  let absentBefore: ReadonlySet<string> = new Set();
  let unanswered = 0;
  const asked = [...references, ...besides];
  if (asked.length === 0) return new Map();
  for (;;) {
    run.step("ask");
    const standings = await session.findByReference(asked, signal);
    const all = [...standings.values()];
    for (const { events } of all) for (const event of events) hear(run, event);
    const known = all.filter(({ kind }) => kind === "open" || kind === "ended" || kind === "filled");
    const isOpen = known.filter(({ kind, events }) => kind !== "ended" || !events.some(isEnd));
    if (isOpen.length > 0) {
      const names = isOpen.map(({ reference }) => reference);
      onProgress({ step: "waiting for the broker to say what became of the orders" });
      for await (const event of session.follow(names, await untilClose(run))) {
        run.step(`hear ${event.kind}`);
        hear(run, event);
      }
    }
    const doubted = all.filter(({ reference }) => references.includes(reference));
    const absent = new Set(doubted.filter(({ kind }) => kind === "absent").map(({ reference }) => reference));
    // Once is a moment; an order on its way would be there the second time.
    const isNews = [...absent].some((reference) => !absentBefore.has(reference));
    unanswered = doubted.some(({ kind }) => kind === "unanswered") ? unanswered + 1 : 0;
    if (!isNews && (unanswered === 0 || unanswered > mostUnanswered)) return standings;
    absentBefore = absent;
    await pause(askAgainMs);
  }
}

/** Which of these orders the broker has seen, or may have seen: all as long as it does not answer every question. */
export async function knownAmong(run: Run, intents: readonly OrderIntent[]): Promise<readonly string[]> {
  if (intents.length === 0) return [];
  const { session, signal, pause } = run.setting;
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

/** What is not filled at the close is cancelled: by the clock that the session waits with, whoever's else counts. */
export async function untilClose({ setting, today }: Run): Promise<PlaceOptions> {
  const { session, signal, calendar } = setting;
  const stop = signal ? { signal } : {};
  if (!calendar.trading.isSession(today)) return stop;
  const { skewMs } = await session.serverTime(signal);
  return { cancelAtUtcMs: calendar.trading.closeUtcMs(today) - skewMs, ...stop };
}

function isEnd({ kind }: OrderEvent): boolean {
  return kind === "cancelled" || kind === "rejected";
}
