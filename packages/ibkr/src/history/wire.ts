import type { BarSizeSetting } from "@stoqey/ib";
import { stockContract } from "../account/contracts.js";
import { RequestRefusedError } from "../errors.js";
import type { Clock } from "../session/clock.js";
import type { Requests } from "../session/link.js";
import type { WireBar } from "./bars.js";
import { BrokerRefusal, type HistoryWire } from "./client.js";

/** Bars of regular hours only. */
const regularHours = 1;
/** Instants as seconds since 1970, which no setting of the terminal can bend; days stay `yyyymmdd`. */
const secondsSince1970 = 2;
/** The client's own patience ends sooner; this is for the case that it has none. */
const longestMs = 600_000;

/**
 * Historical requests over a connection.
 *
 * @param broker - the broker's clock
 */
export function historyWire(requests: Requests, broker: Clock): HistoryWire {
  return {
    nowUtcMs: () => broker.nowUtcMs(),
    async ask(symbol, { whatToShow, barSize, duration, end }, signal) {
      try {
        return await requests.request<readonly WireBar[]>({
          what: `${barSize === "1 day" ? "daily" : "hourly"} bars of ${symbol} (${whatToShow})`,
          signal,
          timeoutMs: longestMs,
          send: (api, reqId) =>
            api.reqHistoricalData(
              reqId,
              stockContract(symbol),
              end,
              duration,
              barSize as BarSizeSetting,
              whatToShow,
              regularHours,
              secondsSince1970,
              false,
            ),
          cancel: (api, reqId) => api.cancelHistoricalData(reqId),
          receive(answer) {
            const bars: WireBar[] = [];
            return {
              historicalData(_reqId, date, open, high, low, close, volume) {
                // The library closes every answer with a bar that is none.
                if (date.startsWith("finished-")) answer.resolve(bars);
                else bars.push({ date, open, high, low, close, volume });
              },
            };
          },
          refused({ code, message }, answer) {
            // A notice elsewhere; about an open request it says that the broker has lost it.
            if (code !== 366) return undefined;
            answer.reject(new BrokerRefusal({ code, message }));
            return "handled";
          },
        });
      } catch (error) {
        if (!(error instanceof RequestRefusedError)) throw error;
        throw new BrokerRefusal({ code: error.brokerCode, message: error.brokerMessage });
      }
    },
  };
}
