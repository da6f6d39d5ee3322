// Packs every publishable package as it would be published and looks at the tarballs: publint at what a registry would
// serve, are-the-types-wrong at what TypeScript resolves from ESM, CommonJS and older settings.
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { packAll } from "./pack.mjs";

const run = promisify(execFile);
const root = fileURLToPath(new URL("../", import.meta.url));
const tool = (name) => join(root, "node_modules/.bin", name);

const folder = mkdtempSync(join(tmpdir(), "pf-packages-"));
try {
  const packed = packAll(folder);
  const faults = [];
  const check = async ({ name, tarball, isLibrary }) => {
    const checks = [["publint", ["run", tarball, "--strict"]]];
    if (isLibrary) checks.push(["attw", [tarball]]);
    const results = await Promise.allSettled(checks.map(([command, words]) => run(tool(command), words)));
    const failed = results.flatMap(({ status, reason }, at) =>
      status === "rejected"
        ? [`${name}, ${checks[at][0]}:\n${reason.stdout ?? ""}${reason.stderr || reason.message}`]
        : [],
    );
    const verdict = failed.length > 0 ? "✗" : "✓";
    process.stdout.write(`${verdict} ${name}: ${checks.map(([command]) => command).join(", ")}\n`);
    faults.push(...failed);
  };
  for (const one of packed) await check(one);
  if (packed.length === 0) faults.push("no publishable package was found");
  for (const fault of faults) process.stderr.write(`\n${fault}\n`);
  process.exitCode = faults.length > 0 ? 1 : 0;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
