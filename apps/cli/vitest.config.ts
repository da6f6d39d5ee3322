import { defineConfig } from "vitest/config";

const conditions = ["@pf/source", "node", "import", "module", "default"];

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  // Most tests start real processes of the built command line; they are slow when the machine is busy.
  test: { include: ["src/**/*.test.ts", "test/**/*.test.ts"], testTimeout: 60_000, hookTimeout: 120_000 },
});
