/** A frame, or the text of a table, is not what was said of it: a column is missing, dates run backwards, a cell is no number. */
export class FrameError extends Error {
  override readonly name = "FrameError";
  readonly code = "PF_INVALID_FRAME";
  constructor(
    /** What it was taken for, `"weights"` or `"table"`. */
    readonly kind: string,
    readonly problem: string,
    options?: ErrorOptions,
  ) {
    super(`this is no frame of ${kind}: ${problem}`, options);
  }
}

/** The file that holds danfojs is not where this package ships it. */
export class DanfoMissingError extends Error {
  override readonly name = "DanfoMissingError";
  readonly code = "PF_DANFO_MISSING";
  readonly next = "reinstall @pf/report, or the program that brings it";
  constructor(readonly looked: readonly string[]) {
    super(`danfojs.cjs is missing; looked for ${looked.join(", ")}`);
  }
}
