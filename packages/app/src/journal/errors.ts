/** Another process works with this account at the moment. */
export class StateLockedError extends Error {
  override readonly name = "StateLockedError";
  readonly code = "PF_STATE_LOCKED";
  readonly next =
    "wait until the other `pf trade` or worker is done, or stop it; the lock goes with its process";
  constructor(
    readonly path: string,
    options?: ErrorOptions,
  ) {
    super(`another process is trading this account: ${path} is locked`, options);
  }
}

/** The file that remembers what an account meant to do cannot be trusted. */
export class StateDamagedError extends Error {
  override readonly name = "StateDamagedError";
  readonly code = "PF_STATE_DAMAGED";
  readonly next: string;
  constructor(
    readonly path: string,
    readonly problem: string,
    options?: ErrorOptions,
  ) {
    super(`the account's journal ${path} cannot be used: ${problem}`, options);
    this.next = `put a backup of ${path} in its place (backups stand beside it), and compare with the broker before resuming`;
  }
}

/** The file was written by a later version of the program. */
export class StateFromFutureError extends Error {
  override readonly name = "StateFromFutureError";
  readonly code = "PF_STATE_FROM_FUTURE";
  readonly next = "use the version of pf that wrote it, or a later one";
  constructor(
    readonly path: string,
    readonly found: number,
    readonly known: number,
  ) {
    super(`the account's journal ${path} has format ${found}, and this version knows formats up to ${known}`);
  }
}

/** The clock shows a time before the last thing that is known to have happened. */
export class ClockBackwardsError extends Error {
  override readonly name = "ClockBackwardsError";
  readonly code = "PF_CLOCK_BACKWARDS";
  readonly next =
    "set the clock right; if the last entry is the one that was wrong, wait until its time has passed";
  constructor(
    readonly nowUtcMs: number,
    readonly lastUtcMs: number,
  ) {
    super(
      `the clock shows ${new Date(nowUtcMs).toISOString()}, but the journal's last entry is of ${new Date(lastUtcMs).toISOString()}`,
    );
  }
}
