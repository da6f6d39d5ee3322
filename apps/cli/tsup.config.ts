import { cpSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { defineConfig } from "tsup";
import { program } from "../../tsup.program.js";

const base = program(
  { main: "src/main.ts", help: "src/help.ts", ...commands("src/commands") },
  // The command framework looks for these in a checkout of its own; they are on nobody's machine.
  { external: ["ts-node", "typescript"] },
);

export default defineConfig({
  ...base,
  async onSuccess() {
    if (typeof base.onSuccess === "function") await base.onSuccess();
    // `pf frame` loads danfojs from beside it.
    const vendor = "../../packages/report/vendor";
    cpSync(join(vendor, "danfojs.cjs"), "dist/vendor/danfojs.cjs");
    cpSync(join(vendor, "danfojs.LEGAL.txt"), "dist/licenses/danfojs.txt");
  },
});

/** Every command is a file of its own, by its words. */
function commands(folder: string): Record<string, string> {
  return Object.fromEntries(
    readdirSync(folder, { recursive: true, encoding: "utf8" })
      .filter((file) => /\.ts$/.test(file) && !/\.test\.ts$/.test(file))
      .map((file) => [join("commands", file.replace(/\.ts$/, "")), join(folder, file)]),
  );
}
