// Runs `pf` of this checkout the way a person would, with its output passed through.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("../", import.meta.url));

/** @returns the exit code; 130 and above when a signal ended it */
export function pf(...words) {
  process.stdout.write(`\n$ pf ${words.join(" ")}\n`);
  const { status, signal, error } = spawnSync(process.execPath, ["apps/cli/bin/run.js", ...words], {
    cwd: root,
    stdio: ["ignore", "inherit", "inherit"],
  });
  if (error) throw error;
  return status ?? (signal === "SIGINT" ? 130 : 143);
}

/** Runs `pf` and ends this process with its exit code when it did not succeed. */
export function pfOrExit(...words) {
  const code = pf(...words);
  if (code !== 0) process.exit(code);
}
