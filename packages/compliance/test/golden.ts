import { existsSync, readFileSync } from "node:fs";

const folder = new URL("../../../../shared/golden/", import.meta.url);

/** Whether the folder of reference data lies beside the project. */
export const hasGolden = existsSync(folder);

/** Ends a test's title where it does not, so that a skipped test says why. */
export const whyNot = hasGolden ? "" : " (not run: no folder ../shared beside the project)";

export function goldenText(file: string): string {
  return readFileSync(new URL(file, folder), "utf8");
}
