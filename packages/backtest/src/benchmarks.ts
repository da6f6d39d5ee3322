import type { Panel, Ticker, Weights } from "@pf/market";
import { type BacktestOptions, runTargets } from "./engine.js";
import type { BacktestResult, CostModel } from "./result.js";
import { targetSeries } from "./targets.js";

export type BenchmarkKey = "SPY" | "equal_weight" | "60_40";

/** A portfolio that needs no research, run through the same engine at the same costs and the same lag. */
export interface Benchmark {
  readonly key: BenchmarkKey;
  readonly label: string;
  readonly result: BacktestResult;
}

/**
 * SPY held, the universe in equal weights, and 60/40 SPY/IEF: those whose symbols the panel holds. A symbol counts from
 * its first bar to its last; until all of a portfolio's symbols trade, its place is cash (60/40) or divided among the
 * others (equal weight). Weights are constant, as the engine has them: drift within them costs nothing.
 */
export function runBenchmarks(
  panel: Panel,
  costs: CostModel,
  options: BacktestOptions = {},
): readonly Benchmark[] {
  const has = (ticker: Ticker) => panel.tickers.includes(ticker);
  const run = (key: BenchmarkKey, label: string, weightsOn: (row: number) => Weights): Benchmark => ({
    key,
    label,
    result: runTargets(panel, targetSeries(panel, weightsOn), costs, options),
  });
  const life = new Map(panel.tickers.map((ticker) => [ticker, lifeOf(panel.column("close", ticker))]));
  const trades = (ticker: Ticker, row: number) => {
    const [first, last] = life.get(ticker)!;
    return row >= first && row <= last;
  };
  const fixed = (weights: Weights) => (row: number) =>
    Object.fromEntries(Object.entries(weights).filter(([ticker]) => trades(ticker, row)));

  const benchmarks: Benchmark[] = [];
  if (has("SPY")) benchmarks.push(run("SPY", "SPY held", fixed({ SPY: 1 })));
  benchmarks.push(
    run("equal_weight", "equal weight", (row) => {
      const alive = panel.tickers.filter((ticker) => trades(ticker, row));
      return Object.fromEntries(alive.map((ticker) => [ticker, 1 / alive.length]));
    }),
  );
  if (has("SPY") && has("IEF")) benchmarks.push(run("60_40", "60/40 SPY/IEF", fixed({ SPY: 0.6, IEF: 0.4 })));
  return benchmarks;
}

/** First and last row with a bar; an empty interval for a symbol without any. */
function lifeOf(close: Float64Array): readonly [number, number] {
  let first = 0;
  while (first < close.length && Number.isNaN(close[first]!)) first++;
  let last = close.length - 1;
  while (last > first && Number.isNaN(close[last]!)) last--;
  return [first, last];
}
