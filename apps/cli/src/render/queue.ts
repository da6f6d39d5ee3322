import type { CancelRunDocument, QueueDocument } from "@pf/app";
import type { Style } from "../command.js";
import { count, percent, plural } from "./number.js";
import { renderTable, wrap } from "./table.js";

/** Runs, workers and memory of the research queue. */
export function renderQueue(document: QueueDocument, style: Style): string {
  const { queue, redis, runs, workers, code } = document;
  const { painter, width } = style;
  const limit = redis.limitBytes === null ? "no limit" : `of ${megabytes(redis.limitBytes)}`;
  const lines = [
    painter.bold(`Research queue at ${queue}`),
    `  Redis ${redis.version}, ${megabytes(redis.usedBytes)} in use, ${limit}`,
    ...wrap(`This pf is version ${code}; only workers of the same version take its work.`, width - 2).map(
      (line) => `  ${line}`,
    ),
    "",
  ];
  const rows = runs.map(({ id, label, done, total, program, host, pid, code: version, isCancelled }) => [
    id,
    label,
    `${count(done)} of ${count(total)}`,
    percent(total === 0 ? 0 : done / total, 0),
    `${host} (${pid}), pf ${program}${version === code ? "" : `, version ${version}`}${isCancelled ? ", cancelled" : ""}`,
  ]);
  const table =
    runs.length === 0
      ? "No runs.\n"
      : `${painter.bold("Runs")}\n${renderTable(
          [
            { heading: "Run" },
            { heading: "What" },
            { heading: "Units", align: "right" },
            { heading: "Done", align: "right" },
            { heading: "Started by" },
          ],
          rows,
          { painter, width },
        )}`;
  const listening =
    workers.length === 0
      ? "No worker listens. Start one: node apps/worker/bin/run.js --role research\n"
      : `${painter.bold("Workers")}\n${renderTable(
          [
            { heading: "Worker" },
            { heading: "Threads", align: "right" },
            { heading: "Busy", align: "right" },
            { heading: "Units", align: "right" },
            { heading: "Version" },
          ],
          workers.map(({ host, pid, threads, busy, units, code: version, node }) => [
            `${host} (${pid})`,
            String(threads),
            String(busy),
            count(units),
            version === code ? `this one, Node ${node}` : `${version}: takes other work only`,
          ]),
          { painter, width },
        )}`;
  const warnings =
    redis.evictionPolicy === "noeviction"
      ? []
      : [
          "",
          ...wrap(
            `Warning: this Redis may throw work away when it is full (maxmemory-policy ${redis.evictionPolicy}). Set it to noeviction.`,
            width,
          ),
        ];
  return `${lines.join("\n")}\n${table}\n${listening}${warnings.map((line) => `${line}\n`).join("")}`;
}

export function renderCancelled({ cancelled }: CancelRunDocument, { painter, width }: Style): string {
  const { id, label, done, total, host, pid } = cancelled;
  return `${[
    painter.bold(`Run ${id} is cancelled`),
    ...wrap(
      `${label} of ${host} (${pid}) ends after ${count(done)} of ${plural(total, "unit")}. What was finished is kept for a day.`,
      width - 2,
    ).map((line) => `  ${line}`),
  ].join("\n")}\n`;
}

function megabytes(bytes: number): string {
  return `${(bytes / 1_048_576).toFixed(1)} MB`;
}
