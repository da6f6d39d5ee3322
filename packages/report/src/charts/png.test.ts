import { readFileSync } from "node:fs";
import { PNG } from "pngjs";
import { describe, expect, it } from "vitest";
import { elevenYears, realBarsThere, reportOf, runOf, walk, weekdays } from "../../test/worlds.js";
import { fontFiles } from "../fonts.js";
import { readAdvances } from "./advances.js";
import { drawdownChart, drawdownSize } from "./drawdown.js";
import { equityChart, equitySize } from "./equity.js";
import { heatmapSize, monthlyHeatmap } from "./heatmap.js";
import type { ChartInput, ChartOption, ChartSize } from "./input.js";
import { renderPng } from "./png.js";
import { renderSvg } from "./render.js";

const report = elevenYears();
const kinds: readonly (readonly [
  string,
  (input: ChartInput) => ChartOption,
  (input: ChartInput) => ChartSize,
])[] = [
  ["equity", equityChart, () => equitySize],
  ["drawdown", drawdownChart, () => drawdownSize],
  ["heat map", monthlyHeatmap, heatmapSize],
];

/** Pixels of the picture, x and y in the chart's own pixels, that are nearly as dark as text. */
function inkIn(bytes: Uint8Array, box: { x: number; y: number; width: number; height: number }): number {
  const { data, width } = PNG.sync.read(Buffer.from(bytes));
  let count = 0;
  for (let y = Math.round(box.y * 1.25); y < (box.y + box.height) * 1.25; y++) {
    for (let x = Math.round(box.x * 1.25); x < (box.x + box.width) * 1.25; x++) {
      const at = (y * width + x) * 4;
      if (data[at]! + data[at + 1]! + data[at + 2]! < 330) count++;
    }
  }
  return count;
}

describe.each(kinds)("the picture of the %s", (_, chart, size) => {
  const titleBox = { x: 20, y: 10, width: 700, height: 55 };

  it("has the size asked for, and fits a mail", async () => {
    const bytes = await renderPng(chart(report), size(report));
    const { width, height } = PNG.sync.read(Buffer.from(bytes));
    expect([width, height]).toEqual([1500, Math.ceil(size(report).height * 1.25)]);
    // Seeded walks are rougher than markets, and a rough line takes more bytes.
    expect(bytes.length).toBeLessThan(realBarsThere ? 200_000 : 250_000);
  });

  it("has text: ink in the title, and none there without a title", async () => {
    const option = chart(report);
    expect(inkIn(await renderPng(option, size(report)), titleBox)).toBeGreaterThan(1500);
    const untitled = { ...option, title: option.title.slice(1) };
    expect(inkIn(await renderPng(untitled, size(report)), titleBox)).toBe(0);
  });

  it("has text: ink beside the vertical axis, and none there without its labels and name", async () => {
    const left = { x: 24, y: 105, width: 42, height: 350 };
    const option = chart(report);
    expect(inkIn(await renderPng(option, size(report)), left)).toBeGreaterThan(100);
    const unnamed = {
      ...option,
      yAxis: { ...(option.yAxis as object), name: "", axisLabel: { show: false } },
    };
    expect(inkIn(await renderPng(unnamed, size(report)), left)).toBe(0);
  });

  it("is the same bytes every time, whatever was drawn before", async () => {
    const first = await renderPng(chart(report), size(report));
    const other = reportOf(runOf(weekdays("2020-01-01", 300), walk(2, 300)));
    const [between, second] = await Promise.all([
      renderPng(chart(other), size(other)),
      renderPng(chart(elevenYears()), size(report)),
    ]);
    expect(Buffer.compare(first, second)).toBe(0);
    expect(Buffer.compare(first, between)).not.toBe(0);
  });

  it.each([
    ["one session", reportOf(runOf(weekdays("2024-03-05", 1), [0]))],
    ["no trade", reportOf(runOf(weekdays("2020-01-01", 500), new Array<number>(500).fill(0)))],
    [
      "total loss",
      reportOf(
        runOf(
          weekdays("2020-01-01", 500),
          walk(1, 500).map((one, row) => (row === 200 ? -1 : one)),
        ),
      ),
    ],
    ["one month", reportOf(runOf(weekdays("2024-03-01", 21), walk(1, 21)))],
    ["thirty years", reportOf(runOf(weekdays("1994-01-03", 7800), walk(1, 7800)))],
  ])("can be drawn of %s", async (__, input) => {
    const bytes = await renderPng(chart(input), size(input));
    expect(inkIn(bytes, titleBox)).toBeGreaterThan(1000);
  });
});

describe("the layout of a picture", () => {
  it("leaves room for each text of the legend as wide as its font makes it", () => {
    const input = {
      ...report,
      title: "Portfolio of WWWWWWWW",
      benchmarks: report.benchmarks.map((one, index) => ({ ...one, label: `${"MW".repeat(6)} ${index}` })),
    };
    const svg = renderSvg(equityChart(input), equitySize);
    const advances = readAdvances(readFileSync(fontFiles()[0]!));
    const texts = [
      ...svg.matchAll(
        /<text[^>]*transform="translate\(([\d.]+) ([\d.]+)\)"[^>]*>([^<]*[MW]{4}[^<]*)<\/text>/g,
      ),
    ]
      .map(([, x, y, text]) => ({ x: Number(x), y: Number(y), width: advances.width(text!) * 13 }))
      .filter(({ y }) => y > 60 && y < 100);
    expect(texts).toHaveLength(4);
    for (const [index, { x, width }] of texts.entries()) {
      // The next text begins after a gap and a sample of its line.
      expect(x + width + 28).toBeLessThan(texts[index + 1]?.x ?? equitySize.width);
    }
  });
});
