/** What time it is. Real programs pass {@link systemClock}; tests and simulators pass their own. */
export interface Clock {
  nowUtcMs(): number;
}

/** The clock of the machine. */
export const systemClock: Clock = { nowUtcMs: () => Date.now() };

/** Something a person waiting would like to know. */
export interface Progress {
  /** What is being done, "fetching SPY". */
  readonly step: string;
  /** Which of {@link total} units is being worked on, counted from 1, where the work has units. */
  readonly at?: number;
  readonly total?: number;
  /** Whether this is no step of the work but something to know or to do while it waits: not to be overwritten by the next. */
  readonly isNotice?: true;
}

/** Receives what a service is doing while it does it; it must not throw. */
export type ProgressListener = (progress: Progress) => void;
