import type { Timers } from "./clock.js";

/**
 * Lets at most so many messages go in any one second; the others wait here, where they can be taken back, and never in
 * the library. What is urgent (orders, cancellations) goes before what is not.
 */
export class Pacing {
  private readonly sentMs: number[] = [];
  private readonly urgent: (() => void)[] = [];
  private readonly waiting: (() => void)[] = [];
  private wake: (() => void) | undefined;

  constructor(
    private readonly timers: Timers,
    private readonly perSecond: number,
  ) {}

  /** Runs at once if there is room, else when there is; what is returned takes it back while it waits. */
  run(send: () => void, urgent = false): () => void {
    const queue = urgent ? this.urgent : this.waiting;
    queue.push(send);
    this.go();
    return () => {
      const at = queue.indexOf(send);
      if (at >= 0) queue.splice(at, 1);
    };
  }

  /** Forgets everything that waits. */
  clear(): void {
    this.urgent.length = 0;
    this.waiting.length = 0;
    this.wake?.();
    this.wake = undefined;
  }

  private go(): void {
    while (this.urgent.length + this.waiting.length > 0) {
      const now = this.timers.nowUtcMs();
      // A clock put back would keep everything waiting: what lies in its future is as old as can be.
      while (this.sentMs.length > 0 && (this.sentMs[0]! <= now - 1000 || this.sentMs[0]! > now))
        this.sentMs.shift();
      if (this.sentMs.length >= this.perSecond) {
        this.wake ??= this.timers.after(this.sentMs[0]! + 1000 - now, () => {
          this.wake = undefined;
          this.go();
        });
        return;
      }
      this.sentMs.push(now);
      const send = (this.urgent.shift() ?? this.waiting.shift())!;
      send();
    }
  }
}
