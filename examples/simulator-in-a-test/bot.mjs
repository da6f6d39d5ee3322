// A bot of one function, over the client library and nothing else: it knows of no simulator.
import { EventName, IBApi, OrderAction, OrderType, SecType, TimeInForce } from "@stoqey/ib";

/** Buys at the market. Resolves with the shares and their average price once all of them are filled. */
export function buy({ host, port }, symbol, shares) {
  const api = new IBApi({ host, port, clientId: 7 });
  const executions = new Map();
  return new Promise((resolve, reject) => {
    api.once(EventName.nextValidId, (id) => {
      const contract = { symbol, secType: SecType.STK, exchange: "SMART", currency: "USD" };
      const order = { action: OrderAction.BUY, orderType: OrderType.MKT, totalQuantity: shares };
      api.placeOrder(id, contract, { ...order, tif: TimeInForce.DAY, transmit: true });
    });
    // The same execution may be told twice, so executions are kept by their ids.
    api.on(EventName.execDetails, (_request, _contract, { execId, shares: part, price }) => {
      executions.set(execId, { part, price });
      const all = [...executions.values()];
      const filled = all.reduce((sum, one) => sum + one.part, 0);
      if (filled < shares) return;
      resolve({ filled, price: all.reduce((sum, one) => sum + one.part * one.price, 0) / filled });
    });
    api.on(EventName.error, (error, code) => {
      if (code < 2000) reject(new Error(`${code}: ${error.message}`));
    });
    api.connect();
  }).finally(() => api.disconnect());
}
