import type { BacktestDocument, BacktestOutcome } from "@pf/app";
import type { Style } from "../command.js";
import { renderChart } from "./chart.js";
import { warningLines, whereItIs } from "./closing.js";
import { count, decimal, percent, plural } from "./number.js";
import { renderTable } from "./table.js";

type Metrics = BacktestDocument["metrics"];

/** The summary: how it would have gone beside simple alternatives, how much it trades, where the report is. */
export function renderBacktest({ document, result, benchmarks }: BacktestOutcome, style: Style): string {
  const { painter, width } = style;
  const { manifest } = document;
  const symbols = Object.keys(manifest.data).length;
  const range = `${manifest.first} to ${manifest.last}`;
  return [
    `${painter.bold("Backtest")}  ${range}, ${plural(manifest.sessions, "session")}, ${plural(symbols, "symbol")}`,
    "",
    performance(document, benchmarks, style),
    `  ${painter.dim("Growth of 1, after costs")}`,
    renderChart({ dates: result.sessions, values: result.equity }, Math.min(width, 80)),
    "",
    rotation(document, style),
    ...warningLines(manifest.warnings, style),
    ...whereItIs(document, style),
    "",
  ].join("\n");
}

const lines: readonly (readonly [string, (metrics: Metrics) => string])[] = [
  ["Growth a year (CAGR)", ({ CAGR }) => percent(CAGR, 2)],
  ["Sharpe ratio", ({ Sharpe }) => decimal(Sharpe)],
  ["Deepest drawdown", ({ MaxDD }) => percent(MaxDD)],
  ["Calmar ratio", ({ Calmar }) => decimal(Calmar)],
  ["Profit factor", ({ PF }) => decimal(PF)],
  ["Turnover a year", ({ TurnoverAnnual }) => `${decimal(TurnoverAnnual, 1)}x`],
  ["Rebalances a month", ({ RebalancesPerMonth }) => decimal(RebalancesPerMonth, 1)],
  ["1 became", ({ FinalEquity }) => decimal(FinalEquity)],
];

function performance(
  document: BacktestDocument,
  benchmarks: BacktestOutcome["benchmarks"],
  style: Style,
): string {
  const { painter, width } = style;
  const others = benchmarks.flatMap(({ key, label }) => {
    const metrics = document.benchmarks[key];
    return metrics ? [{ label, metrics }] : [];
  });
  return renderTable(
    [
      { heading: "" },
      { heading: "Portfolio", align: "right" },
      ...others.map(({ label }) => ({ heading: label, align: "right" as const })),
    ],
    lines.map(([name, show]) => [
      name,
      show(document.metrics),
      ...others.map(({ metrics }) => show(metrics)),
    ]),
    { painter, width, paint: (text, column) => (column === 1 ? painter.bold(text) : text) },
  );
}

/** How often the chosen rule trades, beside the specification's literal one. */
function rotation({ metrics, literal, manifest }: BacktestDocument, { painter, width }: Style): string {
  const { selection, rebalance } = manifest.config;
  const chosen = `this run (${selection.incumbents}, band ${rebalance.min_weight_change})`;
  const row = (name: string, { TurnoverAnnual, RebalanceDays, RebalancesPerMonth, CAGR }: Metrics) => [
    name,
    `${decimal(TurnoverAnnual, 1)}x`,
    RebalanceDays === null ? "–" : count(RebalanceDays),
    decimal(RebalancesPerMonth, 1),
    percent(CAGR, 2),
  ];
  return renderTable(
    [
      { heading: "Rotation" },
      { heading: "a year", align: "right" },
      { heading: "days", align: "right" },
      { heading: "a month", align: "right" },
      { heading: "CAGR", align: "right" },
    ],
    [row(chosen, metrics), row("literal rule (rank, band 0)", literal)],
    { painter, width },
  );
}
