import type { Alert } from "@pf/alerts";
import type { Timers } from "@pf/ibkr";
import { newYorkDateOf, newYorkTimeOf } from "@pf/market";
import { mostWaiting, type Waiting, type WorkerLog } from "./log.js";

/** Somebody who tells people. It never throws, and no step waits for it. */
export interface Teller {
  /** Whether there is any channel at all: without one nothing is kept until it is delivered. */
  readonly isHeard: boolean;
  /** Says whether a channel took it: as soon as the first did, or when the last has been given up. */
  send(alert: Alert): Promise<boolean>;
  /** Says that all is well, or that it is not. */
  ping(state: "ok" | "fail"): Promise<unknown>;
}

/** Messages that reached nobody yet. */
export interface Undelivered {
  readonly count: number;
  /** When the oldest of them was told first; `null` where there is none. */
  readonly sinceUtcMs: number | null;
  /** How many older ones were dropped, because no more are kept. */
  readonly dropped: number;
}

/** What is still under way when the worker ends has so long. */
const farewellMs = 15_000;

/**
 * Delivers what was told, and keeps it until a channel took it. What waits stands in the log before it is sent for the
 * first time, so that it survives whatever ends the process; that it was taken is noted as soon as a channel did. Only a
 * process that is killed between the two says the same again.
 */
export class Outbox {
  private readonly underWay = new Map<number, Promise<boolean>>();
  private readonly tried = new Set<number>();
  /** Taken and not noted yet, each with how many that were dropped it spoke of. */
  private readonly taken = new Map<number, number>();
  private isTryingAgain = false;
  private isClosing = false;
  private isClosed = false;

  constructor(
    private readonly log: WorkerLog,
    private readonly teller: Teller,
    private readonly onChange: () => void,
  ) {
    // A process before this one has tried them.
    for (const { nth } of log.state.waiting) this.tried.add(nth);
  }

  get undelivered(): Undelivered {
    const { late } = this;
    return { count: late.length, sinceUtcMs: late[0]?.atUtcMs ?? null, dropped: this.log.state.dropped };
  }

  get isAlarmLate(): boolean {
    return this.late.some(({ level }) => level === "alarm");
  }

  /**
   * Sends what was told just now, whatever waits before it.
   *
   * @param nth - as which it waits; `null` for what could not be kept, or need not be: that is sent this once
   */
  post(nth: number | null, alert: Alert): void {
    const work = nth === null ? this.teller.send(alert) : this.deliver(nth, alert, 0);
    void work
      .then((isTaken) => {
        if (isTaken) return this.tryAgain();
        if (nth !== null) this.tried.add(nth);
        this.onChange();
      })
      .catch(() => {});
  }

  /** Sends what waits, the oldest first, until something is not taken. One at a time: whoever was away is not flooded. */
  async tryAgain(): Promise<void> {
    if (this.isTryingAgain) return;
    this.isTryingAgain = true;
    try {
      for (const nth of this.taken.keys()) this.noteTaken(nth);
      while (!this.isClosing) {
        const message = this.late.find(({ nth }) => !this.underWay.has(nth));
        if (!message) return;
        const { dropped } = this.log.state;
        const { nth, key, level, title } = message;
        const text = lateText(message, dropped);
        if (!(await this.deliver(nth, { key, level, title, text }, dropped))) return;
      }
    } finally {
      this.isTryingAgain = false;
    }
  }

  /** Waits a while for what is under way; after that nothing is noted any more. */
  async close(timers: Timers): Promise<void> {
    this.isClosing = true;
    if (this.underWay.size > 0) {
      let takeBack = () => {};
      const limit = new Promise<void>((resolve) => {
        takeBack = timers.after(farewellMs, resolve);
      });
      await Promise.race([Promise.allSettled(this.underWay.values()), limit]);
      takeBack();
    }
    for (const nth of this.taken.keys()) this.noteTaken(nth);
    this.isClosed = true;
  }

  /** What has been tried, and reached nobody. */
  private get late(): readonly Waiting[] {
    return this.log.state.waiting.filter(({ nth }) => this.tried.has(nth) && !this.taken.has(nth));
  }

  private deliver(nth: number, alert: Alert, dropped: number): Promise<boolean> {
    const work = this.teller.send(alert).then((isTaken) => {
      this.underWay.delete(nth);
      if (isTaken && !this.isClosed) {
        this.taken.set(nth, dropped);
        this.noteTaken(nth);
        this.onChange();
      }
      return isTaken;
    });
    this.underWay.set(nth, work);
    return work;
  }

  /** Where the log cannot be written, nothing is said twice by this process all the same, and it is noted with the next one. */
  private noteTaken(nth: number): void {
    try {
      this.log.note({ kind: "delivered", nth, dropped: this.taken.get(nth) ?? 0 });
    } catch {
      return;
    }
    this.taken.delete(nth);
    this.tried.delete(nth);
  }
}

function lateText({ atUtcMs, detail }: Waiting, dropped: number): string {
  const late = `told first on ${newYorkDateOf(atUtcMs)} at ${newYorkTimeOf(atUtcMs)} New York time, when it reached nobody`;
  const more = `${dropped} more that waited ${dropped === 1 ? "was" : "were"} dropped, because no more than ${mostWaiting} are kept: the page's log has them`;
  return [late, ...(dropped > 0 ? [more] : []), ...(detail === "" ? [] : [detail])].join("\n");
}
