/** The options describe no market. */
export class VenueOptionsError extends Error {
  override readonly name = "VenueOptionsError";
  readonly code = "PF_VENUE_OPTIONS";
  constructor(
    readonly what: string,
    options?: ErrorOptions,
  ) {
    super(`the simulated market cannot open: ${what}`, options);
  }
}

/** Somebody turned the simulated clock back. */
export class VenueTimeError extends Error {
  override readonly name = "VenueTimeError";
  readonly code = "PF_VENUE_TIME";
  constructor(
    readonly nowUtcMs: number,
    readonly askedUtcMs: number,
  ) {
    super(`simulated time cannot go from ${nowUtcMs} to ${askedUtcMs}`);
  }
}

/** The contract or the account was never part of this market. */
export class VenueLookupError extends Error {
  override readonly name = "VenueLookupError";
  readonly code = "PF_VENUE_LOOKUP";
  constructor(readonly what: string) {
    super(`the simulated market knows no ${what}`);
  }
}
