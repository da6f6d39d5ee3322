import type { TradingCalendar } from "@pf/market";
import type { Extensions } from "@pf/selection";
import type { BrokerManners } from "./broker.js";
import type { Clock, ProgressListener } from "./ports.js";

/** Where the configuration comes from. Nothing is read from the process behind the caller's back. */
export interface ConfigurationSources {
  /** Folder with `config.yaml` and optional `config.local.yaml`; without one there are only the defaults. */
  readonly directory?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** A file in the form of `.env`; it need not exist. */
  readonly dotenvFile?: string;
  /** `KEY=VALUE` with dotted keys and values in YAML; they win over everything. */
  readonly overrides?: readonly string[];
}

/** The folders a program works in. None of them need exist. */
export interface Folders {
  /** The cache of bars. */
  readonly data: string;
  /** Reports and audit logs. */
  readonly out: string;
  /** The state of accounts, and the ledger of everything that was ever tried. */
  readonly state: string;
}

/** What the services are made of: one value, given by whoever composes the program. */
export interface ServiceContext {
  readonly configuration: ConfigurationSources;
  readonly folders: Folders;
  /** The version of the program, for manifests. */
  readonly version: string;
  /** Default: the clock of the machine. */
  readonly clock?: Clock;
  /** Default: the New York Stock Exchange. */
  readonly calendar?: TradingCalendar;
  /** Scores, weightings and overlays beside the built-in ones. */
  readonly extensions?: Extensions;
  readonly onProgress?: ProgressListener;
  /** The module that research threads run. Default: the one beside the built package. */
  readonly workerEntry?: URL;
  /** How to talk to the broker otherwise than usual; for simulators and tests. */
  readonly broker?: BrokerManners;
  /** Told the name of every step of trading before it is taken; for tests. */
  readonly onStep?: (step: string) => void;
  /** Asks the services to stop at the next safe point. */
  readonly signal?: AbortSignal;
}
