import { type FieldReader, UnreadableMessageError } from "./fields.js";

/** What a client says of a contract. Empty text and 0 where it says nothing. */
export interface ContractFields {
  readonly conId: number;
  readonly symbol: string;
  readonly secType: string;
  readonly exchange: string;
  readonly primaryExchange: string;
  readonly currency: string;
  readonly localSymbol: string;
  readonly tradingClass: string;
}

/** Twelve fields. */
export function readContract(fields: FieldReader): ContractFields {
  const conId = fields.integer();
  const symbol = fields.text();
  const secType = fields.text().toUpperCase();
  // Expiry, strike, right and multiplier: only stocks are traded here.
  fields.skip(4);
  const [exchange, primaryExchange, currency, localSymbol, tradingClass] = Array.from({ length: 5 }, () =>
    fields.text(),
  );
  return {
    conId,
    symbol,
    secType,
    exchange: exchange!,
    primaryExchange: primaryExchange!,
    currency: currency!,
    localSymbol: localSymbol!,
    tradingClass: tradingClass!,
  };
}

/** How many entries follow; more than fields are left cannot be. */
export function count(fields: FieldReader): number {
  const entries = fields.integer();
  if (entries < 0 || entries > fields.left)
    throw new UnreadableMessageError(`a list claims to have ${entries} entries`);
  return entries;
}
