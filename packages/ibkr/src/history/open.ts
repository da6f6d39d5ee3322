import type { TradingCalendar } from "@pf/market";
import type { IbkrSession } from "../session/connect.js";
import { requestsOf } from "../session/inside.js";
import { createHistory, type HistoryClient, type HistoryRules } from "./client.js";
import { provenanceOf } from "./provenance.js";
import { type BrokerBarSource, historySource } from "./source.js";
import { historyWire } from "./wire.js";

/** Bars through a session: daily and hourly, adjusted and as traded, unfinished ones marked. */
export function historyOf(
  session: IbkrSession,
  calendar: TradingCalendar,
  rules?: HistoryRules,
): HistoryClient {
  return createHistory(historyWire(requestsOf(session), session.clock), calendar, rules);
}

/** A session as a source of daily bars for the cache, named after the broker or after the simulator that plays it. */
export function barSourceOf(
  session: IbkrSession,
  calendar: TradingCalendar,
  rules?: HistoryRules,
): BrokerBarSource {
  return historySource(historyOf(session, calendar, rules), provenanceOf(session.greeting), calendar);
}
