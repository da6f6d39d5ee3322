/** How patient the queue is, in milliseconds. Tests are less so. */
export interface Timing {
  /** How often workers and runs say that they live. */
  readonly heartbeatMs: number;
  /** After how long without a word they count as gone. */
  readonly goneMs: number;
  /** How long a worker's claim on a message outlives the worker. */
  readonly lockMs: number;
  /** How often claims without a worker are looked for. */
  readonly stalledMs: number;
  /** How often the submitter looks by itself, whatever it was told. */
  readonly lookMs: number;
  /** After how long without a worker the submitter says so. */
  readonly nobodyMs: number;
  /** How long Redis may be away in the middle of a run before the run fails. */
  readonly awayMs: number;
  /** How long results of a run that did not finish are kept for the next one to find. */
  readonly keepMs: number;
  /** How long connecting may take. */
  readonly connectMs: number;
}

export const usualTiming: Timing = {
  heartbeatMs: 2000,
  goneMs: 15_000,
  lockMs: 10_000,
  stalledMs: 5000,
  lookMs: 2000,
  nobodyMs: 3000,
  awayMs: 120_000,
  keepMs: 24 * 3_600_000,
  connectMs: 5000,
};

/** How often a unit's worker may end without a word before the unit is blamed. */
export const mostDeaths = 3;
