import type { SimulatorSpeed } from "../options.js";

/** What a clock drives. */
export interface Driven {
  /** Simulated time. */
  now(): number;
  /** The next instant at which something happens by itself. */
  nextDueUtcMs(): number | undefined;
  /** Lets everything happen up to the instant. */
  step(utcMs: number): void;
  /** Whether anybody is there for whom time passes at full speed. */
  isWatched(): boolean;
}

/** The largest stride of simulated time at full speed: clients are served between any two. */
const strideMs = 1000;
/** How long a clock at a multiple of real time sleeps at most, real milliseconds. */
const longestSleepMs = 1000;

/**
 * Lets simulated time pass. It knows real time only as how long ago it began: simulated time is the instant at which the
 * speed was set plus that, times the speed, computed anew each time, so that no error accumulates.
 */
export class Clock {
  #speed: SimulatorSpeed = "frozen";
  #beganRealMs = 0;
  #beganUtcMs = 0;
  #cancelWaiting: (() => void) | undefined;

  constructor(
    private readonly driven: Driven,
    private readonly endUtcMs: number,
  ) {}

  get speed(): SimulatorSpeed {
    return this.#speed;
  }

  setSpeed(speed: SimulatorSpeed): void {
    this.catchUp();
    this.#cancelWaiting?.();
    this.#cancelWaiting = undefined;
    this.#speed = speed;
    this.anchor();
    this.wake();
  }

  /** Takes the present simulated time as the one from which to count; after somebody moved it by hand. */
  anchor(): void {
    this.#beganRealMs = performance.now();
    this.#beganUtcMs = this.driven.now();
  }

  /** Brings simulated time to where it should be by now. */
  catchUp(): void {
    if (typeof this.#speed !== "number") return;
    const passed = Math.floor((performance.now() - this.#beganRealMs) * this.#speed);
    const target = Math.min(this.#beganUtcMs + passed, this.endUtcMs);
    if (target > this.driven.now()) this.driven.step(target);
  }

  /** Looks again for what to wait for: something new is due, or somebody came. */
  wake(): void {
    if (this.#speed === "frozen" || this.driven.now() >= this.endUtcMs) return;
    if (this.#speed === "max") {
      if (!this.#cancelWaiting && this.driven.isWatched()) this.#stride();
      return;
    }
    this.#cancelWaiting?.();
    const due = this.driven.nextDueUtcMs() ?? Number.POSITIVE_INFINITY;
    const realMs = Math.max(0, (due - this.driven.now()) / this.#speed);
    const timer = setTimeout(
      () => {
        this.#cancelWaiting = undefined;
        this.catchUp();
        this.wake();
      },
      Math.min(realMs, longestSleepMs),
    );
    this.#cancelWaiting = () => clearTimeout(timer);
  }

  stop(): void {
    this.#cancelWaiting?.();
    this.#cancelWaiting = undefined;
    this.#speed = "frozen";
  }

  #stride(): void {
    const immediate = setImmediate(() => {
      this.#cancelWaiting = undefined;
      if (this.#speed !== "max") return;
      const { driven } = this;
      const stride = driven.now() + strideMs;
      driven.step(Math.min(stride, Math.max(driven.now(), driven.nextDueUtcMs() ?? stride), this.endUtcMs));
      this.wake();
    });
    this.#cancelWaiting = () => clearImmediate(immediate);
  }
}
