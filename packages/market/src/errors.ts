/** A text that should name a civil date is none. */
export class InvalidSessionDateError extends Error {
  override readonly name = "InvalidSessionDateError";
  readonly code = "PF_INVALID_DATE";
  constructor(readonly text: string) {
    super(`"${text}" is not a date of the form YYYY-MM-DD`);
  }
}

/** The calendar was asked about a day outside the years whose rules it knows. */
export class CalendarRangeError extends Error {
  override readonly name = "CalendarRangeError";
  readonly code = "PF_CALENDAR_RANGE";
  constructor(
    readonly day: string,
    readonly first: string,
    readonly last: string,
  ) {
    super(`${day} is outside the exchange calendar, which knows ${first} to ${last}`);
  }
}

/** A calendar method that needs a session was given a day on which the exchange is closed. */
export class NotASessionError extends Error {
  override readonly name = "NotASessionError";
  readonly code = "PF_NOT_A_SESSION";
  constructor(
    readonly day: string,
    readonly why: string,
  ) {
    super(`${day} is not a trading session: ${why}`);
  }
}

/** Bars that cannot be bars: columns of unequal length, rows out of order, a symbol given twice. */
export class InvalidBarsError extends Error {
  override readonly name = "InvalidBarsError";
  readonly code = "PF_INVALID_BARS";
  constructor(
    readonly ticker: string,
    readonly problem: string,
  ) {
    super(`${ticker}: ${problem}`);
  }
}

/** A panel was asked for a ticker or a row that it does not hold. */
export class PanelLookupError extends Error {
  override readonly name = "PanelLookupError";
  readonly code = "PF_PANEL_LOOKUP";
}
