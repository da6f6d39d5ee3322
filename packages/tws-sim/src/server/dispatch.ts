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
      return context.sendError(connection, -1, 501, "Already connected.");
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
      return answerSummary(context, connection, request);
    case "cancelAccountSummary":
      connection.summaries.delete(request.id);
      return;
    case "reqPositions":
      return answerPositions(context, connection);
    case "cancelPositions":
      connection.wantsPositions = false;
      return;
    case "reqContractDetails":
      return answerContractDetails(context, connection, request.id, request.contract);
    case "reqHistoricalData":
      return answerHistory(context, connection, request);
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
      return answerHeadTimestamp(context, connection, request);
    case "cancelHeadTimestamp":
      return;
    case "reqMktData":
      return answerMarketData(context, connection, request);
    case "cancelMktData":
      return cancelMarketData(context, connection, request.id);
    case "placeOrder":
      return answerPlaceOrder(context, connection, request);
    case "cancelOrder":
      return answerCancelOrder(context, connection, request.id);
    case "reqGlobalCancel":
      return cancelEverything(context, connection);
    case "reqOpenOrders":
      return answerOpenOrders(context, connection);
    case "reqAllOpenOrders":
      return answerAllOpenOrders(context, connection);
    case "reqAutoOpenOrders":
      return answerAutoOpenOrders(context, connection, request.bind);
    case "reqCompletedOrders":
      return answerCompletedOrders(context, connection, request.apiOnly);
    case "reqExecutions":
      return answerExecutions(context, connection, request);
    case "reqIds":
      return context.send(connection, nextValidId(context.venue.nextOrderId(connection.id)));
    case "reqManagedAccts":
      return context.send(connection, managedAccounts(context.venue.accounts));
    case "reqCurrentTime":
      return context.send(connection, currentTime(context.now()));
    case "reqAccountUpdates":
      return answerAccountUpdates(context, connection, request.subscribe, request.account);
    case "reqAccountUpdatesMulti":
      return answerAccountUpdatesMulti(context, connection, request.id, request.account, request.model);
    case "reqPositionsMulti":
      return answerPositionsMulti(context, connection, request.id, request.account, request.model);
    case "cancelPositionsMulti":
      connection.positionsMulti.delete(request.id);
      return;
    case "reqPnL":
      return answerPnl(context, connection, request.id, request.account);
    case "reqPnLSingle":
      return answerPnlSingle(context, connection, request.id, request.account, request.conId);
    case "reqMatchingSymbols":
      return answerMatchingSymbols(context, connection, request.id, request.pattern);
    case "reqMarketRule":
      return answerMarketRule(context, connection, request.id);
    case "reqSecDefOptParams":
      // Nothing traded here has options.
      return context.send(connection, securityDefinitionOptionParameterEnd(request.id));
    case "reqUserInfo":
      return context.send(connection, userInfo(request.id));
    case "reqFamilyCodes":
      return context.send(connection, familyCodes(context.venue.accounts));
    case "reqNewsProviders":
      return context.send(connection, newsProviders);
    case "reqMktDepthExchanges":
      return context.send(connection, mktDepthExchanges);
    case "cancelAccountUpdatesMulti":
    case "cancelPnL":
    case "cancelPnLSingle":
    case "setServerLogLevel":
    case "reqNewsBulletins":
    case "cancelNewsBulletins":
      return;
    case "unsupported":
      return context.sendError(
        connection,
        request.id,
        321,
        `Error validating request. : cause - ${request.request} is not served by this simulator`,
      );
  }
}
