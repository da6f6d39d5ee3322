import type { Cents } from "@pf/orders";
import { BaseCurrencyError, ProtocolError } from "../errors.js";
import type { LinkRequest } from "../session/link.js";
import { centsOf } from "./decimal.js";

/** The money of an account as the broker states it, in US dollars. */
export interface AccountSummary {
  readonly account: string;
  /** Who owns it (`INDIVIDUAL`, `IRA`, …): says nothing about cash or margin. */
  readonly accountType: string;
  readonly currency: "USD";
  readonly netLiquidation: Cents;
  /** Unsettled proceeds included. */
  readonly totalCash: Cents;
  readonly settledCash: Cents;
  readonly availableFunds: Cents;
  /** Missing from some accounts; about the equity in a cash account. */
  readonly buyingPower: Cents | undefined;
  readonly grossPositionValue: Cents | undefined;
}

const tags = [
  "AccountType",
  "NetLiquidation",
  "TotalCashValue",
  "SettledCash",
  "AvailableFunds",
  "BuyingPower",
  "GrossPositionValue",
];

/** A subscription that is ended as soon as every value has come: TWS allows two at a time. */
export function accountSummaryRequest(account: string, signal?: AbortSignal): LinkRequest<AccountSummary> {
  return {
    what: `account summary of ${account}`,
    lane: { name: "account summary", limit: 1 },
    subscription: true,
    signal,
    send: (api, reqId) => api.reqAccountSummary(reqId, "All", tags.join(",")),
    cancel: (api, reqId) => api.cancelAccountSummary(reqId),
    receive(answer) {
      const values = new Map<string, { value: string; currency: string }>();
      return {
        accountSummary: (_, whose, tag, value, currency) => {
          if (whose === account) values.set(tag, { value, currency });
        },
        accountSummaryEnd: () => answer.resolve(summaryOf(account, values)),
      };
    },
  };
}

function summaryOf(
  account: string,
  values: ReadonlyMap<string, { readonly value: string; readonly currency: string }>,
): AccountSummary {
  const currency = values.get("NetLiquidation")?.currency;
  if (currency !== undefined && currency !== "USD") throw new BaseCurrencyError(account, currency);
  const stated = (tag: string): Cents => {
    const amount = optional(tag);
    if (amount === undefined) throw new ProtocolError(`the account summary of ${account} has no ${tag}`);
    return amount;
  };
  const optional = (tag: string): Cents | undefined => centsOf(values.get(tag)?.value ?? "");
  return {
    account,
    accountType: values.get("AccountType")?.value ?? "",
    currency: "USD",
    netLiquidation: stated("NetLiquidation"),
    totalCash: stated("TotalCashValue"),
    settledCash: stated("SettledCash"),
    availableFunds: stated("AvailableFunds"),
    buyingPower: optional("BuyingPower"),
    grossPositionValue: optional("GrossPositionValue"),
  };
}
