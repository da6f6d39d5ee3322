import type { Simulator } from "@pf/tws-sim";
import { describe, expect, it } from "vitest";
import { SimulatedTime } from "./time.js";

/** A market that has something due at some instants, and tells when. */
function marketWith(...due: number[]) {
  const happened: number[] = [];
  let now = 0;
  let tell = () => {};
  const simulator = {
    now: () => now,
    async advanceTo(utcMs: number) {
      for (const instant of due.filter((one) => one > now && one <= utcMs)) {
        now = instant;
        happened.push(instant);
        tell();
      }
      now = Math.max(now, utcMs);
      await new Promise((resolve) => setImmediate(resolve));
    },
    venue: {
      nextDueUtcMs: () => due.find((one) => one > now),
      onEvent: (listener: () => void) => {
        tell = listener;
      },
    },
  } as unknown as Simulator;
  return { simulator, happened, now: () => now };
}

const turns = async (count: number) => {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
};

describe("simulated time", () => {
  it("passes from one thing that is due to the next, on either side, in order", async () => {
    const { simulator, now } = marketWith(5, 20);
    const time = new SimulatedTime(simulator);
    const heard: string[] = [];
    const waits = (ms: number, name: string) =>
      new Promise<void>((resolve) =>
        time.timers.after(ms, () => {
          heard.push(`${name} at ${now()}`);
          resolve();
        }),
      );
    await time.during(
      (async () => {
        time.flow();
        await Promise.all([waits(30, "late"), waits(10, "early"), waits(10, "after early")]);
        await waits(7, "last");
      })(),
    );
    expect(heard).toEqual(["early at 10", "after early at 10", "late at 30", "last at 37"]);
  });

  it("stands while somebody is at work, and while nobody waits for it", async () => {
    const { simulator, happened, now } = marketWith(5);
    const time = new SimulatedTime(simulator);
    await time.during(
      (async () => {
        time.flow();
        await turns(50);
        expect(now()).toBe(0);
        const stop = time.timers.after(1_000, () => {});
        for (let step = 0; step < 50; step++) {
          time.timers.nowUtcMs();
          await turns(2);
        }
        expect(now()).toBe(0);
        stop();
      })(),
    );
    expect(happened).toEqual([]);
  });

  it("stands during work with files, and forgets what was taken back", async () => {
    const { simulator, now } = marketWith();
    const time = new SimulatedTime(simulator);
    let rang = 0;
    await time.during(
      (async () => {
        const stop = time.timers.after(10, () => rang++);
        await turns(50);
        expect(now()).toBe(0);
        stop();
        time.flow();
        await new Promise<void>((resolve) => time.timers.after(40, resolve));
        time.stand();
        time.timers.after(1, () => rang++);
        await turns(50);
      })(),
    );
    expect([rang, now()]).toEqual([0, 40]);
  });

  it("gives what the work gives, and throws what it throws", async () => {
    const time = new SimulatedTime(marketWith().simulator);
    expect(await time.during(Promise.resolve(7))).toBe(7);
    await expect(time.during(Promise.reject(new Error("no")))).rejects.toThrow("no");
  });
});
