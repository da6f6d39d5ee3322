/** A text that should name a civil date is none. */
export class InvalidSessionDateError extends Error {
  override readonly name = "InvalidSessionDateError";
  readonly code = "PF_INVALID_DATE";
  readonly next = "write dates as year, month and day: 2024-12-31";
  constructor(readonly text: string) {
    super(`"${text}" is not a date of the form YYYY-MM-DD`);
  }
}

/** A text that should name a time of day is none. */
export class InvalidTimeOfDayError extends Error {
  override readonly name = "InvalidTimeOfDayError";
  readonly code = "PF_INVALID_TIME";
  readonly next = "write times with two digits each, from 00:00 to 23:59: 15:55";
  constructor(readonly text: string) {
    super(`"${text}" is not a time of the form HH:MM`);
  }
}

/** A number that should be an instant is none, or lies in years for which New York time is not told here. */
export class InvalidInstantError extends Error {
  override readonly name = "InvalidInstantError";
  readonly code = "PF_INVALID_INSTANT";
  constructor(readonly utcMs: number) {
    super(`${utcMs} is not an instant of the years 1900 to 9999 in milliseconds since 1970 UTC`);
  }
}

/** The calendar was asked about a day, or for an answer, outside the years whose rules it knows. */
export class CalendarRangeError extends Error {
  override readonly name = "CalendarRangeError";
  readonly code = "PF_CALENDAR_RANGE";
  readonly next: string;
  /**
   * @param day - the day that was asked about
   * @param first - first day the calendar knows
   * @param last - last day the calendar knows
   * @param wanted - the session asked for lies on that side of the day; absent when the day itself is outside
   */
  constructor(
    readonly day: string,
    readonly first: string,
    readonly last: string,
    readonly wanted?: "before" | "after",
  ) {
    const subject = wanted ? `the session ${wanted} ${day}` : day;
    super(`${subject} is outside the exchange calendar, which knows ${first} to ${last}`);
    this.next = `use dates from ${first} to ${last}`;
  }
}

/** A calendar method that needs a session was given a day on which the exchange is closed. */
export class NotASessionError extends Error {
  override readonly name = "NotASessionError";
  readonly code = "PF_NOT_A_SESSION";
  /**
   * @param day - the day that is no session
   * @param why - the holiday, the one-off closure or the day of the weekend
   */
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

/** A panel was asked for a ticker or a row that it does not hold, or given columns that do not fit together. */
export class PanelLookupError extends Error {
  override readonly name = "PanelLookupError";
  readonly code = "PF_PANEL_LOOKUP";
}
