import type { Options } from "tsup";

/** How every library is built: ES module, CommonJS and types of both. */
export const library: Options = {
  entry: ["src/index.ts"],
  format: ["esm", "cjs"],
  target: "node20",
  clean: true,
  // TypeScript 6 deprecates the baseUrl that tsup's d.ts step sets by itself.
  dts: { compilerOptions: { ignoreDeprecations: "6.0" } },
};
