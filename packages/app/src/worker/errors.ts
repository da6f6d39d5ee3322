/** A step of the worker took longer than it may, and was asked to stop. */
export class StepLimitError extends Error {
  override readonly name = "StepLimitError";
  readonly code = "PF_WORKER_STEP_LIMIT";

  constructor(
    readonly step: string,
    readonly limitMs: number,
  ) {
    super(`${step} took longer than ${Math.round(limitMs / 1000)} s, and was stopped`);
  }
}

/** A step of the worker did not stop when it was asked to: only a new process can go on. */
export class StuckStepError extends Error {
  override readonly name = "StuckStepError";
  readonly code = "PF_WORKER_STUCK";

  constructor(
    readonly step: string,
    readonly limitMs: number,
  ) {
    super(`${step} took longer than ${Math.round(limitMs / 1000)} s, and did not stop when it was asked to`);
  }
}

/** The worker ran into one fault after the other. */
export class WorkerFailedError extends Error {
  override readonly name = "WorkerFailedError";
  readonly code = "PF_WORKER_FAILED";

  constructor(
    readonly faults: number,
    cause: unknown,
  ) {
    super(`${faults} faults in a row, the last one: ${(cause as Error).message}`, { cause });
  }
}
