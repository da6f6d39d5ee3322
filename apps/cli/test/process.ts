import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** The command line as people start it, built. */
export const entry = fileURLToPath(new URL("../bin/run.js", import.meta.url));

export interface Finished {
  /** `null` when a signal ended it. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Start {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Looks at the process while it runs. */
  readonly meanwhile?: (child: ChildProcess) => void;
}

/** Starts `pf` as a process of its own and waits for its end. Nothing of this machine's environment leaks into it. */
export function pf(words: readonly string[], { cwd, env, meanwhile }: Start = {}): Promise<Finished> {
  return run(process.execPath, [entry, ...words], {
    ...(cwd ? { cwd } : {}),
    ...(env ? { env } : {}),
    ...(meanwhile ? { meanwhile } : {}),
  });
}

export function run(
  command: string,
  words: readonly string[],
  { cwd, env, meanwhile }: Start = {},
): Promise<Finished> {
  if (!existsSync(join(entry, "../../dist/main.js")))
    throw new Error("build @pf/cli before its tests: they start the built program");
  const { PATH = "", HOME = "" } = process.env;
  return new Promise((resolve, reject) => {
    const child = spawn(command, words, {
      cwd: cwd ?? temporaryFolder(),
      env: { PATH, HOME, ...env },
      // A program that hangs shall fail its test, not outlive it.
      timeout: 100_000,
      killSignal: "SIGKILL",
    });
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
    child.on("error", reject);
    child.on("close", (code, signal) => resolve({ code, signal, stdout, stderr }));
    meanwhile?.(child);
  });
}

/** The document of a run with `--json`: standard output must hold exactly one. */
export function documentOf({ stdout, stderr }: Finished) {
  try {
    return JSON.parse(stdout);
  } catch {
    throw new Error(
      `not one JSON document: ${JSON.stringify(stdout.slice(0, 300))}; standard error: ${stderr.slice(0, 500)}`,
    );
  }
}

const folders: string[] = [];

/** What `setup.ts` does when the tests of a file are over. */
export function removeTemporaryFolders(): void {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
}

/** An empty folder that is gone after the tests of the file. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "pf-cli-"));
  folders.push(folder);
  return folder;
}

/** Every file below a folder with its bytes; nothing where there is no folder. */
export function filesIn(folder: string): Readonly<Record<string, string>> {
  if (!existsSync(folder)) return {};
  const names = readdirSync(folder, { recursive: true, encoding: "utf8" });
  const files = names.filter((name) => statSync(join(folder, name)).isFile()).sort();
  return Object.fromEntries(files.map((name) => [name, readFileSync(join(folder, name)).toString("base64")]));
}

/** A small synthetic market, quick to make: three symbols, two years. */
export const smallMarket = [
  "--set",
  "universe=[SPY, TLT, GLD]",
  "--set",
  "data.source=synthetic",
  "--set",
  "ibkr.start=2016-01-01",
  "--set",
  "ibkr.end=2017-12-31",
] as const;
