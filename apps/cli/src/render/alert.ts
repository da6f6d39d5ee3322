import type { AlertTestOutcome } from "@pf/app";
import type { Style } from "../command.js";
import { plural } from "./number.js";
import { renderTable } from "./table.js";

/** What became of the test on each channel, or what would be sent there. */
export function renderAlertTest(
  { dryRun, planned, channels }: AlertTestOutcome,
  { painter, width }: Style,
): string {
  if (dryRun) {
    return [
      `${painter.bold("A test alarm would go to")} ${plural(planned.length, "channel")}; nothing was sent.`,
      renderTable(
        [{ heading: "Channel" }, { heading: "Host" }, { heading: "As" }],
        planned.map(({ channel, host, content }) => [channel, host, content]),
        { painter, width },
      ),
    ].join("\n");
  }
  return [
    painter.bold("Test alarm"),
    renderTable(
      [{ heading: "Channel" }, { heading: "" }, { heading: "Tries", align: "right" }, { heading: "" }],
      channels.map(({ channel, ok, attempts, detail }) => [
        channel,
        ok ? "sent" : "failed",
        String(attempts),
        detail,
      ]),
      {
        painter,
        width,
        paint: (text, column, row) => {
          if (column !== 1) return text;
          return channels[row]!.ok ? painter.green(text) : painter.red(text);
        },
      },
    ),
    ...(channels.every(({ ok }) => ok)
      ? ["Look whether it has arrived: a service may take a message and lose it.", ""]
      : []),
  ].join("\n");
}
