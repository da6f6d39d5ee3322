import { type ScaleLinear, scaleLinear } from "d3-scale";
import { line } from "d3-shape";
import { html } from "hono/html";
import { dollars } from "./format.js";
import type { Html } from "./html.js";

/** One line of a chart. Its name is also its class in the style sheet. */
export interface Series {
  readonly name: "account" | "model" | "spy";
  readonly label: string;
  /** Dollars, one for each session. */
  readonly values: readonly (number | null)[];
}

interface Shape {
  /** Where it is shown: a class of the style sheet. */
  readonly name: "wide" | "narrow";
  readonly width: number;
  readonly height: number;
  /** Room for the labels at the ends of the lines. */
  readonly right: number;
}

const wide: Shape = { name: "wide", width: 860, height: 330, right: 124 };
const narrow: Shape = { name: "narrow", width: 340, height: 250, right: 70 };

const [top, bottom] = [12, 28];
const labelHeight = 15;
const mostPoints = 400;

/**
 * Lines over sessions as inline SVG, once for screens and once for phones; the style sheet shows one of them. Colours and
 * strokes come from there too, so that they follow light and dark.
 *
 * @param sessions - at least one, oldest first, as long as every series
 * @param description - what a reader who does not see it should know
 */
export function lineChart(
  sessions: readonly string[],
  series: readonly Series[],
  description: string,
): readonly Html[] {
  const drawn = series.filter(({ values }) => values.some(isNumber));
  return [wide, narrow].map((shape) => chartOf(sessions, drawn, description, shape));
}

function chartOf(
  sessions: readonly string[],
  series: readonly Series[],
  description: string,
  { name, width, height, right }: Shape,
): Html {
  const y = scaleLinear(domainOf(series), [height - bottom, top]).nice(5);
  const ticks = y.ticks(5);
  const tickText = dollarTicks(ticks);
  const left = 12 + Math.ceil(6.6 * Math.max(...ticks.map((value) => tickText(value).length)));
  const x = scaleLinear([0, Math.max(1, sessions.length - 1)], [left, width - right]);
  const base = height - bottom;
  const days = dateTicks(sessions, Math.max(2, Math.floor((width - left - right) / 64)));
  const labels = endLabels(series, y);
  return html`<svg class="chart ${name}" viewBox="0 0 ${width} ${height}" role="img" aria-label="${description}" data-left="${left}" data-right="${width - right}">
<g class="grid">${ticks.map(
    (value) => html`
<line x1="${left}" x2="${width - right}" y1="${fixed(y(value))}" y2="${fixed(y(value))}"/><text x="${left - 8}" y="${fixed(y(value) + 4)}" text-anchor="end">${tickText(value)}</text>`,
  )}${days.map(
    ({ at, text }) => html`
<line class="tick" x1="${fixed(x(at))}" x2="${fixed(x(at))}" y1="${base}" y2="${base + 5}"/><text x="${fixed(x(at))}" y="${height - 8}" text-anchor="middle">${text}</text>`,
  )}</g>
<line class="cursor" x1="0" x2="0" y1="${top}" y2="${base}" visibility="hidden"/>${[...series].reverse().map(
    ({ name: line, values }) => html`
<path class="line ${line}" d="${pathOf(values, x, y)}"/>`,
  )}${labels.map(
    ({ name: line, label, at, value, labelY }) => html`
<circle class="dot ${line}" cx="${fixed(x(at))}" cy="${fixed(y(value))}" r="3.5"/><text class="end ${line}" x="${fixed(x(at) + 9)}" y="${fixed(labelY + 4)}">${
      name === "wide" ? `${label} ${dollars(value, 0)}` : label
    }</text>`,
  )}
</svg>`;
}

/** From the least to the greatest, with some air where that is one value. */
function domainOf(series: readonly Series[]): [number, number] {
  const all = series.flatMap(({ values }) => values.filter(isNumber));
  const [least, most] = all.reduce(
    ([low, high], value) => [Math.min(low, value), Math.max(high, value)],
    [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
  );
  return most - least > Math.abs(most) * 1e-6 ? [least, most] : [least * 0.99, most * 1.01 + 1];
}

function dollarTicks(ticks: readonly number[]): (value: number) => string {
  const isThousands = ticks.every((value) => value % 1000 === 0) && ticks.some((value) => value >= 10_000);
  const digits = ticks.every(Number.isInteger) ? 0 : 2;
  return (value) => (isThousands ? `${dollars(value / 1000, 0)}k` : dollars(value, digits));
}

function pathOf(
  values: readonly (number | null)[],
  x: ScaleLinear<number, number>,
  y: ScaleLinear<number, number>,
): string {
  return (
    line<number>()
      .defined((at) => isNumber(values[at]))
      .x((at) => x(at))
      .y((at) => y(values[at]!))
      .digits(1)(thinned(values, mostPoints)) ?? ""
  );
}

/**
 * The places of a long column worth drawing: of each stretch the first, the least, the greatest and the last, so that no
 * peak is lost; all of a short one.
 */
export function thinned(values: readonly (number | null)[], most: number): readonly number[] {
  const all = values.map((_, at) => at);
  if (values.length <= most) return all;
  const length = Math.ceil((values.length * 4) / most);
  const worth = (stretch: readonly number[]) => {
    const known = stretch.filter((at) => isNumber(values[at]));
    const by = (better: (a: number, b: number) => boolean) =>
      known.reduce<number | undefined>(
        (best, at) => (best === undefined || better(values[at]!, values[best]!) ? at : best),
        undefined,
      );
    const places = [stretch[0], by((a, b) => a < b), by((a, b) => a > b), stretch.at(-1)];
    return [...new Set(places.filter((at) => at !== undefined))].sort((a, b) => a - b);
  };
  return Array.from({ length: Math.ceil(all.length / length) }, (_, index) =>
    worth(all.slice(index * length, (index + 1) * length)),
  ).flat();
}

/** Where months, quarters or years begin, whatever fits; days where there is no such thing. */
export function dateTicks(
  sessions: readonly string[],
  most: number,
): readonly { readonly at: number; readonly text: string }[] {
  const starts = sessions.flatMap((session, at) =>
    at > 0 && session.slice(0, 7) !== sessions[at - 1]!.slice(0, 7) ? [{ at, session }] : [],
  );
  const years = starts.filter(({ at, session }) => session.slice(0, 4) !== sessions[at - 1]!.slice(0, 4));
  const inMonths = (months: readonly string[]) =>
    starts.filter(({ session }) => months.includes(session.slice(5, 7)));
  const months = [starts, inMonths(["01", "04", "07", "10"]), inMonths(["01", "07"])].find(
    (one) => one.length >= 2 && one.length <= most,
  );
  if (months) {
    return months.map(({ at, session }) => ({
      at,
      text: session.slice(5, 7) === "01" ? session.slice(0, 4) : monthNames[Number(session.slice(5, 7)) - 1]!,
    }));
  }
  if (years.length >= 2) {
    const every = Math.ceil(years.length / most);
    return years
      .filter((_, index) => index % every === 0)
      .map(({ at, session }) => ({ at, text: session.slice(0, 4) }));
  }
  const count = Math.min(most, sessions.length);
  const places = Array.from({ length: count }, (_, index) =>
    count === 1 ? 0 : Math.round((index * (sessions.length - 1)) / (count - 1)),
  );
  return places.map((at) => ({
    at,
    text: `${Number(sessions[at]!.slice(8))} ${monthNames[Number(sessions[at]!.slice(5, 7)) - 1]}`,
  }));
}

const monthNames = [
  "Jan",
  "Feb",
  "Mar",
  "Apr",
  "May",
  "Jun",
  "Jul",
  "Aug",
  "Sep",
  "Oct",
  "Nov",
  "Dec",
] as const;

/** The label at the end of each line, moved apart where ends are close. */
function endLabels(series: readonly Series[], y: ScaleLinear<number, number>) {
  const ends = series
    .map((one) => {
      const at = one.values.reduce<number>((last, value, index) => (isNumber(value) ? index : last), 0);
      const value = one.values[at]!;
      return { ...one, at, value, labelY: y(value) };
    })
    .sort((a, b) => a.labelY - b.labelY);
  const [high, low] = y.range() as [number, number];
  for (let index = 1; index < ends.length; index++)
    ends[index]!.labelY = Math.max(ends[index]!.labelY, ends[index - 1]!.labelY + labelHeight);
  // What was pushed below the axis moves up again, and pushes what is above it.
  let floor = high;
  for (const end of [...ends].reverse()) {
    end.labelY = Math.max(low, Math.min(end.labelY, floor));
    floor = end.labelY - labelHeight;
  }
  return ends;
}

function isNumber(value: number | null | undefined): value is number {
  return typeof value === "number" && Number.isFinite(value);
}

function fixed(value: number): string {
  return String(Math.round(value * 10) / 10);
}
