/** Hourly bars were asked of something that knows daily ones alone. */
export class HourlyBarsError extends Error {
  override readonly name = "HourlyBarsError";
  readonly code = "PF_HOURLY_BARS";
  constructor(
    /** What knows no hours, as the subject of a sentence. */
    readonly what: string,
    readonly next: string = 'leave ibkr.timeframe out, or set it to "1 day": --set "ibkr.timeframe=1 day"',
  ) {
    super(`${what}, and ibkr.timeframe is "1 hour", which is for research`);
  }
}

/** Bars were asked of the broker, and there is none at its address. */
export class NoBrokerError extends Error {
  override readonly name = "NoBrokerError";
  readonly code = "PF_IBKR_UNREACHABLE";
  readonly next: string;
  constructor(
    readonly host: string,
    readonly port: number,
    override readonly cause: Error & { readonly next: string },
  ) {
    super(cause.message, { cause });
    this.next = `${cause.next}; without a broker, use --source csv --csv-dir DIR for files, or --source synthetic for a made-up market`;
  }
}

/** A flag or a request misses something it cannot do without. */
export class RequestError extends Error {
  override readonly name = "RequestError";
  readonly code = "PF_USAGE";
  constructor(
    message: string,
    readonly next: string,
  ) {
    super(message);
  }
}

/** The range asked for starts after it ends. */
export class RangeOrderError extends Error {
  override readonly name = "RangeOrderError";
  readonly code = "PF_RANGE_ORDER";
  constructor(
    readonly start: string,
    readonly end: string,
  ) {
    super(`the range starts on ${start}, after its end on ${end}`);
  }
}

/** The cache holds bars, but none where they were asked for. */
export class NoSessionsError extends Error {
  override readonly name = "NoSessionsError";
  readonly code = "PF_NO_SESSIONS";
  readonly next: string;
  constructor(
    readonly asked: string,
    readonly first: string,
    readonly last: string,
  ) {
    super(`the cache holds no session ${asked}; it covers ${first} to ${last}`);
    this.next = `choose dates between ${first} and ${last}, or fetch more bars with \`pf fetch\``;
  }
}

/** The first run: the cache is empty as far as the universe goes. */
export class EmptyCacheError extends Error {
  override readonly name = "EmptyCacheError";
  readonly code = "PF_MISSING_BARS";
  readonly means = "The cache has to be filled once before anything can be computed.";
  readonly next: string;
  constructor(
    readonly symbols: readonly string[],
    readonly directory: string,
    options?: ErrorOptions & { readonly kind?: "daily" | "hourly" },
  ) {
    const isHourly = options?.kind === "hourly";
    const bars = isHourly ? "hourly bars" : "bars";
    super(`there are no ${bars} in ${directory} yet: none of ${symbols.join(", ")}`, options);
    this.next = isHourly
      ? "run `pf fetch` with the same settings, with --source synthetic to try it out"
      : "run `pf fetch --source csv --csv-dir DIR` with your own files, or `pf fetch --source synthetic` to try it out";
  }
}

/** So few rows that not even one return can be computed. */
export class TooFewSessionsError extends Error {
  override readonly name = "TooFewSessionsError";
  readonly code = "PF_TOO_FEW_SESSIONS";
  constructor(
    readonly sessions: number,
    readonly needed: number,
  ) {
    super(
      `a backtest needs at least ${needed} sessions, and there ${sessions === 1 ? "is 1" : `are ${sessions}`}`,
    );
  }
}

/** Costs a share so far above the prices that equity left every number there is: nothing of it could be drawn or told. */
export class EquityOverflowError extends Error {
  override readonly name = "EquityOverflowError";
  readonly code = "PF_EQUITY_OVERFLOW";
  constructor(
    /** Whose equity: this run's, or a benchmark's. */
    readonly whose: string,
    readonly session: string,
  ) {
    super(`the equity of ${whose} is no number any more on ${session}`);
  }
}

/** The person, or the system, asked the command to stop. */
export class InterruptedError extends Error {
  override readonly name = "InterruptedError";
  readonly code = "PF_INTERRUPTED";
  constructor(
    options?: ErrorOptions,
    /** What to do, where that is more than running it again. */
    readonly next?: string,
  ) {
    super("interrupted", options);
  }
}

/** Nothing asked for is finished yet: bars are cached only once their session has closed. */
export class NothingFinishedError extends Error {
  override readonly name = "NothingFinishedError";
  readonly code = "PF_NOTHING_FINISHED";
  constructor(
    readonly start: string,
    readonly end: string,
    readonly lastComplete: string,
  ) {
    super(`no session from ${start} to ${end} is over yet; the last complete one is ${lastComplete}`);
  }
}

/** Some symbols could not be fetched; the others were. */
export class FetchIncompleteError extends Error {
  override readonly name = "FetchIncompleteError";
  readonly code = "PF_FETCH_INCOMPLETE";
  readonly means: string;
  constructor(
    readonly failed: readonly { readonly symbol: string; readonly code: string; readonly message: string }[],
    readonly asked: number,
    /** What to do, where all failures ask for the same. */
    readonly next?: string,
  ) {
    super(
      `${failed.length} of ${asked} symbols could not be fetched: ${failed.map(({ symbol }) => symbol).join(", ")}`,
    );
    this.means =
      failed.length === asked
        ? "The cache is as it was."
        : "The other symbols are cached; of these the cache is as it was.";
  }
}

/** A file that a run keeps for later ones, the ledger of trials or an unfinished test, cannot be read or written. */
export class StateWriteError extends Error {
  override readonly name = "StateWriteError";
  readonly code = "PF_CANNOT_WRITE";
  readonly means = "Nothing was reported, and no half-written report was left behind.";
  readonly next = "free some space, or choose folders you may read and write with --state-dir and --out";
  constructor(
    readonly file: string,
    /** The system's name of the cause: `"ENOSPC"`, `"EACCES"`, `"ENOTDIR"`, ... */
    readonly errno: string,
    options?: ErrorOptions,
  ) {
    super(`cannot write ${file} (${errno})`, options);
  }
}

/** There is an unfinished test to continue, but it is not the one that was asked for. */
export class OtherRunError extends Error {
  override readonly name = "OtherRunError";
  readonly code = "PF_OTHER_RUN";
  readonly next =
    "repeat the settings, dates, runs, windows and seed of the interrupted command, or leave --resume out to start anew";
  constructor(readonly file: string) {
    super(`${file} was left by a test with other settings, data or seed`);
  }
}

/** Another run is at work in a folder where one at a time may be. */
export class FolderInUseError extends Error {
  override readonly name = "FolderInUseError";
  readonly code = "PF_FOLDER_IN_USE";
  readonly next: string;
  constructor(
    readonly folder: string,
    /** The file that says so. */
    readonly file: string,
    /** The number of the process that holds it, if that can be read. */
    readonly process: number | undefined,
  ) {
    super(
      `${folder} is being written by another run${process === undefined ? "" : ` (process ${process})`}, says ${file}`,
    );
    this.next = `wait for it, or choose another folder with --out; if no such run exists, delete ${file}`;
  }
}

/** In no train window did any combination of the grid have an objective, so that nothing could be chosen. */
export class NothingTradedError extends Error {
  override readonly name = "NothingTradedError";
  readonly code = "PF_NOTHING_TRADED";
  readonly next =
    "check that the bars move and are long enough for the indicators, or loosen the strategy's gates";
  constructor(
    readonly windows: number,
    readonly objective: string,
  ) {
    super(
      windows === 1
        ? `in the only train window no combination of the grid has a ${objective}`
        : `in none of the ${windows} train windows does any combination of the grid have a ${objective}`,
    );
  }
}

/** Somebody wants to hear of alarms, and nobody said how. */
export class NoAlertsError extends Error {
  override readonly name = "NoAlertsError";
  readonly code = "PF_ALERT_NONE";
  readonly next =
    "write PF_ALERTS__WEBHOOK=…, PF_ALERTS__NTFY=… or PF_ALERTS__EMAIL__SMTP=… (with PF_ALERTS__EMAIL__FROM and PF_ALERTS__EMAIL__TO) into .env; PF_ALERTS__PING=… for a dead-man switch";
  constructor() {
    super("no way to a person is configured");
  }
}

/** Some of the ways to a person, or all of them, do not lead there. */
export class AlertUndeliveredError extends Error {
  override readonly name = "AlertUndeliveredError";
  readonly code = "PF_ALERT_UNDELIVERED";
  constructor(
    /** The channels that did not take it. */
    readonly failed: readonly string[],
    readonly channels: number,
  ) {
    super(`${failed.length} of ${channels} did not take the message: ${failed.join(", ")}`);
  }
}
