/** A backtest was asked for with settings that have no meaning. */
export class BacktestOptionsError extends Error {
  override readonly name = "BacktestOptionsError";
  readonly code = "PF_BACKTEST_OPTIONS";
}
