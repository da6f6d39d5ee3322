import { addMonths, dateOfDayNumber, dayNumber, type SessionDate } from "@pf/market";

/** Adjusted for dividends and splits, or for splits alone; the broker's own names for the two. */
export type PriceHistory = "ADJUSTED_LAST" | "TRADES";

export type BarSize = "1 day" | "1 hour";

/** One historical request, in the broker's own words. */
export interface HistoryRequest {
  readonly whatToShow: PriceHistory;
  readonly barSize: BarSize;
  /** `"30 D"` up to `"365 D"`, else whole years. */
  readonly duration: string;
  /** `"yyyymmdd-hh:mm:ss"` in UTC; empty means up to now, which is all that adjusted prices can do. */
  readonly end: string;
}

/** What is wanted of one contract. */
export interface WantedHistory {
  readonly whatToShow: PriceHistory;
  readonly barSize: BarSize;
  /** First and last day, in New York. */
  readonly from: SessionDate;
  readonly to: SessionDate;
  /** The broker's own day in New York. */
  readonly today: SessionDate;
}

const longestInDays = 365;
const longestInYears = 68;

/**
 * The fewest requests that bring the wanted bars.
 *
 * Adjusted prices end now or not at all (an end date is error 321), so they are one request however long the span, and
 * so are daily bars as traded: ten years of them are 2,500 rows. Hourly bars as traded are asked for year by year, from
 * the oldest to the newest, because the broker serves long answers of small bars slowly or never. Spans are rounded up
 * and never down; who asks cuts what is too much.
 *
 * @returns no request when the span ends before it begins or lies in the broker's future
 */
export function planHistory({
  whatToShow,
  barSize,
  from,
  to,
  today,
}: WantedHistory): readonly HistoryRequest[] {
  if (from > to || from > today) return [];
  const untilNow: HistoryRequest = { whatToShow, barSize, duration: durationSince(from, today), end: "" };
  if (whatToShow === "ADJUSTED_LAST" || barSize === "1 day") return [untilNow];

  const requests: HistoryRequest[] = [];
  let chunkFrom = from;
  while (chunkFrom <= to) {
    const nextFrom = dateOfDayNumber(dayNumber(chunkFrom) + longestInDays);
    const isLast = nextFrom > to;
    const through = isLast ? to : dateOfDayNumber(dayNumber(nextFrom) - 1);
    // An end in the future would be an error in some versions; "now" is always legal.
    const end = through >= today ? "" : endOfDay(through);
    requests.push({ whatToShow, barSize, duration: durationSince(chunkFrom, earlier(through, today)), end });
    if (end === "") break;
    chunkFrom = nextFrom;
  }
  return requests;
}

/**
 * A duration that reaches from the end of one day back over the whole of another: in days while the broker counts that
 * far (365), in years from there on.
 *
 * @example
 * durationSince(sessionDate("2015-01-02"), sessionDate("2026-11-23")); // => "12 Y"
 */
export function durationSince(from: SessionDate, through: SessionDate): string {
  const days = dayNumber(through) - dayNumber(from) + 1;
  if (days <= longestInDays) return `${Math.max(1, days)} D`;
  let years = 1;
  // Strictly before: whether the same day of an earlier year still belongs to "1 Y" is nowhere written.
  while (years < longestInYears && addMonths(through, -12 * years) >= from) years++;
  return `${years} Y`;
}

/** The last second of a day in New York is the next day in UTC; by 05:00 UTC it is over in summer and in winter. */
function endOfDay(day: SessionDate): string {
  return `${dateOfDayNumber(dayNumber(day) + 1).replaceAll("-", "")}-05:00:00`;
}

function earlier(a: SessionDate, b: SessionDate): SessionDate {
  return a < b ? a : b;
}
