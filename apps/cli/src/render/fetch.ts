import type { FetchOutcome } from "@pf/app";
import type { Style } from "../command.js";
import { count, plural, undefinedNumber } from "./number.js";
import { renderTable, wrap } from "./table.js";

/** One line a symbol, then what somebody should look at, then what to do next. */
export function renderFetch(outcome: FetchOutcome, { painter, width }: Style): string {
  const { symbols, source, timeframe, start, end } = outcome;
  // Where sources differ, which one it was is worth more than the rest, and 80 columns do not hold both.
  const isMixed = symbols.some((one) => one.source !== null && one.source !== source);
  const rows = symbols.map((one) => [
    one.symbol,
    one.status === "failed" ? "failed" : one.refetched ? "refetched" : one.added > 0 ? "added" : "up to date",
    one.added === 0 ? "0" : `+${count(one.added)}`,
    count(one.rows),
    one.first ?? undefinedNumber,
    one.last ?? undefinedNumber,
    ...(isMixed
      ? [one.source ?? undefinedNumber]
      : [count(one.requests), one.hash?.slice(0, 8) ?? undefinedNumber]),
  ]);
  const table = renderTable(
    [
      { heading: "Symbol" },
      { heading: "Status" },
      { heading: "Added", align: "right" },
      { heading: "Rows", align: "right" },
      { heading: "First" },
      { heading: "Last" },
      ...(isMixed
        ? [{ heading: "Source" }]
        : [{ heading: "Asked", align: "right" as const }, { heading: "Hash" }]),
    ],
    rows,
    {
      painter,
      width,
      paint: (text, column) =>
        column === 0 ? painter.bold(text) : column === 1 && text === "failed" ? painter.red(text) : text,
    },
  );
  // Advice that is the same for all stands once, at the end, with the error; so does what went wrong with an only symbol.
  const advice = new Set(symbols.flatMap(({ error }) => (error ? [error.next] : [])));
  const notes = symbols.flatMap(({ symbol, warnings, error }) => [
    ...(error && symbols.length > 1
      ? failureLines(symbol, error.message, advice.size > 1 ? error.next : undefined)
      : []),
    ...shortened(symbol, warnings),
  ]);
  return [
    `${painter.bold(timeframe === "1 hour" ? "Hourly bars" : "Bars")} from ${source}, ${start} to ${end}`,
    "",
    table,
    ...(notes.length > 0
      ? [painter.yellow("Worth a look"), ...notes.flatMap((note) => indented(note, width)), ""]
      : []),
    summaryOf(outcome),
    "",
  ].join("\n");
}

function summaryOf({ symbols, error }: FetchOutcome): string {
  const asked = symbols.reduce((sum, one) => sum + one.requests, 0);
  const added = symbols.reduce((sum, one) => sum + one.added, 0);
  if (added > 0) return `${plural(added, "bar")} added with ${plural(asked, "request")}.`;
  if (error) return "No bar was added.";
  if (asked === 0) return "Nothing was missing, so nothing was asked for.";
  return `No new bars: ${plural(asked, "request")} brought nothing that the cache did not have.`;
}

function failureLines(symbol: string, message: string, advice: string | undefined): string[] {
  const [first = "", ...more] = message.split("\n");
  const lines = [
    first.startsWith(symbol) ? first : `${symbol}: ${first}`,
    ...more.map((line) => `  ${line.trim()}`),
  ];
  return advice === undefined ? lines : [...lines, `  ${advice}`];
}

const shownWarnings = 3;

function shortened(symbol: string, warnings: readonly string[]): string[] {
  const shown = warnings.slice(0, shownWarnings).map((warning) => `${symbol}: ${warning}`);
  const more = warnings.length - shown.length;
  return more > 0 ? [...shown, `${symbol}: and ${count(more)} more (--json shows all)`] : shown;
}

function indented(text: string, width: number): string[] {
  const inner = text.startsWith("  ") ? "    " : "  ";
  return wrap(text.trim(), width - inner.length - 2).map(
    (line, at) => `${at === 0 ? inner : `${inner}  `}${line}`,
  );
}
