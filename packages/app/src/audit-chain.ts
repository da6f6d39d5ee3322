import { hash as digestOf } from "node:crypto";

/** What the first record of a log says of the one before it. */
const chainBeginning = "0".repeat(64);

/**
 * A record as a line of a log, with the hash of the record before it and its own, so that a record that is changed,
 * removed, added or moved later shows.
 *
 * @param json - one JSON object as text, without a line end
 */
export function chainedLine(
  json: string,
  previous: string,
): { readonly line: string; readonly hash: string } {
  const body = `${json.slice(0, -1)},"previous":"${previous}"}`;
  const hash = hashOfText(body);
  return { line: `${body.slice(0, -1)},"hash":"${hash}"}\n`, hash };
}

/** A whole log from its records, each one JSON object as text. */
export function chainedLog(records: readonly string[]): string {
  let previous = chainBeginning;
  const lines = records.map((json) => {
    const { line, hash } = chainedLine(json.trimEnd(), previous);
    previous = hash;
    return line;
  });
  return lines.join("");
}

/** The hash in the last whole record of a log. */
export function lastHashOf(text: string): string {
  for (const line of text.split("\n").reverse()) {
    const found = hashIn(line);
    if (found) return found.hash;
  }
  return chainBeginning;
}

/** What is wrong with a log. */
export interface AuditProblem {
  /** Counted from 1. */
  readonly line: number;
  readonly problem: string;
}

export interface AuditVerification {
  readonly records: number;
  readonly problems: readonly AuditProblem[];
  /** Of the last record: written down elsewhere, it shows whether records were cut off at the end. */
  readonly last: string;
}

/** Checks that no record of a log was changed, removed, added or moved since it was written. */
export function verifyAudit(text: string): AuditVerification {
  const problems: AuditProblem[] = [];
  let previous = chainBeginning;
  let records = 0;
  text.split("\n").forEach((line, at) => {
    if (line === "") return;
    records++;
    const found = hashIn(line);
    const problem = !found
      ? "the record is cut short or is none"
      : hashOfText(found.body) !== found.hash
        ? "the record was changed"
        : !found.body.endsWith(`,"previous":"${previous}"}`)
          ? "the record does not follow the one before it: one was removed, added or moved"
          : undefined;
    if (problem) problems.push({ line: at + 1, problem });
    if (found) previous = found.hash;
  });
  return { records, problems, last: previous };
}

function hashOfText(text: string): string {
  return digestOf("sha256", text, "hex");
}

function hashIn(line: string): { readonly hash: string; readonly body: string } | undefined {
  const match = /^(.*),"hash":"([0-9a-f]{64})"\}$/.exec(line);
  return match ? { body: `${match[1]}}`, hash: match[2]! } : undefined;
}
