export {
  type Account,
  availableCash,
  costOf,
  type DayTrade,
  emptyAccount,
  heldOf,
  type Lot,
  openSales,
  type Pending,
  pendingCash,
  positionsOf,
  type Rebalance,
  releaseBrakes,
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
export { type ApprovedPlan, assertApproved } from "./approval.js";
export { LedgerEventError, PlanNotApprovedError } from "./errors.js";
export { type AccountEvent, applyEvent, type CashReason, describeCash, foldEvents } from "./events.js";
export {
  type BrokerFigures,
  type BrokerPosition,
  type Notice,
  type NoticeCode,
  type ReconcileOptions,
  type Reconciliation,
  reconcile,
} from "./reconcile.js";
export {
  type Check,
  type CheckName,
  calendarHours,
  checkNames,
  reservationFor,
  review,
  type Verdict,
} from "./review.js";
export {
  type ComplianceRules,
  type Hours,
  type LastBar,
  type Situation,
  type TradingWindow,
  usualRules,
} from "./rules.js";
export { type SettlementCalendar, usSettlement } from "./settlement.js";
export {
  type Brake,
  dailyLossBrake,
  drawdownBrake,
  equityOf,
  isRestricted,
  snapshotOf,
  spendableCash,
} from "./snapshot.js";
