import { describe, expect, it } from "vitest";
import { withLimit } from "./step.js";

/** A clock that goes on when it is told to. */
function handTimers() {
  let now = 0;
  let waiting: { at: number; run: () => void }[] = [];
  return {
    nowUtcMs: () => now,
    after(ms: number, run: () => void) {
      const one = { at: now + ms, run };
      waiting.push(one);
      return () => {
        waiting = waiting.filter((other) => other !== one);
      };
    },
    async pass(ms: number) {
      now += ms;
      const due = waiting.filter(({ at }) => at <= now);
      waiting = waiting.filter((one) => !due.includes(one));
      for (const { run } of due) run();
      await new Promise((resolve) => setImmediate(resolve));
    },
    get open() {
      return waiting.length;
    },
  };
}

/** Ends when it is asked to, as work should. */
const obedient = (signal: AbortSignal) =>
  new Promise<never>((_, reject) =>
    signal.addEventListener("abort", () => reject(new Error("stopped in the middle"))),
  );

describe("withLimit", () => {
  it("gives what the work gives or throws, and leaves no timer behind", async () => {
    const timers = handTimers();
    const { signal } = new AbortController();
    expect(await withLimit("work", 1000, async () => 42, { timers, signal })).toBe(42);
    const failing = withLimit("work", 1000, () => Promise.reject(new Error("no")), { timers, signal });
    await expect(failing).rejects.toThrow("no");
    expect(timers.open).toBe(0);
  });

  it("asks the work to stop at the limit, and says so when it did", async () => {
    const timers = handTimers();
    const { signal } = new AbortController();
    const work = withLimit("the rebalance", 90_000, obedient, { timers, signal });
    const seen = expect(work).rejects.toMatchObject({
      code: "PF_WORKER_STEP_LIMIT",
      message: "the rebalance took longer than 90 s, and was stopped",
    });
    await timers.pass(89_999);
    await timers.pass(1);
    await seen;
    expect(timers.open).toBe(0);
  });

  it("gives work up that does not stop, and does not hear what it does afterwards", async () => {
    const timers = handTimers();
    const { signal } = new AbortController();
    let fail = (_: Error) => {};
    const deaf = () => new Promise<never>((_, reject) => (fail = reject));
    const work = withLimit("the rebalance", 1000, deaf, { timers, signal });
    const seen = expect(work).rejects.toMatchObject({ code: "PF_WORKER_STUCK" });
    await timers.pass(1000);
    await timers.pass(20_000);
    await seen;
    fail(new Error("too late"));
    await timers.pass(1);
    expect(timers.open).toBe(0);
  });

  it("passes an interruption on, and gives up on who does not listen to it", async () => {
    const timers = handTimers();
    const stop = new AbortController();
    const work = withLimit("the rebalance", 1000, obedient, { timers, signal: stop.signal });
    const deaf = withLimit("the rebalance", 1000, () => new Promise(() => {}), {
      timers,
      signal: stop.signal,
    });
    const seen = [
      expect(work).rejects.toMatchObject({ code: "PF_INTERRUPTED" }),
      expect(deaf).rejects.toMatchObject({ code: "PF_WORKER_STUCK" }),
    ];
    stop.abort(new Error("SIGTERM"));
    await timers.pass(20_000);
    await Promise.all(seen);
    const late = withLimit("the rebalance", 1000, obedient, { timers, signal: stop.signal });
    await expect(late).rejects.toMatchObject({ code: "PF_INTERRUPTED" });
    expect(timers.open).toBe(0);
  });
});
