import { defineConfig } from "tsup";

export default defineConfig({
  entry: ["src/main.ts", "src/help.ts", "src/commands/**/*.ts"],
  format: ["esm"],
  target: "node20",
  splitting: true,
  clean: true,
  dts: false,
});
