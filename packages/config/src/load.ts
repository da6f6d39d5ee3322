import { readFileSync } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { ConfigError, type ConfigIssue } from "./errors.js";
import type { SourceFile } from "./layers.js";
import { type KnownNames, type LoadedConfig, resolveConfig } from "./resolve.js";

export interface LoadOptions {
  /** Folder with `config.yaml` and optional `config.local.yaml`; without one there are only the defaults. */
  readonly directory?: string;
  /** The environment, `process.env`. Nothing is read from the process behind the caller's back. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** The text of `.env`; below the real environment. */
  readonly dotenv?: SourceFile;
  /** `KEY=VALUE` as given to `--set`, VALUE in YAML. */
  readonly overrides?: readonly string[];
  readonly known?: KnownNames;
}

/**
 * Reads the configuration of a folder and everything that overrides it.
 *
 * @throws ConfigError listing everything that is wrong: the folder, its files, variables and flags
 */
export async function loadConfig(options: LoadOptions = {}): Promise<LoadedConfig> {
  const { directory, env = {}, dotenv, overrides = [], known } = options;
  const read = (path: string) => asText(readFileSync(path));
  const rest = { env, overrides, read, ...(dotenv && { dotenv }) };
  if (directory === undefined) return resolveConfig(rest, known);

  const [config, local] = await Promise.all([
    readOptional(join(directory, "config.yaml")),
    readOptional(join(directory, "config.local.yaml")),
  ]);
  if (!config) throw new ConfigError([await missingFile(directory, local)]);
  return resolveConfig({ ...rest, config, ...(local && { local }) }, known);
}

/** `undefined` where there is no such file; anything else that keeps it from being read is an error. */
async function readOptional(path: string): Promise<SourceFile | undefined> {
  try {
    return { path, text: asText(await readFile(path)) };
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    const message =
      code === "ERR_ENCODING_INVALID_ENCODED_DATA"
        ? "is not UTF-8 text"
        : `cannot be read (${code ?? String(cause)})`;
    throw new ConfigError([wholeFile(path, message)], { cause });
  }
}

function asText(bytes: Uint8Array): string {
  return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
}

async function missingFile(directory: string, local: SourceFile | undefined): Promise<ConfigIssue> {
  const found = await stat(directory).catch((cause: NodeJS.ErrnoException) => cause.code ?? "unknown");
  if (typeof found === "string") {
    return wholeFile(directory, found === "ENOENT" ? "there is no such folder" : `cannot be read (${found})`);
  }
  if (!found.isDirectory())
    return { ...wholeFile(directory, "is not a folder"), hint: "give the folder that holds config.yaml" };
  const issue = wholeFile(directory, "the folder has no config.yaml");
  return local ? { ...issue, hint: "config.local.yaml goes on top of one, which may be empty" } : issue;
}

function wholeFile(file: string, message: string): ConfigIssue {
  return { file, line: null, column: null, key: "", message };
}
