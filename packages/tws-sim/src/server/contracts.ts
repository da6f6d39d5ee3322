import type { Contract } from "../venue/venue.js";
import type { ContractFields } from "../wire/contract.js";
import { contractDetails, contractDetailsEnd, marketRule, symbolSamples } from "../wire/replies.js";
import { hoursText } from "../wire/times.js";
import type { Connection } from "./connection.js";
import type { Context } from "./context.js";

const noDefinition = "No security definition has been found for the request";

/** What fits a client's words; none for anything but stocks. */
function contractsFor(context: Context, fields: ContractFields): readonly Contract[] {
  return context.venue.contracts({
    conId: fields.conId,
    symbol: fields.symbol === "" ? fields.localSymbol : fields.symbol,
    secType: fields.secType,
    exchange: fields.exchange,
    primaryExchange: fields.primaryExchange,
    currency: fields.currency,
  });
}

/** The one contract that is meant; tells the client with error 200 when there is none or more than one. */
export function resolveContract(
  context: Context,
  connection: Connection,
  id: number,
  fields: ContractFields,
): Contract | undefined {
  const found = contractsFor(context, fields);
  if (found.length === 1) return found[0];
  const text =
    found.length === 0
      ? noDefinition
      : "The contract description specified for this request is ambiguous; please specify the primary exchange";
  context.sendError(connection, id, 200, text);
  return undefined;
}

export function answerContractDetails(
  context: Context,
  connection: Connection,
  id: number,
  fields: ContractFields,
): void {
  const found = contractsFor(context, fields);
  // An unknown symbol gets the error and no end message.
  if (found.length === 0) {
    context.sendError(connection, id, 200, noDefinition);
    return;
  }
  const hours = hoursText(context.calendar, context.now());
  for (const contract of found)
    context.send(connection, contractDetails(connection.version, id, contract, hours));
  context.send(connection, contractDetailsEnd(id));
}

export function answerMatchingSymbols(
  context: Context,
  connection: Connection,
  id: number,
  pattern: string,
): void {
  const found = contractsFor(context, { ...anything, symbol: pattern.toUpperCase() });
  context.send(connection, symbolSamples(connection.version, id, found));
}

export function answerMarketRule(context: Context, connection: Connection, id: number): void {
  if (id === 26) context.send(connection, marketRule(id, 0.01));
  else
    context.sendError(
      connection,
      -1,
      321,
      `Error validating request.-'cr' : cause - Market rule id ${id} is not known`,
    );
}

const anything: ContractFields = {
  conId: 0,
  symbol: "",
  secType: "STK",
  exchange: "SMART",
  primaryExchange: "",
  currency: "USD",
  localSymbol: "",
  tradingClass: "",
};
