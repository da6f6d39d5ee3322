/** A file of results is not there, cannot be read, or is not what its name says. */
export class ResultFileError extends Error {
  override readonly name = "ResultFileError";
  readonly code = "PF_RESULT_FILE";
  constructor(
    readonly file: string,
    readonly problem: string,
    readonly next: string,
    options?: ErrorOptions,
  ) {
    super(`${file}: ${problem}`, options);
  }
}

/** A column was named that the table does not have. */
export class UnknownColumnError extends Error {
  override readonly name = "UnknownColumnError";
  readonly code = "PF_UNKNOWN_COLUMN";
  readonly next: string;
  constructor(
    readonly column: string,
    readonly columns: readonly string[],
    /** The column that was probably meant. */
    readonly nearest: string | null,
    /** Names beside the columns that would have done as well. */
    also: readonly string[] = [],
  ) {
    super(`there is no column "${column}"; there are ${[...columns, ...also].join(", ")}`);
    this.next = nearest === null ? "choose one of these" : `did you mean ${nearest}?`;
  }
}

/** The outcome could not be written where it was wanted. */
export class ExportWriteError extends Error {
  override readonly name = "ExportWriteError";
  readonly code = "PF_CANNOT_WRITE";
  readonly next = "choose another place with --export";
  constructor(
    readonly file: string,
    problem: string,
    options?: ErrorOptions,
  ) {
    super(problem, options);
  }
}
