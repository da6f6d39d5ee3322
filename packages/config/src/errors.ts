import { type Origin, originText } from "./origin.js";

/** Something wrong with one place of the configuration. */
export interface ConfigIssue {
  /** The file, the variable, or the flag as it was typed. */
  readonly file: string;
  /** From 1; `null` where there are no lines. */
  readonly line: number | null;
  readonly column: number | null;
  /** Dotted name of the setting, `weights.cash_buffer`; empty for a whole file. */
  readonly key: string;
  /** What is wrong, in words. */
  readonly message: string;
  /** What to do about it. */
  readonly hint?: string;
}

/** The configuration cannot be used. `issues` holds everything that is wrong with it, over all its sources. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  readonly code = "PF_CONFIG";
  readonly next =
    "correct what is listed; `pf config check` looks again, `pf config show` tells where each value comes from";
  constructor(
    readonly issues: readonly ConfigIssue[],
    options?: ErrorOptions,
  ) {
    super(issues.map(issueText).join("\n"), options);
  }
}

/** An issue about what stands at an origin. */
export function issueAt(origin: Origin, key: string, message: string, hint?: string): ConfigIssue {
  const { line = null, column = null } = origin;
  const file = origin.file ?? originText(origin);
  return hint === undefined
    ? { file, line, column, key, message }
    : { file, line, column, key, message, hint };
}

/** One line: `config/config.yaml:4:16 weights.cash_buffer: must be less than 1 (is 1.5)`. */
export function issueText(issue: ConfigIssue): string {
  const place = issue.line === null ? issue.file : `${issue.file}:${issue.line}:${issue.column}`;
  const named =
    issue.key === "" || issue.file.startsWith(`--set ${issue.key}=`) ? place : `${place} ${issue.key}`;
  return `${named}: ${issue.message}${issue.hint === undefined ? "" : `; ${issue.hint}`}`;
}
