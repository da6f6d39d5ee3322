import type { BacktestResult, Metrics, TargetSeries } from "@pf/backtest";
import type { SessionDate } from "@pf/market";
import { dollarsOf, oneShare } from "@pf/orders";
import type { MetricsJson } from "@pf/report";
import { type Difference, measureAccount } from "./compare.js";
import type { AccountRules, AccountRun } from "./engine.js";

/** The same decisions in a cash account, in dollars. */
export interface AccountDocument {
  readonly metrics: MetricsJson;
  readonly initialCash: number;
  readonly finalEquity: number;
  /** Whether quantities are whole shares, or parts of them. */
  readonly quantity: "whole" | "fractional";
  readonly commissionPlan: string;
  readonly commissions: number;
  readonly slippage: number;
  /** Cash from dividends; 0 where adjusted prices stand in for real ones. */
  readonly dividends: number;
  readonly fills: number;
  /** Sessions on which a plan was made. */
  readonly planned: number;
  /** Sessions on which something waited for another session, by reason; one can have several. */
  readonly waited: Readonly<Record<string, number>>;
  /** Sessions whose plan a check forbade. */
  readonly blocked: readonly { readonly session: SessionDate; readonly checks: readonly string[] }[];
  /** Mean fraction of equity in cash: of the account, and of the targets. */
  readonly idleCash: { readonly account: number; readonly targets: number };
  /** What the account earns more or less than the bars engine, part by part; they add up to the whole. */
  readonly difference: readonly Difference[];
}

/** An account run as documents show it. */
export function accountDocument(
  bars: BacktestResult,
  run: AccountRun,
  rules: AccountRules,
  difference: readonly Difference[],
  metricsJson: (metrics: Metrics) => MetricsJson,
): AccountDocument {
  const waited: Record<string, number> = {};
  for (const { reasons } of run.waiting) {
    for (const reason of new Set(Object.values(reasons))) waited[reason] = (waited[reason] ?? 0) + 1;
  }
  return {
    metrics: metricsJson(measureAccount(run)),
    initialCash: dollarsOf(rules.initialCash),
    finalEquity: dollarsOf(run.equity.at(-1)!),
    quantity: rules.orders.quantityStep === oneShare ? "whole" : "fractional",
    commissionPlan: rules.orders.commission.name,
    commissions: dollarsOf(run.commissions),
    slippage: dollarsOf(run.slippageCost),
    dividends: dollarsOf(run.dividends),
    fills: run.fills.length,
    planned: run.planned,
    waited,
    blocked: run.blocked,
    idleCash: { account: mean(run.cash), targets: 1 - mean(exposures(bars.targets)) },
    difference,
  };
}

function exposures({ rowStart, weight }: TargetSeries): Float64Array {
  const sums = new Float64Array(rowStart.length - 1);
  for (let row = 0; row < sums.length; row++) {
    for (let k = rowStart[row]!; k < rowStart[row + 1]!; k++) sums[row]! += weight[k]!;
  }
  return sums;
}

function mean(values: Float64Array): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum / values.length;
}
