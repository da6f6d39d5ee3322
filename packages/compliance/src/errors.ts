/** An event cannot have happened to the account it is booked to: the book and the world have come apart. */
export class LedgerEventError extends Error {
  override readonly name = "LedgerEventError";
  readonly code = "PF_LEDGER_EVENT";
  /**
   * @param kind - the kind of the event
   * @param session - its session
   * @param problem - why it does not fit
   */
  constructor(
    readonly kind: string,
    readonly session: string,
    readonly problem: string,
  ) {
    super(`the account cannot book the ${kind} of ${session}: ${problem}`);
  }
}
