import type { WalkForwardDocument, WalkForwardOutcome } from "@pf/app";
import type { Style } from "../command.js";
import { renderChart } from "./chart.js";
import { hourlyLines, shareOf, trustTable, verdictLines, warningLines, whereItIs } from "./closing.js";
import { decimal, percent, plural } from "./number.js";
import { renderTable, wrap } from "./table.js";

/** How the procedure went, what it chose, how steadily, and what that is worth. */
export function renderWalkForward({ document, result, notes }: WalkForwardOutcome, style: Style): string {
  const { painter, width } = style;
  const { folds, manifest, undecided } = document;
  const { objective, points, trainYears, oosMonths } = manifest.study;
  const range = `${folds[0]!.oosStart} to ${folds.at(-1)!.oosEnd}`;
  return [
    `${painter.bold("Walk-forward")}  ${range}, ${plural(folds.length, "window")}`,
    `              ${plural(points, "combination")} on ${plural(trainYears, "year")}, the best ${objective} used for ${plural(oosMonths, "month")}`,
    ...hourlyLines(manifest, 14),
    "",
    comparison(document, style),
    `  ${painter.dim("Growth of 1 out of sample, after costs")}`,
    renderChart({ dates: result.sessions, values: result.equity }, Math.min(width, 80)),
    "",
    path(document, style),
    stability(document, style),
    ...wrap(steadiness(document), width - 2).map((line) => `  ${line}`),
    "",
    trustTable(document.overfitting, style, manifest.timeframe === "1 hour" ? "hours" : "sessions"),
    ...verdictLines(document.verdict, style),
    ...warningLines(
      [
        ...manifest.warnings,
        ...(undecided.length > 0
          ? [
              `no ${objective} in window ${undecided.join(", ")}: nothing was decided there, and the first combination stood in`,
            ]
          : []),
        ...notes,
      ],
      style,
    ),
    ...whereItIs(document, style),
    "",
  ].join("\n");
}

type Metrics = WalkForwardDocument["comparison"]["walkForward"];

const lines: readonly (readonly [string, (metrics: Metrics) => string])[] = [
  ["Growth a year (CAGR)", ({ CAGR }) => percent(CAGR, 2)],
  ["Sharpe ratio", ({ Sharpe }) => decimal(Sharpe)],
  ["Deepest drawdown", ({ MaxDD }) => percent(MaxDD)],
  ["Calmar ratio", ({ Calmar }) => decimal(Calmar)],
  ["Turnover a year", ({ TurnoverAnnual }) => `${decimal(TurnoverAnnual, 1)}x`],
  ["Rebalances a month", ({ RebalancesPerMonth }) => decimal(RebalancesPerMonth, 1)],
  ["1 became", ({ FinalEquity }) => decimal(FinalEquity)],
];

function comparison({ comparison: { walkForward, fixed, spy } }: WalkForwardDocument, style: Style): string {
  const { painter, width } = style;
  const columns: readonly (readonly [string, Metrics])[] = [
    ["Walk-forward", walkForward],
    ["Fixed parameters", fixed],
    ...(spy ? [["SPY held", spy] as const] : []),
  ];
  return renderTable(
    [{ heading: "" }, ...columns.map(([heading]) => ({ heading, align: "right" as const }))],
    lines.map(([name, show]) => [name, ...columns.map(([, metrics]) => show(metrics))]),
    { painter, width, paint: (text, column) => (column === 1 ? painter.bold(text) : text) },
  );
}

/** More columns than this do not fit a line; then the combination is one text. */
const mostKeys = 5;

/** What each window chose, and what came of it. */
function path({ folds, manifest, stability: { keys } }: WalkForwardDocument, style: Style): string {
  const { painter, width } = style;
  const varied = keys.filter(({ values }) => values.length > 1).map(({ key }) => key);
  const apart = varied.length <= mostKeys;
  const chosen = (params: (typeof folds)[number]["params"]) =>
    apart
      ? varied.map((key) => String(params[key]))
      : [varied.map((key) => `${key} ${params[key]}`).join(", ")];
  const numbers = (objective: number | null, growth: number | null) => [
    decimal(objective),
    percent(growth === null ? null : growth - 1),
  ];
  return renderTable(
    [
      { heading: "Applied from" },
      { heading: manifest.study.objective, align: "right" },
      { heading: "then", align: "right" },
      ...(apart ? varied.map((key) => ({ heading: key, align: "right" as const })) : [{ heading: "chosen" }]),
    ],
    folds.map(({ oosStart, params, objective, oos }) => [
      oosStart,
      ...numbers(objective, oos.FinalEquity),
      ...chosen(params),
    ]),
    { painter, width },
  );
}

function stability({ stability: { keys } }: WalkForwardDocument, { painter, width }: Style): string {
  return renderTable(
    [
      { heading: "Stability" },
      { heading: "changes", align: "right" },
      { heading: "how often each value was chosen" },
    ],
    keys
      .filter(({ values }) => values.length > 1)
      .map(({ key, changes, values }) => [
        key,
        String(changes),
        values.map(({ value, share }) => `${value}: ${percent(share, 0)}`).join("  "),
      ]),
    { painter, width },
  );
}

function steadiness({
  folds,
  stability,
  comparison: { gainingFolds, efficiency },
}: WalkForwardDocument): string {
  const borders = folds.length - 1;
  const changed =
    borders > 0 ? `The combination changed at ${stability.changes} of ${plural(borders, "border")}. ` : "";
  const kept =
    efficiency === null
      ? "Training promised no growth."
      : `Of the growth a year that training promised, ${percent(efficiency, 0)} was kept.`;
  return `${changed}${shareOf(gainingFolds, folds.length, "window")} gained out of sample. ${kept}`;
}
