import type { Painter } from "../terminal.js";

/** One column of a table: its heading and on which side its cells stand. */
export interface Column {
  readonly heading: string;
  readonly align?: "left" | "right";
}

/**
 * Aligned columns, two spaces apart, headings dimmed. The last column wraps at the given width; the others are as wide
 * as their widest cell. Cells must be plain text: paint after measuring, with `paint`.
 */
export function renderTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  style: {
    readonly painter: Painter;
    readonly width: number;
    paint?(cell: string, column: number, row: number): string;
  },
): string {
  const indent = "  ";
  const last = columns.length - 1;
  const widths = columns.map((column, index) =>
    Math.max(column.heading.length, ...rows.map((row) => (row[index] ?? "").length)),
  );
  const before = indent.length + widths.slice(0, last).reduce((sum, width) => sum + width + 2, 0);
  const room = Math.max(16, style.width - before);
  const pad = (text: string, index: number) => {
    if (columns[index]!.align === "right") return text.padStart(widths[index]!);
    return index === last ? text : text.padEnd(widths[index]!);
  };
  const lines: string[] = [];
  const heading = columns
    .map((column, index) => pad(column.heading, index))
    .join("  ")
    .trimEnd();
  if (heading.trim() !== "") lines.push(indent + style.painter.dim(heading));
  rows.forEach((row, at) => {
    const wrapped = columns[last]!.align === "right" ? [row[last] ?? ""] : wrap(row[last] ?? "", room);
    wrapped.forEach((piece, line) => {
      const cells = columns.map((_, index) => {
        const text = index === last ? piece : line === 0 ? (row[index] ?? "") : "";
        const padded = pad(text, index);
        return style.paint && text !== ""
          ? padded.replace(text, () => style.paint!(text, index, at))
          : padded;
      });
      lines.push(indent + cells.join("  ").trimEnd());
    });
  });
  return `${lines.join("\n")}\n`;
}

/** Breaks a text at spaces so that no line is longer than the width, except a single word that is. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

/** A text under a mark of one character, its further lines below its first word. */
export function listItem(mark: string, text: string, width: number): string[] {
  return wrap(text, width - 4).map((line, at) => `  ${at === 0 ? mark : " "} ${line}`);
}
