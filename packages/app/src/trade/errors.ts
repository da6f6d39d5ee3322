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

/** Orders were sent, and not all of them were filled. */
export class PartlyFilledError extends Error {
  override readonly name = "PartlyFilledError";
  readonly code = "PF_PARTLY_FILLED";
  readonly next = "nothing needs to be done: the next session plans what is missing anew";
  constructor(
    readonly references: readonly string[],
    reasons: readonly string[],
  ) {
    super(`not everything was filled: ${reasons.join("; ")}`);
  }
}

/** Live trading goes by the machine's clock, which the broker's is compared with: two clocks have to agree. */
export function liveNeedsOwnClock(): LiveLockedError {
  return new LiveLockedError("--clock", "with --live the machine's own clock counts", "leave --clock out");
}

/** An audit log is not what was written. */
export class AuditLogError extends Error {
  override readonly name = "AuditLogError";
  readonly code = "PF_AUDIT_LOG";
  readonly next =
    "compare it with a copy; the account's journal and the broker's statements are not affected";
  constructor(
    readonly file: string,
    readonly problems: readonly string[],
    options?: ErrorOptions,
  ) {
    super(`the audit log ${file} does not verify: ${problems.join("; ")}`, options);
  }
}
