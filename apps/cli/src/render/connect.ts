import type { ConnectOutcome } from "@pf/app";
import type { Style } from "../command.js";
import { dollars } from "./money.js";
import { listItem, renderTable } from "./table.js";

const marks = { ok: "ok", warning: "look", failed: "failed", skipped: "-" } as const;
const names: Readonly<Record<ConnectOutcome["checks"][number]["name"], string>> = {
  port: "port",
  handshake: "handshake",
  account: "account",
  mode: "mode",
  summary: "cash",
  clock: "clock",
  contracts: "contracts",
  history: "history",
  market_data: "quotes",
  orders: "orders",
};

/** What was checked, in order, with what to do where something is not as it should be; then the account. */
export function renderConnect(outcome: ConnectOutcome, { painter, width }: Style): string {
  const { mode, account, server, checks, summary, positions, notes } = outcome;
  const target = server ? ` at ${server.host}:${server.port}` : "";
  const simulator = server?.simulator
    ? [painter.yellow("A simulator, not the broker:"), ` market ${server.simulator}`].join("")
    : undefined;
  return [
    `${painter.bold("Connection")} to TWS${target}, ${mode} account ${account}`,
    ...(simulator === undefined ? [] : [simulator]),
    "",
    renderTable(
      [{ heading: "Check" }, { heading: "" }, { heading: "Found" }],
      checks.map(({ name, status, detail }) => [names[name], marks[status], detail]),
      {
        painter,
        width,
        paint: (text, column, row) => {
          if (column === 0) return painter.bold(text);
          if (column !== 1) return text;
          const { status } = checks[row]!;
          if (status === "ok") return painter.green(text);
          return status === "failed" ? painter.red(text) : painter.yellow(text);
        },
      },
    ),
    ...whatToDo(checks, { painter, width }),
    ...(summary
      ? [
          painter.bold("Account"),
          renderTable(
            [{ heading: "" }, { heading: "USD", align: "right" }],
            [
              ["net liquidation", dollars(summary.netLiquidation)],
              ["cash", dollars(summary.totalCash)],
              ["settled cash", dollars(summary.settledCash)],
              ["available funds", dollars(summary.availableFunds)],
            ],
            { painter, width },
          ),
        ]
      : []),
    ...(positions.length > 0
      ? [
          painter.bold("Positions"),
          renderTable(
            [
              { heading: "Symbol" },
              { heading: "Shares", align: "right" },
              { heading: "Average cost", align: "right" },
            ],
            positions.map(({ symbol, quantity, averageCost }) => [
              symbol,
              String(quantity),
              dollars(averageCost),
            ]),
            { painter, width },
          ),
        ]
      : []),
    ...(notes.length > 0
      ? [painter.bold("Worth knowing"), ...notes.flatMap((note) => listItem("-", note, width)), ""]
      : []),
  ].join("\n");
}

function whatToDo(
  checks: ConnectOutcome["checks"],
  { painter, width }: Pick<Style, "painter" | "width">,
): string[] {
  const wrong = checks.filter(({ fix }) => fix !== null);
  if (wrong.length === 0) return [];
  return [
    painter.bold("What to do"),
    ...wrong.flatMap(({ name, fix }) => listItem("-", `${names[name]}: ${fix}`, width)),
    "",
  ];
}
