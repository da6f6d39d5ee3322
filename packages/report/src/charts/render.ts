import { readFileSync } from "node:fs";
import { renderAsync } from "@resvg/resvg-js";
import { HeatmapChart, LineChart, ScatterChart } from "echarts/charts";
import {
  GridComponent,
  LegendPlainComponent,
  MarkAreaComponent,
  MarkLineComponent,
  TitleComponent,
  VisualMapContinuousComponent,
} from "echarts/components";
import { type EChartsCoreOption, init, setPlatformAPI, use } from "echarts/core";
import { SVGRenderer } from "echarts/renderers";
import { fontFiles } from "../fonts.js";
import { readAdvances } from "./advances.js";
import type { ChartOption, ChartSize } from "./input.js";

// Loading this module costs about half a second, mostly ECharts: import it only where a picture is really wanted.

use([
  HeatmapChart,
  LineChart,
  ScatterChart,
  GridComponent,
  LegendPlainComponent,
  MarkAreaComponent,
  MarkLineComponent,
  TitleComponent,
  VisualMapContinuousComponent,
  SVGRenderer,
]);

const fonts = [...fontFiles()];
const [regular, bold] = fonts.map((file) => readAdvances(readFileSync(file)));

setPlatformAPI({
  measureText(text, font) {
    const size = Number(/([\d.]+)px/.exec(font ?? "")?.[1] ?? 12);
    const face = /\bbold\b|\b[6-9]00\b/.test(font ?? "") ? bold! : regular!;
    return { width: face.width(text) * size };
  },
});

/** Draws an option as SVG text. Identifiers in it differ from one drawing to the next; the picture does not. */
export function renderSvg(option: ChartOption, size: ChartSize): string {
  const chart = init(null, null, { renderer: "svg", ssr: true, width: size.width, height: size.height });
  try {
    chart.setOption(option as EChartsCoreOption);
    return chart.renderToSVGString();
  } finally {
    chart.dispose();
  }
}

/** Draws an option as the bytes of a PNG, `scale` pixels for each of the chart's. */
export async function drawPng(option: ChartOption, size: ChartSize, scale: number): Promise<Uint8Array> {
  const image = await renderAsync(renderSvg(option, size), {
    font: { loadSystemFonts: false, fontFiles: fonts, defaultFontFamily: "DejaVu Sans" },
    fitTo: { mode: "zoom", value: scale },
    logLevel: "off",
  });
  return image.asPng();
}
