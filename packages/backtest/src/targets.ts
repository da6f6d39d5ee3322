import type { Panel, SessionDate, Ticker, Weights } from "@pf/market";
import { BacktestOptionsError } from "./errors.js";
import type { TargetSeries } from "./result.js";

/** Collects the targets of row after row. */
export class TargetRecorder {
  private readonly rowStart: Int32Array;
  private symbol = new Int32Array(1024);
  private weight = new Float64Array(1024);
  private row = 0;
  private used = 0;

  constructor(
    private readonly sessions: readonly SessionDate[],
    private readonly tickers: readonly Ticker[],
  ) {
    this.rowStart = new Int32Array(sessions.length + 1);
  }

  /** Records the next row's targets, one weight a ticker. */
  record(weights: Float64Array): void {
    for (let i = 0; i < weights.length; i++) {
      const value = weights[i]!;
      if (value === 0) continue;
      if (this.used === this.symbol.length) this.grow();
      this.symbol[this.used] = i;
      this.weight[this.used++] = value;
    }
    this.rowStart[++this.row] = this.used;
  }

  finish(): TargetSeries {
    const { sessions, tickers, rowStart } = this;
    return sparseTargets({
      sessions,
      tickers,
      rowStart,
      symbol: this.symbol.slice(0, this.used),
      weight: this.weight.slice(0, this.used),
    });
  }

  private grow(): void {
    const symbol = new Int32Array(this.used * 2);
    const weight = new Float64Array(this.used * 2);
    symbol.set(this.symbol);
    weight.set(this.weight);
    this.symbol = symbol;
    this.weight = weight;
  }
}

/** Targets from their columns, as {@link TargetSeries} describes them; nothing is copied or checked. */
export function sparseTargets(columns: Omit<TargetSeries, "at">): TargetSeries {
  const { sessions, tickers, rowStart, symbol, weight } = columns;
  return {
    ...columns,
    at(row) {
      if (!(Number.isInteger(row) && row >= 0 && row < sessions.length)) {
        throw new BacktestOptionsError(`there is no row ${row} in targets of ${sessions.length} rows`);
      }
      const weights: Record<Ticker, number> = {};
      for (let k = rowStart[row]!; k < rowStart[row + 1]!; k++) weights[tickers[symbol[k]!]!] = weight[k]!;
      return weights;
    },
  };
}

/**
 * Targets that do not come from a strategy: a benchmark, a stitched walk-forward, another program's portfolio.
 *
 * @param weightsOn - the fractions of equity to hold from a row on; symbols it leaves out weigh 0
 * @throws BacktestOptionsError for a symbol outside the panel or a weight that is not a finite number
 */
export function targetSeries(panel: Panel, weightsOn: (row: number) => Weights): TargetSeries {
  const position = new Map(panel.tickers.map((ticker, i) => [ticker, i]));
  const recorder = new TargetRecorder(panel.sessions, panel.tickers);
  const dense = new Float64Array(panel.tickers.length);
  for (let row = 0; row < panel.sessions.length; row++) {
    dense.fill(0);
    for (const [ticker, weight] of Object.entries(weightsOn(row))) {
      const i = position.get(ticker);
      if (i === undefined) {
        throw new BacktestOptionsError(
          `targets of ${panel.sessions[row]} name ${ticker}, which the panel does not hold`,
        );
      }
      if (!Number.isFinite(weight)) {
        throw new BacktestOptionsError(
          `the target of ${ticker} on ${panel.sessions[row]} is ${weight}, not a number`,
        );
      }
      dense[i] = weight;
    }
    recorder.record(dense);
  }
  return recorder.finish();
}
