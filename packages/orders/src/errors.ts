/** An amount of money or shares that cannot be counted exactly: no whole cents, no ten-thousandths of a share, too large. */
export class AmountError extends Error {
  override readonly name = "AmountError";
  readonly code = "PF_AMOUNT";
  /**
   * @param what - the amount that was asked for, as it was given
   * @param problem - why it is none
   */
  constructor(
    readonly what: string,
    readonly problem: string,
  ) {
    super(`${what} ${problem}`);
  }
}

/** An order reference cannot be formed: the broker would cut it, or restart would not recognise it. */
export class OrderReferenceError extends Error {
  override readonly name = "OrderReferenceError";
  readonly code = "PF_ORDER_REFERENCE";
  constructor(
    readonly reference: string,
    readonly problem: string,
  ) {
    super(`"${reference}" is no order reference: ${problem}`);
  }
}

/** Orders cannot be planned from these targets, figures or rules: they contradict themselves. */
export class OrderPlanInputError extends Error {
  override readonly name = "OrderPlanInputError";
  readonly code = "PF_ORDER_PLAN_INPUT";
  constructor(readonly problem: string) {
    super(`no orders can be planned: ${problem}`);
  }
}
