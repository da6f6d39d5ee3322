import type { PlannedSymbol, TradeDocument } from "@pf/app";
import type { Style } from "../command.js";
import { exposureLines } from "./exposure.js";
import { dollars } from "./money.js";
import { percent, undefinedNumber } from "./number.js";
import { listItem, renderTable, wrap } from "./table.js";

const modes = { "dry-run": "dry run", paper: "paper", live: "live" } as const;
const outcomes: Readonly<Record<string, string>> = {
  dry_run: "Nothing was sent",
  unchanged: "Nothing to do",
  filled: "Done",
  partial: "Partly done",
  blocked: "Blocked",
  halted: "Halted",
  halted_before: "Halted",
  abandoned: "Too late",
  not_now: "Not now",
  not_taken: "Not sent",
  done_before: "Done before",
};

/** What is held, what is wanted and why; then what is sent, what waits and until when, and what became of it. */
export function renderTrade(document: TradeDocument, style: Style): string {
  const { painter, width } = style;
  const { mode, account, venue, session, asOf, outcome, detail, overlays, plan, notices, log } = document;
  const simulator = venue === null || venue === "ibkr" ? "" : `, ${painter.yellow("on a simulator")}`;
  const of = asOf === null || asOf === session ? session : `${session}, decided on ${asOf}`;
  const headline = `${outcomes[outcome] ?? outcome}: ${detail}`;
  const where = `(${modes[mode]}, account ${account}${simulator})`;
  // A session that was decided on another does not fit on one line with a simulator's name.
  const isLong = of !== session && simulator !== "";
  return [
    `${painter.bold("Trade")} ${of}${isLong ? "\n" : " "}${where}`,
    "",
    ...(plan
      ? [
          symbolsTable(plan.symbols, style),
          ...reasons(plan.symbols, style),
          ...(overlays.length > 0 ? [painter.bold("Exposure"), ...exposureLines(overlays, width), ""] : []),
          ...money(document),
        ]
      : []),
    ...sent(document, style),
    ...checks(document, style),
    ...(notices.length > 0
      ? [painter.bold("Notices"), ...notices.flatMap((notice) => listItem("-", notice, width)), ""]
      : []),
    ...wrap(headline, width),
    ...(log === null ? [] : [painter.dim(`Audit log: ${style.out}/${log}`)]),
    "",
  ].join("\n");
}

function symbolsTable(symbols: readonly PlannedSymbol[], { painter, width }: Style): string {
  return renderTable(
    [
      { heading: "Symbol" },
      { heading: "Price", align: "right" },
      { heading: "Held", align: "right" },
      { heading: "Wanted", align: "right" },
      { heading: "Weight", align: "right" },
      { heading: "Order", align: "right" },
      { heading: "Waits" },
    ],
    symbols.map(({ symbol, price, held, wanted, weight, action, quantity, deferred }) => [
      symbol,
      price === null ? undefinedNumber : price.toFixed(2),
      String(held),
      wanted === null ? undefinedNumber : String(wanted),
      percent(weight),
      action === "none" ? "" : `${action} ${quantity}`,
      deferred === null ? "" : `${deferred.quantity} until ${deferred.until ?? "nobody knows when"}`,
    ]),
    {
      painter,
      width,
      paint: (text, column, row) => {
        if (column === 0) return painter.bold(text);
        if (column === 5) return symbols[row]!.action === "sell" ? painter.red(text) : painter.green(text);
        return column === 6 ? painter.yellow(text) : text;
      },
    },
  );
}

/** Only where there is something to explain: a symbol neither held nor wanted explains itself. */
function reasons(symbols: readonly PlannedSymbol[], { painter, width }: Style): string[] {
  const told = symbols.filter(
    ({ held, weight, action, deferred }) => held > 0 || weight > 0 || action !== "none" || deferred !== null,
  );
  if (told.length === 0) return [];
  return [
    painter.bold("Why"),
    renderTable(
      [{ heading: "" }, { heading: "" }],
      told.map(({ symbol, detail }) => [symbol, detail]),
      { painter, width, paint: (text, column) => (column === 0 ? painter.bold(text) : text) },
    ),
  ];
}

function money({ plan }: TradeDocument): string[] {
  const { equity, cash } = plan!;
  const facts = [
    equity === null ? "" : `equity ${dollars(equity)}`,
    `may be spent ${dollars(cash.spendable)}, of which ${dollars(cash.buffer)} is kept`,
    ...(cash.cost > 0 ? [`buys cost ${dollars(cash.cost)}`] : []),
    ...(cash.proceeds > 0 ? [`sales bring ${dollars(cash.proceeds)}`] : []),
  ].filter((fact) => fact !== "");
  return [...facts.map((fact) => `  ${fact}`), ""];
}

function sent({ orders, fills }: TradeDocument, { painter, width }: Style): string[] {
  if (orders.length === 0) return [];
  const costs = (reference: string) => {
    const own = fills.filter((fill) => fill.reference === reference);
    const quantity = own.reduce((sum, fill) => sum + fill.quantity, 0);
    if (quantity === 0) return ["", ""];
    const price = own.reduce((sum, fill) => sum + fill.quantity * fill.price, 0) / quantity;
    const known = own.every(({ commission }) => commission !== null);
    const fees = own.reduce((sum, { commission }) => sum + (commission ?? 0), 0);
    return [price.toFixed(2), known ? dollars(fees) : undefinedNumber];
  };
  return [
    painter.bold("Sent"),
    renderTable(
      [
        { heading: "Symbol" },
        { heading: "Order", align: "right" },
        { heading: "Filled", align: "right" },
        { heading: "Price", align: "right" },
        { heading: "Fees", align: "right" },
        { heading: "" },
      ],
      orders.map(({ symbol, side, quantity, filled, reference, status, detail }) => [
        symbol,
        `${side} ${quantity}`,
        String(filled),
        ...costs(reference),
        detail === "" ? status : `${status}: ${detail}`,
      ]),
      { painter, width, paint: (text, column) => (column === 0 ? painter.bold(text) : text) },
    ),
  ];
}

function checks({ verdict }: TradeDocument, { painter, width }: Style): string[] {
  if (!verdict) return [];
  const told = verdict.checks.filter(({ passed, warning }) => !passed || warning);
  const passed = verdict.checks.length - told.filter((check) => !check.passed).length;
  const summary = `${passed} of ${verdict.checks.length} checks passed`;
  if (told.length === 0) return [`  ${summary}`, ""];
  return [
    painter.bold("Checks"),
    renderTable(
      [{ heading: "" }, { heading: "" }, { heading: "" }],
      told.map((check) => [check.name, check.passed ? "look" : "failed", check.detail]),
      {
        painter,
        width,
        paint: (text, column, row) =>
          column !== 1 ? text : told[row]!.passed ? painter.yellow(text) : painter.red(text),
      },
    ),
    `  ${summary}`,
    "",
  ];
}
