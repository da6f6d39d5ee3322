import { stripVTControlCharacters } from "node:util";

/** The words name no command. */
export class UnknownCommandError extends Error {
  override readonly name = "UnknownCommandError";
  readonly code = "PF_UNKNOWN_COMMAND";
  readonly command: string;
  readonly nearest: string | null;
  readonly next: string;
  constructor(command: string, known: readonly string[]) {
    super(command === "" ? "no command given" : `there is no command "${shownWord(command)}"`);
    this.command = shownWord(command);
    this.nearest = command === "" ? null : nearestName(command, known);
    this.next = this.nearest ? `did you mean \`pf ${this.nearest}\`?` : "run `pf --help` to see the commands";
  }
}

/** A flag the command does not take. */
export class UnknownFlagError extends Error {
  override readonly name = "UnknownFlagError";
  readonly code = "PF_UNKNOWN_FLAG";
  readonly nearest: string | null;
  readonly next: string;
  constructor(
    readonly flag: string,
    known: readonly string[],
  ) {
    super(`there is no flag ${flag}`);
    this.nearest = nearestName(flag, known);
    this.next = this.nearest
      ? `did you mean ${this.nearest}?`
      : "run the command with --help to see its flags";
  }
}

/** A flag without its value, a value that is not allowed, a word too many. */
export class UsageError extends Error {
  override readonly name = "UsageError";
  readonly code = "PF_USAGE";
  constructor(
    message: string,
    readonly next = "run the command with --help to see its flags",
  ) {
    super(message);
  }
}

/** A word as it may be repeated: a setting or an address that lost its flag may hold a secret. */
function shownWord(word: string): string {
  return word.replace(/(=|:\/\/).*$/s, "$1…");
}

/** Puts what the argument parser throws into our own words; anything else is returned as it came. */
export function asUsageError(thrown: unknown): unknown {
  if (!(thrown instanceof Error)) return thrown;
  // What the parse function of a flag threw comes back with the flag's name on a line before its message.
  const refused = /^Parsing (--[\w-]+)\s*\n\s*([^\n]+)/.exec(thrown.message);
  if (refused) return new UsageError(`${refused[1]}: ${refused[2]}`, adviceOf(thrown));
  if ("code" in thrown && String(thrown.code).startsWith("PF_")) return thrown;
  const parse = (thrown as { parse?: ParserFacts }).parse;
  const isParserError = "oclif" in thrown;
  if (!isParserError) return thrown;
  const unknown = (thrown as { flags?: unknown }).flags;
  if (Array.isArray(unknown) && unknown.length > 0) {
    const known = Object.keys(parse?.input?.flags ?? {}).map((name) => `--${name}`);
    return new UnknownFlagError(String(unknown[0]).split("=", 1)[0]!, [...known, "--help"]);
  }
  const words = (thrown as { args?: unknown }).args;
  const needed: unknown = Array.isArray(words) ? words[0] : undefined;
  if (typeof needed === "object" && needed !== null && "name" in needed) {
    return new UsageError(
      `the command needs a word, ${String(needed.name).toUpperCase()}`,
      "run the command with --help to see what it is",
    );
  }
  if (Array.isArray(words) && words.length > 0) {
    return new UsageError(
      `the command takes no word "${shownWord(String(words[0]))}"`,
      "write values with their flag, as in --symbols SPY,QQQ",
    );
  }
  // Where flags do not go together the first line only announces, and the reason stands below it, perhaps in colour.
  const [first = "", second = ""] = stripVTControlCharacters(thrown.message).split("\n");
  const text = /^The following errors? occurred:/.test(first) ? second.trim() : first;
  const pair = /^(--[\w-]+)(?:=.*)? cannot also be provided when using (--[\w-]+)/s.exec(text);
  if (pair) return new UsageError(`${pair[1]} and ${pair[2]} exclude each other`, "leave one of them out");
  const choice = /^Expected (--[\w-]+)=(.*) to be one of: (.*)$/s.exec(text);
  if (choice) return new UsageError(`${choice[1]} cannot be "${choice[2]}"`, `choose one of ${choice[3]}`);
  const missing = /^Flag (--[\w-]+) expects (?:a value|one of these values: (.*))$/.exec(text);
  if (missing) {
    const next = missing[2]
      ? `choose one of ${missing[2]}`
      : `write a value after it, as in ${missing[1]} VALUE`;
    return new UsageError(`${missing[1]} needs a value`, next);
  }
  return new UsageError(text);
}

function adviceOf(thrown: Error): string | undefined {
  return "next" in thrown && typeof thrown.next === "string" ? thrown.next : undefined;
}

interface ParserFacts {
  readonly input?: { readonly flags?: Readonly<Record<string, unknown>> };
}

/** The known name closest to what was typed, if one is close enough to be what was meant. */
export function nearestName(typed: string, known: readonly string[]): string | null {
  let best: string | null = null;
  let fewest = Math.max(2, Math.floor(typed.length / 3)) + 1;
  for (const name of known) {
    const edits = name.startsWith(typed) && typed.length > 2 ? 1 : editDistance(typed, name);
    if (edits < fewest) [best, fewest] = [name, edits];
  }
  return best;
}

/** Letters to insert, delete, replace or swap with their neighbour to get from one word to the other. */
function editDistance(a: string, b: string): number {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, column) => column)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      let cost = Math.min(rows[i - 1]![j]! + 1, row[j - 1]! + 1, rows[i - 1]![j - 1]! + same);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        cost = Math.min(cost, rows[i - 2]![j - 2]! + 1);
      row.push(cost);
    }
    rows.push(row);
  }
  return rows[a.length]![b.length]!;
}
