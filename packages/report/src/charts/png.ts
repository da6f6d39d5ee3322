import type { ChartOption, ChartSize } from "./input.js";

export interface RenderOptions extends ChartSize {
  /** Pixels of the picture for each pixel of the chart. Default 1.25: 1500 pixels wide, and under 200 KB for ten years. */
  readonly scale?: number;
}

/**
 * Draws a chart as the bytes of a PNG: the same option gives the same bytes. Only the fonts of this package are used,
 * never those of the machine. The first call loads the drawing library.
 *
 * @param options - width and height of the chart in pixels, before scaling
 * @throws FontsMissingError when the package's fonts are gone
 */
export async function renderPng(option: ChartOption, options: RenderOptions): Promise<Uint8Array> {
  const { drawPng } = await import("./render.js");
  return drawPng(option, options, options.scale ?? 1.25);
}
