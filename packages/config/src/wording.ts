import type * as z from "zod";
import type { Written } from "./written.js";

/** Says in words what a value must be. What a key's own schema says goes before this. */
export function inWords(issue: z.core.$ZodRawIssue): string {
  switch (issue.code) {
    case "invalid_type":
      return typeof issue.input === "number" && !Number.isFinite(issue.input)
        ? "must be a finite number"
        : mustBe(issue.expected);
    case "invalid_value":
      return `must be ${issue.values.length === 1 ? "" : "one of "}${issue.values.join(", ")}`;
    case "too_small":
      if (issue.origin === "array") return "must have at least one value";
      if (issue.origin === "string") return "must not be empty";
      return `must be ${issue.inclusive === false ? "more than" : "at least"} ${issue.minimum}`;
    case "too_big":
      return `must be ${issue.inclusive === false ? "less than" : "at most"} ${issue.maximum}`;
    default:
      return issue.message ?? "cannot be used";
  }
}

/** The value as it was written, for the end of a message: `is 1.5`, `is the text "0.5"`. */
export function valueInWords(written: Written): string {
  if (written.entries) return "is a section of keys";
  if (written.items) return written.items.length === 0 ? "is an empty list" : "is a list";
  const { scalar } = written;
  if (scalar === null || scalar === undefined) return "is empty";
  if (typeof scalar === "string") return `is the text ${JSON.stringify(shortened(scalar))}`;
  return `is ${shortened(String(scalar))}`;
}

/** What to do where the value's kind alone is wrong and a small change of writing would put it right. */
export function wayOut(expected: string, written: Written): string | undefined {
  const { scalar } = written;
  if (scalar === null) return "leave it out for the default";
  if ((expected === "number" || expected === "int") && typeof scalar === "string" && isNumeral(scalar))
    return "remove the quotes";
  if (expected === "boolean" && typeof scalar === "string" && scalar !== "")
    return "write true or false without quotes";
  if (expected === "string" && (typeof scalar === "number" || typeof scalar === "boolean"))
    return "put it in quotes";
  if (expected === "array" && scalar !== undefined) return `write [${String(scalar)}]`;
  return undefined;
}

/** What a value of the wrong kind is told; a setting with words of its own for it says those instead. */
export function mustBe(expected: string): string {
  return `must be ${kinds[expected] ?? expected}`;
}

const kinds: Readonly<Record<string, string>> = {
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  string: "text",
  array: "a list",
  object: "a section of `key: value` lines",
};

function isNumeral(text: string): boolean {
  return text.trim() !== "" && Number.isFinite(Number(text));
}

function shortened(text: string): string {
  return text.length <= 40 ? text : `${text.slice(0, 39)}…`;
}
