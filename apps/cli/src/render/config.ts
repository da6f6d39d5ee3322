import type { ConfigCheckOutcome, ConfigShowOutcome } from "@pf/app";
import type { Style } from "../command.js";
import { plural } from "./number.js";
import { renderTable, wrap } from "./table.js";

/** Every setting, one line each, grouped by section; what nobody wrote is dimmed. */
export function renderConfigShow(
  { files, settings, warnings }: ConfigShowOutcome,
  { painter, width }: Style,
): string {
  const table = renderTable(
    [{ heading: "Setting" }, { heading: "Value" }, { heading: "From" }],
    settings.map(({ key, text, origin }) => [key, shorten(text, 28), origin]),
    {
      painter,
      width,
      paint: (text, column, row) =>
        settings[row]!.origin === "default" ? painter.dim(text) : column === 1 ? painter.bold(text) : text,
    },
  );
  return [table, filesLine(files), ...warningLines(warnings, { painter, width }), ""].join("\n");
}

export function renderConfigCheck(
  { files, warnings }: ConfigCheckOutcome,
  { painter, width }: Style,
): string {
  return [
    `${painter.green("The configuration can be used.")} ${filesLine(files)}`,
    ...warningLines(warnings, { painter, width }),
    "",
  ].join("\n");
}

function filesLine(files: readonly string[]): string {
  return files.length === 0
    ? "No file was read: these are the built-in defaults."
    : `Read ${files.join(", ")}.`;
}

function warningLines(
  warnings: readonly string[],
  { painter, width }: Pick<Style, "painter" | "width">,
): string[] {
  if (warnings.length === 0) return [];
  return [
    "",
    painter.yellow(`${plural(warnings.length, "warning")}:`),
    ...warnings.flatMap((warning) =>
      wrap(warning, width - 4).map((line, at) => `${at === 0 ? "  " : "    "}${line}`),
    ),
  ];
}

function shorten(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most - 1)}…`;
}
