import { type BacktestResult, type CostModel, type Metrics, measure } from "@pf/backtest";
import { type LoadedConfig, lagOf } from "@pf/config";
import type { Panel, TradingCalendar } from "@pf/market";
import {
  type CommissionPlan,
  centsOfDollars,
  commissionPlan,
  dollarsOf,
  oneShare,
  type Quantity,
} from "@pf/orders";
import { type AccountRules, type AccountRun, runAccount } from "./engine.js";
import type { RealPrices } from "./prices.js";
import { tradingRulesOf } from "./rules.js";

/** A part of what the account earns less, or more, than the bars engine. */
export interface Difference {
  /**
   * - `drift` holdings drift between rebalances, where the bars engine keeps weights constant, and are sized in dollars
   * - `buffer` the cash that is never invested, and the cushion of market orders
   * - `fees` the commission plan with its minimum
   * - `rounding` whole shares
   * - `settlement` proceeds settle days later, and every check is made
   */
  readonly name: "drift" | "buffer" | "fees" | "rounding" | "settlement";
  /** Change of the growth a year, as a fraction. */
  readonly cagr: number;
  /** Change of what the account is worth at the end, in dollars. */
  readonly dollars: number;
}

/** The account engine's rules, as the configuration and live trading have them. */
export function accountRulesOf(loaded: LoadedConfig, calendar: TradingCalendar): AccountRules {
  const { config } = loaded;
  const { orders, ...rules } = tradingRulesOf(loaded, calendar);
  return {
    ...rules,
    initialCash: centsOfDollars(config.backtest.initialCash),
    orders: {
      ...orders,
      // Fills are at the close, so that a limit would be at the close as well; without quotes there is none.
      orderType: "MKT",
      quantityStep: config.execution.quantity === "fractional" ? fraction : oneShare,
      inWords: false,
    },
    slippageBps: config.costs.slippageBps,
    delay: lagOf(config) === 2 ? 1 : 0,
  };
}

/** The finest step that brokers keep: a ten-thousandth of a share. */
const fraction = 1 as Quantity;

/** Performance of an account: returns of the sessions, and what it is worth in dollars at the end. */
export function measureAccount(run: AccountRun): Metrics {
  return { ...measure(run), FinalEquity: dollarsOf(run.equity.at(-1)!) };
}

/**
 * Takes the difference between the engines apart: from an account without friction, one thing after the other is added
 * until the real one is reached. The parts add up to the whole; in another order each would be a little different.
 *
 * @param costs - what the bars engine was run with
 */
export function compareEngines(
  panel: Panel,
  bars: BacktestResult,
  prices: RealPrices,
  real: AccountRules,
  run: AccountRun,
  costs: CostModel,
): readonly Difference[] {
  const { orders, compliance } = real;
  // What the bars engine has taken for every share.
  const plain = commissionPlan("per_share", costs.commissionPerShare);
  const ideal = (commission: CommissionPlan, quantityStep: Quantity, cashBuffer: number): AccountRules => ({
    ...real,
    orders: { ...orders, commission, quantityStep, cashBuffer, maxOrders: 2 * panel.tickers.length },
    compliance: {
      ...compliance,
      commission,
      cashBuffer,
      settledCash: "strict",
      // What brakes cost is part of the checks, which come last.
      maxDrawdown: null,
      maxDailyLoss: null,
    },
    isIdeal: true,
  });
  const steps: readonly (readonly [Difference["name"], AccountRules])[] = [
    ["drift", ideal(plain, fraction, 0)],
    ["buffer", ideal(plain, fraction, orders.cashBuffer)],
    ["fees", ideal(orders.commission, fraction, orders.cashBuffer)],
    ["rounding", ideal(orders.commission, orders.quantityStep, orders.cashBuffer)],
  ];
  let before = { cagr: measure(bars).CAGR, dollars: bars.equity.at(-1)! * dollarsOf(real.initialCash) };
  const end = (of: AccountRun) => ({ cagr: measure(of).CAGR, dollars: dollarsOf(of.equity.at(-1)!) });
  const parts: Difference[] = [];
  const add = (name: Difference["name"], after: typeof before) => {
    parts.push({ name, cagr: after.cagr - before.cagr, dollars: after.dollars - before.dollars });
    before = after;
  };
  for (const [name, rules] of steps) add(name, end(runAccount(panel, bars.targets, prices, rules)));
  add("settlement", end(run));
  return parts;
}
