import { fileURLToPath } from "node:url";
import { InterruptedError } from "./errors.js";

/**
 * The exit codes of every program that calls the services. 0 is "done".
 *
 * 1 a bug of ours · 2 usage or configuration · 3 data missing or invalid · 4 broker unreachable or refused ·
 * 5 blocked by compliance or risk · 6 halted · 7 cannot write · 130 interrupted
 */
export type ExitCode = 1 | 2 | 3 | 4 | 5 | 6 | 7 | 130;

/** What went wrong, ready to be printed or sent. */
export interface Failure {
  /** Stable name, `PF_…`. */
  readonly code: string;
  readonly exit: ExitCode;
  /** What happened, one line. */
  readonly message: string;
  /** What it means, one line. */
  readonly means: string;
  /** What to do, one line. */
  readonly next: string;
  /** The facts the error carried. */
  readonly details: Readonly<Record<string, unknown>>;
}

interface Entry {
  readonly exit: ExitCode;
  readonly means: string;
  readonly next: string;
}

const nothingDone = "Nothing was computed and nothing was written.";
const ourFault = "This is a fault of the program, not of what you typed.";
const reportIt = "run it again with PF_DEBUG=1 to see where it happened, and report that text";
const seeHelp = "run the command with --help to see its flags";
const checkConfig = "correct the setting; `pf config check` looks at the whole configuration";
const fetchAnew = "fetch the symbol again with `pf fetch --symbols SYMBOL --replace`";

/**
 * One line for every error code of every package: the exit code, what it means, and what to do where the error itself
 * does not know better. A test reads the sources of every package joined here and fails when a code is missing.
 */
export const failures: Readonly<Record<string, Entry>> = {
  // 1: a bug of ours
  PF_WORKER_STUCK: {
    exit: 1,
    means: "Nothing more could be done in this process, so it ended; what it had begun is in the journal.",
    next: "start the worker again (systemd and compose do), and report it if it happens twice",
  },
  PF_WORKER_FAILED: {
    exit: 1,
    means: "The worker could do nothing of what it was there for, so it ended.",
    next: "see the faults in its log, mend what they name, and start it again",
  },
  PF_BUG: { exit: 1, means: ourFault, next: reportIt },
  PF_AMOUNT: { exit: 1, means: ourFault, next: reportIt },
  PF_FONTS_MISSING: {
    exit: 1,
    means: "The installation is incomplete.",
    next: "install pf again, or add --no-plots",
  },
  PF_DANFO_MISSING: {
    exit: 1,
    means: "The installation is incomplete.",
    next: "install pf again",
  },
  PF_INDICATOR_PARAMETER: { exit: 1, means: ourFault, next: reportIt },
  PF_ORDER_PLAN_INPUT: { exit: 1, means: ourFault, next: reportIt },
  PF_INVALID_REPORT_INPUT: { exit: 1, means: ourFault, next: reportIt },
  PF_INVALID_INSTANT: { exit: 1, means: ourFault, next: reportIt },
  PF_PANEL_LOOKUP: { exit: 1, means: ourFault, next: reportIt },
  PF_RESULTS_INCOMPLETE: { exit: 1, means: ourFault, next: reportIt },
  PF_ROW_ORDER: { exit: 1, means: ourFault, next: reportIt },
  PF_ROW_RANGE: { exit: 1, means: ourFault, next: reportIt },
  PF_VENUE_LOOKUP: { exit: 1, means: ourFault, next: reportIt },
  PF_VENUE_TIME: { exit: 1, means: ourFault, next: reportIt },
  PF_REPLAY_DIFFERS: {
    exit: 1,
    means: "With equal bars and closes nothing can come between the two: one of them is wrong.",
    next: "do not trade with this version; report the session, with `pf replay --json`",
  },
  // Exits as its cause does, where the cause is one of ours.
  PF_UNIT_FAILED: {
    exit: 1,
    means: "The run stopped at this unit of work; nothing was reported.",
    next: reportIt,
  },
  PF_WORKERS_DIED: {
    exit: 1,
    means: "Every worker that began this unit was killed or ran out of memory; the run stopped there.",
    next: "look at what ended the workers (their memory, the system's log), and run it again",
  },

  // 2: usage or configuration
  PF_USAGE: { exit: 2, means: nothingDone, next: seeHelp },
  PF_UNKNOWN_COMMAND: { exit: 2, means: nothingDone, next: "run `pf --help` to see the commands" },
  PF_UNKNOWN_FLAG: { exit: 2, means: nothingDone, next: seeHelp },
  PF_HOURLY_BARS: { exit: 2, means: nothingDone, next: seeHelp },
  PF_CONFIG: { exit: 2, means: nothingDone, next: checkConfig },
  PF_STRATEGY_OPTIONS: { exit: 2, means: "No strategy can be made of these settings.", next: checkConfig },
  PF_BACKTEST_OPTIONS: { exit: 2, means: "No backtest can run with these settings.", next: checkConfig },
  PF_GRID: { exit: 2, means: "There is nothing to search, so nothing was computed.", next: checkConfig },
  PF_WINDOW_OPTIONS: { exit: 2, means: "No windows can be made of these spans.", next: checkConfig },
  PF_SIMULATOR_OPTIONS: { exit: 2, means: "No simulator can run like that.", next: seeHelp },
  PF_PAGE_OPEN: {
    exit: 2,
    means: "Anybody who reaches that address could read the account, so the worker did not start.",
    next: "set page.token, or leave page.host at 127.0.0.1",
  },
  PF_PAGE_TOKEN: {
    exit: 2,
    means: "Somebody could guess it, so the worker did not start.",
    next: "set page.token to a longer one, such as what `openssl rand -hex 24` prints",
  },
  PF_PAGE_ADDRESS: {
    exit: 2,
    means: "Nobody can see what the worker does, which trades all the same.",
    next: "correct page.host and page.port",
  },
  PF_PORT_IN_USE: {
    exit: 2,
    means: "Two programs cannot listen on one port, so no simulator was started.",
    next: "end the other program, or choose another port with --port (0 picks one)",
  },
  PF_SCENARIO: {
    exit: 2,
    means: "The scenario was not understood, so no simulator was started.",
    next: "correct what is listed",
  },
  PF_VENUE_OPTIONS: {
    exit: 2,
    means: "No simulated market can be made of these bars, accounts and settings, so none was opened.",
    next: "correct what the message names",
  },
  PF_RUNS: { exit: 2, means: nothingDone, next: "ask for at least 1 run" },
  PF_OTHER_RUN: {
    exit: 2,
    means: "Scores of different tests do not mix, so nothing was computed and the file was left as it is.",
    next: "leave --resume out to start anew",
  },
  PF_FOLDER_IN_USE: {
    exit: 2,
    means: "Two runs that write into one folder would mix their results, so this one did nothing there.",
    next: "wait for the other run, or choose another folder with --out",
  },
  PF_UNKNOWN_NAME: { exit: 2, means: "Settings name only what is registered.", next: checkConfig },
  PF_EXTENSION: {
    exit: 2,
    means: "Code of your own that the configuration names stopped the run; nothing was decided on it.",
    next: "correct that score, weighting or overlay, and run it again",
  },
  PF_INVALID_SYMBOL: { exit: 2, means: nothingDone, next: "write symbols in capitals, as in SPY or BRK.B" },
  PF_ORDER_REFERENCE: {
    exit: 2,
    means: "An order that cannot be recognised after a restart is not sent.",
    next: "check the symbols of the universe",
  },
  PF_INVALID_DATE: {
    exit: 2,
    means: "Dates are civil dates in New York.",
    next: "write dates as YYYY-MM-DD",
  },
  PF_RANGE_ORDER: {
    exit: 2,
    means: "No session lies in such a range.",
    next: "give a start on or before the end",
  },
  PF_INVALID_TIME: { exit: 2, means: "Times are New York's.", next: "write times as HH:MM, in quotes" },
  PF_CALENDAR_RANGE: {
    exit: 2,
    means: "Holidays are known for these years only, and nothing is guessed beyond them.",
    next: "choose dates inside the calendar",
  },
  PF_NOT_A_SESSION: { exit: 2, means: "The exchange is closed on that day.", next: "choose a trading day" },
  PF_NOTHING_FINISHED: {
    exit: 2,
    means: "Bars are cached only when their session is over, because they change until then.",
    next: "choose earlier dates, or wait for the close",
  },
  PF_IBKR_OPTIONS: {
    exit: 2,
    means: "Nobody was connected to.",
    next: "correct the ibkr settings; `pf config show` says where each comes from",
  },
  PF_IBKR_ACCOUNT_MODE: {
    exit: 2,
    means: "Paper and live never share an account, so nobody was connected to.",
    next: "paper accounts begin with DU: set ibkr.account_paper to one; ibkr.account_live is for the others",
  },
  PF_ALERT_NONE: {
    exit: 2,
    means: "Nobody would hear of an alarm.",
    next: "set alerts.webhook, alerts.ntfy or alerts.email",
  },
  PF_ALERT_OPTIONS: {
    exit: 2,
    means: "Nothing can be sent there.",
    next: "correct the alerts settings; `pf config show` says where each comes from",
  },
  PF_LIVE_LOCKED: {
    exit: 2,
    means: "Live trading has three locks, and as long as one is closed nothing is sent.",
    next: "open it, or use --paper",
  },

  PF_SOURCE_KEY: {
    exit: 2,
    means: "Without a key that it accepts this source serves nobody, so nothing was fetched from it.",
    next: "set the variable that the message names, in the environment or in .env",
  },
  PF_QUEUE_ADDRESS: {
    exit: 2,
    means: "Nobody was connected to.",
    next: "write research.queue as redis://HOST:PORT, with a password redis://:PASSWORD@HOST:PORT, encrypted rediss://",
  },
  PF_UNKNOWN_COLUMN: {
    exit: 2,
    means: nothingDone,
    next: "choose one of the columns that are there",
  },
  PF_UNKNOWN_RUN: {
    exit: 2,
    means: "It may be finished; nothing was changed.",
    next: "see what runs with `pf queue status`",
  },

  // 3: data missing or invalid
  PF_MISSING_BARS: {
    exit: 3,
    means: "The cache has to be filled before anything can be computed.",
    next: "run `pf fetch --source csv --csv-dir DIR` or `pf fetch --source synthetic`",
  },
  PF_NO_SESSIONS: {
    exit: 3,
    means: "There is nothing to compute on.",
    next: "fetch more bars with `pf fetch`",
  },
  PF_TOO_FEW_SESSIONS: {
    exit: 3,
    means: "What was asked for takes more sessions than there are.",
    next: "widen --start and --end, or fetch more bars with `pf fetch`",
  },
  PF_EQUITY_OVERFLOW: {
    exit: 3,
    means:
      "Commissions are paid a share: where prices are hardly above 0 they are thousands of times what is traded.",
    next: "check the prices, leave such symbols out, or set costs.commission_per_share to 0",
  },
  PF_NOTHING_TRADED: {
    exit: 3,
    means: "Without a choice there is nothing to report.",
    next: "check that the bars move",
  },
  PF_PERMUTATION_DEAD: {
    exit: 3,
    means: "Nothing was tested, so no p-value is reported.",
    next: "check that the bars move",
  },
  PF_STATISTICS_INPUT: {
    exit: 3,
    means: "There is not enough data for the statistics.",
    next: "widen --start and --end, or fetch more bars with `pf fetch`",
  },
  PF_CACHE_FILE: {
    exit: 3,
    means: "Nothing was computed from it and it was left as it is.",
    next: fetchAnew,
  },
  PF_CANNOT_READ: { exit: 3, means: nothingDone, next: "check the folder given with --data-dir" },
  PF_INVALID_BARS: { exit: 3, means: "These bars cannot be put on one time axis.", next: fetchAnew },
  PF_BARS_REFUSED: {
    exit: 3,
    means: "No market produces such bars, so none of them were cached.",
    next: "correct the data at its source",
  },
  PF_CSV_FILE: {
    exit: 3,
    means: "Nothing of this file was cached.",
    next: "correct these lines and run the command again",
  },
  PF_NO_BARS: {
    exit: 3,
    means: "Nothing of this symbol was cached.",
    next: "check the symbol and the dates",
  },
  PF_SOURCE_MISMATCH: {
    exit: 3,
    means: "Bars of two sources never share a file, so the cache was left as it is.",
    next: "fetch with --replace, or choose another --data-dir",
  },
  PF_SOURCE_UNAVAILABLE: {
    exit: 3,
    means: "Nothing was fetched.",
    next: "check the source and run it again",
  },
  PF_SOURCE_LIMIT: {
    exit: 3,
    means: "What was fetched before is cached; the rest is not asked for yet.",
    next: "wait until the limit is over and run it again; what was fetched is not asked for twice",
  },
  PF_SOURCE_REFUSED: {
    exit: 3,
    means: "Nothing new of this symbol was cached; the others are not affected.",
    next: "see what the source says; another plan, or another source, may have it",
  },
  PF_SOURCE_ANSWER: {
    exit: 3,
    means: "What the source sent is no list of bars, so nothing of it was cached.",
    next: "run it again, and report it if it happens twice",
  },
  PF_SOURCE_FAULT: {
    exit: 3,
    means: "Nothing new of this symbol was cached; the others are not affected.",
    next: "run it again; what was fetched is not asked for twice",
  },
  PF_LEDGER_EVENT: {
    exit: 3,
    means: "The book of the account and what happened to it have come apart, so nothing is sent.",
    next: "compare the account with the broker's statement; `pf status` shows what the book holds",
  },
  PF_FETCH_INCOMPLETE: {
    exit: 3,
    means: "The other symbols are cached; of these the cache is as it was.",
    next: "see what is said about each symbol, and fetch again",
  },

  PF_RESULT_FILE: {
    exit: 3,
    means: "There is no table to look at.",
    next: "run the command that makes it, or name another file",
  },
  PF_INVALID_FRAME: {
    exit: 3,
    means: "A table that is not what it was taken for is not guessed at.",
    next: "look at the line that is named; a report is written anew by the command that made it",
  },
  PF_STATE_DAMAGED: {
    exit: 3,
    means: "What this account did and meant to do is not known for certain, so nothing was traded.",
    next: "restore a backup of the journal, and compare with the broker before resuming",
  },
  PF_STATE_FROM_FUTURE: {
    exit: 3,
    means: "It may say things that this version would not understand, so nothing was traded.",
    next: "use the version of pf that wrote it, or a later one",
  },

  PF_AUDIT_LOG: {
    exit: 3,
    means: "The log was changed, cut or mixed after it was written, or it is none.",
    next: "compare it with a copy; the account's journal and the broker's statements are not affected",
  },
  PF_TRADE_DATA: {
    exit: 3,
    means: "Half a market decides nothing, so nothing was decided and nothing sent.",
    next: "see what is said about each symbol; `pf connect` tells what the connection can do",
  },
  PF_REPLAY_INCOMPLETE: {
    exit: 3,
    means: "Live trading decides on whole markets only, so that these sessions cannot be compared.",
    next: "see the sessions that failed with `pf replay --json`, and fetch the bars that are missing",
  },
  PF_IBKR_UNKNOWN_SYMBOL: {
    exit: 3,
    means: "Nothing of this symbol was cached; the others are not affected.",
    next: "check the symbol, or take it out of the universe",
  },
  PF_IBKR_NO_HISTORY: {
    exit: 3,
    means: "The broker knows the symbol; of this one nothing was cached.",
    next: "check the dates; a fund younger than the span has no earlier bars",
  },
  PF_QUEUE_DATA: {
    exit: 3,
    means: "Workers refuse bars that are not those of the run, so nothing was computed on wrong ones.",
    next: "see whether another program writes into this Redis, and that its maxmemory-policy is noeviction",
  },

  // 4: broker unreachable or refused
  PF_ALERT_UNDELIVERED: {
    exit: 4,
    means: "A real alarm would not arrive there either.",
    next: "correct the address or the password, see whether the service is up, and run it again",
  },
  PF_IBKR_UNREACHABLE: {
    exit: 4,
    means: "Neither TWS nor IB Gateway listens there, so nothing was asked.",
    next: "start TWS or IB Gateway, log in, and enable socket clients in its API settings",
  },
  PF_IBKR_SILENT: {
    exit: 4,
    means: "Something listens there and does not speak, so nothing was asked.",
    next: "accept the connection in TWS, or restart TWS",
  },
  PF_IBKR_NOT_TWS: {
    exit: 4,
    means: "Another program listens there, so nothing was asked.",
    next: "set ibkr.port to the socket port of TWS",
  },
  PF_IBKR_VERSION: {
    exit: 4,
    means: "The two do not share a version of the protocol, so nothing was asked.",
    next: "update TWS or IB Gateway to a current release",
  },
  PF_IBKR_HANDSHAKE: {
    exit: 4,
    means: "The session never began, so nothing was asked.",
    next: "wait until TWS has finished logging in, and run it again",
  },
  PF_IBKR_CLIENT_ID: {
    exit: 4,
    means: "TWS serves each client id once, so nothing was asked.",
    next: "stop the other program, or give this one its own ibkr.client_id",
  },
  PF_IBKR_ACCOUNT: {
    exit: 4,
    means: "The account is not to be reached through this TWS, so nothing was asked.",
    next: "log in to TWS with the user of this account, or correct the account id",
  },
  PF_IBKR_CURRENCY: {
    exit: 4,
    means: "Nothing here converts money.",
    next: "use an account whose base currency is USD",
  },
  PF_IBKR_NOT_CONNECTED: {
    exit: 4,
    means: "Without a connection nothing is asked and nothing is kept to be sent later.",
    next: "check that TWS runs and is logged in, and run it again",
  },
  PF_IBKR_TIMEOUT: {
    exit: 4,
    means: "The connection stands, but this question was not answered.",
    next: "check in TWS that its connection lamps are green, and run it again",
  },
  PF_IBKR_REFUSED: {
    exit: 4,
    means: "The broker would not answer this question.",
    next: "correct what the message names, and run it again",
  },
  PF_IBKR_MARKET_DATA: {
    exit: 4,
    means: "Without prices nothing can be priced or checked.",
    next: "subscribe in Client Portal > Settings > Market Data Subscriptions",
  },
  PF_IBKR_READ_ONLY: {
    exit: 4,
    means: "TWS answers questions and takes no orders, so nothing was placed.",
    next: "clear Read-Only API in the API settings of TWS",
  },
  PF_IBKR_PROTOCOL: {
    exit: 4,
    means: "What was sent breaks the protocol, so the connection was ended.",
    next: "restart TWS; report it if it happens again",
  },
  PF_IBKR_HISTORY_PERMISSION: {
    exit: 4,
    means: "The broker shows bars only to users who subscribe to the market's data; nothing was cached.",
    next: "subscribe in Client Portal under Settings > Market Data Subscriptions, or use --source csv",
  },
  PF_IBKR_HISTORY_TIMEOUT: {
    exit: 4,
    means: "The connection stands, but the broker's historical service does not answer.",
    next: "run it again; what was fetched is not asked for twice",
  },
  PF_IBKR_HISTORY_INTERRUPTED: {
    exit: 4,
    means: "The broker was away or cut the request off; what was fetched before is cached.",
    next: "wait until the connection lamps in TWS are green, and run it again",
  },
  PF_IBKR_HISTORY_REFUSED: {
    exit: 4,
    means: "The broker would not serve this request, and asking again would change nothing.",
    next: "look the broker's code up in the TWS API message codes",
  },
  PF_IBKR_HISTORY_ANSWER: {
    exit: 4,
    means: "What the broker sent is no list of bars, so nothing of it was cached.",
    next: "run it again, and report it if it happens twice",
  },
  PF_IBKR_PACING: {
    exit: 4,
    means: "The broker limits how often it may be asked.",
    next: "wait ten minutes and run it again; what was fetched is not asked for twice",
  },

  PF_WORKER_STEP_LIMIT: {
    exit: 4,
    means: "Something that was waited for never came, and what was begun is gone on with at the next try.",
    next: "look at TWS and at the network",
  },
  PF_QUEUE_UNREACHABLE: {
    exit: 4,
    means: "Without its queue nothing was handed to any worker, and nothing was computed.",
    next: "start Redis there (redis-server), correct research.queue, or set research.executor to threads",
  },
  PF_QUEUE_REFUSED: {
    exit: 4,
    means: "Redis is there and does not let us work.",
    next: "correct research.queue, or the rights of its user",
  },
  PF_QUEUE_LOST: {
    exit: 4,
    means: "Nothing was reported; what `pf permute` had received is kept.",
    next: "start Redis again and repeat the command, `pf permute` with --resume",
  },
  PF_QUEUE_OTHER_CODE: {
    exit: 4,
    means: "Versions never share work, because their results could differ.",
    next: "run the same version everywhere; see the workers' with `pf queue status`",
  },

  // 5: blocked by compliance or risk
  PF_IBKR_MARKET_CLOSED: {
    exit: 5,
    means: "An order sent now would be executed at the next opening, so none was sent.",
    next: "run it while the market is open",
  },
  PF_STATE_LOCKED: {
    exit: 5,
    means: "An account is traded by one process at a time, so this one did nothing.",
    next: "wait until the other process is done",
  },
  PF_CLOCK_BACKWARDS: {
    exit: 5,
    means: "With a wrong clock nobody knows which session it is, so nothing was traded.",
    next: "set the clock right",
  },
  PF_CLOCK_SKEW: {
    exit: 5,
    means: "With a wrong clock orders could go out at the wrong time, so nothing was sent.",
    next: "set the clock right; against a simulator add --clock broker",
  },
  PF_BLOCKED: {
    exit: 5,
    means: "Nothing was sent.",
    next: "see what the checks say; the next session plans anew",
  },
  PF_PARTLY_FILLED: {
    exit: 5,
    means: "What was filled is booked; what was not is cancelled, and trading goes on.",
    next: "nothing needs to be done: the next session plans what is missing anew",
  },
  PF_FRACTIONAL_REFUSED: {
    exit: 5,
    means: "Nothing is wrong with the account: this broker takes whole shares only.",
    next: "set execution.quantity to auto or whole",
  },
  PF_PLAN_NOT_APPROVED: {
    exit: 5,
    means: "Nothing was sent.",
    next: "run `pf trade` again, so that a plan is made and reviewed",
  },

  // 6: halted
  PF_REPLAY_HALTED: {
    exit: 6,
    means: "From then on nothing was traded, as nothing would be until somebody resumed it.",
    next: "see the session's checks with `pf replay --json`, and replay from the session after",
  },
  PF_HALTED: {
    exit: 6,
    means: "Nothing more is sent until somebody has looked at the account and said so.",
    next: "look at the account in TWS, then run `pf resume` with a reason",
  },

  // 7: cannot write
  PF_WIRE_LOG: {
    exit: 7,
    means: "A simulator that was told to record does not run unrecorded.",
    next: "choose a file in a folder that exists and that you may write to",
  },
  PF_CANNOT_WRITE: {
    exit: 7,
    means: "No half-written file was left behind.",
    next: "free some space, or choose a folder you may write to with --out or --data-dir",
  },
  PF_QUEUE_FULL: {
    exit: 7,
    means: "Nothing was reported; what `pf permute` had received is kept.",
    next: "raise maxmemory of this Redis, or remove what else is in it, and repeat the command",
  },

  // 130: interrupted
  PF_RUN_CANCELLED: {
    exit: 130,
    means: "Somebody ended it with `pf queue cancel`; nothing was reported.",
    next: "repeat the command to go on (`pf permute` with --resume): what was finished is kept for a day",
  },
  PF_INTERRUPTED: {
    exit: 130,
    means: "Finished files are whole, and no half-written file was left behind.",
    next: "run it again; what was fetched is not asked for twice",
  },
};

/** What the operating system says when a disk is full or a folder may not be written to. */
const cannotWrite = new Set(["ENOSPC", "EDQUOT", "EROFS"]);

/**
 * Turns anything thrown into a {@link Failure}. An error without a code of ours is a bug of ours, `PF_BUG`, exit 1; only
 * a full or read-only disk is recognised by the system's own codes, since any write may meet it.
 */
export function describeFailure(thrown: unknown): Failure {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  const facts = error as Error & { code?: unknown; next?: unknown; means?: unknown };
  const known = typeof facts.code === "string" ? failures[facts.code] : undefined;
  if (facts.code === "PF_UNIT_FAILED" && error.cause !== undefined) return describeUnitFailure(error);
  if (known && typeof facts.code === "string") {
    return {
      code: facts.code,
      exit: known.exit,
      message: error.message,
      means: typeof facts.means === "string" ? facts.means : known.means,
      next: typeof facts.next === "string" ? facts.next : (placeInUserModule(error) ?? known.next),
      details: factsOf(error),
    };
  }
  if (typeof facts.code === "string" && cannotWrite.has(facts.code)) {
    const entry = failures.PF_CANNOT_WRITE!;
    return { code: "PF_CANNOT_WRITE", ...entry, message: error.message, details: factsOf(error) };
  }
  if (error.name === "AbortError") return describeFailure(new InterruptedError({ cause: error }));
  const bug = failures.PF_BUG!;
  return { code: "PF_BUG", ...bug, message: `unexpected ${error.name}: ${error.message}`, details: {} };
}

/** Where in a file of the user's own it was thrown; such files are loaded with a hash behind their names. */
function placeInUserModule({ cause }: Error): string | undefined {
  if (!(cause instanceof Error)) return undefined;
  const frame = /(file:\/\/[^\s()]+)\?[0-9a-f]{16}:(\d+):\d+/.exec(cause.stack ?? "");
  return frame ? `correct ${fileURLToPath(frame[1]!)}, line ${frame[2]}` : undefined;
}

/** A unit fails for a reason: it exits, and is to be helped, as the reason says, where that is known. */
function describeUnitFailure(error: Error): Failure {
  const entry = failures.PF_UNIT_FAILED!;
  const cause = describeFailure(error.cause);
  const { exit, means, next } = cause.code === "PF_BUG" ? entry : cause;
  const details = { ...factsOf(error), cause: cause.code };
  return { code: "PF_UNIT_FAILED", exit, message: error.message, means, next, details };
}

const notFacts = new Set(["name", "code", "message", "next", "means", "cause", "stack"]);

/** The part of a failure that documents carry, as the contract has it. */
export interface ErrorFields {
  readonly code: string;
  readonly message: string;
  readonly means: string;
  readonly next: string;
  readonly details: Readonly<Record<string, unknown>>;
}

export function errorFields({ code, message, means, next, details }: Failure): ErrorFields {
  return { code, message, means, next, details };
}

/** The exit code of a program that ends with an error of this code; 1 for a code nobody knows. */
export function exitCodeOf(code: string): ExitCode {
  return failures[code]?.exit ?? 1;
}

/** The readonly fields an error carries beside its name and texts. */
function factsOf(error: Error): Record<string, unknown> {
  return Object.fromEntries(Object.entries(error).filter(([key]) => !notFacts.has(key)));
}
