import type { FrameDocument } from "@pf/app";
import type { Style } from "../command.js";
import { count, plural, undefinedNumber } from "./number.js";
import { renderTable, wrap } from "./table.js";

/** A table as wide as the screen: columns that do not fit are named below it, and so are the rows. */
export function renderFrame(document: FrameDocument, { painter, width }: Style, most: number): string {
  const { source, table, tables, columns, rows, total, notes, file } = document;
  const shown = rows.slice(0, most);
  // The rows of a description are of different sizes.
  const format =
    document.view === "description"
      ? (values: readonly Cell[]) => values.flatMap((one) => cellsOf([one], 4, 1e-3))
      : cellsOf;
  const cells = columns.map((name) => format(shown.map((row) => row[name] ?? null)));
  const widths = columns.map(
    (name, at) => Math.max(name.length, ...cells[at]!.map((cell) => cell.length)) + 2,
  );
  let fitting = 0;
  for (let used = 0; fitting < columns.length; fitting++) {
    used += widths[fitting]!;
    if (fitting > 0 && used > width) break;
  }
  const isText = columns.map((name) => rows.some((row) => typeof row[name] === "string"));
  const others = tables.filter((name) => name !== table);
  const lines = [
    painter.bold(titleOf(document)),
    ...(others.length > 0
      ? [painter.dim(`  also in it: ${others.map((name) => `--table ${name}`).join(", ")}`)]
      : []),
    "",
    renderTable(
      columns.slice(0, fitting).map((heading, at) => ({ heading, align: isText[at] ? "left" : "right" })),
      shown.map((_, row) => cells.slice(0, fitting).map((column) => column[row]!)),
      { painter, width },
    ).trimEnd(),
  ];
  const below: string[] = [];
  if (shown.length < total)
    below.push(
      `${count(shown.length)} of ${plural(total, "row")}${shown.length < rows.length ? "; --head N shows more" : ""}.`,
    );
  if (fitting < columns.length)
    below.push(`No room for ${someOf(columns.slice(fitting))}; choose with --columns.`);
  below.push(...notes.map((note) => `${note.slice(0, 1).toUpperCase()}${note.slice(1)}.`));
  if (file !== null) below.push(`Written to ${file}: ${plural(rows.length, "row")}.`);
  if (below.length > 0)
    lines.push("", ...below.flatMap((line) => wrap(line, width - 2)).map((line) => `  ${line}`));
  if (source !== "bars" && total === 0) lines.push("  There are no rows.");
  return `${lines.join("\n")}\n`;
}

function someOf(names: readonly string[]): string {
  if (names.length <= 12) return names.join(", ");
  return `${names.slice(0, 10).join(", ")} and ${names.length - 10} more`;
}

function titleOf({ source, table, view, total }: FrameDocument): string {
  const what = source === "bars" || table === "rows" ? source : `${source}, ${table}`;
  if (view === "description") return `${what}: ${plural(total, "column")} described`;
  return view === "groups" ? `${what}: ${plural(total, "group")}` : `${what}: ${plural(total, "row")}`;
}

type Cell = string | number | null;

/** The cells of a column: numbers with as many decimals as show some digits of the greatest, the same for all. */
function cellsOf(values: readonly Cell[], digits = 5, least = 1e-4): readonly string[] {
  const numbers = values.filter((value) => typeof value === "number");
  const greatest = numbers.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const isWhole = numbers.every(Number.isInteger) && greatest < 1e15;
  const decimals = isWhole ? 0 : Math.min(8, Math.max(0, digits - 1 - Math.floor(Math.log10(greatest))));
  const isFar = !isWhole && (greatest >= 1e12 || greatest < least);
  return values.map((value) => {
    if (value === null) return undefinedNumber;
    if (typeof value === "string") return value.replaceAll(/\p{Cc}/gu, "�");
    if (isFar) return value === 0 ? "0" : value.toExponential(3);
    const text = value.toFixed(decimals);
    return /^-0(\.0*)?$/.test(text) ? text.slice(1) : text;
  });
}
