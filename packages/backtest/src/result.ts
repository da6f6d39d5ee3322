import type { SessionDate, Ticker, Weights } from "@pf/market";

/** What trading costs in the bar-return engine. */
export interface CostModel {
  /** Dollars a share. */
  readonly commissionPerShare: number;
  /** Basis points of the traded notional. */
  readonly slippageBps: number;
}

/** Target weights of every row; sparse, because a portfolio of a few names is a row of a few numbers. */
export interface TargetSeries {
  readonly sessions: readonly SessionDate[];
  readonly tickers: readonly Ticker[];
  /** Row `t` owns the entries `rowStart[t]` to `rowStart[t + 1]` of `symbol` and `weight`. */
  readonly rowStart: Int32Array;
  /** Positions in `tickers`, ascending within a row. */
  readonly symbol: Int32Array;
  /** Fractions of equity, none of them 0. */
  readonly weight: Float64Array;
  /**
   * The non-zero targets decided on a row, universe order.
   *
   * @throws BacktestOptionsError when there is no such row
   */
  at(row: number): Weights;
}

/** One run of the bar-return engine. Every column has one value a row; returns are fractions of equity. */
export interface BacktestResult {
  /** The session of each row; several rows have one where bars are hourly. */
  readonly sessions: readonly SessionDate[];
  /** When each row's bar ends; absent for daily bars. */
  readonly endsUtcMs?: Float64Array;
  readonly tickers: readonly Ticker[];
  /** gross - commission - slippage */
  readonly net: Float64Array;
  readonly gross: Float64Array;
  /** Sum of |change of weight|, on the row where it is traded. */
  readonly turnover: Float64Array;
  readonly commission: Float64Array;
  readonly slippage: Float64Array;
  /** Growth of 1, after the row's return. */
  readonly equity: Float64Array;
  readonly targets: TargetSeries;
}

/** Performance of one run. `NaN` where undefined (no drawdown, no loss, no variance). */
export interface Metrics {
  /** Compound growth a year, fraction. */
  readonly CAGR: number;
  /** Mean over standard deviation of net returns, annualised, no risk-free rate. */
  readonly Sharpe: number;
  /** Deepest fall from a peak, the start included, as a positive fraction. */
  readonly MaxDD: number;
  /** Standard deviation of net returns, annualised. */
  readonly AnnualVol: number;
  /** Mean over downside deviation (root mean square of the losses over all bars), annualised. */
  readonly Sortino: number;
  /** CAGR / MaxDD */
  readonly Calmar: number;
  /** Profit factor: sum of gains / |sum of losses|. */
  readonly PF: number;
  readonly Turnover: number;
  readonly TurnoverAnnual: number;
  /** Rows with a trade: days of daily bars, hours of hourly ones. */
  readonly RebalanceDays: number;
  /** Rows with a trade per 21 sessions. */
  readonly RebalancesPerMonth: number;
  readonly FinalEquity: number;
  readonly Bars: number;
}
