import { cpSync } from "node:fs";
import { defineConfig } from "tsup";
import { program } from "../../tsup.program.js";

// One file holds everything, and all of it is loaded at the start: a worker lives for months, and must not look for a
// part of itself while an update replaces its files.
const base = program(
  { main: "src/main.ts", "watchdog-thread": "src/watchdog-thread.ts" },
  { splitting: false },
);

export default defineConfig({
  ...base,
  async onSuccess() {
    if (typeof base.onSuccess === "function") await base.onSuccess();
    cpSync("src/page/assets", "dist/assets", { recursive: true });
  },
});
