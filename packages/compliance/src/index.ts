export {
  type Account,
  availableCash,
  costOf,
  type DayTrade,
  emptyAccount,
  freeFrom,
  heldOf,
  type Lot,
  openSales,
  type Pending,
  pendingCash,
  positionsOf,
  type Rebalance,
  reservedCash,
  type SaleGuards,
  type Sellable,
  type SentOrder,
  sellableOn,
  totalCash,
  type Valuation,
  type Violation,
  type ViolationKind,
} from "./account.js";
export { LedgerEventError } from "./errors.js";
export { type AccountEvent, applyEvent, type CashReason, describeCash, foldEvents } from "./events.js";
export { type SettlementCalendar, usSettlement } from "./settlement.js";
