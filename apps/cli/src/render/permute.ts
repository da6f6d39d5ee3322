import type { PermuteDocument, PermuteOutcome } from "@pf/app";
import type { Style } from "../command.js";
import { hourlyLines, trustTable, verdictLines, warningLines, whereItIs } from "./closing.js";
import { decimal, plural } from "./number.js";
import { renderTable, wrap } from "./table.js";

/** The real scores among the shuffled ones, window by window and together, and what that is worth. */
export function renderPermute(outcome: PermuteOutcome, style: Style): string {
  const { painter, width } = style;
  const { document, notes } = outcome;
  const { manifest, windows } = document;
  const { objective, points, runs, seed } = manifest.study;
  const shuffled = `${plural(runs, "shuffled market")} in ${plural(windows.length, "train window")}, seed ${seed}`;
  return [
    `${painter.bold("Permutation test")}  ${shuffled}`,
    `                  the best ${objective} of ${plural(points, "combination")} on each`,
    ...hourlyLines(manifest, 18),
    ...(manifest.timeframe === "1 hour"
      ? ["                  an hour changes places with the same hour of other days only"]
      : []),
    "",
    windowsTable(outcome, style),
    ...wrap(
      "p is the share of shuffled markets whose best was at least as good as the real one; p+1 counts the real market among them and is never 0. Top 5% is what one shuffled market in twenty reaches.",
      width - 2,
    ).map((line) => `  ${painter.dim(line)}`),
    "",
    ...procedureLines(document, style),
    trustTable(document.overfitting, style, manifest.timeframe === "1 hour" ? "hours" : "sessions"),
    ...verdictLines(document.verdict, style),
    ...warningLines([...manifest.warnings, ...doubts(document), ...notes], style),
    ...whereItIs(document, style),
    "",
  ].join("\n");
}

function windowsTable({ document, nulls, overallNull }: PermuteOutcome, { painter, width }: Style): string {
  const { windows, overall, manifest } = document;
  const { objective } = manifest.study;
  const number = { align: "right" as const };
  const rows = windows.map(({ trainStart, trainEnd, real, p, pPlusOne }, at) => [
    `${trainStart} to ${trainEnd}`,
    decimal(real),
    decimal(nulls[at]!.median),
    decimal(nulls[at]!.top5Percent),
    decimal(p, 3),
    decimal(pPlusOne, 3),
  ]);
  const together = [
    `mean of ${plural(overall.windows, "window")}`,
    decimal(overall.real),
    decimal(overallNull.median),
    decimal(overallNull.top5Percent),
    decimal(overall.p, 3),
    decimal(overall.pPlusOne, 3),
  ];
  return renderTable(
    [
      { heading: "Train window" },
      { heading: `real ${objective}`, ...number },
      { heading: "shuffled", ...number },
      { heading: "top 5%", ...number },
      { heading: "p", ...number },
      { heading: "p+1", ...number },
    ],
    [...rows, together],
    { painter, width, paint: (text, _, row) => (row === rows.length ? painter.bold(text) : text) },
  );
}

function procedureLines({ procedure, manifest }: PermuteDocument, { painter, width }: Style): string[] {
  if (!procedure) return [];
  const { objective, walkforwardRuns } = manifest.study;
  return [
    renderTable(
      [
        { heading: "Walking forward" },
        { heading: `real ${objective}`, align: "right" },
        { heading: "p", align: "right" },
        { heading: "p+1", align: "right" },
      ],
      [
        [
          `on ${plural(walkforwardRuns, "shuffled market")}`,
          decimal(procedure.real),
          decimal(procedure.p, 3),
          decimal(procedure.pPlusOne, 3),
        ],
      ],
      { painter, width },
    ),
  ];
}

function doubts({ windows }: PermuteDocument): string[] {
  const dead = windows.filter(({ alive }) => !alive).map(({ window }) => window);
  const undefinedReal = windows
    .filter(({ alive, real }) => alive && real === null)
    .map(({ window }) => window);
  return [
    ...(dead.length > 0
      ? [`shuffling changes nothing in window ${dead.join(", ")}: left out, without a p-value`]
      : []),
    ...(undefinedReal.length > 0
      ? [`the real market has no score in window ${undefinedReal.join(", ")}: left out, without a p-value`]
      : []),
  ];
}
