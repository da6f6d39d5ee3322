import type { SessionDate, Ticker } from "@pf/market";
import type { Finding } from "./checks.js";

/** A text that cannot be a symbol, and so must not become a file name either. */
export class InvalidTickerError extends Error {
  override readonly name = "InvalidTickerError";
  readonly code = "PF_INVALID_SYMBOL";
  readonly next = "write symbols as the exchange does, in capitals: SPY, BRK.B";
  constructor(readonly text: string) {
    super(`${JSON.stringify(text)} is not a symbol: capitals, digits, dot and dash, at most 16 of them`);
  }
}

/** A file of the cache holds something other than the bars it should hold. */
export class CacheFileError extends Error {
  override readonly name = "CacheFileError";
  readonly code = "PF_CACHE_FILE";
  readonly next = "delete the file and run `pf fetch`, or run `pf fetch --replace`";
  constructor(
    readonly file: string,
    readonly why: string,
    options?: ErrorOptions,
  ) {
    super(`${file} is not a bar file of this cache: ${why}`, options);
  }
}

/** The operating system would not let us read a file or folder of the cache. */
export class CacheReadError extends Error {
  override readonly name = "CacheReadError";
  readonly code = "PF_CANNOT_READ";
  readonly next = "check that the data folder is a folder and that you may read it";
  constructor(
    readonly file: string,
    readonly errno: string,
    options?: ErrorOptions,
  ) {
    super(`cannot read ${file}: ${inWords(errno)}`, options);
  }
}

/** Nothing could be written: the disk is full, the folder read-only, or a file stands where a folder should. */
export class WriteError extends Error {
  override readonly name = "WriteError";
  readonly code = "PF_CANNOT_WRITE";
  readonly next = "free some space or choose another folder; what was there before is unchanged";
  constructor(
    readonly file: string,
    readonly errno: string,
    options?: ErrorOptions,
  ) {
    super(`cannot write ${file}: ${inWords(errno)}`, options);
  }
}

/** The cache has no bars for symbols that a command needs. */
export class MissingBarsError extends Error {
  override readonly name = "MissingBarsError";
  readonly code = "PF_MISSING_BARS";
  readonly next = "run `pf fetch` for these symbols, or take them out of the universe";
  constructor(
    readonly symbols: readonly Ticker[],
    readonly directory: string,
    kind: "daily" | "trades" | "hourly" = "daily",
  ) {
    super(`no ${kind === "hourly" ? "hourly bars" : "bars"} of ${symbols.join(", ")} in ${directory}`);
  }
}

/** The cached bars of a symbol came from elsewhere; bars of two sources never share a file. */
export class SourceMismatchError extends Error {
  override readonly name = "SourceMismatchError";
  readonly code = "PF_SOURCE_MISMATCH";
  readonly next = "run `pf fetch --replace` to fetch the symbol anew, or use another `--data-dir`";
  constructor(
    readonly symbol: Ticker,
    readonly cached: string,
    readonly asked: string,
  ) {
    super(`the cached bars of ${symbol} come from ${cached}, not from ${asked}`);
  }
}

/** The data checks found something that no market produces; nothing was written. */
export class BarsRefusedError extends Error {
  override readonly name = "BarsRefusedError";
  readonly code = "PF_BARS_REFUSED";
  readonly next = "correct the data at its source";
  constructor(
    readonly symbol: Ticker,
    /** Every refusal, oldest first; warnings are not among them. */
    readonly findings: readonly Finding[],
  ) {
    super(
      `the bars of ${symbol} are refused: ${listed(findings.map(({ date, message }) => `${date}: ${message}`))}`,
    );
  }
}

/** The source answered, and has not one bar of the symbol in the span. */
export class NoBarsError extends Error {
  override readonly name = "NoBarsError";
  readonly code = "PF_NO_BARS";
  constructor(
    readonly symbol: Ticker,
    readonly source: string,
    readonly from: SessionDate,
    readonly to: SessionDate,
    readonly next: string = "check the symbol and the span",
  ) {
    super(`${source} has no bars of ${symbol} from ${from} to ${to}`);
  }
}

/** A source cannot be used at all, whatever the symbol. */
export class SourceUnavailableError extends Error {
  override readonly name = "SourceUnavailableError";
  readonly code = "PF_SOURCE_UNAVAILABLE";
  /** See {@link BarSource}: asking for the next symbol would fail in the same way. */
  readonly wholeSource = true;
  constructor(
    readonly source: string,
    readonly where: string,
    readonly why: string,
    readonly next: string,
    options?: ErrorOptions,
  ) {
    super(`the ${source} source cannot be used: ${where} ${why}`, options);
  }
}

/**
 * A key that a source needs is missing, or the source refuses it. The error names the environment variable and never
 * holds the key.
 */
export class SourceKeyError extends Error {
  override readonly name = "SourceKeyError";
  readonly code = "PF_SOURCE_KEY";
  /** See {@link BarSource}: no symbol is served without. */
  readonly wholeSource = true;
  readonly next: string;
  constructor(
    readonly source: string,
    readonly variables: readonly string[],
    message: string,
    /** Whether there is a key, which the source does not accept. */
    isRefused = false,
  ) {
    super(message);
    const names = variables.join(" and ");
    this.next = isRefused
      ? `compare ${names} with what the source's own pages show; keys come from the environment, else from .env`
      : `set ${names} in the environment or in .env; keys are never read from config.yaml`;
  }
}

/** A source may not be asked any more for now. */
export class SourceLimitError extends Error {
  override readonly name = "SourceLimitError";
  readonly code = "PF_SOURCE_LIMIT";
  /** See {@link BarSource}: asking for the next symbol would only make it worse. */
  readonly wholeSource = true;
  readonly next: string;
  constructor(
    readonly source: string,
    /** In the source's words. */
    readonly said: string,
    /** When it may be asked again, in milliseconds from now, where it says so. */
    readonly waitMs?: number,
  ) {
    super(`${source} has been asked as often as it allows for now${said === "" ? "" : `: ${said}`}`);
    const when = waitMs === undefined ? "when the limit is over" : `in ${inMinutes(waitMs)}`;
    this.next = `run the same command again ${when}; what was fetched is not asked for twice`;
  }
}

/** A source knows what it was asked, and will not give it to this account. */
export class SourceRefusedError extends Error {
  override readonly name = "SourceRefusedError";
  readonly code = "PF_SOURCE_REFUSED";
  constructor(
    readonly source: string,
    readonly symbol: Ticker,
    /** Of HTTP. */
    readonly status: number,
    /** In the source's words. */
    readonly said: string,
  ) {
    super(`${source} refuses to give bars of ${symbol} (${status})${said === "" ? "" : `: ${said}`}`);
  }
}

/** A source answered with something that is no list of bars. */
export class SourceAnswerError extends Error {
  override readonly name = "SourceAnswerError";
  readonly code = "PF_SOURCE_ANSWER";
  readonly count: number;
  /** The first of what is wrong with it. */
  readonly faults: readonly string[];
  constructor(
    readonly source: string,
    readonly symbol: Ticker,
    faults: readonly string[],
  ) {
    super(`the answer of ${source} for ${symbol} cannot be used: ${listed(faults)}`);
    this.count = faults.length;
    this.faults = faults.slice(0, 5);
  }
}

/** A source failed to answer, as often as it was asked. */
export class SourceFaultError extends Error {
  override readonly name = "SourceFaultError";
  readonly code = "PF_SOURCE_FAULT";
  constructor(
    readonly source: string,
    readonly symbol: Ticker,
    readonly attempts: number,
    /** What happened the last time. */
    readonly last: string,
  ) {
    super(`${source} failed to answer for ${symbol}, ${attempts} times; the last time: ${last}`);
  }
}

/** One thing wrong with one CSV file. */
export interface CsvProblem {
  /** Counted from 1, the header included. */
  readonly line: number;
  /** Absent where the line as a whole is at fault. */
  readonly column?: string;
  /** What stands there. */
  readonly text: string;
  /** What should stand there. */
  readonly rule: string;
}

/** A CSV file that does not hold bars, with everything that is wrong with it. */
export class CsvFileError extends Error {
  override readonly name = "CsvFileError";
  readonly code = "PF_CSV_FILE";
  readonly next = "correct these lines and run the command again";
  constructor(
    readonly file: string,
    /** The first problems, by line. */
    readonly problems: readonly CsvProblem[],
    /** How many there are in all. */
    readonly count: number,
    options?: ErrorOptions,
  ) {
    super(
      `${file}: ${count} ${count === 1 ? "problem" : "problems"}\n${problemLines(problems, count)}`,
      options,
    );
  }
}

/** The work was stopped from outside. What was written before is whole and stays. */
export class IngestInterruptedError<Outcome = unknown> extends Error {
  override readonly name = "IngestInterruptedError";
  readonly code = "PF_INTERRUPTED";
  readonly next = "run the same command again: it asks only for what is missing";
  constructor(
    readonly outcomes: readonly Outcome[],
    options?: ErrorOptions,
  ) {
    super(`interrupted after ${outcomes.length} ${outcomes.length === 1 ? "symbol" : "symbols"}`, options);
  }
}

/** The system's word for a failed call, `ENOSPC`; undefined for any other error. */
export function errnoOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("code" in error) || !("syscall" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}

const words: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  EDQUOT: "the quota is used up",
  EEXIST: "a file stands where a folder should",
  EFBIG: "the file would be too large",
  EIO: "the disk reports an error",
  EISDIR: "a folder stands where a file should",
  EMFILE: "too many open files",
  ENAMETOOLONG: "the name is too long",
  ENOENT: "it does not exist",
  ENOSPC: "no space left on the disk",
  ENOTDIR: "a file stands where a folder should",
  EPERM: "not permitted",
  EROFS: "the file system is read-only",
};

function inWords(errno: string): string {
  const known = words[errno];
  return known ? `${known} (${errno})` : errno;
}

function problemLines(problems: readonly CsvProblem[], count: number): string {
  const lines = problems.map(({ line, column, text, rule }) => {
    const where = column === undefined ? `line ${line}` : `line ${line}, ${column}`;
    return `  ${where}: ${rule}${text === "" ? "" : ` (found ${JSON.stringify(text)})`}`;
  });
  if (count > problems.length) lines.push(`  and ${count - problems.length} more`);
  return lines.join("\n");
}

function listed(items: readonly string[]): string {
  const shown = items.slice(0, 5).join("; ");
  return items.length > 5 ? `${shown}; and ${items.length - 5} more` : shown;
}

function inMinutes(ms: number): string {
  const minutes = Math.ceil(ms / 60_000);
  return minutes === 1 ? "a minute" : `${minutes} minutes`;
}
