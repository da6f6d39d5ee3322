import { html, raw } from "hono/html";
import { newYorkInstant, newYorkTime } from "./format.js";
import type { Html } from "./html.js";

/**
 * A part of the page that is looked at alone: its own heading, its own place in the outline, and replaced by the script
 * when what it shows has changed.
 */
export function part(
  id: string,
  title: string,
  content: unknown,
  more: { readonly size?: string } = {},
): Html {
  return html`<section id="${id}" class="part ${more.size ?? "half"}" aria-labelledby="${id}-title" data-live>
<h2 id="${id}-title">${title}</h2>
${content}
</section>`;
}

/** A column of a table: its heading, and how its cells are set. */
export interface Column {
  readonly head: unknown;
  /** `number` to the right, `short` on one line, `grow` takes what is left, `aside` has words of its own beside it. */
  readonly kind?: "number" | "short" | "grow" | "aside";
}

/**
 * A table; the first cell of each row names the row. On a phone, the rows of a wide table become small blocks; the
 * roles are spelled out because browsers forget them where a row is no longer laid out as one.
 */
export function table(
  caption: unknown,
  columns: readonly Column[],
  rows: readonly { readonly cells: readonly unknown[]; readonly kind?: string }[],
): Html {
  const isWide = columns.length > 4 || columns.some(({ kind }) => kind === "grow");
  const role = (name: string) => (isWide ? attribute("role", name) : "");
  const kinds = columns.map(({ kind }) => attribute("class", kind));
  const labels = columns.map(({ kind, head }) =>
    attribute("data-label", isWide && kind === "number" && typeof head === "string" ? head : undefined),
  );
  return html`<div class="scroll"><table${role("table")} class="${isWide ? "stacks" : "stays"}">
<caption>${caption}</caption>
<thead${role("rowgroup")}><tr${role("row")}>${columns.map(({ head }, at) => html`<th${role("columnheader")} scope="col"${kinds[at]}>${head}</th>`)}</tr></thead>
<tbody${role("rowgroup")}>${rows.map(
    ({ cells, kind }) => html`
<tr${role("row")}${attribute("class", kind)}>${cells.map((cell, at) =>
      at === 0
        ? html`<th${role("rowheader")} scope="row"${kinds[at]}>${cell}</th>`
        : html`<td${role("cell")}${kinds[at]}${labels[at]}>${cell}</td>`,
    )}</tr>`,
  )}
</tbody></table></div>`;
}

/** An attribute, or nothing: a page of a year has ten thousand cells. */
function attribute(name: string, value: string | undefined): Html | "" {
  return value === undefined ? "" : html` ${raw(name)}="${value}"`;
}

/** The first rows of a long table, the others behind a switch that works without a script. */
export function longTable(
  id: string,
  caption: string,
  columns: readonly Column[],
  rows: Parameters<typeof table>[2],
  first: number,
): Html {
  const rest = rows.length - first;
  return html`${table(caption, columns, rows.slice(0, first))}${
    rest > 0 &&
    html`<details id="${id}-more"><summary>${rest} earlier</summary>${table(
      html`${caption}, earlier`,
      columns,
      rows.slice(first),
    )}</details>`
  }`;
}

/** What is thought of something, told by sign and word and not by colour alone. */
export type Mood = "good" | "bad" | "watch" | "calm" | "out";

const signs: Readonly<Record<Mood, string>> = { good: "✓", bad: "✕", watch: "!", calm: "·", out: "–" };

export function mark(mood: Mood, text: unknown): Html {
  return html`<span class="mark ${mood}"><span class="sign" aria-hidden="true">${signs[mood]}</span> ${text}</span>`;
}

/** An instant as New York has it; the reader's own time is put beside it by the script. */
export function instant(utcMs: number): Html {
  return html`<time datetime="${iso(utcMs)}">${newYorkInstant(utcMs)}</time>`;
}

export function timeOfDay(utcMs: number): Html {
  return html`<time datetime="${iso(utcMs)}">${newYorkTime(utcMs)}</time>`;
}

export function iso(utcMs: number): string {
  return new Date(utcMs).toISOString();
}

/** What stands where there is nothing to show yet. */
export function nothing(text: string): Html {
  return html`<p class="nothing">${text}</p>`;
}
