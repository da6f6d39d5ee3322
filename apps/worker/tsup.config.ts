import { cpSync } from "node:fs";
import { defineConfig } from "tsup";
import { program } from "../../tsup.program.js";

const base = program({ main: "src/main.ts", "watchdog-thread": "src/watchdog-thread.ts" });

export default defineConfig({
  ...base,
  async onSuccess() {
    if (typeof base.onSuccess === "function") await base.onSuccess();
    cpSync("src/page/assets", "dist/assets", { recursive: true });
  },
});
