import { setMaxListeners } from "node:events";
import { writeSync } from "node:fs";
import type { Failure } from "@pf/app";

/**
 * Runs one command line from its arguments to its exit code. Nothing thrown inside leaves this function: standard output
 * carries the result or, with `--json`, one document for success and failure alike; everything else goes to standard
 * error. The exit code is set, never forced, so that a slow pipe still gets the whole output.
 *
 * @param argv - the arguments after the program's name
 * @param root - URL of the folder that holds the CLI's package.json
 */
export async function main(argv: readonly string[], root: URL): Promise<void> {
  goOnWhenNobodyReads();
  const words = globalFlagsLast(argv);
  const asks = beforeSeparator(words);
  const json = asks.includes("--json");
  const stop = stopOnInterrupt(json);
  const plain = asks.includes("--no-color") || asks.includes("--quiet") || hasPlainTerminal();
  // The help of oclif decides on colours by itself, while it is loaded; this is the switch it looks at.
  if (json || plain) process.env.NO_COLOR = "1";
  let failed = false;
  process.on("uncaughtException", (error) => {
    // Telling of a failure can fail itself, in an installation that is being replaced: then nothing is tried again.
    if (failed) leaveBroken(error);
    failed = true;
    void fail(error, json).then(() => process.exit());
  });
  try {
    const { dispatch } = await import("./dispatch.js");
    await dispatch(words, root, { json, plain, signal: stop.signal });
  } catch (error) {
    // Whatever breaks while it stops is part of stopping; only who knows how to go on may say so.
    await fail(stop.signal.aborted && !saysInterrupted(error) ? stop.signal.reason : error, json);
  } finally {
    stop.dispose();
  }
}

function hasPlainTerminal(): boolean {
  return Boolean(process.env.NO_COLOR) || process.env.TERM === "dumb";
}

function saysInterrupted(error: unknown): boolean {
  return (error as { code?: unknown } | null)?.code === "PF_INTERRUPTED";
}

/** Prints a failure where it belongs and sets the exit code. */
async function fail(thrown: unknown, json: boolean): Promise<void> {
  const failure = await describe(thrown);
  process.exitCode = failure.exit;
  const { renderFailure, failureDocument } = await import("./render/failure.js");
  const { painterFor } = await import("./terminal.js");
  if (json) process.stdout.write(`${JSON.stringify(failureDocument(failure), null, 2)}\n`);
  else process.stderr.write(renderFailure(failure, painterFor(process.stderr)));
  if (process.env.PF_DEBUG && thrown instanceof Error) process.stderr.write(`\n${thrown.stack}\n`);
}

async function describe(thrown: unknown): Promise<Failure> {
  try {
    const { describeFailure } = await import("./failures.js");
    const { asUsageError } = await import("./usage.js");
    return describeFailure(asUsageError(thrown));
  } catch {
    // An installation so broken that even the table of failures cannot be loaded.
    return {
      code: "PF_BUG",
      exit: 1,
      message: `pf cannot start: ${String(thrown).split("\n", 1)[0]}`,
      means: "The installation is incomplete, or was not built.",
      next: "install or build pf again; PF_DEBUG=1 shows where it happened",
      details: {},
    };
  }
}

/**
 * Turns Ctrl-C into a request to stop at the next safe point, so that the file being written is finished or removed.
 * A second Ctrl-C, or three seconds without a safe point, ends the program at once.
 */
function stopOnInterrupt(json: boolean): { readonly signal: AbortSignal; dispose(): void } {
  const controller = new AbortController();
  // Every question to a broker listens until it is answered, and many are asked at once.
  setMaxListeners(0, controller.signal);
  let timer: NodeJS.Timeout | undefined;
  const interrupt = () => {
    if (controller.signal.aborted) leaveNow(json);
    timer = setTimeout(() => leaveNow(json), 3000);
    controller.abort(
      Object.assign(new Error("interrupted"), { name: "InterruptedError", code: "PF_INTERRUPTED" }),
    );
  };
  process.on("SIGINT", interrupt);
  process.on("SIGTERM", interrupt);
  return {
    signal: controller.signal,
    dispose() {
      clearTimeout(timer);
      process.off("SIGINT", interrupt);
      process.off("SIGTERM", interrupt);
    },
  };
}

/** The way out where nothing of the installation can be relied on any more. */
function leaveBroken(error: Error): never {
  writeSync(2, `Error: pf cannot even say what went wrong: ${error.message.split("\n", 1)[0]} (PF_BUG)\n`);
  process.exit(1);
}

/** The way out that waits for nothing, and still says what happened. */
function leaveNow(json: boolean): never {
  const error = {
    code: "PF_INTERRUPTED",
    message: "interrupted at once",
    means: "Finished files are whole; one with .tmp in its name may be left over and deleted.",
    next: "run it again",
    details: {},
  };
  if (json) writeSync(1, `${JSON.stringify({ error }, null, 2)}\n`);
  else
    writeSync(
      2,
      `\nError: ${error.message} (${error.code})\nWhat it means: ${error.means}\nWhat to do:    ${error.next}\n`,
    );
  process.exit(130);
}

/**
 * `pf weights | head -1` closes the pipe early; that is the reader's right and no error. The work goes on to its end: who
 * no longer listens to the progress of `pf trade 2>&1 | head -1` has not asked it to stop between two orders.
 */
function goOnWhenNobodyReads(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "EPIPE") throw error;
    });
  }
}

const globalSwitches = new Set(["--json", "--quiet", "--no-color"]);
const globalOptions = new Set(["--config", "--set", "--data-dir", "--out", "--state-dir"]);

/** `pf --json weights` means `pf weights --json`: the flags every command takes may also stand before its name. */
export function globalFlagsLast(argv: readonly string[]): string[] {
  let at = 0;
  while (at < argv.length) {
    const word = argv[at]!;
    if (globalSwitches.has(word) || globalOptions.has(word.split("=", 1)[0]!)) {
      at += globalOptions.has(word) ? 2 : 1;
    } else break;
  }
  if (at >= argv.length) return [...argv];
  const rest = argv.slice(at);
  const separator = rest.indexOf("--");
  const front = argv.slice(0, at);
  return separator < 0
    ? [...rest, ...front]
    : [...rest.slice(0, separator), ...front, ...rest.slice(separator)];
}

function beforeSeparator(argv: readonly string[]): readonly string[] {
  const separator = argv.indexOf("--");
  return separator < 0 ? argv : argv.slice(0, separator);
}
