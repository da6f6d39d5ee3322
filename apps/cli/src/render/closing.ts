import { join, relative } from "node:path";
import type { BacktestDocument, WalkForwardDocument } from "@pf/app";
import type { Style } from "../command.js";
import { count, decimal, percent, plural, undefinedNumber } from "./number.js";
import { listItem, renderTable, wrap } from "./table.js";

type Verdict = WalkForwardDocument["verdict"];
type Overfitting = WalkForwardDocument["overfitting"];

/** Where the report and its log are. */
export function whereItIs(
  { files, log }: { readonly files: readonly string[]; readonly log: string },
  { painter, width, out }: Style,
): string[] {
  const shown = relative(".", out) || ".";
  return [
    `Report in ${painter.cyan(join(shown, "/"))}`,
    ...wrap(files.join(" "), width - 4).map((line) => `  ${line}`),
    `  ${log}`,
  ];
}

/** Doubts, each under its word. */
export function warningLines(warnings: readonly string[], { painter, width }: Style): string[] {
  return [
    ...warnings.flatMap((warning) =>
      wrap(warning, width - 11).map(
        (line, at) => `  ${at === 0 ? `${painter.yellow("Warning")}  ` : "         "}${line}`,
      ),
    ),
    ...(warnings.length > 0 ? [""] : []),
  ];
}

/** What rows are, where they are not sessions: a line below a heading, in its column. */
export function hourlyLines(
  { bars, barsPerYear }: Pick<BacktestDocument["manifest"], "bars" | "barsPerYear">,
  column: number,
): string[] {
  if (bars === undefined || barsPerYear === undefined) return [];
  const year = count(Math.round(barsPerYear));
  return [`${" ".repeat(column)}hourly bars: ${count(bars)}, annualised by ${year} to a year`];
}

/**
 * How far the best of the grid can be trusted, in numbers with their meaning.
 *
 * @param rows - what returns are of
 */
export function trustTable(
  overfitting: Overfitting,
  { painter, width }: Style,
  rows: "sessions" | "hours" = "sessions",
): string {
  const { best, deflatedSharpe, trials, minimumTrackRecord, probabilityOfOverfitting, plateau } = overfitting;
  const params = Object.entries(best.params)
    .map(([key, value]) => `${key} ${value}`)
    .join(", ");
  return renderTable(
    [{ heading: "Best of the grid" }, { heading: "", align: "right" }, { heading: `over all ${rows}` }],
    [
      ["objective", decimal(best.objective), params],
      [
        "deflated Sharpe",
        decimal(deflatedSharpe),
        `probability of more than luck, ${plural(trials, "trial")}`,
      ],
      [
        "overfitting",
        decimal(probabilityOfOverfitting),
        "probability that the best is no better than the middle",
      ],
      ["plateau", decimal(plateau), "share of its lead that neighbours have: 1 plateau, 0 spike"],
      [
        "track record",
        minimumTrackRecord === null ? undefinedNumber : String(Math.ceil(minimumTrackRecord)),
        `${rows} needed for 95% confidence in a Sharpe above 0`,
      ],
    ],
    { painter, width },
  );
}

/** What was shown and what was not, in words. */
export function verdictLines({ headline, findings, limits }: Verdict, { painter, width }: Style): string[] {
  return [
    painter.bold("Verdict"),
    ...wrap(headline, width - 2).map((line) => `  ${line}`),
    "",
    ...findings.flatMap(({ passed, line }) =>
      listItem(
        passed === null ? painter.dim("?") : passed ? painter.green("+") : painter.red("-"),
        line,
        width,
      ),
    ),
    "",
    painter.bold("What this does not show"),
    ...limits.flatMap((limit) => listItem(painter.dim("·"), limit, width)),
    "",
  ];
}

/** "61% of 34 windows" */
export function shareOf(share: number, count: number, what: string): string {
  return `${percent(share, 0)} of ${plural(count, what)}`;
}
