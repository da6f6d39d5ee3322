import type { ChartOption, ChartSize } from "./charts/input.js";
import { renderPng } from "./charts/png.js";
import type { PlannedFile } from "./write.js";

export function textFile(name: string, text: string): PlannedFile {
  return { name, bytes: new TextEncoder().encode(text) };
}

export async function picture(name: string, option: ChartOption, size: ChartSize): Promise<PlannedFile> {
  return { name, bytes: await renderPng(option, size) };
}
