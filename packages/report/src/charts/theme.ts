import { decimal, percent } from "./formatters.js";
import type { ChartInput } from "./input.js";

/** Family of the fonts this package brings; a page falls back to what it has. */
export const fontFamily = "DejaVu Sans, sans-serif";

export const ink = {
  strong: "#1c2530",
  normal: "#46515e",
  faint: "#8a949f",
  line: "#c9d0d8",
  grid: "#e7ebef",
} as const;
export const portfolioColor = "#1f5fa8";
export const lossColor = "#b2182b";
/** Told apart by people who confuse red and green, and in grey print. */
export const benchmarkColors = ["#e08214", "#2a9d8f", "#8073ac"] as const;

/** What every chart starts with. */
export const base = {
  animation: false,
  backgroundColor: "#ffffff",
  useUTC: true,
  textStyle: { fontFamily, color: ink.normal, fontSize: 12 },
} as const;

export function heading(text: string, subtext: string) {
  return {
    text,
    subtext,
    left: 24,
    top: 18,
    itemGap: 9,
    textStyle: { fontFamily, fontSize: 18, fontWeight: "bold" as const, color: ink.strong },
    subtextStyle: { fontFamily, fontSize: 12, lineHeight: 20, color: ink.normal },
  };
}

/** Stands between the facts of a subtitle. */
export const between = "   \u00b7   ";

export interface CaptionStyle {
  /** Default 12. */
  readonly fontSize?: number;
  /** Which part of the text lies at the place. Default `"left"`. */
  readonly textAlign?: "left" | "center";
  /** What shines through from below; nothing by default. */
  readonly backgroundColor?: string;
}

/** A short text above a part of a chart, at a place in pixels; `{strong|...}` is bold. */
export function caption(text: string, left: number, top: number, style: CaptionStyle = {}) {
  const { fontSize = 12, textAlign = "left", backgroundColor = "transparent" } = style;
  const font = { fontFamily, fontSize };
  return {
    // Beside styled parts, the rest of a text would fall back to the size of the whole chart.
    text: text.replace(/(^|\})([^{}]+)/g, "$1{plain|$2}"),
    left,
    top,
    padding: 0,
    textAlign,
    backgroundColor,
    textStyle: {
      ...font,
      fontWeight: "normal" as const,
      color: ink.normal,
      rich: {
        plain: { ...font, color: ink.normal },
        strong: { ...font, fontWeight: "bold" as const, color: ink.strong },
      },
    },
  };
}

export function portfolioName(input: ChartInput): string {
  return input.title ?? "Portfolio";
}

/** The period and the numbers that a reader of any of the charts wants beside it. */
export function keyFigures({ result, metrics }: Pick<ChartInput, "result" | "metrics">): string {
  const { sessions } = result;
  const [first, last] = [sessions[0], sessions[sessions.length - 1]];
  const period = first === last ? `${first}` : `${first} to ${last}`;
  return [
    `${period}, ${rowsInWords(result)}`,
    `CAGR ${percent(metrics.CAGR)}`,
    `Sharpe ${decimal(metrics.Sharpe)}`,
    `MaxDD ${percent(metrics.MaxDD)}`,
    "net of costs",
  ].join(between);
}

function rowsInWords({ sessions, endsUtcMs }: ChartInput["result"]): string {
  const counted = (count: number, of: string) => `${decimal(count, 0)} ${of}${count === 1 ? "" : "s"}`;
  const different = endsUtcMs ? new Set(sessions).size : sessions.length;
  return `${counted(different, "session")}${endsUtcMs ? ` of ${counted(sessions.length, "hourly bar")}` : ""}`;
}
