import { readdirSync } from "node:fs";
import { join } from "node:path";
import { defineConfig } from "tsup";
import { program } from "../../tsup.program.js";

export default defineConfig(
  program(
    { main: "src/main.ts", help: "src/help.ts", ...commands("src/commands") },
    // The command framework looks for these in a checkout of its own; they are on nobody's machine.
    { external: ["ts-node", "typescript"] },
  ),
);

/** Every command is a file of its own, by its words. */
function commands(folder: string): Record<string, string> {
  return Object.fromEntries(
    readdirSync(folder, { recursive: true, encoding: "utf8" })
      .filter((file) => /\.ts$/.test(file) && !/\.test\.ts$/.test(file))
      .map((file) => [join("commands", file.replace(/\.ts$/, "")), join(folder, file)]),
  );
}
