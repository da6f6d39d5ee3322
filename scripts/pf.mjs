// Runs `pf` of this checkout the way a person would, with its output passed through.
import { spawn, spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("../", import.meta.url));
export const program = "apps/cli/bin/run.js";

const announce = (words) => process.stdout.write(`\n$ pf ${words.join(" ")}\n`);

/** @returns the exit code; 130 and above when a signal ended it */
export function pf(...words) {
  announce(words);
  const { status, signal, error } = spawnSync(process.execPath, [program, ...words], {
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

/** Runs `pf`, and gives its exit code with what it said on standard error, which is passed through as well. */
export async function pfWithErrors(...words) {
  announce(words);
  const child = spawn(process.execPath, [program, ...words], {
    cwd: root,
    stdio: ["ignore", "inherit", "pipe"],
  });
  let errors = "";
  child.stderr.setEncoding("utf8").on("data", (text) => {
    errors += text;
    process.stderr.write(text);
  });
  const [status, signal] = await new Promise((resolve, reject) => {
    child.on("error", reject).on("close", (...ended) => resolve(ended));
  });
  return { code: status ?? (signal === "SIGINT" ? 130 : 143), errors };
}

/**
 * Starts `pf sim` and waits until it is ready. Whatever ends this process ends the simulator.
 *
 * @returns what it printed when it was ready, and how to stop it
 */
export async function startSimulator(...words) {
  announce(["sim", ...words]);
  const child = spawn(process.execPath, [program, "sim", ...words], {
    cwd: root,
    stdio: ["ignore", "pipe", "inherit"],
  });
  const stop = () => child.kill("SIGTERM");
  process.on("exit", stop);
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => process.exit(130));
  const ended = new Promise((resolve, reject) => child.on("error", reject).on("exit", resolve));
  const firstLine = new Promise((resolve) => {
    let text = "";
    child.stdout.setEncoding("utf8").on("data", (chunk) => {
      text += chunk;
      if (text.includes("\n")) resolve(text.split("\n", 1)[0]);
    });
  });
  const line = await Promise.race([firstLine, ended]);
  if (typeof line !== "string") process.exit(line ?? 1);
  process.stdout.write(`${line}\n`);
  return {
    ...JSON.parse(line),
    async stop() {
      stop();
      await ended;
    },
  };
}
