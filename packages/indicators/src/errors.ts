/** A window, a span or a set of columns for which an indicator has no meaning: a mistake in the call, not in the data. */
export class IndicatorParameterError extends Error {
  override readonly name = "IndicatorParameterError";
  readonly code = "PF_INDICATOR_PARAMETER";
  /**
   * @param indicator - the function that was called, `"ema"`
   * @param parameter - the argument at fault, `"span"`
   * @param problem - what is wrong with it, with the value that was given
   */
  constructor(
    readonly indicator: string,
    readonly parameter: string,
    readonly problem: string,
  ) {
    super(`${indicator}: ${parameter} ${problem}`);
  }
}
