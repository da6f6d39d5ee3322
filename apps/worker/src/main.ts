import { readFileSync } from "node:fs";
import { describeFailure, errorFields } from "@pf/app";
import { help, readArguments } from "./arguments.js";
import { createLogger } from "./logger.js";
import { startWatchdog, type Watchdog } from "./watchdog.js";

/** What is left when everything has been said has so long to end by itself. */
const leaveMs = 500;

/**
 * Runs a worker until it is asked to stop, and sets the exit code.
 *
 * @param argv - the arguments after the program's name
 * @param root - URL of the folder that holds the worker's package.json
 */
export async function main(argv: readonly string[], root: URL): Promise<void> {
  const stop = new AbortController();
  let watchdog: Watchdog | undefined;
  try {
    const asked = readArguments(argv);
    const { version } = JSON.parse(readFileSync(new URL("package.json", root), "utf8")) as {
      version: string;
    };
    if (asked === "help") return void process.stdout.write(help);
    if (asked === "version") return void process.stdout.write(`${version}\n`);
    const logger = createLogger(process.stdout);
    const ask = (signal: NodeJS.Signals) => {
      if (stop.signal.aborted) process.exit(130);
      logger.info({ signal }, "stopping at the next safe point");
      stop.abort(new Error(`${signal} received`));
    };
    process.on("SIGTERM", ask);
    process.on("SIGINT", ask);
    watchdog = startWatchdog(new URL("dist/watchdog-thread.js", root));
    const { leaveWordAt } = watchdog;
    const setting = { ...asked, version, logger, signal: stop.signal, leaveWordAt };
    if (asked.role === "research") {
      const { runResearchRole } = await import("./research/role.js");
      await runResearchRole(setting);
    } else {
      const { runTradeRole } = await import("./trade/role.js");
      await runTradeRole(setting);
    }
    logger.info("stopped");
  } catch (error) {
    const failure = describeFailure(error);
    process.exitCode = failure.exit;
    process.stderr.write(`${JSON.stringify({ error: errorFields(failure) })}\n`);
    if (process.env.PF_DEBUG && error instanceof Error) process.stderr.write(`\n${error.stack}\n`);
  } finally {
    watchdog?.stop();
  }
  // A step that is stuck, or a connection that nobody closed, must not keep the process from ending.
  setTimeout(() => process.exit(), leaveMs).unref();
}
