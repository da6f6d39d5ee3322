import type { Timers } from "../src/session/clock.js";

/** Time that passes only when told to. */
export interface ManualTimers extends Timers {
  advance(ms: number): void;
  /** The clock shows less; what waits goes on waiting as long. */
  setBack(ms: number): void;
}

export function manualTimers(startUtcMs = Date.UTC(2026, 0, 5)): ManualTimers {
  let elapsed = 0;
  let offset = startUtcMs;
  const waiting = new Set<{ due: number; callback: () => void }>();
  return {
    nowUtcMs: () => offset + elapsed,
    after(ms, callback) {
      const entry = { due: elapsed + Math.max(ms, 0), callback };
      waiting.add(entry);
      return () => waiting.delete(entry);
    },
    advance(ms) {
      const until = elapsed + ms;
      for (;;) {
        const next = [...waiting].filter(({ due }) => due <= until).sort((a, b) => a.due - b.due)[0];
        if (!next) break;
        waiting.delete(next);
        elapsed = Math.max(elapsed, next.due);
        next.callback();
      }
      elapsed = until;
    },
    setBack(ms) {
      offset -= ms;
    },
  };
}
