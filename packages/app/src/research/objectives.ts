import type { Objective } from "@pf/research";

/** The objectives a person may choose: every metric but the number of bars, which no strategy changes. */
export const objectives = [
  "CAGR",
  "Sharpe",
  "Sortino",
  "Calmar",
  "MaxDD",
  "AnnualVol",
  "PF",
  "Turnover",
  "TurnoverAnnual",
  "RebalanceDays",
  "RebalancesPerMonth",
  "FinalEquity",
] as const satisfies readonly Objective[];
export type ObjectiveName = (typeof objectives)[number];
