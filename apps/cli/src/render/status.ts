import type { StatusDocument } from "@pf/app";
import type { Style } from "../command.js";
import { dollars } from "./money.js";
import { renderTable, wrap } from "./table.js";

/** Whether it trades, what it did last, when it trades next, and what it holds. */
export function renderStatus(status: StatusDocument, { painter, width }: Style): string {
  const { mode, account, venue, used, state, lastSession, next, halted, cash, positions } = status;
  const simulator = venue === "ibkr" ? "" : `, ${painter.yellow("a simulator's")}`;
  const words = {
    idle: "nothing is under way",
    open: `${painter.yellow("open")}: a rebalance was begun and not ended; run pf trade to go on with it`,
    halted: `${painter.red("halted")}: nothing is traded until pf resume`,
  };
  const facts: [string, string][] = [["state", words[state]]];
  if (halted) facts.push(["because", `${halted.code}: ${halted.reason}`]);
  if (lastSession) {
    const rest = lastSession.complete ? "" : " (not all was done)";
    facts.push(["last", `${lastSession.session} ${lastSession.outcome}: ${lastSession.detail}${rest}`]);
  }
  facts.push([
    "next",
    next ? `${next.session}, from ${next.opens} to ${next.closes}` : "beyond the calendar",
  ]);
  if (status.equity) facts.push(["equity", `${dollars(status.equity.dollars)} on ${status.equity.session}`]);
  facts.push(["cash", `${dollars(cash.settled)} settled`]);
  for (const { amount, settles } of cash.coming) facts.push(["", `${dollars(amount)} settles on ${settles}`]);
  if (status.restrictedUntil) {
    facts.push(["restricted", `only settled cash may buy until ${status.restrictedUntil}`]);
  }
  return [
    `${painter.bold("Account")} ${account}, ${mode}${simulator}`,
    ...(used ? [] : ["It has not traded here yet."]),
    "",
    renderTable([{ heading: "" }, { heading: "" }], facts, {
      painter,
      width,
      paint: (text, column) => (column === 0 ? painter.dim(text) : text),
    }),
    ...(positions.length === 0
      ? []
      : [
          painter.bold("Holdings, as booked"),
          renderTable(
            [
              { heading: "Symbol" },
              { heading: "Shares", align: "right" },
              { heading: "Cost USD", align: "right" },
            ],
            positions.map(({ symbol, quantity, cost }) => [symbol, String(quantity), dollars(cost)]),
            { painter, width },
          ),
        ]),
    ...(status.others.length === 0
      ? []
      : [...wrap(`Beside it in the same folder: ${status.others.join(", ")}`, width), ""]),
  ].join("\n");
}
