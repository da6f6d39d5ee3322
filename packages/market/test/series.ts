import fc from "fast-check";
import { type BarSeries, dateOfDayNumber, type SessionDate } from "../src/index.js";

export const fields = ["open", "high", "low", "close", "volume"] as const;

/** Daily bars whose values tell where they come from: the close of row 3 is `seed + 3`, its open a quarter less. */
export function daily(ticker: string, sessions: readonly string[], seed = 100): BarSeries {
  const column = (offset: number) => Float64Array.from(sessions, (_, row) => seed + row + offset);
  return {
    ticker,
    sessions: sessions as readonly SessionDate[],
    open: column(-0.25),
    high: column(0.5),
    low: column(-0.5),
    close: column(0),
    volume: column(1000),
  };
}

/** The same with the instant at which each bar ends. */
export function hourly(
  ticker: string,
  bars: readonly (readonly [session: string, end: number])[],
  seed = 100,
): BarSeries {
  const sessions = bars.map(([session]) => session);
  return { ...daily(ticker, sessions, seed), endsUtcMs: Float64Array.from(bars, ([, end]) => end) };
}

/** One to five symbols, each with bars on some of forty days (perhaps all, perhaps none), of daily or hourly bars. */
export const universes: fc.Arbitrary<readonly BarSeries[]> = fc
  .tuple(
    fc.boolean(),
    fc.array(fc.oneof(fc.constant(undefined), fc.uniqueArray(fc.nat(39), { maxLength: 40 })), {
      minLength: 1,
      maxLength: 5,
    }),
  )
  .map(([ofHours, universe]) =>
    universe.map((days, index) => {
      const rows = (days ?? Array.from({ length: 40 }, (_, day) => day)).slice().sort((a, b) => a - b);
      const [ticker, seed] = [`S${(index * 3) % 5}`, 1000 * (index + 1)];
      if (!ofHours)
        return daily(
          ticker,
          rows.map((row) => dateOfDayNumber(19_000 + row)),
          seed,
        );
      // Seven bars a session: the session repeats, the end does not.
      const bars = rows.map(
        (row) => [dateOfDayNumber(19_000 + Math.floor(row / 7)), row * 3_600_000] as const,
      );
      return hourly(ticker, bars, seed);
    }),
  );

/** What names a row across symbols: the end of an hourly bar, the session of a daily one. */
export function rowKeys(rows: {
  sessions: readonly SessionDate[];
  endsUtcMs?: Float64Array;
}): readonly (string | number)[] {
  return rows.endsUtcMs ? [...rows.endsUtcMs] : rows.sessions;
}

/** The bars of a series on the rows for which `keep` holds. */
export function cutSeries(series: BarSeries, keep: (key: string | number) => boolean): BarSeries {
  const keys = rowKeys(series);
  const rows = keys.flatMap((key, row) => (keep(key) ? [row] : []));
  const pick = (column: Float64Array) => Float64Array.from(rows, (row) => column[row]!);
  return {
    ticker: series.ticker,
    sessions: rows.map((row) => series.sessions[row]!),
    ...(series.endsUtcMs ? { endsUtcMs: pick(series.endsUtcMs) } : {}),
    open: pick(series.open),
    high: pick(series.high),
    low: pick(series.low),
    close: pick(series.close),
    volume: pick(series.volume),
  };
}
