/** The address of the queue is none. It may hold a password, so that the error never repeats it. */
export class QueueAddressError extends Error {
  override readonly name = "QueueAddressError";
  readonly code = "PF_QUEUE_ADDRESS";
  constructor(readonly problem: string) {
    super(`the address of the queue cannot be used: ${problem}`);
  }
}

/** Nothing answers at the queue's address. */
export class QueueUnreachableError extends Error {
  override readonly name = "QueueUnreachableError";
  readonly code = "PF_QUEUE_UNREACHABLE";
  readonly next: string;
  constructor(
    /** Host and port; never a name or a password. */
    readonly queue: string,
    /** The system's name of the cause: `"ECONNREFUSED"`, `"ETIMEDOUT"`, ... */
    readonly errno: string,
  ) {
    super(`no queue answers at ${queue} (${errno})`);
    this.next = /CERT|ISSUER|SIGNATURE/.test(errno)
      ? "let Node trust its certificate: set NODE_EXTRA_CA_CERTS to the file of whoever signed it"
      : errno === "ECONNRESET"
        ? "correct research.queue: rediss:// is for a Redis that encrypts, redis:// for one that does not"
        : "start Redis there (redis-server), or correct research.queue";
  }
}

/** Redis answers and does not let us work: a password, a permission, a version. */
export class QueueRefusedError extends Error {
  override readonly name = "QueueRefusedError";
  readonly code = "PF_QUEUE_REFUSED";
  constructor(
    readonly queue: string,
    readonly answer: string,
    readonly next: string,
  ) {
    super(`the queue at ${queue} refuses: ${answer}`);
  }
}

/** Redis was there and has been away for longer than anybody should wait. */
export class QueueLostError extends Error {
  override readonly name = "QueueLostError";
  readonly code = "PF_QUEUE_LOST";
  constructor(
    readonly queue: string,
    readonly seconds: number,
    readonly done: number,
    readonly total: number,
  ) {
    super(
      `the queue at ${queue} has been away for ${seconds} s; ${done} of ${total} units of work had come back`,
    );
  }
}

/** Redis has no memory left for what has to go in. */
export class QueueFullError extends Error {
  override readonly name = "QueueFullError";
  readonly code = "PF_QUEUE_FULL";
  constructor(readonly queue: string) {
    super(`the queue at ${queue} has no memory left`);
  }
}

/** The bars that workers find in the queue are not those that were put there, or are gone, again and again. */
export class QueueDataError extends Error {
  override readonly name = "QueueDataError";
  readonly code = "PF_QUEUE_DATA";
  constructor(
    readonly queue: string,
    /** The content hash the bars go by. */
    readonly hash: string,
    readonly problem: "damaged" | "missing",
    readonly times: number,
  ) {
    super(
      problem === "damaged"
        ? `bars that are not those of hash ${hash.slice(0, 12)} came out of the queue at ${queue} ${times} times`
        : `the queue at ${queue} lost the bars of this run ${times} times`,
    );
  }
}

/** Somebody cancelled the run, from another terminal. */
export class RunCancelledError extends Error {
  override readonly name = "RunCancelledError";
  readonly code = "PF_RUN_CANCELLED";
  constructor(
    readonly run: string,
    readonly done: number,
    readonly total: number,
  ) {
    super(`run ${run} was cancelled after ${done} of ${total} units of work`);
  }
}

/** A worker was handed work of another program or protocol, which its queue should never hold. */
export class OtherCodeError extends Error {
  override readonly name = "OtherCodeError";
  readonly code = "PF_QUEUE_OTHER_CODE";
  constructor(
    /** What the work asks for. */
    readonly wanted: string,
    /** What the worker is. */
    readonly worker: string,
  ) {
    super(`the work is for version ${wanted} and the worker is version ${worker}`);
  }
}

/** Workers that began a unit ended without a word, one after the other. */
export class WorkersDiedError extends Error {
  override readonly name = "WorkersDiedError";
  readonly code = "PF_WORKERS_DIED";
  constructor(readonly workers: number) {
    super(`${workers} workers that began it ended without a word`);
  }
}

/** There is no such run in the queue. */
export class UnknownRunError extends Error {
  override readonly name = "UnknownRunError";
  readonly code = "PF_UNKNOWN_RUN";
  constructor(
    readonly run: string,
    readonly known: readonly string[],
  ) {
    super(
      known.length === 0
        ? `there is no run ${run}: the queue holds none`
        : `there is no run ${run}; the queue holds ${known.join(", ")}`,
    );
  }
}
