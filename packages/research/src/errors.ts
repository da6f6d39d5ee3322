import type { GridPoint } from "./study.js";

/** A grid that is empty, or holds values with which no strategy can be made; lists every problem. */
export class GridError extends Error {
  override readonly name = "GridError";
  readonly code = "PF_GRID";
  readonly next =
    "give every key of the grid at least one value that the strategy accepts in some combination";
  constructor(readonly problems: readonly string[]) {
    super(`the grid cannot be searched: ${problems.join("; ")}`);
  }
}

/** Spans of a walk-forward that are no whole numbers of at least 1. */
export class WindowOptionsError extends Error {
  override readonly name = "WindowOptionsError";
  readonly code = "PF_WINDOW_OPTIONS";
  readonly next = "use whole years and months of at least 1";
  constructor(
    readonly option: string,
    readonly value: number,
  ) {
    super(`${option} must be a whole number of at least 1, not ${value}`);
  }
}

/** The data does not reach past the first train window. */
export class WindowError extends Error {
  override readonly name = "WindowError";
  readonly code = "PF_TOO_FEW_SESSIONS";
  readonly next: string;
  constructor(
    readonly sessions: number,
    readonly first: string | undefined,
    readonly last: string | undefined,
    /** The day a session is needed on or after. */
    readonly needed: string | undefined,
    readonly trainYears: number,
  ) {
    const years = `${trainYears} ${trainYears === 1 ? "year" : "years"}`;
    super(
      first === undefined
        ? `there is no session, and one window needs ${years} of them and what follows`
        : `${sessions} sessions from ${first} to ${last} do not fill one window: training takes ${years}, so a session is needed on or after ${needed}`,
    );
    this.next =
      needed === undefined
        ? "give a panel with bars"
        : `fetch bars up to ${needed} at least, start earlier, or shorten the train window`;
  }
}

/** A number of permutation runs, or a seed, that is none. */
export class RunsError extends Error {
  override readonly name = "RunsError";
  readonly code = "PF_RUNS";
  readonly next: string;
  constructor(
    readonly what: string,
    readonly value: number,
    /** What it must be. */
    readonly rule: string,
  ) {
    super(`${what} must be ${rule}, not ${value}`);
    this.next = `give ${what} as ${rule}`;
  }
}

/** A row order that is no permutation of a panel's rows within their groups. */
export class RowOrderError extends Error {
  override readonly name = "RowOrderError";
  readonly code = "PF_ROW_ORDER";
}

/** Shuffling the market moved no score: what would be reported is no null distribution. */
export class LivenessError extends Error {
  override readonly name = "LivenessError";
  readonly code = "PF_PERMUTATION_DEAD";
  readonly next =
    "check that the bars move, that the strategy trades in the train windows, and that the objective depends on returns";
  constructor(
    readonly windows: number,
    readonly runs: number,
    /** The score that every run had; undefined where none had any. */
    readonly score: number | undefined,
  ) {
    super(
      `the permutation test is dead: ${runs} runs in ${windows} ${windows === 1 ? "window" : "windows"} all scored ${
        score === undefined ? "nothing (the objective is undefined)" : "the same within each window"
      }, so no p-value can be read from them`,
    );
  }
}

/** A unit of work failed; says which, so that it can be run again by itself. */
export class UnitError extends Error {
  override readonly name = "UnitError";
  readonly code = "PF_UNIT_FAILED";
  constructor(
    readonly unit: string,
    options: ErrorOptions,
  ) {
    super(
      `${unit} failed: ${options.cause instanceof Error ? options.cause.message : String(options.cause)}`,
      options,
    );
  }
}

/** The run was asked to stop before its plan was done. */
export class StoppedError extends Error {
  override readonly name = "StoppedError";
  readonly code = "PF_INTERRUPTED";
  readonly next = "continue from what was finished, or start anew";
  constructor(
    readonly done: number,
    readonly total: number,
  ) {
    super(`stopped after ${done} of ${total} units of work`);
  }
}

/** Results that do not make up the plan: missing, twice, or of another one. */
export class MergeError extends Error {
  override readonly name = "MergeError";
  readonly code = "PF_RESULTS_INCOMPLETE";
  readonly next = "run the missing units, or start the run anew";
}

/** Numbers from which a statistic has no meaning. */
export class StatisticsInputError extends Error {
  override readonly name = "StatisticsInputError";
  readonly code = "PF_STATISTICS_INPUT";
}

/** How a grid point reads in messages: `ema_fast 50, ema_slow 40`. */
export function describePoint(point: GridPoint): string {
  return Object.entries(point)
    .map(([key, value]) => `${key} ${value}`)
    .join(", ");
}
