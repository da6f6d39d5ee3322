/**
 * Tries the simulator with a client that others wrote: installs ib_async into a throw-away Python environment and walks
 * through connecting, data, orders and recovery. Optional and not part of the checks of a change: it needs Python 3.10
 * and a package index, and says so and ends well where there is none.
 *
 * Usage: node scripts/conformance/walk.mjs   (after a build)
 */
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const client = "ib_async==2.0.1";
const program = fileURLToPath(new URL("../../apps/cli/bin/run.js", import.meta.url));
const walk = fileURLToPath(new URL("walk_ib_async.py", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "pf-conformance-"));
const python =
  process.platform === "win32" ? join(folder, "Scripts", "python.exe") : join(folder, "bin", "python");

try {
  process.exitCode = await main();
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function main() {
  if (!existsSync(join(program, "../../dist")))
    return leave(1, "The program is not built: run `make build` first.");
  const found = ["python3", "python"].find(
    (name) => spawnSync(name, ["-c", "import sys, venv; sys.exit(sys.version_info < (3, 10))"]).status === 0,
  );
  if (!found) return leave(0, "Not tried: there is no Python of 3.10 or newer here.");
  if (spawnSync(found, ["-m", "venv", folder]).status !== 0)
    return leave(
      0,
      "Not tried: Python cannot make an environment here (on Debian the package python3-venv is missing).",
    );
  const installed = spawnSync(python, ["-m", "pip", "install", "--quiet", "--retries", "1", client], {
    encoding: "utf8",
  });
  if (installed.status !== 0)
    return leave(
      0,
      `Not tried: pip cannot install ${client} here: ${installed.stderr.trim().split("\n").at(-1)}`,
    );

  const simulator = spawn(process.execPath, [program, "sim", "--port", "0", "--json"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  try {
    const { listening, account } = await firstLine(simulator);
    console.log(`${client} against the simulator at ${listening.host}:${listening.port}`);
    const walked = spawn(python, [walk, listening.host, String(listening.port), account], {
      stdio: "inherit",
    });
    return await new Promise((resolve) => walked.once("exit", (code) => resolve(code ?? 1)));
  } finally {
    simulator.kill("SIGINT");
  }
}

/** What the simulator says when it is ready. */
async function firstLine(simulator) {
  for await (const line of createInterface({ input: simulator.stdout })) return JSON.parse(line);
  throw new Error("the simulator ended before it listened");
}

function leave(code, text) {
  console.log(text);
  return code;
}
