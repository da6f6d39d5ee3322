/** Strategy options that cannot work together or lie outside their range; lists every problem. */
export class StrategyOptionsError extends Error {
  override readonly name = "StrategyOptionsError";
  readonly code = "PF_STRATEGY_OPTIONS";
  constructor(
    readonly problems: readonly string[],
    options?: ErrorOptions,
  ) {
    super(`the strategy's options cannot be used: ${problems.join("; ")}`, options);
  }
}

/** A score, weighting or overlay was named that nobody registered. */
export class UnknownNameError extends Error {
  override readonly name = "UnknownNameError";
  readonly code = "PF_UNKNOWN_NAME";
  constructor(
    readonly kind: string,
    readonly asked: string,
    readonly known: readonly string[],
  ) {
    super(`no ${kind} is called "${asked}"; known are ${known.join(", ") || "none"}`);
  }
}

/** A registered score, weighting or overlay threw, or returned what it must not. */
export class ExtensionError extends Error {
  override readonly name = "ExtensionError";
  readonly code = "PF_EXTENSION";
  constructor(
    readonly kind: "score" | "weighting" | "overlay",
    readonly extension: string,
    readonly session: string,
    readonly ticker: string | undefined,
    readonly problem: string,
    options?: ErrorOptions,
  ) {
    super(`${kind} "${extension}" on ${session}${ticker ? ` for ${ticker}` : ""}: ${problem}`, options);
  }
}

/** A decision was asked for on a row the panel does not have. */
export class RowRangeError extends Error {
  override readonly name = "RowRangeError";
  readonly code = "PF_ROW_RANGE";
  constructor(
    readonly row: number,
    readonly rows: number,
  ) {
    super(`there is no row ${row} to decide on: the panel has ${rows} rows, counted from 0`);
  }
}
