import type {
  Contract,
  Execution,
  NewOrder,
  OrderState,
  Position,
  VenueBar,
  WhatIf,
} from "../venue/venue.js";
import { encodedText, maxDouble, priceText, unsetInteger, unsetLong } from "./numbers.js";
import { since } from "./versions.js";

/** One message to a client, and what of it a scenario can ask for. */
export interface Reply {
  readonly name: ReplyName;
  readonly fields: readonly string[];
  /** Of the request or order it belongs to. */
  readonly id?: number;
  readonly symbol?: string;
  /** Of an order. */
  readonly status?: string;
  /** Of an error. */
  readonly code?: number;
}

/** The names of all messages to clients. */
export const replyNames = [
  "tickPrice",
  "tickSize",
  "orderStatus",
  "error",
  "openOrder",
  "updateAccountValue",
  "updatePortfolio",
  "updateAccountTime",
  "nextValidId",
  "contractDetails",
  "execDetails",
  "managedAccounts",
  "historicalData",
  "tickGeneric",
  "tickString",
  "currentTime",
  "contractDetailsEnd",
  "openOrderEnd",
  "accountDownloadEnd",
  "execDetailsEnd",
  "tickSnapshotEnd",
  "marketDataType",
  "commissionReport",
  "position",
  "positionEnd",
  "accountSummary",
  "accountSummaryEnd",
  "positionMulti",
  "positionMultiEnd",
  "accountUpdateMulti",
  "accountUpdateMultiEnd",
  "securityDefinitionOptionParameterEnd",
  "familyCodes",
  "symbolSamples",
  "mktDepthExchanges",
  "tickReqParams",
  "newsProviders",
  "headTimestamp",
  "marketRule",
  "pnl",
  "pnlSingle",
  "completedOrder",
  "completedOrdersEnd",
  "historicalSchedule",
  "userInfo",
  "serverVersion",
] as const;
type ReplyName = (typeof replyNames)[number];

type Written = string | number | boolean;

/** Numbers in their shortest decimal form, truth as 1 and 0. */
function fields(...values: readonly Written[]): readonly string[] {
  return values.map((value) =>
    typeof value === "boolean" ? (value ? "1" : "0") : typeof value === "number" ? priceText(value) : value,
  );
}

export const serverVersion = (version: number, connectionTime: string): Reply => ({
  name: "serverVersion",
  fields: fields(version, connectionTime),
});
export const nextValidId = (id: number): Reply => ({ name: "nextValidId", fields: fields(9, 1, id), id });
export const managedAccounts = (accounts: readonly string[]): Reply => ({
  name: "managedAccounts",
  fields: fields(15, 1, accounts.join(",")),
});
export const currentTime = (utcMs: number): Reply => ({
  name: "currentTime",
  fields: fields(49, 1, Math.floor(utcMs / 1000)),
});

/** @param id - of the request or order; -1 for none */
export function error(version: number, id: number, code: number, text: string): Reply {
  const rest = version >= since.advancedReject ? [""] : [];
  return { name: "error", fields: fields(4, 2, id, code, encodedText(text), ...rest), id, code };
}

export const accountSummary = (
  id: number,
  account: string,
  tag: string,
  value: string,
  currency: string,
): Reply => ({
  name: "accountSummary",
  fields: fields(63, 1, id, account, tag, value, currency),
  id,
});
export const accountSummaryEnd = (id: number): Reply => ({
  name: "accountSummaryEnd",
  fields: fields(64, 1, id),
  id,
});

export function position(account: string, contract: Contract, held: Position): Reply {
  return {
    name: "position",
    fields: fields(61, 3, account, ...heldFields(contract), held.quantity, held.averageCost),
    symbol: contract.symbol,
  };
}
export const positionEnd: Reply = { name: "positionEnd", fields: ["62", "1"] };

export function positionMulti(
  id: number,
  account: string,
  contract: Contract,
  held: Position,
  model: string,
): Reply {
  return {
    name: "positionMulti",
    fields: fields(71, 1, id, account, ...heldFields(contract), held.quantity, held.averageCost, model),
    id,
    symbol: contract.symbol,
  };
}
export const positionMultiEnd = (id: number): Reply => ({
  name: "positionMultiEnd",
  fields: fields(72, 1, id),
  id,
});

/** As positions name it: at the primary exchange. */
function heldFields(contract: Contract): readonly Written[] {
  const { conId, symbol, secType, primaryExchange, currency, tradingClass } = contract;
  return [conId, symbol, secType, "", "0.0", "", "", primaryExchange, currency, symbol, tradingClass];
}

/** Trading and liquid hours as {@link hoursText} writes them. */
export interface Hours {
  readonly trading: string;
  readonly liquid: string;
}

const validExchanges =
  "SMART,AMEX,NYSE,CBOE,PHLX,ISE,CHX,ARCA,NASDAQ,DRCTEDGE,BEX,BATS,EDGEA,BYX,IEX,EDGX,FOXRIVER,PEARL,NYSENAT,LTSE,MEMX,PSX";
const orderTypes =
  "ACTIVETIM,AD,ADDONT,ADJUST,ALERT,ALGO,ALLOC,AON,AVGCOST,BASKET,CASHQTY,COND,CONDORDER,DAY,DEACT,DEACTDIS,DEACTEOD,DIS,FOK,GAT,GTC,GTD,GTT,HID,IOC,LIT,LMT,LOC,MIT,MKT,MOC,NGCOMB,NONALGO,OCA,PEGBENCH,SCALE,SCALERST,SNAPMID,SNAPMKT,SNAPREL,STP,STPLMT,TRAIL,TRAILLIT,TRAILLMT,TRAILMIT,WHATIF";

export function contractDetails(version: number, id: number, contract: Contract, hours: Hours): Reply {
  const exchanges = validExchanges.split(",");
  const written: Written[] = [10];
  if (version < since.sizeRules) written.push(8);
  written.push(id, contract.symbol, contract.secType, "");
  if (version >= since.lastTradeDate) written.push("");
  written.push(
    0,
    "",
    "SMART",
    contract.currency,
    contract.symbol,
    contract.marketName,
    contract.tradingClass,
  );
  written.push(contract.conId, contract.minTick);
  if (version < since.sizeRules) written.push(100);
  written.push(
    "",
    orderTypes,
    validExchanges,
    1,
    0,
    encodedText(contract.longName),
    contract.primaryExchange,
  );
  written.push("", "", "", "", "US/Eastern", hours.trading, hours.liquid, "", "");
  written.push(0); // other ids
  written.push(1, "", "", exchanges.map(() => "26").join(","), "", contract.stockType);
  if (version >= since.fractionalSizes && version < since.sizeRules) written.push(contract.sizeIncrement);
  if (version >= since.sizeRules)
    written.push(contract.minSize, contract.sizeIncrement, contract.suggestedSizeIncrement);
  if (version >= since.ineligibilityReasons) written.push(0);
  return { name: "contractDetails", fields: fields(...written), id, symbol: contract.symbol };
}
export const contractDetailsEnd = (id: number): Reply => ({
  name: "contractDetailsEnd",
  fields: fields(52, 1, id),
  id,
});

/** @param dateOf - the date of a bar as the version and the request want it */
export function historicalData(
  id: number,
  symbol: string,
  start: string,
  end: string,
  bars: readonly VenueBar[],
  dateOf: (bar: VenueBar) => string,
): Reply {
  const written: string[] = ["17", String(id), start, end, String(bars.length)];
  for (const bar of bars) {
    written.push(
      dateOf(bar),
      priceText(bar.open),
      priceText(bar.high),
      priceText(bar.low),
      priceText(bar.close),
    );
    written.push(priceText(bar.volume), priceText(bar.wap), priceText(bar.count));
  }
  return { name: "historicalData", fields: written, id, symbol };
}

/** A session of a calendar that was asked for as history. Times as text. */
export interface ScheduledSession {
  readonly start: string;
  readonly end: string;
  readonly date: string;
}

export function historicalSchedule(
  id: number,
  symbol: string,
  start: string,
  end: string,
  sessions: readonly ScheduledSession[],
): Reply {
  return {
    name: "historicalSchedule",
    fields: fields(
      106,
      id,
      start,
      end,
      "US/Eastern",
      sessions.length,
      ...sessions.flatMap((one) => [one.start, one.end, one.date]),
    ),
    id,
    symbol,
  };
}
export const headTimestamp = (id: number, time: string): Reply => ({
  name: "headTimestamp",
  fields: fields(88, id, time),
  id,
});

export const marketDataType = (id: number, type: number): Reply => ({
  name: "marketDataType",
  fields: fields(58, 1, id, type),
  id,
});
export const tickReqParams = (id: number, minTick: number): Reply => ({
  name: "tickReqParams",
  fields: fields(81, id, minTick, "9c0001", 3),
  id,
});
export const tickPrice = (id: number, symbol: string, type: number, price: number, size: number): Reply => ({
  name: "tickPrice",
  // Only a live bid or ask can be taken by an order at once.
  fields: fields(1, 6, id, type, price, size, type === 1 || type === 2),
  id,
  symbol,
});
export const tickSize = (id: number, symbol: string, type: number, size: number): Reply => ({
  name: "tickSize",
  fields: fields(2, 6, id, type, size),
  id,
  symbol,
});
export const tickString = (id: number, symbol: string, type: number, value: string): Reply => ({
  name: "tickString",
  fields: fields(46, 6, id, type, value),
  id,
  symbol,
});
export const tickSnapshotEnd = (id: number): Reply => ({
  name: "tickSnapshotEnd",
  fields: fields(57, 1, id),
  id,
});

/** @param orderId - as this client knows the order: 0 for one that was typed into the terminal */
export function orderStatus(state: OrderState, orderId: number, symbol: string): Reply {
  const { order, permId, status, filled, remaining, averagePrice, lastPrice } = state;
  return {
    name: "orderStatus",
    fields: fields(
      3,
      orderId,
      status,
      filled,
      remaining,
      averagePrice,
      permId,
      0,
      lastPrice,
      order.clientId,
      "", // why it is held: only short sales wait for shares
      0,
    ),
    id: orderId,
    symbol,
    status,
  };
}

export function openOrder(
  version: number,
  state: OrderState,
  orderId: number,
  contract: Contract,
  whatIf?: WhatIf,
): Reply {
  const { order, permId } = state;
  const written: Written[] = [5, orderId];
  written.push(...orderHead(order, contract), order.clientId, permId);
  written.push(order.outsideRth, 0, 0, "", `${permId}.0/${order.account}/100`);
  written.push(...advisorFields(version), "", "", "", "", "", 0, "", -1, 0);
  written.push("", "", "", "", "", unsetInteger, 0, 0, 0, "", 3, 0, 0, "", 0, 0);
  written.push("", 0, "None", "", 0, "", "", "", "?", 0, 0, "", 0, 0);
  written.push("", "", "", "", "", 0, 0, 0, unsetInteger, unsetInteger, "", "", 0, "", "IB", 0, 0, "", 0);
  written.push(whatIf !== undefined, whatIf ? "PreSubmitted" : state.status, ...marginFields(whatIf));
  written.push(0, 0, 0, "None", maxDouble, maxDouble, maxDouble, maxDouble, maxDouble, maxDouble, 0);
  written.push("", "", "", order.cashQuantity || 0, 1, 0, 0, 0);
  if (version >= since.duration) written.push("");
  if (version >= since.postToAts) written.push("");
  if (version >= since.autoCancelParent) written.push(0);
  if (version >= since.pegBestPegMid) written.push("", "", "", "", "");
  if (version >= since.customerAccount) written.push("");
  if (version >= since.professionalCustomer) written.push(0);
  if (version >= since.bondAccruedInterest) written.push("");
  if (version >= since.includeOvernight) written.push(0);
  if (version >= since.cmeTaggingInOpenOrder) written.push("", unsetInteger);
  return {
    name: "openOrder",
    fields: fields(...written),
    id: orderId,
    symbol: contract.symbol,
    status: whatIf ? "PreSubmitted" : state.status,
  };
}
export const openOrderEnd: Reply = { name: "openOrderEnd", fields: ["53", "1"] };

/** Contract and order up to the reference, as open and completed orders begin. */
function orderHead(order: NewOrder, contract: Contract): readonly Written[] {
  const { conId, symbol, secType, currency, tradingClass } = contract;
  return [
    ...[conId, symbol, secType, "", 0, "?", "", "SMART", currency, symbol, tradingClass],
    ...[
      order.action,
      order.quantity,
      order.orderType,
      doubleText(order.limit ?? 0),
      doubleText(order.auxPrice ?? 0),
      order.tif,
    ],
    ...["", order.account, "", 0, order.orderRef],
  ];
}

/** As TWS writes the prices of orders: always with a point. */
function doubleText(price: number): string {
  return Number.isInteger(price) ? `${price}.0` : priceText(price);
}

const shareholder = "Not an insider or substantial shareholder";

function advisorFields(version: number): readonly Written[] {
  return version < since.noFaProfile ? ["", "", "", ""] : ["", "", ""];
}

/** Nine margins, commission, its least and most, its currency, a warning. */
function marginFields(whatIf: WhatIf | undefined): readonly Written[] {
  if (!whatIf) return [...Array.from({ length: 9 }, () => maxDouble), "", "", "", "", ""];
  const { initMarginBefore, initMarginAfter, equityWithLoanBefore, equityWithLoanAfter, commission } = whatIf;
  const money = (value: number) => value.toFixed(2);
  return [
    ...[money(initMarginBefore), money(initMarginBefore), money(equityWithLoanBefore)],
    ...[money(initMarginAfter - initMarginBefore), money(initMarginAfter - initMarginBefore)],
    money(equityWithLoanAfter - equityWithLoanBefore),
    ...[money(initMarginAfter), money(initMarginAfter), money(equityWithLoanAfter)],
    ...[commission === undefined ? maxDouble : priceText(commission), maxDouble, maxDouble, "USD", ""],
  ];
}

/** A finished order: its quantity is what was left of it, and at which price it was filled is not said. */
export function completedOrder(version: number, state: OrderState, contract: Contract, time: string): Reply {
  const { order, permId } = state;
  const written: Written[] = [101];
  written.push(...orderHead({ ...order, quantity: state.remaining }, contract), permId);
  written.push(order.outsideRth, 0, 0, "", ...advisorFields(version), "", "", "", "", "", 0, "", -1);
  written.push("", "", "", "", "", unsetInteger, 0, 0, "", 3, 0);
  written.push("", 0, "None", "", 0, 0, 0, "", 0, 0);
  written.push("", "", "", 0, 0, 0, unsetInteger, unsetInteger, "", "", "", "IB", 0, 0, "", 0);
  written.push(state.status, 0, 0, 0, maxDouble, maxDouble, order.cashQuantity || 0, 1, 0);
  written.push("", state.filled, unsetInteger, 0, shareholder, 0, 0, unsetLong, time, state.completedStatus);
  if (version >= since.pegBestPegMid) written.push("", "", "", "", "");
  if (version >= since.customerAccount) written.push("");
  if (version >= since.professionalCustomer) written.push(0);
  return {
    name: "completedOrder",
    fields: fields(...written),
    symbol: contract.symbol,
    status: state.status,
  };
}
export const completedOrdersEnd: Reply = { name: "completedOrdersEnd", fields: ["102"] };

/** @param reqId - of the request it answers; -1 when it comes by itself */
export function execDetails(
  version: number,
  reqId: number,
  execution: Execution,
  orderId: number,
  contract: Contract,
  time: string,
): Reply {
  const { order, permId } = execution.order;
  const { conId, symbol, secType, currency, tradingClass } = contract;
  const written: Written[] = [11, reqId, orderId];
  written.push(conId, symbol, secType, "", "0.0", "", "", execution.exchange, currency, symbol, tradingClass);
  written.push(execution.execId, time, order.account, execution.exchange, execution.side);
  written.push(
    execution.shares,
    execution.price,
    permId,
    order.clientId,
    0,
    execution.cumulative,
    execution.averagePrice,
  );
  written.push(order.orderRef, "", "", "", 2);
  if (version >= since.pendingPriceRevision) written.push(0);
  return { name: "execDetails", fields: fields(...written), id: orderId, symbol };
}
export const execDetailsEnd = (id: number): Reply => ({
  name: "execDetailsEnd",
  fields: fields(55, 1, id),
  id,
});

export function commissionReport(execution: Execution, symbol: string): Reply {
  const { execId, commission, realizedPnl } = execution;
  return {
    name: "commissionReport",
    fields: fields(59, 1, execId, commission, "USD", realizedPnl ?? maxDouble, maxDouble, ""),
    id: execution.order.order.orderId,
    symbol,
  };
}

export const updateAccountValue = (key: string, value: string, currency: string, account: string): Reply => ({
  name: "updateAccountValue",
  fields: fields(6, 2, key, value, currency, account),
});

/** Dollars; what a holding is worth. */
export interface Valued {
  readonly price: number;
  readonly value: number;
  readonly unrealized: number;
}

export function updatePortfolio(account: string, contract: Contract, held: Position, valued: Valued): Reply {
  const { conId, symbol, secType, primaryExchange, currency, tradingClass } = contract;
  return {
    name: "updatePortfolio",
    fields: fields(
      ...[7, 8, conId, symbol, secType, "", "0.0", "0", "", primaryExchange, currency, symbol, tradingClass],
      ...[
        held.quantity,
        valued.price,
        valued.value.toFixed(2),
        held.averageCost,
        valued.unrealized.toFixed(2),
        "0.0",
        account,
      ],
    ),
    symbol,
  };
}
export const updateAccountTime = (time: string): Reply => ({
  name: "updateAccountTime",
  fields: fields(8, 1, time),
});
export const accountDownloadEnd = (account: string): Reply => ({
  name: "accountDownloadEnd",
  fields: fields(54, 1, account),
});
export const accountUpdateMulti = (
  id: number,
  account: string,
  model: string,
  key: string,
  value: string,
  currency: string,
): Reply => ({
  name: "accountUpdateMulti",
  fields: fields(73, 1, id, account, model, key, value, currency),
  id,
});
export const accountUpdateMultiEnd = (id: number): Reply => ({
  name: "accountUpdateMultiEnd",
  fields: fields(74, 1, id),
  id,
});

export const pnl = (id: number, daily: number, unrealized: number, realized: number): Reply => ({
  name: "pnl",
  fields: fields(94, id, daily, unrealized, realized),
  id,
});
export const pnlSingle = (id: number, quantity: string, unrealized: number, value: number): Reply => ({
  name: "pnlSingle",
  fields: fields(95, id, quantity, 0, unrealized, 0, value),
  id,
});

export const marketRule = (id: number, minTick: number): Reply => ({
  name: "marketRule",
  fields: fields(93, id, 1, 0, minTick),
  id,
});

export function symbolSamples(version: number, id: number, contracts: readonly Contract[]): Reply {
  const described = contracts.flatMap((one): readonly Written[] => [
    ...[one.conId, one.symbol, one.secType, one.primaryExchange, one.currency, 0],
    ...(version >= since.bondIssuerId ? [encodedText(one.longName), ""] : []),
  ]);
  return { name: "symbolSamples", fields: fields(79, id, contracts.length, ...described), id };
}

export const securityDefinitionOptionParameterEnd = (id: number): Reply => ({
  name: "securityDefinitionOptionParameterEnd",
  fields: fields(76, id),
  id,
});
export const userInfo = (id: number): Reply => ({ name: "userInfo", fields: fields(107, id, ""), id });
export const familyCodes = (accounts: readonly string[]): Reply => ({
  name: "familyCodes",
  fields: fields(78, accounts.length, ...accounts.flatMap((account) => [account, ""])),
});
export const newsProviders: Reply = { name: "newsProviders", fields: ["85", "0"] };
export const mktDepthExchanges: Reply = { name: "mktDepthExchanges", fields: ["80", "0"] };
