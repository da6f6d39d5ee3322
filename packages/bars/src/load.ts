import type { BarSeries, Ticker } from "@pf/market";
import type { BarCache } from "./cache.js";
import { MissingBarsError } from "./errors.js";
import type { BarKind } from "./parquet.js";

/** Series as a panel is made of, with what a manifest says about them. */
export interface LoadedSeries {
  /** In the order asked for. */
  readonly series: readonly BarSeries[];
  /** Content hash by symbol. */
  readonly hashes: Readonly<Record<Ticker, string>>;
  /** Name of the source by symbol. */
  readonly sources: Readonly<Record<Ticker, string>>;
}

/**
 * Loads the cached bars of some symbols, all or none.
 *
 * @param symbols - in universe order
 * @param kind - adjusted daily bars by default
 * @throws MissingBarsError naming every symbol that has no file
 * @throws CacheFileError when a file is damaged or of another making
 * @throws CacheReadError when the system refuses to read
 * @throws InvalidTickerError for a symbol that can have no file
 */
export async function loadSeries(
  cache: BarCache,
  symbols: readonly Ticker[],
  kind: BarKind = "daily",
): Promise<LoadedSeries> {
  const stored = await Promise.all(symbols.map((symbol) => cache.read(symbol, kind)));
  const found = stored.filter((bars) => bars !== undefined);
  if (found.length < symbols.length) {
    throw new MissingBarsError(
      symbols.filter((_, at) => !stored[at]),
      cache.directory,
      kind,
    );
  }
  return {
    series: found.map(({ series }) => series),
    hashes: Object.fromEntries(found.map(({ series, hash }) => [series.ticker, hash])),
    sources: Object.fromEntries(found.map(({ series, source }) => [series.ticker, source])),
  };
}
