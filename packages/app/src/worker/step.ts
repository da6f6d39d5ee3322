import { setMaxListeners } from "node:events";
import type { Timers } from "@pf/ibkr";
import { InterruptedError } from "../errors.js";
import { StepLimitError, StuckStepError } from "./errors.js";

/** A step that was asked to stop has this long to do so. */
const stopGraceMs = 20_000;

/**
 * Does something that may take so long and no longer. At the limit it is asked to stop, and then has twenty seconds to
 * do so.
 *
 * @param signal - asks it to stop earlier
 * @throws StepLimitError when it stopped at the limit
 * @throws StuckStepError when it did not: what it still does goes unheard
 * @throws InterruptedError when the signal asked; and whatever `act` throws
 */
export async function withLimit<T>(
  step: string,
  limitMs: number,
  act: (signal: AbortSignal) => Promise<T>,
  { timers, signal }: { readonly timers: Timers; readonly signal: AbortSignal },
): Promise<T> {
  const stop = new AbortController();
  // Every question to the broker listens until it is answered, and many are asked at once.
  setMaxListeners(0, stop.signal);
  let takeBack = () => {};
  const work = act(stop.signal);
  const stuck = new Promise<never>((_, reject) => {
    const end = (reason: Error) => {
      takeBack();
      stop.abort(reason);
      takeBack = timers.after(stopGraceMs, () => reject(new StuckStepError(step, limitMs)));
    };
    const passOn = () => end(new InterruptedError({ cause: signal.reason }));
    signal.addEventListener("abort", passOn, { once: true, signal: settled(work) });
    takeBack = timers.after(limitMs, () => end(new StepLimitError(step, limitMs)));
    if (signal.aborted) passOn();
  });
  try {
    return await Promise.race([work, stuck]);
  } catch (error) {
    // What it does after it was given up must not end the process.
    work.catch(() => {});
    if (error instanceof StuckStepError) throw error;
    throw stop.signal.aborted ? stop.signal.reason : error;
  } finally {
    takeBack();
  }
}

/** Aborted when some work has come to its end, so that nobody listens for it any longer. */
function settled(work: Promise<unknown>): AbortSignal {
  const over = new AbortController();
  const end = () => over.abort();
  work.then(end, end);
  return over.signal;
}
