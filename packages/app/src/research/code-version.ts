import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join, sep } from "node:path";
import { fileURLToPath } from "node:url";

/** Put in when a program is built: {@link hashResearchSources} of what it was built from. */
declare const PF_RESEARCH_CODE: string | undefined;

/** The packages that decide what a unit's result is, and the files here that bring it to them. */
const deciding = [
  "market/src",
  "indicators/src",
  "selection/src",
  "backtest/src",
  "research/src",
  "app/src/research/research-worker.ts",
  "app/src/research/shared-panel.ts",
];

/**
 * The version of the code that results depend on, by its content: the sources of the pure packages. Programs of other
 * names, version numbers or builds may share work as long as these are equal, and not a byte longer.
 */
export function researchCode(): string {
  // Where nothing was built, as in tests, there are sources. What runs was loaded once: files that are edited meanwhile do
  // not make it another version, which would wait for workers that nobody has.
  known ??=
    typeof PF_RESEARCH_CODE === "string"
      ? PF_RESEARCH_CODE
      : hashResearchSources(fileURLToPath(new URL("../../../", import.meta.url)));
  return known;
}

let known: string | undefined;

/**
 * @param packages - the folder of the workspace's packages
 * @returns 16 hexadecimal digits
 */
export function hashResearchSources(packages: string): string {
  const hash = createHash("sha256");
  for (const place of deciding) {
    for (const file of filesOf(join(packages, place))) {
      const name = file.slice(packages.length).split(sep).join("/");
      // Checkouts differ in how lines end; what they say does not.
      hash.update(`${name}\n${readFileSync(file, "utf8").replaceAll("\r\n", "\n")}\n`);
    }
  }
  return hash.digest("hex").slice(0, 16);
}

function filesOf(place: string): readonly string[] {
  if (place.endsWith(".ts")) return [place];
  return readdirSync(place, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts") && !file.endsWith(".test.ts") && !file.endsWith(".bench.ts"))
    .sort()
    .map((file) => join(place, file));
}
