import type { ReplayDocument, ReplayPart } from "@pf/app";
import type { Style } from "../command.js";
import { warningLines } from "./closing.js";
import { dollars } from "./money.js";
import { count, decimal, plural } from "./number.js";
import { renderTable, wrap } from "./table.js";

/** How many sessions that differ are shown one by one. */
const mostShown = 12;

/** What both came to, whether they are the same, and what explains it where they are not. */
export function renderReplay(document: ReplayDocument, style: Style): string {
  const { painter } = style;
  const { start, end, sessions, intraday, notes, manifest } = document;
  const how = intraday === "close" ? "prices stand at the close" : "prices move until the close";
  return [
    `${painter.bold("Replay")}  ${start} to ${end}, ${plural(sessions.length, "session")}, ${how}`,
    "",
    accounts(document, style),
    outcomes(document, style),
    ...verdict(document, style),
    ...explained(document, style),
    ...differing(document, style),
    ...notes.flatMap((note) => lines(note, style)),
    ...(notes.length > 0 ? [""] : []),
    ...warningLines(manifest.warnings, style),
  ].join("\n");
}

function accounts(document: ReplayDocument, { painter, width }: Style): string {
  const { equity, fills, sessions, difference } = document;
  const last = equity.at(-1)!;
  const fees = fills.reduce((sum, { fee }) => sum + fee, 0);
  return renderTable(
    [
      { heading: "" },
      { heading: "Live path", align: "right" },
      { heading: "Account engine", align: "right" },
      { heading: "" },
    ],
    [
      [
        "Worth at the end",
        dollars(last.replay),
        dollars(last.account),
        difference.cents === 0
          ? "equal to the cent"
          : `${dollars(difference.cents / 100)}, ${decimal(difference.bps, 1)} bps`,
      ],
      ["Fills", count(fills.length), "", `${dollars(fees)} of commissions`],
      // Of the live path they are known as far as it is the same.
      ...(document.dividends > 0
        ? [
            [
              "Dividends",
              difference.equal ? dollars(document.dividends) : "",
              dollars(document.dividends),
              "",
            ],
          ]
        : []),
      ["Settled cash", dollars(sessions.at(-1)!.settledCash), "", ""],
    ],
    { painter, width, paint: (text, column) => (column === 1 ? painter.bold(text) : text) },
  );
}

const words: Readonly<Record<string, string>> = {
  unchanged: "nothing to do",
  filled: "everything planned was filled",
  partial: "some of it was not filled",
  blocked: "a check forbade the plan",
  halted: "trading halted",
  halted_before: "halted before",
  abandoned: "over before anything was sent",
  failed: "bars were missing to decide on",
};

function outcomes({ sessions }: ReplayDocument, { painter, width }: Style): string {
  const found = new Map<string, number>();
  for (const { outcome } of sessions) found.set(outcome, (found.get(outcome) ?? 0) + 1);
  const waited = sessions.filter(({ waiting }) => Object.keys(waiting).length > 0).length;
  return renderTable(
    [{ heading: "Sessions", align: "right" }, { heading: "" }],
    [
      ...[...found].map(([outcome, times]) => [count(times), words[outcome] ?? outcome]),
      ...(waited > 0 ? [[count(waited), "of them left something for another session"]] : []),
    ],
    { painter, width },
  );
}

function verdict(document: ReplayDocument, style: Style): string[] {
  const { painter } = style;
  const { equal, equalOrders, otherDecisions, otherOrders, largestBps } = document.difference;
  if (equal) {
    const text =
      "Equal: every order, price, fee, settled cash and equity of every session, and what waited or was forbidden.";
    return [...lines(text, style, painter.green), ""];
  }
  const count = plural(document.sessions.length, "session");
  const text = equalOrders
    ? `The same orders in all ${count}; worth ${decimal(largestBps, 1)} bps apart at most.`
    : `Other targets on ${otherDecisions} and other orders on ${otherOrders} of ${count}; worth ${decimal(largestBps, 1)} bps apart at most.`;
  return [...lines(text, style, document.intraday === "close" ? painter.red : undefined), ""];
}

const partNames: Readonly<Record<ReplayPart["name"], string>> = {
  decision: "decided on a bar that was not finished",
  execution: "filled at other prices than the close",
};

function explained({ difference }: ReplayDocument, { painter, width }: Style): string[] {
  if (difference.equal) return [];
  return [
    renderTable(
      [
        { heading: "Where it comes from" },
        { heading: "dollars", align: "right" },
        { heading: "bps", align: "right" },
      ],
      difference.parts.map(({ name, dollars: amount, bps }) => [
        partNames[name],
        dollars(amount),
        decimal(bps, 1),
      ]),
      { painter, width },
    ),
  ];
}

const aspects: Readonly<Record<string, string>> = {
  settledCash: "settled cash",
  waiting: "what waits",
};

/** In the mode that must be equal: where it is not. Along a path every session differs, and says nothing. */
function differing({ intraday, sessions }: ReplayDocument, { painter, width }: Style): string[] {
  const others = sessions.filter(({ differs }) => differs.length > 0);
  if (intraday === "path" || others.length === 0) return [];
  return [
    renderTable(
      [{ heading: "Session" }, { heading: "Outcome" }, { heading: "Differs in" }],
      [
        ...others
          .slice(0, mostShown)
          .map(({ session, outcome, differs }) => [
            session,
            outcome,
            differs.map((aspect) => aspects[aspect] ?? aspect).join(", "),
          ]),
        ...(others.length > mostShown ? [["…", "", `${others.length - mostShown} more`]] : []),
      ],
      { painter, width },
    ),
  ];
}

function lines(text: string, { width }: Style, paint: (text: string) => string = (plain) => plain): string[] {
  return wrap(text, Math.min(width, 80) - 2).map((line) => `  ${paint(line)}`);
}
