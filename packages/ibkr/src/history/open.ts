import type { TradingCalendar } from "@pf/market";
import type { IbkrSession } from "../session/connect.js";
import { insideOf } from "../session/inside.js";
import { createHistory, type HistoryClient, type HistoryRules } from "./client.js";
import { provenanceOf } from "./provenance.js";
import type { BarSize } from "./request.js";
import { type BrokerBarSource, historySource } from "./source.js";
import { historyWire } from "./wire.js";

/** Bars through a session: daily and hourly, adjusted and as traded, unfinished ones marked. */
export function historyOf(
  session: IbkrSession,
  calendar: TradingCalendar,
  rules?: HistoryRules,
): HistoryClient {
  const { requests, timers } = insideOf(session);
  return createHistory(historyWire(requests, session.clock), calendar, { timers, ...rules });
}

/** The broker gathers years of hours for minutes before it answers, and adjusted ones cannot be asked for in parts. */
const patienceWithHoursMs = 5 * 60_000;

/** A session as a source of bars for the cache, named after the broker or after the simulator that plays it. */
export function barSourceOf(
  session: IbkrSession,
  calendar: TradingCalendar,
  rules: HistoryRules = {},
  barSize: BarSize = "1 day",
): BrokerBarSource {
  const patient = barSize === "1 hour" ? { timeoutMs: patienceWithHoursMs, ...rules } : rules;
  const history = historyOf(session, calendar, patient);
  return historySource(history, provenanceOf(session.greeting), calendar, barSize);
}
