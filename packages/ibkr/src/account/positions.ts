import type { Ticker } from "@pf/market";
import type { Quantity } from "@pf/orders";
import { ProtocolError } from "../errors.js";
import type { LinkRequest } from "../session/link.js";
import { tickerOf } from "./contracts.js";
import { quantityOf } from "./decimal.js";

/** What an account holds of one contract. */
export interface Position {
  readonly conId: number;
  readonly symbol: Ticker;
  /** `STK` for shares and funds; others are shown and left alone. */
  readonly secType: string;
  readonly currency: string;
  /** Ten-thousandths of a share; below 0 when sold short. */
  readonly quantity: Quantity;
  /** Dollars a share, commissions included. */
  readonly averageCost: number;
}

/** The positions of one account, in the order of their symbols; what is closed is left out. */
export function positionsRequest(account: string, signal?: AbortSignal): LinkRequest<readonly Position[]> {
  return {
    what: `positions of ${account}`,
    lane: { name: "positions", limit: 1 },
    subscription: true,
    signal,
    send: (api) => api.reqPositions(),
    cancel: (api) => api.cancelPositions(),
    receive(answer, wire) {
      const held = new Map<number, Position>();
      return {
        position: (whose, contract, _, averageCost) => {
          if (whose !== account) return;
          const quantity = quantityOf(wire.fields[14] ?? "");
          if (quantity === undefined || contract.conId === undefined)
            throw new ProtocolError(`a position of ${contract.symbol} without a size`);
          held.set(contract.conId, {
            conId: contract.conId,
            symbol: tickerOf(contract.symbol ?? ""),
            secType: String(contract.secType ?? ""),
            currency: contract.currency ?? "",
            quantity,
            averageCost: averageCost ?? 0,
          });
        },
        positionEnd: () =>
          answer.resolve(
            [...held.values()]
              .filter(({ quantity }) => quantity !== 0)
              .sort((a, b) => (a.symbol < b.symbol ? -1 : a.symbol > b.symbol ? 1 : a.conId - b.conId)),
          ),
      };
    },
  };
}
