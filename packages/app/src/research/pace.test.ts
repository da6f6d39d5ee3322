import { describe, expect, it } from "vitest";
import type { Progress } from "../ports.js";
import { pace } from "./pace.js";

describe("the pace of a long piece of work", () => {
  const told: Progress[] = [];
  let now = 0;
  const start = (total: number, known: number) => {
    told.length = 0;
    now = 0;
    return pace("shuffling", total, known, { nowUtcMs: () => now }, (progress) => told.push(progress));
  };

  it("is told at once, then a second apart, and at the end", () => {
    const tell = start(1000, 0);
    for (let done = 1; done <= 1000; done++) {
      now = done * 10;
      tell(done);
    }
    expect(told.map(({ at }) => at)).toEqual([0, 100, 200, 300, 400, 500, 600, 700, 800, 900, 1000]);
    expect(told[0]).toEqual({ step: "shuffling", at: 0, total: 1000 });
    expect(told.at(-1)).toEqual({ step: "shuffling", at: 1000, total: 1000 });
    expect(told[1]!.step).toBe("shuffling, about 9 s left");
  });

  it("says how long the rest takes, leaving out what was there before and what starting took", () => {
    const tell = start(10_100, 90);
    now = 60_000;
    tell(100);
    expect(told.at(-1)!.step).toBe("shuffling");
    now = 70_000;
    tell(200);
    expect(told.at(-1)!.step).toBe("shuffling, about 17 min left");
    now = 1_000_000 + 60_000;
    tell(300);
    expect(told.at(-1)!.step).toBe("shuffling, about 14 h left");
  });
});
