import { type Config, camelCased, camelKey } from "./camel.js";
import { ConfigError, type ConfigIssue, issueAt } from "./errors.js";
import { type ConfigSources, type Layer, readLayers } from "./layers.js";
import { isModuleReference, looksLikeModule } from "./module-reference.js";
import { nearest } from "./nearest.js";
import type { Origin } from "./origin.js";
import { brokenRules, doubts, type Settled } from "./rules.js";
import {
  ConfigFile,
  type EffectiveConfig,
  isSection,
  outline,
  type SectionShape,
  type SettingShape,
  settingNames,
} from "./schema.js";
import { mayShow, shownKey } from "./secrets.js";
import { inWords, mustBe, valueInWords, wayOut } from "./wording.js";
import { partAt, plain, type Written } from "./written.js";

/** The names that settings may refer to, from the registries of whoever loads the configuration. */
export interface KnownNames {
  /** Default `trend`. */
  readonly scores?: readonly string[];
  /** Default `inv_vol`, `equal`, `erc`, `hrp` and `min_var`. */
  readonly weightings?: readonly string[];
  /** Default `sma_filter`, `volatility` and `breadth`. */
  readonly overlays?: readonly string[];
  /**
   * What is wrong with the parameters of an overlay of `overlays`, in words that go on from a parameter's name; nothing by
   * default. Keys are camelCase, as the code receives them.
   */
  readonly overlayProblems?: (
    overlay: { readonly name: string; readonly [parameter: string]: unknown },
    universe: readonly string[],
  ) => readonly { readonly parameter: string; readonly problem: string }[];
  /** Symbols there can be data of; any well-formed symbol by default. */
  readonly symbols?: readonly string[];
}

/** A configuration that can be used, and where every part of it came from. */
export interface LoadedConfig {
  /** Complete, camelCase, frozen: what the code receives. */
  readonly config: Config;
  /** The same as it would be written, keys in the order of the schema, secrets included: nobody prints it whole. */
  readonly written: EffectiveConfig;
  /** By dotted name, `weights.cash_buffer`; one entry a setting, in the order of the schema. */
  readonly origins: Readonly<Record<string, Origin>>;
  /** What can be used but is probably not meant. */
  readonly warnings: readonly ConfigIssue[];
  /** The files that were read, weakest first. */
  readonly files: readonly string[];
}

/**
 * Makes one configuration out of its sources. The strongest source that names a setting decides it: flags, then the
 * environment, then `.env`, then `config.local.yaml`, then `config.yaml`, then the defaults. Sections are merged key by
 * key; a list is one value and replaces the weaker list.
 *
 * @throws ConfigError with everything that is wrong in all sources, also in values that a stronger source replaces
 */
export function resolveConfig(sources: ConfigSources, known: KnownNames = {}): LoadedConfig {
  const layers = readLayers(sources).map((layer) => checkLayer(layer, known));
  const settled = settle(layers);
  const issues = [
    ...layers.flatMap(({ issues }) => issues),
    ...(settled.isWhole ? [...brokenRules(settled), ...overlayIssues(settled, known)] : []),
  ];
  const own = [sources.config, sources.local, sources.dotenv].flatMap((file) => (file ? [file.path] : []));
  const files = [...own, ...new Set(layers.flatMap(({ file }) => file ?? []))];
  if (issues.length > 0) throw new ConfigError(inReadingOrder(issues, files));

  const { written, origins } = settled;
  return deepFreeze({
    config: camelCased(written),
    written,
    origins,
    warnings: inReadingOrder([...layers.flatMap(({ warnings }) => warnings), ...doubts(settled)], files),
    files,
  });
}

interface CheckedLayer extends Layer {
  /** Settings, or whole sections, that cannot be used as they stand here. */
  readonly unusable: ReadonlySet<string>;
}

/** Holds one layer against the schema by itself, so that a mistake is told even where a stronger layer hides it. */
function checkLayer(layer: Layer, known: KnownNames): CheckedLayer {
  const { root } = layer;
  if (!root) return { ...layer, unusable: new Set() };
  const parsed = ConfigFile.safeParse(withoutEmptySections(root, outline), { error: inWords });
  const found = (parsed.error?.issues ?? []).flatMap((issue) => issuesOf(issue, root));
  found.push(...unknownNames(root, known));
  const unusable = new Set(found.map(({ key }) => key.replace(/\[.*/, "")));
  return { ...layer, issues: [...layer.issues, ...found], unusable };
}

type SchemaIssue = NonNullable<ReturnType<typeof ConfigFile.safeParse>["error"]>["issues"][number];

function issuesOf(issue: SchemaIssue, root: Written): readonly ConfigIssue[] {
  const { part, whole } = partAt(root, issue.path);
  const key = dotted(issue.path);
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((unknown) => {
      const entry = part.entries?.get(unknown) ?? part;
      return issueAt(
        entry.keyOrigin,
        dotted([...issue.path, shownKey(issue.path, unknown)]),
        "is not a setting",
        settingMeant(unknown, issue.path),
      );
    });
  }
  if (!whole) return [issueAt(part.origin, key, `is missing: ${issue.message}`)];
  if (!mayShow(issue.path, String(part.scalar))) {
    const words =
      part.scalar === undefined || part.scalar === null ? valueInWords(part) : "its value is not shown here";
    return [issueAt(part.origin, key, `${issue.message} (${words})`)];
  }
  const message = `${issue.message} (${valueInWords(part)})`;
  return [issueAt(part.origin, key, message, hintFor(issue, part))];
}

function hintFor(issue: SchemaIssue, part: Written): string | undefined {
  if (issue.code === "invalid_type")
    return issue.message === mustBe(issue.expected) ? wayOut(issue.expected, part) : undefined;
  if (issue.code === "invalid_value" && typeof part.scalar === "string") {
    return didYouMean(part.scalar, issue.values.map(String));
  }
  if (issue.code === "invalid_format" && typeof part.scalar === "string" && issue.path[0] === "universe") {
    const capitals = part.scalar.trim().toUpperCase();
    return capitals === part.scalar ? undefined : didYouMean(part.scalar, [capitals]);
  }
  return undefined;
}

/** The setting somebody meant: a neighbour with a similar name, else one of the same name in another section. */
function settingMeant(unknown: string, path: readonly PropertyKey[]): string {
  let section: SectionShape | SettingShape | undefined = outline;
  for (const step of path)
    section = section && isSection(section) ? section.keys.get(String(step)) : undefined;
  const neighbours = section && isSection(section) ? [...section.keys.keys()] : [];
  const elsewhere = settingNames.filter((name) => name.split(".").at(-1) === unknown);
  const meant = nearest(unknown, neighbours) ?? elsewhere[0];
  if (meant !== undefined) return `did you mean ${meant}?`;
  return `${path.length === 0 ? "the sections are" : `${dotted(path)} has`} ${neighbours.join(", ")}`;
}

function unknownNames(root: Written, known: KnownNames): readonly ConfigIssue[] {
  const {
    scores = ["trend"],
    weightings = ["inv_vol", "equal", "erc", "hrp", "min_var"],
    overlays = ["sma_filter", "volatility", "breadth"],
    symbols,
  } = known;
  const issues: ConfigIssue[] = [];
  const expectOneOf = (path: readonly PropertyKey[], names: readonly string[], message: string): void => {
    const { part, whole } = partAt(root, path);
    const name = part.scalar;
    if (!whole || typeof name !== "string" || name === "" || names.includes(name)) return;
    // What stands in a file of the user's own is found, or not, by whoever loads it.
    if (isModuleReference(name)) return;
    const hint = looksLikeModule(name)
      ? "a file of your own is written as in ./my-file.js#name"
      : (didYouMean(name, names) ??
        (names.length <= 20 ? `known: ${names.join(", ") || "none"}` : undefined));
    issues.push(issueAt(part.origin, dotted(path), `${message} (${valueInWords(part)})`, hint));
  };
  expectOneOf(["selection", "score"], scores, "must be a registered score");
  expectOneOf(["weights", "method"], weightings, "must be a registered weighting");
  partAt(root, ["overlays"]).part.items?.forEach((_, index) => {
    expectOneOf(["overlays", index, "name"], overlays, "must be a registered overlay");
  });
  if (symbols) {
    partAt(root, ["universe"]).part.items?.forEach((_, index) => {
      expectOneOf(["universe", index], symbols, "is not a known symbol");
    });
  }
  return issues;
}

/** Parameters of overlays, which only those who know the overlays can judge, each at the place where it stands. */
function overlayIssues(
  { written, overlays, origins, unsure }: Settled,
  { overlayProblems }: KnownNames,
): readonly ConfigIssue[] {
  if (!overlayProblems || unsure.has("overlays") || unsure.has("universe")) return [];
  const { overlays: given, universe } = written;
  return given.flatMap((overlay, index) =>
    overlayProblems(camelCased(overlay), universe).map(({ parameter, problem }) => {
      const item = overlays?.items?.[index];
      const [key, entry] = [...(item?.entries ?? [])].find(([own]) => camelKey(own) === parameter) ?? [];
      const snake = parameter.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
      const name = `overlays[${index}].${key ?? snake}`;
      if (!entry) return issueAt(item?.origin ?? origins.overlays!, name, problem);
      const isAboutValue = problem.startsWith("must ");
      return issueAt(
        isAboutValue ? entry.origin : entry.keyOrigin,
        name,
        isAboutValue ? `${problem} (${valueInWords(entry)})` : problem,
      );
    }),
  );
}

const defaults: unknown = ConfigFile.parse({});

function isUnusable({ unusable }: CheckedLayer, path: readonly string[]): boolean {
  return path.some((_, depth) => unusable.has(path.slice(0, depth + 1).join(".")));
}

/** For each setting the value of the strongest layer that has a usable one, in the order of the schema. */
function settle(layers: readonly CheckedLayer[]): Settled {
  const origins: Record<string, Origin> = {};
  const values = new Map<string, unknown>();
  const unsure = new Set<string>();
  let overlays: Written | undefined;
  for (const name of settingNames) {
    const path = name.split(".");
    values.set(
      name,
      path.reduce<unknown>((inner, key) => (inner as Record<string, unknown>)[key], defaults),
    );
    origins[name] = { source: "default" };
    for (const layer of layers) {
      if (layer.unusable.size > 0 && isUnusable(layer, path)) {
        unsure.add(name);
        continue;
      }
      const found = layer.root ? partAt(layer.root, path) : undefined;
      if (!found?.whole) continue;
      unsure.delete(name);
      values.set(name, plain(found.part));
      origins[name] = found.part.origin;
      if (name === "overlays") overlays = found.part;
    }
  }
  // A text that is no YAML might have said anything, so nothing can be concluded from several settings together.
  const isWhole = layers.every(({ root, issues }) => root !== undefined || issues.length === 0);
  return {
    written: ConfigFile.parse(nested(values)),
    origins,
    unsure,
    isWhole,
    ...(overlays ? { overlays } : {}),
  };
}

function nested(values: ReadonlyMap<string, unknown>): unknown {
  const root: Record<string, unknown> = {};
  for (const [name, value] of values) {
    const path = name.split(".");
    const last = path.pop()!;
    let section = root;
    for (const key of path) {
      section[key] ??= {};
      section = section[key] as Record<string, unknown>;
    }
    section[last] = value;
  }
  return root;
}

/** The plain value, in which a section whose keys are all commented out counts as empty rather than as `null`. */
function withoutEmptySections(written: Written, shape: SectionShape | SettingShape | undefined): unknown {
  if (!shape || !isSection(shape)) return plain(written);
  if (written.scalar === null) return {};
  if (!written.entries) return plain(written);
  return Object.fromEntries(
    [...written.entries].map(([key, entry]) => [key, withoutEmptySections(entry, shape.keys.get(key))]),
  );
}

/** File by file, line by line; then what has no file, as it came. */
function inReadingOrder(issues: readonly ConfigIssue[], files: readonly string[]): readonly ConfigIssue[] {
  const rank = ({ file }: ConfigIssue) => (files.includes(file) ? files.indexOf(file) : files.length);
  return [...issues].sort(
    (a, b) => rank(a) - rank(b) || (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0),
  );
}

function didYouMean(written: string, names: readonly string[]): string | undefined {
  const meant = nearest(written, names);
  return meant === undefined ? undefined : `did you mean ${meant}?`;
}

function dotted(path: readonly PropertyKey[]): string {
  return path.reduce<string>((name, step) => {
    if (typeof step === "number") return `${name}[${step}]`;
    return name === "" ? String(step) : `${name}.${String(step)}`;
  }, "");
}

function deepFreeze<Value>(value: Value): Value {
  if (typeof value === "object" && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    Object.values(value).forEach(deepFreeze);
  }
  return value;
}
