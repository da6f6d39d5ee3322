import type { SessionDate } from "@pf/market";

/** The live path and the account engine saw the same bars and the same closes, and did not do the same. */
export class ReplayDiffersError extends Error {
  override readonly name = "ReplayDiffersError";
  readonly code = "PF_REPLAY_DIFFERS";
  constructor(
    readonly session: SessionDate,
    readonly what: readonly string[],
    readonly sessions: number,
  ) {
    super(
      `live trading and the account engine differ on ${sessions} ${sessions === 1 ? "session" : "sessions"}, first on ${session}: ${what.join(", ")}`,
    );
  }
}

/** The live path found something that it does not trade with. */
export class ReplayIncompleteError extends Error {
  override readonly name = "ReplayIncompleteError";
  readonly code = "PF_REPLAY_INCOMPLETE";
  constructor(
    readonly session: SessionDate,
    readonly reason: string,
    readonly sessions: number,
  ) {
    super(
      `live trading refused to decide on ${sessions} ${sessions === 1 ? "session" : "sessions"}, first on ${session}: ${reason}`,
    );
  }
}

/** Live trading would have stopped, until somebody resumed it. */
export class ReplayHaltedError extends Error {
  override readonly name = "ReplayHaltedError";
  readonly code = "PF_REPLAY_HALTED";
  constructor(
    readonly session: SessionDate,
    readonly reason: string,
  ) {
    super(`live trading halted on ${session}: ${reason}`);
  }
}
