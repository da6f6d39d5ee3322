import {
  type BarSeries,
  newYorkTimeOf,
  type SessionDate,
  type Ticker,
  type TradingCalendar,
} from "@pf/market";

/** What a bar can be found guilty of. */
export type CheckRule =
  | "ohlc"
  | "price"
  | "volume"
  | "not-finite"
  | "duplicate"
  | "unsorted"
  | "no-session"
  | "hours"
  | "beyond-calendar"
  | "zero-volume"
  | "jump"
  | "gap"
  | "stale";

/** One breach of one rule by one bar, or by the absence of one. */
export interface Finding {
  readonly symbol: Ticker;
  readonly date: SessionDate;
  readonly rule: CheckRule;
  /** Bars with a refusal are not used at all; a warning is for people to judge. */
  readonly severity: "refuse" | "warn";
  /** The rule and the numbers that break it, in words. */
  readonly message: string;
}

export interface CheckOptions {
  /**
   * Largest change of the close from one bar to the next that passes without a warning, as a fraction.
   * @default 0.25
   */
  readonly jump?: number;
  /**
   * How many bars in a row with the same open, high, low and close are suspicious.
   * @default 5
   */
  readonly staleBars?: number;
  /** The session whose bar should be there by now; without it nobody asks how recent the last bar is. */
  readonly asOf?: SessionDate;
}

/**
 * Examines bars against what a market can produce and what the calendar says. Pure; nothing is mended.
 *
 * Refused: numbers that are not finite, a price that is not positive, a negative volume, a low above or a high below
 * any of open, high, low and close, a bar twice or out of order, a day on which the exchange was closed or which the
 * calendar does not know, an hour outside of the regular ones. Warned about: no volume, a jump of the close, sessions without a bar between two bars, an
 * unchanged bar for many sessions, a last bar older than `asOf`.
 *
 * @param series - daily or hourly bars, in any state; columns of equal length
 * @returns findings in order of rows; none for sound bars. Of hourly bars the message says which: `11:00: …` is about
 *   the bar that ends then in New York
 */
export function checkBars(
  series: BarSeries,
  calendar: TradingCalendar,
  options: CheckOptions = {},
): readonly Finding[] {
  const { jump = 0.25, staleBars = 5, asOf } = options;
  const { sessions, open, high, low, close, volume, endsUtcMs } = series;
  const findings: Finding[] = [];
  const severityOf = (rule: CheckRule) => (warnings.has(rule) ? "warn" : "refuse");
  let at = 0;
  const find = (date: SessionDate, rule: CheckRule, what: string) => {
    // A session that is missing is no matter of an hour.
    const isOfHour = endsUtcMs !== undefined && at < endsUtcMs.length && rule !== "gap";
    const message = isOfHour ? `${hourOf(endsUtcMs[at]!)}: ${what}` : what;
    findings.push({ symbol: series.ticker, date, rule, severity: severityOf(rule), message });
  };
  const tradingDays = tradingDaysOf(series, calendar);
  /** How many bars up to here repeat the one before. */
  let repeated = 0;

  for (let row = 0; row < sessions.length; row++) {
    at = row;
    const date = sessions[row]!;
    const [o, h, l, c, v] = [open[row]!, high[row]!, low[row]!, close[row]!, volume[row]!];

    if (date < calendar.first || date > calendar.last) {
      find(date, "beyond-calendar", `the calendar knows ${calendar.first} to ${calendar.last} only`);
    } else if (!tradingDays.position.has(date)) {
      find(date, "no-session", closedMessage(date, calendar));
    } else if (endsUtcMs && !isWithin(endsUtcMs[row]!, date, calendar)) {
      const [opens, closes] = [calendar.openUtcMs(date), calendar.closeUtcMs(date)].map(newYorkTimeOf);
      find(date, "hours", `an hour of that session ends after ${opens} and by ${closes} in New York`);
    }

    if (row > 0) {
      const before = sessions[row - 1]!;
      const order = endsUtcMs
        ? endsUtcMs[row]! - endsUtcMs[row - 1]!
        : date < before
          ? -1
          : date > before
            ? 1
            : 0;
      if (order === 0) find(date, "duplicate", "the bar comes twice");
      else if (order < 0) find(date, "unsorted", `the bar stands after that of ${before}`);
      else {
        const [from, to] = [tradingDays.position.get(before), tradingDays.position.get(date)];
        const missing = from === undefined || to === undefined ? 0 : to - from - 1;
        if (missing > 0) find(date, "gap", gapMessage(missing, before, tradingDays.days[from! + 1]!));
      }
    }

    // The sum is finite where all of them are; names are looked for only where something is wrong.
    if (!Number.isFinite(o + h + l + c + v)) {
      const strange = named(o, h, l, c, v).find(([, value]) => !Number.isFinite(value));
      if (strange) {
        find(date, "not-finite", `${strange[0]} is ${strange[1]}`);
        repeated = 0;
        continue;
      }
    }
    if (o <= 0 || h <= 0 || l <= 0 || c <= 0) {
      const [name, value] = named(o, h, l, c, v).find(([, price]) => price <= 0)!;
      find(date, "price", `${name} is ${value}, and a price is positive`);
    }
    if (v < 0) find(date, "volume", `volume is ${v}, and cannot be negative`);
    if (h < Math.max(o, l, c) || l > Math.min(o, h, c)) {
      find(date, "ohlc", `low ${l}, open ${o}, close ${c}, high ${h} are not in order`);
    }
    if (v === 0) find(date, "zero-volume", "no share was traded");

    if (row === 0) continue;
    const previous = close[row - 1]!;
    if (previous > 0 && c > 0 && Math.abs(c / previous - 1) > jump) {
      find(
        date,
        "jump",
        `close ${previous} to ${c}, ${percent(c / previous - 1)}, is more than ${percent(jump)}`,
      );
    }
    const same = o === open[row - 1] && h === high[row - 1] && l === low[row - 1] && c === previous;
    repeated = same ? repeated + 1 : 0;
    // Once for a run, when it gets long enough.
    if (repeated + 1 === staleBars) find(date, "stale", `the same prices for ${staleBars} bars in a row`);
  }

  at = sessions.length;
  const last = sessions.at(-1);
  if (asOf !== undefined && last !== undefined && last < asOf) {
    find(last, "stale", `the last bar is of ${last}, and ${asOf} was expected`);
  }
  return findings;
}

function isWithin(endUtcMs: number, session: SessionDate, calendar: TradingCalendar): boolean {
  return endUtcMs > calendar.openUtcMs(session) && endUtcMs <= calendar.closeUtcMs(session);
}

/** An instant that is none is told as it is: it is the bar's fault. */
function hourOf(utcMs: number): string {
  return Number.isFinite(utcMs) ? newYorkTimeOf(utcMs) : String(utcMs);
}

function named(...values: readonly number[]): readonly (readonly [string, number])[] {
  return ["open", "high", "low", "close", "volume"].map((name, at) => [name, values[at]!] as const);
}

/** The findings that make bars unusable. */
export function refusals(findings: readonly Finding[]): readonly Finding[] {
  return findings.filter(({ severity }) => severity === "refuse");
}

const warnings: ReadonlySet<CheckRule> = new Set(["zero-volume", "jump", "gap", "stale"]);

/** The sessions around the bars with their places, so that one look-up replaces a question to the calendar. */
function tradingDaysOf(series: BarSeries, calendar: TradingCalendar) {
  let [from, to] = [calendar.last, calendar.first];
  for (const session of series.sessions) {
    if (session < from && session >= calendar.first) from = session;
    if (session > to && session <= calendar.last) to = session;
  }
  const days = from <= to ? calendar.sessionsBetween(from, to) : [];
  return { days, position: new Map(days.map((day, at) => [day, at])) };
}

/** Shared with those who read bars line by line. */
export function closedMessage(date: SessionDate, calendar: TradingCalendar): string {
  return `${calendar.name} was closed that day (${calendar.whyClosed(date)})`;
}

function gapMessage(missing: number, before: SessionDate, first: SessionDate): string {
  return missing === 1
    ? `no bar of ${first}, the session after ${before}`
    : `no bars of ${missing} sessions after ${before}, the first of them ${first}`;
}

function percent(fraction: number): string {
  return `${(fraction * 100).toFixed(1)} %`;
}
