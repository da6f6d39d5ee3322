import { isCivilDate, type SessionDate, type Ticker } from "@pf/market";
import { NoBarsError, SourceAnswerError } from "./errors.js";
import type { BarSource, FetchedBars } from "./source.js";
import { checkedTicker } from "./ticker.js";
import { answerFaults, inWords, isRow, lateStart, openVendor, type VendorOptions } from "./vendor.js";

/** The environment variable that holds the key. */
export const tiingoVariables = ["TIINGO_API_KEY"] as const;

export interface TiingoOptions extends VendorOptions {
  /** The API token of an account at Tiingo. */
  readonly key: string;
}

/**
 * End-of-day bars of Tiingo (`/tiingo/daily/<ticker>/prices`). Adjusted bars are Tiingo's own (`adjOpen` to
 * `adjVolume`, splits and dividends by the method of CRSP); those as traded are the raw ones divided by the splits
 * after them. Share classes are written with a dash there: `BRK.B` is asked for as `BRK-B`.
 *
 * Every answer reaches up to today whatever the span, because a later split changes what earlier shares are worth;
 * what lies after the span is left out. Tiingo corrects a session until 20:00 in New York: who caches its bars should
 * not count a session as over before.
 *
 * @throws SourceKeyError for a key that can be none
 * @throws SourceUnavailableError for an address that is not HTTPS
 */
export function tiingoSource({ key, ...options }: TiingoOptions): BarSource {
  const vendor = openVendor(
    {
      name: sourceName,
      baseUrl: "https://api.tiingo.com",
      keys: { [tiingoVariables[0]]: key },
      headers: { Authorization: `Token ${key}` },
      isKeyRefused: (status, said) =>
        status === 401 || (status === 403 && /token|credential|authenticat/i.test(said)),
      isSymbolUnknown: (status) => status === 404,
      isAllowanceSpent: (said) => /run over your|request allocation/i.test(said),
    },
    options,
  );
  return {
    name: sourceName,
    async fetch(ticker, from, to, { signal } = {}) {
      const symbol = checkedTicker(ticker).replaceAll(".", "-");
      const answer = await vendor.ask({
        ticker,
        path: `/tiingo/daily/${encodeURIComponent(symbol)}/prices`,
        query: { startDate: from, format: "json" },
        ...(signal ? { signal } : {}),
      });
      const said = isRow(answer) && typeof answer.detail === "string" ? answer.detail : undefined;
      if (answer === undefined || (said !== undefined && /not found/i.test(said))) {
        throw new NoBarsError(ticker, sourceName, from, to, "check the symbol: Tiingo does not know it");
      }
      if (!Array.isArray(answer)) {
        const what = said === undefined ? inWords(answer) : `the message ${inWords(said)}`;
        throw new SourceAnswerError(sourceName, ticker, [`it is ${what}, not a list of prices`]);
      }
      const bars = seriesOf(ticker, answer, to);
      return { ...bars, notes: lateStart(sourceName, bars.adjusted, from) };
    },
  };
}

const sourceName = "tiingo";

function seriesOf(ticker: Ticker, rows: readonly unknown[], to: SessionDate): FetchedBars {
  const faults = answerFaults(sourceName, ticker);
  const sessions: SessionDate[] = [];
  const bars: Bar[] = [];
  const splits: number[] = [];
  rows.forEach((row, at) => {
    if (!isRow(row)) {
      faults.add(`row ${at + 1} is ${inWords(row)}`);
      return;
    }
    const session = sessionIn(row.date);
    if (session === undefined) {
      faults.add(
        `date of row ${at + 1} is ${inWords(row.date)}, not one of the form 2024-01-31T00:00:00.000Z`,
      );
      return;
    }
    const split = faults.number(row, "splitFactor", session);
    if (split <= 0) faults.add(`splitFactor of ${session} is ${split}, not a positive number`);
    splits.push(split);
    // Nothing of an unfinished day is of use but that there was a split.
    if (session > to) return;
    sessions.push(session);
    bars.push(Object.fromEntries(columns.map((name) => [name, faults.number(row, name, session)])) as Bar);
  });
  faults.check();

  const column = (value: (bar: Bar, row: number) => number) => Float64Array.from(bars, value);
  // From the newest back, so that a bar is divided by the same number however much of the history was asked for.
  const shares = new Float64Array(splits.length);
  for (let row = splits.length - 1, today = 1; row >= 0; row--) {
    shares[row] = today;
    today *= splits[row]!;
  }
  return {
    adjusted: {
      ticker,
      sessions,
      open: column(({ adjOpen }) => adjOpen),
      high: column(({ adjHigh }) => adjHigh),
      low: column(({ adjLow }) => adjLow),
      close: column(({ adjClose }) => adjClose),
      volume: column(({ adjVolume }) => adjVolume),
    },
    trades: {
      ticker,
      sessions,
      open: column(({ open }, row) => open / shares[row]!),
      high: column(({ high }, row) => high / shares[row]!),
      low: column(({ low }, row) => low / shares[row]!),
      close: column(({ close }, row) => close / shares[row]!),
      volume: column(({ volume }, row) => volume * shares[row]!),
    },
  };
}

const columns = [
  "open",
  "high",
  "low",
  "close",
  "volume",
  "adjOpen",
  "adjHigh",
  "adjLow",
  "adjClose",
  "adjVolume",
] as const;

type Bar = Readonly<Record<(typeof columns)[number], number>>;

function sessionIn(date: unknown): SessionDate | undefined {
  const day =
    typeof date === "string" ? /^(\d{4}-\d{2}-\d{2})(T00:00:00(\.0+)?(Z|\+00:00))?$/.exec(date)?.[1] : "";
  return day !== undefined && isCivilDate(day) ? day : undefined;
}
