import type { BarSeries, SessionDate, Ticker, TradingCalendar } from "@pf/market";
import { withoutLast } from "./bars.js";
import { type HistoryClient, together } from "./client.js";
import type { BarSize, PriceHistory } from "./request.js";

/** What ingestion takes from a source for one symbol; by shape the answer of a `BarSource` of `@pf/bars`. */
export interface SourcedBars {
  readonly adjusted: BarSeries;
  /** Of daily bars only. */
  readonly trades?: BarSeries;
  readonly notes: readonly { readonly text: string }[];
}

/** By shape a `BarSource` of `@pf/bars`. */
export interface BrokerBarSource {
  readonly name: string;
  readonly kind: "daily" | "hourly";
  fetch(
    ticker: Ticker,
    from: SessionDate,
    to: SessionDate,
    options?: { readonly signal?: AbortSignal },
  ): Promise<SourcedBars>;
}

/**
 * Bars of the broker as a source for the cache, finished ones only: daily bars adjusted and as traded, or hourly bars of
 * regular trading, adjusted. Hours as traded are not asked for, because nothing is bought by them.
 *
 * @param name - the origin that stands in the cache; a simulator's differs from the broker's
 */
export function historySource(
  history: HistoryClient,
  name: string,
  calendar: TradingCalendar,
  barSize: BarSize = "1 day",
): BrokerBarSource {
  return {
    name,
    kind: barSize === "1 day" ? "daily" : "hourly",
    async fetch(ticker, from, to, { signal } = {}) {
      const ask = (whatToShow: PriceHistory) => async (stop: AbortSignal) => {
        const wanted = { whatToShow, barSize, from, to } as const;
        const { series, provisional } = await history.bars(ticker, wanted, stop);
        return withoutLast(series, provisional);
      };
      const asked = barSize === "1 day" ? [ask("ADJUSTED_LAST"), ask("TRADES")] : [ask("ADJUSTED_LAST")];
      const [adjusted, trades] = await together(asked, signal);
      return {
        adjusted: adjusted!,
        ...(trades ? { trades } : {}),
        notes: notesOn(adjusted!, from, to, calendar),
      };
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
