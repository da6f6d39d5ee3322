import type { BarSeries, SessionDate, Ticker, TradingCalendar } from "@pf/market";
import { withoutLast } from "./bars.js";
import { type HistoryClient, together } from "./client.js";
import type { PriceHistory } from "./request.js";

/** What ingestion takes from a source for one symbol; by shape the answer of a `BarSource` of `@pf/bars`. */
export interface SourcedBars {
  readonly adjusted: BarSeries;
  readonly trades: BarSeries;
  readonly notes: readonly { readonly text: string }[];
}

/** By shape a `BarSource` of `@pf/bars`. */
export interface BrokerBarSource {
  readonly name: string;
  fetch(
    ticker: Ticker,
    from: SessionDate,
    to: SessionDate,
    options?: { readonly signal?: AbortSignal },
  ): Promise<SourcedBars>;
}

/**
 * Daily bars of the broker as a source for the cache: adjusted ones and those as traded, finished bars only.
 *
 * @param name - the origin that stands in the cache; a simulator's differs from the broker's
 */
export function historySource(
  history: HistoryClient,
  name: string,
  calendar: TradingCalendar,
): BrokerBarSource {
  return {
    name,
    async fetch(ticker, from, to, { signal } = {}) {
      const ask = (whatToShow: PriceHistory) => async (stop: AbortSignal) => {
        const wanted = { whatToShow, barSize: "1 day", from, to } as const;
        const { series, provisional } = await history.bars(ticker, wanted, stop);
        return withoutLast(series, provisional);
      };
      const [adjusted, trades] = await together([ask("ADJUSTED_LAST"), ask("TRADES")], signal);
      return { adjusted: adjusted!, trades: trades!, notes: notesOn(adjusted!, from, to, calendar) };
    },
  };
}

/** A history shorter than asked for is the broker's last word on it, and worth a line. */
function notesOn({ sessions }: BarSeries, from: SessionDate, to: SessionDate, calendar: TradingCalendar) {
  const [wanted] = calendar.sessionsBetween(from, to);
  const [first] = sessions;
  if (wanted === undefined || first === undefined || first <= wanted) return [];
  return [{ text: `the broker's history begins on ${first}; bars were asked for from ${from} on` }];
}
