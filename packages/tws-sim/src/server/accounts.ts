import { newYorkTimeOf } from "@pf/market";
import type { AccountFigures, Position } from "../venue/venue.js";
import {
  accountDownloadEnd,
  accountSummary,
  accountSummaryEnd,
  accountUpdateMulti,
  accountUpdateMultiEnd,
  pnl,
  pnlSingle,
  position,
  positionEnd,
  positionMulti,
  positionMultiEnd,
  updateAccountTime,
  updateAccountValue,
  updatePortfolio,
} from "../wire/replies.js";
import type { Request } from "../wire/requests.js";
import type { Connection } from "./connection.js";
import type { Context } from "./context.js";

/** How often figures that changed are sent, simulated milliseconds. */
export const figuresPeriodMs = 180_000;

/** A figure by the name TWS has for it. */
interface Figure {
  readonly tag: string;
  readonly value: string;
  readonly currency: string;
}

export function answerSummary(
  context: Context,
  connection: Connection,
  request: Extract<Request, { name: "reqAccountSummary" }>,
): void {
  const { id, group, tags } = request;
  const refuse = (text: string): void =>
    context.sendError(connection, id, 322, `Error processing request.-'bP' : cause - ${text}`);
  if (connection.summaries.has(id)) {
    refuse("Duplicate request id");
    return;
  }
  if (connection.summaries.size >= 2) {
    refuse("Maximum number of account summary requests exceeded");
    return;
  }
  const { accounts } = context.venue;
  const wanted = group === "All" || group === "" ? accounts : accounts.filter((account) => account === group);
  if (wanted.length === 0) {
    context.sendError(connection, id, 321, `Error validating request.-'bP' : cause - Unknown group ${group}`);
    return;
  }
  connection.summaries.set(id, { accounts: wanted, tags, sent: new Map() });
  sendSummary(context, connection, id);
  context.send(connection, accountSummaryEnd(id));
}

/** Sends the figures of a summary that differ from what was sent before. */
function sendSummary(context: Context, connection: Connection, id: number): void {
  const summary = connection.summaries.get(id);
  if (!summary) return;
  for (const account of summary.accounts) {
    for (const { tag, value, currency } of wantedFigures(context, account, summary.tags)) {
      const key = `${account} ${tag} ${currency}`;
      if (summary.sent.get(key) === value) continue;
      summary.sent.set(key, value);
      context.send(connection, accountSummary(id, account, tag, value, currency));
    }
  }
}

/** What flows every three minutes to whoever subscribed. */
export function sendFigures(context: Context): void {
  for (const connection of context.started()) {
    for (const id of connection.summaries.keys()) sendSummary(context, connection, id);
    if (connection.accountUpdates !== undefined) sendAccount(context, connection, connection.accountUpdates);
  }
}

export function answerPositions(context: Context, connection: Connection): void {
  connection.wantsPositions = true;
  for (const account of context.venue.accounts) {
    for (const held of context.venue.positions(account))
      context.send(connection, position(account, context.contractOf(held.conId), held));
  }
  context.send(connection, positionEnd);
}

export function answerPositionsMulti(
  context: Context,
  connection: Connection,
  id: number,
  account: string,
  model: string,
): void {
  connection.positionsMulti.set(id, { account, model });
  for (const one of accountsNamed(context, account)) {
    for (const held of context.venue.positions(one))
      context.send(connection, positionMulti(id, one, context.contractOf(held.conId), held, model));
  }
  context.send(connection, positionMultiEnd(id));
}

/** Tells everybody who follows positions what one of them is now. */
export function sendPosition(context: Context, account: string, conId: number): void {
  const contract = context.contractOf(conId);
  const held = positionOf(context, account, conId);
  for (const connection of context.started()) {
    if (connection.wantsPositions) context.send(connection, position(account, contract, held));
    for (const [id, { account: wanted, model }] of connection.positionsMulti) {
      if (wanted === "" || wanted === account)
        context.send(connection, positionMulti(id, account, contract, held, model));
    }
    if (connection.accountUpdates === account) sendHolding(context, connection, account, held);
  }
}

export function answerAccountUpdates(
  context: Context,
  connection: Connection,
  subscribe: boolean,
  account: string,
): void {
  if (!subscribe) {
    connection.accountUpdates = undefined;
    return;
  }
  const one = account === "" ? context.venue.accounts[0]! : account;
  if (!context.venue.accounts.includes(one)) {
    context.sendError(
      connection,
      -1,
      321,
      `Error validating request.-'b3' : cause - Invalid account code '${account}'`,
    );
    return;
  }
  connection.accountUpdates = one;
  sendAccount(context, connection, one);
  context.send(connection, accountDownloadEnd(one));
}

export function answerAccountUpdatesMulti(
  context: Context,
  connection: Connection,
  id: number,
  account: string,
  model: string,
): void {
  for (const one of accountsNamed(context, account)) {
    for (const { tag, value, currency } of figuresOf(context, one))
      context.send(connection, accountUpdateMulti(id, one, model, tag, value, currency));
  }
  context.send(connection, accountUpdateMultiEnd(id));
}

export function answerPnl(context: Context, connection: Connection, id: number, account: string): void {
  const figures = context.venue.summary(accountsNamed(context, account)[0] ?? context.venue.accounts[0]!);
  const [unrealized, realized] = [Number(figures.unrealizedPnl), Number(figures.realizedPnl)];
  context.send(connection, pnl(id, unrealized + realized, unrealized, realized));
}

export function answerPnlSingle(
  context: Context,
  connection: Connection,
  id: number,
  account: string,
  conId: number,
): void {
  const one = accountsNamed(context, account)[0] ?? context.venue.accounts[0]!;
  const held = context.venue.positions(one).find((candidate) => candidate.conId === conId);
  if (!held) {
    context.sendError(
      connection,
      id,
      321,
      `Error validating request.-'cC' : cause - No position in ${conId}`,
    );
    return;
  }
  const { value, unrealized } = valued(context, held);
  context.send(connection, pnlSingle(id, held.quantity, unrealized, value));
}

function sendAccount(context: Context, connection: Connection, account: string): void {
  const figures = figuresOf(context, account);
  // Cash by currency is told here without being asked for; what has the same name once only.
  const ledger = ledgerOf(context.venue.summary(account)).filter(
    (one) => one.tag !== "Currency" && !figures.some(({ tag }) => tag === one.tag),
  );
  for (const { tag, value, currency } of [...figures, ...ledger])
    context.send(connection, updateAccountValue(tag, value, currency, account));
  for (const held of context.venue.positions(account)) sendHolding(context, connection, account, held);
  context.send(connection, updateAccountTime(newYorkTimeOf(context.now())));
}

function sendHolding(context: Context, connection: Connection, account: string, held: Position): void {
  context.send(
    connection,
    updatePortfolio(account, context.contractOf(held.conId), held, valued(context, held)),
  );
}

function valued(context: Context, held: Position): { price: number; value: number; unrealized: number } {
  const quote = context.venue.quote(held.conId, "live");
  const price = quote.last ?? quote.close ?? held.averageCost;
  const quantity = Number(held.quantity);
  return { price, value: quantity * price, unrealized: quantity * (price - held.averageCost) };
}

function positionOf(context: Context, account: string, conId: number): Position {
  const held = context.venue.positions(account).find((one) => one.conId === conId);
  return held ?? { conId, quantity: "0", averageCost: 0 };
}

function accountsNamed(context: Context, account: string): readonly string[] {
  const { accounts } = context.venue;
  return account === "" || account === "All" ? accounts : accounts.filter((one) => one === account);
}

function wantedFigures(context: Context, account: string, tags: readonly string[]): readonly Figure[] {
  const ledger = tags.some((tag) => tag.startsWith("$LEDGER"));
  const figures = figuresOf(context, account).filter(({ tag }) => tags.includes(tag));
  return ledger ? [...figures, ...ledgerOf(context.venue.summary(account))] : figures;
}

/** By name, in the order of the alphabet. */
function figuresOf(context: Context, account: string): readonly Figure[] {
  const figures = context.venue.summary(account);
  const dollars = (tag: string, value: string): Figure => ({ tag, value, currency: "USD" });
  const bare = (tag: string, value: string): Figure => ({ tag, value, currency: "" });
  const { netLiquidation, totalCashValue, settledCash, availableFunds, buyingPower, grossPositionValue } =
    figures;
  return [
    bare("AccountType", figures.accountType),
    dollars("AccruedCash", "0.00"),
    dollars("AvailableFunds", availableFunds),
    dollars("BuyingPower", buyingPower),
    bare("Cushion", Number(netLiquidation) > 0 ? "1" : "0"),
    dollars("EquityWithLoanValue", netLiquidation),
    dollars("ExcessLiquidity", availableFunds),
    dollars("FullAvailableFunds", availableFunds),
    dollars("FullExcessLiquidity", availableFunds),
    dollars("FullInitMarginReq", grossPositionValue),
    dollars("FullMaintMarginReq", grossPositionValue),
    dollars("GrossPositionValue", grossPositionValue),
    dollars("InitMarginReq", grossPositionValue),
    dollars("LookAheadAvailableFunds", availableFunds),
    dollars("LookAheadExcessLiquidity", availableFunds),
    dollars("LookAheadInitMarginReq", grossPositionValue),
    dollars("LookAheadMaintMarginReq", grossPositionValue),
    bare("LookAheadNextChange", "0"),
    dollars("MaintMarginReq", grossPositionValue),
    dollars("NetLiquidation", netLiquidation),
    dollars("PreviousDayEquityWithLoanValue", netLiquidation),
    dollars("RealizedPnL", figures.realizedPnl),
    dollars("SettledCash", settledCash),
    dollars("TotalCashValue", totalCashValue),
    dollars("UnrealizedPnL", figures.unrealizedPnl),
  ];
}

/** What the tag `$LEDGER` stands for, of the one currency there is. */
function ledgerOf(figures: AccountFigures): readonly Figure[] {
  const { totalCashValue, grossPositionValue, netLiquidation, realizedPnl, unrealizedPnl } = figures;
  return Object.entries({
    Currency: "USD",
    CashBalance: totalCashValue,
    TotalCashBalance: totalCashValue,
    AccruedCash: "0.00",
    StockMarketValue: grossPositionValue,
    NetLiquidationByCurrency: netLiquidation,
    UnrealizedPnL: unrealizedPnl,
    RealizedPnL: realizedPnl,
    ExchangeRate: "1.00",
  }).map(([tag, value]) => ({ tag, value, currency: "USD" }));
}
