import { type ContractFields, count, readContract } from "./contract.js";
import { FieldReader, UnreadableMessageError } from "./fields.js";
import { type PlaceOrder, readPlaceOrder } from "./placeOrder.js";
import { hasRfqFields, since } from "./versions.js";

/** What clients ask, by the name that scenarios and logs use. */
export type Request =
  | { readonly name: "startApi"; readonly clientId: number }
  | { readonly name: "reqMarketDataType"; readonly type: number }
  | {
      readonly name: "reqAccountSummary";
      readonly id: number;
      readonly group: string;
      readonly tags: readonly string[];
    }
  | { readonly name: "reqContractDetails"; readonly id: number; readonly contract: ContractFields }
  | {
      readonly name: "reqHistoricalData";
      readonly id: number;
      readonly contract: ContractFields;
      readonly end: string;
      readonly barSize: string;
      readonly duration: string;
      readonly regularHoursOnly: boolean;
      readonly whatToShow: string;
      /** 2: seconds since 1970 for bars within a day. */
      readonly formatDate: number;
      readonly keepUpToDate: boolean;
    }
  | {
      readonly name: "reqMktData";
      readonly id: number;
      readonly contract: ContractFields;
      readonly genericTicks: string;
      readonly snapshot: boolean;
      readonly regulatorySnapshot: boolean;
    }
  | PlaceOrder
  | { readonly name: "cancelOrder"; readonly id: number }
  | { readonly name: "reqAutoOpenOrders"; readonly bind: boolean }
  | { readonly name: "reqCompletedOrders"; readonly apiOnly: boolean }
  | {
      readonly name: "reqExecutions";
      readonly id: number;
      readonly clientId: number | undefined;
      readonly account: string;
      readonly time: string;
      readonly symbol: string;
      readonly secType: string;
      readonly exchange: string;
      readonly side: string;
    }
  | { readonly name: "reqAccountUpdates"; readonly subscribe: boolean; readonly account: string }
  | {
      readonly name: "reqAccountUpdatesMulti" | "reqPositionsMulti" | "reqPnL";
      readonly id: number;
      readonly account: string;
      readonly model: string;
    }
  | { readonly name: "reqPnLSingle"; readonly id: number; readonly account: string; readonly conId: number }
  | {
      readonly name: "reqHeadTimestamp";
      readonly id: number;
      readonly contract: ContractFields;
      readonly whatToShow: string;
      readonly formatDate: number;
    }
  | { readonly name: "reqMatchingSymbols"; readonly id: number; readonly pattern: string }
  | { readonly name: "reqMarketRule"; readonly id: number }
  | { readonly name: IdOnly; readonly id: number }
  | { readonly name: Bare }
  /** A request that TWS knows and this simulator does not. */
  | { readonly name: "unsupported"; readonly request: string; readonly id: number };

/** Requests of which only the id matters. */
type IdOnly =
  | "cancelMktData"
  | "cancelAccountSummary"
  | "cancelHistoricalData"
  | "cancelHeadTimestamp"
  | "cancelAccountUpdatesMulti"
  | "cancelPositionsMulti"
  | "cancelPnL"
  | "cancelPnLSingle"
  | "reqSecDefOptParams"
  | "reqUserInfo";

/** Requests that carry nothing that matters. */
type Bare =
  | "reqPositions"
  | "cancelPositions"
  | "reqOpenOrders"
  | "reqAllOpenOrders"
  | "reqIds"
  | "reqManagedAccts"
  | "reqCurrentTime"
  | "reqGlobalCancel"
  | "setServerLogLevel"
  | "reqNewsBulletins"
  | "cancelNewsBulletins"
  | "reqFamilyCodes"
  | "reqNewsProviders"
  | "reqMktDepthExchanges";

type Reader = (fields: FieldReader, version: number) => Request;

/**
 * Understands one message of a client.
 *
 * @param fields - of the message, its number first
 * @param version - the protocol version of the connection
 * @throws UnreadableMessageError for an unknown number, missing fields and fields of another kind. Fields beyond the
 * last one known are ignored, as TWS does.
 */
export function readRequest(fields: readonly string[], version: number): Request {
  const reader = new FieldReader(fields);
  const number = reader.integer();
  const read = readers.get(number);
  if (!read) throw new UnreadableMessageError(`Unknown message id: ${number}`);
  try {
    return read(reader, version);
  } catch (cause) {
    if (!(cause instanceof UnreadableMessageError)) throw cause;
    throw new UnreadableMessageError(cause.message, idOf(number, fields, version));
  }
}

const readers = new Map<number, Reader>();
const names = new Map<number, string>();
/** At which field the id of a request stands. */
const idPlaces = new Map<number, number>();

function define(number: number, name: string, idAt: number | undefined, read: Reader): void {
  readers.set(number, read);
  names.set(number, name);
  if (idAt !== undefined) idPlaces.set(number, idAt);
}

function idOf(number: number, fields: readonly string[], version: number): number {
  const place = number === 4 && version >= since.cmeTagging ? 1 : idPlaces.get(number);
  const text = place === undefined ? undefined : fields[place];
  return text !== undefined && /^-?\d{1,15}$/.test(text) ? Number(text) : -1;
}

define(71, "startApi", undefined, (fields) => {
  fields.skip();
  return { name: "startApi", clientId: fields.integer() };
});
define(59, "reqMarketDataType", undefined, (fields) => {
  fields.skip();
  return { name: "reqMarketDataType", type: fields.integer() };
});
define(62, "reqAccountSummary", 2, (fields) => {
  fields.skip();
  const id = fields.integer();
  const group = fields.text();
  return {
    name: "reqAccountSummary",
    id,
    group,
    tags: fields
      .text()
      .split(",")
      .map((tag) => tag.trim())
      .filter((tag) => tag !== ""),
  };
});
define(9, "reqContractDetails", 2, (fields, version) => {
  fields.skip();
  const id = fields.integer();
  const contract = readContract(fields);
  fields.skip(3);
  if (version >= since.bondIssuerId) fields.skip();
  return { name: "reqContractDetails", id, contract };
});
define(20, "reqHistoricalData", 1, (fields) => {
  const id = fields.integer();
  const contract = readContract(fields);
  fields.skip();
  const end = fields.text();
  const barSize = fields.text();
  const duration = fields.text();
  const regularHoursOnly = fields.flag();
  const whatToShow = fields.text();
  const formatDate = fields.integer();
  if (contract.secType === "BAG") fields.skip(4 * count(fields));
  const keepUpToDate = fields.flag();
  fields.skip();
  return {
    name: "reqHistoricalData",
    id,
    contract,
    end,
    barSize,
    duration,
    regularHoursOnly,
    whatToShow,
    formatDate,
    keepUpToDate,
  };
});
define(1, "reqMktData", 2, (fields) => {
  fields.skip();
  const id = fields.integer();
  const contract = readContract(fields);
  if (contract.secType === "BAG") fields.skip(4 * count(fields));
  if (fields.flag()) fields.skip(3);
  const genericTicks = fields.text();
  const snapshot = fields.flag();
  const regulatorySnapshot = fields.flag();
  fields.skip();
  return { name: "reqMktData", id, contract, genericTicks, snapshot, regulatorySnapshot };
});
define(3, "placeOrder", 1, readPlaceOrder);
define(4, "cancelOrder", 2, (fields, version) => {
  if (version < since.cmeTagging) fields.skip();
  const id = fields.integer();
  if (version >= since.manualOrderTime) fields.skip();
  if (hasRfqFields(version)) fields.skip(3);
  if (version >= since.cmeTagging) fields.skip(2);
  return { name: "cancelOrder", id };
});
// Below 192 there is a version field, which one of the known clients leaves out.
define(58, "reqGlobalCancel", undefined, (fields, version) => {
  if (version >= since.cmeTagging) fields.skip(2);
  return { name: "reqGlobalCancel" };
});
define(15, "reqAutoOpenOrders", undefined, (fields) => {
  fields.skip();
  return { name: "reqAutoOpenOrders", bind: fields.flag() };
});
define(99, "reqCompletedOrders", undefined, (fields) => ({
  name: "reqCompletedOrders",
  apiOnly: fields.flag(),
}));
define(7, "reqExecutions", 2, (fields) => {
  fields.skip();
  const id = fields.integer();
  // 0 and nothing both mean every client.
  const clientId = fields.integerOrUnset() || undefined;
  const [account, time, symbol, secType, exchange, side] = Array.from({ length: 6 }, () => fields.text());
  return {
    name: "reqExecutions",
    id,
    clientId,
    account: account!,
    time: time!,
    symbol: symbol!,
    secType: secType!,
    exchange: exchange!,
    side: side!,
  };
});
define(6, "reqAccountUpdates", undefined, (fields) => {
  fields.skip();
  const subscribe = fields.flag();
  return { name: "reqAccountUpdates", subscribe, account: fields.text() };
});
define(76, "reqAccountUpdatesMulti", 2, (fields) => {
  fields.skip();
  const [id, account, model] = [fields.integer(), fields.text(), fields.text()];
  fields.skip();
  return { name: "reqAccountUpdatesMulti", id, account, model };
});
define(74, "reqPositionsMulti", 2, (fields) => {
  fields.skip();
  return { name: "reqPositionsMulti", id: fields.integer(), account: fields.text(), model: fields.text() };
});
define(92, "reqPnL", 1, (fields) => ({
  name: "reqPnL",
  id: fields.integer(),
  account: fields.text(),
  model: fields.text(),
}));
define(94, "reqPnLSingle", 1, (fields) => {
  const [id, account] = [fields.integer(), fields.text()];
  fields.skip();
  return { name: "reqPnLSingle", id, account, conId: fields.integer() };
});
define(87, "reqHeadTimestamp", 1, (fields) => {
  const id = fields.integer();
  const contract = readContract(fields);
  fields.skip(2);
  const whatToShow = fields.text();
  return { name: "reqHeadTimestamp", id, contract, whatToShow, formatDate: fields.integer() };
});
define(81, "reqMatchingSymbols", 1, (fields) => ({
  name: "reqMatchingSymbols",
  id: fields.integer(),
  pattern: fields.text(),
}));
define(91, "reqMarketRule", 1, (fields) => ({ name: "reqMarketRule", id: fields.integer() }));

for (const [number, name, place] of [
  [2, "cancelMktData", 2],
  [63, "cancelAccountSummary", 2],
  [25, "cancelHistoricalData", 2],
  [90, "cancelHeadTimestamp", 1],
  [77, "cancelAccountUpdatesMulti", 2],
  [75, "cancelPositionsMulti", 2],
  [93, "cancelPnL", 1],
  [95, "cancelPnLSingle", 1],
  [78, "reqSecDefOptParams", 1],
  [104, "reqUserInfo", 1],
] as const) {
  define(number, name, place, (fields) => {
    fields.skip(place - 1);
    return { name, id: fields.integer() };
  });
}

for (const [number, name] of [
  [61, "reqPositions"],
  [64, "cancelPositions"],
  [5, "reqOpenOrders"],
  [16, "reqAllOpenOrders"],
  [8, "reqIds"],
  [17, "reqManagedAccts"],
  [49, "reqCurrentTime"],
  [14, "setServerLogLevel"],
  [12, "reqNewsBulletins"],
  [13, "cancelNewsBulletins"],
  [80, "reqFamilyCodes"],
  [85, "reqNewsProviders"],
  [82, "reqMktDepthExchanges"],
] as const) {
  define(number, name, undefined, () => ({ name }));
}

// What TWS also serves: answered with an error on the id of the request, which stands at this place.
for (const [number, request, place] of [
  [10, "reqMktDepth", 2],
  [11, "cancelMktDepth", 2],
  [18, "requestFA", undefined],
  [19, "replaceFA", undefined],
  [21, "exerciseOptions", 2],
  [22, "reqScannerSubscription", 1],
  [23, "cancelScannerSubscription", 2],
  [24, "reqScannerParameters", undefined],
  [50, "reqRealTimeBars", 2],
  [51, "cancelRealTimeBars", 2],
  [52, "reqFundamentalData", 2],
  [53, "cancelFundamentalData", 2],
  [54, "calculateImpliedVolatility", 2],
  [55, "calculateOptionPrice", 2],
  [56, "cancelCalculateImpliedVolatility", 2],
  [57, "cancelCalculateOptionPrice", 2],
  [65, "verifyRequest", undefined],
  [66, "verifyMessage", undefined],
  [67, "queryDisplayGroups", 2],
  [68, "subscribeToGroupEvents", 2],
  [69, "updateDisplayGroup", 2],
  [70, "unsubscribeFromGroupEvents", 2],
  [72, "verifyAndAuthRequest", undefined],
  [73, "verifyAndAuthMessage", undefined],
  [79, "reqSoftDollarTiers", 1],
  [83, "reqSmartComponents", 1],
  [84, "reqNewsArticle", 1],
  [86, "reqHistoricalNews", 1],
  [88, "reqHistogramData", 1],
  [89, "cancelHistogramData", 1],
  [96, "reqHistoricalTicks", 1],
  [97, "reqTickByTickData", 1],
  [98, "cancelTickByTickData", 1],
  [100, "reqWshMetaData", 1],
  [101, "cancelWshMetaData", 1],
  [102, "reqWshEventData", 1],
  [103, "cancelWshEventData", 1],
] as const) {
  define(number, request, place, (fields) => {
    if (place === undefined) return { name: "unsupported", request, id: -1 };
    fields.skip(place - 1);
    return { name: "unsupported", request, id: fields.integer() };
  });
}

/** The names of all requests, as scenarios and logs use them. */
export const requestNames: readonly string[] = [...names.values()];
