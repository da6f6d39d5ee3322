import { existsSync } from "node:fs";
import { parseArgs } from "node:util";
import type { ServiceContext } from "@pf/app";

/** What a worker is asked to be. */
export interface WorkerArguments {
  readonly role: "trade" | "research";
  readonly mode: "paper" | "live";
  readonly confirm: string | undefined;
  readonly clock: "system" | "broker";
  /** Threads of a research worker; as many as cores where nobody says. */
  readonly workers: number | undefined;
  readonly configuration: ServiceContext["configuration"];
  readonly folders: ServiceContext["folders"];
}

/** The command line cannot be meant. */
class ArgumentsError extends Error {
  override readonly name = "ArgumentsError";
  readonly code = "PF_USAGE";
  readonly next = "see --help";
}

export const help = `The worker of pf: leave it alone, and it trades or does research.

usage: node apps/worker/bin/run.js [--role trade] [--paper | --live --confirm ACCOUNT]
       node apps/worker/bin/run.js --role research [--workers N]

  --role trade       rebalance an account once a session, before the close (default)
  --role research    take units of walk-forwards and permutation tests from research.queue
  --paper            trade the paper account, ibkr.account_paper (default)
  --live             trade the live account; takes execution.live: true and --confirm
  --confirm ACCOUNT  live only: the account's id, typed
  --clock system|broker
                     whose clock counts: the machine's, or that of a simulator that
                     runs at the speed of real time (default: system)
  --workers N        research only: threads (default: as many as cores)
  --config DIR       folder with config.yaml (default: config/ here, else built in)
  --set KEY=VALUE    override one setting; repeatable, VALUE is YAML
  --data-dir DIR     where the cache of bars lives (default: data/)
  --out DIR          where reports go (default: reports/)
  --state-dir DIR    where the state of accounts lives (default: state/)
  --version, --help

Ends at SIGTERM or SIGINT at the next safe point. Exit codes are those of pf.
`;

const options = {
  role: { type: "string" },
  paper: { type: "boolean" },
  live: { type: "boolean" },
  confirm: { type: "string" },
  clock: { type: "string" },
  workers: { type: "string" },
  config: { type: "string" },
  set: { type: "string", multiple: true },
  "data-dir": { type: "string" },
  out: { type: "string" },
  "state-dir": { type: "string" },
  version: { type: "boolean" },
  help: { type: "boolean", short: "h" },
} as const;

/** @throws ArgumentsError */
export function readArguments(argv: readonly string[]): WorkerArguments | "help" | "version" {
  const values = parsed(argv);
  if (values.help) return "help";
  if (values.version) return "version";
  const { role = "trade", clock = "system", workers, live = false, paper = false, confirm } = values;
  if (role !== "trade" && role !== "research") throw new ArgumentsError(`--role ${role} is none`);
  if (clock !== "system" && clock !== "broker") throw new ArgumentsError(`--clock ${clock} is none`);
  if (live && paper) throw new ArgumentsError("--paper and --live exclude each other");
  if (role === "research" && (live || paper || confirm !== undefined))
    throw new ArgumentsError("a research worker trades no account");
  if (workers !== undefined && (role !== "research" || !/^[1-9]\d?$/.test(workers)))
    throw new ArgumentsError(
      role === "research"
        ? `--workers takes a whole number from 1 to 99, not ${workers}`
        : "--workers is for the role research",
    );
  // Settings that lack the file they go on top of are refused where they are read, never passed over in silence.
  const files = ["config/config.yaml", "config/config.local.yaml"];
  const directory = values.config ?? (files.some((file) => existsSync(file)) ? "config" : undefined);
  return {
    role,
    mode: live ? "live" : "paper",
    confirm,
    clock,
    workers: workers === undefined ? undefined : Number(workers),
    configuration: {
      ...(directory === undefined ? {} : { directory }),
      env: process.env,
      dotenvFile: ".env",
      overrides: values.set ?? [],
    },
    folders: {
      data: values["data-dir"] ?? "data",
      out: values.out ?? "reports",
      state: values["state-dir"] ?? "state",
    },
  };
}

function parsed(argv: readonly string[]) {
  try {
    return parseArgs({ args: [...argv], options, strict: true, allowPositionals: false }).values;
  } catch (cause) {
    throw new ArgumentsError(String((cause as Error).message).split(". ", 1)[0]!, { cause });
  }
}
