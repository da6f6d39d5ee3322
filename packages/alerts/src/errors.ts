/** A channel cannot be made of what was given. The message names the option and never its value. */
export class AlertOptionsError extends Error {
  override readonly name = "AlertOptionsError";
  readonly code = "PF_ALERT_OPTIONS";
  constructor(
    /** The option, `webhook`, `email.smtp`. */
    readonly option: string,
    readonly expected: string,
  ) {
    super(`${option} must be ${expected}`);
  }
}
