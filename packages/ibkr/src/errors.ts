import type { CodeKind } from "./session/codes.js";

const apiSettings =
  "in TWS: File > Global Configuration > API > Settings (in IB Gateway: Configure > Settings > API)";

/** Options that cannot be meant: caught before anything is connected. */
export class IbkrOptionsError extends Error {
  override readonly name = "IbkrOptionsError";
  readonly code = "PF_IBKR_OPTIONS";
  readonly next = "correct the ibkr settings of the configuration";
  constructor(
    readonly option: string,
    readonly why: string,
  ) {
    super(`ibkr ${option} ${why}`);
  }
}

/** Nobody answers at the address. */
export class UnreachableError extends Error {
  override readonly name = "UnreachableError";
  readonly code = "PF_IBKR_UNREACHABLE";
  readonly next =
    `start TWS or IB Gateway and log in; then, ${apiSettings}, tick "Enable ActiveX and Socket Clients" and compare ` +
    `"Socket port" with the port above (TWS: paper 7497, live 7496; Gateway: paper 4002, live 4001)`;
  constructor(
    readonly host: string,
    readonly port: number,
    readonly why: string,
    options?: ErrorOptions,
  ) {
    super(`cannot reach TWS at ${host}:${port}: ${why}`, options);
  }
}

/** The port takes the connection and then says nothing. */
export class SilentServerError extends Error {
  override readonly name = "SilentServerError";
  readonly code = "PF_IBKR_SILENT";
  readonly next =
    `look for a window of TWS that asks to accept the incoming connection, and accept it; ${apiSettings}, add this ` +
    `machine to "Trusted IPs"; if there is no such window, restart TWS`;
  constructor(
    readonly host: string,
    readonly port: number,
    readonly waitedMs: number,
  ) {
    super(`${host}:${port} accepts connections but did not answer within ${waitedMs / 1000} s`);
  }
}

/** What answers at the port is not TWS. */
export class NotTwsError extends Error {
  override readonly name = "NotTwsError";
  readonly code = "PF_IBKR_NOT_TWS";
  readonly next =
    `another program listens at this port; ${apiSettings}, read the "Socket port" and set ibkr.port to it`;
  constructor(
    readonly host: string,
    readonly port: number,
    readonly speaks: string,
  ) {
    super(`what listens at ${host}:${port} is not TWS: it ${speaks}`);
  }
}

/** No version of the protocol that both sides know. */
export class ServerVersionError extends Error {
  override readonly name = "ServerVersionError";
  readonly code = "PF_IBKR_VERSION";
  readonly next: string;
  constructor(
    readonly host: string,
    readonly port: number,
    readonly version: number,
    readonly oldest: number,
    readonly newest: number,
  ) {
    super(
      `${host}:${port} speaks version ${version} of the TWS protocol; this program knows ${oldest} to ${newest}`,
    );
    this.next =
      version < oldest
        ? "update TWS or IB Gateway to a current release (Help > About shows the one that runs)"
        : "update this program, or run a release of TWS or IB Gateway that still speaks an older version";
  }
}

/** Another program, or a connection that is not yet forgotten, has the client id. */
export class ClientIdTakenError extends Error {
  override readonly name = "ClientIdTakenError";
  readonly code = "PF_IBKR_CLIENT_ID";
  readonly next =
    "stop the other program that uses this client id, or give this one its own with ibkr.client_id; " +
    "after a dropped connection TWS keeps the id for some seconds";
  constructor(
    readonly clientId: number,
    readonly triedMs: number,
  ) {
    super(`client id ${clientId} is in use at TWS, and still was after ${Math.round(triedMs / 1000)} s`);
  }
}

/** The handshake began and was not finished. */
export class HandshakeError extends Error {
  override readonly name = "HandshakeError";
  readonly code = "PF_IBKR_HANDSHAKE";
  readonly next =
    `wait until TWS has finished logging in; ${apiSettings}, check that this machine is among the "Trusted IPs"; ` +
    "restart TWS if it goes on";
  constructor(
    readonly host: string,
    readonly port: number,
    readonly why: string,
  ) {
    super(`TWS at ${host}:${port} ${why}`);
  }
}

/** The session at the other end does not manage the account that was asked for. */
export class AccountNotManagedError extends Error {
  override readonly name = "AccountNotManagedError";
  readonly code = "PF_IBKR_ACCOUNT";
  readonly next =
    "log in to TWS with the user of this account (paper trading has a user of its own), or correct the account id in the configuration";
  constructor(
    readonly account: string,
    readonly managed: readonly string[],
  ) {
    super(
      managed.length === 0
        ? `TWS manages no account, so not ${account} either`
        : `TWS manages ${managed.join(", ")}, not ${account}`,
    );
  }
}

/** A paper account where real money was asked for, or the reverse. */
export class AccountModeError extends Error {
  override readonly name = "AccountModeError";
  readonly code = "PF_IBKR_ACCOUNT_MODE";
  readonly next =
    "paper accounts begin with DU: set ibkr.account_paper to one; ibkr.account_live is for the others";
  constructor(
    readonly account: string,
    readonly mode: "paper" | "live",
  ) {
    super(
      mode === "paper"
        ? `${account} is not a paper account, and the mode is paper`
        : `${account} is a paper account, and the mode is live`,
    );
  }
}

/** The account does not keep its books in US dollars. */
export class BaseCurrencyError extends Error {
  override readonly name = "BaseCurrencyError";
  readonly code = "PF_IBKR_CURRENCY";
  readonly next = "use an account whose base currency is USD; nothing here converts money";
  constructor(
    readonly account: string,
    readonly currency: string,
  ) {
    super(`the base currency of ${account} is ${currency}, not USD`);
  }
}

/** There is no connection to ask or to place through. Nothing is kept to be sent later. */
export class NotConnectedError extends Error {
  override readonly name = "NotConnectedError";
  readonly code = "PF_IBKR_NOT_CONNECTED";
  readonly next = "check that TWS runs and is logged in, and run it again; nothing was kept to be sent later";
  /** Whatever else would be asked of the broker fails in the same way: who fetches many symbols stops here. */
  readonly wholeSource = true;
  constructor(
    readonly what: string,
    readonly why: string,
    /** Whether the message had been handed to the socket before the connection ended. */
    readonly sent: boolean,
    options?: ErrorOptions,
  ) {
    super(`${what}: ${why}`, options);
  }
}

/** TWS did not answer a question. */
export class RequestTimeoutError extends Error {
  override readonly name = "RequestTimeoutError";
  readonly code = "PF_IBKR_TIMEOUT";
  readonly next = "check in TWS that its connection lamps are green, and run it again";
  constructor(
    readonly what: string,
    readonly waitedMs: number,
  ) {
    super(`TWS did not answer within ${waitedMs / 1000} s: ${what}`);
  }
}

/** TWS answered a question with an error. */
export class RequestRefusedError extends Error {
  override readonly name = "RequestRefusedError";
  readonly code = "PF_IBKR_REFUSED";
  readonly next: string;
  constructor(
    readonly what: string,
    readonly brokerCode: number,
    readonly brokerMessage: string,
    readonly kind: CodeKind,
  ) {
    super(`TWS refused ${what}: ${brokerCode} ${brokerMessage}`);
    this.next =
      kind === "transient"
        ? "wait a minute and run it again"
        : "correct what the message names; codes are listed in the TWS API guide under Message Codes";
  }
}

/** The broker knows no such contract, or more than one. */
export class UnknownContractError extends Error {
  override readonly name = "UnknownContractError";
  readonly code = "PF_IBKR_UNKNOWN_SYMBOL";
  readonly next =
    "check the symbol (TWS finds it when typed into a watch list), or take it out of the universe";
  constructor(
    readonly symbol: string,
    readonly why: string,
  ) {
    super(`Interactive Brokers has no tradable ${symbol}: ${why}`);
  }
}

/** What the server sent breaks the protocol. */
export class ProtocolError extends Error {
  override readonly name = "ProtocolError";
  readonly code = "PF_IBKR_PROTOCOL";
  readonly next =
    "restart TWS; if it happens again, note the TWS build (Help > About) and report it with the message";
  constructor(
    readonly why: string,
    options?: ErrorOptions,
  ) {
    super(`TWS sent what the protocol does not allow: ${why}`, options);
  }
}

/** The market is not open for what was approved, or the approval is over. */
export class MarketClosedError extends Error {
  override readonly name = "MarketClosedError";
  readonly code = "PF_IBKR_MARKET_CLOSED";
  readonly next = "run it again within the trading window of the session; nothing was placed";
  constructor(
    readonly session: string,
    readonly serverUtcMs: number,
    readonly why: string,
  ) {
    super(`no order for ${session} can be placed: ${why}`);
  }
}

/** The API answers questions but takes no orders. */
export class ReadOnlyApiError extends Error {
  override readonly name = "ReadOnlyApiError";
  readonly code = "PF_IBKR_READ_ONLY";
  readonly next = `${apiSettings}, clear "Read-Only API"; nothing was placed`;
  constructor(readonly brokerMessage: string) {
    super("TWS is set to take no orders from programs (Read-Only API)");
  }
}

/** There are no prices to be had for a symbol. */
export class MarketDataError extends Error {
  override readonly name = "MarketDataError";
  readonly code = "PF_IBKR_MARKET_DATA";
  readonly next: string;
  constructor(
    readonly symbol: string,
    readonly brokerCode: number,
    readonly brokerMessage: string,
  ) {
    const [why, next] = marketDataWords(brokerCode);
    super(`no prices of ${symbol}: ${why} (${brokerCode})`);
    this.next = next;
  }
}

function marketDataWords(code: number): readonly [string, string] {
  if (code === 10197)
    return [
      "the same user is logged in elsewhere and gets the data there",
      "log the other session out (or restart TWS if there is none), and run it again",
    ];
  if (code === 10168 || code === 10186)
    return [
      "no live subscription, and delayed data is not enabled",
      "subscribe to the data in Client Portal > Settings > Market Data Subscriptions, or set ibkr.market_data: delayed",
    ];
  return [
    "the account has no subscription for live data of it",
    "set ibkr.market_data: delayed, or subscribe in Client Portal > Settings > Market Data Subscriptions",
  ];
}
