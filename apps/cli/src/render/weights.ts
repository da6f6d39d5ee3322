import type { TargetWeightsOutcome } from "@pf/app";
import type { Style } from "../command.js";
import { exposureLines } from "./exposure.js";
import { decimal, percent, plural } from "./number.js";
import { renderTable } from "./table.js";

/** What to hold, and for every symbol why it is in or out. */
export function renderWeights(outcome: TargetWeightsOutcome, { painter, width }: Style): string {
  const { asOf, ts, weights, cash, candidates, correlations, heldByBand, held, overlays, sessionsBehind } =
    outcome;
  const holdings = Object.entries(weights).map(([symbol, weight]) => [
    symbol,
    percent(weight, 2),
    change(weight, held[symbol] ?? 0),
  ]);
  const sold = Object.entries(held)
    .filter(([symbol]) => weights[symbol] === undefined)
    .map(([symbol, weight]) => [symbol, percent(0, 2), change(0, weight)]);
  const before = ts === undefined ? "the session before" : "the hour before";
  const notes = [
    ...(sessionsBehind > 0
      ? [`The cache ends here: ${plural(sessionsBehind, "session")} since then. Run \`pf fetch\` for them.`]
      : []),
    ...(heldByBand ? [`The no-trade band kept the targets of ${before}.`] : []),
    ...correlations.map(({ a, b, rho }) => `Correlation of ${a} and ${b}: ${decimal(rho)}`),
  ];
  return [
    `${painter.bold("Target weights")} as of ${asOf}${ts === undefined ? "" : `, the hour up to ${ts.slice(11, 16)} UTC`}`,
    "",
    renderTable(
      [{ heading: "Symbol" }, { heading: "Weight", align: "right" }, { heading: `Since ${before}` }],
      [...holdings, ...sold, ["cash", percent(cash, 2), ""]],
      {
        painter,
        width,
        paint: (text, column) => (column === 0 && text !== "cash" ? painter.bold(text) : text),
      },
    ),
    ...notes.map((note) => `  ${note}`),
    ...(notes.length > 0 ? [""] : []),
    ...(overlays.length > 0 ? [painter.bold("Exposure"), ...exposureLines(overlays, width), ""] : []),
    painter.bold("Why"),
    renderTable(
      [
        { heading: "Symbol" },
        { heading: "Score", align: "right" },
        { heading: "" },
        { heading: "Reason" },
        { heading: "Detail" },
      ],
      candidates.map(({ symbol, score, selected, reason, detail }) => [
        symbol,
        decimal(score),
        selected ? "in" : "out",
        reason,
        detail,
      ]),
      {
        painter,
        width,
        paint: (text, column, row) =>
          column === 2
            ? candidates[row]!.selected
              ? painter.green(text)
              : painter.dim(text)
            : column === 0
              ? painter.bold(text)
              : text,
      },
    ),
  ].join("\n");
}

function change(now: number, before: number): string {
  const moved = now - before;
  if (Math.abs(moved) < 1e-9) return "unchanged";
  if (before === 0) return "new";
  if (now === 0) return `sold, was ${percent(before, 2)}`;
  return `${moved > 0 ? "+" : ""}${percent(moved, 2)}`;
}
