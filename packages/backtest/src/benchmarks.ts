import type { Panel } from "@pf/market";
import { type BacktestOptions, runTargets } from "./engine.js";
import type { BacktestResult, CostModel } from "./result.js";
import { TargetRecorder } from "./targets.js";

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
  const { tickers } = panel;
  const life = tickers.map((ticker) => lifeOf(panel.column("close", ticker)));
  const run = (key: BenchmarkKey, label: string, weigh: (row: number, weights: Float64Array) => void) => {
    const recorder = new TargetRecorder(panel.sessions, tickers);
    const weights = new Float64Array(tickers.length);
    for (let row = 0; row < panel.sessions.length; row++) {
      weights.fill(0);
      weigh(row, weights);
      recorder.record(weights);
    }
    return { key, label, result: runTargets(panel, recorder.finish(), costs, options) };
  };
  const trades = (i: number, row: number) => row >= life[i]![0] && row <= life[i]![1];
  const fixed = (shares: readonly { readonly i: number; readonly share: number }[]) => {
    return (row: number, weights: Float64Array) => {
      for (const { i, share } of shares) if (trades(i, row)) weights[i] = share;
    };
  };

  const [spy, ief] = [tickers.indexOf("SPY"), tickers.indexOf("IEF")];
  const benchmarks: Benchmark[] = [];
  if (spy >= 0) benchmarks.push(run("SPY", "SPY held", fixed([{ i: spy, share: 1 }])));
  benchmarks.push(
    run("equal_weight", "equal weight", (row, weights) => {
      let alive = 0;
      for (let i = 0; i < tickers.length; i++) if (trades(i, row)) alive++;
      for (let i = 0; i < tickers.length; i++) if (trades(i, row)) weights[i] = 1 / alive;
    }),
  );
  if (spy >= 0 && ief >= 0) {
    const shares = [
      { i: spy, share: 0.6 },
      { i: ief, share: 0.4 },
    ];
    benchmarks.push(run("60_40", "60/40 SPY/IEF", fixed(shares)));
  }
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
