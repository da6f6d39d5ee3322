import type { Ticker } from "@pf/market";
import { oneShare, type Quantity } from "@pf/orders";
import type { Contract, ContractDetails, SecType } from "@stoqey/ib";
import { ProtocolError, UnknownContractError } from "../errors.js";
import type { LinkRequest } from "../session/link.js";
import { quantityOf } from "./decimal.js";
import { type LiquidHours, parseLiquidHours } from "./hours.js";

/** What the broker knows of a share or fund. */
export interface ContractInfo {
  readonly symbol: Ticker;
  readonly conId: number;
  readonly longName: string;
  readonly primaryExchange: string;
  /** `ETF`, `COMMON`, … */
  readonly stockType: string;
  /** Dollars; limit prices are whole multiples of it. */
  readonly minTick: number;
  /** The smallest order and the step above it, in ten-thousandths of a share; necessary for fractions, not sufficient. */
  readonly minSize: Quantity;
  readonly sizeIncrement: Quantity;
  /** Regular trading in the coming days, closed days included. */
  readonly liquidHours: readonly LiquidHours[];
  readonly orderTypes: readonly string[];
}

/** A share or fund at New York, by its symbol: what history and quotes are asked with. */
export function stockContract(symbol: Ticker): Contract {
  return { symbol: ibSymbol(symbol), secType: "STK" as SecType, exchange: "SMART", currency: "USD" };
}

/** The contract that was looked up, for orders: nothing is left to be matched. */
export function orderContract({ conId, symbol, primaryExchange }: ContractInfo): Contract {
  return { ...stockContract(symbol), conId, primaryExch: primaryExchange };
}

/** Interactive Brokers writes share classes with a blank: `BRK B`. */
function ibSymbol(symbol: Ticker): string {
  return symbol.replaceAll(".", " ");
}

export function tickerOf(symbol: string): Ticker {
  return symbol.replaceAll(" ", ".");
}

/** @throws UnknownContractError when there is none, or more than one */
export function contractRequest(symbol: Ticker, signal?: AbortSignal): LinkRequest<ContractInfo> {
  return {
    what: `contract details of ${symbol}`,
    lane: { name: "contract details", limit: 10 },
    signal,
    send: (api, reqId) => api.reqContractDetails(reqId, stockContract(symbol)),
    receive(answer) {
      const found = new Map<number, ContractInfo>();
      return {
        contractDetails: (_, details) => {
          if (tickerOf(details.contract.symbol ?? "") !== symbol) return;
          const info = infoOf(symbol, details);
          found.set(info.conId, info);
        },
        contractDetailsEnd: () => {
          const [only, ...others] = found.values();
          if (only && others.length === 0) answer.resolve(only);
          else answer.reject(new UnknownContractError(symbol, ambiguity([...found.values()])));
        },
      };
    },
    refused({ code, message }, answer) {
      if (code !== 200) return undefined;
      answer.reject(new UnknownContractError(symbol, message));
      return "handled";
    },
  };
}

function ambiguity(found: readonly ContractInfo[]): string {
  if (found.length === 0) return "no US share or fund has this symbol";
  return `several contracts have this symbol: ${found.map((info) => `${info.conId} (${info.primaryExchange})`).join(", ")}`;
}

function infoOf(symbol: Ticker, details: ContractDetails): ContractInfo {
  const { contract, minTick = 0, timeZoneId = "", liquidHours = "" } = details;
  if (!contract.conId || !(minTick > 0))
    throw new ProtocolError(`contract details of ${symbol} without id or tick`);
  return {
    symbol,
    conId: contract.conId,
    longName: details.longName ?? "",
    primaryExchange: contract.primaryExch ?? "",
    stockType: details.stockType ?? "",
    minTick,
    minSize: sizeOf(symbol, details.minSize),
    sizeIncrement: sizeOf(symbol, details.sizeIncrement),
    liquidHours: parseLiquidHours(liquidHours, timeZoneId),
    orderTypes: (details.orderTypes ?? "").split(",").filter((type) => type !== ""),
  };
}

/** Servers before 164 name no sizes: whole shares then. */
function sizeOf(symbol: Ticker, shares: number | undefined): Quantity {
  if (shares === undefined) return oneShare;
  const quantity = quantityOf(shares.toFixed(8));
  if (quantity === undefined || quantity <= 0)
    throw new ProtocolError(`contract details of ${symbol} with a size of ${shares}`);
  return quantity;
}
