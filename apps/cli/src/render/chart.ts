import { plot } from "asciichart";

/** A curve to draw. */
export interface Curve {
  readonly dates: readonly string[];
  readonly values: ArrayLike<number>;
}

/**
 * A small line chart of a growing quantity, with its range of dates below: one column of characters for each of as many
 * evenly spaced sessions as fit.
 */
export function renderChart({ dates, values }: Curve, width: number, height = 9): string {
  const label = 8;
  const columns = Math.max(10, width - label - 4);
  const points = resample(values, columns);
  const format = (value: number) => value.toFixed(2).padStart(label);
  const chart = plot(points, { height: height - 1, format }).split("\n");
  const [first, last] = [dates[0] ?? "", dates.at(-1) ?? ""];
  const middle = dates[Math.floor((dates.length - 1) / 2)] ?? "";
  const axis = spread([first, middle, last], points.length);
  return [...chart.map((line) => `  ${line.trimEnd()}`), `  ${" ".repeat(label + 2)}${axis}`].join("\n");
}

/** As many values as fit, the first and the last among them. */
export function resample(values: ArrayLike<number>, most: number): number[] {
  const size = Math.min(values.length, most);
  if (size <= 1) return Array.from(values).slice(-1);
  return Array.from(
    { length: size },
    (_, at) => values[Math.round((at * (values.length - 1)) / (size - 1))]!,
  );
}

/** Texts at the left, in the middle and at the right of a line, as many as fit. */
function spread([left, middle, right]: readonly [string, string, string], width: number): string {
  if (width < left.length + right.length + 2) return left;
  const gap = width - left.length - right.length;
  if (gap < middle.length + 4) return left + " ".repeat(gap) + right;
  const before = Math.floor((width - middle.length) / 2) - left.length;
  return left + " ".repeat(before) + middle + " ".repeat(gap - before - middle.length) + right;
}
