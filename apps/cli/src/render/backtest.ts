import type { BacktestDocument, BacktestOutcome } from "@pf/app";
import type { Style } from "../command.js";
import { renderChart } from "./chart.js";
import { hourlyLines, warningLines, whereItIs } from "./closing.js";
import { count, decimal, percent, plural, undefinedNumber } from "./number.js";
import { renderTable, wrap } from "./table.js";

type Metrics = BacktestDocument["metrics"];

/** The summary: how it would have gone beside simple alternatives, how much it trades, where the report is. */
export function renderBacktest({ document, result, benchmarks }: BacktestOutcome, style: Style): string {
  const { painter, width } = style;
  const { manifest } = document;
  const symbols = Object.keys(manifest.data).length;
  const range = `${manifest.first} to ${manifest.last}`;
  return [
    `${painter.bold("Backtest")}  ${range}, ${plural(manifest.sessions, "session")}, ${plural(symbols, "symbol")}`,
    ...hourlyLines(manifest, 10),
    "",
    performance(document, result.equity.at(-1) ?? null, benchmarks, style),
    `  ${painter.dim("Growth of 1, after costs")}`,
    renderChart({ dates: result.sessions, values: result.equity }, Math.min(width, 80)),
    "",
    rotation(document, style),
    accountPart(document, style),
    ...warningLines(manifest.warnings, style),
    ...whereItIs(document, style),
    "",
  ].join("\n");
}

/** Nothing where the warnings below say why there is none. */
function accountPart(document: BacktestDocument, style: Style): string {
  if (document.account) return inAccount(document.account, document, style);
  if (document.manifest.timeframe === undefined) return "";
  return "  No account was traded with it: that is done once a session, by daily bars.\n";
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

/** @param grown - what 1 became, also where the metrics count the end in dollars */
function performance(
  document: BacktestDocument,
  grown: number | null,
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
      show({ ...document.metrics, FinalEquity: grown }),
      ...others.map(({ metrics }) => show(metrics)),
    ]),
    { painter, width, paint: (text, column) => (column === 1 ? painter.bold(text) : text) },
  );
}

/** How often the chosen rule trades, beside the specification's literal one; both by the bars engine, so that they compare. */
function rotation({ engine, bars, literal, manifest }: BacktestDocument, { painter, width }: Style): string {
  const { selection, rebalance } = manifest.config;
  const chosen = `this run (${selection.incumbents}, band ${rebalance.min_weight_change})`;
  const row = (name: string, { TurnoverAnnual, RebalanceDays, RebalancesPerMonth, CAGR }: Metrics) => [
    name,
    `${decimal(TurnoverAnnual, 1)}x`,
    RebalanceDays === null ? undefinedNumber : count(RebalanceDays),
    decimal(RebalancesPerMonth, 1),
    percent(CAGR, 2),
  ];
  return renderTable(
    [
      { heading: engine === "account" ? "Rotation (bars engine)" : "Rotation" },
      { heading: "a year", align: "right" },
      { heading: manifest.timeframe === "1 hour" ? "hours" : "days", align: "right" },
      { heading: "a month", align: "right" },
      { heading: "CAGR", align: "right" },
    ],
    [row(chosen, bars), row("literal rule (rank, band 0)", literal)],
    { painter, width },
  );
}

type Account = NonNullable<BacktestDocument["account"]>;

const parts: Readonly<Record<Account["difference"][number]["name"], string>> = {
  drift: "holdings drift between rebalances",
  buffer: "cash kept back, market order cushion",
  fees: "commission plan with its minimum",
  rounding: "whole shares",
  settlement: "settlement and checks",
};

/** The same decisions with real money: what is left, and where the rest went. */
function inAccount(
  account: Account,
  { bars, literalAccount }: Pick<BacktestDocument, "bars" | "literalAccount">,
  { painter, width }: Style,
): string {
  const { metrics, initialCash, difference, waited, blocked, idleCash } = account;
  const both = renderTable(
    [
      { heading: `In a cash account of ${dollars(initialCash)}` },
      { heading: "bars engine", align: "right" },
      { heading: "account", align: "right" },
      ...(literalAccount ? [{ heading: "literal, account", align: "right" as const }] : []),
    ],
    [
      [
        "Growth a year (CAGR)",
        percent(bars.CAGR, 2),
        percent(metrics.CAGR, 2),
        percent(literalAccount?.metrics.CAGR ?? null, 2),
      ],
      [
        "Sharpe ratio",
        decimal(bars.Sharpe),
        decimal(metrics.Sharpe),
        decimal(literalAccount?.metrics.Sharpe ?? null),
      ],
      [
        "Deepest drawdown",
        percent(bars.MaxDD),
        percent(metrics.MaxDD),
        percent(literalAccount?.metrics.MaxDD ?? null),
      ],
      [
        "Became",
        bars.FinalEquity === null ? undefinedNumber : dollars(bars.FinalEquity * initialCash),
        dollars(account.finalEquity),
        literalAccount ? dollars(literalAccount.finalEquity) : "",
      ],
      [
        "Mean cash",
        percent(idleCash.targets),
        percent(idleCash.account),
        percent(literalAccount?.idleCash.account ?? null),
      ],
    ].map((row) => (literalAccount ? row : row.slice(0, 3))),
    { painter, width, paint: (text, column) => (column === 2 ? painter.bold(text) : text) },
  );
  const taken = renderTable(
    [
      { heading: "Where the difference comes from" },
      { heading: "a year", align: "right" },
      { heading: "dollars", align: "right" },
    ],
    difference.map(({ name, cagr, dollars: amount }) => [
      parts[name],
      signed(percent(cagr, 2), cagr),
      signed(dollars(amount), amount),
    ]),
    { painter, width },
  );
  const waits = waited.waits_for_settlement ?? 0;
  const costs = `${dollars(account.commissions)} of commissions (${account.commissionPlan}), ${dollars(account.slippage)} of slippage, ${count(account.fills)} fills in ${account.quantity === "whole" ? "whole shares" : "parts of shares"}`;
  const kept = waited.unsettled_lots ?? 0;
  const sales = kept === 0 ? "" : `, sales on ${count(kept)}, for what was bought had not settled`;
  const waiting = `Buys waited for settlement on ${count(waits)} of ${count(account.planned)} sessions with a plan${sales}`;
  const forbidden =
    blocked.length === 0
      ? ""
      : `; a check forbade ${plural(blocked.length, "plan")}: ${blocked
          .slice(0, 2)
          .map(({ session, checks }) => `${session} ${checks.join(", ")}`)
          .join("; ")}${blocked.length > 2 ? "; …" : ""}`;
  return [
    both,
    taken,
    ...wrap(`${costs}. ${waiting}${forbidden}.`, Math.min(width, 80) - 2).map((line) => `  ${line}`),
    "",
  ].join("\n");
}

function dollars(amount: number): string {
  const text = Math.round(Math.abs(amount))
    .toString()
    .replaceAll(/\B(?=(\d{3})+$)/g, ",");
  return `${amount < 0 ? "-" : ""}$${text}`;
}

function signed(text: string, value: number): string {
  return value > 0 ? `+${text}` : text;
}
