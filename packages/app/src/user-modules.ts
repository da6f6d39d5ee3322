import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { ConfigError, type ConfigIssue, issueAt, type LoadedConfig, parseModuleReference } from "@pf/config";
import {
  builtinOverlays,
  builtinScores,
  builtinWeightings,
  type Extensions,
  type OverlayFactory,
  type ScoreFunction,
  type WeightingMethod,
} from "@pf/selection";

/** A configuration with everything that it names, also what stands in files of the user's own. */
export interface ReadyConfig extends LoadedConfig {
  readonly extensions: Extensions;
  /** SHA-256 of these files, by their names as they were written; what they import is not in it. */
  readonly modules: Readonly<Record<string, string>>;
}

type Use = "score" | "weighting" | "overlay";

interface Named {
  readonly use: Use;
  readonly name: string;
  /** The setting that names it. */
  readonly setting: string;
}

/**
 * Loads the scores, weightings and overlays that a configuration names by file, and registers them under those names. A
 * file that changed since is loaded anew.
 *
 * @throws ConfigError with the place of every name that nothing usable stands behind
 */
export async function withUserModules(loaded: LoadedConfig, given: Extensions): Promise<ReadyConfig> {
  const { written } = loaded;
  const named: readonly Named[] = [
    { use: "score", name: written.selection.score, setting: "selection.score" },
    { use: "weighting", name: written.weights.method, setting: "weights.method" },
    ...written.overlays.map(({ name }): Named => ({ use: "overlay", name, setting: "overlays" })),
  ];
  let extensions = given;
  const modules: Record<string, string> = {};
  const issues: ConfigIssue[] = [];
  for (const { use, name, setting } of named) {
    const reference = parseModuleReference(name);
    if (!reference) continue;
    const origin = loaded.origins[setting]!;
    const path = resolve(origin.file === undefined ? "." : dirname(origin.file), reference.file);
    try {
      const { value, hash } = await exportOf(path, reference.exported);
      extensions = registered(extensions, use, name, value);
      modules[name] = hash;
    } catch (cause) {
      issues.push(issueAt(origin, setting, `${name}: ${(cause as Error).message}`));
    }
  }
  if (issues.length > 0) throw new ConfigError(issues);
  return { ...loaded, extensions, modules };
}

async function exportOf(path: string, name: string): Promise<{ value: unknown; hash: string }> {
  const bytes = await readFile(path).catch((cause: NodeJS.ErrnoException) => {
    const why = cause.code === "ENOENT" ? "there is no such file" : `cannot be read (${cause.code})`;
    throw new Error(`${path}: ${why}`, { cause });
  });
  const hash = createHash("sha256").update(bytes).digest("hex");
  // The runtime keeps what it has loaded once under its address, so that another content needs another one.
  const url = `${pathToFileURL(path).href}?${hash.slice(0, 16)}`;
  const exports = (await import(/* @vite-ignore */ url).catch(async (cause: Error) => {
    throw new Error(`${path} cannot be loaded: ${await whyNotLoaded(path, cause)}`, { cause });
  })) as Record<string, unknown>;
  const value = exports[name] ?? (exports.default as Record<string, unknown> | undefined)?.[name];
  if (typeof value !== "function") {
    const names = Object.keys(exports).filter((key) => typeof exports[key] === "function");
    throw new Error(`exports no function named ${name} (it exports ${names.join(", ") || "no functions"})`);
  }
  return { value, hash };
}

async function whyNotLoaded(path: string, cause: Error & { code?: string }): Promise<string> {
  const said = cause.message.split("\n", 1)[0]!;
  const isTypeScript = /\.[cm]?ts$/.test(path);
  if (isTypeScript && !("typescript" in process.features && process.features.typescript)) {
    return `Node ${process.versions.node} reads no TypeScript (22.18 and later do); name what the compiler makes of it`;
  }
  if (!(cause instanceof SyntaxError)) return said;
  // The runtime tells a module's syntax errors without their place, and a check of the file alone with it.
  const line = await new Promise<string | undefined>((resolve) => {
    execFile(process.execPath, ["--check", path], (_, __, stderr) =>
      resolve(/^\S+:(\d+)\r?\n/.exec(stderr)?.[1]),
    );
  });
  return line === undefined ? said : `line ${line}: ${said}`;
}

/** What a file exports is the function itself: it gets nothing but a view that ends at the row being decided. */
function registered(extensions: Extensions, use: Use, name: string, value: unknown): Extensions {
  switch (use) {
    case "score": {
      const score = value as ScoreFunction;
      return { ...extensions, scores: (extensions.scores ?? builtinScores).with(name, () => score) };
    }
    case "weighting": {
      const method = value as WeightingMethod;
      const weightings = extensions.weightings ?? builtinWeightings;
      return { ...extensions, weightings: weightings.with(name, () => method) };
    }
    case "overlay": {
      // An overlay has parameters, so what is exported makes one of them.
      const overlays = extensions.overlays ?? builtinOverlays;
      return { ...extensions, overlays: overlays.with(name, value as OverlayFactory) };
    }
  }
}
