/** Half a market decides nothing. */
export class TradeDataError extends Error {
  override readonly name = "TradeDataError";
  readonly code = "PF_TRADE_DATA";
  readonly next = "see what is said about each symbol; `pf connect` tells what the connection can do";
  constructor(
    readonly problems: readonly string[],
    options?: ErrorOptions,
  ) {
    super(`bars are missing to decide on: ${problems.join("; ")}`, options);
  }
}

/** Live trading has three locks, and one of them is closed. */
export class LiveLockedError extends Error {
  override readonly name = "LiveLockedError";
  readonly code = "PF_LIVE_LOCKED";
  constructor(
    readonly lock: "execution.live" | "ibkr.account_live" | "--confirm" | "--clock",
    problem: string,
    readonly next: string,
  ) {
    super(`live trading is locked: ${problem}`);
  }
}

/** Trading was stopped and nobody has resumed it. */
export class HaltedError extends Error {
  override readonly name = "HaltedError";
  readonly code = "PF_HALTED";
  readonly next = "look at the account in TWS, then run `pf resume` with a reason";
  constructor(
    readonly haltCode: string,
    readonly reason: string,
  ) {
    super(`trading is halted: ${reason}`);
  }
}

/** A check forbade what was planned, or the moment is not one to trade in. */
export class BlockedError extends Error {
  override readonly name = "BlockedError";
  readonly code = "PF_BLOCKED";
  constructor(
    readonly checks: readonly string[],
    message: string,
    readonly next: string,
  ) {
    super(message);
  }
}

/** The machine's clock and the broker's do not agree. */
export class ClockSkewError extends Error {
  override readonly name = "ClockSkewError";
  readonly code = "PF_CLOCK_SKEW";
  readonly next = "set the clock right, for instance with NTP; against a simulator add --clock broker";
  constructor(readonly skewMs: number) {
    super(
      `the broker's clock is ${Math.round(Math.abs(skewMs) / 1000)} s ${skewMs > 0 ? "ahead of" : "behind"} ours`,
    );
  }
}

/** Fractions of shares were demanded, and the broker does not take them. */
export class FractionalRefusedError extends Error {
  override readonly name = "FractionalRefusedError";
  readonly code = "PF_FRACTIONAL_REFUSED";
  readonly next = "set execution.quantity to auto or whole";
  constructor(readonly why: string) {
    super(`execution.quantity is fractional, and the broker takes no fractional orders: ${why}`);
  }
}
