import { refusalOf } from "./codes.js";
import type { IbkrSession } from "./connect.js";
import { insideOf } from "./inside.js";
import type { LinkRequest } from "./link.js";

/**
 * Whether TWS says that its API is read-only, asked without any order: it is told to cancel an order that cannot exist,
 * whose number lies beyond all that are given to orders. A read-only API refuses that with 321, another one knows no such
 * order. Only the first answer proves something; silence is no answer.
 *
 * @throws NotConnectedError when the connection ended
 */
export async function askReadOnly(session: IbkrSession, signal?: AbortSignal): Promise<boolean> {
  const question: LinkRequest<boolean> = {
    what: "whether the API is read-only",
    signal,
    send: (api, reqId) => {
      api.cancelOrder(reqId, "");
      // The server answers in order, so that the time comes after the refusal, and also where there is none.
      api.reqCurrentTime();
    },
    receive: (answer) => ({ currentTime: () => answer.resolve(false) }),
    refused({ code, message }, answer) {
      answer.resolve(refusalOf(code, message) === "readOnly");
      return "handled";
    },
  };
  return insideOf(session).requests.request(question);
}
