import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { renderChart, resample } from "./chart.js";

describe("resample", () => {
  it("keeps the ends, the order, and no more than asked for", () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 500 }), fc.integer({ min: 2, max: 80 }), (length, most) => {
        const values = Array.from({ length }, (_, at) => at);
        const kept = resample(values, most);
        expect(kept).toHaveLength(Math.min(length, most));
        expect([kept[0], kept.at(-1)]).toEqual([0, length - 1]);
        for (let at = 1; at < kept.length; at++) expect(kept[at]!).toBeGreaterThan(kept[at - 1]!);
      }),
    );
  });
});

describe("renderChart", () => {
  const dates = Array.from(
    { length: 300 },
    (_, at) =>
      `2020-${String(1 + Math.floor(at / 28)).padStart(2, "0")}-${String(1 + (at % 28)).padStart(2, "0")}`,
  );
  const rising = Array.from({ length: 300 }, (_, at) => 1 + at / 100);
  it("fits the width and names both ends of the range", () => {
    const text = renderChart({ dates, values: rising }, 80);
    for (const line of text.split("\n")) expect(line.length).toBeLessThanOrEqual(80);
    expect(text).toContain(dates[0]);
    expect(text).toContain(dates.at(-1));
    expect(text).toContain("3.99");
    expect(text).toContain("1.00");
  });
  it("draws a flat line and a curve of two points", () => {
    expect(renderChart({ dates, values: new Float64Array(300).fill(1) }, 80)).toContain("1.00");
    expect(renderChart({ dates: dates.slice(0, 2), values: [1, 2] }, 80)).toContain("2.00");
  });
});
