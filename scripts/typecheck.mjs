// Type-checks the package in the current folder, what it ships and then its tests, with the native compiler: it takes an
// eighth of the time. Declarations are built by tsup with TypeScript 6, so both compilers agree on what is shipped.
import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

const manifest = createRequire(import.meta.url).resolve("typescript7/package.json");
const compiler = join(dirname(manifest), "bin/tsc");

for (const project of ["tsconfig.json", "tsconfig.test.json"]) {
  const { status } = spawnSync(process.execPath, [compiler, "-p", project], { stdio: "inherit" });
  if (status !== 0) process.exit(status ?? 1);
}
