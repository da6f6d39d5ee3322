import { parseEnv } from "node:util";
import { type ConfigIssue, issueAt } from "./errors.js";
import { nearest } from "./nearest.js";
import type { Origin, OriginSource } from "./origin.js";
import { settingNames } from "./schema.js";
import { discretion, isSecret, shownOverride } from "./secrets.js";
import { findUniverse } from "./universe.js";
import { nestedUnder, readYaml, type Written } from "./written.js";

/** A text and the name it is reported under. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
}

/** Everything a configuration is made of, read but not understood. */
export interface ConfigSources {
  readonly config?: SourceFile;
  readonly local?: SourceFile;
  readonly dotenv?: SourceFile;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** `KEY=VALUE`, VALUE in YAML; the last one for a key wins. */
  readonly overrides?: readonly string[];
  /** The text of a file that the configuration names; throws what the system says. Without it such files are refused. */
  readonly read?: (path: string) => string;
}

/** What one source says. */
export interface Layer {
  /** Absent where the source says nothing, or cannot be read. */
  readonly root?: Written;
  readonly issues: readonly ConfigIssue[];
  readonly warnings: readonly ConfigIssue[];
  /** A file that this source refers to. */
  readonly file?: string;
}

/** The sources as layers, weakest first. A source that is split (one layer a flag, one a variable) keeps its order. */
export function readLayers(sources: ConfigSources): readonly Layer[] {
  return [
    ...(sources.config ? [fileLayer("config.yaml", sources.config)] : []),
    ...(sources.local ? [fileLayer("config.local.yaml", sources.local)] : []),
    ...(sources.dotenv ? dotenvLayers(sources.dotenv) : []),
    ...environmentLayers(sources.env ?? {}, (variable) => ({
      source: "environment",
      variable,
    })),
    ...(sources.overrides ?? []).map(overrideLayer),
  ].map((layer) => withSymbols(layer, sources.read));
}

/** The layer with the symbols of its universe in place of the text that stands for them. */
function withSymbols(layer: Layer, read: ConfigSources["read"]): Layer {
  const { root } = layer;
  const universe = root?.entries?.get("universe");
  if (!root || typeof universe?.scalar !== "string") return layer;
  const { list, issues, file } = findUniverse(universe, universe.scalar, read);
  const others = [...root.entries!].filter(([key]) => key !== "universe");
  return {
    ...layer,
    root: { ...root, entries: new Map(list ? [...others, ["universe", list]] : others) },
    issues: [...layer.issues, ...issues],
    ...(file === undefined ? {} : { file }),
  };
}

/** The variables of the broker connection. Account ids and hosts are text whatever they look like. */
const namedVariables: Readonly<Record<string, { setting: string; text: boolean }>> = {
  IB_HOST: { setting: "ibkr.host", text: true },
  IB_PORT: { setting: "ibkr.port", text: false },
  IB_CLIENT_ID: { setting: "ibkr.client_id", text: false },
  IB_ACCOUNT_PAPER: { setting: "ibkr.account_paper", text: true },
  IB_ACCOUNT_LIVE: { setting: "ibkr.account_live", text: true },
};

function fileLayer(source: OriginSource, { path, text }: SourceFile): Layer {
  return {
    ...readYaml(text, (line, column) => ({ source, file: path, line, column }), "", discretion),
    warnings: [],
  };
}

function overrideLayer(override: string): Layer {
  const origin: Origin = { source: "flag", flag: `--set ${shownOverride(override)}` };
  const equals = override.indexOf("=");
  const name = override.slice(0, Math.max(equals, 0)).trim();
  if (name === "" || name.split(".").includes("")) {
    const issue = issueAt(origin, "", "must be KEY=VALUE", "for instance --set selection.top_n=1");
    return { issues: [issue], warnings: [] };
  }
  return { ...settingLayer(name, override.slice(equals + 1), origin), warnings: [] };
}

function dotenvLayers({ path, text }: SourceFile): readonly Layer[] {
  const variables = parseEnv(text) as Record<string, string>;
  // A value over several lines, such as another program's key, has lines of its own that are no assignments.
  const isOneLineEach = !Object.values(variables).some((value) => value.includes("\n"));
  const stray = isOneLineEach ? strayLines(text) : [];
  if (stray.length > 0) {
    const issues = stray.map((line) =>
      issueAt(
        { source: ".env", file: path, line, column: 1 },
        "",
        "is not of the form NAME=value",
        "start comments with #",
      ),
    );
    return [{ issues, warnings: [] }];
  }
  return environmentLayers(variables, (variable) => placeInDotenv(path, text, variable));
}

/**
 * Layers of the variables that are ours: the named ones, and `PF_SECTION__KEY` for any setting. An empty variable counts
 * as unset. A foreign variable that looks like a mistyped one of ours is a warning.
 */
function environmentLayers(
  variables: Readonly<Record<string, string | undefined>>,
  locate: (variable: string) => Origin,
): readonly Layer[] {
  return Object.keys(variables)
    .sort()
    .flatMap((variable): Layer[] => {
      const value = variables[variable];
      if (value === undefined || value.trim() === "") return [];
      const origin = locate(variable);
      const named = Object.hasOwn(namedVariables, variable) ? namedVariables[variable] : undefined;
      if (named?.text)
        return [{ root: nestedUnder(named.setting, textAt(value, origin)), issues: [], warnings: [] }];
      const setting = named?.setting ?? settingOfVariable(variable);
      if (setting !== undefined) return [{ ...settingLayer(setting, value, origin), warnings: [] }];
      const meant = variable.startsWith("IB_") ? nearest(variable, Object.keys(namedVariables)) : undefined;
      if (meant === undefined) return [];
      return [
        { issues: [], warnings: [issueAt(origin, "", `${variable} is not read`, `did you mean ${meant}?`)] },
      ];
    });
}

/** `PF_WEIGHTS__CASH_BUFFER` is `weights.cash_buffer`; names without a section only where such a setting exists. */
function settingOfVariable(variable: string): string | undefined {
  if (!/^PF_[A-Z]/.test(variable)) return undefined;
  const name = variable.slice("PF_".length).toLowerCase().replaceAll("__", ".");
  return name.includes(".") || settingNames.includes(name) ? name : undefined;
}

function settingLayer(name: string, yaml: string, origin: Origin): Pick<Layer, "root" | "issues"> {
  // A password is what it is, also where it looks like a number, a reference or a list.
  if (isSecret(name) && !/^\s*["']/.test(yaml)) {
    return {
      root: nestedUnder(name, textAt(yaml.replace(/^[ \t\r\n]+|[ \t\r\n]+$/g, ""), origin)),
      issues: [],
    };
  }
  const { root, issues } = readYaml(yaml, () => origin, name, discretion);
  if (issues.length > 0) return { issues };
  return { root: nestedUnder(name, root ?? { origin, keyOrigin: origin, scalar: null }), issues };
}

function textAt(text: string, origin: Origin): Written {
  return { origin, keyOrigin: origin, scalar: text };
}

function strayLines(text: string): readonly number[] {
  return text
    .split(/\r?\n/)
    .flatMap((line, index) =>
      /^\s*(?:#.*|(?:export\s+)?[A-Za-z_][\w.-]*\s*=.*)?$/.test(line) ? [] : [index + 1],
    );
}

function placeInDotenv(path: string, text: string, variable: string): Origin {
  const lines = text.split(/\r?\n/);
  // The last assignment of a name is the one that counts.
  for (let row = lines.length - 1; row >= 0; row--) {
    const assignment = /^\s*(?:export\s+)?([A-Za-z_][\w.-]*)\s*=\s*/.exec(lines[row]!);
    if (assignment?.[1] === variable) {
      return { source: ".env", file: path, line: row + 1, column: assignment[0].length + 1, variable };
    }
  }
  return { source: ".env", file: path, variable };
}
