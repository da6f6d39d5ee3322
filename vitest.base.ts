import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

// Tests read the sources of sibling packages, so that they need no build.
const conditions = ["@pf/source", "node", "import", "module", "default"];

/** What the tests of every package share. */
export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    setupFiles: [fileURLToPath(new URL("./vitest.setup.ts", import.meta.url))],
    include: ["src/**/*.test.ts", "test/**/*.test.ts"],
    // Vitest leaves one core to itself, which is half of a small machine: the last package would keep the other waiting.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    // Files that run one after the other in a process share what they import: it is loaded once instead of once for each
    // file, which is a third of the time. A package whose tests replace modules sets this back.
    isolate: false,
    // Limits that end a test which hangs; no test measures time, and a busy machine is slow.
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
