import type { Ticker } from "@pf/market";
import type { PriceHistory } from "./request.js";

/** The broker's own words behind a refusal, for the log and for searching. */
export interface BrokerWords {
  readonly code: number;
  readonly message: string;
}

/** The broker knows the contract and has no bars of it in the span. */
export class NoHistoryError extends Error {
  override readonly name = "NoHistoryError";
  readonly code = "PF_IBKR_NO_HISTORY";
  readonly next = "check the dates; a fund younger than the span has no earlier bars";
  constructor(
    readonly symbol: Ticker,
    readonly broker: BrokerWords,
  ) {
    super(`Interactive Brokers has no bars of ${symbol} in the span asked for (${inBrackets(broker)})`);
  }
}

/** The user may not see this market's data: no subscription, or not on this session. */
export class HistoryPermissionError extends Error {
  override readonly name = "HistoryPermissionError";
  readonly code = "PF_IBKR_HISTORY_PERMISSION";
  readonly next: string;
  constructor(
    readonly symbol: Ticker,
    readonly broker: BrokerWords,
  ) {
    const elsewhere = isSessionElsewhere(broker);
    super(
      elsewhere
        ? `Interactive Brokers gives no data for ${symbol} while the same user is logged in elsewhere (${inBrackets(broker)})`
        : `this user has no market data permission for ${symbol} (${inBrackets(broker)})`,
    );
    this.next = elsewhere
      ? "log the user out of the other TWS, phone or web session, and run it again"
      : "in Client Portal under Settings > Market Data Subscriptions subscribe to US stocks and ETFs (paper: share the live user's), then restart TWS; or use --source csv";
  }
}

/** The broker kept on saying that it is asked too much (error 162, pacing violation). */
export class HistoryPacingError extends Error {
  override readonly name = "HistoryPacingError";
  readonly code = "PF_IBKR_PACING";
  readonly next = "wait ten minutes and run it again; what was fetched is not asked for twice";
  constructor(
    readonly symbol: Ticker,
    readonly attempts: number,
    readonly broker: BrokerWords,
  ) {
    super(
      `Interactive Brokers slowed us down ${times(attempts)} over ${symbol} and did not answer (${inBrackets(broker)})`,
    );
  }
}

/** The broker's historical service was away, or dropped the request each time. */
export class HistoryInterruptedError extends Error {
  override readonly name = "HistoryInterruptedError";
  readonly code = "PF_IBKR_HISTORY_INTERRUPTED";
  readonly next =
    "wait until the connection lamps in TWS are green (the nightly reset is over by 02:00 in New York), and run it again";
  constructor(
    readonly symbol: Ticker,
    readonly whatToShow: PriceHistory,
    readonly attempts: number,
    readonly broker: BrokerWords,
  ) {
    super(
      `the broker's historical service did not serve ${symbol} (${whatToShow}), ${times(attempts)}: ${inBrackets(broker)}`,
    );
  }
}

/** A request that was never answered; it was cancelled. */
export class HistoryTimeoutError extends Error {
  override readonly name = "HistoryTimeoutError";
  readonly code = "PF_IBKR_HISTORY_TIMEOUT";
  readonly next = "run it again; if it stays so, look at the data farms at the bottom right of TWS";
  constructor(
    readonly symbol: Ticker,
    readonly whatToShow: PriceHistory,
    readonly seconds: number,
    readonly attempts: number,
    options?: ErrorOptions,
  ) {
    super(
      `no answer about ${symbol} (${whatToShow}) within ${seconds} seconds, ${times(attempts)}; the request was cancelled`,
      options,
    );
  }
}

/** The broker refused the request itself (321), or answered with a code that is not about data. */
export class HistoryRefusedError extends Error {
  override readonly name = "HistoryRefusedError";
  readonly code = "PF_IBKR_HISTORY_REFUSED";
  readonly next = "look the broker's code up in the TWS API message codes, and try again";
  constructor(
    readonly symbol: Ticker,
    readonly whatToShow: PriceHistory,
    readonly broker: BrokerWords,
  ) {
    super(`Interactive Brokers refused the request for ${symbol} (${whatToShow}): ${inBrackets(broker)}`);
  }
}

/** An answer that is no list of bars. */
export class HistoryAnswerError extends Error {
  override readonly name = "HistoryAnswerError";
  readonly code = "PF_IBKR_HISTORY_ANSWER";
  readonly next = "run it again, and report it if it happens twice";
  constructor(
    readonly symbol: Ticker,
    readonly date: string,
    readonly why: string,
  ) {
    super(`the broker's bar ${JSON.stringify(date)} of ${symbol} cannot be read: ${why}`);
  }
}

/** Code 10197, or a text of 162 that says the trading session is somewhere else. */
export function isSessionElsewhere({ code, message }: BrokerWords): boolean {
  return code === 10197 || /different IP|session .*(elsewhere|another)|competing/i.test(message);
}

export function inBrackets({ code, message }: BrokerWords): string {
  // The prefix says nothing that the sentence around it does not.
  const short = message.replace(/^Historical Market Data Service error message:\s*/i, "").trim();
  return `${code}: ${short === "" ? "no text" : short}`;
}

function times(count: number): string {
  return count === 1 ? "once" : count === 2 ? "twice" : `${count} times`;
}
