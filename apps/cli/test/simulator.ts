import { type ChildProcess, spawn } from "node:child_process";
import { entry, temporaryFolder } from "./process.js";

/** A simulator of TWS in a process of its own, as `pf sim` starts it. */
export interface SimProcess {
  readonly child: ChildProcess;
  /** Its first line. */
  readonly document: {
    readonly listening: { readonly host: string; readonly port: number };
    readonly account: string;
    readonly clock: string;
    readonly market: string;
    readonly symbols: readonly string[];
  };
  /** The settings that lead `pf` to it. */
  readonly address: readonly string[];
  readonly output: () => { readonly stdout: string; readonly stderr: string };
  /** Ends it with a signal and waits: its exit code, or the signal where it did not catch it. */
  end(signal?: NodeJS.Signals): Promise<number | NodeJS.Signals | null>;
}

const running = new Set<ChildProcess>();

/** What `setup.ts` does when the tests of a file are over. */
export function killSimulators(): void {
  for (const child of running) child.kill("SIGKILL");
}

/** Starts `pf sim` on a port that is free and waits for its first line; it never outlives the tests of the file. */
export async function startSim(
  words: readonly string[] = [],
  { cwd }: { readonly cwd?: string } = {},
): Promise<SimProcess> {
  const { PATH = "", HOME = "" } = process.env;
  const child = spawn(process.execPath, [entry, "sim", "--port", "0", ...words], {
    cwd: cwd ?? temporaryFolder(),
    env: { PATH, HOME },
  });
  running.add(child);
  let stdout = "";
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  const ended = new Promise<number | NodeJS.Signals | null>((resolve) =>
    child.on("close", (code, signal) => {
      running.delete(child);
      resolve(code ?? signal);
    }),
  );
  await new Promise<void>((resolve, reject) => {
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout += text;
      if (stdout.includes("\n")) resolve();
    });
    void ended.then((code) => reject(new Error(`pf sim ended with ${code} before it was ready: ${stderr}`)));
  });
  const document = JSON.parse(stdout.split("\n", 1)[0]!) as SimProcess["document"];
  const { host, port } = document.listening;
  return {
    child,
    document,
    address: ["--set", `ibkr.host=${host}`, "--set", `ibkr.port=${port}`],
    output: () => ({ stdout, stderr }),
    end(signal = "SIGTERM") {
      child.kill(signal);
      return ended;
    },
  };
}
