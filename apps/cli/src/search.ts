import * as Flags from "@oclif/core/flags";
import type { ObjectiveName } from "@pf/app";
import { valueFlag } from "./command.js";

/** Written here because flags are read before anything heavy is loaded; the compiler sees that none is missing. */
const objectives = Object.keys({
  CAGR: true,
  Sharpe: true,
  Sortino: true,
  Calmar: true,
  MaxDD: true,
  AnnualVol: true,
  PF: true,
  Turnover: true,
  TurnoverAnnual: true,
  RebalanceDays: true,
  RebalancesPerMonth: true,
  FinalEquity: true,
} satisfies Record<ObjectiveName, true>) as ObjectiveName[];

/** What every search of the grid takes. */
export const searchFlags = {
  start: valueFlag("first day; indicators start there too", "DATE"),
  end: valueFlag("last day", "DATE"),
  objective: Flags.option({ options: objectives })({
    summary: "metric to choose by (default: permutation.objective)",
    helpValue: "METRIC",
  }),
  workers: Flags.integer({
    summary: "threads to use, 0 for none (default: as the work needs); results are the same",
    helpValue: "N",
  }),
  "no-plots": Flags.boolean({ summary: "write no pictures" }),
};

/** The flags of a search as a request. */
export function searchRequest(flags: {
  readonly start?: string | undefined;
  readonly end?: string | undefined;
  readonly objective?: ObjectiveName | undefined;
  readonly workers?: number | undefined;
  readonly "no-plots": boolean;
}) {
  return {
    plots: !flags["no-plots"],
    ...(flags.start ? { start: flags.start } : {}),
    ...(flags.end ? { end: flags.end } : {}),
    ...(flags.objective ? { objective: flags.objective } : {}),
    ...(flags.workers === undefined ? {} : { workers: flags.workers }),
  };
}
