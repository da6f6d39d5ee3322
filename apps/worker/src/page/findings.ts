import { html } from "hono/html";
import { decimal, percent, words } from "./format.js";
import type { Html } from "./html.js";
import { mark, nothing, part, table } from "./pieces.js";
import {
  type Found,
  type Picture,
  type PictureName,
  type Research,
  shownMetrics,
  type Verdict,
} from "./research.js";

const metricNames: Readonly<Record<string, string>> = {
  CAGR: "Growth a year",
  MaxDD: "Deepest fall",
  AnnualVol: "Volatility",
  RebalancesPerMonth: "Trades a month",
};
const fractions = ["CAGR", "MaxDD", "AnnualVol"];

/** What research says of the strategy, in words first. */
export function research({ backtest, walkForward, permutation, pictures }: Research): Html {
  const nothingYet = !backtest && !walkForward && !permutation && pictures.length === 0;
  const shown = (...names: readonly PictureName[]) => pictures.filter(({ name }) => names.includes(name));
  return part(
    "research",
    "Research",
    nothingYet
      ? nothing(
          "No report yet: pf backtest, pf walkforward and pf permute write theirs where this page looks.",
        )
      : html`${report("Backtest", backtest, shown("equity.png", "drawdown.png", "heatmap.png"))}${report("Walk-forward", walkForward, shown("walkforward.png", "parameter-map.png"))}${report("Permutation", permutation, shown("permutation.png"))}`,
    { size: "full" },
  );
}

function report(title: string, found: Found, pictures: readonly Picture[]): Html {
  const id = title.toLowerCase();
  return html`<article class="report" aria-labelledby="${id}-title">
<h3 id="${id}-title">${title}</h3>${
    found === null
      ? nothing("No report of it.")
      : "trouble" in found
        ? html`<p>${mark("bad", found.trouble)}</p>`
        : html`<p class="note">${found.about}${found.isSynthetic && html`, <b>an invented market: says nothing about real ones</b>`}${found.facts.map((fact) => `; ${fact}`)}.</p>${
            found.verdict && verdict(id, found.verdict)
          }${
            found.measured.length > 0 &&
            table(
              `Measures of the ${title.toLowerCase()}`,
              [
                { head: "Measure" },
                ...found.measured.map(({ name }) => ({ head: name, kind: "number" as const })),
              ],
              shownMetrics.map((metric) => ({
                cells: [
                  metricNames[metric] ?? words(metric),
                  ...found.measured.map(({ values }) =>
                    fractions.includes(metric) ? percent(values[metric]) : decimal(values[metric]),
                  ),
                ],
              })),
            )
          }`
  }${
    pictures.length > 0 &&
    html`<details id="${id}-pictures" class="pictures"><summary>${pictures.length} ${pictures.length === 1 ? "picture" : "pictures"}</summary>${pictures.map(
      ({ name, alt, width, height, version }) =>
        html`<figure><img src="/research/${name}?v=${version}" alt="${alt}" width="${width}" height="${height}" loading="lazy"><figcaption>${alt}</figcaption></figure>`,
    )}</details>`
  }</article>`;
}

function verdict(id: string, { headline, findings, limits }: Verdict): Html {
  return html`<p class="verdict"><b>${headline}</b></p>
<ul class="findings">${findings.map(
    ({ passed, line }) =>
      html`<li>${mark(passed === null ? "calm" : passed ? "good" : "bad", html`<span class="unseen">${passed === null ? "Open:" : passed ? "Passed:" : "Not passed:"}</span> ${line}`)}</li>`,
  )}</ul>
${limits.length > 0 && html`<details id="${id}-limits"><summary>What it does not show</summary><ul>${limits.map((limit) => html`<li>${limit}</li>`)}</ul></details>`}`;
}
