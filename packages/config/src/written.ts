import { isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument, type YAMLError } from "yaml";
import { type ConfigIssue, issueAt } from "./errors.js";
import type { Origin } from "./origin.js";

/** A value as somebody wrote it, down to the origin of every part. */
export interface Written {
  readonly origin: Origin;
  /** Where its key stands; the value's own origin at the top. */
  readonly keyOrigin: Origin;
  /** A scalar's value; `undefined` for maps and lists. */
  readonly scalar?: unknown;
  readonly entries?: ReadonlyMap<string, Written>;
  readonly items?: readonly Written[];
}

export interface ReadYaml {
  /** Absent when there is nothing to read, or nothing that can be trusted. */
  readonly root?: Written;
  readonly issues: readonly ConfigIssue[];
}

/** Decides what of a text may be repeated in an error. */
export interface Discretion {
  /** A key of a section, as it may be shown. */
  shownKey(section: readonly string[], key: string): string;
  /** What stands at a setting, as it may be shown. */
  shownText(setting: readonly string[], text: string): string;
}

const nothingToHide: Discretion = { shownKey: (_, key) => key, shownText: (_, text) => text };

/**
 * Reads one YAML document, with the origin of every value.
 *
 * @param locate - tells the origin of a place from its line and column, both from 1
 * @param key - name of the setting the document is the value of; empty for a whole file
 * @returns issues instead of a tree where the text is no YAML; duplicate keys are issues beside a tree
 */
export function readYaml(
  text: string,
  locate: (line: number, column: number) => Origin,
  key = "",
  discretion: Discretion = nothingToHide,
): ReadYaml {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: false });
  const originAt = (offset: number): Origin => {
    const { line, col } = lines.linePos(offset);
    return locate(line, col);
  };

  const mistakes = [...document.errors, ...document.warnings];
  if (mistakes.length > 0)
    return { issues: onePerLine(mistakes, lines).map((error) => syntaxIssue(error, originAt, key)) };
  if (document.contents === null) return { issues: [] };

  const issues: ConfigIssue[] = [];
  const walk = (node: Node | null, name: string, keyOrigin: Origin): Written => {
    const origin = node?.range ? originAt(node.range[0]) : keyOrigin;
    if (isMap(node)) {
      const entries = new Map<string, Written>();
      for (const { key: keyNode, value } of node.items) {
        const entryKey = isScalar(keyNode) ? String(keyNode.value) : String(keyNode);
        const shown = discretion.shownKey(name === "" ? [] : name.split("."), entryKey);
        const entryName = name === "" ? shown : `${name}.${shown}`;
        const entryOrigin = originAt((keyNode as Node).range?.[0] ?? 0);
        const first = entries.get(entryKey);
        if (first)
          issues.push(
            issueAt(
              entryOrigin,
              entryName,
              `stands twice${firstMention(first.keyOrigin)}`,
              "keep one of them",
            ),
          );
        else entries.set(entryKey, walk(value as Node | null, entryName, entryOrigin));
      }
      return { origin, keyOrigin, entries };
    }
    if (isSeq(node))
      return { origin, keyOrigin, items: node.items.map((item) => walk(item as Node | null, name, origin)) };
    // An alias would make the place where a value stands ambiguous, and is a way to write very large files.
    if (isAlias(node)) {
      const shown = discretion.shownText(name.split("."), node.source);
      issues.push(issueAt(origin, name, `*${shown} refers to another value`, "write the value itself"));
    }
    return { origin, keyOrigin, scalar: isScalar(node) ? node.value : null };
  };
  const root = walk(document.contents, key, originAt(0));
  return { root, issues };
}

/** The value without its origins. */
export function plain(written: Written): unknown {
  if (written.entries)
    return Object.fromEntries([...written.entries].map(([key, entry]) => [key, plain(entry)]));
  if (written.items) return written.items.map(plain);
  return written.scalar;
}

/** The deepest part that exists on a path of keys and list positions, and whether that is the whole path. */
export function partAt(written: Written, path: readonly PropertyKey[]): { part: Written; whole: boolean } {
  let part = written;
  for (const step of path) {
    const next = typeof step === "number" ? part.items?.[step] : part.entries?.get(String(step));
    if (!next) return { part, whole: false };
    part = next;
  }
  return { part, whole: true };
}

/** A tree in which the value stands under a dotted name, `weights.cash_buffer`. */
export function nestedUnder(name: string, value: Written): Written {
  const { origin } = value;
  return name
    .split(".")
    .reduceRight((inner, key) => ({ origin, keyOrigin: origin, entries: new Map([[key, inner]]) }), value);
}

function firstMention(origin: Origin): string {
  return origin.line === undefined ? "" : ` (first on line ${origin.line})`;
}

// What follows a first mistake on the same line is mostly its echo.
function onePerLine(errors: readonly YAMLError[], lines: LineCounter): readonly YAMLError[] {
  const seen = new Set<number>();
  return errors.filter((error) => {
    const { line } = lines.linePos(error.pos[0]);
    return !seen.has(line) && seen.add(line);
  });
}

function syntaxIssue(error: YAMLError, originAt: (offset: number) => Origin, key: string): ConfigIssue {
  // The library's own words repeat what it read, and that may be a secret.
  const [message, hint] = syntaxWords[error.code] ?? [`is not valid YAML (${error.code})`];
  return issueAt(originAt(error.pos[0]), key, message, hint);
}

const syntaxWords: Partial<Record<YAMLError["code"], readonly [message: string, hint?: string]>> = {
  TAB_AS_INDENT: ["is indented with a tab", "indent with spaces"],
  BAD_INDENT: ["is not indented like the lines it belongs to, or a bracket before it is not closed"],
  BLOCK_AS_IMPLICIT_KEY: [
    "has a second `:` on one line, or the next line is indented too far",
    "put text with a colon in quotes",
  ],
  MULTILINE_IMPLICIT_KEY: ["is not valid YAML: a `:` is missing or a bracket or quote is not closed"],
  MISSING_CHAR: ["ends before a bracket or a quote is closed"],
  MULTIPLE_DOCS: ["starts a second document", "remove the line `---`"],
  BAD_SCALAR_START: ["starts with a character that YAML reserves", "put the text in quotes"],
  UNEXPECTED_TOKEN: ["has something where nothing may stand", "put text with special characters in quotes"],
  BAD_DQ_ESCAPE: ["has a `\\` that means nothing in double quotes", "put the text in single quotes"],
  RESOURCE_EXHAUSTION: ["is nested too deeply"],
  TAG_RESOLVE_FAILED: ["has a tag (`!…`) that means nothing here", "remove the tag"],
};
