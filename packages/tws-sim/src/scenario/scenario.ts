import { readFile } from "node:fs/promises";
import { type Alias, isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from "yaml";
import type * as z from "zod";
import { ScenarioError, type ScenarioIssue } from "../errors.js";
import { replyNames } from "../wire/replies.js";
import { requestNames } from "../wire/requests.js";
import { type Rule, scenarioFile } from "./schema.js";

/** What goes wrong, and when. */
export interface Scenario {
  /** For messages: the name it gives itself, else the file's. */
  readonly name: string;
  readonly rules: readonly Rule[];
}

/** Far above any scenario that somebody wrote. */
const longestText = 1_000_000;

/**
 * Reads a scenario file, YAML or JSON.
 *
 * @throws ScenarioError with everything that is wrong with it, line and column included
 */
export async function loadScenario(path: string): Promise<Scenario> {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(await readFile(path));
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? "unknown";
    const message =
      code === "ERR_ENCODING_INVALID_ENCODED_DATA" ? "is not UTF-8 text" : `cannot be read (${code})`;
    throw new ScenarioError([{ file: path, line: null, column: null, key: "", message }], { cause });
  }
  return parseScenario(text, path);
}

/**
 * Understands the text of a scenario.
 *
 * @param file - what messages call it
 * @throws ScenarioError with everything that is wrong with it, line and column included
 * @example
 * parseScenario("rules: [{ on: { message: orderStatus, status: Filled }, do: [duplicate] }]");
 */
export function parseScenario(text: string, file = "scenario"): Scenario {
  const lines = new LineCounter();
  const fail = (issues: readonly ScenarioIssue[]): never => {
    throw new ScenarioError(issues);
  };
  const issueAt = (offset: number | undefined, key: string, message: string): ScenarioIssue => {
    const place = offset === undefined ? undefined : lines.linePos(offset);
    return { file, line: place?.line ?? null, column: place?.col ?? null, key, message };
  };
  if (text.length > longestText) fail([issueAt(undefined, "", `has more than ${longestText} characters`)]);

  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const mistakes = [...document.errors, ...document.warnings];
  if (mistakes.length > 0)
    fail(mistakes.map(({ pos, message }) => issueAt(pos[0], "", `is not valid YAML: ${message}`)));
  const alias = findAlias(document.contents);
  if (alias)
    fail([issueAt(alias.range?.[0], "", `*${alias.source} refers to another value; write the value itself`)]);

  const parsed = scenarioFile.safeParse(document.toJS(), { error: inWords });
  if (!parsed.success) {
    return fail(
      parsed.error.issues.flatMap((issue) => {
        if (issue.code !== "unrecognized_keys")
          return [issueAt(offsetOf(document.contents, issue.path), dotted(issue.path), issue.message)];
        return issue.keys.map((key) => {
          const path = [...issue.path, key];
          return issueAt(offsetOf(document.contents, path), dotted(path), "is not a key of a scenario");
        });
      }),
    );
  }
  const known = new Set<string>([...replyNames, ...requestNames]);
  const unknown = parsed.data.rules.flatMap(({ on }, index) => {
    if (!on || known.has(on.message)) return [];
    const path = ["rules", index, "on", "message"];
    return [issueAt(offsetOf(document.contents, path), dotted(path), `there is no message ${on.message}`)];
  });
  if (unknown.length > 0) fail(unknown);
  return { name: parsed.data.name ?? file, rules: parsed.data.rules };
}

function inWords(issue: z.core.$ZodRawIssue): string | undefined {
  if (issue.message) return issue.message;
  switch (issue.code) {
    case "invalid_type":
      return issue.input === undefined ? "is missing" : `must be ${kinds[issue.expected] ?? issue.expected}`;
    case "invalid_value":
      return `must be ${issue.values.length === 1 ? "" : "one of "}${issue.values.join(", ")}`;
    case "too_small":
      return issue.origin === "array" ? "must have at least one entry" : `must be at least ${issue.minimum}`;
    case "too_big":
      return `must be at most ${issue.maximum}`;
    default:
      return undefined;
  }
}

const kinds: Readonly<Record<string, string>> = {
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  string: "text",
  array: "a list",
  object: "a section of `key: value` lines",
};

/** Where the deepest part of a path stands. */
function offsetOf(root: Node | null, path: readonly PropertyKey[]): number | undefined {
  let node: Node | null | undefined = root;
  let offset = root?.range?.[0];
  for (const step of path) {
    if (isMap(node)) {
      const item = node.items.find(
        ({ key }) => (isScalar(key) ? String(key.value) : String(key)) === String(step),
      );
      if (!item) return offset;
      node = item.value as Node | null;
      offset = node?.range?.[0] ?? (item.key as Node).range?.[0] ?? offset;
    } else if (isSeq(node)) {
      node = node.items[Number(step)] as Node | undefined;
      offset = node?.range?.[0] ?? offset;
    } else return offset;
  }
  return offset;
}

// An alias is a way to write very large files.
function findAlias(node: unknown): Alias | undefined {
  if (isAlias(node)) return node;
  if (isSeq(node)) return node.items.map(findAlias).find((found) => found !== undefined);
  if (isMap(node))
    return node.items.map(({ value }) => findAlias(value)).find((found) => found !== undefined);
  return undefined;
}

function dotted(path: readonly PropertyKey[]): string {
  return path.reduce<string>((name, step) => {
    if (typeof step === "number") return `${name}[${step}]`;
    return name === "" ? String(step) : `${name}.${String(step)}`;
  }, "");
}
