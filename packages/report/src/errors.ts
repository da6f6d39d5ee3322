/** What was handed over cannot be reported: a column of another length, a number that is none, no session at all. */
export class ReportInputError extends Error {
  override readonly name = "ReportInputError";
  readonly code = "PF_INVALID_REPORT_INPUT";
  constructor(
    /** Which part of the input, `"result"` or `"benchmarks.SPY"`. */
    readonly part: string,
    readonly problem: string,
  ) {
    super(`nothing to report from ${part}: ${problem}`);
  }
}

/** A report file, or the folder for it, cannot be written. No file of the report was replaced, unless `replaced` names some. */
export class WriteError extends Error {
  override readonly name = "WriteError";
  readonly code = "PF_CANNOT_WRITE";
  constructor(
    /** The file or folder that could not be written, as it was given. */
    readonly file: string,
    /** The system's name of the cause: `"ENOSPC"`, `"EROFS"`, `"EACCES"`, `"ENOTDIR"`, ... */
    readonly errno: string,
    /** Names of the report's files that had already been put in place when it failed. */
    readonly replaced: readonly string[],
    options?: ErrorOptions,
  ) {
    super(`cannot write ${file}: ${meaning(errno)}`, options);
  }

  /** What to do about it. */
  get next(): string {
    return advice[this.errno] ?? "choose another folder with --out";
  }
}

const meanings: Readonly<Record<string, string>> = {
  ENOSPC: "no space left on the disk",
  EDQUOT: "the disk quota is used up",
  EROFS: "the file system is read-only",
  EACCES: "permission denied",
  EPERM: "the operation is not permitted",
  ENOTDIR: "a part of the path is a file, not a folder",
  EEXIST: "a file stands where the folder should be",
  EISDIR: "a folder stands where the file should be",
  EIO: "the disk reports an input/output error",
  ENAMETOOLONG: "the name is too long",
};

const advice: Readonly<Record<string, string>> = {
  ENOSPC: "free some space, or choose a folder on another disk with --out",
  EDQUOT: "free some space, or choose a folder on another disk with --out",
  EROFS: "choose a folder that can be written with --out",
  EACCES: "give yourself write permission, or choose another folder with --out",
  EPERM: "give yourself write permission, or choose another folder with --out",
  ENOTDIR: "choose a folder with --out, or move the file out of the way",
  EEXIST: "choose a folder with --out, or move the file out of the way",
  EISDIR: "move that folder out of the way, or choose another folder with --out",
};

function meaning(errno: string): string {
  const words = meanings[errno];
  return words ? `${words} (${errno})` : errno;
}

/** The font files that the charts need are not where this package ships them. */
export class FontsMissingError extends Error {
  override readonly name = "FontsMissingError";
  readonly code = "PF_FONTS_MISSING";
  readonly next = "reinstall @pf/report, or build it in a checkout";
  constructor(readonly looked: readonly string[]) {
    super(`the chart fonts are missing; looked for ${looked.join(" and ")}`);
  }
}
