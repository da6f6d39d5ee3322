import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { type Attempt, retried, usualRetry } from "./retry.js";

const again: Attempt = { outcome: "again", detail: "answered 500" };
const done: Attempt = { outcome: "done", detail: "answered 200" };
const refused: Attempt = { outcome: "refused", detail: "answered 404" };

/** Attempts that come to these, under a clock that only sleeping moves. */
function world(results: readonly Attempt[]) {
  const pauses: number[] = [];
  let made = 0;
  const startMs = Date.parse("2026-10-21T07:28:00Z");
  let now = startMs;
  return {
    pauses,
    get made() {
      return made;
    },
    attempt: async () => results[Math.min(made++, results.length - 1)]!,
    timers: {
      nowUtcMs: () => now,
      sleep: async (ms: number) => {
        pauses.push(ms);
        now += ms;
      },
    },
  };
}

const run = async (results: readonly Attempt[], policy = usualRetry) => {
  const { attempt, timers, pauses } = world(results);
  return { result: await retried(attempt, policy, timers), pauses };
};

describe("a message is tried", () => {
  it("once where it is taken or refused, without a pause", async () => {
    expect(await run([done])).toEqual({
      result: { ok: true, attempts: 1, detail: "answered 200" },
      pauses: [],
    });
    expect(await run([refused, done])).toEqual({
      result: { ok: false, attempts: 1, detail: "answered 404" },
      pauses: [],
    });
  });

  it("again after pauses that double, until it is taken", async () => {
    const { result, pauses } = await run([again, again, again, done]);
    expect(result).toEqual({ ok: true, attempts: 4, detail: "answered 200" });
    expect(pauses).toEqual([1000, 2000, 4000]);
  });

  it("never more often than the policy says, and never with a pause longer than it says", async () => {
    const policies = fc.record({
      attempts: fc.integer({ min: 1, max: 12 }),
      firstPauseMs: fc.integer({ min: 1, max: 5_000 }),
      longestPauseMs: fc.integer({ min: 5_000, max: 20_000 }),
      attemptTimeoutMs: fc.constant(1_000),
    });
    await fc.assert(
      fc.asyncProperty(policies, fc.nat({ max: 15 }), async (policy, failures) => {
        const { result, pauses } = await run([...Array(failures).fill(again), done], policy);
        const attempts = Math.min(failures + 1, policy.attempts);
        expect(result).toMatchObject({ attempts, ok: failures < policy.attempts });
        expect(pauses).toHaveLength(attempts - 1);
        pauses.forEach((pause, k) => {
          expect(pause).toBe(Math.min(policy.firstPauseMs * 2 ** k, policy.longestPauseMs));
        });
      }),
    );
  });

  it("not before the server wants it, in seconds or by a date", async () => {
    expect((await run([{ ...again, retryAfter: "7" }, done])).pauses).toEqual([7000]);
    expect((await run([{ ...again, retryAfter: "Wed, 21 Oct 2026 07:28:09 GMT" }, done])).pauses).toEqual([
      9000,
    ]);
    // A shorter wish does not make us hastier.
    expect((await run([{ ...again, retryAfter: "0.2" }, done])).pauses).toEqual([1000]);
    expect((await run([{ ...again, retryAfter: "soon" }, done])).pauses).toEqual([1000]);
  });

  it("no more where the server asks for more patience than there is", async () => {
    expect(await run([{ ...again, detail: "answered 429", retryAfter: "3600" }, done])).toEqual({
      result: { ok: false, attempts: 1, detail: "answered 429 and asks to wait 3600 seconds" },
      pauses: [],
    });
  });

  it("not at all where it was stopped before, and no more after it was stopped", async () => {
    const { attempt, timers } = world([again]);
    expect(await retried(attempt, usualRetry, timers, AbortSignal.abort())).toMatchObject({
      ok: false,
      attempts: 0,
    });
    const stop = new AbortController();
    const sleep = async () => stop.abort();
    expect(await retried(attempt, usualRetry, { ...timers, sleep }, stop.signal)).toMatchObject({
      ok: false,
      attempts: 1,
    });
  });

  it("for as long as one attempt may take, and with nothing left on a signal that lives on", async () => {
    const life = new AbortController();
    const [added, removed] = [
      vi.spyOn(life.signal, "addEventListener"),
      vi.spyOn(life.signal, "removeEventListener"),
    ];
    const slow = (signal: AbortSignal) =>
      new Promise<Attempt>((resolve) => signal.addEventListener("abort", () => resolve(again)));
    const policy = { ...usualRetry, attempts: 3, attemptTimeoutMs: 5 };
    const { timers } = world([]);
    expect(await retried(slow, policy, timers, life.signal)).toMatchObject({ ok: false, attempts: 3 });
    expect(added).toHaveBeenCalledTimes(3);
    expect(removed.mock.calls.map(([, listener]) => listener)).toEqual(
      added.mock.calls.map(([, listener]) => listener),
    );
  });
});
