import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { FontsMissingError } from "./errors.js";

/** The fonts of the charts, in the order regular, bold. */
const fontNames = ["DejaVuSans.ttf", "DejaVuSans-Bold.ttf"] as const;

/**
 * Paths of the font files: beside the built code, where the build copies them, or, when this file runs as source, in the
 * development dependency they are copied from.
 *
 * @throws FontsMissingError when they are in neither place
 */
export function fontFiles(): readonly string[] {
  const beside = join(dirname(fileURLToPath(import.meta.url)), "fonts");
  const looked = [beside];
  for (const folder of [beside, developmentFolder()]) {
    if (folder === undefined) continue;
    if (folder !== beside) looked.push(folder);
    const files = fontNames.map((name) => join(folder, name));
    if (files.every((file) => existsSync(file))) return files;
  }
  throw new FontsMissingError(looked);
}

/** `undefined` where this package is installed without its development dependencies, which is everywhere but here. */
function developmentFolder(): string | undefined {
  try {
    return join(dirname(createRequire(import.meta.url).resolve("dejavu-fonts-ttf/package.json")), "ttf");
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && cause.code === "MODULE_NOT_FOUND") return undefined;
    throw cause;
  }
}
