import { defineConfig } from "tsup";
import { library } from "../../tsup.base.js";
import { hashResearchSources } from "./src/research/code-version.js";

export default defineConfig({
  ...library,
  // The second is what threads run; it is no part of the public face and needs no types.
  entry: { index: "src/index.ts", "research-worker": "src/research/research-worker.ts" },
  dts: { compilerOptions: { ignoreDeprecations: "6.0" }, entry: "src/index.ts" },
  define: { PF_RESEARCH_CODE: JSON.stringify(hashResearchSources("../")) },
  // Threads find their module from the address of the one that starts them, which CommonJS does not have by itself.
  shims: true,
});
