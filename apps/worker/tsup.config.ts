import { defineConfig } from "tsup";
import { program } from "../../tsup.program.js";

export default defineConfig(program({ main: "src/main.ts", "watchdog-thread": "src/watchdog-thread.ts" }));
