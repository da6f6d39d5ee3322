import {
  currentTime,
  familyCodes,
  managedAccounts,
  mktDepthExchanges,
  newsProviders,
  nextValidId,
  securityDefinitionOptionParameterEnd,
  userInfo,
} from "../wire/replies.js";
import type { Request } from "../wire/requests.js";
import {
  answerAccountUpdates,
  answerAccountUpdatesMulti,
  answerPnl,
  answerPnlSingle,
  answerPositions,
  answerPositionsMulti,
  answerSummary,
} from "./accounts.js";
import type { Connection } from "./connection.js";
import type { Context } from "./context.js";
import { answerContractDetails, answerMarketRule, answerMatchingSymbols } from "./contracts.js";
import { answerHeadTimestamp, answerHistory } from "./history.js";
import {
  answerAllOpenOrders,
  answerAutoOpenOrders,
  answerCancelOrder,
  answerCompletedOrders,
  answerExecutions,
  answerOpenOrders,
  answerPlaceOrder,
  cancelEverything,
} from "./orders.js";
import { answerMarketData, cancelMarketData } from "./quotes.js";

/** Answers a request of a client that has started the API. */
export function dispatch(context: Context, connection: Connection, request: Request): void {
  switch (request.name) {
    case "startApi":
      context.sendError(connection, -1, 501, "Already connected.");
      return;
    case "reqMarketDataType":
      if (request.type >= 1 && request.type <= 4) connection.marketDataType = request.type;
      else
        context.sendError(
          connection,
          -1,
          321,
          `Error validating request.-'cd' : cause - Invalid market data type ${request.type}`,
        );
      return;
    case "reqAccountSummary":
      answerSummary(context, connection, request);
      return;
    case "cancelAccountSummary":
      connection.summaries.delete(request.id);
      return;
    case "reqPositions":
      answerPositions(context, connection);
      return;
    case "cancelPositions":
      connection.wantsPositions = false;
      return;
    case "reqContractDetails":
      answerContractDetails(context, connection, request.id, request.contract);
      return;
    case "reqHistoricalData":
      answerHistory(context, connection, request);
      return;
    case "cancelHistoricalData":
      // Everything is answered at once, so there is nothing to cancel but what a fault keeps silent.
      if (connection.silentHistory.delete(request.id))
        context.sendError(
          connection,
          request.id,
          162,
          `Historical Market Data Service error message:API historical data query cancelled: ${request.id}`,
        );
      else
        context.sendError(
          connection,
          request.id,
          366,
          `No historical data query found for ticker id:${request.id}`,
        );
      return;
    case "reqHeadTimestamp":
      answerHeadTimestamp(context, connection, request);
      return;
    case "cancelHeadTimestamp":
      return;
    case "reqMktData":
      answerMarketData(context, connection, request);
      return;
    case "cancelMktData":
      cancelMarketData(context, connection, request.id);
      return;
    case "placeOrder":
      answerPlaceOrder(context, connection, request);
      return;
    case "cancelOrder":
      answerCancelOrder(context, connection, request.id);
      return;
    case "reqGlobalCancel":
      cancelEverything(context, connection);
      return;
    case "reqOpenOrders":
      answerOpenOrders(context, connection);
      return;
    case "reqAllOpenOrders":
      answerAllOpenOrders(context, connection);
      return;
    case "reqAutoOpenOrders":
      answerAutoOpenOrders(context, connection, request.bind);
      return;
    case "reqCompletedOrders":
      answerCompletedOrders(context, connection, request.apiOnly);
      return;
    case "reqExecutions":
      answerExecutions(context, connection, request);
      return;
    case "reqIds":
      context.send(connection, nextValidId(context.venue.nextOrderId(connection.id)));
      return;
    case "reqManagedAccts":
      context.send(connection, managedAccounts(context.venue.accounts));
      return;
    case "reqCurrentTime":
      context.send(connection, currentTime(context.now()));
      return;
    case "reqAccountUpdates":
      answerAccountUpdates(context, connection, request.subscribe, request.account);
      return;
    case "reqAccountUpdatesMulti":
      answerAccountUpdatesMulti(context, connection, request.id, request.account, request.model);
      return;
    case "reqPositionsMulti":
      answerPositionsMulti(context, connection, request.id, request.account, request.model);
      return;
    case "cancelPositionsMulti":
      connection.positionsMulti.delete(request.id);
      return;
    case "reqPnL":
      answerPnl(context, connection, request.id, request.account);
      return;
    case "reqPnLSingle":
      answerPnlSingle(context, connection, request.id, request.account, request.conId);
      return;
    case "reqMatchingSymbols":
      answerMatchingSymbols(context, connection, request.id, request.pattern);
      return;
    case "reqMarketRule":
      answerMarketRule(context, connection, request.id);
      return;
    case "reqSecDefOptParams":
      // Nothing traded here has options.
      context.send(connection, securityDefinitionOptionParameterEnd(request.id));
      return;
    case "reqUserInfo":
      context.send(connection, userInfo(request.id));
      return;
    case "reqFamilyCodes":
      context.send(connection, familyCodes(context.venue.accounts));
      return;
    case "reqNewsProviders":
      context.send(connection, newsProviders);
      return;
    case "reqMktDepthExchanges":
      context.send(connection, mktDepthExchanges);
      return;
    case "cancelAccountUpdatesMulti":
    case "cancelPnL":
    case "cancelPnLSingle":
    case "setServerLogLevel":
    case "reqNewsBulletins":
    case "cancelNewsBulletins":
      return;
    case "unsupported":
      context.sendError(
        connection,
        request.id,
        321,
        `Error validating request. : cause - ${request.request} is not served by this simulator`,
      );
      return;
  }
}
