import {
  addMonths,
  dateOfDayNumber,
  dayNumber,
  newYorkDateOf,
  newYorkToUtcMs,
  type TradingCalendar,
} from "@pf/market";
import type { Instrument } from "./instrument.js";
import { stepMs } from "./path.js";
import type { HistoryAnswer, HistoryRequest, VenueBar, VenueError } from "./venue.js";

/** More than any sensible request, and still some tens of megabytes. */
const mostBars = 100_000;

const minute = 60_000;
const intradaySizes: Readonly<Record<string, number>> = {
  "30 secs": minute / 2,
  "1 min": minute,
  "2 mins": 2 * minute,
  "3 mins": 3 * minute,
  "5 mins": 5 * minute,
  "10 mins": 10 * minute,
  "15 mins": 15 * minute,
  "20 mins": 20 * minute,
  "30 mins": 30 * minute,
  "1 hour": 60 * minute,
  "2 hours": 120 * minute,
  "3 hours": 180 * minute,
  "4 hours": 240 * minute,
  "8 hours": 480 * minute,
};

const longest = { S: 86_400, D: 365, W: 52, M: 12, Y: 68 } as const;

/** Answers a request for bars as of now: nothing that begins later, and the unfinished bar as it stands. */
export function historyOf(
  instrument: Instrument,
  request: HistoryRequest,
  calendar: TradingCalendar,
  nowUtcMs: number,
): HistoryAnswer {
  const wrong = wrongWith(request);
  if (wrong) return wrong;
  const view = request.whatToShow === "ADJUSTED_LAST" ? "adjusted" : "trades";
  const endUtcMs = Math.min(request.endUtcMs ?? nowUtcMs, nowUtcMs);
  const noData = serviceError(
    `HMDS query returned no data: ${instrument.symbol}@SMART ${view === "trades" ? "Trades" : "Adjusted_Last"}`,
  );
  const last = instrument.rowAt(endUtcMs);
  if (last < 0) return noData;
  const startUtcMs = startOf(request.duration, endUtcMs, calendar);
  let first = last + 1;
  while (first > 0 && instrument.closes[first - 1]! > startUtcMs) first--;
  const size = intradaySizes[request.barSize];
  const bars: VenueBar[] = [];
  if (size === undefined) {
    for (let row = first; row <= last; row++) bars.push(dailyBar(instrument, row, endUtcMs, view, nowUtcMs));
  } else {
    if ((last - first + 1) * (6.5 * 60 * minute) > mostBars * size) {
      return serviceError("Time length exceed max.");
    }
    for (let row = first; row <= last; row++) {
      addIntraday(bars, instrument, row, size, Math.min(endUtcMs, instrument.closes[row]!), view, nowUtcMs);
    }
    // Seconds count back from the end; other durations are whole days.
    if (request.duration.unit === "S") {
      const begins = bars.findIndex(({ beginsUtcMs }) => beginsUtcMs >= startUtcMs);
      bars.splice(0, begins < 0 ? bars.length - 1 : begins);
    }
  }
  if (bars.length === 0) return noData;
  return { startUtcMs, endUtcMs, bars };
}

function wrongWith({ duration, endUtcMs, barSize, whatToShow }: HistoryRequest): VenueError | undefined {
  const { count, unit } = duration;
  if (Number.isNaN(endUtcMs)) return invalid("Invalid end date");
  if (!(Number.isInteger(count) && count > 0)) return invalid("Historical data query duration is not valid");
  if (count > longest[unit]) {
    return invalid(
      unit === "S"
        ? "Historical data requests for durations longer than 86400 seconds must be made in days."
        : unit === "Y"
          ? "Historical data requests reach back 68 years at most."
          : "Historical data requests for durations longer than 365 days must be made in years.",
    );
  }
  if (barSize !== "1 day" && intradaySizes[barSize] === undefined) {
    return invalid(
      `Historical data bar size setting is invalid. Legal ones are: ${Object.keys(intradaySizes).join(", ")}, 1 day`,
    );
  }
  if (whatToShow === "ADJUSTED_LAST") {
    return endUtcMs === undefined ? undefined : invalid("End date not supported with adjusted last");
  }
  if (whatToShow === "TRADES") return undefined;
  return knownViews.has(whatToShow)
    ? serviceError(`No historical ${whatToShow} data in this simulator, which has TRADES and ADJUSTED_LAST`)
    : invalid(`Unknown whatToShow ${whatToShow}`);
}

const knownViews = new Set([
  ...["MIDPOINT", "BID", "ASK", "BID_ASK", "HISTORICAL_VOLATILITY", "OPTION_IMPLIED_VOLATILITY"],
  ...["FEE_RATE", "YIELD_BID", "YIELD_ASK", "YIELD_BID_ASK", "YIELD_LAST", "SCHEDULE", "AGGTRADES"],
]);

/** What closes at or before this instant lies before the request. */
function startOf(
  { count, unit }: HistoryRequest["duration"],
  endUtcMs: number,
  calendar: TradingCalendar,
): number {
  if (unit === "S") return endUtcMs - count * 1000;
  const day = newYorkDateOf(endUtcMs);
  if (unit === "D") {
    // Days are sessions, the last of which has begun at the end.
    let session = calendar.onOrBefore(day);
    if (calendar.openUtcMs(session) > endUtcMs) session = calendar.previous(session);
    const first = calendar.next(calendar.first);
    for (let left = count; left > 0 && session > first; left--) session = calendar.previous(session);
    return calendar.closeUtcMs(session);
  }
  const before =
    unit === "W"
      ? dateOfDayNumber(dayNumber(day) - 7 * count)
      : addMonths(day, unit === "M" ? -count : -12 * count);
  return newYorkToUtcMs(before, "23:59");
}

function dailyBar(
  instrument: Instrument,
  row: number,
  endUtcMs: number,
  view: "trades" | "adjusted",
  nowUtcMs: number,
): VenueBar {
  const bar = instrument.barAt(row, endUtcMs, view, nowUtcMs);
  return {
    session: instrument.sessions[row]!,
    beginsUtcMs: instrument.opens[row]!,
    ...bar,
    wap: (bar.open + bar.high + bar.low + bar.close) / 4,
    count: tradesIn(bar.volume),
  };
}

/** Bars of a session up to an instant. They begin at the open and then at whole multiples of their size in New York. */
function addIntraday(
  bars: VenueBar[],
  instrument: Instrument,
  row: number,
  size: number,
  untilUtcMs: number,
  view: "trades" | "adjusted",
  nowUtcMs: number,
): void {
  const open = instrument.opens[row]!;
  const session = instrument.sessions[row]!;
  const midnight = newYorkToUtcMs(session, "00:00");
  const { prices, scale } = instrument.pathOf(row, nowUtcMs);
  const by = scale * (view === "trades" ? 1 : instrument.adjustedOverTrades(row, nowUtcMs));
  const lastStep = instrument.stepAt(row, untilUtcMs);
  const steps = instrument.stepsOf(row);
  let begins = open;
  while (begins < instrument.closes[row]! && begins <= untilUtcMs) {
    const ends = midnight + (Math.floor((begins - midnight) / size) + 1) * size;
    const from = Math.round((begins - open) / stepMs);
    // The print at the close belongs to the last bar of the session.
    const whole = ends >= instrument.closes[row]! ? steps : Math.round((ends - open) / stepMs) - 1;
    const to = Math.min(whole, lastStep);
    let [low, high, sum] = [Number.POSITIVE_INFINITY, 0, 0];
    for (let at = from; at <= to; at++) {
      const price = prices[at]!;
      if (price > high) high = price;
      if (price < low) low = price;
      sum += price;
    }
    const volume = instrument.volumeUpTo(row, to, nowUtcMs) - instrument.volumeUpTo(row, from - 1, nowUtcMs);
    bars.push({
      session,
      beginsUtcMs: begins,
      open: prices[from]! * by,
      high: high * by,
      low: low * by,
      close: prices[to]! * by,
      volume,
      wap: Math.min(high, Math.max(low, sum / (to - from + 1))) * by,
      count: tradesIn(volume),
    });
    begins = ends;
  }
}

function tradesIn(volume: number): number {
  return volume === 0 ? 0 : Math.max(1, Math.round(volume / 180));
}

function invalid(cause: string): VenueError {
  return { code: 321, message: `Error validating request.-'bO' : cause - ${cause}` };
}

function serviceError(text: string): VenueError {
  return { code: 162, message: `Historical Market Data Service error message:${text}` };
}
