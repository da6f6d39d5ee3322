import { decimalOf, digitsOf, divideHalfEven, quotientHalfEven, scaled } from "./decimal.js";
import { AmountError } from "./errors.js";
import { type Cents, cents, fractionOf, type Quantity } from "./money.js";

/** The plans that a configuration may name. */
export const commissionPlanNames = ["per_share", "ibkr_tiered", "ibkr_fixed"] as const;
export type CommissionPlanName = (typeof commissionPlanNames)[number];

/** What an order costs: so much a share, at least the minimum, at most a fraction of what was traded. */
export interface CommissionPlan {
  readonly name: CommissionPlanName;
  /** Dollars a share. */
  readonly perShare: number;
  /** Of a whole order. */
  readonly minimum: Cents;
  /** Fraction of the order's notional; `null` for none. */
  readonly maximum: number | null;
}

/**
 * The plan of a name.
 *
 * - `per_share`: the given rate, no minimum and no maximum, as the specification's backtest has it
 * - `ibkr_tiered`: 0.0035 dollars a share, at least 0.35 an order, at most 1 % of its notional
 * - `ibkr_fixed`: 0.005 dollars a share, at least 1.00 an order, at most 1 % of its notional
 *
 * Exchange, clearing and regulatory fees, which come on top of the tiered plan, are not in it. Source: Interactive
 * Brokers' price lists for US shares and ETFs, first volume tier.
 *
 * @param perShare - dollars a share of the plan `per_share`; the others have their own
 * @throws AmountError when it is not finite or below 0
 */
export function commissionPlan(name: CommissionPlanName, perShare = 0.0035): CommissionPlan {
  switch (name) {
    case "per_share":
      if (!(perShare >= 0 && Number.isFinite(perShare))) {
        throw new AmountError(`${perShare} dollars a share`, "is no commission");
      }
      return { name, perShare, minimum: cents(0), maximum: null };
    case "ibkr_tiered":
      return { name, perShare: 0.0035, minimum: cents(35), maximum: 0.01 };
    case "ibkr_fixed":
      return { name, perShare: 0.005, minimum: cents(100), maximum: 0.01 };
  }
}

/**
 * The commission of a whole order. The maximum is stronger than the minimum, as the broker has it: one share of 10
 * dollars costs 0.10, not 0.35.
 *
 * @param quantity - of the order, or of what was filled of it
 * @param notional - what that quantity was traded for
 * @returns cents, each part rounded half-even; 0 for nothing; never falls when quantity and notional rise
 */
export function commissionCents(plan: CommissionPlan, quantity: Quantity, notional: Cents): Cents {
  if (quantity === 0) return cents(0);
  const byShare = chargedByShare(plan.perShare, quantity);
  const atLeast = Math.max(byShare, plan.minimum);
  return plan.maximum === null
    ? cents(atLeast)
    : cents(Math.min(atLeast, fractionOf(notional, plan.maximum)));
}

function chargedByShare(perShare: number, quantity: Quantity): number {
  const digits = digitsOf(perShare, 1_000_000);
  if (digits !== undefined && digits * quantity <= Number.MAX_SAFE_INTEGER) {
    return quotientHalfEven(digits * quantity, 100_000_000);
  }
  const [over, under] = scaled(decimalOf(perShare)!, -2);
  return Number(divideHalfEven(over * BigInt(quantity), under));
}

/** What was filled of one order so far. */
export interface Filled {
  readonly quantity: Quantity;
  readonly notional: Cents;
}

/**
 * The part of an order's commission that falls to its next execution: minimum and maximum are those of the order, so
 * that the parts of an order filled in pieces add up to the commission of the order filled at once.
 *
 * @param before - what was filled of the order before this execution
 */
export function commissionOfFill(plan: CommissionPlan, before: Filled, fill: Filled): Cents {
  const charged = commissionCents(plan, before.quantity, before.notional);
  const [quantity, notional] = [before.quantity + fill.quantity, before.notional + fill.notional];
  return cents(commissionCents(plan, quantity as Quantity, cents(notional)) - charged);
}
