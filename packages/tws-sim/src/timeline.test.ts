import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Timeline } from "./timeline.js";

describe("Timeline", () => {
  it("does things in the order of time, and of asking within an instant", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(20)), fc.array(fc.nat(20)), (times, stops) => {
        const timeline = new Timeline();
        const done: (readonly [number, number])[] = [];
        for (const [asked, time] of times.entries()) timeline.add(time, () => done.push([time, asked]));
        let last = -1;
        for (const stop of [...stops, 20].sort((a, b) => a - b)) {
          timeline.runUpTo(stop);
          last = stop;
          expect(done.length).toBe(times.filter((time) => time <= last).length);
          expect(timeline.nextDueUtcMs).toBe(
            times
              .filter((time) => time > last)
              .reduce<number | undefined>((least, time) => Math.min(least ?? time, time), undefined),
          );
        }
        const expected = times
          .map((time, asked) => [time, asked] as const)
          .sort((a, b) => a[0] - b[0] || a[1] - b[1]);
        expect(done).toEqual(expected);
      }),
    );
  });

  it("does what is asked for meanwhile, and not what was called off", () => {
    const timeline = new Timeline();
    const done: string[] = [];
    const callOff = timeline.add(2, () => done.push("never"));
    timeline.add(1, () => {
      done.push("first");
      timeline.add(1, () => done.push("second"));
      callOff();
    });
    timeline.runUpTo(5);
    expect(done).toEqual(["first", "second"]);
  });

  it("repeats at multiples of the period until called off", () => {
    const timeline = new Timeline();
    const at: number[] = [];
    let now = 0;
    const stop = timeline.every(10, 5, () => at.push(now));
    for (now of [14, 15, 25, 26, 35]) timeline.runUpTo(now);
    stop();
    timeline.runUpTo(1000);
    expect(at).toEqual([15, 25, 35]);
    expect(timeline.nextDueUtcMs).toBe(undefined);
  });
});
