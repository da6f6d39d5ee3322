import { sessionsPerYear } from "@pf/backtest";
import type { Objective } from "../study.js";
import type { Lanes } from "./lanes.js";
import { sumFields, sumSize } from "./sums.js";

const sessionsPerMonth = 21;

/** A metric of one lane, by the definitions of the plain path's `measure`. */
export function objectiveOf(
  objective: Objective,
  lanes: Lanes,
  lane: number,
  bars: number,
  periodsPerYear: number,
): number {
  const equity = lanes.peaks[lane]! * lanes.ratios[lane]!;
  const drawdown = 1 - lanes.lowest[lane]!;
  const sum = (field: keyof typeof sumFields): number => lanes.sums[lane * sumSize + sumFields[field]]!;
  const growth = () =>
    bars === 0 ? Number.NaN : equity > 0 ? Math.exp((Math.log(equity) * periodsPerYear) / bars) - 1 : -1;
  switch (objective) {
    case "Calmar":
      return ratio(growth(), bars === 0 ? Number.NaN : drawdown);
    case "CAGR":
      return growth();
    case "MaxDD":
      return bars === 0 ? Number.NaN : drawdown;
    case "FinalEquity":
      return bars === 0 ? Number.NaN : equity;
    case "Bars":
      return bars;
    case "Sharpe":
      return ratio((sum("net") / bars) * Math.sqrt(periodsPerYear), deviation());
    case "AnnualVol":
      return deviation() * Math.sqrt(periodsPerYear);
    case "Sortino":
      return ratio((sum("net") / bars) * Math.sqrt(periodsPerYear), Math.sqrt(sum("downside") / bars));
    case "PF":
      return ratio(sum("gains"), sum("losses"));
    case "Turnover":
      return sum("turnover");
    case "TurnoverAnnual":
      return (sum("turnover") * periodsPerYear) / bars;
    case "RebalanceDays":
      return sum("days");
    case "RebalancesPerMonth":
      return (sum("days") * sessionsPerMonth * periodsPerYear) / sessionsPerYear / bars;
  }

  function deviation(): number {
    if (bars < 2) return Number.NaN;
    // The first row never trades, so that returns are all equal only where all are 0.
    if (sum("squares") === 0) return 0;
    const net = sum("net");
    return Math.sqrt(Math.max(0, sum("squares") - (net * net) / bars) / (bars - 1));
  }
}

function ratio(numerator: number, denominator: number): number {
  return denominator > 0 ? numerator / denominator : Number.NaN;
}
