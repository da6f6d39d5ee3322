import { readFile } from "node:fs/promises";
import { parseEnv } from "node:util";
import { ConfigError, isModuleReference, type LoadedConfig, loadConfig } from "@pf/config";
import {
  builtinOverlays,
  builtinScores,
  builtinWeightings,
  type Extensions,
  overlayProblems,
} from "@pf/selection";
import type { ConfigurationSources } from "./context.js";
import { HourlyBarsError } from "./errors.js";
import { type ReadyConfig, withUserModules } from "./user-modules.js";

/**
 * Reads the configuration with the names that the registries know, and loads what it names by file.
 *
 * @throws ConfigError listing everything that is wrong
 */
export async function readConfiguration(
  { directory, env, dotenvFile, overrides }: ConfigurationSources,
  extensions: Extensions = {},
): Promise<ReadyConfig> {
  const dotenv = dotenvFile === undefined ? undefined : await readDotenv(dotenvFile);
  const loaded = await loadConfig({
    ...(directory === undefined ? {} : { directory }),
    ...(env ? { env } : {}),
    ...(dotenv ? { dotenv } : {}),
    ...(overrides ? { overrides } : {}),
    known: {
      scores: (extensions.scores ?? builtinScores).names,
      weightings: (extensions.weightings ?? builtinWeightings).names,
      overlays: (extensions.overlays ?? builtinOverlays).names,
      overlayProblems: (overlay, universe) =>
        isModuleReference(overlay.name) ? [] : overlayProblems(overlay, universe, extensions.overlays),
    },
  });
  return withUserModules(loaded, extensions);
}

/**
 * The value of an environment variable, or of `.env` where the environment has none; empty counts as unset. For what must
 * never stand in a configuration: keys of services.
 *
 * @throws ConfigError when `.env` cannot be read
 */
export async function readVariable(
  { env = {}, dotenvFile }: ConfigurationSources,
  name: string,
): Promise<string | undefined> {
  const own = env[name];
  if (own !== undefined && own.trim() !== "") return own;
  const dotenv = dotenvFile === undefined ? undefined : await readDotenv(dotenvFile);
  const value = dotenv && parseEnv(dotenv.text)[name];
  return value === undefined || value.trim() === "" ? undefined : value;
}

/**
 * Keeps hourly bars away from what knows sessions alone.
 *
 * @param what - the reason, as the first half of a sentence: `orders follow the day's bar`
 * @throws HourlyBarsError
 */
export function requireDailyBars({ config }: Pick<LoadedConfig, "config">, what: string): void {
  if (config.ibkr.timeframe === "1 hour") throw new HourlyBarsError(what);
}

async function readDotenv(path: string): Promise<{ path: string; text: string } | undefined> {
  try {
    return { path, text: await readFile(path, "utf8") };
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    if (code === "ENOENT") return undefined;
    const issue = {
      file: path,
      line: null,
      column: null,
      key: "",
      message: `cannot be read (${code ?? "unknown"})`,
    };
    throw new ConfigError([issue], { cause });
  }
}
