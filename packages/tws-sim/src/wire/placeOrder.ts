import { type ContractFields, count, readContract } from "./contract.js";
import { type FieldReader, UnreadableMessageError } from "./fields.js";
import { hasRfqFields, since } from "./versions.js";

/** An order as a client sends it, as far as it matters here. */
export interface PlaceOrder {
  readonly name: "placeOrder";
  readonly id: number;
  readonly contract: ContractFields;
  readonly action: string;
  /** Decimal text as it came. */
  readonly quantity: string;
  readonly orderType: string;
  readonly limit: number | undefined;
  readonly auxPrice: number | undefined;
  readonly tif: string;
  readonly account: string;
  readonly orderRef: string;
  readonly transmit: boolean;
  readonly outsideRth: boolean;
  readonly whatIf: boolean;
  readonly cashQuantity: string;
  /** What was asked for and would be ignored here: naming it beats pretending. */
  readonly beyond: readonly string[];
}

/** Reads an order in the order of the wire, 157 to 193. Which fields there are depends on the version and on earlier fields. */
export function readPlaceOrder(fields: FieldReader, version: number): PlaceOrder {
  const beyond: string[] = [];
  const asksFor = (what: string, isAsked: boolean): void => {
    if (isAsked) beyond.push(what);
  };

  const id = fields.integer();
  const contract = readContract(fields);
  const isBag = contract.secType === "BAG";
  fields.skip(2); // secIdType, secId
  const action = fields.text();
  const quantity = fields.decimal();
  const orderType = fields.text();
  const limit = fields.numberOrUnset();
  const auxPrice = fields.numberOrUnset();
  const tif = fields.text();
  asksFor("an OCA group", fields.text() !== "");
  const account = fields.text();
  fields.skip(2); // openClose, origin
  const orderRef = fields.text();
  const transmit = fields.flag();
  asksFor("a parent order", fields.integer() !== 0);
  fields.skip(4); // blockOrder, sweepToFill, displaySize, triggerMethod
  const outsideRth = fields.flag();
  fields.skip(); // hidden
  if (isBag) {
    fields.skip(8 * count(fields));
    fields.skip(count(fields));
    fields.skip(2 * count(fields));
  }
  fields.skip(); // sharesAllocation
  fields.skip(); // discretionaryAmt
  asksFor("a time to begin", fields.text() !== "");
  asksFor("a time to end", fields.text() !== "" && tif === "GTD");
  asksFor("an advisor's allocation", fields.text() !== "");
  fields.skip(2); // faMethod, faPercentage
  if (version < since.noFaProfile) fields.skip();
  fields.skip(4); // modelCode, shortSaleSlot, designatedLocation, exemptCode
  fields.skip(3); // ocaType, rule80A, settlingFirm
  asksFor("all or none", fields.flag());
  asksFor("a minimum quantity", (fields.integerOrUnset() ?? 0) > 0);
  fields.skip(); // percentOffset
  fields.skip(3); // eTradeOnly, firmQuoteOnly, nbboPriceCap
  fields.skip(4); // auctionStrategy, startingPrice, stockRefPrice, delta
  fields.skip(2); // stockRangeLower, stockRangeUpper
  fields.skip(); // overridePercentageConstraints
  fields.skip(2); // volatility, volatilityType
  const deltaNeutralOrderType = fields.text();
  fields.skip(); // deltaNeutralAuxPrice
  if (deltaNeutralOrderType !== "") fields.skip(8);
  fields.skip(2); // continuousUpdate, referencePriceType
  fields.skip(2); // trailStopPrice, trailingPercent
  fields.skip(2); // scaleInitLevelSize, scaleSubsLevelSize
  const scaleIncrement = fields.numberOrUnset();
  if (scaleIncrement !== undefined && scaleIncrement > 0) {
    fields.skip(7);
    asksFor("a scale", true);
  }
  fields.skip(3); // scaleTable, activeStartTime, activeStopTime
  if (fields.text() !== "") {
    fields.skip();
    asksFor("a hedge", true);
  }
  fields.skip(); // optOutSmartRouting
  fields.skip(2); // clearingAccount, clearingIntent
  fields.skip(); // notHeld
  if (fields.flag()) fields.skip(3); // deltaNeutralContract
  if (fields.text() !== "") {
    fields.skip(2 * count(fields));
    asksFor("an algorithm", true);
  }
  fields.skip(); // algoId
  const whatIf = fields.flag();
  fields.skip(); // orderMiscOptions
  fields.skip(3); // solicited, randomizeSize, randomizePrice
  if (orderType === "PEG BENCH" || orderType === "PEGBENCH") fields.skip(5);
  const conditions = count(fields);
  for (let n = 0; n < conditions; n++) skipCondition(fields);
  if (conditions > 0) {
    fields.skip(2);
    asksFor("conditions", true);
  }
  fields.skip(7); // adjustedOrderType, triggerPrice, lmtPriceOffset, 3 adjusted prices, adjustableTrailingUnit
  fields.skip(3); // extOperator, soft dollar name and value
  const cashQuantity = fields.decimal();
  fields.skip(4); // MiFID
  fields.skip(4); // dontUseAutoPriceForHedge, isOmsContainer, discretionaryUpToLimitPrice, usePriceMgmtAlgo
  if (version >= since.duration) fields.skip();
  if (version >= since.postToAts) fields.skip();
  if (version >= since.autoCancelParent) fields.skip();
  if (version >= since.advancedReject) fields.skip();
  if (version >= since.manualOrderTime) fields.skip();
  if (version >= since.pegBestPegMid) skipPegFields(fields, contract.exchange, orderType);
  if (version >= since.customerAccount) fields.skip();
  if (version >= since.professionalCustomer) fields.skip();
  if (hasRfqFields(version)) fields.skip(2);
  if (version >= since.includeOvernight) fields.skip();
  if (version >= since.cmeTagging) fields.skip();
  return {
    name: "placeOrder",
    id,
    contract,
    action,
    quantity,
    orderType,
    limit,
    auxPrice,
    tif,
    account,
    orderRef,
    transmit,
    outsideRth,
    whatIf,
    cashQuantity,
    beyond,
  };
}

/** How many fields follow a condition's type and conjunction. */
const conditionFields: Readonly<Record<number, number>> = { 1: 5, 3: 2, 4: 2, 5: 3, 6: 4, 7: 4 };

function skipCondition(fields: FieldReader): void {
  const type = fields.integer();
  const length = conditionFields[type];
  if (length === undefined) throw new UnreadableMessageError(`there is no condition of type ${type}`);
  fields.skip(1 + length);
}

function skipPegFields(fields: FieldReader, exchange: string, orderType: string): void {
  if (exchange === "IBKRATS") fields.skip(); // minTradeQty
  let hasMidOffsets = orderType === "PEG MID" || orderType === "PEGMID";
  if (orderType === "PEG BEST" || orderType === "PEGBEST") {
    fields.skip(); // minCompeteSize
    hasMidOffsets = fields.numberOrUnset() === Number.POSITIVE_INFINITY; // competeAgainstBestOffset, up to the middle
  }
  if (hasMidOffsets) fields.skip(2);
}
