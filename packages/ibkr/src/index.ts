export type { ContractInfo } from "./account/contracts.js";
export { type LiquidHours, openAt, parseLiquidHours } from "./account/hours.js";
export type { Position } from "./account/positions.js";
export type { AccountSummary } from "./account/summary.js";
export {
  AccountModeError,
  AccountNotManagedError,
  BaseCurrencyError,
  ClientIdTakenError,
  HandshakeError,
  IbkrOptionsError,
  MarketClosedError,
  MarketDataError,
  NotConnectedError,
  NotTwsError,
  ProtocolError,
  ReadOnlyApiError,
  RequestRefusedError,
  RequestTimeoutError,
  ServerVersionError,
  SilentServerError,
  UnknownContractError,
  UnreachableError,
} from "./errors.js";
export type { History } from "./history/bars.js";
export type { HistoryClient, HistoryRules, WantedBars } from "./history/client.js";
export {
  type BrokerWords,
  HistoryAnswerError,
  HistoryPacingError,
  HistoryPermissionError,
  HistoryRefusedError,
  HistoryTimeoutError,
  NoHistoryError,
} from "./history/errors.js";
export { barSourceOf, historyOf } from "./history/open.js";
export { provenanceOf, simulatedMarketOf } from "./history/provenance.js";
export type { BarSize, HistoryRequest, PriceHistory, WantedHistory } from "./history/request.js";
export { planHistory } from "./history/request.js";
export type { BrokerBarSource, SourcedBars } from "./history/source.js";
export type { Findings, ListedOrder } from "./orders/desk.js";
export type { ExecutionFact, OrderMessage } from "./orders/messages.js";
export type { OrderTerms, OrderTimes } from "./orders/place.js";
export {
  type Appearance,
  appearanceOf,
  emptyBook,
  executionRoot,
  filledQuantity,
  fillsOf,
  type OrderBook,
  type OrderRecord,
  reduce,
} from "./orders/reduce.js";
export type { Standing } from "./orders/standing.js";
export type { FractionalCapability, WhatIf } from "./orders/whatIf.js";
export type { Feed, Quote, QuoteDoubt, QuoteRules, QuoteSheet } from "./quotes/quotes.js";
export { type Clock, systemTimers, type Timers } from "./session/clock.js";
export { type CodeKind, classifyCode, type Refusal, refusalOf } from "./session/codes.js";
export {
  connectIbkr,
  type IbkrOptions,
  type IbkrSession,
  type PlaceOptions,
  type ServerTime,
} from "./session/connect.js";
export type { ConnectionState, ReconnectRules } from "./session/connection.js";
export type { BrokerMessage } from "./session/link.js";
export { askReadOnly } from "./session/readOnly.js";
