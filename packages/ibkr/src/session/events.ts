import type { CommissionReport, Contract, ContractDetails, Execution, Order, OrderState } from "@stoqey/ib";

/** The messages of TWS that this package hears, as the library gives them. */
export interface LinkEvents {
  accountSummary: [reqId: number, account: string, tag: string, value: string, currency: string];
  accountSummaryEnd: [reqId: number];
  commissionReport: [report: CommissionReport];
  completedOrder: [contract: Contract, order: Order, state: OrderState];
  completedOrdersEnd: [];
  contractDetails: [reqId: number, details: ContractDetails];
  contractDetailsEnd: [reqId: number];
  currentTime: [epochSeconds: number];
  execDetails: [reqId: number, contract: Contract, execution: Execution];
  execDetailsEnd: [reqId: number];
  /** One per bar; the last has `finished-…` as its date and is no bar. */
  historicalData: [
    reqId: number,
    date: string,
    open: number,
    high: number,
    low: number,
    close: number,
    volume: number | undefined,
    count: number | undefined,
    wap: number | undefined,
    hasGaps: boolean | undefined,
  ];
  marketDataType: [reqId: number, type: number];
  openOrder: [orderId: number, contract: Contract, order: Order, state: OrderState];
  openOrderEnd: [];
  orderStatus: [
    orderId: number,
    status: string,
    filled: number | undefined,
    remaining: number | undefined,
    averagePrice: number,
    permId: number | undefined,
    parentId: number | undefined,
    lastPrice: number | undefined,
    clientId: number | undefined,
    whyHeld: string | undefined,
  ];
  position: [
    account: string,
    contract: Contract,
    position: number | undefined,
    averageCost: number | undefined,
  ];
  positionEnd: [];
  tickPrice: [reqId: number, tickType: number, price: number | undefined];
  tickSize: [reqId: number, tickType: number | undefined, size: number | undefined];
  tickSnapshotEnd: [reqId: number];
  tickString: [reqId: number, tickType: number, value: string];
}

export type LinkEventName = keyof LinkEvents;

/** What to do with each kind of message. */
export type LinkHandlers = { readonly [E in LinkEventName]?: (...args: LinkEvents[E]) => void };

/** Messages whose first field is the number of the request they answer. */
export const answersRequest: ReadonlySet<LinkEventName> = new Set<LinkEventName>([
  "accountSummary",
  "accountSummaryEnd",
  "contractDetails",
  "contractDetailsEnd",
  "execDetails",
  "execDetailsEnd",
  "historicalData",
  "marketDataType",
  "tickPrice",
  "tickSize",
  "tickSnapshotEnd",
  "tickString",
]);
