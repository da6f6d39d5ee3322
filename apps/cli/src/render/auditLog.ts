import type { AuditLogOutcome } from "@pf/app";
import type { Style } from "../command.js";
import { plural } from "./number.js";
import { renderTable } from "./table.js";

/** Every log with how many records it holds and what is wrong with it. */
export function renderAuditLog({ files }: AuditLogOutcome, { painter, width }: Style): string {
  if (files.length === 0) return "There are no audit logs here.\n";
  return [
    painter.bold("Audit logs"),
    renderTable(
      [{ heading: "" }, { heading: "Log" }],
      files.flatMap(({ file, records, problems, last }) => [
        [
          problems.length === 0 ? "ok" : "broken",
          `${file}: ${plural(records, "record")}, last hash ${last.slice(0, 16)}`,
        ],
        ...problems.map(({ line, problem }) => ["", `line ${line}: ${problem}`]),
      ]),
      {
        painter,
        width,
        paint: (text, column) =>
          column !== 0 ? text : text === "ok" ? painter.green(text) : painter.red(text),
      },
    ),
  ].join("\n");
}
