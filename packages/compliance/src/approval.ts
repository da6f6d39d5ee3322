import type { OrderPlan } from "@pf/orders";
import { PlanNotApprovedError } from "./errors.js";

declare const approved: unique symbol;

/**
 * A plan that has passed the review, frozen as it passed it. Nothing but `review` makes one: the brand keeps other plans
 * from compiling, and `assertApproved` keeps them from being sent where nobody compiles.
 */
export type ApprovedPlan = OrderPlan & {
  readonly [approved]: true;
  /** No order of it may be sent after this instant: the end of the session's window. */
  readonly validUntilUtcMs: number;
};

// Membership cannot be copied, serialised or forged: a plan read back from a file has to pass the review again.
const minted = new WeakSet<object>();

/**
 * Refuses everything that `review` has not approved, a copy of an approved plan included.
 *
 * @throws PlanNotApprovedError
 */
export function assertApproved(plan: unknown): asserts plan is ApprovedPlan {
  if (typeof plan !== "object" || plan === null || !minted.has(plan)) throw new PlanNotApprovedError();
}

/** Freezes a copy of the plan and gives it its mark. Private to the review: not exported by the package. */
export function approve(plan: OrderPlan, validUntilUtcMs: number): ApprovedPlan {
  const copy = frozenCopy({ ...plan, validUntilUtcMs });
  minted.add(copy);
  return copy as ApprovedPlan;
}

function frozenCopy<Value>(value: Value): Value {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return Object.freeze(value.map(frozenCopy)) as Value;
  const copy = { ...value };
  for (const key of Object.keys(copy) as (keyof Value)[]) {
    if (typeof copy[key] === "object") copy[key] = frozenCopy(copy[key]);
  }
  return Object.freeze(copy);
}
