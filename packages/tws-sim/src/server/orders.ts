import type { Contract, Execution, NewOrder, OrderState, VenueEvent } from "../venue/venue.js";
import type { PlaceOrder } from "../wire/placeOrder.js";
import {
  commissionReport,
  completedOrder,
  completedOrdersEnd,
  execDetails,
  execDetailsEnd,
  openOrder,
  openOrderEnd,
  orderStatus,
} from "../wire/replies.js";
import type { Request } from "../wire/requests.js";
import { instantText, parseInstant } from "../wire/times.js";
import { sendPosition } from "./accounts.js";
import type { Connection } from "./connection.js";
import type { Context } from "./context.js";
import { resolveContract } from "./contracts.js";

export function answerPlaceOrder(context: Context, connection: Connection, request: PlaceOrder): void {
  const { id } = request;
  const refuse = (code: number, text: string): void => context.sendError(connection, id, code, text);
  if (context.state.isReadOnly) {
    refuse(321, readOnlyText);
    return;
  }
  const contract = resolveContract(context, connection, id, request.contract);
  if (!contract) return;
  const problem = problemWith(context, request);
  if (problem) {
    refuse(problem.code, problem.text);
    return;
  }
  const order = newOrder(context, connection, request, contract);
  if (!request.whatIf) {
    context.venue.place(order);
    return;
  }

  const answer = context.venue.whatIf(order);
  if ("code" in answer) {
    refuse(answer.code, answer.message);
    return;
  }
  context.send(connection, openOrder(connection.version, stateOfWhatIf(order), id, contract, answer));
}

const readOnlyText =
  "Error validating request.-'bE' : cause - The API interface is currently in Read-Only mode.";

function problemWith(context: Context, request: PlaceOrder): { code: number; text: string } | undefined {
  const invalid = (cause: string) => ({
    code: 321,
    text: `Error validating request.-'bE' : cause - ${cause}`,
  });
  const { accounts } = context.venue;
  if (request.id < 0) return invalid("Invalid order id");
  if (request.account === "" && accounts.length > 1)
    return { code: 435, text: "You must specify an account." };
  if (request.account !== "" && !accounts.includes(request.account))
    return invalid(`Invalid account code '${request.account}'.`);
  if (request.action !== "BUY" && request.action !== "SELL") return invalid("Order side must be BUY or SELL");
  if (request.quantity !== "" && !(Number(request.quantity) > 0))
    return { code: 434, text: "The order size cannot be zero." };
  if (!/^\d{0,15}(\.\d{1,8})?$/.test(request.quantity)) return invalid("Invalid order quantity");
  if (request.quantity === "" && request.cashQuantity === "")
    return { code: 434, text: "The order size cannot be zero." };
  if (request.beyond.length > 0)
    return invalid(
      `This simulator does not know orders with ${request.beyond.join(", ")}, so it takes none of them`,
    );
  return undefined;
}

function newOrder(
  context: Context,
  connection: Connection,
  request: PlaceOrder,
  contract: Contract,
): NewOrder {
  const { orderType, limit, auxPrice, tif, outsideRth, orderRef, transmit } = request;
  return {
    clientId: connection.id,
    orderId: request.id,
    account: request.account === "" ? context.venue.accounts[0]! : request.account,
    conId: contract.conId,
    action: request.action as "BUY" | "SELL",
    quantity: request.quantity,
    orderType,
    // Many clients send a limit of 0 with market orders.
    limit: orderType === "MKT" ? undefined : limit,
    auxPrice: orderType === "MKT" || orderType === "LMT" ? undefined : auxPrice,
    tif,
    outsideRth,
    orderRef,
    transmit,
    cashQuantity: Number(request.cashQuantity) > 0 ? request.cashQuantity : "",
  };
}

function stateOfWhatIf(order: NewOrder): OrderState {
  return {
    ...{
      order,
      permId: "0",
      status: "PreSubmitted",
      filled: "0",
      remaining: order.quantity,
      averagePrice: 0,
      lastPrice: 0,
    },
    ...{ completedStatus: "", completedUtcMs: undefined },
  };
}

export function answerCancelOrder(context: Context, connection: Connection, id: number): void {
  if (context.state.isReadOnly) {
    context.sendError(connection, id, 321, readOnlyText);
    return;
  }
  const problem = context.venue.cancel(connection.id, id);
  if (problem) context.sendError(connection, id, problem.code, problem.message);
}

export function cancelEverything(context: Context, connection: Connection): void {
  if (context.state.isReadOnly) {
    context.sendError(connection, -1, 321, readOnlyText);
    return;
  }
  for (const { order } of [...context.venue.openOrders()])
    context.venue.cancel(order.clientId, order.orderId);
}

/** The client's own open orders; for client 0 also those typed into the terminal, which get ids for it. */
export function answerOpenOrders(context: Context, connection: Connection): void {
  if (connection.id === 0) {
    if (context.state.isReadOnly) {
      context.sendError(connection, -1, 321, readOnlyText);
      return;
    }
    connection.seesManualOrders = true;
  }
  sendOpenOrders(context, connection, ({ order }) => order.clientId === connection.id);
}

export function answerAllOpenOrders(context: Context, connection: Connection): void {
  sendOpenOrders(context, connection, () => true);
}

export function answerAutoOpenOrders(context: Context, connection: Connection, bind: boolean): void {
  if (connection.id !== 0) {
    context.sendError(
      connection,
      -1,
      321,
      "Error validating request.-'bV' : cause - Only client 0 can bind orders automatically",
    );
    return;
  }
  connection.seesManualOrders = bind;
}

function sendOpenOrders(
  context: Context,
  connection: Connection,
  isWanted: (state: OrderState) => boolean,
): void {
  for (const state of context.venue.openOrders().filter(isWanted)) sendOrder(context, connection, state);
  context.send(connection, openOrderEnd);
}

function sendOrder(context: Context, connection: Connection, state: OrderState): void {
  const contract = context.contractOf(state.order.conId);
  const id = context.orderIdFor(connection, state);
  context.send(connection, openOrder(connection.version, state, id, contract));
  context.send(connection, orderStatus(state, id, contract.symbol));
}

export function answerCompletedOrders(context: Context, connection: Connection, apiOnly: boolean): void {
  for (const state of context.venue.completedOrders()) {
    if (apiOnly && state.order.orderId < 0) continue;
    const time =
      state.completedUtcMs === undefined ? "" : instantText(connection.version, state.completedUtcMs);
    context.send(
      connection,
      completedOrder(connection.version, state, context.contractOf(state.order.conId), time),
    );
  }
  context.send(connection, completedOrdersEnd);
}

export function answerExecutions(
  context: Context,
  connection: Connection,
  request: Extract<Request, { name: "reqExecutions" }>,
): void {
  const { id, clientId, account, time, symbol, secType, exchange, side } = request;
  const sinceUtcMs = time.trim() === "" ? undefined : parseInstant(time);
  if (time.trim() !== "" && sinceUtcMs === undefined) {
    context.sendError(
      connection,
      id,
      321,
      "Error validating request.-'b0' : cause - Time must be yyyymmdd-hh:mm:ss",
    );
    return;
  }
  const sides = new Map<string, "BUY" | "SELL">([
    ["BUY", "BUY"],
    ["BOT", "BUY"],
    ["SELL", "SELL"],
    ["SLD", "SELL"],
  ]);
  const wantedSide = side === "" ? undefined : sides.get(side.toUpperCase());
  const found = context.venue
    .executions({
      ...(clientId === undefined ? {} : { clientId }),
      ...(account === "" ? {} : { account }),
      ...(sinceUtcMs === undefined ? {} : { sinceUtcMs }),
      ...(symbol === "" ? {} : { symbol }),
      ...(wantedSide === undefined ? {} : { side: wantedSide }),
    })
    .filter(
      (execution) =>
        (secType === "" || secType === "STK") && (exchange === "" || execution.exchange === exchange),
    );
  for (const execution of found) sendExecution(context, connection, execution, id);
  for (const execution of found) {
    if (hearsOf(context, connection, execution.order)) sendCommission(context, connection, execution);
  }
  context.send(connection, execDetailsEnd(id));
}

/** Tells everybody concerned what happened to an order. */
export function announce(context: Context, event: VenueEvent): void {
  const state =
    event.kind === "execution" || event.kind === "commission" ? event.execution.order : event.state;
  for (const connection of context.started()) {
    if (!hearsOf(context, connection, state)) continue;
    if (event.kind === "status") announceStatus(context, connection, state);
    if (event.kind === "execution") sendExecution(context, connection, event.execution, -1);
    if (event.kind === "commission") sendCommission(context, connection, event.execution);
    // Only who placed an order hears what is wrong with it.
    if (event.kind === "error" && connection.id === state.order.clientId)
      context.sendError(connection, context.orderIdFor(connection, state), event.code, event.message);
  }
  if (event.kind === "execution") sendPosition(context, state.order.account, state.order.conId);
}

/** An order that lives or is done comes with its openOrder, one that ends otherwise without. */
function announceStatus(context: Context, connection: Connection, state: OrderState): void {
  if (state.status === "PreSubmitted" || state.status === "Submitted" || state.status === "Filled") {
    sendOrder(context, connection, state);
    return;
  }
  const { symbol } = context.contractOf(state.order.conId);
  context.send(connection, orderStatus(state, context.orderIdFor(connection, state), symbol));
}

function sendExecution(
  context: Context,
  connection: Connection,
  execution: Execution,
  requestId: number,
): void {
  const contract = context.contractOf(execution.order.order.conId);
  const time = instantText(connection.version, execution.utcMs);
  const orderId = context.orderIdFor(connection, execution.order);
  context.send(connection, execDetails(connection.version, requestId, execution, orderId, contract, time));
}

function sendCommission(context: Context, connection: Connection, execution: Execution): void {
  context.send(
    connection,
    commissionReport(execution, context.contractOf(execution.order.order.conId).symbol),
  );
}

/** Whether an order's news reach a client by themselves: its own, those of the terminal bound to it, all for the master. */
function hearsOf(context: Context, connection: Connection, { order }: OrderState): boolean {
  if (connection.id === context.masterClientId) return true;
  if (order.orderId < 0) return connection.id === 0 && connection.seesManualOrders;
  return connection.id === order.clientId;
}
