import type { Objective } from "@pf/research";

/** How numbers and dates read in a chart. Pictures and pages share these functions, because JSON cannot carry them. */

const minus = "\u2212";
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

/** Equity below this is drawn at it, since a logarithm has no place for 0. */
export const equityFloor = 0.001;

/** `0.0921` as `"9.2%"`; what is undefined reads `"n/a"`. */
export function percent(fraction: number, digits = 1): string {
  return Number.isFinite(fraction) ? `${fixed(fraction * 100, digits)}%` : "n/a";
}

/** A decimal number with a real minus sign and thousands apart; what is undefined reads `"n/a"`. */
export function decimal(value: number, digits = 2): string {
  return Number.isFinite(value) ? fixed(value, digits) : "n/a";
}

const fractions: readonly Objective[] = ["CAGR", "MaxDD", "AnnualVol"];
const counts: readonly Objective[] = ["RebalanceDays", "Bars"];

/** Whether a metric is a fraction, which people read in percent. */
export function isFraction(objective: Objective): boolean {
  return fractions.includes(objective);
}

/** The value of a metric: fractions in percent, counts whole; what is undefined reads `"n/a"`. */
export function objectiveText(objective: Objective, value: number | null): string {
  if (isFraction(objective)) return percent(value ?? Number.NaN);
  return decimal(value ?? Number.NaN, counts.includes(objective) ? 0 : 2);
}

/** A change in percent without the sign of the unit, `"+1.2"`, as heat map cells show it. */
export function signedPercent(fraction: number): string {
  if (!Number.isFinite(fraction)) return "n/a";
  // Four digits are as wide as a cell; then the tenths are of no interest either.
  const text = fixed(fraction * 100, Math.abs(fraction) >= 9.995 ? 0 : 1);
  return text.startsWith(minus) || Number(text) === 0 ? text : `+${text}`;
}

/** A tick of a growth axis: `1.5`, `2`, `10,000`. */
export function growthTick(value: number): string {
  if (value <= equityFloor) return `\u2264 ${equityFloor}`;
  return grouped(String(Number(value.toPrecision(6))));
}

/** A tick of any other axis: `0.25`, with a real minus sign. */
export function numberTick(value: number): string {
  return String(Number(value.toPrecision(6))).replace("-", minus);
}

export function percentTick(fraction: number): string {
  return `${numberTick(fraction * 100)}%`;
}

/** Ticks of a time axis, from milliseconds since 1970-01-01 UTC: `2024`, `Mar 2024`, `4 Mar`. */
export function yearTick(utcMs: number): string {
  return iso(utcMs).slice(0, 4);
}

export function monthTick(utcMs: number): string {
  return `${monthName(Number(iso(utcMs).slice(5, 7)))} ${yearTick(utcMs)}`;
}

export function dayTick(utcMs: number): string {
  const text = iso(utcMs);
  return `${Number(text.slice(8, 10))} ${monthName(Number(text.slice(5, 7)))}`;
}

/** @param month - 1 for January */
export function monthName(month: number): string {
  return monthNames[month - 1] ?? "";
}

/** Cuts a text to a number of characters, the last one an ellipsis when something is gone. */
export function shortened(text: string, length: number): string {
  const characters = [...text];
  return characters.length <= length
    ? text
    : `${characters
        .slice(0, length - 1)
        .join("")
        .trimEnd()}\u2026`;
}

/**
 * Texts that share one line: all are cut to the same length, the largest with which they stay within the budget, and
 * short ones leave their room to the others.
 *
 * @param budget - characters of the line
 */
export function fitted(texts: readonly string[], budget: number): string[] {
  const lengths = texts.map((text) => [...text].length);
  let most = Math.max(0, ...lengths);
  while (most > 8 && lengths.reduce((sum, length) => sum + Math.min(length, most), 0) > budget) most--;
  return texts.map((text) => shortened(text, most));
}

/** The same texts, later ones numbered where one comes twice: a legend tells series apart by nothing else. */
export function distinct(texts: readonly string[]): string[] {
  return texts.map((text, index) => {
    const before = texts.slice(0, index).filter((other) => other === text).length;
    return before === 0 ? text : `${text} (${before + 1})`;
  });
}

function fixed(value: number, digits: number): string {
  const text = grouped(Math.abs(value).toFixed(digits));
  return value < 0 && /[1-9]/.test(text) ? minus + text : text;
}

function grouped(text: string): string {
  const [whole = "", rest] = text.split(".");
  if (!/^\d+$/.test(whole)) return text;
  const spaced = whole.replace(/\B(?=(\d{3})+$)/g, ",");
  return rest === undefined ? spaced : `${spaced}.${rest}`;
}

function iso(utcMs: number): string {
  return new Date(utcMs).toISOString();
}
