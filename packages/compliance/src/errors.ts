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

/** A plan reached the place where orders are sent without having passed the review, or was changed since. */
export class PlanNotApprovedError extends Error {
  override readonly name = "PlanNotApprovedError";
  readonly code = "PF_PLAN_NOT_APPROVED";
  constructor() {
    super("only a plan that has passed the review may be sent, and only as it passed it");
  }
}
