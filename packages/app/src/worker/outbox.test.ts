import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { newYorkToUtcMs, sessionDate } from "@pf/market";
import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import { type Level, mostWaiting, type WorkerEvent, WorkerLog } from "./log.js";
import { Outbox, type Teller } from "./outbox.js";

const whose = { mode: "paper", account: "DU1", venue: "ibkr" } as const;
const homes: string[] = [];
afterEach(() => {
  for (const home of homes.splice(0)) rmSync(home, { recursive: true, force: true });
});

/** The processes of one worker, each with an outbox on the same log, and a channel that can be out of order. */
class World {
  readonly home = mkdtempSync(join(tmpdir(), "pf-outbox-"));
  readonly taken: { title: string; text: string }[] = [];
  /** Whether the channel takes nothing. */
  isDeaf = false;
  /** How often it was asked. */
  asked = 0;
  nowUtcMs = newYorkToUtcMs(sessionDate("2025-07-08"), "15:58");
  log!: WorkerLog;
  outbox!: Outbox;
  /** Answers that nobody has given yet. */
  readonly held: (() => void)[] = [];
  holds = false;

  constructor() {
    homes.push(this.home);
    this.start();
  }

  /** A new process; the one before it ended in whatever way. */
  start(): void {
    this.log?.close();
    const timers = { nowUtcMs: () => this.nowUtcMs, after: () => () => {} };
    this.log = WorkerLog.open(this.home, whose, timers);
    const teller: Teller = {
      isHeard: true,
      send: async ({ title, text }) => {
        this.asked++;
        if (this.holds) await new Promise<void>((answer) => this.held.push(answer));
        if (this.isDeaf) return false;
        this.taken.push({ title, text });
        return true;
      },
      ping: async () => null,
    };
    this.outbox = new Outbox(this.log, teller, () => {});
  }

  tell(title: string, level: Level = "alarm", detail = "a reason"): void {
    this.log.note({
      ...{ kind: "told", key: title, level, session: null, title, detail },
      ...{ isOver: false, waits: true },
    });
    this.outbox.post(this.log.state.everWaited, { key: title, level, title, text: detail });
  }

  async settled(): Promise<void> {
    for (let turn = 0; turn < 200; turn++) await Promise.resolve();
  }

  get titles(): readonly string[] {
    return this.taken.map(({ title }) => title);
  }
}

describe("a message", () => {
  it("that a channel takes is said once, and waits for nothing", async () => {
    const world = new World();
    world.tell("one");
    await world.settled();
    expect(world.taken).toEqual([{ title: "one", text: "a reason" }]);
    expect(world.outbox.undelivered).toEqual({ count: 0, sinceUtcMs: null, dropped: 0 });
    world.start();
    await world.outbox.tryAgain();
    expect(world.titles).toEqual(["one"]);
  });

  it("that no channel takes is kept over the end of the process, and said once later with its time", async () => {
    const world = new World();
    world.isDeaf = true;
    const toldAt = world.nowUtcMs;
    world.tell("one");
    await world.settled();
    world.nowUtcMs += 3_600_000;
    world.tell("two", "info", "");
    await world.settled();
    expect(world.outbox.undelivered).toEqual({ count: 2, sinceUtcMs: toldAt, dropped: 0 });
    expect(world.outbox.isAlarmLate).toBe(true);
    world.start();
    world.start();
    expect(world.outbox.undelivered.count).toBe(2);
    world.isDeaf = false;
    await world.outbox.tryAgain();
    expect(world.taken).toEqual([
      {
        title: "one",
        text: "told first on 2025-07-08 at 15:58 New York time, when it reached nobody\na reason",
      },
      {
        title: "two",
        text: "told first on 2025-07-08 at 16:58 New York time, when it reached nobody",
      },
    ]);
    expect(world.outbox.undelivered.count).toBe(0);
    world.start();
    await world.outbox.tryAgain();
    expect(world.taken).toHaveLength(2);
  });

  it("that was never tried, because the process was killed before, is tried by the next one", async () => {
    const world = new World();
    world.log.note({
      ...{ kind: "told", key: "k", level: "alarm", session: null, title: "killed" },
      ...{ detail: "", isOver: false, waits: true },
    });
    world.start();
    await world.outbox.tryAgain();
    expect(world.titles).toEqual(["killed"]);
  });

  it("that gets through takes along what waits, whatever came first", async () => {
    const world = new World();
    world.isDeaf = true;
    world.tell("one");
    world.tell("two");
    await world.settled();
    world.isDeaf = false;
    world.tell("three");
    await world.settled();
    expect(world.titles).toEqual(["three", "one", "two"]);
  });

  it("of a version that kept nothing, or of a worker without channels, does not wait", () => {
    const world = new World();
    world.log.note({
      ...{ kind: "told", key: "k", level: "alarm", session: null, title: "old", detail: "", isOver: false },
    });
    world.start();
    expect(world.log.state.waiting).toEqual([]);
  });
});

describe("trying again", () => {
  it("asks a channel that is still deaf once, not once for each message that waits", async () => {
    const world = new World();
    world.isDeaf = true;
    for (const title of ["one", "two", "three"]) world.tell(title);
    await world.settled();
    expect(world.asked).toBe(3);
    await world.outbox.tryAgain();
    expect(world.asked).toBe(4);
  });

  it("says one thing at a time and nothing twice, however often it is asked for", async () => {
    const world = new World();
    world.isDeaf = true;
    for (const title of ["one", "two", "three"]) world.tell(title);
    await world.settled();
    world.isDeaf = false;
    world.holds = true;
    const tries = [world.outbox.tryAgain(), world.outbox.tryAgain(), world.outbox.tryAgain()];
    for (const heard of [1, 2, 3]) {
      await world.settled();
      expect(world.held).toHaveLength(1);
      world.held.pop()!();
      await world.settled();
      expect(world.taken).toHaveLength(heard);
    }
    await Promise.all(tries);
    expect(world.titles).toEqual(["one", "two", "three"]);
  });

  it("does not repeat what was taken where that could not be noted, and notes it when it can", async () => {
    const world = new World();
    const { note } = world.log;
    world.log.note = (event: WorkerEvent) => {
      if (event.kind === "delivered") throw new Error("the disk is full");
      note.call(world.log, event);
    };
    world.isDeaf = true;
    world.tell("late");
    await world.settled();
    world.isDeaf = false;
    world.tell("prompt");
    await world.settled();
    await world.outbox.tryAgain();
    expect(world.titles).toEqual(["prompt", "late"]);
    expect(world.outbox.undelivered.count).toBe(0);
    expect(world.log.state.waiting).toHaveLength(2);
    world.log.note = note;
    await world.outbox.tryAgain();
    world.start();
    await world.outbox.tryAgain();
    expect(world.titles).toEqual(["prompt", "late"]);
  });
});

describe("when the worker ends", () => {
  it("what a channel takes meanwhile is noted, and what waits longer is left to the next process", async () => {
    const world = new World();
    world.holds = true;
    world.tell("one");
    let farewell = () => {};
    const timers = {
      nowUtcMs: () => world.nowUtcMs,
      after(_: number, callback: () => void) {
        farewell = callback;
        return () => {};
      },
    };
    const closing = world.outbox.close(timers);
    await world.settled();
    for (const answer of world.held.splice(0)) answer();
    await closing;
    world.start();
    expect(world.log.state.waiting).toEqual([]);

    world.tell("two");
    const leaving = world.outbox.close(timers);
    await world.settled();
    farewell();
    await leaving;
    for (const answer of world.held.splice(0)) answer();
    await world.settled();
    world.start();
    expect(world.log.state.waiting.map(({ title }) => title)).toEqual(["two"]);
  });
});

describe("what is kept", () => {
  it("is at most so much: information goes first, then warnings, and the next one that arrives says how many", async () => {
    const world = new World();
    world.isDeaf = true;
    world.tell("a warning", "warning");
    world.tell("information", "info");
    for (let nth = 1; nth <= mostWaiting; nth++) world.tell(`alarm ${nth}`);
    await world.settled();
    expect(world.outbox.undelivered).toMatchObject({ count: mostWaiting, dropped: 2 });
    world.start();
    expect(world.outbox.undelivered).toMatchObject({ count: mostWaiting, dropped: 2 });
    world.isDeaf = false;
    await world.outbox.tryAgain();
    expect(world.titles).toEqual(Array.from({ length: mostWaiting }, (_, at) => `alarm ${at + 1}`));
    expect(world.taken[0]!.text).toContain("2 more that waited were dropped");
    expect(world.taken.slice(1).filter(({ text }) => text.includes("dropped"))).toEqual([]);
    expect(world.outbox.undelivered).toEqual({ count: 0, sinceUtcMs: null, dropped: 0 });
  });

  it("does not count as dropped what arrived while it was", async () => {
    const world = new World();
    world.isDeaf = true;
    world.tell("information", "info");
    await world.settled();
    world.holds = true;
    const again = world.outbox.tryAgain();
    world.holds = false;
    for (let nth = 1; nth <= mostWaiting; nth++) world.tell(`alarm ${nth}`);
    await world.settled();
    expect(world.outbox.undelivered).toMatchObject({ count: mostWaiting, dropped: 1 });
    world.isDeaf = false;
    for (const answer of world.held.splice(0)) answer();
    await again;
    expect(world.taken).toHaveLength(mostWaiting + 1);
    expect(world.taken.filter(({ text }) => text.includes("dropped"))).toEqual([]);
    expect(world.outbox.undelivered.dropped).toBe(0);
  });

  it("is everything that was neither taken nor dropped, in whatever order things happen", async () => {
    const level = fc.constantFrom<Level>("info", "warning", "alarm");
    const act = fc.oneof(
      { weight: 8, arbitrary: fc.record({ tell: level }) },
      fc.constantFrom("deaf", "hears", "again", "start"),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(act, { minLength: 20, maxLength: 120 }), async (acts) => {
        const world = new World();
        let told = 0;
        for (const one of acts) {
          if (typeof one === "object") world.tell(`message ${++told}`, one.tell);
          else if (one === "deaf") world.isDeaf = true;
          else if (one === "hears") world.isDeaf = false;
          else if (one === "again") await world.outbox.tryAgain();
          else world.start();
          await world.settled();
        }
        const { waiting } = world.log.state;
        const titles = [...world.titles, ...waiting.map(({ title }) => title)];
        expect(waiting.length).toBeLessThanOrEqual(mostWaiting);
        expect(new Set(titles).size).toBe(titles.length);
        const spokenOf = world.taken.map(({ text }) => Number(/^(\d+) more that/m.exec(text)?.[1] ?? 0));
        const dropped = spokenOf.reduce((sum, one) => sum + one, world.log.state.dropped);
        expect(titles.length + dropped).toBe(told);
        world.log.close();
      }),
      { numRuns: 12 },
    );
  });
});
