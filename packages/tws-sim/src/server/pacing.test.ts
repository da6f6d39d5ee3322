import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MessageRate, SmallBarPacing } from "./pacing.js";

describe("MessageRate", () => {
  it("lets no more than fifty messages into any second, however they come", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(100), { minLength: 60, maxLength: 200 }), (gaps) => {
        const rate = new MessageRate();
        let now = 0;
        const read = gaps.map((gap) => {
          now += gap;
          return now + rate.wait(now);
        });
        expect(read).toEqual([...read].sort((a, b) => a - b));
        for (const [at, time] of read.entries()) {
          expect(time - (read[at - 50] ?? Number.NEGATIVE_INFINITY)).toBeGreaterThanOrEqual(1000);
        }
      }),
    );
  });
  it("lets who keeps to the rate never wait", () => {
    const rate = new MessageRate();
    for (let now = 0; now < 10_000; now += 20) expect(rate.wait(now)).toBe(0);
  });
});

describe("SmallBarPacing", () => {
  it("knows the three documented limits, for small bars only", () => {
    const pacing = new SmallBarPacing();
    const ask = (now: number, request: string, contract = request, barSize = "30 secs", what = "TRADES") =>
      pacing.isExceeded(now, barSize, request, contract, what);
    expect([ask(0, "a"), ask(14_999, "a"), ask(30_000, "a")]).toEqual([false, true, false]);
    expect(Array.from({ length: 6 }, (_, at) => ask(100_000 + at, `b${at}`, "b"))).toEqual([
      false,
      false,
      false,
      false,
      false,
      true,
    ]);
    expect(ask(100_010, "a", "a", "1 day")).toBe(false);
    const many = Array.from({ length: 35 }, (_, at) =>
      ask(2_000_000 + at * 3000, `c${at}`, `c${at}`, "1 secs", "BID_ASK"),
    );
    expect(many.indexOf(true)).toBe(30);
  });
});
