import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "tsup";

const packageFolder = fileURLToPath(new URL("..", import.meta.url));

/**
 * Builds the sources for a child process, which knows no TypeScript, beside the dependencies it needs.
 *
 * @returns the module, and what takes it away again
 */
export async function builtSources(): Promise<{ readonly module: string; readonly remove: () => void }> {
  const parent = join(packageFolder, "node_modules", ".cache");
  mkdirSync(parent, { recursive: true });
  const folder = mkdtempSync(join(parent, "bars-"));
  await build({
    config: false,
    entry: { bars: join(packageFolder, "src/index.ts") },
    format: ["esm"],
    target: "node20",
    outDir: folder,
    silent: true,
    outExtension: () => ({ js: ".mjs" }),
    // From its sources, so that no other package has to be built first.
    noExternal: ["@pf/market"],
    esbuildOptions: (options) => {
      options.conditions = ["@pf/source"];
    },
  });
  return { module: join(folder, "bars.mjs"), remove: () => rmSync(folder, { recursive: true, force: true }) };
}
