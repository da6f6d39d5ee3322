export {
  type CommissionPlan,
  type CommissionPlanName,
  commissionCents,
  commissionOfFill,
  commissionPlan,
  commissionPlanNames,
  type Filled,
} from "./commission.js";
export { AmountError, OrderPlanInputError, OrderReferenceError } from "./errors.js";
export {
  affordable,
  type Cents,
  cents,
  centsOfDollars,
  dollarsOf,
  floorTo,
  formatCents,
  formatQuantity,
  fractionOf,
  isCents,
  isQuantity,
  limitPrice,
  notionalCents,
  oneShare,
  type Quantity,
  quantity,
  quantityOfShares,
  sharesOf,
} from "./money.js";
export type {
  AccountSnapshot,
  ComingCash,
  DeferReason,
  Deferred,
  Holding,
  NoOrderReason,
  OrderPlan,
  OrderRules,
  PlanCash,
  PlanLine,
  Quote,
  Quotes,
  Targets,
} from "./plan.js";
export { marketOrderCushion, planOrders } from "./planOrders.js";
export { type OrderReference, orderReference, parseOrderReference } from "./reference.js";
export type { OrderEvent, OrderIntent, OrderReason, OrderType, Side } from "./vocabulary.js";
