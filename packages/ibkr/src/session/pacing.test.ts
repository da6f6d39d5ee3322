import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { manualTimers } from "../../test/manualTimers.js";
import { Pacing } from "./pacing.js";

describe("Pacing", () => {
  it("lets no more than the limit go in any one second, loses nothing and keeps the order", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 50 }),
        fc.array(fc.nat({ max: 400 }), { maxLength: 200 }),
        (limit, gaps) => {
          const timers = manualTimers();
          const pacing = new Pacing(timers, limit);
          const sent: { order: number; at: number }[] = [];
          gaps.forEach((gap, order) => {
            timers.advance(gap);
            pacing.run(() => sent.push({ order, at: timers.nowUtcMs() }));
          });
          timers.advance(1000 * (gaps.length + 1));
          expect(sent.map(({ order }) => order)).toEqual(gaps.map((_, order) => order));
          sent.slice(limit).forEach(({ at }, later) => {
            expect(at - sent[later]!.at).toBeGreaterThanOrEqual(1000);
          });
        },
      ),
    );
  });

  it("does not make anybody wait below the limit", () => {
    const timers = manualTimers();
    const pacing = new Pacing(timers, 35);
    let sent = 0;
    for (let n = 0; n < 35; n++) pacing.run(() => sent++);
    expect(sent).toBe(35);
  });

  it("lets the urgent go first, and forgets what was taken back", () => {
    const timers = manualTimers();
    const pacing = new Pacing(timers, 1);
    const sent: string[] = [];
    for (const name of ["first", "second", "third"]) pacing.run(() => sent.push(name));
    const takeBack = pacing.run(() => sent.push("never"));
    pacing.run(() => sent.push("order"), true);
    takeBack();
    timers.advance(10_000);
    expect(sent).toEqual(["first", "order", "second", "third"]);
  });

  it("goes on when the clock is put back", () => {
    const timers = manualTimers();
    const pacing = new Pacing(timers, 1);
    pacing.run(() => {});
    timers.setBack(3_600_000);
    let sent = false;
    pacing.run(() => {
      sent = true;
    });
    timers.advance(1000);
    expect(sent).toBe(true);
  });
});
