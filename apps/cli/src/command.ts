import { existsSync } from "node:fs";
import { Command } from "@oclif/core/command";
import * as Flags from "@oclif/core/flags";
import type { ErrorFields, Services } from "@pf/app";
import { progressOn } from "./progress.js";
import { type Painter, painterFor, widthOf } from "./terminal.js";
import { UsageError } from "./usage.js";

/** What the entry point knows and a command needs. */
export interface RunContext {
  readonly json: boolean;
  /** Nothing but text wherever it goes: `--no-color`, `--quiet`, `NO_COLOR`, or a terminal that knows nothing else. */
  readonly plain: boolean;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
}

/** How to print for people. */
export interface Style {
  readonly painter: Painter;
  readonly width: number;
  /** The folder of reports as the person gave it. */
  readonly out: string;
}

/** The flags every command takes. */
const globalFlags = {
  config: folderFlag("folder with config.yaml (default: config/ here, else the built-in defaults)"),
  set: Flags.string({
    summary: "override one setting; repeatable, VALUE is YAML",
    helpValue: "KEY=VALUE",
    helpGroup: "global",
    multiple: true,
    multipleNonGreedy: true,
  }),
  "data-dir": folderFlag("where the cache of bars lives", "data"),
  out: folderFlag("where reports go", "reports"),
  "state-dir": folderFlag("where the state of accounts lives", "state"),
  json: Flags.boolean({ summary: "print one JSON document and nothing else", helpGroup: "global" }),
  quiet: Flags.boolean({ summary: "no progress, plain text", helpGroup: "global" }),
  "no-color": Flags.boolean({ summary: "plain text (also when NO_COLOR is set)", helpGroup: "global" }),
};

type GlobalFlags = {
  readonly config?: string | undefined;
  readonly set?: string[] | undefined;
  readonly "data-dir": string | undefined;
  readonly out: string | undefined;
  readonly "state-dir": string | undefined;
  readonly quiet: boolean;
  readonly json: boolean;
};

let runContext: RunContext | undefined;

/** Called once by the entry point, before a command runs. */
export function provideContext(context: RunContext): void {
  runContext = context;
}

/** A command translates: flags into a request, one call, the outcome into text. */
export abstract class PfCommand extends Command {
  static override baseFlags = globalFlags;

  /** The services with the folders and settings of the command line, telling their progress on standard error. */
  protected async services(flags: GlobalFlags): Promise<{
    readonly services: Services;
    readonly progress: ReturnType<typeof progressOn>;
  }> {
    const { createServices } = await import("./services.js");
    const progress = progressOn(process.stderr, flags.quiet, runContext?.plain ?? false);
    const directory = flags.config ?? configurationHere();
    const services = createServices({
      configuration: {
        ...(directory === undefined ? {} : { directory }),
        env: process.env,
        dotenvFile: ".env",
        overrides: flags.set ?? [],
      },
      folders: {
        data: flags["data-dir"] ?? "data",
        out: flags.out ?? "reports",
        state: flags["state-dir"] ?? "state",
      },
      version: this.config.version,
      onProgress: progress.show,
      ...(runContext ? { signal: runContext.signal } : {}),
    });
    return { services, progress };
  }

  /** Whether somebody asked the program to stop. */
  protected get stopped(): boolean {
    return runContext?.signal.aborted ?? false;
  }

  /** Calls a service with progress on standard error, then prints its outcome as the person asked for it. */
  protected async serve<Outcome, Document extends object>(
    flags: GlobalFlags,
    call: (services: Services) => Promise<Outcome>,
    document: (outcome: Outcome) => Document & { readonly error?: ErrorFields },
    render: (outcome: Outcome, style: Style) => Promise<string>,
  ): Promise<void> {
    const { services, progress } = await this.services(flags);
    const out = flags.out ?? "reports";
    let outcome: Outcome;
    try {
      outcome = await call(services);
    } finally {
      progress.clear();
    }
    const printed = document(outcome);
    if (printed.error) {
      const { exitCodeOf } = await import("./failures.js");
      process.exitCode = exitCodeOf(printed.error.code);
    }
    if (flags.json) {
      process.stdout.write(`${JSON.stringify(printed, null, 2)}\n`);
      return;
    }
    process.stdout.write(
      await render(outcome, { painter: painterFor(process.stdout), width: widthOf(process.stdout), out }),
    );
    if (printed.error) {
      const { renderFailure } = await import("./render/failure.js");
      process.stderr.write(renderFailure(printed.error, painterFor(process.stderr)));
    }
  }

  /** Errors are told by the entry point, in one place for all commands. */
  protected override async catch(error: Error): Promise<void> {
    throw error;
  }
}

/** A flag whose value must not be empty. */
export function valueFlag(summary: string, helpValue: string) {
  return Flags.string({ summary, helpValue, parse: notEmpty });
}

/** Which of the two accounts is meant; the paper one where nobody says. */
export function modeFlags() {
  return {
    paper: Flags.boolean({ summary: "the paper account, ibkr.account_paper (default)", exclusive: ["live"] }),
    live: Flags.boolean({ summary: "the live account, ibkr.account_live" }),
  };
}

export function modeOf({ live }: { readonly live: boolean }): "paper" | "live" {
  return live ? "live" : "paper";
}

export function clockFlag() {
  return Flags.option({ options: ["system", "broker"] as const })({
    summary: "whose clock counts: the machine's, or a simulator's (default: system)",
  });
}

/** Settings that lack the file they go on top of are refused where they are read, never passed over in silence. */
function configurationHere(): string | undefined {
  const files = ["config/config.yaml", "config/config.local.yaml"];
  return files.some((file) => existsSync(file)) ? "config" : undefined;
}

function folderFlag(summary: string, fallback?: string) {
  const description = fallback === undefined ? summary : `${summary} (default: ${fallback}/)`;
  return Flags.string({ summary: description, helpValue: "DIR", helpGroup: "global", parse: notEmpty });
}

async function notEmpty(value: string): Promise<string> {
  if (value.trim() === "")
    throw new UsageError("the value is empty", "write a value after the flag, or leave it out");
  return value;
}
