import type { IbkrOptions } from "@pf/ibkr";
import type { Simulator } from "@pf/tws-sim";

type Timers = NonNullable<IbkrOptions["timers"]>;

/** Turns of the event loop in which nobody does anything: then everything sent has arrived, and everybody waits. */
const quietTurns = 6;
/** Milliseconds of the machine after which a question that nobody answers is taken for one, and its time runs out. */
const silenceMs = 5_000;

interface Waiting {
  readonly atUtcMs: number;
  readonly run: () => void;
}

/**
 * The one clock of a broker that is simulated and of the program that talks to it, both in this process. Time stands
 * while anybody is at work, and goes on to the next thing that is due when both wait for it: so that what happens does
 * not depend on how fast the machine is.
 */
export class SimulatedTime {
  /** What a session with the simulator waits by. */
  readonly timers: Timers;
  /** In order of time, at the same instant in the order of asking. */
  private readonly waiting: Waiting[] = [];
  /** Counts everything that somebody does. */
  private acts = 0;
  private flows = false;
  private wake = () => {};

  /**
   * @param isAtWork - whether anybody still reads, writes or listens; who can say so gets a clock that needs no
   *   {@link stand}, and that stops at everything the simulator does, message by message
   */
  constructor(
    private readonly simulator: Simulator,
    private readonly isAtWork?: () => boolean,
  ) {
    this.timers = {
      nowUtcMs: () => {
        this.acts++;
        return simulator.now();
      },
      after: (ms, callback) => {
        this.acts++;
        const one: Waiting = { atUtcMs: simulator.now() + Math.max(0, ms), run: callback };
        let at = this.waiting.length;
        while (at > 0 && this.waiting[at - 1]!.atUtcMs > one.atUtcMs) at--;
        this.waiting.splice(at, 0, one);
        return () => {
          this.acts++;
          const index = this.waiting.indexOf(one);
          if (index >= 0) this.waiting.splice(index, 1);
        };
      },
    };
    simulator.venue.onEvent(() => {
      this.acts++;
    });
  }

  /** From now on waiting is for time to pass, not for files. */
  flow(): void {
    this.acts++;
    this.flows = true;
    this.wake();
  }

  /** Until told otherwise nothing needs time: whoever waits, waits for the disk. */
  stand(): void {
    this.acts++;
    this.flows = false;
  }

  /** Lets time pass for some work as the work needs it. */
  async during<T>(work: Promise<T>): Promise<T> {
    let isOver = false;
    const end = () => {
      isOver = true;
      this.wake();
    };
    work.then(end, end);
    try {
      while (!isOver) {
        const mayPass = this.flows ? await this.isQuiet(() => isOver) : await this.isSilent(() => isOver);
        if (mayPass) await this.pass();
      }
    } finally {
      this.flows = false;
    }
    return work;
  }

  /** Waits to be told that time may flow; whether nothing happens for so long that somebody waits for it unannounced. */
  private async isSilent(isOver: () => boolean): Promise<boolean> {
    const before = this.acts;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, silenceMs);
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
      if (isOver()) this.wake();
    });
    this.wake = () => {};
    return this.acts === before && !isOver() && !this.flows;
  }

  private async isQuiet(isOver: () => boolean): Promise<boolean> {
    let before = this.acts;
    for (let quiet = 0; quiet < quietTurns; quiet++) {
      await new Promise((resolve) => setImmediate(resolve));
      if (isOver() || !this.flows || this.waiting.length === 0) return false;
      if (this.acts !== before || this.isAtWork?.()) quiet = -1;
      before = this.acts;
    }
    return true;
  }

  /** To the next thing that is due on either side; not where nobody waits for it, who then waits for something else. */
  private async pass(): Promise<void> {
    const [first] = this.waiting;
    if (!first) return;
    const { simulator, isAtWork } = this;
    const next = isAtWork ? simulator.nextDueUtcMs() : simulator.venue.nextDueUtcMs();
    const due = next ?? Number.POSITIVE_INFINITY;
    await simulator.advanceTo(Math.min(due, first.atUtcMs));
    // What was sent just now is heard before anybody's patience ends.
    if (isAtWork && due <= first.atUtcMs) return;
    while (this.waiting.length > 0 && this.waiting[0]!.atUtcMs <= this.simulator.now()) {
      this.waiting.shift()!.run();
    }
  }
}
