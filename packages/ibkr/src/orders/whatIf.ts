import { oneShare, type Quantity } from "@pf/orders";
import { type ContractInfo, orderContract } from "../account/contracts.js";
import { NotConnectedError, ReadOnlyApiError, RequestRefusedError, RequestTimeoutError } from "../errors.js";
import type { Timers } from "../session/clock.js";
import { refusalOf } from "../session/codes.js";
import type { LinkRequest } from "../session/link.js";
import { type OrderTerms, orderOf } from "./place.js";

/** What an order would need and cost, in dollars; undefined where TWS does not say. */
export interface WhatIf {
  readonly commission: number | undefined;
  readonly initMarginBefore: number | undefined;
  readonly initMarginAfter: number | undefined;
  readonly equityWithLoanBefore: number | undefined;
  readonly equityWithLoanAfter: number | undefined;
  readonly warning: string;
}

/** Whether orders for parts of a share are taken. */
export interface FractionalCapability {
  readonly answer: "yes" | "no" | "unknown";
  /** In words. */
  readonly why: string;
  readonly brokerCode: number | undefined;
  readonly symbol: string;
}

/** TWS sends the figures of an order it would refuse, and then the refusal. */
const refusalAfterMs = 300;

const shortOfFunds = /\b(funds|margin|cash|equity)\b/i;

/** An order that is only a question. Nothing is routed, and no order exists afterwards. */
export function whatIfRequest(
  terms: OrderTerms,
  contract: ContractInfo,
  account: string,
  orderId: number,
  timers: Timers,
  timeoutMs?: number,
  signal?: AbortSignal,
): LinkRequest<WhatIf> {
  return {
    what: `what-if order for ${terms.symbol}`,
    number: orderId,
    signal,
    ...(timeoutMs !== undefined && { timeoutMs }),
    send: (api) =>
      api.placeOrder(orderId, orderContract(contract), { ...orderOf(terms, account), whatIf: true }),
    receive: (answer) => ({
      openOrder: (id, _, order, state) => {
        if (id !== orderId || !order.whatIf) return;
        const found: WhatIf = {
          commission: state.commission,
          initMarginBefore: state.initMarginBefore,
          initMarginAfter: state.initMarginAfter,
          equityWithLoanBefore: state.equityWithLoanBefore,
          equityWithLoanAfter: state.equityWithLoanAfter,
          warning: state.warningText ?? "",
        };
        timers.after(refusalAfterMs, () => answer.resolve(found));
      },
    }),
    refused({ code, message }, answer) {
      if (refusalOf(code, message) !== "readOnly") return undefined;
      answer.reject(new ReadOnlyApiError(message));
      return "handled";
    },
  };
}

/**
 * Asks once whether the account may trade parts of a share through the API. What the contract says about sizes is
 * necessary only: TWS states steps of 0.0001 and refuses every order for a fraction.
 */
export async function probeFractional(
  contract: ContractInfo,
  ask: (terms: OrderTerms) => Promise<WhatIf>,
): Promise<FractionalCapability> {
  const { symbol, sizeIncrement, minSize } = contract;
  if (sizeIncrement >= oneShare) {
    return { answer: "no", why: "the contract trades in whole shares", brokerCode: undefined, symbol };
  }
  // One and a half shares, or the nearest that the contract's step allows.
  const wanted = Math.max(minSize, (oneShare * 3) / 2);
  const fraction = (wanted - (wanted % sizeIncrement)) as Quantity;
  const quantity = (fraction % oneShare === 0 ? fraction + sizeIncrement : fraction) as Quantity;
  try {
    await ask({
      reference: `pf/probe/${symbol}`,
      symbol,
      side: "buy",
      quantity,
      type: "MKT",
      limit: null,
    });
    return { answer: "yes", why: "a what-if order for a fraction was taken", brokerCode: undefined, symbol };
  } catch (error) {
    if (error instanceof RequestRefusedError) {
      const { brokerCode, brokerMessage } = error;
      if (refusalOf(brokerCode, brokerMessage) === "fractional")
        return { answer: "no", why: brokerMessage, brokerCode, symbol };
      // An account that is invested cannot pay for the question. Sizes are looked at first, funds by the broker. Where TWS
      // speaks another language nobody knows, as before.
      if (brokerCode === 201 && shortOfFunds.test(brokerMessage))
        return {
          answer: "yes",
          why: `a fraction got as far as the funds: ${brokerMessage}`,
          brokerCode,
          symbol,
        };
      return { answer: "unknown", why: brokerMessage, brokerCode, symbol };
    }
    if (error instanceof ReadOnlyApiError)
      return { answer: "unknown", why: error.message, brokerCode: 321, symbol };
    if (error instanceof RequestTimeoutError || error instanceof NotConnectedError)
      return { answer: "unknown", why: error.message, brokerCode: undefined, symbol };
    throw error;
  }
}
