import { nearest } from "./nearest.js";
import { type EffectiveConfig, isSection, outline, type SectionShape, type SettingShape } from "./schema.js";
import type { Discretion } from "./written.js";

/** What stands in the place of a secret. */
const hidden = "***";

/** The settings whose values may be shown nowhere, by their dotted names. */
export const secretSettings: readonly string[] = secretsIn(outline, "");

/** The configuration as it may be shown: `"***"` where a secret is set. */
export function withoutSecrets(written: EffectiveConfig): EffectiveConfig {
  const shown = structuredClone(written);
  for (const name of secretSettings) {
    const path = name.split(".");
    const last = path.pop()!;
    const section = path.reduce<unknown>((inner, key) => (inner as Record<string, unknown>)[key], shown);
    const values = section as Record<string, unknown>;
    if (values[last] !== "") values[last] = hidden;
  }
  return shown;
}

export function isSecret(name: string): boolean {
  return secretSettings.includes(name);
}

/**
 * Whether what somebody wrote at a place may be repeated to them: never a secret, nor what may hold one because it
 * stands where a whole section of them belongs, nor at a setting beside them what looks like one that went astray.
 */
export function mayShow(path: readonly PropertyKey[], text: string): boolean {
  const { shape, known } = placeOf(path);
  if (shape === outline) return !looksSecret(text);
  if (isSection(shape)) return !holdsSecrets(shape);
  if (shape.secret) return false;
  return !holdsSecrets(placeOf(known.slice(0, 1)).shape) || !looksSecret(text);
}

/** A key that is no setting, unless it may be a secret that somebody wrote without its key. */
export function shownKey(path: readonly PropertyKey[], key: string): string {
  const { shape } = placeOf(path);
  if (!isSection(shape)) return key;
  if (shape.keys.has(key) || nearest(key, shape.keys.keys()) !== undefined) return key;
  return (shape !== outline && holdsSecrets(shape)) || looksSecret(key) ? hidden : key;
}

/** Keeps secrets out of what is said about texts that were read. */
export const discretion: Discretion = {
  shownKey,
  shownText: (setting, text) => (mayShow(setting, text) ? text : hidden),
};

/** A `KEY=VALUE` as it may be shown: with its value only where that is certainly no secret. */
export function shownOverride(override: string): string {
  const equals = override.indexOf("=");
  const name = override.slice(0, Math.max(equals, 0)).trim();
  if (equals < 0) return placeOf(override.trim().split(".")).isWhole ? override : hidden;
  const value = override.slice(equals + 1);
  const [first = ""] = name.split(".");
  if (outline.keys.has(first)) return mayShow(name.split("."), value) ? override : `${name}=${hidden}`;
  // A setting without its section is still told apart from others by its name.
  const namesakes = namesakesOf(outline, name);
  if (namesakes.length > 0 && !namesakes.some(({ secret }) => secret) && !looksSecret(value)) return override;
  return `${looksSecret(name) ? hidden : name}=${hidden}`;
}

/** The part of the outline that a path leads to, as far as it does. */
function placeOf(path: readonly PropertyKey[]): {
  readonly shape: SectionShape | SettingShape;
  readonly known: readonly PropertyKey[];
  readonly isWhole: boolean;
} {
  let shape: SectionShape | SettingShape = outline;
  const known: PropertyKey[] = [];
  for (const step of path) {
    const next: SectionShape | SettingShape | undefined = isSection(shape)
      ? shape.keys.get(String(step))
      : undefined;
    if (!next) return { shape, known, isWhole: false };
    shape = next;
    known.push(step);
  }
  return { shape, known, isWhole: true };
}

function namesakesOf(section: SectionShape, name: string): readonly SettingShape[] {
  return [...section.keys].flatMap(([key, shape]) =>
    isSection(shape) ? namesakesOf(shape, name) : key === name ? [shape] : [],
  );
}

function holdsSecrets(shape: SectionShape | SettingShape): boolean {
  return isSection(shape) ? [...shape.keys.values()].some(holdsSecrets) : shape.secret;
}

function secretsIn(section: SectionShape, prefix: string): readonly string[] {
  return [...section.keys].flatMap(([key, shape]) => {
    if (isSection(shape)) return secretsIn(shape, `${prefix}${key}.`);
    return shape.secret ? [`${prefix}${key}`] : [];
  });
}

/** An address, or a long word that is no mail address. */
function looksSecret(text: string): boolean {
  return text.includes("://") || (text.length >= 16 && !/^[^\s@:]+@[^\s@:]+$/.test(text));
}
